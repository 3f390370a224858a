//! The service: what is checked, in which order, and what is answered (wire, Order of checks).

use super::access::Access;
use super::answers::Admitted;
use super::errors::Refusal;
use super::negotiate::{Format, Payload, choose, for_refusal};
use super::options::Options;
use super::path::{Resource, behind_service, resource};
use super::time_zone;
use super::versions::Versions;
use super::wire::{SERVICE, SERVICE_VERSION, Set, header as names};
use crate::site::Channel;
use crate::work::Task;
use crate::{Dialect, Site, Tenant};
use axum::extract::{Request, State};
use axum::response::{IntoResponse, Response};
use axum::routing::any;
use http::request::Parts;
use http::{HeaderMap, HeaderValue, Method, StatusCode, header};
use jiff::tz::TimeZone;
use std::sync::Arc;
use tracing::Instrument;

/// The dialect.
#[derive(Debug)]
pub struct Office365;

impl Dialect for Office365 {
    fn name(&self) -> &'static str {
        "office365"
    }

    fn is_configured(&self) -> fn(&Tenant) -> bool {
        |tenant| !tenant.office365.users.is_empty()
    }

    /// Owns everything under `/ecp/`, in any case: routes are compared byte by byte, the service's path is not.
    fn routes(&self, site: Arc<Site>) -> axum::Router {
        let server = Arc::new(Server { access: Access::new(site.clone()), site });
        let spellings = ["ecp", "ecP", "eCp", "eCP", "Ecp", "EcP", "ECp", "ECP"];
        let paths = spellings.iter().flat_map(|ecp| ["", "/", "/{*rest}"].map(|rest| format!("/{ecp}{rest}")));
        paths.fold(axum::Router::new(), |router, path| router.route(&path, any(answer))).with_state(server)
    }
}

struct Server {
    site: Arc<Site>,
    access: Arc<Access>,
}

async fn answer(State(server): State<Arc<Server>>, request: Request) -> Response {
    let (parts, _) = request.into_parts();
    let request_id = uuid::Uuid::new_v4().to_string();
    let mut response = match behind_service(parts.uri.path()) {
        Some(behind) => server.serve(&parts, behind, &request_id).await.unwrap_or_else(|refusal| refusal.answer(|| words(&parts))),
        None => StatusCode::NOT_FOUND.into_response(),
    };
    common_headers(response.headers_mut(), request_id);
    response
}

/// The format of a refusal, as far as the request can be read.
fn words(parts: &Parts) -> Format {
    let options = options(parts);
    let format = options.as_ref().ok().and_then(|options| options.get("$format"));
    for_refusal(format, accept(&parts.headers).as_deref(), &Versions::of(&parts.headers).unwrap_or_default())
}

/// Those that every answer has (wire section 1.8).
fn common_headers(headers: &mut HeaderMap, request_id: String) {
    for (name, value) in [
        (names::SERVICE_VERSION, SERVICE_VERSION),
        ("cache-control", "no-cache, no-store"),
        ("pragma", "no-cache"),
        ("expires", "-1"),
        ("x-content-type-options", "nosniff"),
    ] {
        headers.insert(name, HeaderValue::from_static(value));
    }
    if let Ok(id) = HeaderValue::try_from(request_id) {
        headers.insert(names::REQUEST_ID, id);
    }
}

fn accept(headers: &HeaderMap) -> Option<String> {
    let values: Vec<_> = headers.get_all(header::ACCEPT).iter().filter_map(|value| value.to_str().ok()).collect();
    (!values.is_empty()).then(|| values.join(","))
}

fn options(parts: &Parts) -> Result<Options, Refusal> {
    Options::parse(parts.uri.query().unwrap_or_default())
}

impl Server {
    async fn serve(&self, parts: &Parts, behind: &str, request_id: &str) -> Result<Response, Refusal> {
        let headers = &parts.headers;
        let channel = parts.extensions.get::<Channel>().copied().unwrap_or_default();
        if !channel.carries_credentials {
            return Err(Refusal::PlainText);
        }
        let tenants = self.site.tenants();
        let asking = self.access.admit(&tenants, headers, channel.client);
        let (tenant, user) = asking.instrument(tracing::error_span!("sign-in", request_id)).await?;
        let options = options(parts);
        check_service_version(headers, options.as_ref().ok().and_then(|options| options.get("rws-version")))?;
        let versions = Versions::of(headers)?;
        if parts.method != Method::GET {
            return Err(Refusal::Method);
        }
        let resource = resource(behind)?;
        if resource.set().is_some() && !user.role.reads() {
            return Err(Refusal::Permission);
        }
        let options = options?;
        options.check_names()?;
        let choice = choose(payload(&resource), options.get("$format"), accept(headers).as_deref(), &versions)?;
        let zone = zone(headers)?;
        let base = base(tenant, channel, parts);
        let admitted = Admitted {
            organization: tenant.organization.clone(),
            date_is_start: tenant.office365.date_is_start,
            history_months: tenant.office365.history_months,
            page_size: tenant.office365.page_size,
            sets: if user.role.reads() { &Set::ALL } else { &[] },
            root: format!("{base}{SERVICE}"),
            url: format!("{base}{}", parts.uri.path().trim_end_matches('/')),
            options,
            versions,
            choice,
            zone,
            now: (self.site.clock)(),
        };
        let task = Task { api: Office365.name(), organization: tenant.organization.id, request_id: Some(request_id) };
        let asked = admitted.asked(&resource);
        self.site.answer(task, asked, move |reports| admitted.answer(&resource, reports)).await
    }
}

const fn payload(resource: &Resource) -> Payload {
    match resource {
        Resource::Service => Payload::Service,
        Resource::Metadata => Payload::Metadata,
        Resource::Rows(_) => Payload::Feed,
        Resource::Row(..) => Payload::Entry,
        Resource::Property(..) => Payload::Property,
        Resource::Count(_) | Resource::Value(..) => Payload::Text,
    }
}

/// The service version: in one place at most, and the only one there is.
fn check_service_version(headers: &HeaderMap, parameter: Option<&str>) -> Result<(), Refusal> {
    let header = headers.get(names::SERVICE_VERSION).map(|value| String::from_utf8_lossy(value.as_bytes()));
    match (header, parameter) {
        (Some(_), Some(_)) => Err(Refusal::ServiceVersionTwice),
        (Some(version), None) if version != SERVICE_VERSION => Err(Refusal::ServiceVersion),
        (None, Some(version)) if version != SERVICE_VERSION => Err(Refusal::ServiceVersion),
        _ => Ok(()),
    }
}

fn zone(headers: &HeaderMap) -> Result<TimeZone, Refusal> {
    let Some(value) = headers.get(names::TIME_ZONE) else { return Ok(TimeZone::UTC) };
    let value = String::from_utf8_lossy(value.as_bytes());
    time_zone::parse(&value).ok_or_else(|| Refusal::TimeZone(value.into_owned()))
}

/// Scheme and authority of the URLs in the answer.
fn base(tenant: &Tenant, channel: Channel, parts: &Parts) -> String {
    if let Some(base) = &tenant.office365.public_base_url {
        return base.trim_end_matches('/').into();
    }
    let host = parts.uri.authority().map(|authority| authority.as_str());
    let host = host.or_else(|| parts.headers.get(header::HOST)?.to_str().ok()).unwrap_or("localhost");
    format!("{}://{host}", if channel.is_tls { "https" } else { "http" })
}
