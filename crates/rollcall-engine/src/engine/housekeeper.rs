//! The keeper: one thread that moves facts from the ledger into the lake, and keeps the lake in order.
//!
//! What it does can wait, so it makes way: while facts are ingested it rests nine times as long as it worked, unless more facts wait
//! than `flush_facts`, or something was due for half an hour.
//!
//! After each flush the house has a turn, as long as from one flush to the next: every hour it vacuums, then it compacts, month by month
//! from where the last turn ended. So each month is looked at before any is again, and none waits for others that are always due.
//!
//! Between flushes it looks every few seconds what the ledger can give back ([`Shrink`]).
//!
//! When the engine closes, work under way ends at the next step; what waits for the lake stays in the ledger.

use crate::cells::Cells;
use crate::clock::now;
use crate::error::EngineError;
use crate::facts::FactStore;
use crate::lake::{Bin, Compacted, Traces, Vacuumed};
use crate::ledger::{Ledger, Waiter, Waiting};
use crate::settings::Settings;
use crate::threads::spawn;
use hashbrown::HashMap;
use parking_lot::{Condvar, Mutex, MutexGuard};
use rollcall_model::{Millis, OrgId};
use std::sync::Arc;
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

/// How much longer it rests than it works, while facts are ingested.
const REST: u32 = 9;

/// How long it waits from one vacuum to the next.
const VACUUM_EVERY: Duration = Duration::from_hours(1);

/// How long a round through all months makes way for ingest.
const LONGEST_ROUND: Duration = Duration::from_mins(30);

/// How often it looks what the ledger can give back.
const LOOK_EVERY: Duration = Duration::from_secs(10);

/// How many bytes of journal may stay when nothing is written.
const JOURNAL_AT_REST: u64 = 4 << 20;

/// By how many bytes a journal may grow from one look to the next that counts as quiet.
const QUIET_BYTES: u64 = 256 << 10;

/// The least time from one new journal to the next: each costs 64 MB.
const RENEW_EVERY: Duration = Duration::from_mins(10);

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
            // What was left to the ledger is flushed at once.
            let first = if work.facts.ledger.waiting.all().is_empty() { every } else { Duration::ZERO };
            Some(spawn("keeper", move || work.run(first, every))?)
        };
        Ok(Self { work, thread })
    }

    /// Flushes everything acknowledged before, and makes way for nobody.
    pub(crate) fn flush(&self) -> Result<u64, EngineError> {
        self.hold().flush()
    }

    /// Compacts every month as if it had not changed for long, and makes way for nobody.
    pub(crate) fn compact(&self) -> Result<Compacted, EngineError> {
        let mut done = Compacted::default();
        for bin in self.work.facts.pin().version.bins() {
            self.work.compact(&bin, Millis::MAX, || true, || true, &mut done)?;
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

    /// Ends the thread, and what it is at.
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
        self.work.flush(Waiting::all, || true)
    }

    /// Flushes everything of an organization that was acknowledged before.
    pub(crate) fn flush_of(&self, org: OrgId) -> Result<u64, EngineError> {
        self.work.flush(|waiting| waiting.all().into_iter().filter(|(_, of, _)| *of == org).collect(), || true)
    }

    /// Makes the lake's logs begin at the newest versions, once what is before is vacuumed.
    pub(crate) fn checkpoint_lake(&self) -> Result<(), EngineError> {
        self.work.facts.lake.checkpoint()
    }

    /// Deletes what an erasure left behind; with `dry_run` says what that is.
    pub(crate) fn sweep(&self, traces: &Traces, dry_run: bool) -> Result<Vacuumed, EngineError> {
        self.work.facts.lake.sweep(&self.work.facts.ledger, traces, dry_run)
    }
}

impl Work {
    fn run(&self, first: Duration, every: Duration) {
        let (mut house, mut shrink) = (House::default(), Shrink::default());
        let mut wait = first;
        while !self.rest_and_shrink(wait, &mut shrink) {
            let mut way = Way::new(self);
            let turn = if way.waiting < self.most_waiting { Waiting::due } else { Waiting::all };
            let flushed = {
                let _alone = self.changing.lock();
                self.flush(turn, || way.make())
            };
            if let Err(error) = flushed {
                tracing::error!(%error, "facts could not be flushed into the lake; they stay in the ledger until the next attempt");
            }
            // Right after a start the house can wait.
            if !wait.is_zero() {
                self.keep_house(&mut house, &mut way, every);
            }
            wait = every;
        }
    }

