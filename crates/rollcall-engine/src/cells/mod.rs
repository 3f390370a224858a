//! Cells: mergeable exact aggregates of an organization's facts in one slice of time.
//!
//! A cell is a monoid: merging cells in any order gives the aggregate of all their facts. There are two kinds here.
//! - The *base cell* of a quarter hour, [`Sessions`], holds the meetings that began in it and who attended them. It alone can
//!   take a late fact, because only it knows whether a user was already counted in a meeting.
//! - *Merged cells*, [`MeetingTotals`] and [`UserTotals`], are made from base cells and answer one question each. Since a meeting
//!   lies in one quarter hour with all its facts, merged cells of slices that do not overlap add up exactly.
//!
//! [`Cells`] keeps them: facts are folded into *live* base cells in memory, live cells are checkpointed into storage with the
//! ledger position they cover, and merged cells are kept once made, until a checkpoint changes a quarter hour inside them.

mod checkpoint;
mod codec;
mod cover;
mod meeting_totals;
mod sessions;
mod store;
mod user_totals;

pub use cover::Slice;
pub use meeting_totals::{MeetingTotals, Totals};
pub use sessions::{Attendee, Sessions};
pub use store::{Cells, View};
pub use user_totals::{UserSum, UserSums, UserTotals};

/// A cell made from the base cells of a slice of time.
pub trait Merged: Default + Clone + Send + Sync + std::fmt::Debug + 'static {
    /// What tells this kind of cell from the others in storage. Never changed or given to another.
    const KIND: u8;

    /// The cell of these attendees: all of each session, ordered as [`Sessions`] orders them.
    fn of(attendees: &[Attendee]) -> Self;

    /// Adds the facts of a cell of another slice of time.
    fn merge(&mut self, other: &Self);

    /// The bytes in storage.
    fn encode(&self) -> Vec<u8>;

    /// The cell of such bytes; none if they are not.
    fn decode(bytes: &[u8]) -> Option<Self>;

    /// About how many bytes the cell takes in memory.
    fn size(&self) -> usize;
}
