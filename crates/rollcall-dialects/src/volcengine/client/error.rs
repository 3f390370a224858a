//! What can fail.

use crate::setup::{SetupError, causes};
use http::StatusCode;

/// Why a call has no answer.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The client could not be made.
    #[error(transparent)]
    Setup(#[from] SetupError),
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
        /// What was wrong, with the beginning of a body that is no JSON.
        reason: String,
    },
}

/// A failure that the server answered with.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Refused {
    /// The HTTP status; in version 2020-12-01 failures may come with 200.
    pub status: StatusCode,
    /// The code: what to branch on.
    pub code: String,
    /// The number, of errors of the gateway.
    pub code_n: Option<i64>,
    /// The message: for people.
    pub message: String,
    /// The id of the request, for whoever runs the server.
    pub request_id: String,
}

impl std::fmt::Display for Refused {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} (request id {}): {}", self.code, self.request_id, self.message)
    }
}

impl Error {
    /// The code that the server answered with, if it answered with one.
    pub fn code(&self) -> Option<&str> {
        match self {
            Self::Refused(refused) => Some(&refused.code),
            _ => None,
        }
    }

    /// Whether the same request may be answered a little later.
    pub(super) fn may_pass(&self) -> bool {
        let of = |status: StatusCode| status == StatusCode::TOO_MANY_REQUESTS || status.is_server_error();
        match self {
            Self::Setup(_) => false,
            // What could not even be written will not be the next time.
            Self::Transport(error) => !error.is_builder(),
            Self::Refused(refused) => of(refused.status) || refused.code.starts_with("FlowLimitExceeded"),
            Self::NotAnAnswer { status, .. } => of(*status),
        }
    }
}
