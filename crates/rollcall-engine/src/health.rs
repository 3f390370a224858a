//! What is wrong with the storage now, so that everybody says the same: ingest, readiness, and whoever opens the database again.

use crate::disk::{Disk, Shortage};
use crate::error::EngineError;
use fjall::{Database, PersistMode};
use parking_lot::Mutex;
use std::fs::File;
use std::io::Write;
use std::path::{Path, PathBuf};

/// The file in the data directory that says that a write or a sync failed: what the system then holds in memory of the ledger's journal may
/// not be on the disk, though it reads as if it were. See `ledger/journal_repair.rs`.
const FAILED: &str = "storage-failed";

/// After how many flushes in a row that failed the lake is named as a problem.
const FLUSHES: u32 = 3;

/// Something that is wrong with the storage.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Problem {
    /// What, in words for whoever watches the server: without paths and without what a library said.
    pub what: String,
    /// Whether nothing can be ingested while it lasts. Reports and exports go on.
    pub stops_ingest: bool,
}

/// What is wrong with the storage of an open engine.
#[derive(Debug)]
pub(crate) struct Health {
    pub(crate) disk: Disk,
    marker: PathBuf,
    state: Mutex<State>,
}

#[derive(Debug, Default)]
struct State {
    /// Why nothing can be written until the database is opened again.
    broken: Option<EngineError>,
    /// Whether the last checkpoint failed.
    checkpoint_failed: bool,
    shortage: Option<Shortage>,
    /// How many flushes failed since one succeeded.
    failed_flushes: u32,
    /// Whether an erasure failed and is not finished.
    erasure_failed: bool,
}

impl Health {
    /// Nothing is known to be wrong yet. `data` is the data directory.
    pub(crate) fn new(data: &Path, reserve_bytes: u64) -> Self {
        Self { disk: Disk::new(data, reserve_bytes), marker: data.join(FAILED), state: Mutex::default() }
    }

    /// Whether a write or a sync failed before, so that the journal's end may not be on the disk.
    pub(crate) fn has_failed_before(&self) -> bool {
        self.marker.exists()
    }

    /// The journal's end was written again, durably.
    pub(crate) fn is_whole_again(&self) {
        if self.marker.exists()
            && let Err(error) = std::fs::remove_file(&self.marker)
        {
            tracing::warn!(%error, "{FAILED} cannot be removed from the data directory: the next start writes the journal's end again");
        }
    }

    /// A write to the database failed: nothing more is written until it is opened again.
    pub(crate) fn broke(&self, error: &EngineError) {
        let mut state = self.state.lock();
        if state.broken.is_some() {
            return;
        }
        tracing::error!(%error, "the storage failed: nothing more is stored until it takes writes again; reports and exports go on");
        state.broken = Some(error.clone());
        drop(state);
        // Gives the reserve up, if it is for want of room: also for the marker.
        self.look();
        let marked = File::create(&self.marker).and_then(|mut file| {
            writeln!(file, "{error}")?;
            file.sync_all()
        });
        if let Err(error) = marked {
            tracing::warn!(%error, "{FAILED} cannot be written to the data directory");
        }
    }

    /// Why the database must be opened again before anything more is stored.
    pub(crate) fn broken(&self) -> Option<EngineError> {
        self.state.lock().broken.clone()
    }

    /// Notes how a checkpoint ended, and says so if that changed.
    pub(crate) fn checkpointed(&self, outcome: Result<u64, EngineError>) {
        let failed = outcome.is_err();
        let before = std::mem::replace(&mut self.state.lock().checkpoint_failed, failed);
        match outcome {
            Err(error) => tracing::error!(%error, "a checkpoint failed: nothing is accepted until one succeeds, and it is tried again"),
            Ok(_) if before => tracing::info!("a checkpoint succeeded again"),
            Ok(_) => {}
        }
    }

