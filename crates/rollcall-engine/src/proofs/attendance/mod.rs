//! Attendances: random facts and questions, held against a naive loop.

mod naive;
mod people;
mod questions;

use super::directory::Held;
use super::{APPS, BASE, Proven, ZONES, between, far, name, organization};
use crate::Engine;
use crate::kinds::columns::{Attendances, Facts};
use jiff::civil::Weekday;
use jiff::tz::TimeZone;
use naive::Naive;
use proptest::prelude::*;
use rollcall_model::calendar::{DAY_MILLIS, QUARTER_MILLIS};
use rollcall_model::reports::{Grouping, MeetingDays, PlaceLevel, TopUsers, UserOrder, UsersByPlace};
use rollcall_model::{
    AttendanceDraft, Device, Directory, Medium, Millis, OrgId, Organization, Period, Place, Range, Reports, SessionKind, UserKind, Value,
};

/// The kind.
pub(super) struct Attending;

#[derive(Debug, Clone, PartialEq)]
pub(super) struct Fact {
    pub(super) id: Option<u8>,
    pub(super) app: usize,
    pub(super) session: u8,
    pub(super) started: Millis,
    pub(super) user: u8,
    pub(super) kind: Option<UserKind>,
    pub(super) session_kind: SessionKind,
    pub(super) joined: Millis,
    pub(super) left: Millis,
    pub(super) device: Device,
    pub(super) media: Vec<Medium>,
    pub(super) unit: u8,
    pub(super) place: Option<Place>,
}

/// A fact, and the kind that its user had when it came.
#[derive(Debug)]
pub(super) struct Kept {
    fact: Fact,
    kind: UserKind,
}

#[derive(Debug, Clone)]
pub(super) struct Ask {
    pub(super) range: Range,
    pub(super) zone: &'static str,
    pub(super) app: Option<usize>,
    pub(super) unit: Option<u8>,
    pub(super) order: UserOrder,
    pub(super) limit: usize,
    pub(super) by: Grouping,
    pub(super) week_start: Weekday,
    pub(super) kinds: Option<Vec<UserKind>>,
    pub(super) devices: Option<Vec<Device>>,
    pub(super) media: Option<Vec<Medium>>,
    /// A department, and whether those below it count.
    pub(super) department: Option<(usize, bool)>,
    /// What is asked of meetings, and of who is there at once: no rolling days.
    pub(super) span: Grouping,
    pub(super) session_kinds: Option<Vec<SessionKind>>,
    pub(super) level: PlaceLevel,
    pub(super) country: Option<Place>,
}

impl Proven for Attending {
    type Fact = Fact;
    type Ask = Ask;
    type Kept = Kept;

    fn fact() -> BoxedStrategy<Fact> {
        fact()
    }

    fn ask() -> BoxedStrategy<Ask> {
        ask()
    }

    fn columns(facts: &[Fact], organization: &Organization, directory: &Directory) -> Facts {
        attendances(facts, organization, directory).into()
    }

    fn have_one_id(a: &Fact, b: &Fact) -> bool {
        let id = |fact: &Fact| (fact.app, fact.session, fact.started, fact.user, fact.joined);
        a.id == b.id && (a.id.is_some() || id(a) == id(b))
    }

    fn keep(fact: &Fact, _: &Organization, directory: &mut Held) -> Kept {
        Kept { kind: fact.kind.or_else(|| directory.kind_of(fact.user)).unwrap_or(UserKind::Member), fact: fact.clone() }
    }

    fn fact_of(kept: &Kept) -> &Fact {
        &kept.fact
    }

    fn user(fact: &Fact) -> u8 {
        fact.user
    }

    fn time(fact: &Fact) -> Millis {
        fact.started
    }

    fn session(fact: &Fact) -> Option<(usize, u8)> {
        Some((fact.app, fact.session))
    }

