//! How complete the facts of an organization are, beside what an answer covers.

use crate::calendar::Millis;

/// What came last, and what came late.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Completeness {
    /// The number of the last receipt whose facts every answer asked for from now on counts; none: there are no facts.
    pub receipt: Option<u64>,
    /// When it was given.
    pub received_at: Option<Millis>,
    /// How many facts came late within the last day: more than [`LATE`] after what they are about. Of the last [`MOST_RECEIPTS`] receipts.
    pub late: u64,
}

/// How long after what it is about a fact comes late.
pub const LATE: Millis = crate::calendar::DAY_MILLIS;

/// Of how many receipts, from the last one back, late facts are counted.
pub const MOST_RECEIPTS: usize = 10_000;
