//! One consistent state of an organization's cells: what a report reads.

use super::base::{around, order};
use super::cover::{Cut, QUARTERS_OF_DAY, Slice};
use super::store::{Cells, Key, Runs};
use super::stored::{StoredDay, broken, day_of_key, instants, read_list};
use super::{Base, Day, Keep, Merged, Run};
use crate::error::EngineError;
use crate::facts::Pinned;
use crate::kinds::stored::Wanted;
use crate::parallel::{self, processors};
use fjall::Readable;
use parking_lot::Mutex;
use rollcall_model::{Cancellation, OrgId, Quarter, Range};
use std::collections::VecDeque;
use std::sync::Arc;

/// Up to how many quarter hours a cell is made of base cells at once; a longer one is made of cells that are kept.
pub(super) const AT_ONCE: i32 = 2 * QUARTERS_OF_DAY;

impl Cells {
    /// One consistent state of the cells that lie in `range`: every fact folded so far.
    ///
    /// # Errors
    /// [`EngineError::Storage`].
    pub fn view<B: Base>(&self, org: OrgId, range: Range) -> Result<View<'_, B>, EngineError> {
        let state = self.state.read();
        let (generation, sealed, pinned) = (state.generation, state.sealed.clone(), self.facts.pin());
        let of_live = B::live(&state.live.of_bases).get(&org).map(|Runs { runs, fold }| (runs.clone(), *fold));
        drop(state);
        let (mut live, mut fold) = of_live.unwrap_or_default();
        if let Some(sealed) = sealed.filter(|sealed| B::live(&sealed.live.of_bases).contains_key(&org))
            && !self.has(&pinned.snapshot, &sealed)?
            && let Some(of_sealed) = B::live(&sealed.live.of_bases).get(&org)
        {
            live.extend(of_sealed.runs.iter().cloned());
            fold = fold.max(of_sealed.fold);
        }
        let quarters = Quarter::of(range.from).0..Quarter::of(range.to.max(range.from)).0 + 1;
        live.retain(|run| run.meets(quarters.clone()));
        let (spans, seen) = extents::<B>(&pinned, self, org, &live)?;
        Ok(View {
            cells: self,
            org,
            generation,
            fold,
            pinned,
            live,
            spans,
            seen,
            at_hand: Mutex::default(),
            cancellation: Cancellation::default(),
            is_cached: true,
        })
    }
}

/// How many parts of a slice are made before they are merged: they are in memory together meanwhile.
const PARTS_AT_ONCE: usize = 16;

/// A few days and their entries.
type Days<B> = VecDeque<(Day, Arc<Vec<<B as Base>::Entry>>)>;

