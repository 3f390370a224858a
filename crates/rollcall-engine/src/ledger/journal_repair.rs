//! A torn tail: what power loss leaves of the last write is cut off, never a reason not to start.
//!
//! fjall cuts off a last batch that is incomplete. After power loss the file may instead have its full length with some of its bytes
//! never written: fjall then refuses to open, or silently drops that batch and whatever follows it. So before it opens, the journals
//! are read here batch by batch (fjall 3 format: `journal/entry.rs` of its source), and the newest is cut after the last batch that is
//! whole. What is cut off is kept beside it.
//!
//! A commit is written only after the one before it was fsynced. So of what follows the last whole batch, at most one commit was
//! never acknowledged: if there are more, the disk lost acknowledged facts, and that is an error for people to see. So it is if a whole batch
//! behind the damage builds on the commit that is lost: cells are checkpointed, and the lake covers, only what was fsynced.
//!
//! After a sync that failed, the system may hold in memory what is not on the disk, and call it clean: it reads as whole, later syncs
//! succeed, and power loss takes it. So after a failure what is whole of every journal is written to its place again and synced, before
//! anything builds on it.

use super::{CELLS_POSITION, lake_table};
use crate::disk::is_full;
use crate::error::EngineError;
use rollcall_model::FactKind;
use std::fs::OpenOptions;
use std::io::Write;
use std::path::{Path, PathBuf};
use xxhash_rust::xxh3::Xxh3;

/// What the value of every commit begins with, so that commits can be counted in a damaged journal.
pub(crate) const COMMIT_MARK: &[u8; 16] = b"\x00rollcall commit";

/// The extension of what was cut off a journal.
pub(crate) const TORN_TAIL: &str = "torn-tail";

/// What every batch in a journal ends with, after its checksum.
const TRAILER: &[u8] = b"FJL\x03";

static BLANK: [u8; 1 << 16] = [0; 1 << 16];

/// Checks the journals of a database that is not open, and cuts the broken end off the newest. With `again`, writes what is whole of them again.
pub(crate) fn cut_off(directory: &Path, again: bool) -> Result<(), EngineError> {
    let storage = |error: std::io::Error| EngineError::Storage(format!("{}: {error}", directory.display()));
    let mut journals = journals(directory).map_err(storage)?;
    let newest = journals.pop();
    for journal in journals {
        let bytes = std::fs::read(&journal).map_err(storage)?;
        check(&journal, &bytes, 0)?;
        if again {
            write_again(&journal, &bytes).map_err(storage)?;
        }
    }
    let Some(journal) = newest else { return Ok(()) };
    let bytes = std::fs::read(&journal).map_err(storage)?;
    let tail = check(&journal, &bytes, 1)?;
    let whole = bytes.len() - tail.len();
    if again {
        write_again(&journal, bytes.get(..whole).unwrap_or_default()).map_err(storage)?;
    }
    // Journals are allocated ahead of what is written to them.
    if tail.chunks(BLANK.len()).all(|chunk| BLANK.starts_with(chunk)) {
        return Ok(());
    }
    let copy = journal.with_extension(TORN_TAIL);
    match std::fs::File::create(&copy).and_then(|mut copy| copy.write_all(tail).and_then(|()| copy.sync_all())) {
        // It was never acknowledged: no reason not to start.
        Err(error) if is_full(&error) => {
            tracing::warn!(%error, "the torn tail of the journal is not kept");
            let _ = std::fs::remove_file(&copy);
        }
        copied => copied.map_err(storage)?,
    }
    let file = OpenOptions::new().write(true).open(&journal).map_err(storage)?;
    file.set_len(whole as u64).and_then(|()| file.sync_all()).map_err(storage)?;
    tracing::warn!(journal = %journal.display(), at_byte = whole, kept_as = %copy.display(), "cut off the end of a journal, which was not written whole");
    Ok(())
}

/// Writes what a journal begins with to its place again, durably.
fn write_again(journal: &Path, bytes: &[u8]) -> std::io::Result<()> {
    let mut file = OpenOptions::new().write(true).open(journal)?;
    file.write_all(bytes)?;
    file.sync_all()?;
    tracing::warn!(journal = %journal.display(), bytes = bytes.len(), "the storage failed before: the journal was written again");
    Ok(())
}

/// What follows the whole batches of a journal; an error if more than `torn` commits do, or one that was acknowledged.
fn check<'b>(journal: &Path, bytes: &'b [u8], torn: usize) -> Result<&'b [u8], EngineError> {
    let (whole, tail) = bytes.split_at(whole_batches(bytes));
    let commits = memchr::memmem::find_iter(tail, COMMIT_MARK).count();
    let what = match () {
        () if commits > torn => format!("{commits} commits follow"),
        () if builds_on_what_is_lost(whole, tail) => "what follows builds on a commit that is not there".into(),
        () => return Ok(tail),
    };
    Err(EngineError::Damaged(format!(
        "{} is damaged at byte {} and {what}: facts that were acknowledged are lost; restore a backup to a new directory: rollcall restore \
         BACKUP --data NEW",
        journal.display(),
        whole.len()
    )))
}

