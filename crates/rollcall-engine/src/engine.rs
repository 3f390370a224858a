//! The engine as its users see it: open a data directory, ingest facts, ask for reports.

use crate::facts::Attendances;
use rollcall_model::directory::DirectoryDocument;
use rollcall_model::reports::{MeetingDay, MeetingDays, TopUser, TopUsers};
use rollcall_model::{Answer, Directory, OrgId, Organization, Receipt, ReportError, Reports};
use std::path::Path;
use std::sync::Arc;

/// What can be set about storage.
#[derive(Debug, Clone)]
pub struct Settings {
    /// How many bytes of decoded cells are kept in memory.
    pub cell_cache_bytes: usize,
    /// How many users one organization may have.
    pub users_per_organization: u32,
}

impl Default for Settings {
    fn default() -> Self {
        Self { cell_cache_bytes: 128 << 20, users_per_organization: 4_000_000 }
    }
}

/// Why the engine could not do what was asked.
#[derive(Debug, Clone, thiserror::Error)]
#[non_exhaustive]
pub enum EngineError {
    /// Another process owns the data directory.
    #[error("data directory {0} is in use by another rollcall process; stop it first, or choose another directory")]
    InUse(String),
    /// A limit of the organization would be passed; nothing was stored.
    #[error("{0}")]
    Limit(String),
    /// The storage failed. What was not acknowledged may or may not be stored: retrying is safe.
    #[error("storage failed: {0}")]
    Storage(String),
    /// The engine is shutting down; nothing was stored.
    #[error("shutting down")]
    Closed,
}

/// An open data directory. Cheap to share behind an [`Arc`]; dropping it checkpoints and closes.
#[derive(Debug)]
pub struct Engine {}

impl Engine {
    /// Opens or creates a data directory, recovers what a crash left, and starts the committer.
    ///
    /// # Errors
    /// [`EngineError::InUse`] if another process has it open; [`EngineError::Storage`] if it cannot be read or written.
    pub fn open(_directory: &Path, _settings: Settings) -> Result<Self, EngineError> {
        unimplemented!()
    }

    /// Makes facts durable: returns once they are fsynced and folded, together with those of every other request that waits.
    ///
    /// Blocks; call it from a thread that may.
    ///
    /// # Errors
    /// See [`EngineError`].
    pub fn ingest(&self, _organization: &Organization, _facts: Attendances) -> Result<Receipt, EngineError> {
        unimplemented!()
    }

    /// The organization's directory; empty until one is put.
    pub fn directory(&self, _org: OrgId) -> Arc<Directory> {
        unimplemented!()
    }

    /// Replaces the organization's directory, durably.
    ///
    /// # Errors
    /// [`EngineError::Limit`] with what is wrong with the document; [`EngineError::Storage`].
    pub fn put_directory(&self, _org: OrgId, _document: DirectoryDocument) -> Result<(), EngineError> {
        unimplemented!()
    }

    /// Whether facts can be ingested now: the storage has not failed.
    pub fn is_writable(&self) -> bool {
        unimplemented!()
    }
}

impl Reports for Engine {
    fn meeting_days(&self, _org: OrgId, _ask: &MeetingDays) -> Result<Answer<MeetingDay>, ReportError> {
        unimplemented!()
    }

    fn top_users(&self, _org: OrgId, _ask: &TopUsers) -> Result<Answer<TopUser>, ReportError> {
        unimplemented!()
    }
}
