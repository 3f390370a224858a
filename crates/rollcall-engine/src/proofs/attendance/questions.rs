//! Whom questions with a filter of stays count, by naive loops.

use super::naive::{Naive, pieces, row_of};
use super::{Ask, Kept};
use crate::Engine;
use crate::proofs::directory::DEPARTMENTS;
use crate::proofs::{APPS, name};
use jiff::civil::Date;
use jiff::tz::TimeZone;
use proptest::prelude::*;
use rollcall_model::calendar::{DAY_MILLIS, timestamp};
use rollcall_model::reports::{ActiveUsers, Concurrency, Grouping, InDepartment, Means, MeansLevel, StayFilter, UsersByMeans, WeekHours};
use rollcall_model::{Device, Medium, Millis, OrgId, Range, ReportError, Reports};
use std::collections::{BTreeMap, BTreeSet};

/// Most stays and most sessions at once, each with its first instant.
type Peaks = (Option<(u64, Millis)>, Option<(u64, Millis)>);

impl Naive<'_> {
    /// The facts that count but for the department.
    pub(super) fn counted<'n>(&'n self, ask: &'n Ask) -> impl Iterator<Item = &'n Kept> {
        self.facts.iter().filter(|Kept { fact, kind }| {
            ask.app.is_none_or(|app| app == fact.app)
                && ask.kinds.as_ref().is_none_or(|kinds| kinds.contains(kind))
                && ask.devices.as_ref().is_none_or(|devices| devices.contains(&fact.device))
                && ask.session_kinds.as_ref().is_none_or(|kinds| kinds.contains(&fact.session_kind))
        })
    }

    /// The pieces of a range, each with the users whose stays that count overlap it.
    pub(super) fn present(&self, ask: &Ask, range: Range, takes: impl Fn(&Kept) -> bool) -> Vec<(Millis, BTreeSet<u8>)> {
        let pieces = pieces(range);
        let mut present: Vec<_> = pieces.iter().map(|(from, _)| (*from, BTreeSet::new())).collect();
        for kept in self.counted(ask).filter(|kept| uses_one(ask, kept)).filter(|kept| takes(kept)) {
            // A stay of no length has its one instant.
            let left = kept.fact.left.max(kept.fact.joined + 1);
            let first = pieces.partition_point(|(_, to)| *to <= kept.fact.joined);
            let met = pieces.iter().zip(&mut present).skip(first).take_while(|((from, _), _)| *from < left);
            for ((from, _), (_, users)) in met {
                if ask.department.is_none_or(|department| self.is_in(kept.fact.user, *from, department)) {
                    users.insert(kept.fact.user);
                }
            }
        }
        present
    }

    /// Whether a user is in a department on the day of the organization's zone that an instant is in.
    pub(super) fn is_in(&self, user: u8, at: Millis, (department, with_subtree): (usize, bool)) -> bool {
        let (day, id) = (self.home.to_datetime(timestamp(at)).date(), DEPARTMENTS[department]);
        if with_subtree {
            return self.directory.departments_above(&name(user), day).contains(id);
        }
        self.directory.user_on(&name(user), day).is_some_and(|entry| entry.departments.iter().any(|direct| direct == id))
    }

    fn active_users(&self, ask: &Ask) -> Vec<(Date, u64)> {
        let (before, length) = if let Grouping::Rolling(days) = ask.by { (i64::from(days) + 2, i64::from(days)) } else { (0, 1) };
        let mut present: BTreeMap<Date, BTreeSet<u8>> = BTreeMap::new();
        let mut rows = BTreeSet::new();
        for (at, users) in self.present(ask, Range::new(ask.range.from - before * DAY_MILLIS, ask.range.to), |_| true) {
            let row = row_of(ask, ask.by, at);
            present.entry(row).or_default().extend(users);
            if at >= ask.range.from {
                rows.insert(row);
            }
        }
        // The piece before the range may reach into it.
        if ask.range.from < ask.range.to {
            rows.insert(row_of(ask, ask.by, ask.range.from));
        }
        let users = |row: Date| -> u64 {
            let first = row.checked_sub(jiff::Span::new().days(length - 1)).unwrap();
            let first = if matches!(ask.by, Grouping::Rolling(_)) { first } else { row };
            present.range(first..=row).flat_map(|(_, users)| users).collect::<BTreeSet<_>>().len() as u64
        };
        rows.into_iter().map(|row| (row, users(row))).collect()
    }

    /// The hours of the range: date, clock hour, and users.
    fn hours(&self, ask: &Ask) -> Vec<(Date, i8, u64)> {
        let zone = TimeZone::get(ask.zone).unwrap();
        let mut hours: Vec<((Date, i8, i32), BTreeSet<u8>)> = Vec::new();
        for (at, users) in self.present(ask, ask.range, |_| true) {
            let (shown, offset) = (zone.to_datetime(timestamp(at)), zone.to_offset(timestamp(at)).seconds());
            let hour = (shown.date(), shown.hour(), offset);
            if hours.last().is_none_or(|(last, _)| *last != hour) {
                hours.push((hour, BTreeSet::new()));
            }
            hours.last_mut().unwrap().1.extend(users);
        }
        hours.into_iter().map(|((date, hour, _), users)| (date, hour, users.len() as u64)).collect()
    }

    fn distinct(&self, ask: &Ask, takes: impl Fn(&Kept) -> bool) -> u64 {
        let present = self.present(ask, ask.range, takes);
        present.into_iter().flat_map(|(_, users)| users).collect::<BTreeSet<_>>().len() as u64
    }

    /// The most at once in each row, by a look at each instant at which a stay begins, and at which the row does.
    fn concurrency(&self, ask: &Ask) -> Vec<(Date, Peaks)> {
        let mut rows: BTreeMap<Date, (Range, Peaks)> = BTreeMap::new();
        for (from, to) in pieces(ask.range) {
            rows.entry(row_of(ask, ask.span, from)).or_insert((Range::new(from, to), (None, None))).0.to = to;
        }
        let stays: Vec<_> = self.counted(ask).map(|kept| &kept.fact).filter(|fact| fact.joined < fact.left).collect();
        for (range, (of_stays, of_sessions)) in rows.values_mut() {
            let begin = stays.iter().map(|fact| fact.joined).filter(|at| range.contains(*at));
            for at in begin.chain([range.from]).collect::<BTreeSet<_>>() {
                let there: Vec<_> = stays.iter().filter(|fact| fact.joined <= at && at < fact.left).collect();
                let sessions: BTreeSet<_> =
                    there.iter().map(|fact| (fact.app, fact.session, fact.started, fact.session_kind.number())).collect();
                for (peak, most) in [(&mut *of_stays, there.len() as u64), (&mut *of_sessions, sessions.len() as u64)] {
                    if most > peak.map_or(0, |(most, _)| most) {
                        *peak = Some((most, at));
                    }
                }
            }
        }
        rows.into_iter().map(|(date, (_, peaks))| (date, peaks)).collect()
    }
}

