//! The promise *exact*, held against a naive loop: whatever facts came, in whatever batches and order, with duplicates, late facts,
//! checkpoints and restarts between them, every report gives the rows that a loop over the accepted facts gives.

mod assistance;
mod damage;
mod oracle;

use crate::cells::Scope;
use crate::erase::{Conditions, Proof, Selection};
use crate::facts::Attendances;
use crate::ledger::columns::{AttendanceBlock, Block};
use crate::{Engine, EngineError, Settings};
use jiff::civil::Weekday;
use jiff::tz::TimeZone;
use oracle::Oracle;
use proptest::prelude::*;
use rollcall_model::calendar::{DAY_MILLIS, QUARTER_MILLIS};
use rollcall_model::directory::{DirectoryDocument, User};
use rollcall_model::reports::{ActiveUsers, Grouping, MeetingDays, PlaceLevel, TopUsers, UserOrder, UsersByPlace};
use rollcall_model::{
    AttendanceDraft, Device, Directory, Millis, OrgId, Organization, Period, Place, Range, Reports, SessionKind, UserKind, Value,
};

/// 2025-03-07T00:00:00Z: two days before the clocks change in New York.
const BASE: Millis = 1_741_305_600_000;

/// Zones with whole, half and quarter hours, with and without a change of clocks near [`BASE`].
const ZONES: [&str; 7] =
    ["UTC", "Asia/Shanghai", "America/New_York", "Asia/Kathmandu", "Australia/Lord_Howe", "America/Havana", "Pacific/Kiritimati"];

#[derive(Debug, Clone, PartialEq)]
struct Fact {
    app: usize,
    session: u8,
    started: Millis,
    user: u8,
    kind: Option<UserKind>,
    session_kind: SessionKind,
    joined: Millis,
    left: Millis,
    device: Device,
    unit: u8,
    place: Option<Place>,
}

#[derive(Debug, Clone)]
enum Step {
    Ingest(Vec<Fact>),
    Checkpoint,
    Flush,
    Compact,
    Vacuum,
    Forget(u8),
    Retain(Millis),
    /// Of a range, and of an app or session if they are said.
    Withdraw(Range, Option<usize>, Option<u8>),
    Reopen,
    Ask(Ask),
}

#[derive(Debug, Clone)]
struct Ask {
    range: Range,
    zone: &'static str,
    app: Option<usize>,
    unit: Option<u8>,
    order: UserOrder,
    limit: usize,
    by: Grouping,
    week_start: Weekday,
    kinds: Option<Vec<UserKind>>,
    devices: Option<Vec<Device>>,
    session_kinds: Option<Vec<SessionKind>>,
    level: PlaceLevel,
    country: Option<Place>,
}

const APPS: [&str; 2] = ["default", "西区"];

/// Places that are one though written twice, that have no subdivision, and of other countries.
const PLACES: [&str; 9] = ["CN-SH", "CN-BJ", "CN", "CN-HK", "HK", "TW-TPE", "CN-TW", "US", "US-CA"];

fn place() -> impl Strategy<Value = Option<Place>> {
    prop::option::of(prop::sample::select(&PLACES).prop_map(|code| Place::from_code(code).unwrap()))
}

fn organization() -> Organization {
    let mut organization = Organization::new(OrgId(uuid::Uuid::from_u128(7)), "o", TimeZone::UTC);
    organization.apps = APPS.map(Into::into).into();
    organization.units = vec![0, 1];
    organization
}

/// User 0 is in the directory as a room, user 1 as a member with another name; the others are not.
fn directory() -> DirectoryDocument {
    let user = |id: u8, kind| User {
        id: name(id),
        open_id: Some(format!("ou_{id}")),
        union_id: None,
        user_id: None,
        name: format!("用户{id}"),
        kind,
        departments: vec![],
        from: None,
    };
    DirectoryDocument { departments: vec![], users: vec![user(0, UserKind::Room), user(1, UserKind::Member)] }
}

fn name(user: u8) -> String {
    format!("u{user}")
}

/// Instants that meet, or just miss, the seconds, quarter hours and hours that reports cut at.
fn instant() -> impl Strategy<Value = Millis> {
    let offset = prop_oneof![Just(0), Just(-1), Just(1), 0..QUARTER_MILLIS];
    (0..5 * 96i64, offset).prop_map(|(quarter, offset)| BASE + quarter * QUARTER_MILLIS + offset)
}

