//! A new ledger is made aside, synced and renamed: power loss leaves all of it or nothing.
//!
//! fjall cannot open a database whose making was interrupted, and does not sync the names of new keyspaces. So it makes its database
//! where nobody looks, and the names of keyspaces that a later version adds are synced at every start.
//!
//! A process that is killed leaves names that are there and not yet durable. Whoever starts next may build on them: fjall removes what the
//! newest version of a tree does not need, though that version may still be lost. So all names are synced before anything else happens.

use crate::error::EngineError;
use std::fs::{self, File};
use std::io;
use std::path::Path;

/// Where fjall has a directory for each keyspace.
const KEYSPACES: &str = "keyspaces";

/// Makes the ledger if there is none, and else makes durable what of its names may not be. `fill` makes everything in a directory that it is given, and closes it.
pub(crate) fn make(directory: &Path, fill: impl FnOnce(&Path) -> Result<(), EngineError>) -> Result<(), EngineError> {
    let failed = |error: io::Error| unusable(directory, &error);
    if directory.read_dir().is_ok_and(|mut entries| entries.next().is_some()) {
        directory.parent().map_or(Ok(()), sync).map_err(failed)?;
        return sync_names(directory).map_err(failed);
    }
    let aside = directory.with_extension("new");
    if aside.is_dir() {
        fs::remove_dir_all(&aside).map_err(failed)?;
    }
    fs::create_dir(&aside).map_err(failed)?;
    fill(&aside)?;
    sync_names(&aside).map_err(failed)?;
    fs::rename(&aside, directory).map_err(failed)?;
    directory.parent().map_or(Ok(()), sync).map_err(failed)
}

/// Makes the names of all keyspaces durable: a fact may be fsynced and yet be lost with the name of the directory it is in.
pub(crate) fn sync_keyspaces(directory: &Path) -> Result<(), EngineError> {
    sync(&directory.join(KEYSPACES)).map_err(|error| unusable(directory, &error))
}

/// Syncs a directory and those below it; fjall syncs what is in files.
fn sync_names(directory: &Path) -> io::Result<()> {
    for entry in directory.read_dir()? {
        let entry = entry?;
        if entry.file_type()?.is_dir() {
            sync_names(&entry.path())?;
        }
    }
    sync(directory)
}

fn sync(path: &Path) -> io::Result<()> {
    File::open(path)?.sync_all()
}

fn unusable(directory: &Path, error: &io::Error) -> EngineError {
    EngineError::Storage(format!("{}: {error}", directory.display()))
}
