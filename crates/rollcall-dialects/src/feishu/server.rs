//! The routes, and what is checked before a report is asked: credential, rate, parameters.

use super::errors::{Refusal, json, not_found};
use super::wire::{DAILY_PATH, Empty, TOKEN_PATH, TOP_USER_PATH, TokenRequest, TokenResponse, code};
use super::{App, params, render, token};
use crate::guesses::Who;
use crate::rate::PerMinute;
use crate::site::Channel;
use crate::work::Task;
use crate::{Dialect, FailedSignIn, Site, Tenant};
use axum::body::Body;
use axum::extract::{Extension, Request, State};
use axum::middleware::{Next, from_fn_with_state};
use axum::response::Response;
use axum::routing::{any, get, post};
use http::{HeaderMap, HeaderValue, StatusCode, Uri, header};
use rollcall_model::{Millis, OrgId, Reports};
use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

/// The largest body of a token request.
const LARGEST_BODY: usize = 64 * 1024;
/// How long it may take to arrive.
const BODY_TIME: Duration = Duration::from_secs(30);
/// The longest `app_id`.
const LONGEST_APP_ID: usize = 128;

/// The dialect.
#[derive(Debug)]
pub struct Feishu;

impl Dialect for Feishu {
    fn name(&self) -> &'static str {
        "feishu"
    }

    fn is_configured(&self) -> fn(&Tenant) -> bool {
        |tenant| !tenant.feishu.apps.is_empty()
    }

    /// Owns everything under `/open-apis/`: unknown paths and methods there are answered as the vendor's gateway does.
    fn routes(&self, site: Arc<Site>) -> axum::Router {
        let server = Arc::new(Server { site, limits: PerMinute::default() });
        let token = || post(tenant_access_token).fallback(async || not_found());
        axum::Router::new()
            .route(TOKEN_PATH, token())
            .route(&format!("{TOKEN_PATH}/"), token())
            .route(DAILY_PATH, get(get_daily).fallback(async || not_found()))
            .route(TOP_USER_PATH, get(get_top_user).fallback(async || not_found()))
            .route("/open-apis/", any(async || not_found()))
            .route("/open-apis/{*rest}", any(async || not_found()))
            .layer(from_fn_with_state(server.clone(), with_log_id))
            .with_state(server)
    }
}

struct Server {
    site: Arc<Site>,
    /// By application and endpoint.
    limits: PerMinute<(String, Endpoint)>,
}

/// What is limited by itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
enum Endpoint {
    Daily,
    TopUser,
}

/// The id of a request ([`Site::request_id`]).
#[derive(Debug, Clone)]
struct LogId(String);

/// Gives the request an id, and every response the header with it.
async fn with_log_id(State(server): State<Arc<Server>>, mut request: Request, next: Next) -> Response {
    let log_id = LogId(server.site.request_id());
    request.extensions_mut().insert(log_id.clone());
    let mut response = next.run(request).await;
    if let Ok(value) = HeaderValue::try_from(log_id.0) {
        response.headers_mut().insert(super::wire::LOG_ID_HEADER, value);
    }
    response
}

async fn tenant_access_token(State(server): State<Arc<Server>>, channel: Option<Extension<Channel>>, body: Body) -> Response {
    // The content type is not looked at: one official client sends none.
    // A body that is too large, or does not come in time, is as good as none.
    let body = tokio::time::timeout(BODY_TIME, axum::body::to_bytes(body, LARGEST_BODY)).await;
    let body = body.ok().and_then(Result::ok).unwrap_or_default();
    let asked = serde_json::from_slice::<TokenRequest>(&body).ok().filter(|asked| !asked.app_secret.is_empty());
    match asked {
        Some(asked) => server.sign_in(&asked, channel.and_then(|Extension(channel)| channel.client)),
        None => no_token(code::INVALID_PARAM, Some(Empty {}), "invalid param"),
    }
}

/// The answer without a token, which has the status of one with it.
fn no_token(code: i64, data: Option<Empty>, msg: &str) -> Response {
    json(StatusCode::OK, &TokenResponse { code, data, expire: None, msg: msg.into(), tenant_access_token: None })
}

/// Whether a text that is no configured `app_id` could be one.
fn is_app_id(text: &str) -> bool {
    (1..=LONGEST_APP_ID).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"_-".contains(&byte))
}

async fn get_daily(State(server): State<Arc<Server>>, Extension(log_id): Extension<LogId>, uri: Uri, headers: HeaderMap) -> Response {
    server.daily(&uri, &headers, &log_id).await.unwrap_or_else(|refusal| refusal.answer(&log_id.0))
}

async fn get_top_user(State(server): State<Arc<Server>>, Extension(log_id): Extension<LogId>, uri: Uri, headers: HeaderMap) -> Response {
    server.top_user(&uri, &headers, &log_id).await.unwrap_or_else(|refusal| refusal.answer(&log_id.0))
}

