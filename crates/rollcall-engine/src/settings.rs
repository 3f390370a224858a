//! What can be set about storage.

use crate::location::{Location, StoreOptions};
use fjall::KeyspaceCreateOptions;

/// What can be set about storage.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Settings {
    /// Where the lake lies; none: where it did before, and at first `lake` in the data directory.
    pub lake: Option<Location>,
    /// What the store must know where it is S3-compatible.
    pub store: StoreOptions,
    /// How long facts wait for the lake, in seconds; 0: for a flush that is asked for.
    pub flush_seconds: u32,
    /// How many facts may wait for the lake before flushes no longer make way for what is ingested.
    pub flush_facts: usize,
    /// How many days files of the lake stay that its tables no longer need, for those who read the lake by themselves; 0: only what this
    /// process reads stays.
    pub vacuum_days: u32,
    /// How many bytes of decoded merged cells are kept in memory.
    pub cell_cache_bytes: usize,
    /// How many bytes of merged cells are kept in storage; 0: any number.
    pub kept_bytes: u64,
    /// How many bytes of the database's blocks are kept in memory.
    pub block_cache_bytes: usize,
    /// How many of the database's files are kept open between reads; at least 10.
    pub open_files: usize,
    /// How many bytes of fact ids are kept in memory.
    pub id_cache_bytes: usize,
    /// How many bytes of journal there may be, at least 64 MiB: what a start has to read again.
    pub journal_bytes: usize,
    /// How many bytes one keyspace of the database holds in memory before it writes them out as a table; fixed when a data directory is made.
    pub memtable_bytes: usize,
    /// After how many facts cells are checkpointed: what a start has to fold again.
    pub checkpoint_facts: usize,
    /// After how many entries cells are checkpointed, if that comes first: what they take in memory meanwhile. Ingest waits for a checkpoint
    /// at three times this or [`Settings::checkpoint_facts`].
    pub checkpoint_entries: u64,
    /// How many bytes of facts a block of the ledger holds, before it is compressed; more facts of one day in one commit make several.
    pub block_bytes: usize,
    /// How many bytes of the disk a file in the data directory keeps in reserve, and how many must be free beside it before facts are taken
    /// in; 0: neither is looked after.
    pub reserve_bytes: u64,
    /// How many users one organization may have; 0: any.
    pub users_per_organization: u32,
    /// How many combinations of departments assistances of one organization may be booked on; 0: any.
    pub bookings_per_organization: u32,
    /// How many combinations of kind, type of chat, IDE and language assistances of one organization may have; 0: any.
    pub uses_per_organization: u32,
    /// How many receipts of one organization are kept to be listed, the oldest go first; 0: all.
    pub receipts_per_organization: u32,
    /// How many keys one organization may have that are made at run time; 0: any.
    pub keys_per_organization: u32,
    /// How many lines of the audit log of one organization are kept, the oldest go first; 0: all.
    pub audit_per_organization: u32,
    /// How many bytes the directory of one organization may take, as JSON; 0: any number.
    pub directory_bytes: u64,
    /// How many bytes the directories of one organization may take that were replaced and are kept: the oldest go first, the newest stays
    /// whatever its size; 0: any number.
    pub directory_history_bytes: u64,
}

impl Settings {
    /// How a keyspace is made, if nothing else is said of it.
    pub(crate) fn keyspace(&self) -> KeyspaceCreateOptions {
        KeyspaceCreateOptions::default().max_memtable_size(self.memtable_bytes as u64)
    }
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            lake: None,
            store: StoreOptions::default(),
            flush_seconds: 60,
            flush_facts: 20_000_000,
            vacuum_days: 7,
            cell_cache_bytes: 128 << 20,
            kept_bytes: 256 << 20,
            block_cache_bytes: 64 << 20,
            open_files: 512,
            id_cache_bytes: 128 << 20,
            journal_bytes: 128 << 20,
            memtable_bytes: 64 << 20,
            checkpoint_facts: 400_000,
            checkpoint_entries: 2_000_000,
            block_bytes: 256 << 20,
            reserve_bytes: 64 << 20,
            users_per_organization: 4_000_000,
            bookings_per_organization: 100_000,
            uses_per_organization: 100_000,
            receipts_per_organization: 10_000,
            keys_per_organization: 1_000,
            audit_per_organization: 100_000,
            directory_bytes: 128 << 20,
            directory_history_bytes: 256 << 20,
        }
    }
}
