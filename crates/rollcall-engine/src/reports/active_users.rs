//! `active_users`: distinct users whose stays overlap a period, a row for each day, week, month or year, for rolling days, or for the
//! range as one.
//!
//! A period that is asked for whole and begins and ends on quarter hours is a slice that is kept, whatever the zone; a range that is
//! asked for as one is kept in memory alone.
//! `active_users.sql` defines the same answer.

use super::{Answering, app_number, whole_slice};
use crate::EngineError;
use crate::cells::{PresentFilter, PresentUsers, Stays, View};
use roaring::{MultiOps, RoaringBitmap};
use rollcall_model::calendar::DAY_MILLIS;
use rollcall_model::reports::{ActiveUsers, ActiveUsersRow, Grouping};
use rollcall_model::{Answer, Calendar, Covers, OrgId, Period, Range, ReportError};
use std::collections::VecDeque;
use std::sync::Arc;

pub(super) fn answer(answering: &Answering<'_>, org: OrgId, ask: &ActiveUsers) -> Result<Answer<ActiveUsersRow>, ReportError> {
    let calendar = Calendar { zone: ask.zone.clone(), week_start: ask.week_start };
    let before = if let Grouping::Rolling(days) = ask.by { i64::from(days) + 1 } else { 0 };
    let view = answering.view::<Stays>(org, Range::new(ask.range.from - before * DAY_MILLIS, ask.range.to))?;
    let filter = app_number(answering.engine, org, ask.app.as_deref())?.map(|app| PresentFilter {
        app,
        session_kinds: ask.session_kinds.clone(),
        user_kinds: ask.user_kinds.clone(),
        devices: ask.devices.clone(),
    });
    let users = |period: Range, within: Range| match &filter {
        Some(filter) => present(&view, period, within, filter, ask.by == Grouping::Whole),
        None => Ok(RoaringBitmap::new()),
    };
    let rows = match ask.by {
        Grouping::Period(period) => calendar
            .periods(period, ask.range)
            .map(|slice| Ok(ActiveUsersRow { date: slice.date, period: slice.range, users: users(slice.range, ask.range)?.len() }))
            .collect::<Result<_, EngineError>>()?,
        Grouping::Rolling(days) => rolling(&calendar, ask.range, usize::from(days.max(1)), users)?,
        Grouping::Whole if ask.range.is_empty() => Vec::new(),
        Grouping::Whole => {
            let date = calendar.date_of(ask.range.from);
            vec![ActiveUsersRow { date, period: ask.range, users: users(ask.range, ask.range)?.len() }]
        }
    };
    let seen = view.seen().map(|seen| seen.intersect(&ask.range)).filter(|seen| !seen.is_empty());
    let covers = Covers { range: ask.range, zone: ask.zone.clone(), seen: seen.map(|seen| (seen.from, seen.to)) };
    Ok(Answer { covers, rows })
}

/// The users present in what of a period lies within a range; the period may be a range that was asked for as one.
fn present(
    view: &View<'_, Stays>,
    period: Range,
    within: Range,
    filter: &PresentFilter,
    as_one: bool,
) -> Result<RoaringBitmap, EngineError> {
    let mut cells: Vec<Arc<PresentUsers>> = Vec::new();
    match whole_slice(period, within) {
        Some(slice) if as_one => cells.push(view.range_cell(slice)?),
        Some(slice) => cells.push(view.cell(slice)?),
        None => view.each(period.intersect(&within), |cell: &Arc<PresentUsers>| cells.push(cell.clone()))?,
    }
    Ok(PresentUsers::union(cells.iter().map(AsRef::as_ref), |group| filter.takes(group)))
}

/// A row for each day that the range touches: the users of that day and of those before it, `length` days in all.
fn rolling(
    calendar: &Calendar,
    range: Range,
    length: usize,
    users: impl Fn(Range, Range) -> Result<RoaringBitmap, EngineError>,
) -> Result<Vec<ActiveUsersRow>, EngineError> {
    let Some(first) = calendar.periods(Period::Day, range).next() else { return Ok(Vec::new()) };
    // A little further back than needed: some days are longer than 24 hours, and some are skipped.
    let back = Range::new(first.range.from - (length as i64 + 1) * DAY_MILLIS, range.to);
    let whole = Range::new(i64::MIN, range.to);
    let days: Vec<_> = calendar.periods(Period::Day, back).collect();
    let begin = days.iter().position(|day| day.range.from == first.range.from).unwrap_or(0);
    let mut window: VecDeque<RoaringBitmap> = VecDeque::with_capacity(length);
    let mut rows = Vec::with_capacity(days.len() - begin);
    for (position, day) in days.iter().enumerate().skip((begin + 1).saturating_sub(length)) {
        if window.len() == length {
            window.pop_front();
        }
        window.push_back(users(day.range, whole)?);
        if position >= begin {
            let from = days.get((position + 1).saturating_sub(length)).map_or(day.range.from, |first| first.range.from);
            rows.push(ActiveUsersRow { date: day.date, period: Range::new(from, day.range.to), users: window.iter().union().len() });
        }
    }
    Ok(rows)
}
