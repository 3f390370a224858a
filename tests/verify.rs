//! Cells can be held against facts: `verify` and `rebuild` as people run them. What damage is found is tested in the engine.

use crate::harness::{KEY, ORG, OTHER_ORG, Server, assistance, complaint, fact, rollcall, stdout};
use std::path::Path;
use std::process::Command;

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
            assert_eq!(found["first"], serde_json::json!([]));
        }
        // Whatever a kill left live was stored when the first of these commands ended.
        let found = json(&mut command("verify", &data));
        assert_eq!(found["facts"], 300, "{found}");
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
    assert_eq!(facts(&["--from", "2025-03-03", "--to", "2025-03-04"]), 300);
    assert_eq!(facts(&["--from", "2025-03-04", "--to", "2025-03-05"]), 0);
    let none = complaint(command("verify", &data).args(["--organization", OTHER_ORG]), 1);
    assert!(none.contains(&format!("organization {OTHER_ORG} has neither facts nor cells")), "{none}");
    let turned = complaint(command("rebuild", &data).args(["--from", "2025-03-04", "--to", "2025-03-04"]), 2);
    assert!(turned.contains("--to 2025-03-04: expected a day after --from"), "{turned}");
    complaint(command("verify", &data).args(["--from", "2025-03-04"]), 2);
}

#[test]
fn a_directory_that_a_server_has_open_or_that_is_none_is_refused() {
    let server = Server::new();
    let data = server.home().join("data");
    for name in ["verify", "rebuild"] {
        let refused = complaint(&mut command(name, &data), 1);
        assert!(refused.contains("is in use by another rollcall process; stop it first"), "{refused}");
        let nowhere = server.home().join("nowhere");
        assert!(complaint(&mut command(name, &nowhere), 1).contains("is no data directory"));
        assert!(!nowhere.exists());
    }
}
