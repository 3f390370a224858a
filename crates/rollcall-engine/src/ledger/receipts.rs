//! The last receipts of each organization, so that what was imported by mistake can be found and taken back.
//!
//! An organization's receipts are counted from 1, and the count is the key: so with each new one the one that is too old goes, without
//! looking at what is kept. A fact carries the number of its receipt for ever, whether the receipt is kept or not.

use super::{Ledger, broken, org_of};
use crate::error::EngineError;
use fjall::{Keyspace, OwnedWriteBatch};
use hashbrown::HashMap;
use rollcall_model::{FactKind, Millis, OrgId, Range, Receipt};

/// How many that are too old go with a new one, where fewer are kept than before.
const MOST_FORGOTTEN: usize = 100;

/// A receipt that is kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct KeptReceipt {
    /// Its number, which the facts carry.
    pub receipt: u64,
    /// When it was given.
    pub at: Millis,
    /// What the facts are.
    pub fact: FactKind,
    /// How many were stored.
    pub accepted: u64,
    /// How many were known, with the same content.
    pub duplicate: u64,
    /// How many were known with other content.
    pub conflicting: u64,
    /// From the first time of those that were stored until after the last.
    pub times: Range,
    /// How many of those that were stored came late ([`rollcall_model::reports::completeness::LATE`]).
    pub late: u64,
    /// When its facts were withdrawn by its number, if they were.
    pub withdrawn: Option<Millis>,
}

/// How many numbers a stored receipt has after its kind.
const NUMBERS: usize = 9;

impl KeptReceipt {
    /// A receipt for facts of these times, given at an instant.
    pub(crate) fn new(receipt: &Receipt, fact: FactKind, at: Millis, times: Range) -> Self {
        let Receipt { receipt, accepted, duplicate, conflicting, .. } = *receipt;
        Self { receipt: receipt.unwrap_or_default(), at, fact, accepted, duplicate, conflicting, times, late: 0, withdrawn: None }
    }

    fn bytes(&self) -> Vec<u8> {
        let Self { receipt, at, fact, accepted, duplicate, conflicting, times, late, withdrawn } = *self;
        let instants = [at, times.from, times.to, withdrawn.unwrap_or(Millis::MIN)].map(Millis::to_be_bytes);
        let numbers = [receipt, accepted, duplicate, conflicting, late].map(u64::to_be_bytes);
        [&[fact.number()], instants.as_flattened(), numbers.as_flattened()].concat()
    }

    fn read(bytes: &[u8]) -> Option<Self> {
        let (kind, rest) = bytes.split_first()?;
        let (numbers, []) = rest.as_chunks::<8>() else { return None };
        let numbers: [[u8; 8]; NUMBERS] = numbers.try_into().ok()?;
        let [at, from, to, withdrawn, ..] = numbers.map(Millis::from_be_bytes);
        let [.., receipt, accepted, duplicate, conflicting, late] = numbers.map(u64::from_be_bytes);
        let withdrawn = Some(withdrawn).filter(|at| *at != Millis::MIN);
        let fact = FactKind::from_number(*kind)?;
        Some(Self { receipt, at, fact, accepted, duplicate, conflicting, times: Range::new(from, to), late, withdrawn })
    }
}

/// Keeps receipts as they are given. Used by the committer alone.
pub(crate) struct Receipts {
    kept: Keyspace,
    /// How many of an organization are kept; 0: all.
    most: u64,
    /// The count of the last receipt of the organizations that had one since the start.
    last: HashMap<OrgId, u64>,
}

impl Receipts {
    pub(crate) fn new(kept: Keyspace, most: u32) -> Self {
        Self { kept, most: most.into(), last: HashMap::new() }
    }

    /// Keeps a receipt with the commit of its facts, and lets go of one that is too old.
    pub(crate) fn keep(&mut self, org: OrgId, receipt: &KeptReceipt, batch: &mut OwnedWriteBatch) -> Result<(), EngineError> {
        let known = self.last.get(&org).copied();
        let count = 1 + match known {
            Some(last) => last,
            None => self.kept.prefix(org.0.as_bytes()).next_back().map(|stored| count_of(&stored.key()?)).transpose()?.unwrap_or(0),
        };
        batch.insert(&self.kept, key(org, count), receipt.bytes());
        self.last.insert(org, count);
        let Some(oldest) = count.checked_sub(self.most).filter(|_| self.most > 0) else { return Ok(()) };
        if known.is_some() {
            batch.remove(&self.kept, key(org, oldest));
            return Ok(());
        }
        // Before this start more may have been kept.
        for stored in self.kept.range(key(org, 0)..=key(org, oldest)).rev().take(MOST_FORGOTTEN) {
            batch.remove(&self.kept, stored.key()?);
        }
        Ok(())
    }
}

