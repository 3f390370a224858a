//! What can fail.

use crate::setup::{SetupError, causes};
use http::StatusCode;

/// Why a call has no answer.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The client cannot be made.
    #[error(transparent)]
    Setup(#[from] SetupError),
    /// The token is no text that a header can hold.
    #[error("the token has characters that no header can hold")]
    Token,
    /// No answer came.
    #[error("no answer came: {}", causes(.0))]
    Transport(#[source] reqwest::Error),
    /// The server answered with a failure.
    #[error("{0}")]
    Refused(Box<Refused>),
    /// The server answered with something else than the API's JSON.
    #[error("status {status}: not an answer of this api: {reason}")]
    NotAnAnswer {
        /// The HTTP status.
        status: StatusCode,
        /// What was wrong.
        reason: String,
    },
}

/// A failure that the server answered with.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Refused {
    /// The HTTP status.
    pub status: StatusCode,
    /// The error code: what to branch on. Empty where the body had none, as a proxy's.
    pub code: String,
    /// The message, or the beginning of a body that is none of the API's.
    pub message: String,
    /// The id under which the server knows the request, where it said.
    pub request_id: Option<String>,
    /// The seconds after which to ask again, where the rate limit was hit and the server said.
    pub retry_after: Option<u64>,
}

impl std::fmt::Display for Refused {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "status {}", self.status)?;
        if !self.code.is_empty() {
            write!(f, " {}", self.code)?;
        }
        if let Some(id) = &self.request_id {
            write!(f, " (request id {id})")?;
        }
        write!(f, ": {}", self.message)
    }
}

impl Error {
    /// The code that the server answered with, if it answered with one.
    pub fn code(&self) -> Option<&str> {
        match self {
            Self::Refused(refused) if !refused.code.is_empty() => Some(&refused.code),
            _ => None,
        }
    }
}
