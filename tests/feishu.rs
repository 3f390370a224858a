//! The Feishu dialect on the real executable, from facts over HTTP to the answers: the wire's worked example, and what the live service was
//! recorded to answer, read by our own client. What the dialect does alone is tested in its crate.

use crate::harness::{APP_ID, APP_SECRET, KEY, Server, configuration};
use rollcall_dialects::feishu::client::{Client, OrderBy};
use serde_json::{Value, json};

const RECORDED: &str = include_str!("../crates/rollcall-dialects/tests/data/feishu-top-users-recorded.ndjson");

/// A server whose first organization has this time zone.
fn server(zone: &str) -> (tempfile::TempDir, Server) {
    let home = tempfile::tempdir().unwrap();
    let configuration = configuration("").replacen("Asia/Shanghai", zone, 1);
    std::fs::write(home.path().join("rollcall.toml"), configuration).unwrap();
    let server = Server::start(home.path());
    (home, server)
}

fn put_directory(server: &Server, users: Value) {
    let document = json!({"departments": [], "users": users}).to_string();
    let answer =
        server.send(server.request("PUT", "/v1/directory").bearer_auth(KEY).header("content-type", "application/json").body(document));
    let answer = answer.unwrap();
    assert!(answer.status < 300, "{}", answer.text());
}

/// A GET of a Feishu report with the token that the first organization's application is given.
fn get(server: &Server, path: &str) -> String {
    let body = json!({"app_id": APP_ID, "app_secret": APP_SECRET}).to_string();
    let token = server.send(server.request("POST", "/open-apis/auth/v3/tenant_access_token/internal").body(body)).unwrap().json();
    let answer = server.get(path, token["tenant_access_token"].as_str().unwrap()).unwrap();
    answer.text()
}

fn without_space(text: &str) -> String {
    text.chars().filter(|c| !c.is_whitespace() || *c == '\u{a0}').collect()
}

#[test]
fn the_worked_example_is_answered_to_the_letter() {
    for (zone, rows) in [
        (
            "UTC",
            r#"{"date":"1609113600","meeting_count":"2","meeting_duration":"5700","participant_count":"4"},
                   {"date":"1609200000","meeting_count":"0","meeting_duration":"0","participant_count":"0"}"#,
        ),
        (
            "Asia/Shanghai",
            r#"{"date":"1609084800","meeting_count":"1","meeting_duration":"3900","participant_count":"2"},
                             {"date":"1609171200","meeting_count":"1","meeting_duration":"1800","participant_count":"2"},
                             {"date":"1609257600","meeting_count":"0","meeting_duration":"0","participant_count":"0"}"#,
        ),
    ] {
        let (_home, server) = server(zone);
        put_directory(
            &server,
            json!([
                {"id": "ou_1", "open_id": "ou_1", "union_id": "ou_1", "user_id": "ou_1", "name": "A", "kind": "member"},
                {"id": "ou_2", "open_id": "ou_2", "union_id": "ou_2", "user_id": "ou_2", "name": "B", "kind": "member"},
                {"id": "omm_1", "name": "Room1", "kind": "room"},
            ]),
        );
        let mut csv = String::from("session_id,session_kind,session_started_at,user_id,joined_at,left_at\n");
        for (session, kind, started, user, joined, left) in [
            ("A", "meeting", "2020-12-28T09:00:00Z", "ou_1", "2020-12-28T09:00:00Z", "2020-12-28T09:30:30Z"),
            ("A", "meeting", "2020-12-28T09:00:00Z", "ou_1", "2020-12-28T09:40:00Z", "2020-12-28T10:00:00Z"),
            ("A", "meeting", "2020-12-28T09:00:00Z", "ou_2", "2020-12-28T09:05:00Z", "2020-12-28T10:05:00Z"),
            ("B", "meeting", "2020-12-28T23:50:00Z", "ou_2", "2020-12-28T23:50:00Z", "2020-12-29T00:20:00Z"),
            ("B", "meeting", "2020-12-28T23:50:00Z", "omm_1", "2020-12-28T23:50:00Z", "2020-12-29T00:20:00Z"),
            ("C", "call", "", "ou_1", "2020-12-29T08:00:00Z", "2020-12-29T09:00:00Z"),
        ] {
            csv += &format!("{session},{kind},{started},{user},{joined},{left}\n");
        }
        assert_eq!(server.post("", "text/csv", csv).unwrap().receipt().accepted, 6);
        let range = "start_time=1609113600&end_time=1609286400";
        let daily = format!(
            r#"{{"code":0,"msg":"success","data":{{"meeting_report":{{
            "total_meeting_count":"2","total_meeting_duration":"5700","total_participant_count":"4","daily_report":[{rows}],
            "meeting_count":2,"meeting_duration":5700,"participant_count":4}}}}}}"#
        );
        assert_eq!(get(&server, &format!("/open-apis/vc/v1/reports/get_daily?{range}")), without_space(&daily), "{zone}");
        let top = r#"{"code":0,"msg":"success","data":{"top_user_report":[
            {"id":"ou_2","user_id":"ou_2","name":"B","user_type":1,"meeting_count":"2","meeting_duration":"90"},
            {"id":"ou_1","user_id":"ou_1","name":"A","user_type":1,"meeting_count":"1","meeting_duration":"50"},
            {"id":"omm_1","user_id":"omm_1","name":"Room1","user_type":2,"meeting_count":"1","meeting_duration":"30"}]}}"#;
        let path = format!("/open-apis/vc/v1/reports/get_top_user?{range}&order_by=1");
        assert_eq!(get(&server, &path), without_space(top), "{zone}");
        assert!(get(&server, &format!("{path}&user_id_type=user_id")).contains("122359"));
        assert!(get(&server, &format!("{path}&limit=2&user_id_type=user_id")).contains("\"code\":0"));
    }
}

