//! A server on a stage: its facts, its settings and its clock are the test's; and a hand that signs.

use crate::naive::{Fact, Naive};
use axum::Router;
use axum::body::Body;
use http::{HeaderMap, Request, StatusCode};
use http_body_util::BodyExt;
use jiff::tz::TimeZone;
use rollcall_dialects::volcengine::signature::{Authorization, Covered, Credential, Query, Scope, SecretKey, hex, sha256};
use rollcall_dialects::volcengine::{AccessKey, Settings};
use rollcall_dialects::{DIALECTS, Site, Tenant};
use rollcall_model::place::Place;
use rollcall_model::{Millis, OrgId, Organization};
use serde_json::Value;
use std::cell::Cell;
use std::sync::Arc;
use tower::ServiceExt;
use uuid::Uuid;

/// The keys of the vendor's examples (wire section 2.2).
pub(crate) const AK: &str = "AKLTYWViMTVmZGYzM2E0NDI5Mzk2MDZjNjFmMjc2MjRjMzg";
pub(crate) const SK: &str = "WkRZeE1EQmxPVGhsWWpWak5HVmtNbUUxTXpZeU9UVXlOMlE1TmpZeVlqTQ==";
pub(crate) const OTHER_AK: &str = "AKLTother";
pub(crate) const OTHER_SK: &str = "b3RoZXI=";
pub(crate) const ORG: OrgId = OrgId(Uuid::from_u128(1));
pub(crate) const OTHER_ORG: OrgId = OrgId(Uuid::from_u128(2));
pub(crate) const APP: &str = "Your_AppId";
pub(crate) const TARGET: &str = "/?Action=ListOperationDistribution&Version=2020-12-01";
/// The seed's request, as the wire document's vectors have it.
pub(crate) const SEED: &str = r#"{"AppId":"Your_AppId","StartTime":"2021-07-24T00:00:00+08:00","EndTime":"2021-07-26T00:00:00+08:00","Indicator":"user_count","Dimension":"province"}"#;

thread_local! {
    // 2021-07-26T12:00:00Z, when the vectors were signed. A test has a thread of its own.
    static NOW: Cell<Millis> = const { Cell::new(1_627_300_800_000) };
}

pub(crate) fn set_clock(now: &str) {
    NOW.set(at(now));
}

pub(crate) fn advance(by: Millis) {
    NOW.set(NOW.get() + by);
}

/// An instant, from RFC 3339.
pub(crate) fn at(time: &str) -> Millis {
    time.parse::<jiff::Timestamp>().unwrap().as_millisecond()
}

/// Settings without a rate limit, whose key is that of the examples.
pub(crate) fn settings() -> Settings {
    let access_keys = vec![AccessKey { id: AK.into(), secret: SecretKey::new(SK) }];
    Settings { access_keys, requests_per_second: 0, ..Settings::default() }
}

pub(crate) fn tenant(volcengine: Settings) -> Tenant {
    let mut organization = Organization::new(ORG, "stage", TimeZone::get("Asia/Shanghai").unwrap());
    organization.apps = vec!["default".into(), APP.into()];
    Tenant { volcengine, ..Tenant::new(organization) }
}

/// Another organization, with a key and an app of its own.
pub(crate) fn other_tenant() -> Tenant {
    let mut organization = Organization::new(OTHER_ORG, "other", TimeZone::UTC);
    organization.apps = vec!["default".into(), "Other_AppId".into()];
    let access_keys = vec![AccessKey { id: OTHER_AK.into(), secret: SecretKey::new(OTHER_SK) }];
    let volcengine = Settings { access_keys, requests_per_second: 0, ..Settings::default() };
    Tenant { volcengine, ..Tenant::new(organization) }
}

pub(crate) fn fact(user: &str, place: &str, joined: &str, left: &str) -> Fact {
    let place = Place::from_code(place);
    Fact { org: ORG, app: APP.into(), user_id: user.into(), joined_at: at(joined), left_at: at(left), place }
}

#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: StatusCode,
    pub(crate) headers: HeaderMap,
    pub(crate) body: String,
}

impl Answer {
    pub(crate) fn json(&self) -> Value {
        assert_eq!(self.headers["content-type"], "application/json; charset=utf-8", "{}", self.body);
        serde_json::from_str(&self.body).unwrap()
    }

    /// Status, number and code of the error; 200 and nothing if there is none.
    pub(crate) fn outcome(&self) -> (u16, Option<i64>, String) {
        let json = self.json();
        let error = &json["ResponseMetadata"]["Error"];
        assert_ne!(error.is_null(), json["Result"].is_null(), "either a result or an error: {}", self.body);
        (self.status.as_u16(), error["CodeN"].as_i64(), error["Code"].as_str().unwrap_or_default().into())
    }

