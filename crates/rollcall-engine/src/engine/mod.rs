//! The engine as its users see it: open a data directory, ingest facts, ask for reports.

pub mod directories;
pub(crate) mod housekeeper;
pub(crate) mod modes;
pub(crate) mod supervisor;

use crate::access::Access;
use crate::cells::{Cells, DamagedFile, Findings, Progress, Scope, State};
use crate::commit::{Committer, Message, Request};
use crate::data_directory::{UNFINISHED, lock, make, unusable};
use crate::disk::Disk;
use crate::engine::directories::{Directories, DirectoryLimits};
use crate::engine::housekeeper::Keeper;
use crate::error::EngineError;
use crate::facts::FactStore;
use crate::health::{Health, Problem};
use crate::kinds::columns::Facts;
use crate::kinds::stored::Wanted;
use crate::kinds::words::Worded;
use crate::lake::{Compacted, Lake, Vacuumed, Version};
use crate::ledger::{Ledger, birth};
use crate::location::Location;
use crate::reports::{Ahead, NamesOf, Selections};
use crate::settings::Settings;
use crate::threads::spawn;
use jiff::tz::TimeZone;
use parking_lot::{Condvar, Mutex};
use rollcall_model::{Millis, OrgId, Organization, Range, Receipt};
use std::fs::File;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::mpsc::sync_channel;
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

/// How long live cells wait for a checkpoint when few facts come, and how long it takes until one that failed is tried again.
const CHECKPOINT_EVERY: Duration = Duration::from_secs(10);

/// How often the disk and the database's threads are looked at.
const LOOK_EVERY: Duration = Duration::from_secs(1);

/// An open data directory. Cheap to share behind an [`Arc`]; dropping it commits what waits, checkpoints and closes.
#[derive(Debug)]
pub struct Engine {
    pub(crate) directory: PathBuf,
    pub(crate) facts: FactStore,
    pub(crate) cells: Arc<Cells>,
    pub(crate) keeper: Keeper,
    ahead: Ahead,
    /// Held for the length of an erasure, and of what it would disturb.
    pub(crate) erasing: Mutex<()>,
    pub(crate) names: NamesOf,
    pub(crate) directories: Directories,
    pub(crate) access: Arc<Access>,
    pub(crate) directory_limits: DirectoryLimits,
    committer: Option<Committer>,
    checkpointer: Option<(Arc<Pace>, JoinHandle<()>)>,
    /// Locked while the engine is open. The last field: dropped after everything that writes.
    _lock: File,
}

/// Tells the checkpointer when to work.
#[derive(Debug, Default)]
struct Pace {
    closing: Mutex<bool>,
    wake: Condvar,
}

impl Engine {
    /// Opens or creates a data directory, recovers what a crash left, and starts the committer and the checkpointer.
    ///
    /// One that is there is opened also while its disk takes no writes: then it answers reports and exports, and [`Engine::problems`] says
    /// what is wrong.
    ///
    /// # Errors
    /// [`EngineError::InUse`] if another process has it open; [`EngineError::Storage`] if it cannot be read, or not be made.
    pub fn open(directory: &Path, settings: Settings) -> Result<Self, EngineError> {
        if directory.join(UNFINISHED).exists() {
            return Err(EngineError::Backup(format!(
                "{} holds a restore that came to no end: remove it, and restore the backup again",
                directory.display()
            )));
        }
        make(directory)?;
        let lock = lock(directory)?;
        modes::close_to_others("the data directory", directory)?;
        // On a full disk the reserve is given up first, so that there is room to recover.
        let _ = Disk::new(directory, settings.reserve_bytes).look();
        let stored = directory.join("ledger");
        birth::make(&stored, |aside| open(aside, &settings)?.sync())?;
        let ledger = Arc::new(open(&stored, &settings)?);
        birth::sync_keyspaces(&stored)?;
        match ledger.sync() {
            Ok(()) => ledger.health.is_whole_again(),
            Err(error) => ledger.health.broke(&error),
        }
        ledger.health.look();
        let remembered = ledger.lake_location()?;
        let (location, name) = Location::of_lake(directory, settings.lake.as_ref(), remembered.as_deref())?;
        let lake = Arc::new(Lake::open(&location, &settings.store, &ledger)?);
        if remembered.is_none() {
            ledger.remember_lake_location(&name)?;
        }
        let facts = FactStore::new(ledger.clone(), lake);
        let cells = Arc::new(Cells::open(facts.clone(), &settings)?);
        let position = catch_up(&ledger, &cells)?;
        facts.lake.check_covered(position)?;
        let directories = Directories::open(&ledger)?;
        let access = Arc::new(Access::open(&ledger, &settings)?);
        let pace = Arc::new(Pace::default());
        let after = {
            let (pace, cells) = (pace.clone(), cells.clone());
            move || {
                if cells.is_due() {
                    pace.wake.notify_one();
                }
            }
        };
        let committer = Committer::start(&ledger, &cells, position, &settings, after)?;
        let checkpointer = {
            let (ledger, cells, access, pace) = (ledger.clone(), cells.clone(), access.clone(), pace.clone());
            spawn("checkpointer", move || checkpoints(&ledger, &cells, &access, &pace))?
        };
        let keeper = Keeper::start(facts.clone(), cells.clone(), &settings)?;
        let ahead = Ahead::start(ledger, cells.clone())?;
        let engine = Self {
            directory: directory.to_owned(),
            facts,
            cells,
            keeper,
            ahead,
            erasing: Mutex::default(),
            names: NamesOf::default(),
            directories,
            access,
            directory_limits: DirectoryLimits { bytes: settings.directory_bytes, history_bytes: settings.directory_history_bytes },
            committer: Some(committer),
            checkpointer: Some((pace, checkpointer)),
            _lock: lock,
        };
        engine.resume_erasures();
        Ok(engine)
    }

