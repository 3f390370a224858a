//! The store of cells: live ones in memory, checkpointed ones and kept merged ones in storage, decoded ones in a bounded cache.
//!
//! Base cells in storage hold exactly the facts up to the checkpoint's position; live cells hold the facts since. A merged cell
//! is kept (stored and cached) only when no live cell lies in its slice, so kept cells are a function of stored base cells, and a
//! checkpoint that changes a base cell deletes the kept cells around it in the same atomic batch. The generation counts checkpoints:
//! a reader that began before one may finish its answer from its own snapshot, but may no longer keep what it makes.

use super::cover::{Cut, Slice, align};
use super::{Base, Cell, Keep, Location, Merged, Presence, Sessions, Uses};
use crate::error::EngineError;
use crate::ledger::columns::{Block, Commit};
use crate::ledger::{self, Wanted};
use fjall::{Database, Keyspace, KeyspaceCreateOptions, Readable, Snapshot};
use hashbrown::HashMap;
use parking_lot::{Mutex, RwLock};
use quick_cache::sync::Cache;
use rollcall_model::{OrgId, Quarter, Range};
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
}

#[derive(Debug, Default)]
pub(super) struct State {
    pub(super) generation: u64,
    /// Of the last commit folded.
    pub(super) position: u64,
    /// Of the last commit checkpointed.
    pub(super) covered: u64,
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
    cell: Arc<dyn Any + Send + Sync>,
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
    pub(super) facts: Keyspace,
    pub(super) meta: Keyspace,
    pub(super) state: RwLock<State>,
    pub(super) cache: Cache<Key, Kept, BySize>,
    /// The lengths of all slices ever kept, so that a checkpoint finds the kept cells around a quarter hour.
    pub(super) lengths: Mutex<BTreeSet<i32>>,
    /// Held for the length of a checkpoint.
    pub(super) checkpointing: Mutex<()>,
}

impl std::fmt::Debug for Cells {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Cells").finish_non_exhaustive()
    }
}

pub(super) const LENGTHS: &str = "slice-lengths";

impl Cells {
    /// Opens the cells of a database.
    ///
    /// # Errors
    /// [`EngineError::Storage`].
    pub fn open(db: &Database, facts: &Keyspace, meta: &Keyspace, cache_bytes: usize) -> Result<Self, EngineError> {
        let lengths = meta.get(LENGTHS)?.unwrap_or_default();
        let lengths = lengths.chunks_exact(4).filter_map(|bytes| Some(i32::from_be_bytes(bytes.try_into().ok()?))).collect();
        let cells = Self {
            sessions: db.keyspace("session-cells", KeyspaceCreateOptions::default)?,
            presence: db.keyspace("presence-cells", KeyspaceCreateOptions::default)?,
            location: db.keyspace("location-cells", KeyspaceCreateOptions::default)?,
            uses: db.keyspace("use-cells", KeyspaceCreateOptions::default)?,
            merged: db.keyspace("merged-cells", KeyspaceCreateOptions::default)?,
            facts: facts.clone(),
            meta: meta.clone(),
            state: RwLock::default(),
            // The expected number of items only sizes the first allocation.
            cache: Cache::with_weighter(4096, cache_bytes as u64, BySize),
            lengths: Mutex::new(lengths),
            checkpointing: Mutex::default(),
            db: db.clone(),
        };
        let covered = cells.stored_position()?;
        cells.state.write().covered = covered;
        cells.state.write().position = covered;
        Ok(cells)
    }

    /// Folds a commit. Commits are folded in the order of their positions, each once.
    pub fn fold(&self, position: u64, commit: &Commit) {
        let (sessions, presence, location) = (folded::<Sessions>(commit), folded::<Presence>(commit), folded::<Location>(commit));
        let uses = folded::<Uses>(commit);
        let mut state = self.state.write();
        state.position = position;
        state.live.added += commit.facts();
        add::<Sessions>(&mut state.live, sessions);
        add::<Presence>(&mut state.live, presence);
        add::<Location>(&mut state.live, location);
        add::<Uses>(&mut state.live, uses);
    }

