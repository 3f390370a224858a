//! Checkpoints: live cells move into storage, with the ledger position they cover, in one atomic batch.

use super::Sessions;
use super::store::{Cells, Key, Live, base_key, broken};
use super::{MeetingTotals, Merged, UserTotals};
use crate::engine::EngineError;
use fjall::{OwnedWriteBatch, Slice as Bytes};
use rollcall_model::{OrgId, Quarter};
use std::sync::Arc;

/// Where the position of the last checkpoint is stored.
const POSITION: &str = "cells-position";

/// Every kind of merged cell.
const KINDS: [u8; 2] = [MeetingTotals::KIND, UserTotals::KIND];

impl Cells {
    /// The position of the last commit that cells in storage cover; 0 before any.
    ///
    /// # Errors
    /// [`EngineError::Storage`].
    pub(super) fn stored_position(&self) -> Result<u64, EngineError> {
        let stored = self.meta.get(POSITION)?;
        Ok(stored.and_then(|bytes| Some(u64::from_be_bytes(bytes.as_ref().try_into().ok()?))).unwrap_or(0))
    }

    /// The position of the last commit that cells in storage cover.
    pub fn covered(&self) -> u64 {
        self.state.read().covered
    }

    /// How many attendees were folded since the last checkpoint.
    pub fn added(&self) -> usize {
        self.state.read().live.added
    }

    /// Moves live cells into storage and returns the position now covered. `also` adds to the batch what must change with it.
    ///
    /// Nothing waits for the disk: should the batch be lost in a crash, the ledger still has its facts.
    ///
    /// # Errors
    /// [`EngineError::Storage`]; the facts then stay live.
    pub fn checkpoint(&self, also: impl FnOnce(&mut OwnedWriteBatch, u64) -> Result<(), EngineError>) -> Result<u64, EngineError> {
        let _one_at_a_time = self.checkpointing.lock();
        let (sealed, position) = {
            let mut state = self.state.write();
            if state.position == state.covered {
                return Ok(state.covered);
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
        for (org, cells) in &sealed.cells {
            for (quarter, live) in cells {
                let key = base_key(*org, *quarter);
                let mut cell = match self.base.get(key)? {
                    Some(bytes) => Sessions::decode(*quarter, &bytes).ok_or_else(|| broken("a cell"))?,
                    None => Sessions::default(),
                };
                cell.merge(live);
                batch.insert(&self.base, key, Sessions::encode(*quarter, &cell.into_attendees()));
            }
        }
        batch.insert(&self.meta, POSITION, position.to_be_bytes());
        also(&mut batch, position)?;
        // From here on nobody may keep a merged cell made from the base cells of before.
        let mut state = self.state.write();
        for (org, cells) in &sealed.cells {
            for run in runs(cells.keys().copied()) {
                for key in self.kept_around(*org, run)? {
                    batch.remove(&self.merged, key);
                }
            }
        }
        batch.commit()?;
        let changed = |key: &Key| {
            let cells = sealed.cells.get(&key.org);
            cells.is_some_and(|cells| cells.range(Quarter(key.slice.start)..Quarter(key.slice.end())).next().is_some())
        };
        self.cache.retain(|key, _| !changed(key));
        state.sealed = None;
        state.generation += 1;
        state.covered = position;
        Ok(position)
    }

    /// The keys of kept merged cells whose slice meets a run of quarter hours.
    fn kept_around(&self, org: OrgId, (first, last): (Quarter, Quarter)) -> Result<Vec<Bytes>, EngineError> {
        let mut keys = Vec::new();
        for quarters in self.lengths.lock().iter() {
            for kind in KINDS {
                let key = |start: i32| {
                    let slice = super::Slice { start: start.max(0), quarters: *quarters };
                    super::store::Key { org, kind, slice }.bytes()
                };
                for kept in self.merged.range(key(first.0 - quarters + 1)..=key(last.0)) {
                    keys.push(kept.key()?);
                }
            }
        }
        Ok(keys)
    }
}

/// Runs of quarter hours that follow one another.
fn runs(quarters: impl Iterator<Item = Quarter>) -> Vec<(Quarter, Quarter)> {
    let mut runs: Vec<(Quarter, Quarter)> = Vec::new();
    for quarter in quarters {
        match runs.last_mut() {
            Some((_, last)) if last.0 + 1 == quarter.0 => *last = quarter,
            _ => runs.push((quarter, quarter)),
        }
    }
    runs
}

fn joined(first: &Live, second: Live) -> Live {
    let mut joined = second;
    joined.added += first.added;
    for (org, cells) in &first.cells {
        let of_org = joined.cells.entry(*org).or_default();
        for (quarter, cell) in cells {
            Arc::make_mut(of_org.entry(*quarter).or_default()).merge(cell);
        }
    }
    joined
}
