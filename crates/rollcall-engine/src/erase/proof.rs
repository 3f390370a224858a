//! The proof of an erasure: everything is read back.

use super::Selection;
use super::named::Days;
use crate::Engine;
use crate::cells::Scope;
use crate::error::EngineError;
use crate::ledger::ErasureKey;
use rollcall_model::OrgId;

/// What is still there after an erasure. All of it should be 0.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Proof {
    /// Facts that are named: ingested while it ran.
    pub facts: u64,
    /// Names of the user in the ledger.
    pub names: u64,
    /// Entries of the user in the directory and in those that are kept of before, as they are stored.
    pub directory_entries: u64,
    /// Files of the lake that may hold the facts, or name the user.
    pub files: u64,
    /// Differences between the cells and the facts of the days that the facts were about, and between their facts and ids.
    pub differences: u64,
}

impl Proof {
    /// Whether nothing is left.
    pub fn holds(&self) -> bool {
        *self == Self::default()
    }
}

impl Engine {
    /// Reads back what is not proven yet. An erasure that was cut off when only the disk was to be swept knows no name any more.
    pub(super) fn prove_erased(
        &self,
        org: OrgId,
        selection: Option<&Selection>,
        key: &ErasureKey,
        days: &Days,
        mut proof: Proof,
    ) -> Result<Proof, EngineError> {
        if let Some(selection) = selection {
            proof.facts = self.count_named(&self.facts.pin(), org, selection)?.facts();
        }
        let ledger = &self.facts.ledger;
        if let Some(Selection::User(user)) = selection {
            proof.names = ledger.users.count_stored(org, user)?;
            // It is noted without the name by now.
            let noted = ledger.erasures()?.into_iter().filter(|(_, of, erasure)| of == key && erasure.selection.is_some());
            proof.names += noted.count() as u64;
            proof.directory_entries = self.stored_directory_entries(org, user)?;
        }
        for range in days.ranges() {
            proof.differences += self.prove_alone(&Scope { org: Some(org), range }, false, &|_, _| {})?.differences;
        }
        Ok(proof)
    }
}
