//! The Yunxiao dialect on the real executable, from assistance facts over HTTP to the answers, read by our own client. What the dialect does
//! alone is tested in its crate.

use crate::harness::{KEY, ORG, Server, TOKEN, configuration};
use jiff::civil::date;
use rollcall_dialects::yunxiao::client::Client;
use serde_json::{Value, json};
use std::collections::BTreeSet;
use std::fs;
use tempfile::TempDir;

/// A server whose first organization has these keys in its section.
fn server(section: &str) -> (TempDir, Server) {
    let home = tempfile::tempdir().unwrap();
    let section = format!("[organizations.yunxiao]\n{section}");
    fs::write(home.path().join("rollcall.toml"), configuration("").replacen("[organizations.yunxiao]\n", &section, 1)).unwrap();
    let server = Server::start(home.path());
    (home, server)
}

fn put(server: &Server, path: &str, content_type: &str, body: String) -> String {
    let request = server.request("PUT", path).bearer_auth(KEY).header("content-type", content_type);
    let answer = server.send(request.body(body)).unwrap();
    format!("{} {}", answer.status, answer.text())
}

/// The directory of the worked example.
fn put_directory(server: &Server) {
    let document = json!({
        "departments": [{"id": "d-root", "name": "Root"}, {"id": "d-team", "parent_id": "d-root", "name": "Team"}],
        "users": [{"id": "u1", "name": "One", "departments": ["d-team"]}, {"id": "u2", "name": "Two", "departments": ["d-root"]}],
    });
    assert!(put(server, "/v1/directory", "application/json", document.to_string()).starts_with("200"));
}

fn ingest(server: &Server, facts: &[Value]) {
    let lines: String = facts.iter().map(|fact| format!("{fact}\n")).collect();
    let request = server.request("POST", "/v1/assistance").bearer_auth(KEY).header("content-type", "application/x-ndjson");
    let answer = server.send(request.body(lines)).unwrap();
    assert_eq!(answer.status, 200, "{}", answer.text());
    assert_eq!(answer.receipt().accepted, facts.len() as u64);
}

/// The facts of the worked example.
fn example() -> Vec<Value> {
    let at = "2024-11-13T12:00:00+08:00";
    vec![
        json!({"user_id": "u1", "at": at, "kind": "chat", "chat_type": "GENERATE_TESTCASE", "ide": "JetBrains", "language": "Java",
               "turns": 2, "accepted": 1, "lines_accepted": 10}),
        json!({"user_id": "u1", "at": at, "kind": "completion", "ide": "jetbrains", "language": "java",
               "suggested": 5, "accepted": 3, "lines_accepted": 4, "lines_changed": 4}),
        json!({"user_id": "u2", "at": at, "kind": "completion", "ide": "vscode", "language": "go", "suggested": 2, "accepted": 0}),
        json!({"user_id": "u2", "at": at, "kind": "edit", "ide": "vscode", "language": "go", "lines_changed": 30}),
    ]
}

fn path(query: &str) -> String {
    format!("/lingma/organizations/{ORG}/departmentUsage?{query}")
}

const DAY: &str = "startTime=2024-11-13&endTime=2024-11-13";

const ROOT: &str = r#"{"activeDeveloper":2,"activeDeveloperChat":1,"activeDeveloperCompletion":2,
  "breakdown":{
   "chatting":[{"activeDeveloper":1,"chatTurns":2,"chatTurnsAccepted":1,"chatType":"GENERATE_TESTCASE","ide":"jetbrains"}],
   "coding":[{"activeDeveloper":1,"language":"go","linesAccepted":0,"linesChanged":30},
             {"activeDeveloper":1,"language":"java","linesAccepted":14,"linesChanged":4}],
   "completion":[{"activeDeveloper":1,"countAccepted":0,"countSuggested":2,"ide":"vscode","language":"go","linesAccepted":0,"linesChanged":0},
                 {"activeDeveloper":1,"countAccepted":3,"countSuggested":5,"ide":"jetbrains","language":"java","linesAccepted":4,"linesChanged":4}]},
  "date":1731427200000,"departmentId":"d-root",
  "totalChatTurns":2,"totalChatTurnsAccepted":1,"totalCountAcceptedCompletion":3,"totalCountSuggestedCompletion":7,
  "totalLinesAccepted":14,"totalLinesChanged":34}"#;

