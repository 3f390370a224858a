//! Every refusal, and the answer it becomes.

use super::Scope;
use super::wire::{ErrorBody, code};
use crate::FailedSignIn;
use crate::turns::{Busy, RETRY_AFTER};
use crate::work::{self, WorkError};
use axum::response::{IntoResponse, Response};
use http::{HeaderValue, StatusCode, header};
use rollcall_model::ReportError;
use serde::Serialize;

/// How much of an unknown id an answer repeats, in characters.
const SHOWN: usize = 256;

/// Why a request is not answered.
#[derive(Debug, PartialEq)]
pub(super) enum Refusal {
    /// Credentials must not travel on this channel.
    PlainText,
    /// No token.
    NoToken,
    /// A token that nobody has.
    UnknownToken,
    /// A token that has expired.
    ExpiredToken,
    /// The path names another organization than the token's, or none that there is.
    OtherOrganization,
    /// The token lacks a scope.
    Scope(Scope),
    /// Too many requests: the seconds to wait.
    Frequency(i64),
    /// Everything wrong with the parameters; at least one thing.
    Parameters(Vec<String>),
    /// A department that is not known.
    Department(String),
    /// No such path.
    Path,
    /// Another method than GET.
    Method,
    /// Others are answered first, and this was not begun.
    Busy(Busy),
    /// The server failed; the cause is logged, not returned.
    Internal,
}

impl Refusal {
    /// A department that is not known, by the beginning of its id.
    pub(super) fn unknown_department(id: &str) -> Self {
        Self::Department(id.chars().take(SHOWN).collect())
    }

    /// The answer.
    pub(super) fn answer(&self, request_id: &str) -> Response {
        let (status, code) = self.code();
        let body = ErrorBody { error_code: code.into(), error_message: self.message(), request_id: Some(request_id.into()) };
        let mut response = json(status, &body);
        match self {
            Self::Frequency(seconds) => {
                response.headers_mut().insert(header::RETRY_AFTER, HeaderValue::from(*seconds));
            }
            Self::Busy(_) => {
                response.headers_mut().insert(header::RETRY_AFTER, RETRY_AFTER);
            }
            Self::Method => {
                response.headers_mut().insert(header::ALLOW, HeaderValue::from_static("GET"));
            }
            _ => {}
        }
        let reason = match self {
            Self::UnknownToken => "no such token",
            Self::ExpiredToken => "a token that has expired",
            _ => return response,
        };
        FailedSignIn { api: "yunxiao", name: String::new(), reason }.told_by(response)
    }

    const fn code(&self) -> (StatusCode, &'static str) {
        match self {
            Self::NoToken => (StatusCode::UNAUTHORIZED, code::UNAUTHORIZED),
            Self::UnknownToken => (StatusCode::UNAUTHORIZED, code::INVALID_TOKEN),
            Self::ExpiredToken => (StatusCode::UNAUTHORIZED, code::EXPIRED_TOKEN),
            Self::OtherOrganization => (StatusCode::FORBIDDEN, code::OTHER_ORGANIZATION),
            Self::PlainText | Self::Scope(_) => (StatusCode::FORBIDDEN, code::FORBIDDEN),
            Self::Frequency(_) => (StatusCode::TOO_MANY_REQUESTS, code::TOO_MANY_REQUESTS),
            Self::Parameters(_) => (StatusCode::BAD_REQUEST, code::BAD_REQUEST),
            Self::Department(_) | Self::Path => (StatusCode::NOT_FOUND, code::NOT_FOUND),
            Self::Method => (StatusCode::METHOD_NOT_ALLOWED, code::METHOD_NOT_ALLOWED),
            Self::Busy(_) => (StatusCode::SERVICE_UNAVAILABLE, code::UNAVAILABLE),
            Self::Internal => (StatusCode::INTERNAL_SERVER_ERROR, code::INTERNAL),
        }
    }

    /// The documented text (wire section 3.5) where there is one, and behind it what can be said besides.
    fn message(&self) -> String {
        match self {
            Self::PlainText => "Forbidden: tokens are not taken over plain text, use https".into(),
            Self::NoToken => "Unauthorized: the header x-yunxiao-token is missing".into(),
            Self::UnknownToken => "Token is invalid".into(),
            Self::ExpiredToken => "Token has expired".into(),
            Self::OtherOrganization => "The current user is not in the organization and has no right to operate.".into(),
            Self::Scope(scope) => format!("Forbidden: the token lacks the scope {}", scope.name()),
            Self::Frequency(seconds) => format!("Too many requests: ask again in {seconds} seconds"),
            Self::Parameters(wrong) => format!("Bad Request: {}", wrong.join("; ")),
            Self::Department(id) => format!("no such department: {id}"),
            Self::Path => "no such path".into(),
            Self::Method => "the method must be GET".into(),
            Self::Busy(busy) => busy.to_string(),
            Self::Internal => "An internal error occurs".into(),
        }
    }
}

impl From<ReportError> for Refusal {
    fn from(error: ReportError) -> Self {
        if let ReportError::UnknownDepartment(id) = error {
            return Self::unknown_department(&id);
        }
        work::log(&error);
        Self::Internal
    }
}

impl From<WorkError> for Refusal {
    fn from(error: WorkError) -> Self {
        match error {
            WorkError::Busy(busy) => Self::Busy(busy),
            WorkError::Panicked => Self::Internal,
        }
    }
}

/// A JSON answer.
pub(super) fn json(status: StatusCode, body: &impl Serialize) -> Response {
    match serde_json::to_vec(body) {
        Ok(body) => (status, [(header::CONTENT_TYPE, HeaderValue::from_static("application/json"))], body).into_response(),
        Err(error) => {
            tracing::error!(%error, "an answer could not be written");
            StatusCode::INTERNAL_SERVER_ERROR.into_response()
        }
    }
}
