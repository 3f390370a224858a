//! The database files in use, and their exchange while facts come in.

use super::table::{Table, Tables};
use parking_lot::{Mutex, RwLock};
use rollcall_model::Places;
use std::fs::{File, Metadata};
use std::io::Read;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// The largest file that is read, in bytes: several times the largest city database.
const LARGEST_FILE: u64 = 2 << 30;

/// Why a database file cannot be used.
#[derive(Debug, thiserror::Error)]
#[error("the place database {} {what}", file.display())]
pub struct PlacesError {
    file: PathBuf,
    what: String,
}

/// What resolves addresses now: the tables of the database files. They are read when asked for, and again when a file was exchanged.
#[derive(Debug, Default)]
pub struct PlaceFiles {
    /// Held while files are read, so that two readings end in the order they began.
    seen: Mutex<Vec<(PathBuf, Option<Version>)>>,
    tables: RwLock<Option<Arc<Tables>>>,
}

/// What tells one state of a file from another.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Version {
    device: u64,
    inode: u64,
    bytes: u64,
    modified: (i64, i64),
}

impl Version {
    fn of(metadata: &Metadata) -> Self {
        let modified = (metadata.mtime(), metadata.mtime_nsec());
        Self { device: metadata.dev(), inode: metadata.ino(), bytes: metadata.len(), modified }
    }
}

impl PlaceFiles {
    /// Reads database files; the first that knows an address says where it is. None at all: every place is unknown.
    ///
    /// # Errors
    /// A file that cannot be read, or is no database, or is damaged.
    pub fn open(files: &[PathBuf]) -> Result<Self, PlacesError> {
        let opened = Self::default();
        opened.exchange(files)?;
        Ok(opened)
    }

    /// What resolves addresses now; none where there is no file.
    pub fn current(&self) -> Option<Arc<dyn Places>> {
        self.tables.read().clone().map(|tables| tables as Arc<dyn Places>)
    }

    /// Reads other files, or the same again. Blocks for as long as that takes, about a second for the largest.
    ///
    /// # Errors
    /// As [`PlaceFiles::open`]; the files of before stay in use.
    pub fn exchange(&self, files: &[PathBuf]) -> Result<(), PlacesError> {
        let mut seen = self.seen.lock();
        // Looked at before they are read: one that changes meanwhile is then found changed.
        *seen = files.iter().map(|file| (file.clone(), version(file))).collect();
        let tables = files.iter().map(|file| read(file)).collect::<Result<Vec<_>, _>>()?;
        *self.tables.write() = (!tables.is_empty()).then(|| Arc::new(Tables(tables)));
        Ok(())
    }

    /// Reads the files again if one of them was exchanged since they were last read; says whether they were read.
    ///
    /// # Errors
    /// As [`PlaceFiles::open`], once for each state of the files; the tables of before stay in use.
    pub fn refresh(&self) -> Result<bool, PlacesError> {
        let files: Vec<_> = {
            let seen = self.seen.lock();
            if seen.iter().all(|(file, seen)| version(file) == *seen) {
                return Ok(false);
            }
            seen.iter().map(|(file, _)| file.clone()).collect()
        };
        self.exchange(&files).map(|()| true)
    }
}

fn version(file: &Path) -> Option<Version> {
    std::fs::metadata(file).ok().map(|metadata| Version::of(&metadata))
}

fn read(file: &Path) -> Result<Table, PlacesError> {
    let whole = || {
        let mut bytes = Vec::new();
        File::open(file)?.take(LARGEST_FILE + 1).read_to_end(&mut bytes)?;
        Ok(bytes)
    };
    let read = match whole() {
        Ok(bytes) if bytes.len() as u64 > LARGEST_FILE => Err(format!("is larger than {LARGEST_FILE} bytes")),
        Ok(bytes) => super::read(bytes),
        Err(error) => Err(cannot_be_read(&error)),
    };
    read.map_err(|what| PlacesError { file: file.into(), what })
}

fn cannot_be_read(error: &std::io::Error) -> String {
    format!("cannot be read: {error}")
}
