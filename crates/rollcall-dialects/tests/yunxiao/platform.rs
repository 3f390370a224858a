//! What clients ask before they ask for usage.

use crate::naive::{Naive, ORG, department};
use crate::stage::{OTHER_TOKEN, Stage, TOKEN, set_clock, tenants, unlimited};
use jiff::civil::date;
use rollcall_dialects::yunxiao::Settings;

#[tokio::test]
async fn a_token_says_whose_it_is() {
    let stage = Stage::of_example();
    let answer = stage.get("/oapi/v1/platform/user").await;
    assert_eq!(answer.body, format!(r#"{{"id":"nightly","name":"nightly","lastOrganization":"{ORG}"}}"#));
    let answer = stage.get("/oapi/v1/platform/organizations").await;
    assert_eq!(answer.body, format!(r#"[{{"id":"{ORG}","name":"stage","description":""}}]"#));
    assert_eq!(answer.paging(), ["1", "100", "1", "1", "", ""]);
    assert_eq!(stage.get_with("wrong", "/oapi/v1/platform/user").await.refusal(), (401, "InvalidTokenError".into()));
    let other = stage.get_with(OTHER_TOKEN, "/oapi/v1/platform/organizations").await;
    assert!(other.body.contains("\"other\"") && !other.body.contains("stage"));
}

#[tokio::test]
async fn the_configured_id_of_an_organization_is_what_answers_say() {
    let settings = Settings { organization_id: Some("67d8e0b9".into()), ..unlimited(TOKEN) };
    let stage = Stage::new(crate::stage::example(), tenants(settings));
    for path in ["/oapi/v1/platform/user", "/oapi/v1/platform/organizations", "/oapi/v1/platform/organizations/67d8e0b9/departments"] {
        let answer = stage.get(path).await;
        assert!(answer.body.contains("67d8e0b9") && !answer.body.contains(&ORG.to_string()), "{}", answer.body);
    }
}

#[tokio::test]
async fn departments_are_those_of_today() {
    set_clock("2024-11-13T16:30:00Z");
    let departments = vec![
        department("a", None, None),
        department("b", Some("a"), None),
        department("c", Some("b"), None),
        department("c", Some("a"), Some(date(2024, 11, 14))),
        department("d", Some("a"), Some(date(2024, 11, 15))),
    ];
    let stage = Stage::new(Naive::new(departments, vec![]), tenants(unlimited(TOKEN)));
    let get = async |query: &str| stage.get(&format!("/oapi/v1/platform/organizations/{ORG}/departments?{query}")).await;
    let expected = |has_sub, id: &str, parent: &str| {
        format!(r#"{{"hasSub":{has_sub},"id":"{id}","name":"The {id}","organizationId":"{ORG}"{parent}}}"#)
    };
    let (a, b, c) = (expected(true, "a", ""), expected(false, "b", r#","parentId":"a""#), expected(false, "c", r#","parentId":"a""#));
    // It is the 14th in Shanghai: c has moved, d does not exist.
    assert_eq!(get("").await.body, format!("[{a},{b},{c}]"));
    assert_eq!(get("parentId=a").await.body, format!("[{b},{c}]"));
    assert_eq!(get("parentId=b").await.body, "[]");
    let second = get("perPage=2&page=2").await;
    assert_eq!((second.body.as_str(), second.paging()), (format!("[{c}]").as_str(), ["2", "2", "3", "2", "1", ""]));
    for unknown in ["d", "x"] {
        assert_eq!(get(&format!("parentId={unknown}")).await.refusal(), (404, "NotFound".into()));
    }
    assert_eq!(get("perPage=0").await.refusal(), (400, "BadRequest".into()));
    set_clock("2024-11-14T16:30:00Z");
    assert_eq!(get("parentId=a").await.json().as_array().unwrap().len(), 3);
}
