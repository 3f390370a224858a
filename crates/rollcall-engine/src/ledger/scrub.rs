//! What was deleted or overwritten, removed from the disk too.
//!
//! fjall keeps old values in three places, and promises of none when they go:
//! - Its journal holds everything written since the file began. A file is sealed only once it has 64 MB, whatever else happens, and goes when
//!   the keyspaces written to in it were flushed: so on a quiet server it stays for ever. Here it is filled up.
//! - Its tables hold a value until a compaction meets both it and what replaced it. Here all tables of a keyspace are written anew.
//! - The tables of before stay for whoever reads an older state, and fjall looks after them only when a keyspace is flushed. Here the
//!   smallest is, as often as it takes.
//!
//! For that fjall 3 has calls that its documentation leaves out.

use super::{Ledger, journal_repair};
use crate::error::EngineError;
use fjall::{AbstractTree, Keyspace, KeyspaceCreateOptions, PersistMode};
use std::os::unix::fs::MetadataExt;
use std::time::Duration;

/// What the journal is filled up with.
const PADDING: &str = "padding";

/// How many bytes are written at a time to fill the journal up.
const PADDING_BYTES: usize = 1 << 20;

/// How many of them are written before they are flushed: what they take in memory.
const PADDINGS_AT_ONCE: usize = 8;

/// How many times so many: more than a journal file may have before it is sealed.
const PADDINGS: usize = 8;

/// How long it takes to look again whether fjall's own threads are done.
const LOOK: Duration = Duration::from_millis(5);

/// How many times the keyspaces are flushed before it is an error that the journal is still there: others write meanwhile.
const MOST_FLUSHES: usize = 200;

/// How many times it is looked whether whoever reads an older state is gone, and how long it takes to look again: reports take less.
const LOOKS_AT_READERS: usize = 5;
const LOOK_AT_READERS: Duration = Duration::from_millis(100);

impl Ledger {
    /// Removes from the disk what was deleted or overwritten before. `wait` returns once everyone is gone who reads an older state.
    /// Writes everything that the database holds once, and 64 MB more.
    ///
    /// # Errors
    /// [`EngineError::Storage`].
    pub(crate) fn scrub(&self, wait: impl Fn()) -> Result<(), EngineError> {
        for entry in std::fs::read_dir(&self.directory).map_err(|error| self.failed(&error))? {
            let path = entry.map_err(|error| self.failed(&error))?.path();
            if path.extension().is_some_and(|extension| extension == journal_repair::TORN_TAIL) {
                std::fs::remove_file(&path).map_err(|error| self.failed(&error))?;
            }
        }
        wait();
        self.renew_journal()?;
        for keyspace in &self.keyspaces()? {
            compact(keyspace)?;
        }
        wait();
        self.flush_smallest()?;
        compact(&self.meta)
    }

    /// Gives back the disk of facts that were trimmed, once they are as many as those that wait: so what is written anew is never more than
    /// what goes. Says whether nothing is left to give back: while somebody reads a state of before, all has to stay.
    ///
    /// # Errors
    /// [`EngineError::Storage`].
    pub(crate) fn give_back(&self) -> Result<bool, EngineError> {
        let Some(trimmed) = self.waiting.worth_giving_back() else { return Ok(true) };
        for keyspace in [&self.facts, &self.commits] {
            self.flush(keyspace)?;
            // Only now is written anew what is not read: else it would be written for naught.
            if !self.are_readers_gone(keyspace)? {
                return Ok(false);
            }
            if is_mostly_deleted(keyspace) {
                compact(keyspace)?;
                if !self.are_readers_gone(keyspace)? {
                    return Ok(false);
                }
            }
        }
        self.waiting.gave_back(trimmed);
        Ok(true)
    }

    /// Has the journal begin anew, and what was in it is in tables. Writes 64 MB at most.
    ///
    /// # Errors
    /// [`EngineError::Storage`].
    pub(crate) fn renew_journal(&self) -> Result<(), EngineError> {
        let journals = || journal_repair::journals(&self.directory).map_err(|error| self.failed(&error));
        let before = journals()?;
        let zeros = vec![0u8; PADDING_BYTES];
        for _ in 0..PADDINGS {
            for _ in 0..PADDINGS_AT_ONCE {
                self.meta.insert(PADDING, zeros.as_slice())?;
            }
            // Whoever flushes them finds the journal full, and seals it.
            self.flush(&self.meta)?;
            if journals()?.last() != before.last() {
                break;
            }
        }
        let keyspaces = self.keyspaces()?;
        let mut flushes = 0;
        while before.iter().any(|journal| journal.exists()) {
            flushes += 1;
            if flushes > MOST_FLUSHES {
                return Err(EngineError::Storage("the ledger's journal does not go: what was deleted is still in it".into()));
            }
            for keyspace in &keyspaces {
                // fjall goes by the newest entry in the tables of each. Where all was deleted there may be none, so another is written.
                if flushes > 1 && keyspace.name() != self.meta.name() {
                    keyspace.remove(PADDING)?;
                } else if flushes > 1 {
                    keyspace.insert(PADDING, "")?;
                }
                self.flush(keyspace)?;
            }
            std::thread::sleep(LOOK);
        }
        // Not before: until the journal is gone, the padding is the newest entry.
        Ok(self.meta.insert(PADDING, "")?)
    }

