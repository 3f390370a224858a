//! The directory as it is uploaded and stored, and what can be wrong with it.

use crate::fact::UserKind;
use jiff::civil::Date;
use serde::{Deserialize, Serialize};

/// The directory as it is uploaded and stored.
///
/// An entry holds from its day on, until the next entry of the same id begins, or after its last day, `until`; without a day, since ever. An
/// older entry does not come back. Days are days of the organization's zone.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct DirectoryDocument {
    /// The department tree.
    pub departments: Vec<Department>,
    /// The people, rooms and telephones.
    pub users: Vec<User>,
}

/// A node of the department tree.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Department {
    /// Its id.
    pub id: String,
    /// The department above it; absent for a root.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub parent_id: Option<String>,
    /// Its name.
    pub name: String,
    /// The day since which this entry holds; absent: since ever. Before its first entry's day a department does not exist.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub from: Option<Date>,
    /// The last day on which this entry holds, if no other entry begins before; absent: it holds on. After it the department does not exist,
    /// until another entry begins.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub until: Option<Date>,
}

/// A user: the ids, the name, the kind and the departments behind the `user_id` of facts.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct User {
    /// The id that facts carry as `user_id`.
    pub id: String,
    /// The id of the user in one application.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub open_id: Option<String>,
    /// The id of the user in all applications of one developer.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub union_id: Option<String>,
    /// The id of the user in the organization.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub user_id: Option<String>,
    /// What people call them.
    pub name: String,
    /// What they are; absent: a member.
    #[serde(default = "member")]
    pub kind: UserKind,
    /// The departments they belong to, by id; at most [`MOST_DEPARTMENTS`].
    #[serde(default)]
    pub departments: Vec<String>,
    /// The day since which this entry holds; absent: since ever. Before the first entry's day a user belongs to no department, but is of
    /// that entry's kind.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub from: Option<Date>,
    /// The last day on which this entry holds, if no other entry begins before; absent: it holds on. After it a user belongs to no department,
    /// until another entry begins, but is of this entry's kind.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub until: Option<Date>,
}

const fn member() -> UserKind {
    UserKind::Member
}

/// How many levels a department tree may have. A report on a department covers all levels below it.
pub const MOST_LEVELS: usize = 100;

/// How many departments a user may belong to on one day. A fact may be booked on each of them.
pub const MOST_DEPARTMENTS: usize = 100;

/// What is wrong with an uploaded directory.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum DirectoryError {
    /// Two entries of one id hold since the same day.
    #[error("{what} {id} has two entries from the same day{}", in_brackets(*.day))]
    Twice {
        /// `user` or `department`.
        what: &'static str,
        /// The id.
        id: String,
        /// The day; none: since ever.
        day: Option<Date>,
    },
    /// An id or a name is empty, longer than 256 bytes or has control characters.
    #[error("{what} {id}: {field} must be a string of 1 to 256 bytes without control characters")]
    Text {
        /// `user` or `department`.
        what: &'static str,
        /// The id of the entry.
        id: String,
        /// The field.
        field: &'static str,
    },
    /// A department that is named somewhere does not exist on any day.
    #[error("{what} {id}{} names the unknown department {department}", since(*.day))]
    UnknownDepartment {
        /// `user` or `department`.
        what: &'static str,
        /// The id of the entry.
        id: String,
        /// The day since which the entry holds; none: since ever.
        day: Option<Date>,
        /// The department it names.
        department: String,
    },
    /// An entry names a department that does not exist yet.
    #[error("{what} {id}{} names the department {department}, which begins later, on {begins}", since(*.day))]
    NotYet {
        /// `user` or `department`.
        what: &'static str,
        /// The id of the entry.
        id: String,
        /// The day since which the entry holds; none: since ever.
        day: Option<Date>,
        /// The department it names.
        department: String,
        /// The first day of that department.
        begins: Date,
    },
    /// An entry names a department that does not exist on one of its days.
    #[error("{what} {id}{} names the department {department}, which ends before, on {ends}", since(*.day))]
    Gone {
        /// `user` or `department`.
        what: &'static str,
        /// The id of the entry.
        id: String,
        /// The day since which the entry holds; none: since ever.
        day: Option<Date>,
        /// The department it names.
        department: String,
        /// The last day of that department.
        ends: Date,
    },
    /// An entry ends before it begins.
    #[error("{what} {id}{} ends before it begins, on {until}", since(*.day))]
    Backwards {
        /// `user` or `department`.
        what: &'static str,
        /// The id of the entry.
        id: String,
        /// The day since which the entry would hold.
        day: Option<Date>,
        /// The last day.
        until: Date,
    },
    /// An entry names a department twice.
    #[error("user {id}{} names the department {department} twice", since(*.day))]
    Repeated {
        /// The user.
        id: String,
        /// The day since which the entry holds; none: since ever.
        day: Option<Date>,
        /// The department.
        department: String,
    },
    /// An entry names too many departments.
    #[error("user {id}{} names more than {MOST_DEPARTMENTS} departments", since(*.day))]
    TooMany {
        /// The user.
        id: String,
        /// The day since which the entry holds; none: since ever.
        day: Option<Date>,
    },
    /// A department is below itself on some day.
    #[error("department {id} is below itself{}", on(*.day))]
    Cycle {
        /// The id.
        id: String,
        /// The first such day; none: since ever.
        day: Option<Date>,
    },
    /// The tree has too many levels on some day.
    #[error("department {id} makes the tree deeper than {MOST_LEVELS} levels{}", on(*.day))]
    TooDeep {
        /// The department whose entry does it.
        id: String,
        /// The first such day; none: since ever.
        day: Option<Date>,
    },
}

fn in_brackets(day: Option<Date>) -> String {
    day.map(|day| format!(" ({day})")).unwrap_or_default()
}

fn since(day: Option<Date>) -> String {
    day.map(|day| format!(" (from {day})")).unwrap_or_default()
}

fn on(day: Option<Date>) -> String {
    day.map(|day| format!(" on {day}")).unwrap_or_default()
}
