//! Compaction keeps every fact, once and in order, and makes few files of many.

use super::*;
use crate::kinds::words::text_of;
use crate::lake::DataFile;
use crate::lake::merge::Merge;
use arrow_array::cast::AsArray;
use arrow_array::types::TimestampMicrosecondType;
use proptest::prelude::*;
use std::collections::BTreeSet;
use std::sync::Arc;

#[derive(Debug, Clone)]
enum Step {
    Ingest(Vec<Fact>),
    Compact,
    Vacuum,
    Reopen,
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    // Around the end of a month; times repeat, so that sessions and stays must be compared too.
    let time = prop_oneof![Just(BASE), (0..60i64).prop_map(|days| BASE + days * DAY_MILLIS), BASE..BASE + 40 * DAY_MILLIS];
    let fact = (time, 0u8..4, 0u16..200, prop_oneof![Just(0), 0..1000i64]);
    let step = prop_oneof![
        6 => prop::collection::vec(fact, 1..40).prop_map(Step::Ingest),
        2 => Just(Step::Compact),
        1 => Just(Step::Vacuum),
        1 => Just(Step::Reopen),
    ];
    prop::collection::vec(step, 1..30)
}

/// Whether each file of the newest version is in order, lies in its month, and holds what the log says of it.
pub(super) fn files_are_sound(engine: &Engine) {
    let lake = &engine.facts.lake;
    let version = engine.lake().attendance;
    for (org, month) in version.months() {
        for file in version.of_month(org, month) {
            let mut read = Merge::open::<AttendanceBlock>(&lake.store, "attendance", std::slice::from_ref(file)).unwrap();
            let mut rows: Vec<(i64, String, i64, i64)> = Vec::new();
            let mut users = BTreeSet::new();
            while let Some(batch) = read.next_batch().unwrap() {
                let times = |name: &str| batch.column_by_name(name).unwrap().as_primitive::<TimestampMicrosecondType>().values().clone();
                let (started, joined, left) = (times("session_started_at"), times("joined_at"), times("left_at"));
                let (sessions, of_users) = (text_of(&batch, "session_id").unwrap(), text_of(&batch, "user_id").unwrap());
                rows.extend((0..batch.num_rows()).map(|row| (started[row], sessions.get(row).to_owned(), joined[row], left[row])));
                users.extend((0..batch.num_rows()).map(|row| of_users.get(row).to_owned()));
            }
            assert!(rows.is_sorted(), "{}", file.name);
            assert_eq!(rows.len() as u64, file.facts);
            assert_eq!((rows[0].0, rows[rows.len() - 1].0), (file.times.from * 1000, (file.times.to - 1) * 1000));
            assert_eq!(rows.iter().map(|row| row.3).max(), Some((file.ended.to - 1) * 1000));
            assert_eq!((users.first(), users.last()), (Some(&file.users.0), Some(&file.users.1)));
            assert!(rows.iter().all(|row| rollcall_model::calendar::rfc3339(row.0 / 1000).starts_with(month)));
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 40, ..ProptestConfig::default() })]

    #[test]
    fn every_fact_stays_once_and_in_order(steps in steps()) {
        let home = tempfile::tempdir().unwrap();
        let mut engine = open(home.path());
        let mut expected = BTreeSet::new();
        for step in steps {
            match step {
                Step::Ingest(facts) => {
                    let before = expected.len();
                    expected.extend(facts.iter().copied());
                    prop_assert_eq!(ingest(&engine, &facts) as usize, expected.len() - before);
                    engine.flush().unwrap();
                }
                Step::Compact => {
                    let done = engine.compact().unwrap();
                    prop_assert!(done.files_after <= done.files_before);
                }
                Step::Vacuum => {
                    engine.vacuum(Millis::MAX, false).unwrap();
                }
                Step::Reopen => {
                    drop(engine);
                    engine = open(home.path());
                }
            }
            prop_assert_eq!(facts_in(&engine), expected.iter().copied().collect::<Vec<_>>());
        }
        files_are_sound(&engine);
        prop_assert_eq!(engine.lake().attendance.facts(), expected.len() as u64);
    }
}

#[test]
fn many_small_files_become_one_and_nothing_is_done_twice() {
    let home = tempfile::tempdir().unwrap();
    let engine = open(home.path());
    flush_each(&engine, 0..20);
    let before = facts_in(&engine);
    let done = engine.compact().unwrap();
    assert_eq!((done.facts, done.files_before, done.files_after), (20, 20, 1));
    assert_eq!((facts_in(&engine), engine.lake().attendance.iter().count()), (before, 1));
    assert_eq!(engine.compact().unwrap().facts, 0);
    files_are_sound(&engine);
}

#[test]
fn months_and_organizations_are_not_mixed_and_the_position_stays() {
    let home = tempfile::tempdir().unwrap();
    let engine = open(home.path());
    for user in 0..3 {
        ingest(&engine, &[(BASE, 1, user, 0), (BASE + 31 * DAY_MILLIS, 1, user, 0)]);
        engine.flush().unwrap();
    }
    let before = engine.lake().attendance;
    assert_eq!((before.months().count(), before.iter().count()), (2, 6));
    assert_eq!(engine.compact().unwrap().files_after, 2);
    let after = engine.lake().attendance;
    assert_eq!((after.months().count(), after.position, after.facts()), (2, before.position, before.facts()));
    files_are_sound(&engine);
    // What is ingested again is known, and what comes next is flushed.
    assert_eq!(ingest(&engine, &[(BASE, 1, 0, 0), (BASE, 1, 9, 0)]), 1);
    drop(engine);
    assert_eq!(facts_in(&open(home.path())).len(), 7);
}

