//! The service: what is checked, in which order, and what is answered (wire, Order of checks).

use super::access::Access;
use super::answers::Admitted;
use super::errors::Refusal;
use super::negotiate::{Payload, choose, for_refusal};
use super::options::Options;
use super::path::{Resource, behind_service, resource};
use super::time_zone;
use super::versions::Versions;
use super::wire::{SERVICE, SERVICE_VERSION, Set, header as names};
use crate::site::Channel;
use crate::{Dialect, Site, Tenant};
use axum::extract::{Request, State};
use axum::response::{IntoResponse, Response};
use axum::routing::any;
use http::request::Parts;
use http::{HeaderMap, HeaderValue, Method, StatusCode, header};
use jiff::tz::TimeZone;
use std::sync::Arc;

/// The dialect.
#[derive(Debug)]
pub struct Office365;

impl Dialect for Office365 {
    fn name(&self) -> &'static str {
        "office365"
    }

    /// Owns everything under `/ecp/`, in any case: routes are compared byte by byte, the service's path is not.
    fn routes(&self, site: Arc<Site>) -> axum::Router {
        let server = Arc::new(Server { site, access: Access::new() });
        let spellings = ["ecp", "ecP", "eCp", "eCP", "Ecp", "EcP", "ECp", "ECP"];
        let routes = spellings.iter().fold(axum::Router::new(), |router, ecp| router.route(&format!("/{ecp}/{{*rest}}"), any(answer)));
        routes.with_state(server)
    }
}

struct Server {
    site: Arc<Site>,
    access: Access,
}

/// A request, as far as it can be read without refusing it.
struct Asked<'r> {
    parts: &'r Parts,
    /// The path behind the service.
    behind: &'r str,
    options: Result<&'r Options, Refusal>,
    versions: Result<Versions, Refusal>,
    format: Option<&'r str>,
    accept: Option<&'r str>,
}

async fn answer(State(server): State<Arc<Server>>, request: Request) -> Response {
    let (parts, _) = request.into_parts();
    let Some(behind) = behind_service(parts.uri.path()) else { return StatusCode::NOT_FOUND.into_response() };
    let options = Options::parse(parts.uri.query().unwrap_or_default());
    let (versions, accept) = (Versions::of(&parts.headers), accept(&parts.headers));
    let format = options.as_ref().ok().and_then(|options| options.get("$format"));
    let words = for_refusal(format, accept.as_deref(), versions.as_ref().unwrap_or(&Versions::default()));
    let asked =
        Asked { parts: &parts, behind, options: options.as_ref().map_err(Clone::clone), versions, format, accept: accept.as_deref() };
    let mut response = server.serve(&asked).await.unwrap_or_else(|refusal| refusal.answer(words));
    common_headers(response.headers_mut());
    response
}

/// Those that every answer has (wire section 1.8).
fn common_headers(headers: &mut HeaderMap) {
    for (name, value) in [
        (names::SERVICE_VERSION, SERVICE_VERSION),
        ("cache-control", "no-cache, no-store"),
        ("pragma", "no-cache"),
        ("expires", "-1"),
        ("x-content-type-options", "nosniff"),
    ] {
        headers.insert(name, HeaderValue::from_static(value));
    }
    if let Ok(id) = HeaderValue::try_from(uuid::Uuid::new_v4().to_string()) {
        headers.insert("request-id", id);
    }
}

fn accept(headers: &HeaderMap) -> Option<String> {
    let values: Vec<_> = headers.get_all(header::ACCEPT).iter().filter_map(|value| value.to_str().ok()).collect();
    (!values.is_empty()).then(|| values.join(","))
}

impl Server {
    async fn serve(&self, asked: &Asked<'_>) -> Result<Response, Refusal> {
        let headers = &asked.parts.headers;
        let channel = asked.parts.extensions.get::<Channel>().copied().unwrap_or_default();
        if !channel.carries_credentials {
            return Err(Refusal::PlainText);
        }
        let tenants = self.site.tenants();
        let (tenant, user) = self.access.admit(&tenants, headers).await?;
        check_service_version(headers, asked.options.as_ref().ok().and_then(|options| options.get("rws-version")))?;
        let versions = asked.versions.clone()?;
        if asked.parts.method != Method::GET {
            return Err(Refusal::Method);
        }
        let resource = resource(asked.behind)?;
        if resource.set().is_some() && !user.role.reads() {
            return Err(Refusal::Permission);
        }
        let options = asked.options.clone()?;
        options.check_names()?;
        let choice = choose(payload(&resource), asked.format, asked.accept, &versions)?;
        let zone = zone(headers)?;
        let base = base(tenant, channel, asked.parts);
        let admitted = Admitted {
            site: &self.site,
            tenant,
            sets: if user.role.reads() { &Set::ALL } else { &[] },
            root: format!("{base}{SERVICE}"),
            url: format!("{base}{}", asked.parts.uri.path().trim_end_matches('/')),
            options,
            versions,
            choice,
            zone,
        };
        admitted.answer(&resource).await
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
