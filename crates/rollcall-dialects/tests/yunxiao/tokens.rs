//! Who may ask what.

use crate::naive::ORG;
use crate::stage::{DAY, OTHER, OTHER_TOKEN, Stage, TOKEN, advance, at, example, path, set_clock, tenants, token, unlimited};
use axum::body::Body;
use http::Request;
use rollcall_dialects::site::Channel;
use rollcall_dialects::yunxiao::{Scope, Settings, Token};

fn departments() -> String {
    path(ORG, &format!("departmentUsage?{DAY}"))
}

#[tokio::test]
async fn a_token_is_its_text_and_nothing_near_it() {
    let stage = Stage::of_example();
    let hash = rollcall_dialects::Secret::of(TOKEN).to_string();
    for wrong in ["pt-", &TOKEN[1..], &TOKEN[..TOKEN.len() - 1], &TOKEN.to_uppercase(), &hash, &hash[7..], &format!("Bearer {TOKEN}"), "é"]
    {
        assert_eq!(stage.get_with(wrong, &departments()).await.refusal(), (401, "InvalidTokenError".into()), "{wrong}");
    }
    let request = Request::get(departments()).header("x-yunxiao-token", b"\xff\xfe".as_slice()).body(Body::empty()).unwrap();
    assert_eq!(stage.send(request).await.refusal(), (401, "InvalidTokenError".into()));
    for none in ["", " ", "\t"] {
        assert_eq!(stage.get_with(none, &departments()).await.refusal(), (401, "Unauthorized".into()));
    }
    let request = Request::get(departments()).header("authorization", format!("Bearer {TOKEN}")).body(Body::empty()).unwrap();
    assert_eq!(stage.send(request).await.refusal(), (401, "Unauthorized".into()));
    assert_eq!(stage.get_with(&format!(" {TOKEN} "), &departments()).await.status, 200);
}

#[tokio::test]
async fn a_token_ends_when_it_expires() {
    set_clock("2024-11-20T04:00:00Z");
    let expires = Some(at("2024-11-20T04:00:01Z"));
    let stage = Stage::new(example(), tenants(Settings { tokens: vec![Token { expires, ..token(TOKEN) }], ..unlimited(TOKEN) }));
    advance(999);
    assert_eq!(stage.get(&departments()).await.status, 200);
    advance(1);
    for path in [departments(), path(OTHER, "departmentUsage"), "/oapi/v1/platform/user".into()] {
        assert_eq!(stage.get(&path).await.refusal(), (401, "ExpiredTokenError".into()));
    }
}

#[tokio::test]
async fn a_token_that_is_taken_out_ends_at_once() {
    let stage = Stage::of_example();
    assert_eq!(stage.get(&departments()).await.status, 200);
    stage.site.reload(tenants(unlimited("another")));
    assert_eq!(stage.get(&departments()).await.refusal(), (401, "InvalidTokenError".into()));
}

#[tokio::test]
async fn a_token_that_another_organization_has_now_sees_nothing_of_the_one_before() {
    let stage = Stage::of_example();
    let first = stage.get(&path(ORG, &format!("departmentUsage?{DAY}&perPage=1"))).await;
    assert_eq!(first.paging(), ["1", "1", "2", "2", "", "2"]);
    let mut given_away = tenants(unlimited("another"));
    given_away[0].yunxiao = unlimited(TOKEN);
    stage.site.reload(given_away);
    let second = stage.get(&path(OTHER, &format!("departmentUsage?{DAY}&perPage=1&page=2"))).await;
    assert_eq!((second.body.as_str(), second.paging()), ("[]", ["2", "1", "0", "0", "", ""].map(Into::into)));
}

#[tokio::test]
async fn a_scope_opens_its_own_paths_only() {
    let platform = format!("/oapi/v1/platform/organizations/{ORG}/departments");
    let paths = [departments(), path(ORG, &format!("developerUsage?{DAY}")), platform];
    for (open, scope) in Scope::ALL.into_iter().enumerate() {
        let tokens = vec![Token { scopes: vec![scope], ..token(TOKEN) }];
        let stage = Stage::new(example(), tenants(Settings { tokens, ..unlimited(TOKEN) }));
        for (number, path) in paths.iter().enumerate() {
            let answer = stage.get(path).await;
            if number == open {
                assert_eq!(answer.status, 200, "{}", answer.body);
            } else {
                assert_eq!(answer.refusal(), (403, "Forbidden".into()), "{path}");
            }
        }
        assert_eq!(stage.get("/oapi/v1/platform/user").await.status, 200);
        assert_eq!(stage.get("/oapi/v1/platform/organizations").await.status, 200);
    }
}

#[tokio::test]
async fn an_organization_is_its_guid_or_the_id_that_scripts_carry() {
    let alias = "67d8e0b9120358055abf";
    let settings = Settings { organization_id: Some(alias.into()), ..unlimited(TOKEN) };
    let stage = Stage::new(example(), tenants(settings));
    let simple = ORG.0.simple().to_string();
    for name in [ORG.to_string(), simple.clone(), ORG.to_string().to_uppercase(), alias.to_owned(), format!("%36{}", &alias[1..])] {
        assert_eq!(stage.get(&path(&name, &format!("departmentUsage?{DAY}"))).await.status, 200, "{name}");
    }
    // Whether there is such an organization is not told.
    let refusal = (403, "Forbidden.InvalidUser.UserNotInCurrentOrganization".to_owned());
    let mut messages = std::collections::BTreeSet::new();
    for name in [
        OTHER.to_string(),
        "nobody".into(),
        "default".into(),
        uuid::Uuid::nil().to_string(),
        format!("%7B{ORG}%7D"),
        format!("urn:uuid:{ORG}"),
        alias.to_uppercase(),
        format!("{alias}0"),
        "%ff%fe".into(),
        format!("{}-", &simple),
        "x".repeat(5000),
    ] {
        for rest in [format!("departmentUsage?{DAY}"), format!("developerUsage?{DAY}")] {
            let answer = stage.get(&path(&name, &rest)).await;
            assert_eq!(answer.refusal(), refusal, "{name}");
            messages.insert(answer.json()["errorMessage"].to_string());
        }
        let answer = stage.get(&format!("/oapi/v1/platform/organizations/{name}/departments")).await;
        assert_eq!(answer.refusal(), refusal, "{name}");
        messages.insert(answer.json()["errorMessage"].to_string());
    }
    assert_eq!(messages.len(), 1, "{messages:?}");
    assert_eq!(stage.get_with(OTHER_TOKEN, &path(alias, &format!("departmentUsage?{DAY}"))).await.refusal(), refusal);
    assert_eq!(stage.get_with(OTHER_TOKEN, &departments()).await.refusal(), refusal);
}

#[tokio::test]
async fn a_token_is_not_taken_where_credentials_must_not_travel() {
    let stage = Stage::of_example();
    for path in [departments(), "/oapi/v1/platform/user".into()] {
        let ask = |channel: Channel| Request::get(&path).header("x-yunxiao-token", TOKEN).extension(channel).body(Body::empty()).unwrap();
        let open = stage.send(ask(Channel { client: None, is_tls: false, carries_credentials: false })).await;
        assert_eq!(open.refusal(), (403, "Forbidden".into()));
        assert!(open.body.contains("https"));
        assert_eq!(stage.send(ask(Channel { client: None, is_tls: true, carries_credentials: true })).await.status, 200);
    }
}
