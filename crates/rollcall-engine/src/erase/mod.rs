//! Erasing: facts that a selection names go for good, from the lake, the ledger and the cells, and so do their ids; with a user, its name and
//! its entries in the directory and in those that are kept of before.
//!
//! # Steps
//! Each may be done again, so an erasure that was cut off is begun anew when the engine opens, before anything is ingested.
//! 1. The erasure is noted in the ledger.
//! 2. Everything acknowledged is flushed, so every fact that is named is in the lake.
//! 3. Ids of the facts are removed: after the facts nobody could tell them. A fact that is sent again meanwhile is new, and erased too.
//! 4. Data files are written anew without the facts, in one commit of each table.
//! 5. Cells of the days that the facts were about are made anew.
//! 6. Once nobody reads an older version, and if no fact of the user came meanwhile (else again from 2 on), its name and its entries in the
//!    directory and in the kept ones go. From here on the erasure is noted without the name.
//! 7. The lake's logs are made to begin at the newest version, and every data file that is not in it is removed.
//! 8. For a user, the ledger's database is written anew ([`crate::ledger`], `scrub.rs`).
//! 9. The proof: everything is read back.
//!
//! Ingest and reports go on meanwhile; until 5 is done, reports may still count facts that are erased. Facts of the user that are ingested
//! after the call began may stay, and the proof then says so. Who reads the lake by itself at an older version finds files missing.
//!
//! What is not touched: backups, exports, and what the facts of others say, such as a session id with a name in it.
//!
//! # Layout
//! - `carry_out`: the steps
//! - `named`: the facts that are named, counted
//! - `doubt`: why facts that seem old may not be
//! - `proof`: the last step

mod carry_out;
mod doubt;
mod named;
mod proof;

#[cfg(test)]
mod tests;

pub use doubt::Doubt;
pub use proof::Proof;

use crate::Engine;
use crate::crash;
use crate::error::EngineError;
use crate::ledger::{Erasure, Ledger};
use rollcall_model::{Millis, OrgId, Range};
use serde::{Deserialize, Serialize};

/// Which facts of an organization are erased.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Selection {
    /// All of a user, by the id that facts carry.
    User(String),
    /// Those whose time (`session_started_at`, `at`) is before an instant: the start of a day of UTC.
    Before(Millis),
}

/// What was erased, or would be.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Erased {
    /// How many attendances.
    pub attendances: u64,
    /// How many assistances.
    pub assistances: u64,
    /// From the first time of these facts until after the last; none if there were none.
    pub times: Option<Range>,
    /// How many ids were removed.
    pub ids: u64,
    /// How many entries of the user were removed from the directory, and from those that are kept of before.
    pub directory_entries: u64,
    /// How many data files of the lake were written anew.
    pub files_rewritten: u64,
    /// How many files were removed from the lake's directory, those of its logs included.
    pub files_removed: u64,
    /// What was found when everything was read back; none where nothing was erased.
    pub proof: Option<Proof>,
}

impl Erased {
    /// How many facts.
    pub const fn facts(&self) -> u64 {
        self.attendances + self.assistances
    }
}

/// Is told which step is done, and of how many.
pub type Progress<'p> = dyn Fn(u64, u64) + Sync + 'p;

impl Engine {
    /// Erases what a selection names, and proves it. Blocks until every reader is gone who began before; call it from a thread that may, and
    /// that reads nothing itself.
    ///
    /// # Errors
    /// [`EngineError::UnknownUser`] if nothing is known of the user; [`EngineError::Storage`]: the erasure is then finished when the engine
    /// is opened the next time, or when it is called again.
    pub fn erase(&self, org: OrgId, selection: &Selection, progress: &Progress<'_>) -> Result<Erased, EngineError> {
        self.erase_and(true, org, selection, progress)
    }

    /// Erases; without `scrub`, the ledger's database may still have on disk what was deleted.
    pub(crate) fn erase_and(&self, scrub: bool, org: OrgId, selection: &Selection, progress: &Progress<'_>) -> Result<Erased, EngineError> {
        let _one_at_a_time = self.erasing.lock();
        self.check_known(org, selection)?;
        if let Selection::Before(_) = selection
            && !self.is_any_named(org, selection)?
        {
            return Ok(Erased::default());
        }
        let erasure = Erasure { selection: Some(selection.clone()), changed: None };
        // One that failed is taken up again.
        let begun = self.facts.ledger.erasures()?.into_iter().find(|(of, _, begun)| *of == org && begun.selection == erasure.selection);
        let (key, erasure) = match begun {
            Some((_, key, begun)) => (key, begun),
            None => {
                let key = Ledger::erasure_key(org);
                self.facts.ledger.note_erasure(&key, &erasure)?;
                (key, erasure)
            }
        };
        crash::point("erasure-noted");
        self.carry_out(org, &key, erasure, scrub, progress)
    }

    /// What [`Engine::erase`] would erase now. Changes nothing.
    ///
    /// # Errors
    /// [`EngineError::UnknownUser`] if nothing is known of the user; [`EngineError::Storage`].
    pub fn would_erase(&self, org: OrgId, selection: &Selection) -> Result<Erased, EngineError> {
        self.check_known(org, selection)?;
        let mut erased = self.count_named(&self.facts.pin(), org, selection)?;
        if let Selection::User(user) = selection {
            erased.directory_entries = self.stored_directory_entries(org, user)?;
        }
        Ok(erased)
    }

    /// Finishes the erasures that were cut off.
    pub(crate) fn resume_erasures(&self) -> Result<(), EngineError> {
        let _one_at_a_time = self.erasing.lock();
        for (org, key, erasure) in self.facts.ledger.erasures()? {
            tracing::warn!(organization = %org, "an erasure was cut off: it is finished first");
            let erased = self.carry_out(org, &key, erasure, true, &|_, _| {})?;
            let proven = erased.proof.as_ref().is_some_and(Proof::holds);
            tracing::info!(organization = %org, facts = erased.facts(), proven, "the erasure is finished");
        }
        Ok(())
    }

    fn check_known(&self, org: OrgId, selection: &Selection) -> Result<(), EngineError> {
        let Selection::User(user) = selection else { return Ok(()) };
        let has_number = self.facts.ledger.users.with_numbers(org, |number| number(user).is_some());
        if has_number || self.directory(org).user(user).is_some() || self.stored_directory_entries(org, user)? > 0 {
            return Ok(());
        }
        Err(EngineError::UnknownUser { user: user.clone(), organization: org })
    }
}
