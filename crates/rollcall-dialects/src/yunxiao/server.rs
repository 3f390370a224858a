//! The routes, and what is checked before a report is asked: token, organization, scope, rate, parameters, department.

use super::errors::{Refusal, json};
use super::paging::{Asker, Lists, Page};
use super::wire::{BASE, Department, Organization, User, header};
use super::{Scope, Token, params, render, token};
use crate::kept::OnlyOnce;
use crate::rate::PerMinute;
use crate::site::Channel;
use crate::work::Task;
use crate::{Dialect, Site, Tenant};
use axum::extract::{FromRequestParts, Path, Request, State};
use axum::middleware::{Next, from_fn};
use axum::response::Response;
use axum::routing::{any, get};
use http::request::Parts;
use http::{HeaderMap, HeaderName, HeaderValue, StatusCode, Uri};
use jiff::civil::Date;
use rollcall_model::reports::{DepartmentDays, DeveloperDays, RowKey, RowKeys};
use rollcall_model::{Calendar, Directory, Millis, OrgId, ReportError, Reports};
use serde::Serialize;
use std::convert::Infallible;
use std::sync::Arc;
use uuid::Uuid;

/// The dialect.
#[derive(Debug)]
pub struct Yunxiao;

impl Dialect for Yunxiao {
    fn name(&self) -> &'static str {
        "yunxiao"
    }

    fn is_configured(&self) -> fn(&Tenant) -> bool {
        |tenant| !tenant.yunxiao.tokens.is_empty()
    }

    /// Owns everything under `/oapi/`: unknown paths and methods there are refused in the API's shape.
    fn routes(&self, site: Arc<Site>) -> axum::Router {
        let server = Arc::new(Server { site, lists: Lists::default(), limits: PerMinute::default() });
        let other = || any(async |asked: Asked| Refusal::Path.answer(&asked.request_id));
        let method = async |asked: Asked| Refusal::Method.answer(&asked.request_id);
        let lingma = format!("{BASE}/lingma/organizations/{{organization}}");
        let platform = format!("{BASE}/platform");
        axum::Router::new()
            .route(&format!("{lingma}/departmentUsage"), get(department_usage).fallback(method))
            .route(&format!("{lingma}/developerUsage"), get(developer_usage).fallback(method))
            .route(&format!("{platform}/user"), get(user).fallback(method))
            .route(&format!("{platform}/organizations"), get(organizations).fallback(method))
            .route(&format!("{platform}/organizations/{{organization}}/departments"), get(departments).fallback(method))
            .route("/oapi", other())
            .route("/oapi/", other())
            .route("/oapi/{*rest}", other())
            .layer(from_fn(with_request_id))
            .with_state(server)
    }
}

struct Server {
    site: Arc<Site>,
    lists: Lists,
    /// By the hash of the token.
    limits: PerMinute<[u8; 32]>,
}

/// What is looked at of a request.
struct Asked {
    channel: Channel,
    headers: HeaderMap,
    uri: Uri,
    /// The organization in the path, where it is text.
    organization: Option<String>,
    request_id: String,
}

/// The id of a request, put among its extensions.
#[derive(Debug, Clone)]
struct RequestId(String);

impl<S: Send + Sync> FromRequestParts<S> for Asked {
    type Rejection = Infallible;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Infallible> {
        let organization = Path::<String>::from_request_parts(parts, state).await.ok().map(|Path(organization)| organization);
        Ok(Self {
            channel: parts.extensions.get().copied().unwrap_or_default(),
            headers: parts.headers.clone(),
            uri: parts.uri.clone(),
            organization,
            request_id: parts.extensions.get().map(|RequestId(id)| id.clone()).unwrap_or_default(),
        })
    }
}

/// Gives the request an id, and every response the header with it.
async fn with_request_id(mut request: Request, next: Next) -> Response {
    let id = Uuid::new_v4().to_string();
    request.extensions_mut().insert(RequestId(id.clone()));
    let mut response = next.run(request).await;
    if let Ok(value) = HeaderValue::try_from(id) {
        response.headers_mut().insert(HeaderName::from_static(header::REQUEST_ID), value);
    }
    response
}

async fn department_usage(State(server): State<Arc<Server>>, asked: Asked) -> Response {
    server.department_usage(&asked).await.unwrap_or_else(|refusal| refusal.answer(&asked.request_id))
}

