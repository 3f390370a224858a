//! Which days have rows, what of a meeting counts, and whose ids are answered.

use crate::naive::{Fact, Naive};
use crate::stage::{Stage, at, fact, set_clock, tenant, unlimited, user};
use rollcall_dialects::Tenant;
use rollcall_dialects::feishu::Settings;
use rollcall_model::UserKind;
use rollcall_model::directory::User;

fn stage(zone: &str, facts: Vec<Fact>) -> Stage {
    Stage::new(Naive::new(facts, Vec::new()), vec![tenant(zone, unlimited())])
}

fn seconds(from: &str, to: &str) -> String {
    format!("start_time={}&end_time={}", at(from) / 1000, at(to) / 1000)
}

/// The instants that the rows of `get_daily` begin at.
async fn dates(stage: &Stage, query: &str) -> Vec<String> {
    let json = stage.daily(query).await.json();
    let rows = json["data"]["meeting_report"]["daily_report"].as_array().unwrap();
    rows.iter().map(|row| jiff::Timestamp::from_second(row["date"].as_str().unwrap().parse().unwrap()).unwrap().to_string()).collect()
}

#[tokio::test]
async fn days_to_come_have_no_rows() {
    set_clock("2021-01-05T12:00:00Z");
    let utc = stage("UTC", Vec::new());
    let far = seconds("2021-01-04T00:00:00Z", "2199-01-01T00:00:00Z");
    assert_eq!(dates(&utc, &far).await, ["2021-01-04T00:00:00Z", "2021-01-05T00:00:00Z"]);
    // In Auckland it is the 6th already.
    let auckland = stage("Pacific/Auckland", Vec::new());
    assert_eq!(dates(&auckland, &far).await.last().unwrap(), "2021-01-05T11:00:00Z");
    assert!(dates(&utc, &seconds("2021-01-06T00:00:00Z", "2021-01-07T00:00:00Z")).await.is_empty());
}

