//! A store that answers with errors, on top of a real one: what it does to commits.

use super::{Lake, Store};
use crate::ledger::Ledger;
use crate::location::Location;
use crate::testing::{attendances, organization};
use crate::{Engine, EngineError, Settings};
use futures::stream::BoxStream;
use object_store::local::LocalFileSystem;
use object_store::path::Path;
use object_store::{
    CopyOptions, Error, GetOptions, GetResult, ListResult, MultipartUpload, ObjectMeta, ObjectStore, PutMultipartOptions, PutOptions,
    PutPayload, PutResult, Result,
};
use parking_lot::Mutex;
use std::sync::Arc;
use tempfile::TempDir;
use url::Url;

/// What happens to the next put of a file whose name has an ending.
#[derive(Debug, Clone, Copy, PartialEq)]
enum Fault {
    /// It does not happen.
    Refused,
    /// It happens, and its answer is lost.
    Lost,
    /// The same, and a retry below us finds the file.
    LostAndRetried,
    /// The same as lost, and nothing can be read until the fault is over.
    LostAndSilent,
}

#[derive(Debug, Default)]
struct Faults {
    next: Option<(&'static str, Fault)>,
    silent: bool,
}

#[derive(Debug)]
struct Faulty {
    real: LocalFileSystem,
    faults: Arc<Mutex<Faults>>,
}

impl std::fmt::Display for Faulty {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("faulty")
    }
}

fn silence() -> Error {
    Error::Generic { store: "faulty", source: "no answer".into() }
}

#[async_trait::async_trait]
impl ObjectStore for Faulty {
    async fn put_opts(&self, location: &Path, payload: PutPayload, options: PutOptions) -> Result<PutResult> {
        let fault = {
            let mut faults = self.faults.lock();
            let fault = faults.next.take_if(|(ending, _)| location.as_ref().ends_with(*ending)).map(|(_, fault)| fault);
            faults.silent |= fault == Some(Fault::LostAndSilent);
            fault
        };
        match fault {
            None => self.real.put_opts(location, payload, options).await,
            Some(Fault::Refused) => Err(silence()),
            Some(Fault::Lost | Fault::LostAndSilent) => self.real.put_opts(location, payload, options).await.and(Err(silence())),
            Some(Fault::LostAndRetried) => {
                self.real.put_opts(location, payload.clone(), options.clone()).await?;
                self.real.put_opts(location, payload, options).await
            }
        }
    }

    async fn put_multipart_opts(&self, location: &Path, options: PutMultipartOptions) -> Result<Box<dyn MultipartUpload>> {
        self.real.put_multipart_opts(location, options).await
    }

    async fn get_opts(&self, location: &Path, options: GetOptions) -> Result<GetResult> {
        if self.faults.lock().silent { Err(silence()) } else { self.real.get_opts(location, options).await }
    }

    fn delete_stream(&self, locations: BoxStream<'static, Result<Path>>) -> BoxStream<'static, Result<Path>> {
        self.real.delete_stream(locations)
    }

    fn list(&self, prefix: Option<&Path>) -> BoxStream<'static, Result<ObjectMeta>> {
        if self.faults.lock().silent { Box::pin(futures::stream::iter([Err(silence())])) } else { self.real.list(prefix) }
    }

    async fn list_with_delimiter(&self, prefix: Option<&Path>) -> Result<ListResult> {
        if self.faults.lock().silent { Err(silence()) } else { self.real.list_with_delimiter(prefix).await }
    }

    async fn copy_opts(&self, from: &Path, to: &Path, options: CopyOptions) -> Result<()> {
        self.real.copy_opts(from, to, options).await
    }
}

struct Stage {
    data: TempDir,
    faults: Arc<Mutex<Faults>>,
}

impl Stage {
    fn new() -> Self {
        Self { data: tempfile::tempdir().unwrap(), faults: Arc::default() }
    }

    /// Leaves facts of so many users in the ledger.
    fn ingest(&self, users: std::ops::Range<i64>) {
        let engine = Engine::open(self.data.path(), Settings { flush_seconds: 0, ..Settings::default() }).unwrap();
        let organization = organization(1);
        let facts = users.map(|user| ("s", format!("user {user}"), [1_740_819_600_000 + user; 3]));
        engine.ingest(&organization, attendances(&organization, facts)).unwrap();
    }