const TEAM: &str = r#"{"activeDeveloper":1,"activeDeveloperChat":1,"activeDeveloperCompletion":1,
  "breakdown":{
   "chatting":[{"activeDeveloper":1,"chatTurns":2,"chatTurnsAccepted":1,"chatType":"GENERATE_TESTCASE","ide":"jetbrains"}],
   "coding":[{"activeDeveloper":1,"language":"java","linesAccepted":14,"linesChanged":4}],
   "completion":[{"activeDeveloper":1,"countAccepted":3,"countSuggested":5,"ide":"jetbrains","language":"java","linesAccepted":4,"linesChanged":4}]},
  "date":1731427200000,"departmentId":"d-team",
  "totalChatTurns":2,"totalChatTurnsAccepted":1,"totalCountAcceptedCompletion":3,"totalCountSuggestedCompletion":5,
  "totalLinesAccepted":14,"totalLinesChanged":4}"#;

fn without_space(text: &str) -> String {
    text.chars().filter(|c| !c.is_whitespace()).collect()
}

#[test]
fn the_worked_example_is_answered_to_the_letter_and_after_a_crash_too() {
    let (home, mut server) = server("");
    put_directory(&server);
    ingest(&server, &example());
    let expected = without_space(&format!("[{ROOT},{TEAM}]"));
    for _ in 0..2 {
        let answer = server.yunxiao(&path(DAY), TOKEN);
        assert_eq!((answer.status, answer.text()), (200, expected.clone()));
        let header = |name: &str| answer.headers[name].to_str().unwrap().to_owned();
        assert_eq!(
            ["x-page", "x-per-page", "x-total", "x-total-pages", "x-prev-page", "x-next-page"].map(header),
            ["1", "100", "2", "1", "", ""]
        );
        let second = server.yunxiao(&path(&format!("{DAY}&perPage=1&page=2")), TOKEN);
        assert_eq!((second.text(), second.headers["x-prev-page"].to_str().unwrap()), (without_space(&format!("[{TEAM}]")), "1"));
        server.kill();
        server = Server::start(home.path());
    }
}

#[test]
fn include_subdepartments_is_a_setting() {
    let (_home, server) = server("include_subdepartments = false\norganization_id = \"67d8\"\n");
    put_directory(&server);
    ingest(&server, &example());
    let rows = server.yunxiao(&path(DAY), TOKEN).json();
    assert_eq!([&rows[0]["activeDeveloper"], &rows[0]["totalLinesChanged"], &rows[1]["totalChatTurns"]], [1, 30, 2]);
    let by_alias = server.yunxiao(&format!("/lingma/organizations/67d8/departmentUsage?{DAY}"), TOKEN).json();
    assert_eq!(by_alias, rows);
}

#[test]
fn a_move_does_not_rewrite_what_was() {
    let (_home, server) = server("");
    put_directory(&server);
    ingest(&server, &example());
    // u1 moves on the 14th, said later, as one more line of CSV.
    let csv = "id,name,departments,from\nu1,One,d-team,\nu1,One,d-root,2024-11-14\nu2,Two,d-root,\n";
    assert!(put(&server, "/v1/directory/users", "text/csv", csv.into()).starts_with("200"));
    assert_eq!(server.yunxiao(&path(DAY), TOKEN).text(), without_space(&format!("[{ROOT},{TEAM}]")));
    ingest(&server, &[json!({"user_id": "u1", "at": "2024-11-14T00:00:00+08:00", "kind": "completion"})]);
    ingest(&server, &[json!({"user_id": "u1", "at": "2024-11-13T23:59:59.999+08:00", "kind": "completion"})]);
    let rows = server.yunxiao(&path("startTime=2024-11-13&endTime=2024-11-14"), TOKEN).json();
    let suggested: Vec<_> = rows.as_array().unwrap().iter().map(|row| row["totalCountSuggestedCompletion"].as_u64().unwrap()).collect();
    assert_eq!(suggested, [8, 6, 1, 0]);
    let developers = format!("/lingma/organizations/{ORG}/developerUsage?startTime=2024-11-13&endTime=2024-11-14&departmentId=d-team");
    let rows = server.yunxiao(&developers, TOKEN).json();
    assert_eq!(
        (&rows[0]["userId"], &rows[0]["statusActiveLastedTime"], &rows[1]),
        (&"u1".into(), &1_731_513_599_999_i64.into(), &Value::Null)
    );
    for (csv, said) in [
        ("id,name,parent_id,from\nd-root,Root,,\nd-team,Team,d-root,\nd-root,Root,d-team,2024-12-01\n", "below itself on 2024-12-01"),
        ("id,name,parent_id,from\nd-root,Root,,2024-12-01\n", "names the unknown department d-team"),
        (
            "id,name,parent_id,from\nd-root,Root,,2024-12-01\nd-team,Team,d-root,\n",
            "department d-team names the department d-root, which begins later, on 2024-12-01",
        ),
        ("id,name,parent_id,from\nd-root,Root,,yesterday\n", "line 2: from yesterday: expected a day such as 2025-03-01"),
    ] {
        let told = put(&server, "/v1/directory/departments", "text/csv", csv.into());
        assert!(told.starts_with("400") && told.contains(said), "{told}");
    }
}

