//! Kept cells: merged cells that are stored. They go when a base cell inside their slice changes, and when they take too much room.

use super::store::{Cells, Key};
use super::{Base, Slice};
use crate::error::EngineError;
use fjall::OwnedWriteBatch;
use parking_lot::Mutex;
use roaring::RoaringBitmap;
use rollcall_model::OrgId;
use std::sync::atomic::{AtomicU64, Ordering};

/// Up to how many look-ups kept cells are looked for around what changed; beyond, all of them are gone over.
const MOST_LOOK_UPS: usize = 200;

/// How many kept cells are removed in one batch.
const REMOVED_AT_ONCE: usize = 1_000;

/// How much room kept cells take.
#[derive(Debug)]
pub(super) struct KeptBytes {
    /// See [`crate::Settings::kept_bytes`].
    most: u64,
    /// How many bytes there are, or fewer: what was removed since they were counted is not known.
    count: AtomicU64,
    /// Where to go on removing.
    next: Mutex<Vec<u8>>,
}

impl KeptBytes {
    pub(super) const fn new(most: u64) -> Self {
        // What a process of before kept is to be counted.
        Self { most, count: AtomicU64::new(u64::MAX / 2), next: Mutex::new(Vec::new()) }
    }

    pub(super) fn add(&self, bytes: usize) {
        self.count.fetch_add(bytes as u64 + KEY_BYTES, Ordering::Relaxed);
    }

    fn is_too_much(&self) -> bool {
        self.most > 0 && self.count.load(Ordering::Relaxed) > self.most
    }
}

/// How long the key of a kept cell is.
const KEY_BYTES: u64 = 41;

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

    /// Removes kept cells until seven eighths of the room for them are left, those that are cached last, for as long as `proceed` says.
    /// Whoever asks for one makes it again.
    ///
    /// # Errors
    /// [`EngineError::Storage`].
    pub fn evict(&self, proceed: impl Fn() -> bool) -> Result<(), EngineError> {
        if !self.kept.is_too_much() {
            return Ok(());
        }
        let mut count = 0;
        for stored in self.merged.iter() {
            count += stored.into_inner()?.1.len() as u64 + KEY_BYTES;
        }
        let wanted = if count > self.kept.most { self.kept.most - self.kept.most / 8 } else { self.kept.most };
        let mut next = self.kept.next.lock();
        // Each round goes from where the last ended to the end, or from the beginning.
        for spares in [true, true, false, false] {
            if count > wanted {
                count -= self.evict_from(&mut next, spares, count - wanted, &proceed)?;
            }
        }
        self.kept.count.store(count, Ordering::Relaxed);
        Ok(())
    }

    /// Removes kept cells from a key on until so many bytes are removed, and returns how many were; `next` is where to go on.
    fn evict_from(&self, next: &mut Vec<u8>, spares: bool, bytes: u64, proceed: &impl Fn() -> bool) -> Result<u64, EngineError> {
        let (mut removed, mut batch) = (0, self.db.batch());
        let from = std::mem::take(next);
        for stored in self.merged.range(from..) {
            let (key, value) = stored.into_inner()?;
            if removed >= bytes || !proceed() {
                *next = key.to_vec();
                break;
            }
            if spares && Key::read(&key).is_some_and(|key| self.cache.peek(&key).is_some()) {
                continue;
            }
            removed += value.len() as u64 + KEY_BYTES;
            batch.remove(&self.merged, key);
            if batch.len() == REMOVED_AT_ONCE {
                std::mem::replace(&mut batch, self.db.batch()).commit()?;
            }
        }
        batch.commit()?;
        Ok(removed)
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