impl Ledger {
    /// Some receipts of an organization that are kept, the newest first, each with its count; those with a count below `before`, if that is
    /// given.
    ///
    /// # Errors
    /// [`EngineError::Storage`].
    pub(crate) fn kept_receipts(&self, org: OrgId, before: Option<u64>, most: usize) -> Result<Vec<(u64, KeptReceipt)>, EngineError> {
        let newest = key(org, before.unwrap_or(u64::MAX));
        let read = |stored: fjall::Guard| {
            let (key, value) = stored.into_inner()?;
            Ok((count_of(&key)?, KeptReceipt::read(&value).ok_or_else(|| broken("a receipt"))?))
        };
        self.receipts.range(key(org, 0)..newest).rev().take(most).map(read).collect()
    }

    /// Notes at which instant the facts of receipts were withdrawn. Those that are not kept are passed over.
    ///
    /// # Errors
    /// [`EngineError::Storage`].
    pub(crate) fn note_withdrawn(&self, org: OrgId, is_named: impl Fn(u64) -> bool, at: Millis) -> Result<(), EngineError> {
        let mut batch = self.db.batch();
        for stored in self.receipts.prefix(org.0.as_bytes()) {
            let (key, value) = stored.into_inner()?;
            let kept = KeptReceipt::read(&value).ok_or_else(|| broken("a receipt"))?;
            if is_named(kept.receipt) {
                batch.insert(&self.receipts, key, KeptReceipt { withdrawn: Some(at), ..kept }.bytes());
            }
        }
        batch.commit()?;
        self.changes.of([org]);
        Ok(())
    }
}

fn key(org: OrgId, count: u64) -> Vec<u8> {
    [org.0.as_bytes().as_slice(), &count.to_be_bytes()].concat()
}

fn count_of(key: &[u8]) -> Result<u64, EngineError> {
    let count = key.last_chunk().copied().map(u64::from_be_bytes);
    org_of(key).and(count).ok_or_else(|| broken("a receipt"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{attendances, organization};
    use crate::{Engine, Settings};
    use rollcall_model::Organization;

    const AT: Millis = 1_740_819_600_000;

    fn open(directory: &std::path::Path, kept: u32) -> Engine {
        Engine::open(directory, Settings { flush_seconds: 0, receipts_per_organization: kept, ..Settings::default() }).unwrap()
    }

    fn ingest(engine: &Engine, organization: &Organization, minutes: &[i64]) -> Receipt {
        let times = minutes.iter().map(|minute| ("s", "u", [AT + minute * 60_000; 3]));
        engine.ingest(organization, attendances(organization, times)).unwrap()
    }

    fn numbers(engine: &Engine, organization: &Organization) -> Vec<u64> {
        let page = engine.receipts(organization.id, None, 100).unwrap();
        assert_eq!(page.next, None);
        page.receipts.iter().map(|kept| kept.receipt).collect()
    }

    #[test]
    fn the_last_receipts_of_each_organization_are_kept_and_say_what_was_stored() {
        let home = tempfile::tempdir().unwrap();
        let (mine, other) = (organization(1), organization(2));
        let engine = open(home.path(), 3);
        let first = ingest(&engine, &mine, &[5, 2]).receipt.unwrap();
        let second = ingest(&engine, &mine, &[2, 9]).receipt.unwrap();
        assert_eq!(ingest(&engine, &mine, &[2, 9]).receipt, None, "it stored nothing");
        let theirs = ingest(&engine, &other, &[1]).receipt.unwrap();
        let page = engine.receipts(mine.id, None, 10).unwrap();
        let [newest, oldest] = &page.receipts[..] else { panic!("{page:?}") };
        assert_eq!((newest.receipt, newest.accepted, newest.duplicate, newest.fact), (second, 1, 1, FactKind::Attendance));
        assert_eq!((oldest.receipt, oldest.times), (first, Range::new(AT + 2 * 60_000, AT + 5 * 60_000 + 1)));
        assert_eq!(numbers(&engine, &other), [theirs]);
        let mut later: Vec<u64> = (20..25).map(|minute| ingest(&engine, &mine, &[minute]).receipt.unwrap()).collect();
        later.reverse();
        assert_eq!(numbers(&engine, &mine), later[..3]);
        assert_eq!(numbers(&engine, &other), [theirs]);
        drop(engine);
        // They survive, and fewer are kept from the next on.
        let engine = open(home.path(), 2);
        assert_eq!(numbers(&engine, &mine), later[..3]);
        let last = ingest(&engine, &mine, &[30]).receipt.unwrap();
        assert_eq!(numbers(&engine, &mine), [last, later[0]]);
    }

    #[test]
    fn a_page_goes_on_where_the_last_ended_whatever_came_meanwhile() {
        let home = tempfile::tempdir().unwrap();
        let (engine, organization) = (open(home.path(), 0), organization(1));
        let mut given: Vec<u64> = (0..7).map(|minute| ingest(&engine, &organization, &[minute]).receipt.unwrap()).collect();
        given.reverse();
        let (mut found, mut next) = (Vec::new(), None);
        loop {
            let page = engine.receipts(organization.id, next, 3).unwrap();
            found.extend(page.receipts.iter().map(|kept| kept.receipt));
            ingest(&engine, &organization, &[100 + found.len() as i64]);
            next = page.next;
            if next.is_none() {
                break;
            }
        }
        assert_eq!(found, given);
    }
}
