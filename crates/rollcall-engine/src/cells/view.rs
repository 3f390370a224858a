//! One consistent state of an organization's cells: what a report reads.

use super::cover::{Cut, Slice, align};
use super::store::{Cells, Key, base_key, broken, quarter_of, stored_cell, stored_entries};
use super::{Base, Cell, Keep, Merged};
use crate::error::EngineError;
use crate::ledger::Wanted;
use crate::scan::Pinned;
use fjall::Readable;
use rollcall_model::{Cancellation, OrgId, Quarter, Range};
use std::collections::BTreeMap;
use std::sync::Arc;

impl Cells {
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
        let (generation, pinned) = (state.generation, self.facts.pin());
        drop(state);
        let seen = seen::<B>(&pinned, self, org, &live)?;
        Ok(View { cells: self, org, generation, pinned, live, seen, cancellation: Cancellation::default() })
    }
}

/// One consistent state of an organization's cells.
pub struct View<'a, B: Base> {
    cells: &'a Cells,
    org: OrgId,
    generation: u64,
    pinned: Pinned,
    live: BTreeMap<Quarter, Vec<Arc<Cell<B>>>>,
    /// The quarter hours between the first cell and the last, so that years without facts cost nothing.
    seen: Option<Range>,
    /// Looked at before each cell, so that a question that nobody waits for ends soon.
    cancellation: Cancellation,
}

impl<B: Base> std::fmt::Debug for View<'_, B> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("View").field("org", &self.org).field("seen", &self.seen).finish_non_exhaustive()
    }
}

impl<B: Base> View<'_, B> {
    /// The same state, which gives no more cells once `cancellation` is cancelled.
    #[must_use]
    pub fn until(self, cancellation: &Cancellation) -> Self {
        Self { cancellation: cancellation.clone(), ..self }
    }

    /// Whether somebody still waits for the answer; for work that asks for no cell.
    ///
    /// # Errors
    /// [`EngineError::Cancelled`].
    pub fn check_cancellation(&self) -> Result<(), EngineError> {
        if self.cancellation.is_cancelled() { Err(EngineError::Cancelled) } else { Ok(()) }
    }

    /// Gives `add` merged cells that together hold exactly what lies in `range`: the ragged edges built on the spot,
    /// the rest from the fewest slices.
    ///
    /// # Errors
    /// [`EngineError::Storage`], [`EngineError::Cancelled`].
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
    /// [`EngineError::Storage`], [`EngineError::Cancelled`].
    pub fn cell<M: Merged<Base = B>>(&self, slice: Slice) -> Result<Arc<M>, EngineError> {
        self.merged(slice, slice.is_of_calendar())
    }

    /// The merged cell of a range that was asked for as one: kept in memory alone, since nobody knows whether it is asked for again.
    ///
    /// # Errors
    /// [`EngineError::Storage`].
    pub fn range_cell<M: Merged<Base = B>>(&self, slice: Slice) -> Result<Arc<M>, EngineError> {
        self.merged(slice, false)
    }

    fn merged<M: Merged<Base = B>>(&self, slice: Slice, store: bool) -> Result<Arc<M>, EngineError> {
        self.kept_as(slice, 0, store, || {
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
    /// [`EngineError::Storage`], [`EngineError::Cancelled`], and those of `make`.
    pub fn kept<K: Keep>(
        &self,
        slice: Slice,
        selector: u128,
        make: impl FnOnce() -> Result<K, EngineError>,
    ) -> Result<Arc<K>, EngineError> {
        self.kept_as(slice, selector, slice.is_of_calendar(), make)
    }

    /// The same, which is stored when it was made only if so asked.
    fn kept_as<K: Keep>(
        &self,
        slice: Slice,
        selector: u128,
        store: bool,
        make: impl FnOnce() -> Result<K, EngineError>,
    ) -> Result<Arc<K>, EngineError> {
        self.check_cancellation()?;
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
        let stored = self.pinned.snapshot.get(&self.cells.merged, key.bytes())?;
        let cell = Arc::new(match &stored {
            Some(bytes) => K::decode(bytes).ok_or_else(|| broken("a merged cell"))?,
            None => make()?,
        });
        if let Err(error) = self.cells.keep(key, self.generation, &cell, store && stored.is_none()) {
            // The answer stands; whoever looks after the storage tells of it.
            tracing::debug!(%error, "a cell could not be kept");
        }
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
        let entries = stored_entries::<B>(self.cells, &self.pinned.snapshot, self.org, slice)?.ok_or_else(|| broken("a cell"))?;
        Ok(M::of(&entries))
    }

    /// Facts in storage, of which some may be wanted.
    pub(super) fn facts(&self, wanted: Wanted) -> impl Iterator<Item = Result<B::Block, EngineError>> + use<B> {
        let cancellation = self.cancellation.clone();
        self.pinned.blocks(self.org, wanted).map(move |read| {
            if cancellation.is_cancelled() {
                return Err(EngineError::Cancelled);
            }
            Ok(read?.1)
        })
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
        let stored = self.pinned.snapshot.get(B::keyspace(self.cells), base_key(self.org, quarter))?;
        let mut cell = stored_cell::<B>(quarter, stored.as_deref())?;
        for live in self.live.get(&quarter).into_iter().flatten() {
            cell.merge(live);
        }
        Ok(cell.into_entries())
    }
}

/// The instants between the first cell and the last.
fn seen<B: Base>(
    pinned: &Pinned,
    cells: &Cells,
    org: OrgId,
    live: &BTreeMap<Quarter, Vec<Arc<Cell<B>>>>,
) -> Result<Option<Range>, EngineError> {
    let mut stored = pinned.snapshot.prefix(B::keyspace(cells), org.0.as_bytes());
    let first = stored.next().map(fjall::Guard::key).transpose()?;
    let last = stored.next_back().map(fjall::Guard::key).transpose()?;
    let stored = [first.as_deref().and_then(quarter_of), last.as_deref().and_then(quarter_of)];
    let live = [live.first_key_value(), live.last_key_value()].map(|end| end.map(|(quarter, _)| *quarter));
    let ends = || stored.into_iter().chain(live).flatten();
    Ok(ends().min().zip(ends().max()).map(|(first, last)| Range::new(first.start(), Quarter(last.0 + B::QUARTERS).start())))
}
