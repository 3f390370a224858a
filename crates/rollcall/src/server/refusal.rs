//! Errors as the native routes answer them: a status, and `{"error":"…"}`.

use crate::reports::BadParameter;
use axum::Json;
use axum::response::{IntoResponse, Response};
use http::{HeaderValue, StatusCode, header};
use rollcall_dialects::FailedSignIn;
use rollcall_dialects::turns::{Busy, RETRY_AFTER};
use rollcall_dialects::work::WorkError;
use rollcall_engine::EngineError;
use rollcall_model::ReportError;

/// Why a request is refused.
#[derive(Debug)]
pub struct Refusal {
    status: StatusCode,
    message: String,
    /// What was wrong with the credential, where one was given.
    failed_sign_in: Option<&'static str>,
}

impl Refusal {
    pub fn new(status: StatusCode, message: impl Into<String>) -> Self {
        Self { status, message: message.into(), failed_sign_in: None }
    }

    /// The same, and the log says that a sign-in failed, and why.
    pub fn of_sign_in(self, reason: &'static str) -> Self {
        Self { failed_sign_in: Some(reason), ..self }
    }

    pub fn bad_request(message: impl Into<String>) -> Self {
        Self::new(StatusCode::BAD_REQUEST, message)
    }

    pub fn unavailable(message: impl Into<String>) -> Self {
        Self::new(StatusCode::SERVICE_UNAVAILABLE, message)
    }

    /// A fault of ours: logged here with its cause, and answered without it.
    pub fn internal(cause: &dyn std::fmt::Display) -> Self {
        tracing::error!(%cause, "a request failed");
        Self::new(StatusCode::INTERNAL_SERVER_ERROR, "internal error; the cause is in the server's log")
    }
}

impl IntoResponse for Refusal {
    fn into_response(self) -> Response {
        let mut response = (self.status, Json(serde_json::json!({ "error": self.message }))).into_response();
        let headers = response.headers_mut();
        match self.status {
            StatusCode::UNAUTHORIZED => headers.insert(header::WWW_AUTHENTICATE, HeaderValue::from_static("Bearer realm=\"rollcall\"")),
            StatusCode::SERVICE_UNAVAILABLE => headers.insert(header::RETRY_AFTER, RETRY_AFTER),
            _ => None,
        };
        if let Some(reason) = self.failed_sign_in {
            response = FailedSignIn { api: "native", name: String::new(), reason }.told_by(response);
        }
        response
    }
}

impl From<EngineError> for Refusal {
    fn from(error: EngineError) -> Self {
        match error {
            EngineError::Limit(message) => Self::new(StatusCode::INSUFFICIENT_STORAGE, message),
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
        Self::bad_request(bad.to_string())
    }
}

impl From<ReportError> for Refusal {
    fn from(error: ReportError) -> Self {
        match error {
            ReportError::Parameter { .. } => Self::bad_request(error.to_string()),
            ReportError::UnknownDepartment(_) => Self::new(StatusCode::NOT_FOUND, error.to_string()),
            ReportError::TooMuch(_) => Self::bad_request(format!("{error} (limits.report_cells)")),
            // Nobody reads this.
            ReportError::Cancelled => Self::unavailable(error.to_string()),
            error => Self::internal(&error),
        }
    }
}

impl From<WorkError> for Refusal {
    fn from(error: WorkError) -> Self {
        match error {
            WorkError::Busy(busy) => busy.into(),
            error => Self::new(StatusCode::INTERNAL_SERVER_ERROR, error.to_string()),
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
