//! `GET /v1/reports/{name}`: every report, as JSON or CSV, with what it covers.

use super::credentials;
use super::refusal::Refusal;
use super::state::App;
use crate::reports::{self, BadParameter, Bounds};
use axum::extract::{Path, Query, State};
use axum::response::{IntoResponse, Response};
use http::{HeaderMap, HeaderName, StatusCode, Uri, header};
use rollcall_dialects::work::Task;
use rollcall_model::{OrgId, Reports};
use std::sync::Arc;

/// What a CSV answer covers, as one line of JSON: CSV itself has no place for it.
const COVERS: HeaderName = HeaderName::from_static("x-rollcall-covers");

/// How an answer is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Format {
    Json,
    Csv,
}

pub async fn report(State(app): State<Arc<App>>, Path(name): Path<String>, uri: Uri, headers: HeaderMap) -> Result<Response, Refusal> {
    let live = app.live();
    let organization = credentials::organization(&live, &headers)?;
    let report = reports::find(&name).map_err(|message| Refusal::new(StatusCode::NOT_FOUND, message))?;
    let mut given = parameters(&uri)?;
    let format = format(&mut given, &headers)?;
    let bounds = Bounds { days: live.limits.report_days, rows: live.limits.report_rows };
    let question = reports::question(report, &given, &organization, bounds)?;
    let org = organization.id;
    let asked = format!("{} {given:?} {format:?} {:?} {bounds:?}", report.name(), organization.zone);
    let work = move |reports: &dyn Reports| {
        let document = question(reports, org)?;
        Ok(match format {
            Format::Json => ([(header::CONTENT_TYPE, "application/json")], document.json()).into_response(),
            Format::Csv => {
                let headers = [(header::CONTENT_TYPE, "text/csv; charset=utf-8".to_owned()), (COVERS, document.covers_json())];
                (headers, document.csv()).into_response()
            }
        })
    };
    app.site.answer(task(org), Some(asked), work).await
}

/// The parameters of a query. Read only once the credential is known to be good: there may be thousands.
pub(super) fn parameters(uri: &Uri) -> Result<Vec<(String, String)>, Refusal> {
    Query::try_from_uri(uri).map(|Query(given)| given).map_err(|error| Refusal::bad_request(error.body_text()))
}

/// Work for a native route.
pub(super) fn task(organization: OrgId) -> Task<'static> {
    Task { api: "native", organization, request_id: None }
}

/// Takes `format` out of the query; without it, `Accept` decides.
fn format(given: &mut Vec<(String, String)>, headers: &HeaderMap) -> Result<Format, BadParameter> {
    let Some(position) = given.iter().position(|(name, _)| name == "format") else {
        let accept = headers.get(header::ACCEPT).and_then(|accept| accept.to_str().ok()).unwrap_or_default();
        return Ok(if accept.trim_start().starts_with("text/csv") { Format::Csv } else { Format::Json });
    };
    let (name, value) = given.remove(position);
    match value.as_str() {
        "json" => Ok(Format::Json),
        "csv" => Ok(Format::Csv),
        _ => Err(BadParameter::new(&name, Some(&value), "json or csv")),
    }
}
