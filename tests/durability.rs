//! The promise *acknowledged is durable*: what belongs here kills the real executable with SIGKILL and looks for lost or doubled facts.

use crate::harness::{KEY, Server, assistance, configuration, fact};
use rand::rngs::StdRng;
use rand::{Rng, SeedableRng};
use std::sync::RwLock;
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use std::thread::{scope, sleep};
use std::time::Duration;

const KILLS: u32 = 50;
const WRITERS: u32 = 3;

/// The writer that writes assistances.
const ASSISTED: u32 = WRITERS - 1;

/// Several connections ingest numbered facts of both kinds, each request retried until it has a receipt, while the server is killed at random
/// moments. Every receipted fact counts exactly once in the end, and at every restart on the way.
#[test]
fn receipt_survives_kill_9() {
    let home = tempfile::tempdir().unwrap();
    // Facts go on into the lake all the while: at each start, and every second.
    std::fs::write(home.path().join("rollcall.toml"), configuration("[lake]\nflush_seconds = 1")).unwrap();
    let server = RwLock::new(Server::start(home.path()));
    let stop = AtomicBool::new(false);
    let receipted: Vec<AtomicU32> = (0..WRITERS).map(|_| AtomicU32::new(0)).collect();
    let seed = rand::random();
    eprintln!("seed {seed}");
    scope(|threads| {
        for writer in 0..WRITERS {
            let (server, stop, receipted) = (&server, &stop, &receipted[writer as usize]);
            threads.spawn(move || write(writer, seed, server, stop, receipted));
        }
        let mut random = StdRng::seed_from_u64(seed);
        for kill in 0..KILLS {
            // Now and then long enough for a flush while facts are written.
            let longest = if kill % 10 == 9 { 1500 } else { 120 };
            sleep(Duration::from_millis(random.random_range(1..longest)));
            let before: Vec<u32> = receipted.iter().map(|count| count.load(Ordering::SeqCst)).collect();
            server.read().unwrap().signal("KILL");
            let mut server = server.write().unwrap();
            server.wait();
            *server = Server::start(home.path());
            for (writer, before) in before.into_iter().enumerate() {
                let counted = stored(&server, writer as u32);
                assert!(counted >= before, "writer {writer} had receipts for {before} facts; {counted} are there after a kill");
            }
        }
        stop.store(true, Ordering::SeqCst);
    });
    let server = server.into_inner().unwrap();
    for (writer, receipted) in receipted.iter().enumerate() {
        let receipted = receipted.load(Ordering::SeqCst);
        assert!(receipted > KILLS, "writer {writer} got only {receipted} receipts");
        assert_eq!(stored(&server, writer as u32), receipted, "writer {writer}");
    }
}

/// Ingests facts with the numbers 0, 1, 2 … until told to stop, and counts those with a receipt.
fn write(writer: u32, seed: u64, server: &RwLock<Server>, stop: &AtomicBool, receipted: &AtomicU32) {
    let mut random = StdRng::seed_from_u64(seed + u64::from(writer));
    let mut next = 0;
    while !stop.load(Ordering::SeqCst) {
        let count = random.random_range(1..40);
        let body: String = (next..next + count).map(|number| line(writer, number)).collect();
        let mut retried = false;
        let receipt = loop {
            match server.read().unwrap().ingest_to(path(writer), body.clone()) {
                Ok(receipt) => break receipt,
                // Killed before it answered: the facts may be there or not, and asking again must not count them twice.
                Err(_) => retried = true,
            }
            sleep(Duration::from_millis(2));
        };
        assert_eq!(receipt.accepted + receipt.duplicate, u64::from(count), "{receipt:?}");
        assert!(receipt.duplicate == 0 || (retried && receipt.accepted == 0), "a request is stored whole or not at all: {receipt:?}");
        next += count;
        receipted.store(next, Ordering::SeqCst);
    }
}

fn path(writer: u32) -> &'static str {
    if writer == ASSISTED { "/v1/assistance" } else { "/v1/attendance" }
}

/// A numbered fact of a writer. Each attendance is in a meeting of its own.
fn line(writer: u32, number: u32) -> String {
    let (number, user) = (number * WRITERS + writer, format!("writer {writer}"));
    if writer == ASSISTED { assistance(number, &user) } else { fact(number, &user) }
}

/// How many facts of a writer the server has.
fn stored(server: &Server, writer: u32) -> u32 {
    if writer == ASSISTED { completions(server) } else { meetings(server, writer) }
}

/// The completions of the writer of assistances: each fact is one.
fn completions(server: &Server) -> u32 {
    let path = format!("/v1/reports/developer-days?from=2025-01-01&to=2025-12-31&by=whole&user=writer+{ASSISTED}");
    let answer = server.get(&path, KEY).unwrap();
    assert_eq!(answer.status, 200, "{}", answer.text());
    answer.json()["rows"][0]["suggested"].as_u64().unwrap_or(0) as u32
}

/// The meetings of one writer.
fn meetings(server: &Server, writer: u32) -> u32 {
    let path = "/v1/reports/top-users?from=2025-01-01&to=2025-12-31&order=meetings&limit=10";
    let answer = server.get(path, KEY).unwrap();
    assert_eq!(answer.status, 200, "{}", answer.text());
    let answer = answer.json();
    let rows = answer["rows"].as_array().unwrap();
    let row = rows.iter().find(|row| row["id"] == format!("writer {writer}").as_str());
    row.map_or(0, |row| row["meetings"].as_u64().unwrap() as u32)
}
