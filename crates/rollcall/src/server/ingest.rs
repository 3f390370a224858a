//! `POST /v1/attendance` and `/v1/assistance`: a body of facts becomes durable facts, and a receipt.

use super::body::{Arriving, Collected, no_room};
use super::credentials::Caller;
use super::refusal::Refusal;
use super::room::Held;
use super::state::{App, now};
use super::work::blocking;
use crate::reports::{self, BadParameter};
use axum::Json;
use axum::extract::{Query, Request, State};
use axum::response::{IntoResponse, Response};
use http::request::Parts;
use http::{HeaderMap, StatusCode, Uri, header};
use jiff::tz::TimeZone;
use rollcall_engine::ingest::{Charset, Compression, Context, Format, Watch, decode};
use rollcall_engine::kinds::columns::Columns;
use rollcall_model::{Cancellation, Receipt};
use std::cell::RefCell;
use std::sync::Arc;

/// The content types of facts.
pub const CONTENT_TYPES: &[(&str, Format)] = &[
    ("application/x-ndjson", Format::Ndjson),
    ("application/ndjson", Format::Ndjson),
    ("application/jsonl", Format::Ndjson),
    ("application/json", Format::Json),
    ("text/csv", Format::Csv),
    ("application/vnd.apache.parquet", Format::Parquet),
    ("application/vnd.apache.arrow.stream", Format::Arrow),
    ("application/vnd.apache.arrow.file", Format::Arrow),
];

/// What to do with a fact that has an error.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum OnError {
    /// Store nothing of the request.
    Refuse,
    /// Store the others.
    Skip,
}

/// Takes facts of one kind.
pub async fn facts<C: Columns>(State(app): State<Arc<App>>, caller: Caller, request: Request) -> Response {
    let (parts, body) = request.into_parts();
    let mut body = Arriving::new(&parts.headers, body);
    let answer = ingest::<C>(&app, caller, &parts, &mut body).await;
    body.discard();
    answer.unwrap_or_else(IntoResponse::into_response)
}

async fn ingest<C: Columns>(app: &Arc<App>, caller: Caller, parts: &Parts, body: &mut Arriving<'_>) -> Result<Response, Refusal> {
    let Caller { live, organization, .. } = caller;
    let format = format(&parts.headers)?;
    let compression = compression(&parts.headers)?;
    let charset = if matches!(format, Format::Parquet | Format::Arrow) { None } else { charset(&parts.headers)? };
    let Asked { on_error, zone } = asked(&parts.uri)?;
    if app.is_closing() {
        return Err(Refusal::unavailable("shutting down; try again"));
    }
    let Collected { bytes, held } = body.collect(&live, organization.id).await?;
    let turn = live.decoding.take(organization.id).await?;
    // Dropped with the future, as when the client goes away; what is in the ledger's hands by then is finished.
    let cancellation = Cancellation::default();
    let _client = cancellation.when_dropped();
    let app = app.clone();
    let work = move || {
        let engine = app.engine()?;
        let directory = engine.directory(organization.id);
        let places = app.places.current();
        let watcher = Watcher { cancellation, held: RefCell::new(held), refusal: RefCell::default() };
        let (places, limits, zone) = (places.as_deref(), live.limits.ingest(), zone.as_ref());
        let context = Context { places, limits, zone, charset, watch: &watcher, ..Context::new(&organization, &directory, now()) };
        let decoded = decode::<C>(&bytes, format, compression, &context);
        let Watcher { held, refusal, .. } = watcher;
        let decoded = match (decoded, refusal.into_inner()) {
            (Ok(decoded), _) => decoded,
            (Err(_), Some(refusal)) => return Err(refusal),
            // What is wrong with the body as a whole: nothing of it is stored.
            (Err(broken), None) => {
                return Err(Refusal::of_facts(&Receipt { rejected: 1, errors: broken.0, ..Receipt::default() }));
            }
        };
        // What follows waits for the disk: others may decode meanwhile. The room of the facts is kept.
        drop((bytes, turn));
        let mut held = held.into_inner();
        held.sent_is_dropped();
        if decoded.rejected > 0 && on_error == OnError::Refuse {
            return Err(Refusal::of_facts(&Receipt { rejected: decoded.rejected, errors: decoded.errors, ..Receipt::default() }));
        }
        let mut receipt = engine.ingest(&organization, decoded.facts)?;
        drop(held);
        receipt.rejected += decoded.rejected;
        receipt.errors = decoded.errors;
        Ok(Json(receipt).into_response())
    };
    blocking(work).await?
}