    /// Vacuums and compacts what is due, for about as long as it is until the next flush.
    fn keep_house(&self, house: &mut House, way: &mut Way<'_>, turn: Duration) {
        let begun = Instant::now();
        if house.vacuum.is_none_or(|at| at <= begun) {
            let done = self.vacuum(now(), false, || !self.is_closing());
            match &done {
                Ok(done) => tracing::debug!(?done, "files that the lake no longer needs were deleted"),
                Err(error) => {
                    tracing::error!(%error, "files that the lake no longer needs could not be deleted; they stay until the next attempt")
                }
            }
            house.vacuum = Some(begun + if done.is_ok() { VACUUM_EVERY } else { TRY_AGAIN });
        }
        house.failed.retain(|_, at| at.elapsed() < TRY_AGAIN);
        for bin in house.next(self.facts.pin().version.bins()) {
            if self.is_closing() {
                return;
            }
            if !house.failed.contains_key(&bin) {
                way.hurries = house.round.is_some_and(|begun| begun.elapsed() > LONGEST_ROUND);
                let mut done = Compacted::default();
                if let Err(error) = self.compact(&bin, now(), || way.make(), || begun.elapsed() < turn, &mut done) {
                    tracing::error!(%error, "files of {bin} could not be joined; they stay until an attempt in an hour");
                    house.failed.insert(bin.clone(), Instant::now());
                }
                if done != Compacted::default() {
                    tracing::debug!(?done, "files of {bin} were joined");
                }
            }
            house.last = Some(bin);
            if begun.elapsed() >= turn {
                return;
            }
        }
        (house.last, house.round) = (None, None);
    }