    /// How many bytes of the disk the journal takes.
    ///
    /// # Errors
    /// [`EngineError::Storage`].
    pub(crate) fn journal_bytes(&self) -> Result<u64, EngineError> {
        let failed = |error| self.failed(&error);
        // One that is deleted meanwhile takes nothing. They are allocated ahead: their length says nothing.
        let bytes = |journal| std::fs::metadata(journal).map_or(0, |about| about.blocks() * 512);
        Ok(journal_repair::journals(&self.directory).map_err(failed)?.into_iter().map(bytes).sum())
    }

    /// Whether nobody reads what was deleted from a keyspace before it was flushed; then none of it stays that is in no table.
    fn are_readers_gone(&self, keyspace: &Keyspace) -> Result<bool, EngineError> {
        for look in 0..LOOKS_AT_READERS {
            if look > 0 {
                std::thread::sleep(LOOK_AT_READERS);
            }
            self.flush_smallest()?;
            if keyspace.tree.version_free_list_len() == 0 {
                return Ok(true);
            }
        }
        Ok(false)
    }

    /// Flushes a keyspace that is small, so that fjall looks after the tables of before of every keyspace.
    fn flush_smallest(&self) -> Result<(), EngineError> {
        self.meta.insert(PADDING, "")?;
        self.flush(&self.meta)
    }

    /// Flushes a keyspace, and waits for it.
    fn flush(&self, keyspace: &Keyspace) -> Result<(), EngineError> {
        keyspace.rotate_memtable()?;
        while keyspace.sealed_memtable_count() > 0 {
            std::thread::sleep(LOOK);
            // Fails if fjall's threads do: then nobody flushes.
            self.db.persist(PersistMode::Buffer)?;
        }
        Ok(())
    }

    fn keyspaces(&self) -> Result<Vec<Keyspace>, EngineError> {
        let names = self.db.list_keyspace_names();
        Ok(names.iter().map(|name| self.db.keyspace(name, KeyspaceCreateOptions::default)).collect::<Result<_, _>>()?)
    }

    fn failed(&self, error: &std::io::Error) -> EngineError {
        EngineError::Storage(format!("{}: {error}", self.directory.display()))
    }
}

/// Whether at least as many entries of a keyspace, which was flushed, are deleted and still in its tables as are not.
fn is_mostly_deleted(keyspace: &Keyspace) -> bool {
    // What is deleted is there twice: the entry, and that it is gone.
    let deleted = keyspace.tree.tombstone_count();
    deleted > 0 && deleted >= (keyspace.approximate_len() as u64).saturating_sub(2 * deleted)
}

/// Writes every table of a keyspace anew, without what was deleted or overwritten before, as far as nobody reads an older state.
fn compact(keyspace: &Keyspace) -> Result<(), EngineError> {
    if keyspace.table_count() > 0 {
        keyspace.major_compact()?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use crate::kinds::block::{AttendanceBlock, Block};
    use crate::kinds::columns::Attendances;
    use crate::testing::copy_all;
    use crate::{Engine, Settings};
    use rollcall_model::{AttendanceDraft, Directory, OrgId, Organization, Range, Value};
    use std::path::Path;

    fn organization() -> Organization {
        Organization::new(OrgId(uuid::Uuid::from_u128(1)), "o", jiff::tz::TimeZone::UTC)
    }

    fn open(directory: &Path) -> Engine {
        Engine::open(directory, Settings { flush_seconds: 0, ..Settings::default() }).unwrap()
    }

    fn ingest(engine: &Engine, users: std::ops::Range<u32>) {
        let mut facts = Attendances::default();
        for user in users {
            let mut draft = AttendanceDraft::new();
            draft.set("session_id", Value::Str("s".into()));
            draft.set("user_id", Value::Str(format!("a user {user}").into()));
            for field in ["session_started_at", "joined_at", "left_at"] {
                draft.set(field, Value::Int(1_740_819_600_000 + i64::from(user)));
            }
            facts.push(&draft.finish(&organization(), &Directory::default(), None).unwrap());
        }
        engine.ingest(&organization(), facts).unwrap();
    }

    fn count(engine: &Engine) -> usize {
        engine.scan::<AttendanceBlock>(organization().id, Range::new(0, i64::MAX / 4)).map(|block| block.unwrap().facts()).sum()
    }

    /// A new journal holds next to nothing, and a crash right after it, or any commit later, loses nothing.
    #[test]
    fn a_journal_that_begins_anew_leaves_everything_in_tables() {
        let home = tempfile::tempdir().unwrap();
        let engine = open(home.path());
        ingest(&engine, 0..20_000);
        let before = engine.facts.ledger.journal_bytes().unwrap();
        engine.facts.ledger.renew_journal().unwrap();
        let after = engine.facts.ledger.journal_bytes().unwrap();
        assert!(before > 100_000 && after < before / 10, "{before}, {after}");
        for (users, expected) in [(0..0, 20_000), (20_000..20_003, 20_003)] {
            if !users.is_empty() {
                ingest(&engine, users);
            }
            let crashed = tempfile::tempdir().unwrap();
            copy_all(&home.path().join("ledger"), &crashed.path().join("ledger"));
            assert_eq!(count(&open(crashed.path())), expected);
        }
    }
}
