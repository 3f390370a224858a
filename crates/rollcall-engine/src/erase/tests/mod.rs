//! Erased is gone: from every file, whatever was cut off and whoever was reading.

mod directories;
mod readers;
mod unfinished;
mod withdrawn;

use super::{Conditions, Proof, Selection};
use crate::cells::Scope;
use crate::crash;
use crate::kinds::block::{AssistanceBlock, AttendanceBlock, Block};
use crate::kinds::columns::{Assistances, Attendances};
use crate::testing::organization;
use crate::{Engine, EngineError, Settings};
use arrow_array::RecordBatch;
use fjall::KeyspaceCreateOptions;
use jiff::tz::TimeZone;
use parquet::arrow::arrow_reader::ParquetRecordBatchReaderBuilder;
use rollcall_model::calendar::DAY_MILLIS;
use rollcall_model::directory::{DirectoryDocument, User};
use rollcall_model::reports::{MeetingDays, TopUsers, UserOrder};
use rollcall_model::{AssistanceDraft, AttendanceDraft, Directory, Millis, OrgId, Organization, Range, Reports, UserKind, Value};
use std::path::Path;

/// 2025-03-01T09:00:00Z.
const BASE: Millis = 1_740_819_600_000;
const EVER: Range = Scope::ALL.range;

/// Ids and names that occur nowhere by chance, and that no compression takes apart: nothing in them repeats.
const GONE: &str = "qzJ7vXw2KpLd";
const GONE_NAME: &str = "Ybg5TnUhM8sC";
const STAYS: &str = "eRf3WmGkAo6Z";

fn open(directory: &Path) -> Engine {
    // Flushed when a test asks for it, and at the end.
    Engine::open(directory, Settings { flush_seconds: 0, ..Settings::default() }).unwrap()
}

/// An attendance for each user and day, every other with an id of its own.
fn attendances(organization: &Organization, users: &[&str], days: std::ops::Range<i64>) -> Attendances {
    let mut facts = Attendances::default();
    for day in days {
        for (number, user) in users.iter().enumerate() {
            let at = BASE + day * DAY_MILLIS + number as i64 * 60_000;
            let (id, session) = (format!("{day}-{number}"), format!("session {day}"));
            let mut draft = AttendanceDraft::new();
            for (field, text) in [("session_id", session.as_str()), ("user_id", user)] {
                draft.set(field, Value::Str(text.into()));
            }
            draft.set("id", if day % 2 == 0 { Value::Null } else { Value::Str(id.as_str().into()) });
            for (field, at) in
                [("session_started_at", BASE + day * DAY_MILLIS), ("joined_at", at), ("left_at", at + day % 8 * DAY_MILLIS / 2)]
            {
                draft.set(field, Value::Int(at));
            }
            facts.push(&draft.finish(organization, &Directory::default(), None).unwrap());
        }
    }
    facts
}

/// A completion for each user and day.
fn assistances(organization: &Organization, users: &[&str], days: std::ops::Range<i64>) -> Assistances {
    let mut facts = Assistances::default();
    for day in days {
        for user in users {
            let mut draft = AssistanceDraft::new();
            for (field, text) in [("user_id", *user), ("kind", "completion"), ("language", "go"), ("department_id", "d")] {
                draft.set(field, Value::Str(text.into()));
            }
            draft.set("at", Value::Int(BASE + day * DAY_MILLIS));
            facts.push(&draft.finish(organization, &Directory::default()).unwrap());
        }
    }
    facts
}

fn directory(users: &[&str]) -> DirectoryDocument {
    let user = |id: &&str| User {
        id: (*id).into(),
        open_id: None,
        union_id: None,
        user_id: None,
        name: if *id == GONE { GONE_NAME.into() } else { "N".into() },
        kind: UserKind::Member,
        departments: vec![],
        from: None,
        until: None,
    };
    DirectoryDocument { departments: vec![], users: users.iter().map(user).collect() }
}

/// Has the database write what it holds in memory into its tables.
fn into_tables(engine: &Engine) {
    let db = engine.facts.ledger.db();
    for name in db.list_keyspace_names() {
        db.keyspace(&name, KeyspaceCreateOptions::default).unwrap().rotate_memtable_and_wait().unwrap();
    }
}

/// A data directory whose lake, logs and ledger all know the user: several versions of the tables, some facts not yet in the lake.
fn filled(home: &Path) -> Engine {
    let (engine, organization) = (open(home), organization(1));
    // The first is kept when the second replaces it.
    engine.put_directory(organization.id, directory(&[GONE])).unwrap();
    engine.put_directory(organization.id, directory(&[GONE, STAYS])).unwrap();
    for days in [0..20, 20..40, 40..60] {
        engine.ingest(&organization, attendances(&organization, &[GONE, STAYS], days.clone())).unwrap();
        engine.ingest(&organization, assistances(&organization, &[GONE, STAYS], days)).unwrap();
        engine.flush().unwrap();
        into_tables(&engine);
    }
    engine.ingest(&organization, attendances(&organization, &[GONE, STAYS], 60..70)).unwrap();
    reports(&engine, organization.id);
    engine
}

