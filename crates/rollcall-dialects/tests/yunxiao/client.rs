//! The client: against this server, and against one that answers as others have been seen to.

use crate::naive::ORG;
use crate::stage::{Stage, TOKEN, example, organization, tenants, unlimited};
use axum::Router;
use axum::response::IntoResponse;
use http::{HeaderMap, StatusCode};
use jiff::civil::{Date, date};
use rollcall_dialects::setup::SetupError;
use rollcall_dialects::yunxiao::Settings;
use rollcall_dialects::yunxiao::client::{Client, Error, Patience, Refused};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

const FROM: Date = date(2024, 11, 13);

/// Serves on loopback for the rest of the test, and returns the base URL.
async fn serve(router: Router) -> String {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let base = format!("http://{}", listener.local_addr().unwrap());
    tokio::spawn(async move { axum::serve(listener, router).await });
    base
}

fn client_of(base: &str, token: &str) -> Client {
    patient(base, token, Patience::default())
}

fn patient(base: &str, token: &str, patience: Patience) -> Client {
    // Fails where another test has installed it.
    let _ = rustls::crypto::ring::default_provider().install_default();
    Client::with_patience(base, token, patience).unwrap()
}

fn refused(error: Error) -> Refused {
    match error {
        Error::Refused(refused) => *refused,
        other => panic!("{other}"),
    }
}

#[tokio::test]
async fn both_reports_and_the_platform_are_had_from_this_server() {
    let client = client_of(&format!("{}/", serve(Stage::of_example().router).await), TOKEN);
    let org = ORG.to_string();
    for length in [1, 2, 3, 100] {
        let rows = client.department_usage(&org, FROM, date(2024, 11, 14)).per_page(length).all().await.unwrap();
        let told: Vec<_> = rows.iter().map(|row| (row.date, row.department_id.as_ref(), row.active_developer)).collect();
        let (first, second) = (1_731_427_200_000, 1_731_513_600_000);
        assert_eq!(told, [(first, "d-root", 2), (first, "d-team", 1), (second, "d-root", 0), (second, "d-team", 0)]);
        assert_eq!(rows[0].totals.total_count_suggested_completion, Some(7));
    }
    let developers = client.developer_usage(&org, FROM, FROM).department("d-team").all().await.unwrap();
    assert_eq!((developers.len(), developers[0].user_id.as_ref()), (1, "u1"));
    assert_eq!((developers[0].status_active_lasted_time, developers[0].breakdown.chatting[0].active_developer), (1_731_470_400_000, None));
    let one = client.developer_usage(&org, FROM, FROM).user("u2").all().await.unwrap();
    assert_eq!((one.len(), one[0].status_active_chat, one[0].status_active_completion), (1, false, true));
    assert_eq!(client.user().await.unwrap().last_organization, org);
    assert_eq!(client.organizations().all().await.unwrap()[0].name, organization().name);
    let departments = client.departments(&org).all().await.unwrap();
    assert_eq!((departments.len(), departments[0].has_sub, departments[1].parent_id.as_deref()), (2, true, Some("d-root")));
    assert_eq!(client.departments(&org).department("d-root").all().await.unwrap().len(), 1);
}

#[tokio::test]
async fn pages_come_one_by_one_and_end() {
    let client = client_of(&serve(Stage::of_example().router).await, TOKEN);
    let mut pages = client.department_usage(&ORG.to_string(), FROM, FROM).per_page(1).pages();
    for id in ["d-root", "d-team"] {
        assert_eq!(pages.next().await.unwrap().unwrap()[0].department_id.as_ref(), id);
    }
    assert!(pages.next().await.unwrap().is_none() && pages.next().await.unwrap().is_none());
    let none = client.department_usage(&ORG.to_string(), date(2099, 1, 1), date(2099, 1, 2)).pages().next().await.unwrap();
    assert!(none.is_none());
}

#[tokio::test]
async fn a_refusal_carries_status_code_message_and_request_id() {
    let base = serve(Stage::of_example().router).await;
    let client = client_of(&base, TOKEN);
    let org = ORG.to_string();
    let unknown = refused(client.department_usage(&org, FROM, FROM).department("x&y=1#/é").all().await.unwrap_err());
    assert_eq!(
        (unknown.status.as_u16(), unknown.code.as_str(), unknown.message.as_str()),
        (404, "NotFound", "no such department: x&y=1#/é")
    );
    assert_eq!(unknown.request_id.map(|id| id.len()), Some(36));
    let bad = client.department_usage(&org, FROM, date(2024, 11, 12)).per_page(1000).all().await.unwrap_err();
    assert_eq!(bad.code(), Some("BadRequest"));
    let elsewhere = client.department_usage("some/other?organization", FROM, FROM).all().await.unwrap_err();
    assert_eq!(elsewhere.code(), Some("Forbidden.InvalidUser.UserNotInCurrentOrganization"));
    let wrong = client_of(&base, "guessed");
    let error = wrong.user().await.unwrap_err();
    assert_eq!(error.code(), Some("InvalidTokenError"));
    assert!(!format!("{wrong:?} {error:?} {error}").contains("guessed"));
}

