//! The ledger: what makes a fact durable before it is acknowledged.
//!
//! One fjall database holds everything: fact blocks, fact ids, user and app numbers, directories and cells. A group commit writes the
//! facts of all requests that wait, the ids they claim and the numbers they need in one atomic batch with one fsync; a receipt is
//! given only then. What a crash cuts off was never acknowledged. Facts stay until the lake has them.
//!
//! # Keyspaces
//! | name | key | value |
//! |---|---|---|
//! | `facts` | org, kind of fact, UTC day of `session_started_at` or `at`, position, number of the part after the first | a [`crate::kinds::block::Block`] |
//! | `commits` | position | the (org, kind, day) of each block, until cells in storage cover it and a flush begins |
//! | `claims` | position, number of the piece | ids claimed with a commit, until they are in `ids` |
//! | `ids` | org, kind, UTC day of `joined_at` or `at` or part of the given ids, position, first id | ids in order (`ids/`) |
//! | `users`, `apps`, `bookings`, `uses` | org, number | the name (`names.rs`) |
//! | `directories` | org | the directory as JSON |
//! | `kept-directories` | org, part, version | the last directories that it replaced (`directories.rs`) |
//! | `receipts` | org, count | a receipt that is kept (`receipts.rs`) |
//! | `erasures` | org, number | an erasure that is not finished (`erasures.rs`) |
//! | `keys` | org, number | a key made at run time (`access.rs`) |
//! | `audit` | org, count | a line of the audit log (`access.rs`) |
//! | `meta` | a word | |

pub(crate) mod access;
pub(crate) mod birth;
pub(crate) mod changes;
pub(crate) mod directories;
mod erasures;
pub(crate) mod ids;
pub(crate) mod journal_repair;
pub(crate) mod names;
pub(crate) mod receipts;
mod scrub;
mod waiting;

pub(crate) use erasures::{Erasure, ErasureKey};
pub(crate) use waiting::{Waiter, Waiting};

use crate::error::EngineError;
use crate::health::Health;
use crate::settings::Settings;
use changes::Changes;
use fjall::config::CompressionPolicy;
use fjall::{Database, Keyspace, PersistMode};
use names::Names;
use rollcall_model::{FactKind, Millis, OrgId};
use std::path::{Path, PathBuf};

/// The version of what is stored. A data directory of another is refused.
const FORMAT: &[u8] = b"rollcall 5";

/// What a journal is allocated ahead: fjall takes no smaller limit of all journals.
const LEAST_JOURNAL: u64 = 64 << 20;

/// What the database holds open at the least.
const LEAST_FILES: usize = 10;

/// Where it is noted where the lake lies.
const LAKE_LOCATION: &str = "lake-location";

/// Where the newest instant is noted on which the clock and the facts that came in agree.
pub(crate) const SEEN: &str = "seen";

/// The open database.
pub struct Ledger {
    pub(crate) db: Database,
    pub(crate) meta: Keyspace,
    pub(crate) facts: Keyspace,
    pub(crate) commits: Keyspace,
    pub(crate) ids: Keyspace,
    pub(crate) claims: Keyspace,
    pub(crate) directories: Keyspace,
    pub(crate) kept_directories: Keyspace,
    pub(crate) erasures: Keyspace,
    pub(crate) receipts: Keyspace,
    pub(crate) keys: Keyspace,
    pub(crate) audit: Keyspace,
    id: String,
    directory: PathBuf,
    /// What is wrong with the storage.
    pub(crate) health: Health,
    /// What waits for the lake.
    pub(crate) waiting: Waiting,
    /// What changed since the start.
    pub(crate) changes: Changes,
    /// The user ids of each organization.
    pub(crate) users: Names,
    /// The apps of each organization.
    pub(crate) apps: Names,
    /// The bookings of each organization: see [`crate::kinds::columns::Assistances::bookings`].
    pub(crate) bookings: Names,
    /// The uses of each organization: see [`crate::kinds::columns::Use`].
    pub(crate) uses: Names,
}

impl std::fmt::Debug for Ledger {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Ledger").finish_non_exhaustive()
    }
}

