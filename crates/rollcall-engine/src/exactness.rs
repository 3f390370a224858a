//! The promise *exact*, held against a naive loop: whatever facts came, in whatever batches and order, with duplicates, late facts,
//! checkpoints and restarts between them, every report gives the rows that a loop over the accepted facts gives.

use crate::facts::Attendances;
use crate::{Engine, Settings};
use jiff::civil::Date;
use jiff::tz::TimeZone;
use proptest::prelude::*;
use rollcall_model::calendar::{DAY_MILLIS, QUARTER_MILLIS, timestamp};
use rollcall_model::directory::{DirectoryDocument, User};
use rollcall_model::reports::{MeetingDays, TopUsers, UserOrder};
use rollcall_model::{Directory, Draft, Millis, OrgId, Organization, Range, Reports, SessionKind, UserKind, Value};
use std::collections::{BTreeMap, BTreeSet};

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
    unit: u8,
}

#[derive(Debug, Clone)]
enum Step {
    Ingest(Vec<Fact>),
    Checkpoint,
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
}

/// App, session and start.
type Meeting = (usize, u8, Millis);

/// Meetings, sum of stays, and the latest join with its kind.
type Attended = (BTreeSet<Meeting>, Millis, (Millis, UserKind));

const APPS: [&str; 2] = ["default", "西区"];

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
    (session, 0u8..5, kind, session_kind, joined, stay, 0u8..2).prop_map(
        |((app, session, started), user, kind, session_kind, joined, stay, unit)| Fact {
            app,
            session,
            started,
            user,
            kind,
            session_kind,
            joined: started + joined,
            left: started + joined + stay,
            unit,
        },
    )
}

fn ask() -> impl Strategy<Value = Ask> {
    let order = prop_oneof![Just(UserOrder::Meetings), Just(UserOrder::Duration)];
    (instant(), instant(), prop::sample::select(&ZONES), prop::option::of(0usize..2), prop::option::of(0u8..3), order, 1usize..7)
        .prop_map(|(a, b, zone, app, unit, order, limit)| Ask { range: Range::new(a.min(b), a.max(b)), zone, app, unit, order, limit })
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let step = prop_oneof![
        4 => prop::collection::vec(fact(), 1..25).prop_map(Step::Ingest),
        1 => Just(Step::Checkpoint),
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
        let mut draft = Draft::new();
        draft.set("app", Value::Str(APPS[fact.app].into()));
        draft.set("session_id", Value::Str(session.as_str().into()));
        draft.set("session_started_at", Value::Int(fact.started));
        draft.set("session_kind", Value::Str(fact.session_kind.name().into()));
        draft.set("user_id", Value::Str(user.as_str().into()));
        draft.set("user_kind", fact.kind.map_or(Value::Null, |kind| Value::Str(kind.name().into())));
        draft.set("joined_at", Value::Int(fact.joined));
        draft.set("left_at", Value::Int(fact.left));
        draft.set("unit", Value::Int(fact.unit.into()));
        batch.push(&draft.finish(organization, directory).unwrap());
    }
    batch
}

/// What the ledger should hold: the first fact of each id.
#[derive(Default)]
struct Oracle {
    facts: Vec<Fact>,
}

impl Oracle {
    /// (accepted, duplicate, conflicting)
    fn take(&mut self, facts: &[Fact]) -> (u64, u64, u64) {
        let mut counts = (0, 0, 0);
        for fact in facts {
            let id = |fact: &Fact| (fact.app, fact.session, fact.started, fact.user, fact.joined);
            match self.facts.iter().find(|known| id(known) == id(fact)) {
                None => {
                    self.facts.push(fact.clone());
                    counts.0 += 1;
                }
                Some(known) if known == fact => counts.1 += 1,
                Some(_) => counts.2 += 1,
            }
        }
        counts
    }

    fn meetings(&self, ask: &Ask) -> BTreeMap<Meeting, Vec<&Fact>> {
        let mut meetings: BTreeMap<_, Vec<&Fact>> = BTreeMap::new();
        for fact in &self.facts {
            let counts = fact.session_kind == SessionKind::Meeting
                && ask.range.contains(fact.started)
                && ask.app.is_none_or(|app| app == fact.app)
                && ask.unit.is_none_or(|unit| unit == fact.unit);
            if counts {
                meetings.entry((fact.app, fact.session, fact.started)).or_default().push(fact);
            }
        }
        meetings
    }

