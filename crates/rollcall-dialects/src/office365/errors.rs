//! Every refusal, its documented text and status, and the answer it becomes (wire sections 1.2, 1.10, 1.13).

use super::negotiate::{Format, Metadata};
use super::wire::{ENTITY_TYPE, xmlns};
use super::{json, xml};
use crate::sign_in::FailedSignIn;
use crate::turns::{Busy, RETRY_AFTER};
use crate::work::{self, WorkError};
use axum::response::{IntoResponse, Response};
use http::{HeaderValue, StatusCode, header};
use rollcall_model::ReportError;

/// The namespace of service faults: as much of it as is at hand (wire, Service version and errors).
const FAULT_NAMESPACE: &str = "http://schemas.datacontract.org/2004/07/";
/// What a request without good credentials is told; the original sent a page of its web server, and clients read the status alone.
const UNAUTHORIZED: &str = "<!DOCTYPE html>\n<title>401 - Unauthorized: Access is denied due to invalid credentials.</title>\n";
const JSON: &str = "application/json;charset=utf-8";
const XML: &str = "application/xml;charset=utf-8";

/// Why a request is not answered.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(super) enum Refusal {
    #[error("Basic authentication needs HTTPS.")]
    PlainText,
    #[error("no account, or a wrong password")]
    Unauthorized,
    #[error("no account, or a wrong password")]
    WrongCredentials { name: String },
    #[error("Too many failed sign-ins. Try again in {seconds} {}.", if *seconds == 1 { "second" } else { "seconds" })]
    TooManyFailures { name: String, seconds: u32 },
    #[error("Too many passwords are being verified. Try again in a second.")]
    Busy,
    // The blank before the full stop is where a name would stand.
    #[error("No permission to access the report for the organization .")]
    Permission,
    #[error("The version specified in the request is unsupported.")]
    ServiceVersion,
    #[error("The service version was given both in the X-RWS-Version header and in the rws-version parameter. Give it once.")]
    ServiceVersionTwice,
    #[error("Request version '{value}' specified for header '{header}' is not valid. Please specify a valid version value.")]
    VersionUnreadable { header: &'static str, value: String },
    #[error("Request version '{0}' is too high for the server. Please specify a request version less than or equal to '3.0'.")]
    VersionTooHigh(String),
    #[error("Request version '{0}' is not a valid request version. The only supported versions are '1.0', '2.0', '3.0'.")]
    VersionUnknown(String),
    #[error("The DataServiceVersion '{0}' is too low for the request. The lowest supported version is '2.0'.")]
    RequestVersionTooLow(String),
    #[error("The MaxDataServiceVersion '{given}' is too low for the response. The lowest supported version is '{needed}'.")]
    ResponseVersionTooHigh { given: String, needed: &'static str },
    #[error("Method Not Allowed")]
    Method,
    #[error("Resource not found for the segment '{0}'.")]
    NotFound(String),
    #[error("Bad Request - Error in query syntax.")]
    Syntax,
    #[error("The number of keys specified in the URI does not match number of key properties for the resource '{ENTITY_TYPE}'.")]
    KeyCount,
    #[error(
        "The request URI is not valid. Since the segment '{0}' refers to a collection, this must be the last segment in the request URI. All intermediate segments must refer to a single resource."
    )]
    BehindCollection(&'static str),
    #[error(
        "The segment '{segment}' in the request URI is not valid. Since the segment '{property}' refers to a primitive type property, the only supported value from the next segment is '$value'."
    )]
    BehindProperty { property: &'static str, segment: String },
    #[error("Empty segment encountered in request URL. Please make sure that a valid request URL is specified.")]
    EmptySegment,
    #[error("The request URI is not valid, the segment $count cannot be applied to the root of the service.")]
    CountOfRoot,
    #[error("The query parameter '{0}' begins with a system-reserved '$' character but is not recognized.")]
    UnknownOption(String),
    #[error("Query parameter '{0}' is specified, but it should be specified exactly once.")]
    OptionTwice(String),
    #[error("The query option $callback is not supported.")]
    Callback,
    #[error("Unsupported media type requested.")]
    MediaType,
    #[error(
        "The time zone '{0}' given in the X-timezone header is not known. Use a Windows time zone id, an IANA name, UTC, or an offset such as +08:00."
    )]
    TimeZone(String),
    #[error("Incorrect format for {option} argument '{value}'.")]
    Number { option: &'static str, value: String },
    #[error("Unknown $inlinecount option, only \"allpages\" and \"none\" are supported")]
    InlineCount,
    #[error("$inlinecount cannot be applied to the resource segment '$count'")]
    InlineCountOfCount,
    #[error(
        "Type '{ENTITY_TYPE}' does not have a property named '{0}'; there is no service action named '{0}' that is bindable to the type '{ENTITY_TYPE}'; and there is no type with the name '{0}'."
    )]
    SelectUnknown(String),
    #[error("Query options $orderby, $inlinecount, $skip and $top cannot be applied to the requested resource.")]
    SetOptions,
    /// What `$filter`, `$orderby` or `$skiptoken` is refused for.
    #[error("{message}")]
    Expression { status: u16, message: String },
    #[error(transparent)]
    ReportsBusy(#[from] Busy),
    // The cause is logged, and not told.
    #[error("An error occurred while processing this request.")]
    Internal,
}

