//! `/v1/keys` and `/v1/audit`: an organization's own keys, made and revoked while the server runs, and who did what.

use super::body::Arriving;
use super::credentials::Caller;
use super::refusal::Refusal;
use super::state::{App, now};
use super::work::blocking;
use super::{native, paging};
use crate::operations::keys::{self, ShownEvent, ShownKey, Unmade};
use crate::problem::{Kind, Wrong};
use crate::random;
use crate::reports::{self, BadParameter};
use axum::Json;
use axum::extract::rejection::PathRejection;
use axum::extract::{Path, Request, State};
use axum::response::{IntoResponse, Response};
use http::request::Parts;
use http::{HeaderValue, StatusCode, Uri, header};
use rollcall_dialects::Secret;
use rollcall_engine::access::{NewKey, Scopes};
use rollcall_model::Reports;
use serde::{Deserialize, Serialize};
use std::sync::Arc;

/// The key that is wanted.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Wanted {
    name: String,
    scopes: Scopes,
    department: Option<String>,
    /// A day of the organization's zone, from whose beginning on the key is of no use, or an instant.
    expires: Option<String>,
}

/// A key that was made.
#[derive(Serialize)]
struct Made {
    /// Shown this once.
    secret: String,
    #[serde(flatten)]
    key: ShownKey,
}

/// `GET /v1/keys`: the keys made at run time, the newest first.
pub async fn list(State(app): State<Arc<App>>, caller: Caller, uri: Uri) -> Result<Response, Refusal> {
    let org = caller.organization.id;
    let page = paging::Page::of("keys", "/v1/keys", org, &uri)?;
    let shared = app.clone();
    let work = move |_: &dyn Reports| {
        let older = |key: &ShownKey| page.before.is_none_or(|before| key.key < before);
        let mut keys: Vec<ShownKey> = shared.engine()?.keys(org).into_iter().rev().map(ShownKey::from).filter(older).collect();
        let more = keys.len() > page.limit;
        keys.truncate(page.limit);
        let next = keys.last().filter(|_| more).map(|last| last.key);
        Ok(page.answer("keys", keys, next))
    };
    app.site.work(native::task(org), work).await
}

/// `POST /v1/keys`: makes a key. Its secret is in this answer and nowhere else.
pub async fn make(State(app): State<Arc<App>>, caller: Caller, request: Request) -> Response {
    let (parts, body) = request.into_parts();
    let mut body = Arriving::new(&parts.headers, body);
    let answer = made(app, caller, &parts, &mut body).await;
    body.discard();
    answer.unwrap_or_else(IntoResponse::into_response)
}

async fn made(app: Arc<App>, caller: Caller, parts: &Parts, body: &mut Arriving<'_>) -> Result<Response, Refusal> {
    let Caller { live, organization, actor, .. } = caller;
    reports::check_names(&native::parameters(&parts.uri)?, &[])?;
    let collected = body.collect(&live, organization.id).await?;
    // An array would be read by position.
    if !collected.bytes.trim_ascii_start().starts_with(b"{") {
        return Err(Refusal::bad_request("the key: expected one JSON object, {\"name\":\"…\",\"scopes\":[\"read\"]}"));
    }
    let Wanted { name, scopes, department, expires } =
        serde_json::from_slice(&collected.bytes).map_err(|error| Refusal::bad_request(format!("the key: {error}")))?;
    let expires = expires.map(|expires| reports::end_time("expires", Some(&expires), &organization.zone)).transpose()?;
    if app.is_closing() {
        return Err(Refusal::unavailable("shutting down; try again"));
    }
    let secret = random::native_key().map_err(|error| Refusal::internal(&error))?;
    let new = NewKey { name, hash: *Secret::of(&secret).hash(), scopes, department, expires };
    blocking(move || {
        let key = keys::make(&*app.engine()?, organization.id, new, actor, now()).map_err(|unmade| match (unmade.to_string(), unmade) {
            (detail, Unmade::Field(field, expected)) => {
                Refusal::of_parameter(detail, Wrong { parameter: field.into(), value: None, expected })
            }
            (_, Unmade::Engine(error)) => error.into(),
        })?;
        tracing::info!(organization = %organization.id, key = key.number, "a key was made");
        let never = [(header::CACHE_CONTROL, HeaderValue::from_static("no-store"))];
        Ok((StatusCode::CREATED, never, Json(Made { secret, key: key.into() })).into_response())
    })
    .await?
}

/// `DELETE /v1/keys/{key}`: from now on nobody knows it.
pub async fn revoke(
    State(app): State<Arc<App>>,
    caller: Caller,
    key: Result<Path<String>, PathRejection>,
    uri: Uri,
) -> Result<Response, Refusal> {
    let Path(text) = key.map_err(|error| Refusal::bad_request(error.body_text()))?;
    reports::check_names(&native::parameters(&uri)?, &[])?;
    let number: u64 = text.parse().map_err(|_| BadParameter::new("key", Some(&text), "the number of a key, as GET /v1/keys lists it"))?;
    let Caller { organization, actor, .. } = caller;
    let org = organization.id;
    blocking(move || {
        let revoked = app.engine()?.revoke_key(org, number, actor, now())?;
        revoked.ok_or_else(|| Refusal::of(Kind::NOT_FOUND, format!("the organization has no key {number} that was made at run time")))?;
        tracing::info!(organization = %org, key = number, "a key was revoked");
        Ok(StatusCode::NO_CONTENT.into_response())
    })
    .await?
}

/// `GET /v1/audit`: who did what, the newest first.
pub async fn audit(State(app): State<Arc<App>>, caller: Caller, uri: Uri) -> Result<Response, Refusal> {
    let org = caller.organization.id;
    let page = paging::Page::of("audit", "/v1/audit", org, &uri)?;
    let shared = app.clone();
    let work = move |_: &dyn Reports| {
        let found = shared.engine()?.audit(org, page.before, page.limit)?;
        let events: Vec<ShownEvent> = found.events.into_iter().map(ShownEvent::from).collect();
        Ok(page.answer("events", events, found.next))
    };
    app.site.work(native::task(org), work).await
}
