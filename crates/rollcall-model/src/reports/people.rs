//! `people`: the users behind a row of a report; `person`: what one of them did; `silent`: who did nothing.

use super::stays::InDepartment;
use super::{
    ActiveUsers, Concurrency, DepartmentDays, DepartmentUsers, DeveloperDays, Means, MeetingDays, RowKey, SessionKey, TopUsers, Usage,
    UsersByMeans, UsersByPlace,
};
use crate::calendar::{Millis, Range};
use crate::fact::{Device, UserKind};
use crate::place::Place;
use jiff::civil::{Date, Weekday};
use jiff::tz::TimeZone;

/// The question: who the users behind a row are. They are as many as the row says.
#[derive(Debug, Clone, PartialEq)]
pub struct People {
    /// The report, and its row.
    pub behind: RowOf,
    /// The organization's zone: departments are those of the last day of the range.
    pub home: TimeZone,
    /// What orders the rows.
    pub order: PeopleOrder,
    /// Only those that come after this place in the order.
    pub after: Option<PeoplePlace>,
    /// How many rows at most.
    pub limit: usize,
}

/// A row of a report: the question, and what tells the row from others.
#[derive(Debug, Clone, PartialEq)]
pub enum RowOf {
    /// Users whose stays overlap a period, or several days that roll.
    ActiveUsers(ActiveUsers, Range),
    /// Users of a medium or device.
    UsersByMeans(UsersByMeans, Means),
    /// Users in a place; none: of unknown place.
    UsersByPlace(UsersByPlace, Option<Place>),
    /// Users of a department; none: of no department.
    DepartmentUsers(DepartmentUsers, Option<String>),
    /// Participants of the meetings that started in a period.
    MeetingDays(MeetingDays, Range),
    /// The user of the row.
    TopUsers(TopUsers, String),
    /// Users who are there at an instant.
    Concurrency(Concurrency, Millis),
    /// Users in a session.
    Session(SessionKey, TimeZone),
    /// Developers of a department.
    DepartmentDays(DepartmentDays, RowKey),
    /// The developer of the row.
    DeveloperDays(DeveloperDays, RowKey),
}

/// What orders people.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum PeopleOrder {
    /// The id's bytes, ascending.
    Id,
    /// Time, descending; then the id.
    Time,
    /// Sessions, descending; then the id.
    Sessions,
}

/// A place in the order: the measure of the last row before, and its id.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PeoplePlace {
    /// The time or the sessions; 0 where ids order.
    pub measure: i64,
    /// The id.
    pub id: String,
}

/// One of the people. Behind a row of the assistant's use there are no stays: sessions and time are 0.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PersonRow {
    /// The id that facts carry.
    pub id: String,
    /// The directory's newest; the id for a user it does not know.
    pub name: String,
    /// The directory's newest; none for a user it does not know.
    pub kind: Option<UserKind>,
    /// Ids of departments on the last day of the range.
    pub departments: Vec<String>,
    /// The first join of the stays that count, each taken whole.
    pub first: Option<Millis>,
    /// The last leave of them.
    pub last: Option<Millis>,
    /// Distinct sessions.
    pub sessions: u64,
    /// What of the stays lies in the row's period and the range, in milliseconds; overlapping stays are added.
    pub time: Millis,
}

/// The question: what one user did.
#[derive(Debug, Clone, PartialEq)]
pub struct Person {
    /// The user's id, as facts carry it.
    pub user: String,
    /// The instants asked for.
    pub range: Range,
    /// The zone that cuts days and weeks.
    pub zone: TimeZone,
    /// The first day of a week.
    pub week_start: Weekday,
    /// The organization's zone: departments are those of the last day of the range.
    pub home: TimeZone,
}

/// What a user did.
#[derive(Debug, Clone, PartialEq)]
pub struct PersonAnswer {
    /// The user, with all stays of the range.
    pub row: PersonRow,
    /// Days with a stay in them.
    pub days: u64,
    /// A row for each week that the range touches.
    pub weeks: Vec<PersonWeek>,
    /// Time by country or subdivision, as facts have it, most first; none: unknown.
    pub places: Vec<(Option<Place>, Millis)>,
    /// Time by device, most first.
    pub devices: Vec<(Device, Millis)>,
    /// Use of the coding assistant.
    pub usage: Usage,
}

/// A week of a user.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PersonWeek {
    /// The first date.
    pub date: Date,
    /// The instants of the whole week.
    pub period: Range,
    /// Distinct sessions with a stay in it.
    pub sessions: u64,
    /// What of the stays lies in it, in milliseconds.
    pub time: Millis,
}

/// The question: which members did not attend anything.
#[derive(Debug, Clone, PartialEq)]
pub struct Silent {
    /// Any stay of theirs in this range, in any app and of any kind, ends their silence.
    pub range: Range,
    /// The zone that the answer names; it does not change the rows.
    pub zone: TimeZone,
    /// The organization's zone, which cuts the days of the directory.
    pub home: TimeZone,
    /// Only whoever is in a department on some day of the range.
    pub department: Option<InDepartment>,
    /// Only those whose ids come after this.
    pub after: Option<String>,
    /// How many rows at most.
    pub limit: usize,
}

/// A member, of some day of the range, without a stay in it, in the order of ids' bytes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SilentMember {
    /// The id that facts would carry.
    pub id: String,
    /// The directory's newest.
    pub name: String,
    /// Ids of departments on the last day of the range on which the directory has the member.
    pub departments: Vec<String>,
}
