//! Runs: ids of a part in order, cut into segments, each a value in storage. In memory is a filter, and where each segment begins.

use super::Record;
use super::filter::Filter;
use super::part::{KEY as PART, PartKey};
use super::segment::{self, Header, MOST_RECORDS};
use crate::error::EngineError;
use crate::ledger::broken;
use fjall::{Keyspace, OwnedWriteBatch};

/// Bytes of the key of a segment: part, position, first id.
const KEY: usize = PART + 16;

/// What is known of a run in memory.
#[derive(Debug)]
pub(super) struct Run {
    /// The position of the last commit whose ids it holds.
    position: u64,
    /// How many ids it has.
    pub(super) count: usize,
    filter: Filter,
    /// The first id of each segment, or one before it.
    firsts: Vec<u64>,
}

/// What the runs of a part are read from and written to.
pub(super) struct Stored<'s> {
    pub(super) keyspace: &'s Keyspace,
    pub(super) part: PartKey,
}

impl Run {
    /// About how many bytes it takes.
    pub(super) fn size(&self) -> usize {
        size_of::<Self>() + self.filter.size() + self.firsts.capacity() * 8
    }
}

impl Stored<'_> {
    fn key(&self, position: u64, first: u64) -> [u8; KEY] {
        let mut key = [0; KEY];
        key[..PART].copy_from_slice(&self.part.bytes());
        key[PART..PART + 8].copy_from_slice(&position.to_be_bytes());
        key[PART + 8..].copy_from_slice(&first.to_be_bytes());
        key
    }

    /// The runs of the part, oldest first.
    pub(super) fn runs(&self) -> Result<Vec<Run>, EngineError> {
        let (mut runs, mut records) = (Vec::<Run>::new(), Vec::new());
        for stored in self.keyspace.prefix(self.part.bytes()) {
            let (key, bytes) = stored.into_inner()?;
            let ((position, first), header) = (read_key(&key)?, Header::of(&bytes)?);
            if runs.last().is_none_or(|run| run.position != position) {
                runs.push(Run { position, count: 0, filter: Filter::new(header.of_run as usize), firsts: Vec::new() });
            }
            let Some(run) = runs.last_mut() else { continue };
            run.count += usize::from(header.count);
            run.firsts.push(first);
            records.clear();
            segment::unpack(&bytes, &mut records)?;
            records.iter().for_each(|record| run.filter.insert(record.id));
        }
        Ok(runs)
    }

    /// Up to which commit the runs of the part hold its ids.
    pub(super) fn newest(&self) -> Result<u64, EngineError> {
        let last = self.keyspace.prefix(self.part.bytes()).next_back();
        last.map_or(Ok(0), |last| Ok(read_key(&last.key()?)?.0))
    }

    /// Adds a run of these ids, which ascend, to the batch, and counts its bytes.
    pub(super) fn write(&self, position: u64, records: &[Record], batch: &mut OwnedWriteBatch, bytes: &mut usize) -> Run {
        let mut filter = Filter::new(records.len());
        records.iter().for_each(|record| filter.insert(record.id));
        let mut firsts = Vec::with_capacity(records.len().div_ceil(MOST_RECORDS));
        for of_segment in records.chunks(MOST_RECORDS) {
            let first = of_segment.first().map_or(0, |record| record.id);
            let packed = segment::pack(of_segment, records.len(), self.part.has_contents());
            *bytes += KEY + packed.len();
            firsts.push(first);
            batch.insert(self.keyspace, self.key(position, first), packed);
        }
        Run { position, count: records.len(), filter, firsts }
    }

    /// Reads a segment of a run.
    fn segment(&self, run: &Run, first: u64, records: &mut Vec<Record>) -> Result<(), EngineError> {
        let bytes = self.keyspace.get(self.key(run.position, first))?.ok_or_else(|| broken("an id"))?;
        segment::unpack(&bytes, records)
    }

    /// Takes a run out of storage: its ids, in order.
    pub(super) fn take(&self, run: &Run, batch: &mut OwnedWriteBatch) -> Result<Vec<Record>, EngineError> {
        let mut records = Vec::with_capacity(run.count);
        for first in &run.firsts {
            self.segment(run, *first, &mut records)?;
            batch.remove(self.keyspace, self.key(run.position, *first));
        }
        Ok(records)
    }

    /// The content of each of these ids, which ascend, if a run has it.
    pub(super) fn find(&self, runs: &[Run], ids: impl ExactSizeIterator<Item = u64> + Clone) -> Result<Vec<Option<u32>>, EngineError> {
        let mut found = vec![None; ids.len()];
        let mut records = Vec::new();
        for run in runs {
            let mut at = None;
            for (id, found) in ids.clone().zip(&mut found).filter(|(id, found)| found.is_none() && run.may_have(*id)) {
                let Some(segment) = run.segment_of(id) else { continue };
                if at.replace(segment) != Some(segment) {
                    records.clear();
                    self.segment(run, segment, &mut records)?;
                }
                *found = records.binary_search_by_key(&id, |record| record.id).ok().and_then(|at| Some(records.get(at)?.content));
            }
        }
        Ok(found)
    }

    /// Removes these ids, which ascend, from a run, and says how many it had.
    pub(super) fn erase(&self, run: &mut Run, ids: &[u64], batch: &mut OwnedWriteBatch, bytes: &mut usize) -> Result<usize, EngineError> {
        let going = ids.iter().filter(|id| run.may_have(**id)).filter_map(|id| Some((run.segment_of(*id)?, *id)));
        let going: Vec<(u64, u64)> = going.collect();
        let (mut records, before) = (Vec::new(), run.count);
        for of_segment in going.chunk_by(|(a, _), (b, _)| a == b) {
            let Some((first, _)) = of_segment.first().copied() else { continue };
            records.clear();
            self.segment(run, first, &mut records)?;
            let count = records.len();
            records.retain(|record| of_segment.binary_search(&(first, record.id)).is_err());
            let key = self.key(run.position, first);
            match records.len() {
                0 => {
                    batch.remove(self.keyspace, key);
                    run.firsts.retain(|other| *other != first);
                }
                left if left < count => {
                    let packed = segment::pack(&records, run.count, self.part.has_contents());
                    *bytes += KEY + packed.len();
                    batch.insert(self.keyspace, key, packed);
                }
                _ => {}
            }
            run.count -= count - records.len();
        }
        Ok(before - run.count)
    }
}

impl Run {
    /// Whether the run may have an id.
    pub(super) fn may_have(&self, id: u64) -> bool {
        self.filter.may_have(id)
    }

    /// What the segment begins with that an id would be in.
    fn segment_of(&self, id: u64) -> Option<u64> {
        let after = self.firsts.partition_point(|first| *first <= id);
        self.firsts.get(after.checked_sub(1)?).copied()
    }
}

/// The position and the first id in the key of a segment.
pub(super) fn read_key(key: &[u8]) -> Result<(u64, u64), EngineError> {
    let numbers = key.get(PART..).and_then(|rest| Some((rest.first_chunk()?, rest.get(8..)?.first_chunk()?)));
    numbers.map(|(position, first)| (u64::from_be_bytes(*position), u64::from_be_bytes(*first))).ok_or_else(|| broken("an id"))
}

/// How many ids a segment has.
pub(super) fn count(segment: &[u8]) -> Result<u64, EngineError> {
    Ok(Header::of(segment)?.count.into())
}
