//! Who is behind the rows of reports, and who is in none; departments and sessions; by naive loops.

use super::naive::{Naive, pieces};
use super::questions::{filter, uses_one};
use super::{Ask, Fact, Kept, session_id};
use crate::Engine;
use crate::proofs::directory::DEPARTMENTS;
use crate::proofs::{APPS, name};
use jiff::civil::Date;
use jiff::tz::TimeZone;
use proptest::prelude::*;
use rollcall_model::calendar::timestamp;
use rollcall_model::reports::{
    ActiveUsers, Concurrency, DepartmentUsers, Grouping, MeansLevel, MeetingDays, People, PeopleOrder, PeoplePlace, Person, PersonRow,
    RowOf, Session, SessionKey, Sessions, Silent, StayFilter, TopUsers, UsersByMeans, UsersByPlace,
};
use rollcall_model::{Millis, OrgId, Range, Reports, UserKind};
use std::collections::{BTreeMap, BTreeSet};

/// First join, last leave, sessions, time.
type Did = (Millis, Millis, BTreeSet<(usize, u8, Millis, u8)>, Millis);

/// Start, app, id and kind; first join, last leave, users, stays, time.
type SessionSays = ((Millis, &'static str, String, u8), (Millis, Millis, u64, u64, Millis));

impl Naive<'_> {
    fn day(&self, at: Millis) -> Date {
        self.home.to_datetime(timestamp(at)).date()
    }

    /// What the users did whose stays that count overlap a range.
    fn did(&self, ask: &Ask, range: Range) -> BTreeMap<u8, Did> {
        let mut users: BTreeMap<u8, Did> = BTreeMap::new();
        let pieces = pieces(range);
        for Kept { fact, .. } in self.counted(ask).filter(|kept| uses_one(ask, kept)) {
            let lasted = Range::new(fact.joined, fact.left.max(fact.joined + 1));
            let counts = |(from, to): &&(Millis, Millis)| {
                let meets = !lasted.intersect(&Range::new(*from, *to)).is_empty();
                meets && ask.department.is_none_or(|department| self.is_in(fact.user, *from, department))
            };
            let parts: Vec<_> = pieces.iter().filter(counts).collect();
            if !parts.is_empty() {
                let did = users.entry(fact.user).or_insert((Millis::MAX, Millis::MIN, BTreeSet::new(), 0));
                (did.0, did.1) = (did.0.min(fact.joined), did.1.max(fact.left));
                did.2.insert((fact.app, fact.session, fact.started, fact.session_kind.number()));
                did.3 += parts.iter().map(|(from, to)| (fact.left.min(*to) - fact.joined.max(*from)).max(0)).sum::<Millis>();
            }
        }
        users
    }

    /// Users of each department, and its members; users of none.
    fn departments(&self, ask: &Ask, with_subtree: bool, within: Option<&str>) -> (BTreeMap<&'static str, (u64, u64)>, u64) {
        let (mut rows, mut without) = (BTreeMap::<&str, (BTreeSet<u8>, BTreeSet<String>)>::new(), BTreeSet::new());
        let mut days: Vec<Date> = pieces(ask.range).iter().map(|(from, _)| self.day(*from)).collect();
        days.dedup();
        // Where a department is on a day: itself and those above it.
        let path = |id: &'static str, day: Date| -> Vec<&str> {
            let mut path = Vec::new();
            let mut at = self.directory.parent_on(id, day).map(|_| id);
            while let Some(here) = at {
                path.push(here);
                at = self.directory.parent_on(here, day).flatten();
            }
            path
        };
        let is_asked = |id: &'static str, day: Date| within.is_none_or(|within| path(id, day).contains(&within));
        let of_user = |user: &str, day: Date, id: &'static str| {
            if with_subtree {
                return self.directory.departments_above(user, day).contains(id);
            }
            self.directory.user_on(user, day).is_some_and(|entry| entry.departments.iter().any(|direct| direct == id))
        };
        for day in days {
            for id in DEPARTMENTS {
                if self.directory.parent_on(id, day).is_some() && is_asked(id, day) {
                    let row = rows.entry(id).or_default();
                    row.1.extend((0..5).map(name).filter(|user| of_user(user, day, id)));
                }
            }
        }
        let whole = Ask { department: None, ..ask.clone() };
        for (at, users) in self.present(&whole, ask.range, |_| true) {
            let day = self.day(at);
            for user in users {
                if self.directory.user_on(&name(user), day).is_none_or(|entry| entry.departments.is_empty()) {
                    without.insert(user);
                }
                for id in DEPARTMENTS.into_iter().filter(|id| is_asked(id, day) && of_user(&name(user), day, id)) {
                    rows.entry(id).or_default().0.insert(user);
                }
            }
        }
        let count = |(id, (users, members)): (_, (BTreeSet<u8>, BTreeSet<String>))| (id, (users.len() as u64, members.len() as u64));
        (rows.into_iter().map(count).collect(), without.len() as u64)
    }

    fn silent(&self, ask: &Ask) -> Vec<String> {
        let whole = Ask { department: None, kinds: None, devices: None, session_kinds: None, media: None, app: None, ..ask.clone() };
        let heard: BTreeSet<String> =
            self.present(&whole, ask.range, |_| true).into_iter().flat_map(|(_, users)| users).map(name).collect();
        let mut members = BTreeSet::new();
        for (at, _) in pieces(ask.range) {
            let day = self.day(at);
            let is_member = |user: &u8| {
                self.directory.user_on(&name(*user), day).is_some_and(|entry| entry.kind == UserKind::Member)
                    && ask.department.is_none_or(|department| self.is_in(*user, at, department))
            };
            members.extend((0..5).filter(is_member).map(name));
        }
        members.difference(&heard).cloned().collect()
    }

    fn sessions(&self, ask: &Ask, user: Option<u8>) -> Vec<SessionSays> {
        let mut sessions: BTreeMap<(Millis, &str, String, u8), Vec<&Fact>> = BTreeMap::new();
        for Kept { fact, .. } in self.facts.iter().filter(|kept| ask.range.contains(kept.fact.started)) {
            let key = (fact.started, APPS[fact.app], session_id(fact.session), fact.session_kind.number());
            sessions.entry(key).or_default().push(fact);
        }
        let counts = |(_, stays): &(_, Vec<&Fact>)| {
            let in_department = |fact: &&Fact| {
                let lasted = Range::new(fact.joined, fact.left.max(fact.joined + 1));
                ask.department.is_none_or(|department| pieces(lasted).iter().any(|(at, _)| self.is_in(fact.user, *at, department)))
            };
            ask.app.is_none_or(|app| stays[0].app == app)
                && ask.session_kinds.as_ref().is_none_or(|kinds| kinds.contains(&stays[0].session_kind))
                && user.is_none_or(|user| stays.iter().any(|fact| fact.user == user))
                && stays.iter().any(in_department)
        };
        let says = |(key, stays): (_, Vec<&Fact>)| {
            let users: BTreeSet<u8> = stays.iter().map(|fact| fact.user).collect();
            let (first, last) = (stays.iter().map(|fact| fact.joined).min(), stays.iter().map(|fact| fact.left).max());
            let time = stays.iter().map(|fact| fact.left - fact.joined).sum();
            (key, (first.unwrap(), last.unwrap(), users.len() as u64, stays.len() as u64, time))
        };
        sessions.into_iter().filter(counts).map(says).collect()
    }
}

