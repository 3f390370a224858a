//! Every fact, wherever it lies: in the lake, or still in the ledger.

use crate::error::EngineError;
use crate::lake::{Lake, LakeScan, Version};
use crate::ledger::{Ledger, LedgerScan, Wanted};
use crate::words::Worded;
use fjall::Snapshot;
use rollcall_model::OrgId;
use std::sync::Arc;

/// The ledger and the lake behind it.
#[derive(Debug, Clone)]
pub struct FactStore {
    /// Holds what the lake does not have yet.
    pub(crate) ledger: Arc<Ledger>,
    /// Holds everything else.
    pub(crate) lake: Arc<Lake>,
}

impl FactStore {
    /// One consistent state. The ledger forgets facts only after the lake's next version is shown, and none is shown while the snapshot
    /// is taken: so what the version does not have, the snapshot has.
    pub(crate) fn pin(&self) -> Pinned {
        let (version, snapshot) = self.lake.pin(|| self.ledger.db().snapshot());
        Pinned { store: self.clone(), snapshot, version }
    }
}

/// One consistent state of every fact, and of what else the ledger's database holds.
#[derive(Clone)]
pub(crate) struct Pinned {
    store: FactStore,
    /// The ledger's database.
    pub(crate) snapshot: Snapshot,
    /// The lake's tables.
    pub(crate) version: Version,
}

impl std::fmt::Debug for Pinned {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Pinned").field("version", &self.version).finish_non_exhaustive()
    }
}

impl Pinned {
    /// The facts of an organization that are wanted, as blocks each of one UTC day; days ascend. With each comes the position of its
    /// commit; 0 if it is in the lake, which holds nothing that cells in storage do not cover.
    pub(crate) fn blocks<B: Worded>(&self, org: OrgId, wanted: Wanted) -> Blocks<B> {
        let flushed = self.version.of(B::KIND).position;
        Blocks {
            ledger: self.store.ledger.scan(self.snapshot.clone(), org, wanted, flushed),
            lake: self.store.lake.scan(&self.version, org, wanted),
            store: self.store.clone(),
            org,
            waiting: None,
        }
    }
}

/// See [`Pinned::blocks`].
pub(crate) struct Blocks<B> {
    store: FactStore,
    org: OrgId,
    lake: LakeScan<B>,
    ledger: LedgerScan<B>,
    /// The ledger's next block, with its day.
    waiting: Option<(u32, u64, B)>,
}

impl<B: Worded> Blocks<B> {
    fn advance(&mut self) -> Result<Option<(u64, B)>, EngineError> {
        if self.waiting.is_none() {
            self.waiting = self.ledger.next().transpose()?;
        }
        let of_ledger = self.waiting.as_ref().map(|(day, ..)| *day);
        let of_lake = self.lake.next_day()?;
        match (of_lake, of_ledger) {
            (Some(day), next) if next.is_none_or(|next| day <= next) => {
                let words = self.lake.next_words()?;
                words.map(|words| Ok((0, B::of_words(&words, &self.store.ledger, self.org)?))).transpose()
            }
            _ => Ok(self.waiting.take().map(|(_, position, block)| (position, block))),
        }
    }
}

impl<B: Worded> Iterator for Blocks<B> {
    type Item = Result<(u64, B), EngineError>;

    fn next(&mut self) -> Option<Self::Item> {
        self.advance().transpose()
    }
}
