//! The directories of organizations: the one of each that holds, in memory, and the last ones that it replaced, in the ledger.
//!
//! An organization's directory is changed by one at a time, and a change is told what holds at that moment: two uploads, or an upload and
//! an erasure, never undo each other.

use crate::Engine;
use crate::error::EngineError;
use crate::ledger::{Ledger, directories::to_json};
use hashbrown::HashMap;
use parking_lot::{Mutex, RwLock};
use rollcall_model::directory::{DirectoryDocument, User};
use rollcall_model::{Directory, Millis, OrgId};
use std::sync::Arc;

pub use crate::ledger::directories::KEPT_DIRECTORIES;

/// The directories that hold.
#[derive(Debug, Default)]
pub(crate) struct Directories {
    current: RwLock<HashMap<OrgId, Arc<Directory>>>,
    /// Whose turn it is to change the directory of an organization.
    turns: Mutex<HashMap<OrgId, Arc<Mutex<()>>>>,
}

/// What directories may take, in bytes of JSON; 0: any number.
#[derive(Debug, Clone, Copy)]
pub(crate) struct DirectoryLimits {
    /// The one that holds.
    pub(crate) bytes: u64,
    /// Those kept of before.
    pub(crate) history_bytes: u64,
}

/// A directory of an organization that holds, or did.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DirectoryVersion {
    /// Its number, from 1 up.
    pub version: u64,
    /// Since when it holds, in milliseconds since 1970; none if that is not known, as of the first.
    pub since: Option<Millis>,
    /// When it was replaced; none: it holds.
    pub until: Option<Millis>,
    /// How many entries of departments it has.
    pub departments: usize,
    /// How many entries of users.
    pub users: usize,
}

impl Directories {
    /// Reads the directories in storage.
    pub(crate) fn open(ledger: &Ledger) -> Result<Self, EngineError> {
        let mut current = HashMap::new();
        for (org, document) in ledger.directories()? {
            current.insert(org, Arc::new(Directory::new(document)?));
        }
        Ok(Self { current: RwLock::new(current), turns: Mutex::default() })
    }

    fn turn(&self, org: OrgId) -> Arc<Mutex<()>> {
        self.turns.lock().entry(org).or_default().clone()
    }

    fn set(&self, org: OrgId, directory: Directory) {
        self.current.write().insert(org, Arc::new(directory));
    }
}

impl Engine {
    /// The organization's directory; empty until one is put.
    pub fn directory(&self, org: OrgId) -> Arc<Directory> {
        self.directories.current.read().get(&org).cloned().unwrap_or_default()
    }

    /// Replaces the organization's directory, whatever it is, as [`Engine::change_directory`] does.
    ///
    /// # Errors
    /// [`EngineError::Directory`] with what is wrong with the document, and as there.
    pub fn put_directory(&self, org: OrgId, document: DirectoryDocument) -> Result<(), EngineError> {
        self.change_directory(org, |_| Ok::<_, EngineError>(Directory::new(document)?)).map(drop)
    }

    /// Replaces the organization's directory by what `change` makes of it, durably, and keeps the one that is replaced: the last
    /// [`KEPT_DIRECTORIES`], as [`crate::Settings::directory_history_bytes`] allows. A directory that is the same replaces nothing. Returns
    /// the version that holds then.
    ///
    /// Blocks; call it from a thread that may.
    ///
    /// # Errors
    /// What `change` says; [`EngineError::Limit`] if the directory takes more than [`crate::Settings::directory_bytes`];
    /// [`EngineError::ReadOnly`]; [`EngineError::Storage`].
    pub fn change_directory<E: From<EngineError>>(
        &self,
        org: OrgId,
        change: impl FnOnce(&Directory) -> Result<Directory, E>,
    ) -> Result<DirectoryVersion, E> {
        let turn = self.directories.turn(org);
        let _one_at_a_time = turn.lock();
        let current = self.directory(org);
        let next = change(&current)?;
        Ok(self.replace(org, &current, next)?)
    }

