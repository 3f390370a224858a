//! `concurrency`: the most that was going on at one instant.

use super::active_users::Grouping;
use super::stays::StayFilter;
use crate::calendar::{Millis, Range};
use jiff::civil::{Date, Weekday};
use jiff::tz::TimeZone;

/// The question: how many stays there were at once at most, and how many sessions with somebody in them, by period.
///
/// Stays are half-open: one that ends does not meet one that begins at that instant, and one of no length counts nowhere. Two stays of one
/// user are two. A period begins with who is there already.
#[derive(Debug, Clone, PartialEq)]
pub struct Concurrency {
    /// The instants asked for; a period counts with what of it lies inside.
    pub range: Range,
    /// The zone that cuts the periods.
    pub zone: TimeZone,
    /// The first day of a week.
    pub week_start: Weekday,
    /// What a row is; rolling days are not answered.
    pub by: Grouping,
    /// Which stays count; its department and its media are not looked at.
    pub of: StayFilter,
}

/// The most at one instant.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Peak {
    /// How many.
    pub most: u64,
    /// The first instant at which there were so many.
    pub at: Millis,
}

/// One row of the answer. Every period has one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ConcurrencyRow {
    /// The first date of the period.
    pub date: Date,
    /// The instants of the whole period.
    pub period: Range,
    /// The most stays; none where nobody is.
    pub stays: Option<Peak>,
    /// The most sessions with somebody in them; none where nobody is.
    pub sessions: Option<Peak>,
}
