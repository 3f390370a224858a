//! A person can be erased, and what is too old is: `forget` and `retain` as people run them. What is left in files is tested in the engine.

use crate::harness::{KEY, ORG, OTHER_KEY, Server, assistance, complaint, configuration, fact, rollcall, run, stdout};
use rollcall_engine::crash::POINTS;
use std::fs;
use std::path::Path;
use std::process::Command;
use std::thread::scope;

fn forget(home: &Path, user: &str, args: &[&str]) -> Command {
    let mut command = rollcall();
    command.args(["forget", "--user", user, "--organization", ORG, "--data"]).arg(home.join("data")).args(args);
    command
}

fn retain(home: &Path, args: &[&str]) -> Command {
    let mut command = rollcall();
    command.args(["retain", "--config"]).arg(home.join("rollcall.toml")).arg("--data").arg(home.join("data")).args(args);
    command
}

fn json(command: &mut Command) -> serde_json::Value {
    serde_json::from_str(&stdout(command.args(["--format", "json"]))).unwrap()
}

/// 20 attendances of each of two users, 10 assistances of one of them; the first is in the directory. The other organization has them too.
fn fill(server: &Server) {
    for key in [KEY, OTHER_KEY] {
        let facts = (0..40).map(|number| fact(number, ["gone", "stays"][number as usize % 2])).collect::<String>();
        let assistances = (0..10).map(|number| assistance(number, "gone")).collect::<String>();
        let users = r#"{"users":[{"id":"gone","name":"A"},{"id":"stays","name":"B"}]}"#.to_owned();
        for (method, path, content_type, body) in [
            ("POST", "/v1/attendance", "application/x-ndjson", facts),
            ("POST", "/v1/assistance", "application/x-ndjson", assistances),
            ("PUT", "/v1/directory", "application/json", users),
        ] {
            let request = server.request(method, path).bearer_auth(key).header("content-type", content_type);
            let answer = server.send(request.body(body)).unwrap();
            assert_eq!(answer.status, 200, "{}", answer.text());
        }
    }
}

/// The users that an organization still has: those of its reports, of its exports and of its directory.
fn users(server: &Server, key: &str) -> [Vec<String>; 3] {
    let sorted = |mut users: Vec<String>| {
        users.sort();
        users.dedup();
        users
    };
    let ids = |rows: &serde_json::Value, field: &str| {
        sorted(rows.as_array().unwrap().iter().map(|row| row[field].as_str().unwrap().into()).collect())
    };
    let report = server.get("/v1/reports/top-users?from=2025-01-01&to=2025-12-31&limit=10", key).unwrap().json();
    let exported = ["attendance", "assistance"].map(|kind| {
        let answer = server.get(&format!("/v1/{kind}?from=2025-01-01&to=2025-12-31&format=ndjson"), key).unwrap();
        assert_eq!(answer.status, 200, "{}", answer.text());
        answer.text()
    });
    let lines = exported.iter().flat_map(|text| text.lines()).map(|line| serde_json::from_str::<serde_json::Value>(line).unwrap());
    let exported = lines.map(|line| line["user_id"].as_str().unwrap().to_owned()).collect();
    let directory = server.get("/v1/directory", key).unwrap().json();
    [ids(&report["rows"], "id"), sorted(exported), ids(&directory["users"], "id")]
}

fn all(users: &[&str]) -> [Vec<String>; 3] {
    std::array::from_fn(|_| users.iter().map(|user| (*user).to_owned()).collect())
}

#[test]
fn a_person_is_forgotten_with_a_server_and_without_one() {
    for with_server in [true, false] {
        let temporary = tempfile::tempdir().unwrap();
        let home = temporary.path();
        let mut server = Server::start(home);
        fill(&server);
        if !with_server {
            server.signal("TERM");
            server.wait();
        }
        let told = json(&mut forget(home, "gone", &["--dry-run"]));
        assert_eq!((&told["attendances"], &told["assistances"], &told["directory_entries"]), (&20.into(), &10.into(), &1.into()), "{told}");
        assert_eq!((&told["ids"], &told["proof"]), (&0.into(), &serde_json::Value::Null), "{told}");
        let asked = complaint(&mut forget(home, "gone", &[]), 2);
        assert!(asked.contains("--yes"), "{asked}");
        let done = run(forget(home, "gone", &["--yes", "--format", "json"]).env("ROLLCALL_LOG", "warn"));
        let (erased, notes) = (String::from_utf8(done.stdout).unwrap(), String::from_utf8(done.stderr).unwrap());
        assert!(done.status.success() && notes.contains("backups, exports and copies of the lake"), "{notes}");
        let erased: serde_json::Value = serde_json::from_str(&erased).unwrap();
        assert_eq!((&erased["attendances"], &erased["ids"], &erased["first"]), (&20.into(), &30.into(), &told["first"]), "{erased}");
        assert_eq!(erased["proof"]["holds"], true, "{erased}");
        let unknown = complaint(&mut forget(home, "gone", &["--yes"]), 1);
        assert!(unknown.contains(&format!("organization {ORG} knows no user gone")), "{unknown}");
        if !with_server {
            server = Server::start(home);
        }
        assert_eq!((users(&server, KEY), users(&server, OTHER_KEY)), (all(&["stays"]), all(&["gone", "stays"])));
        // Who is sent again is new.
        let again = server.ingest((0..40).map(|number| fact(number, ["gone", "stays"][number as usize % 2])).collect::<String>()).unwrap();
        assert_eq!((again.accepted, again.duplicate), (20, 20));
    }
}

