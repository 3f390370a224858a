//! Facts on their way from the ledger into the lake.
//!
//! Of each organization the facts that wait are read day by day and become sorted data files, one for each month where they are in memory
//! at once: so facts that came in no order, or many at a time, lie as they would after a compaction. Some organizations share one commit
//! of the table, with the position that it covers of each of them; then the ledger forgets their facts. A crash between these leaves files
//! that nobody refers to, or facts in both places: the table knows what it covers, so what it has is neither flushed again nor read from
//! the ledger.

use super::change::Change;
use super::files::{Month, month_of};
use super::write::{Effort, FileWriter};
use super::{DataFile, Lake, Version};
use crate::crash;
use crate::error::EngineError;
use crate::for_each_kind;
use crate::kinds::stored::{LedgerScan, Wanted};
use crate::kinds::words::Worded;
use crate::kinds::{BlockOf, Kind};
use crate::ledger::{Ledger, Waiter};
use fjall::Snapshot;
use rollcall_model::{Millis, OrgId, Range};

/// After how many facts organizations no longer share a commit of the table.
const COMMIT_FACTS: usize = 4_000_000;

/// After how many files they no longer do.
const COMMIT_FILES: usize = 1024;

/// How many facts are sorted at a time: what memory holds of a day. A day with more becomes several files.
const SORT_FACTS: usize = 500_000;

/// How many blocks are in memory before they become one: those of few facts take more room for their columns than for these.
const SORT_BLOCKS: usize = 1024;

/// From how many facts on an organization's files are compressed as if they were compacted: they hardly will be.
const LARGE_FACTS: usize = 100_000;

/// How many facts are turned from numbers into words at a time.
const BATCH_FACTS: usize = 8192;

/// What one commit of a table adds.
#[derive(Default)]
struct Load {
    added: Vec<DataFile>,
    /// Whose facts, and how many.
    of: Vec<(OrgId, usize)>,
    facts: usize,
}

/// A flush under way.
struct Flush<'a> {
    lake: &'a Lake,
    ledger: &'a Ledger,
    snapshot: Snapshot,
    version: Version,
    /// The last commit of the ledger that goes.
    upto: u64,
    pause: &'a mut dyn FnMut() -> bool,
}

impl Lake {
    /// Flushes the facts of those who wait, up to a position, which cells in storage must cover durably, and trims the ledger. `pause` is
    /// called now and then, and ends the flush early by answering false. Returns how many facts went.
    ///
    /// # Errors
    /// [`EngineError::Storage`]; what was not flushed is still in the ledger.
    pub(crate) fn flush(
        &self,
        ledger: &Ledger,
        upto: u64,
        waiters: &[Waiter],
        mut pause: impl FnMut() -> bool,
    ) -> Result<u64, EngineError> {
        self.settle(ledger)?;
        ledger.forget_commits(upto)?;
        let (version, snapshot) = self.pin(|| ledger.db().snapshot());
        let mut flush = Flush { lake: self, ledger, snapshot, version, upto, pause: &mut pause };
        let of_kind = |kind| waiters.iter().filter(move |(of, ..)| *of == kind).copied();
        let flushed = for_each_kind!(K => flush.kind::<BlockOf<K>>(of_kind(K::KIND))?);
        Ok(flushed.into_iter().sum::<usize>() as u64)
    }

    /// Learns whether commits of the tables that failed happened, and has the ledger forget what a crash or an error left in both places.
    ///
    /// # Errors
    /// [`EngineError::Storage`].
    pub(super) fn settle(&self, ledger: &Ledger) -> Result<(), EngineError> {
        for_each_kind!(K => self.settle_kind::<BlockOf<K>>(ledger)?);
        Ok(())
    }

    fn settle_kind<B: Worded>(&self, ledger: &Ledger) -> Result<(), EngineError> {
        let table = self.table(B::KIND);
        table.settle::<B>()?;
        let files = table.files();
        let Some(flushed) = &files.flushed else { return Ok(()) };
        if !table.is_trimmed(flushed.version) {
            let of: Vec<_> = flushed.of.iter().map(|org| (*org, 0)).collect();
            self.trim::<B>(ledger, &of, flushed.position)?;
        }
        Ok(())
    }

    fn trim<B: Worded>(&self, ledger: &Ledger, of: &[(OrgId, usize)], upto: u64) -> Result<(), EngineError> {
        let table = self.table(B::KIND);
        let Some(durable) = table.files().durable() else { return Ok(()) };
        ledger.trim(B::KIND, of, upto, durable)?;
        // The next commit of the table finds out what a crash leaves of this one alone.
        ledger.sync()?;
        table.trimmed(durable.version);
        Ok(())
    }
}