impl Refusal {
    /// The status.
    pub(super) fn status(&self) -> StatusCode {
        match self {
            Self::Unauthorized | Self::WrongCredentials { .. } => StatusCode::UNAUTHORIZED,
            Self::TooManyFailures { .. } => StatusCode::TOO_MANY_REQUESTS,
            Self::Busy | Self::ReportsBusy(_) => StatusCode::SERVICE_UNAVAILABLE,
            Self::PlainText | Self::Permission => StatusCode::FORBIDDEN,
            Self::NotFound(_) => StatusCode::NOT_FOUND,
            Self::Method => StatusCode::METHOD_NOT_ALLOWED,
            Self::MediaType => StatusCode::UNSUPPORTED_MEDIA_TYPE,
            Self::Internal => StatusCode::INTERNAL_SERVER_ERROR,
            Self::Expression { status, .. } => StatusCode::from_u16(*status).unwrap_or(StatusCode::BAD_REQUEST),
            _ => StatusCode::BAD_REQUEST,
        }
    }

    /// Whether it is told in one format whatever was asked for: all that is told before the credentials are known to be good is.
    const fn has_one_format(&self) -> bool {
        matches!(
            self,
            Self::PlainText
                | Self::Unauthorized
                | Self::WrongCredentials { .. }
                | Self::TooManyFailures { .. }
                | Self::Busy
                | Self::Permission
        )
    }

    /// The answer. `format` finds the format that the request would have been answered in; it is not called where there is but one.
    pub(super) fn answer(&self, format: impl FnOnce() -> Format) -> Response {
        let message = self.to_string();
        let format = if self.has_one_format() { Format::Xml } else { format() };
        let fault = matches!(self, Self::ServiceVersion | Self::ServiceVersionTwice);
        let (content_type, version, body) = match (self, format) {
            (Self::Unauthorized | Self::WrongCredentials { .. }, _) => ("text/html;charset=utf-8", None, UNAUTHORIZED.into()),
            (Self::PlainText | Self::Permission | Self::TooManyFailures { .. } | Self::Busy, _) => {
                (JSON, None, service_fault_json(&message))
            }
            (_, Format::Xml) if fault => (XML, None, service_fault_xml(&message)),
            _ if fault => (JSON, None, service_fault_json(&message)),
            (_, Format::Xml) => (XML, Some("1.0;"), error_xml(&message)),
            (_, Format::Verbose) => ("application/json;odata=verbose;charset=utf-8", Some("1.0;"), error_json("error", &message)),
            (_, Format::Light(_)) => (Format::Light(Metadata::Minimal).json_type(), Some("3.0;"), error_json("odata.error", &message)),
        };
        let mut response = (self.status(), [(header::CONTENT_TYPE, HeaderValue::from_static(content_type))], body).into_response();
        let headers = response.headers_mut();
        if let Some(version) = version {
            headers.insert(super::wire::header::DATA_SERVICE_VERSION, HeaderValue::from_static(version));
        }
        match self {
            Self::Unauthorized | Self::WrongCredentials { .. } => {
                headers.insert(header::WWW_AUTHENTICATE, HeaderValue::from_static("Basic realm=\"Reporting web service\""));
            }
            Self::Method => {
                headers.insert(header::ALLOW, HeaderValue::from_static("GET"));
            }
            Self::TooManyFailures { seconds, .. } => {
                headers.insert(header::RETRY_AFTER, HeaderValue::from(*seconds));
            }
            Self::Busy | Self::ReportsBusy(_) => {
                headers.insert(header::RETRY_AFTER, RETRY_AFTER);
            }
            _ => {}
        }
        match self.failed_sign_in() {
            Some(failed) => failed.told_by(response),
            None => response,
        }
    }

    fn failed_sign_in(&self) -> Option<FailedSignIn> {
        let (name, reason) = match self {
            Self::WrongCredentials { name } => (name, "no such account, or another password"),
            Self::TooManyFailures { name, .. } => (name, FailedSignIn::TOO_MANY),
            _ => return None,
        };
        Some(FailedSignIn { api: "office365", name: name.clone(), reason })
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
            WorkError::Busy(busy) => Self::ReportsBusy(busy),
            WorkError::Panicked => Self::Internal,
        }
    }
}

fn service_fault_json(message: &str) -> String {
    let mut body = String::from("{\"ErrorCode\":\"\",\"Message\":");
    json::string(&mut body, message);
    body + "}"
}

fn service_fault_xml(message: &str) -> String {
    let mut body = format!(
        "{}<ServiceFault xmlns=\"{FAULT_NAMESPACE}\" xmlns:i=\"http://www.w3.org/2001/XMLSchema-instance\"><ErrorCode></ErrorCode><Message>",
        xml::DECLARATION
    );
    xml::escape(&mut body, message);
    body + "</Message></ServiceFault>"
}

fn error_json(name: &str, message: &str) -> String {
    let mut body = format!("{{\"{name}\":{{\"code\":\"\",\"message\":{{\"lang\":\"en-US\",\"value\":");
    json::string(&mut body, message);
    body + "}}}"
}

fn error_xml(message: &str) -> String {
    let metadata = xmlns::METADATA;
    let mut body = format!("{}<m:error xmlns:m=\"{metadata}\"><m:code /><m:message xml:lang=\"en-US\">", xml::DECLARATION);
    xml::escape(&mut body, message);
    body + "</m:message></m:error>"
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_stranger_is_told_does_not_depend_on_what_it_asked_for() {
        let name = || "somebody".to_owned();
        for refusal in [
            Refusal::PlainText,
            Refusal::Unauthorized,
            Refusal::WrongCredentials { name: name() },
            Refusal::TooManyFailures { name: name(), seconds: 1 },
            Refusal::Busy,
        ] {
            let answer = refusal.answer(|| panic!("{refusal:?} asks for the format"));
            assert_eq!(answer.status(), refusal.status());
        }
    }
}
