//! What can fail.

use crate::feishu::wire::{ErrorDetail, FieldViolation};
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
    #[error("status {status}{}: not an answer of this api: {reason}", logged(.log_id.as_deref()))]
    NotAnAnswer {
        /// The HTTP status.
        status: StatusCode,
        /// The id under which the server logged the request, where it said.
        log_id: Option<String>,
        /// What was wrong, with the beginning of a body that is no JSON.
        reason: String,
    },
}

/// A failure that the server answered with.
#[derive(Debug, Clone)]
pub struct Refused {
    /// The HTTP status; failures may come with 200.
    pub status: StatusCode,
    /// The code: what to branch on.
    pub code: i64,
    /// The message: for people.
    pub msg: String,
    /// The id under which the server logged the request, where it said.
    pub log_id: Option<String>,
    /// Whatever else it said of the failure.
    pub message: Option<String>,
    /// The parameters that are wrong, where it named them.
    pub field_violations: Vec<FieldViolation>,
    /// The seconds after which to ask again, where the rate limit was hit and the server said.
    pub retry_after: Option<u64>,
}

impl std::fmt::Display for Refused {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "code {}{}: {}", self.code, logged(self.log_id.as_deref()), self.msg)?;
        self.message.iter().try_for_each(|message| write!(f, ": {message}"))
    }
}

impl Refused {
    pub(super) fn new(status: StatusCode, code: i64, msg: String, header_log_id: Option<String>, detail: ErrorDetail) -> Self {
        Self {
            status,
            code,
            msg,
            log_id: header_log_id.or(detail.log_id).or(detail.logid),
            message: detail.message,
            field_violations: detail.field_violations,
            retry_after: None,
        }
    }
}

impl Error {
    /// The code that the server answered with, if it answered with one.
    pub fn code(&self) -> Option<i64> {
        match self {
            Self::Refused(refused) => Some(refused.code),
            _ => None,
        }
    }

    /// The id under which the server logged the request, where it said.
    pub fn log_id(&self) -> Option<&str> {
        match self {
            Self::Refused(refused) => refused.log_id.as_deref(),
            Self::NotAnAnswer { log_id, .. } => log_id.as_deref(),
            _ => None,
        }
    }
}

fn logged(log_id: Option<&str>) -> String {
    log_id.map_or_else(String::new, |id| format!(" (log id {id})"))
}
