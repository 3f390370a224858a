//! Facts read back: the blocks of an organization whose sessions began in a range.

use super::columns::Block;
use super::block_key_prefix;
use crate::engine::EngineError;
use fjall::{Keyspace, Readable, Snapshot};
use rollcall_model::calendar::DAY_MILLIS;
use rollcall_model::{Millis, OrgId, Range};

/// The UTC day that a block of this time lies under, counted from 1970-01-01.
pub(super) fn day_of(at: Millis) -> u32 {
    u32::try_from(at.div_euclid(DAY_MILLIS)).unwrap_or(0)
}

/// See [`super::Ledger::scan`].
pub(super) fn scan(snapshot: Snapshot, facts: &Keyspace, org: OrgId, range: Range) -> impl Iterator<Item = Result<Block, EngineError>> + use<> {
    let days = if range.is_empty() { 1..=0 } else { day_of(range.from)..=day_of(range.to - 1) };
    let facts = facts.clone();
    // One day's keys at a time: blocks can be large.
    days.flat_map(move |day| snapshot.prefix(&facts, block_key_prefix(org, day))).filter_map(move |stored| {
        let bytes = match stored.value() {
            Ok(bytes) => bytes,
            Err(error) => return Some(Err(error.into())),
        };
        let overlaps = Block::extent(&bytes).is_none_or(|extent| !extent.intersect(&range).is_empty());
        overlaps.then(|| Ok(Block::decode(&bytes)?.within(range)))
    })
}
