//! Compaction: many small files of an organization's month become few large ones, with the same facts.
//!
//! # What is joined, and when
//! A *large* file has two million facts or 32 MiB; joined files are cut at 64 MiB, so nearly every file of an old month is large. What of a
//! month is joined next:
//! 1. **Tiers.** A file of 8ⁿ to 8ⁿ⁺¹ facts is of the tier n. Eight files of a tier become one of a higher tier. So a fact that came
//!    in a flush of its own is written at most seven times more until it is in a large file, and a month has at most seven small files
//!    of each of seven tiers.
//! 2. **Rest.** When a month has not changed for a day, what small files it has become one; without those that are more than eight times
//!    as large as all the smaller ones, so that a late fact now and then does not cost the month each time.
//! 3. **Overlap.** Large files are left alone, unless the month has not changed for a day and eight of them cover one instant: facts came
//!    in no order. These are merged into files that follow one another in time, so that a report's edge reads one of them.
//!
//! What is joined is one commit that changes no facts and covers no more of the ledger. Readers of a version before read their files to
//! the end: files are deleted much later, by [`super::vacuum`].

use super::change::Change;
use super::files::{DataFile, Month};
use super::merge::Merge;
use super::write::{Effort, FileWriter, TARGET_BYTES};
use super::{Lake, Version};
use crate::crash;
use crate::error::EngineError;
use crate::kinds::BlockOf;
use crate::kinds::words::Worded;
use crate::match_kind;
use rollcall_model::calendar::DAY_MILLIS;
use rollcall_model::{FactKind, Millis, OrgId};
use serde::{Deserialize, Serialize};
use std::sync::Arc;

/// How many files of a tier become one, and how much more facts each tier has than the one below.
const FAN: usize = 8;

/// The tier from which on files are large: of two million facts.
const LARGE_TIER: u32 = 7;

/// A file of so many bytes is large, however few its facts.
const LARGE_BYTES: u64 = TARGET_BYTES as u64 / 2;

/// How many files are joined at a time: each has a batch of each of its columns, some megabytes, in memory.
const MOST_FILES: usize = 32;

/// How many facts are joined at a time, if fewer files than [`FAN`] do not have more: nothing is flushed meanwhile.
const MOST_FACTS: u64 = 8_000_000;

/// How long a month is unchanged before the rest of its files is joined.
const REST: Millis = DAY_MILLIS;

/// After how many batches others are made way for.
const PAUSE_BATCHES: usize = 8;

/// The files of a kind, an organization and a month.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct Bin {
    pub(crate) kind: FactKind,
    pub(crate) org: OrgId,
    pub(crate) month: Month,
}

impl std::fmt::Display for Bin {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "the {:?}s of {} in {}", self.kind, self.org, self.month)
    }
}

/// What compaction did.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Compacted {
    /// How many facts were written again.
    pub facts: u64,
    /// How many files were joined.
    pub files_before: u64,
    /// How many files they became.
    pub files_after: u64,
    /// How many bytes the joined files had.
    pub bytes_before: u64,
    /// How many bytes those have that they became.
    pub bytes_after: u64,
}

impl std::ops::AddAssign for Compacted {
    fn add_assign(&mut self, other: Self) {
        self.facts += other.facts;
        self.files_before += other.files_before;
        self.files_after += other.files_after;
        self.bytes_before += other.bytes_before;
        self.bytes_after += other.bytes_after;
    }
}

impl Version {
    /// Every kind, organization and month that has files.
    pub(crate) fn bins(&self) -> Vec<Bin> {
        let of_kind = |kind| self.of(kind).months().map(move |(org, month)| Bin { kind, org, month: month.clone() });
        FactKind::ALL.iter().copied().flat_map(of_kind).collect()
    }
}

/// Which of a month's files are joined next; none if it is in order.
pub(super) fn due(files: &[Arc<DataFile>], now: Millis) -> Vec<Arc<DataFile>> {
    let (large, mut small): (Vec<_>, Vec<_>) = files.iter().cloned().partition(|file| is_large(file));
    for of_tier in (0..LARGE_TIER).map(|tier| small.iter().filter(move |file| tier_of(file) == tier)) {
        if of_tier.clone().count() >= FAN {
            let facts = of_tier.clone().scan(0, |sum, file| {
                *sum += file.facts;
                Some(*sum)
            });
            let few = facts.take_while(|facts| *facts <= MOST_FACTS).count();
            return of_tier.take(few.clamp(FAN, MOST_FILES)).cloned().collect();
        }
    }
    let rests = files.iter().all(|file| file.written.saturating_add(REST) <= now);
    if !rests {
        return Vec::new();
    }
    small.sort_by_key(|file| file.facts);
    small.truncate(MOST_FILES);
    while let Some((largest, others)) = small.split_last() {
        if !others.is_empty() && largest.facts <= FAN as u64 * others.iter().map(|file| file.facts).sum::<u64>() {
            return small;
        }
        small.pop();
    }
    overlapping(&large)
}

