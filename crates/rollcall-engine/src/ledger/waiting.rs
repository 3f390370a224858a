//! What waits for the lake: which organizations have facts in the ledger, how many, and since when; and how they leave it.
//!
//! Many small organizations are flushed by size, not by time: whoever has few facts waiting shares a flush with some others, those who
//! wait longest first. So a flush makes some files, however many organizations there are.

use super::{BLOCK_KEY_PREFIX, Durable, Ledger, broken, lake_table, org_of};
use crate::error::EngineError;
use fjall::Keyspace;
use hashbrown::HashMap;
use parking_lot::Mutex;
use rollcall_model::{FactKind, OrgId};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Instant;

/// From how many facts on an organization is flushed each time.
const MANY_FACTS: usize = 8192;

/// How many organizations with fewer facts are flushed at a time.
const SMALL_ORGANIZATIONS: usize = 64;

/// How many facts are trimmed before their disk is given back: some megabytes.
const WORTH_GIVING_BACK: usize = 50_000;

/// How many entries of the ledger are removed in one batch.
const BATCH: usize = 16 << 10;

/// The facts of a kind and an organization that wait.
#[derive(Debug, Clone, Copy)]
struct Wait {
    /// How many were committed since the start.
    facts: usize,
    /// Since when the oldest waits; none: since before the start.
    since: Option<Instant>,
    /// The position of the newest commit that has some.
    last: u64,
}

/// Facts of a kind and an organization that are to be flushed, with about how many there are.
pub(crate) type Waiter = (FactKind, OrgId, usize);

/// Everything that waits for the lake.
#[derive(Debug, Default)]
pub(crate) struct Waiting {
    of: Mutex<HashMap<(FactKind, OrgId), Wait>>,
    facts: AtomicUsize,
    /// How many facts were trimmed and still take disk.
    trimmed: AtomicUsize,
}

impl Waiting {
    /// Finds out what waits, by a look at each organization's first block.
    pub(super) fn open(facts: &Keyspace) -> Result<Self, EngineError> {
        let mut of = HashMap::new();
        let mut from = Vec::new();
        while let Some(first) = facts.range(from..).next() {
            let key = first.key()?;
            let org = org_of(&key).ok_or_else(|| broken("a block"))?;
            let kind = key.get(16).copied().and_then(FactKind::from_number).ok_or_else(|| broken("a block"))?;
            of.insert((kind, org), Wait { facts: 0, since: None, last: 0 });
            from = [org.0.as_bytes().as_slice(), &[kind.number(), u8::MAX, u8::MAX, u8::MAX, u8::MAX, u8::MAX]].concat();
        }
        // What was trimmed before the start may still be there: the tables say so when they are looked at.
        Ok(Self { of: Mutex::new(of), facts: AtomicUsize::new(0), trimmed: AtomicUsize::new(WORTH_GIVING_BACK) })
    }

    /// Adds the facts of a commit: of which kind and whose, and how many.
    pub(crate) fn add(&self, position: u64, blocks: impl Iterator<Item = (FactKind, OrgId, usize)>) {
        let mut of = self.of.lock();
        for (kind, org, facts) in blocks {
            let wait = of.entry((kind, org)).or_insert(Wait { facts: 0, since: Some(Instant::now()), last: position });
            wait.facts += facts;
            wait.last = position;
            self.facts.fetch_add(facts, Ordering::Relaxed);
        }
    }

    /// How many facts were committed since the start and wait.
    pub(crate) fn facts(&self) -> usize {
        self.facts.load(Ordering::Relaxed)
    }

    /// The position of the newest commit with facts of a kind and an organization that wait; 0 if none do.
    pub(crate) fn newest(&self, kind: FactKind, org: OrgId) -> u64 {
        self.of.lock().get(&(kind, org)).map_or(0, |wait| wait.last)
    }

    /// Everyone who waits.
    pub(crate) fn all(&self) -> Vec<Waiter> {
        self.of.lock().iter().map(|((kind, org), wait)| (*kind, *org, wait.facts)).collect()
    }

    /// Those of them whose turn it is: all with many facts, and of the others those who wait longest.
    pub(crate) fn due(&self) -> Vec<Waiter> {
        let of = self.of.lock();
        let (mut due, mut small) = (Vec::new(), Vec::new());
        for ((kind, org), wait) in &*of {
            if wait.facts >= MANY_FACTS { due.push((*kind, *org, wait.facts)) } else { small.push((wait.since, *kind, *org, wait.facts)) }
        }
        small.sort_unstable();
        due.extend(small.into_iter().take(SMALL_ORGANIZATIONS).map(|(_, kind, org, facts)| (kind, org, facts)));
        due
    }

