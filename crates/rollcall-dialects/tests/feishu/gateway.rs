//! What stands in front of every report: paths, credentials, rates, log ids.

use crate::naive::Naive;
use crate::stage::{DAILY, SECRET, Stage, TOKEN, TOP, advance, fact, set_clock, tenant, unlimited};
use axum::body::Body;
use http::{Method, Request};
use rollcall_dialects::Secret;
use rollcall_dialects::feishu::{App, Settings};
use rollcall_model::OrgId;

const DAY: &str = "start_time=1609113600&end_time=1609200000";

fn stage(settings: Settings) -> Stage {
    Stage::new(Naive::default(), vec![tenant("UTC", settings)])
}

#[tokio::test]
async fn unknown_paths_and_methods_are_a_plain_text_404() {
    let stage = stage(unlimited());
    let token = stage.token().await;
    for (method, path) in [
        (Method::GET, "/open-apis/"),
        (Method::GET, "/open-apis/vc/v1/reports/nothing"),
        (Method::GET, "/open-apis/vc/v1/reports/get_daily/"),
        (Method::POST, DAILY),
        (Method::DELETE, TOP),
        (Method::GET, TOKEN),
        (Method::PUT, TOKEN),
        (Method::GET, "/open-apis/auth/v3/tenant_access_token/internal/"),
    ] {
        let request = Request::builder().method(method.clone()).uri(path).header("authorization", format!("Bearer {token}"));
        let answer = stage.send(request.body(Body::empty()).unwrap()).await;
        assert_eq!((answer.status.as_u16(), answer.body.as_str()), (404, "404 page not found"), "{method} {path}");
        assert_eq!(answer.header("content-type"), "text/plain");
    }
}

#[tokio::test]
async fn each_wrong_credential_has_its_code() {
    let stage = stage(unlimited());
    let token = stage.token().await;
    for (authorization, code) in [
        ("", 99_991_661),
        ("Bearer ", 99_991_661),
        ("Basic dTpw", 99_991_661),
        (token.as_str(), 99_991_661),
        ("Bearer t-caecc734c2e3328a62489fe0648c4b98779515d3", 99_991_663),
        ("Bearer u-caecc734c2e3328a62489fe0648c4b98779515d3", 99_991_668),
        ("Bearer eyJhbGciOiJFUzI1NiJ9.e30.c2ln", 99_991_668),
        ("Bearer caecc734c2e3328a62489fe0648c4b98779515d3", 99_991_671),
    ] {
        for path in [DAILY, TOP] {
            let answer = stage.get_with(authorization, path).await;
            assert_eq!((answer.status.as_u16(), answer.code()), (400, code), "{authorization}");
            assert!(answer.json()["error"]["troubleshooter"].as_str().unwrap().contains(answer.header("x-tt-logid")));
        }
    }
    let none = stage.send(Request::get(DAILY).body(Body::empty()).unwrap()).await;
    assert_eq!(none.code(), 99_991_661);
    assert_eq!(none.json()["msg"], "Missing access token for authorization. Please make a request with token attached.");
    let bytes = Request::get(DAILY).header("authorization", &b"Bearer \xFF"[..]).body(Body::empty()).unwrap();
    assert_eq!(stage.send(bytes).await.code(), 99_991_661);
}

#[tokio::test]
async fn a_credential_reads_its_own_organization_only() {
    let (from, to) = ("2020-12-28T09:00:00Z", "2020-12-28T10:00:00Z");
    let mut other = tenant("UTC", Settings { apps: vec![App { app_id: "cli_other".into(), secret: Secret::of("other") }], ..unlimited() });
    other.organization.id = OrgId(uuid::Uuid::from_u128(2));
    let stage = Stage::new(Naive::new(vec![fact("m", from, "u", from, to)], Vec::new()), vec![tenant("UTC", unlimited()), other]);
    let token = stage.ask_token(r#"{"app_id":"cli_other","app_secret":"other"}"#).await.json();
    let others = format!("Bearer {}", token["tenant_access_token"].as_str().unwrap());
    let count = |answer: crate::stage::Answer| answer.json()["data"]["meeting_report"]["meeting_count"].as_i64();
    assert_eq!(count(stage.daily(DAY).await), Some(1));
    assert_eq!(count(stage.get_with(&others, &format!("{DAILY}?{DAY}")).await), Some(0));
    let crossed = stage.ask_token(format!(r#"{{"app_id":"cli_other","app_secret":"{SECRET}"}}"#)).await;
    assert_eq!(crossed.code(), 10_014);
}

#[tokio::test]
async fn credentials_are_checked_before_parameters() {
    let stage = stage(unlimited());
    assert_eq!(stage.get_with("Bearer t-forged", &format!("{DAILY}?start_time=x")).await.code(), 99_991_663);
}

#[tokio::test]
async fn beyond_the_rate_an_application_waits_the_seconds_it_is_told() {
    set_clock("2021-01-05T12:00:00Z");
    let limited = |requests_per_minute| Settings { requests_per_minute, ..unlimited() };
    let stage = stage(limited(2));
    let top = format!("{DAY}&order_by=1");
    assert_eq!(stage.daily(DAY).await.code(), 0);
    advance(20_500);
    // What is refused for its parameters counts too.
    assert_eq!(stage.daily("").await.code(), 121_003);
    let refused = stage.daily(DAY).await;
    assert_eq!((refused.status.as_u16(), refused.body.as_str()), (429, r#"{"code":99991400,"msg":"request trigger frequency limit"}"#));
    assert_eq!((refused.header("x-ogw-ratelimit-limit"), refused.header("x-ogw-ratelimit-reset")), ("2", "40"));
    // The other endpoint has its own count, and requests without a credential have none.
    assert_eq!(stage.top(&top).await.code(), 0);
    assert_eq!(stage.get_with("Bearer t-forged", DAILY).await.code(), 99_991_663);
    // The settings of a reload hold at once.
    stage.site.reload(vec![tenant("UTC", limited(3))]);
    assert_eq!((stage.daily(DAY).await.status.as_u16(), stage.daily(DAY).await.status.as_u16()), (200, 429));
    stage.site.reload(vec![tenant("UTC", limited(0))]);
    assert_eq!(stage.daily(DAY).await.code(), 0);
    stage.site.reload(vec![tenant("UTC", limited(2))]);
    assert_eq!(stage.daily(DAY).await.status.as_u16(), 429);
    advance(39_500);
    assert_eq!(stage.daily(DAY).await.code(), 0);
}

#[tokio::test]
async fn a_log_id_is_the_time_in_china_and_twenty_digits_and_never_the_same() {
    set_clock("2025-02-27T06:43:59.500Z");
    let stage = stage(unlimited());
    let (one, other) = (stage.daily(DAY).await, stage.daily(DAY).await);
    let (one, other) = (one.header("x-tt-logid"), other.header("x-tt-logid"));
    assert!(
        one.starts_with("20250227144359") && one[14..].bytes().all(|digit| digit.is_ascii_digit() || (b'A'..=b'F').contains(&digit)),
        "{one}"
    );
    assert_ne!(one, other);
}
