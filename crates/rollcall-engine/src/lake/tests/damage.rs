//! Damage in the lake is an error with the file's name, never fewer or other facts.

use super::*;
use crate::cells::{DamagedFile, Findings, Scope};
use crate::export::Format;
use crate::kinds::block::AssistanceBlock;
use crate::kinds::columns::Assistances;
use crate::kinds::stored::Wanted;
use crate::lake::checksums::Checked;
use crate::lake::merge::Merge;
use crate::lake::read::{ByMemory, LakeScan};
use crate::lake::{DataFile, FOOTER_BYTES};
use arrow_array::RecordBatch;
use jiff::civil::Weekday;
use jiff::tz::TimeZone;
use parquet::arrow::arrow_reader::{ArrowReaderOptions, ParquetRecordBatchReaderBuilder};
use proptest::prelude::*;
use quick_cache::sync::Cache;
use rollcall_model::reports::{ActiveUsers, Grouping, StayFilter};
use rollcall_model::{AssistanceDraft, Reports};
use std::fs::File;
use std::os::unix::fs::FileExt;
use std::path::PathBuf;
use std::sync::Arc;

/// Changes one bit, and gives back what it was when it is dropped.
struct Flipped {
    file: File,
    at: u64,
    was: u8,
}

impl Flipped {
    fn new(path: &Path, at: u64, bit: u8) -> Self {
        let file = File::options().read(true).write(true).open(path).unwrap();
        let mut byte = [0];
        file.read_exact_at(&mut byte, at).unwrap();
        file.write_all_at(&[byte[0] ^ (1 << bit)], at).unwrap();
        Self { file, at, was: byte[0] }
    }
}

impl Drop for Flipped {
    fn drop(&mut self) {
        self.file.write_all_at(&[self.was], self.at).unwrap();
    }
}

/// The only file of the attendances' table, and where it lies.
fn only_file(engine: &Engine, home: &Path) -> (Arc<DataFile>, PathBuf) {
    let file = engine.lake().attendance.iter().next().unwrap().clone();
    let path = home.join("lake/attendance").join(&file.name);
    (file, path)
}

/// Everything in a file, by a reader who has not read its footer before.
fn scanned(engine: &Engine, file: &Arc<DataFile>, wanted: Wanted) -> Result<Vec<RecordBatch>, crate::EngineError> {
    let footers = Arc::new(Cache::with_weighter(16, FOOTER_BYTES, ByMemory));
    let mut scan = LakeScan::<AttendanceBlock>::new(engine.facts.lake.store.clone(), footers, "attendance", vec![file.clone()], wanted);
    let mut found = Vec::new();
    while let Some(words) = scan.next_words()? {
        found.push(words);
    }
    Ok(found)
}

fn merged(engine: &Engine, file: &Arc<DataFile>) -> Result<Vec<RecordBatch>, crate::EngineError> {
    let mut merge = Merge::open::<AttendanceBlock>(&engine.facts.lake.store, "attendance", std::slice::from_ref(file))?;
    let mut found = Vec::new();
    while let Some(batch) = merge.next_batch()? {
        found.push(batch);
    }
    Ok(found)
}

#[test]
fn a_data_file_is_read_as_it_was_written_or_not_at_all_whatever_bit_is_flipped() {
    let home = tempfile::tempdir().unwrap();
    let engine = open(home.path());
    let facts: Vec<Fact> =
        (0..3000).map(|number| (BASE + i64::from(number) * 7001, (number % 7) as u8, number, i64::from(number % 60))).collect();
    ingest(&engine, &facts);
    engine.flush().unwrap();
    let (file, path) = only_file(&engine, home.path());
    assert!(file.size > 3 * 8192 && file.checksum.is_some(), "{file:?}");
    let part = Wanted::times(Range::new(BASE + 7001 * 1000, BASE + 7001 * 1010));
    let read = || (scanned(&engine, &file, Wanted::times(ALWAYS)), scanned(&engine, &file, part), merged(&engine, &file));
    let whole = [read().0.unwrap(), read().1.unwrap(), read().2.unwrap()];
    assert_eq!(whole[0].iter().map(RecordBatch::num_rows).sum::<usize>(), 3000);
    let (mut noticed, name) = (0, file.name.clone());
    // Every byte of the end, which decides what is read of the rest.
    let tail = file.size - 8000;
    for (number, at) in (0..file.size).filter(|at| *at > tail || at % 5 == 0).enumerate() {
        let _flipped = Flipped::new(&path, at, number as u8 % 8);
        let damage = engine.facts.lake.store.differs("attendance", &file).unwrap();
        assert!(damage.is_some(), "byte {at}");
        // Reading takes longer.
        if at % 211 > 4 && at + 60 < file.size {
            continue;
        }
        let (all, some, merged) = read();
        for (read, whole) in [all, some, merged].into_iter().zip(&whole) {
            match read {
                Ok(read) => assert_eq!(read, *whole, "byte {at}"),
                Err(error) => {
                    noticed += 1;
                    assert!(error.to_string().contains(&name) && error.to_string().contains("--only-damaged"), "{error}");
                }
            }
        }
    }
    assert!(noticed > file.size / 211, "{noticed}");
    assert_eq!(engine.facts.lake.store.differs("attendance", &file).unwrap(), None);
    // Cut off, longer, gone.
    let whole_file = std::fs::read(&path).unwrap();
    for damaged in [Some(whole_file[..whole_file.len() - 1].to_vec()), Some([whole_file.as_slice(), b"x"].concat()), None] {
        match &damaged {
            Some(bytes) => std::fs::write(&path, bytes).unwrap(),
            None => std::fs::remove_file(&path).unwrap(),
        }
        assert!(engine.facts.lake.store.differs("attendance", &file).unwrap().is_some());
        assert!(matches!(scanned(&engine, &file, Wanted::times(ALWAYS)), Err(crate::EngineError::Damaged(_))));
    }
}

