//! Vacuum deletes what nobody needs, and nothing else.

use super::*;
use crate::kinds::stored::Wanted;
use crate::testing::copy_all;
use std::fs::File;
use std::time::{Duration, SystemTime};

const DAY: Duration = Duration::from_hours(24);

/// Every file of the attendances' table, but not of its log.
fn data_files(home: &Path) -> Vec<String> {
    fn within(directory: &Path, found: &mut Vec<String>) {
        for entry in std::fs::read_dir(directory).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() { within(&path, found) } else { found.push(path.file_name().unwrap().to_str().unwrap().to_owned()) }
        }
    }
    let mut found = Vec::new();
    for entry in std::fs::read_dir(home.join("lake/attendance")).unwrap() {
        let path = entry.unwrap().path();
        if path.file_name().unwrap() != "_delta_log" {
            within(&path, &mut found);
        }
    }
    found.sort_unstable();
    found
}

fn log_files(home: &Path) -> Vec<String> {
    let log = std::fs::read_dir(home.join("lake/attendance/_delta_log")).unwrap();
    let mut found: Vec<String> = log.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
    found.sort_unstable();
    found
}

/// The time of the newest file, as that of the machine is none of the test's business.
fn newest(home: &Path) -> Millis {
    let log = home.join("lake/attendance/_delta_log");
    let at = std::fs::read_dir(log).unwrap().map(|entry| entry.unwrap().metadata().unwrap().modified().unwrap()).max().unwrap();
    i64::try_from(at.duration_since(SystemTime::UNIX_EPOCH).unwrap().as_millis()).unwrap() + 1
}

fn make_older(file: &Path, by: Duration) {
    let at = std::fs::metadata(file).unwrap().modified().unwrap();
    File::options().write(true).open(file).unwrap().set_modified(at - by).unwrap();
}

#[test]
fn a_file_stays_for_seven_days_after_it_was_removed_however_old_it_is() {
    let home = tempfile::tempdir().unwrap();
    let engine = open(home.path());
    flush_each(&engine, 0..4);
    for file in engine.lake().attendance.iter() {
        make_older(&home.path().join("lake/attendance").join(&file.name), 300 * DAY);
    }
    engine.compact().unwrap();
    let (all, at) = (data_files(home.path()), newest(home.path()));
    assert_eq!(all.len(), 5);
    assert_eq!(engine.vacuum(at + 7 * DAY_MILLIS - 60_000, false).unwrap().files, 0);
    assert_eq!(data_files(home.path()), all);
    let done = engine.vacuum(at + 7 * DAY_MILLIS, false).unwrap();
    assert_eq!((done.files, data_files(home.path()).len(), facts_in(&engine).len()), (4, 1, 4));
    assert!(done.bytes > 0);
    drop(engine);
    assert_eq!(facts_in(&open(home.path())).len(), 4);
}

#[test]
fn many_dead_files_go_before_their_time_but_stay_an_hour() {
    let home = tempfile::tempdir().unwrap();
    let engine = open(home.path());
    flush_each(&engine, 0..12);
    engine.compact().unwrap();
    let dead = |home: &Path| data_files(home).len() - engine.lake().attendance.iter().count();
    assert_eq!(dead(home.path()), 12);
    let at = newest(home.path());
    assert_eq!(engine.vacuum(at + 3_500_000, false).unwrap().files, 0);
    let gone = engine.vacuum(at + 3_600_000, false).unwrap().files;
    assert!((1..12).contains(&gone), "as many as are too many: {gone}");
    assert_eq!(engine.vacuum(at + 3_600_000, false).unwrap().files, 0);
    assert_eq!((dead(home.path()) as u64, facts_in(&engine).len()), (12 - gone, 12));
    assert_eq!(engine.vacuum(at + 7 * DAY_MILLIS, false).unwrap().files, 12 - gone);
}

#[test]
fn what_a_crash_left_behind_goes_after_seven_days() {
    let home = tempfile::tempdir().unwrap();
    let engine = open(home.path());
    flush_each(&engine, 0..1);
    let file = home.path().join("lake/attendance").join(&engine.lake().attendance.iter().next().unwrap().name);
    let of_month = file.parent().unwrap();
    for name in ["orphan.parquet", "orphan2.parquet#1"] {
        std::fs::write(of_month.join(name), "x").unwrap();
    }
    std::fs::write(home.path().join("lake/attendance/_delta_log/00000000000000000009.json#1"), "x").unwrap();
    let rolled_back = home.path().join("lake/attendance/_rolled_back");
    std::fs::create_dir(&rolled_back).unwrap();
    std::fs::write(rolled_back.join("00000000000000000009.json"), "x").unwrap();
    let at = newest(home.path()) + 60_000;
    assert_eq!(engine.vacuum(at + 6 * DAY_MILLIS, false).unwrap(), crate::lake::Vacuumed::default());
    let (told, before) = (engine.vacuum(at + 7 * DAY_MILLIS, true).unwrap(), data_files(home.path()));
    assert_eq!((told.files, told.bytes, told.log_files, told.log_bytes), (3, 3, 1, 1));
    assert_eq!(data_files(home.path()), before, "a dry run deletes nothing");
    assert_eq!(engine.vacuum(at + 7 * DAY_MILLIS, false).unwrap(), told);
    assert_eq!(data_files(home.path()), [file.file_name().unwrap().to_str().unwrap()]);
    assert_eq!(log_files(home.path()).len(), 2);
}