    fn replace(&self, org: OrgId, current: &Directory, next: Directory) -> Result<DirectoryVersion, EngineError> {
        if next == *current
            && let Some(version) = self.directory_history(org)?.into_iter().next()
        {
            return Ok(version);
        }
        let json = to_json(&next)?;
        let most = self.directory_limits.bytes;
        if most > 0 && json.len() as u64 > most {
            return Err(EngineError::Limit(format!(
                "the directory takes {} bytes as JSON, more than storage.directory_bytes ({most}): remove entries that are not needed, or raise it",
                json.len()
            )));
        }
        self.health().admit()?;
        let (now, replaced) = (jiff::Timestamp::now().as_millisecond(), (current.departments().len(), current.users().len()));
        let version = self.facts.ledger.replace_directory(org, &json, replaced, now, self.directory_limits.history_bytes);
        let version = version.inspect_err(|error| self.health().broke(error))?;
        let (departments, users) = (next.departments().len(), next.users().len());
        self.directories.set(org, next);
        self.facts.ledger.changes.of([org]);
        Ok(DirectoryVersion { version, since: Some(now), until: None, departments, users })
    }

    /// The directory of an organization that holds, and those before it that are kept, newest first; none before one is put.
    ///
    /// # Errors
    /// [`EngineError::Storage`].
    pub fn directory_history(&self, org: OrgId) -> Result<Vec<DirectoryVersion>, EngineError> {
        let Some(current) = self.directories.current.read().get(&org).cloned() else { return Ok(Vec::new()) };
        let kept = self.facts.ledger.kept_directories(org)?;
        let last = kept.last();
        let holds = DirectoryVersion {
            version: last.map_or(1, |last| last.version + 1),
            since: last.map(|last| last.until),
            until: None,
            departments: current.departments().len(),
            users: current.users().len(),
        };
        let before = kept.iter().rev().map(|kept| DirectoryVersion {
            version: kept.version,
            since: kept.since,
            until: Some(kept.until),
            departments: kept.departments,
            users: kept.users,
        });
        Ok(std::iter::once(holds).chain(before).collect())
    }

    /// A directory of an organization that was replaced; none if that version is not kept.
    ///
    /// # Errors
    /// [`EngineError::Storage`].
    pub fn kept_directory(&self, org: OrgId, version: u64) -> Result<Option<DirectoryDocument>, EngineError> {
        self.facts.ledger.kept_directory(org, version)
    }

    /// Removes a user from the organization's directory and from those kept of before, durably, and says how many entries it had.
    pub(crate) fn forget_user(&self, org: OrgId, user: &str) -> Result<u64, EngineError> {
        let turn = self.directories.turn(org);
        let _one_at_a_time = turn.lock();
        let mut document = self.directory(org).document();
        let before = document.users.len();
        document.users.retain(|entry| entry.id != user);
        let removed = before - document.users.len();
        if removed > 0 {
            let directory = Directory::new(document)?;
            self.facts.ledger.overwrite_directory(org, &to_json(&directory)?)?;
            self.directories.set(org, directory);
            self.facts.ledger.changes.of([org]);
        }
        Ok(removed as u64 + self.facts.ledger.forget_in_kept_directories(org, user)?)
    }

    /// How many entries of a user the organization's directory has, and those kept of before, as they are stored.
    pub(crate) fn stored_directory_entries(&self, org: OrgId, user: &str) -> Result<u64, EngineError> {
        let ledger = &self.facts.ledger;
        let mut count = ledger.directory(org)?.map_or(0, |document| entries_of(&document.users, user));
        for kept in ledger.kept_directories(org)? {
            count += ledger.kept_directory(org, kept.version)?.map_or(0, |document| entries_of(&document.users, user));
        }
        Ok(count)
    }
}