    fn meeting_days(&self, ask: &Ask) -> Vec<(Date, u64, Millis, u64)> {
        let zone = TimeZone::get(ask.zone).unwrap();
        let date = |at: Millis| zone.to_datetime(timestamp(at)).date();
        let mut days: BTreeMap<Date, (u64, Millis, u64)> = BTreeMap::new();
        let mut at = ask.range.from;
        while at < ask.range.to {
            days.entry(date(at)).or_default();
            at += QUARTER_MILLIS;
        }
        if ask.range.from < ask.range.to {
            days.entry(date(ask.range.to - 1)).or_default();
        }
        for ((_, _, started), facts) in self.meetings(ask) {
            let day = days.get_mut(&date(started)).unwrap();
            day.0 += 1;
            day.1 += facts.iter().map(|fact| fact.left).max().unwrap() - facts.iter().map(|fact| fact.joined).min().unwrap();
            day.2 += facts.iter().map(|fact| fact.user).collect::<BTreeSet<_>>().len() as u64;
        }
        days.into_iter().map(|(date, (meetings, duration, participants))| (date, meetings, duration, participants)).collect()
    }

    fn top_users(&self, ask: &Ask) -> Vec<(String, UserKind, u64, Millis)> {
        let mut users: BTreeMap<u8, Attended> = BTreeMap::new();
        for (meeting, facts) in self.meetings(ask) {
            for fact in facts {
                let given = fact.kind.unwrap_or(if fact.user == 0 { UserKind::Room } else { UserKind::Member });
                let user = users.entry(fact.user).or_insert((BTreeSet::new(), 0, (fact.joined, given)));
                user.0.insert(meeting);
                user.1 += fact.left - fact.joined;
                user.2 = user.2.max((fact.joined, given));
            }
        }
        let mut rows: Vec<_> = users
            .into_iter()
            .map(|(user, (meetings, duration, (_, kind)))| {
                let kind = match user {
                    0 => UserKind::Room,
                    1 => UserKind::Member,
                    _ => kind,
                };
                (name(user), kind, meetings.len() as u64, duration)
            })
            .collect();
        rows.sort_by(|a, b| {
            let measures = |row: &(String, UserKind, u64, Millis)| match ask.order {
                UserOrder::Meetings => (-(row.2 as i64), -row.3),
                UserOrder::Duration => (-row.3, -(row.2 as i64)),
            };
            measures(a).cmp(&measures(b)).then(a.0.cmp(&b.0))
        });
        rows.truncate(ask.limit);
        rows
    }
}

fn open(directory: &std::path::Path) -> Engine {
    // Small budgets, so that cells and ids are forgotten and read again.
    let settings = Settings { cell_cache_bytes: 4096, id_cache_bytes: 512, checkpoint_facts: 40, ..Settings::default() };
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
    Ok(())
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 150, ..ProptestConfig::default() })]

    #[test]
    fn reports_are_what_a_naive_loop_over_the_facts_gives(steps in steps(), last in prop::collection::vec(ask(), 4)) {
        let temporary = tempfile::tempdir().unwrap();
        let organization = organization();
        let mut engine = open(temporary.path());
        engine.put_directory(organization.id, directory()).unwrap();
        let mut oracle = Oracle::default();
        for step in steps.into_iter().chain(last.into_iter().map(Step::Ask)) {
            match step {
                Step::Ingest(facts) => {
                    let batch = attendances(&facts, &organization, &engine.directory(organization.id));
                    let receipt = engine.ingest(&organization, batch).unwrap();
                    prop_assert_eq!((receipt.accepted, receipt.duplicate, receipt.conflicting), oracle.take(&facts));
                }
                Step::Checkpoint => engine.checkpoint().unwrap(),
                Step::Reopen => {
                    drop(engine);
                    engine = open(temporary.path());
                }
                Step::Ask(ask) => check(&engine, &oracle, &ask)?,
            }
        }
        let everything = Range::new(BASE - 30 * DAY_MILLIS, BASE + 30 * DAY_MILLIS);
        let mut scanned = 0;
        for block in engine.scan(organization.id, everything) {
            scanned += block.unwrap().batch().num_rows();
        }
        prop_assert_eq!(scanned, oracle.facts.len());
    }
}
