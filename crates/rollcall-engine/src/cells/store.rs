//! The store of cells: live ones in memory, checkpointed ones and kept merged ones in storage, decoded ones in a bounded cache.
//!
//! Base cells in storage hold exactly the facts up to the checkpoint's position; live cells hold the facts since. A merged cell
//! is kept (stored and cached) only when no live cell lies in its slice, so kept cells are a function of stored base cells, and a
//! checkpoint that changes a base cell deletes the kept cells around it in the same atomic batch. The generation counts checkpoints:
//! a reader (`view.rs`) that began before one may finish its answer from its own snapshot, but may no longer keep what it makes.

use super::catch_up::Mark;
use super::cover::Slice;
use super::{Base, Cell, Keep, Location, Presence, Sessions, Uses};
use crate::error::EngineError;
use crate::ledger::columns::{Block, Commit};
use crate::scan::FactStore;
use crate::settings::Settings;
use fjall::{Database, Keyspace, Readable, Snapshot};
use hashbrown::HashMap;
use parking_lot::{Mutex, RwLock};
use quick_cache::sync::Cache;
use rollcall_model::{OrgId, Quarter};
use std::any::Any;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

/// Live base cells of one kind.
pub type LiveCells<B> = HashMap<OrgId, BTreeMap<Quarter, Arc<Cell<B>>>>;

/// Live base cells: facts that no checkpoint covers yet.
#[derive(Debug, Default)]
pub struct Live {
    pub(super) sessions: LiveCells<Sessions>,
    pub(super) presence: LiveCells<Presence>,
    pub(super) location: LiveCells<Location>,
    pub(super) uses: LiveCells<Uses>,
    /// Facts folded since the last checkpoint.
    pub(super) added: usize,
    /// Entries that were made of them; those that were merged into one are counted each.
    pub(super) entries: u64,
}

#[derive(Debug, Default)]
pub(super) struct State {
    pub(super) generation: u64,
    /// Up to where commits are folded.
    pub(super) position: Mark,
    /// Up to where they are checkpointed.
    pub(super) covered: Mark,
    pub(super) live: Live,
    /// Live cells that a checkpoint is writing.
    pub(super) sealed: Option<Arc<Live>>,
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
pub(super) struct Kept {
    pub(super) cell: Arc<dyn Any + Send + Sync>,
    size: usize,
}

#[derive(Debug, Clone)]
pub(super) struct BySize;

impl quick_cache::Weighter<Key, Kept> for BySize {
    fn weight(&self, _: &Key, kept: &Kept) -> u64 {
        kept.size as u64
    }
}

/// The cells of every organization.
pub struct Cells {
    pub(super) db: Database,
    pub(super) sessions: Keyspace,
    pub(super) presence: Keyspace,
    pub(super) location: Keyspace,
    pub(super) uses: Keyspace,
    pub(super) merged: Keyspace,
    pub(super) meta: Keyspace,
    pub(super) facts: FactStore,
    pub(super) state: RwLock<State>,
    pub(super) cache: Cache<Key, Kept, BySize>,
    /// The lengths of all slices ever kept, so that a checkpoint finds the kept cells around a quarter hour.
    pub(super) lengths: Mutex<BTreeSet<i32>>,
    /// Held for the length of a checkpoint.
    pub(super) checkpointing: Mutex<()>,
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

pub(super) const LENGTHS: &str = "slice-lengths";

impl Cells {
    /// Opens or makes the keyspaces of cells.
    pub(crate) fn keyspaces(db: &Database, settings: &Settings) -> Result<[Keyspace; 5], EngineError> {
        let keyspace = |name| db.keyspace(name, || settings.keyspace());
        Ok([
            keyspace("session-cells")?,
            keyspace("presence-cells")?,
            keyspace("location-cells")?,
            keyspace("use-cells")?,
            keyspace("merged-cells")?,
        ])
    }

    /// Opens the cells of a database.
    ///
    /// # Errors
    /// [`EngineError::Storage`].
    pub fn open(facts: FactStore, settings: &Settings) -> Result<Self, EngineError> {
        let (db, meta) = (facts.ledger.db().clone(), facts.ledger.meta.clone());
        let [sessions, presence, location, uses, merged] = Self::keyspaces(&db, settings)?;
        let lengths = meta.get(LENGTHS)?.unwrap_or_default();
        let lengths = lengths.chunks_exact(4).filter_map(|bytes| Some(i32::from_be_bytes(bytes.try_into().ok()?))).collect();
        let cells = Self {
            sessions,
            presence,
            location,
            uses,
            merged,
            meta,
            facts,
            state: RwLock::default(),
            // The expected number of items only sizes the first allocation.
            cache: Cache::with_weighter(4096, settings.cell_cache_bytes as u64, BySize),
            lengths: Mutex::new(lengths),
            checkpointing: Mutex::default(),
            checkpoint_facts: settings.checkpoint_facts,
            checkpoint_entries: settings.checkpoint_entries,
            db,
        };
        if let Err(error) = cells.forget_other_lengths() {
            tracing::warn!(%error, "kept cells of ranges that were asked for once could not be removed; ingest stays slower until a start can");
        }
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
        let (sessions, presence, location) = (folded::<Sessions>(commit), folded::<Presence>(commit), folded::<Location>(commit));
        let uses = folded::<Uses>(commit);
        let mut state = self.state.write();
        state.position = mark;
        state.live.added += commit.facts();
        add::<Sessions>(&mut state.live, sessions);
        add::<Presence>(&mut state.live, presence);
        add::<Location>(&mut state.live, location);
        add::<Uses>(&mut state.live, uses);
    }

