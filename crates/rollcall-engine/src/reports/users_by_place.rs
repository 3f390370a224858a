//! `users_by_place`: distinct users per country or subdivision, over the range as one.
//!
//! The months and days of the zone that lie in the range whole are cells that are kept; what is left comes from the fewest slices of UTC.
//! A range of whole hours is kept as one too, in memory: the last seven days are asked for all day.
//! Sets unite place by place; users of unknown place are those in no set that has a row. `users_by_place.sql` defines the same answer.

use super::{Answering, app_number, whole_slice};
use crate::EngineError;
use crate::cells::{Merged, PlacedUsers, RangeUsers, Stays, View};
use crate::parallel;
use roaring::{MultiOps, RoaringBitmap};
use rollcall_model::reports::{PlaceLevel, PlaceUsers, UsersByPlace};
use rollcall_model::{Answer, Calendar, Covers, OrgId, Period, Place, Range, ReportError};
use std::cmp::Reverse;
use std::collections::BTreeMap;
use std::sync::Arc;

pub(super) fn answer(answering: &Answering<'_>, org: OrgId, ask: &UsersByPlace) -> Result<Answer<PlaceUsers>, ReportError> {
    let view = answering.view::<Stays>(org, ask.range)?;
    let app = app_number(answering.engine, org, ask.app.as_deref())?;
    let gathered = || gather(&view, &Calendar::new(ask.zone.clone()), ask.range);
    let cells = match whole_slice(ask.range, ask.range) {
        _ if app.is_none() => Vec::new(),
        Some(slice) => vec![view.kept(slice, 0, || Ok(as_one(&gathered()?)))?.0.clone()],
        None => gathered()?,
    };
    let mut sets: BTreeMap<Option<Place>, Vec<&RoaringBitmap>> = BTreeMap::new();
    for (group, users) in cells.iter().flat_map(|cell| cell.groups()) {
        if app.flatten().is_none_or(|app| app == group.app()) {
            sets.entry(group.place().and_then(|place| row_of(place, ask))).or_default().push(users);
        }
    }
    let unknown = sets.remove(&None).map(|sets| sets.union());
    let known: Vec<(Place, RoaringBitmap)> = sets.into_iter().filter_map(|(place, sets)| Some((place?, sets.union()))).collect();
    let unknown = unknown.map_or(0, |users| (users - known.iter().map(|(_, users)| users).union()).len());
    let mut rows: Vec<_> = known.iter().map(|(place, users)| PlaceUsers { place: Some(*place), users: users.len() }).collect();
    rows.sort_by_cached_key(|row| (Reverse(row.users), row.place.map(|place| place.code())));
    if unknown > 0 {
        rows.push(PlaceUsers { place: None, users: unknown });
    }
    let seen = view.seen().map(|seen| seen.intersect(&ask.range)).filter(|seen| !seen.is_empty());
    let covers = Covers { range: ask.range, zone: ask.zone.clone(), seen: seen.map(|seen| (seen.from, seen.to)) };
    Ok(Answer { covers, rows })
}

/// The place whose row counts users seen in `place`; none if their place is unknown to this question.
pub(super) fn row_of(place: Place, ask: &UsersByPlace) -> Option<Place> {
    let row = match ask.by {
        PlaceLevel::Country => place.as_country(),
        PlaceLevel::Subdivision => place.as_subdivision()?,
    };
    ask.country.is_none_or(|country| country.country() == row.country()).then_some(row)
}

fn as_one(cells: &[Arc<PlacedUsers>]) -> RangeUsers {
    let mut range = PlacedUsers::default();
    cells.iter().for_each(|cell| range.merge(cell));
    RangeUsers(Arc::new(range))
}

/// Cells that together hold exactly the stays that overlap a range.
fn gather(view: &View<'_, Stays>, calendar: &Calendar, range: Range) -> Result<Vec<Arc<PlacedUsers>>, EngineError> {
    let mut slices = Vec::new();
    // What no month or day of the zone covers, in as few pieces as can be: each has two edges.
    let mut rest: Vec<Range> = Vec::new();
    for month in calendar.periods(Period::Month, range) {
        if let Some(slice) = whole_slice(month.range, range) {
            slices.push(slice);
            continue;
        }
        for day in calendar.periods(Period::Day, month.range.intersect(&range)) {
            let part = day.range.intersect(&range);
            match (whole_slice(day.range, range), rest.last_mut()) {
                (Some(slice), _) => slices.push(slice),
                (None, Some(last)) if last.to == part.from => last.to = part.to,
                (None, _) => rest.push(part),
            }
        }
    }
    let mut cells = parallel::each(&slices, |slice| view.cell(*slice))?;
    for piece in rest {
        view.each(piece, |cell: &Arc<PlacedUsers>| cells.push(cell.clone()))?;
    }
    Ok(cells)
}
