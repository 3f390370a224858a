//! The client: against this server, and against one that answers as others have been seen to.

use crate::naive::Naive;
use crate::stage::{APP_ID, DAILY, SECRET, Stage, TOKEN, TOP, advance, fact, set_clock, tenant, unlimited, user};
use axum::Router;
use axum::response::IntoResponse;
use axum::routing::{get, post};
use http::{HeaderMap, StatusCode};
use rollcall_dialects::feishu::client::{Client, Error, OrderBy, Patience, Refused, UserIdType};
use rollcall_dialects::setup::SetupError;
use rollcall_model::UserKind;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

/// Serves on loopback for the rest of the test, and returns the base URL.
pub(crate) async fn serve(router: Router) -> String {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let base = format!("http://{}/", listener.local_addr().unwrap());
    tokio::spawn(async move { axum::serve(listener, router).await });
    base
}

pub(crate) fn client_of(base: &str) -> Client {
    patient_client_of(base, SECRET, Patience::default())
}

fn patient_client_of(base: &str, secret: &str, patience: Patience) -> Client {
    // Fails where another test has installed it.
    let _ = rustls::crypto::ring::default_provider().install_default();
    Client::with_patience(base, APP_ID, secret, patience).unwrap()
}

fn refused(error: Error) -> Refused {
    match error {
        Error::Refused(refused) => *refused,
        other => panic!("{other}"),
    }
}

fn stage() -> Stage {
    let (from, to) = ("2021-01-04T09:00:00Z", "2021-01-04T10:30:30Z");
    let facts = vec![fact("m", from, "u", from, to), fact("m", from, "v", from, "2021-01-04T09:10:00Z")];
    let users = vec![user("u", "Uma", UserKind::Member), user("v", "Vic", UserKind::Guest)];
    Stage::new(Naive::new(facts, users), vec![tenant("UTC", unlimited())])
}

const FROM: i64 = 1_609_718_400; // 2021-01-04T00:00:00Z

#[tokio::test]
async fn both_reports_are_had_from_this_server() {
    let client = client_of(&serve(stage().router).await);
    let report = client.get_daily_report(FROM, FROM + 86_400, Some(0)).await.unwrap();
    assert_eq!((report.meeting_count, report.meeting_duration, report.participant_count), (1, 5430, 2));
    assert_eq!(report.daily_report.len(), 1);
    assert_eq!((report.daily_report[0].date.as_second(), report.daily_report[0].meeting_duration), (FROM, 5430));
    let users =
        client.get_top_user_report(FROM, FROM + 86_400, 10, OrderBy::MeetingDuration, None, Some(UserIdType::UserId)).await.unwrap();
    let told: Vec<_> = users.iter().map(|user| (user.id.as_str(), user.name.as_deref(), user.user_type, user.meeting_duration)).collect();
    assert_eq!(told, [("u", Some("Uma"), Some(1), 90), ("v", Some("Vic"), Some(5), 10)]);
}

#[tokio::test]
async fn numbers_are_read_in_either_encoding() {
    let stage = stage();
    let client = client_of(&serve(stage.router.clone()).await);
    let quoted = client.get_daily_report(FROM, FROM + 86_400, None).await.unwrap();
    let settings = rollcall_dialects::feishu::Settings { numbers_as_numbers: true, ..unlimited() };
    stage.site.reload(vec![tenant("UTC", settings)]);
    assert_eq!(client.get_daily_report(FROM, FROM + 86_400, None).await.unwrap(), quoted);
    assert_eq!(
        client.get_top_user_report(FROM, FROM + 86_400, 1, OrderBy::MeetingCount, None, None).await.unwrap()[0].meeting_duration,
        90
    );
}

#[tokio::test]
async fn a_refusal_carries_code_message_log_id_and_fields() {
    let client = client_of(&serve(stage().router).await);
    let error = client.get_daily_report(FROM, FROM, Some(9)).await.unwrap_err();
    assert_eq!((error.code(), error.log_id().map(str::len)), (Some(121_003), Some(34)));
    let text = error.to_string();
    assert!(text.contains("param error: end_time must be greater than start_time; unit must be from 0 to 3"), "{text}");
    let fields: Vec<String> = refused(error).field_violations.into_iter().map(|violation| violation.field).collect();
    assert_eq!(fields, ["end_time", "unit"]);
}

#[tokio::test]
async fn a_wrong_secret_is_a_refusal_and_no_secret_is_shown() {
    let client = patient_client_of(&serve(stage().router).await, "guessed", Patience::default());
    let error = client.get_daily_report(FROM, FROM + 1, None).await.unwrap_err();
    assert_eq!(error.code(), Some(10_014));
    assert!(error.log_id().is_some());
    assert!(!format!("{client:?} {error:?} {error}").contains("guessed"));
}