#[test]
fn a_reader_that_does_not_know_where_pages_are_is_checked_too() {
    let home = tempfile::tempdir().unwrap();
    let engine = open(home.path());
    ingest(&engine, &(0..3000).map(|number| (BASE + i64::from(number) * 7001, 1, number, 0)).collect::<Vec<_>>());
    engine.flush().unwrap();
    let (file, path) = only_file(&engine, home.path());
    // Without page indexes, pages are read one after the other, each to where its header says.
    let read = || {
        let source = Checked::open(&engine.facts.lake.store, "attendance", &file)?;
        let footer = source.footer(ArrowReaderOptions::new())?;
        let source = source.with(&footer);
        let batches = ParquetRecordBatchReaderBuilder::new_with_metadata(source.clone(), footer.parquet).build().unwrap();
        batches.map(|batch| Ok(batch.map_err(|error| source.failed(error))?.num_rows())).sum::<Result<usize, crate::EngineError>>()
    };
    assert_eq!(read().unwrap(), 3000);
    for at in [4, 5000, 9000] {
        let _flipped = Flipped::new(&path, at, 0);
        assert!(matches!(read(), Err(crate::EngineError::Damaged(text)) if text.contains(&file.name)));
    }
}

#[test]
fn the_log_has_a_checksum_of_each_file() {
    let home = tempfile::tempdir().unwrap();
    let engine = open(home.path());
    // Past a checkpoint of the log.
    flush_each(&engine, 0..12);
    let files: Vec<Arc<DataFile>> = engine.lake().attendance.iter().cloned().collect();
    let log = std::fs::read_to_string(home.path().join("lake/attendance/_delta_log/00000000000000000001.json")).unwrap();
    let add: serde_json::Value =
        log.lines().map(|line| serde_json::from_str::<serde_json::Value>(line).unwrap()).find_map(|line| line.get("add").cloned()).unwrap();
    let first = files.iter().find(|file| add["path"] == *file.name).unwrap();
    assert_eq!(add["tags"]["rollcall.checksum"], first.checksum.unwrap().to_string(), "{add}");
    assert_eq!(add["size"], first.size);
    drop(engine);
    let reopened: Vec<Arc<DataFile>> = open(home.path()).lake().attendance.iter().cloned().collect();
    assert_eq!(reopened, files);
}

/// Makes a table's log as it was before there were checksums.
fn strip_checksums(home: &Path) {
    for entry in std::fs::read_dir(home.join("lake/attendance/_delta_log")).unwrap() {
        let path = entry.unwrap().path();
        let lines = std::fs::read_to_string(&path).unwrap();
        let mut old = String::new();
        for line in lines.lines() {
            let mut action: serde_json::Value = serde_json::from_str(line).unwrap();
            if let Some(add) = action.get_mut("add") {
                add.as_object_mut().unwrap().remove("tags");
            }
            if let Some(author) = action.pointer_mut("/commitInfo/engineInfo") {
                *author = author.as_str().unwrap().split(" fingerprint ").next().unwrap().into();
            }
            old += &format!("{action}\n");
        }
        std::fs::write(path, old).unwrap();
    }
}

#[test]
fn a_lake_from_before_there_were_checksums_opens_and_gets_them_as_files_are_joined() {
    let home = tempfile::tempdir().unwrap();
    let engine = open(home.path());
    flush_each(&engine, 0..3);
    let facts = facts_in(&engine);
    drop(engine);
    strip_checksums(home.path());
    let engine = open(home.path());
    assert!(engine.lake().attendance.iter().all(|file| file.checksum.is_none()));
    assert_eq!((facts_in(&engine), verified(&engine).damaged_files), (facts.clone(), 0));
    engine.compact().unwrap();
    assert!(engine.lake().attendance.iter().all(|file| file.checksum.is_some()));
    assert_eq!(facts_in(&engine), facts);
    drop(engine);
    assert_eq!(facts_in(&open(home.path())), facts);
}

