//! Checkpoints: live cells move into storage, with the ledger position they cover, in one atomic batch.

use super::catch_up::Mark;
use super::store::{Cells, Key, LENGTHS, Live, base_key, length_bytes, stored_cell};
use super::{Base, Location, Presence, Sessions, Slice, Uses};
use crate::error::EngineError;
use crate::ledger::CELLS_POSITION;
use fjall::OwnedWriteBatch;
use rollcall_model::{OrgId, Quarter};
use std::collections::BTreeSet;
use std::sync::Arc;

impl Cells {
    /// Up to where cells in storage cover the ledger.
    ///
    /// # Errors
    /// [`EngineError::Storage`].
    pub(super) fn stored_position(&self) -> Result<Mark, EngineError> {
        Mark::read(self.meta.get(CELLS_POSITION)?.as_ref())
    }

    /// The position of the last commit that cells in storage cover whole; 0 before any.
    pub fn covered(&self) -> u64 {
        self.state.read().covered.position
    }

    /// Whether so much is live that it is to be checkpointed.
    pub fn is_due(&self) -> bool {
        self.has_live(1)
    }

    /// Whether so much is live that nothing more may be folded before a checkpoint.
    pub(crate) fn is_overdue(&self) -> bool {
        self.has_live(3)
    }

    fn has_live(&self, times: usize) -> bool {
        let Live { added, entries, .. } = self.state.read().live;
        added >= self.checkpoint_facts * times || entries >= self.checkpoint_entries * times as u64
    }

    /// Moves live cells into storage and returns the position now covered.
    ///
    /// Nothing waits for the disk: should the batch be lost in a crash, the ledger still has its facts.
    ///
    /// # Errors
    /// [`EngineError::Storage`]; the facts then stay live.
    pub fn checkpoint(&self) -> Result<u64, EngineError> {
        let _one_at_a_time = self.checkpointing.lock();
        let (sealed, position) = {
            let mut state = self.state.write();
            if state.position == state.covered {
                return Ok(state.covered.position);
            }
            let sealed = match state.sealed.take() {
                // An earlier checkpoint failed: its cells and those since go together.
                Some(failed) => Arc::new(joined(&failed, std::mem::take(&mut state.live))),
                None => Arc::new(std::mem::take(&mut state.live)),
            };
            state.sealed = Some(sealed.clone());
            (sealed, state.position)
        };
        let mut batch = self.db.batch();
        self.store::<Sessions>(&sealed, &mut batch)?;
        self.store::<Presence>(&sealed, &mut batch)?;
        self.store::<Location>(&sealed, &mut batch)?;
        self.store::<Uses>(&sealed, &mut batch)?;
        batch.insert(&self.meta, CELLS_POSITION, position.bytes());
        // From here on nobody may keep a merged cell made from the base cells of before.
        let mut state = self.state.write();
        self.forget_kept::<Sessions>(&sealed, &mut batch)?;
        self.forget_kept::<Presence>(&sealed, &mut batch)?;
        self.forget_kept::<Location>(&sealed, &mut batch)?;
        self.forget_kept::<Uses>(&sealed, &mut batch)?;
        batch.commit()?;
        self.cache.retain(|key, _| {
            let meetings = changed::<Sessions>(&sealed, key);
            !(meetings || changed::<Presence>(&sealed, key) || changed::<Location>(&sealed, key) || changed::<Uses>(&sealed, key))
        });
        state.sealed = None;
        state.generation += 1;
        state.covered = position;
        Ok(position.position)
    }

    /// Forgets the kept cells in storage whose slices are not of a calendar, and their lengths, at a start: such were stored before only
    /// slices of calendars were, and each length slows every checkpoint down.
    pub(super) fn forget_other_lengths(&self) -> Result<(), EngineError> {
        let mut lengths = self.lengths.lock();
        let is_of_calendar = |quarters: i32| Slice { start: 0, quarters }.is_of_calendar();
        if lengths.iter().all(|quarters| is_of_calendar(*quarters)) {
            return Ok(());
        }
        let mut batch = self.db.batch();
        for kept in self.merged.iter() {
            let key = kept.key()?;
            if Key::read(&key).is_some_and(|key| !key.slice.is_of_calendar()) {
                batch.remove(&self.merged, key);
            }
        }
        let left: BTreeSet<i32> = lengths.iter().copied().filter(|quarters| is_of_calendar(*quarters)).collect();
        tracing::info!(
            lengths = lengths.len() - left.len(),
            cells = batch.len(),
            "kept cells of ranges that were asked for once were removed"
        );
        batch.insert(&self.meta, LENGTHS, length_bytes(&left));
        batch.commit()?;
        *lengths = left;
        Ok(())
    }