    /// Waits, and says whether the engine is closing; meanwhile the ledger gives back what it can.
    fn rest_and_shrink(&self, time: Duration, shrink: &mut Shrink) -> bool {
        let until = Instant::now() + time;
        loop {
            let left = until.saturating_duration_since(Instant::now());
            if self.rest(left.min(LOOK_EVERY)) {
                return true;
            }
            if left <= LOOK_EVERY {
                return false;
            }
            let _alone = self.changing.lock();
            if let Err(error) = shrink.look(&self.facts.ledger) {
                tracing::warn!(%error, "what the ledger no longer needs still takes disk; it is tried again");
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

    fn is_closing(&self) -> bool {
        *self.closing.lock()
    }

    /// Flushes the facts of those whose `turn` it is, for whoever is alone in changing the lake.
    fn flush(&self, turn: impl Fn(&Waiting) -> Vec<Waiter>, pause: impl FnMut() -> bool) -> Result<u64, EngineError> {
        // What the lake has, cells in storage must cover durably: facts there do not say which commit they came with. Whoever waits now may
        // be flushed up to what is covered then.
        let covered = self.cells.checkpoint()?;
        self.facts.ledger.sync()?;
        let waiters = turn(&self.facts.ledger.waiting);
        let flushed = self.facts.lake.flush(&self.facts.ledger, covered, &waiters, pause);
        self.facts.ledger.health.flushed(flushed.is_ok());
        if !self.is_closing()
            && let Err(error) = self.facts.ledger.give_back()
        {
            tracing::warn!(%error, "facts that the lake has still take disk in the ledger; it is tried again");
        }
        flushed
    }

    /// Joins files of a month until it is in order, `pause` ends that, or, after at least one step, there is no `more` time.
    fn compact(
        &self,
        bin: &Bin,
        now: Millis,
        mut pause: impl FnMut() -> bool,
        more: impl Fn() -> bool,
        done: &mut Compacted,
    ) -> Result<(), EngineError> {
        loop {
            // Others have a turn between one commit and the next.
            let _alone = self.changing.lock();
            let Some(joined) = self.facts.lake.compact(bin, now, &mut pause)? else { return Ok(()) };
            *done += joined;
            if joined.files_after >= joined.files_before || !more() {
                return Ok(());
            }
        }
    }

    fn vacuum(&self, now: Millis, dry_run: bool, mut proceed: impl FnMut() -> bool) -> Result<Vacuumed, EngineError> {
        let _alone = self.changing.lock();
        self.facts.lake.vacuum(&self.facts.ledger, (now, self.vacuum_days), dry_run, &mut proceed)
    }
}

/// How the ledger gets smaller once it is quiet: trimmed facts whose disk could not be given back at the flush are tried again, and a journal
/// that holds much and no longer grows begins anew.
#[derive(Debug, Default)]
struct Shrink {
    /// How many bytes the journal took at the last look.
    journal: u64,
    /// When it last began anew.
    renewed: Option<Instant>,
}

impl Shrink {
    fn look(&mut self, ledger: &Ledger) -> Result<(), EngineError> {
        ledger.give_back()?;
        let journal = ledger.journal_bytes()?;
        let grown = journal.abs_diff(std::mem::replace(&mut self.journal, journal));
        if journal > JOURNAL_AT_REST && grown < QUIET_BYTES && self.renewed.is_none_or(|at| at.elapsed() > RENEW_EVERY) {
            self.renewed = Some(Instant::now());
            ledger.renew_journal()?;
        }
        Ok(())
    }
}

/// What the thread remembers about compaction and vacuum.
#[derive(Debug, Default)]
struct House {
    /// What could not be joined, and when that was.
    failed: HashMap<Bin, Instant>,
    /// The month that was looked at last in this round; none: a round begins.
    last: Option<Bin>,
    /// When the round began.
    round: Option<Instant>,
    /// When to vacuum next; none: now.
    vacuum: Option<Instant>,
}

impl House {
    /// What of all months, which ascend, this round has not come to.
    fn next(&mut self, mut bins: Vec<Bin>) -> Vec<Bin> {
        self.round.get_or_insert_with(Instant::now);
        let done = self.last.as_ref().map_or(0, |last| bins.partition_point(|bin| bin <= last));
        bins.split_off(done)
    }
}

/// How the thread makes way for facts that are ingested.
struct Way<'a> {
    work: &'a Work,
    /// When it last rested.
    begun: Instant,
    /// How many facts waited then.
    waiting: usize,
    /// Whether it no longer rests.
    hurries: bool,
}

impl<'a> Way<'a> {
    fn new(work: &'a Work) -> Self {
        Self { work, begun: Instant::now(), waiting: work.facts.ledger.waiting.facts(), hurries: false }
    }

    /// Rests if facts were ingested since; false if the engine is closing.
    fn make(&mut self) -> bool {
        let waiting = self.work.facts.ledger.waiting.facts();
        let is_ingesting = waiting > self.waiting && self.waiting < self.work.most_waiting;
        let closing = if is_ingesting && !self.hurries { self.work.rest(self.begun.elapsed() * REST) } else { self.work.is_closing() };
        (self.begun, self.waiting) = (Instant::now(), self.work.facts.ledger.waiting.facts());
        !closing
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Engine;
    use crate::testing::{attendances, organization};
    use rollcall_model::Organization;

    fn ingest(engine: &Engine, organization: &Organization, user: i64) {
        let facts = attendances(organization, [("s", format!("u{user}"), [1_740_819_600_000 + user; 3])]);
        assert_eq!(engine.ingest(organization, facts).unwrap().accepted, 1);
    }

    #[test]
    fn every_month_and_the_vacuum_have_their_turn_however_short_turns_are() {
        let home = tempfile::tempdir().unwrap();
        let settings = Settings { flush_seconds: 0, vacuum_days: 0, ..Settings::default() };
        let engine = Engine::open(home.path(), settings).unwrap();
        let organizations = [1, 2, 3].map(organization);
        for user in 0..8 {
            organizations.iter().for_each(|organization| ingest(&engine, organization, user));
            engine.flush().unwrap();
        }
        let work = &engine.keeper.work;
        let files = || organizations.each_ref().map(|organization| engine.lake().attendance.of(organization.id).count());
        assert_eq!(files(), [8; 3]);
        let is_data = |file: &str| file.contains("/organization=");
        let on_disk = || engine.facts.lake.store.list("attendance").unwrap().iter().filter(|(file, _)| is_data(file)).count();
        let mut house = House::default();
        // A turn so short that it is over at its first step: as if flushes took all the time.
        let mut turn = || work.keep_house(&mut house, &mut Way::new(work), Duration::ZERO);
        for turns in 1..=3 {
            turn();
            assert_eq!(files().iter().filter(|files| **files == 1).count(), turns);
        }
        assert_eq!(on_disk(), 27, "it vacuumed before there was anything to delete");
        house.vacuum = None;
        work.keep_house(&mut house, &mut Way::new(work), Duration::ZERO);
        assert_eq!(on_disk(), 3);
        assert_eq!(files(), [1; 3]);
    }
}
