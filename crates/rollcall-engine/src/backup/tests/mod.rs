//! A backup is the state of one moment, and gives it back.

mod damaged;

use super::manifest::{Manifest, NAME};
use super::{Made, restore};
use crate::access::{self, Actor, NewKey};
use crate::cells::Scope;
use crate::data_directory::UNFINISHED;
use crate::error::EngineError;
use crate::kinds::block::AttendanceBlock;
use crate::lake::Store;
use crate::location::{Location, StoreOptions};
use crate::testing::attendances;
use crate::{Engine, Settings};
use rollcall_model::calendar::DAY_MILLIS;
use rollcall_model::reports::{MeetingDays, TopUsers, UserOrder};
use rollcall_model::{Organization, Range, Reports};
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, AtomicI64, Ordering};
use tempfile::TempDir;

/// 2025-03-03T00:00:00Z.
const BASE: i64 = 1_740_960_000_000;
const ALL: Range = Range::new(BASE - DAY_MILLIS, BASE + 300 * DAY_MILLIS);

fn organization() -> Organization {
    crate::testing::organization(1)
}

fn settings() -> Settings {
    Settings { flush_seconds: 0, ..Settings::default() }
}

fn open(directory: &Path) -> Engine {
    Engine::open(directory, settings()).unwrap()
}

/// Ingests the facts of these numbers: each is in a meeting of its own, an hour after the one before.
fn ingest(engine: &Engine, numbers: std::ops::Range<i64>) {
    let fact = |number: i64| {
        let at = BASE + number * 3_600_000;
        (format!("meeting {number}"), format!("user {}", number % 7), [at, at, at + 60_000 * (number % 50)])
    };
    let facts = attendances(&organization(), numbers.clone().map(fact));
    assert_eq!(engine.ingest(&organization(), facts).unwrap().accepted, (numbers.end - numbers.start) as u64);
}

/// The numbers of the facts, ascending.
fn numbers(engine: &Engine) -> Vec<i64> {
    let mut found = Vec::new();
    for block in engine.scan::<AttendanceBlock>(organization().id, ALL) {
        let block = block.unwrap();
        found.extend(block.rows().map(|row| (row.session_started_at - BASE) / 3_600_000));
    }
    found.sort_unstable();
    found
}

fn answers(engine: &Engine) -> String {
    let zone = jiff::tz::TimeZone::get("Asia/Kathmandu").unwrap();
    let days = MeetingDays::by_day(ALL, zone.clone());
    let top = TopUsers { range: ALL, zone, order: UserOrder::Duration, limit: 9, app: None, unit: None, kinds: None };
    let org = organization().id;
    format!("{:?} {:?}", engine.meeting_days(org, &days).unwrap().rows, engine.top_users(org, &top).unwrap().rows)
}

/// What lies beside the ledger stays as it is.
fn as_it_is(name: &str, bytes: Vec<u8>) -> Result<Option<(String, Vec<u8>)>, String> {
    Ok(Some((name.to_owned(), bytes)))
}

struct Stage {
    home: TempDir,
}

impl Stage {
    fn new() -> Self {
        Self { home: tempfile::tempdir().unwrap() }
    }

    fn path(&self, name: &str) -> PathBuf {
        self.home.path().join(name)
    }

    fn target(&self) -> Location {
        Location::Directory(self.path("backup"))
    }

    fn backup(&self, engine: &Engine) -> Result<Made, EngineError> {
        let key: Vec<_> = fs::read(engine.home().join("signing.key")).into_iter().map(|key| ("signing.key", key)).collect();
        engine.backup(&self.target(), &StoreOptions::default(), &key, &|done, of| assert!(done <= of))
    }

    fn restore(&self, name: &str) -> Result<Engine, EngineError> {
        restore(&self.target(), &self.path(name), &settings(), &mut as_it_is, &|done, of| assert!(done <= of))?;
        Ok(open(&self.path(name)))
    }

    fn manifest(&self) -> Manifest {
        Manifest::read(&Store::open(&self.target(), &StoreOptions::default()).unwrap()).unwrap().unwrap()
    }

    /// Every file of the backup.
    fn files(&self) -> Vec<(String, usize)> {
        let store = Store::open(&self.target(), &StoreOptions::default()).unwrap();
        store.list("").unwrap().into_iter().map(|(name, meta)| (name, meta.size as usize)).collect()
    }
}

