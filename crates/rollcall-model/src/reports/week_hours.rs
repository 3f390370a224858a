//! `week_hours`: at which hours of the week people attend, as the mean of distinct users.

use super::stays::StayFilter;
use crate::calendar::Range;
use jiff::civil::Weekday;
use jiff::tz::TimeZone;

/// The question: how many distinct users attended anything in an hour of the week, on average over such hours of the range.
///
/// An hour is that of [`Calendar::hours`](crate::Calendar::hours), and counts with what of it lies in the range, also if nobody attended.
#[derive(Debug, Clone, PartialEq)]
pub struct WeekHours {
    /// The instants asked for.
    pub range: Range,
    /// The zone that cuts the hours.
    pub zone: TimeZone,
    /// Which stays count.
    pub of: StayFilter,
}

/// One row of the answer: from Monday 0:00 on; hours that are not in the range have none.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct WeekHour {
    /// The day of the week.
    pub weekday: Weekday,
    /// What the clocks show, from 0 to 23.
    pub hour: i8,
    /// The distinct users of each such hour, added up.
    pub users: u64,
    /// How many such hours there are.
    pub hours: u64,
}