/// A status, headers and a body.
type Response = (u16, &'static [(&'static str, &'static str)], &'static str);

/// Answers `answers` in turn, the last for ever; counts the requests, and keeps the pages asked for.
struct Canned {
    base: String,
    requests: Arc<AtomicUsize>,
    queries: Arc<Mutex<Vec<String>>>,
}

async fn canned(answers: Vec<Response>) -> Canned {
    let (requests, queries) = (Arc::new(AtomicUsize::new(0)), Arc::new(Mutex::new(Vec::new())));
    let (asked, seen) = (requests.clone(), queries.clone());
    let answer = async move |uri: http::Uri| {
        let number = asked.fetch_add(1, Ordering::Relaxed).min(answers.len() - 1);
        seen.lock().unwrap().push(uri.to_string());
        let (status, headers, body) = answers[number];
        let headers: HeaderMap = headers.iter().map(|(name, value)| (name.parse().unwrap(), value.parse().unwrap())).collect();
        (StatusCode::from_u16(status).unwrap(), headers, body).into_response()
    };
    Canned { base: serve(Router::new().fallback(answer)).await, requests, queries }
}

impl Canned {
    fn client(&self) -> Client {
        client_of(&self.base, "t")
    }

    fn count(&self) -> usize {
        self.requests.load(Ordering::Relaxed)
    }
}

const ROW: &str = r#"[{"x":1,"activeDeveloper":1,"activeDeveloperChat":1,"activeDeveloperCompletion":1,"breakdown":{"y":[]},"date":7,"departmentId":"d","totalChatTurns":1,"totalLinesAccepted":1,"totalLinesChanged":1}]"#;

#[tokio::test]
async fn paging_headers_may_be_there_empty_or_absent() {
    for (first, expected) in [
        // As documented; a page that is announced; nothing at all, with a page that is not full; pages without a next.
        (&[("x-next-page", ""), ("x-total-pages", "1")][..], 1),
        (&[("x-next-page", "2"), ("x-total-pages", "2")], 2),
        (&[], 1),
        (&[("x-total-pages", "2")], 2),
        (&[("x-next-page", "1"), ("x-total-pages", "")], 1),
        (&[("x-next-page", "two")], 1),
    ] {
        let server = canned(vec![(200, first, ROW), (200, &[], ROW), (200, &[], "[]")]).await;
        let rows = server.client().department_usage("o", FROM, FROM).all().await.unwrap();
        assert_eq!((rows.len(), server.count()), (expected, expected), "{first:?}");
        assert_eq!((rows[0].totals.total_chat_turns_accepted, rows[0].date), (None, 7));
    }
    // A full page without headers: there may be more, until there is an empty one.
    let server = canned(vec![(200, &[], ROW), (200, &[], ROW), (200, &[], "[]")]).await;
    let rows = server.client().department_usage("o/p", FROM, FROM).department("d").per_page(1).all().await.unwrap();
    assert_eq!((rows.len(), server.count()), (2, 3));
    assert_eq!(
        server.queries.lock().unwrap()[2],
        "/oapi/v1/lingma/organizations/o%2Fp/departmentUsage?startTime=2024-11-13&endTime=2024-11-13&departmentId=d&perPage=1&page=3"
    );
}

