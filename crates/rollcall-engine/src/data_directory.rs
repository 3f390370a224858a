//! A data directory: made for its owner alone, and used by one process at a time.

use crate::error::EngineError;
use std::fs::{File, TryLockError};
use std::os::unix::fs::DirBuilderExt;
use std::path::Path;
use std::time::{Duration, Instant};

/// A directory with a file of this name is a restore that came to no end, and is not opened.
pub(crate) const UNFINISHED: &str = "restore-unfinished";

/// Makes the data directory, for its owner's eyes alone, and durably: a file can be fsynced and yet be lost with the name of the
/// directory it is in.
pub(crate) fn make(directory: &Path) -> Result<(), EngineError> {
    let there = directory.is_dir();
    if !there {
        std::fs::DirBuilder::new().recursive(true).mode(0o700).create(directory).map_err(|error| unusable(directory, &error))?;
    }
    let made = directory.canonicalize().map_err(|error| unusable(directory, &error))?;
    for directory in made.ancestors() {
        match File::open(directory).and_then(|opened| opened.sync_all()) {
            // One that was there may have been made by a process that was killed before it came to this; or long ago by somebody else,
            // where nothing can be synced.
            Err(_) if there => {}
            // A directory that we may not even read is not one that we made.
            Err(error) if error.kind() == std::io::ErrorKind::PermissionDenied => {}
            synced => synced.map_err(|error| unusable(directory, &error))?,
        }
    }
    Ok(())
}

/// How long a start waits for another process to leave the data directory: one that is being restarted may still be closing, and a child
/// that another thread has forked holds the lock until it is `exec`ed.
const LOCK_PATIENCE: Duration = Duration::from_secs(2);

/// How long it waits before it looks again.
const LOCK_PAUSE: Duration = Duration::from_millis(20);

/// Makes the data directory this process's own, until the file is dropped or the process ends. Waits up to [`LOCK_PATIENCE`].
pub(crate) fn lock(directory: &Path) -> Result<File, EngineError> {
    let file = File::create(directory.join("lock")).map_err(|error| unusable(directory, &error))?;
    let begun = Instant::now();
    loop {
        match file.try_lock() {
            Ok(()) => return Ok(file),
            Err(TryLockError::WouldBlock) if begun.elapsed() < LOCK_PATIENCE => std::thread::sleep(LOCK_PAUSE),
            Err(TryLockError::WouldBlock) => return Err(EngineError::InUse(directory.display().to_string())),
            Err(TryLockError::Error(error)) => return Err(unusable(directory, &error)),
        }
    }
}

/// The error of a directory that cannot be used.
pub(crate) fn unusable(directory: &Path, error: &std::io::Error) -> EngineError {
    EngineError::Storage(format!("{}: {error}", directory.display()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_data_directory_that_is_left_within_two_seconds_is_waited_for() {
        let home = tempfile::tempdir().unwrap();
        let held = lock(home.path()).unwrap();
        assert!(matches!(lock(home.path()), Err(EngineError::InUse(_))), "nobody left it");
        // It is left once somebody waits for it; or just before, which is as well.
        std::thread::scope(|threads| {
            let waiting = threads.spawn(|| lock(home.path()));
            std::thread::sleep(LOCK_PAUSE * 2);
            drop(held);
            waiting.join().unwrap().unwrap();
        });
    }
}
