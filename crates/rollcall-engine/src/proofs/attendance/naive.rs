//! The naive loop: what every report should say of the facts accepted, with no cell, no slice and no bitmap.

use super::{Ask, Fact, Kept};
use crate::proofs::directory::Held;
use crate::proofs::name;
use jiff::civil::Date;
use jiff::tz::TimeZone;
use rollcall_model::calendar::{DAY_MILLIS, QUARTER_MILLIS, timestamp};
use rollcall_model::reports::{Grouping, PlaceLevel, UserOrder};
use rollcall_model::{Millis, Period, Range, SessionKind, UserKind};
use std::collections::{BTreeMap, BTreeSet};

/// App, session and start.
type Meeting = (usize, u8, Millis);

/// Meetings, sum of stays, and the latest join with its kind.
type Attended = (BTreeSet<Meeting>, Millis, (Millis, UserKind));

/// The facts of an organization, in the order they came, and its directory.
pub(super) struct Naive<'n> {
    pub(super) facts: &'n [Kept],
    pub(super) directory: &'n Held,
}

impl<'n> Naive<'n> {
    pub(super) fn meetings(&self, ask: &Ask) -> BTreeMap<Meeting, Vec<&'n Kept>> {
        let mut meetings: BTreeMap<_, Vec<&Kept>> = BTreeMap::new();
        for kept in self.facts {
            let fact = &kept.fact;
            let counts = fact.session_kind == SessionKind::Meeting
                && ask.range.contains(fact.started)
                && ask.app.is_none_or(|app| app == fact.app)
                && ask.unit.is_none_or(|unit| unit == fact.unit);
            if counts {
                meetings.entry((fact.app, fact.session, fact.started)).or_default().push(kept);
            }
        }
        meetings
    }

    pub(super) fn meeting_days(&self, ask: &Ask) -> Vec<(Date, u64, Millis, u64)> {
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
            day.1 += facts.iter().map(|kept| kept.fact.left).max().unwrap() - facts.iter().map(|kept| kept.fact.joined).min().unwrap();
            day.2 += facts.iter().map(|kept| kept.fact.user).collect::<BTreeSet<_>>().len() as u64;
        }
        days.into_iter().map(|(date, (meetings, duration, participants))| (date, meetings, duration, participants)).collect()
    }

    pub(super) fn top_users(&self, ask: &Ask) -> Vec<(String, UserKind, u64, Millis)> {
        let mut users: BTreeMap<u8, Attended> = BTreeMap::new();
        for (meeting, facts) in self.meetings(ask) {
            for Kept { fact, kind } in facts {
                let user = users.entry(fact.user).or_insert((BTreeSet::new(), 0, (fact.joined, *kind)));
                user.0.insert(meeting);
                user.1 += fact.left - fact.joined;
                user.2 = user.2.max((fact.joined, *kind));
            }
        }
        let mut rows: Vec<_> = users
            .into_iter()
            .map(|(user, (meetings, duration, (_, kind)))| {
                let kind = self.directory.kind_of(user).unwrap_or(kind);
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

    /// The place a fact counts in, told by its code alone.
    fn place(fact: &Fact, ask: &Ask) -> Option<String> {
        let code = fact.place?.code();
        let (country, part) = code.split_once('-').unwrap_or((&code, ""));
        let own = ["HK", "MO", "TW"].into_iter().find(|own| country == *own || country == "CN" && part == *own);
        let code = match (ask.level, own) {
            (PlaceLevel::Country, Some(own)) => own.to_owned(),
            (PlaceLevel::Country, None) => country.to_owned(),
            (PlaceLevel::Subdivision, Some(own)) => format!("CN-{own}"),
            (PlaceLevel::Subdivision, None) if part.is_empty() => return None,
            (PlaceLevel::Subdivision, None) => code.clone(),
        };
        ask.country.is_none_or(|country| code.starts_with(country.country())).then_some(code)
    }

    pub(super) fn users_by_place(&self, ask: &Ask) -> Vec<(Option<String>, u64)> {
        let Range { from, to } = ask.range;
        let mut users: BTreeMap<u8, BTreeSet<Option<String>>> = BTreeMap::new();
        for Kept { fact, .. } in self.facts.iter().filter(|kept| ask.app.is_none_or(|app| app == kept.fact.app)) {
            let at_once = fact.joined == fact.left && from <= fact.joined && fact.joined < to;
            if from < to && (fact.joined < fact.left && fact.joined < to && fact.left > from || at_once) {
                users.entry(fact.user).or_default().insert(Self::place(fact, ask));
            }
        }
        let mut rows: BTreeMap<Option<String>, u64> = BTreeMap::new();
        for places in users.values() {
            let known = places.iter().filter(|place| place.is_some()).count();
            for place in places.iter().filter(|place| place.is_some() || known == 0) {
                *rows.entry(place.clone()).or_default() += 1;
            }
        }
        let mut rows: Vec<_> = rows.into_iter().collect();
        rows.sort_by_key(|(place, users)| (place.is_none(), -(*users as i64), place.clone()));
        rows
    }

    pub(super) fn active_users(&self, ask: &Ask) -> Vec<(Date, u64)> {
        let zone = TimeZone::get(ask.zone).unwrap();
        let date = |at: Millis| zone.to_datetime(timestamp(at)).date();
        let (before, length) = if let Grouping::Rolling(days) = ask.by { (i64::from(days) + 2, i64::from(days)) } else { (0, 1) };
        // Pieces of the range that lie in one quarter hour, and so in one date of every zone here.
        let mut pieces = Vec::new();
        let mut at = ask.range.from - before * DAY_MILLIS;
        while at < ask.range.to {
            let cut = [ask.range.from, (at.div_euclid(QUARTER_MILLIS) + 1) * QUARTER_MILLIS, ask.range.to];
            let next = cut.into_iter().filter(|cut| *cut > at).min().unwrap();
            pieces.push((at, next));
            at = next;
        }
        let asked: Vec<_> = pieces.iter().filter(|(from, _)| *from >= ask.range.from).collect();
        let row_of = |at: Millis| -> Date {
            match ask.by {
                Grouping::Whole => date(ask.range.from),
                Grouping::Rolling(_) | Grouping::Period(Period::Day) => date(at),
                Grouping::Period(Period::Month) => date(at).first_of_month(),
                Grouping::Period(Period::Year) => date(at).first_of_year(),
                Grouping::Period(Period::Week) => {
                    let mut day = date(at);
                    while day.weekday() != ask.week_start {
                        day = day.yesterday().unwrap();
                    }
                    day
                }
            }
        };
        let rows: BTreeSet<Date> = asked.iter().map(|(from, _)| row_of(*from)).collect();
        let counts = |Kept { fact, kind }: &&Kept| {
            ask.app.is_none_or(|app| app == fact.app)
                && ask.kinds.as_ref().is_none_or(|kinds| kinds.contains(kind))
                && ask.devices.as_ref().is_none_or(|devices| devices.contains(&fact.device))
                && ask.session_kinds.as_ref().is_none_or(|kinds| kinds.contains(&fact.session_kind))
        };
        let counted: Vec<&Kept> = self.facts.iter().filter(counts).collect();
        let mut present: BTreeMap<Date, BTreeSet<u8>> = BTreeMap::new();
        for Kept { fact, .. } in &counted {
            // A stay of no length has its one instant.
            let left = fact.left.max(fact.joined + 1);
            let met = pieces.iter().skip(pieces.partition_point(|(_, to)| *to <= fact.joined)).take_while(|(from, _)| *from < left);
            met.for_each(|(from, _)| _ = present.entry(row_of(*from)).or_default().insert(fact.user));
        }
        let users = |row: Date| -> u64 {
            let first = row.checked_sub(jiff::Span::new().days(length - 1)).unwrap();
            let first = if matches!(ask.by, Grouping::Rolling(_)) { first } else { row };
            present.range(first..=row).flat_map(|(_, users)| users).collect::<BTreeSet<_>>().len() as u64
        };
        rows.into_iter().map(|row| (row, users(row))).collect()
    }
}
