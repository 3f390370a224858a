//! Why facts that seem old enough to be erased may not be: a clock that is wrong makes every fact old.

use super::Erased;
use crate::Engine;
use crate::error::EngineError;
use crate::for_each_kind;
use crate::kinds::BlockOf;
use crate::kinds::stored::Wanted;
use crate::kinds::words::Worded;
use rollcall_model::calendar::{DAY_MILLIS, rfc3339};
use rollcall_model::{Millis, OrgId, Range};
use std::fmt;

/// Why facts of long ago should not be erased before somebody says so.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Doubt {
    /// The clock is more than a day past the newest facts that came in, of all organizations.
    Clock {
        /// What the clock says.
        now: Millis,
        /// Until when clock and facts agreed; none if none came in.
        seen: Option<Millis>,
    },
    /// More than half of an organization's facts would go.
    Most {
        /// How many would.
        facts: u64,
        /// How many there are.
        of: u64,
    },
}

impl fmt::Display for Doubt {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Clock { now, seen: Some(seen) } => {
                write!(f, "the clock says {}, more than a day after the last facts came in ({})", rfc3339(*now), rfc3339(*seen))
            }
            Self::Clock { now, seen: None } => write!(f, "the clock says {}, and no facts came in that agree with it", rfc3339(*now)),
            Self::Most { facts, of } => write!(f, "{facts} of {of} facts are too old, more than half"),
        }
    }
}

impl Engine {
    /// Why it is doubtful, as of an instant, that facts of long ago are to be erased; none if nothing speaks against it, or no fact is.
    ///
    /// # Errors
    /// [`EngineError::Storage`].
    pub fn doubt(&self, org: OrgId, would: &Erased, now: Millis) -> Result<Option<Doubt>, EngineError> {
        if would.facts() == 0 {
            return Ok(None);
        }
        let seen = self.facts.ledger.seen()?;
        if seen.is_none_or(|seen| now - seen > DAY_MILLIS) {
            return Ok(Some(Doubt::Clock { now, seen }));
        }
        let of = for_each_kind!(K => self.count_all::<BlockOf<K>>(org)?).into_iter().sum();
        let most = would.facts() > of / 2;
        Ok(most.then_some(Doubt::Most { facts: would.facts(), of }))
    }

    /// How many facts of a kind an organization has.
    fn count_all<B: Worded>(&self, org: OrgId) -> Result<u64, EngineError> {
        let pinned = self.facts.pin();
        let mut count = pinned.version.of(B::KIND).of(org).map(|file| file.facts).sum();
        for read in pinned.in_ledger::<B>(org, Wanted::times(Range::new(0, Millis::MAX))) {
            count += read?.2.facts() as u64;
        }
        Ok(count)
    }
}