/// The users of every session there is, and the meetings and participants of each day; leaves kept cells.
fn reports(engine: &Engine, org: OrgId) -> (Vec<String>, u64) {
    let top = TopUsers { range: EVER, zone: TimeZone::UTC, order: UserOrder::Meetings, limit: 9, app: None, unit: None, kinds: None };
    let days = MeetingDays::by_day(Range::new(BASE, BASE + 90 * DAY_MILLIS), TimeZone::UTC);
    let days = engine.meeting_days(org, &days).unwrap().rows;
    (engine.top_users(org, &top).unwrap().rows.into_iter().map(|row| row.id).collect(), days.iter().map(|row| row.participants).sum())
}

fn facts(engine: &Engine, org: OrgId) -> (usize, usize) {
    let attendances = engine.scan::<AttendanceBlock>(org, EVER).map(|block| block.unwrap().facts()).sum();
    (attendances, engine.scan::<AssistanceBlock>(org, EVER).map(|block| block.unwrap().facts()).sum())
}

/// Every file that holds the text: its bytes as they are, and as values and statistics where it is Parquet, live or not.
fn files_with(home: &Path, text: &str) -> Vec<String> {
    let (mut found, mut directories) = (Vec::new(), vec![home.to_owned()]);
    while let Some(directory) = directories.pop() {
        for entry in std::fs::read_dir(directory).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                directories.push(path);
                continue;
            }
            let bytes = std::fs::read(&path).unwrap();
            let decoded = if path.extension().is_some_and(|extension| extension == "parquet") {
                let builder = ParquetRecordBatchReaderBuilder::try_new(bytes::Bytes::from(bytes.clone())).unwrap();
                let footer = format!("{:?}", builder.metadata());
                let batches: Vec<RecordBatch> = builder.build().unwrap().map(Result::unwrap).collect();
                format!("{footer} {batches:?} {:?}", batches.iter().map(texts).collect::<Vec<_>>())
            } else {
                String::new()
            };
            if memchr::memmem::find(&bytes, text.as_bytes()).is_some() || decoded.contains(text) {
                found.push(path.strip_prefix(home).unwrap().display().to_string());
            }
        }
    }
    found
}

/// Every value of every column, which the debug output of long columns leaves out.
fn texts(batch: &RecordBatch) -> String {
    let columns = batch.columns().iter();
    columns.map(|column| (0..batch.num_rows()).map(|row| format!("{:?}", column.slice(row, 1))).collect::<String>()).collect()
}

fn forget(engine: &Engine, org: OrgId, user: &str) -> super::Erased {
    engine.erase(org, &Selection::User(user.into()), &|_, _| {}).unwrap()
}

fn verified(engine: &Engine) {
    engine.checkpoint().unwrap();
    let found = engine.verify(&Scope::ALL, &|_, _| {}).unwrap();
    assert_eq!((found.told, found.unverified), (vec![], 0));
}

#[test]
fn no_file_holds_a_forgotten_user_in_any_form() {
    let home = tempfile::tempdir().unwrap();
    let (engine, org) = (filled(home.path()), organization(1).id);
    // What crashes and rolled back commits leave.
    for name in ["ledger/7.torn-tail", "lake/attendance/_rolled_back/1.json", "lake/assistance/organization=o/x.parquet#1"] {
        let path = home.path().join(name);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, GONE).unwrap();
    }
    let commits = |files: &[String]| files.iter().filter(|name| name.contains("_delta_log")).count();
    let before = files_with(home.path(), GONE);
    let of_ledger = |part: &str| before.iter().any(|name| name.starts_with("ledger") && name.contains(part));
    assert!(commits(&before) >= 6 && of_ledger(".jnl") && of_ledger("tables"), "{before:?}");
    assert!(!files_with(home.path(), GONE_NAME).is_empty());

    let told = engine.would_erase(org, &Selection::User(GONE.into())).unwrap();
    assert_eq!((told.attendances, told.assistances, told.directory_entries), (70, 60, 2));
    assert_eq!(told.times, Some(Range::new(BASE, BASE + 69 * DAY_MILLIS + 1)));
    let erased = forget(&engine, org, GONE);
    assert_eq!((erased.attendances, erased.assistances, erased.ids, erased.times), (70, 60, 130, told.times));
    assert_eq!(erased.proof, Some(Proof::default()));

    for text in [GONE, GONE_NAME] {
        assert_eq!(files_with(home.path(), text), [""; 0]);
    }
    assert!(!files_with(home.path(), STAYS).is_empty());
    assert_eq!((facts(&engine, org), reports(&engine, org)), ((70, 60), (vec![STAYS.to_owned()], 70)));
    verified(&engine);
    drop(engine);
    assert_eq!(files_with(home.path(), GONE), [""; 0]);
    let engine = open(home.path());
    assert_eq!((facts(&engine, org), reports(&engine, org)), ((70, 60), (vec![STAYS.to_owned()], 70)));
    verified(&engine);
}

