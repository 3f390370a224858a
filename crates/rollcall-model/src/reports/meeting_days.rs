//! `meeting_days`: per day or another period, the meetings that started, their duration and their participants.

use super::active_users::Grouping;
use crate::calendar::{Millis, Period, Range};
use jiff::civil::{Date, Weekday};
use jiff::tz::TimeZone;

/// The question: meetings started in a range, by period.
///
/// A meeting (a session of kind `meeting`) belongs to the period, and to the range, in which it started, and counts there whole.
#[derive(Debug, Clone, PartialEq)]
pub struct MeetingDays {
    /// Meetings that started in this range count.
    pub range: Range,
    /// The zone that cuts the periods.
    pub zone: TimeZone,
    /// The first day of a week.
    pub week_start: Weekday,
    /// What a row is; rolling days and hours are not answered.
    pub by: Grouping,
    /// Only this app; none: all.
    pub app: Option<String>,
    /// Only facts of this data residency; none: all. A meeting counts in each residency with that residency's facts.
    pub unit: Option<u8>,
    /// Whether rows count the distinct people of a period too.
    pub with_people: bool,
}

impl MeetingDays {
    /// The question with a row for each day, of all apps and residencies.
    pub const fn by_day(range: Range, zone: TimeZone) -> Self {
        Self { range, zone, week_start: Weekday::Sunday, by: Grouping::Period(Period::Day), app: None, unit: None, with_people: false }
    }
}

/// One row of the answer. Every period that the range touches has one, but for days that the zone skips.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct MeetingDay {
    /// The first date of the period; for the whole range the date of its first instant.
    pub date: Date,
    /// The instants of the whole period, even where the range begins or ends within it.
    pub period: Range,
    /// Meetings that started in the period, and in the range.
    pub meetings: u64,
    /// Sum of the meetings' spans, last leave minus first join, in milliseconds.
    pub duration: Millis,
    /// Distinct participants of each meeting, summed over the meetings.
    pub participants: u64,
    /// Distinct people of all these meetings; none where they were not asked for.
    pub people: Option<u64>,
}
