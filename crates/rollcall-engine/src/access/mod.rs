//! Who may ask: keys that are made at run time, and the audit log of each organization.
//!
//! Both are in the ledger ([`crate::ledger`], `access.rs`) and so in every backup. Of a key's secret only the hash is stored. A key that is made or
//! revoked is durable, with the line of the audit log that says so, before anybody is told. When a key was last used is written once a minute at
//! most, and not synced: a crash may lose a minute of it.
//!
//! # Layout
//! - [`key`]: a key, and what it may do
//! - [`audit`]: what the audit log says

pub mod audit;
pub mod key;
#[cfg(test)]
mod tests;

pub use audit::{Actor, Event, EventPage, Happening};
pub use key::{Key, KeyHash, NewKey, Scope, Scopes};

use crate::Engine;
use crate::error::EngineError;
use crate::ledger::Ledger;
use crate::ledger::access::Change;
use crate::settings::Settings;
use hashbrown::HashMap;
use parking_lot::{Mutex, RwLock};
use rollcall_model::{Millis, OrgId};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicI64, Ordering};

/// How long the last use of a key waits to be written, in milliseconds.
const USES_EVERY: Millis = 60_000;

/// No use.
const NEVER: Millis = Millis::MIN;

/// The keys of all organizations, in memory.
#[derive(Debug)]
pub(crate) struct Access {
    keys: RwLock<HashMap<KeyHash, Arc<Held>>>,
    /// Held for the length of a change, to whichever organization.
    turn: Mutex<()>,
    /// Whether a key was used since uses were written.
    used: AtomicBool,
    most_keys: u32,
    most_events: u32,
}

/// A key, and when it was used.
#[derive(Debug)]
pub struct Held {
    /// Whose key it is.
    pub organization: OrgId,
    /// What is known of it, but for its last use.
    key: Key,
    last_used: AtomicI64,
    /// The last use that was written.
    written: AtomicI64,
}

impl Held {
    fn new(organization: OrgId, key: Key) -> Self {
        let last = key.last_used.unwrap_or(NEVER);
        Self { organization, key, last_used: AtomicI64::new(last), written: AtomicI64::new(last) }
    }

    /// What is known of the key but for its last use, which [`Held::now`] has.
    pub const fn key(&self) -> &Key {
        &self.key
    }

    /// What is known of the key now.
    pub fn now(&self) -> Key {
        let last_used = Some(self.last_used.load(Ordering::Relaxed)).filter(|last| *last != NEVER);
        Key { last_used, ..self.key.clone() }
    }
}

impl Access {
    /// Reads the keys in storage.
    pub(crate) fn open(ledger: &Ledger, settings: &Settings) -> Result<Self, EngineError> {
        let keys = ledger.keys()?.into_iter().map(|(org, key)| (key.hash, Arc::new(Held::new(org, key)))).collect();
        let (turn, used) = (Mutex::default(), AtomicBool::default());
        let (most_keys, most_events) = (settings.keys_per_organization, settings.audit_per_organization);
        Ok(Self { keys: RwLock::new(keys), turn, used, most_keys, most_events })
    }

    /// Writes the uses of keys that wait since a minute, or with `all` every one, without a sync.
    ///
    /// # Errors
    /// [`EngineError::Storage`]; they are then written later.
    pub(crate) fn write_uses(&self, ledger: &Ledger, now: Millis, all: bool) -> Result<(), EngineError> {
        if !self.used.swap(false, Ordering::Relaxed) {
            return Ok(());
        }
        self.write_each(ledger, now, all).inspect_err(|_| self.used.store(true, Ordering::Relaxed))
    }

    fn write_each(&self, ledger: &Ledger, now: Millis, all: bool) -> Result<(), EngineError> {
        let _one_at_a_time = self.turn.lock();
        let held: Vec<_> = self.keys.read().values().cloned().collect();
        for held in held {
            let (last, written) = (held.last_used.load(Ordering::Relaxed), held.written.load(Ordering::Relaxed));
            if last == written {
                continue;
            }
            if !all && written != NEVER && now - written < USES_EVERY {
                self.used.store(true, Ordering::Relaxed);
                continue;
            }
            let mut change = Change::new(ledger, held.organization, self.most_events)?;
            if written == NEVER {
                let Key { number, name, .. } = held.key();
                let who = Actor::Key { number: *number, name: name.clone() };
                change.note(last, who, Happening::KeyFirstUsed { key: *number, name: name.clone() })?;
            }
            change.put(&held.now())?;
            change.commit()?;
            held.written.store(last, Ordering::Relaxed);
        }
        Ok(())
    }
}

