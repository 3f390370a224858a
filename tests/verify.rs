//! Cells can be held against facts: `verify` and `rebuild` as people run them. What damage is found is tested in the engine.

use crate::harness::{KEY, ORG, OTHER_ORG, Server, assistance, complaint, fact, rollcall, stdout};
use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::process::Command;
use std::sync::atomic::{AtomicU32, Ordering};

fn command(name: &str, data: &Path) -> Command {
    let mut command = rollcall();
    command.arg(name).arg("--data").arg(data);
    command
}

fn json(command: &mut Command) -> serde_json::Value {
    serde_json::from_str(&stdout(command.args(["--format", "json"]))).unwrap()
}

/// A stopped server's data directory with 200 attendances and 100 assistances; some reports were asked for.
fn stopped(how: &str) -> Server {
    let mut server = Server::new();
    server.ingest((0..200).map(|meeting| fact(meeting, &format!("u{}", meeting % 9))).collect::<String>()).unwrap();
    server.ingest_to("/v1/assistance", (0..100).map(|number| assistance(number, "u1")).collect::<String>()).unwrap();
    server.meetings(KEY);
    server.signal(how);
    server.wait();
    server
}

#[test]
fn nothing_is_found_after_a_stop_and_after_a_kill() {
    for how in ["TERM", "KILL"] {
        let server = stopped(how);
        let data = server.home().join("data");
        for name in ["verify", "rebuild", "verify"] {
            let found = json(&mut command(name, &data));
            assert_eq!(
                (&found["organizations"], &found["differences"], &found["unverified"]),
                (&1.into(), &0.into(), &0.into()),
                "{found}"
            );
            assert_eq!((&found["facts"], &found["first"]), (&300.into(), &serde_json::json!([])), "{found}");
        }
        let table = stdout(&mut command("verify", &data));
        assert!(table.lines().count() == 2 && table.contains("base cells"), "{table}");
    }
}

#[test]
fn an_organization_and_days_can_be_chosen() {
    let server = stopped("TERM");
    let data = server.home().join("data");
    let facts = |args: &[&str]| json(command("verify", &data).args(args))["facts"].clone();
    assert_eq!(facts(&["--organization", ORG]), 300);
    assert_eq!(facts(&["--from", "2025-03-03", "--to", "2025-03-03"]), 300);
    assert_eq!(facts(&["--from", "2025-03-04", "--to", "2025-03-04"]), 0);
    let none = complaint(command("verify", &data).args(["--organization", OTHER_ORG]), 1);
    assert!(none.contains(&format!("organization {OTHER_ORG} has neither facts nor cells")), "{none}");
    let turned = complaint(command("rebuild", &data).args(["--from", "2025-03-04", "--to", "2025-03-03"]), 2);
    assert!(turned.contains("--to 2025-03-03: expected a day not before --from"), "{turned}");
    complaint(command("verify", &data).args(["--from", "2025-03-04"]), 2);
}

#[test]
fn what_is_no_data_directory_is_refused_and_stays_as_it_was() {
    let home = tempfile::tempdir().unwrap();
    for name in ["verify", "rebuild"] {
        let nowhere = home.path().join("nowhere");
        assert!(complaint(&mut command(name, &nowhere), 1).contains("is no data directory"));
        assert!(!nowhere.exists());
    }
}

#[test]
fn verify_while_serving_covers_every_receipt_and_finds_nothing_while_facts_come_in() {
    // A checkpoint every other request.
    let server = Server::with("[storage]\ncheckpoint_facts = 40\n");
    let (data, receipted) = (server.home().join("data"), AtomicU32::new(0));
    std::thread::scope(|scope| {
        let ingesting = scope.spawn(|| {
            for first in (0..100).map(|request| 30 * request) {
                let facts = (first..first + 30).map(|meeting| fact(meeting, &format!("u{}", meeting % 9)));
                assert_eq!(server.ingest(facts.collect::<String>()).unwrap().accepted, 30);
                receipted.store(first + 30, Ordering::Relaxed);
                assert_eq!(server.meetings(KEY), u64::from(first + 30));
            }
        });
        for name in ["verify", "rebuild"].into_iter().cycle() {
            let (is_last, before) = (ingesting.is_finished(), u64::from(receipted.load(Ordering::Relaxed)));
            let found = json(&mut command(name, &data));
            assert_eq!((&found["differences"], &found["unverified"]), (&0.into(), &0.into()), "{found}");
            // What was receipted before it began is verified, stored or not yet.
            assert!(found["facts"].as_u64().unwrap() >= before, "{found}");
            if is_last {
                break;
            }
        }
    });
    assert_eq!(server.meetings(KEY), 3000);
}