/// One consistent state of an organization's cells.
pub struct View<'a, B: Base> {
    cells: &'a Cells,
    org: OrgId,
    generation: u64,
    /// The last fold of the organization's facts that are live.
    fold: u64,
    pinned: Pinned,
    live: Vec<Arc<Run<B>>>,
    /// The instants in which entries count, so that years without facts cost nothing.
    spans: Option<Range>,
    seen: Option<Range>,
    /// The entries of the last day that each processor asked for: the next slice often begins in it.
    at_hand: Mutex<Days<B>>,
    /// Looked at before each cell, so that a question that nobody waits for ends soon.
    cancellation: Cancellation,
    /// Whether small cells are cached.
    is_cached: bool,
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

    /// The same state, for who asks for cells that nobody asked for yet: small ones are not cached.
    #[must_use]
    pub fn for_later(self) -> Self {
        Self { is_cached: false, ..self }
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
        let Some(spans) = self.spans else { return Ok(()) };
        let cut = Cut::new(range.intersect(&spans));
        let edges: Vec<Range> = cut.edges.into_iter().flatten().collect();
        let of_edges = parallel::each(&edges, |edge| {
            self.check_cancellation()?;
            Ok(Arc::new(M::of(&B::edge(self, *edge)?, *edge)))
        })?;
        of_edges.iter().for_each(&mut add);
        cut.whole.map_or(Ok(()), |whole| self.each_part(whole, add))
    }

    /// Gives `add` the merged cells of the parts of a slice.
    fn each_part<M: Merged<Base = B>>(&self, slice: Slice, mut add: impl FnMut(&Arc<M>)) -> Result<(), EngineError> {
        let parts: Vec<Slice> = slice.parts().collect();
        for some in parts.chunks(PARTS_AT_ONCE) {
            for cell in parallel::each(some, |part| self.part(*part))? {
                self.check_cancellation()?;
                add(&cell);
            }
        }
        Ok(())
    }

    /// The merged cell of a slice, kept as one where it can be: for slices that are asked for again, as the days of a zone are.
    ///
    /// # Errors
    /// [`EngineError::Storage`], [`EngineError::Cancelled`].
    pub fn cell<M: Merged<Base = B>>(&self, slice: Slice) -> Result<Arc<M>, EngineError> {
        self.kept(slice, 0, || self.make(slice))
    }

    /// The merged cell of a part of what is asked for: stored if every zone may ask for it again, as for days of UTC.
    fn part<M: Merged<Base = B>>(&self, part: Slice) -> Result<Arc<M>, EngineError> {
        self.kept_as(part, 0, part.quarters >= QUARTERS_OF_DAY, || self.make(part))
    }

    /// The merged cell of a range that was asked for as one: kept in memory alone, since nobody knows whether it is asked for again.
    ///
    /// # Errors
    /// [`EngineError::Storage`].
    pub fn range_cell<M: Merged<Base = B>>(&self, slice: Slice) -> Result<Arc<M>, EngineError> {
        self.kept_as(slice, 0, false, || self.make(slice))
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

    /// The same, in memory alone.
    ///
    /// # Errors
    /// [`EngineError::Storage`], [`EngineError::Cancelled`], and those of `make`.
    pub fn kept_in_memory<K: Keep>(
        &self,
        slice: Slice,
        selector: u128,
        make: impl FnOnce() -> Result<K, EngineError>,
    ) -> Result<Arc<K>, EngineError> {
        self.kept_as(slice, selector, false, make)
    }

    /// The same, which is stored when it was made only if so asked.
    fn kept_as<K: Keep>(
        &self,
        slice: Slice,
        selector: u128,
        store: bool,
        make: impl FnOnce() -> Result<K, EngineError>,
    ) -> Result<Arc<K>, EngineError> {
        self.cancellation.take_cell()?;
        if self.spans.is_none_or(|spans| spans.intersect(&slice.range()).is_empty()) {
            return Ok(Arc::default());
        }
        // A cell with live entries is cached until the next fold.
        let is_live = self.is_live(slice);
        let fold = if is_live { self.fold } else { 0 };
        let key = Key { org: self.org, kind: K::KIND, slice, selector };
        let cached = self.cells.cache.get(&key).filter(|cached| cached.since <= self.generation && cached.fold == fold);
        if let Some(cell) = cached.and_then(|cached| cached.cell.downcast::<K>().ok()) {
            return Ok(cell);
        }
        let stored = if is_live { None } else { self.pinned.snapshot.get(&self.cells.merged, key.bytes())? };
        let cell = Arc::new(match &stored {
            Some(bytes) => K::decode(bytes).ok_or_else(|| broken("a merged cell"))?,
            None => make()?,
        });
        if let Err(error) = self.cells.keep(key, (self.generation, fold), &cell, (store && !is_live && stored.is_none(), self.is_cached)) {
            // The answer stands; whoever looks after the storage tells of it.
            tracing::debug!(%error, "a cell could not be kept");
        }
        Ok(cell)
    }

    /// Whether the merged cell of a slice could be kept now, and is not.
    ///
    /// # Errors
    /// [`EngineError::Storage`].
    pub fn lacks<M: Merged<Base = B>>(&self, slice: Slice) -> Result<bool, EngineError> {
        if self.spans.is_none_or(|spans| spans.intersect(&slice.range()).is_empty()) || self.is_live(slice) {
            return Ok(false);
        }
        let key = Key { org: self.org, kind: M::KIND, slice, selector: 0 };
        Ok(!self.pinned.snapshot.contains_key(&self.cells.merged, key.bytes())?)
    }

    /// The merged cell of a slice, made of base cells: of those that it could be made of none is kept.
    ///
    /// # Errors
    /// [`EngineError::Storage`], [`EngineError::Cancelled`].
    pub fn cell_alone<M: Merged<Base = B>>(&self, slice: Slice) -> Result<Arc<M>, EngineError> {
        self.kept(slice, 0, || {
            let (mut merged, parts) = (M::default(), slice.parts().collect::<Vec<Slice>>());
            for some in parts.chunks(PARTS_AT_ONCE) {
                parallel::each(some, |part| self.make::<M>(*part))?.iter().for_each(|part| merged.merge(part));
            }
            Ok(merged)
        })
    }

    /// What of a range may have entries, so that years without facts cost nothing.
    pub fn reach(&self, range: Range) -> Range {
        self.spans.map_or(Range::new(range.from, range.from), |spans| range.intersect(&spans))
    }

    /// The entries of a day, which count as a cell of the question's budget.
    pub(crate) fn entries_counted(&self, day: Day) -> Result<Arc<Vec<B::Entry>>, EngineError> {
        self.cancellation.take_cell()?;
        self.entries(day)
    }

    /// The merged cell of a slice, made of those of the slices that it consists of, which are kept too.
    ///
    /// # Errors
    /// [`EngineError::Storage`], [`EngineError::Cancelled`].
    pub fn cell_of<M: Merged<Base = B>>(&self, slice: Slice, parts: &[Slice]) -> Result<Arc<M>, EngineError> {
        let mut end = slice.start;
        let follows = |part: &Slice| part.start == std::mem::replace(&mut end, part.end());
        if !parts.iter().all(follows) || end != slice.end() {
            return self.cell(slice);
        }
        self.kept(slice, 0, || {
            let mut merged = M::default();
            for part in parts {
                merged.merge(&*self.cell::<M>(*part)?);
            }
            Ok(merged)
        })
    }

    /// Whether anything of the organization is live.
    pub fn is_any_live(&self) -> bool {
        !self.live.is_empty()
    }

    /// Whether live entries lie in a slice.
    fn is_live(&self, slice: Slice) -> bool {
        self.live.iter().any(|run| run.meets(slice.start..slice.end()))
    }

    /// Makes the merged cell of a slice: of base cells, or a long one of cells that are kept.
    fn make<M: Merged<Base = B>>(&self, slice: Slice) -> Result<M, EngineError> {
        let mut merged = M::default();
        if slice.quarters > AT_ONCE {
            self.each_part::<M>(slice, |part| merged.merge(part))?;
            return Ok(merged);
        }
        for day in Day::all(slice.range()) {
            let of_day = M::of(&self.entries(day)?, slice.range());
            merged.merge(&of_day);
        }
        Ok(merged)
    }

    /// Facts in storage, of which some may be wanted.
    pub(crate) fn facts(&self, wanted: Wanted) -> impl Iterator<Item = Result<B::Block, EngineError>> + use<B> {
        let cancellation = self.cancellation.clone();
        self.pinned.blocks(self.org, wanted).map(move |read| {
            if cancellation.is_cancelled() {
                return Err(EngineError::Cancelled);
            }
            Ok(read?.1)
        })
    }

    /// The instants of the quarter hours between the first that a fact is about and the last.
    pub const fn seen(&self) -> Option<Range> {
        self.seen
    }

    /// The entries of a day, in order.
    ///
    /// # Errors
    /// [`EngineError::Storage`].
    pub(super) fn entries(&self, day: Day) -> Result<Arc<Vec<B::Entry>>, EngineError> {
        if let Some((_, entries)) = self.at_hand.lock().iter().find(|(of, _)| *of == day) {
            return Ok(entries.clone());
        }
        let stored = StoredDay::new::<B>(self.cells, &self.pinned.snapshot, self.org, day);
        let mut entries = stored.readable::<B>(&stored.list()?)?;
        let in_storage = entries.len();
        self.live.iter().for_each(|run| entries.extend_from_slice(run.of_day(day)));
        if entries.len() > in_storage {
            order::<B>(&mut entries);
        }
        let entries = Arc::new(entries);
        let mut at_hand = self.at_hand.lock();
        // What comes after the day before takes its place; else the oldest goes.
        if let Some(before) = at_hand.iter().position(|(of, _)| of.0 + 1 == day.0) {
            at_hand.remove(before);
        } else if at_hand.len() >= processors() {
            at_hand.pop_front();
        }
        at_hand.push_back((day, entries.clone()));
        Ok(entries)
    }
}

