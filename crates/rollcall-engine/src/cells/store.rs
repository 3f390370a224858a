//! The store of cells: live runs in memory, base cells and kept merged cells in storage, decoded merged cells in a bounded cache.
//!
//! Base cells in storage hold exactly the facts up to the checkpoint's position; live runs hold the facts since. A merged cell is stored
//! only if no live entry counts in its slice, so what is stored is a function of stored base cells, and the checkpoint that changes a base
//! cell deletes the kept cells around it in the same atomic batch. The *generation* counts the times that live runs were sealed: a reader
//! (`view.rs`) that began before may finish its answer from its own snapshot, but may no longer keep what it makes.

use super::bases::{self, LiveBases, for_each_base};
use super::catch_up::Mark;
use super::cover::Slice;
use super::kept::KeptBytes;
use super::stored::Stored;
use super::tiers::Debt;
use super::{Base, Keep, Run};
use crate::error::EngineError;
use crate::facts::FactStore;
use crate::kinds::Listed;
use crate::kinds::block::{Block, Commit};
use crate::settings::Settings;
use fjall::{Database, Keyspace};
use hashbrown::HashMap;
use parking_lot::{Mutex, RwLock};
use quick_cache::sync::Cache;
use rollcall_model::OrgId;
use std::any::Any;
use std::collections::BTreeSet;
use std::sync::Arc;

/// Live runs of one kind.
pub type LiveRuns<B> = HashMap<OrgId, Runs<B>>;

/// The live runs of an organization.
#[derive(Debug)]
pub struct Runs<B: Base> {
    /// The oldest first. Once there are [`ALIKE`] of about the same length at the end, they are merged: so there are few, and an entry is
    /// merged a few times until it is checkpointed.
    pub(super) runs: Vec<Arc<Run<B>>>,
    /// The number of the last fold that added to them.
    pub(super) fold: u64,
}

impl<B: Base> Default for Runs<B> {
    fn default() -> Self {
        Self { runs: Vec::new(), fold: 0 }
    }
}

/// Live runs: facts that no checkpoint covers yet.
#[derive(Debug, Default)]
pub struct Live {
    pub(super) of_bases: LiveBases,
    /// Facts folded since the last checkpoint.
    pub(super) added: usize,
    /// Entries that were made of them; those that were merged into one are counted each.
    pub(super) entries: u64,
}

/// Live runs that a checkpoint is writing.
#[derive(Debug)]
pub(super) struct Sealed {
    pub(super) live: Live,
    /// Up to where they and what is stored cover the ledger.
    pub(super) upto: Mark,
}

#[derive(Debug, Default)]
pub(super) struct State {
    pub(super) generation: u64,
    /// How many changes are under way that no sealed run tells of: nothing is kept meanwhile.
    pub(super) changing: usize,
    /// How often facts were folded.
    pub(super) folds: u64,
    /// Up to where commits are folded.
    pub(super) position: Mark,
    /// Up to where they are checkpointed.
    pub(super) covered: Mark,
    pub(super) live: Live,
    pub(super) sealed: Option<Arc<Sealed>>,
}

/// Which kept cell: organization, kind and slice, and what it selects.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) struct Key {
    pub(super) org: OrgId,
    pub(super) kind: u8,
    pub(super) slice: Slice,
    /// A hash of what of the slice the cell holds; 0: all of it.
    pub(super) selector: u128,
}

impl Key {
    /// The key of such bytes.
    pub(super) fn read(bytes: &[u8]) -> Option<Self> {
        let (org, rest) = bytes.split_first_chunk()?;
        let (kind, rest) = rest.split_first()?;
        let (quarters, rest) = rest.split_first_chunk()?;
        let (start, selector) = rest.split_first_chunk()?;
        let slice = Slice { start: i32::from_be_bytes(*start), quarters: i32::from_be_bytes(*quarters) };
        let org = OrgId(uuid::Uuid::from_bytes(*org));
        Some(Self { org, kind: *kind, slice, selector: u128::from_be_bytes(selector.try_into().ok()?) })
    }

    pub(super) fn bytes(&self) -> [u8; 41] {
        let mut bytes = [0; 41];
        bytes[..16].copy_from_slice(self.org.0.as_bytes());
        bytes[16] = self.kind;
        bytes[17..21].copy_from_slice(&self.slice.quarters.to_be_bytes());
        bytes[21..25].copy_from_slice(&self.slice.start.to_be_bytes());
        bytes[25..].copy_from_slice(&self.selector.to_be_bytes());
        bytes
    }
}

