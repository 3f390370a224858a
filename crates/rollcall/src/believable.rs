//! Believable facts: what a large organization in China might leave behind, the same for the same seed.
//!
//! # Layout
//! - this file: how many facts there are, in what order, and as which bodies
//! - `day`: the sessions of one day and who attends them
//! - `people`: users, their ids and habits, and the directory that knows them
//! - `line`: an attendance as a line of NDJSON
//! - `assistance`: what the coding assistant did, as lines of NDJSON
//! - `chance`: pseudo-random numbers

mod assistance;
mod chance;
mod day;
mod line;
mod people;
#[cfg(test)]
mod tests;

use chance::Chance;
use day::Day;
use jiff::civil::{Date, Weekday};
use people::People;
use rollcall_model::calendar::DAY_MILLIS;
use rollcall_model::directory::DirectoryDocument;
use rollcall_model::{Device, Media, Millis, SessionKind, UserKind};
use std::collections::VecDeque;
use std::io;

/// How far ahead of UTC the organization lives. Shanghai's clocks have not changed since 1991.
const AHEAD: Millis = 8 * 3_600_000;

/// A year of an organization, or less, or more.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Believable {
    /// How many facts.
    pub facts: u64,
    /// How many members. Guests, rooms and phones come in addition, in proportion.
    pub users: u32,
    /// The first day, in Shanghai.
    pub from: Date,
    /// How many days.
    pub days: u32,
    /// What picks one such organization among all.
    pub seed: u64,
}

/// One fact: who attended what, when, from where.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Fact {
    /// The session's number; its id as text follows from it and its kind.
    pub session: u64,
    /// What the session is.
    pub session_kind: SessionKind,
    /// When the session began.
    pub session_started_at: Millis,
    /// The user's number among those of their kind; the id as text follows from both.
    pub user: u32,
    /// What the user is.
    pub user_kind: UserKind,
    /// What they attended on.
    pub device: Device,
    /// What they used.
    pub media: Media,
    /// When they joined.
    pub joined_at: Millis,
    /// When they left.
    pub left_at: Millis,
    /// The code of the place; empty where it is not known.
    pub place: &'static str,
}

impl Believable {
    /// So many facts of so many members over so many days.
    pub const fn new(facts: u64, users: u32, from: Date, days: u32, seed: u64) -> Self {
        Self { facts, users, from, days, seed }
    }

    /// The facts, ordered by the time somebody joined.
    pub fn iter(&self) -> Facts {
        let people = People::new(self.users, self.seed);
        Facts { of: self.clone(), people, day: 0, counts: self.counts(), ready: VecDeque::new(), later: Vec::new() }
    }

    /// Writes the facts as NDJSON.
    ///
    /// # Errors
    /// Those of the writer.
    pub fn write_ndjson(&self, writer: &mut impl io::Write) -> io::Result<()> {
        self.chunks(2_000).try_for_each(|lines| writer.write_all(&lines))
    }

    /// The facts as NDJSON bodies of so many facts each; the last may have fewer.
    pub fn chunks(&self, facts_per_chunk: usize) -> impl Iterator<Item = Vec<u8>> + use<> {
        let mut facts = self.iter();
        std::iter::from_fn(move || {
            let mut lines = Vec::with_capacity(facts_per_chunk.min(100_000) * line::USUAL_BYTES);
            for _ in 0..facts_per_chunk.max(1) {
                let Some(fact) = facts.next() else { break };
                line::write(&fact, &facts.people, &mut lines);
            }
            (!lines.is_empty()).then_some(lines)
        })
    }

    /// What the coding assistant did for the members, as NDJSON bodies of a day each. With `with_departments` each fact names that of its
    /// user; without, the directory has to.
    pub fn assistance(&self, with_departments: bool) -> impl Iterator<Item = Vec<u8>> + use<> {
        let people = People::new(self.users, self.seed);
        let team = |user: rollcall_model::directory::User| user.departments.into_iter().next().unwrap_or_default();
        // Members come first.
        let teams: Option<Vec<String>> = with_departments.then(|| people.directory().users.into_iter().map(team).collect());
        let of = self.clone();
        let counts = (0..self.days).zip(self.counts());
        counts.map(move |(day, count)| assistance::lines(&of, &people, day, count, teams.as_deref())).filter(|lines| !lines.is_empty())
    }

    /// The directory that knows the members and rooms, and no guests.
    pub fn directory(&self) -> DirectoryDocument {
        People::new(self.users, self.seed).directory()
    }
}

impl Believable {
    /// How many facts each day has.
    fn counts(&self) -> Vec<u64> {
        let mut weights: u64 = (0..self.days).map(|day| self.weight(day)).sum();
        let mut facts = self.facts;
        let mut counts = Vec::with_capacity(self.days as usize);
        for day in 0..self.days {
            let weight = self.weight(day);
            let share = u128::from(facts) * u128::from(weight) / u128::from(weights.max(1));
            let count = if day + 1 == self.days { facts } else { u64::try_from(share).unwrap_or(facts) };
            counts.push(count);
            (weights, facts) = (weights - weight, facts - count);
        }
        counts
    }

    /// When the day that is so many after the first begins.
    fn day_start(&self, day: u32) -> Millis {
        let since_1970 = self.from.duration_since(Date::constant(1970, 1, 1)).as_hours() / 24 + i64::from(day);
        since_1970 * DAY_MILLIS - AHEAD
    }

    /// How busy a day is: little on weekends, most in the middle of the week, and a little more each day as the organization grows.
    fn weight(&self, day: u32) -> u64 {
        let date = self.from.saturating_add(jiff::Span::new().days(i64::from(day)));
        let rhythm = match date.weekday() {
            Weekday::Monday => 95,
            Weekday::Tuesday | Weekday::Wednesday | Weekday::Thursday => 100,
            Weekday::Friday => 88,
            Weekday::Saturday => 13,
            Weekday::Sunday => 9,
        };
        rhythm
            * (4 * u64::from(self.days) + u64::from(day))
            * Chance::new(self.seed, u64::from(day) | 1 << 40).between(94, 106).unsigned_abs()
    }
}

/// The facts of a [`Believable`], in order. A day at a time is in memory.
#[derive(Debug)]
pub struct Facts {
    of: Believable,
    people: People,
    /// The next day to make.
    day: u32,
    /// How many facts each day has.
    counts: Vec<u64>,
    /// Facts whose turn it is, in order.
    ready: VecDeque<Fact>,
    /// Facts of sessions that ran past their day's end, which join those of the next.
    later: Vec<Fact>,
}

impl Iterator for Facts {
    type Item = Fact;

    fn next(&mut self) -> Option<Fact> {
        while self.ready.is_empty() && self.day < self.of.days {
            self.make_day();
        }
        self.ready.pop_front()
    }
}

impl Facts {
    fn make_day(&mut self) {
        let is_last = self.day + 1 == self.of.days;
        let count = self.counts.get(self.day as usize).copied().unwrap_or(0);
        let mut facts = std::mem::take(&mut self.later);
        let day = Day::new(&self.people, self.of.seed, self.of.day_start(self.day), self.day);
        let end = if is_last { Millis::MAX } else { day.end() };
        day.fill(count, &mut facts);
        facts.sort_unstable_by_key(|fact| (fact.joined_at, fact.session, fact.user));
        self.later = facts.split_off(facts.partition_point(|fact| fact.joined_at < end));
        self.ready = facts.into();
        self.day += 1;
    }
}
