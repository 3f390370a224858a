//! What the users behind a row of a report on attendance did: those stays that the row counts, by user.

use super::counted::Counted;
use super::membership::Outside;
use super::{Answering, Seen, active_users, session, users_by_place, whole_slice};
use crate::EngineError;
use crate::cells::{Day, Keep, Stay, meetings};
use hashbrown::{HashMap, HashSet};
use rollcall_model::attendance::{EARLY_JOIN, LONGEST_STAY};
use rollcall_model::reports::{DepartmentUsers, InDepartment, Means, RowOf, StayFilter, UsersByPlace};
use rollcall_model::{Calendar, Media, Millis, OrgId, Place, Range, ReportError};
use std::sync::Arc;
use xxhash_rust::xxh3::xxh3_128;

/// What a user did.
#[derive(Debug, Clone, Default, PartialEq)]
pub(super) struct Did {
    /// From the first join to the last leave of the stays, each taken whole.
    pub(super) seen: Option<Range>,
    /// Distinct sessions.
    pub(super) sessions: u32,
    /// What of the stays counts, in milliseconds.
    pub(super) time: Millis,
    /// The last session that was added.
    last: Option<(Millis, u64, u16, u8)>,
}

/// What the users behind a row did, by number.
#[derive(Debug, Clone, Default)]
struct People {
    of: Arc<HashMap<u32, Did>>,
}

impl Keep for People {
    const KIND: u8 = 11;

    fn size(&self) -> usize {
        64 + self.of.len() * (size_of::<(u32, Did)>() + 8)
    }
}

/// Adds stays up.
#[derive(Debug, Default)]
pub(super) struct Adding {
    of: HashMap<u32, Did>,
    /// Sessions of which the stays of a user do not come one after the other.
    others: HashSet<(u32, (Millis, u64, u16, u8))>,
}

impl Adding {
    /// Adds a stay, and what of it counts. `is_grouped` says that the stays of a session that begins in these days come together.
    pub(super) fn add(&mut self, stay: &Stay, parts: &[Range], is_grouped: bool) {
        let did = self.of.entry(stay.user).or_default();
        let seen = did.seen.unwrap_or(Range::new(stay.joined_at, stay.left_at));
        did.seen = Some(Range::new(seen.from.min(stay.joined_at), seen.to.max(stay.left_at)));
        let lasted = Range::new(stay.joined_at, stay.left_at);
        let parts = parts.iter().map(|part| part.intersect(&lasted)).filter(|part| !part.is_empty());
        did.time += parts.map(|part| part.to - part.from).sum::<Millis>();
        let is_new = if is_grouped {
            did.last.replace(stay.session()) != Some(stay.session())
        } else {
            self.others.insert((stay.user, stay.session()))
        };
        did.sessions += u32::from(is_new);
    }

    pub(super) fn done(self) -> HashMap<u32, Did> {
        self.of
    }
}

/// What the users behind a row did, and from when to when facts are seen.
pub(super) fn behind(answering: &Answering<'_>, org: OrgId, row: &RowOf) -> Result<(Seen, Arc<HashMap<u32, Did>>), ReportError> {
    let (of, range) = reach(row);
    let counted = Counted::new(answering, org, &of, range)?;
    let seen = counted.seen(range);
    let make = || -> Result<People, EngineError> { Ok(People { of: Arc::new(made(answering, org, row, &counted, range)?) }) };
    let of = match whole_slice(range, range) {
        // A directory may change while cells do not.
        Some(slice) if of.department.is_none() && !matches!(row, RowOf::DepartmentUsers(..)) => {
            counted.view.kept_in_memory(slice, xxh3_128(format!("{row:?}").as_bytes()), make)?.of.clone()
        }
        _ => make()?.of,
    };
    Ok((seen, of))
}

/// Which stays a row may count, and in which range.
fn reach(row: &RowOf) -> (StayFilter, Range) {
    match row {
        RowOf::ActiveUsers(ask, period) => (ask.of.clone(), period.intersect(&active_users::reach(ask))),
        RowOf::UsersByMeans(ask, _) => (ask.of.clone(), ask.range),
        RowOf::UsersByPlace(ask, _) => (StayFilter { app: ask.app.clone(), ..StayFilter::default() }, ask.range),
        RowOf::DepartmentUsers(ask, id) => {
            let department = id.as_ref().map(|id| InDepartment {
                id: id.clone(),
                with_subtree: ask.with_subtree,
                below: ask.within.clone(),
                home: ask.home.clone(),
            });
            (StayFilter { department, ..ask.of.clone() }, ask.range)
        }
        RowOf::MeetingDays(ask, period) => (StayFilter { app: ask.app.clone(), ..StayFilter::default() }, period.intersect(&ask.range)),
        RowOf::TopUsers(ask, _) => (StayFilter { app: ask.app.clone(), ..StayFilter::default() }, ask.range),
        RowOf::Concurrency(ask, _) => (StayFilter { department: None, media: None, ..ask.of.clone() }, ask.range),
        RowOf::Session(key, _) => (
            StayFilter { app: Some(key.app.clone()), ..StayFilter::default() },
            Range::new(key.started_at - EARLY_JOIN, key.started_at + 2 * LONGEST_STAY),
        ),
        // These have no stays.
        RowOf::DepartmentDays(ask, _) => (StayFilter::default(), ask.range),
        RowOf::DeveloperDays(ask, _) => (StayFilter::default(), ask.range),
    }
}