    /// Notes whether a flush into the lake succeeded.
    pub(crate) fn flushed(&self, succeeded: bool) {
        let mut state = self.state.lock();
        state.failed_flushes = if succeeded { 0 } else { state.failed_flushes.saturating_add(1) };
    }

    /// Notes whether an erasure failed and is not finished.
    pub(crate) fn erased(&self, failed: bool) {
        self.state.lock().erasure_failed = failed;
    }

    /// Looks at the disk.
    pub(crate) fn look(&self) {
        let shortage = self.disk.look().err();
        let before = std::mem::replace(&mut self.state.lock().shortage, shortage);
        match (before, shortage) {
            (None, Some(shortage)) => tracing::error!("{shortage}"),
            (Some(_), None) => tracing::info!("there is room on the disk of the data directory again"),
            _ => {}
        }
    }

    /// Looks at the disk, and whether one of the database's own threads failed.
    pub(crate) fn look_at(&self, db: &Database) {
        self.look();
        if let Err(error) = db.persist(PersistMode::Buffer) {
            self.broke(&error.into());
        }
    }

    /// Whether anything may be written that can be done without.
    pub(crate) fn is_writable(&self) -> bool {
        let state = self.state.lock();
        state.broken.is_none() && state.shortage.is_none()
    }

    /// Looks at the disk, and says whether facts may be taken in.
    ///
    /// # Errors
    /// [`EngineError::ReadOnly`] with everything that is wrong.
    pub(crate) fn admit(&self) -> Result<(), EngineError> {
        self.look();
        let problems = self.problems();
        let what: Vec<&str> = problems.iter().filter(|problem| problem.stops_ingest).map(|problem| problem.what.as_str()).collect();
        if what.is_empty() { Ok(()) } else { Err(EngineError::ReadOnly(what.join("; "))) }
    }

    /// Everything that is wrong.
    pub(crate) fn problems(&self) -> Vec<Problem> {
        let state = self.state.lock();
        let mut problems = Vec::new();
        let mut add = |what: String, stops_ingest| problems.push(Problem { what, stops_ingest });
        if let Some(shortage) = &state.shortage {
            add(shortage.to_string(), true);
        }
        if state.broken.is_some() {
            add("the storage failed, and is opened again once it takes writes; the cause is in the server's log".into(), true);
        } else if state.checkpoint_failed {
            add("a checkpoint failed, and is tried again; the cause is in the server's log".into(), true);
        }
        if state.failed_flushes >= FLUSHES {
            add(
                format!(
                    "the lake could not be written {} times in a row: facts stay in the data directory; the cause is in the server's log",
                    state.failed_flushes
                ),
                false,
            );
        }
        if state.erasure_failed {
            add(
                "an erasure is not finished: some of what it erases is still there; it is tried again; the cause is in the server's log"
                    .into(),
                false,
            );
        }
        problems
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_wrong_is_said_in_words_and_stops_ingest_only_where_it_must() {
        let home = tempfile::tempdir().unwrap();
        let health = Health::new(home.path(), 0);
        health.admit().unwrap();
        let failed = || EngineError::Storage("/a/path: Input/output error".into());
        for round in 1..=FLUSHES {
            assert!(health.problems().is_empty(), "after {} flushes", round - 1);
            health.flushed(false);
        }
        health.admit().unwrap();
        assert!(matches!(&health.problems()[..], [problem] if problem.what.contains("the lake") && !problem.stops_ingest));
        health.flushed(true);
        health.checkpointed(Err(failed()));
        assert!(health.admit().unwrap_err().to_string().contains("a checkpoint failed"));
        health.checkpointed(Ok(1));
        health.admit().unwrap();
        health.broke(&failed());
        let told = health.admit().unwrap_err().to_string();
        assert!(told.contains("the storage failed") && !told.contains("/a/path"), "{told}");
        assert!(!health.is_writable() && health.has_failed_before());
        assert!(Health::new(home.path(), 0).has_failed_before(), "the next start knows it");
        health.is_whole_again();
        assert!(!Health::new(home.path(), 0).has_failed_before());
    }
}
