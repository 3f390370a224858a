//! Every refusal, and the answer it becomes.

use super::wire::{Envelope, ErrorDetail, FieldViolation, LIMIT_HEADER, RESET_HEADER, code};
use crate::turns::{Busy, RETRY_AFTER};
use crate::work::{self, WorkError};
use axum::response::{IntoResponse, Response};
use http::{HeaderValue, StatusCode, header};
use rollcall_model::ReportError;
use serde::Serialize;

const INVALID_ACCESS_TOKEN: &str = "Invalid access token for authorization. Please make a request with token attached.";

/// Why a report is not answered.
#[derive(Debug)]
pub(super) enum Refusal {
    /// No bearer token.
    MissingToken,
    /// A tenant token that is forged or expired.
    TenantToken,
    /// A user token.
    UserToken,
    /// Something else in the place of a token.
    MalformedToken,
    /// Too many requests: how many are allowed in a minute, and the seconds to wait.
    Frequency { limit: u32, reset: i64 },
    /// Parameters that are missing, malformed or out of range; at least one.
    Parameters(Vec<FieldViolation>),
    /// A data residency that the organization does not have.
    Unit(FieldViolation),
    /// Ids of the type `user_id` were asked for, and this room has none.
    NoUserId { room: String },
    /// Others are answered first, and this was not begun.
    Busy(Busy),
    /// The server failed; the cause is logged, not returned.
    Internal,
}

impl Refusal {
    /// The answer.
    pub(super) fn answer(self, log_id: &str) -> Response {
        let (status, code, msg) = self.words();
        let detail = ErrorDetail { log_id: Some(log_id.into()), ..ErrorDetail::default() };
        let error = match &self {
            Self::Frequency { .. } => None,
            Self::MissingToken | Self::TenantToken | Self::UserToken | Self::MalformedToken => {
                Some(ErrorDetail { troubleshooter: Some(troubleshooter(code, log_id)), ..detail })
            }
            Self::Parameters(violations) => {
                let message = violations.iter().map(said).collect::<Vec<_>>().join("; ");
                Some(ErrorDetail { message: Some(message), field_violations: violations.clone(), ..detail })
            }
            Self::Unit(violation) => {
                Some(ErrorDetail { message: Some(said(violation)), field_violations: vec![violation.clone()], ..detail })
            }
            Self::NoUserId { room } => {
                let message = format!("the room {room} in the answer has no user_id; ask for open_id or union_id");
                Some(ErrorDetail { message: Some(message), ..detail })
            }
            Self::Busy(busy) => Some(ErrorDetail { message: Some(busy.to_string()), ..detail }),
            Self::Internal => Some(detail),
        };
        let mut response = json(status, &Envelope::<()> { code, msg: msg.into(), data: None, error });
        if let Self::Frequency { limit, reset } = self {
            response.headers_mut().insert(LIMIT_HEADER, limit.into());
            response.headers_mut().insert(RESET_HEADER, reset.into());
        }
        if status == StatusCode::SERVICE_UNAVAILABLE {
            response.headers_mut().insert(header::RETRY_AFTER, RETRY_AFTER);
        }
        response
    }

    const fn words(&self) -> (StatusCode, i64, &'static str) {
        match self {
            Self::MissingToken => (
                StatusCode::BAD_REQUEST,
                code::MISSING_TOKEN,
                "Missing access token for authorization. Please make a request with token attached.",
            ),
            Self::TenantToken => (StatusCode::BAD_REQUEST, code::INVALID_TENANT_TOKEN, INVALID_ACCESS_TOKEN),
            Self::UserToken => (StatusCode::BAD_REQUEST, code::INVALID_USER_TOKEN, INVALID_ACCESS_TOKEN),
            Self::MalformedToken => (StatusCode::BAD_REQUEST, code::MALFORMED_TOKEN, "Invalid token: must start with t-/u-"),
            Self::Frequency { .. } => (StatusCode::TOO_MANY_REQUESTS, code::FREQUENCY, "request trigger frequency limit"),
            Self::Parameters(_) => (StatusCode::BAD_REQUEST, code::PARAM, "param error"),
            Self::Unit(_) => (StatusCode::BAD_REQUEST, code::NOT_SUPPORT, "not support"),
            // The braces are in the documented text.
            Self::NoUserId { .. } => {
                (StatusCode::BAD_REQUEST, code::NO_USER_ID, "The request you send is not a valid {lark_id} or not exists")
            }
            // The vendor documents no answer of a server that is busy.
            Self::Busy(_) => (StatusCode::SERVICE_UNAVAILABLE, code::INTERNAL, "internal error"),
            Self::Internal => (StatusCode::INTERNAL_SERVER_ERROR, code::INTERNAL, "internal error"),
        }
    }
}

impl From<ReportError> for Refusal {
    fn from(error: ReportError) -> Self {
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

fn said(violation: &FieldViolation) -> String {
    format!("{} {}", violation.field, violation.description)
}

fn troubleshooter(code: i64, log_id: &str) -> String {
    format!("排查建议查看(Troubleshooting suggestions): https://open.feishu.cn/search?from=openapi&log_id={log_id}&code={code}")
}

/// A JSON answer, with the content type that the vendor sends.
pub(super) fn json(status: StatusCode, body: &impl Serialize) -> Response {
    match serde_json::to_vec(body) {
        Ok(body) => (status, [(header::CONTENT_TYPE, HeaderValue::from_static("application/json; charset=utf-8"))], body).into_response(),
        Err(error) => {
            tracing::error!(%error, "an answer could not be written");
            StatusCode::INTERNAL_SERVER_ERROR.into_response()
        }
    }
}

/// The answer to an unknown path or method: plain text, as the vendor's gateway has it.
pub(super) fn not_found() -> Response {
    (StatusCode::NOT_FOUND, [(header::CONTENT_TYPE, HeaderValue::from_static("text/plain"))], "404 page not found").into_response()
}