    /// How many facts were trimmed and may still take disk, if they are as many as those that wait.
    pub(super) fn worth_giving_back(&self) -> Option<usize> {
        Some(self.trimmed.load(Ordering::Relaxed)).filter(|trimmed| *trimmed >= self.facts().max(WORTH_GIVING_BACK))
    }

    /// So many of them no longer do.
    pub(super) fn gave_back(&self, trimmed: usize) {
        self.trimmed.fetch_sub(trimmed, Ordering::Relaxed);
    }

    /// The facts of an organization up to a position no longer wait.
    fn left(&self, kind: FactKind, (org, facts): (OrgId, usize), upto: u64) {
        let mut of = self.of.lock();
        match of.get_mut(&(kind, org)) {
            Some(wait) if wait.last > upto => {
                wait.facts = wait.facts.saturating_sub(facts);
                wait.since = Some(Instant::now());
            }
            _ => _ = of.remove(&(kind, org)),
        }
        self.trimmed.fetch_add(facts, Ordering::Relaxed);
        let fewer = |waiting: usize| Some(waiting.saturating_sub(facts));
        let _ = self.facts.fetch_update(Ordering::Relaxed, Ordering::Relaxed, fewer);
    }
}

impl Ledger {
    /// Forgets which blocks the commits up to a position have, which cells in storage cover durably: nobody folds them again.
    ///
    /// # Errors
    /// [`EngineError::Storage`].
    pub(crate) fn forget_commits(&self, upto: u64) -> Result<(), EngineError> {
        let commits = self.commits.range(..=upto.to_be_bytes()).map(|commit| Ok(commit.key()?));
        self.remove_all(&self.commits, commits)
    }

    /// Forgets the facts of a kind that some organizations have up to a position, as the lake has them durably in a version of its table.
    ///
    /// Nothing waits for the disk, and batches are many: if a crash loses some, the lake's table still says what it has.
    ///
    /// # Errors
    /// [`EngineError::Storage`].
    pub(crate) fn trim(&self, kind: FactKind, of: &[(OrgId, usize)], upto: u64, durable: Durable) -> Result<(), EngineError> {
        for (org, _) in of {
            let blocks = self.facts.prefix([org.0.as_bytes().as_slice(), &[kind.number()]].concat());
            let keys = blocks.map(|block| Ok::<_, EngineError>(block.key()?));
            let is_flushed = |key: &fjall::Slice| position_of(key).is_some_and(|position| position <= upto);
            self.remove_all(&self.facts, keys.filter(|key| key.as_ref().map_or(true, is_flushed)))?;
        }
        self.meta.insert(lake_table(kind), durable.bytes())?;
        of.iter().for_each(|of| self.waiting.left(kind, *of, upto));
        Ok(())
    }

    fn remove_all(&self, keyspace: &Keyspace, keys: impl Iterator<Item = Result<fjall::Slice, EngineError>>) -> Result<(), EngineError> {
        let mut batch = self.db.batch();
        for key in keys {
            batch.remove(keyspace, key?);
            if batch.len() >= BATCH {
                std::mem::replace(&mut batch, self.db.batch()).commit()?;
            }
        }
        Ok(batch.commit()?)
    }
}

/// The position in the key of a block.
fn position_of(key: &[u8]) -> Option<u64> {
    key.get(BLOCK_KEY_PREFIX..)?.first_chunk().copied().map(u64::from_be_bytes)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::Duration;

    #[test]
    fn who_has_many_facts_goes_each_time_and_others_take_turns() {
        let waiting = Waiting::default();
        let org = |number: u128| OrgId(uuid::Uuid::from_u128(number));
        let begun = Instant::now();
        for number in 0..200 {
            let since = (number > 0).then(|| begun - Duration::from_micros(1000 - number));
            let facts = if number % 50 == 49 { MANY_FACTS } else { 1 };
            waiting.of.lock().insert((FactKind::Attendance, org(number.into())), Wait { facts, since, last: 5 });
        }
        let many = [49, 99, 149, 199].map(org);
        for turn in 0..3 {
            let due = waiting.due();
            let (large, small): (Vec<_>, Vec<_>) = due.into_iter().partition(|(_, org, _)| many.contains(org));
            assert_eq!((large.len(), small.len()), (4, SMALL_ORGANIZATIONS), "turn {turn}");
            for (kind, org, facts) in small {
                // What came since still waits, for its next turn.
                waiting.left(kind, (org, facts), if turn == 0 { 4 } else { 5 });
            }
        }
        assert_eq!(waiting.all().len(), 200 - 2 * SMALL_ORGANIZATIONS);
    }
}
