//! A server on a stage: its facts, its settings and its clock are the test's.

use crate::naive::{Fact, Naive, ORG};
use axum::Router;
use axum::body::Body;
use http::{HeaderMap, Request, StatusCode};
use http_body_util::BodyExt;
use jiff::tz::TimeZone;
use rollcall_dialects::feishu::{App, Settings};
use rollcall_dialects::{DIALECTS, Secret, Site, Tenant};
use rollcall_model::directory::User;
use rollcall_model::{Millis, Organization, SessionKind, UserKind};
use std::cell::Cell;
use std::sync::Arc;
use tower::ServiceExt;

pub(crate) const APP_ID: &str = "cli_stage";
pub(crate) const SECRET: &str = "break a leg";
pub(crate) const TOKEN: &str = "/open-apis/auth/v3/tenant_access_token/internal";
pub(crate) const DAILY: &str = "/open-apis/vc/v1/reports/get_daily";
pub(crate) const TOP: &str = "/open-apis/vc/v1/reports/get_top_user";

thread_local! {
    // 2021-01-05T12:00:00Z. A test has a thread of its own.
    static NOW: Cell<Millis> = const { Cell::new(1_609_848_000_000) };
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

/// Settings with every limit off.
pub(crate) fn unlimited() -> Settings {
    let apps = vec![App { app_id: APP_ID.into(), secret: Secret::of(SECRET) }];
    Settings { apps, history_days: 0, span_days: 0, top_limit: 0, requests_per_minute: 0, ..Settings::default() }
}

pub(crate) fn tenant(zone: &str, feishu: Settings) -> Tenant {
    let zone = TimeZone::get(zone).unwrap();
    Tenant { feishu, ..Tenant::new(Organization::new(ORG, "stage", zone)) }
}

pub(crate) fn fact(session_id: &str, started: &str, user_id: &str, joined: &str, left: &str) -> Fact {
    Fact {
        session_id: session_id.into(),
        session_kind: SessionKind::Meeting,
        session_started_at: at(started),
        user_id: user_id.into(),
        joined_at: at(joined),
        left_at: at(left),
        unit: 0,
    }
}

/// A user whose every id is `id`; a room has no `user_id`.
pub(crate) fn user(id: &str, name: &str, kind: UserKind) -> User {
    let ids = Some(id.to_owned());
    let user_id = ids.clone().filter(|_| kind != UserKind::Room);
    User {
        id: id.into(),
        open_id: ids.clone(),
        union_id: ids,
        user_id,
        name: name.into(),
        kind,
        departments: Vec::new(),
        from: None,
        until: None,
    }
}

#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: StatusCode,
    pub(crate) headers: HeaderMap,
    pub(crate) body: String,
}

impl Answer {
    pub(crate) fn json(&self) -> serde_json::Value {
        assert_eq!(self.header("content-type"), "application/json; charset=utf-8");
        serde_json::from_str(&self.body).unwrap()
    }

    pub(crate) fn code(&self) -> i64 {
        self.json()["code"].as_i64().unwrap()
    }

    pub(crate) fn header(&self, name: &str) -> &str {
        self.headers.get(name).map_or("", |value| value.to_str().unwrap())
    }

    /// The fields of the violations it names.
    pub(crate) fn fields(&self) -> Vec<String> {
        let json = self.json();
        let violations = json["error"]["field_violations"].as_array().unwrap();
        violations.iter().map(|violation| violation["field"].as_str().unwrap().into()).collect()
    }
}

pub(crate) struct Stage {
    pub(crate) site: Arc<Site>,
    pub(crate) router: Router,
}

impl Stage {
    pub(crate) fn new(reports: Naive, tenants: Vec<Tenant>) -> Self {
        let site = Arc::new(Site::new(Arc::new(reports), || NOW.get(), [7; 32], tenants));
        // All dialects together, as the server mounts them.
        let router = DIALECTS.iter().fold(Router::new(), |router, dialect| router.merge(dialect.routes(site.clone())));
        Self { site, router }
    }

    pub(crate) async fn send(&self, request: Request<Body>) -> Answer {
        let response = self.router.clone().oneshot(request).await.unwrap();
        let (head, body) = response.into_parts();
        let body = String::from_utf8(body.collect().await.unwrap().to_bytes().to_vec()).unwrap();
        let answer = Answer { status: head.status, headers: head.headers, body };
        // Every answer has a log id, and those that name it in the body name the same.
        let log_id = answer.header("x-tt-logid");
        assert_eq!(log_id.len(), 34, "{log_id}");
        if let Some(named) =
            serde_json::from_str::<serde_json::Value>(&answer.body).ok().and_then(|json| json["error"]["log_id"].as_str().map(String::from))
        {
            assert_eq!(named, log_id);
        }
        answer
    }

    pub(crate) async fn ask_token(&self, body: impl Into<Body>) -> Answer {
        self.send(Request::post(TOKEN).body(body.into()).unwrap()).await
    }

    pub(crate) async fn token(&self) -> String {
        let answer = self.ask_token(format!(r#"{{"app_id":"{APP_ID}","app_secret":"{SECRET}"}}"#)).await;
        answer.json()["tenant_access_token"].as_str().unwrap().into()
    }

    pub(crate) async fn get_with(&self, authorization: &str, uri: &str) -> Answer {
        self.send(Request::get(uri).header("authorization", authorization).body(Body::empty()).unwrap()).await
    }

    /// Asks with a good token.
    pub(crate) async fn get(&self, uri: &str) -> Answer {
        let authorization = format!("Bearer {}", self.token().await);
        self.get_with(&authorization, uri).await
    }

    pub(crate) async fn daily(&self, query: &str) -> Answer {
        self.get(&format!("{DAILY}?{query}")).await
    }

    pub(crate) async fn top(&self, query: &str) -> Answer {
        self.get(&format!("{TOP}?{query}")).await
    }
}
