//! `POST /v1/attendance` and `/v1/assistance`: a body of facts becomes durable facts, and a receipt.

use super::body::{Arriving, Collected};
use super::credentials;
use super::refusal::Refusal;
use super::state::{App, now};
use crate::reports::{self, BadParameter};
use axum::Json;
use axum::extract::{Query, Request, State};
use axum::response::{IntoResponse, Response};
use http::request::Parts;
use http::{HeaderMap, StatusCode, Uri, header};
use jiff::tz::TimeZone;
use rollcall_engine::facts::Columns;
use rollcall_engine::ingest::{Charset, Compression, Context, Format, decode};
use rollcall_model::Receipt;
use std::sync::Arc;

/// The content types of facts.
const CONTENT_TYPES: &[(&str, Format)] = &[
    ("application/x-ndjson", Format::Ndjson),
    ("application/ndjson", Format::Ndjson),
    ("application/jsonl", Format::Ndjson),
    ("application/json", Format::Json),
    ("text/csv", Format::Csv),
    ("application/vnd.apache.parquet", Format::Parquet),
    ("application/vnd.apache.arrow.stream", Format::Arrow),
    ("application/vnd.apache.arrow.file", Format::Arrow),
];

/// About how many times its size a compressed body takes once its facts are columns in memory.
const COMPRESSED_GROWTH: u64 = 8;

/// What to do with a fact that has an error.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum OnError {
    /// Store nothing of the request.
    Refuse,
    /// Store the others.
    Skip,
}

/// Takes facts of one kind.
pub async fn facts<C: Columns>(State(app): State<Arc<App>>, request: Request) -> Response {
    let (parts, body) = request.into_parts();
    let mut body = Arriving::new(&parts.headers, body);
    let answer = ingest::<C>(&app, &parts, &mut body).await;
    body.discard();
    answer.unwrap_or_else(IntoResponse::into_response)
}

async fn ingest<C: Columns>(app: &Arc<App>, parts: &Parts, body: &mut Arriving<'_>) -> Result<Response, Refusal> {
    let live = app.live();
    let organization = credentials::organization(&live, &parts.headers)?;
    let format = format(&parts.headers)?;
    let compression = compression(&parts.headers)?;
    let charset = charset(&parts.headers)?;
    let Asked { on_error, zone } = asked(&parts.uri)?;
    if app.is_closing() {
        return Err(Refusal::unavailable("shutting down; try again"));
    }
    let growth = if compression == Compression::None && format != Format::Parquet { 1 } else { COMPRESSED_GROWTH };
    let Collected { bytes, room } = body.collect(&live, growth).await?;
    // The semaphore is never closed.
    let turn = app.decoding.clone().acquire_owned().await.map_err(|error| Refusal::internal(&error))?;
    let app = app.clone();
    let work = move || {
        let directory = app.engine.directory(organization.id);
        let places = app.places.current();
        let limits = live.limits.ingest();
        let (places, zone) = (places.as_deref(), zone.as_ref());
        let context = Context { places, limits, zone, charset, ..Context::new(&organization, &directory, now()) };
        let decoded = match decode::<C>(&bytes, format, compression, &context) {
            Ok(decoded) => decoded,
            // What is wrong with the body as a whole: nothing of it is stored.
            Err(broken) => {
                let receipt = Receipt { rejected: 1, errors: broken.0, ..Receipt::default() };
                return Ok((StatusCode::BAD_REQUEST, Json(receipt)).into_response());
            }
        };
        // What follows waits for the disk: others may decode meanwhile. The room is kept, now for the facts.
        drop((bytes, turn));
        if decoded.rejected > 0 && on_error == OnError::Refuse {
            let receipt = Receipt { rejected: decoded.rejected, errors: decoded.errors, ..Receipt::default() };
            return Ok((StatusCode::BAD_REQUEST, Json(receipt)).into_response());
        }
        let mut receipt = app.engine.ingest(&organization, decoded.facts)?;
        drop(room);
        receipt.rejected += decoded.rejected;
        receipt.errors = decoded.errors;
        Ok(Json(receipt).into_response())
    };
    tokio::task::spawn_blocking(work).await?
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
fn charset(headers: &HeaderMap) -> Result<Option<Charset>, Refusal> {
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