/// The people behind a row, in pages of two.
fn people(engine: &Engine, org: OrgId, oracle: &Naive<'_>, behind: &RowOf, order: PeopleOrder) -> Vec<PersonRow> {
    let mut all: Vec<PersonRow> = Vec::new();
    loop {
        let after = all.last().map(|row| {
            let measure = match order {
                PeopleOrder::Id => 0,
                PeopleOrder::Time => row.time,
                PeopleOrder::Sessions => row.sessions as i64,
            };
            PeoplePlace { measure, id: row.id.clone() }
        });
        let ask = People { behind: behind.clone(), home: oracle.home.clone(), order, after, limit: 2 };
        let page = engine.people(org, &ask).unwrap().rows;
        let is_last = page.len() < 2;
        all.extend(page);
        if is_last {
            return all;
        }
    }
}

/// Whether as many people are behind each row as it says.
fn are_as_many_as_rows_say(engine: &Engine, org: OrgId, oracle: &Naive<'_>, ask: &Ask) -> Result<(), TestCaseError> {
    let (range, zone, of) = (ask.range, TimeZone::get(ask.zone).unwrap(), filter(oracle, ask));
    let count = |behind: &RowOf| people(engine, org, oracle, behind, PeopleOrder::Id).len() as u64;
    for by in [MeansLevel::Medium, MeansLevel::Device] {
        let question = UsersByMeans { range, zone: zone.clone(), by, of: of.clone() };
        for row in engine.users_by_means(org, &question).unwrap().rows {
            prop_assert_eq!(count(&RowOf::UsersByMeans(question.clone(), row.means)), row.users, "{:?} {:?}", row, ask);
        }
    }
    let app = ask.app.map(|app| APPS[app].to_owned());
    let question = UsersByPlace { range, zone: zone.clone(), by: ask.level, country: ask.country, app: app.clone() };
    for row in engine.users_by_place(org, &question).unwrap().rows {
        prop_assert_eq!(count(&RowOf::UsersByPlace(question.clone(), row.place)), row.users, "{:?} {:?}", row, ask);
    }
    let (by, unit, week_start) = (ask.span, ask.unit, ask.week_start);
    let question = MeetingDays { range, zone: zone.clone(), week_start, by, app: app.clone(), unit, with_people: true };
    for row in engine.meeting_days(org, &question).unwrap().rows {
        prop_assert_eq!(count(&RowOf::MeetingDays(question.clone(), row.period)), row.people.unwrap(), "{:?} {:?}", row, ask);
    }
    let question = TopUsers { range, zone: zone.clone(), order: ask.order, limit: 9, app, unit, kinds: None };
    for row in engine.top_users(org, &question).unwrap().rows {
        let found = people(engine, org, oracle, &RowOf::TopUsers(question.clone(), row.id.clone()), PeopleOrder::Id);
        prop_assert_eq!(found.iter().map(|found| (&found.id, found.sessions)).collect::<Vec<_>>(), [(&row.id, row.meetings)], "{:?}", ask);
    }
    let question = Concurrency { range, zone, week_start, by, of: StayFilter { department: None, media: None, ..of } };
    for peak in engine.concurrency(org, &question).unwrap().rows.iter().filter_map(|row| row.stays) {
        let there = |kept: &&Kept| kept.fact.joined <= peak.at && peak.at < kept.fact.left;
        let there: BTreeSet<u8> = oracle.counted(ask).filter(there).map(|kept| kept.fact.user).collect();
        prop_assert_eq!(count(&RowOf::Concurrency(question.clone(), peak.at)), there.len() as u64, "{:?} {:?}", peak, ask);
    }
    Ok(())
}

