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
use history::{Entry, History, begun, held, lasting};
use jiff::civil::Date;
use serde::ser::SerializeStruct;
use serde::{Serialize, Serializer};

/// A checked directory, ready for look-ups. Days are days of the organization's zone.
#[derive(Debug, Clone, Default)]
pub struct Directory {
    departments: History<Department>,
    users: History<User>,
    /// The days on which an entry begins, or no longer holds, ascending.
    changes: Vec<Date>,
    /// Those of them on which other departments exist, or lie below others, ascending.
    tree_changes: Vec<Date>,
}

impl Directory {
    /// Checks an uploaded directory.
    ///
    /// # Errors
    /// Something wrong with it, and if several things are, always the same one.
    pub fn new(document: DirectoryDocument) -> Result<Self, DirectoryError> {
        check::texts(&document)?;
        check::ends("department", &document.departments)?;
        check::ends("user", &document.users)?;
        let DirectoryDocument { departments, users } = document;
        let departments =
            History::new(departments).map_err(|twice| DirectoryError::Twice { what: "department", id: twice.id, day: twice.from })?;
        let users = History::new(users).map_err(|twice| DirectoryError::Twice { what: "user", id: twice.id, day: twice.from })?;
        check::departments(&departments)?;
        check::users(users.entries(), &departments)?;
        let mut changes: Vec<Date> =
            departments.entries().iter().flat_map(changes_of).chain(users.entries().iter().flat_map(changes_of)).collect();
        changes.sort_unstable();
        changes.dedup();
        let tree_changes = tree_changes(departments.entries());
        Ok(Self { departments, users, changes, tree_changes })
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

    /// The kind that the directory gives a user on a day; before the first entry's day, and after the last day of one, that entry's. The day
    /// is asked for only where several entries could hold.
    pub fn kind_on(&self, user_id: &str, day: impl FnOnce() -> Date) -> Option<UserKind> {
        match self.users.of(user_id) {
            [] => None,
            [only] => Some(only.kind),
            entries @ [first, ..] => Some(begun(entries, day()).unwrap_or(first).kind),
        }
    }

    /// The departments that a user belongs to on a day: none on which no entry holds, and none of a user the directory does not know.
    /// The day is asked for only where it matters.
    pub fn departments_on(&self, user_id: &str, day: impl FnOnce() -> Date) -> &[String] {
        let entry = match self.users.of(user_id) {
            [] => None,
            [only @ User { from: None, until: None, .. }] => Some(only),
            entries => held(entries, day()),
        };
        entry.map(|user| user.departments.as_slice()).unwrap_or_default()
    }

    /// The entries of users that hold on a day, ascending by the bytes of their ids.
    pub fn users_on(&self, day: Date) -> Vec<&User> {
        self.users.on(day).collect()
    }

    /// The entries of a user in the order of their days, each with the last day on which it holds; none: it holds on.
    pub fn entries_of(&self, user_id: &str) -> impl Iterator<Item = (&User, Option<Date>)> {
        lasting(self.users.of(user_id))
    }

    /// The entries of every user, ascending by the bytes of ids; those of one user in the order of their days, each with the last day on
    /// which it holds; none: it holds on.
    pub fn entries(&self) -> impl Iterator<Item = (&User, Option<Date>)> {
        self.users().chunk_by(|a, b| a.id == b.id).flat_map(lasting)
    }

    /// Whether the directory knows a department, on whatever day.
    pub fn has_department(&self, id: &str) -> bool {
        self.departments.knows(id)
    }

    /// The departments that exist on a day. Takes time in proportion to the entries.
    pub fn tree_on(&self, day: Date) -> Tree<'_> {
        Tree::new(self.departments.on(day).collect())
    }

    /// The first day after `after` on which other departments exist, or lie below others: until then, every day has the tree of `after`, but
    /// for names.
    pub fn next_tree(&self, after: Date) -> Option<Date> {
        self.tree_changes.get(self.tree_changes.partition_point(|&day| day <= after)).copied()
    }

    /// The first day after `after` on which an entry of a department or user begins, or no longer holds: until then, every day is like `after`.
    pub fn next_change(&self, after: Date) -> Option<Date> {
        self.changes.get(self.changes.partition_point(|&day| day <= after)).copied()
    }
}

/// The days on which an entry begins, and no longer holds.
fn changes_of(entry: &impl Entry) -> impl Iterator<Item = Date> {
    entry.from().into_iter().chain(entry.until().and_then(|until| until.tomorrow().ok()))
}

/// The days on which other departments exist, or lie below others, ascending.
fn tree_changes(departments: &[Department]) -> Vec<Date> {
    let mut days = Vec::new();
    for of_one in departments.chunk_by(|a, b| a.id == b.id) {
        let mut before: Option<(&Department, Option<Date>)> = None;
        for (entry, last) in lasting(of_one) {
            let goes_on = before.is_some_and(|(before, last)| {
                before.parent_id == entry.parent_id && last.and_then(|last| last.tomorrow().ok()) == entry.from
            });
            days.extend(entry.from.filter(|_| !goes_on));
            before = Some((entry, last));
            let follows = last.and_then(|last| last.tomorrow().ok()).filter(|_| entry.until == last);
            days.extend(follows.filter(|after| !of_one.iter().any(|next| next.from == Some(*after))));
        }
    }
    days.sort_unstable();
    days.dedup();
    days
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
    // Printable ASCII, which nearly all text of facts is, needs no decoding; and to look at every byte takes less time than to stop early.
    let is_printable = |all: bool, byte: u8| all & (0x20..0x7f).contains(&byte);
    (1..=256).contains(&text.len()) && (text.bytes().fold(true, is_printable) || !text.chars().any(char::is_control))
}