#[test]
fn a_restored_backup_is_the_state_of_one_moment_while_facts_came_in() {
    let stage = Stage::new();
    let engine = open(&stage.path("data"));
    fs::write(stage.path("data/signing.key"), [7; 32]).unwrap();
    let scopes = [access::Scope::Read].into_iter().collect();
    let key = NewKey { name: "k".into(), hash: [9; 32], scopes, department: None, expires: None };
    let key = engine.make_key(organization().id, key, Actor::Operator, BASE).unwrap();
    ingest(&engine, 0..200);
    engine.flush().unwrap();
    answers(&engine);
    let (stop, acknowledged) = (AtomicBool::new(false), AtomicI64::new(200));
    let (before, after) = std::thread::scope(|threads| {
        threads.spawn(|| {
            while !stop.load(Ordering::SeqCst) {
                let next = acknowledged.load(Ordering::SeqCst);
                ingest(&engine, next..next + 3);
                acknowledged.store(next + 3, Ordering::SeqCst);
                if next % 4 == 0 {
                    engine.flush().unwrap();
                }
            }
        });
        while acknowledged.load(Ordering::SeqCst) < 260 {
            std::thread::yield_now();
        }
        let before = acknowledged.load(Ordering::SeqCst);
        let made = stage.backup(&engine);
        stop.store(true, Ordering::SeqCst);
        made.unwrap();
        (before, acknowledged.load(Ordering::SeqCst))
    });
    drop(engine);
    let restored = stage.restore("restored").unwrap();
    assert_eq!((restored.key_of(&[9; 32]).unwrap().key(), restored.audit(organization().id, None, 9).unwrap().events.len()), (&key, 1));
    let found = numbers(&restored);
    let count = found.len() as i64;
    assert_eq!(found, (0..count).collect::<Vec<_>>());
    // The last request may have been stored and not yet acknowledged.
    assert!(count >= before && count <= after + 3, "{before} {count} {after}");
    let same = open(&stage.path("same"));
    ingest(&same, 0..count);
    assert_eq!(answers(&restored), answers(&same));
    restored.checkpoint().unwrap();
    let verified = restored.verify(&Scope::ALL, &|_, _| {}).unwrap();
    assert_eq!((verified.facts, verified.differences), (count as u64, 0), "{verified:?}");
    assert_eq!(fs::read(stage.path("restored/signing.key")).unwrap(), [7; 32]);
    // It goes on from there, and knows what it had.
    restored.flush().unwrap();
    ingest(&restored, count..count + 1);
    restored.flush().unwrap();
    assert_eq!(numbers(&restored).len() as i64, count + 1);
    drop(restored);
    assert_eq!(numbers(&open(&stage.path("restored"))).len() as i64, count + 1);
}

#[test]
fn a_second_backup_copies_what_is_new_and_removes_what_is_no_longer_needed() {
    let stage = Stage::new();
    let engine = open(&stage.path("data"));
    ingest(&engine, 0..50);
    engine.flush().unwrap();
    let first = stage.backup(&engine).unwrap();
    assert_eq!((first.files_written, first.lake_facts, first.files_removed), (first.files, 50, 0));
    let data_files = |stage: &Stage| stage.manifest().files.iter().filter(|file| file.is_of_table() && !file.is_of_log()).count() as u64;
    let old = data_files(&stage);
    ingest(&engine, 50..60);
    engine.flush().unwrap();
    let second = stage.backup(&engine).unwrap();
    // A data file, a commit, and the ledger.
    assert_eq!((data_files(&stage), second.files_written, second.lake_facts), (old + 1, 3, 60));
    assert_eq!(second.files_removed, 1);
    let manifest = stage.manifest();
    let kept: Vec<String> = stage.files().into_iter().map(|(name, _)| name).filter(|name| !name.starts_with("backup.")).collect();
    let mut told: Vec<String> = manifest.files.into_iter().map(|file| file.name).collect();
    told.sort_unstable();
    assert_eq!(kept, told);
    drop(engine);
    assert_eq!(numbers(&stage.restore("restored").unwrap()), (0..60).collect::<Vec<_>>());
}

#[test]
fn a_log_with_a_checkpoint_is_backed_up_from_there() {
    let stage = Stage::new();
    let engine = open(&stage.path("data"));
    for number in 0..60 {
        ingest(&engine, number..number + 1);
        engine.flush().unwrap();
    }
    stage.backup(&engine).unwrap();
    let log: Vec<_> = stage.manifest().files.into_iter().filter(|file| file.is_of_log()).collect();
    assert!(log.len() < 30 && log.iter().any(|file| file.name.ends_with(".checkpoint.parquet")), "{log:?}");
    drop(engine);
    assert_eq!(numbers(&stage.restore("restored").unwrap()), (0..60).collect::<Vec<_>>());
}

#[test]
fn until_the_manifest_is_written_the_backup_before_stays() {
    let stage = Stage::new();
    let engine = open(&stage.path("data"));
    ingest(&engine, 0..50);
    engine.flush().unwrap();
    stage.backup(&engine).unwrap();
    let first: Vec<_> = stage.manifest().files.into_iter().filter(|file| file.is_part()).map(|file| file.name).collect();
    let of_first = first.iter().map(String::as_str).chain([NAME]).map(|name| stage.path("backup").join(name));
    let of_first: Vec<_> = of_first.map(|path| (fs::read(&path).unwrap(), path)).collect();
    ingest(&engine, 50..60);
    engine.flush().unwrap();
    stage.backup(&engine).unwrap();
    // As it was before the manifest of the second.
    for (bytes, path) in of_first {
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, bytes).unwrap();
    }
    assert_eq!(numbers(&stage.restore("restored").unwrap()).len(), 50);
    let made = stage.backup(&engine).unwrap();
    // Parts of both; the data file that the second copied is not copied again.
    assert_eq!((made.files_removed, made.files_written), (2, 2));
    assert_eq!(numbers(&stage.restore("again").unwrap()).len(), 60);
}

