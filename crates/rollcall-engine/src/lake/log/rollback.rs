//! A broken tail of a table's log is rolled back at start, never a reason not to start.
//!
//! The ledger keeps what it flushed until data files, commit and directories are durable, and only then notes the table's version. So a
//! commit up to that version must be whole; one beyond it may be anything that power loss leaves. Such a commit is read, and each data
//! file it adds is looked at; from the first that is broken on, commits leave the log. They are kept beside it.

use crate::error::EngineError;
use crate::lake::store::Store;
use serde_json::Value;

/// Where commits that were rolled back are kept: readers of Delta Lake pass over names that begin with `_`.
pub(in crate::lake) const ROLLED_BACK: &str = "_rolled_back";

/// How every Parquet file begins and ends.
const MAGIC: &[u8] = b"PAR1";

/// Rolls back the broken commits of a table after the version that is known to be durable.
pub(in crate::lake) fn roll_back(store: &Store, table: &str, durable: Option<u64>) -> Result<(), EngineError> {
    let log = store.list(&format!("{table}/_delta_log"))?;
    let newer = |name: &str| version_of(name).filter(|version| durable.is_none_or(|durable| *version > durable));
    let mut expected = durable.map_or(0, |durable| durable + 1);
    // What housekeeping cleaned away, the ledger knew to be durable.
    let first = log.iter().find(|(name, _)| is_commit(name)).and_then(|(name, _)| version_of(name));
    if let Some(first) = first.filter(|first| *first > expected) {
        return Err(EngineError::Storage(format!(
            "the log of the lake's table {table} begins at version {first}, long after what the data directory knows of it: restore a \
             backup of both"
        )));
    }
    let mut broken = None;
    for (name, _) in log.iter().filter(|(name, _)| name.ends_with(".json")) {
        let Some(version) = newer(name) else { continue };
        if version != expected || !is_whole(store, table, name)? {
            broken = Some(version);
            break;
        }
        expected += 1;
    }
    // A checkpoint without its commits was written after them: those that are whole are enough.
    for (name, meta) in &log {
        let Some(version) = newer(name) else { continue };
        let is_checkpoint = name.contains(".checkpoint");
        let goes = broken.is_some_and(|broken| version >= broken) || is_checkpoint && !is_parquet(store, name, meta.size)?;
        if goes {
            let file = name.rsplit('/').next().unwrap_or(name);
            tracing::warn!(commit = name, "rolled back a broken end of the lake's log: the ledger still has its facts");
            store.put(&format!("{table}/{ROLLED_BACK}/{file}"), store.get(name)?.unwrap_or_default(), false)?;
            store.remove(name)?;
        }
    }
    let hint = format!("{table}/_delta_log/_last_checkpoint");
    if let Some(bytes) = store.get(&hint)? {
        let version = serde_json::from_slice::<Value>(&bytes).ok().and_then(|hint| hint.get("version")?.as_u64());
        let stands = version.is_some_and(|version| {
            let of_version = format!("{version:020}.checkpoint");
            broken.is_none_or(|broken| version < broken) && log.iter().any(|(name, _)| name.contains(&of_version))
        });
        if !stands {
            store.remove(&hint)?;
        }
    }
    Ok(())
}

/// Whether a file of the log is a commit.
pub(in crate::lake) fn is_commit(name: &str) -> bool {
    name.strip_suffix(".json").is_some_and(|name| name.rsplit('/').next().is_some_and(|name| name.len() == 20))
        && version_of(name).is_some()
}

/// The version that a file of the log is about.
pub(crate) fn version_of(name: &str) -> Option<u64> {
    let digits = name.rsplit('/').next()?.get(..20)?;
    digits.bytes().all(|byte| byte.is_ascii_digit()).then(|| digits.parse().ok())?
}

/// Whether a commit can be read to its end, and the files it adds are there.
fn is_whole(store: &Store, table: &str, commit: &str) -> Result<bool, EngineError> {
    let bytes = store.get(commit)?.unwrap_or_default();
    if !bytes.ends_with(b"\n") && !bytes.ends_with(b"}") {
        return Ok(false);
    }
    for line in bytes.split(|byte| *byte == b'\n').filter(|line| !line.is_empty()) {
        let Ok(action) = serde_json::from_slice::<Value>(line) else { return Ok(false) };
        let Some(add) = action.get("add") else { continue };
        let file = add.get("path").and_then(Value::as_str).zip(add.get("size").and_then(Value::as_u64));
        let Some((path, size)) = file else { return Ok(false) };
        if !is_parquet(store, &format!("{table}/{path}"), size)? {
            return Ok(false);
        }
    }
    Ok(true)
}

/// Whether a file has this size and looks like Parquet at both ends.
pub(in crate::lake) fn is_parquet(store: &Store, name: &str, size: u64) -> Result<bool, EngineError> {
    use parquet::file::reader::ChunkReader;
    if store.size(name)? != Some(size) || size < 12 {
        return Ok(false);
    }
    let file = store.open_file(name, size)?;
    let ends = [0, size - 4].map(|at| file.get_bytes(at, 4).is_ok_and(|bytes| bytes == MAGIC));
    Ok(ends == [true; 2])
}

#[cfg(test)]
mod tests {
    use crate::kinds::block::{AttendanceBlock, Block};
    use crate::location::Location;
    use crate::testing::attendances;
    use crate::testing::copy_all;
    use crate::{Engine, Settings};
    use rollcall_model::{Organization, Range};
    use std::path::Path;