impl Flush<'_> {
    /// Flushes the facts of one kind, and says how many went.
    fn kind<B: Worded>(&mut self, waiters: impl Iterator<Item = Waiter>) -> Result<usize, EngineError> {
        let (mut flushed, mut load) = (0, Load::default());
        for (_, org, about) in waiters {
            let written = self.write::<B>(org, about, &mut load);
            if !matches!(written, Ok(true)) {
                self.lake.discard::<B>(&load.added);
                return written.map(|_| flushed);
            }
            if load.facts >= COMMIT_FACTS || load.added.len() >= COMMIT_FILES {
                flushed += self.commit::<B>(std::mem::take(&mut load))?;
            }
        }
        Ok(flushed + self.commit::<B>(load)?)
    }

    /// Commits files to their table, which from then on covers the ledger up to the position for these organizations, and trims it.
    fn commit<B: Worded>(&self, load: Load) -> Result<usize, EngineError> {
        let Load { added, of, facts } = load;
        if !added.is_empty() {
            let covers = Some((self.upto, of.iter().map(|(org, _)| *org).collect()));
            let change = Change { added, covers, facts_change: true, ..Change::default() };
            self.lake.table(B::KIND).commit::<B>(&change)?;
            crash::point("ledger-before-trim");
        }
        if !of.is_empty() {
            self.lake.trim::<B>(self.ledger, &of, self.upto)?;
            crash::point("ledger-trimmed");
        }
        Ok(facts)
    }

    /// What waits of an organization, day by day.
    fn scan<B: Worded>(&self, org: OrgId) -> LedgerScan<B> {
        let all = Wanted::times(Range::new(Millis::MIN, Millis::MAX));
        self.ledger.scan(self.snapshot.clone(), org, all, self.version.of(B::KIND).covers(org))
    }

    /// Whether an organization has so many facts that its files are large: of those that waited when the engine was opened nobody knows.
    fn has_many<B: Worded>(&self, org: OrgId) -> Result<bool, EngineError> {
        let mut facts = 0;
        for read in self.scan::<B>(org) {
            facts += read?.2.facts();
            if facts >= LARGE_FACTS {
                return Ok(true);
            }
        }
        Ok(false)
    }

    /// Writes the facts of an organization to files; false if that was ended early.
    fn write<B: Worded>(&mut self, org: OrgId, about: usize, load: &mut Load) -> Result<bool, EngineError> {
        let is_large = about >= LARGE_FACTS || self.has_many::<B>(org)?;
        let effort = if is_large { Effort::Compaction } else { Effort::Flush };
        let mut files = Files::<B>::new(self.lake, self.ledger, org, effort);
        for read in self.scan::<B>(org) {
            let (day, position, block) = read?;
            if position > self.upto {
                continue;
            }
            if !files.add(day, block, self.pause, &mut load.added)? {
                return Ok(false);
            }
        }
        let written = files.end(self.pause, &mut load.added)?;
        load.facts += files.facts;
        load.of.push((org, files.facts));
        Ok(written)
    }
}

/// The files that the facts of an organization become, as they come day by day.
struct Files<'a, B> {
    lake: &'a Lake,
    ledger: &'a Ledger,
    org: OrgId,
    effort: Effort,
    /// Facts of one day that are not sorted yet.
    blocks: Vec<B>,
    waiting: usize,
    day: u32,
    /// The file being written, its month, and the time of its last fact.
    file: Option<(FileWriter, Month, Millis)>,
    facts: usize,
}

impl<'a, B: Worded> Files<'a, B> {
    fn new(lake: &'a Lake, ledger: &'a Ledger, org: OrgId, effort: Effort) -> Self {
        Self { lake, ledger, org, effort, blocks: Vec::new(), waiting: 0, day: 0, file: None, facts: 0 }
    }

    /// Adds a block of a day, which is not before that of the last; false if `pause` says that this is to end.
    fn add(&mut self, day: u32, block: B, pause: &mut dyn FnMut() -> bool, added: &mut Vec<DataFile>) -> Result<bool, EngineError> {
        if (day != self.day || self.waiting >= SORT_FACTS) && !self.write(pause, added)? {
            return Ok(false);
        }
        self.day = day;
        self.waiting += block.facts();
        self.blocks.push(block);
        if self.blocks.len() >= SORT_BLOCKS {
            let joined = joined(&self.blocks);
            self.blocks.clear();
            self.blocks.push(joined);
        }
        Ok(true)
    }

    /// Writes the facts of the day.
    fn write(&mut self, pause: &mut dyn FnMut() -> bool, added: &mut Vec<DataFile>) -> Result<bool, EngineError> {
        let blocks = std::mem::take(&mut self.blocks);
        self.facts += std::mem::take(&mut self.waiting);
        let rows = sorted(&blocks);
        let (Some(first), Some(last)) = (rows.first().map(B::time), rows.last().map(B::time)) else { return Ok(true) };
        let month = month_of(first);
        if self.file.as_ref().is_some_and(|(file, of, end)| *of != month || *end >= first || file.is_full()) {
            self.finish(added)?;
        }
        let (file, _, end) = match &mut self.file {
            Some(file) => file,
            none => none.insert((FileWriter::new::<B>(self.effort)?, month, last)),
        };
        *end = last;
        for part in rows.chunks(BATCH_FACTS) {
            let block = B::from_rows(part.iter().copied());
            file.write(&block.to_words(self.ledger, self.org)?)?;
            if !pause() {
                return Ok(false);
            }
        }
        Ok(true)
    }

    /// Writes what is left.
    fn end(&mut self, pause: &mut dyn FnMut() -> bool, added: &mut Vec<DataFile>) -> Result<bool, EngineError> {
        let written = self.write(pause, added)?;
        if written {
            self.finish(added)?;
        }
        Ok(written)
    }

    /// Stores the file durably.
    fn finish(&mut self, added: &mut Vec<DataFile>) -> Result<(), EngineError> {
        if let Some((file, month, _)) = self.file.take() {
            added.push(file.finish(&self.lake.store, self.lake.table(B::KIND).name(), self.org, month)?);
        }
        Ok(())
    }
}

/// The facts of blocks, in the order of the lake.
fn sorted<B: Worded>(blocks: &[B]) -> Vec<B::Row<'_>> {
    let mut rows: Vec<B::Row<'_>> = blocks.iter().flat_map(B::each_row).collect();
    rows.sort_unstable_by(B::order);
    rows
}

/// One block of many.
fn joined<B: Worded>(blocks: &[B]) -> B {
    B::from_rows(sorted(blocks))
}
