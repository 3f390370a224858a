//! A server on a stage: its facts, its settings and its clock are the test's.

use crate::naive::{Fact, Naive};
use axum::Router;
use axum::body::Body;
use base64::Engine;
use http::{HeaderMap, Request, StatusCode};
use http_body_util::BodyExt;
use jiff::tz::TimeZone;
use rollcall_dialects::office365::{Role, Settings, User, hash_password};
use rollcall_dialects::site::Channel;
use rollcall_dialects::{DIALECTS, Site, Tenant};
use rollcall_model::{Device, Millis, OrgId, Organization, SessionKind, UserKind};
use std::cell::Cell;
use std::sync::{Arc, OnceLock};
use tower::ServiceExt;

pub(crate) const SERVICE: &str = "/ecp/reportingwebservice/reporting.svc";
pub(crate) const ROOT: &str = "https://reports.office365.com/ecp/ReportingWebService/Reporting.svc/";
pub(crate) const ORG: OrgId = OrgId(uuid::Uuid::from_u128(0x16a5_8f78_539f_47f7_b9bf_02a6_3867_d73b));
pub(crate) const OTHER: OrgId = OrgId(uuid::Uuid::from_u128(2));
pub(crate) const PASSWORD: &str = "break: a leg";

thread_local! {
    // 2013-06-25T19:01:23Z. A test has a thread of its own.
    static NOW: Cell<Millis> = const { Cell::new(1_372_186_883_000) };
}

pub(crate) fn advance(by: Millis) {
    NOW.set(NOW.get() + by);
}

pub(crate) fn set_clock(now: &str) {
    NOW.set(at(now));
}

/// An instant, from RFC 3339.
pub(crate) fn at(time: &str) -> Millis {
    time.parse::<jiff::Timestamp>().unwrap().as_millisecond()
}

/// The hash of [`PASSWORD`]: made once, for it takes its time.
pub(crate) fn hash() -> String {
    static HASH: OnceLock<String> = OnceLock::new();
    HASH.get_or_init(|| hash_password(PASSWORD).unwrap()).clone()
}

pub(crate) fn account(name: &str, role: Role) -> User {
    User { name: name.into(), role, password: hash() }
}

pub(crate) fn settings() -> Settings {
    let users = vec![account("admin@example.com", Role::ViewOnlyRecipients), account("clerk@example.com", Role::User)];
    Settings { users, public_base_url: Some("https://reports.office365.com".into()), ..Settings::default() }
}

pub(crate) fn tenant(office365: Settings) -> Tenant {
    let organization = Organization::new(ORG, "example.onmicrosoft.com", TimeZone::UTC);
    Tenant { office365, ..Tenant::new(organization) }
}

/// A member's hour at a computer.
pub(crate) fn fact(user: &str, joined: &str) -> Fact {
    let joined_at = at(joined);
    Fact {
        org: ORG,
        user_id: user.into(),
        user_kind: UserKind::Member,
        device: Device::Desktop,
        session_kind: SessionKind::Call,
        joined_at,
        left_at: joined_at + 3_600_000,
    }
}

/// So many users on each day, at noon of UTC.
pub(crate) fn days(days: &[(&str, usize)]) -> Vec<Fact> {
    days.iter().flat_map(|(day, users)| (0..*users).map(move |user| fact(&format!("u{user}"), &format!("{day}T12:00:00Z")))).collect()
}

/// Facts whose daily rows are dated 10, 13 and 14 May 2013, of five users each, where rows are dated by their end.
pub(crate) fn may() -> Vec<Fact> {
    days(&[("2013-05-09", 5), ("2013-05-12", 5), ("2013-05-13", 5)])
}

#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: StatusCode,
    pub(crate) headers: HeaderMap,
    pub(crate) body: String,
}

impl Answer {
    pub(crate) fn header(&self, name: &str) -> &str {
        self.headers.get(name).map_or("", |value| value.to_str().unwrap())
    }

    pub(crate) fn json(&self) -> serde_json::Value {
        assert!(self.header("content-type").starts_with("application/json"), "{self:?}");
        serde_json::from_str(&self.body).unwrap()
    }