/// Whether a whole batch in the tail covers a commit that is not in the whole part.
fn builds_on_what_is_lost(whole: &[u8], tail: &[u8]) -> bool {
    // The position of a commit is its key, which stands before its value.
    let position = |bytes: &[u8], mark: usize| Some(u64::from_be_bytes(*bytes.get(..mark)?.last_chunk()?));
    let last = memchr::memmem::rfind(whole, COMMIT_MARK).and_then(|mark| position(whole, mark));
    let first_lost = match last {
        Some(last) => Some(last + 1),
        None => memchr::memmem::find(tail, COMMIT_MARK).and_then(|mark| position(tail, mark)),
    };
    first_lost.is_some_and(|lost| batches_in(tail).flat_map(covered).any(|covered| covered >= lost))
}

/// The whole batches in bytes that begin anywhere.
fn batches_in(bytes: &[u8]) -> impl Iterator<Item = &[u8]> {
    let mut at = 0;
    std::iter::from_fn(move || {
        loop {
            let rest = bytes.get(at..)?;
            at += memchr::memchr(1, rest)?;
            let rest = bytes.get(at..)?;
            match batch_length(rest) {
                Some(length) => {
                    at += length;
                    return rest.get(..length);
                }
                None => at += 1,
            }
        }
    })
}

/// The positions up to which a whole batch says that something covers the ledger.
fn covered(batch: &[u8]) -> impl Iterator<Item = u64> {
    let number = |bytes: &[u8]| Some(u64::from_be_bytes(*bytes.first_chunk()?));
    entries(batch).filter_map(move |(key, value)| match key {
        key if key == CELLS_POSITION.as_bytes() => number(value),
        key if FactKind::ALL.iter().any(|kind| key == lake_table(*kind).as_bytes()) => number(value.get(8..)?),
        _ => None,
    })
}

/// The keys and values of a whole batch.
fn entries(batch: &[u8]) -> impl Iterator<Item = (&[u8], &[u8])> {
    let mut at = 13;
    std::iter::from_fn(move || {
        while let Some(item) = batch.get(at..) {
            match item.first()? {
                2 => {
                    let (key, value) = lengths(item)?;
                    at += 21 + key + value;
                    let (key, value) = item.get(21..21 + key + value)?.split_at_checked(key)?;
                    return Some((key, value));
                }
                4 => at += 9,
                _ => return None,
            }
        }
        None
    })
}

/// The journals of a database, oldest first.
pub(crate) fn journals(directory: &Path) -> std::io::Result<Vec<PathBuf>> {
    let mut journals = Vec::new();
    if directory.exists() {
        for entry in std::fs::read_dir(directory)? {
            let path = entry?.path();
            let number = path.file_name().and_then(|name| name.to_str()?.strip_suffix(".jnl")?.parse::<u64>().ok());
            journals.extend(number.map(|number| (number, path)));
        }
    }
    journals.sort();
    Ok(journals.into_iter().map(|(_, path)| path).collect())
}

/// Where the last batch ends that is whole and passes its checksum.
fn whole_batches(journal: &[u8]) -> usize {
    let mut end = 0;
    while let Some(length) = journal.get(end..).and_then(batch_length) {
        end += length;
    }
    end
}

/// How long the key and the value of the entry are that `item` begins with.
fn lengths(item: &[u8]) -> Option<(usize, usize)> {
    Some((u16::from_le_bytes(item.get(11..13)?.try_into().ok()?).into(), number(item, 17)?))
}

fn number(bytes: &[u8], at: usize) -> Option<usize> {
    Some(u32::from_le_bytes(bytes.get(at..at + 4)?.try_into().ok()?) as usize)
}