fn made(answering: &Answering<'_>, org: OrgId, row: &RowOf, counted: &Counted<'_>, range: Range) -> Result<HashMap<u32, Did>, EngineError> {
    let mut adding = Adding::default();
    let days = Day::of(range.from)..=Day::of(range.to - 1);
    let is_grouped = |stay: &Stay| days.contains(&Day::of(stay.started_at));
    let number = |user: &str| Ok::<_, EngineError>(answering.engine.facts.ledger.users.of(org)?.read().number(user));
    match row {
        RowOf::ActiveUsers(..) => counted.each_stay(range, |stay, parts| adding.add(stay, parts, is_grouped(stay)))?,
        RowOf::UsersByMeans(_, means) => {
            let used = |stay: &Stay| match means {
                Means::Device(device) => stay.device == device.number(),
                Means::Medium(medium) => Media::from_bits(stay.media).has(*medium),
            };
            counted.each_stay(range, |stay, parts| {
                if used(stay) {
                    adding.add(stay, parts, is_grouped(stay));
                }
            })?;
        }
        RowOf::UsersByPlace(ask, wanted) => {
            // Who was in a place that has a row is not of unknown place.
            let mut known: HashSet<u32> = HashSet::new();
            counted.each_stay(range, |stay, parts| {
                let place = place(ask, stay);
                known.extend(place.map(|_| stay.user));
                if place == *wanted {
                    adding.add(stay, parts, is_grouped(stay));
                }
            })?;
            if wanted.is_none() {
                adding.of.retain(|user, _| !known.contains(user));
            }
        }
        RowOf::DepartmentUsers(_, Some(_)) => counted.each_stay(range, |stay, parts| adding.add(stay, parts, is_grouped(stay)))?,
        // Where rows are of a subtree, there is no such row.
        RowOf::DepartmentUsers(DepartmentUsers { within: Some(_), .. }, None) => {}
        RowOf::DepartmentUsers(ask, None) => {
            let (directory, names) = (answering.engine.directory(org), answering.engine.facts.ledger.users.of(org)?);
            let outside = Outside::new(&directory, &names.read(), &Calendar::new(ask.home.clone()), range);
            counted.each_stay(range, |stay, parts| {
                let parts: Vec<Range> = parts.iter().flat_map(|part| outside.of(stay.user, *part)).collect();
                if !parts.is_empty() {
                    adding.add(stay, &parts, is_grouped(stay));
                }
            })?;
        }
        RowOf::MeetingDays(ask, _) => each_participant(counted, ask.unit, range, |stay| adding.add(stay, &[range], true))?,
        RowOf::TopUsers(ask, user) => {
            let user = number(user)?;
            each_participant(counted, ask.unit, range, |stay| {
                if Some(stay.user) == user {
                    adding.add(stay, &[range], true);
                }
            })?;
        }
        RowOf::Concurrency(_, at) => counted.each_stay(range, |stay, parts| {
            if stay.joined_at <= *at && *at < stay.left_at {
                adding.add(stay, parts, is_grouped(stay));
            }
        })?,
        RowOf::Session(key, _) => session::each_stay(answering, org, counted, key, |stay| adding.add(stay, &[range], true))?,
        RowOf::DepartmentDays(..) | RowOf::DeveloperDays(..) => {}
    }
    Ok(adding.done())
}

/// Gives `add` each stay in the meetings that started in a range, in a data residency, or in any.
fn each_participant(counted: &Counted<'_>, unit: Option<u8>, range: Range, mut add: impl FnMut(&Stay)) -> Result<(), EngineError> {
    let Some(filter) = &counted.filter else { return Ok(()) };
    counted.view.each_day(range, |stays| {
        let stays = meetings(stays, range).flatten().filter(|stay| filter.takes_stay(stay) && unit.is_none_or(|unit| unit == stay.unit));
        stays.for_each(&mut add);
    })
}

/// The place that a stay counts in, where it could be a row.
fn place(ask: &UsersByPlace, stay: &Stay) -> Option<Place> {
    users_by_place::row_of(Place::from_number(stay.place)?, ask)
}