fn departments(engine: &Engine, org: OrgId, oracle: &Naive<'_>, ask: &Ask) -> Result<(), TestCaseError> {
    let with_subtree = ask.department.is_none_or(|(_, with_subtree)| with_subtree);
    let within = ask.department.map(|(department, _)| DEPARTMENTS[department].to_owned());
    let (range, zone, home, of) = (ask.range, TimeZone::get(ask.zone).unwrap(), oracle.home.clone(), filter(oracle, ask));
    let question = DepartmentUsers { range, zone, home, with_subtree, within: within.clone(), of };
    let rows = engine.department_users(org, &question).unwrap().rows;
    let (expected, without) = oracle.departments(ask, with_subtree, within.as_deref());
    let expected = expected.into_iter().map(|(id, (users, members))| (Some(id.to_owned()), users, members));
    let expected: Vec<_> = expected.chain(within.is_none().then_some((None, without, 0))).collect();
    let found: Vec<_> = rows.iter().map(|row| (row.department.clone(), row.users, row.members)).collect();
    prop_assert_eq!(found, expected, "department_users {:?}", ask);
    for row in &rows {
        let found = people(engine, org, oracle, &RowOf::DepartmentUsers(question.clone(), row.department.clone()), PeopleOrder::Id);
        prop_assert_eq!(found.len() as u64, row.users, "people of {:?} {:?}", row, ask);
    }
    Ok(())
}