#[test]
fn a_log_that_lost_or_changed_something_is_refused() {
    let changes: [(&str, &str, &str); 4] = [
        ("statistics, by which files are passed over", "2025-03-01T09:00", "2025-03-02T09:00"),
        ("a file", "\"add\"", "\"bdd\""),
        ("a size", "\"size\":", "\"size\":1"),
        ("a position", "\"version\":", "\"version\":1"),
    ];
    for (what, from, to) in changes {
        let home = tempfile::tempdir().unwrap();
        let engine = open(home.path());
        flush_each(&engine, 0..2);
        drop(engine);
        let newest = home.path().join("lake/attendance/_delta_log/00000000000000000002.json");
        let log = std::fs::read_to_string(&newest).unwrap();
        assert!(log.contains(from), "{what}: {log}");
        std::fs::write(&newest, log.replace(from, to)).unwrap();
        let error = Engine::open(home.path(), Settings { flush_seconds: 0, ..Settings::default() }).unwrap_err();
        assert!(error.to_string().contains("restore"), "{what}: {error}");
    }
}

/// Attendances and assistances of some months in several files, with a checkpoint of the log; stopped.
fn filled(home: &Path) {
    let engine = open(home);
    for number in 0..11u16 {
        let at = BASE + i64::from(number) * 5 * DAY_MILLIS;
        ingest(&engine, &(0..20).map(|user| (at + i64::from(user) * 60_000, 1, number * 20 + user, 0)).collect::<Vec<_>>());
        if number % 4 == 0 {
            let mut facts = Assistances::default();
            let mut draft = AssistanceDraft::new();
            for (field, text) in [("user_id", "dev"), ("kind", "completion")] {
                draft.set(field, Value::Str(text.into()));
            }
            draft.set("at", Value::Int(at));
            facts.push(&draft.finish(&organization(), &Directory::default()).unwrap());
            engine.ingest(&organization(), facts).unwrap();
        }
        engine.flush().unwrap();
    }
    engine.checkpoint().unwrap();
}

/// Two exports, and a report that is made of facts where cells end; each as it is, or none with its error.
fn answers(engine: &Engine) -> Vec<Result<String, String>> {
    let org = organization().id;
    let (mut attendances, mut assistances) = (Vec::new(), Vec::new());
    let text = |bytes: Vec<u8>| String::from_utf8(bytes).unwrap();
    let first = engine.export::<AttendanceBlock>(org, ALWAYS, Format::Ndjson, &mut attendances);
    let second = engine.export::<AssistanceBlock>(org, ALWAYS, Format::Csv, &mut assistances);
    let active = |number: i64| {
        let from = BASE + number * 5 * DAY_MILLIS + 61_001;
        let ask = ActiveUsers {
            range: Range::new(from, from + 400_000),
            zone: TimeZone::UTC,
            week_start: Weekday::Monday,
            by: Grouping::Whole,
            of: StayFilter::default(),
        };
        engine.active_users(org, &ask).map(|answer| format!("{:?}", answer.rows)).map_err(|error| error.to_string())
    };
    let mut found = vec![
        first.map(|_| text(attendances)).map_err(|error| error.to_string()),
        second.map(|_| text(assistances)).map_err(|error| error.to_string()),
    ];
    found.extend((0..11).map(active));
    found
}

fn verified(engine: &Engine) -> Findings {
    engine.verify(&Scope::ALL, &|_, _| {}).unwrap()
}

fn files_below(directory: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in std::fs::read_dir(directory).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() { found.extend(files_below(&path)) } else { found.push(path) }
    }
    found.sort_unstable();
    found
}

fn copy_all(from: &Path, to: &Path) {
    for file in files_below(from) {
        let target = to.join(file.strip_prefix(from).unwrap());
        std::fs::create_dir_all(target.parent().unwrap()).unwrap();
        std::fs::copy(file, target).unwrap();
    }
}

