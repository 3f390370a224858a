//! Checkpoints: live runs move into storage, with the ledger position they cover, in one atomic batch.
//!
//! The live runs are *sealed* first, under the state's lock, and the generation counted up. From then on nobody can keep a cell around them:
//! who began before is of another generation, and who begins later sees the sealed runs in its slice. So the kept cells around them can be
//! looked up, and the batch be written, while readers come and go. A reader takes the state and a snapshot of storage at once; the snapshot
//! says whether it has what is sealed.

use super::base::order;
use super::bases::for_each_base;
use super::catch_up::Mark;
use super::store::{Cells, Live, Sealed};
use super::stored::{StoredDay, next_number};
use super::{Base, Day};
use crate::error::EngineError;
use crate::ledger::CELLS_POSITION;
use fjall::{OwnedWriteBatch, Readable, Snapshot};
use hashbrown::HashMap;
use roaring::RoaringBitmap;
use rollcall_model::OrgId;
use std::collections::BTreeSet;
use std::sync::Arc;

/// Up to how many entries the last run of a day is merged with a new one at once: as many as are written about as fast as others.
const SMALL: usize = 256;

/// The quarter hours that sealed runs of each organization change.
type Changed = HashMap<OrgId, RoaringBitmap>;

impl Cells {
    /// Up to where cells in storage cover the ledger.
    ///
    /// # Errors
    /// [`EngineError::Storage`].
    pub(super) fn stored_position(&self) -> Result<Mark, EngineError> {
        Mark::read(self.meta.get(CELLS_POSITION)?.as_ref())
    }

    /// Whether a snapshot has what was sealed.
    pub(super) fn has(&self, snapshot: &Snapshot, sealed: &Sealed) -> Result<bool, EngineError> {
        Ok(Mark::read(snapshot.get(&self.meta, CELLS_POSITION)?.as_ref())? == sealed.upto)
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

    /// Whether nothing is live.
    pub(crate) fn is_quiet(&self) -> bool {
        let state = self.state.read();
        state.position == state.covered
    }

    fn has_live(&self, times: usize) -> bool {
        let Live { added, entries, .. } = self.state.read().live;
        added >= self.checkpoint_facts * times || entries >= self.checkpoint_entries * times as u64
    }

    /// Moves live runs into storage and returns the position now covered.
    ///
    /// Nothing waits for the disk: should the batch be lost in a crash, the ledger still has its facts.
    ///
    /// # Errors
    /// [`EngineError::Storage`]; the facts then stay live.
    pub fn checkpoint(&self) -> Result<u64, EngineError> {
        let _one_at_a_time = self.checkpointing.lock();
        let Some(sealed) = self.seal() else { return Ok(self.covered()) };
        let snapshot = self.db.snapshot();
        let mut batch = self.db.batch();
        let changed = for_each_base!(B => (B::KINDS, self.store::<B>(&sealed.live, &snapshot, &mut batch)?));
        batch.insert(&self.meta, CELLS_POSITION, sealed.upto.bytes());
        self.uncache(|key| changed.iter().find(|(kinds, _)| kinds.contains(&key.kind))?.1.get(&key.org));
        batch.commit()?;
        let mut state = self.state.write();
        state.sealed = None;
        state.covered = sealed.upto;
        Ok(sealed.upto.position)
    }

    /// Seals the live runs, and lets new ones begin; readers see both. None if all is checkpointed.
    fn seal(&self) -> Option<Arc<Sealed>> {
        let mut state = self.state.write();
        if state.position == state.covered {
            return None;
        }
        let mut live = std::mem::take(&mut state.live);
        if let Some(failed) = state.sealed.take() {
            // An earlier checkpoint failed: its runs and those since go together.
            live.add(&failed.live);
        }
        let sealed = Arc::new(Sealed { live, upto: state.position });
        state.sealed = Some(sealed.clone());
        state.generation += 1;
        Some(sealed)
    }

    /// Adds the sealed runs of one kind to the batch, and the removal of the kept cells around them. Returns what they change.
    fn store<B: Base>(&self, sealed: &Live, snapshot: &Snapshot, batch: &mut OwnedWriteBatch) -> Result<Changed, EngineError> {
        let mut changed = Changed::new();
        for (org, live) in B::live(&sealed.of_bases) {
            // Day by day: the runs are never in memory twice.
            let days: BTreeSet<Day> = live.runs.iter().flat_map(|run| run.days()).collect();
            for day in days {
                let mut of_day = live.runs.iter().map(|run| run.of_day(day)).collect::<Vec<_>>().concat();
                order::<B>(&mut of_day);
                self.add_run::<B>(snapshot, (*org, day), &of_day, batch)?;
            }
            let touched = live.runs.iter().fold(RoaringBitmap::new(), |touched, run| touched | &run.touched);
            self.forget_around::<B>(*org, &touched, batch)?;
            changed.insert(*org, touched);
        }
        Ok(changed)
    }

    /// Adds a run to a day.
    fn add_run<B: Base>(
        &self,
        snapshot: &Snapshot,
        (org, day): (OrgId, Day),
        entries: &[B::Entry],
        batch: &mut OwnedWriteBatch,
    ) -> Result<(), EngineError> {
        let stored = StoredDay::new::<B>(self, snapshot, org, day);
        let mut list = stored.list()?;
        let number = next_number(&list);
        match list.pop_if(|last| last.entries + entries.len() <= SMALL) {
            Some(last) => {
                let mut together = stored.readable::<B>(&[last])?;
                together.extend_from_slice(entries);
                order::<B>(&mut together);
                stored.add::<B>(&mut list, number, &together, batch);
                stored.remove(&[last], batch);
            }
            None => stored.add::<B>(&mut list, number, entries, batch),
        }
        stored.write(&list, batch);
        self.owe::<B>(org, day, &list);
        Ok(())
    }

    /// Replaces the stored base cell of a day by these entries, which are in order, and forgets the kept merged cells around it: all at
    /// once. Nobody checkpoints meanwhile.
    pub(super) fn replace<B: Base>(&self, org: OrgId, day: Day, entries: &[B::Entry]) -> Result<(), EngineError> {
        self.changing(|| {
            let snapshot = self.db.snapshot();
            let mut batch = self.db.batch();
            StoredDay::new::<B>(self, &snapshot, org, day).replace::<B>(entries, &mut batch)?;
            let mut quarters = RoaringBitmap::new();
            let (first, end) = (day.range().from, day.range().to);
            let quarter = |at| rollcall_model::Quarter::of(at).0.cast_unsigned();
            quarters.insert_range(quarter(first)..quarter(end));
            self.forget_around::<B>(org, &quarters, &mut batch)?;
            self.uncache(|key| (key.org == org && B::KINDS.contains(&key.kind)).then_some(&quarters));
            Ok(batch.commit()?)
        })
    }
}

impl Live {
    /// Adds others, of before.
    fn add(&mut self, before: &Self) {
        fn add<B: Base>(live: &mut Live, before: &Live) {
            for (org, runs) in B::live(&before.of_bases) {
                let of_org = B::live_mut(&mut live.of_bases).entry(*org).or_default();
                of_org.runs.extend(runs.runs.iter().cloned());
                of_org.fold = of_org.fold.max(runs.fold);
            }
        }
        self.added += before.added;
        self.entries += before.entries;
        for_each_base!(B => add::<B>(self, before));
    }
}