#[test]
fn our_client_reads_every_row_once_while_facts_arrive() {
    let (_home, server) = server("");
    put_directory(&server);
    ingest(&server, &example());
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let client = Client::new(server.url(), TOKEN).unwrap();
    let ask = || client.department_usage(ORG, date(2024, 11, 11), date(2024, 11, 17)).per_page(3);
    let before = runtime.block_on(ask().all()).unwrap();
    assert_eq!(before.len(), 14);
    let mut pages = ask().pages();
    let mut found = Vec::new();
    let mut strangers = 0;
    while let Some(rows) = runtime.block_on(pages.next()).unwrap() {
        found.extend(rows.into_iter().map(|row| (row.date, row.department_id)));
        strangers += 1;
        // Of a department that the directory does not know, and that sorts first.
        let at = "2024-11-12T12:00:00Z";
        ingest(&server, &[json!({"user_id": "x", "department_id": format!("a{strangers}"), "at": at, "kind": "edit", "lines_changed": 1})]);
    }
    let keys: Vec<_> = before.into_iter().map(|row| (row.date, row.department_id)).collect();
    assert_eq!(found, keys);
    assert_eq!(found.iter().collect::<BTreeSet<_>>().len(), found.len());
    assert_eq!(runtime.block_on(ask().all()).unwrap().len(), 14 + strangers);
}

#[test]
fn tokens_end_with_a_reload() {
    let (home, server) = server("");
    assert_eq!(server.yunxiao("/platform/user", TOKEN).status, 200);
    let file = home.path().join("rollcall.toml");
    let configuration = fs::read_to_string(&file).unwrap();
    for (from, to, code) in [
        ("scopes = [\"department-usage\", \"developer-usage\", \"organization\"]\n", "scopes = [\"organization\"]\n", "Forbidden"),
        ("\"organization\"]\n", "\"organization\"]\nexpires = \"2020-01-01\"\n", "ExpiredTokenError"),
        (&crate::harness::hash(TOKEN), &crate::harness::hash("another"), "InvalidTokenError"),
    ] {
        fs::write(&file, configuration.replacen(from, to, 1)).unwrap();
        server.signal("HUP");
        let begun = std::time::Instant::now();
        loop {
            let answer = server.yunxiao(&path("startTime="), TOKEN);
            if answer.json()["errorCode"] == code {
                break;
            }
            assert!(begun.elapsed().as_secs() < 60, "{}", answer.text());
            std::thread::sleep(std::time::Duration::from_millis(20));
        }
    }
}

#[test]
fn departments_are_listed_and_other_paths_are_refused_in_the_same_shape() {
    let (_home, server) = server("");
    put_directory(&server);
    let answer = server.yunxiao(&format!("/platform/organizations/{ORG}/departments?parentId=d-root"), TOKEN);
    assert_eq!(answer.json(), json!([{"hasSub": false, "id": "d-team", "name": "Team", "organizationId": ORG, "parentId": "d-root"}]));
    for (path, status, code) in [("/nothing", 404, "NotFound"), ("/platform/user?x=1", 200, "")] {
        let answer = server.yunxiao(path, TOKEN);
        assert_eq!((answer.status, answer.json()["errorCode"].as_str().unwrap_or_default()), (status, code));
    }
    let answer = server.send(server.request("POST", "/oapi/v1/platform/user").header("x-yunxiao-token", TOKEN)).unwrap();
    assert_eq!((answer.status, answer.json()["requestId"].as_str()), (405, Some(answer.headers["x-request-id"].to_str().unwrap())));
}