    /// One consistent state of the cells that lie in `range`: every fact folded so far.
    ///
    /// # Errors
    /// [`EngineError::Storage`].
    pub fn view<B: Base>(&self, org: OrgId, range: Range) -> Result<View<'_, B>, EngineError> {
        let quarters = align(Quarter::of(range.from), B::QUARTERS)..=Quarter::of(range.to.max(range.from));
        let state = self.state.read();
        let mut live: BTreeMap<Quarter, Vec<Arc<Cell<B>>>> = BTreeMap::new();
        for cells in [state.sealed.as_deref(), Some(&state.live)].into_iter().flatten().filter_map(|live| B::live(live).get(&org)) {
            for (quarter, cell) in cells.range(quarters.clone()) {
                live.entry(*quarter).or_default().push(cell.clone());
            }
        }
        let (generation, snapshot) = (state.generation, self.db.snapshot());
        drop(state);
        let seen = seen::<B>(&snapshot, self, org, &live)?;
        Ok(View { cells: self, org, generation, snapshot, live, seen })
    }

    /// Stores and caches a cell, unless a checkpoint has passed since `generation`.
    fn keep<K: Keep>(&self, key: Key, generation: u64, cell: &Arc<K>, stored: bool) -> Result<(), EngineError> {
        let state = self.state.read();
        if state.generation != generation {
            return Ok(());
        }
        if !stored && let Some(bytes) = cell.encode() {
            let mut lengths = self.lengths.lock();
            if lengths.insert(key.slice.quarters) {
                let bytes: Vec<u8> = lengths.iter().flat_map(|length| length.to_be_bytes()).collect();
                self.meta.insert(LENGTHS, bytes)?;
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

/// One consistent state of an organization's cells.
pub struct View<'a, B: Base> {
    pub(super) cells: &'a Cells,
    pub(super) org: OrgId,
    generation: u64,
    pub(super) snapshot: Snapshot,
    live: BTreeMap<Quarter, Vec<Arc<Cell<B>>>>,
    /// The quarter hours between the first cell and the last, so that years without facts cost nothing.
    seen: Option<Range>,
}

impl<B: Base> std::fmt::Debug for View<'_, B> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("View").field("org", &self.org).field("seen", &self.seen).finish_non_exhaustive()
    }
}

