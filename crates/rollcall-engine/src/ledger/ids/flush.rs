//! What is claimed goes into runs, and out of them what is erased.

use super::part::{PartKey, code_of};
use super::run::Run;
use super::{Ids, Record, stored_part};
use crate::crash;
use crate::error::EngineError;
use fjall::{Database, OwnedWriteBatch};
use rollcall_model::{FactId, FactKind, OrgId};

/// At how many claimed ids they are flushed, if memory allows: what a start has to read again.
const MOST_CLAIMED: usize = 2_000_000;

/// At how many pieces of claims they are flushed: a start reads each.
const MOST_PIECES: usize = 50_000;

/// How many times as many ids a flush takes up of older runs as it has new ones.
const JOINED: usize = 4;

/// How many ids a run that is taken up has at the most: it is in memory meanwhile.
const MOST_JOINED: usize = 2_000_000;

/// How many runs a part has before they are joined whatever their lengths.
pub(super) const MOST_RUNS: usize = 16;

/// How many bytes are written to storage at a time.
const BATCH_BYTES: usize = 4 << 20;

impl Ids {
    /// Whether so much is claimed that it is to be flushed once everything taken is committed.
    pub(crate) fn is_due(&self) -> bool {
        self.claimed >= MOST_CLAIMED.min(self.budget / 64) || self.pieces.len() >= MOST_PIECES
    }

    /// Moves everything claimed into runs. All that was taken is committed, and nothing is claimed since.
    ///
    /// Nothing waits for the disk: should a crash lose it, the claims are there.
    ///
    /// # Errors
    /// [`EngineError::Storage`].
    pub(crate) fn flush(&mut self) -> Result<(), EngineError> {
        if self.pieces.is_empty() {
            return Ok(());
        }
        let mut batch = Batch::new(self.ledger.db());
        let mut fresh = std::mem::take(&mut self.fresh);
        // Whose turn it is to join runs first, where not all can.
        if !fresh.is_empty() {
            let first = self.flushes as usize * 509 % fresh.len();
            fresh.rotate_left(first);
        }
        let mut room = self.claimed * JOINED;
        for key in fresh {
            let Some(part) = self.parts.get_mut(&key) else { continue };
            let stored = stored_part(&self.ledger, key);
            let mut records: Vec<Record> = std::mem::take(&mut part.claimed).into_iter().collect();
            records.sort_unstable_by_key(|record| record.id);
            if part.run_count >= MOST_RUNS {
                part.read(&stored)?;
            }
            // Runs that were forgotten are joined when there are many.
            while let Some(older) = part.runs.as_mut().and_then(|runs| older_to_join(runs, records.len(), room, part.run_count)) {
                room = room.saturating_sub(older.count);
                records = merged(&records, &stored.take(&older, &mut batch.batch)?);
            }
            let run = stored.write(self.position, &records, &mut batch.batch, &mut batch.bytes);
            part.run_count += 1;
            if let Some(runs) = &mut part.runs {
                runs.push(run);
                part.run_count = runs.len();
            }
            Self::measure(&mut self.size, part);
            batch.commit_if_large()?;
        }
        batch.commit()?;
        crash::point("ids-flushed");
        for key in self.pieces.drain(..) {
            batch.batch.remove(&self.ledger.claims, key);
        }
        batch.commit()?;
        self.claimed = 0;
        self.flushes += 1;
        self.forget();
        Ok(())
    }

    /// Removes ids of facts that are erased, so that such facts would be new. Not durable yet. Everything taken is committed. Returns how many
    /// there were.
    ///
    /// # Errors
    /// [`EngineError::Storage`].
    pub(crate) fn erase(&mut self, org: OrgId, kind: FactKind, ids: &[FactId]) -> Result<u64, EngineError> {
        self.flush()?;
        let mut going: Vec<((bool, u32), u64)> = ids.iter().map(|id| code_of(*id)).collect();
        going.sort_unstable();
        going.dedup();
        let mut batch = Batch::new(self.ledger.db());
        let mut erased = 0;
        for of_part in going.chunk_by(|(a, _), (b, _)| a == b) {
            let Some((code, _)) = of_part.first() else { continue };
            let key = PartKey::of_code(org, kind, *code);
            let stored = stored_part(&self.ledger, key);
            let ids: Vec<u64> = of_part.iter().map(|(_, id)| *id).collect();
            let mut runs = match self.parts.get_mut(&key).and_then(|part| part.runs.take()) {
                Some(runs) => runs,
                None => stored.runs()?,
            };
            for run in &mut runs {
                erased += stored.erase(run, &ids, &mut batch.batch, &mut batch.bytes)? as u64;
                batch.commit_if_large()?;
            }
            runs.retain(|run| run.count > 0);
            if let Some(part) = self.parts.get_mut(&key) {
                part.runs = Some(runs);
                Self::measure(&mut self.size, part);
            }
        }
        batch.commit()?;
        Ok(erased)
    }
}

/// The newest run, if it is to be joined to so many newer ids, and so many may still be rewritten. Where there were many, any is.
fn older_to_join(runs: &mut Vec<Run>, newer: usize, room: usize, there_were: usize) -> Option<Run> {
    let many = there_were >= MOST_RUNS;
    runs.pop_if(|older| older.count <= MOST_JOINED && (many || older.count <= newer * 2 && older.count <= room))
}

/// Ids in order, of two lists in order that have none in common.
fn merged(a: &[Record], b: &[Record]) -> Vec<Record> {
    let mut merged = Vec::with_capacity(a.len() + b.len());
    let (mut a, mut b) = (a.iter().copied().peekable(), b.iter().copied().peekable());
    loop {
        let next = match (a.peek(), b.peek()) {
            (Some(left), Some(right)) if left.id < right.id => a.next(),
            (_, Some(_)) => b.next(),
            _ => a.next(),
        };
        match next {
            Some(record) => merged.push(record),
            None => return merged,
        }
    }
}

/// What is written to storage bit by bit, each bit atomically.
struct Batch<'d> {
    db: &'d Database,
    batch: OwnedWriteBatch,
    bytes: usize,
}

impl<'d> Batch<'d> {
    fn new(db: &'d Database) -> Self {
        Self { db, batch: db.batch(), bytes: 0 }
    }

    fn commit_if_large(&mut self) -> Result<(), EngineError> {
        if self.bytes < BATCH_BYTES { Ok(()) } else { self.commit() }
    }

    fn commit(&mut self) -> Result<(), EngineError> {
        self.bytes = 0;
        Ok(std::mem::replace(&mut self.batch, self.db.batch()).commit()?)
    }
}
