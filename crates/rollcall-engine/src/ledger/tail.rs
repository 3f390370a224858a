//! A torn tail: what power loss leaves of the last write is cut off, never a reason not to start.
//!
//! fjall cuts off a last batch that is incomplete. After power loss the file may instead have its full length with some of its bytes
//! never written; that batch then fails its checksum, and fjall refuses to open. Here the newest journal is read batch by batch
//! (fjall 3 format: `journal/entry.rs` of its source) and cut after the last one that is whole. What is cut off is kept beside it.
//!
//! A commit is written only after the one before it was fsynced. So of what follows the last whole batch, at most one commit was
//! never acknowledged: if there are more, the disk lost acknowledged facts, and that is an error for people to see.

use crate::engine::EngineError;
use std::fs::OpenOptions;
use std::io::Write;
use std::path::{Path, PathBuf};
use xxhash_rust::xxh3::Xxh3;

/// What the value of every commit begins with, so that commits can be counted in a damaged journal.
pub(super) const COMMIT_MARK: &[u8; 16] = b"\x00rollcall commit";

/// What every batch in a journal ends with, after its checksum.
const TRAILER: &[u8] = b"FJL\x03";

/// Cuts the broken end off the newest journal of a database that could not be opened because of `cause`.
pub(super) fn cut_off(directory: &Path, cause: &dyn std::fmt::Display) -> Result<(), EngineError> {
    let storage = |error: std::io::Error| EngineError::Storage(format!("{}: {error}", directory.display()));
    let journal = newest_journal(directory).map_err(storage)?;
    let journal = journal.ok_or_else(|| EngineError::Storage(format!("{cause}, and there is no journal")))?;
    let bytes = std::fs::read(&journal).map_err(storage)?;
    let whole = whole_batches(&bytes);
    let tail = bytes.get(whole..).unwrap_or_default();
    let commits = tail.windows(COMMIT_MARK.len()).filter(|window| window == COMMIT_MARK).count();
    if commits > 1 {
        let journal = journal.display();
        return Err(EngineError::Storage(format!(
            "{journal} is damaged at byte {whole} and {commits} commits follow: facts that were acknowledged are lost; restore a backup"
        )));
    }
    let kept = journal.with_extension("torn-tail");
    let mut copy = std::fs::File::create(&kept).map_err(storage)?;
    copy.write_all(tail).and_then(|()| copy.sync_all()).map_err(storage)?;
    let file = OpenOptions::new().write(true).open(&journal).map_err(storage)?;
    file.set_len(whole as u64).and_then(|()| file.sync_all()).map_err(storage)?;
    tracing::warn!(journal = %journal.display(), at_byte = whole, %cause, "cut off a torn tail: it was never acknowledged");
    Ok(())
}

fn newest_journal(directory: &Path) -> std::io::Result<Option<PathBuf>> {
    let mut newest = None;
    for entry in std::fs::read_dir(directory)? {
        let path = entry?.path();
        let number = path.file_name().and_then(|name| name.to_str()?.strip_suffix(".jnl")?.parse::<u64>().ok());
        newest = newest.max(number.map(|number| (number, path)));
    }
    Ok(newest.map(|(_, path)| path))
}

/// Where the last batch ends that is whole and passes its checksum.
fn whole_batches(journal: &[u8]) -> usize {
    let mut end = 0;
    while let Some(length) = journal.get(end..).and_then(batch_length) {
        end += length;
    }
    end
}

/// The length of the batch that `bytes` begin with.
fn batch_length(bytes: &[u8]) -> Option<usize> {
    let number = |at: usize| Some(u32::from_le_bytes(bytes.get(at..at + 4)?.try_into().ok()?) as usize);
    let items = (bytes.first() == Some(&1)).then(|| number(1))??;
    let mut at = 13;
    let mut hash = Xxh3::new();
    for _ in 0..items {
        let length = match bytes.get(at)? {
            2 => 21 + usize::from(u16::from_le_bytes(bytes.get(at + 11..at + 13)?.try_into().ok()?)) + number(at + 17)?,
            4 => 9,
            _ => return None,
        };
        hash.update(bytes.get(at..at.checked_add(length)?)?);
        at += length;
    }
    let end = bytes.get(at..at + 13)?;
    let checksum = hash.digest().to_le_bytes();
    (end.first() == Some(&3) && end.get(1..9)? == checksum && end.get(9..)? == TRAILER).then_some(at + 13)
}
