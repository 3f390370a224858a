//! Answers of the live service, as others recorded them.

use crate::client::{client_of, serve};
use crate::naive::{Fact, Naive};
use crate::stage::{Stage, TOP, tenant, unlimited, user};
use axum::routing::{get, post};
use rollcall_dialects::feishu::client::OrderBy;
use rollcall_model::directory::User;
use rollcall_model::{Millis, SessionKind, UserKind};
use serde_json::{Value, json};

const RECORDED: &str = include_str!("../data/feishu-top-users-recorded.ndjson");

struct Recorded {
    query: String,
    items: Vec<Value>,
}

fn recorded() -> Vec<Recorded> {
    let line = |line: &str| {
        let line: Value = serde_json::from_str(line).unwrap();
        let query = line["request"].as_str().unwrap().strip_prefix("get_top_user?").unwrap().to_owned();
        Recorded { query, items: line["top_user_report"].as_array().unwrap().clone() }
    };
    RECORDED.lines().map(line).collect()
}

fn number(value: &Value) -> i64 {
    value.as_str().unwrap().parse().unwrap()
}

fn parameter(query: &str, name: &str) -> i64 {
    query.split('&').find_map(|pair| pair.strip_prefix(name)?.strip_prefix('=')).unwrap().parse().unwrap()
}

#[tokio::test]
async fn the_client_reads_every_recorded_answer() {
    assert_eq!(recorded().len(), 2);
    for Recorded { items, .. } in recorded() {
        let answer = json!({"code": 0, "msg": "success", "data": {"top_user_report": items.clone()}}).to_string();
        let router = axum::Router::new()
            .route(
                "/open-apis/auth/v3/tenant_access_token/internal",
                post(async || r#"{"code":0,"expire":7200,"msg":"ok","tenant_access_token":"t-1"}"#),
            )
            .route(TOP, get(async move || answer));
        let users = client_of(&serve(router).await).get_top_user_report(1, 2, 100, OrderBy::MeetingDuration, None, None).await.unwrap();
        assert_eq!(users.len(), items.len());
        for (user, item) in users.iter().zip(&items) {
            assert_eq!((user.id.as_str(), user.name.as_deref()), (item["id"].as_str().unwrap(), item["name"].as_str()));
            assert_eq!((user.meeting_count, user.meeting_duration), (number(&item["meeting_count"]), number(&item["meeting_duration"])));
            assert_eq!(user.user_type, item["user_type"].as_i64());
        }
    }
}

/// Facts that give each item its meetings and minutes. The seconds below the minute descend with the position, for the service's ties follow
/// no rule of ours.
fn facts(items: &[Value], from: Millis) -> Vec<Fact> {
    let mut facts = Vec::new();
    for (position, item) in items.iter().enumerate() {
        let (meetings, minutes) = (number(&item["meeting_count"]), number(&item["meeting_duration"]));
        let below = 59_999 - 1000 * i64::try_from(position).unwrap();
        let total = minutes * 60_000 + below;
        for meeting in 0..meetings {
            let stay = total / meetings + if meeting == 0 { total % meetings } else { 0 };
            let joined_at = from + meeting * 3_600_000;
            let id = item["id"].as_str().unwrap();
            facts.push(Fact {
                session_id: format!("{id} {meeting}"),
                session_kind: SessionKind::Meeting,
                session_started_at: joined_at,
                user_id: id.into(),
                joined_at,
                left_at: joined_at + stay,
                unit: 0,
            });
        }
    }
    facts
}

#[tokio::test]
async fn facts_made_to_match_come_back_as_the_recorded_items_in_the_recorded_order() {
    crate::stage::set_clock("2022-06-22T06:25:00Z");
    for Recorded { query, items } in recorded() {
        let people: Vec<User> =
            items.iter().map(|item| user(item["id"].as_str().unwrap(), item["name"].as_str().unwrap(), UserKind::Member)).collect();
        let reports = Naive::new(facts(&items, parameter(&query, "start_time") * 1000), people);
        let stage = Stage::new(reports, vec![tenant("UTC", unlimited())]);
        let mut answered = stage.top(&query).await.json()["data"]["top_user_report"].as_array().unwrap().clone();
        for item in &mut answered {
            // The seed's key, which the live service does not have.
            item.as_object_mut().unwrap().remove("user_id");
        }
        assert_eq!(answered, items);
    }
}