    /// Caches a cell, and stores it if so asked, unless a checkpoint has passed since `generation`. Where nothing can be stored, it is only
    /// cached: a report needs no storage.
    pub(super) fn keep<K: Keep>(&self, key: Key, generation: u64, cell: &Arc<K>, store: bool) -> Result<(), EngineError> {
        let state = self.state.read();
        if state.generation != generation {
            return Ok(());
        }
        if store
            && self.facts.ledger.health.is_writable()
            && let Some(bytes) = cell.encode()
        {
            let mut lengths = self.lengths.lock();
            if lengths.insert(key.slice.quarters) {
                self.meta.insert(LENGTHS, length_bytes(&lengths))?;
            }
            drop(lengths);
            self.merged.insert(key.bytes(), bytes)?;
        }
        if cell.is_cached() {
            self.cache.insert(key, Kept { cell: cell.clone(), size: cell.size() });
        }
        Ok(())
    }
}

pub(super) fn length_bytes(lengths: &BTreeSet<i32>) -> Vec<u8> {
    lengths.iter().flat_map(|length| length.to_be_bytes()).collect()
}

/// The key of a base cell.
pub(super) fn base_key(org: OrgId, quarter: Quarter) -> [u8; 20] {
    let mut bytes = [0; 20];
    bytes[..16].copy_from_slice(org.0.as_bytes());
    bytes[16..].copy_from_slice(&quarter.0.to_be_bytes());
    bytes
}

/// The quarter hour of a base cell's key.
pub(super) fn quarter_of(key: &[u8]) -> Option<Quarter> {
    Some(Quarter(i32::from_be_bytes(*key.last_chunk()?)))
}

pub(super) fn broken(what: &str) -> EngineError {
    EngineError::Storage(format!("{what} cannot be decoded"))
}

/// The entries of the base cells stored in a slice, cell after cell; none if one of them is not readable.
pub(super) fn stored_entries<B: Base>(
    cells: &Cells,
    snapshot: &Snapshot,
    org: OrgId,
    slice: Slice,
) -> Result<Option<Vec<B::Entry>>, EngineError> {
    let mut entries = Vec::new();
    let range = base_key(org, Quarter(slice.start))..base_key(org, Quarter(slice.end()));
    for stored in snapshot.range(B::keyspace(cells), range) {
        let (key, bytes) = stored.into_inner()?;
        match quarter_of(&key).and_then(|quarter| B::decode(quarter, &bytes)) {
            Some(of_cell) => entries.extend(of_cell),
            None => return Ok(None),
        }
    }
    Ok(Some(entries))
}

/// The base cell of the bytes in storage, if there are any.
pub(super) fn stored_cell<B: Base>(quarter: Quarter, stored: Option<&[u8]>) -> Result<Cell<B>, EngineError> {
    let entries = stored.map(|bytes| B::decode(quarter, bytes).ok_or_else(|| broken("a cell"))).transpose()?;
    Ok(entries.map(Cell::of_ordered).unwrap_or_default())
}

/// Entries by organization and quarter hour.
type Folded<B> = Vec<(OrgId, HashMap<Quarter, Vec<<B as Base>::Entry>>)>;

fn folded<B: Base>(commit: &Commit) -> Folded<B> {
    let fold = |(org, block): &(OrgId, B::Block)| {
        let mut entries: HashMap<Quarter, Vec<B::Entry>> = HashMap::new();
        B::fold(block, &mut |quarter, entry| entries.entry(quarter).or_default().push(entry));
        (*org, entries)
    };
    B::Block::of_commit(commit).iter().map(fold).collect()
}

fn add<B: Base>(live: &mut Live, folded: Folded<B>) {
    for (org, by_quarter) in folded {
        live.entries += by_quarter.values().map(|entries| entries.len() as u64).sum::<u64>();
        let cells = B::live_mut(live).entry(org).or_default();
        for (quarter, entries) in by_quarter {
            // A reader may hold the cell: it keeps its own.
            Arc::make_mut(cells.entry(quarter).or_default()).extend(&entries);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cells::{PresentUsers, Scope};
    use crate::facts::Attendances;
    use crate::{Engine, Settings};
    use jiff::tz::TimeZone;
    use rollcall_model::calendar::{DAY_MILLIS, QUARTER_MILLIS};
    use rollcall_model::reports::{ActiveUsers, Grouping};
    use rollcall_model::{AttendanceDraft, Directory, Organization, Period, Range, Reports, Value};

    /// 2025-03-01T00:00:00Z.
    const BASE: i64 = 1_740_787_200_000;
    const DAYS: i64 = 40;

    fn organization() -> Organization {
        Organization::new(OrgId(uuid::Uuid::from_u128(1)), "o", TimeZone::UTC)
    }

    /// An engine with a stay of another user in each hour of 40 days, checkpointed.
    fn engine(directory: &std::path::Path) -> Engine {
        let (engine, organization) = (Engine::open(directory, Settings::default()).unwrap(), organization());
        let mut facts = Attendances::default();
        for hour in 0..DAYS * 24 {
            let mut draft = AttendanceDraft::new();
            let user = format!("u{hour}");
            draft.set("session_id", Value::Str("s".into()));
            draft.set("user_id", Value::Str(user.as_str().into()));
            let at = BASE + hour * 3_600_000;
            for (field, at) in [("session_started_at", at), ("joined_at", at), ("left_at", at + 1000)] {
                draft.set(field, Value::Int(at));
            }
            facts.push(&draft.finish(&organization, &Directory::default(), None).unwrap());
        }
        engine.ingest(&organization, facts).unwrap();
        engine.checkpoint().unwrap();
        engine
    }

    fn active(engine: &Engine, range: Range, by: Grouping) -> u64 {
        let week_start = jiff::civil::Weekday::Monday;
        let (user_kinds, devices, session_kinds) = (None, None, None);
        let ask = ActiveUsers { range, zone: TimeZone::UTC, week_start, by, user_kinds, devices, session_kinds, app: None };
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
        let is_grain = |quarters: &i32| [1, 4, 96].contains(quarters);
        let grains_only = |engine: &Engine| kept(engine).iter().all(|slice| is_grain(&slice.quarters));
        assert!(grains_only(&engine), "{:?}", kept(&engine));
        // Not even those as long as a week: nobody knows whether they are asked for again.
        for start in 0..20 {
            let from = BASE + start * DAY_MILLIS + QUARTER_MILLIS;
            assert_eq!(active(&engine, Range::new(from, from + 7 * DAY_MILLIS), Grouping::Whole), 7 * 24);
        }
        assert!(grains_only(&engine), "{:?}", kept(&engine));
        let lengths = engine.cells.lengths.lock().clone();
        assert!(lengths.iter().all(is_grain), "{lengths:?}");
        // What a calendar has is kept.
        active(&engine, Range::new(BASE, BASE + 31 * DAY_MILLIS), Grouping::Period(Period::Month));
        assert!(kept(&engine).contains(&Slice { start: Quarter::of(BASE).0, quarters: 31 * 96 }));
        assert!(engine.cells.lengths.lock().contains(&(31 * 96)));
    }

    #[test]
    fn kept_cells_of_other_lengths_go_at_a_start() {
        let temporary = tempfile::tempdir().unwrap();
        let engine = engine(temporary.path());
        active(&engine, Range::new(BASE, BASE + 31 * DAY_MILLIS), Grouping::Period(Period::Month));
        let (calendar, lengths) = (kept(&engine), engine.cells.lengths.lock().clone());
        // As they were kept before.
        let org = organization().id;
        for length in 200..500 {
            let slice = Slice { start: Quarter::of(BASE).0, quarters: length };
            let generation = engine.cells.state.read().generation;
            let view = engine.cells.view::<Presence>(org, Range::new(BASE, BASE + DAYS * DAY_MILLIS)).unwrap();
            let cell: Arc<PresentUsers> = view.range_cell(slice).unwrap();
            engine.cells.keep(Key { org, kind: PresentUsers::KIND, slice, selector: 0 }, generation, &cell, true).unwrap();
        }
        assert_eq!(kept(&engine).iter().filter(|slice| !slice.is_of_calendar()).count(), 300);
        assert!(engine.cells.lengths.lock().len() >= 300);
        drop(engine);
        let engine = Engine::open(temporary.path(), Settings::default()).unwrap();
        let left = kept(&engine);
        assert!(calendar.iter().all(|slice| left.contains(slice)));
        assert!(left.iter().all(Slice::is_of_calendar));
        assert!(lengths.is_subset(&engine.cells.lengths.lock()));
        assert!(engine.cells.lengths.lock().len() <= 74);
        let found = engine.verify(&Scope::ALL, &|_, _| {}).unwrap();
        assert_eq!((found.told, found.unverified), (vec![], 0));
    }
}