    fn check(engine: &Engine, org: OrgId, facts: &[Kept], directory: &Held, ask: &Ask) -> Result<(), TestCaseError> {
        let home = organization(usize::from(org != organization(0).id)).zone;
        check(engine, org, &Naive { facts, directory, home }, ask)
    }
}

/// Places that are one though written twice, that have no subdivision, and of other countries.
const PLACES: [&str; 9] = ["CN-SH", "CN-BJ", "CN", "CN-HK", "HK", "TW-TPE", "CN-TW", "US", "US-CA"];

fn place() -> impl Strategy<Value = Option<Place>> {
    prop::option::of(prop::sample::select(&PLACES).prop_map(|code| Place::from_code(code).unwrap()))
}

/// Instants that meet, or just miss, the seconds, quarter hours and hours that reports cut at.
fn instant() -> impl Strategy<Value = Millis> {
    let offset = prop_oneof![Just(0), Just(-1), Just(1), 0..QUARTER_MILLIS];
    (0..5 * 96i64, offset).prop_map(|(quarter, offset)| BASE + quarter * QUARTER_MILLIS + offset)
}

fn fact() -> BoxedStrategy<Fact> {
    let kind = prop::option::of(prop::sample::select(UserKind::ALL));
    let session_kind = prop_oneof![4 => Just(SessionKind::Meeting), 1 => Just(SessionKind::Call), 1 => Just(SessionKind::Room)];
    let joined = prop_oneof![Just(0), 0..3_600_000i64, -DAY_MILLIS..7 * DAY_MILLIS];
    let stay = prop_oneof![Just(0), Just(60_000), 0..7 * DAY_MILLIS];
    // Few sessions and users, so that meetings share an id, begin twice, and are rejoined; starts repeat because they are rounded.
    let session =
        (0usize..2, 0u8..4, prop_oneof![3 => instant().prop_map(|at| at.div_euclid(QUARTER_MILLIS) * QUARTER_MILLIS), 1 => instant()]);
    (
        session,
        (prop::option::weighted(0.2, 0u8..9), 0u8..5),
        kind,
        session_kind,
        (joined, far()),
        stay,
        0u8..2,
        (prop::sample::select(Device::ALL), prop::sample::subsequence(Medium::ALL, 0..4)),
        place(),
    )
        .prop_map(|((app, session, started), (id, user), kind, session_kind, (joined, far), stay, unit, (device, media), place)| Fact {
            id,
            app,
            session,
            started: started + far,
            user,
            kind,
            session_kind,
            joined: started + far + joined,
            left: started + far + joined + stay,
            device,
            media,
            unit,
            place,
        })
        .boxed()
}

fn ask() -> BoxedStrategy<Ask> {
    let order = prop_oneof![Just(UserOrder::Meetings), Just(UserOrder::Duration)];
    fn span() -> impl Strategy<Value = Grouping> {
        let periods = vec![Period::Day, Period::Week, Period::Month, Period::Quarter, Period::Year];
        prop_oneof![5 => prop::sample::select(periods).prop_map(Grouping::Period), 1 => Just(Grouping::Whole)]
    }
    let by = (prop_oneof![6 => span(), 1 => (1u16..5).prop_map(Grouping::Rolling), 1 => Just(Grouping::Hour)], span());
    let department = prop::option::weighted(0.4, (0usize..5, any::<bool>()));
    fn some<T: Clone + std::fmt::Debug + 'static>(all: &'static [T]) -> impl Strategy<Value = Option<Vec<T>>> {
        prop::option::of(prop::sample::subsequence(all, 1..all.len()))
    }
    let filters = (prop::option::of(0usize..2), prop::option::of(0u8..3), some(UserKind::ALL), some(Device::ALL), some(SessionKind::ALL));
    let more = (prop::option::weighted(0.3, prop::sample::subsequence(Medium::ALL, 1..4)), department);
    let country = prop::option::of(prop::sample::select(vec!["CN", "US", "HK"]).prop_map(|code| Place::from_code(code).unwrap()));
    let places = (prop_oneof![Just(PlaceLevel::Country), Just(PlaceLevel::Subdivision)], country);
    (between(instant(), instant()), prop::sample::select(&ZONES), filters, (order, 1usize..7), more, by, 0i8..7, places)
        .prop_map(
            |(
                range,
                zone,
                (app, unit, kinds, devices, session_kinds),
                (order, limit),
                (media, department),
                (by, span),
                week_start,
                (level, country),
            )| Ask {
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
                media,
                department,
                span,
                session_kinds,
                level,
                country,
            },
        )
        .boxed()
}

