//! Every refusal, and the answer it becomes (wire section 2.7).

use super::signature::Unreadable;
use super::wire::{Envelope, ErrorDetail, ResponseMetadata};
use crate::FailedSignIn;
use crate::turns::{Busy, RETRY_AFTER};
use crate::work::{self, WorkError};
use axum::response::{IntoResponse, Response};
use http::{HeaderValue, StatusCode, header};
use rollcall_model::ReportError;
use serde::Serialize;

/// How much of a wrong value an answer repeats, in characters.
const SHOWN: usize = 256;

/// Why a request is not answered. The first ones are of the vendor's gateway, which numbers them.
#[derive(Debug)]
pub(super) enum Refusal {
    /// A parameter of the query is missing or empty.
    MissingParameter(&'static str),
    /// Something else is missing.
    MissingInfo(&'static str),
    /// No signature of either kind.
    MissingAuthentication,
    /// The authorization has another form, no signature, or another kind of credential.
    Authorization(Unreadable),
    /// `X-Date` is malformed, or too far from now; or the presigned URL has expired.
    Timestamp,
    /// No access key has this id.
    AccessKey(String),
    /// A session token came with this access key.
    SessionToken(String),
    /// The signature is another than that of the access key of this id.
    Signature(String),
    /// No such operation in that version.
    Operation { action: String, version: String },
    /// The operation takes another method.
    Method,
    /// Too many requests.
    FlowLimit,
    /// Others are answered first, and this was not begun.
    Busy(Busy),
    /// The server failed; the cause is logged, not returned.
    Internal,
    /// The service's own: a code, and what is wrong.
    Service(&'static str, String),
}

impl Refusal {
    /// A field has a wrong value.
    pub(super) const fn parameter(message: String) -> Self {
        Self::Service("InvalidParameter", message)
    }

    /// The answer: what was asked, as far as it was read, and what failed.
    pub(super) fn answer(self, metadata: ResponseMetadata) -> Response {
        let (is_method, failed) = (matches!(self, Self::Method), self.failed_sign_in());
        let (status, code_n, code, message) = self.words();
        let error = ErrorDetail { code_n, code: code.into(), message };
        let mut response =
            json(status, &Envelope::<()> { response_metadata: ResponseMetadata { error: Some(error), ..metadata }, result: None });
        if is_method {
            response.headers_mut().insert(header::ALLOW, HeaderValue::from_static("POST"));
        }
        if status == StatusCode::SERVICE_UNAVAILABLE {
            response.headers_mut().insert(header::RETRY_AFTER, RETRY_AFTER);
        }
        match failed {
            Some(failed) => failed.told_by(response),
            None => response,
        }
    }

    fn failed_sign_in(&self) -> Option<FailedSignIn> {
        let (id, reason) = match self {
            Self::AccessKey(id) => (id, "no such access key"),
            Self::Signature(id) => (id, "another signature"),
            _ => return None,
        };
        Some(FailedSignIn { api: "volcengine", name: id.clone(), reason })
    }

    fn words(self) -> (StatusCode, Option<i64>, &'static str, String) {
        let (status, code_n, code, message) = match self {
            Self::MissingParameter(name) => (400, 100_002, "MissingParameter", format!("The request is missing {name} parameter.")),
            Self::MissingAuthentication => (401, 100_003, "MissingAuthenticationToken", "Request is missing Authentication Token.".into()),
            Self::MissingInfo(what) => (400, 100_004, "MissingRequestInfo", format!("The request is missing {what} information.")),
            Self::Authorization(Unreadable::NoSignature) => (401, 100_005, "MissingSignature", "The request is missing signature.".into()),
            Self::Timestamp => (400, 100_006, "InvalidTimestamp", "The Signature of the request is expired.".into()),
            Self::Operation { action, version } => {
                let message = format!("Could not find operation {} for version {}.", shown(&action), shown(&version));
                (404, 100_008, "InvalidActionOrVersion", message)
            }
            Self::AccessKey(id) => (401, 100_009, "InvalidAccessKey", invalid_access_key(&id)),
            Self::SessionToken(id) => {
                let told = "This server issues no session tokens: use a permanent access key without X-Security-Token.";
                (401, 100_009, "InvalidAccessKey", format!("{} {told}", invalid_access_key(&id)))
            }
            Self::Signature(_) => (401, 100_010, "SignatureDoesNotMatch", SIGNATURE.into()),
            Self::Internal => (500, 100_014, "InternalError", "Service has some internal Error. Pls Contact With Admin.".into()),
            Self::FlowLimit => (429, 100_018, "FlowLimitExceeded", FLOW_LIMIT.into()),
            Self::Busy(busy) => (503, 100_019, "ServiceUnavailableTemp", busy.to_string()),
            Self::Method => (405, 100_020, "MethodNotAllowed", "HTTP Method Not Allowed.".into()),
            Self::Authorization(Unreadable::Form) => {
                let message = "Invalid 'Authorization' header, Pls check your authorization header.";
                (400, 100_024, "InvalidAuthorization", message.into())
            }
            Self::Authorization(Unreadable::Credential) => {
                let message = "Invalid credential in 'Authorization', Pls check credential in authorization header.";
                (400, 100_025, "InvalidCredential", message.into())
            }
            // Never 200, in either version: one official client takes any 200 for a success.
            Self::Service(code, message) => return (StatusCode::BAD_REQUEST, None, code, message),
        };
        (StatusCode::from_u16(status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR), Some(code_n), code, message)
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

const SIGNATURE: &str = "The request signature we calculated does not match the signature you provided. Check your Secret Access Key and \
                         signing method. Consult the service documentation for details.";
const FLOW_LIMIT: &str = "Request was rejected because the request speed of this openAPI is beyond the current flow control limit.";

fn invalid_access_key(id: &str) -> String {
    format!("The accesskey [{}] included in the request is invalid.", shown(id))
}

/// The beginning of a value as sent.
pub(super) fn shown(value: &str) -> String {
    value.chars().take(SHOWN).collect()
}

/// A JSON answer.
pub(super) fn json(status: StatusCode, body: &impl Serialize) -> Response {
    match serde_json::to_vec(body) {
        Ok(body) => (status, [(header::CONTENT_TYPE, HeaderValue::from_static("application/json; charset=utf-8"))], body).into_response(),
        Err(error) => {
            tracing::error!(%error, "an answer could not be written");
            StatusCode::INTERNAL_SERVER_ERROR.into_response()
        }
    }
}