async fn developer_usage(State(server): State<Arc<Server>>, asked: Asked) -> Response {
    server.developer_usage(&asked).await.unwrap_or_else(|refusal| refusal.answer(&asked.request_id))
}

async fn user(State(server): State<Arc<Server>>, asked: Asked) -> Response {
    server.user(&asked).unwrap_or_else(|refusal| refusal.answer(&asked.request_id))
}

async fn organizations(State(server): State<Arc<Server>>, asked: Asked) -> Response {
    server.organizations(&asked).unwrap_or_else(|refusal| refusal.answer(&asked.request_id))
}

async fn departments(State(server): State<Arc<Server>>, asked: Asked) -> Response {
    server.departments(&asked).await.unwrap_or_else(|refusal| refusal.answer(&asked.request_id))
}

impl Server {
    async fn department_usage(self: &Arc<Self>, asked: &Asked) -> Result<Response, Refusal> {
        let (tenants, now) = (self.site.tenants(), (self.site.clock)());
        let (tenant, token) = self.admit_to(&tenants, asked, Scope::DepartmentUsage)?;
        let (question, page) = params::department_usage(&asked.uri)?;
        let (org, ask) = (tenant.organization.id, question.of_departments(tenant, now));
        let calendar = Calendar::new(tenant.organization.zone.clone());
        let (server, asker) = (self.clone(), Asker { organization: org, token: *token.secret.hash(), question });
        let asked_for = first(page, "departments", &ask);
        let work = move |reports: &dyn Reports| {
            let rows_of = |only| {
                let answer = reports.department_days(org, &DepartmentDays { only: Some(only), ..ask.clone() })?;
                Ok(answer.rows.into_iter().map(|row| render::department(&calendar, row)).collect())
            };
            server.page(asker, page, now, || reports.department_rows(org, &ask), rows_of)
        };
        self.site.answer(task(org, asked), asked_for, work).await
    }

    async fn developer_usage(self: &Arc<Self>, asked: &Asked) -> Result<Response, Refusal> {
        let (tenants, now) = (self.site.tenants(), (self.site.clock)());
        let (tenant, token) = self.admit_to(&tenants, asked, Scope::DeveloperUsage)?;
        let (question, page) = params::developer_usage(&asked.uri)?;
        let (org, ask) = (tenant.organization.id, question.of_developers(tenant, now));
        let calendar = Calendar::new(tenant.organization.zone.clone());
        let (server, asker) = (self.clone(), Asker { organization: org, token: *token.secret.hash(), question });
        let asked_for = first(page, "developers", &ask);
        let work = move |reports: &dyn Reports| {
            let rows_of = |only| {
                let answer = reports.developer_days(org, &DeveloperDays { only: Some(only), ..ask.clone() })?;
                Ok(answer.rows.into_iter().map(|row| render::developer(&calendar, row)).collect())
            };
            server.page(asker, page, now, || reports.developer_rows(org, &ask), rows_of)
        };
        self.site.answer(task(org, asked), asked_for, work).await
    }

    /// Any token says whose it is: clients try it first.
    fn user(&self, asked: &Asked) -> Result<Response, Refusal> {
        let tenants = self.site.tenants();
        let (tenant, token) = self.admit(&tenants, asked)?;
        self.count(tenant, token)?;
        let name = || token.name.clone();
        Ok(json(StatusCode::OK, &User { id: name(), name: name(), last_organization: token::organization_id(tenant) }))
    }

    /// Any token says what its organization is.
    fn organizations(&self, asked: &Asked) -> Result<Response, Refusal> {
        let tenants = self.site.tenants();
        let (tenant, token) = self.admit(&tenants, asked)?;
        self.count(tenant, token)?;
        let page = params::page(&asked.uri)?;
        let (id, name) = (token::organization_id(tenant), tenant.organization.name.clone());
        Ok(paged_of(page, &[Organization { id, name, description: String::new() }]))
    }

