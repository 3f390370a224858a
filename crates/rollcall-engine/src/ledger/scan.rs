//! Facts read back: the blocks of an organization whose sessions began in a range.

use super::block_key_prefix;
use super::columns::Block;
use crate::error::EngineError;
use fjall::{Keyspace, Readable, Snapshot};
use rollcall_model::calendar::DAY_MILLIS;
use rollcall_model::{Millis, OrgId, Range};

/// The UTC day that a block of this time lies under, counted from 1970-01-01.
pub(super) fn day_of(at: Millis) -> u32 {
    u32::try_from(at.div_euclid(DAY_MILLIS)).unwrap_or(if at < 0 { 0 } else { u32::MAX })
}

/// See [`super::Ledger::scan`].
pub(crate) fn scan(
    snapshot: Snapshot,
    facts: &Keyspace,
    org: OrgId,
    range: Range,
) -> impl Iterator<Item = Result<Block, EngineError>> + use<> {
    let first = [block_key_prefix(org, day_of(range.from)).as_slice(), &[0; 8]].concat();
    let last = [block_key_prefix(org, day_of(range.to)).as_slice(), &[u8::MAX; 8]].concat();
    snapshot.range(facts, first.clone()..=last.max(first)).filter_map(move |stored| {
        let bytes = match stored.value() {
            Ok(bytes) => bytes,
            Err(error) => return Some(Err(error.into())),
        };
        let overlaps = Block::extent(&bytes).is_none_or(|extent| !extent.intersect(&range).is_empty());
        overlaps.then(|| Ok(Block::decode(&bytes)?.within(range)))
    })
}
