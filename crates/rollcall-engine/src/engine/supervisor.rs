//! The engine of a server: opened again, without a restart, when its storage failed and takes writes again.
//!
//! After a write or a sync failed, nobody knows what of it is on the disk, so the database stores nothing more ([`fjall`] calls it poisoned).
//! Only a start finds out: it reads the journal and cuts off what is not whole. So the engine is closed and opened again, by the same code
//! as after a crash, once nobody uses it and a test file can be written durably. Until then it answers reports and exports.

use crate::error::EngineError;
use crate::health::Problem;
use crate::threads::spawn;
use crate::{Engine, Settings};
use jiff::tz::TimeZone;
use parking_lot::{Condvar, Mutex};
use rollcall_model::OrgId;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

/// How often it is looked whether the storage failed.
const LOOK: Duration = Duration::from_secs(1);

/// How long it takes from one attempt to open it again to the next, at first and at most.
const PAUSES: [Duration; 2] = [Duration::from_secs(1), Duration::from_mins(1)];

/// How long requests under way may hold up opening it again, and how long new ones wait for that.
const PATIENCE: Duration = Duration::from_secs(10);

/// How long it takes to look again whether requests under way are done.
const LOOK_AT_USERS: Duration = Duration::from_millis(5);

/// An engine, and the thread that opens it again.
#[derive(Debug)]
pub struct Supervisor {
    shared: Arc<Shared>,
    thread: Option<JoinHandle<()>>,
}

#[derive(Debug)]
struct Shared {
    directory: PathBuf,
    settings: Settings,
    /// See [`Supervisor::make_ahead_for`].
    organizations: Mutex<Vec<(OrgId, TimeZone)>>,
    state: Mutex<State>,
    changed: Condvar,
}

#[derive(Debug)]
struct State {
    engine: Slot,
    closing: bool,
}

#[derive(Debug)]
enum Slot {
    Open(Arc<Engine>),
    /// It is closed and opened again.
    Reopening,
    /// It could not be opened again; that is tried again.
    Failed(EngineError),
}

impl Supervisor {
    /// Opens a data directory. See [`Engine::open`].
    ///
    /// # Errors
    /// Those of [`Engine::open`].
    pub fn open(directory: &Path, settings: Settings) -> Result<Self, EngineError> {
        let engine = Engine::open(directory, settings.clone())?;
        let state = State { engine: Slot::Open(Arc::new(engine)), closing: false };
        let (directory, organizations) = (directory.to_owned(), Mutex::default());
        let shared = Arc::new(Shared { directory, settings, organizations, state: Mutex::new(state), changed: Condvar::new() });
        let thread = {
            let shared = shared.clone();
            spawn("supervisor", move || shared.watch())?
        };
        Ok(Self { shared, thread: Some(thread) })
    }

    /// The engine. Hold it no longer than a request lasts. While it is opened again, this waits; so call it from a thread that may.
    ///
    /// # Errors
    /// [`EngineError::ReadOnly`] if opening it again takes more than ten seconds; why it could not be opened again.
    pub fn engine(&self) -> Result<Arc<Engine>, EngineError> {
        let until = Instant::now() + PATIENCE;
        let mut state = self.shared.state.lock();
        loop {
            match &state.engine {
                Slot::Open(engine) => return Ok(engine.clone()),
                Slot::Failed(error) => return Err(error.clone()),
                Slot::Reopening => {}
            }
            if self.shared.changed.wait_until(&mut state, until).timed_out() {
                return Err(EngineError::ReadOnly("the storage failed and is being opened again; try again".into()));
            }
        }
    }

    /// See [`Engine::make_ahead_for`]. Holds for every engine that is opened from now on.
    pub fn make_ahead_for(&self, organizations: Vec<(OrgId, TimeZone)>) {
        self.shared.organizations.lock().clone_from(&organizations);
        if let Some(engine) = self.opened() {
            engine.make_ahead_for(organizations);
        }
    }

    /// The engine, if it is open now. Never waits.
    pub fn opened(&self) -> Option<Arc<Engine>> {
        if let Slot::Open(engine) = &self.shared.state.lock().engine { Some(engine.clone()) } else { None }
    }

    /// Everything that is wrong with the storage now. Never waits.
    pub fn problems(&self) -> Vec<Problem> {
        let what = match &self.shared.state.lock().engine {
            Slot::Open(engine) => return engine.problems(),
            Slot::Reopening => "the storage failed, and is being opened again",
            Slot::Failed(_) => "the storage failed, and could not be opened again; that is tried again; the cause is in the server's log",
        };
        vec![Problem { what: what.into(), stops_ingest: true }]
    }
}

impl Drop for Supervisor {
    fn drop(&mut self) {
        self.shared.state.lock().closing = true;
        self.shared.changed.notify_all();
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

impl Shared {
    fn watch(&self) {
        let [first, most] = PAUSES;
        let (mut pause, mut next) = (first, Instant::now());
        loop {
            let engine = {
                let mut state = self.state.lock();
                if !state.closing {
                    self.changed.wait_for(&mut state, LOOK);
                }
                if state.closing {
                    return;
                }
                match &state.engine {
                    Slot::Open(engine) if !engine.is_broken() => None,
                    Slot::Open(engine) => Some(Some(engine.clone())),
                    Slot::Reopening | Slot::Failed(_) => Some(None),
                }
            };
            let Some(engine) = engine else { continue };
            if Instant::now() < next {
                continue;
            }
            // Until the disk takes writes, the engine that there is answers reports.
            if let Some(engine) = &engine
                && let Err(error) = engine.takes_writes()
            {
                tracing::debug!(%error, "the disk does not take writes yet");
                continue;
            }
            self.open_again(engine);
            next = Instant::now() + pause;
            pause = if self.is_whole() { first } else { (2 * pause).min(most) };
        }
    }

    fn is_whole(&self) -> bool {
        matches!(&self.state.lock().engine, Slot::Open(engine) if !engine.is_broken())
    }

    fn put(&self, engine: Slot) {
        self.state.lock().engine = engine;
        self.changed.notify_all();
    }

    /// Closes the engine, if there is one that nobody uses within [`PATIENCE`], and opens it again.
    fn open_again(&self, engine: Option<Arc<Engine>>) {
        self.put(Slot::Reopening);
        if let Some(mut engine) = engine {
            let begun = Instant::now();
            let alone = loop {
                match Arc::try_unwrap(engine) {
                    Ok(alone) => break alone,
                    Err(shared) if begun.elapsed() > PATIENCE => {
                        tracing::warn!("the storage cannot be opened again yet: an export or an operation uses it");
                        return self.put(Slot::Open(shared));
                    }
                    Err(shared) => engine = shared,
                }
                std::thread::sleep(LOOK_AT_USERS);
            };
            tracing::warn!("the disk takes writes: the storage is opened again");
            drop(alone);
        }
        match Engine::open(&self.directory, self.settings.clone()) {
            Ok(engine) => {
                if !engine.is_broken() {
                    tracing::warn!("the storage is open again: facts are taken in");
                }
                engine.make_ahead_for(self.organizations.lock().clone());
                self.put(Slot::Open(Arc::new(engine)));
            }
            Err(error) => {
                tracing::error!(%error, "the storage could not be opened again; that is tried again");
                self.put(Slot::Failed(error));
            }
        }
    }
}