/// A decoded merged cell in the cache.
#[derive(Debug, Clone)]
pub(super) struct Cached {
    pub(super) cell: Arc<dyn Any + Send + Sync>,
    size: usize,
    /// Readers of an earlier generation do not take it: it may hold facts that they do not see.
    pub(super) since: u64,
    /// The last fold of those whose live entries it holds; 0 if it holds none.
    pub(super) fold: u64,
}

#[derive(Debug, Clone)]
pub(super) struct BySize;

impl quick_cache::Weighter<Key, Cached> for BySize {
    fn weight(&self, _: &Key, cached: &Cached) -> u64 {
        cached.size as u64
    }
}

/// The cells of every organization.
pub struct Cells {
    pub(super) db: Database,
    /// Of each base cell, by its position.
    pub(super) bases: [Stored; bases::COUNT],
    pub(super) merged: Keyspace,
    pub(super) meta: Keyspace,
    pub(super) facts: FactStore,
    pub(super) state: RwLock<State>,
    pub(super) cache: Cache<Key, Cached, BySize>,
    /// The lengths of all slices ever kept, so that a checkpoint finds the kept cells around a quarter hour.
    pub(super) lengths: Mutex<BTreeSet<i32>>,
    /// Held for the length of a checkpoint, and by whoever else changes base cells in storage.
    pub(super) checkpointing: Mutex<()>,
    /// How many bytes of merged cells are kept in storage, at most.
    pub(super) kept: KeptBytes,
    /// Days with runs to be merged.
    pub(super) debt: Mutex<Debt>,
    /// See [`Settings::checkpoint_facts`].
    pub(super) checkpoint_facts: usize,
    /// See [`Settings::checkpoint_entries`].
    pub(super) checkpoint_entries: u64,
}

impl std::fmt::Debug for Cells {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Cells").finish_non_exhaustive()
    }
}

/// How many live runs are merged at once, at the least, and how many times as long others are that they are not merged with.
const ALIKE: usize = 4;

/// Up to how many bytes a cell has that is read from storage in no time: nobody caches it before somebody asks.
const SMALL: usize = 16 << 10;

/// Where the lengths of slices are stored.
const LENGTHS: &str = "slice-lengths";

impl Cells {
    /// Opens or makes the keyspaces of cells.
    pub(crate) fn keyspaces(db: &Database, settings: &Settings) -> Result<([Stored; bases::COUNT], Keyspace), EngineError> {
        let bases = for_each_base!(B => Stored::open(db, B::KEYSPACES, settings)?);
        Ok((bases, db.keyspace("merged-cells", || settings.keyspace())?))
    }

    /// Where a base cell is stored.
    pub(crate) const fn stored<B: Base>(&self) -> &Stored {
        &self.bases[B::POSITION]
    }

    /// How many times cells in storage were changed since the start.
    pub(crate) fn generation(&self) -> u64 {
        self.state.read().generation
    }

    /// Opens the cells of a database.
    ///
    /// # Errors
    /// [`EngineError::Storage`].
    pub fn open(facts: FactStore, settings: &Settings) -> Result<Self, EngineError> {
        let (db, meta) = (facts.ledger.db().clone(), facts.ledger.meta.clone());
        let (bases, merged) = Self::keyspaces(&db, settings)?;
        let lengths = meta.get(LENGTHS)?.unwrap_or_default();
        let lengths = lengths.chunks_exact(4).filter_map(|bytes| Some(i32::from_be_bytes(bytes.try_into().ok()?))).collect();
        let cells = Self {
            bases,
            merged,
            meta,
            facts,
            state: RwLock::default(),
            // The expected number of items only sizes the first allocation.
            cache: Cache::with_weighter(4096, settings.cell_cache_bytes as u64, BySize),
            lengths: Mutex::new(lengths),
            checkpointing: Mutex::default(),
            debt: Mutex::default(),
            kept: KeptBytes::new(settings.kept_bytes),
            checkpoint_facts: settings.checkpoint_facts,
            checkpoint_entries: settings.checkpoint_entries,
            db,
        };
        let covered = cells.stored_position()?;
        cells.state.write().covered = covered;
        cells.state.write().position = covered;
        Ok(cells)
    }

    /// Folds a commit. Commits are folded in the order of their positions, each once.
    pub fn fold(&self, position: u64, commit: &Commit) {
        self.fold_up_to(Mark::after(position), commit);
    }

