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
//! Some of the states are started by the real executable, the others are opened in this process. In each, facts of receipts are there once,
//! facts without one are there by whole requests, and after every request is sent again, everything is there once and the cells are verified.
//!
//! What is not modelled: storage that loses or damages what was synced (see `ledger/journal_repair.rs` of the engine for damage).

mod disk;
mod recording;
mod state;

use disk::{Disk, Entry, Survivors, entries};
use rand::SeedableRng;
use rand::rngs::StdRng;
use recording::Recording;
use state::{Reference, Request, State};
use std::collections::{BTreeSet, HashSet};
use std::sync::Mutex;
use std::sync::mpsc::sync_channel;
use std::thread::{available_parallelism, scope};

/// One of so many states is started by the real executable.
const STARTED: usize = 100;

/// Requests of several connections, reports, checkpoints, tables, compactions and flushes into the lake; the server is killed between requests, stopped, and killed
/// while requests are under way.
#[test]
fn every_receipt_survives_power_loss_at_any_sync() {
    let requests: Vec<Request> = (0..20).map(Request::new).collect();
    let recording = Recording::new();
    for (users, (part, signal)) in (1..).zip(requests.chunks(5).zip(["USR2", "TERM", "USR2", "USR2"])) {
        let (answered, under_way) = part.split_at(if signal == "TERM" { part.len() } else { 3 });
        let mut server = recording.start();
        recording.put_directory(&server, users);
        recording.send(&server, answered);
        server.meetings(crate::harness::KEY);
        recording.send_and_end(&mut server, under_way, signal);
    }
    let log = recording.log();
    let made =
        |entry: &Entry<'_>| matches!(entry, Entry::Opened { path, .. } if path.contains("/tables/") && !path.contains("/keyspaces/0/"));
    assert!(entries(&log).iter().any(made), "no table was written");
    let flushed = |entry: &Entry<'_>| matches!(entry, Entry::Opened { path, .. } if path.contains("/lake/attendance/_delta_log/"));
    assert!(entries(&log).iter().any(flushed), "nothing was flushed into the lake");
    hold(&recording, &log, &requests, "", usize::MAX);
}

/// A journal that is full is sealed, and the next one begins. The first is as large as journals are, so only some states around this are
/// looked at.
#[test]
fn every_receipt_survives_power_loss_when_a_journal_is_full() {
    let requests: Vec<Request> = (0..60).map(Request::new).collect();
    let recording = Recording::new();
    let mut server = recording.start();
    recording.fill_journal(&server);
    let next = |entry: &Entry<'_>| matches!(entry, Entry::Opened { path, .. } if path.ends_with("/1.jnl"));
    let mut sent = 0;
    while !entries(&recording.log()).iter().any(next) {
        recording.send(&server, &requests[sent..=sent]);
        sent += 1;
    }
    recording.send(&server, &requests[sent..=sent]);
    recording.send_and_end(&mut server, &[], "USR2");
    hold(&recording, &recording.log(), &requests[..=sent], "/1.jnl", 16);
}

/// Holds states that power loss may leave to the promise: so many, from when a file whose path ends with `since` is made.
fn hold(recording: &Recording, log: &[u8], requests: &[Request], since: &str, most: usize) {
    let reference = Reference::new(requests);
    let (next, states) = sync_channel::<State>(4);
    let (states, troubles) = (Mutex::new(states), Mutex::new(Vec::new()));
    let count = scope(|threads| {
        for _ in 0..available_parallelism().map_or(2, Into::into) {
            threads.spawn(|| {
                loop {
                    let state = states.lock().unwrap().recv();
                    let Ok(state) = state else { return };
                    if let Err(trouble) = state.hold(requests, &reference) {
                        troubles.lock().unwrap().push(format!("{}: {trouble}", state.what));
                    }
                }
            });
        }
        let count = replay(recording, log, requests, since, most, |state| next.send(state).unwrap());
        drop(next);
        count
    });
    eprintln!("{count} states after power loss, from {} bytes of log", log.len());
    let troubles = troubles.into_inner().unwrap();
    assert!(troubles.is_empty(), "{} of {count} states:\n{}", troubles.len(), troubles.join("\n"));
}

/// Goes through the log, gives states that differ from those before to `hold`, and returns how many there were.
fn replay(recording: &Recording, log: &[u8], requests: &[Request], since: &str, most: usize, mut hold: impl FnMut(State)) -> usize {
    let mut disk = Disk::new(&recording.disk());
    let mut receipts = BTreeSet::new();
    let mut random = StdRng::seed_from_u64(0);
    let (mut seen, mut count) = (HashSet::new(), 0);
    let mut state = |disk: &Disk, at: usize, chance: Option<f64>, receipts: &BTreeSet<usize>| {
        if count == most {
            return;
        }
        let survivors = chance.map_or(Survivors::None, |chance| Survivors::Some(&mut random, chance));
        let image = disk.after(survivors);
        if seen.insert((image.fingerprint(), receipts.clone())) {
            count += 1;
            let survived = chance.map_or("nothing".into(), |chance| chance.to_string());
            let what = format!("at operation {at}, after {} receipts, surviving of what was not synced: {survived}", receipts.len());
            hold(State { what, image, receipts: receipts.clone(), started: count % STARTED == 0 });
        }
    };
    let mut begun = since.is_empty();
    for (at, entry) in entries(log).iter().enumerate() {
        match entry {
            Entry::Synced { .. } if begun => {
                state(&disk, at, Some([0.1, 0.5, 0.9][at % 3]), &receipts);
                disk.apply(entry);
                state(&disk, at, None, &receipts);
            }
            Entry::Sent { bytes } => {
                let text = String::from_utf8_lossy(bytes);
                let given = |request: &Request| text.contains(&format!("\"accepted\":{},\"duplicate\":0,", request.facts));
                if let Some(number) = requests.iter().position(given) {
                    assert!(receipts.insert(number), "request {number} has two receipts");
                    if begun {
                        state(&disk, at, None, &receipts);
                        state(&disk, at, Some(0.5), &receipts);
                    }
                }
            }
            other => {
                begun |= matches!(other, Entry::Opened { path, .. } if path.ends_with(since));
                disk.apply(other);
            }
        }
    }
    assert!(receipts.is_superset(&recording.receipts()), "a receipt was given unseen");
    disk.after(Survivors::All).assert_is(&recording.disk());
    count
}