/// Facts made to match each recorded window come back as the same items in the same order. The recorded ties follow no rule, so each
/// user's seconds below the minute descend with the position.
#[test]
fn facts_of_a_recorded_window_come_back_as_it_was_recorded() {
    let (_home, server) = server("UTC");
    let client = Client::new(server.url(), APP_ID, APP_SECRET).unwrap();
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let mut users: Vec<Value> = Vec::new();
    for line in RECORDED.lines() {
        let recorded: Value = serde_json::from_str(line).unwrap();
        let parameter = |name: &str| -> i64 {
            let request = recorded["request"].as_str().unwrap();
            request.split(['?', '&']).find_map(|pair| pair.strip_prefix(name)?.strip_prefix('=')).unwrap().parse().unwrap()
        };
        let (from, to) = (parameter("start_time"), parameter("end_time"));
        let items = recorded["top_user_report"].as_array().unwrap();
        let mut ndjson = String::new();
        for (position, item) in items.iter().enumerate() {
            let id = item["id"].as_str().unwrap();
            if users.iter().all(|user| user["id"] != id) {
                users.push(json!({"id": id, "open_id": id, "name": item["name"], "kind": "member"}));
            }
            let number = |field: &str| item[field].as_str().unwrap().parse::<i64>().unwrap();
            let (meetings, minutes) = (number("meeting_count"), number("meeting_duration"));
            let total = minutes * 60_000 + 59_000 - position as i64 * 1_000;
            for meeting in 0..meetings {
                let stay = total / meetings + if meeting == 0 { total % meetings } else { 0 };
                let joined = from * 1000 + meeting * 3_600_000;
                let fact = json!({"session_id": format!("{id} {meeting}"), "session_started_at": joined, "user_id": id, "joined_at": joined, "left_at": joined + stay});
                ndjson += &format!("{fact}\n");
            }
        }
        server.ingest(ndjson).unwrap();
        put_directory(&server, Value::Array(users.clone()));
        let answer = runtime.block_on(client.get_top_user_report(from, to, 100, OrderBy::MeetingDuration, None, None)).unwrap();
        let answer: Vec<Value> = answer
            .iter()
            .map(|user| {
                json!({"id": user.id, "meeting_count": user.meeting_count.to_string(), "meeting_duration": user.meeting_duration.to_string(),
                       "name": user.name, "user_type": user.user_type})
            })
            .collect();
        assert_eq!(&answer, items);
        let daily = runtime.block_on(client.get_daily_report(from, to, None)).unwrap();
        assert_eq!(daily.daily_report.len(), 1);
    }
}
