//! What was stored by mistake is taken back: `receipts` and `withdraw` as an administrator runs them, and over HTTP.

use crate::harness::{KEY, ORG, OTHER_KEY, Server, complaint, configuration, fact, rollcall, run, stdout};
use serde_json::{Value, json};
use std::fs;
use std::path::Path;
use std::process::Command;

fn command(name: &str, home: &Path, args: &[&str]) -> Command {
    let mut command = rollcall();
    command.args([name, "--organization", ORG, "--data"]).arg(home.join("data")).args(args);
    command
}

fn json_of(name: &str, home: &Path, args: &[&str]) -> Value {
    serde_json::from_str(&stdout(command(name, home, args).args(["--format", "json"]))).unwrap()
}

/// Stores attendances of these numbers, and returns the number of the receipt.
fn store(server: &Server, key: &str, numbers: std::ops::Range<u32>) -> u64 {
    let lines: String = numbers.map(|number| fact(number, "someone")).collect();
    let request = server.request("POST", "/v1/attendance").bearer_auth(key).header("content-type", "application/x-ndjson");
    let answer = server.send(request.body(lines)).unwrap();
    assert_eq!(answer.status, 200, "{}", answer.text());
    answer.json()["receipt"].as_u64().unwrap()
}

fn exported(server: &Server, key: &str) -> usize {
    let answer = server.get("/v1/attendance?format=ndjson", key).unwrap();
    assert_eq!(answer.status, 200, "{}", answer.text());
    answer.text().lines().count()
}

fn withdraw(server: &Server, key: &str, asked: &Value) -> (u16, Value) {
    let answer = server.send(server.request("POST", "/v1/withdraw").bearer_auth(key).body(asked.to_string())).unwrap();
    (answer.status, answer.json())
}

/// Imported by mistake, listed, looked at, killed in the middle, taken back, and imported again: with a server and without one.
#[test]
fn an_import_by_mistake_is_taken_back_by_its_receipt() {
    for with_server in [true, false] {
        let temporary = tempfile::tempdir().unwrap();
        let home = temporary.path();
        let mut server = Server::start(home);
        let (right, mistake) = (store(&server, KEY, 0..30), store(&server, KEY, 30..50));
        store(&server, OTHER_KEY, 0..50);
        if !with_server {
            server.signal("TERM");
            server.wait();
        }
        let listed = json_of("receipts", home, &[]);
        let numbers: Vec<_> = listed["receipts"].as_array().unwrap().iter().map(|kept| kept["receipt"].as_u64().unwrap()).collect();
        assert_eq!((numbers, &listed["receipts"][0]["accepted"]), (vec![mistake, right], &json!(20)), "{listed}");
        let receipt = mistake.to_string();
        let by_receipt = ["--receipt", &*receipt];
        let told = json_of("withdraw", home, &[&by_receipt[..], &["--dry-run"]].concat());
        assert_eq!((&told["attendances"], &told["ids"], &told["proof"]), (&json!(20), &json!(0), &Value::Null), "{told}");
        assert!(complaint(&mut command("withdraw", home, &by_receipt), 2).contains("--yes"));
        assert!(complaint(&mut command("withdraw", home, &["--yes"]), 2).contains("session_id, ids, or from and to"));
        assert!(
            complaint(&mut command("withdraw", home, &["--yes", "--from", "2025-03-01", "--to", "2025-03-02"]), 2).contains("--config")
        );
        if !with_server {
            // Cut off when the ids are gone and the facts are not.
            let died =
                run(command("withdraw", home, &[&by_receipt[..], &["--yes"]].concat()).env("FAILPOINTS", "erasure-ids-removed=return"));
            assert!(died.status.code().is_none(), "{}", String::from_utf8_lossy(&died.stderr));
            server = Server::start(home);
            assert_eq!(exported(&server, KEY), 30, "the start finished it");
        } else {
            let erased = json_of("withdraw", home, &[&by_receipt[..], &["--yes"]].concat());
            assert_eq!(
                (&erased["attendances"], &erased["ids"], &erased["proof"]["holds"]),
                (&json!(20), &json!(20), &json!(true)),
                "{erased}"
            );
        }
        assert_eq!((exported(&server, KEY), exported(&server, OTHER_KEY)), (30, 50));
        let again = json_of("withdraw", home, &[&by_receipt[..], &["--yes"]].concat());
        assert_eq!((&again["attendances"], &again["proof"]), (&json!(0), &Value::Null));
        let listed = json_of("receipts", home, &["--limit", "1"]);
        assert!(listed["receipts"][0]["withdrawn"].is_string() && listed["next"].is_number(), "{listed}");
        // The same facts are new, and have another receipt.
        assert!(store(&server, KEY, 30..50) > mistake);
        assert_eq!(exported(&server, KEY), 50);
        let verified = run(rollcall().args(["verify", "--data"]).arg(home.join("data")));
        assert!(verified.status.success(), "{}", String::from_utf8_lossy(&verified.stdout));
    }
}

