//! The naive loop: what every report should say of the facts accepted, with no cell, no slice and no bitmap.

use super::{Ask, Fact, Kept};
use crate::proofs::directory::Held;
use crate::proofs::name;
use jiff::civil::Date;
use jiff::tz::TimeZone;
use rollcall_model::calendar::{QUARTER_MILLIS, timestamp};
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
    /// The organization's zone.
    pub(super) home: TimeZone,
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

    pub(super) fn meeting_days(&self, ask: &Ask) -> Vec<(Date, u64, Millis, u64, u64)> {
        let mut rows: BTreeMap<Date, (u64, Millis, u64, BTreeSet<u8>)> = BTreeMap::new();
        pieces(ask.range).into_iter().for_each(|(from, _)| _ = rows.entry(row_of(ask, ask.span, from)).or_default());
        for ((_, _, started), facts) in self.meetings(ask) {
            let row = rows.get_mut(&row_of(ask, ask.span, started)).unwrap();
            row.0 += 1;
            row.1 += facts.iter().map(|kept| kept.fact.left).max().unwrap() - facts.iter().map(|kept| kept.fact.joined).min().unwrap();
            let users: BTreeSet<u8> = facts.iter().map(|kept| kept.fact.user).collect();
            row.2 += users.len() as u64;
            row.3.extend(users);
        }
        let row = |(date, (meetings, duration, participants, people)): (_, (_, _, _, BTreeSet<u8>))| {
            (date, meetings, duration, participants, people.len() as u64)
        };
        rows.into_iter().map(row).collect()
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
        rows.retain(|row| ask.kinds.as_ref().is_none_or(|kinds| kinds.contains(&row.1)));
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
}

/// Pieces of a range that lie in one quarter hour, and so in one hour and date of every zone here.
pub(super) fn pieces(range: Range) -> Vec<(Millis, Millis)> {
    let mut pieces = Vec::new();
    let mut at = range.from;
    while at < range.to {
        let next = ((at.div_euclid(QUARTER_MILLIS) + 1) * QUARTER_MILLIS).min(range.to);
        pieces.push((at, next));
        at = next;
    }
    pieces
}

/// The first date of the row that an instant is in; of rolling days and hours, the date.
pub(super) fn row_of(ask: &Ask, by: Grouping, at: Millis) -> Date {
    let zone = TimeZone::get(ask.zone).unwrap();
    let date = |at: Millis| zone.to_datetime(timestamp(at)).date();
    match by {
        Grouping::Whole => date(ask.range.from),
        Grouping::Rolling(_) | Grouping::Hour | Grouping::Period(Period::Day) => date(at),
        Grouping::Period(Period::Month) => date(at).first_of_month(),
        Grouping::Period(Period::Year) => date(at).first_of_year(),
        Grouping::Period(Period::Quarter) => {
            let mut month = date(at).first_of_month();
            while ![1, 4, 7, 10].contains(&month.month()) {
                month = month.yesterday().unwrap().first_of_month();
            }
            month
        }
        Grouping::Period(Period::Week) => {
            let mut day = date(at);
            while day.weekday() != ask.week_start {
                day = day.yesterday().unwrap();
            }
            day
        }
    }
}