    /// Makes facts durable: returns once they are fsynced and folded, together with those of every other request that waits.
    ///
    /// Blocks; call it from a thread that may.
    ///
    /// # Errors
    /// See [`EngineError`].
    pub fn ingest(&self, organization: &Organization, facts: impl Into<Facts>) -> Result<Receipt, EngineError> {
        let (reply, receipt) = sync_channel(1);
        let request = Request { org: organization.id, apps: organization.apps.clone(), facts: facts.into(), reply };
        self.send(Message::Ingest(Box::new(request)))?;
        receipt.recv().map_err(|_| EngineError::Closed)?
    }

    /// From now on makes cells ahead for these organizations, when little is ingested: what is likely to be asked for in their zones, and
    /// what every zone shares.
    pub fn make_ahead_for(&self, organizations: Vec<(OrgId, TimeZone)>) {
        self.ahead.make_for(organizations);
    }

    /// The data directory.
    pub fn home(&self) -> &Path {
        &self.directory
    }

    /// Asks the committer.
    pub(crate) fn send(&self, message: Message) -> Result<(), EngineError> {
        self.committer.as_ref().ok_or(EngineError::Closed)?.send(message)
    }

    /// Everything that is wrong with the storage now; facts can be ingested if nothing of it stops that.
    pub fn problems(&self) -> Vec<Problem> {
        self.health().problems()
    }

    /// Whether a write failed, so that nothing more is stored until the data directory is opened again.
    pub(crate) fn is_broken(&self) -> bool {
        self.health().broken().is_some()
    }

    /// Tries whether the disk has room and takes writes.
    pub(crate) fn takes_writes(&self) -> Result<(), EngineError> {
        let disk = &self.health().disk;
        disk.look().map_err(|shortage| EngineError::ReadOnly(shortage.to_string()))?;
        disk.probe().map_err(|error| unusable(&self.directory, &error))
    }

    /// What is wrong with the storage.
    pub(crate) fn health(&self) -> &Health {
        &self.facts.ledger.health
    }

    /// The facts of an organization whose times (`session_started_at`, `at`) are in `range`, as blocks, of one consistent state.
    pub fn scan<B: Worded>(&self, org: OrgId, range: Range) -> impl Iterator<Item = Result<B, EngineError>> + use<B> {
        self.facts.pin().blocks(org, Wanted::times(range)).map(|read| Ok(read?.1))
    }

    /// Flushes every fact acknowledged before into the lake. The engine does it by itself every so often.
    ///
    /// # Errors
    /// [`EngineError::Storage`]; the ledger then still has what was not flushed.
    pub fn flush(&self) -> Result<u64, EngineError> {
        self.keeper.flush()
    }

    /// Joins small files of the lake to large ones, in every month as if it had not changed for long. The engine compacts by itself; who
    /// asks for it does not wait until a month rests.
    ///
    /// # Errors
    /// [`EngineError::Storage`]; facts and what was joined before stay.
    pub fn compact(&self) -> Result<Compacted, EngineError> {
        self.keeper.compact()
    }

    /// Deletes files of the lake, and of its tables' logs, that were not needed for [`Settings::vacuum_days`] as of `now`, in milliseconds
    /// since 1970. With `dry_run`, only says what it would delete. The engine does it by itself every hour.
    ///
    /// # Errors
    /// [`EngineError::Storage`]; what was not deleted is found the next time.
    pub fn vacuum(&self, now: Millis, dry_run: bool) -> Result<Vacuumed, EngineError> {
        self.keeper.vacuum(now, dry_run)
    }

    /// The newest version of each table of the lake.
    pub fn lake(&self) -> Version {
        self.facts.pin().version
    }

    /// Checkpoints the cells now. The engine does it by itself; tests and backups ask for it.
    ///
    /// # Errors
    /// [`EngineError::Storage`].
    pub fn checkpoint(&self) -> Result<(), EngineError> {
        self.cells.checkpoint().map(|_| ())
    }

    /// Verifies that the lake's data files are what was written, stored base cells what the facts say, kept cells what their base cells
    /// give, and that each day has as many default ids as facts that need one. Days with facts in damaged files are not compared. Changes
    /// nothing, and holds nothing up: it verifies the state that it began with.
    ///
    /// # Errors
    /// [`EngineError::Storage`], also if facts cannot be read.
    pub fn verify(&self, scope: &Scope, progress: &Progress<'_>) -> Result<Findings, EngineError> {
        self.prove(scope, false, progress)
    }