#[tokio::test]
async fn a_token_that_ended_early_is_renewed_once() {
    set_clock("2021-01-05T12:00:00Z");
    let stage = stage();
    let client = client_of(&serve(stage.router.clone()).await);
    assert!(client.get_daily_report(FROM, FROM + 1, None).await.is_ok());
    // The server's clock leaps, the client's does not: the client finds out by asking.
    advance(3 * 3_600_000);
    assert!(client.get_daily_report(FROM, FROM + 1, None).await.is_ok());
}

/// A status, headers and a body.
type Response = (u16, &'static [(&'static str, &'static str)], &'static str);

/// Answers `answers` in turn, the last for ever, in front of a token endpoint; counts the tokens and the requests.
struct Canned {
    base: String,
    tokens: Arc<AtomicUsize>,
    requests: Arc<AtomicUsize>,
}

async fn canned(answers: Vec<Response>) -> Canned {
    let (tokens, requests) = (Arc::new(AtomicUsize::new(0)), Arc::new(AtomicUsize::new(0)));
    let (issued, asked) = (tokens.clone(), requests.clone());
    let token = async move || {
        let number = issued.fetch_add(1, Ordering::Relaxed);
        format!(r#"{{"code":0,"expire":7200,"msg":"ok","tenant_access_token":"t-{number}"}}"#)
    };
    let report = async move || {
        let number = asked.fetch_add(1, Ordering::Relaxed).min(answers.len() - 1);
        let (status, headers, body) = answers[number];
        let headers: HeaderMap = headers.iter().map(|(name, value)| (name.parse().unwrap(), value.parse().unwrap())).collect();
        (StatusCode::from_u16(status).unwrap(), headers, body).into_response()
    };
    let router = Router::new().route(TOKEN, post(token)).route(DAILY, get(report.clone())).route(TOP, get(report));
    Canned { base: serve(router).await, tokens, requests }
}

impl Canned {
    fn counts(&self) -> (usize, usize) {
        (self.tokens.load(Ordering::Relaxed), self.requests.load(Ordering::Relaxed))
    }
}

const GOOD: &str = r#"{"msg":"success","x":[],"data":{"y":1,"meeting_report":{"z":{},"participant_count":3,"meeting_duration":"7","meeting_count":1}},"code":0}"#;
const LIMITED: &str = r#"{"code":99991400,"msg":"request trigger frequency limit"}"#;

#[tokio::test]
async fn one_token_serves_concurrent_calls() {
    let server = canned(vec![(200, &[], GOOD)]).await;
    let client = client_of(&server.base);
    let call = || client.get_daily_report(1, 2, None);
    let (a, b, c) = tokio::join!(call(), call(), call());
    assert!(a.is_ok() && b.is_ok() && c.is_ok());
    assert_eq!(server.counts(), (1, 3));
}

#[tokio::test]
async fn a_refused_token_is_renewed_once_and_no_more() {
    for (code, body) in [
        (99_991_663, r#"{"code":99991663,"msg":"x"}"#),
        (99_991_664, r#"{"code":99991664,"msg":"x"}"#),
        (99_991_671, r#"{"code":99991671,"msg":"x"}"#),
    ] {
        let server = canned(vec![(400, &[], body), (200, &[], GOOD)]).await;
        assert!(client_of(&server.base).get_daily_report(1, 2, None).await.is_ok());
        assert_eq!(server.counts(), (2, 2));
        let server = canned(vec![(400, &[], body)]).await;
        assert_eq!(client_of(&server.base).get_daily_report(1, 2, None).await.unwrap_err().code(), Some(code));
        assert_eq!(server.counts(), (2, 2));
    }
    let server = canned(vec![(400, &[], r#"{"code":99991668,"msg":"x"}"#)]).await;
    assert!(client_of(&server.base).get_daily_report(1, 2, None).await.is_err());
    assert_eq!(server.counts(), (1, 1));
}

#[tokio::test]
async fn a_rate_limit_is_waited_for_as_long_as_the_server_says() {
    let server = canned(vec![
        (429, &[("X-Ogw-Ratelimit-Reset", "1")], LIMITED),
        (400, &[("x-ogw-ratelimit-reset", "0")], LIMITED),
        (200, &[], GOOD),
    ])
    .await;
    let begun = std::time::Instant::now();
    assert!(client_of(&server.base).get_daily_report(1, 2, None).await.is_ok());
    assert!(begun.elapsed() >= Duration::from_secs(1));
    assert_eq!(server.counts(), (1, 3));
}

#[tokio::test]
async fn waiting_and_retries_have_an_end() {
    let server = canned(vec![(429, &[("x-ogw-ratelimit-reset", "0")], LIMITED)]).await;
    let error = client_of(&server.base).get_daily_report(1, 2, None).await.unwrap_err();
    assert_eq!((error.code(), server.counts()), (Some(99_991_400), (1, 4)));
    let server = canned(vec![(429, &[("x-ogw-ratelimit-reset", "52")], LIMITED)]).await;
    let patience = Patience { rate_limit: Duration::from_secs(51), ..Patience::default() };
    let error = refused(patient_client_of(&server.base, SECRET, patience).get_daily_report(1, 2, None).await.unwrap_err());
    assert_eq!((error.code, error.retry_after, server.counts()), (99_991_400, Some(52), (1, 1)));
}

#[tokio::test]
async fn the_seeds_shape_and_names_are_read() {
    let server = canned(vec![(200, &[], GOOD)]).await;
    let report = client_of(&server.base).get_daily_report(1, 2, None).await.unwrap();
    assert_eq!((report.meeting_count, report.meeting_duration, report.participant_count, report.daily_report.len()), (1, 7, 3, 0));
    let seed =
        r#"{"code":0,"msg":"success","data":{"top_user_report":[{"user_id":"ou_xxx","meeting_count":50,"meeting_duration":18000}]}}"#;
    let server =
        canned(vec![(200, &[], seed), (200, &[], r#"{"code":0,"data":{}}"#), (200, &[], r#"{"code":0,"data":{"top_user_report":null}}"#)])
            .await;
    let client = client_of(&server.base);
    let ask = || client.get_top_user_report(1, 2, 10, OrderBy::MeetingCount, None, None);
    let users = ask().await.unwrap();
    assert_eq!(
        (users[0].id.as_str(), users[0].name.as_deref(), users[0].meeting_count, users[0].meeting_duration),
        ("ou_xxx", None, 50, 18_000)
    );
    assert!(ask().await.unwrap().is_empty() && ask().await.unwrap().is_empty());
}

#[tokio::test]
async fn a_failure_is_read_with_any_status_and_either_spelling_of_its_log_id() {
    let server = canned(vec![
        (200, &[], r#"{"code":121003,"msg":"param error","error":{"logid":"L1"}}"#),
        (500, &[("X-TT-LogId", "L2")], r#"{"code":121001,"msg":"internal error","error":{"log_id":"other","field_violations":null}}"#),
        (
            400,
            &[],
            r#"{"code":99991672,"msg":"Access denied.","error":{"log_id":"L3","permission_violations":[{"type":"a","subject":"b"}]}}"#,
        ),
        (403, &[], r#"{"code":1,"error":"a string"}"#),
    ])
    .await;
    let client = client_of(&server.base);
    for (code, log_id) in [(121_003, Some("L1")), (121_001, Some("L2")), (99_991_672, Some("L3")), (1, None)] {
        let error = client.get_daily_report(1, 2, None).await.unwrap_err();
        assert_eq!((error.code(), error.log_id()), (Some(code), log_id));
    }
}

#[tokio::test]
async fn what_is_no_answer_is_an_error_that_says_what_came() {
    let server = canned(vec![
        (404, &[("x-tt-logid", "L")], "404 page not found"),
        (302, &[("location", "http://127.0.0.1:1/")], ""),
        (200, &[], r#"{"code":0,"msg":"success","data":{"meeting_report":{"daily_report":[]}}}"#),
        (200, &[], r#"{"code":0}"#),
        (200, &[], r#"{"code":0,"data":{"meeting_report":{"meeting_count":"1.5"}}}"#),
    ])
    .await;
    let client = client_of(&server.base);
    for said in [
        "status 404 Not Found (log id L): not an answer of this api: \"404 page not found\"",
        "status 302",
        "total_meeting_count is missing",
        "null",
        "1.5",
    ] {
        let error = client.get_daily_report(1, 2, None).await.unwrap_err();
        assert!(matches!(error, Error::NotAnAnswer { .. }) && error.to_string().contains(said), "{error}");
    }
}

#[tokio::test]
async fn nobody_listening_and_no_url_are_errors() {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let base = format!("http://{}", listener.local_addr().unwrap());
    drop(listener);
    let error = client_of(&base).get_daily_report(1, 2, None).await.unwrap_err();
    assert!(matches!(error, Error::Transport(_)), "{error}");
    for url in ["", "open.feishu.cn", "ftp://open.feishu.cn", "http://user:password@open.feishu.cn", "http://open.feishu.cn/?a=b"] {
        assert!(matches!(Client::new(url, "a", "s"), Err(Error::Setup(SetupError::BaseUrl { .. }))), "{url}");
    }
    let _ = rustls::crypto::ring::default_provider().install_default();
    assert!(Client::new("https://open.feishu.cn/", "a", "s").is_ok());
}