fn entries_of(users: &[User], user: &str) -> u64 {
    users.iter().filter(|entry| entry.id == user).count() as u64
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Settings;
    use std::path::Path;

    const ORG: OrgId = OrgId(uuid::Uuid::from_u128(1));
    const OTHER: OrgId = OrgId(uuid::Uuid::from_u128(2));

    fn open(home: &Path, settings: Settings) -> Engine {
        Engine::open(home, settings).unwrap()
    }

    /// A directory of about so many bytes, a hundred for each user.
    fn document(name: u32, bytes: usize) -> DirectoryDocument {
        let users: Vec<String> = (0..bytes.div_ceil(100)).map(|user| format!(r#"{{"id":"{user:0>40}","name":"{name:0>40}"}}"#)).collect();
        serde_json::from_str(&format!(r#"{{"users":[{}]}}"#, users.join(","))).unwrap()
    }

    fn versions(engine: &Engine, org: OrgId) -> Vec<u64> {
        engine.directory_history(org).unwrap().iter().map(|version| version.version).collect()
    }

    #[test]
    fn the_last_ten_directories_are_kept_and_read_back_after_a_restart() {
        let home = tempfile::tempdir().unwrap();
        let engine = open(home.path(), Settings::default());
        assert_eq!(versions(&engine, ORG), [0; 0]);
        for name in 1..=13 {
            engine.put_directory(ORG, document(name, 100)).unwrap();
        }
        engine.put_directory(OTHER, document(99, 100)).unwrap();
        let looked_at = |engine: &Engine| {
            assert_eq!(versions(engine, ORG), (3..=13).rev().collect::<Vec<u64>>());
            let history = engine.directory_history(ORG).unwrap();
            assert!(history.windows(2).all(|pair| pair[0].since == pair[1].until && pair[1].since.is_some() && pair[1].users == 1));
            for version in 3..=12 {
                assert_eq!(engine.kept_directory(ORG, version).unwrap(), Some(document(version as u32, 100)));
                assert_eq!(engine.kept_directory(OTHER, version).unwrap(), None);
            }
            for gone in [0, 1, 2, 13, 14, u64::MAX] {
                assert_eq!(engine.kept_directory(ORG, gone).unwrap(), None, "{gone}");
            }
            assert_eq!((versions(engine, OTHER), engine.directory(ORG).document()), (vec![1], document(13, 100)));
        };
        looked_at(&engine);
        drop(engine);
        looked_at(&open(home.path(), Settings::default()));
    }

    #[test]
    fn kept_directories_are_bounded_in_bytes_and_the_newest_stays() {
        let home = tempfile::tempdir().unwrap();
        let engine = open(home.path(), Settings { directory_history_bytes: 10_000, ..Settings::default() });
        for (name, bytes) in (1..).zip([3_000, 3_000, 3_000, 3_000, 20_000, 100, 100]) {
            engine.put_directory(ORG, document(name, bytes)).unwrap();
            let kept: u64 = engine.facts.ledger.kept_directories(ORG).unwrap().iter().map(|kept| kept.bytes).sum();
            assert!(kept <= 10_000 || versions(&engine, ORG).len() == 2, "{kept}");
        }
        // The sixth is kept alone: with the one of 20,000 bytes before it they would be too many.
        assert_eq!(versions(&engine, ORG), [7, 6]);
    }

    #[test]
    fn a_directory_that_is_the_same_takes_no_place_among_those_kept() {
        let home = tempfile::tempdir().unwrap();
        let engine = open(home.path(), Settings::default());
        let two = document(1, 200);
        let backwards = DirectoryDocument { users: two.users.iter().rev().cloned().collect(), ..two.clone() };
        for document in [two.clone(), two.clone(), backwards, two] {
            engine.put_directory(ORG, document).unwrap();
        }
        assert_eq!(versions(&engine, ORG), [1]);
    }

    #[test]
    fn a_directory_that_is_too_large_is_refused_and_changes_nothing() {
        let home = tempfile::tempdir().unwrap();
        let engine = open(home.path(), Settings { directory_bytes: 2_000, ..Settings::default() });
        engine.put_directory(ORG, document(1, 1_000)).unwrap();
        let error = engine.put_directory(ORG, document(2, 3_000)).unwrap_err();
        assert!(
            matches!(error, EngineError::Limit(_)) && error.to_string().contains("more than storage.directory_bytes (2000)"),
            "{error}"
        );
        assert_eq!((versions(&engine, ORG), engine.directory(ORG).document()), (vec![1], document(1, 1_000)));
    }

    /// Two uploads at once, each of what it saw: none is lost.
    #[test]
    fn changes_at_once_build_on_each_other() {
        let home = tempfile::tempdir().unwrap();
        let engine = open(home.path(), Settings::default());
        std::thread::scope(|threads| {
            for number in 0..8 {
                let engine = &engine;
                threads.spawn(move || {
                    engine.change_directory(ORG, |current| {
                        let mut next = current.document();
                        next.users.extend(document(number, 100).users.into_iter().map(|user| User { id: format!("u{number}"), ..user }));
                        Ok::<_, EngineError>(Directory::new(next)?)
                    })
                });
            }
        });
        assert_eq!(engine.directory(ORG).users().len(), 8);
    }
}