#[test]
fn ids_of_a_file_and_ranges_of_an_app_go_and_nothing_else() {
    let server = Server::new();
    let home = server.home();
    store(&server, KEY, 0..10);
    let lines = server.get("/v1/attendance?format=ndjson", KEY).unwrap().text();
    let ids: Vec<String> = lines.lines().map(|line| serde_json::from_str::<Value>(line).unwrap()["id"].as_str().unwrap().into()).collect();
    let file = home.join("ids");
    fs::write(&file, format!("{}\n\n{}\nunknown\n", ids[2], ids[5])).unwrap();
    let file = file.to_str().unwrap();
    assert!(complaint(&mut command("withdraw", home, &["--yes", "--ids", file]), 2).contains("fact: expected"));
    assert_eq!(json_of("withdraw", home, &["--yes", "--fact", "attendance", "--ids", file])["attendances"], 2);
    let ever = ["--yes", "--from", "2000-01-01T00:00:00Z", "--to", "2100-01-01T00:00:00Z"];
    assert_eq!(json_of("withdraw", home, &[&ever[..], &["--app", "no-such-app"]].concat())["attendances"], 0);
    assert_eq!(exported(&server, KEY), 8);
    assert_eq!(json_of("withdraw", home, &ever)["attendances"], 8);
    assert_eq!(exported(&server, KEY), 0);
}

#[test]
fn an_ingest_key_withdraws_only_where_it_may_only_so_many_and_only_its_own() {
    let temporary = tempfile::tempdir().unwrap();
    let home = temporary.path();
    let allowed = configuration("").replacen("apps = [", "allow_withdraw = true\napps = [", 1);
    fs::write(home.join("rollcall.toml"), &allowed).unwrap();
    let server = Server::start(home);
    let receipts: Vec<u64> = (0..3).map(|part| store(&server, KEY, part * 10..part * 10 + 10)).collect();
    let theirs = store(&server, OTHER_KEY, 0..10);
    // Pages, newest first; those of others are not there.
    let (mut found, mut path) = (Vec::new(), "/v1/receipts?limit=2".to_owned());
    loop {
        let page = server.get(&path, KEY).unwrap().json();
        found.extend(page["receipts"].as_array().unwrap().iter().map(|kept| kept["receipt"].as_u64().unwrap()));
        let Some(next) = page["next"].as_str() else { break };
        path = format!("/v1/receipts?limit=2&cursor={next}");
    }
    assert_eq!(found, receipts.iter().rev().copied().collect::<Vec<_>>());
    assert_eq!(server.get("/v1/receipts?limit=0", KEY).unwrap().status, 400);
    let (status, told) = withdraw(&server, KEY, &json!({"receipts": [receipts[0], theirs], "dry_run": true}));
    assert_eq!((status, &told["attendances"]), (200, &json!(10)), "{told}");
    for (asked, status, told) in [
        (json!({"receipts": [receipts[0]]}), 400, "dry_run"),
        (json!({"receipts": [receipts[0]], "facts": 9}), 409, "10 facts are named, not 9"),
        (json!({"facts": 0}), 400, "session_id, ids, or from and to"),
        (json!({"app": "default", "facts": 30}), 400, "session_id, ids, or from and to"),
        (json!({"receipt": [1], "facts": 1}), 400, "unknown field"),
        (json!({"from": "yesterday", "to": 5, "facts": 1}), 400, "from"),
    ] {
        let (given, answer) = withdraw(&server, KEY, &asked);
        assert_eq!(given, status, "{answer}");
        assert!(answer["detail"].as_str().unwrap().contains(told), "{answer}");
    }
    let mine = json!({"receipts": [theirs], "facts": 10});
    assert_eq!(withdraw(&server, OTHER_KEY, &mine).0, 403, "it is not allowed to");
    assert_eq!((exported(&server, KEY), exported(&server, OTHER_KEY)), (30, 10));
    let (status, erased) = withdraw(&server, KEY, &json!({"receipts": [receipts[0], theirs], "facts": 10}));
    assert_eq!((status, &erased["attendances"], &erased["proof"]["holds"]), (200, &json!(10), &json!(true)), "{erased}");
    assert_eq!((exported(&server, KEY), exported(&server, OTHER_KEY)), (20, 10));
    assert_eq!(withdraw(&server, "wrong", &mine).0, 401);
    // Everything that came from one receipt to another.
    let (status, erased) = withdraw(&server, KEY, &json!({"from_receipt": receipts[1], "to_receipt": receipts[2], "facts": 20}));
    assert_eq!((status, &erased["attendances"]), (200, &json!(20)), "{erased}");
    assert_eq!((exported(&server, KEY), exported(&server, OTHER_KEY)), (0, 10));
    let listed = server.get("/v1/receipts", KEY).unwrap().json();
    assert!(listed["receipts"].as_array().unwrap().iter().take(2).all(|kept| kept["withdrawn"].is_string()), "{listed}");
}
