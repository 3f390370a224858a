//! Who may ask, for what, and whose rows they see.

use crate::naive::Naive;
use crate::stage::{OPEN, OTHER, PASSWORD, ROOT, SERVICE, Stage, account, basic, fact, may, settings, tenant};
use axum::body::Body;
use http::Request;
use rollcall_dialects::office365::{Role, Settings, hash_password};

const FORBIDDEN: &str = "{\"ErrorCode\":\"\",\"Message\":\"No permission to access the report for the organization .\"}";

#[tokio::test]
async fn without_good_credentials_there_is_a_challenge() {
    let stage = Stage::new(may(), settings());
    let wrong = [
        None,
        Some(String::new()),
        Some("Basic".into()),
        Some("Basic !".into()),
        Some("Bearer abc".into()),
        Some(basic("admin@example.com", "break a leg")),
        Some(basic("admin@example.com", "")),
        Some(basic("nobody@example.com", PASSWORD)),
        Some(basic("", "")),
    ];
    for authorization in wrong {
        for path in ["", "/$metadata", "/CsActiveUserDaily", "/Nothing"] {
            let mut request = Request::get(format!("{SERVICE}{path}?$format=Json"));
            if let Some(authorization) = &authorization {
                request = request.header("authorization", authorization);
            }
            let answer = stage.send(request.body(Body::empty()).unwrap()).await;
            assert_eq!(answer.status, 401, "{authorization:?} {path}");
            assert!(answer.header("www-authenticate").starts_with("Basic realm=\""));
            assert_eq!(answer.header("x-rws-version"), "2013-V1");
        }
    }
}

#[tokio::test]
async fn names_compare_in_any_case_and_passwords_do_not() {
    let stage = Stage::new(may(), settings());
    assert_eq!(stage.ask_as("ADMIN@Example.COM", PASSWORD, "", &[]).await.status, 200);
    assert_eq!(stage.ask_as("admin@example.com", &PASSWORD.to_uppercase(), "", &[]).await.status, 401);
}

#[tokio::test]
async fn a_user_without_a_reading_role_sees_no_set() {
    let stage = Stage::new(may(), settings());
    for path in ["/CsActiveUserDaily", "/CsActiveUserDaily/$count?$format=Atom", "/CsActiveUserDaily(datetime'2013-05-14T00:00')"] {
        let answer = stage.ask_as("clerk@example.com", PASSWORD, path, &[]).await;
        assert_eq!((answer.status.as_u16(), answer.body.as_str()), (403, FORBIDDEN));
        assert_eq!(answer.header("content-type"), "application/json;charset=utf-8");
    }
    let service = stage.ask_as("clerk@example.com", PASSWORD, "", &[]).await;
    assert_eq!(service.status, 200);
    assert!(service.body.contains("<workspace>") && !service.body.contains("collection"));
    let metadata = stage.ask_as("clerk@example.com", PASSWORD, "/$metadata", &[]).await;
    assert!(metadata.status == 200 && !metadata.body.contains("CsActive"));
    // What does not exist is not found, whoever asks.
    assert_eq!(stage.ask_as("clerk@example.com", PASSWORD, "/Nothing", &[]).await.status, 404);
}

#[tokio::test]
async fn every_reading_role_reads() {
    let users = Role::ALL.iter().map(|role| account(role.name(), *role)).collect();
    let stage = Stage::new(may(), Settings { users, ..settings() });
    for role in Role::ALL {
        assert_eq!(Role::from_name(role.name()), Some(role));
        let status = stage.ask_as(role.name(), PASSWORD, "/CsActiveUserDaily", &[]).await.status;
        assert_eq!(status, if role == Role::User { 403 } else { 200 }, "{role:?}");
    }
}

#[tokio::test]
async fn plain_text_is_refused_first_where_credentials_may_not_travel() {
    let stage = Stage::new(may(), settings());
    let request = Request::get(format!("{SERVICE}/CsActiveUserDaily")).extension(OPEN).body(Body::empty()).unwrap();
    let answer = stage.send(request).await;
    assert_eq!(answer.status, 403);
    assert_eq!(answer.body, "{\"ErrorCode\":\"\",\"Message\":\"Basic authentication needs HTTPS.\"}");
}

#[tokio::test]
async fn a_reload_is_followed_at_once() {
    let stage = Stage::new(may(), settings());
    assert_eq!(stage.get("").await.status, 200);
    let mut changed = settings();
    changed.users[0].password = hash_password("another").unwrap();
    stage.site.reload(vec![tenant(changed)]);
    assert_eq!(stage.get("").await.status, 401);
    assert_eq!(stage.ask_as("admin@example.com", "another", "", &[]).await.status, 200);
    stage.site.reload(Vec::new());
    assert_eq!(stage.ask_as("admin@example.com", "another", "", &[]).await.status, 401);
}

#[tokio::test]
async fn a_password_is_hashed_once() {
    let stage = Stage::new(may(), settings());
    assert_eq!(stage.get("").await.status, 200);
    let before = std::time::Instant::now();
    for _ in 0..200 {
        assert_eq!(stage.get("").await.status, 200);
    }
    // Two hundred hashes take seconds.
    assert!(before.elapsed() < std::time::Duration::from_secs(2));
}

#[tokio::test]
async fn organizations_see_their_own_rows_only() {
    let mut other = tenant(Settings { users: vec![account("admin@other.com", Role::GlobalAdministrator)], ..settings() });
    other.organization.id = OTHER;
    other.organization.name = "other & <sons>".into();
    let mut facts = may();
    facts.push(crate::naive::Fact { org: OTHER, ..fact("u0", "2013-05-13T01:00:00Z") });
    let stage = Stage::of(Naive { facts, ..Naive::default() }, vec![tenant(settings()), other]);
    let rows = stage.ask_as("admin@other.com", PASSWORD, "/CsActiveUserDaily?$format=Json", &[]).await;
    assert_eq!((rows.dates(), rows.counts()), (vec!["05-14".to_owned()], vec![1]));
    assert_eq!(rows.rows()[0]["TenantName"], "other & <sons>");
    assert_eq!(rows.rows()[0]["TenantGuid"], OTHER.to_string());
    let atom = stage.ask_as("admin@other.com", PASSWORD, "/CsActiveUserDaily", &[]).await;
    assert!(atom.body.contains("<d:TenantName>other &amp; &lt;sons&gt;</d:TenantName>"));
    assert_eq!(stage.json("/CsActiveUserDaily").await.counts(), [5, 5, 5]);
    assert!(atom.body.contains(ROOT));
}