#[test]
fn a_server_answers_what_the_command_finds_without_one() {
    let server = stopped("TERM");
    let (home, data) = (server.home().to_owned(), server.home().join("data"));
    let choices: [&[&str]; 4] = [
        &[],
        &["--format", "json"],
        &["--organization", ORG, "--from", "2025-03-03", "--to", "2025-03-03"],
        &["--from", "2025-03-04", "--to", "2025-03-04"],
    ];
    let answers = || choices.map(|choice| stdout(command("verify", &data).args(choice)));
    let without = answers();
    let again = Server::start(&home);
    assert_eq!(answers(), without);
    assert!(again.log().contains("operation done operation=\"verify\""), "{}", again.log());
    let none = complaint(command("verify", &data).args(["--organization", OTHER_ORG]), 1);
    assert!(none.contains(&format!("organization {OTHER_ORG} has neither facts nor cells")), "{none}");
    let turned = complaint(command("rebuild", &data).args(["--from", "2025-03-04", "--to", "2025-03-03"]), 2);
    assert!(turned.contains("--to 2025-03-03: expected a day not before --from"), "{turned}");
}

/// The mode of the socket of a data directory; none where there is no socket.
fn socket_mode(data: &Path) -> Option<u32> {
    Some(fs::metadata(data.join("operator.sock")).ok()?.permissions().mode() & 0o7777)
}

#[test]
fn the_socket_is_its_owners_alone_and_there_while_the_server_runs() {
    let mut server = Server::new();
    let data = server.home().join("data");
    assert_eq!((fs::metadata(&data).unwrap().permissions().mode() & 0o777, socket_mode(&data)), (0o700, Some(0o600)));
    // One process owns a data directory: another leaves the socket of the first as it is.
    let config = server.home().join("rollcall.toml");
    let refused = complaint(rollcall().args(["serve", "--listen", "127.0.0.1:0", "--config"]).arg(config), 1);
    assert!(refused.contains("in use by another rollcall process"), "{refused}");
    assert_eq!((json(&mut command("verify", &data))["differences"].clone(), socket_mode(&data)), (0.into(), Some(0o600)));
    server.signal("TERM");
    assert!(server.wait().success());
    assert_eq!(socket_mode(&data), None);
}

#[test]
fn the_socket_of_a_killed_server_is_in_nobodys_way() {
    let mut server = Server::new();
    let (home, data) = (server.home().to_owned(), server.home().join("data"));
    server.ingest(fact(1, "a")).unwrap();
    server.kill();
    assert_eq!(socket_mode(&data), Some(0o600));
    assert_eq!(json(&mut command("verify", &data))["facts"], 1);
    let again = Server::start(&home);
    assert_eq!(json(&mut command("verify", &data))["facts"], 1);
    assert!(again.log().contains("operation done"), "{}", again.log());
}

#[test]
fn a_server_that_does_not_answer_on_its_socket_is_named() {
    let server = Server::new();
    let data = server.home().join("data");
    fs::remove_file(data.join("operator.sock")).unwrap();
    for name in ["verify", "rebuild"] {
        let refused = complaint(&mut command(name, &data), 1);
        assert!(refused.contains("is in use by another rollcall process that does not answer on operator.sock"), "{refused}");
        assert!(refused.contains("try again when it is done"), "{refused}");
    }
}

#[test]
fn what_only_the_http_api_answers_says_so() {
    let server = Server::new();
    let (data, config) = (server.home().join("data"), server.home().join("rollcall.toml"));
    let report = ["report", "top-users", "--from", "2025-01-01", "--to", "2026-01-01"];
    for command in [&report[..], &["export"], &["import", "-"]] {
        let local = ["--organization", ORG, "--config"];
        let refused = complaint(rollcall().args(command).arg("--data").arg(&data).args(local).arg(&config), 1);
        assert!(refused.contains("is in use by another rollcall process; a server answers over HTTP: give --to-url"), "{refused}");
    }
}

#[test]
fn a_data_directory_may_lie_deeper_than_the_name_of_a_socket_is_long() {
    let home = tempfile::tempdir().unwrap();
    let deep = home.path().join("d".repeat(120));
    fs::create_dir(&deep).unwrap();
    let server = Server::start(&deep);
    server.ingest(fact(1, "a")).unwrap();
    assert_eq!(json(&mut command("verify", &deep.join("data")))["facts"], 1);
    assert_eq!(socket_mode(&deep.join("data")), Some(0o600));
}
