//! Facts on their way from the ledger into the lake.
//!
//! Commits of the ledger go in their order, some hundred thousand facts at a time: data files, then one commit for each table with the
//! position that it covers, then the ledger forgets them. A crash between these leaves files that nobody refers to, or facts in both
//! places: a table knows its position, so what it has is neither flushed again nor read from the ledger.

use super::files::month_of;
use super::table::Change;
use super::write::{Effort, FileWriter};
use super::{DataFile, Lake};
use crate::crash;
use crate::error::EngineError;
use crate::ledger::Ledger;
use crate::ledger::columns::{AssistanceBlock, AttendanceBlock, Commit};
use crate::words::Worded;
use rollcall_model::OrgId;
use std::collections::BTreeMap;

/// How many facts go at a time: what one commit of a table adds, and what memory must hold.
const FLUSH_FACTS: usize = 500_000;

/// How many facts are turned from numbers into words at a time.
const BATCH_FACTS: usize = 8192;

/// Commits of the ledger, gathered for one commit of each table.
#[derive(Default)]
struct Load {
    attendance: Vec<(OrgId, AttendanceBlock)>,
    assistance: Vec<(OrgId, AssistanceBlock)>,
    facts: usize,
    last: u64,
}

impl Load {
    /// Adds what the tables do not have yet.
    fn add(&mut self, position: u64, commit: Commit, lake: &Lake) {
        self.facts += commit.facts();
        self.last = position;
        if position > lake.attendance.files().position {
            self.attendance.extend(commit.attendance);
        }
        if position > lake.assistance.files().position {
            self.assistance.extend(commit.assistance);
        }
    }
}

impl Lake {
    /// Flushes every commit of the ledger up to a position, which cells in storage must cover durably, and trims the ledger. `pause` is
    /// called after each part, and ends the flush early by answering false. Returns how many facts went.
    ///
    /// # Errors
    /// [`EngineError::Storage`]; what was not flushed is still in the ledger.
    pub(crate) fn flush(&self, ledger: &Ledger, upto: u64, mut pause: impl FnMut() -> bool) -> Result<u64, EngineError> {
        self.attendance.settle::<AttendanceBlock>()?;
        self.assistance.settle::<AssistanceBlock>()?;
        let mut flushed = 0;
        let mut load = Load::default();
        for read in ledger.commits(0, upto) {
            let (position, commit) = read?;
            load.add(position, commit, self);
            if load.facts >= FLUSH_FACTS {
                flushed += self.store(ledger, std::mem::take(&mut load))?;
                if !pause() {
                    return Ok(flushed);
                }
            }
        }
        if load.facts > 0 {
            flushed += self.store(ledger, load)?;
        }
        Ok(flushed)
    }

    fn store(&self, ledger: &Ledger, load: Load) -> Result<u64, EngineError> {
        let Load { attendance, assistance, facts, last } = load;
        self.append(ledger, attendance, last)?;
        self.append(ledger, assistance, last)?;
        crash::point("ledger-before-trim");
        ledger.trim(last, facts, |kind| self.table(kind).files().durable())?;
        crash::point("ledger-trimmed");
        Ok(facts as u64)
    }

    /// Adds blocks to their table, which from then on covers the ledger up to a position.
    fn append<B: Worded>(&self, ledger: &Ledger, blocks: Vec<(OrgId, B)>, position: u64) -> Result<(), EngineError> {
        if blocks.is_empty() {
            return Ok(());
        }
        let mut by_month: BTreeMap<_, Vec<B>> = BTreeMap::new();
        for (org, block) in blocks {
            // A block is of one day.
            by_month.entry((org, month_of(block.extent().from))).or_default().push(block);
        }
        let table = self.table(B::KIND);
        let mut added: Vec<DataFile> = Vec::with_capacity(by_month.len());
        for ((org, month), blocks) in by_month {
            let mut rows: Vec<B::Row<'_>> = blocks.iter().flat_map(B::each_row).collect();
            rows.sort_unstable_by(B::order);
            let mut writer = FileWriter::new::<B>(Effort::Flush)?;
            for part in rows.chunks(BATCH_FACTS) {
                let block = B::from_rows(&part.iter().collect::<Vec<_>>())?;
                writer.write(&block.to_words(ledger, org)?)?;
            }
            added.push(writer.finish(&self.store, table.name(), org, month)?);
        }
        table.commit::<B>(&Change { added, position: Some(position), facts_change: true, ..Change::default() })?;
        Ok(())
    }
}
