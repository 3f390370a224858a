//! The promise *acknowledged is durable*, on storage that forgets: whatever power loss leaves, the next start has every fact of every
//! receipt, once.
//!
//! The real executable runs with `power_loss/recorder.c` loaded into it, which logs every operation by which the data directory changes,
//! and what is sent to clients, in the order in which they happen. From the log, the directory is built as it may be found when the power
//! fails, at every sync and after every receipt, and held to the promise.
//!
//! # What power loss leaves
//! The model is POSIX read strictly, not any file system:
//! - The bytes and the length of a file survive if that file was synced (fsync, fdatasync) after they were written, by whatever name or
//!   descriptor.
//! - A name (of a file or directory made, renamed, linked or removed) changes for good when its directory is synced, and only then: a
//!   file that was synced may be lost with its name, and a file that was removed may be back.
//! - Of all that was not synced, anything may survive: nothing of it; or any part: writes in pieces of 512 or 4096 bytes, the length of a
//!   file without its bytes (which are then zero), one name of a file that was renamed, or both, or neither. Only a directory that is renamed
//!   within its parent has one name at any time.
//! - sync, syncfs and sync_file_range count for nothing. Permissions and times are not modelled.
//!
//! What is not modelled: storage that loses or damages what was synced (see `ledger/tail.rs` of the engine for damage).

mod disk;
mod state;

use crate::harness::{KEY, Server, assistance, configuration, fact};
use disk::{Disk, Entry, Survivors, entries};
use rand::rngs::StdRng;
use rand::{Rng, SeedableRng};
use state::{Reference, Request, State};
use std::collections::{BTreeSet, HashSet};
use std::fs;
use std::path::Path;
use std::process::Command;
use std::sync::Mutex;
use std::sync::mpsc::sync_channel;
use std::thread::scope;

/// How many requests the recorded server gets.
const REQUESTS: usize = 24;

/// How many facts the first request has; each further one has one more, so that a receipt tells whose it is.
const FACTS: usize = 20;

/// So little that the little that is recorded has checkpoints, tables, compactions and files of values.
const STORAGE: &str = "data = \"disk/data\"\n[storage]\nmemtable_bytes = 8192\ncheckpoint_facts = 100\n";

/// One of so many states is started by the real executable; all are opened in this process.
const STARTED: usize = 100;

#[test]
fn every_receipt_survives_power_loss_at_any_sync() {
    let home = tempfile::tempdir().unwrap();
    let requests: Vec<Request> = (0..REQUESTS).map(request).collect();
    let log = record(home.path(), &requests);
    let reference = Reference::new(&requests);
    let (next, states) = sync_channel::<State>(4);
    let states = Mutex::new(states);
    let troubles = Mutex::new(Vec::new());
    let count = scope(|threads| {
        for _ in 0..std::thread::available_parallelism().map_or(2, Into::into) {
            threads.spawn(|| {
                loop {
                    let state = states.lock().unwrap().recv();
                    let Ok(state) = state else { return };
                    if let Err(trouble) = state.hold(&requests, &reference) {
                        troubles.lock().unwrap().push(format!("{}: {trouble}", state.what));
                    }
                }
            });
        }
        let count = replay(home.path(), &log, &requests, |state| next.send(state).unwrap());
        drop(next);
        count
    });
    eprintln!("{count} states after power loss, from {} bytes of log", log.len());
    let troubles = troubles.into_inner().unwrap();
    assert!(troubles.is_empty(), "{} of {count} states:\n{}", troubles.len(), troubles.join("\n"));
}

/// The facts of a request, of a user of its own. Half of them have ids of their own, which are long.
fn request(number: usize) -> Request {
    let mut random = StdRng::seed_from_u64(number as u64);
    let facts = FACTS + number;
    let attended = !number.is_multiple_of(3);
    let user = format!("r{number}");
    let line = |at: usize| {
        let id: String = (0..8).map(|_| format!("{:016x}", random.random::<u64>())).collect();
        let number = (number * 100 + at * 11) as u32;
        let line = if attended { fact(number, &user) } else { assistance(number, &user) };
        if at.is_multiple_of(2) { line.replacen('{', &format!("{{\"id\":\"{id}\","), 1) } else { line }
    };
    let body = (0..facts).map(line).collect();
    Request { attended, user, facts, body }
}

