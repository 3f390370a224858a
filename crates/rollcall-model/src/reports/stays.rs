//! Which stays count in a report on attendance.

use crate::fact::{Device, Medium, SessionKind, UserKind};
use jiff::tz::TimeZone;

/// Which stays count; where nothing is said, all.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct StayFilter {
    /// In this app.
    pub app: Option<String>,
    /// In sessions of these kinds.
    pub session_kinds: Option<Vec<SessionKind>>,
    /// Of users of these kinds, as of the fact.
    pub user_kinds: Option<Vec<UserKind>>,
    /// On these devices.
    pub devices: Option<Vec<Device>>,
    /// In which one of these media was used.
    pub media: Option<Vec<Medium>>,
    /// Of users in a department.
    pub department: Option<InDepartment>,
}

/// Users in a department. A stay is cut at the midnights of a zone, and each part counts if the directory has its user in the department on
/// that day.
#[derive(Debug, Clone, PartialEq)]
pub struct InDepartment {
    /// The department.
    pub id: String,
    /// Whether the departments below it count too, by the tree of the day.
    pub with_subtree: bool,
    /// Only on days on which it is this department, or below it.
    pub below: Option<String>,
    /// The organization's zone, which cuts the days, whatever zone a question names.
    pub home: TimeZone,
}