/// The length of the batch that `bytes` begin with.
fn batch_length(bytes: &[u8]) -> Option<usize> {
    let items = (bytes.first() == Some(&1)).then(|| number(bytes, 1))??;
    let mut at = 13;
    let mut hash = Xxh3::new();
    for _ in 0..items {
        let length = match bytes.get(at)? {
            2 => {
                let (key, value) = lengths(bytes.get(at..)?)?;
                21 + key + value
            }
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::kinds::block::{AttendanceBlock, Block};
    use crate::testing::attendances;
    use crate::testing::copy_all;
    use crate::{Engine, Settings};
    use rollcall_model::{Organization, Range};

    fn organization() -> Organization {
        crate::testing::organization(1)
    }

    fn ingest(engine: &Engine, number: usize) {
        let facts = attendances(&organization(), [("s", format!("user {number}"), [1_740_819_600_000; 3])]);
        assert_eq!(engine.ingest(&organization(), facts).unwrap().accepted, 1);
    }

    /// Nobody works on the files in the background.
    fn no_flush() -> Settings {
        Settings { flush_seconds: 0, ..Settings::default() }
    }

    /// A data directory as it would be found after a crash: the files of an open engine after `commits` receipts of one fact each.
    fn crashed(commits: usize) -> (tempfile::TempDir, PathBuf) {
        crashed_after(|engine| (0..commits).for_each(|number| ingest(engine, number)))
    }

    fn crashed_after(work: impl FnOnce(&Engine)) -> (tempfile::TempDir, PathBuf) {
        let (open, copy) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
        let engine = Engine::open(open.path(), no_flush()).unwrap();
        work(&engine);
        copy_all(&open.path().join("ledger"), &copy.path().join("ledger"));
        let journal = journals(&copy.path().join("ledger")).unwrap().pop().unwrap();
        (copy, journal)
    }

    fn facts_in(directory: &Path) -> usize {
        let engine = Engine::open(directory, Settings::default()).unwrap();
        engine.scan::<AttendanceBlock>(organization().id, Range::new(0, i64::MAX / 4)).map(|block| block.unwrap().facts()).sum()
    }

    fn marks(journal: &[u8]) -> Vec<usize> {
        memchr::memmem::find_iter(journal, COMMIT_MARK).collect()
    }

    #[test]
    fn a_last_batch_with_unwritten_bytes_is_cut_off_and_all_before_it_stays() {
        for hole in [-40, -1, 0, 17, 30] {
            let (directory, journal) = crashed(3);
            let mut bytes = std::fs::read(&journal).unwrap();
            let at = marks(&bytes).last().unwrap().checked_add_signed(hole).unwrap();
            bytes[at] ^= 0x55;
            std::fs::write(&journal, bytes).unwrap();
            assert_eq!(facts_in(directory.path()), 2, "hole at {hole}");
            // And it goes on from there.
            assert_eq!(facts_in(directory.path()), 2);
        }
    }

    #[test]
    fn a_commit_is_whole_or_absent_wherever_the_journal_ends() {
        let (directory, journal) = crashed(3);
        let bytes = std::fs::read(&journal).unwrap();
        let whole = whole_batches(&bytes);
        let last_commit = marks(&bytes)[2];
        for end in (last_commit - 60..whole).step_by(7) {
            let copy = tempfile::tempdir().unwrap();
            copy_all(directory.path(), copy.path());
            let journal = copy.path().join("ledger").join(journal.file_name().unwrap());
            OpenOptions::new().write(true).open(&journal).unwrap().set_len(end as u64).unwrap();
            let facts = facts_in(copy.path());
            assert!((2..=3).contains(&facts), "{facts} facts when cut at {end} of {whole}");
        }
    }

    #[test]
    fn lost_acknowledged_facts_are_an_error_not_silence() {
        let (directory, journal) = crashed(5);
        let mut bytes = std::fs::read(&journal).unwrap();
        let second = marks(&bytes)[1];
        bytes[second + 20] ^= 0x55;
        std::fs::write(&journal, bytes).unwrap();
        let error = Engine::open(directory.path(), Settings::default()).unwrap_err().to_string();
        assert!(error.contains("4 commits follow: facts that were acknowledged are lost"), "{error}");
    }

    /// With what covers it behind it, a commit was acknowledged; the one behind that may still be torn.
    #[test]
    fn a_damaged_commit_that_something_covers_is_an_error_not_silence() {
        for hole in [-40, -4, 0, 17, 30] {
            for commits_after in [0, 1] {
                let (directory, journal) = crashed_after(|engine| {
                    (0..3).for_each(|number| ingest(engine, number));
                    engine.checkpoint().unwrap();
                    (3..3 + commits_after).for_each(|number| ingest(engine, number));
                });
                let whole = std::fs::read(&journal).unwrap();
                let damaged = |commit: usize| {
                    let mut bytes = whole.clone();
                    bytes[marks(&whole)[commit].checked_add_signed(hole).unwrap()] ^= 0x55;
                    std::fs::write(&journal, bytes).unwrap();
                };
                damaged(2);
                let error = Engine::open(directory.path(), Settings::default()).unwrap_err().to_string();
                assert!(error.contains("facts that were acknowledged are lost"), "{error}");
                if commits_after == 1 {
                    damaged(3);
                    assert_eq!(facts_in(directory.path()), 3, "hole at {hole}");
                }
            }
        }
    }

    #[test]
    fn a_ledger_without_what_the_lake_covers_is_an_error_not_silence() {
        let home = tempfile::tempdir().unwrap();
        let engine = Engine::open(home.path(), Settings::default()).unwrap();
        ingest(&engine, 0);
        engine.flush().unwrap();
        drop(engine);
        let before = tempfile::tempdir().unwrap();
        copy_all(&home.path().join("ledger"), before.path());
        let engine = Engine::open(home.path(), Settings::default()).unwrap();
        ingest(&engine, 1);
        engine.flush().unwrap();
        drop(engine);
        std::fs::remove_dir_all(home.path().join("ledger")).unwrap();
        copy_all(before.path(), &home.path().join("ledger"));
        let error = Engine::open(home.path(), Settings::default()).unwrap_err().to_string();
        assert!(error.contains("the lake covers commit 2, and the ledger ends at commit 1"), "{error}");
    }
}
