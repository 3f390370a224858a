//! The keeper: one thread that moves facts from the ledger into the lake, and keeps the lake in order.
//!
//! What it does can wait, so it makes way: while facts are ingested it rests nine times as long as it worked, unless more facts wait
//! than `flush_facts`. After each flush it compacts what months are due, and once a day it vacuums.

use crate::cells::Cells;
use crate::clock::now;
use crate::error::EngineError;
use crate::lake::{Bin, Compacted, Vacuumed};
use crate::scan::FactStore;
use crate::settings::Settings;
use crate::threads::spawn;
use hashbrown::HashMap;
use parking_lot::{Condvar, Mutex, MutexGuard};
use rollcall_model::Millis;
use std::sync::Arc;
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

/// How much longer it rests than it works, while facts are ingested.
const REST: u32 = 9;

/// How long it waits from one vacuum to the next.
const VACUUM_EVERY: Duration = Duration::from_hours(24);

/// After how long it tries again what failed, other than a flush.
const TRY_AGAIN: Duration = Duration::from_hours(1);

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
    vacuum_days: u32,
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
            vacuum_days: settings.vacuum_days,
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

    /// Compacts every month as if it had not changed for long, and makes way for nobody.
    pub(crate) fn compact(&self) -> Result<Compacted, EngineError> {
        let mut done = Compacted::default();
        for bin in self.work.facts.pin().version.bins() {
            self.work.compact(&bin, Millis::MAX, || true, &mut done)?;
        }
        Ok(done)
    }

    /// Deletes what was not needed for long, as of an instant; with `dry_run` says what that is.
    pub(crate) fn vacuum(&self, now: Millis, dry_run: bool) -> Result<Vacuumed, EngineError> {
        self.work.vacuum(now, dry_run, || true)
    }

    /// Keeps everyone else from changing the lake, for as long as what it returns lives.
    pub(crate) fn hold(&self) -> Held<'_> {
        Held { work: &self.work, _alone: self.work.changing.lock() }
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

/// Whoever has it is alone in changing the lake.
#[derive(Debug)]
pub(crate) struct Held<'k> {
    work: &'k Work,
    _alone: MutexGuard<'k, ()>,
}

impl Held<'_> {
    /// Flushes everything acknowledged before.
    pub(crate) fn flush(&self) -> Result<u64, EngineError> {
        self.work.flush_alone(|| true)
    }

    /// Makes the lake's logs begin at the newest versions, once what is before is vacuumed.
    pub(crate) fn checkpoint_lake(&self) -> Result<(), EngineError> {
        self.work.facts.lake.checkpoint()
    }

    /// Deletes what nobody in this process needs, however short ago others needed it; with `dry_run` says what that is.
    pub(crate) fn vacuum(&self, dry_run: bool) -> Result<Vacuumed, EngineError> {
        self.work.facts.lake.vacuum(&self.work.facts.ledger, (now(), 0), dry_run, &mut || true)
    }
}

impl Work {
    fn run(&self, every: Duration) {
        let mut house = House::default();
        // What a crash left is flushed at once; the house can wait.
        let mut wait = Duration::ZERO;
        loop {
            let closing = self.rest(wait);
            let mut way = Way { work: self, begun: Instant::now(), waiting: self.facts.ledger.waiting() };
            if let Err(error) = self.flush(|| way.make(closing) || closing) {
                tracing::error!(%error, "facts could not be flushed into the lake; they stay in the ledger until the next attempt");
            }
            if closing {
                return;
            }
            if !wait.is_zero() {
                self.keep_house(&mut house, &mut way, every);
            }
            wait = every;
        }
    }

    /// Compacts and vacuums what is due, for as long as no flush is.
    fn keep_house(&self, house: &mut House, way: &mut Way<'_>, flush_every: Duration) {
        let begun = Instant::now();
        house.failed.retain(|_, at| at.elapsed() < TRY_AGAIN);
        for bin in self.facts.pin().version.bins() {
            if house.failed.contains_key(&bin) {
                continue;
            }
            let mut done = Compacted::default();
            if let Err(error) = self.compact(&bin, now(), || way.make(false), &mut done) {
                tracing::error!(%error, "files of {bin} could not be joined; they stay until an attempt in an hour");
                house.failed.insert(bin.clone(), Instant::now());
            }
            if done != Compacted::default() {
                tracing::debug!(?done, "files of {bin} were joined");
            }
            if begun.elapsed() >= flush_every || *self.closing.lock() {
                return;
            }
        }
        if house.vacuum.is_none_or(|at| at <= Instant::now()) {
            let done = self.vacuum(now(), false, || !*self.closing.lock());
            match &done {
                Ok(done) => tracing::debug!(?done, "files that the lake no longer needs were deleted"),
                Err(error) => {
                    tracing::error!(%error, "files that the lake no longer needs could not be deleted; they stay until the next attempt")
                }
            }
            house.vacuum = Some(Instant::now() + if done.is_ok() { VACUUM_EVERY } else { TRY_AGAIN });
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
        self.flush_alone(pause)
    }

    /// Flushes, for whoever changes the lake.
    fn flush_alone(&self, pause: impl FnMut() -> bool) -> Result<u64, EngineError> {
        // What the lake has, cells in storage must cover durably: facts there do not say which commit they came with.
        let covered = self.cells.checkpoint()?;
        self.facts.ledger.sync()?;
        let flushed = self.facts.lake.flush(&self.facts.ledger, covered, pause);
        self.facts.ledger.health.flushed(flushed.is_ok());
        flushed
    }

    /// Joins files of a month until it is in order or that is to end.
    fn compact(&self, bin: &Bin, now: Millis, mut pause: impl FnMut() -> bool, done: &mut Compacted) -> Result<(), EngineError> {
        loop {
            // Others have a turn between one commit and the next.
            let _alone = self.changing.lock();
            let Some(joined) = self.facts.lake.compact(bin, now, &mut pause)? else { return Ok(()) };
            *done += joined;
            if joined.files_after >= joined.files_before {
                return Ok(());
            }
        }
    }

    fn vacuum(&self, now: Millis, dry_run: bool, mut proceed: impl FnMut() -> bool) -> Result<Vacuumed, EngineError> {
        let _alone = self.changing.lock();
        self.facts.lake.vacuum(&self.facts.ledger, (now, self.vacuum_days), dry_run, &mut proceed)
    }
}

/// What the thread remembers about compaction and vacuum.
#[derive(Debug, Default)]
struct House {
    /// What could not be joined, and when that was.
    failed: HashMap<Bin, Instant>,
    /// When to vacuum next; none: now.
    vacuum: Option<Instant>,
}

/// How the thread makes way for facts that are ingested.
struct Way<'a> {
    work: &'a Work,
    /// When it last rested.
    begun: Instant,
    /// How many facts waited then.
    waiting: usize,
}

impl Way<'_> {
    /// Rests if facts were ingested since; false if the engine is closing.
    fn make(&mut self, closing: bool) -> bool {
        let waiting = self.work.facts.ledger.waiting();
        let mut closing = closing || *self.work.closing.lock();
        if !closing && waiting > self.waiting && self.waiting < self.work.most_waiting {
            closing = self.work.rest(self.begun.elapsed() * REST);
        }
        (self.begun, self.waiting) = (Instant::now(), self.work.facts.ledger.waiting());
        !closing
    }
}