/// The filter of a question.
pub(super) fn filter(oracle: &Naive<'_>, ask: &Ask) -> StayFilter {
    StayFilter {
        app: ask.app.map(|app| APPS[app].to_owned()),
        session_kinds: ask.session_kinds.clone(),
        user_kinds: ask.kinds.clone(),
        devices: ask.devices.clone(),
        media: ask.media.clone(),
        department: ask.department.map(|(department, with_subtree)| InDepartment {
            id: DEPARTMENTS[department].into(),
            with_subtree,
            below: None,
            home: oracle.home.clone(),
        }),
    }
}

pub(super) fn check(engine: &Engine, org: OrgId, oracle: &Naive<'_>, ask: &Ask) -> Result<(), TestCaseError> {
    let (range, zone, of) = (ask.range, TimeZone::get(ask.zone).unwrap(), filter(oracle, ask));
    let question = ActiveUsers { range, zone: zone.clone(), week_start: ask.week_start, by: ask.by, of: of.clone() };
    let active = engine.active_users(org, &question);
    if ask.department.is_some_and(|(department, _)| !engine.directory(org).has_department(DEPARTMENTS[department])) {
        prop_assert!(matches!(active, Err(ReportError::UnknownDepartment(_))), "{:?}", active);
        return Ok(());
    }
    let rows = active.unwrap().rows;
    if ask.by == Grouping::Hour {
        let expected: Vec<_> = oracle.hours(ask).into_iter().map(|(date, _, users)| (date, users)).collect();
        prop_assert_eq!(rows.iter().map(|row| (row.date, row.users)).collect::<Vec<_>>(), expected, "by hour {:?}", ask);
        let mut week: BTreeMap<(i8, i8), (u64, u64)> = BTreeMap::new();
        for (date, hour, users) in oracle.hours(ask) {
            let row = week.entry((date.weekday().to_monday_zero_offset(), hour)).or_default();
            *row = (row.0 + users, row.1 + 1);
        }
        let rows = engine.week_hours(org, &WeekHours { range, zone, of }).unwrap().rows;
        let rows: Vec<_> = rows.iter().map(|row| ((row.weekday.to_monday_zero_offset(), row.hour), (row.users, row.hours))).collect();
        prop_assert_eq!(rows, week.into_iter().collect::<Vec<_>>(), "week_hours {:?}", ask);
        return Ok(());
    }
    let rows: Vec<_> = rows.iter().map(|row| (row.date, row.users)).collect();
    prop_assert_eq!(rows, oracle.active_users(ask), "active_users {:?}", ask);
    let all = oracle.distinct(ask, |_| true);
    for (by, means) in [(MeansLevel::Medium, MeansLevel::Medium.rows()), (MeansLevel::Device, MeansLevel::Device.rows())] {
        let rows = engine.users_by_means(org, &UsersByMeans { range, zone: zone.clone(), by, of: of.clone() }).unwrap().rows;
        let used = |means: Means, kept: &Kept| match means {
            Means::Medium(medium) => uses(kept, medium),
            Means::Device(device) => on(kept, device),
        };
        let expected: Vec<_> = means.into_iter().map(|means| (means, oracle.distinct(ask, |kept| used(means, kept)), all)).collect();
        prop_assert_eq!(rows.iter().map(|row| (row.means, row.users, row.of)).collect::<Vec<_>>(), expected, "users_by_means {:?}", ask);
    }
    let question = Concurrency { range, zone, week_start: ask.week_start, by: ask.span, of };
    let rows = engine.concurrency(org, &question).unwrap().rows;
    let peak = |peak: Option<rollcall_model::reports::Peak>| peak.map(|peak| (peak.most, peak.at));
    let rows: Vec<_> = rows.iter().map(|row| (row.date, (peak(row.stays), peak(row.sessions)))).collect();
    prop_assert_eq!(rows, oracle.concurrency(ask), "concurrency {:?}", ask);
    Ok(())
}

/// Whether one of the media was used that are asked for.
pub(super) fn uses_one(ask: &Ask, kept: &Kept) -> bool {
    ask.media.as_ref().is_none_or(|media| media.iter().any(|medium| kept.fact.media.contains(medium)))
}

fn uses(kept: &Kept, medium: Medium) -> bool {
    kept.fact.media.contains(&medium)
}

fn on(kept: &Kept, device: Device) -> bool {
    kept.fact.device == device
}