    fn ledger(&self) -> Ledger {
        Ledger::open(&self.data.path().join("ledger"), &Settings::default()).unwrap()
    }

    fn open(&self, ledger: &Ledger) -> Lake {
        let objects = Faulty { real: LocalFileSystem::new(), faults: self.faults.clone() };
        let root = Url::from_directory_path(self.data.path().join("lake").canonicalize().unwrap()).unwrap();
        let location = Location::Directory(self.data.path().join("lake"));
        Lake::over(location, Store::over(Arc::new(objects), root, false).unwrap(), ledger).unwrap()
    }

    fn fault(&self, ending: &'static str, fault: Fault) {
        *self.faults.lock() = Faults { next: Some((ending, fault)), silent: false };
    }
}

fn facts(lake: &Lake) -> u64 {
    lake.tables.attendance.files().facts()
}

/// Flushes everything.
fn flush(lake: &Lake, ledger: &Ledger) -> Result<u64, EngineError> {
    let position = |key: fjall::Slice| u64::from_be_bytes(key[21..29].try_into().unwrap());
    let last = ledger.facts.iter().map(|block| position(block.key().unwrap())).max();
    lake.flush(ledger, last.unwrap_or_default(), &ledger.waiting.all(), || true)
}

/// How many blocks of facts the ledger has.
fn waiting(ledger: &Ledger) -> usize {
    ledger.facts.iter().count()
}

#[test]
fn a_commit_whose_answer_is_lost_happened_once() {
    for commit in ["00000000000000000000.json", "00000000000000000001.json", ".parquet"] {
        for fault in [Fault::Refused, Fault::Lost, Fault::LostAndRetried, Fault::LostAndSilent] {
            let stage = Stage::new();
            stage.ingest(0..7);
            let ledger = stage.ledger();
            let lake = stage.open(&ledger);
            stage.fault(commit, fault);
            let first = flush(&lake, &ledger);
            let known = commit == "00000000000000000001.json" && matches!(fault, Fault::Lost | Fault::LostAndRetried);
            assert!(!known || first.is_ok(), "{commit} {fault:?}: {first:?}");
            *stage.faults.lock() = Faults::default();
            flush(&lake, &ledger).unwrap();
            assert_eq!(facts(&lake), 7, "{commit} {fault:?}");
            assert_eq!(waiting(&ledger), 0, "{commit} {fault:?}");
            drop(lake);
            // What another process reads is the same.
            assert_eq!(facts(&stage.open(&ledger)), 7, "{commit} {fault:?}");
        }
    }
}

#[test]
fn while_the_store_is_away_the_ledger_keeps_the_facts() {
    let stage = Stage::new();
    stage.ingest(0..7);
    let ledger = stage.ledger();
    let lake = stage.open(&ledger);
    flush(&lake, &ledger).unwrap();
    drop((lake, ledger));
    stage.ingest(7..9);
    let ledger = stage.ledger();
    let lake = stage.open(&ledger);
    for _ in 0..3 {
        stage.fault(".parquet", Fault::LostAndSilent);
        flush(&lake, &ledger).unwrap_err();
        assert_eq!((waiting(&ledger), facts(&lake)), (1, 7));
    }
    *stage.faults.lock() = Faults::default();
    assert_eq!(flush(&lake, &ledger).unwrap(), 2);
    assert_eq!((waiting(&ledger), facts(&lake)), (0, 9));
}

#[test]
fn another_process_that_writes_the_lake_is_found_out_and_nothing_is_lost() {
    let stage = Stage::new();
    stage.ingest(0..7);
    let ledger = stage.ledger();
    let (one, other) = (stage.open(&ledger), stage.open(&ledger));
    // Both have the same ledger, as a data directory and its copy would.
    flush(&one, &ledger).unwrap();
    drop((one, ledger));
    stage.ingest(7..9);
    let ledger = stage.ledger();
    let error = flush(&other, &ledger).unwrap_err().to_string();
    assert!(error.contains("another process writes the lake"), "{error}");
    assert_eq!(waiting(&ledger), 1);
}