impl Ledger {
    /// Opens or creates the ledger in a directory, within the data directory, that no other process has open; a torn tail is cut off. What it
    /// makes is durable once it is synced.
    ///
    /// # Errors
    /// [`EngineError::Storage`].
    pub fn open(directory: &Path, settings: &Settings) -> Result<Self, EngineError> {
        let health = Health::new(directory.parent().unwrap_or(directory), settings.reserve_bytes);
        journal_repair::cut_off(directory, health.has_failed_before())?;
        let db = Database::builder(directory)
            .cache_size(settings.block_cache_bytes as u64)
            .max_cached_files(Some(settings.open_files.max(LEAST_FILES)))
            .max_journaling_size((settings.journal_bytes as u64).max(LEAST_JOURNAL))
            // Fact blocks are compressed already, and the rest is small or random.
            .journal_compression(fjall::CompressionType::None)
            .open()?;
        // Not even blocks are kept apart from their keys: fjall 3.1 syncs a file of values, but not its name, before it forgets the journal.
        let plain = || settings.keyspace();
        let meta = db.keyspace("meta", plain)?;
        let format = meta.get("format")?;
        match &format {
            None => meta.insert("format", FORMAT)?,
            Some(format) if format.as_ref() == FORMAT => {}
            Some(format) => {
                let format = String::from_utf8_lossy(format).into_owned();
                return Err(EngineError::Storage(format!("the data directory was written by another version of rollcall ({format})")));
            }
        }
        let id = match meta.get("id")? {
            Some(id) => String::from_utf8_lossy(&id).into_owned(),
            None => {
                let id = uuid::Uuid::new_v4().to_string();
                meta.insert("id", &id)?;
                id
            }
        };
        let facts = db.keyspace("facts", plain)?;
        Ok(Self {
            id,
            health,
            directory: directory.into(),
            changes: Changes::default(),
            meta,
            waiting: Waiting::open(&facts)?,
            facts,
            commits: db.keyspace("commits", plain)?,
            ids: db.keyspace("ids", || plain().data_block_compression_policy(CompressionPolicy::all(fjall::CompressionType::None)))?,
            claims: db.keyspace("claims", plain)?,
            directories: db.keyspace("directories", plain)?,
            kept_directories: db.keyspace("kept-directories", plain)?,
            erasures: db.keyspace("erasures", plain)?,
            receipts: db.keyspace("receipts", plain)?,
            keys: db.keyspace("keys", plain)?,
            audit: db.keyspace("audit", plain)?,
            users: Names::new(db.keyspace("users", plain)?),
            apps: Names::new(db.keyspace("apps", plain)?),
            bookings: Names::new(db.keyspace("bookings", plain)?),
            uses: Names::new(db.keyspace("uses", plain)?),
            db,
        })
    }

    /// The database, for cells.
    pub(crate) const fn db(&self) -> &Database {
        &self.db
    }

    /// The keys and the bytes of the blocks of the commits after one position, up to another, that were not trimmed.
    pub(crate) fn blocks_of_commits(&self, after: u64, upto: u64) -> impl Iterator<Item = Result<(u64, Vec<StoredBlock>), EngineError>> {
        let stored = self.commits.range(after.saturating_add(1).to_be_bytes()..=upto.to_be_bytes());
        stored.map(|commit| {
            let (position, blocks) = commit.into_inner()?;
            let position = position.as_ref().try_into().map(u64::from_be_bytes).map_err(|_| broken("a commit"))?;
            let read = keys_of(&blocks, position)?.map(|key| {
                let org = org_of(&key).ok_or_else(|| broken("a commit"))?;
                let kind = key.get(16).copied().and_then(FactKind::from_number).ok_or_else(|| broken("a commit"))?;
                Ok(StoredBlock { org, kind, bytes: self.facts.get(&key)?.ok_or_else(|| broken("a commit"))? })
            });
            Ok((position, read.collect::<Result<_, EngineError>>()?))
        })
    }

    /// What is known to be durable of the lake's table of a kind.
    ///
    /// # Errors
    /// [`EngineError::Storage`].
    pub(crate) fn durable(&self, kind: FactKind) -> Result<Option<Durable>, EngineError> {
        Ok(self.meta.get(lake_table(kind))?.and_then(|bytes| Durable::read(&bytes)))
    }

    /// Notes what is durable of the lake's table of a kind.
    ///
    /// # Errors
    /// [`EngineError::Storage`].
    pub(crate) fn note_durable(&self, kind: FactKind, durable: Durable) -> Result<(), EngineError> {
        Ok(self.meta.insert(lake_table(kind), durable.bytes())?)
    }