/// The instants in which entries count, and those that they are about.
fn extents<B: Base>(
    pinned: &Pinned,
    cells: &Cells,
    org: OrgId,
    live: &[Arc<Run<B>>],
) -> Result<(Option<Range>, Option<Range>), EngineError> {
    let (mut span, mut about) = (None, None);
    for from_end in [false, true] {
        let mut lists = pinned.snapshot.prefix(&cells.stored::<B>().lists, org.0.as_bytes());
        // Nearly always the first that is looked at.
        while let Some(listed) = if from_end { lists.next_back() } else { lists.next() } {
            let (key, bytes) = listed.into_inner()?;
            let list = day_of_key(&key).and_then(|day| read_list(day, &bytes)).ok_or_else(|| broken("the list of a day's cells"))?;
            let of_list = list.iter().fold(None, |about, run| around(about, run.about));
            span = list.iter().fold(span, |span, run| around(span, Some(run.span)));
            about = around(about, of_list);
            if of_list.is_some() {
                break;
            }
        }
    }
    for run in live {
        let touched = run.touched.min().zip(run.touched.max());
        span = around(span, touched.map(|(first, last)| (first.cast_signed(), last.cast_signed())));
        about = around(about, run.about);
    }
    Ok((span.map(instants), about.map(instants)))
}