#[test]
fn whatever_byte_of_the_lake_changes_answers_are_exact_or_errors_and_verify_says_which_file() {
    let stage = tempfile::tempdir().unwrap();
    filled(stage.path());
    let whole = {
        let engine = open(stage.path());
        assert_eq!((verified(&engine).differences, verified(&engine).damaged_files), (0, 0));
        answers(&engine)
    };
    assert!(whole.iter().all(Result::is_ok) && whole[0].as_ref().unwrap().lines().count() == 220, "{whole:?}");
    assert!(files_below(&stage.path().join("lake")).iter().any(|file| file.to_string_lossy().contains(".checkpoint.parquet")));
    let config = ProptestConfig { cases: 48, max_shrink_iters: 0, ..ProptestConfig::default() };
    proptest!(config, |(of_log in any::<bool>(), file in any::<prop::sample::Index>(), at in any::<prop::sample::Index>(), bit in 0u8..8)| {
        let home = tempfile::tempdir().unwrap();
        copy_all(stage.path(), home.path());
        let files = files_below(&home.path().join("lake"));
        let files: Vec<_> = files.into_iter().filter(|file| file.to_string_lossy().contains("_delta_log") == of_log).collect();
        let path = file.get(&files);
        let at = at.index(std::fs::metadata(path).unwrap().len() as usize) as u64;
        let _flipped = Flipped::new(path, at, bit);
        let Ok(engine) = Engine::open(home.path(), Settings { flush_seconds: 0, ..Settings::default() }) else {
            // A log that cannot be trusted.
            prop_assert!(of_log, "{path:?} {at}");
            return Ok(());
        };
        for (answer, whole) in answers(&engine).into_iter().zip(&whole) {
            prop_assert!(answer.is_err() || answer == *whole, "{path:?} {at}: {answer:?}");
        }
        if !of_log {
            let found = verified(&engine);
            let name = path.strip_prefix(home.path().join("lake")).unwrap().to_str().unwrap();
            prop_assert_eq!(found.damaged.iter().map(|file: &DamagedFile| file.name.as_str()).collect::<Vec<_>>(), vec![name]);
            // What is wrong are facts, not cells.
            prop_assert!(found.differences == 0 && found.unread_days > 0, "{found:?}");
            let rebuilt = engine.rebuild(&Scope::ALL, &|_, _| {}).unwrap();
            prop_assert_eq!((rebuilt.damaged_files, rebuilt.mended, rebuilt.base_cells), (1, 0, 0));
            prop_assert_eq!(verified(&engine).differences, 0);
        }
    });
}

#[test]
fn no_damage_of_a_checkpoint_of_the_log_is_more_than_an_error() {
    let stage = tempfile::tempdir().unwrap();
    filled(stage.path());
    let whole = answers(&open(stage.path()));
    let files = files_below(&stage.path().join("lake/attendance/_delta_log"));
    let checkpoint = files.iter().find(|file| file.to_string_lossy().contains(".checkpoint.parquet")).unwrap();
    // The kernel's reader divides by zero where a dictionary of one value says in its page's header that it has none.
    let bytes = std::fs::read(checkpoint).unwrap();
    let of_one_value = memchr::memmem::find_iter(&bytes, b"\x4c\x15\x02").map(|at| (at as u64 + 2, 1)).take(8);
    let anywhere = (0..60).map(|number| (number * bytes.len() as u64 / 60, number as u8 % 8));
    let mut refused = 0;
    for (at, bit) in of_one_value.chain(anywhere) {
        let _flipped = Flipped::new(checkpoint, at, bit);
        match Engine::open(stage.path(), Settings { flush_seconds: 0, ..Settings::default() }) {
            Err(_) => refused += 1,
            Ok(engine) => {
                for (answer, whole) in answers(&engine).into_iter().zip(&whole) {
                    assert!(answer.is_err() || answer == *whole, "byte {at}: {answer:?}");
                }
            }
        }
    }
    assert!(refused > 10, "{refused}");
}

#[test]
fn days_without_damaged_facts_are_verified_and_rebuilt() {
    let home = tempfile::tempdir().unwrap();
    filled(home.path());
    let engine = open(home.path());
    let last = engine.lake().attendance.iter().max_by_key(|file| file.times.from).unwrap().clone();
    let _flipped = Flipped::new(&home.path().join("lake/attendance").join(&last.name), 100, 3);
    let days = |range| Scope { org: Some(organization().id), range };
    let early = days(Range::new(BASE, BASE + 20 * DAY_MILLIS));
    let found = engine.verify(&early, &|_, _| {}).unwrap();
    assert_eq!((found.damaged_files, found.unread_days, found.differences), (0, 0, 0), "{found:?}");
    assert!(found.facts > 60);
    assert_eq!(engine.rebuild(&early, &|_, _| {}).unwrap().damaged_files, 0);
    let late = days(Range::new(last.times.from, last.times.to));
    assert_eq!(engine.rebuild(&late, &|_, _| {}).unwrap().damaged_files, 1);
    let other = Scope { org: Some(OrgId(uuid::Uuid::from_u128(9))), range: Scope::ALL.range };
    assert_eq!(engine.verify(&other, &|_, _| {}).unwrap().damaged_files, 0);
}
