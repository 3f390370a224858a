//! A server on a stage: its facts, its settings and its clock are the test's.

use crate::naive::{Fact, Kind, Naive, ORG, department, user};
use axum::Router;
use axum::body::Body;
use http::{HeaderMap, Request, StatusCode};
use http_body_util::BodyExt;
use jiff::tz::TimeZone;
use rollcall_dialects::yunxiao::{Scope, Settings, Token};
use rollcall_dialects::{DIALECTS, Secret, Site, Tenant};
use rollcall_model::{Millis, OrgId, Organization};
use std::cell::Cell;
use std::sync::Arc;
use tower::ServiceExt;

pub(crate) const TOKEN: &str = "pt-0123456789abcdefghijklmn_6f6e0a52-7d5b-4bb6-9a55-8f7f8d3b5c11";
/// Of [`OTHER`].
pub(crate) const OTHER_TOKEN: &str = "pt-other";
/// An organization without facts and departments.
pub(crate) const OTHER: OrgId = OrgId(uuid::Uuid::from_u128(2));
pub(crate) const DAY: &str = "startTime=2024-11-13&endTime=2024-11-13";

thread_local! {
    // 2024-11-20T04:00:00Z. A test has a thread of its own.
    static NOW: Cell<Millis> = const { Cell::new(1_732_075_200_000) };
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

/// A token with every scope, for ever.
pub(crate) fn token(secret: &str) -> Token {
    Token { name: "nightly".into(), secret: Secret::of(secret), scopes: Scope::ALL.into(), expires: None }
}

/// Settings without a limit.
pub(crate) fn unlimited(secret: &str) -> Settings {
    Settings { tokens: vec![token(secret)], requests_per_minute: 0, ..Settings::default() }
}

pub(crate) fn organization() -> Organization {
    Organization::new(ORG, "stage", TimeZone::get("Asia/Shanghai").unwrap())
}

fn tenant_of(organization: Organization, yunxiao: Settings) -> Tenant {
    Tenant { yunxiao, ..Tenant::new(organization) }
}

/// The organization of the facts, and another one.
pub(crate) fn tenants(yunxiao: Settings) -> Vec<Tenant> {
    let other = Organization::new(OTHER, "other", TimeZone::UTC);
    vec![tenant_of(other, unlimited(OTHER_TOKEN)), tenant_of(organization(), yunxiao)]
}

/// The directory and the facts of the worked example.
pub(crate) fn example() -> Naive {
    let departments = vec![department("d-root", None, None), department("d-team", Some("d-root"), None)];
    let naive = Naive::new(departments, vec![user("u1", &["d-team"], None), user("u2", &["d-root"], None)]);
    for fact in [
        Fact { chat_type: "GENERATE_TESTCASE", accepted: 1, lines_accepted: 10, ..fact("u1", Kind::Chat, "jetbrains", "java", 2) },
        Fact { accepted: 3, lines_accepted: 4, lines_changed: 4, ..fact("u1", Kind::Completion, "jetbrains", "java", 5) },
        fact("u2", Kind::Completion, "vscode", "go", 2),
        Fact { lines_changed: 30, ..fact("u2", Kind::Edit, "vscode", "go", 0) },
    ] {
        naive.add(&organization(), fact);
    }
    naive
}

/// A fact of noon on 2024-11-13 in Shanghai.
pub(crate) fn fact(user: &str, kind: Kind, ide: &'static str, language: &'static str, done: u64) -> Fact {
    let at = at("2024-11-13T12:00:00+08:00");
    let (departments, chat_type) = (Vec::new(), "");
    Fact { user: user.into(), departments, at, kind, chat_type, ide, language, done, accepted: 0, lines_accepted: 0, lines_changed: 0 }
}

#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: StatusCode,
    pub(crate) headers: HeaderMap,
    pub(crate) body: String,
}

impl Answer {
    pub(crate) fn json(&self) -> serde_json::Value {
        assert_eq!(self.header("content-type"), "application/json");
        serde_json::from_str(&self.body).unwrap()
    }

    pub(crate) fn header(&self, name: &str) -> &str {
        self.headers.get(name).unwrap_or_else(|| panic!("no {name}: {}", self.body)).to_str().unwrap()
    }

    /// `x-page`, `x-per-page`, `x-total`, `x-total-pages`, `x-prev-page`, `x-next-page`.
    pub(crate) fn paging(&self) -> [&str; 6] {
        ["x-page", "x-per-page", "x-total", "x-total-pages", "x-prev-page", "x-next-page"].map(|name| self.header(name))
    }

    /// Status and code of a refusal.
    pub(crate) fn refusal(&self) -> (u16, String) {
        (self.status.as_u16(), self.json()["errorCode"].as_str().unwrap_or_else(|| panic!("{}", self.body)).to_owned())
    }

    /// The rows, as day and id.
    pub(crate) fn rows(&self) -> Vec<(i64, String)> {
        let json = self.json();
        let rows = json.as_array().unwrap_or_else(|| panic!("{}", self.body)).iter();
        rows.map(|row| {
            let id = row["departmentId"].as_str().or(row["userId"].as_str()).unwrap();
            (row["date"].as_i64().unwrap(), id.to_owned())
        })
        .collect()
    }
}

pub(crate) struct Stage {
    pub(crate) site: Arc<Site>,
    pub(crate) reports: Arc<Naive>,
    pub(crate) router: Router,
}

impl Stage {
    pub(crate) fn new(reports: Naive, tenants: Vec<Tenant>) -> Self {
        let reports = Arc::new(reports);
        let site = Arc::new(Site::new(reports.clone(), || NOW.get(), [7; 32], tenants));
        // All dialects together, as the server mounts them.
        let router = DIALECTS.iter().fold(Router::new(), |router, dialect| router.merge(dialect.routes(site.clone())));
        Self { site, reports, router }
    }

    /// The worked example's.
    pub(crate) fn of_example() -> Self {
        Self::new(example(), tenants(unlimited(TOKEN)))
    }

    pub(crate) async fn send(&self, request: Request<Body>) -> Answer {
        let response = self.router.clone().oneshot(request).await.unwrap();
        let (head, body) = response.into_parts();
        let body = String::from_utf8(body.collect().await.unwrap().to_bytes().to_vec()).unwrap();
        let answer = Answer { status: head.status, headers: head.headers, body };
        // Every answer has a request id, and those that name it in the body name the same.
        let id = answer.header("x-request-id");
        assert!(id.parse::<uuid::Uuid>().is_ok(), "{id}");
        if answer.status != 200 {
            assert_eq!(answer.json()["requestId"], id);
            assert!(!answer.json()["errorMessage"].as_str().unwrap().is_empty());
        }
        answer
    }

    pub(crate) async fn get_with(&self, token: &str, path: &str) -> Answer {
        self.send(Request::get(path).header("X-Yunxiao-Token", token).body(Body::empty()).unwrap()).await
    }

    pub(crate) async fn get(&self, path: &str) -> Answer {
        self.get_with(TOKEN, path).await
    }

    pub(crate) async fn departments(&self, query: &str) -> Answer {
        self.get(&path(ORG, &format!("departmentUsage?{query}"))).await
    }

    pub(crate) async fn developers(&self, query: &str) -> Answer {
        self.get(&path(ORG, &format!("developerUsage?{query}"))).await
    }
}

pub(crate) fn path(organization: impl std::fmt::Display, rest: &str) -> String {
    format!("/oapi/v1/lingma/organizations/{organization}/{rest}")
}
