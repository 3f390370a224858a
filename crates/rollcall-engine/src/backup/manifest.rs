//! The manifest of a backup.

use super::{DAMAGED, LEDGER, refused};
use crate::error::EngineError;
use crate::lake::Store;
use rollcall_model::FactKind;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use std::collections::BTreeMap;
use std::fmt::Write;

/// The name of the manifest.
pub const NAME: &str = "backup.json";

/// The version of what a backup looks like.
pub(super) const FORMAT: u32 = 1;

/// What a backup holds.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Manifest {
    /// The version of what a backup looks like.
    pub format: u32,
    /// Which backup it is.
    pub id: String,
    /// When its state was taken, RFC 3339.
    pub taken_at: String,
    /// The version of rollcall that made it.
    pub rollcall: String,
    /// The id of the ledger.
    pub ledger: String,
    /// Where the lake lay.
    pub lake: String,
    /// What each table of the lake holds; absent: nothing yet.
    pub tables: BTreeMap<String, TableState>,
    /// The keyspaces of the ledger's database, in the order of their entries.
    pub keyspaces: Vec<String>,
    /// Every file.
    pub files: Vec<FileEntry>,
    /// The checksum of the manifest without it.
    pub sha256: String,
}

/// What a table of the lake holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TableState {
    /// Its version.
    pub version: u64,
    /// The position of the ledger that it covers.
    pub position: u64,
    /// How many facts it holds.
    pub facts: u64,
}

/// A file of a backup.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct FileEntry {
    /// Its name from the root on.
    pub name: String,
    /// Its size in bytes.
    pub size: u64,
    /// Its checksum, in hexadecimal digits.
    pub sha256: String,
}

impl Manifest {
    /// Reads the manifest of a backup; none if there is no backup.
    ///
    /// # Errors
    /// [`EngineError::Backup`] if it is damaged, or of another version; [`EngineError::Storage`].
    pub fn read(store: &Store) -> Result<Option<Self>, EngineError> {
        let Some(bytes) = store.get(NAME)? else { return Ok(None) };
        let format = serde_json::from_slice::<serde_json::Value>(&bytes).ok().and_then(|found| found.get("format")?.as_u64());
        if let Some(format) = format.filter(|format| *format != u64::from(FORMAT)) {
            return Err(refused(format!("{NAME} is of format {format}, and this rollcall reads format {FORMAT}")));
        }
        let manifest: Self = serde_json::from_slice(&bytes).map_err(|error| refused(format!("{NAME} is damaged: {error}")))?;
        if manifest.checksum()? != manifest.sha256 {
            return Err(refused(format!("{NAME} is damaged: its checksum differs")));
        }
        match manifest.files.iter().find(|file| !file.is_within()) {
            None => Ok(Some(manifest)),
            Some(file) => Err(refused(format!("{NAME} names a file {:?}, which no backup has", file.name))),
        }
    }

    /// Writes the manifest, in place of the one before.
    pub(super) fn write(mut self, store: &Store) -> Result<(), EngineError> {
        self.sha256 = self.checksum()?;
        store.put(NAME, self.bytes()?, false)
    }

    fn checksum(&self) -> Result<String, EngineError> {
        Ok(sha256(&Self { sha256: String::new(), ..self.clone() }.bytes()?))
    }

    fn bytes(&self) -> Result<Vec<u8>, EngineError> {
        serde_json::to_vec_pretty(self).map_err(|error| refused(format!("{NAME} cannot be written: {error}")))
    }
}

impl FileEntry {
    /// Whether its name stays where backups have files.
    fn is_within(&self) -> bool {
        let mut parts = self.name.split('/');
        let first = parts.next().unwrap_or_default();
        let ordinary = |part: &str| !part.is_empty() && part != "." && part != ".." && !part.contains(['\\', '\0', '%']);
        (first == LEDGER || FactKind::from_name(first).is_some()) && parts.clone().count() > 0 && parts.all(ordinary)
    }

    /// Reads the file, and checks that it is the one that was written.
    pub(super) fn read(&self, store: &Store) -> Result<bytes::Bytes, EngineError> {
        let Self { name, size, sha256: expected } = self;
        let bytes = store.get(name)?.ok_or_else(|| refused(format!("{DAMAGED}{name} is missing")))?;
        if bytes.len() as u64 != *size || sha256(&bytes) != *expected {
            return Err(refused(format!("{DAMAGED}{name} is not what was written")));
        }
        Ok(bytes)
    }

    /// Whether it is of the ledger's database.
    pub(super) fn is_part(&self) -> bool {
        self.name.starts_with(LEDGER) && self.name.ends_with(".part")
    }

    /// Whether it is of a table.
    pub(super) fn is_of_table(&self) -> bool {
        !self.name.starts_with(LEDGER)
    }

    /// Whether it is of a table's log.
    pub(super) fn is_of_log(&self) -> bool {
        self.is_of_table() && self.name.contains("/_delta_log/")
    }
}

/// A checksum, in hexadecimal digits.
pub(super) fn sha256(bytes: &[u8]) -> String {
    Sha256::digest(bytes).iter().fold(String::with_capacity(64), |mut text, byte| {
        let _ = write!(text, "{byte:02x}");
        text
    })
}
