//! Kept cells: merged cells that are stored. They go when a base cell inside their slice changes.

use super::store::{Cells, Key};
use super::{Base, Slice};
use crate::error::EngineError;
use fjall::OwnedWriteBatch;
use roaring::RoaringBitmap;
use rollcall_model::OrgId;

/// Up to how many look-ups kept cells are looked for around what changed; beyond, all of them are gone over.
const MOST_LOOK_UPS: usize = 200;

impl Key {
    /// Whether some quarter hours lie in its slice.
    pub(super) fn meets(&self, quarters: &RoaringBitmap) -> bool {
        let Slice { start, .. } = self.slice;
        quarters.range_cardinality(start.max(0).cast_unsigned()..self.slice.end().max(0).cast_unsigned()) > 0
    }
}

impl Cells {
    /// Adds the removal of the kept cells of an organization whose slices meet some quarter hours. Nobody may keep others meanwhile.
    pub(super) fn forget_around<B: Base>(
        &self,
        org: OrgId,
        quarters: &RoaringBitmap,
        batch: &mut OwnedWriteBatch,
    ) -> Result<(), EngineError> {
        let lengths: Vec<i32> = self.lengths.lock().iter().copied().collect();
        let intervals = intervals(quarters, MOST_LOOK_UPS / lengths.len().max(1));
        for kind in B::KINDS {
            let of_kind = [org.0.as_bytes().as_slice(), &[*kind]].concat();
            if self.merged.prefix(&of_kind).next().is_none() {
                continue;
            }
            let Some(intervals) = &intervals else {
                for kept in self.merged.prefix(&of_kind) {
                    let key = kept.key()?;
                    if Key::read(&key).is_none_or(|key| key.meets(quarters)) {
                        batch.remove(&self.merged, key);
                    }
                }
                continue;
            };
            for (quarters, (first, last)) in lengths.iter().flat_map(|length| intervals.iter().map(move |interval| (*length, *interval))) {
                let key = |start: i32, selector| Key { org, kind: *kind, slice: Slice { start: start.max(0), quarters }, selector }.bytes();
                // Whatever they select.
                for kept in self.merged.range(key(first - quarters + 1, 0)..=key(last, u128::MAX)) {
                    batch.remove(&self.merged, kept.key()?);
                }
            }
        }
        Ok(())
    }

    /// Forgets the cells in the cache whose slices meet some quarter hours.
    pub(super) fn uncache<'q>(&self, quarters: impl Fn(&Key) -> Option<&'q RoaringBitmap>) {
        self.cache.retain(|key, _| quarters(key).is_none_or(|quarters| !key.meets(quarters)));
    }

    /// Forgets kept merged cells, by their keys in storage.
    pub(super) fn forget(&self, keys: &[Vec<u8>]) -> Result<(), EngineError> {
        let mut batch = self.db.batch();
        keys.iter().for_each(|key| batch.remove(&self.merged, key.as_slice()));
        self.changing(|| {
            self.cache.clear();
            Ok(batch.commit()?)
        })
    }

    /// Changes what cells are kept of, or the kept cells themselves, so that nobody keeps what was made before.
    pub(super) fn changing<T>(&self, change: impl FnOnce() -> Result<T, EngineError>) -> Result<T, EngineError> {
        {
            let mut state = self.state.write();
            state.generation += 1;
            state.changing += 1;
        }
        let changed = change();
        let mut state = self.state.write();
        state.generation += 1;
        state.changing -= 1;
        changed
    }
}

/// The intervals of neighbouring quarter hours, if they are few.
fn intervals(quarters: &RoaringBitmap, most: usize) -> Option<Vec<(i32, i32)>> {
    let mut intervals: Vec<(i32, i32)> = Vec::new();
    let mut iter = quarters.iter();
    while let Some(range) = iter.next_range() {
        if intervals.len() == most {
            return None;
        }
        intervals.push((range.start().cast_signed(), range.end().cast_signed()));
    }
    Some(intervals)
}