fn sessions(engine: &Engine, org: OrgId, oracle: &Naive<'_>, ask: &Ask) -> Result<(), TestCaseError> {
    let (range, zone, of) = (ask.range, TimeZone::get(ask.zone).unwrap(), filter(oracle, ask));
    let user = (ask.limit < 4).then_some(ask.limit as u8);
    let (mut rows, mut after) = (Vec::new(), None);
    loop {
        let (app, kinds, department) = (of.app.clone(), of.session_kinds.clone(), of.department.clone());
        let question = Sessions { range, zone: zone.clone(), app, kinds, user: user.map(name), department, after, limit: 2 };
        let page = engine.sessions(org, &question).unwrap().rows;
        after = page.last().map(|row| row.key.clone());
        let is_last = page.len() < 2;
        rows.extend(page);
        if is_last {
            break;
        }
    }
    let says = rows.iter().map(|row| {
        let SessionKey { started_at, app, session_id } = row.key.clone();
        let app = APPS.into_iter().find(|known| *known == app).unwrap();
        ((started_at, app, session_id, row.kind.number()), (row.first_join, row.last_leave, row.users, row.stays, row.time))
    });
    prop_assert_eq!(says.collect::<Vec<_>>(), oracle.sessions(ask, user), "sessions {:?}", ask);
    for row in rows.iter().take(3) {
        let stays = engine.session(org, &Session { key: row.key.clone(), zone: zone.clone(), skip: 0, limit: usize::MAX }).unwrap().rows;
        let of_key = |kept: &&Kept| {
            (kept.fact.started, APPS[kept.fact.app], session_id(kept.fact.session))
                == (row.key.started_at, &*row.key.app, row.key.session_id.clone())
        };
        let mut expected: Vec<_> =
            oracle.facts.iter().filter(of_key).map(|kept| (kept.fact.joined, kept.fact.left, name(kept.fact.user))).collect();
        expected.sort();
        let found: Vec<_> = stays.iter().map(|stay| (stay.joined_at, stay.left_at, stay.user.clone())).collect();
        prop_assert_eq!(&found, &expected, "session {:?}", row);
        let attendees: BTreeSet<_> = expected.iter().map(|(_, _, user)| user).collect();
        let found = people(engine, org, oracle, &RowOf::Session(row.key.clone(), zone.clone()), PeopleOrder::Id);
        prop_assert_eq!(found.iter().map(|found| &found.id).collect::<BTreeSet<_>>(), attendees);
    }
    Ok(())
}

