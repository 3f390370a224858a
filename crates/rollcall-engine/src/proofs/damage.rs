//! Damage to stored cells is found, named and mended, whatever it is.

use super::attendance::{Fact, attendances};
use super::{APPS, BASE, name, open};
use crate::cells::{Day, Difference, Fault, Findings, Scope, Stay, Stays, Uses};
use crate::kinds::columns::Assistances;
use crate::{Engine, Settings};
use fjall::{Keyspace, KeyspaceCreateOptions};
use jiff::civil::Weekday;
use jiff::tz::TimeZone;
use rollcall_model::calendar::{DAY_MILLIS, QUARTER_MILLIS};
use rollcall_model::directory::{Department, DirectoryDocument, User};
use rollcall_model::reports::{
    ActiveUsers, DepartmentDays, DeveloperDays, Developers, Grouping, MeetingDays, PlaceLevel, StayFilter, TopUsers, UsageSpan, UserOrder,
    UsersByPlace,
};
use rollcall_model::{AssistanceDraft, Device, Organization, Period, Place, Range, Reports, SessionKind, UserKind, Value};
use std::sync::atomic::{AtomicU8, Ordering};
use tempfile::TempDir;

fn organization() -> Organization {
    super::organization(0)
}

/// User 0 is a room, user 1 a member with another name; the others are unknown.
fn directory() -> DirectoryDocument {
    let user = |id: u8, kind| User {
        id: name(id),
        open_id: Some(format!("ou_{id}")),
        union_id: None,
        user_id: None,
        name: format!("用户 {id}"),
        kind,
        departments: vec![],
        from: None,
        until: None,
    };
    DirectoryDocument { departments: vec![], users: vec![user(0, UserKind::Room), user(1, UserKind::Member)] }
}

const RANGE: Range = Range::new(BASE - 40 * DAY_MILLIS, BASE + 40 * DAY_MILLIS);

fn facts() -> Vec<Fact> {
    let fact = |number: i64| {
        let started = BASE + number * 3 * QUARTER_MILLIS;
        let joined = started + [-DAY_MILLIS, 0, 60_000, 6 * DAY_MILLIS][number as usize % 4];
        let stay = [0, 60_000, DAY_MILLIS, 7 * DAY_MILLIS, 3_600_000][number as usize % 5];
        Fact {
            id: None,
            app: number as usize % 2,
            session: 1,
            started,
            user: number as u8 % 5,
            kind: None,
            session_kind: SessionKind::Meeting,
            joined,
            left: joined + stay,
            device: Device::Desktop,
            media: vec![],
            unit: number as u8 % 2,
            place: Place::from_code(["CN-SH", "US"][number as usize % 2]),
        }
    };
    (0..120).map(fact).collect()
}

fn filled() -> (TempDir, Engine) {
    let home = tempfile::tempdir().unwrap();
    let engine = open(home.path());
    engine.put_directory(organization().id, directory()).unwrap();
    let batch = attendances(&facts(), &organization(), &engine.directory(organization().id));
    assert_eq!(engine.ingest(&organization(), batch).unwrap().accepted, 120);
    engine.checkpoint().unwrap();
    (home, engine)
}

/// Every report, which leaves kept cells of hours, days, weeks and longer.
fn answers(engine: &Engine) -> String {
    let (org, zone) = (organization().id, TimeZone::get("Asia/Kathmandu").unwrap());
    let days = engine.meeting_days(org, &MeetingDays::by_day(RANGE, zone.clone())).unwrap();
    let top = TopUsers {
        range: RANGE,
        zone: zone.clone(),
        order: UserOrder::Duration,
        limit: 9,
        app: Some(APPS[0].into()),
        unit: None,
        kinds: None,
    };
    let top = engine.top_users(org, &top).unwrap();
    let active = [Period::Day, Period::Week, Period::Month].map(|by| {
        let ask = ActiveUsers {
            range: RANGE,
            zone: zone.clone(),
            week_start: Weekday::Sunday,
            by: Grouping::Period(by),
            of: StayFilter::default(),
        };
        engine.active_users(org, &ask).unwrap().rows
    });
    let places = UsersByPlace { range: RANGE, zone: TimeZone::UTC, by: PlaceLevel::Country, country: None, app: None };
    let places = engine.users_by_place(org, &places).unwrap();
    format!("{:?} {:?} {active:?} {:?}", days.rows, top.rows, places.rows)
}

fn verify(engine: &Engine) -> Findings {
    engine.verify(&Scope::ALL, &|_, _| {}).unwrap()
}

fn rebuild(engine: &Engine) -> Findings {
    engine.rebuild(&Scope::ALL, &|_, _| {}).unwrap()
}