#[test]
fn who_has_a_version_reads_it_to_its_end() {
    let home = tempfile::tempdir().unwrap();
    let engine = open_with(home.path(), 0);
    flush_each(&engine, 0..3);
    let pinned = engine.facts.pin();
    // Begun, and without a version: it holds only the files it has still to read.
    let mut begun = engine.scan::<AttendanceBlock>(organization().id, ALWAYS);
    let first = begun.next().unwrap();
    flush_each(&engine, 3..6);
    engine.compact().unwrap();
    assert_eq!(engine.vacuum(0, false).unwrap().files, 3, "those that neither the pinned version nor the newest has");
    let read = pinned.blocks::<AttendanceBlock>(organization().id, Wanted::times(ALWAYS)).map(|read| Ok(read?.1));
    assert_eq!(facts_of(&engine, read).len(), 3);
    drop(pinned);
    let kept = data_files(home.path()).len();
    engine.vacuum(0, false).unwrap();
    assert!(data_files(home.path()).len() < kept);
    assert_eq!(facts_of(&engine, [first].into_iter().chain(begun)).len(), 3);
    engine.vacuum(0, false).unwrap();
    assert_eq!((data_files(home.path()).len(), facts_in(&engine).len()), (1, 6));
}

/// Adds commits to the log of the attendances that change nothing, as a year of commits would, and returns the newest version.
pub(super) fn add_commits(home: &Path, commits: u64, age: Duration) -> u64 {
    let log = home.join("lake/attendance/_delta_log");
    let last = log_files(home).into_iter().filter_map(|name| name.strip_suffix(".json")?.parse::<u64>().ok()).max().unwrap();
    let at = SystemTime::now() - age;
    for file in log_files(home) {
        make_older(&log.join(file), age);
    }
    for version in last + 1..=last + commits {
        let path = log.join(format!("{version:020}.json"));
        std::fs::write(&path, "{\"commitInfo\":{\"timestamp\":0,\"operation\":\"WRITE\"}}\n").unwrap();
        File::options().write(true).open(&path).unwrap().set_modified(at).unwrap();
    }
    last + commits
}

#[test]
fn the_log_stays_small_and_the_table_readable() {
    let home = tempfile::tempdir().unwrap();
    flush_each(&open(home.path()), 0..3);
    let last = add_commits(home.path(), 3000, 30 * DAY);
    let engine = open(home.path());
    assert_eq!(engine.lake().attendance.version, Some(last));
    // Until there is a checkpoint, everything is needed.
    assert_eq!(engine.vacuum(newest(home.path()) + 90 * DAY_MILLIS, false).unwrap().log_files, 0);
    flush_each(&engine, 3..60);
    let at = newest(home.path());
    assert_eq!(engine.vacuum(at + 6 * DAY_MILLIS, false).unwrap().log_files, 0, "versions of six days ago can be read");
    let done = engine.vacuum(at + 7 * DAY_MILLIS, false).unwrap();
    assert!(done.log_files > 3000, "{done:?}");
    assert!(log_files(home.path()).len() < 60);
    // In this process, and in the next.
    flush_each(&engine, 60..62);
    engine.compact().unwrap();
    assert_eq!((facts_in(&engine).len(), engine.lake().attendance.iter().count()), (62, 1));
    let version = engine.lake().attendance.version;
    drop(engine);
    let engine = open(home.path());
    assert_eq!(engine.lake().attendance.version, version);
    flush_each(&engine, 62..63);
    assert_eq!(facts_in(&engine).len(), 63);
}

#[test]
fn a_checkpoint_that_is_broken_does_not_let_commits_go() {
    let home = tempfile::tempdir().unwrap();
    let engine = open(home.path());
    flush_each(&engine, 0..21);
    for checkpoint in log_files(home.path()).into_iter().filter(|name| name.ends_with(".checkpoint.parquet")) {
        std::fs::write(home.path().join("lake/attendance/_delta_log").join(checkpoint), "x").unwrap();
    }
    assert_eq!(engine.vacuum(Millis::MAX, false).unwrap().log_files, 0);
}

#[test]
fn a_ledger_older_than_the_cleaned_log_is_refused() {
    let home = tempfile::tempdir().unwrap();
    flush_each(&open(home.path()), 0..2);
    let old = tempfile::tempdir().unwrap();
    std::fs::rename(home.path().join("lake"), old.path().join("lake")).unwrap();
    let ledger = |from: &Path, to: &Path| copy_all(&from.join("ledger"), &to.join("ledger"));
    ledger(home.path(), old.path());
    let engine = open(old.path());
    flush_each(&engine, 2..60);
    engine.vacuum(Millis::MAX, false).unwrap();
    drop(engine);
    std::fs::remove_dir_all(old.path().join("ledger")).unwrap();
    ledger(home.path(), old.path());
    let error = Engine::open(old.path(), Settings::default()).unwrap_err().to_string();
    assert!(error.contains("restore a backup"), "{error}");
    assert!(!log_files(old.path()).is_empty());
}
