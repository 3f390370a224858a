//! Directories in storage: the one of each organization that holds, and the last ones that it replaced.
//!
//! Versions of an organization's directory count from 1; the newest kept one is the last before that which holds. What is known of a kept
//! directory and the directory itself are values of their own, so that many can be listed without reading them.

use super::{Ledger, broken, org_of};
use crate::error::EngineError;
use fjall::PersistMode;
use rollcall_model::directory::DirectoryDocument;
use rollcall_model::{Millis, OrgId};
use serde::{Deserialize, Serialize};

/// How many replaced directories of an organization are kept at most.
pub const KEPT_DIRECTORIES: usize = 10;

/// What is known of a directory that was replaced.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Kept {
    /// Its version. It is the key.
    #[serde(skip)]
    pub(crate) version: u64,
    /// Since when it held; none if that is not known.
    pub(crate) since: Option<Millis>,
    /// When it was replaced.
    pub(crate) until: Millis,
    /// How many entries of departments it has.
    pub(crate) departments: usize,
    /// How many entries of users.
    pub(crate) users: usize,
    /// How many bytes it takes, as JSON.
    pub(crate) bytes: u64,
}

/// What the key of a kept directory has between organization and version: what follows.
#[derive(Debug, Clone, Copy)]
enum Part {
    /// A [`Kept`].
    About = 0,
    /// The directory as JSON.
    Document = 1,
}

fn key(org: OrgId, part: Part, version: u64) -> [u8; 25] {
    let mut key = [0; 25];
    key[..16].copy_from_slice(org.0.as_bytes());
    key[16] = part as u8;
    key[17..].copy_from_slice(&version.to_be_bytes());
    key
}

/// Reads a directory as it is stored.
fn read(json: &[u8]) -> Result<DirectoryDocument, EngineError> {
    serde_json::from_slice(json).map_err(|error| EngineError::Storage(format!("a directory in the ledger cannot be read: {error}")))
}

impl Ledger {
    /// The directories that hold, of all organizations.
    ///
    /// # Errors
    /// [`EngineError::Storage`].
    pub(crate) fn directories(&self) -> Result<Vec<(OrgId, DirectoryDocument)>, EngineError> {
        let entry = |stored: fjall::Guard| {
            let (key, json) = stored.into_inner()?;
            Ok((org_of(&key).ok_or_else(|| broken("a directory"))?, read(&json)?))
        };
        self.directories.iter().map(entry).collect()
    }

    /// The directory of an organization that holds; none if it never had one.
    ///
    /// # Errors
    /// [`EngineError::Storage`].
    pub(crate) fn directory(&self, org: OrgId) -> Result<Option<DirectoryDocument>, EngineError> {
        self.directories.get(org.0.as_bytes())?.map(|json| read(&json)).transpose()
    }

    /// Stores a directory in place of the one that holds, durably, without keeping that one.
    ///
    /// # Errors
    /// [`EngineError::Storage`].
    pub(crate) fn overwrite_directory(&self, org: OrgId, json: &[u8]) -> Result<(), EngineError> {
        self.directories.insert(org.0.as_bytes(), json)?;
        self.sync()
    }

    /// Stores a directory, durably, and keeps the one that it replaces, which has `departments` and `users` entries. Of those kept before,
    /// the oldest go: beyond [`KEPT_DIRECTORIES`], and while all together take more than `most_bytes` (0: any number), but never the
    /// newest. Returns the version that holds now.
    ///
    /// # Errors
    /// [`EngineError::Storage`].
    pub(crate) fn replace_directory(
        &self,
        org: OrgId,
        json: &[u8],
        (departments, users): (usize, usize),
        now: Millis,
        most_bytes: u64,
    ) -> Result<u64, EngineError> {
        let before = self.kept_directories(org)?;
        let mut version = before.last().map_or(1, |last| last.version + 1);
        let mut batch = self.db.batch();
        if let Some(replaced) = self.directories.get(org.0.as_bytes())? {
            let mut bytes = replaced.len() as u64;
            let kept = Kept { version, since: before.last().map(|last| last.until), until: now, departments, users, bytes };
            batch.insert(&self.kept_directories, key(org, Part::About, version), to_json(&kept)?);
            batch.insert(&self.kept_directories, key(org, Part::Document, version), replaced);
            for (older, kept) in (1..).zip(before.iter().rev()) {
                bytes += kept.bytes;
                if older >= KEPT_DIRECTORIES || most_bytes > 0 && bytes > most_bytes {
                    batch.remove(&self.kept_directories, key(org, Part::About, kept.version));
                    batch.remove(&self.kept_directories, key(org, Part::Document, kept.version));
                }
            }
            version += 1;
        }
        batch.insert(&self.directories, org.0.as_bytes(), json);
        batch.commit()?;
        self.db.persist(PersistMode::SyncAll)?;
        Ok(version)
    }

    /// What is known of the directories of an organization that were replaced and are kept, oldest first.
    ///
    /// # Errors
    /// [`EngineError::Storage`].
    pub(crate) fn kept_directories(&self, org: OrgId) -> Result<Vec<Kept>, EngineError> {
        let kept = self.kept_directories.range(key(org, Part::About, 0)..=key(org, Part::About, u64::MAX));
        let kept = kept.map(|stored| {
            let (key, json) = stored.into_inner()?;
            let version = key.last_chunk().map(|version| u64::from_be_bytes(*version));
            let kept = serde_json::from_slice::<Kept>(&json).ok().zip(version);
            kept.map(|(kept, version)| Kept { version, ..kept }).ok_or_else(|| broken("a kept directory"))
        });
        kept.collect()
    }

    /// A directory of an organization that was replaced; none if that version is not kept.
    ///
    /// # Errors
    /// [`EngineError::Storage`].
    pub(crate) fn kept_directory(&self, org: OrgId, version: u64) -> Result<Option<DirectoryDocument>, EngineError> {
        self.kept_directories.get(key(org, Part::Document, version))?.map(|json| read(&json)).transpose()
    }

    /// Removes the entries of a user from every kept directory of an organization, durably, and says how many there were.
    ///
    /// # Errors
    /// [`EngineError::Storage`]; what was removed before stays removed.
    pub(crate) fn forget_in_kept_directories(&self, org: OrgId, user: &str) -> Result<u64, EngineError> {
        let mut removed = 0;
        for kept in self.kept_directories(org)? {
            let Some(mut document) = self.kept_directory(org, kept.version)? else { continue };
            let before = document.users.len();
            document.users.retain(|entry| entry.id != user);
            if document.users.len() == before {
                continue;
            }
            removed += (before - document.users.len()) as u64;
            let document_json = to_json(&document)?;
            let kept = Kept { users: document.users.len(), bytes: document_json.len() as u64, ..kept };
            let mut batch = self.db.batch();
            batch.insert(&self.kept_directories, key(org, Part::About, kept.version), to_json(&kept)?);
            batch.insert(&self.kept_directories, key(org, Part::Document, kept.version), document_json);
            batch.commit()?;
        }
        self.sync()?;
        Ok(removed)
    }
}

/// A directory, or what is known of it, as it is stored.
///
/// # Errors
/// [`EngineError::Storage`].
pub(crate) fn to_json(directory: &impl Serialize) -> Result<Vec<u8>, EngineError> {
    serde_json::to_vec(directory).map_err(|error| EngineError::Storage(error.to_string()))
}