fn fact() -> impl Strategy<Value = Fact> {
    let kind = prop::option::of(prop::sample::select(UserKind::ALL));
    let session_kind = prop_oneof![4 => Just(SessionKind::Meeting), 1 => Just(SessionKind::Call), 1 => Just(SessionKind::Room)];
    let joined = prop_oneof![Just(0), 0..3_600_000i64, -DAY_MILLIS..7 * DAY_MILLIS];
    let stay = prop_oneof![Just(0), Just(60_000), 0..7 * DAY_MILLIS];
    // Few sessions and users, so that meetings share an id, begin twice, and are rejoined; starts repeat because they are rounded.
    let session =
        (0usize..2, 0u8..4, prop_oneof![3 => instant().prop_map(|at| at.div_euclid(QUARTER_MILLIS) * QUARTER_MILLIS), 1 => instant()]);
    (session, 0u8..5, kind, session_kind, joined, stay, 0u8..2, prop::sample::select(Device::ALL), place()).prop_map(
        |((app, session, started), user, kind, session_kind, joined, stay, unit, device, place)| Fact {
            app,
            session,
            started,
            user,
            kind,
            session_kind,
            joined: started + joined,
            left: started + joined + stay,
            device,
            unit,
            place,
        },
    )
}

/// Some days, and now and then months around them, as cells of months need.
fn range() -> impl Strategy<Value = Range> {
    let months = prop_oneof![9 => Just(0), 1 => Just(40 * DAY_MILLIS)];
    (instant(), instant(), months).prop_map(|(a, b, around)| Range::new(a.min(b) - around, a.max(b) + around))
}

fn ask() -> impl Strategy<Value = Ask> {
    let order = prop_oneof![Just(UserOrder::Meetings), Just(UserOrder::Duration)];
    let by = prop_oneof![
        prop::sample::select(vec![Period::Day, Period::Week, Period::Month, Period::Year]).prop_map(Grouping::Period),
        (1u16..5).prop_map(Grouping::Rolling),
        Just(Grouping::Whole),
    ];
    fn some<T: Clone + std::fmt::Debug + 'static>(all: &'static [T]) -> impl Strategy<Value = Option<Vec<T>>> {
        prop::option::of(prop::sample::subsequence(all, 1..all.len()))
    }
    let filters = (prop::option::of(0usize..2), prop::option::of(0u8..3), some(UserKind::ALL), some(Device::ALL), some(SessionKind::ALL));
    let country = prop::option::of(prop::sample::select(vec!["CN", "US", "HK"]).prop_map(|code| Place::from_code(code).unwrap()));
    let places = (prop_oneof![Just(PlaceLevel::Country), Just(PlaceLevel::Subdivision)], country);
    (range(), prop::sample::select(&ZONES), filters, order, 1usize..7, by, 0i8..7, places).prop_map(
        |(range, zone, (app, unit, kinds, devices, session_kinds), order, limit, by, week_start, (level, country))| Ask {
            range,
            zone,
            app,
            unit,
            order,
            limit,
            by,
            week_start: Weekday::from_sunday_zero_offset(week_start).unwrap(),
            kinds,
            devices,
            session_kinds,
            level,
            country,
        },
    )
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let step = prop_oneof![
        4 => prop::collection::vec(fact(), 1..25).prop_map(Step::Ingest),
        1 => Just(Step::Checkpoint),
        1 => Just(Step::Flush),
        1 => Just(Step::Compact),
        1 => Just(Step::Vacuum),
        1 => (0u8..5).prop_map(Step::Forget),
        1 => (-1i64..6).prop_map(|days| Step::Retain(BASE + days * DAY_MILLIS)),
        1 => (range(), prop::option::of(0usize..2), prop::option::of(0u8..4))
            .prop_map(|(range, app, session)| Step::Withdraw(Range::new(range.from, range.to + 1), app, session)),
        1 => Just(Step::Reopen),
        4 => ask().prop_map(Step::Ask),
    ];
    prop::collection::vec(step, 1..16)
}