    pub(crate) fn message(&self) -> String {
        self.json()["ResponseMetadata"]["Error"]["Message"].as_str().unwrap_or_default().into()
    }

    /// The rows, printed.
    pub(crate) fn data(&self) -> String {
        assert_eq!(self.status, 200, "{}", self.body);
        let (_, data) = self.body.split_once("\"Data\":").unwrap();
        data.strip_suffix("}}").unwrap().into()
    }
}

pub(crate) struct Stage {
    pub(crate) site: Arc<Site>,
    pub(crate) router: Router,
}

impl Stage {
    pub(crate) fn new(reports: Naive, tenants: Vec<Tenant>) -> Self {
        let site = Arc::new(Site::new(Arc::new(reports), || NOW.get(), [7; 32], tenants));
        // All dialects together, as the server mounts them, in front of something that answers everything else.
        let router = Router::new().fallback(async || (StatusCode::NOT_FOUND, "native"));
        let router = DIALECTS.iter().fold(router, |router, dialect| dialect.mount(router, site.clone()));
        Self { site, router }
    }

    pub(crate) fn of(facts: Vec<Fact>) -> Self {
        Self::new(Naive { facts, ..Naive::default() }, vec![tenant(settings()), other_tenant()])
    }

    pub(crate) async fn send(&self, request: Request<Body>) -> Answer {
        let response = self.router.clone().oneshot(request).await.unwrap();
        let (head, body) = response.into_parts();
        let body = String::from_utf8(body.collect().await.unwrap().to_bytes().to_vec()).unwrap();
        Answer { status: head.status, headers: head.headers, body }
    }

    /// Sends the body well signed.
    pub(crate) async fn ask(&self, body: &str) -> Answer {
        self.send(Signer::default().sign("POST", TARGET, body)).await
    }

    /// The seed's request with one field changed.
    pub(crate) async fn ask_with(&self, field: &str, value: impl Into<Value>) -> Answer {
        let mut body: Value = serde_json::from_str(SEED).unwrap();
        body[field] = value.into();
        self.ask(&body.to_string()).await
    }
}

/// Signs as an official client does.
pub(crate) struct Signer {
    pub(crate) access_key: String,
    pub(crate) secret: String,
    pub(crate) region: String,
    pub(crate) service: String,
    /// None: now.
    pub(crate) date: Option<String>,
    /// Names and values, in the order of the names.
    pub(crate) headers: Vec<(String, String)>,
    /// The headers that are signed beside the date; others are only sent.
    pub(crate) signed: Vec<String>,
}

impl Default for Signer {
    fn default() -> Self {
        let headers = [("content-type", "application/json"), ("host", "rtc.volcengineapi.com")];
        Self {
            access_key: AK.into(),
            secret: SK.into(),
            region: "cn-north-1".into(),
            service: "rtc".into(),
            date: None,
            headers: headers.map(|(name, value)| (name.into(), value.into())).into(),
            signed: ["content-type", "host", "x-content-sha256"].map(Into::into).into(),
        }
    }
}

pub(crate) fn now() -> String {
    jiff::Timestamp::from_millisecond(NOW.get()).unwrap().strftime("%Y%m%dT%H%M%SZ").to_string()
}

impl Signer {
    pub(crate) fn scope(&self, date: &str) -> Scope {
        Scope { date: date[..8].into(), region: self.region.clone(), service: self.service.clone() }
    }

    pub(crate) fn sign(&self, method: &str, target: &str, body: &str) -> Request<Body> {
        let date = self.date.clone().unwrap_or_else(now);
        let (path, query) = target.split_once('?').unwrap_or((target, ""));
        let mut sent = self.headers.clone();
        sent.extend([("x-content-sha256".into(), hex(&sha256(body.as_bytes()))), ("x-date".into(), date.clone())]);
        sent.sort();
        let covered: Vec<_> = sent.iter().filter(|(name, _)| name == "x-date" || self.signed.contains(name)).collect();
        let headers: Vec<_> = covered.iter().map(|(name, value)| (name.as_str(), value.as_bytes())).collect();
        let query = Query::parse(query).orders().remove(0);
        let covered = Covered { method, path, query: &query, headers: &headers, body_hash: &sha256(body.as_bytes()) };
        let scope = self.scope(&date);
        let signature = hex(&SecretKey::new(&self.secret).in_scope(&scope).sign(&date, &scope, &covered.canonical()));
        let signed_headers = headers.iter().map(|(name, _)| (*name).into()).collect();
        let credential = Credential { access_key: self.access_key.clone(), scope };
        let authorization = Authorization { credential, signed_headers, signature }.to_string();
        let mut request = Request::builder().method(method).uri(target).header("authorization", authorization);
        for (name, value) in &sent {
            request = request.header(name, value);
        }
        request.body(Body::from(body.to_owned())).unwrap()
    }
}