    /// Where the lake lies, as [`crate::location::Location`] names it.
    ///
    /// # Errors
    /// [`EngineError::Storage`].
    pub(crate) fn lake_location(&self) -> Result<Option<String>, EngineError> {
        Ok(self.meta.get(LAKE_LOCATION)?.map(|name| String::from_utf8_lossy(&name).into_owned()))
    }

    /// Remembers, durably, where the lake lies, before anything is written there.
    ///
    /// # Errors
    /// [`EngineError::Storage`].
    pub(crate) fn remember_lake_location(&self, name: &str) -> Result<(), EngineError> {
        self.meta.insert(LAKE_LOCATION, name)?;
        self.sync()
    }

    /// The newest instant on which the clock and facts agree: with each commit the clock's, but no later than a day after the newest of its
    /// facts. So neither a clock that is ahead moves it far, nor a fact that is. None before any commit.
    ///
    /// # Errors
    /// [`EngineError::Storage`].
    pub(crate) fn seen(&self) -> Result<Option<Millis>, EngineError> {
        Ok(self.meta.get(SEEN)?.and_then(|bytes| Some(Millis::from_be_bytes(bytes.as_ref().try_into().ok()?))))
    }

    /// Which ledger this is: the lake's tables name who writes them.
    pub(crate) fn id(&self) -> &str {
        &self.id
    }

    /// Makes everything written durable.
    ///
    /// # Errors
    /// [`EngineError::Storage`].
    pub fn sync(&self) -> Result<(), EngineError> {
        Ok(self.db.persist(PersistMode::SyncAll)?)
    }
}

/// A block of a commit as it is stored.
#[derive(Debug)]
pub(crate) struct StoredBlock {
    /// Whose facts it has.
    pub(crate) org: OrgId,
    /// What they are.
    pub(crate) kind: FactKind,
    /// What [`crate::kinds::block::Block::decode`] reads.
    pub(crate) bytes: fjall::UserValue,
}

/// The keys of the blocks of a commit.
fn keys_of(commit: &[u8], position: u64) -> Result<impl Iterator<Item = Vec<u8>>, EngineError> {
    let prefixes = commit.strip_prefix(journal_repair::COMMIT_MARK).ok_or_else(|| broken("a commit"))?.chunks_exact(BLOCK_KEY_PREFIX);
    // Blocks of one day follow one another.
    let mut last: Option<(&[u8], u32)> = None;
    Ok(prefixes.map(move |prefix| {
        let part = last.filter(|(before, _)| *before == prefix).map_or(0, |(_, part)| part + 1);
        last = Some((prefix, part));
        block_key(prefix, position, part)
    }))
}

/// The key of a block: of the first that its commit has of a day, or, where the day's facts are too many for one, of a later part.
pub(crate) fn block_key(prefix: &[u8], position: u64, part: u32) -> Vec<u8> {
    let mut key = [prefix, &position.to_be_bytes()].concat();
    if part > 0 {
        key.extend(part.to_be_bytes());
    }
    key
}

/// What the ledger knows of a table of the lake: from this version on its log may be broken, up to it it may not.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Durable {
    pub(crate) version: u64,
    /// The position of the ledger that it covers.
    pub(crate) position: u64,
    /// How many facts it holds.
    pub(crate) facts: u64,
}

impl Durable {
    fn bytes(self) -> [u8; 24] {
        let mut bytes = [0; 24];
        for (bytes, number) in bytes.chunks_exact_mut(8).zip([self.version, self.position, self.facts]) {
            bytes.copy_from_slice(&number.to_be_bytes());
        }
        bytes
    }

    fn read(bytes: &[u8]) -> Option<Self> {
        let (numbers, []) = bytes.as_chunks::<8>() else { return None };
        let [version, position, facts] = *numbers else { return None };
        let [version, position, facts] = [version, position, facts].map(u64::from_be_bytes);
        Some(Self { version, position, facts })
    }
}

/// Where it is noted up to which position cells in storage cover the ledger.
pub(crate) const CELLS_POSITION: &str = "cells-position";

/// Where it is noted what is durable of the lake's table of a kind.
fn lake_table(kind: FactKind) -> String {
    format!("lake-{}", kind.name())
}

/// How long the key of a block is without its position.
pub(crate) const BLOCK_KEY_PREFIX: usize = 21;

/// The key of a block, without its position: organization, kind of fact, day.
pub(crate) fn block_key_prefix(org: OrgId, kind: FactKind, day: u32) -> [u8; BLOCK_KEY_PREFIX] {
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