fn keyspace(engine: &Engine, name: &str) -> Keyspace {
    engine.facts.ledger.db().keyspace(name, KeyspaceCreateOptions::default).unwrap()
}

/// Exchanges the bytes of a stored value, by its position, for others or none, and returns the instants of its day.
fn exchange_stored(keyspace: &Keyspace, position: usize, bytes: Option<&[u8]>) -> Range {
    let key = keyspace.iter().nth(position).unwrap().key().unwrap();
    let day = Day(i32::from_be_bytes(*key[16..].first_chunk().unwrap()));
    match bytes {
        Some(bytes) => keyspace.insert(key, bytes).unwrap(),
        None => keyspace.remove(key).unwrap(),
    }
    day.range()
}

/// What is wrong other than kept cells around what is wrong.
fn but_stale(found: &Findings) -> Vec<Difference> {
    found.told.iter().copied().filter(|difference| difference.fault != Fault::Stale).collect()
}

fn is_named_and_mended(cell: &'static str, fault: Fault, change: impl FnOnce(&Engine) -> Range) {
    let (_home, engine) = filled();
    let before = answers(&engine);
    let whole = verify(&engine);
    assert!(whole.differences == 0 && whole.unverified == 0 && whole.facts == 120 && whole.kept_cells > 50, "{whole:?}");
    let range = change(&engine);
    let named = [Difference { org: organization().id, cell, range, fault }];
    let found = verify(&engine);
    assert_eq!((but_stale(&found).as_slice(), found.mended), (named.as_slice(), 0));
    let day = |range| Scope { org: Some(organization().id), range };
    assert_eq!(but_stale(&engine.verify(&day(range), &|_, _| {}).unwrap()), named);
    let elsewhere = Range::new(range.to + DAY_MILLIS, RANGE.to);
    assert_eq!(but_stale(&engine.verify(&day(elsewhere), &|_, _| {}).unwrap()), []);
    let mended = rebuild(&engine);
    assert_eq!((but_stale(&mended).as_slice(), mended.mended), (named.as_slice(), mended.differences));
    assert_eq!(verify(&engine).told, []);
    assert_eq!(answers(&engine), before);
    assert_eq!(verify(&engine).told, []);
}

const fn entries(missing: u64, surplus: u64, changed: u64) -> Fault {
    Fault::Entries { missing, surplus, changed }
}

#[test]
fn an_entry_that_is_lost_is_named_and_mended() {
    is_named_and_mended("stays", entries(1, 0, 0), |engine| engine.cells.damage::<Stays>(|entries| _ = entries.pop()));
    is_named_and_mended("stays", entries(1, 0, 0), |engine| engine.cells.damage::<Stays>(|entries| _ = entries.remove(0)));
}

#[test]
fn an_entry_too_many_is_named_and_mended() {
    is_named_and_mended("stays", entries(0, 1, 0), |engine| {
        engine.cells.damage::<Stays>(|entries| {
            let last = *entries.last().unwrap();
            entries.push(Stay { user: last.user + 100, ..last });
        })
    });
    // Nothing tells it from one that is right, but that there are two.
    is_named_and_mended("stays", entries(0, 1, 0), |engine| engine.cells.damage::<Stays>(|entries| entries.insert(0, entries[0])));
}

#[test]
fn a_wrong_time_is_named_and_mended() {
    is_named_and_mended("stays", entries(1, 1, 0), |engine| engine.cells.damage::<Stays>(|entries| entries[0].left_at += 1));
}

#[test]
fn a_cell_that_is_gone_or_stands_where_no_fact_is_or_is_no_cell_is_named_and_mended() {
    is_named_and_mended("stays", Fault::Unreadable, |engine| exchange_stored(&engine.cells.stored::<Stays>().parts, 3, None));
    let mut of_day = 0;
    let (_home, engine) = filled();
    engine.cells.damage::<Stays>(|entries| of_day = entries.len() as u64);
    is_named_and_mended("stays", entries(of_day, 0, 0), |engine| {
        let lists = &engine.cells.stored::<Stays>().lists;
        exchange_stored(lists, lists.iter().count() / 2, None)
    });
    is_named_and_mended("stays", Fault::Unreadable, |engine| exchange_stored(&engine.cells.stored::<Stays>().parts, 7, Some(&[0xff; 3])));
    is_named_and_mended("stays", Fault::Unreadable, |engine| exchange_stored(&engine.cells.stored::<Stays>().lists, 7, Some(&[0xff; 3])));
    // A part that no list names, and a list that names no part.
    for of_list in [false, true] {
        let fault = if of_list { Fault::Unreadable } else { Fault::Listed };
        is_named_and_mended("stays", fault, |engine| {
            let stored = engine.cells.stored::<Stays>();
            let keyspace = if of_list { &stored.lists } else { &stored.parts };
            let (key, bytes) = keyspace.last_key_value().unwrap().into_inner().unwrap();
            let day = Day(i32::from_be_bytes(*key[16..].first_chunk().unwrap()) + 200);
            keyspace.insert([&key[..16], &day.0.to_be_bytes(), &key[20..]].concat(), bytes).unwrap();
            day.range()
        });
    }
}

