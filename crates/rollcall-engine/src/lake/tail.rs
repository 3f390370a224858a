//! A broken tail of a table's log is rolled back at start, never a reason not to start.
//!
//! The ledger keeps what it flushed until data files, commit and directories are durable, and only then notes the table's version. So a
//! commit up to that version must be whole; one beyond it may be anything that power loss leaves. Such a commit is read, and each data
//! file it adds is looked at; from the first that is broken on, commits leave the log. They are kept beside it.

use super::store::Store;
use crate::error::EngineError;
use serde_json::Value;

/// Where commits that were rolled back are kept: readers of Delta Lake pass over names that begin with `_`.
const ROLLED_BACK: &str = "_rolled_back";

/// How every Parquet file begins and ends.
const MAGIC: &[u8] = b"PAR1";

/// Rolls back the broken commits of a table after the version that is known to be durable.
pub(super) fn roll_back(store: &Store, table: &str, durable: Option<u64>) -> Result<(), EngineError> {
    let log = store.list(&format!("{table}/_delta_log"))?;
    let newer = |name: &str| version_of(name).filter(|version| durable.is_none_or(|durable| *version > durable));
    let mut expected = durable.map_or(0, |durable| durable + 1);
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

/// The version that a file of the log is about.
fn version_of(name: &str) -> Option<u64> {
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
fn is_parquet(store: &Store, name: &str, size: u64) -> Result<bool, EngineError> {
    use parquet::file::reader::ChunkReader;
    if store.size(name)? != Some(size) || size < 12 {
        return Ok(false);
    }
    let file = store.open_file(name, size)?;
    let ends = [0, size - 4].map(|at| file.get_bytes(at, 4).is_ok_and(|bytes| bytes == MAGIC));
    Ok(ends == [true; 2])
}