fn person(engine: &Engine, org: OrgId, oracle: &Naive<'_>, ask: &Ask) -> Result<(), TestCaseError> {
    let (range, zone, home) = (ask.range, TimeZone::get(ask.zone).unwrap(), oracle.home.clone());
    let user = ask.limit as u8 % 5;
    let question = Person { user: name(user), range, zone: zone.clone(), week_start: ask.week_start, home };
    let rows = engine.person(org, &question).unwrap().rows;
    let whole = Ask { department: None, kinds: None, devices: None, session_kinds: None, media: None, app: None, ..ask.clone() };
    let did = oracle.did(&whole, range).remove(&user);
    let Some(row) = rows.first() else {
        prop_assert_eq!(did.map(|did| did.3), None);
        return Ok(());
    };
    let found = (row.row.first, row.row.last, row.row.sessions, row.row.time);
    let expected = did.map_or((None, None, 0, 0), |did| (Some(did.0), Some(did.1), did.2.len() as u64, did.3));
    prop_assert_eq!(found, expected, "person {:?}", ask);
    let mut days: BTreeSet<Date> = BTreeSet::new();
    for (at, users) in oracle.present(&whole, range, |_| true) {
        days.extend(users.contains(&user).then(|| zone.to_datetime(timestamp(at)).date()));
    }
    prop_assert_eq!(row.days, days.len() as u64);
    for sum in [
        row.weeks.iter().map(|week| week.time).sum::<Millis>(),
        row.places.iter().map(|(_, time)| time).sum(),
        row.devices.iter().map(|(_, time)| time).sum(),
    ] {
        prop_assert_eq!(sum, row.row.time);
    }
    for week in &row.weeks {
        let did = oracle.did(&whole, week.period.intersect(&range)).remove(&user);
        prop_assert_eq!((week.sessions, week.time), did.map_or((0, 0), |did| (did.2.len() as u64, did.3)), "week {:?}", week);
    }
    Ok(())
}

pub(super) fn check(engine: &Engine, org: OrgId, oracle: &Naive<'_>, ask: &Ask) -> Result<(), TestCaseError> {
    if ask.department.is_some_and(|(department, _)| !engine.directory(org).has_department(DEPARTMENTS[department])) {
        return Ok(());
    }
    let (range, zone, of) = (ask.range, TimeZone::get(ask.zone).unwrap(), filter(oracle, ask));
    let question = ActiveUsers { range, zone: zone.clone(), week_start: ask.week_start, by: ask.by, of: of.clone() };
    let rows = engine.active_users(org, &question).unwrap().rows;
    for row in rows.iter().step_by(1 + rows.len() / 12) {
        let behind = RowOf::ActiveUsers(question.clone(), row.period);
        let order = [PeopleOrder::Id, PeopleOrder::Time, PeopleOrder::Sessions][ask.limit % 3];
        let found = people(engine, org, oracle, &behind, order);
        prop_assert_eq!(found.len() as u64, row.users, "people of {:?} {:?}", row, ask);
        if matches!(ask.by, Grouping::Rolling(_)) {
            continue;
        }
        let did = oracle.did(ask, row.period.intersect(&range));
        let mut expected: Vec<_> =
            did.into_iter().map(|(user, did)| (name(user), Some(did.0), Some(did.1), did.2.len() as u64, did.3)).collect();
        expected.sort_by_key(|(id, _, _, sessions, time)| match order {
            PeopleOrder::Id => (0, id.clone()),
            PeopleOrder::Time => (-time, id.clone()),
            PeopleOrder::Sessions => (-(*sessions as i64), id.clone()),
        });
        let found: Vec<_> = found.iter().map(|row| (row.id.clone(), row.first, row.last, row.sessions, row.time)).collect();
        prop_assert_eq!(found, expected, "people of {:?} {:?}", row, ask);
    }
    are_as_many_as_rows_say(engine, org, oracle, ask)?;
    departments(engine, org, oracle, ask)?;
    let silent = Silent { range, zone, home: oracle.home.clone(), department: of.department, after: None, limit: 9 };
    let rows = engine.silent(org, &silent).unwrap().rows;
    prop_assert_eq!(rows.iter().map(|row| row.id.clone()).collect::<Vec<_>>(), oracle.silent(ask), "silent {:?}", ask);
    sessions(engine, org, oracle, ask)?;
    person(engine, org, oracle, ask)
}