/// Watches over a decoding: that there is room for what it holds, and somebody who waits for the receipt.
struct Watcher {
    cancellation: Cancellation,
    held: RefCell<Held>,
    /// Why it was ended.
    refusal: RefCell<Option<Refusal>>,
}

impl Watch for Watcher {
    fn goes_on(&self, size: u64) -> bool {
        let refusal = self.held.borrow_mut().decoded_to(size, &self.cancellation).err().map(|why| no_room(why, size));
        let goes_on = refusal.is_none();
        *self.refusal.borrow_mut() = refusal;
        goes_on
    }
}

/// The value of a header without its parameters, in lower case; none if there is no such header.
pub(super) fn essence(headers: &HeaderMap, name: header::HeaderName) -> Option<String> {
    let value = headers.get(name)?.to_str().unwrap_or("unreadable");
    Some(value.split(';').next().unwrap_or_default().trim().to_ascii_lowercase())
}

fn format(headers: &HeaderMap) -> Result<Format, Refusal> {
    let given = essence(headers, header::CONTENT_TYPE);
    let known = CONTENT_TYPES.iter().find(|(name, _)| given.as_deref() == Some(name));
    known.map(|(_, format)| *format).ok_or_else(|| {
        let names: Vec<_> = CONTENT_TYPES.iter().map(|(name, _)| *name).collect();
        let given = given.as_deref().unwrap_or("is missing");
        Refusal::new(StatusCode::UNSUPPORTED_MEDIA_TYPE, format!("content-type {given}: expected one of {}", names.join(", ")))
    })
}

fn compression(headers: &HeaderMap) -> Result<Compression, Refusal> {
    match essence(headers, header::CONTENT_ENCODING).as_deref() {
        None | Some("identity") => Ok(Compression::None),
        Some("gzip" | "x-gzip") => Ok(Compression::Gzip),
        Some("zstd") => Ok(Compression::Zstd),
        Some(other) => {
            Err(Refusal::new(StatusCode::UNSUPPORTED_MEDIA_TYPE, format!("content-encoding {other}: expected gzip, zstd or identity")))
        }
    }
}

/// What a text is in, where the content type says so.
pub(super) fn charset(headers: &HeaderMap) -> Result<Option<Charset>, Refusal> {
    let given = headers.get(header::CONTENT_TYPE).and_then(|given| given.to_str().ok()).unwrap_or_default();
    let parameters = given.split(';').skip(1).filter_map(|parameter| parameter.split_once('='));
    let Some((_, name)) = parameters.into_iter().find(|(name, _)| name.trim().eq_ignore_ascii_case("charset")) else { return Ok(None) };
    let name = name.trim().trim_matches('"');
    Charset::from_name(name).map(Some).ok_or_else(|| {
        let message = format!("content-type charset {name}: expected {}", Charset::NAMES);
        Refusal::new(StatusCode::UNSUPPORTED_MEDIA_TYPE, message)
    })
}

/// What the query of an ingest says.
struct Asked {
    on_error: OnError,
    /// The zone of times without an offset.
    zone: Option<TimeZone>,
}

fn asked(uri: &Uri) -> Result<Asked, Refusal> {
    let Query(given): Query<Vec<(String, String)>> = Query::try_from_uri(uri).map_err(|error| Refusal::bad_request(error.body_text()))?;
    reports::check_names(&given, &["on_error", "zone"])?;
    let mut asked = Asked { on_error: OnError::Refuse, zone: None };
    for (name, value) in &given {
        match (name.as_str(), value.as_str()) {
            ("zone", zone) => asked.zone = Some(reports::zone(zone)?),
            (_, "skip") => asked.on_error = OnError::Skip,
            (_, "refuse") => {}
            (name, value) => return Err(BadParameter::new(name, Some(value), "skip or refuse").into()),
        }
    }
    Ok(asked)
}
