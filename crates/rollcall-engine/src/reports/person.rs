//! `person`: what one user did. `person.sql` defines the same answer.

use super::behind::Adding;
use super::counted::Counted;
use super::membership::Days;
use super::people::row;
use super::{Answering, developer_days};
use crate::cells::{Day, PresentUsers, Slice, Stay};
use hashbrown::{HashMap, HashSet};
use rollcall_model::reports::{DeveloperDays, Developers, Person, PersonAnswer, PersonWeek, StayFilter, Usage, UsageSpan};
use rollcall_model::{Answer, Calendar, Covers, Device, Millis, OrgId, Period, Place, Quarter, Range, ReportError};
use std::cmp::Reverse;
use std::hash::Hash;
use std::sync::Arc;

pub(super) fn answer(answering: &Answering<'_>, org: OrgId, ask: &Person) -> Result<Answer<PersonAnswer>, ReportError> {
    let directory = answering.engine.directory(org);
    let counted = Counted::new(answering, org, &StayFilter::default(), ask.range)?;
    let number = answering.engine.facts.ledger.users.of(org)?.read().number(&ask.user);
    let covers = Covers { range: ask.range, zone: ask.zone.clone(), seen: counted.seen(ask.range) };
    if number.is_none() && directory.user(&ask.user).is_none() {
        return Ok(Answer { covers, rows: Vec::new() });
    }
    let stays = match number {
        Some(number) => stays(&counted, number, ask.range)?,
        None => Vec::new(),
    };
    let calendar = Calendar { zone: ask.zone.clone(), week_start: ask.week_start };
    let mut adding = Adding::default();
    stays.iter().for_each(|stay| adding.add(stay, &[ask.range], false));
    let did = number.and_then(|number| adding.done().remove(&number)).unwrap_or_default();
    let last = Days::of(&Calendar::new(ask.home.clone()), ask.range).map(|days| days.last);
    let time = |stay: &Stay, range: &Range| Range::new(stay.joined_at, stay.left_at).intersect(&ask.range).intersect(range);
    let length = |stay: &Stay, range: &Range| Some(time(stay, range)).filter(|part| !part.is_empty()).map_or(0, |part| part.to - part.from);
    let mut days = HashSet::new();
    for stay in &stays {
        days.extend(calendar.periods(Period::Day, stay.lasted().intersect(&ask.range)).map(|day| day.date));
    }
    let weeks = calendar.periods(Period::Week, ask.range).map(|week| {
        let part = week.range.intersect(&ask.range);
        let met: Vec<&Stay> = stays.iter().filter(|stay| !stay.lasted().intersect(&part).is_empty()).collect();
        let sessions: HashSet<_> = met.iter().map(|stay| stay.session()).collect();
        let time = met.iter().map(|stay| length(stay, &week.range)).sum();
        PersonWeek { date: week.date, period: week.range, sessions: sessions.len() as u64, time }
    });
    let weeks = weeks.collect();
    let whole = |stay: &Stay| length(stay, &ask.range);
    let places = most(stays.iter().map(|stay| (Place::from_number(stay.place), whole(stay))), |place| place.map(|place| place.code()));
    let device = |stay: &Stay| Device::from_number(stay.device).unwrap_or(Device::Unknown);
    let devices = most(stays.iter().map(|stay| (device(stay), whole(stay))), |device| device.number());
    let row = row(&directory, &ask.user, &did, last);
    let answer = PersonAnswer { row, days: days.len() as u64, weeks, places, devices, usage: usage(answering, org, ask)? };
    Ok(Answer { covers, rows: vec![answer] })
}

/// The stays of a user that overlap a range. Only days on which the user is there are read.
fn stays(counted: &Counted<'_>, user: u32, range: Range) -> Result<Vec<Stay>, crate::EngineError> {
    let (mut stays, view) = (Vec::new(), &counted.view);
    let first = Day::of(range.from);
    for day in Day::all(view.reach(range)) {
        let slice = Slice::new(Quarter::of(day.range().from), Quarter::of(day.range().to));
        let present: Arc<PresentUsers> = view.cell(slice)?;
        if !present.groups().any(|(_, users)| users.contains(user)) {
            continue;
        }
        // A stay is an entry of each day on which it lasts: the first of them that is read counts.
        let counts = |stay: &&Stay| {
            let lasted = stay.lasted();
            stay.user == user && !lasted.intersect(&range).is_empty() && Day::of(lasted.from).max(first) == day
        };
        stays.extend(view.entries_counted(day)?.iter().filter(counts).copied());
    }
    Ok(stays)
}

/// Times added up by what they belong to, most first, then in the order of `then`.
fn most<K: Copy + Eq + Hash, O: Ord>(times: impl Iterator<Item = (K, Millis)>, then: impl Fn(K) -> O) -> Vec<(K, Millis)> {
    let mut sums: HashMap<K, Millis> = HashMap::new();
    times.for_each(|(key, time)| *sums.entry(key).or_default() += time);
    let mut sums: Vec<_> = sums.into_iter().collect();
    sums.sort_by_key(|(key, time)| (Reverse(*time), then(*key)));
    sums
}

fn usage(answering: &Answering<'_>, org: OrgId, ask: &Person) -> Result<Usage, ReportError> {
    let developers = Developers::One(ask.user.clone());
    let question = DeveloperDays { range: ask.range, zone: ask.zone.clone(), by: UsageSpan::Whole, developers, only: None };
    let rows = developer_days::answer(answering, org, &question)?.rows;
    Ok(rows.into_iter().next().map(|row| row.usage).unwrap_or_default())
}
