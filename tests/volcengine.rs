//! The Volcengine dialect and the report `users_by_place` on the real executable, from facts over HTTP to the answers, read by our own client and
//! held against the native API. What the dialect does alone is tested in its crate.

use crate::harness::{ACCESS_KEY, ACCESS_SECRET, APP, KEY, Server, configuration};
use rollcall_dialects::volcengine::client::{Client, Dimension, Distribution, Version};
use rollcall_dialects::volcengine::signature::presigned::presign;
use rollcall_dialects::volcengine::signature::{Credential, Scope, SecretKey};
use serde_json::{Value, json};
use tempfile::TempDir;

/// A stay: who, in which app, where, from when, until when.
type Stay = (&'static str, &'static str, &'static str, &'static str, &'static str);

/// The stays of the worked example of the wire document (section 9), beside some that do not count in it.
const STAYS: &[Stay] = &[
    ("u1", APP, "CN-SH", "2025-03-03T01:00:00Z", "2025-03-03T02:00:00Z"),
    ("u1", APP, "CN-31", "2025-03-03T04:00:00Z", "2025-03-03T05:00:00Z"),
    ("u2", APP, "CN-SH", "2025-03-03T01:30:00Z", "2025-03-03T02:00:00Z"),
    ("u3", APP, "CN-BJ", "2025-03-03T01:00:00Z", "2025-03-03T01:10:00Z"),
    ("u3", APP, "CN-SH", "2025-03-03T03:00:00Z", "2025-03-03T03:10:00Z"),
    ("u4", APP, "", "2025-03-03T01:00:00Z", "2025-03-03T02:00:00Z"),
    ("u5", APP, "US-CA", "2025-03-03T01:00:00Z", "2025-03-03T02:00:00Z"),
    // Another app; the second before the day; the first instant after it.
    ("u6", "default", "CN-SH", "2025-03-03T01:00:00Z", "2025-03-03T02:00:00Z"),
    ("u7", APP, "CN-GD", "2025-03-02T23:00:00Z", "2025-03-03T00:00:00Z"),
    ("u8", APP, "CN-GD", "2025-03-04T00:00:00Z", "2025-03-04T01:00:00Z"),
];

fn ingest(server: &Server, stays: &[Stay]) {
    let mut csv = String::from("session_id,session_kind,user_id,app,country,subdivision,joined_at,left_at\n");
    for (number, (user, app, place, joined, left)) in stays.iter().enumerate() {
        let (country, subdivision) = if place.contains('-') { ("", *place) } else { (*place, "") };
        csv += &format!("s{number},room,{user},{app},{country},{subdivision},{joined},{left}\n");
    }
    let answer = server.post("", "text/csv", csv).unwrap();
    assert_eq!((answer.status, answer.receipt().accepted), (200, stays.len() as u64), "{}", answer.text());
}

/// A server whose first organization has these keys in its section.
fn server(section: &str) -> (TempDir, Server) {
    let home = tempfile::tempdir().unwrap();
    let text = configuration("").replacen("requests_per_second = 0\n", section, 1);
    std::fs::write(home.path().join("rollcall.toml"), text).unwrap();
    let server = Server::start(home.path());
    (home, server)
}

fn rows(distribution: Distribution) -> Vec<(String, f64, f64)> {
    distribution.data.into_iter().map(|place| (place.name, place.value, place.proportion)).collect()
}

fn named<const N: usize>(rows: [(&str, f64, f64); N]) -> Vec<(String, f64, f64)> {
    rows.map(|(name, value, share)| (name.to_owned(), value, share)).into()
}

#[test]
fn the_worked_example_is_counted_from_facts_to_shares() {
    for (section, provinces, countries) in [
        (
            "requests_per_second = 0\n",
            named([("上海", 3.0, 50.0), ("北京", 1.0, 16.66)]),
            named([("中国", 3.0, 60.0), ("美国", 1.0, 20.0)]),
        ),
        (
            "requests_per_second = 0\nshow_unknown = true\n",
            named([("上海", 3.0, 50.0), ("未知", 2.0, 33.33), ("北京", 1.0, 16.66)]),
            named([("中国", 3.0, 60.0), ("未知", 1.0, 20.0), ("美国", 1.0, 20.0)]),
        ),
    ] {
        let (_home, server) = server(section);
        ingest(&server, STAYS);
        let ask = |dimension| rows(server.volcengine(ACCESS_KEY, ACCESS_SECRET, APP, dimension).unwrap());
        assert_eq!((ask(Dimension::Province), ask(Dimension::Country)), (provinces, countries));
        let default = rows(server.volcengine(ACCESS_KEY, ACCESS_SECRET, "default", Dimension::Province).unwrap());
        assert_eq!(default, named([("上海", 1.0, 100.0)]));
    }
}

#[test]
fn late_facts_and_a_restart_change_nothing_but_what_they_say() {
    let (home, mut server) = server("requests_per_second = 0\n");
    ingest(&server, STAYS);
    let ask = |server: &Server| rows(server.volcengine(ACCESS_KEY, ACCESS_SECRET, APP, Dimension::Province).unwrap());
    let before = ask(&server);
    server.kill();
    let server = Server::start(home.path());
    assert_eq!(ask(&server), before);
    // u4, of unknown place until now, was in Hong Kong too.
    ingest(&server, &[("u4", APP, "HK", "2025-03-03T06:00:00Z", "2025-03-03T06:00:00Z")]);
    assert_eq!(ask(&server), named([("上海", 3.0, 50.0), ("北京", 1.0, 16.66), ("香港", 1.0, 16.66)]));
}

#[test]
fn every_range_to_the_second_says_what_the_native_report_says() {
    let (_home, server) = server("requests_per_second = 0\n");
    ingest(&server, STAYS);
    let runtime = tokio::runtime::Runtime::new().unwrap();
    for (from, to) in [
        ("2025-03-03T00:00:00Z", "2025-03-04T00:00:00Z"),
        ("2025-03-02T23:59:59Z", "2025-03-04T00:00:01Z"),
        ("2025-03-03T01:09:59Z", "2025-03-03T01:10:00Z"),
        ("2025-03-03T01:10:00Z", "2025-03-03T01:30:01Z"),
        ("2025-03-03T02:00:00Z", "2025-03-03T03:00:00Z"),
        ("2025-01-01T00:00:00Z", "2026-01-01T00:00:00Z"),
    ] {
        for (dimension, by) in [(Dimension::Province, "by=subdivision&country=CN"), (Dimension::Country, "by=country")] {
            for version in Version::ALL {
                let client = Client::new(server.url(), ACCESS_KEY, ACCESS_SECRET).unwrap().version(version);
                let asked = client.list_operation_distribution(APP, from.parse().unwrap(), to.parse().unwrap(), dimension);
                let mut found = rows(runtime.block_on(asked).unwrap());
                let native = server.get(&format!("/v1/reports/users-by-place?from={from}&to={to}&app={APP}&{by}"), KEY).unwrap().json();
                let row = |row: &Value| {
                    (row["name_zh"].as_str().unwrap().to_owned(), row["users"].as_f64().unwrap(), row["share"].as_f64().unwrap())
                };
                let native = native["rows"].as_array().unwrap().iter().filter(|row| !row["place"].is_null());
                let mut expected: Vec<_> = native.map(row).collect();
                found.sort_by(|one, other| one.0.cmp(&other.0));
                expected.sort_by(|one, other| one.0.cmp(&other.0));
                assert_eq!(found, expected, "{from} {to} {dimension:?}");
            }
        }
    }
}

#[test]
fn the_limits_of_the_configuration_hold_and_a_reload_changes_them() {
    let (home, server) = server("requests_per_second = 1\n");
    // A presigned request, so that it can be sent as often as one likes.
    let date = jiff::Timestamp::now().strftime("%Y%m%dT%H%M%SZ").to_string();
    let scope = Scope { date: date[..8].into(), region: "cn-north-1".into(), service: "rtc".into() };
    let credential = Credential { access_key: ACCESS_KEY.into(), scope };
    let parameters = [("Action", "ListOperationDistribution"), ("Version", "2020-12-01")];
    let query = presign("POST", &parameters, &credential, &SecretKey::new(ACCESS_SECRET), &date, 86_400);
    let send = |path: &str, start: &str| {
        let body =
            json!({"AppId": APP, "StartTime": start, "EndTime": "2025-03-04T00:00:00Z", "Indicator": "user_num", "Dimension": "country"});
        let answer = server.send(server.request("POST", &format!("{path}?{query}")).body(body.to_string())).unwrap();
        (answer.status, answer.json()["ResponseMetadata"]["Error"]["Code"].as_str().unwrap_or_default().to_owned())
    };
    let limited = (0..50).map(|_| send("/", "2025-03-03T00:00:00Z").0).find(|status| *status != 200);
    assert_eq!(limited, Some(429));
    assert_eq!(send("/volcengine", "2025-03-03T00:00:00Z"), (401, "SignatureDoesNotMatch".into()), "another path was signed");
    let text = configuration("").replacen("max_span_days = 0\n", "max_span_days = 2\n", 1);
    std::fs::write(home.path().join("rollcall.toml"), text).unwrap();
    server.signal("HUP");
    server.await_log("configuration reloaded");
    assert_eq!(send("/", "2025-03-01T00:00:00Z"), (400, "InvalidParameter.OutofTimeRange".into()));
    assert!((0..10).all(|_| send("/", "2025-03-02T00:00:00Z").0 == 200));
}

#[test]
fn at_the_root_everything_else_is_the_servers_own() {
    let server = Server::new();
    for (method, path) in [("GET", "/"), ("POST", "/"), ("GET", "/?x=1"), ("GET", "/volcengines")] {
        let answer = server.send(server.request(method, path)).unwrap();
        assert_eq!(answer.status, 404);
        assert!(answer.json()["detail"].as_str().unwrap().starts_with("no such path: /"), "{}", answer.text());
    }
    for (method, path) in [("GET", "/?Action=x"), ("POST", "/?Action=x"), ("GET", "/volcengine"), ("POST", "/volcengine/x?Action=y")] {
        let answer = server.send(server.request(method, path)).unwrap();
        assert_eq!(answer.json()["ResponseMetadata"]["Error"]["Code"], "MissingParameter", "{method} {path}");
    }
}