pub(super) fn session_id(session: u8) -> String {
    format!("会议{session}")
}

/// The facts as the engine takes them.
pub(super) fn attendances(facts: &[Fact], organization: &Organization, directory: &Directory) -> Attendances {
    let mut batch = Attendances::default();
    for fact in facts {
        let (session, user, id) = (session_id(fact.session), name(fact.user), fact.id.map(|id| id.to_string()));
        let mut draft = AttendanceDraft::new();
        draft.set("id", id.map_or(Value::Null, |id| Value::Str(id.into())));
        draft.set("app", Value::Str(APPS[fact.app].into()));
        draft.set("session_id", Value::Str(session.as_str().into()));
        draft.set("session_started_at", Value::Int(fact.started));
        draft.set("session_kind", Value::Str(fact.session_kind.name().into()));
        draft.set("user_id", Value::Str(user.as_str().into()));
        draft.set("user_kind", fact.kind.map_or(Value::Null, |kind| Value::Str(kind.name().into())));
        draft.set("joined_at", Value::Int(fact.joined));
        draft.set("left_at", Value::Int(fact.left));
        draft.set("device", Value::Str(fact.device.name().into()));
        draft.set("media", Value::List(fact.media.iter().map(|medium| medium.name().into()).collect()));
        draft.set("unit", Value::Int(fact.unit.into()));
        let code = fact.place.map(|place| place.code());
        let field = if code.as_ref().is_some_and(|code| code.contains('-')) { "subdivision" } else { "country" };
        draft.set(field, code.map_or(Value::Null, |code| Value::Str(code.into())));
        batch.push(&draft.finish(organization, directory, None).unwrap());
    }
    batch
}

fn check(engine: &Engine, org: OrgId, oracle: &Naive<'_>, ask: &Ask) -> Result<(), TestCaseError> {
    let zone = TimeZone::get(ask.zone).unwrap();
    let app = ask.app.map(|app| APPS[app].to_owned());
    let question = MeetingDays {
        range: ask.range,
        zone: zone.clone(),
        week_start: ask.week_start,
        by: ask.span,
        app: app.clone(),
        unit: ask.unit,
        with_people: true,
    };
    let days = engine.meeting_days(org, &question).unwrap();
    let rows: Vec<_> = days.rows.iter().map(|row| (row.date, row.meetings, row.duration, row.participants, row.people.unwrap())).collect();
    prop_assert_eq!(rows, oracle.meeting_days(ask), "meeting_days {:?}", ask);
    let seen = oracle.meetings(ask).into_values().flatten().map(|kept| (kept.fact.joined, kept.fact.left));
    let seen = seen.reduce(|a, b| (a.0.min(b.0), a.1.max(b.1)));
    prop_assert_eq!(days.covers.seen, seen);
    let question = TopUsers { range: ask.range, zone, order: ask.order, limit: ask.limit, app, unit: ask.unit, kinds: ask.kinds.clone() };
    let users = engine.top_users(org, &question).unwrap();
    let rows: Vec<_> = users.rows.iter().map(|row| (row.id.clone(), row.kind, row.meetings, row.duration)).collect();
    prop_assert_eq!(rows, oracle.top_users(ask), "top_users {:?}", ask);
    prop_assert_eq!(users.covers.seen, seen);
    questions::check(engine, org, oracle, ask)?;
    people::check(engine, org, oracle, ask)?;
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
