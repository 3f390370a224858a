//! The keeper: one thread that moves facts from the ledger into the lake, and keeps the lake in order.
//!
//! What it does can wait, so it makes way: while facts are ingested it rests nine times as long as it worked, unless more facts wait
//! than `flush_facts`.

use crate::cells::Cells;
use crate::engine::spawn;
use crate::error::EngineError;
use crate::scan::FactStore;
use crate::settings::Settings;
use parking_lot::{Condvar, Mutex};
use std::sync::Arc;
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

/// How much longer it rests than it works, while facts are ingested.
const REST: u32 = 9;

/// The thread's handle.
#[derive(Debug)]
pub(crate) struct Keeper {
    work: Arc<Work>,
    thread: Option<JoinHandle<()>>,
}

/// What the thread and those who ask for a flush share.
#[derive(Debug)]
struct Work {
    facts: FactStore,
    cells: Arc<Cells>,
    most_waiting: usize,
    /// Held by whoever changes the lake.
    changing: Mutex<()>,
    closing: Mutex<bool>,
    wake: Condvar,
}

impl Keeper {
    /// Starts the thread.
    pub(crate) fn start(facts: FactStore, cells: Arc<Cells>, settings: &Settings) -> Result<Self, EngineError> {
        let work = Arc::new(Work {
            facts,
            cells,
            most_waiting: settings.flush_facts,
            changing: Mutex::default(),
            closing: Mutex::default(),
            wake: Condvar::new(),
        });
        let every = Duration::from_secs(settings.flush_seconds.into());
        let thread = if every.is_zero() {
            None
        } else {
            let work = work.clone();
            Some(spawn("keeper", move || work.run(every))?)
        };
        Ok(Self { work, thread })
    }

    /// Flushes everything acknowledged before, and makes way for nobody.
    pub(crate) fn flush(&self) -> Result<u64, EngineError> {
        self.work.flush(|| true)
    }

    /// Flushes a last time and ends the thread.
    pub(crate) fn close(&mut self) {
        *self.work.closing.lock() = true;
        self.work.wake.notify_all();
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

impl Work {
    fn run(&self, every: Duration) {
        // What a crash left is flushed at once.
        let mut wait = Duration::ZERO;
        loop {
            let closing = self.rest(wait);
            wait = every;
            let mut begun = Instant::now();
            let mut waiting = self.facts.ledger.waiting();
            let pause = || {
                let ingesting = self.facts.ledger.waiting() > waiting;
                if !closing && ingesting && waiting < self.most_waiting {
                    self.rest(begun.elapsed() * REST);
                }
                (begun, waiting) = (Instant::now(), self.facts.ledger.waiting());
                true
            };
            if let Err(error) = self.flush(pause) {
                tracing::error!(%error, "facts could not be flushed into the lake; they stay in the ledger until the next attempt");
            }
            if closing {
                return;
            }
        }
    }

    /// Waits, and says whether the engine is closing.
    fn rest(&self, time: Duration) -> bool {
        let mut closing = self.closing.lock();
        if !*closing {
            self.wake.wait_for(&mut closing, time);
        }
        *closing
    }

    fn flush(&self, pause: impl FnMut() -> bool) -> Result<u64, EngineError> {
        let _alone = self.changing.lock();
        // What the lake has, cells in storage must cover durably: facts there do not say which commit they came with.
        let covered = self.cells.checkpoint()?;
        self.facts.ledger.sync()?;
        self.facts.lake.flush(&self.facts.ledger, covered, pause)
    }
}
