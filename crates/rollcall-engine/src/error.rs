//! Why the engine could not do what was asked.

use rollcall_model::directory::DirectoryError;
use rollcall_model::{Ended, OrgId};

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
    /// Files of the lake are not what was written: their facts cannot be read. Which, and what to do.
    #[error("{0}")]
    Damaged(String),
    /// Nothing can be stored now, and this says why; reports go on. Nothing of what was asked was stored: try again later.
    #[error("nothing can be stored now: {0}")]
    ReadOnly(String),
    /// A backup cannot be made there, or not be restored.
    #[error("{0}")]
    Backup(String),
    /// Nobody waits for the answer any more.
    #[error("cancelled")]
    Cancelled,
    /// A question would take more cells than it may.
    #[error("a question takes more than {0} cells")]
    TooMuch(u64),
    /// The engine is shutting down; nothing was stored.
    #[error("shutting down")]
    Closed,
}

/// What to do about damaged files of the lake.
pub(crate) const REPAIR: &str = "stop the server, and put back what a backup has: rollcall restore BACKUP --data DIR --only-damaged";

impl EngineError {
    /// A file of the lake is not what was written.
    pub(crate) fn damaged(file: &str, how: &str) -> Self {
        Self::Damaged(format!("the lake's data file {file} is damaged: {how}; {REPAIR}"))
    }
}

impl From<Ended> for EngineError {
    fn from(ended: Ended) -> Self {
        match ended {
            Ended::Cancelled => Self::Cancelled,
            Ended::TooMany(most) => Self::TooMuch(most),
        }
    }
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
