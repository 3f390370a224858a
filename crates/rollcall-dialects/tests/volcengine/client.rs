//! The client: against this server, and against one that answers as others may.

use crate::naive::Naive;
use crate::stage::{AK, APP, SK, fact, other_tenant, settings, tenant};
use axum::Router;
use axum::extract::Request;
use axum::routing::any;
use http::StatusCode;
use rollcall_dialects::Site;
use rollcall_dialects::setup::SetupError;
use rollcall_dialects::volcengine::Settings;
use rollcall_dialects::volcengine::client::{Client, Dimension, Distribution, Error, Patience, Refused, Version};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

/// Serves on loopback for the rest of the test, and returns the base URL.
async fn serve(router: Router) -> String {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let base = format!("http://{}", listener.local_addr().unwrap());
    tokio::spawn(async move { axum::serve(listener, router).await });
    base
}

fn client_of(base: &str, secret: &str) -> Client {
    // Fails where another test has installed it.
    let _ = rustls::crypto::ring::default_provider().install_default();
    let patience = Patience { pause: Duration::from_millis(1), ..Patience::default() };
    Client::with_patience(base, AK, secret, patience).unwrap()
}

/// A server whose clock is the machine's, as the client's is: facts of an hour ago, and a limit of none or one a second.
fn stage(requests_per_second: u32) -> Router {
    let minutes_ago = |minutes: i64| (jiff::Timestamp::now() - jiff::Span::new().minutes(minutes)).to_string();
    let facts = vec![
        fact("u1", "CN-SH", &minutes_ago(60), &minutes_ago(30)),
        fact("u2", "CN-BJ", &minutes_ago(60), &minutes_ago(30)),
        fact("u3", "CN-BJ", &minutes_ago(60), &minutes_ago(30)),
    ];
    let now = || jiff::Timestamp::now().as_millisecond();
    let tenants = vec![tenant(Settings { requests_per_second, ..settings() }), other_tenant()];
    let site = Arc::new(Site::new(Arc::new(Naive { facts, ..Naive::default() }), now, [7; 32], tenants));
    rollcall_dialects::DIALECTS
        .iter()
        .fold(Router::new().fallback(async || StatusCode::NOT_FOUND), |router, dialect| dialect.mount(router, site.clone()))
}

async fn ask(client: &Client, app: &str, dimension: Dimension) -> Result<Distribution, Error> {
    let now = jiff::Timestamp::now();
    client.list_operation_distribution(app, now - jiff::Span::new().hours(2), now, dimension).await
}

fn rows(distribution: &Distribution) -> Vec<(&str, f64, f64)> {
    distribution.data.iter().map(|place| (place.name.as_str(), place.value, place.proportion)).collect()
}

fn refused(error: Error) -> Refused {
    match error {
        Error::Refused(refused) => *refused,
        other => panic!("{other}"),
    }
}

#[tokio::test]
async fn the_report_is_had_from_this_server_in_both_versions_and_under_a_prefix() {
    let base = serve(stage(0)).await;
    for base in [base.clone(), format!("{base}/"), format!("{base}/volcengine"), format!("{base}/volcengine/a%20b/")] {
        for version in Version::ALL {
            let client = client_of(&base, SK).version(version).region("ap-singapore-1");
            let provinces = ask(&client, APP, Dimension::Province).await.unwrap();
            assert_eq!((provinces.name.as_str(), provinces.dimension.as_str()), ("user_num", "province"));
            assert_eq!(rows(&provinces), [("北京", 2.0, 66.66), ("上海", 1.0, 33.33)], "{base}");
            assert_eq!(rows(&ask(&client, APP, Dimension::Country).await.unwrap()), [("中国", 3.0, 100.0)]);
        }
    }
}

#[tokio::test]
async fn a_refusal_carries_code_number_message_and_request_id_and_no_secret_is_shown() {
    let base = serve(stage(0)).await;
    let client = client_of(&base, "guessed");
    let error = ask(&client, APP, Dimension::Province).await.unwrap_err();
    assert_eq!(error.code(), Some("SignatureDoesNotMatch"));
    assert!(!format!("{client:?} {error:?} {error}").contains("guessed"));
    let told = refused(error);
    assert_eq!((told.status, told.code_n, told.request_id.len()), (StatusCode::UNAUTHORIZED, Some(100_010), 34));
    let unknown = refused(ask(&client_of(&base, SK), "Nobodys", Dimension::Province).await.unwrap_err());
    assert_eq!((unknown.code.as_str(), unknown.code_n), ("InvalidParameter.NotExistAppId", None));
    assert!(unknown.to_string().contains("AppId \"Nobodys\" does not exist."), "{unknown}");
}

