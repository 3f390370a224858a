//! Entity tags: an answer that a client has already is not sent again.
//!
//! A tag stands for everything that an answer follows from: the state of the organization ([`Reports::state`](rollcall_model::Reports::state)), the question with its format and what the key
//! may see, and this process, since states are counted anew by the next. So a tag never means two answers; what it costs is that each client asks once more after a restart.

use super::refusal::Refusal;
use super::state::App;
use axum::response::{IntoResponse, Response};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use http::{HeaderMap, HeaderValue, StatusCode, header};
use rollcall_model::OrgId;
use xxhash_rust::xxh3::Xxh3;

/// What tells the tags of this process from those of others.
#[derive(Debug)]
pub struct Tags(u128);

impl Default for Tags {
    fn default() -> Self {
        Self(rand::random())
    }
}

impl Tags {
    /// The tag of an answer to a question, in a state of the organization.
    pub fn tag(&self, organization: OrgId, state: u128, asked: &str) -> HeaderValue {
        let mut hash = Xxh3::new();
        hash.update(&self.0.to_le_bytes());
        hash.update(organization.0.as_bytes());
        hash.update(&state.to_le_bytes());
        hash.update(asked.as_bytes());
        quoted(&hash.digest128().to_be_bytes())
    }
}

/// The tag of what never changes while the process runs.
pub fn of_bytes(bytes: &[u8]) -> HeaderValue {
    quoted(&xxhash_rust::xxh3::xxh3_128(bytes).to_be_bytes())
}

fn quoted(bytes: &[u8]) -> HeaderValue {
    HeaderValue::from_str(&format!("\"{}\"", URL_SAFE_NO_PAD.encode(bytes))).unwrap_or_else(|_| HeaderValue::from_static("\"\""))
}

/// The answer to a question, or that the client has it. `asked` says everything that it follows from but the organization and its state.
pub async fn answer(
    app: &App,
    organization: OrgId,
    headers: &HeaderMap,
    asked: &str,
    make: impl Future<Output = Result<Response, Refusal>>,
) -> Result<Response, Refusal> {
    let state = app.site.reports.state(organization);
    let tag = state.map(|state| app.tags.tag(organization, state, asked));
    if let Some(tag) = tag.as_ref().filter(|tag| is_had(headers, tag)) {
        return Ok(with(StatusCode::NOT_MODIFIED.into_response(), tag.clone()));
    }
    let response = make.await?;
    // If something changed meanwhile, nobody knows of which state it is.
    let tag = tag.filter(|_| response.status() == StatusCode::OK && app.site.reports.state(organization) == state);
    Ok(match tag {
        Some(tag) => with(response, tag),
        None => fresh(response),
    })
}

/// What does not change while the process runs, or that the client has it.
pub fn unchanging(headers: &HeaderMap, tag: &HeaderValue, make: impl FnOnce() -> Response) -> Response {
    let mut response = if is_had(headers, tag) { StatusCode::NOT_MODIFIED.into_response() } else { make() };
    response.headers_mut().insert(header::ETAG, tag.clone());
    response.headers_mut().insert(header::CACHE_CONTROL, HeaderValue::from_static("no-cache"));
    response
}

/// Whether `If-None-Match` names the tag.
pub fn is_had(headers: &HeaderMap, tag: &HeaderValue) -> bool {
    let listed = headers.get_all(header::IF_NONE_MATCH).iter().filter_map(|value| value.to_str().ok());
    let listed = listed.flat_map(|value| value.split(',')).map(str::trim);
    listed.map(|listed| listed.strip_prefix("W/").unwrap_or(listed)).any(|listed| listed == "*" || listed.as_bytes() == tag.as_bytes())
}

fn with(response: Response, tag: HeaderValue) -> Response {
    let mut response = fresh(response);
    response.headers_mut().insert(header::ETAG, tag);
    response
}

/// The answer, which is for who asked and is to be asked for again.
fn fresh(mut response: Response) -> Response {
    let headers = response.headers_mut();
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("private, no-cache"));
    headers.insert(header::VARY, HeaderValue::from_static("accept, authorization"));
    response
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_tag_stands_for_one_state_question_organization_and_process() {
        let [one, other] = [1, 2].map(|number| OrgId(uuid::Uuid::from_u128(number)));
        let tags = Tags::default();
        let all = [
            tags.tag(one, 1, "a"),
            tags.tag(other, 1, "a"),
            tags.tag(one, 2, "a"),
            tags.tag(one, 1, "b"),
            Tags::default().tag(one, 1, "a"),
        ];
        let distinct: std::collections::HashSet<_> = all.iter().collect();
        assert_eq!((distinct.len(), &all[0]), (5, &tags.tag(one, 1, "a")));
    }

    #[test]
    fn a_client_says_what_it_has_in_any_of_the_usual_ways() {
        let tag = HeaderValue::from_static("\"a-b\"");
        let has = |values: &[&'static str]| {
            is_had(&HeaderMap::from_iter(values.iter().map(|value| (header::IF_NONE_MATCH, HeaderValue::from_static(value)))), &tag)
        };
        assert!(has(&["\"a-b\""]) && has(&["W/\"a-b\""]) && has(&["\"x\", \"a-b\""]) && has(&["\"x\"", "\"a-b\""]) && has(&["*"]));
        assert!(!has(&[]) && !has(&["\"a\""]) && !has(&["a-b"]) && !has(&[""]));
    }
}
