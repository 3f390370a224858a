//! Random directories, and what of one holds on a day, told without the engine's own look-ups.

use super::name;
use crate::engine::directories::KEPT_DIRECTORIES;
use jiff::ToSpan;
use jiff::civil::{Date, date};
use proptest::prelude::*;
use rollcall_model::UserKind;
use rollcall_model::directory::{Department, DirectoryDocument, User};
use std::collections::BTreeSet;

/// `d9` is in no directory.
pub(super) const DEPARTMENTS: [&str; 6] = ["d0", "d1", "d2", "d3", "d4", "d9"];

/// What else than facts is known of an organization.
#[derive(Debug, Default)]
pub(super) struct Held {
    /// The directory of the last upload.
    pub(super) document: DirectoryDocument,
    /// Those that it replaced and that are kept, the newest first.
    replaced: Vec<DirectoryDocument>,
    /// Departments that a fact was ever booked on.
    pub(super) booked: BTreeSet<String>,
}

impl Held {
    /// The entry of a user that holds on a day.
    pub(super) fn user_on(&self, id: &str, day: Date) -> Option<&User> {
        let begun = self.document.users.iter().filter(|user| user.id == id && user.from.is_none_or(|from| from <= day));
        begun.max_by_key(|user| user.from).filter(|user| user.until.is_none_or(|until| day <= until))
    }

    /// The departments that a user is in on a day, and those above them.
    pub(super) fn departments_above(&self, id: &str, day: Date) -> BTreeSet<&str> {
        let mut all = BTreeSet::new();
        for direct in self.user_on(id, day).into_iter().flat_map(|user| &user.departments) {
            let mut at = Some(direct.as_str());
            while let Some(department) = at {
                all.insert(department);
                at = self.parent_on(department, day).flatten();
            }
        }
        all
    }

    /// The kind of a user; no entry of it has another.
    pub(super) fn kind_of(&self, user: u8) -> Option<UserKind> {
        self.document.users.iter().find(|entry| entry.id == name(user)).map(|entry| entry.kind)
    }

    /// The department right above on a day; none if it does not exist.
    pub(super) fn parent_on(&self, id: &str, day: Date) -> Option<Option<&str>> {
        let begun = self.document.departments.iter().filter(|entry| entry.id == id && entry.from.is_none_or(|from| from <= day));
        let held = begun.max_by_key(|entry| entry.from).filter(|entry| entry.until.is_none_or(|until| day <= until));
        held.map(|entry| entry.parent_id.as_deref())
    }

    /// A directory is uploaded.
    pub(super) fn replace(&mut self, document: DirectoryDocument) {
        // The same again replaces nothing.
        if self.document == document {
            return;
        }
        self.replaced.insert(0, std::mem::replace(&mut self.document, document));
        self.replaced.truncate(KEPT_DIRECTORIES);
    }

    /// Whether a directory knew the user, who is forgotten.
    pub(super) fn forget(&mut self, user: u8) -> bool {
        let mut known = false;
        for document in self.replaced.iter_mut().chain([&mut self.document]) {
            let entries = document.users.len();
            document.users.retain(|entry| entry.id != name(user));
            known |= document.users.len() < entries;
        }
        known
    }
}

/// A day on which an entry begins; none: since ever.
fn from() -> impl Strategy<Value = Option<Date>> {
    prop::option::weighted(0.8, (-6i32..6).prop_map(|days| date(2025, 3, 8) + days.days()))
}

/// Departments 0 to 3 are there since ever and move below departments of smaller numbers; 4 begins on some day, and may end.
fn departments() -> impl Strategy<Value = Vec<Department>> {
    let moves = prop::collection::btree_map((0usize..4, from()), 0usize..4, 0..8);
    (moves, from(), prop::option::of(0i32..6)).prop_map(|(mut moves, begins, lasts)| {
        (0..4).for_each(|id| _ = moves.entry((id, None)).or_insert(id / 2));
        let entry = |id: usize, parent: Option<usize>, from| Department {
            id: DEPARTMENTS[id].into(),
            parent_id: parent.map(|parent| DEPARTMENTS[parent].into()),
            name: "D".into(),
            from,
            until: None,
        };
        let moved = moves.into_iter().map(|((id, from), parent)| entry(id, Some(parent).filter(|parent| *parent < id), from));
        let until = lasts.map(|days| begins.unwrap_or(date(2025, 3, 5)) + days.days());
        moved.chain([Department { until, ..entry(4, Some(1), begins) }]).collect()
    })
}

/// Of users 0 to 3 some; 0 is a room.
pub(super) fn directory() -> impl Strategy<Value = DirectoryDocument> {
    // Some entries end some days after they began.
    let entry = (prop::sample::subsequence(&DEPARTMENTS[..4], 0..3), prop::option::weighted(0.3, 0i32..4));
    let users = prop::collection::btree_map((0u8..4, from()), entry, 0..8);
    (departments(), users).prop_map(|(departments, users)| {
        let user = |(id, from): (u8, Option<Date>), (departments, lasts): (Vec<&str>, Option<i32>)| User {
            id: name(id),
            open_id: Some(format!("ou_{id}")).filter(|_| from.is_none()),
            union_id: None,
            user_id: None,
            name: format!("用户 {id}"),
            kind: if id == 0 { UserKind::Room } else { UserKind::Member },
            departments: departments.into_iter().map(Into::into).collect(),
            from,
            until: lasts.map(|days| from.unwrap_or(date(2025, 3, 4)) + days.days()),
        };
        DirectoryDocument { departments, users: users.into_iter().map(|(key, entry)| user(key, entry)).collect() }
    })
}
