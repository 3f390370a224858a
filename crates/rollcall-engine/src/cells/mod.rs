//! Cells: mergeable exact aggregates of an organization's facts in one slice of time.
//!
//! A cell is a monoid: merging cells in any order gives the aggregate of all their facts. There are two sorts.
//! - *Base cells* stand at quarter hours, or at hours, and take late facts. [`Sessions`] holds the meetings that began in a quarter hour
//!   and who attended them: it alone knows whether a user was already counted in a meeting. [`Presence`] holds who attended anything
//!   during a quarter hour, [`Location`] from where during an hour.
//! - *Merged cells* are made from base cells and answer one question each: [`MeetingTotals`], [`UserTotals`], [`PresentUsers`],
//!   [`LocatedUsers`]. Since a meeting lies in one quarter hour with all its facts, sums over slices that do not overlap add up exactly;
//!   sets of users unite.
//!
//! [`Cells`] keeps them: facts are folded into *live* base cells in memory, live cells are checkpointed into storage with the
//! ledger position they cover, and merged cells are kept once made, until a checkpoint changes a quarter hour inside them.
//! `Cells::verify` holds what is stored against the facts.

mod base;
mod catch_up;
mod checkpoint;
mod codec;
mod cover;
mod location;
mod meeting_totals;
mod presence;
mod sessions;
mod store;
mod usage_sets;
mod user_sets;
mod user_totals;
mod uses;
mod verify;
mod view;

pub use base::{Base, Cell};
pub use cover::Slice;
pub use location::{LocatedUsers, Location, RangeUsers};
pub use meeting_totals::{MeetingTotals, Totals};
pub use presence::{Presence, PresentFilter, PresentUsers};
pub use sessions::{Attendee, Sessions};
pub use store::{Cells, Live, LiveCells};
pub use usage_sets::{Filing, Part, Parts, UsageSets};
pub use user_sets::UserSets;
pub use user_totals::{UserSum, UserSums, UserTotals};
pub use uses::{UseSums, Used, Uses};
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

    /// The cell of these entries: those of one quarter hour after those of another, each in order.
    fn of(entries: &[<Self::Base as Base>::Entry]) -> Self;

    /// Adds the facts of a cell of another slice of time.
    fn merge(&mut self, other: &Self);
}
