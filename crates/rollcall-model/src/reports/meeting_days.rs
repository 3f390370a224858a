//! `meeting_days`: per day, the meetings that started, their duration and their participants.

use crate::calendar::{Millis, Range};
use jiff::civil::Date;
use jiff::tz::TimeZone;

/// The question: meetings started in a range, by day.
///
/// A meeting (a session of kind `meeting`) belongs to the day, and to the range, in which it started, and counts there whole.
#[derive(Debug, Clone, PartialEq)]
pub struct MeetingDays {
    /// Meetings that started in this range count.
    pub range: Range,
    /// The zone that cuts the days.
    pub zone: TimeZone,
    /// Only this app; none: all.
    pub app: Option<String>,
    /// Only facts of this data residency; none: all. A meeting counts in each residency with that residency's facts.
    pub unit: Option<u8>,
}

/// One day of the answer. Every day that the range touches has a row, but for days that the zone skips.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct MeetingDay {
    /// The day.
    pub date: Date,
    /// The instants of the whole day, even where the range begins or ends within it.
    pub day: Range,
    /// Meetings that started on the day, and in the range.
    pub meetings: u64,
    /// Sum of the meetings' spans, last leave minus first join, in milliseconds.
    pub duration: Millis,
    /// Distinct participants of each meeting, summed over the meetings.
    pub participants: u64,
}