/// The process ends at each point of an erasure; the next that opens the directory finishes it before it does anything else.
#[test]
fn an_erasure_is_finished_after_a_crash_at_any_of_its_points() {
    let points: Vec<&str> = POINTS.iter().copied().filter(|point| point.starts_with("erasure-")).collect();
    assert!(points.len() >= 8, "{points:?}");
    let crash_at = |point: &str| {
        let mut server = Server::new();
        let home = server.home().to_owned();
        fill(&server);
        server.signal("TERM");
        server.wait();
        let died = run(forget(&home, "gone", &["--yes"]).env("FAILPOINTS", format!("{point}=return")));
        assert!(died.status.code().is_none(), "{point} was not passed: {}", String::from_utf8_lossy(&died.stderr));
        let server = Server::start(&home);
        assert_eq!((users(&server, KEY), users(&server, OTHER_KEY)), (all(&["stays"]), all(&["gone", "stays"])), "{point}");
        let unknown = complaint(&mut forget(&home, "gone", &["--yes"]), 1);
        assert!(unknown.contains("knows no user gone"), "{point}: {unknown}");
        let verified = run(rollcall().args(["verify", "--data"]).arg(home.join("data")));
        assert!(verified.status.success(), "{point}: {}", String::from_utf8_lossy(&verified.stdout));
    };
    scope(|threads| points.iter().for_each(|point| _ = threads.spawn(|| crash_at(point))));
}

#[test]
fn what_is_older_than_an_organization_keeps_is_erased_after_it_was_looked_at() {
    let home = tempfile::tempdir().unwrap();
    let file = home.path().join("rollcall.toml");
    fs::write(&file, configuration("")).unwrap();
    let mut server = Server::start(home.path());
    fill(&server);
    let none = run(&mut retain(home.path(), &["--dry-run"]));
    assert!(none.status.success() && String::from_utf8_lossy(&none.stderr).contains("no organization has retention_days"));
    // Every fact is of March 2025.
    let keeps = |days: u32| configuration("").replacen("apps = [", &format!("retention_days = {days}\napps = ["), 1);
    fs::write(&file, keeps(30)).unwrap();
    // The server has not read it yet.
    let told = json(&mut retain(home.path(), &["--dry-run"]));
    assert_eq!((&told[0]["organization"], &told[0]["days"], &told[0]["attendances"]), (&ORG.into(), &30.into(), &40.into()), "{told}");
    assert_eq!(users(&server, KEY), all(&["gone", "stays"]), "a dry run changes nothing");
    // All of them are older, and none came in today: somebody has to say how many.
    let doubt = "more than a day after the last facts came in";
    assert!(told[0]["doubt"].as_str().is_some_and(|told| told.contains(doubt)), "{told}");
    let refused = complaint(&mut retain(home.path(), &[]), 1);
    assert!(refused.contains("nothing was erased") && refused.contains(doubt) && refused.contains("--yes-erase 50"), "{refused}");
    let refused = complaint(&mut retain(home.path(), &["--yes-erase", "49"]), 1);
    assert!(refused.contains("50 facts are too old, not 49"), "{refused}");
    assert_eq!(users(&server, KEY), all(&["gone", "stays"]), "what was refused changed nothing");
    let erased = json(&mut retain(home.path(), &["--yes-erase", "50"]));
    assert_eq!(
        (&erased[0]["attendances"], &erased[0]["assistances"], &erased[0]["proof"]["holds"]),
        (&40.into(), &10.into(), &true.into())
    );
    assert_eq!(erased.as_array().unwrap().len(), 1, "{erased}");
    let [reported, exported, directory] = users(&server, KEY);
    assert_eq!((reported.len(), exported.len(), directory.len()), (0, 0, 2));
    assert_eq!(users(&server, OTHER_KEY), all(&["gone", "stays"]));
    // Then there is nothing too old, and without a server it is the same.
    server.signal("TERM");
    server.wait();
    let nothing = json(&mut retain(home.path(), &[]));
    assert_eq!((&nothing[0]["attendances"], &nothing[0]["proof"]), (&0.into(), &serde_json::Value::Null));
    fs::write(&file, keeps(30_000)).unwrap();
    assert_eq!(json(&mut retain(home.path(), &[]))[0]["attendances"], 0);
}
