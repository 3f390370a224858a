//! The directory is not lost by a small mistake: what would empty it is refused, what was replaced is kept and restored.

use crate::harness::{Answer, KEY, ORG, Server, fact, rollcall, stdout};
use serde_json::{Value, json};
use std::fs;
use std::path::Path;
use std::process::Command;

const JSON: &str = "application/json";
const CSV: &str = "text/csv";

fn send(server: &Server, method: &str, path: &str, content_type: &str, body: &str) -> Answer {
    let request = server.request(method, path).bearer_auth(KEY).header("content-type", content_type);
    server.send(request.body(body.to_owned())).unwrap()
}

/// Sends a change that is made, and returns what it says.
fn change(server: &Server, method: &str, path: &str, content_type: &str, body: &str) -> Value {
    let answer = send(server, method, path, content_type, body);
    assert_eq!(answer.status, 200, "{method} {path}: {}", answer.text());
    answer.json()
}

fn get(server: &Server, path: &str) -> Value {
    let answer = server.get(path, KEY).unwrap();
    assert_eq!(answer.status, 200, "{path}: {}", answer.text());
    answer.json()
}

/// `users` users in the first of `departments` departments.
fn document(users: usize, departments: usize) -> String {
    let departments: Vec<Value> = (0..departments).map(|id| json!({"id": format!("d{id}"), "name": "D"})).collect();
    let users: Vec<Value> =
        (0..users).map(|id| json!({"id": format!("u{id}"), "name": format!("Name {id}"), "departments": ["d0"]})).collect();
    json!({"departments": departments, "users": users}).to_string()
}

fn versions(server: &Server) -> Vec<(u64, u64, bool)> {
    let history = get(server, "/v1/directory/history");
    let of = |version: &Value| (version["version"].as_u64().unwrap(), version["users"].as_u64().unwrap(), version["until"].is_null());
    history["versions"].as_array().unwrap().iter().map(of).collect()
}