    /// Folds facts, after which everything up to a mark is folded.
    pub(super) fn fold_up_to(&self, mark: Mark, commit: &Commit) {
        let joins = for_each_base!(B => {
            let deltas = self.folded::<B>(commit);
            Box::new(move |live: &mut Live, fold| deltas.into_iter().for_each(|(org, delta)| delta.join(live, org, fold)))
                as Box<dyn FnOnce(&mut Live, u64)>
        });
        let mut state = self.state.write();
        state.position = mark;
        state.folds += 1;
        let (fold, live) = (state.folds, &mut state.live);
        live.added += commit.facts();
        joins.into_iter().for_each(|join| join(live, fold));
    }

    /// What the facts of a commit add to the live runs of each organization.
    fn folded<B: Base>(&self, commit: &Commit) -> Vec<(OrgId, Delta<B>)> {
        let mut entries: Vec<(OrgId, Vec<B::Entry>)> = Vec::new();
        for (org, block) in <B::Block as Block>::Kind::of_commit(commit) {
            // Blocks of one organization follow one another.
            if entries.last().is_none_or(|(last, _)| last != org) {
                entries.push((*org, Vec::with_capacity(block.facts())));
            }
            if let Some((_, entries)) = entries.last_mut() {
                B::fold(block, &mut |entry| entries.push(entry));
            }
        }
        entries.into_iter().map(|(org, entries)| (org, self.delta(org, entries))).collect()
    }

    /// Merges entries with the last live runs of an organization, which its readers go on reading meanwhile. Nobody else adds to them.
    fn delta<B: Base>(&self, org: OrgId, entries: Vec<B::Entry>) -> Delta<B> {
        let made = entries.len() as u64;
        let run = Run::<B>::new(entries);
        let live = B::live(&self.state.read().live.of_bases).get(&org).map(|live| live.runs.clone()).unwrap_or_default();
        let (mut length, mut first) = (run.entries.len(), live.len());
        loop {
            let before = live.get(..first).unwrap_or_default().iter().rev().map(|run| run.entries.len());
            let alike: Vec<usize> = before.take_while(|other| *other < ALIKE * length).collect();
            if alike.len() + 1 < ALIKE {
                break;
            }
            length += alike.iter().sum::<usize>();
            first -= alike.len();
        }
        let replaced = live.get(first..).unwrap_or_default().to_vec();
        let merged = (!replaced.is_empty()).then(|| Run::merged(replaced.iter().map(AsRef::as_ref).chain([&run])));
        Delta { made, run, replaced, merged }
    }

    /// Stores and caches a cell as asked, unless live runs were sealed since `generation`. Where nothing can be stored, it is only
    /// cached: a report needs no storage.
    pub(super) fn keep<K: Keep>(&self, key: Key, seen: (u64, u64), cell: &Arc<K>, (store, cache): (bool, bool)) -> Result<(), EngineError> {
        let (generation, fold) = seen;
        let state = self.state.read();
        if state.generation != generation || state.changing > 0 {
            return Ok(());
        }
        if store
            && self.facts.ledger.health.is_writable()
            && let Some(bytes) = cell.encode()
        {
            let mut lengths = self.lengths.lock();
            if lengths.insert(key.slice.quarters) {
                let bytes: Vec<u8> = lengths.iter().flat_map(|length| length.to_be_bytes()).collect();
                self.meta.insert(LENGTHS, bytes)?;
            }
            drop(lengths);
            self.kept.add(bytes.len());
            self.merged.insert(key.bytes(), bytes)?;
        }
        if (cache || cell.size() > SMALL) && cell.is_cached() {
            self.cache.insert(key, Cached { cell: cell.clone(), size: cell.size(), since: generation, fold });
        }
        Ok(())
    }
}

/// What a commit adds to the live runs of an organization.
struct Delta<B: Base> {
    /// How many entries were made of its facts.
    made: u64,
    run: Run<B>,
    /// The last live runs, and what they are together with the new one.
    replaced: Vec<Arc<Run<B>>>,
    merged: Option<Run<B>>,
}

impl<B: Base> Delta<B> {
    fn join(self, live: &mut Live, org: OrgId, fold: u64) {
        live.entries += self.made;
        let of_org = B::live_mut(&mut live.of_bases).entry(org).or_default();
        of_org.fold = fold;
        let kept = of_org.runs.len().checked_sub(self.replaced.len());
        let are_last = |runs: &[Arc<Run<B>>]| runs.iter().zip(&self.replaced).all(|(a, b)| Arc::ptr_eq(a, b));
        match (self.merged, kept.filter(|kept| of_org.runs.get(*kept..).is_some_and(are_last))) {
            (Some(merged), Some(kept)) => {
                of_org.runs.truncate(kept);
                of_org.runs.push(Arc::new(merged));
            }
            // A checkpoint took them meanwhile.
            _ => of_org.runs.push(Arc::new(self.run)),
        }
    }
}

#[cfg(test)]
mod tests;
