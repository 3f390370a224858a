//! The store of cells: live runs in memory, base cells and kept merged cells in storage, decoded merged cells in a bounded cache.
//!
//! Base cells in storage hold exactly the facts up to the checkpoint's position; live runs hold the facts since. A merged cell is stored
//! only if no live entry counts in its slice, so what is stored is a function of stored base cells, and the checkpoint that changes a base
//! cell deletes the kept cells around it in the same atomic batch. The *generation* counts the times that live runs were sealed: a reader
//! (`view.rs`) that began before may finish its answer from its own snapshot, but may no longer keep what it makes.

use super::catch_up::Mark;
use super::cover::Slice;
use super::kept::KeptBytes;
use super::stored::Stored;
use super::tiers::Debt;
use super::{Base, Keep, Run, Stays, Uses};
use crate::error::EngineError;
use crate::facts::FactStore;
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
    pub(super) stays: LiveRuns<Stays>,
    pub(super) uses: LiveRuns<Uses>,
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
    pub(super) stays: Stored,
    pub(super) uses: Stored,
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

/// Where the lengths of slices are stored.
const LENGTHS: &str = "slice-lengths";

impl Cells {
    /// Opens or makes the keyspaces of cells.
    pub(crate) fn keyspaces(db: &Database, settings: &Settings) -> Result<(Stored, Stored, Keyspace), EngineError> {
        Ok((
            Stored::open(db, "stay-runs", "stay-cells", settings)?,
            Stored::open(db, "use-runs", "use-cells", settings)?,
            db.keyspace("merged-cells", || settings.keyspace())?,
        ))
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
        let (stays, uses, merged) = Self::keyspaces(&db, settings)?;
        let lengths = meta.get(LENGTHS)?.unwrap_or_default();
        let lengths = lengths.chunks_exact(4).filter_map(|bytes| Some(i32::from_be_bytes(bytes.try_into().ok()?))).collect();
        let cells = Self {
            stays,
            uses,
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
        let (stays, uses) = (self.folded::<Stays>(commit), self.folded::<Uses>(commit));
        let mut state = self.state.write();
        state.position = mark;
        state.folds += 1;
        let (fold, live) = (state.folds, &mut state.live);
        live.added += commit.facts();
        stays.into_iter().for_each(|(org, delta)| delta.join(live, org, fold));
        uses.into_iter().for_each(|(org, delta)| delta.join(live, org, fold));
    }

    /// What the facts of a commit add to the live runs of each organization.
    fn folded<B: Base>(&self, commit: &Commit) -> Vec<(OrgId, Delta<B>)> {
        let mut entries: Vec<(OrgId, Vec<B::Entry>)> = Vec::new();
        for (org, block) in B::Block::of_commit(commit) {
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
        let live = B::live(&self.state.read().live).get(&org).map(|live| live.runs.clone()).unwrap_or_default();
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

    /// Caches a cell, and stores it if so asked, unless live runs were sealed since `generation`. Where nothing can be stored, it is only
    /// cached: a report needs no storage.
    pub(super) fn keep<K: Keep>(&self, key: Key, seen: (u64, u64), cell: &Arc<K>, store: bool) -> Result<(), EngineError> {
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
        if cell.is_cached() {
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
        let of_org = B::live_mut(live).entry(org).or_default();
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
mod tests {
    use super::*;
    use crate::cells::{PresentUsers, View};
    use crate::kinds::columns::Attendances;
    use crate::{Engine, Settings};
    use jiff::tz::TimeZone;
    use rollcall_model::calendar::{DAY_MILLIS, QUARTER_MILLIS};
    use rollcall_model::reports::{ActiveUsers, Grouping, StayFilter};
    use rollcall_model::{AttendanceDraft, Directory, Organization, Period, Quarter, Range, Reports, Value};

    /// 2025-03-01T00:00:00Z.
    const BASE: i64 = 1_740_787_200_000;
    const DAYS: i64 = 40;

    fn organization() -> Organization {
        Organization::new(OrgId(uuid::Uuid::from_u128(1)), "o", TimeZone::UTC)
    }

    /// An engine with a stay of another user in each hour of 40 days, checkpointed.
    fn engine(directory: &std::path::Path) -> Engine {
        let engine = Engine::open(directory, Settings::default()).unwrap();
        ingest(&engine, (0..DAYS * 24).map(|hour| (BASE + hour * 3_600_000, format!("u{hour}"))));
        engine.checkpoint().unwrap();
        engine
    }

    fn ingest<U: AsRef<str>>(engine: &Engine, stays: impl IntoIterator<Item = (i64, U)>) {
        let (organization, mut facts) = (organization(), Attendances::default());
        for (at, user) in stays {
            let mut draft = AttendanceDraft::new();
            draft.set("session_id", Value::Str("s".into()));
            draft.set("user_id", Value::Str(user.as_ref().into()));
            for (field, at) in [("session_started_at", at), ("joined_at", at), ("left_at", at + 1000)] {
                draft.set(field, Value::Int(at));
            }
            facts.push(&draft.finish(&organization, &Directory::default(), None).unwrap());
        }
        engine.ingest(&organization, facts).unwrap();
    }

    fn active(engine: &Engine, range: Range, by: Grouping) -> u64 {
        let week_start = jiff::civil::Weekday::Monday;
        let ask = ActiveUsers { range, zone: TimeZone::UTC, week_start, by, of: StayFilter::default() };
        engine.active_users(organization().id, &ask).unwrap().rows.iter().map(|row| row.users).sum()
    }

    fn kept(engine: &Engine) -> Vec<Slice> {
        engine.cells.merged.iter().map(|stored| Key::read(&stored.key().unwrap()).unwrap().slice).collect()
    }

    #[test]
    fn ranges_of_any_length_leave_no_length_behind_that_ingest_has_to_look_for() {
        let temporary = tempfile::tempdir().unwrap();
        let engine = engine(temporary.path());
        for length in 1..=300 {
            // Every user came on an hour.
            let range = Range::new(BASE, BASE + length * QUARTER_MILLIS);
            assert_eq!(active(&engine, range, Grouping::Whole), length.unsigned_abs().div_ceil(4), "{length}");
        }
        let is_day = |quarters: &i32| *quarters == 96;
        let days_only = |engine: &Engine| kept(engine).iter().all(|slice| is_day(&slice.quarters));
        assert!(days_only(&engine), "{:?}", kept(&engine));
        // Not even those as long as a week: nobody knows whether they are asked for again.
        for start in 0..20 {
            let from = BASE + start * DAY_MILLIS + QUARTER_MILLIS;
            assert_eq!(active(&engine, Range::new(from, from + 7 * DAY_MILLIS), Grouping::Whole), 7 * 24);
        }
        assert!(days_only(&engine), "{:?}", kept(&engine));
        let lengths = engine.cells.lengths.lock().clone();
        assert!(lengths.iter().all(is_day), "{lengths:?}");
        // What a calendar has is kept.
        active(&engine, Range::new(BASE, BASE + 31 * DAY_MILLIS), Grouping::Period(Period::Month));
        assert!(kept(&engine).contains(&Slice { start: Quarter::of(BASE).0, quarters: 31 * 96 }));
        assert!(engine.cells.lengths.lock().contains(&(31 * 96)));
    }

    #[test]
    fn kept_cells_stay_within_their_room_and_those_in_memory_go_last() {
        let temporary = tempfile::tempdir().unwrap();
        drop(engine(temporary.path()));
        let settings = Settings { kept_bytes: 2_000, ..Settings::default() };
        let engine = Engine::open(temporary.path(), settings).unwrap();
        let days = Range::new(BASE, BASE + DAYS * DAY_MILLIS);
        let sum = active(&engine, days, Grouping::Period(Period::Day));
        let bytes = || engine.cells.merged.iter().map(|stored| stored.into_inner().unwrap().1.len() as u64 + 41).sum::<u64>();
        assert!(bytes() > 3_000, "{}", bytes());
        // As if they had left memory long ago, but for the last.
        let last = kept(&engine).last().copied().unwrap();
        engine.cells.cache.retain(|key, _| key.slice == last);
        engine.cells.evict(|| true).unwrap();
        assert!((1_000..=2_000).contains(&bytes()), "{}", bytes());
        assert!(kept(&engine).contains(&last));
        assert_eq!(active(&engine, days, Grouping::Period(Period::Day)), sum);
        engine.cells.evict(|| true).unwrap();
        assert!(bytes() <= 2_000, "{}", bytes());
    }

    #[test]
    fn a_reader_takes_no_cell_that_is_newer_than_its_state() {
        let temporary = tempfile::tempdir().unwrap();
        let engine = engine(temporary.path());
        let (org, day) = (organization().id, Slice { start: Quarter::of(BASE).0, quarters: 96 });
        let days = Range::new(BASE, BASE + DAYS * DAY_MILLIS);
        let before = engine.cells.view::<Stays>(org, days).unwrap();
        ingest(&engine, [(BASE, "new")]);
        let users = |view: &View<'_, Stays>| PresentUsers::union([&*view.cell::<PresentUsers>(day).unwrap()], |_| true).len();
        let live = engine.cells.view::<Stays>(org, days).unwrap();
        assert_eq!((users(&live), users(&before)), (25, 24));
        engine.checkpoint().unwrap();
        let after = engine.cells.view::<Stays>(org, days).unwrap();
        // The newest reader caches the day; the others go on seeing what they saw.
        assert_eq!(users(&after), 25);
        assert_eq!((users(&before), users(&live), users(&after)), (24, 25, 25));
        ingest(&engine, [(BASE + 1, "newer")]);
        let newest = engine.cells.view::<Stays>(org, days).unwrap();
        assert_eq!((users(&newest), users(&after), users(&newest), users(&before)), (26, 25, 26, 24));
    }
}
