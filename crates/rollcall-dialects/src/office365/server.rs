//! The service: what is checked, in which order, and what is answered (wire, Order of checks).

use super::access::Access;
use super::entity::Frame;
use super::errors::Refusal;
use super::json::{Light, Verbose};
use super::negotiate::{Choice, Format, Payload, choose, for_refusal};
use super::options::Options;
use super::path::{Resource, behind_service, resource};
use super::periods::{self, Row};
use super::rows::Ask;
use super::settings::User;
use super::versions::Versions;
use super::wire::{SERVICE, SERVICE_VERSION, Set, header as names};
use super::{atom, metadata, time_zone};
use crate::site::Channel;
use crate::{Dialect, Site, Tenant};
use axum::extract::{Request, State};
use axum::response::{IntoResponse, Response};
use axum::routing::any;
use http::request::Parts;
use http::{HeaderMap, HeaderValue, Method, StatusCode, header};
use jiff::civil::DateTime;
use jiff::tz::TimeZone;
use rollcall_model::calendar::timestamp;
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

/// What was admitted: whose request it is, and where its URLs begin.
struct Admitted<'t> {
    tenant: &'t Tenant,
    user: &'t User,
    /// Scheme and authority.
    base: String,
    /// The URL of the service in its canonical spelling.
    root: String,
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
        let admitted = Admitted { tenant, user, root: format!("{base}{SERVICE}"), base };
        self.resource(&resource, &admitted, options, &versions, choice, zone, asked.parts.uri.path()).await
    }

    #[expect(clippy::too_many_arguments, reason = "what was read of the request, each checked in its turn")]
    async fn resource(
        &self,
        resource: &Resource,
        admitted: &Admitted<'_>,
        options: &Options,
        versions: &Versions,
        choice: Choice,
        zone: TimeZone,
        path: &str,
    ) -> Result<Response, Refusal> {
        let (tenant, root, now) = (admitted.tenant, admitted.root.as_str(), (self.site.clock)());
        let sets: &[Set] = if admitted.user.role.reads() { &Set::ALL } else { &[] };
        let frame = |set, select| Frame { root, set, organization: &tenant.organization, select };
        let updated = timestamp(now).strftime("%Y-%m-%dT%H:%M:%SZ").to_string();
        let rows = |set| self.rows(set, tenant, zone.clone());
        match *resource {
            Resource::Metadata => body(versions, choice, "1.0", metadata::document(sets)),
            Resource::Service => {
                let text = match choice.0 {
                    Format::Xml => metadata::service(root, sets),
                    Format::Verbose => Verbose::service(sets),
                    Format::Light(kind) => Light(kind).service(root, sets),
                };
                body(versions, choice, "1.0", text)
            }
            Resource::Rows(set) => {
                if ["$select", "$inlinecount", "$skiptoken"].iter().any(|name| options.get(name).is_some()) {
                    versions.check_request()?;
                }
                let (select, ask) = (options.select()?, Ask::parse(options)?);
                versions.check_response("2.0")?;
                let frame = frame(set, select.as_deref());
                let url = format!("{}{}", admitted.base, path.trim_end_matches('/'));
                let page_size = match tenant.office365.page_size {
                    0 => usize::MAX,
                    size => usize::try_from(size).unwrap_or(usize::MAX),
                };
                let picked = ask.pick(rows(set).await?, &frame, page_size, &url);
                let page = picked.page();
                let text = match choice.0 {
                    Format::Xml => atom::feed(&frame, &page, &url, &updated),
                    Format::Verbose => Verbose::feed(&frame, &page),
                    Format::Light(kind) => Light(kind).feed(&frame, &page),
                };
                body(versions, choice, "2.0", text)
            }
            Resource::Count(set) => {
                versions.check_request()?;
                let ask = Ask::parse(options)?;
                if options.inline_count()? {
                    return Err(Refusal::InlineCountOfCount);
                }
                versions.check_response("2.0")?;
                body(versions, choice, "2.0", ask.size(rows(set).await?, &frame(set, None)).to_string())
            }
            Resource::Row(set, date) => {
                options.check_single()?;
                let select = options.select()?;
                let version = if select.is_some() { "2.0" } else { "1.0" };
                if select.is_some() {
                    versions.check_request()?;
                }
                versions.check_response(version)?;
                let (frame, row) = (frame(set, select.as_deref()), find(rows(set).await?, set, date)?);
                let text = match choice.0 {
                    Format::Xml => atom::entry(&frame, &row, &updated),
                    Format::Verbose => Verbose::entry(&frame, &row),
                    Format::Light(kind) => Light(kind).entry(&frame, &row),
                };
                body(versions, choice, version, text)
            }
            Resource::Property(set, date, property) | Resource::Value(set, date, property) => {
                options.check_single()?;
                let row = find(rows(set).await?, set, date)?;
                let frame = frame(set, None);
                let cell = frame.cell(&row, property);
                let text = match (resource, choice.0) {
                    (Resource::Value(..), _) => cell.text().into_owned(),
                    (_, Format::Xml) => atom::property(property, &cell),
                    (_, Format::Verbose) => Verbose::property(property, &cell),
                    (_, Format::Light(kind)) => Light(kind).property(root, property, &cell),
                };
                body(versions, choice, "1.0", text)
            }
        }
    }

    /// Asks the report on a thread that may block. Its failures, panics among them, are logged and not told.
    async fn rows(&self, set: Set, tenant: &Tenant, zone: TimeZone) -> Result<Vec<Row>, Refusal> {
        let question = periods::question(set, zone, &tenant.office365, (self.site.clock)());
        if question.range.is_empty() {
            return Ok(Vec::new());
        }
        let (reports, org) = (self.site.reports.clone(), tenant.organization.id);
        match tokio::task::spawn_blocking(move || reports.active_users(org, &question)).await {
            Ok(Ok(answer)) => Ok(periods::rows(set, &tenant.office365, &answer.rows)),
            Ok(Err(error)) => {
                tracing::error!(%error, "a report failed");
                Err(Refusal::Internal)
            }
            Err(error) => {
                tracing::error!(%error, "a report panicked");
                Err(Refusal::Internal)
            }
        }
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

fn find(rows: Vec<Row>, set: Set, date: DateTime) -> Result<Row, Refusal> {
    rows.into_iter().find(|row| row.date == date).ok_or_else(|| Refusal::NotFound(set.name().into()))
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

/// An answer; JSON light is of version 3.0, whatever it holds.
fn body(versions: &Versions, (format, content_type): Choice, version: &'static str, text: String) -> Result<Response, Refusal> {
    let version = if matches!(format, Format::Light(_)) { "3.0" } else { version };
    versions.check_response(version)?;
    let version = HeaderValue::try_from(format!("{version};")).map_err(|_| Refusal::Internal)?;
    let headers = [
        (header::CONTENT_TYPE, HeaderValue::from_static(content_type)),
        (header::HeaderName::from_static(names::DATA_SERVICE_VERSION), version),
    ];
    Ok((StatusCode::OK, headers, text).into_response())
}