impl Engine {
    /// The key with a hash, whether it has ended or not. Never waits for the disk.
    pub fn key_of(&self, hash: &KeyHash) -> Option<Arc<Held>> {
        self.access.keys.read().get(hash).cloned()
    }

    /// Notes that a key is used at an instant. Never waits for the disk.
    pub fn use_key(&self, held: &Held, now: Millis) {
        held.last_used.fetch_max(now, Ordering::Relaxed);
        self.access.used.store(true, Ordering::Relaxed);
    }

    /// The keys of an organization, the oldest first.
    pub fn keys(&self, org: OrgId) -> Vec<Key> {
        let mut keys: Vec<Key> = self.access.keys.read().values().filter(|held| held.organization == org).map(|held| held.now()).collect();
        keys.sort_unstable_by_key(|key| key.number);
        keys
    }

    /// Makes a key, durably, and says so in the audit log. Blocks; call it from a thread that may.
    ///
    /// # Errors
    /// [`EngineError::Limit`] if the organization has as many as [`Settings::keys_per_organization`] allows; or there is a key with this secret
    /// already; [`EngineError::ReadOnly`]; [`EngineError::Storage`].
    pub fn make_key(&self, org: OrgId, new: NewKey, who: Actor, now: Millis) -> Result<Key, EngineError> {
        let access = &self.access;
        let _one_at_a_time = access.turn.lock();
        let (count, is_known) = {
            let keys = access.keys.read();
            (keys.values().filter(|held| held.organization == org).count(), keys.contains_key(&new.hash))
        };
        if is_known {
            return Err(EngineError::Limit("there is a key with this secret already: make another".into()));
        }
        let most = access.most_keys;
        if most > 0 && count >= most as usize {
            return Err(EngineError::Limit(format!(
                "the organization has {count} keys, as many as storage.keys_per_organization allows: revoke those that are not needed, or raise it"
            )));
        }
        let NewKey { name, hash, scopes, department, expires } = new;
        let mut change = self.change(org)?;
        let told =
            Happening::KeyMade { key: change.next(), name: name.clone(), scopes: scopes.clone(), department: department.clone(), expires };
        let number = change.note(now, who, told)?;
        let key = Key { number, name, hash, scopes, department, made: now, expires, last_used: None };
        change.put(&key)?;
        self.durably(change)?;
        access.keys.write().insert(hash, Arc::new(Held::new(org, key.clone())));
        Ok(key)
    }

    /// Revokes a key, durably, and says so in the audit log: from now on nobody knows it. None: the organization has no such key. Blocks; call it
    /// from a thread that may.
    ///
    /// # Errors
    /// [`EngineError::ReadOnly`]; [`EngineError::Storage`].
    pub fn revoke_key(&self, org: OrgId, number: u64, who: Actor, now: Millis) -> Result<Option<Key>, EngineError> {
        let access = &self.access;
        let _one_at_a_time = access.turn.lock();
        let found = access.keys.read().values().find(|held| held.organization == org && held.key.number == number).cloned();
        let Some(held) = found else { return Ok(None) };
        let mut change = self.change(org)?;
        change.note(now, who, Happening::KeyRevoked { key: number, name: held.key.name.clone() })?;
        change.remove(number);
        self.durably(change)?;
        access.keys.write().remove(&held.key.hash);
        Ok(Some(held.now()))
    }

    /// Writes a line of an organization's audit log, durably. Blocks; call it from a thread that may.
    ///
    /// # Errors
    /// [`EngineError::ReadOnly`]; [`EngineError::Storage`].
    pub fn note(&self, org: OrgId, who: Actor, what: Happening, now: Millis) -> Result<u64, EngineError> {
        let _one_at_a_time = self.access.turn.lock();
        let mut change = self.change(org)?;
        let number = change.note(now, who, what)?;
        self.durably(change)?;
        Ok(number)
    }

    /// Lines of an organization's audit log, the newest first: at most so many, of those with a smaller number than `before`, if that is given.
    ///
    /// # Errors
    /// [`EngineError::Storage`].
    pub fn audit(&self, org: OrgId, before: Option<u64>, most: usize) -> Result<EventPage, EngineError> {
        let mut events = self.facts.ledger.events(org, before, most.saturating_add(1))?;
        let more = events.len() > most;
        events.truncate(most);
        let next = events.last().filter(|_| more).map(|last| last.number);
        Ok(EventPage { events, next })
    }

    fn change(&self, org: OrgId) -> Result<Change<'_>, EngineError> {
        self.health().admit()?;
        Change::new(&self.facts.ledger, org, self.access.most_events)
    }

    fn durably(&self, change: Change<'_>) -> Result<(), EngineError> {
        change.commit().and_then(|()| self.facts.ledger.sync()).inspect_err(|error| self.health().broke(error))
    }
}
