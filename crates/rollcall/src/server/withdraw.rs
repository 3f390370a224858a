//! `GET /v1/receipts` and `POST /v1/withdraw`: which requests stored facts, and facts that are taken back.

use super::body::Arriving;
use super::credentials::Caller;
use super::refusal::Refusal;
use super::state::App;
use super::work::blocking;
use super::{native, paging, tags};
use crate::operations::erase::Erased;
use crate::operations::keys;
use crate::operations::receipts::Kept;
use crate::reports::{self, BadParameter};
use axum::Json;
use axum::extract::{Request, State};
use axum::response::{IntoResponse, Response};
use http::request::Parts;
use http::{HeaderMap, StatusCode, Uri};
use rollcall_engine::access::{Happening, Scope};
use rollcall_engine::erase::{Conditions, Selection};
use rollcall_model::{FactKind, Millis, Organization, Reports};
use serde::Deserialize;
use std::sync::Arc;

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
        let text = |given: Option<Time>| {
            given.map(|given| match given {
                Time::Millis(at) => at.to_string(),
                Time::Text(text) => text,
            })
        };
        let (from, to, zone) = (text(self.from.take()), text(self.to.take()), &organization.zone);
        let conditions = Conditions {
            fact: self.fact,
            receipts: std::mem::take(&mut self.receipts),
            from_receipt: self.from_receipt,
            to_receipt: self.to_receipt,
            session_id: self.session_id.take(),
            app: self.app.take(),
            ids: std::mem::take(&mut self.ids),
            from: from.map(|from| reports::time("from", Some(&from), zone)).transpose()?,
            to: to.map(|to| reports::end_time("to", Some(&to), zone)).transpose()?,
        };
        conditions.selection().map_err(|unfit| BadParameter::new(unfit.field, None, unfit.expected))
    }
}

/// `GET /v1/receipts`: the receipts of the organization that are kept, the newest first.
pub async fn receipts(State(app): State<Arc<App>>, caller: Caller, uri: Uri, headers: HeaderMap) -> Result<Response, Refusal> {
    let org = caller.organization.id;
    let page = paging::Page::of("receipts", "/v1/receipts", org, &uri)?;
    let (shared, asked) = (app.clone(), format!("{page:?}"));
    let work = move |_: &dyn Reports| {
        let found = shared.engine()?.receipts(org, page.before, page.limit)?;
        let receipts: Vec<Kept> = found.receipts.into_iter().map(Kept::from).collect();
        Ok::<_, Refusal>(page.answer("receipts", receipts, found.next))
    };
    tags::answer(&app, org, &headers, &asked, app.site.work(native::task(org), work)).await
}

/// `POST /v1/withdraw`: facts of the organization are taken back, or it is said which would be.
pub async fn withdraw(State(app): State<Arc<App>>, caller: Caller, request: Request) -> Response {
    let (parts, body) = request.into_parts();
    let mut body = Arriving::new(&parts.headers, body);
    let answer = take_back(app, caller, &parts, &mut body).await;
    body.discard();
    answer.unwrap_or_else(IntoResponse::into_response)
}

async fn take_back(app: Arc<App>, caller: Caller, parts: &Parts, body: &mut Arriving<'_>) -> Result<Response, Refusal> {
    let may_withdraw = caller.live.may_withdraw(caller.organization.id) || caller.scopes.allow(Scope::Admin);
    let Caller { live, organization, actor, .. } = caller;
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
        (false, Some(_)) if !may_withdraw => {
            let how =
                "set allow_withdraw of the organization, ask with a key that has the scope admin, or use rollcall withdraw on the server";
            return Err(Refusal::new(StatusCode::FORBIDDEN, format!("this key may not withdraw facts: {how}")));
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
        tracing::warn!(organization = %org, facts, proven, "facts were withdrawn by a key");
        keys::note(&engine, org, actor, Happening::FactsWithdrawn { facts });
        Ok(Json(erased).into_response())
    };
    blocking(work).await?
}
