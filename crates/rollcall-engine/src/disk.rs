//! Room on the disk of a data directory, and the reserve: a file that keeps some.
//!
//! Facts are taken in only while there is room beside the reserve, so a disk that fills up is noticed before a write fails. Where somebody
//! else fills it, the reserve is given up: what was acknowledged can then still be checkpointed and flushed, and the server can stop. Once
//! there is room for it, it is made again.

use parking_lot::Mutex;
use rustix::fs::{FallocateFlags, fallocate, statvfs};
use rustix::io::Errno;
use std::fs::File;
use std::io::{self, Write};
use std::path::{Path, PathBuf};

/// The name of the reserve in the data directory.
const RESERVE: &str = "reserve";

/// The name of the file that is written to see whether the disk takes writes.
const PROBE: &str = "probe";

/// How many bytes are written to see that.
const PROBE_BYTES: usize = 64 << 10;

/// How many bytes of a reserve are written at a time, where the file system cannot allocate without writing.
const ZEROS: usize = 1 << 20;

/// The disk of a data directory.
#[derive(Debug)]
pub(crate) struct Disk {
    directory: PathBuf,
    /// The size of the reserve, and how much must be free beside it before facts are taken in; 0: neither is looked after.
    reserve_bytes: u64,
    reserve: Mutex<Reserve>,
}

/// How it is with the reserve.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Reserve {
    Held,
    /// Given up, or never made.
    None,
    /// The file system has no way to hold it: its room is not looked after, only what is free.
    Impossible,
}

/// Too little room to take facts in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error(
    "the disk of the data directory is full: {} MiB are free, and ingest needs {} MiB (storage.reserve_bytes){}; make room, and it goes on by \
     itself",
    free >> 20, needed >> 20, if *reserve_lost { ", and as much to make the reserve again" } else { "" }
)]
pub(crate) struct Shortage {
    /// How many bytes are free.
    free: u64,
    /// How many bytes must be.
    needed: u64,
    /// Whether the reserve is gone too.
    reserve_lost: bool,
}

impl Disk {
    /// The disk of a data directory; the reserve is held if its file is there.
    pub(crate) fn new(directory: &Path, reserve_bytes: u64) -> Self {
        let size = directory.join(RESERVE).metadata().map_or(0, |about| about.len());
        let held = reserve_bytes > 0 && size == reserve_bytes;
        let disk =
            Self { directory: directory.to_owned(), reserve_bytes, reserve: Mutex::new(if held { Reserve::Held } else { Reserve::None }) };
        if size > 0 && !held {
            // Of another size, or no longer wanted.
            disk.remove();
        }
        disk
    }

    /// Looks how much is free. Gives the reserve up where that is less than a quarter of it, and makes it where that leaves as much again.
    ///
    /// # Errors
    /// There is too little room to take facts in.
    pub(crate) fn look(&self) -> Result<(), Shortage> {
        if self.reserve_bytes == 0 {
            return Ok(());
        }
        let Some(mut free) = self.free() else { return Ok(()) };
        let mut reserve = self.reserve.lock();
        if *reserve == Reserve::Held && free < self.reserve_bytes / 4 {
            self.remove();
            *reserve = Reserve::None;
            free = self.free().unwrap_or(free);
            tracing::warn!(free, "the disk of the data directory is nearly full: the reserve was given up, and no facts are taken in");
        } else if *reserve == Reserve::None && free / 2 >= self.reserve_bytes {
            *reserve = match self.make() {
                Ok(()) => Reserve::Held,
                Err(error) if is_full(&error) => Reserve::None,
                Err(error) => {
                    tracing::warn!(%error, "the file {RESERVE} in the data directory cannot be made: nothing is kept in reserve");
                    Reserve::Impossible
                }
            };
            free = self.free().unwrap_or(free);
        }
        let reserve_lost = *reserve == Reserve::None;
        if reserve_lost || free < self.reserve_bytes {
            return Err(Shortage { free, needed: self.reserve_bytes, reserve_lost });
        }
        Ok(())
    }

    /// Writes something durably and removes it: whether the disk takes writes.
    ///
    /// # Errors
    /// It does not.
    pub(crate) fn probe(&self) -> io::Result<()> {
        let path = self.directory.join(PROBE);
        let written = File::create(&path).and_then(|mut file| {
            file.write_all(&[1; PROBE_BYTES])?;
            file.sync_all()
        });
        let removed = std::fs::remove_file(&path);
        written.and(removed).and_then(|()| File::open(&self.directory)?.sync_all())
    }

    /// How many bytes this process may still write; none where the file system does not say.
    fn free(&self) -> Option<u64> {
        let about = statvfs(&self.directory).ok()?;
        Some(about.f_bavail.saturating_mul(about.f_frsize))
    }

    fn make(&self) -> io::Result<()> {
        let path = self.directory.join(RESERVE);
        let made = File::create(&path).and_then(|file| allocate(file, self.reserve_bytes));
        if made.is_err() {
            self.remove();
        }
        made
    }

    fn remove(&self) {
        if let Err(error) = std::fs::remove_file(self.directory.join(RESERVE)) {
            tracing::warn!(%error, "the file {RESERVE} in the data directory cannot be removed");
        }
    }
}

/// Whether a write failed for want of room.
pub(crate) fn is_full(error: &io::Error) -> bool {
    matches!(error.kind(), io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded)
}

/// Gives a file its size, and the blocks behind it.
fn allocate(mut file: File, bytes: u64) -> io::Result<()> {
    match fallocate(&file, FallocateFlags::empty(), 0, bytes) {
        Err(Errno::OPNOTSUPP | Errno::NOSYS) => {}
        allocated => return Ok(allocated?),
    }
    let zeros = vec![0; ZEROS];
    let mut left = bytes;
    while left > 0 {
        let part = zeros.get(..usize::try_from(left).unwrap_or(ZEROS).min(ZEROS)).unwrap_or(&zeros);
        file.write_all(part)?;
        left -= part.len() as u64;
    }
    file.sync_all()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn reserve(home: &Path) -> Option<u64> {
        home.join(RESERVE).metadata().ok().map(|about| about.len())
    }

    #[test]
    fn a_reserve_is_made_where_there_is_room_and_another_size_is_made_anew() {
        let home = tempfile::tempdir().unwrap();
        let disk = Disk::new(home.path(), 1 << 20);
        assert_eq!(reserve(home.path()), None, "looking makes it");
        disk.look().unwrap();
        assert_eq!(reserve(home.path()), Some(1 << 20));
        assert_eq!(*Disk::new(home.path(), 1 << 20).reserve.lock(), Reserve::Held);
        let larger = Disk::new(home.path(), 2 << 20);
        larger.look().unwrap();
        assert_eq!(reserve(home.path()), Some(2 << 20));
        Disk::new(home.path(), 0).look().unwrap();
        assert_eq!(reserve(home.path()), None);
    }

    #[test]
    fn more_than_the_disk_has_is_a_shortage_that_says_what_to_do() {
        let home = tempfile::tempdir().unwrap();
        let disk = Disk::new(home.path(), 1 << 60);
        let told = disk.look().unwrap_err().to_string();
        assert!(told.contains("the disk of the data directory is full") && told.contains("storage.reserve_bytes"), "{told}");
        assert_eq!(reserve(home.path()), None);
        disk.probe().unwrap();
        assert_eq!(std::fs::read_dir(home.path()).unwrap().count(), 0);
    }
}
