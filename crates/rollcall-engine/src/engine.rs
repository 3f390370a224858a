//! The engine as its users see it: open a data directory, ingest facts, ask for reports.

use crate::cells::{Cells, Findings, Progress, Scope};
use crate::error::EngineError;
use crate::facts::Facts;
use crate::ledger::columns::Block;
use crate::ledger::{Committer, Ledger, Request};
use crate::reports::{NamesOf, Selections};
use crate::settings::Settings;
use hashbrown::HashMap;
use parking_lot::{Condvar, Mutex, RwLock};
use rollcall_model::directory::DirectoryDocument;
use rollcall_model::{Directory, OrgId, Organization, Range, Receipt};
use std::fs::{File, TryLockError};
use std::os::unix::fs::DirBuilderExt;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{SyncSender, sync_channel};
use std::thread::JoinHandle;
use std::time::Duration;

/// How many requests may wait for the committer; the next one blocks. Each holds at most what its limits allow.
const WAITING_REQUESTS: usize = 64;

/// How long live cells wait for a checkpoint when few facts come.
const CHECKPOINT_EVERY: Duration = Duration::from_secs(10);

/// An open data directory. Cheap to share behind an [`Arc`]; dropping it commits what waits, checkpoints and closes.
#[derive(Debug)]
pub struct Engine {
    pub(crate) ledger: Arc<Ledger>,
    pub(crate) cells: Arc<Cells>,
    pub(crate) names: NamesOf,
    directories: RwLock<HashMap<OrgId, Arc<Directory>>>,
    requests: Option<SyncSender<Request>>,
    committer: Option<JoinHandle<()>>,
    checkpointer: Option<(Arc<Pace>, JoinHandle<()>)>,
    writable: Arc<AtomicBool>,
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
    /// # Errors
    /// [`EngineError::InUse`] if another process has it open; [`EngineError::Storage`] if it cannot be read or written.
    pub fn open(directory: &Path, settings: Settings) -> Result<Self, EngineError> {
        make(directory)?;
        let lock = lock(directory)?;
        make(&directory.join("ledger"))?;
        let ledger = Arc::new(Ledger::open(&directory.join("ledger"), &settings)?);
        let cells = Arc::new(Cells::open(ledger.db(), &ledger.facts, &ledger.meta, settings.cell_cache_bytes)?);
        let position = ledger.catch_up(&cells)?;
        let mut directories = HashMap::new();
        for (org, json) in ledger.directories()? {
            let document: DirectoryDocument = serde_json::from_slice(&json).map_err(|error| EngineError::Storage(error.to_string()))?;
            directories.insert(org, Arc::new(Directory::new(document)?));
        }
        let (requests, waiting) = sync_channel(WAITING_REQUESTS);
        let writable = Arc::new(AtomicBool::new(true));
        let pace = Arc::new(Pace::default());
        let committer = Committer::new(ledger.clone(), cells.clone(), position, &settings);
        let committer = {
            let (writable, pace, cells) = (writable.clone(), pace.clone(), cells.clone());
            let after = move |failed: bool| {
                if failed {
                    writable.store(false, Ordering::Relaxed);
                }
                if cells.added() >= settings.checkpoint_facts {
                    pace.wake.notify_one();
                }
            };
            spawn("committer", move || committer.run(&waiting, after))?
        };
        let checkpointer = {
            let (ledger, cells, pace, writable) = (ledger.clone(), cells.clone(), pace.clone(), writable.clone());
            spawn("checkpointer", move || checkpoints(&ledger, &cells, &pace, &writable))?
        };
        Ok(Self {
            ledger,
            cells,
            names: NamesOf::default(),
            directories: RwLock::new(directories),
            requests: Some(requests),
            committer: Some(committer),
            checkpointer: Some((pace, checkpointer)),
            writable,
            _lock: lock,
        })
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
        self.requests.as_ref().ok_or(EngineError::Closed)?.send(request).map_err(|_| EngineError::Closed)?;
        receipt.recv().map_err(|_| EngineError::Closed)?
    }

    /// The organization's directory; empty until one is put.
    pub fn directory(&self, org: OrgId) -> Arc<Directory> {
        self.directories.read().get(&org).cloned().unwrap_or_default()
    }

    /// Replaces the organization's directory, durably.
    ///
    /// # Errors
    /// [`EngineError::Directory`] with what is wrong with the document; [`EngineError::Storage`].
    pub fn put_directory(&self, org: OrgId, document: DirectoryDocument) -> Result<(), EngineError> {
        let json = serde_json::to_vec(&document).map_err(|error| EngineError::Storage(error.to_string()))?;
        let directory = Arc::new(Directory::new(document)?);
        // Held while writing, so that memory and storage see two uploads in the same order.
        let mut directories = self.directories.write();
        self.ledger.put_directory(org, &json)?;
        directories.insert(org, directory);
        Ok(())
    }

    /// Whether facts can be ingested now: the storage has not failed.
    pub fn is_writable(&self) -> bool {
        self.writable.load(Ordering::Relaxed)
    }

