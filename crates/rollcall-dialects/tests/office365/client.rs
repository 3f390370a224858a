//! The client: against this server, and against one that answers as others may.

use crate::stage::{PASSWORD, Stage, days, settings};
use axum::Router;
use axum::extract::Request;
use axum::routing::get;
use jiff::civil::date;
use rollcall_dialects::office365::Settings;
use rollcall_dialects::office365::client::{Client, Dated, Error, Format, Property, Set};
use rollcall_dialects::setup::SetupError;

/// Serves on loopback for the rest of the test, and returns the base URL.
async fn serve(router: Router) -> String {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let base = format!("http://{}", listener.local_addr().unwrap());
    tokio::spawn(async move { axum::serve(listener, router).await });
    base
}

fn client_of(base: &str) -> Client {
    // Fails where another test has installed it.
    let _ = rustls::crypto::ring::default_provider().install_default();
    Client::new(base, "admin@example.com", PASSWORD).unwrap()
}

/// A server that pages by two, with URLs of its own.
async fn stage() -> Client {
    let facts = days(&[("2013-05-09", 5), ("2013-05-12", 4), ("2013-05-13", 3), ("2013-05-14", 2), ("2013-05-16", 1)]);
    let settings = Settings { page_size: 2, public_base_url: None, ..settings() };
    client_of(&serve(Stage::new(facts, settings).router).await)
}

#[tokio::test]
async fn rows_are_had_in_both_formats() {
    let client = stage().await;
    for format in [Format::Json, Format::Atom] {
        let mut pages = client.query(Set::Daily).format(format).pages();
        let mut sizes = Vec::new();
        let mut rows = Vec::new();
        while let Some(page) = pages.next().await.unwrap() {
            sizes.push(page.len());
            rows.extend(page);
        }
        assert_eq!(sizes, [2, 2, 1]);
        assert_eq!(rows.iter().map(|row| row.active_users.unwrap()).collect::<Vec<_>>(), [5, 4, 3, 2, 1]);
        assert_eq!(rows[0].date, Some(date(2013, 5, 10).at(0, 0, 0, 0)));
        assert_eq!((rows[0].id, rows[0].tenant_name.as_deref()), (Some(15834), Some("example.onmicrosoft.com")));
        assert_eq!(rows[0].tenant_guid, Some(crate::stage::ORG.0));
        let select = client.query(Set::Daily).format(format).select(&[Property::ActiveUsers]).top(3).order_by("Date desc");
        let rows = select.rows().await.unwrap();
        assert_eq!(
            rows.iter().map(|row| (row.date, row.active_users)).collect::<Vec<_>>(),
            [(None, Some(1)), (None, Some(2)), (None, Some(3))]
        );
    }
}

#[tokio::test]
async fn questions_are_built_step_by_step() {
    let client = stage().await;
    let days = client.query(Set::Daily).between(date(2013, 5, 12), date(2013, 5, 14), Dated::End);
    assert_eq!(days.clone().rows().await.unwrap().iter().map(|row| row.active_users).collect::<Vec<_>>(), [Some(4), Some(3)]);
    assert_eq!(days.clone().count().await.unwrap(), 2);
    assert_eq!(days.filter("ActiveUsers eq 3 or ActiveUsers eq 5").count().await.unwrap(), 1);
    assert_eq!(client.query(Set::Daily).skip(1).count().await.unwrap(), 4);
    let key = date(2013, 5, 13).at(0, 0, 0, 0);
    for format in [Format::Json, Format::Atom] {
        let row = client.query(Set::Daily).format(format).row(key).await.unwrap();
        assert_eq!(row.and_then(|row| row.active_users), Some(4));
        assert_eq!(client.query(Set::Daily).format(format).row(date(2013, 5, 12).at(0, 0, 0, 0)).await.unwrap(), None);
    }
    let shanghai = client.query(Set::Daily).time_zone("+14:00").top(1).rows().await.unwrap();
    assert_eq!(shanghai[0].date, Some(date(2013, 5, 11).at(0, 0, 0, 0)));
}