#[tokio::test]
async fn a_range_that_begins_after_today_is_zeros() {
    set_clock("2021-01-05T12:00:00Z");
    let stage = stage("UTC", Vec::new());
    let query = seconds("2021-01-06T00:00:00Z", "2021-01-07T00:00:00Z");
    let report = stage.daily(&query).await.json()["data"]["meeting_report"].clone();
    assert_eq!((report["total_meeting_count"].as_str(), report["meeting_count"].as_i64()), (Some("0"), Some(0)));
    assert_eq!(stage.top(&format!("{query}&order_by=1")).await.body, r#"{"code":0,"msg":"success","data":{"top_user_report":[]}}"#);
}

#[tokio::test]
async fn a_skipped_day_has_no_row_and_a_day_without_midnight_has_its_first_instant() {
    let apia = stage("Pacific/Apia", Vec::new());
    let days = dates(&apia, &seconds("2011-12-29T12:00:00Z", "2012-01-01T00:00:00Z")).await;
    assert_eq!(days, ["2011-12-29T10:00:00Z", "2011-12-30T10:00:00Z", "2011-12-31T10:00:00Z"]);
    let sao_paulo = stage("America/Sao_Paulo", Vec::new());
    assert_eq!(dates(&sao_paulo, &seconds("2018-11-04T12:00:00Z", "2018-11-04T13:00:00Z")).await, ["2018-11-04T03:00:00Z"]);
}

#[tokio::test]
async fn totals_are_the_sums_of_the_rows_as_published() {
    let start = |day| format!("2021-01-0{day}T09:00:00Z");
    let stay = |day, millis| fact("m", &start(day), "u", &start(day), &format!("2021-01-0{day}T09:00:00.{millis}Z"));
    let stage = stage("UTC", vec![stay(1, "900"), stay(2, "900"), stay(3, "900")]);
    let report = stage.daily(&seconds("2021-01-01T00:00:00Z", "2021-01-04T00:00:00Z")).await.json();
    assert_eq!(report["data"]["meeting_report"]["total_meeting_duration"], "0");
    assert_eq!(report["data"]["meeting_report"]["total_meeting_count"], "3");
}

#[tokio::test]
async fn minutes_of_a_user_are_rounded_down_once() {
    let stay = |hour| {
        let start = format!("2021-01-01T{hour:02}:00:00Z");
        fact(&format!("m{hour}"), &start, "u", &start, &format!("2021-01-01T{hour:02}:00:50Z"))
    };
    let stage = stage("UTC", (0..3).map(stay).collect());
    let json = stage.top(&format!("{}&order_by=2", seconds("2021-01-01T00:00:00Z", "2021-01-02T00:00:00Z"))).await.json();
    assert_eq!(json["data"]["top_user_report"][0]["meeting_duration"], "2");
}

#[tokio::test]
async fn a_unit_filters_facts() {
    let there = Fact { unit: 1, ..fact("m", "2021-01-01T09:00:00Z", "u", "2021-01-01T09:00:00Z", "2021-01-01T10:00:00Z") };
    let mut tenant = tenant("UTC", unlimited());
    tenant.organization.units = vec![0, 1];
    let stage = Stage::new(Naive::new(vec![there], Vec::new()), vec![tenant]);
    let query = seconds("2021-01-01T00:00:00Z", "2021-01-02T00:00:00Z");
    for (unit, meetings) in [("", "1"), ("&unit=0", "0"), ("&unit=1", "1")] {
        let json = stage.daily(&format!("{query}{unit}")).await.json();
        assert_eq!(json["data"]["meeting_report"]["total_meeting_count"], meetings, "{unit}");
        let json = stage.top(&format!("{query}&order_by=1{unit}")).await.json();
        assert_eq!(json["data"]["top_user_report"].as_array().unwrap().len().to_string(), meetings, "{unit}");
    }
}

#[tokio::test]
async fn ids_are_of_the_type_asked_for_and_else_those_of_the_facts() {
    let known = User { open_id: Some("ou".into()), union_id: Some("on".into()), ..user("u", "Uma", UserKind::Guest) };
    let bare = User { open_id: None, union_id: None, user_id: None, ..user("v", "Vic", UserKind::Phone) };
    let time = "2021-01-01T09:00:00Z";
    let facts = ["u", "v", "w"].map(|id| fact("m", time, id, time, "2021-01-01T10:00:00Z")).to_vec();
    let stage = Stage::new(Naive::new(facts, vec![known, bare]), vec![tenant("UTC", unlimited())]);
    let query = format!("{}&order_by=1", seconds("2021-01-01T00:00:00Z", "2021-01-02T00:00:00Z"));
    for (id_type, first) in [("", "ou"), ("&user_id_type=open_id", "ou"), ("&user_id_type=union_id", "on"), ("&user_id_type=user_id", "u")]
    {
        let json = stage.top(&format!("{query}{id_type}")).await.json();
        let rows = json["data"]["top_user_report"].as_array().unwrap();
        let told: Vec<_> = rows
            .iter()
            .map(|row| {
                (
                    row["id"].as_str().unwrap(),
                    row["user_id"].as_str().unwrap(),
                    row["name"].as_str().unwrap(),
                    row["user_type"].as_i64().unwrap(),
                )
            })
            .collect();
        assert_eq!(told, [(first, first, "Uma", 5), ("v", "v", "Vic", 6), ("w", "w", "w", 1)], "{id_type}");
    }
}

#[tokio::test]
async fn without_limit_ten_users_are_answered_or_as_many_as_the_setting_allows() {
    let time = "2021-01-01T09:00:00Z";
    let facts: Vec<Fact> = (0..20).map(|n| fact("m", time, &format!("u{n}"), time, "2021-01-01T10:00:00Z")).collect();
    let query = format!("{}&order_by=1", seconds("2021-01-01T00:00:00Z", "2021-01-02T00:00:00Z"));
    for (top_limit, rows) in [(0, 10), (100, 10), (5, 5)] {
        let tenants: Vec<Tenant> = vec![tenant("UTC", Settings { top_limit, ..unlimited() })];
        let stage = Stage::new(Naive::new(facts.clone(), Vec::new()), tenants);
        assert_eq!(stage.top(&query).await.json()["data"]["top_user_report"].as_array().unwrap().len(), rows);
    }
}
