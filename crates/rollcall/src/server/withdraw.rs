//! `GET /v1/receipts` and `POST /v1/withdraw`: which requests stored facts, and facts that are taken back.

use super::body::Arriving;
use super::refusal::Refusal;
use super::state::App;
use super::{credentials, native};
use crate::operations::erase::Erased;
use crate::operations::receipts::Kept;
use crate::reports::{self, BadParameter};
use axum::Json;
use axum::extract::{Request, State};
use axum::response::{IntoResponse, Response};
use http::request::Parts;
use http::{HeaderMap, StatusCode, Uri, header};
use rollcall_engine::erase::{Conditions, Selection};
use rollcall_model::{FactKind, Millis, Organization, Reports};
use serde::Deserialize;
use std::sync::Arc;

/// How many receipts a page has, unless it is said, and at most.
const PAGE: [usize; 2] = [100, 1_000];

/// What is to be withdrawn, and whether.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Asked {
    #[serde(default)]
    receipts: Vec<u64>,
    from_receipt: Option<u64>,
    to_receipt: Option<u64>,
    session_id: Option<String>,
    app: Option<String>,
    #[serde(default)]
    ids: Vec<String>,
    fact: Option<FactKind>,
    from: Option<Time>,
    to: Option<Time>,
    /// Only says how many would go.
    #[serde(default)]
    dry_run: bool,
    /// How many go, as the dry run said.
    facts: Option<u64>,
}

/// A day, or an instant as text or as Unix milliseconds.
#[derive(Deserialize)]
#[serde(untagged)]
enum Time {
    Millis(Millis),
    Text(String),
}

impl Asked {
    fn selection(&mut self, organization: &Organization) -> Result<Selection, BadParameter> {
        let at = |name: &str, given: Option<Time>| {
            let text = given.map(|given| match given {
                Time::Millis(at) => at.to_string(),
                Time::Text(text) => text,
            });
            text.map(|text| reports::time(name, Some(&text), &organization.zone)).transpose()
        };
        let conditions = Conditions {
            fact: self.fact,
            receipts: std::mem::take(&mut self.receipts),
            from_receipt: self.from_receipt,
            to_receipt: self.to_receipt,
            session_id: self.session_id.take(),
            app: self.app.take(),
            ids: std::mem::take(&mut self.ids),
            from: at("from", self.from.take())?,
            to: at("to", self.to.take())?,
        };
        conditions.selection().map_err(|unfit| BadParameter::new(unfit.field, None, unfit.expected))
    }
}

/// `GET /v1/receipts`: the receipts of the organization that are kept, the newest first.
pub async fn receipts(State(app): State<Arc<App>>, uri: Uri, headers: HeaderMap) -> Result<Response, Refusal> {
    let org = credentials::organization(&app.live(), &headers)?.id;
    let given = native::parameters(&uri)?;
    reports::check_names(&given, &["limit", "cursor"])?;
    let value = |wanted: &str| given.iter().find(|(name, _)| name == wanted).map(|(_, value)| value.as_str());
    let [usual, most] = PAGE;
    let limit = value("limit").map_or(Some(usual), |limit| limit.parse().ok().filter(|limit| (1..=most).contains(limit)));
    let limit = limit.ok_or_else(|| BadParameter::new("limit", value("limit"), format!("a number from 1 to {most}")))?;
    let cursor = value("cursor").map(str::parse).transpose();
    let cursor = cursor.map_err(|_| BadParameter::new("cursor", value("cursor"), "the next of a page before"))?;
    let shared = app.clone();
    let work = move |_: &dyn Reports| {
        let page = shared.engine()?.receipts(org, cursor, limit)?;
        let receipts: Vec<Kept> = page.receipts.into_iter().map(Kept::from).collect();
        let next = page.next.map(|next| next.to_string());
        let link = next.as_ref().map(|next| (header::LINK, format!("</v1/receipts?limit={limit}&cursor={next}>; rel=\"next\"")));
        let body = Json(serde_json::json!({ "receipts": receipts, "next": next }));
        Ok((axum::response::AppendHeaders(link), body).into_response())
    };
    app.site.work(native::task(org), work).await
}

/// `POST /v1/withdraw`: facts of the organization are taken back, or it is said which would be.
pub async fn withdraw(State(app): State<Arc<App>>, request: Request) -> Response {
    let (parts, body) = request.into_parts();
    let mut body = Arriving::new(&parts.headers, body);
    let answer = take_back(app, &parts, &mut body).await;
    body.discard();
    answer.unwrap_or_else(IntoResponse::into_response)
}

async fn take_back(app: Arc<App>, parts: &Parts, body: &mut Arriving<'_>) -> Result<Response, Refusal> {
    let live = app.live();
    let organization = credentials::organization(&live, &parts.headers)?;
    let org = organization.id;
    reports::check_names(&native::parameters(&parts.uri)?, &[])?;
    let collected = body.collect(&live, org).await?;
    // An array would be read by position.
    if !collected.bytes.trim_ascii_start().starts_with(b"{") {
        return Err(Refusal::bad_request("what is to be withdrawn: expected one JSON object, {\"receipts\":[…],\"dry_run\":true}"));
    }
    let mut asked: Asked =
        serde_json::from_slice(&collected.bytes).map_err(|error| Refusal::bad_request(format!("what is to be withdrawn: {error}")))?;
    let selection = asked.selection(&organization)?;
    let expected = match (asked.dry_run, asked.facts) {
        (true, _) => None,
        (false, Some(_)) if !live.may_withdraw(org) => {
            let how = "set allow_withdraw of the organization, or use rollcall withdraw on the server";
            return Err(Refusal::new(StatusCode::FORBIDDEN, format!("ingest keys may not withdraw facts: {how}")));
        }
        (false, Some(facts)) => Some(facts),
        (false, None) => {
            return Err(Refusal::bad_request("nothing was withdrawn: say \"dry_run\": true, and then \"facts\": how many it says that go"));
        }
    };
    if app.is_closing() {
        return Err(Refusal::unavailable("shutting down; try again"));
    }
    let turn = live.withdrawals.take(org).await?;
    // It goes on when the client goes away, as whatever was begun has to be finished.
    let work = move || {
        let _held = (collected, turn);
        let engine = app.engine()?;
        let found = engine.would_erase(org, &selection)?;
        let Some(expected) = expected else { return Ok(Json(Erased::from(found)).into_response()) };
        if found.facts() != expected {
            let told = format!("nothing was withdrawn: {} facts are named, not {expected}; look again with dry_run", found.facts());
            return Err(Refusal::new(StatusCode::CONFLICT, told));
        }
        // They may take hours, and the client should not.
        if !engine.may_erase() {
            return Err(Refusal::unavailable("a backup, a verification or another erasure is under way; try again"));
        }
        let erased = Erased::from(engine.erase(org, &selection, &|_, _| {})?);
        let (facts, proven) = (erased.facts(), erased.is_proven());
        tracing::warn!(organization = %org, facts, proven, "facts were withdrawn by an ingest key");
        Ok(Json(erased).into_response())
    };
    tokio::task::spawn_blocking(work).await?
}
