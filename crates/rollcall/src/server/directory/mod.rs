//! `/v1/directory`: the people and departments of an organization: replaced as a whole or by halves, changed entry by entry, and restored.
//!
//! # Layout
//! - [`csv`]: one half as CSV
//! - [`guard`]: what keeps a mistake from emptying a directory

mod csv;
mod guard;

use super::body::{Arriving, Collected};
use super::credentials::Caller;
use super::refusal::Refusal;
use super::state::App;
use super::work::blocking;
use super::{ingest, native, tags};
use crate::operations::keys;
use crate::reports::{self, BadParameter};
use axum::Json;
use axum::extract::{Request, State};
use axum::response::{IntoResponse, Response};
use guard::Guard;
use http::request::Parts;
use http::{HeaderMap, StatusCode, Uri, header};
use rollcall_engine::access::Happening;
use rollcall_engine::engine::directories::KEPT_DIRECTORIES;
use rollcall_engine::ingest::Charset;
use rollcall_engine::{DirectoryVersion, EngineError};
use rollcall_model::calendar::rfc3339;
use rollcall_model::directory::{DirectoryDocument, DirectoryPatch};
use rollcall_model::{Directory, OrgId, Reports};
use std::sync::Arc;
use std::time::Duration;

/// How long a change waits while others change the same directory.
const TURN: Duration = Duration::from_secs(30);

/// Which half a CSV file has.
#[derive(Debug, Clone, Copy)]
enum Half {
    Users,
    Departments,
}

/// What a body does to the directory.
#[derive(Debug, Clone, Copy)]
enum How {
    /// It takes the place of the whole directory, or of one half.
    Replace(Option<Half>),
    /// Its entries are added, or replace those of the same id and day.
    Patch(Option<Half>),
}

/// `GET /v1/directory`: the directory that holds or, with `version`, one that was replaced.
pub async fn get(State(app): State<Arc<App>>, caller: Caller, uri: Uri, headers: HeaderMap) -> Result<Response, Refusal> {
    let org = caller.organization.id;
    let given = native::parameters(&uri)?;
    reports::check_names(&given, &["version"])?;
    let version = version(&given)?;
    let shared = app.clone();
    let work = move |reports: &dyn Reports| match version {
        None => Ok(Json(reports.directory(org)?).into_response()),
        Some(version) => Ok(Json(find(&shared, org, version)?).into_response()),
    };
    tags::answer(&app, org, &headers, &format!("directory {version:?}"), app.site.work(native::task(org), work)).await
}

/// `GET /v1/directory/history`: the directory that holds and those that it replaced, newest first, without their entries.
pub async fn history(State(app): State<Arc<App>>, caller: Caller, uri: Uri, headers: HeaderMap) -> Result<Response, Refusal> {
    let org = caller.organization.id;
    reports::check_names(&native::parameters(&uri)?, &[])?;
    let told = |of: &DirectoryVersion| {
        let DirectoryVersion { version, since, until, departments, users } = *of;
        let [since, until] = [since, until].map(|at| at.map(rfc3339));
        serde_json::json!({ "version": version, "since": since, "until": until, "departments": departments, "users": users })
    };
    let shared = app.clone();
    let work = move |_: &dyn Reports| {
        let versions = shared.engine()?.directory_history(org)?;
        Ok(Json(serde_json::json!({ "versions": versions.iter().map(told).collect::<Vec<_>>() })).into_response())
    };
    tags::answer(&app, org, &headers, "directory history", app.site.work(native::task(org), work)).await
}

/// `POST /v1/directory/restore?version=N`: a directory that was replaced holds again.
pub async fn restore(State(app): State<Arc<App>>, caller: Caller, uri: Uri) -> Result<Response, Refusal> {
    let org = caller.organization.id;
    let given = native::parameters(&uri)?;
    reports::check_names(&given, &["version", "allow_empty", "force"])?;
    let version = version(&given)?.ok_or_else(|| BadParameter::new("version", None, "one that GET /v1/directory/history lists"))?;
    let guard = Guard::of(&given)?;
    let shared = app.clone();
    change(app, caller, guard, move |_| find(&shared, org, version)).await
}