impl Server {
    /// The token of an application, if the secret is its own. Guesses at it are limited by application and address.
    fn sign_in(&self, TokenRequest { app_id, app_secret }: &TokenRequest, client: Option<IpAddr>) -> Response {
        let (tenants, now) = (self.site.tenants(), (self.site.clock)());
        let found = token::find(&tenants, app_id);
        if found.is_none() && !is_app_id(app_id) {
            return no_token(code::INVALID_PARAM, Some(Empty {}), "invalid param");
        }
        let failed = |reason| FailedSignIn { api: "feishu", name: app_id.clone(), reason };
        let guesses = &self.site.guesses;
        let attempt = match guesses.attempt(Who { api: "feishu", name: app_id, client, is_chosen: false }, now) {
            Ok(attempt) => attempt,
            Err(seconds) => {
                let refusal = Refusal::Frequency { limit: guesses.limits().failures, reset: seconds.into() };
                return failed(FailedSignIn::TOO_MANY).told_by(refusal.answer(""));
            }
        };
        let Some((tenant, app)) = found else {
            return failed("no such application").told_by(no_token(code::APP, None, "app id not exists"));
        };
        if !app.secret.matches(app_secret) {
            return failed("another secret").told_by(no_token(code::APP, None, "app secret invalid"));
        }
        guesses.succeeded(attempt, now);
        let issued = token::issue(&self.site.signing_key, tenant.organization.id, app, now);
        let (expire, token) = (Some(issued.expire), Some(issued.token));
        json(StatusCode::OK, &TokenResponse { code: code::SUCCESS, data: None, expire, msg: "ok".into(), tenant_access_token: token })
    }

    async fn daily(&self, uri: &Uri, headers: &HeaderMap, log_id: &LogId) -> Result<Response, Refusal> {
        let (tenants, now) = (self.site.tenants(), (self.site.clock)());
        let tenant = self.admit(&tenants, headers, Endpoint::Daily, now)?;
        let (org, ask) = (tenant.organization.id, params::daily(uri, tenant, now)?);
        let quoted = !tenant.feishu.numbers_as_numbers;
        let asked = format!("daily {ask:?} {quoted}");
        let work = move |reports: &dyn Reports| {
            // A range that begins after today has no day to ask for.
            let rows = if ask.range.is_empty() { Vec::new() } else { reports.meeting_days(org, &ask)?.rows };
            Ok(json(StatusCode::OK, &render::daily(&rows, quoted)))
        };
        self.site.answer(task(org, log_id), Some(asked), work).await
    }

    async fn top_user(&self, uri: &Uri, headers: &HeaderMap, log_id: &LogId) -> Result<Response, Refusal> {
        let (tenants, now) = (self.site.tenants(), (self.site.clock)());
        let tenant = self.admit(&tenants, headers, Endpoint::TopUser, now)?;
        let (org, (ask, id_type)) = (tenant.organization.id, params::top_user(uri, tenant, now)?);
        let quoted = !tenant.feishu.numbers_as_numbers;
        let asked = format!("top users {ask:?} {id_type:?} {quoted}");
        let work = move |reports: &dyn Reports| {
            let rows = if ask.range.is_empty() { Vec::new() } else { reports.top_users(org, &ask)?.rows };
            Ok(json(StatusCode::OK, &render::top_user(rows, id_type, quoted)?))
        };
        self.site.answer(task(org, log_id), Some(asked), work).await
    }

    /// The tenant whose credential the request carries, if its application may ask now.
    fn admit<'t>(&self, tenants: &'t [Tenant], headers: &HeaderMap, endpoint: Endpoint, now: Millis) -> Result<&'t Tenant, Refusal> {
        let (tenant, app) = self.authorize(tenants, headers, now)?;
        let limit = tenant.feishu.requests_per_minute;
        self.limits.admit((app.app_id.clone(), endpoint), limit, now).map_err(|reset| Refusal::Frequency { limit, reset })?;
        Ok(tenant)
    }

    fn authorize<'t>(&self, tenants: &'t [Tenant], headers: &HeaderMap, now: Millis) -> Result<(&'t Tenant, &'t App), Refusal> {
        let token = headers.get(header::AUTHORIZATION).and_then(|value| value.to_str().ok()?.strip_prefix("Bearer "));
        match token.map(str::trim) {
            None | Some("") => Err(Refusal::MissingToken),
            Some(token) if token.starts_with("t-") => {
                token::verify(&self.site.signing_key, tenants, token, now).ok_or(Refusal::TenantToken)
            }
            // The gateway takes a bare JWT for a user token; neither report takes one.
            Some(token) if token.starts_with("u-") || token.starts_with("eyJ") => Err(Refusal::UserToken),
            Some(_) => Err(Refusal::MalformedToken),
        }
    }
}

fn task(organization: OrgId, LogId(log_id): &LogId) -> Task<'_> {
    Task { api: Feishu.name(), organization, request_id: Some(log_id) }
}
