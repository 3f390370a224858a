//! `active_users`: distinct users whose stays overlap a period, a row for each day, week, month or year, for rolling days, or for the
//! range as one.
//!
//! A period that is asked for whole and begins and ends on quarter hours is a slice that is kept, whatever the zone; a range that is
//! asked for as one is kept in memory alone.
//! `active_users.sql` defines the same answer.

use super::Answering;
use super::counted::Counted;
use super::hours::hours;
use crate::EngineError;
use crate::parallel;
use roaring::{MultiOps, RoaringBitmap};
use rollcall_model::calendar::{DAY_MILLIS, Slice};
use rollcall_model::reports::{ActiveUsers, ActiveUsersRow, Grouping};
use rollcall_model::{Answer, Calendar, Covers, OrgId, Period, Range, ReportError};
use std::collections::VecDeque;

pub(super) fn answer(answering: &Answering<'_>, org: OrgId, ask: &ActiveUsers) -> Result<Answer<ActiveUsersRow>, ReportError> {
    let calendar = Calendar { zone: ask.zone.clone(), week_start: ask.week_start };
    let counted = Counted::new(answering, org, &ask.of, reach(ask))?;
    let users = |period: Range, within: Range| counted.present(period, within, ask.by == Grouping::Whole);
    let rows = match ask.by {
        Grouping::Period(period) => parallel::each(&calendar.periods(period, ask.range).collect::<Vec<_>>(), |slice| {
            Ok(ActiveUsersRow { date: slice.date, period: slice.range, users: users(slice.range, ask.range)?.len() })
        })?,
        Grouping::Hour => {
            let mut rows = Vec::new();
            hours(&counted, &calendar, ask.range, |hour, users| {
                rows.push(ActiveUsersRow { date: hour.date, period: hour.range, users: users.len() });
            })?;
            rows
        }
        Grouping::Rolling(days) => rolling(&calendar, ask.range, usize::from(days.max(1)), users)?,
        Grouping::Whole if ask.range.is_empty() => Vec::new(),
        Grouping::Whole => {
            let date = calendar.date_of(ask.range.from);
            vec![ActiveUsersRow { date, period: ask.range, users: users(ask.range, ask.range)?.len() }]
        }
    };
    let covers = Covers { range: ask.range, zone: ask.zone.clone(), seen: counted.seen(ask.range) };
    Ok(Answer { covers, rows })
}

/// The instants that count for some row: rolling days reach back before the range.
pub(super) fn reach(ask: &ActiveUsers) -> Range {
    let before = if let Grouping::Rolling(days) = ask.by { i64::from(days) + 1 } else { 0 };
    Range::new(ask.range.from - before * DAY_MILLIS, ask.range.to)
}

/// How many days of users are in memory at once, besides those that a row counts.
const DAYS_AT_ONCE: usize = 64;

/// A row for each day that the range touches: the users of that day and of those before it, `length` days in all.
fn rolling(
    calendar: &Calendar,
    range: Range,
    length: usize,
    users: impl Fn(Range, Range) -> Result<RoaringBitmap, EngineError> + Sync,
) -> Result<Vec<ActiveUsersRow>, EngineError> {
    let Some(first) = calendar.periods(Period::Day, range).next() else { return Ok(Vec::new()) };
    // A little further back than needed: some days are longer than 24 hours, and some are skipped.
    let back = Range::new(first.range.from - (length as i64 + 1) * DAY_MILLIS, range.to);
    let whole = Range::new(i64::MIN, range.to);
    let days: Vec<_> = calendar.periods(Period::Day, back).collect();
    let begin = days.iter().position(|day| day.range.from == first.range.from).unwrap_or(0);
    let mut window: VecDeque<RoaringBitmap> = VecDeque::with_capacity(length);
    let mut rows = Vec::with_capacity(days.len() - begin);
    let from = (begin + 1).saturating_sub(length);
    let needed: Vec<(usize, &Slice)> = days.iter().enumerate().skip(from).collect();
    for some in needed.chunks(DAYS_AT_ONCE) {
        for ((position, day), of_day) in some.iter().zip(parallel::each(some, |(_, day)| users(day.range, whole))?) {
            if window.len() == length {
                window.pop_front();
            }
            window.push_back(of_day);
            if *position < begin {
                continue;
            }
            let from = days.get((position + 1).saturating_sub(length)).map_or(day.range.from, |first| first.range.from);
            rows.push(ActiveUsersRow { date: day.date, period: Range::new(from, day.range.to), users: window.iter().union().len() });
        }
    }
    Ok(rows)
}
