//! The ledger: what makes a fact durable before it is acknowledged.
//!
//! One fjall database holds everything: fact blocks, fact ids, user and app numbers, directories and cells. A group commit writes the
//! facts of all requests that wait, the ids they claim and the numbers they need in one atomic batch with one fsync; a receipt is
//! given only then. What a crash cuts off was never acknowledged.
//!
//! # Keyspaces
//! | name | key | value |
//! |---|---|---|
//! | `facts` | org, kind of fact, UTC day of `session_started_at` or `at`, position | a [`columns::Block`] |
//! | `commits` | position | the (org, kind, day) of each block, until a checkpoint of cells covers it |
//! | `ids` | org, kind, UTC day of `joined_at` or `at`, position | default ids claimed, with the hashes of their contents (`ids.rs`) |
//! | `given-ids` | org, kind, hash | the hash of the content |
//! | `users`, `apps`, `bookings`, `uses` | org, number | the name (`numbers.rs`) |
//! | `directories` | org | the directory as JSON |
//! | `meta` | a word | |

pub(crate) mod birth;
pub mod columns;
mod committer;
mod ids;
mod numbers;
mod rows;
mod scan;
mod tail;

pub use committer::{Committer, Request};
pub(crate) use ids::default_ids;
pub(crate) use scan::{Wanted, day_of, scan, scan_commits};

use crate::cells::Cells;
use crate::error::EngineError;
use crate::settings::Settings;
use columns::{Block, Commit};
use fjall::{Database, Keyspace, PersistMode};
use hashbrown::HashMap;
use numbers::Numbers;
use rollcall_model::{FactKind, OrgId, Range};
use std::path::Path;

/// The version of what is stored. A data directory of another is refused.
const FORMAT: &[u8] = b"rollcall 2";

/// What a journal is allocated ahead: fjall takes no smaller limit of all journals.
const LEAST_JOURNAL: u64 = 64 << 20;

/// The open database.
pub struct Ledger {
    db: Database,
    pub(crate) meta: Keyspace,
    pub(crate) facts: Keyspace,
    commits: Keyspace,
    ids: Keyspace,
    given_ids: Keyspace,
    directories: Keyspace,
    /// The user ids of each organization.
    pub(crate) users: Numbers,
    /// The apps of each organization.
    pub(crate) apps: Numbers,
    /// The bookings of each organization: see [`crate::facts::Assistances::bookings`].
    pub(crate) bookings: Numbers,
    /// The uses of each organization: see [`crate::facts::Use`].
    pub(crate) uses: Numbers,
}

impl std::fmt::Debug for Ledger {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Ledger").finish_non_exhaustive()
    }
}

impl Ledger {
    /// Opens or creates the ledger in a directory that no other process has open; a torn tail is cut off.
    ///
    /// # Errors
    /// [`EngineError::Storage`].
    pub fn open(directory: &Path, settings: &Settings) -> Result<Self, EngineError> {
        tail::cut_off(directory)?;
        let db = Database::builder(directory)
            .cache_size(settings.block_cache_bytes as u64)
            .max_journaling_size((settings.journal_bytes as u64).max(LEAST_JOURNAL))
            // Fact blocks are compressed already, and the rest is small or random.
            .journal_compression(fjall::CompressionType::None)
            .open()?;
        // Not even blocks are kept apart from their keys: fjall 3.1 syncs a file of values, but not its name, before it forgets the journal.
        let plain = || settings.keyspace();
        let ledger = Self {
            meta: db.keyspace("meta", plain)?,
            facts: db.keyspace("facts", plain)?,
            commits: db.keyspace("commits", plain)?,
            ids: db.keyspace("ids", plain)?,
            given_ids: db.keyspace("given-ids", plain)?,
            directories: db.keyspace("directories", plain)?,
            users: Numbers::open(db.keyspace("users", plain)?)?,
            apps: Numbers::open(db.keyspace("apps", plain)?)?,
            bookings: Numbers::open(db.keyspace("bookings", plain)?)?,
            uses: Numbers::open(db.keyspace("uses", plain)?)?,
            db,
        };
        match ledger.meta.get("format")? {
            None => ledger.meta.insert("format", FORMAT)?,
            Some(format) if format.as_ref() == FORMAT => {}
            Some(format) => {
                let format = String::from_utf8_lossy(&format).into_owned();
                return Err(EngineError::Storage(format!("the data directory was written by another version of rollcall ({format})")));
            }
        }
        ledger.db.persist(PersistMode::SyncAll)?;
        Ok(ledger)
    }

    /// The database, for cells.
    pub(crate) const fn db(&self) -> &Database {
        &self.db
    }

