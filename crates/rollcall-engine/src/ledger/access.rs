//! Keys made at run time, and the audit log.
//!
//! The lines of an organization's audit log are counted from 1, and the count is the key: so with a new one the one that is too old goes, without
//! looking at what is kept. The newest always stays, so no number is given twice; and a key has the number of the line that says that it was made.

use super::{Ledger, broken, org_of};
use crate::access::{Actor, Event, Happening, Key};
use crate::error::EngineError;
use crate::ledger::directories::to_json;
use fjall::OwnedWriteBatch;
use rollcall_model::{Millis, OrgId};

/// How many lines that are too old go with a new one, where fewer are kept than before.
const MOST_FORGOTTEN: usize = 100;

/// A change of an organization's keys and audit log: all of it is stored at once, or nothing. One at a time.
pub(crate) struct Change<'l> {
    ledger: &'l Ledger,
    org: OrgId,
    batch: OwnedWriteBatch,
    /// How many lines are kept; 0: all.
    most: u64,
    /// The number of the last line.
    last: u64,
}

impl<'l> Change<'l> {
    /// A change that begins with what is stored.
    pub(crate) fn new(ledger: &'l Ledger, org: OrgId, most: u32) -> Result<Self, EngineError> {
        let last = ledger.audit.prefix(org.0.as_bytes()).next_back().map(|stored| number_of(&stored.key()?)).transpose()?.unwrap_or(0);
        Ok(Self { ledger, org, batch: ledger.db.batch(), most: most.into(), last })
    }

    /// The number of the line that comes next.
    pub(crate) const fn next(&self) -> u64 {
        self.last + 1
    }

    /// Adds a line to the audit log, and returns its number; those that are too old go.
    pub(crate) fn note(&mut self, at: Millis, actor: Actor, what: Happening) -> Result<u64, EngineError> {
        let number = self.next();
        self.batch.insert(&self.ledger.audit, key(self.org, number), to_json(&Event { number, at, actor, what })?);
        self.last = number;
        if let Some(oldest) = number.checked_sub(self.most).filter(|_| self.most > 0) {
            for stored in self.ledger.audit.range(key(self.org, 0)..=key(self.org, oldest)).rev().take(MOST_FORGOTTEN) {
                self.batch.remove(&self.ledger.audit, stored.key()?);
            }
        }
        Ok(number)
    }

    /// Stores a key, in place of what was stored of it.
    pub(crate) fn put(&mut self, stored: &Key) -> Result<(), EngineError> {
        self.batch.insert(&self.ledger.keys, key(self.org, stored.number), to_json(stored)?);
        Ok(())
    }

    /// Removes a key.
    pub(crate) fn remove(&mut self, number: u64) {
        self.batch.remove(&self.ledger.keys, key(self.org, number));
    }

    /// Stores the change. It is durable once the ledger is synced.
    pub(crate) fn commit(self) -> Result<(), EngineError> {
        Ok(self.batch.commit()?)
    }
}

impl Ledger {
    /// The keys of all organizations.
    ///
    /// # Errors
    /// [`EngineError::Storage`].
    pub(crate) fn keys(&self) -> Result<Vec<(OrgId, Key)>, EngineError> {
        let read = |stored: fjall::Guard| {
            let (key, value) = stored.into_inner()?;
            let org = org_of(&key).ok_or_else(|| broken("a key"))?;
            Ok((org, serde_json::from_slice(&value).map_err(|_| broken("a key"))?))
        };
        self.keys.iter().map(read).collect()
    }

    /// Lines of an organization's audit log, the newest first: at most so many, of those with a smaller number than `before`, if that is given.
    ///
    /// # Errors
    /// [`EngineError::Storage`].
    pub(crate) fn events(&self, org: OrgId, before: Option<u64>, most: usize) -> Result<Vec<Event>, EngineError> {
        let read = |stored: fjall::Guard| {
            let (key, value) = stored.into_inner()?;
            let event: Event = serde_json::from_slice(&value).map_err(|_| broken("a line of the audit log"))?;
            Ok(Event { number: number_of(&key)?, ..event })
        };
        self.audit.range(key(org, 0)..key(org, before.unwrap_or(u64::MAX))).rev().take(most).map(read).collect()
    }
}

fn key(org: OrgId, number: u64) -> Vec<u8> {
    [org.0.as_bytes().as_slice(), &number.to_be_bytes()].concat()
}

fn number_of(key: &[u8]) -> Result<u64, EngineError> {
    let number = key.last_chunk().copied().map(u64::from_be_bytes);
    org_of(key).and(number).ok_or_else(|| broken("a line of the audit log"))
}
