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

pub use crate::ledger::receipts::KeptReceipt;
pub use crate::selection::{Conditions, Selection, Unfit};
pub use doubt::Doubt;
pub use proof::Proof;

use crate::Engine;
use crate::crash;
use crate::error::EngineError;
use crate::ledger::{Erasure, Ledger};
use rollcall_model::{OrgId, Range};

/// Some of the receipts that are kept.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ReceiptPage {
    /// The newest first.
    pub receipts: Vec<KeptReceipt>,
    /// Where the next page begins; none: there are no more.
    pub next: Option<u64>,
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

    /// Whether [`Engine::erase`] would begin at once: no backup, verification, rebuild or other erasure is under way.
    pub fn may_erase(&self) -> bool {
        self.erasing.try_lock().is_some()
    }

    /// Erases; without `scrub`, the ledger's database may still have on disk what was deleted.
    pub(crate) fn erase_and(&self, scrub: bool, org: OrgId, selection: &Selection, progress: &Progress<'_>) -> Result<Erased, EngineError> {
        let _one_at_a_time = self.erasing.lock();
        // One that failed is taken up again, whatever it left of what it was to erase.
        let begun =
            self.facts.ledger.erasures()?.into_iter().find(|(of, _, begun)| *of == org && begun.selection.as_ref() == Some(selection));
        let (key, erasure) = match begun {
            Some((_, key, begun)) => (key, begun),
            None => {
                if let Some(nothing) = self.nothing_to_erase(org, selection, progress)? {
                    return Ok(nothing);
                }
                let (key, erasure) = (Ledger::erasure_key(org), Erasure { selection: Some(selection.clone()), ..Erasure::default() });
                self.facts.ledger.note_erasure(&key, &erasure)?;
                (key, erasure)
            }
        };
        crash::point("erasure-noted");
        let outcome = self.carry_out(org, &key, erasure, scrub, progress);
        self.note_failed();
        outcome
    }

    /// What is to be said where nothing of what is named is there; none if there is something to erase.
    fn nothing_to_erase(&self, org: OrgId, selection: &Selection, progress: &Progress<'_>) -> Result<Option<Erased>, EngineError> {
        let is_there = match selection {
            Selection::User(user) => {
                if self.knows(org, user)? {
                    return Ok(None);
                }
                // It may be one that failed when it had only the disk to sweep: that is noted without the name.
                let nameless = self.facts.ledger.erasures()?.into_iter().filter(|(of, _, noted)| *of == org && noted.selection.is_none());
                let finished = nameless.map(|(_, key, noted)| self.carry_out(org, &key, noted, true, progress)).last();
                return finished.unwrap_or_else(|| Err(EngineError::UnknownUser { user: user.clone(), organization: org })).map(Some);
            }
            Selection::Before(_) => self.is_any_named(org, selection)?,
            Selection::Where(_) => self.count_named(&self.facts.pin(), org, selection)?.facts() > 0,
        };
        Ok((!is_there).then(Erased::default))
    }

    /// What [`Engine::erase`] would erase now. Changes nothing.
    ///
    /// # Errors
    /// [`EngineError::UnknownUser`] if nothing is known of the user; [`EngineError::Storage`].
    pub fn would_erase(&self, org: OrgId, selection: &Selection) -> Result<Erased, EngineError> {
        let mut erased = self.count_named(&self.facts.pin(), org, selection)?;
        if let Selection::User(user) = selection {
            if !self.knows(org, user)? {
                return Err(EngineError::UnknownUser { user: user.clone(), organization: org });
            }
            erased.directory_entries = self.stored_directory_entries(org, user)?;
        }
        Ok(erased)
    }

    /// Finishes the erasures that were cut off or failed. One that fails again stays noted, and stops neither the others nor whoever calls
    /// this: it is logged, and a problem of [`Engine::problems`] until it succeeds.
    pub fn resume_erasures(&self) {
        let _one_at_a_time = self.erasing.lock();
        let noted = match self.facts.ledger.erasures() {
            Ok(noted) => noted,
            Err(error) => return tracing::error!(%error, "erasures that were cut off cannot be read"),
        };
        for (org, key, erasure) in noted {
            tracing::warn!(organization = %org, "an erasure was cut off or failed: it is finished now");
            match self.carry_out(org, &key, erasure, true, &|_, _| {}) {
                Ok(erased) => {
                    let proven = erased.proof.as_ref().is_some_and(Proof::holds);
                    tracing::info!(organization = %org, facts = erased.facts(), proven, "the erasure is finished");
                }
                Err(error) => {
                    tracing::error!(
                        organization = %org, %error,
                        "the erasure is not finished: some of what it erases is still there, and reports may count it; it is tried again"
                    );
                }
            }
        }
        self.note_failed();
    }

    /// Notes for [`Engine::problems`] whether erasures are left, when none is under way.
    fn note_failed(&self) {
        let left = self.facts.ledger.erasures();
        self.health().erased(left.is_ok_and(|left| !left.is_empty()));
    }

    /// The last receipts of an organization, the newest first; `before` is [`ReceiptPage::next`] of the page before, if there was one.
    ///
    /// # Errors
    /// [`EngineError::Storage`].
    pub fn receipts(&self, org: OrgId, before: Option<u64>, most: usize) -> Result<ReceiptPage, EngineError> {
        let mut found = self.facts.ledger.kept_receipts(org, before, most + 1)?;
        let goes_on = found.len() > most;
        found.truncate(most);
        let next = found.last().map(|(count, _)| *count).filter(|_| goes_on);
        Ok(ReceiptPage { receipts: found.into_iter().map(|(_, kept)| kept).collect(), next })
    }

    /// Whether anything is known of a user.
    fn knows(&self, org: OrgId, user: &str) -> Result<bool, EngineError> {
        let has_number = self.facts.ledger.users.of(org)?.read().number(user).is_some();
        Ok(has_number || self.directory(org).user(user).is_some() || self.stored_directory_entries(org, user)? > 0)
    }
}