    /// The facts of an organization whose times (`session_started_at`, `at`) are in `range`, as blocks, of one consistent state.
    pub fn scan<B: Block>(&self, org: OrgId, range: Range) -> impl Iterator<Item = Result<B, EngineError>> + use<B> {
        self.ledger.scan(org, range)
    }

    /// Checkpoints the cells now. The engine does it by itself; tests and backups ask for it.
    ///
    /// # Errors
    /// [`EngineError::Storage`].
    pub fn checkpoint(&self) -> Result<(), EngineError> {
        self.ledger.checkpoint(&self.cells)
    }

    /// Verifies that stored base cells are what the facts say, kept cells what their base cells give, and that each day has as many default
    /// ids as facts that need one. Changes nothing, and holds nothing up: it verifies the state that it began with.
    ///
    /// # Errors
    /// [`EngineError::Storage`], also if facts cannot be read.
    pub fn verify(&self, scope: &Scope, progress: &Progress<'_>) -> Result<Findings, EngineError> {
        self.prove(scope, false, progress)
    }

    /// Replaces stored base cells that are not what the facts say, and drops kept cells that are wrong or cannot be verified. May be stopped
    /// at any point and begun again. What it finds is what [`Engine::verify`] would have found before. Checkpoints wait meanwhile, so ingest
    /// does too once three times [`Settings::checkpoint_facts`] are live.
    ///
    /// # Errors
    /// [`EngineError::Storage`], also if facts cannot be read.
    pub fn rebuild(&self, scope: &Scope, progress: &Progress<'_>) -> Result<Findings, EngineError> {
        self.prove(scope, true, progress)
    }

    fn prove(&self, scope: &Scope, mend: bool, progress: &Progress<'_>) -> Result<Findings, EngineError> {
        let selections = Selections::new(self);
        let select = |org, selector, stored: &_, sums: &_| selections.sets(org, selector, stored, sums);
        self.cells.verify(scope, mend, &select, progress)
    }
}

/// Makes the data directory, for its owner's eyes alone, and durably: a file can be fsynced and yet be lost with the name of the
/// directory it is in.
fn make(directory: &Path) -> Result<(), EngineError> {
    if directory.is_dir() {
        return Ok(());
    }
    std::fs::DirBuilder::new().recursive(true).mode(0o700).create(directory).map_err(|error| unusable(directory, &error))?;
    let made = directory.canonicalize().map_err(|error| unusable(directory, &error))?;
    for directory in made.ancestors() {
        match File::open(directory).and_then(|opened| opened.sync_all()) {
            // A directory that we may not even read is not one that we made.
            Err(error) if error.kind() == std::io::ErrorKind::PermissionDenied => {}
            synced => synced.map_err(|error| unusable(directory, &error))?,
        }
    }
    Ok(())
}

/// Makes the data directory this process's own, until the file is dropped or the process ends.
fn lock(directory: &Path) -> Result<File, EngineError> {
    let file = File::create(directory.join("lock")).map_err(|error| unusable(directory, &error))?;
    match file.try_lock() {
        Ok(()) => Ok(file),
        Err(TryLockError::WouldBlock) => Err(EngineError::InUse(directory.display().to_string())),
        Err(TryLockError::Error(error)) => Err(unusable(directory, &error)),
    }
}

fn unusable(directory: &Path, error: &std::io::Error) -> EngineError {
    EngineError::Storage(format!("{}: {error}", directory.display()))
}

fn spawn(name: &str, work: impl FnOnce() + Send + 'static) -> Result<JoinHandle<()>, EngineError> {
    let thread = std::thread::Builder::new().name(name.into());
    thread.spawn(work).map_err(|error| EngineError::Storage(format!("the {name} thread cannot be started: {error}")))
}

/// Checkpoints the cells when enough facts are live or enough time has passed, and a last time when the engine closes.
fn checkpoints(ledger: &Ledger, cells: &Cells, pace: &Pace, writable: &AtomicBool) {
    loop {
        let closing = {
            let mut closing = pace.closing.lock();
            if !*closing {
                pace.wake.wait_for(&mut closing, CHECKPOINT_EVERY);
            }
            *closing
        };
        if let Err(error) = ledger.checkpoint(cells) {
            tracing::error!(%error, "a checkpoint failed: nothing more is accepted until a restart");
            writable.store(false, Ordering::Relaxed);
        }
        if closing {
            return;
        }
    }
}

impl Drop for Engine {
    fn drop(&mut self) {
        drop(self.requests.take());
        if let Some(committer) = self.committer.take() {
            let _ = committer.join();
        }
        if let Some((pace, checkpointer)) = self.checkpointer.take() {
            *pace.closing.lock() = true;
            pace.wake.notify_one();
            let _ = checkpointer.join();
        }
        if let Err(error) = self.ledger.sync() {
            tracing::error!(%error, "the ledger could not be synced at close");
        }
    }
}
