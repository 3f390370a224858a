//! Errors as the native routes answer them: a status, and a [`Problem`].
//!
//! A refusal becomes an answer without a body; [`super::access`] writes the body, since it knows the path and the id of the request.

use crate::problem::{CONTENT_TYPE, Kind, Problem, Wrong};
use crate::reports::BadParameter;
use axum::body::Body;
use axum::response::{IntoResponse, Response};
use http::{HeaderValue, StatusCode, header};
use rollcall_dialects::FailedSignIn;
use rollcall_dialects::turns::{Busy, RETRY_AFTER};
use rollcall_dialects::work::WorkError;
use rollcall_engine::EngineError;
use rollcall_model::{Receipt, ReportError};
use serde_json::{Map, Value};

/// Why a request is refused.
#[derive(Debug, Clone)]
pub struct Refusal {
    kind: &'static Kind,
    detail: String,
    /// See [`Problem::more`].
    more: Map<String, Value>,
    /// What was wrong with the credential, where one was given.
    failed_sign_in: Option<&'static str>,
}

impl Refusal {
    /// A refusal of the general kind of a status.
    pub fn new(status: StatusCode, detail: impl Into<String>) -> Self {
        Self::of(Kind::of_status(status.as_u16()), detail)
    }

    /// A refusal of a kind.
    pub fn of(kind: &'static Kind, detail: impl Into<String>) -> Self {
        Self { kind, detail: detail.into(), more: Map::new(), failed_sign_in: None }
    }

    /// The same, and the log says that a sign-in failed, and why.
    pub fn of_sign_in(self, reason: &'static str) -> Self {
        Self { failed_sign_in: Some(reason), ..self }
    }

    /// The same, which says more.
    pub fn with(mut self, name: &str, value: impl Into<Value>) -> Self {
        self.more.insert(name.into(), value.into());
        self
    }

    pub fn bad_request(detail: impl Into<String>) -> Self {
        Self::of(Kind::BAD_REQUEST, detail)
    }

    /// Facts of which nothing was stored, by what a receipt says of them.
    pub fn of_facts(receipt: &Receipt) -> Self {
        let told = match receipt.errors.first() {
            Some(first) if receipt.rejected > 1 => format!("{first}; and {} more", receipt.rejected - 1),
            Some(first) => first.to_string(),
            None => Kind::REFUSED_FACTS.title.into(),
        };
        // Numbers and texts: this does not fail.
        let more = match serde_json::to_value(receipt) {
            Ok(Value::Object(more)) => more,
            _ => Map::new(),
        };
        Self { more, ..Self::of(Kind::REFUSED_FACTS, told) }
    }

    /// What is wrong with one parameter, or one field of a body.
    pub fn of_parameter(detail: String, wrong: Wrong) -> Self {
        let Wrong { parameter, value, expected } = wrong;
        Self::of(Kind::BAD_PARAMETER, detail)
            .with("errors", serde_json::json!([{ "parameter": parameter, "value": value, "expected": expected }]))
    }

    pub fn unavailable(detail: impl Into<String>) -> Self {
        Self::of(Kind::UNAVAILABLE, detail)
    }

    /// A fault of ours: logged here with its cause, and answered without it.
    pub fn internal(cause: &dyn std::fmt::Display) -> Self {
        tracing::error!(%cause, "a request failed");
        Self::of(Kind::INTERNAL, "internal error; the cause is in the server's log")
    }

    /// Writes the body of an answer that is a refusal, for a request to a path with an id.
    pub fn write(response: &mut Response, path: &str, request_id: Option<&str>) {
        let Some(Self { kind, detail, more, .. }) = response.extensions_mut().remove() else { return };
        let instance = (path.len() <= LONGEST_INSTANCE).then(|| path.to_owned());
        let problem = Problem { instance, request_id: request_id.map(Into::into), more, ..Problem::new(kind, detail) };
        // Serializing texts and numbers into memory does not fail.
        *response.body_mut() = Body::from(serde_json::to_vec(&problem).unwrap_or_default());
        response.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static(CONTENT_TYPE));
        response.headers_mut().remove(header::CONTENT_LENGTH);
    }
}

/// The most bytes of a path that is repeated.
const LONGEST_INSTANCE: usize = 256;

impl IntoResponse for Refusal {
    fn into_response(self) -> Response {
        let status = StatusCode::from_u16(self.kind.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
        let mut response = status.into_response();
        let headers = response.headers_mut();
        match status {
            StatusCode::UNAUTHORIZED => headers.insert(header::WWW_AUTHENTICATE, HeaderValue::from_static("Bearer realm=\"rollcall\"")),
            StatusCode::SERVICE_UNAVAILABLE => headers.insert(header::RETRY_AFTER, RETRY_AFTER),
            _ => None,
        };
        if let Some(reason) = self.failed_sign_in {
            response = FailedSignIn { api: "native", name: String::new(), reason }.told_by(response);
        }
        response.extensions_mut().insert(self);
        response
    }
}

impl From<EngineError> for Refusal {
    fn from(error: EngineError) -> Self {
        match error {
            EngineError::Limit(message) => Self::of(Kind::LIMIT, message),
            EngineError::Directory(error) => Self::bad_request(format!("the directory: {error}")),
            EngineError::ReadOnly(_) => Self::unavailable(error.to_string()),
            EngineError::Closed => Self::unavailable("shutting down; try again"),
            error => {
                tracing::error!(cause = %error, "storage failed");
                Self::unavailable("storage failed; what was not acknowledged may be stored, and sending it again is safe")
            }
        }
    }
}

impl From<BadParameter> for Refusal {
    fn from(bad: BadParameter) -> Self {
        let detail = bad.to_string();
        let BadParameter { parameter, value, expected } = bad;
        Self::of_parameter(detail, Wrong { parameter, value, expected })
    }
}

impl From<ReportError> for Refusal {
    fn from(error: ReportError) -> Self {
        let detail = error.to_string();
        match error {
            ReportError::Parameter { parameter, value, expected } => {
                Self::of_parameter(detail, Wrong { parameter: parameter.into(), value: Some(value), expected: expected.into() })
            }
            ReportError::UnknownDepartment(_) => Self::of(Kind::NOT_FOUND, detail),
            ReportError::TooMuch(_) => Self::bad_request(format!("{detail} (limits.report_cells)")),
            // Nobody reads this.
            ReportError::Cancelled => Self::unavailable(detail),
            error => Self::internal(&error),
        }
    }
}

impl From<WorkError> for Refusal {
    fn from(error: WorkError) -> Self {
        match error {
            WorkError::Busy(busy) => busy.into(),
            error => Self::of(Kind::INTERNAL, error.to_string()),
        }
    }
}

impl From<Busy> for Refusal {
    fn from(busy: Busy) -> Self {
        Self::unavailable(busy.to_string())
    }
}

impl From<tokio::task::JoinError> for Refusal {
    fn from(error: tokio::task::JoinError) -> Self {
        Self::internal(&error)
    }
}
