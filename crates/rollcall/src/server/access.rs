//! What surrounds every request: its id, and one log line: method, path, status, time, and the id that its answer has; no query, no header, no address, for those may
//! hold secrets or say who asks. A sign-in that failed has a line of its own, with the client's address: so that whoever guesses can be banned.

use super::refusal::Refusal;
use super::request_id::{REQUEST_ID, RequestId};
use super::state::App;
use axum::extract::{Request, State};
use axum::middleware::Next;
use axum::response::Response;
use rollcall_dialects::site::Channel;
use rollcall_dialects::{FailedSignIn, feishu, office365, yunxiao};
use std::borrow::Cow;
use std::net::IpAddr;
use std::sync::Arc;
use std::time::Instant;
use tracing::Instrument;

/// How many bytes of what a client sent are repeated.
const LONGEST: usize = 256;

/// The headers in which dialects' answers have the id of their request: one for each dialect that has such a header.
const REQUEST_IDS: [&str; 3] = [office365::wire::header::REQUEST_ID, yunxiao::wire::header::REQUEST_ID, feishu::wire::LOG_ID_HEADER];

pub async fn log(State(app): State<Arc<App>>, mut request: Request, next: Next) -> Response {
    let method = cut(request.method().as_str()).into_owned();
    let path = request.uri().path().to_owned();
    let client = request.extensions().get().and_then(|channel: &Channel| channel.client);
    let id = RequestId::of(request.headers());
    request.extensions_mut().insert(id.clone());
    let begun = Instant::now();
    let mut response = next.run(request).instrument(tracing::error_span!("request", %id)).await;
    Refusal::write(&mut response, &path, Some(id.as_str()));
    let status = response.status().as_u16();
    let duration_ms = begun.elapsed().as_millis();
    if let Some(failed) = response.extensions().get::<FailedSignIn>() {
        tell(failed, client.filter(|_| app.live().log_client_addresses));
    }
    let of_dialect = REQUEST_IDS.iter().find_map(|name| response.headers().get(*name)?.to_str().ok());
    let (request_id, path) = (of_dialect.unwrap_or(id.as_str()), cut(&path));
    if matches!(&*path, "/livez" | "/readyz") {
        tracing::debug!(%method, path = &*path, status, duration_ms, request_id, "request");
    } else {
        tracing::info!(%method, path = &*path, status, duration_ms, request_id, "request");
    }
    let is_native = of_dialect.is_none();
    if is_native {
        response.headers_mut().insert(REQUEST_ID, id.header());
    }
    response
}

/// The form is documented: tools match it, and take the address after `client=`. The name comes behind it, so that no name can be read as an address.
fn tell(failed: &FailedSignIn, client: Option<IpAddr>) {
    let client = client.map_or_else(|| "-".to_owned(), |client| client.to_string());
    tracing::warn!(%client, api = %failed.api, reason = failed.reason, name = &*cut(&failed.name), "sign-in failed");
}

/// The beginning of a text, where it is long: for the log, and for answers to strangers. What the log writes as a text, between quotation marks, has
/// its control characters escaped.
pub(super) fn cut(text: &str) -> Cow<'_, str> {
    if text.len() <= LONGEST {
        return text.into();
    }
    let (beginning, _) = text.split_at(text.floor_char_boundary(LONGEST));
    format!("{beginning}…").into()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_long_text_is_cut_between_characters() {
        for text in ["", "/v1/attendance", &"x".repeat(256)] {
            assert_eq!(cut(text), text);
        }
        assert_eq!(cut(&"x".repeat(257)), format!("{}…", "x".repeat(256)));
        assert_eq!(cut(&"中".repeat(86)), format!("{}…", "中".repeat(85)));
    }
}