    /// Replaces stored base cells that are not what the facts say, and drops kept cells that are wrong or cannot be verified. May be stopped
    /// at any point and begun again. What it finds is what [`Engine::verify`] would have found before. Checkpoints wait meanwhile, so ingest
    /// does too once three times [`Settings::checkpoint_facts`] or [`Settings::checkpoint_entries`] are live.
    ///
    /// Changes nothing if data files are damaged that have facts of the days: cells made of the others would be wrong. What it finds are
    /// then these files.
    ///
    /// # Errors
    /// [`EngineError::Storage`], also if facts cannot be read.
    pub fn rebuild(&self, scope: &Scope, progress: &Progress<'_>) -> Result<Findings, EngineError> {
        self.prove(scope, true, progress)
    }

    fn prove(&self, scope: &Scope, mend: bool, progress: &Progress<'_>) -> Result<Findings, EngineError> {
        // While facts are erased, cells are of another state than they are.
        let _nobody_erases = self.erasing.lock();
        let state = self.cells.pin();
        // Files are the first half, cells the second.
        let mut found = self.cells.damaged(scope, &state, &|done, of| progress(done, 2 * of))?;
        if !mend || found.damaged.is_empty() {
            found.add(self.prove_state(scope, mend, state, &found.damaged, &|done, of| progress(of + done, 2 * of))?);
        }
        found.shorten();
        Ok(found)
    }

    /// Verifies or rebuilds cells while nobody else erases. Facts that are damaged are an error.
    pub(crate) fn prove_alone(&self, scope: &Scope, mend: bool, progress: &Progress<'_>) -> Result<Findings, EngineError> {
        self.prove_state(scope, mend, self.cells.pin(), &[], progress)
    }

    fn prove_state(
        &self,
        scope: &Scope,
        mend: bool,
        state: State,
        damaged: &[DamagedFile],
        progress: &Progress<'_>,
    ) -> Result<Findings, EngineError> {
        let selections = Selections::new(self);
        let select = |org, selector, stored: &_, sums: &_| selections.sets(org, selector, stored, sums);
        let found = self.cells.verify(scope, mend, state, damaged, &select, progress);
        if mend {
            self.facts.ledger.changes.of_all();
        }
        found
    }
}

/// Opens or makes what is in the ledger's directory.
fn open(directory: &Path, settings: &Settings) -> Result<Ledger, EngineError> {
    let ledger = Ledger::open(directory, settings)?;
    Cells::keyspaces(ledger.db(), settings)?;
    Ok(ledger)
}

/// Folds every commit after what cells in storage cover, with checkpoints where memory asks for them, and returns the position of the last.
fn catch_up(ledger: &Ledger, cells: &Cells) -> Result<u64, EngineError> {
    let mut last = cells.covered();
    for read in ledger.commits(last, u64::MAX) {
        let (position, commit) = read?;
        last = position;
        cells.catch_up(last, &commit)?;
    }
    Ok(last)
}

/// Checkpoints the cells when enough facts are live or enough time has passed, and a last time when the engine closes. In between, looks at the
/// disk, merges what checkpoints wrote, and writes when keys were used.
fn checkpoints(ledger: &Ledger, cells: &Cells, access: &Access, pace: &Pace) {
    let (mut last, mut failed) = (Instant::now(), false);
    loop {
        let closing = {
            let mut closing = pace.closing.lock();
            if !*closing && (failed || !cells.is_due()) {
                pace.wake.wait_for(&mut closing, LOOK_EVERY);
            }
            *closing
        };
        // Before anything is written: on a full disk this makes room.
        ledger.health.look_at(ledger.db());
        let used = ledger.health.admit().and_then(|()| access.write_uses(ledger, jiff::Timestamp::now().as_millisecond(), closing));
        if let Err(error) = used {
            tracing::debug!(%error, "when keys were used could not be written yet");
        }
        if closing || last.elapsed() >= CHECKPOINT_EVERY || cells.is_due() && !failed {
            let outcome = cells.checkpoint();
            failed = outcome.is_err();
            ledger.health.checkpointed(outcome);
            last = Instant::now();
        }
        if closing {
            return;
        }
        let goes_on = || !*pace.closing.lock() && !cells.is_overdue();
        let merged = cells.merge_runs(goes_on).and_then(|()| cells.evict(goes_on));
        let merged = merged.and_then(|()| cells.settle(|| goes_on() && cells.is_quiet()));
        if let Err(error) = merged {
            tracing::warn!(%error, "cells could not be merged or removed; they stay as they are, and cost more room and time");
        }
    }
}

impl Drop for Engine {
    fn drop(&mut self) {
        self.ahead.close();
        drop(self.committer.take());
        if let Some((pace, checkpointer)) = self.checkpointer.take() {
            *pace.closing.lock() = true;
            pace.wake.notify_one();
            let _ = checkpointer.join();
        }
        self.keeper.close();
        if let Err(error) = self.facts.ledger.sync() {
            tracing::error!(%error, "the ledger could not be synced at close");
        }
    }
}