pub async fn put(State(app): State<Arc<App>>, caller: Caller, request: Request) -> Response {
    answer(app, caller, request, How::Replace(None)).await
}

pub async fn put_users(State(app): State<Arc<App>>, caller: Caller, request: Request) -> Response {
    answer(app, caller, request, How::Replace(Some(Half::Users))).await
}

pub async fn put_departments(State(app): State<Arc<App>>, caller: Caller, request: Request) -> Response {
    answer(app, caller, request, How::Replace(Some(Half::Departments))).await
}

pub async fn patch(State(app): State<Arc<App>>, caller: Caller, request: Request) -> Response {
    answer(app, caller, request, How::Patch(None)).await
}

pub async fn patch_users(State(app): State<Arc<App>>, caller: Caller, request: Request) -> Response {
    answer(app, caller, request, How::Patch(Some(Half::Users))).await
}

pub async fn patch_departments(State(app): State<Arc<App>>, caller: Caller, request: Request) -> Response {
    answer(app, caller, request, How::Patch(Some(Half::Departments))).await
}

async fn answer(app: Arc<App>, caller: Caller, request: Request, how: How) -> Response {
    let (parts, body) = request.into_parts();
    let mut body = Arriving::new(&parts.headers, body);
    let answer = take_in(app, caller, &parts, &mut body, how).await;
    body.discard();
    answer.unwrap_or_else(IntoResponse::into_response)
}

async fn take_in(app: Arc<App>, caller: Caller, parts: &Parts, body: &mut Arriving<'_>, how: How) -> Result<Response, Refusal> {
    let given = native::parameters(&parts.uri)?;
    reports::check_names(&given, &["allow_empty", "force"])?;
    let guard = Guard::of(&given)?;
    let (How::Replace(half) | How::Patch(half)) = how;
    let expected = if half.is_some() { "text/csv" } else { "application/json" };
    let given = ingest::essence(&parts.headers, header::CONTENT_TYPE).unwrap_or_else(|| "is missing".into());
    if given != expected {
        return Err(Refusal::new(StatusCode::UNSUPPORTED_MEDIA_TYPE, format!("content-type {given}: expected {expected}")));
    }
    if let Some(encoding) = ingest::essence(&parts.headers, header::CONTENT_ENCODING).filter(|encoding| encoding != "identity") {
        return Err(Refusal::new(StatusCode::UNSUPPORTED_MEDIA_TYPE, format!("content-encoding {encoding}: expected none")));
    }
    let charset = ingest::charset(&parts.headers)?;
    let given = Given { body: body.collect(&caller.live, caller.organization.id).await?, charset, how, guard };
    change(app, caller, guard, move |current| changed(&given, current)).await
}

/// A body, whose room is held as long as its bytes, and what its request says of it.
struct Given {
    body: Collected,
    charset: Option<Charset>,
    how: How,
    guard: Guard,
}

/// The directory as a body makes it of the one that holds.
fn changed(given: &Given, current: &Directory) -> Result<DirectoryDocument, Refusal> {
    const LINES: &str = "a header line, and a line for each entry";
    let Given { body: Collected { bytes, .. }, charset, how, guard } = given;
    let text = || csv::text(bytes, *charset);
    let (How::Replace(half) | How::Patch(half)) = how;
    let halves = match half {
        None => None,
        Some(Half::Users) => Some(DirectoryPatch { users: csv::users(&text()?)?, ..DirectoryPatch::default() }),
        Some(Half::Departments) => Some(DirectoryPatch { departments: csv::departments(&text()?)?, ..DirectoryPatch::default() }),
    };
    match (how, halves) {
        (How::Replace(_), None) => {
            let document: DirectoryDocument = json(bytes)?;
            let is_empty = document.users.is_empty() && document.departments.is_empty();
            guard.check_given(is_empty, "departments, users or both")?;
            Ok(document)
        }
        (How::Replace(_), Some(halves)) => {
            guard.check_given(halves.is_empty(), LINES)?;
            let mut document = current.document();
            match half {
                Some(Half::Departments) => document.departments = halves.departments,
                _ => document.users = halves.users,
            }
            Ok(document)
        }
        (How::Patch(_), halves) => {
            let patch = halves.map_or_else(|| json(bytes), Ok)?;
            if patch.is_empty() {
                let expected = if half.is_some() { LINES } else { "departments, users, or what to remove" };
                return Err(Refusal::bad_request(format!("the body names nothing to change: expected {expected}")));
            }
            Ok(patch.apply(current))
        }
    }
}