impl<B: Base> View<'_, B> {
    /// Gives `add` merged cells that together hold exactly what lies in `range`: the ragged edges built on the spot,
    /// the rest from the fewest slices.
    ///
    /// # Errors
    /// [`EngineError::Storage`].
    pub fn each<M: Merged<Base = B>>(&self, range: Range, mut add: impl FnMut(&Arc<M>)) -> Result<(), EngineError> {
        let Some(seen) = self.seen else { return Ok(()) };
        let cut = Cut::new(range.intersect(&seen), B::QUARTERS);
        for edge in cut.edges.into_iter().flatten() {
            add(&Arc::new(M::of(&B::edge(self, edge)?)));
        }
        for part in cut.whole.iter().flat_map(|whole| whole.parts(B::QUARTERS)) {
            add(&self.cell(part)?);
        }
        Ok(())
    }

    /// The merged cell of a slice, kept as one where it can be: for slices that are asked for again, as the days of a zone are.
    ///
    /// # Errors
    /// [`EngineError::Storage`].
    pub fn cell<M: Merged<Base = B>>(&self, slice: Slice) -> Result<Arc<M>, EngineError> {
        self.kept(slice, 0, || {
            if slice.quarters == B::QUARTERS {
                return Ok(M::of(&self.entries(Quarter(slice.start))?));
            }
            if !self.is_live(slice) {
                return self.make(slice);
            }
            let mut merged = M::default();
            for part in slice.parts(B::QUARTERS) {
                merged.merge(&*self.cell::<M>(part)?);
            }
            Ok(merged)
        })
    }

    /// The cell of a slice that holds what `selector` says of it, kept where it can be, else made.
    ///
    /// # Errors
    /// [`EngineError::Storage`], and those of `make`.
    pub fn kept<K: Keep>(
        &self,
        slice: Slice,
        selector: u128,
        make: impl FnOnce() -> Result<K, EngineError>,
    ) -> Result<Arc<K>, EngineError> {
        let within = Range::new(Quarter(slice.start).start(), Quarter(slice.end()).start());
        if self.seen.is_none_or(|seen| seen.intersect(&within).is_empty()) {
            return Ok(Arc::default());
        }
        if slice.quarters == B::QUARTERS || self.is_live(slice) {
            return Ok(Arc::new(make()?));
        }
        let key = Key { org: self.org, kind: K::KIND, slice, selector };
        if let Some(cell) = self.cells.cache.get(&key).and_then(|kept| kept.cell.downcast::<K>().ok()) {
            return Ok(cell);
        }
        let stored = self.snapshot.get(&self.cells.merged, key.bytes())?;
        let cell = Arc::new(match &stored {
            Some(bytes) => K::decode(bytes).ok_or_else(|| broken("a merged cell"))?,
            None => make()?,
        });
        self.cells.keep(key, self.generation, &cell, stored.is_some())?;
        Ok(cell)
    }

    /// Whether a live cell lies in a slice.
    fn is_live(&self, slice: Slice) -> bool {
        self.live.range(Quarter(slice.start)..Quarter(slice.end())).next().is_some()
    }

    /// Makes the merged cell of a slice without live cells.
    fn make<M: Merged<Base = B>>(&self, slice: Slice) -> Result<M, EngineError> {
        let mut merged = M::default();
        // Up to a day or two it costs less to read base cells once than to make and keep every hour.
        if slice.quarters > 2 * 96 {
            for part in slice.parts(B::QUARTERS) {
                merged.merge(&*self.cell::<M>(part)?);
            }
            return Ok(merged);
        }
        let entries = stored_entries::<B>(self.cells, &self.snapshot, self.org, slice)?.ok_or_else(|| broken("a cell"))?;
        Ok(M::of(&entries))
    }

    /// Facts in storage, of which some may be wanted.
    pub(super) fn facts(&self, wanted: Wanted) -> impl Iterator<Item = Result<B::Block, EngineError>> + use<B> {
        ledger::scan(self.snapshot.clone(), &self.cells.facts, self.org, wanted)
    }

    /// The instants between the first cell and the last.
    pub const fn seen(&self) -> Option<Range> {
        self.seen
    }

    /// The entries of a base cell, in order.
    ///
    /// # Errors
    /// [`EngineError::Storage`].
    pub fn entries(&self, quarter: Quarter) -> Result<Vec<B::Entry>, EngineError> {
        let stored = self.snapshot.get(B::keyspace(self.cells), base_key(self.org, quarter))?;
        let mut cell = stored_cell::<B>(quarter, stored.as_deref())?;
        for live in self.live.get(&quarter).into_iter().flatten() {
            cell.merge(live);
        }
        Ok(cell.into_entries())
    }
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
        let cells = B::live_mut(live).entry(org).or_default();
        for (quarter, entries) in by_quarter {
            // A reader may hold the cell: it keeps its own.
            Arc::make_mut(cells.entry(quarter).or_default()).extend(&entries);
        }
    }
}

/// The instants between the first cell and the last.
fn seen<B: Base>(
    snapshot: &Snapshot,
    cells: &Cells,
    org: OrgId,
    live: &BTreeMap<Quarter, Vec<Arc<Cell<B>>>>,
) -> Result<Option<Range>, EngineError> {
    let mut stored = snapshot.prefix(B::keyspace(cells), org.0.as_bytes());
    let first = stored.next().map(fjall::Guard::key).transpose()?;
    let last = stored.next_back().map(fjall::Guard::key).transpose()?;
    let stored = [first.as_deref().and_then(quarter_of), last.as_deref().and_then(quarter_of)];
    let live = [live.first_key_value(), live.last_key_value()].map(|end| end.map(|(quarter, _)| *quarter));
    let ends = || stored.into_iter().chain(live).flatten();
    Ok(ends().min().zip(ends().max()).map(|(first, last)| Range::new(first.start(), Quarter(last.0 + B::QUARTERS).start())))
}
