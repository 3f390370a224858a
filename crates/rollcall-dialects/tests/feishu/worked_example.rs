//! The worked example of the specification, byte for byte.

use crate::naive::{Fact, Naive};
use crate::stage::{Stage, fact, tenant, unlimited, user};
use rollcall_dialects::feishu::Settings;
use rollcall_model::{SessionKind, UserKind};

const BOTH_DAYS: &str = "start_time=1609113600&end_time=1609286400";

fn facts() -> Naive {
    let (a, b) = ("2020-12-28T09:00:00Z", "2020-12-28T23:50:00Z");
    let facts = vec![
        fact("A", a, "ou_1", "2020-12-28T09:00:00Z", "2020-12-28T09:30:30Z"),
        fact("A", a, "ou_1", "2020-12-28T09:40:00Z", "2020-12-28T10:00:00Z"),
        fact("A", a, "ou_2", "2020-12-28T09:05:00Z", "2020-12-28T10:05:00Z"),
        fact("B", b, "ou_2", "2020-12-28T23:50:00Z", "2020-12-29T00:20:00Z"),
        fact("B", b, "omm_1", "2020-12-28T23:50:00Z", "2020-12-29T00:20:00Z"),
        Fact {
            session_kind: SessionKind::Call,
            ..fact("C", "2020-12-29T08:00:00Z", "ou_1", "2020-12-29T08:00:00Z", "2020-12-29T09:00:00Z")
        },
    ];
    let users = vec![user("ou_1", "A", UserKind::Member), user("ou_2", "B", UserKind::Member), user("omm_1", "Room 1", UserKind::Room)];
    Naive::new(facts, users)
}

fn stage(zone: &str) -> Stage {
    Stage::new(facts(), vec![tenant(zone, unlimited())])
}

fn with_numbers() -> Stage {
    Stage::new(facts(), vec![tenant("UTC", Settings { numbers_as_numbers: true, ..unlimited() })])
}

fn daily_body(totals: &str, rows: &str, seeds: &str) -> String {
    format!(r#"{{"code":0,"msg":"success","data":{{"meeting_report":{{{totals},"daily_report":[{rows}],{seeds}}}}}}}"#)
}

fn top_body(rows: &[&str]) -> String {
    format!(r#"{{"code":0,"msg":"success","data":{{"top_user_report":[{}]}}}}"#, rows.join(","))
}

/// What the setting does: every number in quotes loses them, and nothing else changes.
fn unquoted(body: &str) -> String {
    let parts: Vec<&str> = body.split('"').collect();
    let mut text = String::new();
    for (position, part) in parts.iter().enumerate() {
        let number = position % 2 == 1 && part.bytes().all(|byte| byte.is_ascii_digit());
        if position % 2 == 1 && !number { text.extend(["\"", part, "\""]) } else { text.push_str(part) }
    }
    text
}

fn both_days() -> String {
    daily_body(
        r#""total_meeting_count":"2","total_meeting_duration":"5700","total_participant_count":"4""#,
        concat!(
            r#"{"date":"1609113600","meeting_count":"2","meeting_duration":"5700","participant_count":"4"},"#,
            r#"{"date":"1609200000","meeting_count":"0","meeting_duration":"0","participant_count":"0"}"#
        ),
        r#""meeting_count":2,"meeting_duration":5700,"participant_count":4"#,
    )
}

const TOP_USERS: [&str; 3] = [
    r#"{"id":"ou_2","user_id":"ou_2","name":"B","user_type":1,"meeting_count":"2","meeting_duration":"90"}"#,
    r#"{"id":"ou_1","user_id":"ou_1","name":"A","user_type":1,"meeting_count":"1","meeting_duration":"50"}"#,
    r#"{"id":"omm_1","user_id":"omm_1","name":"Room 1","user_type":2,"meeting_count":"1","meeting_duration":"30"}"#,
];

#[tokio::test]
async fn get_daily_of_both_days() {
    let answer = stage("UTC").daily(BOTH_DAYS).await;
    assert_eq!((answer.status.as_u16(), answer.body), (200, both_days()));
}

#[tokio::test]
async fn get_daily_from_noon_has_the_date_of_the_whole_day() {
    let answer = stage("UTC").daily("start_time=1609156800&end_time=1609200000").await;
    let expected = daily_body(
        r#""total_meeting_count":"1","total_meeting_duration":"1800","total_participant_count":"2""#,
        r#"{"date":"1609113600","meeting_count":"1","meeting_duration":"1800","participant_count":"2"}"#,
        r#""meeting_count":1,"meeting_duration":1800,"participant_count":2"#,
    );
    assert_eq!(answer.body, expected);
}

#[tokio::test]
async fn get_daily_in_shanghai_has_the_days_of_shanghai() {
    let answer = stage("Asia/Shanghai").daily(BOTH_DAYS).await;
    let expected = daily_body(
        r#""total_meeting_count":"2","total_meeting_duration":"5700","total_participant_count":"4""#,
        concat!(
            r#"{"date":"1609084800","meeting_count":"1","meeting_duration":"3900","participant_count":"2"},"#,
            r#"{"date":"1609171200","meeting_count":"1","meeting_duration":"1800","participant_count":"2"},"#,
            r#"{"date":"1609257600","meeting_count":"0","meeting_duration":"0","participant_count":"0"}"#
        ),
        r#""meeting_count":2,"meeting_duration":5700,"participant_count":4"#,
    );
    assert_eq!(answer.body, expected);
}

#[tokio::test]
async fn get_top_user_by_meetings() {
    let answer = stage("UTC").top(&format!("{BOTH_DAYS}&order_by=1")).await;
    assert_eq!((answer.status.as_u16(), answer.body), (200, top_body(&TOP_USERS)));
}

#[tokio::test]
async fn get_top_user_ends_after_limit() {
    let answer = stage("UTC").top(&format!("{BOTH_DAYS}&order_by=2&limit=1")).await;
    assert_eq!(answer.body, top_body(&TOP_USERS[..1]));
}

#[tokio::test]
async fn with_the_setting_every_quoted_number_is_a_json_number() {
    let stage = with_numbers();
    assert_eq!(stage.daily(BOTH_DAYS).await.body, unquoted(&both_days()));
    let top = stage.top(&format!("{BOTH_DAYS}&order_by=1")).await.body;
    assert_eq!(top, unquoted(&top_body(&TOP_USERS)));
    assert!(top.contains(r#""id":"ou_2","user_id":"ou_2","name":"B","user_type":1,"meeting_count":2,"meeting_duration":90"#));
}

#[tokio::test]
async fn a_room_without_user_id_is_refused_only_where_it_is_in_the_answer() {
    let stage = stage("UTC");
    let refused = stage.top(&format!("{BOTH_DAYS}&order_by=1&user_id_type=user_id")).await;
    assert_eq!((refused.status.as_u16(), refused.code()), (400, 122_359));
    assert_eq!(refused.json()["msg"], "The request you send is not a valid {lark_id} or not exists");
    let answered = stage.top(&format!("{BOTH_DAYS}&order_by=1&limit=2&user_id_type=user_id")).await;
    assert_eq!((answered.status.as_u16(), answered.body), (200, top_body(&TOP_USERS[..2])));
}

#[tokio::test]
async fn a_body_on_get_is_ignored() {
    let stage = stage("UTC");
    let authorization = format!("Bearer {}", stage.token().await);
    let request = http::Request::get(format!("{}?{BOTH_DAYS}", crate::stage::DAILY))
        .header("authorization", authorization)
        .header("content-type", "application/json")
        .body("{}".into())
        .unwrap();
    assert_eq!(stage.send(request).await.body, both_days());
}