fn is_large(file: &DataFile) -> bool {
    tier_of(file) >= LARGE_TIER || file.size >= LARGE_BYTES
}

fn tier_of(file: &DataFile) -> u32 {
    file.facts.max(1).ilog(FAN as u64)
}

/// The files that cover the instant that most cover; none if these are few. Files that only meet do not overlap, nor do those of a single
/// instant: merging cannot part them.
fn overlapping(files: &[Arc<DataFile>]) -> Vec<Arc<DataFile>> {
    let covers = |file: &DataFile, at: Millis| file.times.from <= at && at < file.times.to - 1;
    let at = |at: Millis| files.iter().filter(move |file| covers(file, at));
    let deepest = files.iter().map(|file| file.times.from).max_by_key(|from| at(*from).count());
    let found: Vec<_> = deepest.map(|deepest| at(deepest).take(FAN).cloned().collect()).unwrap_or_default();
    if found.len() >= FAN { found } else { Vec::new() }
}

impl Lake {
    /// Joins what is due of a month, as of an instant; none if it is in order. Only whoever may change the lake calls this. `pause` is
    /// called now and then, and ends the work without a change by answering false.
    ///
    /// # Errors
    /// [`EngineError::Storage`]; the files are as they were.
    pub(crate) fn compact(&self, bin: &Bin, now: Millis, pause: impl FnMut() -> bool) -> Result<Option<Compacted>, EngineError> {
        match_kind!(bin.kind, K => self.compact_kind::<BlockOf<K>>(bin, now, pause))
    }

    fn compact_kind<B: Worded>(&self, bin: &Bin, now: Millis, pause: impl FnMut() -> bool) -> Result<Option<Compacted>, EngineError> {
        self.table(B::KIND).settle::<B>()?;
        let version = self.table(B::KIND).files();
        let removed = due(version.of_month(bin.org, &bin.month), now);
        if removed.is_empty() {
            return Ok(None);
        }
        let mut added = Vec::new();
        let written = self.join::<B>(&removed, &mut added, pause).and_then(|finished| {
            let (before, after) = (count(removed.iter().map(|file| &**file)), count(&added));
            if finished && before.0 != after.0 {
                return Err(EngineError::Storage(format!("{bin}: {} facts became {} when files were joined", before.0, after.0)));
            }
            Ok(finished)
        });
        if !matches!(written, Ok(true)) {
            self.discard::<B>(&added);
            return written.map(|_| None);
        }
        let change = Change { added, removed, ..Change::default() };
        self.table(B::KIND).commit::<B>(&change)?;
        crash::point("compacted");
        let (before, after) = (count(change.removed.iter().map(|file| &**file)), count(&change.added));
        Ok(Some(Compacted {
            facts: before.0,
            files_before: change.removed.len() as u64,
            files_after: change.added.len() as u64,
            bytes_before: before.1,
            bytes_after: after.1,
        }))
    }

    /// Removes files that no commit of their table has. What is left behind, vacuum finds.
    pub(super) fn discard<B: Worded>(&self, files: &[DataFile]) {
        for file in files {
            let _ = self.store.remove(&format!("{}/{}", self.table(B::KIND).name(), file.name));
        }
    }

    /// Writes the facts of files to new ones; false if that was ended early.
    fn join<B: Worded>(
        &self,
        files: &[Arc<DataFile>],
        added: &mut Vec<DataFile>,
        mut pause: impl FnMut() -> bool,
    ) -> Result<bool, EngineError> {
        let Some(first) = files.first() else { return Ok(true) };
        let table = self.table(B::KIND).name();
        let mut merge = Merge::open::<B>(&self.store, table, files)?;
        let mut writer: Option<FileWriter> = None;
        let mut batches = 0usize;
        while let Some(batch) = merge.next_batch()? {
            let mut current = match writer.take() {
                Some(writer) => writer,
                None => FileWriter::new::<B>(Effort::Compaction)?,
            };
            current.write(&batch)?;
            if current.is_full() {
                added.push(current.finish(&self.store, table, first.org, first.month.clone())?);
            } else {
                writer = Some(current);
            }
            batches += 1;
            if batches.is_multiple_of(PAUSE_BATCHES) && !pause() {
                return Ok(false);
            }
        }
        if let Some(writer) = writer {
            added.push(writer.finish(&self.store, table, first.org, first.month.clone())?);
        }
        Ok(true)
    }
}

/// How many facts and bytes files have.
fn count<'f>(files: impl IntoIterator<Item = &'f DataFile>) -> (u64, u64) {
    files.into_iter().fold((0, 0), |sum, file| (sum.0 + file.facts, sum.1 + file.size))
}
