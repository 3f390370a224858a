use super::*;
use crate::cells::{PresentUsers, Stays, View};
use crate::testing::attendances;
use crate::{Engine, Settings};
use jiff::tz::TimeZone;
use rollcall_model::calendar::{DAY_MILLIS, QUARTER_MILLIS};
use rollcall_model::reports::{ActiveUsers, Grouping, StayFilter};
use rollcall_model::{Organization, Period, Quarter, Range, Reports};

/// 2025-03-01T00:00:00Z.
const BASE: i64 = 1_740_787_200_000;
const DAYS: i64 = 40;

fn organization() -> Organization {
    crate::testing::organization(1)
}

/// An engine with a stay of another user in each hour of 40 days, checkpointed.
fn engine(directory: &std::path::Path) -> Engine {
    let engine = Engine::open(directory, Settings::default()).unwrap();
    ingest(&engine, (0..DAYS * 24).map(|hour| (BASE + hour * 3_600_000, format!("u{hour}"))));
    engine.checkpoint().unwrap();
    engine
}

fn ingest<U: AsRef<str>>(engine: &Engine, stays: impl IntoIterator<Item = (i64, U)>) {
    let facts = stays.into_iter().map(|(at, user)| ("s", user, [at, at, at + 1000]));
    engine.ingest(&organization(), attendances(&organization(), facts)).unwrap();
}

fn active(engine: &Engine, range: Range, by: Grouping) -> u64 {
    let week_start = jiff::civil::Weekday::Monday;
    let ask = ActiveUsers { range, zone: TimeZone::UTC, week_start, by, of: StayFilter::default() };
    engine.active_users(organization().id, &ask).unwrap().rows.iter().map(|row| row.users).sum()
}

fn kept(engine: &Engine) -> Vec<Slice> {
    engine.cells.merged.iter().map(|stored| Key::read(&stored.key().unwrap()).unwrap().slice).collect()
}

#[test]
fn ranges_of_any_length_leave_no_length_behind_that_ingest_has_to_look_for() {
    let temporary = tempfile::tempdir().unwrap();
    let engine = engine(temporary.path());
    for length in 1..=300 {
        // Every user came on an hour.
        let range = Range::new(BASE, BASE + length * QUARTER_MILLIS);
        assert_eq!(active(&engine, range, Grouping::Whole), length.unsigned_abs().div_ceil(4), "{length}");
    }
    let is_day = |quarters: &i32| *quarters == 96;
    let days_only = |engine: &Engine| kept(engine).iter().all(|slice| is_day(&slice.quarters));
    assert!(days_only(&engine), "{:?}", kept(&engine));
    // Not even those as long as a week: nobody knows whether they are asked for again.
    for start in 0..20 {
        let from = BASE + start * DAY_MILLIS + QUARTER_MILLIS;
        assert_eq!(active(&engine, Range::new(from, from + 7 * DAY_MILLIS), Grouping::Whole), 7 * 24);
    }
    assert!(days_only(&engine), "{:?}", kept(&engine));
    let lengths = engine.cells.lengths.lock().clone();
    assert!(lengths.iter().all(is_day), "{lengths:?}");
    // What a calendar has is kept.
    active(&engine, Range::new(BASE, BASE + 31 * DAY_MILLIS), Grouping::Period(Period::Month));
    assert!(kept(&engine).contains(&Slice { start: Quarter::of(BASE).0, quarters: 31 * 96 }));
    assert!(engine.cells.lengths.lock().contains(&(31 * 96)));
}

#[test]
fn kept_cells_stay_within_their_room_and_those_in_memory_go_last() {
    let temporary = tempfile::tempdir().unwrap();
    drop(engine(temporary.path()));
    let settings = Settings { kept_bytes: 1_600, ..Settings::default() };
    let engine = Engine::open(temporary.path(), settings).unwrap();
    let days = Range::new(BASE, BASE + DAYS * DAY_MILLIS);
    let sum = active(&engine, days, Grouping::Period(Period::Day));
    let bytes = || engine.cells.merged.iter().map(|stored| stored.into_inner().unwrap().1.len() as u64 + 41).sum::<u64>();
    assert!(bytes() > 2_400, "{}", bytes());
    // As if they had left memory long ago, but for the last.
    let last = kept(&engine).last().copied().unwrap();
    engine.cells.cache.retain(|key, _| key.slice == last);
    engine.cells.evict(|| true).unwrap();
    assert!((800..=1_600).contains(&bytes()), "{}", bytes());
    assert!(kept(&engine).contains(&last));
    assert_eq!(active(&engine, days, Grouping::Period(Period::Day)), sum);
    engine.cells.evict(|| true).unwrap();
    assert!(bytes() <= 1_600, "{}", bytes());
}

#[test]
fn a_reader_takes_no_cell_that_is_newer_than_its_state() {
    let temporary = tempfile::tempdir().unwrap();
    let engine = engine(temporary.path());
    let (org, day) = (organization().id, Slice { start: Quarter::of(BASE).0, quarters: 96 });
    let days = Range::new(BASE, BASE + DAYS * DAY_MILLIS);
    let before = engine.cells.view::<Stays>(org, days).unwrap();
    ingest(&engine, [(BASE, "new")]);
    let users = |view: &View<'_, Stays>| PresentUsers::union([&*view.cell::<PresentUsers>(day).unwrap()], |_| true).len();
    let live = engine.cells.view::<Stays>(org, days).unwrap();
    assert_eq!((users(&live), users(&before)), (25, 24));
    engine.checkpoint().unwrap();
    let after = engine.cells.view::<Stays>(org, days).unwrap();
    // The newest reader caches the day; the others go on seeing what they saw.
    assert_eq!(users(&after), 25);
    assert_eq!((users(&before), users(&live), users(&after)), (24, 25, 25));
    ingest(&engine, [(BASE + 1, "newer")]);
    let newest = engine.cells.view::<Stays>(org, days).unwrap();
    assert_eq!((users(&newest), users(&after), users(&newest), users(&before)), (26, 25, 26, 24));
}