    /// Folds every commit after what cells in storage cover, and returns the position of the last.
    ///
    /// # Errors
    /// [`EngineError::Storage`].
    pub fn catch_up(&self, cells: &Cells) -> Result<u64, EngineError> {
        let mut last = cells.covered();
        for commit in self.commits.range((last + 1).to_be_bytes()..) {
            let (position, blocks) = commit.into_inner()?;
            last = position.as_ref().try_into().map(u64::from_be_bytes).map_err(|_| broken("a commit"))?;
            let mut commit = Commit::default();
            let keys = blocks.strip_prefix(tail::COMMIT_MARK).ok_or_else(|| broken("a commit"))?;
            for key in keys.chunks_exact(BLOCK_KEY_PREFIX) {
                let org = org_of(key).ok_or_else(|| broken("a commit"))?;
                let block = self.facts.get([key, position.as_ref()].concat())?.ok_or_else(|| broken("a commit"))?;
                match key.get(16).copied().and_then(FactKind::from_number) {
                    Some(FactKind::Attendance) => commit.attendance.push((org, Block::decode(&block)?)),
                    Some(FactKind::Assistance) => commit.assistance.push((org, Block::decode(&block)?)),
                    None => return Err(broken("a commit")),
                }
            }
            cells.fold(last, &commit);
        }
        Ok(last)
    }

    /// Checkpoints the cells, and forgets the commits they cover.
    ///
    /// # Errors
    /// [`EngineError::Storage`].
    pub fn checkpoint(&self, cells: &Cells) -> Result<(), EngineError> {
        cells.checkpoint(|batch, position| {
            for commit in self.commits.range(..=position.to_be_bytes()) {
                batch.remove(&self.commits, commit.key()?);
            }
            Ok(())
        })?;
        Ok(())
    }

    /// The facts of an organization whose times are in `range`, as record batches.
    pub fn scan<B: Block>(&self, org: OrgId, range: Range) -> impl Iterator<Item = Result<B, EngineError>> + use<B> {
        scan(self.db.snapshot(), &self.facts, org, Wanted::times(range))
    }

    /// The default ids that lead with a UTC day, counted from 1970-01-01, each with the hash of its fact's content.
    ///
    /// # Errors
    /// [`EngineError::Storage`].
    pub(crate) fn default_ids(&self, org: OrgId, kind: FactKind, day: u32) -> Result<HashMap<u128, u32>, EngineError> {
        ids::of_day(&self.ids, org, kind, day)
    }

    /// The hash of the content of the fact that has an id, which is none of the default form.
    ///
    /// # Errors
    /// [`EngineError::Storage`].
    pub(crate) fn content_of_given(&self, org: OrgId, kind: FactKind, id: u128) -> Result<Option<u32>, EngineError> {
        ids::content_of_given(&self.given_ids, org, kind, id)
    }

    /// The directories of all organizations, as JSON.
    ///
    /// # Errors
    /// [`EngineError::Storage`].
    pub fn directories(&self) -> Result<Vec<(OrgId, Vec<u8>)>, EngineError> {
        let entry = |stored: fjall::Guard| {
            let (key, json) = stored.into_inner()?;
            Ok((org_of(&key).ok_or_else(|| broken("a directory"))?, json.to_vec()))
        };
        self.directories.iter().map(entry).collect()
    }

    /// Stores a directory, durably.
    ///
    /// # Errors
    /// [`EngineError::Storage`].
    pub fn put_directory(&self, org: OrgId, json: &[u8]) -> Result<(), EngineError> {
        self.directories.insert(org.0.as_bytes(), json)?;
        Ok(self.db.persist(PersistMode::SyncAll)?)
    }

    /// Makes everything written durable.
    ///
    /// # Errors
    /// [`EngineError::Storage`].
    pub fn sync(&self) -> Result<(), EngineError> {
        Ok(self.db.persist(PersistMode::SyncAll)?)
    }
}

/// How long the key of a block is without its position.
const BLOCK_KEY_PREFIX: usize = 21;

/// The key of a block, without its position: organization, kind of fact, day.
fn block_key_prefix(org: OrgId, kind: FactKind, day: u32) -> [u8; BLOCK_KEY_PREFIX] {
    let mut key = [0; BLOCK_KEY_PREFIX];
    key[..16].copy_from_slice(org.0.as_bytes());
    key[16] = kind.number();
    key[17..].copy_from_slice(&day.to_be_bytes());
    key
}

/// The organization that a key begins with.
fn org_of(key: &[u8]) -> Option<OrgId> {
    Some(OrgId(uuid::Uuid::from_bytes(*key.first_chunk()?)))
}

pub(crate) fn broken(what: &str) -> EngineError {
    EngineError::Storage(format!("{what} in the ledger cannot be read"))
}
