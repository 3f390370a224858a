//! Backups: one consistent state of a data directory and its lake, in another directory or bucket, made while the server runs.
//!
//! # What a backup looks like
//! | name | what |
//! |---|---|
//! | `backup.json` | the manifest: every file with its size and checksum. Without it there is no backup |
//! | `backup.owner` | the id of the ledger that backs up here: nobody else may |
//! | `ledger/ID/NNNNNN.part` | every entry of the ledger's database, in order; `ID` is new for each backup |
//! | `ledger/ID/signing.key` | and other files that belong to a data directory, as who asks for the backup gives them |
//! | `attendance/`, `assistance/` | the lake's tables: their data files, and of the log the newest checkpoint and what follows it. They are Delta tables, and anybody can read them |
//!
//! Data files never change, so those that are in the target already are not copied again. The manifest is written last, and replaces the
//! one before in one step: until then that one is valid, and every file of it is there. What the newest does not refer to is removed then.
//!
//! # Layout
//! - [`manifest`]: the manifest
//! - `parts`: entries of the database as files
//! - `make`: [`crate::Engine::backup`]
//! - `restore`: [`restore()`]
//! - `repair`: [`repair()`]

mod make;
pub mod manifest;
mod parts;
mod repair;
mod restore;

pub use make::Made;
pub use repair::{Repaired, repair};
pub use restore::{Beside, Restored, restore};

use crate::error::EngineError;
use crate::lake::Store;
use crate::location::Location;
use crate::parallel::on_threads;
use crate::settings::Settings;
use manifest::{Manifest, NAME};
use std::sync::atomic::{AtomicU64, Ordering};

/// Is told how many bytes are done, and of how many about; from any thread.
pub type Progress<'p> = dyn Fn(u64, u64) + Sync + 'p;

/// How many files are copied at a time. Each is in memory meanwhile.
const AT_A_TIME: usize = 4;

/// Where the ledger lies in a backup.
const LEDGER: &str = "ledger";

/// How errors begin that name a damaged file.
const DAMAGED: &str = "the backup is damaged: ";

/// Opens a backup, and reads its manifest.
fn open(source: &Location, settings: &Settings) -> Result<(Store, Manifest), EngineError> {
    if let Location::Directory(path) = source
        && !path.is_dir()
    {
        return Err(refused(format!("{} is no directory", path.display())));
    }
    let store = Store::open(source, &settings.store)?;
    store.reach().map_err(|error| refused(format!("{source} does not answer: {error}")))?;
    let none = || refused(format!("{source} has no {NAME}: it holds no backup, or none that is whole"));
    let manifest = Manifest::read(&store)?.ok_or_else(none)?;
    Ok((store, manifest))
}

fn refused(why: impl Into<String>) -> EngineError {
    EngineError::Backup(why.into())
}

/// How many bytes are done.
struct Steps<'p> {
    done: AtomicU64,
    of: u64,
    progress: &'p Progress<'p>,
}

impl<'p> Steps<'p> {
    fn new(of: u64, progress: &'p Progress<'p>) -> Self {
        progress(0, of);
        Self { done: AtomicU64::new(0), of, progress }
    }

    fn add(&self, bytes: u64) {
        // How large the ledger will be is only known about.
        let done = self.done.fetch_add(bytes, Ordering::Relaxed) + bytes;
        (self.progress)(done.min(self.of), self.of);
    }
}

/// Does something to each item, some at a time; ends early at the first error. What it gives is in the order of the items.
fn each<I: Sync, O: Send>(items: &[I], work: impl Fn(&I) -> Result<O, EngineError> + Sync) -> Result<Vec<O>, EngineError> {
    on_threads(AT_A_TIME, items, work)
}

#[cfg(test)]
mod tests;
