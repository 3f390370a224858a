//! A flush brings every fact once, whoever's turn it is and wherever it ends.

use super::*;
use crate::crash;
use crate::testing::copy_all;
use rollcall_model::FactKind;

const HOUR: Millis = 3_600_000;

fn other() -> Organization {
    Organization::new(OrgId(uuid::Uuid::from_u128(2)), "other", jiff::tz::TimeZone::UTC)
}

fn ingest_of(engine: &Engine, organization: &Organization, facts: impl Iterator<Item = Fact>) {
    let facts: Vec<Fact> = facts.collect();
    assert_eq!(engine.ingest(organization, batch(organization, &facts)).unwrap().accepted, facts.len() as u64);
}

fn count(engine: &Engine, organization: &Organization) -> usize {
    engine.scan::<AttendanceBlock>(organization.id, ALWAYS).map(|block| crate::kinds::block::Block::facts(&block.unwrap())).sum()
}

/// Of a flush of one organization of two that ends at each step, every fact is there once, before and after the next flush.
#[test]
fn a_flush_of_some_that_is_cut_off_loses_and_doubles_nothing() {
    for point in ["lake-file-written", "lake-before-commit", "lake-committed", "ledger-before-trim", "ledger-trimmed"] {
        let (live, cut) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
        let engine = open(live.path());
        for organization in [organization(), other()] {
            ingest_of(&engine, &organization, (0..20).map(|user| (BASE + HOUR * i64::from(user) * 24, 1, user, 0)));
        }
        engine.checkpoint().unwrap();
        engine.facts.ledger.sync().unwrap();
        let (lake, ledger) = (&engine.facts.lake, &engine.facts.ledger);
        let waits = [(FactKind::Attendance, organization().id, 20)];
        assert!(crash::tests::until(point, || lake.flush(ledger, engine.cells.covered(), &waits, || true)), "{point} was not passed");
        copy_all(&live.path().join("ledger"), &cut.path().join("ledger"));
        copy_all(&live.path().join("lake"), &cut.path().join("lake"));
        let engine = open(cut.path());
        let counts = || [organization(), other()].each_ref().map(|organization| count(&engine, organization));
        assert_eq!(counts(), [20, 20], "{point}");
        ingest_of(&engine, &organization(), (20..25).map(|user| (BASE, 1, user, 0)));
        assert_eq!(counts(), [25, 20], "{point}");
        engine.flush().unwrap();
        assert_eq!((counts(), engine.lake().attendance.facts()), ([25, 20], 45), "{point}");
    }
}

/// Facts that come in no order, many days at a time, are files that follow one another: one for each month.
#[test]
fn a_backfill_in_any_order_is_a_file_a_month() {
    let home = tempfile::tempdir().unwrap();
    let engine = open(home.path());
    let at = |number: i64| BASE + (number * 7919 % 100) * 24 * HOUR + number;
    for request in 0..20 {
        ingest_of(&engine, &organization(), (0..50).map(|number| (at(request * 50 + number), 1, (request * 50 + number) as u16, 0)));
    }
    assert_eq!(engine.flush().unwrap(), 1000);
    let version = engine.lake().attendance;
    assert_eq!((version.iter().count(), version.months().count()), (4, 4));
    super::compact::files_are_sound(&engine);
    assert_eq!(count(&engine, &organization()), 1000);
}

/// An ended flush leaves nothing behind, and the next begins anew.
#[test]
fn a_flush_that_is_ended_early_changes_nothing() {
    let home = tempfile::tempdir().unwrap();
    let engine = open(home.path());
    ingest_of(&engine, &organization(), (0..20).map(|user| (BASE + HOUR * i64::from(user) * 24, 1, user, 0)));
    engine.checkpoint().unwrap();
    let (lake, ledger) = (&engine.facts.lake, &engine.facts.ledger);
    let mut left = 5;
    let mut pause = || {
        left -= 1;
        left > 0
    };
    assert_eq!(lake.flush(ledger, engine.cells.covered(), &ledger.waiting.all(), &mut pause).unwrap(), 0);
    assert!(lake.store.list("attendance").unwrap().iter().all(|(file, _)| !file.contains("organization=")));
    assert_eq!((count(&engine, &organization()), engine.lake().attendance.facts()), (20, 0));
    assert_eq!((engine.flush().unwrap(), engine.lake().attendance.facts()), (20, 20));
    assert!(engine.facts.ledger.give_back().unwrap());
    assert_eq!((tables(&engine), count(&engine, &organization())), (vec![], 20), "what was trimmed takes no disk");
}

/// The files of the tables that blocks are in.
fn tables(engine: &Engine) -> Vec<std::path::PathBuf> {
    let directory = engine.facts.ledger.facts.path().join("tables");
    let mut files: Vec<_> = std::fs::read_dir(directory).unwrap().map(|file| file.unwrap().path()).collect();
    files.sort_unstable();
    files
}

/// What was trimmed stays on the disk while somebody reads a state that has it, is not written anew meanwhile, and is gone thereafter.
#[test]
fn the_disk_of_trimmed_facts_is_given_back_once_nobody_reads_them() {
    let home = tempfile::tempdir().unwrap();
    let engine = open(home.path());
    ingest_of(&engine, &organization(), (0..200).map(|user| (BASE + HOUR * i64::from(user), 1, user, 0)));
    let pinned = engine.facts.pin();
    assert_eq!(engine.flush().unwrap(), 200);
    let stay = tables(&engine);
    assert_ne!(stay, Vec::<std::path::PathBuf>::new());
    let read = pinned.blocks::<AttendanceBlock>(organization().id, crate::kinds::stored::Wanted::times(ALWAYS));
    assert_eq!(read.map(|read| read.unwrap().1.facts()).sum::<usize>(), 200);
    assert!(!engine.facts.ledger.give_back().unwrap());
    assert_eq!(tables(&engine), stay);
    drop(pinned);
    assert!(engine.facts.ledger.give_back().unwrap());
    assert_eq!((tables(&engine), count(&engine, &organization())), (vec![], 200));
}

/// What still waits is not written anew at each start, only because something was trimmed before.
#[test]
fn a_start_writes_nothing_anew_where_little_was_trimmed() {
    let home = tempfile::tempdir().unwrap();
    let engine = open(home.path());
    ingest_of(&engine, &organization(), (0..50).map(|user| (BASE + HOUR * 24 * i64::from(user % 20), 1, user, 0)));
    ingest_of(&engine, &other(), (0..5).map(|user| (BASE + HOUR * i64::from(user), 1, user, 0)));
    engine.facts.ledger.renew_journal().unwrap();
    engine.checkpoint().unwrap();
    let waits = [(FactKind::Attendance, other().id, 5)];
    engine.facts.lake.flush(&engine.facts.ledger, engine.cells.covered(), &waits, || true).unwrap();
    drop(engine);
    let engine = open(home.path());
    let before = tables(&engine);
    assert!(engine.facts.ledger.give_back().unwrap());
    let after = tables(&engine);
    assert!(!before.is_empty() && before.iter().all(|file| after.contains(file)), "{before:?}, {after:?}");
    assert_eq!((count(&engine, &organization()), count(&engine, &other())), (50, 5));
}