#[test]
fn the_log_says_that_no_facts_changed() {
    let home = tempfile::tempdir().unwrap();
    let engine = open(home.path());
    flush_each(&engine, 0..2);
    engine.compact().unwrap();
    let version = engine.lake().attendance.version.unwrap();
    let commit = std::fs::read_to_string(home.path().join(format!("lake/attendance/_delta_log/{version:020}.json"))).unwrap();
    let actions: Vec<serde_json::Value> = commit.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let changes = |kind: &str| actions.iter().filter_map(|action| action.get(kind)?.get("dataChange")?.as_bool()).collect::<Vec<_>>();
    assert_eq!((changes("add"), changes("remove")), (vec![false], vec![false, false]));
    assert!(actions.iter().all(|action| action.get("txn").is_none()));
}

#[test]
fn a_file_that_is_missing_or_damaged_is_named_and_the_version_stays() {
    let damages: [fn(&Path) -> std::io::Result<()>; 3] = [
        |file| std::fs::remove_file(file),
        |file| std::fs::write(file, "no Parquet"),
        |file| {
            let mut bytes = std::fs::read(file)?;
            bytes[8..200].fill(0);
            std::fs::write(file, bytes)
        },
    ];
    for damage in damages {
        let home = tempfile::tempdir().unwrap();
        let engine = open(home.path());
        flush_each(&engine, 0..3);
        let before = engine.lake().attendance;
        let name = before.iter().next().unwrap().name.clone();
        damage(&home.path().join("lake/attendance").join(&name)).unwrap();
        let error = engine.compact().unwrap_err().to_string();
        assert!(error.contains(&name), "{error}");
        assert_eq!(engine.lake().attendance.version, before.version);
    }
}

/// A file of so many facts, with times from one day of the month to another, written at 0.
fn file(facts: u64, days: std::ops::Range<i64>) -> Arc<DataFile> {
    let times = Range::new(BASE + days.start * DAY_MILLIS, BASE + days.end * DAY_MILLIS);
    let users = (String::new(), String::new());
    let (name, month) = (format!("{facts} {days:?}"), "2025-03".into());
    Arc::new(DataFile {
        name,
        org: organization().id,
        month,
        size: facts,
        written: 0,
        facts,
        times,
        began: times,
        ended: times,
        users,
        checksum: None,
    })
}

fn due(files: &[Arc<DataFile>], now: Millis) -> Vec<u64> {
    crate::lake::compact::due(files, now).iter().map(|file| file.facts).collect()
}

#[test]
fn eight_files_of_a_tier_are_joined_at_once_and_seven_when_the_month_rests() {
    let files: Vec<_> = [1000; 8].map(|facts| file(facts, 0..1)).into();
    assert_eq!(due(&files, 0), [1000; 8]);
    assert_eq!(due(&files[1..], 0), [0; 0]);
    assert_eq!(due(&files[1..], DAY_MILLIS - 1), [0; 0]);
    assert_eq!(due(&files[1..], DAY_MILLIS), [1000; 7]);
}

#[test]
fn a_late_fact_does_not_cost_a_month_again() {
    let files = [file(1_000_000, 0..30), file(1, 3..4), file(2, 3..4)];
    assert_eq!(due(&files, Millis::MAX), [1, 2]);
    assert_eq!(due(&[file(1_000_000, 0..30), file(3, 3..4)], Millis::MAX), [0; 0]);
    assert_eq!(due(&[file(1_000_000, 0..30), file(200_000, 3..4)], Millis::MAX), [200_000, 1_000_000]);
}

#[test]
fn large_files_are_left_alone_unless_eight_overlap() {
    let one_by_one: Vec<_> = (0..20).map(|day| file(3_000_000, day..day + 1)).collect();
    assert_eq!(due(&one_by_one, Millis::MAX), [0; 0]);
    let seven = [7; 7].map(|_| file(3_000_000, 0..30));
    assert_eq!(due(&seven, Millis::MAX), [0; 0]);
    let eight = [8; 8].map(|_| file(3_000_000, 0..30));
    assert_eq!((due(&eight, 0), due(&eight, Millis::MAX)), (vec![], vec![3_000_000; 8]));
}

#[test]
fn no_fact_is_written_often() {
    // A year's flushes of one month, as they come: nothing is merged here, only counted.
    let mut files: Vec<Arc<DataFile>> = Vec::new();
    let mut written = 0;
    for _ in 0..40_000 {
        files.push(file(700, 0..30));
        loop {
            let joined = crate::lake::compact::due(&files, 0);
            if joined.is_empty() {
                break;
            }
            let facts = joined.iter().map(|file| file.facts).sum();
            files.retain(|file| !joined.iter().any(|other| Arc::ptr_eq(file, other)));
            files.push(file(facts, 0..30));
            written += facts;
        }
    }
    assert!(files.len() < 40, "{} files", files.len());
    assert!(written <= 5 * 40_000 * 700, "each fact is written {} times more", written / (40_000 * 700));
}