    /// Of verbose JSON.
    pub(crate) fn rows(&self) -> Vec<serde_json::Value> {
        self.json()["d"]["results"].as_array().unwrap_or_else(|| panic!("{self:?}")).clone()
    }

    /// The days of the month of the rows' dates.
    pub(crate) fn dates(&self) -> Vec<String> {
        let millis = |row: &serde_json::Value| row["Date"].as_str().unwrap().trim_matches(|c: char| !c.is_ascii_digit()).parse().unwrap();
        self.rows().iter().map(|row| jiff::Timestamp::from_millisecond(millis(row)).unwrap().strftime("%m-%d").to_string()).collect()
    }

    pub(crate) fn counts(&self) -> Vec<u64> {
        self.rows().iter().map(|row| row["ActiveUsers"].as_str().unwrap().parse().unwrap()).collect()
    }

    /// The status and the text of an OData error in JSON.
    pub(crate) fn error(&self) -> (u16, String) {
        let json = self.json();
        let value = if json["error"].is_null() { &json["odata.error"] } else { &json["error"] };
        (self.status.as_u16(), value["message"]["value"].as_str().unwrap_or_else(|| panic!("{self:?}")).into())
    }
}

pub(crate) struct Stage {
    pub(crate) site: Arc<Site>,
    pub(crate) router: Router,
}

impl Stage {
    pub(crate) fn new(facts: Vec<Fact>, office365: Settings) -> Self {
        Self::of(Naive { facts, ..Naive::default() }, vec![tenant(office365)])
    }

    pub(crate) fn of(reports: Naive, tenants: Vec<Tenant>) -> Self {
        let site = Arc::new(Site::new(Arc::new(reports), || NOW.get(), [7; 32], tenants));
        // All dialects together, as the server mounts them.
        let router = DIALECTS.iter().fold(Router::new(), |router, dialect| router.merge(dialect.routes(site.clone())));
        Self { site, router }
    }

    pub(crate) async fn send(&self, request: Request<Body>) -> Answer {
        let response = self.router.clone().oneshot(request).await.unwrap();
        let (head, body) = response.into_parts();
        let body = String::from_utf8(body.collect().await.unwrap().to_bytes().to_vec()).unwrap();
        Answer { status: head.status, headers: head.headers, body }
    }

    /// Asks as the administrator, with headers.
    pub(crate) async fn ask(&self, path: &str, headers: &[(&str, &str)]) -> Answer {
        self.ask_as("admin@example.com", PASSWORD, path, headers).await
    }

    pub(crate) async fn ask_as(&self, user: &str, password: &str, path: &str, headers: &[(&str, &str)]) -> Answer {
        let mut request = Request::get(format!("{SERVICE}{path}").replace(' ', "%20")).header("authorization", basic(user, password));
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        let answer = self.send(request.body(Body::empty()).unwrap()).await;
        assert_eq!(answer.header("x-rws-version"), "2013-V1");
        assert_eq!(answer.header("request-id").len(), 36);
        assert_eq!(answer.header("cache-control"), "no-cache, no-store");
        assert_eq!([answer.header("pragma"), answer.header("expires")], ["no-cache", "-1"]);
        answer
    }

    /// Asks for verbose JSON.
    pub(crate) async fn json(&self, path: &str) -> Answer {
        self.ask(path, &[("accept", "application/json;odata=verbose")]).await
    }

    pub(crate) async fn get(&self, path: &str) -> Answer {
        self.ask(path, &[]).await
    }
}

pub(crate) fn basic(user: &str, password: &str) -> String {
    format!("Basic {}", base64::engine::general_purpose::STANDARD.encode(format!("{user}:{password}")))
}

/// A channel from an address.
pub(crate) fn from(address: &str) -> Channel {
    Channel { client: Some(address.parse().unwrap()), ..Channel::default() }
}

/// A channel on which credentials may not travel.
pub(crate) const OPEN: Channel = Channel { client: None, is_tls: false, carries_credentials: false };
