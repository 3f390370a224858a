//! Cells: mergeable exact aggregates of an organization's facts in one slice of time.
//!
//! A cell is a monoid: merging cells in any order gives the aggregate of all their facts. There are two sorts.
//! - *Base cells* (`bases/`) are what the facts of a UTC day say, as ordered entries. They take late facts. [`Stays`] holds who stayed in
//!   which session: it alone knows whether a user was already counted in a meeting. [`Uses`] holds what the coding assistant was used for.
//! - *Merged cells* (`merged/`) are made from base cells and answer one question each: [`MeetingTotals`],
//!   [`MeetingPeople`], [`UserTotals`], [`PresentUsers`], [`MediaUsers`], [`PlacedUsers`], [`Peaks`], [`UseSums`], [`UsageSets`]. Since a meeting lies in one day with all its facts, sums over slices
//!   that do not overlap add up exactly; sets of users unite.
//!
//! [`Cells`] keeps them: facts are folded into *live* runs of entries in memory; a checkpoint writes these, with the ledger position they
//! cover, as runs into storage (`stored.rs`), where runs of a day are merged tier-wise (`tiers.rs`); and merged cells are kept once made,
//! until a checkpoint changes a quarter hour inside them (`kept.rs`). `Cells::verify` holds what is stored against the facts.

mod base;
mod bases;
mod catch_up;
mod checkpoint;
mod codec;
mod cover;
mod kept;
mod merged;
mod store;
mod stored;
mod tiers;
mod verify;
mod view;

pub use base::{Base, Run, Touches};
pub use bases::stays::{Stay, Stays};
pub(crate) use bases::stays::{meetings, session_hash};
pub use bases::uses::{Used, UsedIn, Uses};
pub use cover::{Day, Slice};
pub use merged::meeting_people::MeetingPeople;
pub use merged::meeting_totals::{MeetingTotals, Totals};
pub use merged::peaks::{Peak, Peaks, PeaksOf};
pub use merged::places::{Placed, PlacedUsers, RangeUsers};
pub use merged::presence::{Attended, AttendedWith, MediaUsers, Presence, PresentFilter, PresentUsers};
pub use merged::usage_sets::{Filing, Part, Parts, UsageSets};
pub use merged::use_sums::UseSums;
pub use merged::user_sets::UserSets;
pub(crate) use merged::user_sets::set;
pub use merged::user_totals::{UserSum, UserSums, UserTotals};
use rollcall_model::Range;
pub use store::{Cells, Live, LiveRuns};
pub use stored::Stored;
pub(crate) use verify::State;
pub use verify::{DamagedFile, Difference, Fault, Findings, Progress, Scope, Select};
pub use view::View;

/// A cell that may be kept once made.
pub trait Keep: Default + Clone + Send + Sync + std::fmt::Debug + 'static {
    /// What tells this kind of cell from the others in storage. Never changed or given to another.
    const KIND: u8;

    /// The bytes in storage; none if the cell costs less to make anew than it takes there. It is then kept in memory alone.
    fn encode(&self) -> Option<Vec<u8>> {
        None
    }

    /// The cell of such bytes; none if they are not.
    fn decode(_bytes: &[u8]) -> Option<Self> {
        None
    }

    /// About how many bytes the cell takes in memory.
    fn size(&self) -> usize;

    /// Whether the cell is worth its room in the cache.
    fn is_cached(&self) -> bool {
        true
    }
}

/// A cell made from the base cells of a slice of time.
pub trait Merged: Keep {
    /// The base cells it is made from.
    type Base: Base;

    /// The cell of what lies in a range, of the ordered entries of one day.
    fn of(entries: &[<Self::Base as Base>::Entry], range: Range) -> Self;

    /// Adds the facts of a cell of another slice of time.
    fn merge(&mut self, other: &Self);
}
