//! Facts come back out exactly: an export is ingested again, in any format, as the same facts.

use crate::harness::{KEY, ORG, OTHER_KEY, Server, assistance, complaint, fact, rollcall, run, stdout};
use rollcall_model::Receipt;
use std::fs;
use std::io::{Read, Write};
use std::net::TcpStream;
use std::process::Command;
use std::time::{Duration, Instant};

const FORMATS: [(&str, &str); 3] = [("ndjson", "application/x-ndjson"), ("csv", "text/csv"), ("parquet", "application/vnd.apache.parquet")];

const KINDS: [&str; 2] = ["attendance", "assistance"];

const REPORTS: [&str; 7] = [
    "meeting-days?",
    "top-users?limit=100&",
    "active-users?by=week&user_kind=guest&device=computer&",
    "users-by-place?by=subdivision&",
    "department-days?",
    "developer-days?",
    "department-days?breakdown=completion&by=whole&",
];

/// `u1` belongs to two departments, or to none.
fn directory(of_u1: &str) -> String {
    format!(
        r#"{{"departments":[{{"id":"d1","name":"One"}},{{"id":"d2","parent_id":"d1","name":"Two, \"second\""}}],
"users":[{{"id":"u1","name":"Ann","kind":"guest","departments":{of_u1}}},{{"id":"u2","name":"Bob","departments":["d2"]}}]}}"#
    )
}

