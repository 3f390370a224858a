//! The directory: an organization's people and departments, with the days since which entries hold.
//!
//! - [`document`]: what is uploaded, and what can be wrong with it
//! - `history`: the entries of an id, by day
//! - `check`: what must hold on every day
//! - [`change`]: single entries changed, and how much a change takes away
//! - [`tree`]: the departments of one day

pub mod change;
mod check;
pub mod document;
mod history;
#[cfg(test)]
mod tests;
pub mod tree;

pub use change::{DirectoryPatch, Losses};
pub use document::{Department, DirectoryDocument, DirectoryError, MOST_DEPARTMENTS, MOST_LEVELS, User};
pub use tree::Tree;

use crate::fact::UserKind;
use history::{Entry, History, held};
use jiff::civil::Date;
use serde::ser::SerializeStruct;
use serde::{Serialize, Serializer};

/// A checked directory, ready for look-ups. Days are days of the organization's zone.
#[derive(Debug, Clone, Default)]
pub struct Directory {
    departments: History<Department>,
    users: History<User>,
    /// The days on which an entry begins, ascending.
    changes: Vec<Date>,
}

impl Directory {
    /// Checks an uploaded directory.
    ///
    /// # Errors
    /// Something wrong with it, and if several things are, always the same one.
    pub fn new(document: DirectoryDocument) -> Result<Self, DirectoryError> {
        check::texts(&document)?;
        let DirectoryDocument { departments, users } = document;
        let departments =
            History::new(departments).map_err(|twice| DirectoryError::Twice { what: "department", id: twice.id, day: twice.from })?;
        let users = History::new(users).map_err(|twice| DirectoryError::Twice { what: "user", id: twice.id, day: twice.from })?;
        check::departments(&departments)?;
        check::users(users.entries(), &departments)?;
        let from_departments = departments.entries().iter().filter_map(Entry::from);
        let mut changes: Vec<Date> = from_departments.chain(users.entries().iter().filter_map(Entry::from)).collect();
        changes.sort_unstable();
        changes.dedup();
        Ok(Self { departments, users, changes })
    }

    /// What was uploaded, ordered by id and day.
    pub fn document(&self) -> DirectoryDocument {
        DirectoryDocument { departments: self.departments().to_vec(), users: self.users().to_vec() }
    }

    /// The entries of departments, ordered by id and day.
    pub fn departments(&self) -> &[Department] {
        self.departments.entries()
    }

    /// The entries of users, ordered by id and day.
    pub fn users(&self) -> &[User] {
        self.users.entries()
    }

    /// The newest entry of a user: for names and ids.
    pub fn user(&self, id: &str) -> Option<&User> {
        self.users.of(id).last()
    }

    /// The kind that the directory gives a user on a day; before the first entry's day, that entry's. The day is asked for only where
    /// several entries could hold.
    pub fn kind_on(&self, user_id: &str, day: impl FnOnce() -> Date) -> Option<UserKind> {
        match self.users.of(user_id) {
            [] => None,
            [only] => Some(only.kind),
            entries @ [first, ..] => Some(held(entries, day()).unwrap_or(first).kind),
        }
    }

    /// The departments that a user belongs to on a day: none before the first entry's day, and none of a user the directory does not know.
    /// The day is asked for only where it matters.
    pub fn departments_on(&self, user_id: &str, day: impl FnOnce() -> Date) -> &[String] {
        let entry = match self.users.of(user_id) {
            [] => None,
            [only @ User { from: None, .. }] => Some(only),
            entries => held(entries, day()),
        };
        entry.map(|user| user.departments.as_slice()).unwrap_or_default()
    }

    /// The entries of users that hold on a day, ascending by the bytes of their ids.
    pub fn users_on(&self, day: Date) -> Vec<&User> {
        self.users.on(day).collect()
    }

    /// Whether the directory knows a department, on whatever day.
    pub fn has_department(&self, id: &str) -> bool {
        self.departments.knows(id)
    }

    /// The departments that exist on a day. Takes time in proportion to the entries.
    pub fn tree_on(&self, day: Date) -> Tree<'_> {
        Tree::new(self.departments.on(day).collect())
    }

    /// The first day after `after` on which an entry of a department or user begins: until then, every day is like `after`.
    pub fn next_change(&self, after: Date) -> Option<Date> {
        self.changes.get(self.changes.partition_point(|&day| day <= after)).copied()
    }
}

/// Written as the document that it was made of.
impl Serialize for Directory {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut document = serializer.serialize_struct("Directory", 2)?;
        document.serialize_field("departments", self.departments())?;
        document.serialize_field("users", self.users())?;
        document.end()
    }
}

/// Directories are equal if their entries are, in whatever order they were uploaded.
impl PartialEq for Directory {
    fn eq(&self, other: &Self) -> bool {
        self.departments() == other.departments() && self.users() == other.users()
    }
}

impl Eq for Directory {}

/// Whether a string is 1 to 256 bytes without control characters, as every text of a fact or directory must be.
pub(crate) fn is_text(text: &str) -> bool {
    // Printable ASCII, which nearly all text of facts is, needs no decoding.
    let printable = |byte: u8| (0x20..0x7f).contains(&byte);
    (1..=256).contains(&text.len()) && (text.bytes().all(printable) || !text.chars().any(char::is_control))
}