/// Exchanges two kept cells of one kind that hold different things.
fn exchange(engine: &Engine, kind: u8) {
    let merged = keyspace(engine, "merged-cells");
    let cells: Vec<_> = merged.iter().map(|stored| stored.into_inner().unwrap()).filter(|(key, _)| key[16] == kind).collect();
    let (key, bytes) = &cells[0];
    let (other_key, other) = cells.iter().find(|(_, other)| other != bytes).unwrap();
    merged.insert(key.clone(), other.clone()).unwrap();
    merged.insert(other_key.clone(), bytes.clone()).unwrap();
}

#[test]
fn kept_cells_that_are_not_what_their_base_cells_give_are_named_and_dropped() {
    for kind in 1..=4 {
        let (home, mut engine) = filled();
        let before = answers(&engine);
        exchange(&engine, kind);
        for round in 0..2 {
            let found = verify(&engine);
            assert_eq!((found.differences, found.mended), (2, 0), "kind {kind}: {found:?}");
            assert!(found.told.iter().all(|difference| difference.fault == Fault::Stale));
            if round == 0 {
                // The cache is empty now: what is stored is what is told.
                drop(engine);
                engine = open(home.path());
                continue;
            }
            assert_eq!(rebuild(&engine).mended, 2);
        }
        assert_eq!(verify(&engine).differences, 0);
        assert_eq!(answers(&engine), before);
    }
}

#[test]
fn a_rebuild_that_stopped_half_way_is_finished_by_the_next() {
    let (home, engine) = filled();
    let before = answers(&engine);
    let wiped = &engine.cells.stored::<Stays>().lists;
    let keys: Vec<_> = wiped.iter().map(|stored| stored.key().unwrap()).collect();
    keys.into_iter().for_each(|key| wiped.remove(key).unwrap());
    assert_ne!(verify(&engine).differences, 0);
    let half = Scope { org: None, range: Range::new(0, BASE + 3 * DAY_MILLIS) };
    assert_ne!(engine.rebuild(&half, &|_, _| {}).unwrap().mended, 0);
    assert_eq!(engine.verify(&half, &|_, _| {}).unwrap().differences, 0);
    assert_ne!(verify(&engine).differences, 0);
    drop(engine);
    let engine = open(home.path());
    let found = rebuild(&engine);
    assert!(found.differences > 0 && found.mended == found.differences);
    assert_eq!(verify(&engine).differences, 0);
    assert_eq!(answers(&engine), before);
}

/// A checkpoint cannot merge live cells into what is no cell. A rebuild makes it one again.
#[test]
fn live_facts_wait_for_a_cell_to_be_mended_and_count_once() {
    let home = tempfile::tempdir().unwrap();
    let engine = Engine::open(home.path(), Settings::default()).unwrap();
    let (early, late) = (facts(), facts().into_iter().map(|fact| Fact { session: 2, ..fact }).collect::<Vec<_>>());
    let ingest = |facts: &[Fact]| engine.ingest(&organization(), attendances(facts, &organization(), &Default::default())).unwrap();
    ingest(&early);
    engine.checkpoint().unwrap();
    exchange_stored(&engine.cells.stored::<Stays>().parts, 0, Some(&[0xff]));
    ingest(&late);
    assert!(engine.checkpoint().unwrap_err().to_string().contains("cannot be decoded"));
    assert_eq!(verify(&engine).facts, 120);
    assert_eq!(rebuild(&engine).mended, 1);
    engine.checkpoint().unwrap();
    let found = verify(&engine);
    assert_eq!((found.differences, found.facts), (0, 240));
}

#[test]
fn default_ids_that_are_gone_are_named() {
    let (home, engine) = filled();
    // What was claimed finds its places at the latest when the engine closes.
    drop(engine);
    let engine = open(home.path());
    let ids = keyspace(&engine, "ids");
    let (key, segment) = ids.first_key_value().unwrap().into_inner().unwrap();
    ids.remove(key).unwrap();
    let found = rebuild(&engine);
    assert_eq!((found.differences, found.mended), (1, 0));
    let facts = u16::from_le_bytes([segment[4], segment[5]]).into();
    assert_eq!((found.told[0].cell, found.told[0].fault), ("attendance ids", Fault::Ids { facts, ids: 0 }));
}