#[tokio::test]
async fn a_flow_limit_of_this_server_is_waited_for() {
    let base = serve(stage(1)).await;
    let patience = Patience { pause: Duration::from_millis(600), ..Patience::default() };
    let _ = client_of(&base, SK);
    let client = Client::with_patience(&base, AK, SK, patience).unwrap();
    let (one, other) = tokio::join!(ask(&client, APP, Dimension::Province), ask(&client, APP, Dimension::Country));
    assert!(one.is_ok() && other.is_ok(), "{one:?} {other:?}");
}

/// Answers in turn, the last for ever, and counts; each request must be signed anew.
async fn canned(answers: Vec<(u16, &'static str)>) -> (Client, Arc<AtomicUsize>) {
    let asked = Arc::new(AtomicUsize::new(0));
    let counter = asked.clone();
    let answer = async move |request: Request| {
        assert!(request.headers()["authorization"].to_str().unwrap().starts_with("HMAC-SHA256 Credential=AKLT"));
        let (status, body) = answers[counter.fetch_add(1, Ordering::Relaxed).min(answers.len() - 1)];
        (StatusCode::from_u16(status).unwrap(), body)
    };
    (client_of(&serve(Router::new().route("/", any(answer))).await, SK), asked)
}

const GOOD: &str = r#"{"ResponseMetadata":{"RequestId":"r","More":1},"Result":{"Name":"user_num","Dimension":"province","Data":[{"DistributionName":"上海","Value":666.00,"Proportion":66.66,"More":1}]}}"#;
const LIMITED: &str = r#"{"ResponseMetadata":{"RequestId":"r","Error":{"CodeN":100018,"Code":"FlowLimitExceeded","Message":"m"}}}"#;
const WRONG: &str = r#"{"ResponseMetadata":{"RequestId":"r","Error":{"Code":"InvalidParameter","Message":"m"}},"Result":{}}"#;

#[tokio::test]
async fn what_may_pass_is_asked_again_and_nothing_else() {
    for (answers, requests, code) in [
        (vec![(200, GOOD)], 1, None),
        (vec![(429, LIMITED), (503, "<html>"), (500, WRONG), (200, GOOD)], 4, None),
        (vec![(429, LIMITED)], 4, Some("FlowLimitExceeded")),
        (vec![(200, LIMITED), (200, GOOD)], 2, None),
        (vec![(400, WRONG)], 1, Some("InvalidParameter")),
        // In version 2020-12-01 a failure may come with 200.
        (vec![(200, WRONG)], 1, Some("InvalidParameter")),
    ] {
        let (client, asked) = canned(answers).await;
        let answer = ask(&client, APP, Dimension::Province).await;
        assert_eq!(asked.load(Ordering::Relaxed), requests);
        match (answer, code) {
            (Ok(distribution), None) => assert_eq!(rows(&distribution), [("上海", 666.0, 66.66)]),
            (Err(error), Some(code)) => assert_eq!(error.code(), Some(code)),
            (answer, code) => panic!("{answer:?} {code:?}"),
        }
    }
}

#[tokio::test]
async fn a_connection_that_breaks_is_tried_again_but_not_for_ever() {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let base = format!("http://{}", listener.local_addr().unwrap());
    let accepted = Arc::new(AtomicUsize::new(0));
    let counter = accepted.clone();
    tokio::spawn(async move {
        while let Ok((connection, _)) = listener.accept().await {
            counter.fetch_add(1, Ordering::Relaxed);
            drop(connection);
        }
    });
    let error = ask(&client_of(&base, SK), APP, Dimension::Province).await.unwrap_err();
    assert!(matches!(error, Error::Transport(_)), "{error}");
    // The HTTP client may try a connection that broke before it was used once more by itself.
    assert!((4..=8).contains(&accepted.load(Ordering::Relaxed)));
}

#[tokio::test]
async fn what_is_no_answer_is_an_error() {
    for body in ["", "hello", "{}", "[]", r#"{"ResponseMetadata":{}}"#, r#"{"ResponseMetadata":{},"Result":{"Name":1}}"#] {
        let (client, asked) = canned(vec![(200, body)]).await;
        let error = ask(&client, APP, Dimension::Province).await.unwrap_err();
        assert!(matches!(error, Error::NotAnAnswer { .. }), "{body} {error}");
        assert_eq!(asked.load(Ordering::Relaxed), 1);
    }
    let (client, _) = canned(vec![(200, r#"{"ResponseMetadata":{},"Result":{"Name":"user_num","Dimension":"country"}}"#)]).await;
    assert_eq!(ask(&client, APP, Dimension::Country).await.unwrap().data, [], "an absent list is an empty one");
    for base in ["", "rtc.volcengineapi.com", "ftp://x", "https://x?y", "https://a:b@x", "https://x#y"] {
        assert!(matches!(Client::new(base, "a", "b"), Err(Error::Setup(SetupError::BaseUrl { .. }))), "{base}");
    }
}
