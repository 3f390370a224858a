//! `GET /v1/reports/NAME`: every report, as JSON, CSV or XLSX, with what it covers.

use super::credentials::Caller;
use super::negotiate::{self, BOM};
use super::refusal::Refusal;
use super::request_id::RequestId;
use super::state::App;
use super::tags;
use crate::problem::Kind;
use crate::reports::{self, BadParameter, Bounds, Document, Report};
use axum::extract::{Query, State};
use axum::response::{AppendHeaders, IntoResponse, Response};
use axum::{Extension, extract};
use http::{HeaderMap, HeaderName, Uri, header};
use rollcall_dialects::work::Task;
use rollcall_engine::access::Scope;
use rollcall_model::{Calendar, OrgId, Quarter, Reports};
use std::sync::Arc;
use url::form_urlencoded;

/// What an answer covers, as one line of JSON, where its format has no place for it.
const COVERS: HeaderName = HeaderName::from_static("x-rollcall-covers");

/// How an answer is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Format {
    Json,
    Csv,
    Xlsx,
}

/// The formats of reports.
pub const FORMATS: &[negotiate::Format<Format>] = &[
    ("json", "application/json", Format::Json),
    ("csv", "text/csv; charset=utf-8", Format::Csv),
    ("xlsx", "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet", Format::Xlsx),
];

/// What is known of a request before a report looks at it.
pub type Request = (State<Arc<App>>, Caller, Extension<RequestId>, Uri, HeaderMap);

/// `GET /v1/reports/{name}`: a report by another spelling of its name, or that there is none.
pub async fn named(
    app: State<Arc<App>>,
    name: Result<extract::Path<String>, extract::rejection::PathRejection>,
    caller: Caller,
    id: Extension<RequestId>,
    uri: Uri,
    headers: HeaderMap,
) -> Result<Response, Refusal> {
    let extract::Path(name) = name.map_err(|error| Refusal::bad_request(error.body_text()))?;
    let report = reports::find(&name).map_err(|message| Refusal::of(Kind::NOT_FOUND, message))?;
    self::report(report, (app, caller, id, uri, headers)).await
}

/// A report.
pub async fn report(report: &'static dyn Report, request: Request) -> Result<Response, Refusal> {
    let (State(app), caller, Extension(request_id), uri, headers) = request;
    let (live, organization) = (&caller.live, &caller.organization);
    let mut given = parameters(&uri)?;
    let (content_type, format) = negotiate::format(&mut given, &headers, FORMATS)?;
    let with_bom = negotiate::bom(&mut given, format == Format::Csv)?;
    let names_people = report.names_people() || given.iter().any(|(name, _)| name == "user");
    caller.check(if names_people { &[Scope::ReadPeople] } else { &[Scope::Read] })?;
    let bounds = Bounds { days: live.limits.report_days, rows: live.limits.report_rows };
    let question = reports::question(report, &given, organization, bounds)?;
    let limit = Limit::of(&caller, report, &given)?;
    let (org, most_cells, path) = (organization.id, live.limits.xlsx_cells, uri.path().to_owned());
    // Days and hours end on quarter hours: until the next one an answer tells the same of itself.
    let now = Quarter::of(super::now()).start();
    let asked = format!("{} {now} {given:?} {format:?} {with_bom} {:?} {bounds:?} {limit:?}", report.name(), organization.zone);
    let work = move |reports: &dyn Reports| {
        if let Some(limit) = limit {
            limit.check(reports, org)?;
        }
        // What came meanwhile is in the answer, and told of the next time.
        let completeness = reports.completeness(org, now)?;
        let document = question(reports, org)?.with_completeness(&completeness, now);
        let types = [(header::CONTENT_TYPE, content_type)];
        let next = document.next().map(|cursor| (header::LINK, next_page(&path, &given, cursor)));
        let answer = match format {
            Format::Json => (types, document.json()).into_response(),
            Format::Csv => {
                let csv = if with_bom { [BOM, &document.csv()].concat() } else { document.csv() };
                (types, [(COVERS, document.covers_json())], csv).into_response()
            }
            Format::Xlsx => (types, xlsx(&document, most_cells)?).into_response(),
        };
        Ok((AppendHeaders(next), answer).into_response())
    };
    let task = Task { api: "native", organization: org, request_id: Some(request_id.as_str()) };
    tags::answer(&app, org, &headers, &asked, app.site.answer(task, Some(asked.clone()), work)).await
}

/// The link to the next page: the same question, and where it goes on.
fn next_page(path: &str, given: &[(String, String)], cursor: &str) -> String {
    let others = given.iter().filter(|(name, _)| name != "cursor").map(|(name, value)| (name.as_str(), value.as_str()));
    let query = form_urlencoded::Serializer::new(String::new()).extend_pairs(others).append_pair("cursor", cursor).finish();
    format!("<{path}?{query}>; rel=\"next\"")
}

/// What a key of one department may ask.
#[derive(Debug)]
struct Limit {
    /// The department of the key.
    own: String,
    /// The one that is asked for.
    asked: String,
    /// The day whose tree says what is below.
    today: jiff::civil::Date,
}

impl Limit {
    fn of(caller: &Caller, report: &dyn Report, given: &[(String, String)]) -> Result<Option<Self>, Refusal> {
        let Some(own) = &caller.department else { return Ok(None) };
        let refused = |why: String| Err(Refusal::of(Kind::OUTSIDE_DEPARTMENT, format!("the key is of the department {own}: {why}")));
        if !report.own_parameters().contains(&"department") {
            return refused(format!("{} has no departments", report.name()));
        }
        let Some((_, asked)) = given.iter().find(|(name, _)| name == "department") else {
            return refused(format!("say department={own}, or one below it"));
        };
        let today = Calendar::new(caller.organization.zone.clone()).date_of(super::now());
        Ok(Some(Self { own: own.clone(), asked: asked.clone(), today }))
    }

    fn check(&self, reports: &dyn Reports, org: OrgId) -> Result<(), Refusal> {
        let Self { own, asked, today } = self;
        let directory = reports.directory(org)?;
        // A department that is gone has nothing below it, not even itself.
        let tree = directory.tree_on(*today);
        if tree.contains(own) && tree.subtree(own).contains(&asked.as_str()) {
            return Ok(());
        }
        let detail = format!("the key is of the department {own}: {asked} is not below it today");
        Err(Refusal::of(Kind::OUTSIDE_DEPARTMENT, detail))
    }
}

fn xlsx(document: &Document, most_cells: u64) -> Result<Vec<u8>, Refusal> {
    let cells = document.cells();
    if most_cells > 0 && cells > most_cells {
        let expected = format!("csv or json: of {cells} cells no more than {most_cells} are written as xlsx (limits.xlsx_cells)");
        return Err(BadParameter::new("format", Some("xlsx"), expected).into());
    }
    document.xlsx().map_err(|error| Refusal::internal(&error))
}

/// The parameters of a query. Read only once the credential is known to be good: there may be thousands.
pub(super) fn parameters(uri: &Uri) -> Result<Vec<(String, String)>, Refusal> {
    Query::try_from_uri(uri).map(|Query(given)| given).map_err(|error| Refusal::bad_request(error.body_text()))
}

/// Work for a native route.
pub(super) fn task(organization: OrgId) -> Task<'static> {
    Task { api: "native", organization, request_id: None }
}