/// The facts as the engine takes them.
fn attendances(facts: &[Fact], organization: &Organization, directory: &Directory) -> Attendances {
    let mut batch = Attendances::default();
    for fact in facts {
        let (session, user) = (format!("会议{}", fact.session), name(fact.user));
        let mut draft = AttendanceDraft::new();
        draft.set("app", Value::Str(APPS[fact.app].into()));
        draft.set("session_id", Value::Str(session.as_str().into()));
        draft.set("session_started_at", Value::Int(fact.started));
        draft.set("session_kind", Value::Str(fact.session_kind.name().into()));
        draft.set("user_id", Value::Str(user.as_str().into()));
        draft.set("user_kind", fact.kind.map_or(Value::Null, |kind| Value::Str(kind.name().into())));
        draft.set("joined_at", Value::Int(fact.joined));
        draft.set("left_at", Value::Int(fact.left));
        draft.set("device", Value::Str(fact.device.name().into()));
        draft.set("unit", Value::Int(fact.unit.into()));
        let code = fact.place.map(|place| place.code());
        let field = if code.as_ref().is_some_and(|code| code.contains('-')) { "subdivision" } else { "country" };
        draft.set(field, code.map_or(Value::Null, |code| Value::Str(code.into())));
        batch.push(&draft.finish(organization, directory, None).unwrap());
    }
    batch
}

fn open(directory: &std::path::Path) -> Engine {
    // Small budgets, so that cells and ids are forgotten and read again, and days are kept in several blocks.
    let settings = Settings { cell_cache_bytes: 4096, id_cache_bytes: 1024, checkpoint_facts: 40, block_bytes: 300, ..Settings::default() };
    Engine::open(directory, settings).unwrap()
}

fn check(engine: &Engine, oracle: &Oracle, ask: &Ask) -> Result<(), TestCaseError> {
    let org = organization().id;
    let zone = TimeZone::get(ask.zone).unwrap();
    let app = ask.app.map(|app| APPS[app].to_owned());
    let days = engine.meeting_days(org, &MeetingDays { range: ask.range, zone: zone.clone(), app: app.clone(), unit: ask.unit }).unwrap();
    let rows: Vec<_> = days.rows.iter().map(|row| (row.date, row.meetings, row.duration, row.participants)).collect();
    prop_assert_eq!(rows, oracle.meeting_days(ask), "meeting_days {:?}", ask);
    let seen = oracle.meetings(ask).into_values().flatten().map(|fact| (fact.joined, fact.left));
    let seen = seen.reduce(|a, b| (a.0.min(b.0), a.1.max(b.1)));
    prop_assert_eq!(days.covers.seen, seen);
    let question = TopUsers { range: ask.range, zone, order: ask.order, limit: ask.limit, app, unit: ask.unit };
    let users = engine.top_users(org, &question).unwrap();
    let rows: Vec<_> = users.rows.iter().map(|row| (row.id.clone(), row.kind, row.meetings, row.duration)).collect();
    prop_assert_eq!(rows, oracle.top_users(ask), "top_users {:?}", ask);
    prop_assert_eq!(users.covers.seen, seen);
    let question = ActiveUsers {
        range: ask.range,
        zone: TimeZone::get(ask.zone).unwrap(),
        week_start: ask.week_start,
        by: ask.by,
        user_kinds: ask.kinds.clone(),
        devices: ask.devices.clone(),
        session_kinds: ask.session_kinds.clone(),
        app: ask.app.map(|app| APPS[app].to_owned()),
    };
    let active = engine.active_users(org, &question).unwrap();
    let rows: Vec<_> = active.rows.iter().map(|row| (row.date, row.users)).collect();
    prop_assert_eq!(rows, oracle.active_users(ask), "active_users {:?}", ask);
    let question = UsersByPlace {
        range: ask.range,
        zone: TimeZone::get(ask.zone).unwrap(),
        by: ask.level,
        country: ask.country,
        app: ask.app.map(|app| APPS[app].to_owned()),
    };
    let placed = engine.users_by_place(org, &question).unwrap();
    let rows: Vec<_> = placed.rows.iter().map(|row| (row.place.map(|place| place.code()), row.users)).collect();
    prop_assert_eq!(rows, oracle.users_by_place(ask), "users_by_place {:?}", ask);
    Ok(())
}

