//! `department_users`: distinct users in attendance by department.

use super::stays::StayFilter;
use crate::calendar::Range;
use jiff::tz::TimeZone;

/// The question: how many distinct users of each department attended anything.
///
/// A stay counts as in [`ActiveUsers`](super::ActiveUsers). On each day of the organization's zone that it touches it counts for the
/// departments in which the directory has its user on that day, and for those above them by the tree of that day.
#[derive(Debug, Clone, PartialEq)]
pub struct DepartmentUsers {
    /// The instants asked for, as one.
    pub range: Range,
    /// The zone that the answer names; it does not change the rows.
    pub zone: TimeZone,
    /// The organization's zone, which cuts the days.
    pub home: TimeZone,
    /// Whether a row counts the departments below too.
    pub with_subtree: bool,
    /// Only this department and those below it, on the days on which they are; none: all.
    pub within: Option<String>,
    /// Which stays count; its department is not looked at.
    pub of: StayFilter,
}

/// One row of the answer: a department that exists on some day of the range, in the order of ids' bytes; then, if nothing is asked `within`,
/// whoever had no department on some day of their activity.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DepartmentCount {
    /// The department.
    pub department: Option<String>,
    /// Distinct users who attended.
    pub users: u64,
    /// Distinct users whom the directory has in it on some day of the range, of any kind, whatever else is asked; 0 where there is no
    /// department.
    pub members: u64,
}
