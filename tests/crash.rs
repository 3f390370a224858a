//! The promise *no fact lost and none counted twice*, wherever a crash comes: what belongs here ends the process at a named point between
//! two steps, and looks at what a restart finds.

use crate::harness::{KEY, ORG, Server, configuration, fact, rollcall, run, stdout};
use rollcall_engine::crash::POINTS;
use std::fs;
use std::path::Path;
use std::thread::{scope, sleep};
use std::time::{Duration, Instant};

/// How many facts a request has.
const REQUEST: u32 = 20;

/// Facts in the lake before the server that is to die starts, so that what it does there is not the first.
const BEFORE: u32 = 100;

/// A server with flushes every second ends at each point that ingesting and flushing pass; every receipt is kept, once, and cells are what
/// the facts say.
#[test]
fn receipts_survive_a_crash_at_every_hand_over() {
    let (points, others): (Vec<&str>, Vec<&str>) =
        POINTS.iter().partition(|point| point.starts_with("ledger-") || point.starts_with("lake-"));
    assert!(points.len() >= 7, "{points:?}");
    // `erase.rs` and `backup.rs` have theirs, and the engine its own of cells and ids.
    let elsewhere = |point: &str| {
        ASKED.iter().any(|(asked, _)| *asked == point) || ["erasure-", "backup-", "cells-", "ids-"].iter().any(|of| point.starts_with(of))
    };
    assert!(others.iter().all(|point| elsewhere(point)), "{others:?}");
    scope(|threads| {
        for point in points {
            threads.spawn(move || crash_at(point));
        }
    });
}

fn crash_at(point: &str) {
    let home = tempfile::tempdir().unwrap();
    fs::write(home.path().join("rollcall.toml"), configuration("[lake]\nflush_seconds = 1")).unwrap();
    let mut server = Server::start(home.path());
    let mut acknowledged = 0;
    while acknowledged < BEFORE {
        ingest(&server, &mut acknowledged).unwrap();
    }
    server.signal("TERM");
    server.wait();
    // Not the first time it is passed, where it is passed often.
    let action = if point == "lake-checkpointed" { "return" } else { "2*off->return" };
    let mut server = Server::start_with(home.path(), &[("FAILPOINTS", format!("{point}={action}").as_ref())]);
    let begun = Instant::now();
    while !server.has_ended() {
        assert!(begun.elapsed() < Duration::from_secs(100), "{point} was not passed in {acknowledged} facts");
        let _ = ingest(&server, &mut acknowledged);
        sleep(Duration::from_millis(20));
    }
    let found = meetings_and_lines(home.path());
    assert!(found >= acknowledged && found <= acknowledged + REQUEST, "{point}: {found} facts of {acknowledged} acknowledged");
}

/// Sends the facts with the next numbers. Without a receipt they will be sent again.
fn ingest(server: &Server, acknowledged: &mut u32) -> std::io::Result<()> {
    let body: String = (*acknowledged..*acknowledged + REQUEST).map(|number| fact(number, "someone")).collect();
    let receipt = server.ingest_to("/v1/attendance", body)?;
    assert_eq!(receipt.accepted + receipt.duplicate, u64::from(REQUEST), "{receipt:?}");
    *acknowledged += REQUEST;
    Ok(())
}

/// How many facts a restarted server has, by its report and by its export, after the last request was sent again; and the cells verify.
fn meetings_and_lines(home: &Path) -> u32 {
    let mut server = Server::start(home);
    let count = |server: &Server| {
        let answer = server.get("/v1/reports/top-users?from=2025-01-01&to=2025-12-31&order=meetings&limit=10", KEY).unwrap();
        assert_eq!(answer.status, 200, "{}", answer.text());
        answer.json()["rows"][0]["meetings"].as_u64().unwrap() as u32
    };
    let lines = |server: &Server| {
        let answer = server.get("/v1/attendance?from=2025-01-01&to=2025-12-31&format=ndjson", KEY).unwrap();
        assert_eq!(answer.status, 200, "{}", answer.text());
        answer.text().lines().count() as u32
    };
    let found = count(&server);
    assert_eq!(found, lines(&server));
    // What had no receipt is there wholly or not at all; sent again it is there once.
    assert_eq!(found % REQUEST, 0, "a request is there in part");
    let mut sent = 0;
    while sent < found {
        ingest(&server, &mut sent).unwrap();
    }
    assert_eq!((count(&server), lines(&server)), (found, found));
    server.signal("TERM");
    server.wait();
    let verified = run(rollcall().args(["verify", "--organization", ORG, "--data"]).arg(home.join("data")));
    assert!(verified.status.success(), "{}", String::from_utf8_lossy(&verified.stdout));
    found
}

/// Whoever watches the process sees that it ended; a server that goes on without its committer would be ready and deaf.
#[test]
fn a_server_whose_committer_panics_ends_and_the_next_has_every_receipt() {
    let home = tempfile::tempdir().unwrap();
    let mut acknowledged = 0;
    // Committed, and neither folded nor acknowledged.
    let mut server = Server::start_with(home.path(), &[("FAILPOINTS", "ledger-committed=2*off->panic".as_ref())]);
    ingest(&server, &mut acknowledged).unwrap();
    ingest(&server, &mut acknowledged).unwrap();
    assert!(ingest(&server, &mut acknowledged).is_err());
    assert!(!server.wait().success());
    assert_eq!(meetings_and_lines(home.path()), acknowledged + REQUEST);
}

/// What an operator asks of a running server may end it at any of these points.
const ASKED: [(&str, &[&str]); 3] = [("compacted", &["compact"]), ("vacuum-deleted-one", &["vacuum"]), ("log-cleaned-one", &["vacuum"])];

/// A server ends in the middle of housekeeping; nothing is lost or counted twice, and the next try succeeds.
#[test]
fn receipts_survive_a_crash_in_the_middle_of_housekeeping() {
    let home = tempfile::tempdir().unwrap();
    // Of a vacuum nothing stays that nobody needs.
    fs::write(home.path().join("rollcall.toml"), configuration("[lake]\nvacuum_days = 0")).unwrap();
    let mut acknowledged = 0;
    let data = home.path().join("data");
    // The tenth version has a checkpoint.
    for _ in 0..12 {
        let mut server = Server::start(home.path());
        ingest(&server, &mut acknowledged).unwrap();
        stdout(rollcall().args(["flush", "--data"]).arg(&data));
        server.signal("TERM");
        server.wait();
    }
    for (point, command) in ASKED {
        let mut server = Server::start_with(home.path(), &[("FAILPOINTS", format!("{point}=return").as_ref())]);
        let asked = run(rollcall().args(command).arg("--data").arg(&data));
        assert!(!asked.status.success(), "{point}: a server that died did what it was asked");
        server.wait();
        // What is left of it is done by the next.
        assert_eq!(meetings_and_lines(home.path()), acknowledged, "{point}");
    }
    for command in ["compact", "vacuum"] {
        let again = run(rollcall().arg(command).arg("--config").arg(home.path().join("rollcall.toml")).arg("--data").arg(&data));
        assert!(again.status.success(), "{command}: {}", String::from_utf8_lossy(&again.stderr));
    }
    assert_eq!(meetings_and_lines(home.path()), acknowledged);
}