#[test]
fn an_empty_body_a_header_alone_and_an_empty_document_empty_no_directory() {
    let server = Server::new();
    let empty = [
        ("PUT", "/v1/directory", JSON, ""),
        ("PUT", "/v1/directory", JSON, "  \n"),
        ("PUT", "/v1/directory", JSON, "{}"),
        ("PUT", "/v1/directory", JSON, r#"{"users":[],"departments":[]}"#),
        ("PUT", "/v1/directory/users", CSV, ""),
        ("PUT", "/v1/directory/users", CSV, "id,name,kind,departments,from\n"),
        ("PUT", "/v1/directory/departments", CSV, ""),
        ("PUT", "/v1/directory/departments", CSV, "id,name\n"),
        ("PUT", "/v1/directory", JSON, "[]"),
        ("PATCH", "/v1/directory", JSON, ""),
        ("PATCH", "/v1/directory", JSON, "{}"),
        ("PATCH", "/v1/directory/users", CSV, "id,name\n"),
        ("PATCH", "/v1/directory/departments", CSV, ""),
    ];
    for there in [false, true] {
        if there {
            change(&server, "PUT", "/v1/directory", JSON, &document(10, 2));
        }
        let before = get(&server, "/v1/directory");
        for (method, path, content_type, body) in empty {
            let answer = send(&server, method, path, content_type, body);
            let told = answer.json()["detail"].as_str().unwrap().to_owned();
            assert!(answer.status == 400 && told.contains("expected"), "{method} {path} {body:?}: {} {told}", answer.status);
        }
        assert_eq!(get(&server, "/v1/directory"), before);
    }
    // One half given leaves out the other: that is refused too, with what would go.
    let departments = r#"{"departments":[{"id":"d0","name":"D"},{"id":"d1","name":"D"}]}"#;
    let answer = send(&server, "PUT", "/v1/directory", JSON, departments);
    let told = "this would remove 10 of 10 users; nothing was changed. If it is meant, add ?allow_empty=true";
    assert_eq!((answer.status, answer.json()["detail"].as_str()), (409, Some(told)));
    assert_eq!(versions(&server), [(1, 10, true)]);
    let meant = change(&server, "PUT", "/v1/directory/users?allow_empty=true", CSV, "id,name\n");
    assert_eq!(meant, json!({"departments": 2, "users": 0, "removed": {"departments": 0, "users": 10}, "version": 2}));
    change(&server, "PUT", "/v1/directory?allow_empty=true", JSON, "{}");
    assert_eq!(get(&server, "/v1/directory"), json!({"departments": [], "users": []}));
}

#[test]
fn a_replacement_that_removes_more_than_half_says_how_much_and_wants_to_be_told() {
    let server = Server::new();
    change(&server, "PUT", "/v1/directory", JSON, &document(10, 4));
    for (method, path, content_type, body, told) in [
        ("PUT", "/v1/directory", JSON, document(4, 4), "6 of 10 users"),
        ("PUT", "/v1/directory", JSON, document(4, 1), "6 of 10 users and 3 of 4 departments"),
        ("PUT", "/v1/directory/users", CSV, "id,name,from\nu0,A,\nu0,B,2026-01-01\nx,C,\n".into(), "9 of 10 users"),
        ("PUT", "/v1/directory/departments", CSV, "id,name\nd0,D\n".into(), "3 of 4 departments"),
        ("PATCH", "/v1/directory", JSON, r#"{"remove":{"departments":["d1","d2","d3"]}}"#.into(), "3 of 4 departments"),
    ] {
        let answer = send(&server, method, path, content_type, &body);
        let expected = format!("this would remove {told}; nothing was changed. If it is meant, add ?force=true");
        assert_eq!((answer.status, answer.json()["detail"].as_str()), (409, Some(expected.as_str())), "{method} {path}");
    }
    for query in ["force=yes", "forse=true", "force=true&force=true", "allow_empty=1"] {
        let answer = send(&server, "PUT", &format!("/v1/directory?{query}"), JSON, &document(4, 4));
        assert_eq!((answer.status, answer.text().contains("expected")), (400, true), "{query}: {}", answer.text());
    }
    assert_eq!(versions(&server), [(1, 10, true)]);
    // Half and less needs no word.
    change(&server, "PUT", "/v1/directory", JSON, &document(5, 2));
    let told = change(&server, "PUT", "/v1/directory?force=true", JSON, &document(1, 2));
    assert_eq!((&told["removed"]["users"], &told["users"]), (&4.into(), &1.into()));
}

#[test]
fn a_directory_that_was_replaced_is_restored_also_after_a_kill() {
    let home = tempfile::tempdir().unwrap();
    let mut server = Server::start(home.path());
    server.ingest((0..10).map(|meeting| fact(meeting, &format!("u{meeting}"))).collect::<String>()).unwrap();
    change(&server, "PUT", "/v1/directory", JSON, &document(10, 2));
    let before = get(&server, "/v1/directory");
    let names = |server: &Server| get(server, "/v1/reports/top-users?from=2025-03-01&to=2025-03-31&limit=100")["rows"].to_string();
    let named = names(&server);
    change(&server, "PUT", "/v1/directory/users?force=true", CSV, "id,name\nu3,Another\n");
    assert_ne!(names(&server), named);
    server.kill();
    let server = Server::start(home.path());
    assert_eq!(versions(&server), [(2, 1, true), (1, 10, false)]);
    assert_eq!(get(&server, "/v1/directory?version=1"), before);
    let restored = change(&server, "POST", "/v1/directory/restore?version=1", JSON, "");
    assert_eq!(restored, json!({"departments": 2, "users": 10, "removed": {"departments": 0, "users": 0}, "version": 3}));
    assert_eq!((get(&server, "/v1/directory"), names(&server)), (before, named));
    // Back to what it was before: also that removes more than half.
    assert_eq!(send(&server, "POST", "/v1/directory/restore?version=2", JSON, "").status, 409);
    change(&server, "POST", "/v1/directory/restore?version=2&force=true", JSON, "");
    assert_eq!(versions(&server), [(4, 1, true), (3, 10, false), (2, 1, false), (1, 10, false)]);
    let history = get(&server, "/v1/directory/history");
    assert_eq!(history["versions"][0]["since"], history["versions"][1]["until"]);
    for (path, status, told) in [
        ("/v1/directory/restore?version=4", 404, "not among those kept"),
        ("/v1/directory/restore?version=99", 404, "GET /v1/directory/history lists them"),
        ("/v1/directory/restore", 400, "version is missing"),
        ("/v1/directory/restore?version=last", 400, "version last: expected a number"),
    ] {
        let answer = send(&server, "POST", path, JSON, "");
        assert_eq!((answer.status, answer.text().contains(told)), (status, true), "{path}: {}", answer.text());
    }
    assert_eq!(server.get("/v1/directory?version=99", KEY).unwrap().status, 404);
}

#[test]
fn single_entries_are_added_changed_and_removed() {
    let server = Server::new();
    change(&server, "PUT", "/v1/directory", JSON, &document(10, 2));
    let patch = json!({
        "departments": [{"id": "d2", "name": "New", "parent_id": "d0"}],
        "users": [{"id": "u0", "name": "Renamed"}, {"id": "u1", "name": "Name 1", "departments": ["d2"], "from": "2026-03-01"}, {"id": "new", "name": "N"}],
        "remove": {"users": ["u8", {"id": "u9"}, "nobody"]},
    });
    for _ in 0..2 {
        // Sent again it changes nothing.
        let told = change(&server, "PATCH", "/v1/directory", JSON, &patch.to_string());
        assert_eq!((&told["departments"], &told["users"], &told["version"]), (&3.into(), &10.into(), &2.into()), "{told}");
    }
    let told = change(&server, "PATCH", "/v1/directory/users", CSV, "id,name,departments,from\nu1,Moved,d1,2026-03-01\nu2,Two,d0|d2,\n");
    assert_eq!((&told["users"], &told["version"]), (&10.into(), &3.into()));
    change(&server, "PATCH", "/v1/directory/departments", CSV, "id,name\nd1,Other\n");
    let directory = get(&server, "/v1/directory");
    let users: Vec<String> =
        directory["users"].as_array().unwrap().iter().map(|user| format!("{}={}", user["id"], user["name"]).replace('"', "")).collect();
    assert_eq!(
        users,
        ["new=N", "u0=Renamed", "u1=Name 1", "u1=Moved", "u2=Two", "u3=Name 3", "u4=Name 4", "u5=Name 5", "u6=Name 6", "u7=Name 7"]
    );
    assert_eq!(directory["departments"][1], json!({"id": "d1", "name": "Other"}));
    for (content_type, path, body, told) in [
        (JSON, "/v1/directory", r#"{"remove":{"departments":["d2"]}}"#, "names the unknown department d2"),
        (JSON, "/v1/directory", r#"{"users":[{"id":"x","name":"X"},{"id":"x","name":"Y"}]}"#, "user x has two entries from the same day"),
        (JSON, "/v1/directory", r#"{"removed":{"users":["u0"]}}"#, "unknown field `removed`"),
        (CSV, "/v1/directory/users", "id,name\nx,\n", "line 2: name is missing"),
    ] {
        let answer = send(&server, "PATCH", path, content_type, body);
        assert_eq!((answer.status, answer.text().contains(told)), (400, true), "{body}: {}", answer.text());
    }
    assert_eq!(get(&server, "/v1/directory"), directory);
}

#[test]
fn the_size_of_a_directory_has_a_limit_also_when_it_grows_entry_by_entry() {
    let server = Server::with("[storage]\ndirectory_bytes = 1000\n");
    change(&server, "PUT", "/v1/directory", JSON, &document(10, 1));
    let refused = (10..100).find_map(|id| {
        let answer = send(&server, "PATCH", "/v1/directory/users", CSV, &format!("id,name\nu{id},A longer name\n"));
        (answer.status != 200).then_some((answer.status, answer.text()))
    });
    let (status, told) = refused.unwrap();
    assert!(status == 507 && told.contains("more than storage.directory_bytes (1000)"), "{status} {told}");
}

#[test]
fn who_is_forgotten_is_in_no_directory_that_can_be_restored() {
    let server = Server::new();
    change(&server, "PUT", "/v1/directory", JSON, &document(3, 1));
    change(&server, "PUT", "/v1/directory", JSON, &document(4, 1));
    let mut forget = rollcall();
    forget.args(["forget", "--user", "u1", "--organization", ORG, "--yes", "--format", "json", "--data"]).arg(server.home().join("data"));
    let erased: Value = serde_json::from_str(&stdout(&mut forget)).unwrap();
    assert_eq!((&erased["directory_entries"], &erased["proof"]["holds"]), (&2.into(), &true.into()), "{erased}");
    for path in ["/v1/directory", "/v1/directory?version=1"] {
        let text = get(&server, path).to_string();
        assert!(!text.contains("u1") && !text.contains("Name 1") && text.contains("u2"), "{path}: {text}");
    }
    assert_eq!(versions(&server), [(2, 3, true), (1, 2, false)]);
}

#[test]
fn kept_directories_are_in_a_backup() {
    let server = Server::new();
    change(&server, "PUT", "/v1/directory", JSON, &document(3, 1));
    let before = get(&server, "/v1/directory");
    change(&server, "PUT", "/v1/directory", JSON, &document(4, 1));
    let again = tempfile::tempdir().unwrap();
    let target = again.path().join("backup");
    stdout(rollcall().arg("backup").arg(&target).arg("--data").arg(server.home().join("data")));
    stdout(rollcall().arg("restore").arg(&target).arg("--data").arg(again.path().join("data")));
    let server = Server::start(again.path());
    assert_eq!((versions(&server), get(&server, "/v1/directory?version=1")), (vec![(2, 4, true), (1, 3, false)], before));
}

/// The commands that a README prints under a heading, as one script.
fn printed(readme: &str, heading: &str) -> String {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..").join(readme);
    let text = fs::read_to_string(path).unwrap();
    let (_, section) = text.split_once(&format!("\n{heading}\n")).unwrap_or_else(|| panic!("{readme} has no {heading}"));
    let section = section.split("\n### ").next().unwrap_or_default();
    let blocks = section.split("```console\n").skip(1).map(|block| block.split("```").next().unwrap_or_default());
    blocks.flat_map(str::lines).map(|line| format!("{}\n", line.strip_prefix("$ ").unwrap_or(line))).collect()
}

/// As a reader of the README does who has a directory already, in a folder where its files are not and in one where they are.
#[test]
fn the_example_of_the_readme_takes_nothing_away() {
    for (readme, heading) in [("README.md", "### The directory"), ("README.zh-CN.md", "### 目录")] {
        let script = printed(readme, heading);
        let uploads: String = script.lines().filter(|line| line.starts_with("curl ")).map(|line| format!("{line}\n")).collect();
        assert!(uploads.lines().count() >= 2, "{script}");
        let server = Server::new();
        change(&server, "PUT", "/v1/directory", JSON, &document(100, 3));
        let folder = tempfile::tempdir().unwrap();
        let run = |script: &str| {
            let mut shell = Command::new("sh");
            shell.arg("-c").arg(script).current_dir(folder.path()).env("BASE_URL", server.url()).env("INGEST_KEY", KEY);
            shell.env("NO_PROXY", "127.0.0.1").output().unwrap_or_else(|error| panic!("{error}"))
        };
        let before = get(&server, "/v1/directory");
        run(&uploads);
        assert_eq!(get(&server, "/v1/directory"), before, "{readme}: a missing file changed the directory");
        let output = run(&format!("set -e\n{script}"));
        assert!(output.status.success(), "{readme}: {}", String::from_utf8_lossy(&output.stderr));
        let after = get(&server, "/v1/directory").to_string();
        let had = |half: &str| before[half].as_array().unwrap().iter().all(|entry| after.contains(&format!("\"id\":{}", entry["id"])));
        assert!(had("users") && had("departments") && after.contains("林晨"), "{readme}: {}", String::from_utf8_lossy(&output.stdout));
    }
}