#[tokio::test]
async fn the_time_of_the_last_use_is_a_number_or_a_string() {
    let row = |time: &str| {
        format!(
            r#"[{{"breakdown":{{"chatting":[{{"chatTurns":1,"chatTurnsAccepted":0,"chatType":"FREE_INPUT","ide":"vscode"}}]}},"date":1,"statusActive":true,
            "statusActiveChat":true,"statusActiveCompletion":false{time},"totalChatTurns":1,"totalLinesAccepted":0,"totalLinesChanged":0,"userId":"u"}}]"#
        )
    };
    for (time, expected) in [
        (r#","statusActiveLastedTime":1731427200000"#, 1_731_427_200_000),
        (r#","statusActiveLastedTime":"1731427200000""#, 1_731_427_200_000),
        (r#","statusActiveLastedTime":"""#, 0),
        (r#","statusActiveLastedTime":null"#, 0),
        ("", 0),
    ] {
        let server = canned(vec![(200, &[], row(time).leak())]).await;
        let rows = server.client().developer_usage("o", FROM, FROM).all().await.unwrap();
        assert_eq!(rows[0].status_active_lasted_time, expected, "{time}");
    }
    let server = canned(vec![(200, &[], row(r#","statusActiveLastedTime":"yesterday""#).leak())]).await;
    assert!(matches!(server.client().developer_usage("o", FROM, FROM).all().await, Err(Error::NotAnAnswer { .. })));
}

const LIMITED: &str = r#"{"errorCode":"TooManyRequests","errorMessage":"slow down"}"#;

#[tokio::test]
async fn a_rate_limit_is_waited_for_as_long_as_the_server_says_and_not_for_ever() {
    let server = canned(vec![(429, &[("retry-after", "0")], LIMITED), (429, &[("retry-after", "0")], LIMITED), (200, &[], ROW)]).await;
    assert_eq!(server.client().department_usage("o", FROM, FROM).all().await.unwrap().len(), 1);
    assert_eq!(server.count(), 3);
    let server = canned(vec![(429, &[("retry-after", "0")], LIMITED)]).await;
    let error = refused(server.client().department_usage("o", FROM, FROM).all().await.unwrap_err());
    assert_eq!((error.code.as_str(), error.retry_after, server.count()), ("TooManyRequests", Some(0), 4));
    // Longer than the patience: at once.
    let server = canned(vec![(429, &[("retry-after", "121")], LIMITED)]).await;
    let error = refused(server.client().department_usage("o", FROM, FROM).all().await.unwrap_err());
    assert_eq!((error.retry_after, server.count()), (Some(121), 1));
    let server = canned(vec![(429, &[("retry-after", "1")], LIMITED)]).await;
    let patience = Patience { rate_limit: Duration::from_millis(1500), ..Patience::default() };
    assert!(patient(&server.base, "t", patience).user().await.is_err());
    assert_eq!(server.count(), 2);
}

#[tokio::test]
async fn the_limit_of_this_server_is_waited_for() {
    let settings = Settings { requests_per_minute: 1, ..unlimited(TOKEN) };
    let base = serve(Stage::new(example(), tenants(settings)).router).await;
    let client = patient(&base, TOKEN, Patience { retries: 0, ..Patience::default() });
    assert!(client.user().await.is_ok());
    let error = refused(client.user().await.unwrap_err());
    assert_eq!((error.status.as_u16(), error.retry_after), (429, Some(60)));
}

#[tokio::test]
async fn bodies_of_others_are_shown_and_read_with_more_keys_or_none() {
    for (response, code, message) in [
        ((502, &[][..], "<html>Bad Gateway</html>"), None, "<html>Bad Gateway</html>"),
        ((400, &[], r#"{"errorCode":"BadRequest","errorMessage":"m","errorDescription":"d","requestId":"r"}"#), Some("BadRequest"), "m"),
        ((401, &[], r#"{"errorCode":"InvalidTokenError"}"#), Some("InvalidTokenError"), ""),
        ((500, &[], ""), None, ""),
    ] {
        let server = canned(vec![response]).await;
        let error = server.client().user().await.unwrap_err();
        assert_eq!(error.code(), code);
        assert_eq!(refused(error).message, message);
    }
    for body in ["", "{}", "[1]", "null", r#"{"success":true}"#] {
        let server = canned(vec![(200, &[], body)]).await;
        let error = server.client().department_usage("o", FROM, FROM).all().await.unwrap_err();
        assert!(matches!(error, Error::NotAnAnswer { .. }), "{body}: {error}");
    }
    // A redirect is not followed: it would carry the token away.
    let server = canned(vec![(302, &[("location", "/elsewhere")], "")]).await;
    assert_eq!((refused(server.client().user().await.unwrap_err()).status.as_u16(), server.count()), (302, 1));
}

#[tokio::test]
async fn what_no_client_can_be_made_of_is_an_error() {
    let _ = rustls::crypto::ring::default_provider().install_default();
    for base in ["", "example.com", "ftp://example.com", "https://user@example.com", "https://example.com?x=1", "https://example.com#x"] {
        assert!(matches!(Client::new(base, "t"), Err(Error::Setup(SetupError::BaseUrl { .. }))), "{base}");
    }
    assert!(matches!(Client::new("https://example.com", "line\nbreak"), Err(Error::Token)));
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let base = format!("http://{}", listener.local_addr().unwrap());
    drop(listener);
    assert!(matches!(client_of(&base, "t").user().await, Err(Error::Transport(_))));
    // A path in front of the API's is kept.
    let server = canned(vec![(200, &[], "[]")]).await;
    let client = client_of(&format!("{}/proxy/", server.base), "t");
    assert!(client.organizations().all().await.unwrap().is_empty());
    assert_eq!(server.queries.lock().unwrap()[0], "/proxy/oapi/v1/platform/organizations?perPage=100&page=1");
}
