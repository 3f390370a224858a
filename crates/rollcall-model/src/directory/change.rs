//! Changes of a directory: single entries added, changed and removed, and how much of the directory a change takes away.

use super::Directory;
use super::document::{Department, DirectoryDocument, User};
use super::history::{Entry, History};
use hashbrown::HashSet;
use jiff::civil::Date;
use serde::Deserialize;

/// Single entries to add, to change and to remove. An entry replaces the one of the same id and the same day.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct DirectoryPatch {
    /// Departments to add or change.
    pub departments: Vec<Department>,
    /// Users to add or change.
    pub users: Vec<User>,
    /// What is removed, before the others are added.
    pub remove: Removals,
}

/// What a patch removes. To remove what is not there changes nothing, so a patch can be sent again.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Removals {
    /// Departments.
    pub departments: Vec<Removal>,
    /// Users.
    pub users: Vec<Removal>,
}

/// One removal.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(untagged, expecting = "expected an id, or an entry as {\"id\":…,\"from\":…}")]
pub enum Removal {
    /// Every entry of an id.
    Id(String),
    /// The one entry of an id that holds since a day; no day: since ever.
    Entry {
        /// The id.
        id: String,
        /// The day.
        #[serde(default)]
        from: Option<Date>,
    },
}

impl DirectoryPatch {
    /// Whether it names nothing.
    pub fn is_empty(&self) -> bool {
        let Removals { departments, users } = &self.remove;
        self.departments.is_empty() && self.users.is_empty() && departments.is_empty() && users.is_empty()
    }

    /// The directory after the patch; not checked yet.
    pub fn apply(self, directory: &Directory) -> DirectoryDocument {
        DirectoryDocument {
            departments: patched(directory.departments(), self.departments, &self.remove.departments),
            users: patched(directory.users(), self.users, &self.remove.users),
        }
    }
}

fn patched<E: Entry + Clone>(entries: &[E], given: Vec<E>, remove: &[Removal]) -> Vec<E> {
    let replaced: HashSet<(&str, Option<Date>)> = given.iter().map(|entry| (entry.id(), entry.from())).collect();
    let mut ids = HashSet::new();
    let mut of_day = HashSet::new();
    for removal in remove {
        match removal {
            Removal::Id(id) => _ = ids.insert(id.as_str()),
            Removal::Entry { id, from } => _ = of_day.insert((id.as_str(), *from)),
        }
    }
    let stays = |entry: &&E| {
        let key = (entry.id(), entry.from());
        !ids.contains(entry.id()) && !of_day.contains(&key) && !replaced.contains(&key)
    };
    let staying: Vec<E> = entries.iter().filter(stays).cloned().collect();
    drop(replaced);
    staying.into_iter().chain(given).collect()
}

/// How many ids of one half of a directory another directory does not have.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Loss {
    /// Ids that are removed.
    pub removed: usize,
    /// Ids that there were.
    pub of: usize,
}

impl Loss {
    /// Whether more than half is removed.
    pub const fn is_most(self) -> bool {
        self.removed > self.of / 2
    }

    /// Whether there was something, and all of it is removed.
    pub const fn is_all(self) -> bool {
        self.of > 0 && self.removed == self.of
    }
}

/// What is lost when another directory takes the place of one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Losses {
    /// Of the departments.
    pub departments: Loss,
    /// Of the users.
    pub users: Loss,
}

impl Directory {
    /// What is lost when `next` takes its place.
    pub fn losses(&self, next: &Self) -> Losses {
        Losses { departments: loss(&self.departments, &next.departments), users: loss(&self.users, &next.users) }
    }
}

fn loss<E: Entry>(history: &History<E>, next: &History<E>) -> Loss {
    Loss { removed: history.ids().filter(|id| !next.knows(id)).count(), of: history.ids().count() }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn directory(json: &str) -> Directory {
        Directory::new(serde_json::from_str(json).unwrap()).unwrap()
    }

    fn patched(directory: &Directory, patch: &str) -> Directory {
        let patch: DirectoryPatch = serde_json::from_str(patch).unwrap();
        Directory::new(patch.apply(directory)).unwrap()
    }

    const TWO: &str = r#"{"departments":[{"id":"d","name":"D"}],"users":[
        {"id":"a","name":"A","departments":["d"]},{"id":"a","name":"A","from":"2025-03-01"},{"id":"b","name":"B"}]}"#;

    #[test]
    fn an_entry_of_the_same_id_and_day_is_replaced_and_any_other_is_added() {
        let changed = patched(&directory(TWO), r#"{"users":[{"id":"a","name":"Z","from":"2025-03-01"},{"id":"c","name":"C"}]}"#);
        let names: Vec<&str> = changed.users().iter().map(|user| user.name.as_str()).collect();
        assert_eq!(names, ["A", "Z", "B", "C"]);
        assert_eq!(changed.departments().len(), 1);
    }

    #[test]
    fn an_id_is_removed_with_all_its_entries_or_one_entry_by_its_day() {
        let ids = |patch: &str| {
            let changed = patched(&directory(TWO), patch);
            changed.users().iter().map(|user| (user.id.clone(), user.from.is_some())).collect::<Vec<_>>()
        };
        assert_eq!(ids(r#"{"remove":{"users":["a","nobody"]}}"#), [("b".into(), false)]);
        assert_eq!(ids(r#"{"remove":{"users":[{"id":"a"}]}}"#), [("a".into(), true), ("b".into(), false)]);
        assert_eq!(ids(r#"{"remove":{"users":[{"id":"a","from":"2025-03-01"},"b"]}}"#), [("a".into(), false)]);
        // Removed first: what is given stays.
        assert_eq!(ids(r#"{"remove":{"users":["a"]},"users":[{"id":"a","name":"N"}]}"#), [("a".into(), false), ("b".into(), false)]);
        let wrong = serde_json::from_str::<DirectoryPatch>(r#"{"remove":{"users":[7]}}"#).unwrap_err().to_string();
        assert!(wrong.contains("expected an id, or an entry"), "{wrong}");
    }

    #[test]
    fn what_is_lost_is_counted_by_ids() {
        let two = directory(TWO);
        let losses = |json: &str| two.losses(&directory(json));
        let all = losses("{}");
        assert_eq!(all, Losses { departments: Loss { removed: 1, of: 1 }, users: Loss { removed: 2, of: 2 } });
        assert!(all.users.is_all() && all.users.is_most());
        let half = losses(r#"{"users":[{"id":"a","name":"other"},{"id":"c","name":"C"}]}"#).users;
        assert_eq!((half, half.is_most(), half.is_all()), (Loss { removed: 1, of: 2 }, false, false));
        let none = Directory::default().losses(&Directory::default()).users;
        assert!(!none.is_most() && !none.is_all());
    }
}