fn refused(error: Error) -> (u16, String) {
    match error {
        Error::Refused { status, message, request_id: Some(_) } => (status.as_u16(), message),
        other => panic!("{other}"),
    }
}

#[tokio::test]
async fn refusals_are_told_as_the_server_words_them() {
    let client = stage().await;
    for format in [Format::Json, Format::Atom] {
        let asked = client.query(Set::Daily).format(format).filter("Foo eq 1").rows().await;
        let text = "Could not find a property named 'Foo' on type 'TenantReporting.CsActiveUserReport'.";
        assert_eq!(refused(asked.unwrap_err()), (400, text.into()));
        let zone = client.query(Set::Weekly).format(format).time_zone("Mars").rows().await;
        assert!(refused(zone.unwrap_err()).1.starts_with("The time zone 'Mars' given"));
    }
    assert!(!format!("{client:?}").contains(PASSWORD));
}

/// Answers the set with a body, the next page with another.
async fn elsewhere(first: &'static str, second: &'static str) -> Client {
    let answer = async move |request: Request| {
        if request.uri().query().unwrap_or_default().contains("skiptoken") {
            assert!(request.uri().query().unwrap().contains("format=Json"));
            second
        } else {
            first
        }
    };
    client_of(&format!("{}/other/x.svc/", serve(Router::new().route("/other/x.svc/CsActiveUserDaily", get(answer))).await))
}

#[tokio::test]
async fn answers_of_other_servers_are_read() {
    let first =
        r#"{"d":{"results":[{"Date":"/Date(1368144000000+0000)/","ActiveUsers":5,"Extra":{}}],"__next":"CsActiveUserDaily?$skiptoken=1"}}"#;
    let second = r#"{"odata.metadata":"x","value":[{"Date":"2013-05-14T00:00:00Z","ActiveUsers":"7","TenantName":null}]}"#;
    let rows = elsewhere(first, second).await.query(Set::Daily).rows().await.unwrap();
    assert_eq!(rows.iter().map(|row| (row.date.unwrap().day(), row.active_users)).collect::<Vec<_>>(), [(10, Some(5)), (14, Some(7))]);
    let bare = elsewhere(r#"{"d":[{"ID":"3"}]}"#, "").await.query(Set::Daily).rows().await.unwrap();
    assert_eq!(bare[0].id, Some(3));
    let prefixed = "<?xml version='1.0'?><a:feed xmlns:a='x' xmlns:p='y'><a:entry><a:content><p:properties><p:TenantName>a &amp; &#98;</p:TenantName>\
                    <p:ID p:null='true'/></p:properties></a:content></a:entry></a:feed>";
    let rows = elsewhere(prefixed, "").await.query(Set::Daily).rows().await.unwrap();
    assert_eq!((rows[0].tenant_name.as_deref(), rows[0].id), (Some("a & b"), None));
}

#[tokio::test]
async fn what_is_no_answer_is_an_error() {
    for body in ["", "hello", "{}", "{\"d\":1}", "<html></html>", "<feed>", r#"{"d":[{"ID":"x"}]}"#, r#"{"d":[{"Date":"/Date()/"}]}"#] {
        let error = elsewhere(body, "").await.query(Set::Daily).rows().await.unwrap_err();
        assert!(matches!(error, Error::NotAnAnswer { .. }), "{body} {error}");
    }
    for next in ["https://example.org/x?$skiptoken=1", "CsActiveUserDaily?%24format=Json"] {
        let body: &'static str = format!("{{\"d\":{{\"results\":[],\"__next\":\"{next}\"}}}}").leak();
        let error = elsewhere(body, "").await.query(Set::Daily).rows().await.unwrap_err();
        assert!(matches!(error, Error::NextLink(_)), "{next} {error}");
    }
    for base in ["", "reports.office365.com", "ftp://x", "https://x?y", "https://a:b@x"] {
        assert!(matches!(Client::new(base, "a", "b"), Err(Error::Setup(SetupError::BaseUrl { .. }))), "{base}");
    }
}