    /// Adds the sealed cells of one kind, merged with those in storage, to the batch.
    fn store<B: Base>(&self, sealed: &Live, batch: &mut OwnedWriteBatch) -> Result<(), EngineError> {
        for (org, cells) in B::live(sealed) {
            for (quarter, live) in cells {
                let key = base_key(*org, *quarter);
                let mut cell = stored_cell::<B>(*quarter, B::keyspace(self).get(key)?.as_deref())?;
                cell.merge(live);
                batch.insert(B::keyspace(self), key, B::encode(*quarter, &cell.into_entries()));
            }
        }
        Ok(())
    }

    /// Removes the kept merged cells whose slices meet the sealed cells of one kind.
    fn forget_kept<B: Base>(&self, sealed: &Live, batch: &mut OwnedWriteBatch) -> Result<(), EngineError> {
        for (org, cells) in B::live(sealed) {
            self.forget_around::<B>(*org, cells.keys().copied(), batch)?;
        }
        Ok(())
    }

    /// Removes the kept merged cells whose slices meet base cells of one kind, which ascend.
    fn forget_around<B: Base>(
        &self,
        org: OrgId,
        cells: impl Iterator<Item = Quarter>,
        batch: &mut OwnedWriteBatch,
    ) -> Result<(), EngineError> {
        for (first, last) in runs(cells, B::QUARTERS) {
            for (quarters, kind) in self.lengths.lock().iter().flat_map(|quarters| B::KINDS.iter().map(move |kind| (*quarters, *kind))) {
                let key = |start: i32, selector| Key { org, kind, slice: Slice { start: start.max(0), quarters }, selector }.bytes();
                // Whatever they select.
                for kept in self.merged.range(key(first.0 - quarters + 1, 0)..=key(last.0, u128::MAX)) {
                    batch.remove(&self.merged, kept.key()?);
                }
            }
        }
        Ok(())
    }

    /// Replaces stored base cells, which ascend, by these bytes, or by none, and forgets the kept merged cells around them: all at once.
    /// Nobody checkpoints meanwhile.
    pub(super) fn replace<B: Base>(&self, org: OrgId, cells: Vec<(Quarter, Option<Vec<u8>>)>) -> Result<(), EngineError> {
        let mut batch = self.db.batch();
        let quarters: BTreeSet<Quarter> = cells.iter().map(|(quarter, _)| *quarter).collect();
        for (quarter, bytes) in cells {
            match bytes {
                Some(bytes) => batch.insert(B::keyspace(self), base_key(org, quarter), bytes),
                None => batch.remove(B::keyspace(self), base_key(org, quarter)),
            }
        }
        // From here on nobody may keep a merged cell made from the base cells of before.
        let mut state = self.state.write();
        self.forget_around::<B>(org, quarters.iter().copied(), &mut batch)?;
        batch.commit()?;
        self.cache.retain(|key, _| {
            let slice = Quarter(key.slice.start)..Quarter(key.slice.end());
            !(key.org == org && B::KINDS.contains(&key.kind) && quarters.range(slice).next().is_some())
        });
        state.generation += 1;
        Ok(())
    }

    /// Forgets kept merged cells, by their keys in storage.
    pub(super) fn forget(&self, keys: &[Vec<u8>]) -> Result<(), EngineError> {
        let mut batch = self.db.batch();
        for key in keys {
            batch.remove(&self.merged, key.as_slice());
        }
        let mut state = self.state.write();
        batch.commit()?;
        self.cache.clear();
        state.generation += 1;
        Ok(())
    }
}

/// Whether a sealed cell of one kind lies in the slice of a kept merged cell.
fn changed<B: Base>(sealed: &Live, key: &Key) -> bool {
    let slice = Quarter(key.slice.start)..Quarter(key.slice.end());
    B::KINDS.contains(&key.kind) && B::live(sealed).get(&key.org).is_some_and(|cells| cells.range(slice).next().is_some())
}

/// Runs of cells of so many quarter hours that follow one another: the first and the last of each.
fn runs(cells: impl Iterator<Item = Quarter>, quarters: i32) -> Vec<(Quarter, Quarter)> {
    let mut runs: Vec<(Quarter, Quarter)> = Vec::new();
    for cell in cells {
        match runs.last_mut() {
            Some((_, last)) if last.0 + quarters == cell.0 => *last = cell,
            _ => runs.push((cell, cell)),
        }
    }
    runs
}

fn joined(first: &Live, second: Live) -> Live {
    fn join<B: Base>(first: &Live, second: &mut Live) {
        for (org, cells) in B::live(first) {
            let of_org = B::live_mut(second).entry(*org).or_default();
            for (quarter, cell) in cells {
                Arc::make_mut(of_org.entry(*quarter).or_default()).merge(cell);
            }
        }
    }
    let mut joined = second;
    joined.added += first.added;
    joined.entries += first.entries;
    join::<Sessions>(first, &mut joined);
    join::<Presence>(first, &mut joined);
    join::<Location>(first, &mut joined);
    join::<Uses>(first, &mut joined);
    joined
}