/// Runs the server under the recorder: requests of several connections, reports, a crash, a stop. Returns the log.
fn record(home: &Path, requests: &[Request]) -> Vec<u8> {
    let (recorder, disk, log) = (home.join("recorder.so"), home.join("disk"), home.join("disk.log"));
    let source = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/power_loss/recorder.c");
    let compiler = std::env::var_os("CC").unwrap_or_else(|| "cc".into());
    let compiled =
        Command::new(compiler).args(["-shared", "-fPIC", "-O2", "-Wall", "-Wextra", "-Werror", "-o"]).arg(&recorder).arg(source).status();
    assert!(compiled.unwrap().success());
    fs::create_dir(&disk).unwrap();
    fs::write(home.join("rollcall.toml"), configuration(STORAGE)).unwrap();
    let environment = [("LD_PRELOAD", &*recorder), ("RECORDED_DIRECTORY", &*disk), ("RECORDED_LOG", &*log)];
    for (part, ends) in requests.chunks(REQUESTS / 3).zip(["USR2", "TERM", "USR2"]) {
        let mut server = Server::start_with(home, &environment);
        let directory = format!(r#"{{"users":[{{"id":"{}","name":"Ann"}}],"departments":[]}}"#, part[0].user);
        let put = server.request("PUT", "/v1/directory").bearer_auth(KEY).header("content-type", "application/json");
        assert_eq!(server.send(put.body(directory)).unwrap().status, 200);
        for beside in part.chunks(part.len() / 2) {
            scope(|threads| {
                for request in beside {
                    threads.spawn(|| {
                        let receipt = server.ingest_to(request.path(), request.body.clone()).unwrap();
                        assert_eq!(receipt.accepted, request.facts as u64, "{receipt:?}");
                    });
                }
            });
            server.meetings(KEY);
        }
        server.signal(ends);
        server.wait();
    }
    fs::read(log).unwrap()
}

/// Goes through the log, gives every state that differs from those before to `hold`, and returns how many there were.
fn replay(home: &Path, log: &[u8], requests: &[Request], mut hold: impl FnMut(State)) -> usize {
    let root = home.join("disk");
    let mut disk = Disk::new(&root);
    let mut receipts = BTreeSet::new();
    let mut random = StdRng::seed_from_u64(0);
    let (mut seen, mut count) = (HashSet::new(), 0);
    let mut state = |disk: &Disk, at: usize, chance: Option<f64>, receipts: &BTreeSet<usize>| {
        let survivors = chance.map_or(Survivors::None, |chance| Survivors::Some(&mut random, chance));
        let image = disk.after(survivors);
        if seen.insert((image.fingerprint(), receipts.clone())) {
            count += 1;
            let what =
                format!("operation {at}, {} receipts, {}", receipts.len(), chance.map_or("nothing".into(), |chance| chance.to_string()));
            hold(State { what, image, receipts: receipts.clone(), started: count % STARTED == 0 });
        }
    };
    let entries = entries(log);
    for (at, entry) in entries.iter().enumerate() {
        match entry {
            Entry::Synced { .. } => {
                state(&disk, at, Some([0.1, 0.5, 0.9][at % 3]), &receipts);
                disk.apply(entry);
                state(&disk, at, None, &receipts);
            }
            Entry::Sent { bytes } => {
                let text = String::from_utf8_lossy(bytes);
                let given = |request: &Request| text.contains(&format!("{{\"accepted\":{},\"duplicate\":0,", request.facts));
                if let Some(number) = requests.iter().position(given) {
                    assert!(receipts.insert(number));
                    state(&disk, at, None, &receipts);
                    state(&disk, at, Some(0.5), &receipts);
                }
            }
            other => disk.apply(other),
        }
    }
    assert_eq!(receipts.len(), requests.len(), "a receipt was given unseen");
    disk.after(Survivors::All).assert_is(&root);
    count
}