#[test]
fn a_forgotten_user_may_come_back_with_the_same_facts() {
    let home = tempfile::tempdir().unwrap();
    let (engine, organization) = (filled(home.path()), organization(1));
    forget(&engine, organization.id, GONE);
    let again = |engine: &Engine| engine.ingest(&organization, attendances(&organization, &[GONE, STAYS], 0..70)).unwrap();
    let receipt = again(&engine);
    assert_eq!((receipt.accepted, receipt.duplicate), (70, 70));
    assert_eq!(reports(&engine, organization.id), (vec![STAYS.to_owned(), GONE.to_owned()], 140));
    drop(engine);
    let engine = open(home.path());
    assert_eq!(again(&engine).duplicate, 140);
    assert_eq!(reports(&engine, organization.id).1, 140);
    verified(&engine);
    assert_eq!(forget(&engine, organization.id, GONE).proof, Some(Proof::default()));
}

#[test]
fn a_user_of_the_same_name_in_another_organization_stays() {
    let home = tempfile::tempdir().unwrap();
    let (engine, other) = (filled(home.path()), organization(2));
    engine.put_directory(other.id, directory(&[GONE, STAYS])).unwrap();
    engine.put_directory(other.id, directory(&[GONE])).unwrap();
    engine.ingest(&other, attendances(&other, &[GONE], 0..30)).unwrap();
    engine.flush().unwrap();
    engine.ingest(&other, attendances(&other, &[GONE], 30..40)).unwrap();
    forget(&engine, organization(1).id, GONE);
    engine.erase(organization(1).id, &Selection::Before(EVER.to), &|_, _| {}).unwrap();
    assert_eq!((facts(&engine, organization(1).id), facts(&engine, other.id)), ((0, 0), (40, 0)));
    assert_eq!(engine.directory(other.id).document(), directory(&[GONE]));
    assert_eq!(engine.kept_directory(other.id, 1).unwrap(), Some(directory(&[STAYS, GONE])));
    assert_eq!(reports(&engine, other.id), (vec![GONE.to_owned()], 40));
    assert_eq!(engine.ingest(&other, attendances(&other, &[GONE], 0..40)).unwrap().duplicate, 40);
    verified(&engine);
}

#[test]
fn an_unknown_user_is_told_and_nothing_is_done() {
    let home = tempfile::tempdir().unwrap();
    let (engine, org) = (filled(home.path()), organization(1).id);
    let version = engine.lake().attendance.version;
    for org in [org, organization(3).id] {
        let error = engine.erase(org, &Selection::User("nobody".into()), &|_, _| {}).unwrap_err();
        assert!(matches!(error, EngineError::UnknownUser { .. }));
        let message = format!("organization {org} knows no user nobody: there is neither a fact nor an entry of the directory to erase");
        assert_eq!(error.to_string(), message);
    }
    assert_eq!(engine.lake().attendance.version, version);
}

#[test]
fn an_erasure_that_was_cut_off_anywhere_is_finished_when_the_directory_is_opened() {
    let points = crash::POINTS.iter().filter(|point| point.starts_with("erasure-") || point.starts_with("lake-"));
    for point in points {
        let month = Conditions { from: Some(BASE + 5 * DAY_MILLIS), to: Some(BASE + 35 * DAY_MILLIS), ..Conditions::default() };
        for selection in [Selection::User(GONE.into()), Selection::Before(BASE + 30 * DAY_MILLIS), month.selection().unwrap()] {
            let home = tempfile::tempdir().unwrap();
            let (engine, org) = (filled(home.path()), organization(1).id);
            let met = crash::tests::until(point, || engine.erase(org, &selection, &|_, _| {}));
            // Only for a user do the logs go.
            let may_miss = match selection {
                Selection::User(_) => *point == "lake-checkpointed",
                Selection::Before(_) | Selection::Where(_) => matches!(*point, "lake-checkpointed" | "lake-file-written"),
            };
            assert!(met || may_miss, "{point}");
            drop(engine);
            let engine = open(home.path());
            assert_eq!(engine.facts.ledger.erasures().unwrap(), []);
            verified(&engine);
            match selection {
                Selection::User(user) => {
                    assert_eq!((facts(&engine, org), reports(&engine, org)), ((70, 60), (vec![STAYS.to_owned()], 70)), "{point}");
                    assert_eq!(files_with(home.path(), &user), [""; 0], "{point}");
                    assert!(matches!(engine.would_erase(org, &Selection::User(user)), Err(EngineError::UnknownUser { .. })));
                }
                Selection::Before(_) => {
                    assert_eq!((facts(&engine, org), reports(&engine, org).1), ((80, 60), 80), "{point}");
                    let again = attendances(&organization(1), &[GONE, STAYS], 0..31);
                    assert_eq!(engine.ingest(&organization(1), again).unwrap().accepted, 60, "{point}");
                }
                Selection::Where(_) => {
                    assert_eq!((facts(&engine, org), reports(&engine, org).1), ((80, 60), 80), "{point}");
                    let again = attendances(&organization(1), &[GONE, STAYS], 0..40);
                    assert_eq!(engine.ingest(&organization(1), again).unwrap().accepted, 60, "{point}");
                }
            }
        }
    }
}
