//! The routes, and what is checked before the report is asked: who asks, what, and how often (wire, Order of checks).

use super::access::{Signed, find};
use super::errors::{Refusal, json, shown};
use super::limits::Limits;
use super::wire::{ACTION, Dimension, Envelope, ResponseMetadata, SERVICE, Version, parameter};
use super::{Settings, params, render};
use crate::gate::Gate;
use crate::work::Task;
use crate::{Dialect, Site, Tenant};
use axum::Router;
use axum::body::{Body, Bytes, HttpBody};
use axum::extract::{Request, State};
use axum::middleware::{Next, from_fn_with_state};
use axum::response::Response;
use axum::routing::any;
use http::request::Parts;
use http::{Method, StatusCode, header};
use rollcall_model::Reports;
use rollcall_model::reports::UsersByPlace;
use std::future::poll_fn;
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

/// The largest body.
const LARGEST_BODY: usize = 64 * 1024;
/// How long it may take to arrive.
const BODY_TIME: Duration = Duration::from_secs(30);

/// The dialect.
#[derive(Debug)]
pub struct Volcengine;

impl Dialect for Volcengine {
    fn name(&self) -> &'static str {
        "volcengine"
    }

    fn is_configured(&self) -> fn(&Tenant) -> bool {
        |tenant| !tenant.volcengine.access_keys.is_empty()
    }

    fn routes(&self, site: Arc<Site>) -> Router {
        self.mount(Router::new(), site)
    }

    /// Owns everything under `/volcengine`. The official clients know no path but `/`, which belongs to nobody: there it answers what is plainly
    /// meant for it. The query says what is asked; the path is only signed.
    fn mount(&self, router: Router, site: Arc<Site>) -> Router {
        let server = Arc::new(Server { site, limits: Limits::default() });
        let paths = ["/volcengine", "/volcengine/", "/volcengine/{*rest}"];
        let routes = paths.iter().fold(Router::new(), |routes, path| routes.route(path, any(answer)));
        let gate = Gate::new(server.site.clone(), self.is_configured(), &router);
        router.merge(gate.before(routes.with_state(server.clone()))).layer(from_fn_with_state((server, gate), at_root))
    }
}

async fn at_root(State((server, gate)): State<(Arc<Server>, Gate)>, request: Request, next: Next) -> Response {
    let is_ours = request.uri().path() == "/" && is_meant(&request) && gate.is_open();
    if is_ours { answer(State(server), request).await } else { next.run(request).await }
}

/// Whether a request at `/` is for this dialect.
fn is_meant(request: &Request) -> bool {
    let begins = |name, with: &str| {
        let value = request.headers().get(name);
        value.is_some_and(|value| value.as_bytes().get(..with.len()).is_some_and(|begin| begin.eq_ignore_ascii_case(with.as_bytes())))
    };
    let query = request.uri().query().unwrap_or_default();
    query.split('&').any(|pair| pair.split('=').next() == Some(parameter::ACTION))
        || begins(header::AUTHORIZATION, super::signature::ALGORITHM)
        || begins(header::HOST, "rtc.")
}

struct Server {
    site: Arc<Site>,
    limits: Limits,
}

async fn answer(State(server): State<Arc<Server>>, request: Request) -> Response {
    let (parts, body) = request.into_parts();
    let mut metadata = ResponseMetadata { request_id: server.site.request_id(), ..ResponseMetadata::default() };
    match server.serve(&parts, body, &mut metadata).await {
        Ok(answer) => answer,
        Err(refusal) => refusal.answer(metadata),
    }
}

impl Server {
    /// Fills the metadata as far as the request can be read.
    async fn serve(&self, parts: &Parts, body: Body, metadata: &mut ResponseMetadata) -> Result<Response, Refusal> {
        let request = Signed::new(parts)?;
        let given = |name| request.query.get(name).filter(|value| !value.is_empty()).ok_or(Refusal::MissingParameter(name));
        let action = given(parameter::ACTION)?;
        metadata.action = Some(shown(&action));
        let version = given(parameter::VERSION)?;
        metadata.version = Some(shown(&version));
        let claim = request.claim()?;
        metadata.service = Some(SERVICE.into());
        metadata.region = Some(shown(&claim.credential.scope.region));

        let (tenants, now) = (self.site.tenants(), (self.site.clock)());
        let id = &claim.credential.access_key;
        let found = find(&tenants, id);
        // Nobody's key is held to the usual clock.
        let usual = Settings::default();
        let date = request.date(&claim, found.map_or(&usual, |(tenant, _)| &tenant.volcengine), now)?;
        let (tenant, key) = found.ok_or_else(|| Refusal::AccessKey(id.clone()))?;
        if request.has_session_token() {
            return Err(Refusal::SessionToken(id.clone()));
        }
        let body = receive(body).await?;
        request.verify(&claim, &date, &key.secret, &body)?;

        if action != ACTION || Version::from_name(&version).is_none() {
            return Err(Refusal::Operation { action: action.into_owned(), version: version.into_owned() });
        }
        if parts.method != Method::POST {
            return Err(Refusal::Method);
        }
        self.limits.admit(tenant.organization.id, tenant.volcengine.requests_per_second, now)?;
        let (question, dimension) = params::question(&body, tenant, now)?;
        self.distribution(tenant, question, dimension, metadata.clone()).await
    }

    async fn distribution(
        &self,
        tenant: &Tenant,
        ask: UsersByPlace,
        dimension: Dimension,
        metadata: ResponseMetadata,
    ) -> Result<Response, Refusal> {
        let (organization, show_unknown, request_id) =
            (tenant.organization.id, tenant.volcengine.show_unknown, metadata.request_id.clone());
        let work = move |reports: &dyn Reports| {
            // A range before or after all facts that can be.
            let rows = if ask.range.is_empty() { Vec::new() } else { reports.users_by_place(organization, &ask)?.rows };
            let result = Some(render::distribution(&rows, dimension, show_unknown));
            Ok(json(StatusCode::OK, &Envelope { response_metadata: metadata, result }))
        };
        self.site.work(Task { api: Volcengine.name(), organization, request_id: Some(&request_id) }, work).await
    }
}

/// Reads a body, within its limits.
async fn receive(body: Body) -> Result<Vec<u8>, Refusal> {
    let incomplete = || Refusal::MissingInfo("body");
    tokio::time::timeout(BODY_TIME, collect(body))
        .await
        .map_err(|_| incomplete())?
        .map_err(|_| incomplete())?
        .ok_or_else(|| Refusal::Service("InvalidParameter.SizeOverLimit", format!("The request body is larger than {LARGEST_BODY} bytes.")))
}

/// None: it is too large.
async fn collect(mut body: Body) -> Result<Option<Vec<u8>>, axum::Error> {
    let mut collected = Vec::new();
    while let Some(frame) = poll_fn(|context| Pin::new(&mut body).poll_frame(context)).await {
        let data: Bytes = frame?.into_data().unwrap_or_default();
        if collected.len() + data.len() > LARGEST_BODY {
            return Ok(None);
        }
        collected.extend_from_slice(&data);
    }
    Ok(Some(collected))
}
