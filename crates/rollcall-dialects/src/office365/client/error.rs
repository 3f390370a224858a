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
    /// The server refused.
    #[error("status {status}: {message}")]
    Refused {
        /// The HTTP status.
        status: StatusCode,
        /// The text of the OData error or the service fault; empty where there was none.
        message: String,
        /// The id of the request, for whoever runs the server.
        request_id: Option<String>,
    },
    /// The server answered with something else than rows.
    #[error("status {status}: not an answer of this service: {reason}")]
    NotAnAnswer {
        /// The HTTP status.
        status: StatusCode,
        /// What was wrong.
        reason: String,
    },
    /// The next page is elsewhere, or is this page again. The credentials are not sent there.
    #[error("the link to the next page cannot be followed: {0}")]
    NextLink(String),
}
