//! What was deleted or overwritten, removed from the disk too.
//!
//! fjall keeps old values in two places. Its journal holds everything written since the file began; a file is sealed only once it has
//! 64 MB, whatever else happens, and goes when the keyspaces written to in it were flushed: so on a quiet server it stays for ever. Its
//! tables hold a value until a compaction meets both it and what replaced it, which nothing promises to happen either. So here the journal
//! is filled up, every keyspace flushed, and every table written anew. For that fjall 3 has calls that its documentation leaves out.

use super::{Ledger, journal_repair};
use crate::error::EngineError;
use fjall::{Keyspace, KeyspaceCreateOptions, PersistMode};
use std::time::Duration;

/// What the journal is filled up with.
const PADDING: &str = "padding";

/// How many bytes are written at a time to fill the journal up.
const PADDING_BYTES: usize = 1 << 20;

/// How many times: more than a journal file may have before it is sealed.
const PADDINGS: usize = 64;

/// How long it takes to look again whether fjall's own threads are done.
const LOOK: Duration = Duration::from_millis(5);

/// How many times the keyspaces are flushed before it is an error that the journal is still there: others write meanwhile.
const MOST_FLUSHES: usize = 200;

impl Ledger {
    /// Removes from the disk what was deleted or overwritten before. `wait` returns once everyone is gone who reads an older state.
    /// Writes everything that the database holds once, and 64 MB more.
    ///
    /// # Errors
    /// [`EngineError::Storage`].
    pub(crate) fn scrub(&self, wait: impl Fn()) -> Result<(), EngineError> {
        let failed = |error: std::io::Error| EngineError::Storage(format!("{}: {error}", self.directory.display()));
        for entry in std::fs::read_dir(&self.directory).map_err(failed)? {
            let path = entry.map_err(failed)?.path();
            if path.extension().is_some_and(|extension| extension == journal_repair::TORN_TAIL) {
                std::fs::remove_file(&path).map_err(failed)?;
            }
        }
        let before = journal_repair::journals(&self.directory).map_err(failed)?;
        let zeros = vec![0u8; PADDING_BYTES];
        for _ in 0..PADDINGS {
            self.meta.insert(PADDING, zeros.as_slice())?;
        }
        wait();
        let names = self.db.list_keyspace_names();
        let keyspaces = names.iter().map(|name| self.db.keyspace(name, KeyspaceCreateOptions::default));
        let keyspaces: Vec<Keyspace> = keyspaces.collect::<Result<_, _>>()?;
        // The padding first: whoever flushes it finds the journal full, and seals it.
        self.flush(&self.meta)?;
        let mut flushes = 0;
        while before.iter().any(|journal| journal.exists()) {
            flushes += 1;
            if flushes > MOST_FLUSHES {
                return Err(EngineError::Storage("the ledger's journal does not go: what was deleted is still in it".into()));
            }
            keyspaces.iter().try_for_each(|keyspace| self.flush(keyspace))?;
            std::thread::sleep(LOOK);
        }
        for keyspace in &keyspaces {
            compact(keyspace)?;
        }
        // fjall keeps the tables of before for whoever reads an older state, and looks after them when another keyspace is flushed.
        wait();
        self.meta.remove(PADDING)?;
        self.flush(&self.meta)?;
        compact(&self.meta)
    }

    /// Writes what a keyspace holds anew, without what was deleted or overwritten before, as far as nobody reads an older state.
    pub(super) fn rewrite(&self, keyspace: &Keyspace) -> Result<(), EngineError> {
        self.flush(keyspace)?;
        compact(keyspace)
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
}

/// Writes every table of a keyspace anew.
fn compact(keyspace: &Keyspace) -> Result<(), EngineError> {
    if keyspace.table_count() > 0 {
        keyspace.major_compact()?;
    }
    Ok(())
}
