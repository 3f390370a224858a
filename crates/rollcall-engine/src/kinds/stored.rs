//! Facts read back: the blocks of an organization whose times lie in a range.

use crate::error::EngineError;
use crate::kinds::Listed;
use crate::kinds::block::{Block, Commit, Header};
use crate::ledger::{BLOCK_KEY_PREFIX, Ledger, StoredBlock, block_key_prefix};
use crate::{for_each_kind, match_kind};
use fjall::{Readable, Snapshot};
use rollcall_model::calendar::DAY_MILLIS;
use rollcall_model::{Millis, OrgId, Range};

/// Every instant.
const ALWAYS: Range = Range::new(Millis::MIN, Millis::MAX);

/// Which facts are read.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Wanted {
    /// Those whose times (`session_started_at`, `at`) are in this range.
    pub(crate) times: Range,
    /// Blocks that do not reach into this range are passed over; those that do may hold facts that do not.
    pub(crate) reach: Range,
    /// Of facts in the lake, the only columns that are read; the others have their defaults. None: all are.
    pub(crate) columns: Option<&'static [&'static str]>,
}

impl Wanted {
    /// All facts whose times are in a range.
    pub(crate) const fn times(times: Range) -> Self {
        Self { times, reach: ALWAYS, columns: None }
    }

    /// Those of them that may be about a range.
    pub(crate) const fn about(self, reach: Range) -> Self {
        Self { reach, ..self }
    }

    /// No more of each than these columns of the lake, besides the time.
    pub(crate) const fn only(self, columns: &'static [&'static str]) -> Self {
        Self { columns: Some(columns), ..self }
    }

    /// Whether the facts of any reach are wanted.
    pub(crate) fn is_of_any_reach(&self) -> bool {
        self.reach == ALWAYS
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
                Err(error) => Some(Err(error)),
            }
        }))
    }

    /// The commits after one position, up to another, that were not trimmed.
    pub(crate) fn commits(&self, after: u64, upto: u64) -> impl Iterator<Item = Result<(u64, Commit), EngineError>> {
        self.blocks_of_commits(after, upto).map(|read| {
            let (position, blocks) = read?;
            let mut commit = Commit::default();
            for StoredBlock { org, kind, bytes } in blocks {
                match_kind!(kind, K => K::of_commit_mut(&mut commit).push((org, Block::decode(&bytes)?)));
            }
            Ok((position, commit))
        })
    }

    /// The position of the last commit, if none that is after a position and not in the lake has a fact of a user.
    ///
    /// # Errors
    /// [`EngineError::Storage`].
    pub(crate) fn last_without(&self, org: OrgId, user: &str, after: u64) -> Result<Option<u64>, EngineError> {
        let Some(user) = self.users.of(org)?.read().number(user) else { return Ok(Some(after)) };
        let mut last = after;
        for read in self.commits(after, u64::MAX) {
            let (position, commit) = read?;
            for_each_kind!(K => {
                let mut blocks = K::of_commit(&commit).iter().filter(|(of, _)| *of == org);
                if blocks.any(|(_, block)| block.rows().any(|row| row.user == user)) {
                    return Ok(None);
                }
            });
            last = position;
        }
        Ok(Some(last))
    }
}
