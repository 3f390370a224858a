//! Erasures that are not finished, so that a crash at any point of one leaves it to be resumed.

use super::{Ledger, broken, org_of};
use crate::error::EngineError;
use crate::selection::Selection;
use rollcall_model::OrgId;
use serde::{Deserialize, Serialize};
use std::collections::BTreeSet;

/// An erasure that is not finished.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Erasure {
    /// Which facts; none once they are erased, and only what the disk still has of them is to go. So the last trace is no name.
    pub(crate) selection: Option<Selection>,
    /// The days of UTC, counted from 1970, that facts are about that were, or were about to be, removed: from each first until before the last.
    pub(crate) days: Vec<(i64, i64)>,
    /// The lake covered the organization up to this position before ids were removed for the first time: facts that came later may have them
    /// again.
    pub(crate) since: Option<u64>,
    /// The months of UTC, such as `2025-03`, whose data files have, or had, such facts.
    pub(crate) months: BTreeSet<String>,
}

/// Where an erasure is noted: organization, and a number that means nothing.
pub(crate) type ErasureKey = [u8; 32];

impl Ledger {
    /// A key for a new erasure.
    pub(crate) fn erasure_key(org: OrgId) -> ErasureKey {
        let mut key = [0; 32];
        key[..16].copy_from_slice(org.0.as_bytes());
        key[16..].copy_from_slice(uuid::Uuid::new_v4().as_bytes());
        key
    }

    /// Notes how far an erasure is, durably.
    ///
    /// # Errors
    /// [`EngineError::Storage`].
    pub(crate) fn note_erasure(&self, key: &ErasureKey, erasure: &Erasure) -> Result<(), EngineError> {
        let json = serde_json::to_vec(erasure).map_err(|error| EngineError::Storage(error.to_string()))?;
        self.erasures.insert(key, json)?;
        self.sync()
    }

    /// Notes that an erasure is finished.
    ///
    /// # Errors
    /// [`EngineError::Storage`].
    pub(crate) fn end_erasure(&self, key: &ErasureKey) -> Result<(), EngineError> {
        self.erasures.remove(key.as_slice())?;
        self.sync()
    }

    /// The erasures that are not finished.
    ///
    /// # Errors
    /// [`EngineError::Storage`].
    pub(crate) fn erasures(&self) -> Result<Vec<(OrgId, ErasureKey, Erasure)>, EngineError> {
        let read = |stored: fjall::Guard| {
            let (key, json) = stored.into_inner()?;
            let key: ErasureKey = key.as_ref().try_into().map_err(|_| broken("an erasure"))?;
            let erasure = serde_json::from_slice(&json).map_err(|_| broken("an erasure"))?;
            Ok((org_of(&key).ok_or_else(|| broken("an erasure"))?, key, erasure))
        };
        self.erasures.iter().map(read).collect()
    }
}