#[test]
fn what_comes_in_while_cells_are_verified_is_no_difference() {
    let (_home, engine) = filled();
    answers(&engine);
    let calls = AtomicU8::new(2);
    // Between any two steps: new facts in every cell, a checkpoint, and other cells kept.
    let meanwhile = |_, _| {
        let session = calls.fetch_add(1, Ordering::Relaxed);
        let more: Vec<Fact> = facts().into_iter().map(|fact| Fact { session, ..fact }).collect();
        let batch = attendances(&more, &organization(), &engine.directory(organization().id));
        assert_eq!(engine.ingest(&organization(), batch).unwrap().accepted, 120);
        engine.checkpoint().unwrap();
        answers(&engine);
    };
    let found = engine.verify(&Scope::ALL, &meanwhile).unwrap();
    assert!(calls.into_inner() > 4);
    assert_eq!((found.facts, found.differences, found.unverified), (120, 0, 0), "{found:?}");
    let found = verify(&engine);
    assert!(found.differences == 0 && found.facts > 2 * 120, "{found:?}");
}

/// Completions of so many users, each booked on one of two departments, with more entries than a small cell has.
fn assistances(users: u32, at: i64) -> Assistances {
    let mut facts = Assistances::default();
    for user in 0..users {
        let user_id = format!("developer {user}");
        let mut draft = AssistanceDraft::new();
        for (field, text) in [("user_id", user_id.as_str()), ("kind", "completion"), ("department_id", ["d1", "d2"][user as usize % 2])] {
            draft.set(field, Value::Str(text.into()));
        }
        draft.set("at", Value::Int(at + i64::from(user) * 1000));
        facts.push(&draft.finish(&organization(), &Default::default()).unwrap());
    }
    facts
}

#[test]
fn kept_cells_of_departments_are_verified_by_the_directory_and_those_of_another_are_dropped() {
    let (home, org) = (tempfile::tempdir().unwrap(), organization());
    let engine = open(home.path());
    let departments = |top: &[&str]| {
        let department = |id: &str| Department {
            id: id.into(),
            parent_id: (!top.contains(&id)).then(|| "d0".into()),
            name: "D".into(),
            from: None,
            until: None,
        };
        DirectoryDocument { departments: ["d0", "d1", "d2"].map(department).into(), users: vec![] }
    };
    engine.put_directory(org.id, departments(&["d0"])).unwrap();
    engine.ingest(&org, assistances(2500, BASE)).unwrap();
    engine.ingest(&org, assistances(2500, BASE + DAY_MILLIS + 1)).unwrap();
    engine.checkpoint().unwrap();
    let range = Range::new(BASE, BASE + 2 * DAY_MILLIS);
    let ask = || {
        let days = DepartmentDays { range, zone: TimeZone::UTC, by: UsageSpan::Day, department: None, with_subtree: true, only: None };
        let rows = engine.department_days(org.id, &days).unwrap().rows;
        let developers = DeveloperDays { range, zone: TimeZone::UTC, by: UsageSpan::Whole, developers: Developers::All, only: None };
        (rows.iter().map(|row| row.usage.developers).collect::<Vec<_>>(), engine.developer_days(org.id, &developers).unwrap().rows.len())
    };
    let before = ask();
    assert_eq!(before, (vec![2500, 1250, 1250, 2500, 1250, 1250], 2500));
    let found = verify(&engine);
    // Of each day: all facts, all three departments, two departments alone.
    assert_eq!((found.kept_cells, found.unverified, found.differences), (8, 0, 0), "{found:?}");
    exchange(&engine, 6);
    let found = verify(&engine);
    assert!(found.differences == 2 && found.told.iter().all(|told| (told.cell, told.fault) == ("usage sets", Fault::Stale)), "{found:?}");
    assert_eq!((rebuild(&engine).mended, ask(), verify(&engine).differences), (2, before.clone(), 0));
    let range = engine.cells.damage::<Uses>(|entries| entries[0].used.accepted += 1);
    let named = [Difference { org: org.id, cell: "uses", range, fault: entries(0, 0, 1) }];
    assert_eq!((but_stale(&verify(&engine)).as_slice(), but_stale(&rebuild(&engine)).as_slice()), (named.as_slice(), named.as_slice()));
    assert_eq!((ask(), verify(&engine).differences), (before, 0));
    engine.put_directory(org.id, departments(&["d0", "d1"])).unwrap();
    let found = verify(&engine);
    assert_eq!((found.kept_cells, found.unverified, found.differences), (8, 2, 0), "{found:?}");
    assert_eq!(rebuild(&engine).unverified, 2);
    let found = verify(&engine);
    assert_eq!((found.kept_cells, found.unverified), (6, 0));
}
