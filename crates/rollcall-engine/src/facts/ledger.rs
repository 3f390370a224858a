//! Facts read back: the blocks of an organization whose times lie in a range.

use crate::error::EngineError;
use crate::kinds::block::{Block, Header};
use crate::ledger::{BLOCK_KEY_PREFIX, Ledger, block_key_prefix};
use fjall::{Readable, Snapshot};
use rollcall_model::calendar::DAY_MILLIS;
use rollcall_model::{Millis, OrgId, Range};

/// Which facts are read.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Wanted {
    /// Those whose times (`session_started_at`, `at`) are in this range.
    pub(crate) times: Range,
    /// Blocks that do not reach into this range are passed over; those that do may hold facts that do not.
    pub(crate) reach: Range,
}

impl Wanted {
    /// All facts whose times are in a range.
    pub(crate) const fn times(times: Range) -> Self {
        Self { times, reach: Range::new(Millis::MIN, Millis::MAX) }
    }

    fn may_be_in(&self, header: &Header) -> bool {
        !header.extent.intersect(&self.times).is_empty() && !header.reach.intersect(&self.reach).is_empty()
    }
}

/// The UTC day that a block of this time lies under, counted from 1970-01-01.
pub(crate) fn day_of(at: Millis) -> u32 {
    u32::try_from(at.div_euclid(DAY_MILLIS)).unwrap_or(if at < 0 { 0 } else { u32::MAX })
}

/// The blocks of an organization that the ledger has: of each its UTC day, the position of its commit, and the facts that are wanted.
pub(crate) type LedgerScan<B> = Box<dyn Iterator<Item = Result<(u32, u64, B), EngineError>> + Send>;

impl Ledger {
    /// The facts that are wanted of commits after a position, day by day.
    pub(crate) fn scan<B: Block>(&self, snapshot: Snapshot, org: OrgId, wanted: Wanted, after: u64) -> LedgerScan<B> {
        let first = [block_key_prefix(org, B::KIND, day_of(wanted.times.from)).as_slice(), &[0; 8]].concat();
        let last = [block_key_prefix(org, B::KIND, day_of(wanted.times.to)).as_slice(), &[u8::MAX; 8]].concat();
        Box::new(snapshot.range(&self.facts, first.clone()..=last.max(first)).filter_map(move |stored| {
            let (key, bytes) = match stored.into_inner() {
                Ok(stored) => stored,
                Err(error) => return Some(Err(error.into())),
            };
            let position = key.get(BLOCK_KEY_PREFIX..).and_then(|rest| rest.first_chunk()).copied().map_or(0, u64::from_be_bytes);
            let day = key.get(17..).and_then(|day| day.first_chunk()).copied().map_or(0, u32::from_be_bytes);
            if position <= after || !Header::of(&bytes).is_none_or(|header| wanted.may_be_in(&header)) {
                return None;
            }
            match B::decode(&bytes) {
                Ok(block) => Some(block.within(wanted.times)).filter(|block| block.facts() > 0).map(|block| Ok((day, position, block))),
                Err(error) => Some(Err(error.into())),
            }
        }))
    }
}