#[test]
fn a_backup_lies_where_nothing_else_does() {
    let stage = Stage::new();
    let engine = open(&stage.path("data"));
    ingest(&engine, 0..5);
    let to = |engine: &Engine, name: &str| {
        let target = Location::Directory(stage.path(name));
        engine.backup(&target, &StoreOptions::default(), &[], &|_, _| {}).unwrap_err().to_string()
    };
    for within in ["data", "data/lake", "data/backup", ""] {
        assert!(to(&engine, within).contains("lie in one another"), "{within}");
    }
    fs::create_dir(stage.path("photos")).unwrap();
    fs::write(stage.path("photos/one"), "").unwrap();
    assert!(to(&engine, "photos").contains("is not empty, and holds no backup"));
    stage.backup(&engine).unwrap();
    let other = open(&stage.path("other"));
    ingest(&other, 0..5);
    assert!(stage.backup(&other).unwrap_err().to_string().contains("the backup of another data directory"));
    let error = restore(&stage.target(), &stage.path("photos"), &settings(), &mut as_it_is, &|_, _| {}).unwrap_err().to_string();
    assert!(error.contains("is not empty; a backup is restored to a new directory"), "{error}");
    let nowhere = Location::Directory(stage.path("nowhere"));
    let error = restore(&nowhere, &stage.path("new"), &settings(), &mut as_it_is, &|_, _| {}).unwrap_err().to_string();
    assert!(error.contains("is no directory") && !stage.path("nowhere").exists(), "{error}");
}

#[test]
fn a_lake_keeps_its_one_writer() {
    let stage = Stage::new();
    let lake = |name: &str| Settings { lake: Some(Location::Directory(stage.path(name))), ..settings() };
    let engine = Engine::open(&stage.path("data"), lake("lake")).unwrap();
    ingest(&engine, 0..9);
    engine.flush().unwrap();
    stage.backup(&engine).unwrap();
    drop(engine);
    let refused =
        |settings: &Settings| restore(&stage.target(), &stage.path("new"), settings, &mut as_it_is, &|_, _| {}).unwrap_err().to_string();
    assert!(refused(&lake("lake")).contains("one lake has one writer"));
    assert!(refused(&lake("backup")).contains("the backup is no lake"));
    assert!(!stage.path("new").exists());
    let restored = restore(&stage.target(), &stage.path("new"), &lake("another"), &mut as_it_is, &|_, _| {}).unwrap();
    assert!(restored.lake.ends_with("/another"), "{restored:?}");
    // Without settings the directory knows where its lake is; with others it refuses.
    assert_eq!(numbers(&open(&stage.path("new"))).len(), 9);
    let error = Engine::open(&stage.path("new"), lake("lake")).unwrap_err().to_string();
    assert!(error.contains("the configuration says") && error.contains("/another"), "{error}");
    // A copy that goes its own way does not spoil the backup of the first.
    let (first, copy) = (open(&stage.path("data")), open(&stage.path("new")));
    for (engine, from) in [(&first, 9), (&copy, 20)] {
        ingest(engine, from..from + 3);
        engine.flush().unwrap();
    }
    stage.backup(&first).unwrap();
    assert!(stage.backup(&copy).unwrap_err().to_string().contains("differs from the one that the backup there has"));
    assert_eq!(numbers(&stage.restore("third").unwrap()).len(), 12);
}

#[test]
fn a_backup_is_its_owners_alone_whoever_made_the_target() {
    use std::os::unix::fs::PermissionsExt;
    let stage = Stage::new();
    let engine = open(&stage.path("data"));
    fs::write(stage.path("data/signing.key"), [7; 32]).unwrap();
    ingest(&engine, 0..9);
    engine.flush().unwrap();
    fs::create_dir(stage.path("backup")).unwrap();
    fs::set_permissions(stage.path("backup"), fs::Permissions::from_mode(0o755)).unwrap();
    stage.backup(&engine).unwrap();
    let mode = |path: PathBuf| fs::metadata(path).unwrap().permissions().mode() & 0o777;
    assert_eq!(mode(stage.path("backup")), 0o700);
    // What an earlier version left open to others.
    fs::set_permissions(stage.path("backup"), fs::Permissions::from_mode(0o755)).unwrap();
    let opened = stage.path("backup/backup.owner");
    fs::set_permissions(&opened, fs::Permissions::from_mode(0o644)).unwrap();
    stage.backup(&engine).unwrap();
    assert_eq!((mode(stage.path("backup")), mode(opened)), (0o700, 0o600));
}