fn json<T: serde::de::DeserializeOwned>(bytes: &[u8]) -> Result<T, Refusal> {
    if bytes.trim_ascii().is_empty() {
        return Err(Refusal::bad_request("the body is empty: expected a directory as JSON; is the file there that was to be sent?"));
    }
    // An array would be read by position.
    if !bytes.trim_ascii_start().starts_with(b"{") {
        return Err(Refusal::bad_request("the directory: expected one JSON object, {\"departments\":[…],\"users\":[…]}"));
    }
    serde_json::from_slice(bytes).map_err(|error| Refusal::bad_request(format!("the directory: {error}")))
}

/// Changes the directory, unless the change removes more than the request says it means, and says what holds then.
async fn change(
    app: Arc<App>,
    caller: Caller,
    guard: Guard,
    next: impl FnOnce(&Directory) -> Result<DirectoryDocument, Refusal> + Send + 'static,
) -> Result<Response, Refusal> {
    let Caller { organization, actor, .. } = caller;
    let org = organization.id;
    // Waiting here and not in the engine, so that who waits holds no thread.
    let turn = tokio::time::timeout(TURN, app.directory_turn(org).lock_owned()).await;
    let turn = turn.map_err(|_| {
        Refusal::unavailable(format!("others have been changing this organization's directory for {} s; try again", TURN.as_secs()))
    })?;
    let work = move || {
        let _turn = turn;
        let mut removed = (0, 0);
        let engine = app.engine()?;
        let version = engine.change_directory(org, |current| {
            let next = Directory::new(next(current)?).map_err(EngineError::from)?;
            guard.check(current, &next)?;
            let losses = current.losses(&next);
            removed = (losses.departments.removed, losses.users.removed);
            Ok::<_, Refusal>(next)
        })?;
        let DirectoryVersion { version, departments, users, .. } = version;
        tracing::info!(organization = %org, version, departments, users, "directory changed");
        let [counted_departments, counted_users] = [departments, users].map(|count| count as u64);
        let what = Happening::DirectoryChanged { version, departments: counted_departments, users: counted_users };
        keys::note(&engine, org, actor, what);
        let removed = serde_json::json!({ "departments": removed.0, "users": removed.1 });
        let told = serde_json::json!({ "departments": departments, "users": users, "removed": removed, "version": version });
        Ok(Json(told).into_response())
    };
    blocking(work).await?
}

/// A directory that was replaced.
fn find(app: &App, org: OrgId, version: u64) -> Result<DirectoryDocument, Refusal> {
    app.engine()?.kept_directory(org, version)?.ok_or_else(|| {
        let kept = format!("the last {KEPT_DIRECTORIES} that were replaced are kept, and GET /v1/directory/history lists them");
        Refusal::new(StatusCode::NOT_FOUND, format!("version {version} of the directory is not among those kept: {kept}"))
    })
}

fn version(given: &[(String, String)]) -> Result<Option<u64>, BadParameter> {
    let Some((name, value)) = given.iter().find(|(name, _)| name == "version") else { return Ok(None) };
    value.parse().map(Some).map_err(|_| BadParameter::new(name, Some(value), "a number that GET /v1/directory/history lists"))
}
