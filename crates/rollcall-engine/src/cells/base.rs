//! Base cells: what the facts of a UTC day say, as ordered entries. They take late facts, and every merged cell is made from them.

use super::bases::Listed;
use super::cover::QUARTERS_OF_DAY;
use super::{Day, View};
use crate::error::EngineError;
use crate::kinds::words::Worded;
use roaring::RoaringBitmap;
use rollcall_model::{Quarter, Range};
use std::cmp::Ordering;
use std::sync::Arc;

/// A kind of base cell: entries, each of one UTC day.
pub trait Base: Listed + Send + Sync + std::fmt::Debug + 'static {
    /// The facts it is folded from.
    type Block: Worded;

    /// What the cell holds.
    type Entry: Copy + Send + Sync + std::fmt::Debug + PartialEq + 'static;

    /// What people call it.
    const NAME: &'static str;

    /// Where the lists of its runs and their parts are stored. Never changed.
    const KEYSPACES: [&'static str; 2];

    /// The columns of the lake that it is folded from, with the ids of facts, besides the time; none: all.
    const COLUMNS: Option<&'static [&'static str]> = None;

    /// How many days before the day of a fact the day of an entry may be.
    const DAYS_BEFORE: i32;

    /// How many days after the day of a fact the day of an entry may be.
    const DAYS_AFTER: i32;

    /// [`super::Keep::KIND`] of each kind of kept cell made from it.
    const KINDS: &'static [u8];

    /// Folds the facts of a block, giving each entry to `add`.
    fn fold(block: &Self::Block, add: &mut dyn FnMut(Self::Entry));

    /// The day of an entry.
    fn day(entry: &Self::Entry) -> Day;

    /// Where in its day an entry counts.
    fn touches(entry: &Self::Entry) -> Touches;

    /// Orders entries, days first.
    fn compare(a: &Self::Entry, b: &Self::Entry) -> Ordering;

    /// Adds the facts of an entry to one before it, if the two are about the same; else says that both stay.
    fn join(first: &mut Self::Entry, second: &Self::Entry) -> bool;

    /// The bytes in storage of ordered entries of a day.
    fn encode(day: Day, entries: &[Self::Entry]) -> Vec<u8>;

    /// The ordered entries of such bytes; none if they are not.
    fn decode(day: Day, bytes: &[u8]) -> Option<Vec<Self::Entry>>;

    /// The entries of a range within one quarter hour.
    ///
    /// # Errors
    /// [`EngineError::Storage`].
    fn edge(view: &View<'_, Self>, range: Range) -> Result<Arc<Vec<Self::Entry>>, EngineError>;
}

/// Where in its day an entry counts, in quarter hours.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Touches {
    /// The quarter hour it is filed under, if that is of its day.
    pub filed: Option<i32>,
    /// The first and the last that it is about, if any is of its day.
    pub about: Option<(i32, i32)>,
}

/// Entries in order, no two about the same: a delta to the base cells, or some of them. A monoid under [`Run::merged`].
#[derive(Debug)]
pub struct Run<B: Base> {
    /// The entries.
    pub entries: Vec<B::Entry>,
    /// The quarter hours in which one of them counts.
    pub touched: RoaringBitmap,
    /// The quarter hours between the first and the last that one of them is about.
    pub about: Option<(i32, i32)>,
}

impl<B: Base> Run<B> {
    /// The run of entries in any order.
    pub fn new(mut entries: Vec<B::Entry>) -> Self {
        order::<B>(&mut entries);
        let (mut touched, mut about) = (RoaringBitmap::new(), None);
        for of_day in entries.chunk_by(|a, b| B::day(a) == B::day(b)) {
            let begin = of_day.first().map_or(0, |entry| Quarter::of(B::day(entry).range().from).0);
            // A bit for each quarter hour of the day.
            let mut bits = 0u128;
            for touches in of_day.iter().map(B::touches) {
                let counts_in = touches.about.into_iter().chain(touches.filed.map(|filed| (filed, filed)));
                counts_in.for_each(|(first, last)| bits |= (2 << (last - begin)) - (1 << (first - begin)));
                about = around(about, touches.about);
            }
            let quarters = (begin..).zip(0..QUARTERS_OF_DAY).filter(|(_, bit)| bits >> bit & 1 == 1);
            touched.extend(quarters.map(|(quarter, _)| quarter.cast_unsigned()));
        }
        Self { entries, touched, about }
    }

    /// The run of the facts of several.
    pub fn merged<'r>(runs: impl IntoIterator<Item = &'r Self>) -> Self {
        let (mut entries, mut touched, mut about) = (Vec::new(), RoaringBitmap::new(), None);
        for run in runs {
            entries.extend_from_slice(&run.entries);
            touched |= &run.touched;
            about = around(about, run.about);
        }
        order::<B>(&mut entries);
        Self { entries, touched, about }
    }

    /// The entries of a day.
    pub fn of_day(&self, day: Day) -> &[B::Entry] {
        let from = self.entries.partition_point(|entry| B::day(entry) < day);
        let rest = self.entries.get(from..).unwrap_or_default();
        let count = rest.partition_point(|entry| B::day(entry) == day);
        rest.get(..count).unwrap_or_default()
    }

    /// The days that have entries, in order.
    pub fn days(&self) -> impl Iterator<Item = Day> {
        let mut rest = self.entries.as_slice();
        std::iter::from_fn(move || {
            let day = B::day(rest.first()?);
            rest = rest.get(rest.partition_point(|entry| B::day(entry) == day)..)?;
            Some(day)
        })
    }

    /// Whether an entry counts in some quarter hours.
    pub fn meets(&self, quarters: std::ops::Range<i32>) -> bool {
        self.touched.range_cardinality(quarters.start.max(0).cast_unsigned()..quarters.end.max(0).cast_unsigned()) > 0
    }
}

/// From the first of some quarter hours to the last.
pub(super) fn around(a: Option<(i32, i32)>, b: Option<(i32, i32)>) -> Option<(i32, i32)> {
    match (a, b) {
        (Some(a), Some(b)) => Some((a.0.min(b.0), a.1.max(b.1))),
        (one, None) | (None, one) => one,
    }
}

/// Orders entries, and joins those that are about the same.
pub(super) fn order<B: Base>(entries: &mut Vec<B::Entry>) {
    // The stable sort finds the runs that are in order already.
    entries.sort_by(B::compare);
    entries.dedup_by(|next, first| B::join(first, next));
}