/// Facts of three users, most of them with what the directory, the configuration or a place gives.
fn fill(server: &Server) -> [u64; 2] {
    for (key, departments) in [(KEY, r#"["d1","d2"]"#), (OTHER_KEY, "[]")] {
        let request = server.request("PUT", "/v1/directory").bearer_auth(key).header("content-type", "application/json");
        assert_eq!(server.send(request.body(directory(departments))).unwrap().status, 200);
    }
    let user = |number: u32| format!("u{}", number % 3 + 1);
    let more =
        [r#""device":"web","media":[],"#, r#""subdivision":"CN-31","user_kind":"guest","unit":0,"#, r#""country":"FR","id":"given","#];
    let attended = |number: u32| fact(number / 3 * 97, &user(number)).replacen('{', &format!("{{{}", more[number as usize % 3]), 1);
    let attendances = (0..90).map(|number| attended(number).replace("\"given\"", &format!("\"给定, {number}\"")));
    let used = |number: u32| {
        let given = if number.is_multiple_of(4) { "{\"department_id\":\"d2\"," } else { "{" };
        assistance(number * 50, &user(number)).replacen('{', given, 1)
    };
    [
        server.ingest(attendances.collect::<String>()).unwrap().accepted,
        server.ingest_to("/v1/assistance", (0..90).map(used).collect::<String>()).unwrap().accepted,
    ]
}

fn reports(server: &Server, key: &str) -> Vec<String> {
    let ask = |report: &&str| {
        let path = format!("/v1/reports/{report}from=2025-03-01&to=2025-03-19&zone=Asia/Shanghai&format=csv");
        let answer = server.get(&path, key).unwrap();
        assert_eq!(answer.status, 200, "{}", answer.text());
        answer.text()
    };
    REPORTS.iter().map(ask).collect()
}

fn export(server: &Server, key: &str, path: &str) -> Vec<u8> {
    let answer = server.get(path, key).unwrap();
    assert_eq!(answer.status, 200, "{}", answer.text());
    answer.body
}

fn post(server: &Server, key: &str, kind: &str, content_type: &str, body: Vec<u8>) -> Receipt {
    let request = server.request("POST", &format!("/v1/{kind}")).bearer_auth(key).header("content-type", content_type);
    let answer = server.send(request.body(body)).unwrap();
    assert_eq!(answer.status, 200, "{}", answer.text());
    answer.receipt()
}

#[test]
fn another_organization_gives_the_same_reports_after_it_takes_an_export() {
    for (format, content_type) in FORMATS {
        let server = Server::new();
        let counts = fill(&server);
        assert_eq!(counts, [90, 90]);
        let before = reports(&server, KEY);
        assert_ne!(reports(&server, OTHER_KEY), before);
        for (kind, count) in KINDS.into_iter().zip(counts) {
            let exported = export(&server, KEY, &format!("/v1/{kind}?format={format}"));
            let request = server.request("GET", &format!("/v1/{kind}")).bearer_auth(KEY).header("accept", content_type);
            let by_accept = server.send(request).unwrap();
            assert_eq!((by_accept.headers["content-type"].to_str().unwrap(), by_accept.body == exported), (content_type, true));
            let receipt = post(&server, OTHER_KEY, kind, content_type, exported.clone());
            assert_eq!((receipt.accepted, receipt.rejected), (count, 0), "{kind} {format}");
            assert_eq!(post(&server, OTHER_KEY, kind, content_type, exported.clone()).duplicate, count);
            // Where it came from nothing is new; an attendance is in conflict where something was filled in.
            let back = post(&server, KEY, kind, content_type, exported);
            assert_eq!((back.accepted, back.duplicate + back.conflicting), (0, count));
            assert_eq!(back.conflicting > 0, kind == "attendance", "{back:?}");
        }
        assert_eq!(reports(&server, OTHER_KEY), before, "{format}");
        assert_eq!(reports(&server, KEY), before, "{format}");
    }
}

#[test]
fn an_export_has_the_facts_of_its_own_organization_and_range() {
    let server = Server::new();
    fill(&server);
    let users = |key: &str, path: &str| {
        let text = String::from_utf8(export(&server, key, path)).unwrap();
        text.lines()
            .map(|line| serde_json::from_str::<serde_json::Value>(line).unwrap()["at"].as_str().unwrap().to_owned())
            .collect::<Vec<_>>()
    };
    for (kind, columns) in KINDS.into_iter().zip([14, 14]) {
        assert_eq!(export(&server, OTHER_KEY, &format!("/v1/{kind}")), b"");
        let head = String::from_utf8(export(&server, OTHER_KEY, &format!("/v1/{kind}?format=csv"))).unwrap();
        assert_eq!((head.lines().count(), head.split(',').count()), (1, columns), "{head}");
        assert!(export(&server, OTHER_KEY, &format!("/v1/{kind}?format=parquet")).starts_with(b"PAR1"));
    }
    let all = users(KEY, "/v1/assistance");
    assert!(all.len() == 90 && all.is_sorted(), "{all:?}");
    // The organization's day begins at 16:00 UTC.
    let of_day: Vec<_> = all.iter().filter(|at| ("2025-03-03T16"..="2025-03-04T16").contains(&at.as_str())).cloned().collect();
    assert!(of_day.len() > 10 && of_day.len() < 80);
    assert_eq!(users(KEY, "/v1/assistance?from=2025-03-04&to=2025-03-04"), of_day);
    assert_eq!(users(KEY, "/v1/assistance?from=2025-03-03T16:00:00Z&to=1741104000000"), of_day);
    assert_eq!([users(KEY, "/v1/assistance?to=2025-03-03"), users(KEY, "/v1/assistance?from=2025-03-04")].concat(), all);
    for (query, expected) in [
        ("format=xml", "format xml: expected one of ndjson, csv, parquet"),
        ("from=2025-03-04&to=2025-03-03", "to 2025-03-03: expected a time after from"),
        ("zone=UTC", "zone UTC: expected one of the parameters from, to, format, bom"),
        ("from=1&from=2", "from 2: expected each parameter once"),
        ("from=noon", "from noon: expected a day such as 2026-03-01, a month such as 2026-03"),
    ] {
        let refused = server.get(&format!("/v1/attendance?{query}"), KEY).unwrap();
        let error = refused.json()["detail"].as_str().unwrap().to_owned();
        assert!(refused.status == 400 && error.starts_with(expected), "{error}");
    }
}

#[test]
fn no_more_exports_than_the_limit_are_under_way_and_a_client_that_goes_away_ends_one() {
    let server = Server::with("[limits]\nexports = 1\n");
    for part in 0..4 {
        let facts: String = (0..20_000).map(|number| fact(part * 20_000 + number, "u")).collect();
        assert_eq!(server.ingest(facts).unwrap().accepted, 20_000);
    }
    // Far more than all buffers on the way take, so that it is under way until it is read or given up.
    let mut first = TcpStream::connect(server.url().strip_prefix("http://").unwrap()).unwrap();
    write!(first, "GET /v1/attendance HTTP/1.1\r\nHost: here\r\nAuthorization: Bearer {KEY}\r\n\r\n").unwrap();
    first.read_exact(&mut [0; 1]).unwrap();
    let busy = server.get("/v1/assistance", KEY).unwrap();
    let why = "1 exports are under way (limits.exports); try again";
    assert_eq!((busy.status, busy.json()["detail"].as_str()), (503, Some(why)));
    drop(first);
    let begun = Instant::now();
    while server.get("/v1/assistance", KEY).unwrap().status == 503 {
        assert!(begun.elapsed() < Duration::from_secs(60), "the export goes on without its client");
    }
    let whole = export(&server, KEY, "/v1/attendance");
    assert_eq!(whole.iter().filter(|byte| **byte == b'\n').count(), 80_000);
}

fn command(kind: &str) -> Command {
    let mut command = rollcall();
    command.args(["export", "--fact", kind]);
    command
}

#[test]
fn the_command_exports_from_a_server_and_from_a_data_directory_what_import_takes() {
    let mut server = Server::new();
    fill(&server);
    let before = reports(&server, KEY);
    let folder = tempfile::tempdir().unwrap();
    for (kind, name) in KINDS.into_iter().zip(["facts.parquet", "facts.csv"]) {
        let file = folder.path().join(name);
        assert_eq!(stdout(command(kind).args(["--key", KEY, "--to-url", server.url(), "-o"]).arg(&file)), "");
        let import = ["import", "--fact", kind, "--receipt", "json", "--key", OTHER_KEY, "--to", server.url()];
        let receipt: Receipt = serde_json::from_str(&stdout(rollcall().args(import).arg(&file))).unwrap();
        assert_eq!(receipt.accepted, 90);
    }
    assert_eq!(reports(&server, OTHER_KEY), before);
    let names: Vec<_> = fs::read_dir(folder.path()).unwrap().map(|entry| entry.unwrap().file_name()).collect();
    assert_eq!(names.len(), 2, "{names:?}");

    let range = ["--from", "2025-03-04", "--to", "2025-03-04"];
    let from_server = stdout(command("assistance").args(range).args(["--key", KEY, "--to-url", server.url()]));
    let missing = folder.path().join("missing");
    let refused = complaint(command("assistance").args(["--key", "wrong", "--to-url", server.url(), "-o"]).arg(&missing), 1);
    assert!(refused.contains("the key is not known"), "{refused}");
    assert!(complaint(command("assistance").args(["--to-url", server.url()]), 2).contains("--key or ROLLCALL_KEY is missing"));
    assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 2, "nothing is left of what failed");

    server.signal("TERM");
    assert!(server.wait().success());
    let home = server.home();
    let local = |command: &mut Command| {
        command.args(["--organization", ORG, "--config"]).arg(home.join("rollcall.toml")).arg("--data").arg(home.join("data"));
    };
    let mut from_directory = command("assistance");
    local(from_directory.args(range));
    assert_eq!(stdout(&mut from_directory), from_server);
    assert!(from_server.lines().count() > 10);
    let mut wrong = command("assistance");
    local(wrong.args(["--from", "noon"]));
    assert_eq!(run(&mut wrong).status.code(), Some(2));
}