/// Whether `verify` finds nothing, in a range and everywhere; returns how many facts it read.
fn cells_are_what_the_facts_say(engine: &Engine, range: Range) -> Result<u64, TestCaseError> {
    let verify = |range| engine.verify(&Scope { org: None, range }, &|_, _| {}).unwrap();
    let (some, all) = (verify(range), verify(Scope::ALL.range));
    prop_assert_eq!((&some.told, &all.told), (&vec![], &vec![]));
    prop_assert_eq!((some.unverified, all.unverified), (0, 0));
    prop_assert!(some.facts <= all.facts);
    Ok(all.facts)
}

/// Whether exactly so many facts are erased, as the dry run says before, and it is proven; none: the user is unknown.
fn erases(engine: &Engine, org: OrgId, selection: &Selection, named: Option<usize>) -> Result<(), TestCaseError> {
    let Some(named) = named else {
        let refused = |outcome| matches!(outcome, Err(EngineError::UnknownUser { .. }));
        let both = [engine.would_erase(org, selection), engine.erase_and(false, org, selection, &|_, _| {})].map(refused);
        prop_assert_eq!(both, [true; 2]);
        return Ok(());
    };
    let told = engine.would_erase(org, selection).unwrap();
    // That nothing is left on the disk is tested where erasing is.
    let erased = engine.erase_and(false, org, selection, &|_, _| {}).unwrap();
    prop_assert_eq!((told.facts(), told.times), (named as u64, erased.times));
    prop_assert_eq!((told.attendances, told.assistances), (erased.attendances, erased.assistances));
    prop_assert_eq!((erased.ids, told.directory_entries), (named as u64, erased.directory_entries));
    let is_idle = named == 0 && !matches!(selection, Selection::User(_));
    prop_assert_eq!(erased.proof, (!is_idle).then(Proof::default));
    Ok(())
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 80, ..ProptestConfig::default() })]

    #[test]
    fn reports_are_what_a_naive_loop_over_the_facts_gives(steps in steps(), last in prop::collection::vec(ask(), 4)) {
        let temporary = tempfile::tempdir().unwrap();
        let organization = organization();
        let mut engine = open(temporary.path());
        engine.put_directory(organization.id, directory()).unwrap();
        let mut oracle = Oracle::default();
        let last_range = last[0].range;
        for step in steps.into_iter().chain(last.into_iter().map(Step::Ask)) {
            match step {
                Step::Ingest(facts) => {
                    let batch = attendances(&facts, &organization, &engine.directory(organization.id));
                    let receipt = engine.ingest(&organization, batch).unwrap();
                    prop_assert_eq!((receipt.accepted, receipt.duplicate, receipt.conflicting), oracle.take(&facts));
                }
                Step::Checkpoint => engine.checkpoint().unwrap(),
                Step::Flush => {
                    engine.flush().unwrap();
                }
                Step::Compact => {
                    engine.compact().unwrap();
                }
                Step::Vacuum => {
                    // In the far future, when everything was unneeded for long.
                    engine.vacuum(Millis::MAX, false).unwrap();
                }
                Step::Forget(user) => {
                    let named = oracle.forget(user);
                    erases(&engine, organization.id, &Selection::User(name(user)), named)?;
                }
                Step::Retain(before) => {
                    let named = oracle.retain(before);
                    erases(&engine, organization.id, &Selection::Before(before), Some(named))?;
                }
                Step::Withdraw(range, app, session) => {
                    let named = oracle.withdraw(range, app, session);
                    let (app, session_id) = (app.map(|app| APPS[app].into()), session.map(|session| format!("会议{session}")));
                    let mistake = Conditions { app, session_id, from: Some(range.from), to: Some(range.to), ..Conditions::default() };
                    erases(&engine, organization.id, &mistake.selection().unwrap(), Some(named))?;
                }
                Step::Reopen => {
                    drop(engine);
                    engine = open(temporary.path());
                }
                Step::Ask(ask) => check(&engine, &oracle, &ask)?,
            }
        }
        let everything = Range::new(BASE - 30 * DAY_MILLIS, BASE + 30 * DAY_MILLIS);
        let mut scanned = 0;
        for block in engine.scan::<AttendanceBlock>(organization.id, everything) {
            scanned += block.unwrap().facts();
        }
        prop_assert_eq!(scanned, oracle.facts.len());
        cells_are_what_the_facts_say(&engine, last_range)?;
        engine.checkpoint().unwrap();
        prop_assert_eq!(cells_are_what_the_facts_say(&engine, last_range)?, oracle.facts.len() as u64);
    }
}
