//! Base cells: what stands at every quarter hour, takes late facts, and every merged cell is made from.

use super::View;
use super::store::{Cells, Live, LiveCells};
use crate::error::EngineError;
use crate::words::Worded;
use fjall::Keyspace;
use rollcall_model::{Quarter, Range};
use std::cmp::Ordering;

/// A kind of base cell: a set of entries, each the aggregate of some facts, ordered by a key that no two share.
pub trait Base: Sized + Send + Sync + std::fmt::Debug + 'static {
    /// The facts it is folded from.
    type Block: Worded;

    /// What the cell holds.
    type Entry: Copy + Send + Sync + std::fmt::Debug + PartialEq + 'static;

    /// What people call it.
    const NAME: &'static str;

    /// How many quarter hours a cell aggregates: 1 or, for an hour, 4. Cells are named by the first.
    const QUARTERS: i32;

    /// [`super::Keep::KIND`] of each kind of kept cell made from it.
    const KINDS: &'static [u8];

    /// Folds the facts of a block, giving each entry to `add` with its cell.
    fn fold(block: &Self::Block, add: &mut dyn FnMut(Quarter, Self::Entry));

    /// Orders entries by their key and merges those that share it.
    fn order(entries: &mut Vec<Self::Entry>);

    /// Compares two entries by their keys.
    fn compare(a: &Self::Entry, b: &Self::Entry) -> Ordering;

    /// The bytes in storage of ordered entries.
    fn encode(quarter: Quarter, entries: &[Self::Entry]) -> Vec<u8>;

    /// The ordered entries of such bytes; none if they are not.
    fn decode(quarter: Quarter, bytes: &[u8]) -> Option<Vec<Self::Entry>>;

    /// The entries of a range within one cell's quarter hours, built on the spot.
    ///
    /// # Errors
    /// [`EngineError::Storage`].
    fn edge(view: &View<'_, Self>, range: Range) -> Result<Vec<Self::Entry>, EngineError>;

    /// Where cells of this kind are stored.
    fn keyspace(cells: &Cells) -> &Keyspace;

    /// The live ones.
    fn live(live: &Live) -> &LiveCells<Self>;

    /// The live ones.
    fn live_mut(live: &mut Live) -> &mut LiveCells<Self>;
}

/// A base cell in memory. A monoid under [`Cell::merge`].
#[derive(Debug)]
pub struct Cell<B: Base> {
    /// Up to `ordered`, in order; then as they came.
    entries: Vec<B::Entry>,
    ordered: usize,
}

impl<B: Base> Default for Cell<B> {
    fn default() -> Self {
        Self { entries: Vec::new(), ordered: 0 }
    }
}

impl<B: Base> Clone for Cell<B> {
    fn clone(&self) -> Self {
        Self { entries: self.entries.clone(), ordered: self.ordered }
    }
}

impl<B: Base> Cell<B> {
    /// A cell of entries that are in order.
    pub(super) const fn of_ordered(entries: Vec<B::Entry>) -> Self {
        Self { ordered: entries.len(), entries }
    }

    /// Adds entries in any order.
    pub fn extend(&mut self, entries: &[B::Entry]) {
        self.entries.extend_from_slice(entries);
        // Ordering only when as much again has come keeps adding cheap and the cell at most twice its size.
        if self.entries.len() > 2 * self.ordered + 64 {
            self.order();
        }
    }

    /// Adds the facts of another cell of the same quarter hour.
    pub fn merge(&mut self, other: &Self) {
        self.entries.extend_from_slice(&other.entries);
        self.order();
    }

    fn order(&mut self) {
        B::order(&mut self.entries);
        self.ordered = self.entries.len();
    }

    /// Every entry, in order.
    pub fn into_entries(mut self) -> Vec<B::Entry> {
        if self.ordered < self.entries.len() {
            self.order();
        }
        self.entries
    }
}
