//! Why the engine could not do what was asked.

use rollcall_model::OrgId;
use rollcall_model::directory::DirectoryError;

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
    /// A directory is not valid; nothing was stored.
    #[error("{0}")]
    Directory(#[from] DirectoryError),
    /// Nothing is known of a user who is to be erased: neither a fact, nor a name, nor an entry of the directory.
    #[error("organization {organization} knows no user {user}: there is neither a fact nor an entry of the directory to erase")]
    UnknownUser {
        /// The user.
        user: String,
        /// The organization.
        organization: OrgId,
    },
    /// The storage failed. What was not acknowledged may or may not be stored: retrying is safe.
    #[error("storage failed: {0}")]
    Storage(String),
    /// A backup cannot be made there, or not be restored.
    #[error("{0}")]
    Backup(String),
    /// Nobody waits for the answer any more.
    #[error("cancelled")]
    Cancelled,
    /// The engine is shutting down; nothing was stored.
    #[error("shutting down")]
    Closed,
}

impl From<fjall::Error> for EngineError {
    fn from(error: fjall::Error) -> Self {
        Self::Storage(error.to_string())
    }
}

impl From<arrow_schema::ArrowError> for EngineError {
    fn from(error: arrow_schema::ArrowError) -> Self {
        Self::Storage(error.to_string())
    }
}