    async fn departments(&self, asked: &Asked) -> Result<Response, Refusal> {
        let tenants = self.site.tenants();
        let (tenant, _) = self.admit_to(&tenants, asked, Scope::Organization)?;
        let (parent, page) = params::departments(&asked.uri)?;
        let (org, organization_id) = (tenant.organization.id, token::organization_id(tenant));
        let today = tenant.organization.day_of((self.site.clock)());
        let work = move |reports: &dyn Reports| {
            let directory = reports.directory(org)?;
            Ok(paged_of(page, &departments_of(&directory, today, &organization_id, parent.as_deref())?))
        };
        self.site.work(task(org, asked), work).await
    }

    /// Whose token the request carries, if it is a good one.
    fn admit<'t>(&self, tenants: &'t [Tenant], asked: &Asked) -> Result<(&'t Tenant, &'t Token), Refusal> {
        if !asked.channel.carries_credentials {
            return Err(Refusal::PlainText);
        }
        token::find(tenants, &asked.headers, (self.site.clock)())
    }

    /// The same, for what is an organization's and needs a scope.
    fn admit_to<'t>(&self, tenants: &'t [Tenant], asked: &Asked, scope: Scope) -> Result<(&'t Tenant, &'t Token), Refusal> {
        let (tenant, token) = self.admit(tenants, asked)?;
        token::check_organization(tenant, asked.organization.as_deref())?;
        token::check_scope(token, scope)?;
        self.count(tenant, token)?;
        Ok((tenant, token))
    }

    /// Counts the request against the rate of its token.
    fn count(&self, tenant: &Tenant, token: &Token) -> Result<(), Refusal> {
        let limit = tenant.yunxiao.requests_per_minute;
        self.limits.admit(*token.secret.hash(), limit, (self.site.clock)()).map_err(Refusal::Frequency)
    }

    /// One page of a question, cut from the list that its first page was cut from.
    fn page<R: Serialize>(
        &self,
        asker: Asker,
        page: Page,
        now: Millis,
        keys_of: impl FnOnce() -> Result<RowKeys, ReportError>,
        rows_of: impl FnOnce(Vec<RowKey>) -> Result<Vec<R>, ReportError>,
    ) -> Result<Response, Refusal> {
        let remembered = if page.number == 1 { None } else { self.lists.find(&asker, now) };
        let is_new = remembered.is_none();
        let keys = remembered.map_or_else(|| keys_of().map(Arc::new), Ok)?;
        let (skip, take) = page.cut();
        let only = keys.page(skip, take);
        let rows = if only.is_empty() { Vec::new() } else { rows_of(only)? };
        let mut answer = paged(page, keys.len(), &rows);
        if skip + take < keys.len() {
            // Whoever asks for it gets the next pages of the same list.
            answer.extensions_mut().insert(OnlyOnce);
        }
        if is_new {
            self.lists.remember(asker, keys, now);
        }
        Ok(answer)
    }
}

/// A question whose answer may be kept: one for the first page, which those after it are cut like.
fn first(page: Page, what: &str, ask: &impl std::fmt::Debug) -> Option<String> {
    (page.number == 1).then(|| format!("{what} {page:?} {ask:?}"))
}

fn task(organization: OrgId, asked: &Asked) -> Task<'_> {
    Task { api: Yunxiao.name(), organization, request_id: Some(&asked.request_id) }
}

/// The departments of a day, or those right below one of them.
fn departments_of(directory: &Directory, day: Date, organization_id: &str, parent: Option<&str>) -> Result<Vec<Department>, Refusal> {
    let tree = directory.tree_on(day);
    if let Some(parent) = parent.filter(|parent| !tree.contains(parent)) {
        return Err(Refusal::unknown_department(parent));
    }
    let asked_for = tree.departments().iter().filter(|department| parent.is_none() || department.parent_id.as_deref() == parent);
    let rendered = asked_for.map(|department| Department {
        has_sub: tree.has_below(&department.id),
        id: department.id.clone(),
        name: department.name.clone(),
        organization_id: organization_id.into(),
        parent_id: department.parent_id.clone(),
    });
    Ok(rendered.collect())
}

/// A page of all rows.
fn paged_of<R: Serialize>(page: Page, all: &[R]) -> Response {
    let (skip, take) = page.cut();
    let rows: Vec<&R> = all.iter().skip(skip).take(take).collect();
    paged(page, all.len(), &rows)
}

fn paged(page: Page, total: usize, rows: &impl Serialize) -> Response {
    let mut response = json(StatusCode::OK, rows);
    page.tell(total, response.headers_mut());
    response
}