    /// What is done to a file, in words and in fact.
    type Damage = (&'static str, fn(&Path));

    fn organization() -> Organization {
        crate::testing::organization(1)
    }

    fn open(directory: &Path) -> Engine {
        Engine::open(directory, Settings { flush_seconds: 0, ..Settings::default() }).unwrap()
    }

    fn ingest(engine: &Engine, users: std::ops::Range<i64>) -> u64 {
        let facts = users.map(|user| ("s", format!("user {user}"), [1_740_819_600_000 + user; 3]));
        engine.ingest(&organization(), attendances(&organization(), facts)).unwrap().accepted
    }

    fn facts_in(engine: &Engine) -> usize {
        engine.scan::<AttendanceBlock>(organization().id, Range::new(0, i64::MAX / 4000)).map(|block| block.unwrap().facts()).sum()
    }

    /// A data directory as a crash leaves it between the lake's commit and the trimming of the ledger: 10 facts are in the lake durably, 5
    /// in both. Also the names of the second commit and of its data file.
    fn crashed() -> (tempfile::TempDir, [String; 2]) {
        let (live, crashed) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
        let engine = open(live.path());
        assert_eq!(ingest(&engine, 0..10), 10);
        assert_eq!(engine.flush().unwrap(), 10);
        let first = engine.lake().attendance;
        assert_eq!(ingest(&engine, 10..15), 5);
        engine.checkpoint().unwrap();
        copy_all(&live.path().join("ledger"), &crashed.path().join("ledger"));
        assert_eq!(engine.flush().unwrap(), 5);
        copy_all(&live.path().join("lake"), &crashed.path().join("lake"));
        let second = engine.lake().attendance;
        let new = second.iter().find(|file| first.iter().all(|other| other.name != file.name)).unwrap();
        (crashed, [format!("lake/attendance/_delta_log/{:020}.json", second.version.unwrap()), format!("lake/attendance/{}", new.name)])
    }

    #[test]
    fn facts_that_the_crash_left_in_both_places_count_once() {
        let (directory, _) = crashed();
        for _ in 0..2 {
            let engine = open(directory.path());
            assert_eq!((facts_in(&engine), engine.lake().attendance.facts()), (15, 15));
            // The lake has them: the ledger only lets them go.
            engine.flush().unwrap();
            assert_eq!((facts_in(&engine), engine.lake().attendance.facts()), (15, 15));
            assert_eq!(ingest(&engine, 0..15), 0);
        }
    }

    #[test]
    fn a_broken_end_of_the_log_is_rolled_back_and_every_fact_is_still_there() {
        let damages: [Damage; 6] = [
            ("empty", |file| std::fs::write(file, b"").unwrap()),
            ("cut", |file| {
                let bytes = std::fs::read(file).unwrap();
                std::fs::write(file, &bytes[..bytes.len() / 2]).unwrap();
            }),
            ("cut at its last byte", |file| {
                let bytes = std::fs::read(file).unwrap();
                std::fs::write(file, &bytes[..bytes.len() - 1]).unwrap();
            }),
            ("zeros", |file| std::fs::write(file, vec![0; std::fs::read(file).unwrap().len()]).unwrap()),
            ("zeros at its end", |file| {
                let mut bytes = std::fs::read(file).unwrap();
                let length = bytes.len();
                bytes[length - 5..].fill(0);
                std::fs::write(file, bytes).unwrap();
            }),
            ("gone", |file| std::fs::remove_file(file).unwrap()),
        ];
        for (what, damage) in damages {
            for (broken, which) in ["commit", "data file"].into_iter().enumerate() {
                let (directory, names) = crashed();
                damage(&directory.path().join(&names[broken]));
                let engine = open(directory.path());
                assert_eq!(facts_in(&engine), 15, "{which} {what}");
                assert_eq!(ingest(&engine, 0..15), 0);
                assert_eq!(ingest(&engine, 15..16), 1);
                engine.flush().unwrap();
                assert_eq!((facts_in(&engine), engine.lake().attendance.facts()), (16, 16), "{which} {what}");
                drop(engine);
                assert_eq!(facts_in(&open(directory.path())), 16);
            }
        }
    }

    #[test]
    fn a_durable_commit_that_is_damaged_is_an_error_not_silence() {
        let (directory, [commit, _]) = crashed();
        open(directory.path()).flush().unwrap();
        std::fs::write(directory.path().join(commit), b"").unwrap();
        let error = Engine::open(directory.path(), Settings::default()).unwrap_err().to_string();
        assert!(error.contains("restore a backup"), "{error}");
    }

    #[test]
    fn a_lake_has_one_writer() {
        let (first, second, lake) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
        let settings = Settings { flush_seconds: 0, lake: Some(Location::Directory(lake.path().to_owned())), ..Settings::default() };
        let engine = Engine::open(first.path(), settings.clone()).unwrap();
        ingest(&engine, 0..1);
        engine.flush().unwrap();
        drop(engine);
        let error = Engine::open(second.path(), settings.clone()).unwrap_err().to_string();
        assert!(error.contains("one lake has one writer"), "{error}");
        assert_eq!(facts_in(&Engine::open(first.path(), settings).unwrap()), 1);
    }
}
