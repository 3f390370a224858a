//! `active_users`: distinct users whose stays overlap a period.

use super::stays::StayFilter;
use crate::calendar::{Period, Range};
use jiff::civil::{Date, Weekday};
use jiff::tz::TimeZone;

/// The question: how many distinct users attended anything, by period.
///
/// A stay `[joined_at, left_at)` overlaps a period `[a, b)` when `joined_at < b` and `left_at > a`; a stay of no length counts at its
/// instant. Counts are exact and distinct over the whole of each period, never sums of smaller ones.
#[derive(Debug, Clone, PartialEq)]
pub struct ActiveUsers {
    /// The instants asked for; a period counts with what of it lies inside.
    pub range: Range,
    /// The zone that cuts the periods.
    pub zone: TimeZone,
    /// The first day of a week.
    pub week_start: Weekday,
    /// What a row is.
    pub by: Grouping,
    /// Which stays count.
    pub of: StayFilter,
}

/// What a row of `active_users` counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Grouping {
    /// A period of the calendar: each that the range touches has a row.
    Period(Period),
    /// An hour ([`Calendar::hours`](crate::Calendar::hours)): each that the range touches has a row.
    Hour,
    /// So many days that end with a day: each day that the range touches has a row. The days before it count though the range begins later.
    Rolling(u16),
    /// The range as one.
    Whole,
}

/// One row of the answer. Every period has one, also with no user at all; periods that the zone skips have none.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ActiveUsersRow {
    /// The first date of the period; for rolling days the last; for the whole range the date of its first instant.
    pub date: Date,
    /// The instants of the whole period, even where the range begins or ends within it.
    pub period: Range,
    /// Distinct users.
    pub users: u64,
}
