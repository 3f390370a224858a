//! Every fact, wherever it lies: in the lake, or still in the ledger.

use crate::error::EngineError;
use crate::kinds::stored::{LedgerScan, Wanted};
use crate::kinds::words::Worded;
use crate::lake::{Lake, LakeScan, Version};
use crate::ledger::Ledger;
use fjall::Snapshot;
use parking_lot::Mutex;
use rollcall_model::{Cancellation, OrgId};
use std::sync::Arc;
use std::time::{Duration, Instant};

/// How often it is looked whether readers are gone.
const LOOK_AT_READERS: Duration = Duration::from_millis(5);

/// How long readers are waited for before exports among them are ended: one that its client takes slowly keeps nobody waiting.
const PATIENCE: Duration = if cfg!(test) { Duration::from_millis(200) } else { Duration::from_secs(60) };

/// The ledger and the lake behind it.
#[derive(Debug, Clone)]
pub struct FactStore {
    /// Holds what the lake does not have yet.
    pub(crate) ledger: Arc<Ledger>,
    /// Holds everything else.
    pub(crate) lake: Arc<Lake>,
    /// Readers that started since the last wait for readers hold a clone of this. Cancelled, it asks those that can to end.
    readers: Arc<Mutex<Arc<Cancellation>>>,
}

impl FactStore {
    /// The facts of a ledger and the lake behind it.
    pub(crate) fn new(ledger: Arc<Ledger>, lake: Arc<Lake>) -> Self {
        Self { ledger, lake, readers: Arc::default() }
    }

    /// Returns once everyone is gone who pinned a state before; after a while exports are ended. Whoever has pinned one waits for ever. Answers
    /// that are kept are given no more.
    pub(crate) fn wait_for_readers(&self) {
        self.ledger.changes.of_all();
        let before = std::mem::take(&mut *self.readers.lock());
        let mut begun = Instant::now();
        while Arc::strong_count(&before) > 1 {
            std::thread::sleep(LOOK_AT_READERS);
            if begun.elapsed() > PATIENCE {
                let readers = Arc::strong_count(&before) - 1;
                tracing::info!(readers, "waiting for reports that read facts that were erased; exports that do are ended");
                before.cancel();
                begun = Instant::now();
            }
        }
    }

    /// One consistent state. The ledger forgets facts only after the lake's next version is shown, and none is shown while the snapshot
    /// is taken: so what the version does not have, the snapshot has.
    pub(crate) fn pin(&self) -> Pinned {
        let reader = self.readers.lock().clone();
        let (version, snapshot) = self.lake.pin(|| self.ledger.db().snapshot());
        Pinned { store: self.clone(), snapshot, version, reader }
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
    reader: Arc<Cancellation>,
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
        Blocks {
            ledger: self.in_ledger(org, wanted),
            lake: self.store.lake.scan(&self.version, org, wanted),
            store: self.store.clone(),
            org,
            waiting: None,
            _reader: self.reader.clone(),
        }
    }

    /// Cancelled when those who erase facts wait for whoever has this state, and cannot wait much longer.
    pub(crate) fn revoked(&self) -> Cancellation {
        (*self.reader).clone()
    }

    /// Those of them that the lake does not have.
    pub(crate) fn in_ledger<B: Worded>(&self, org: OrgId, wanted: Wanted) -> LedgerScan<B> {
        self.store.ledger.scan(self.snapshot.clone(), org, wanted, self.version.of(B::KIND).covers(org))
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
    _reader: Arc<Cancellation>,
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
