//! Slices of time on quarter hours, and how they are put together from smaller ones.

use rollcall_model::calendar::QUARTER_MILLIS;
use rollcall_model::{Quarter, Range};

/// A run of quarter hours: what a merged cell aggregates.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Slice {
    /// The first quarter hour.
    pub start: i32,
    /// How many.
    pub quarters: i32,
}

/// Quarter hours in the slices that stand in every zone: quarter hour, hour, day and four weeks of UTC, aligned to 1970-01-01.
const GRAINS: [i32; 4] = [1, 4, 96, 4 * 7 * 96];

/// Days in the periods of a calendar: a day, a week, every month, every year.
const CALENDAR_DAYS: [i32; 8] = [1, 7, 28, 29, 30, 31, 365, 366];

/// By how many quarter hours a period may be longer or shorter where clocks are changed within it.
const CLOCK_CHANGE: i32 = 4;

impl Slice {
    /// Whether the slice is as long as one that stands in every zone, or as a period of a zone: only such are stored when they are kept. So
    /// what is stored has 74 lengths at most, and a checkpoint finds what it changes by looking for each.
    pub fn is_of_calendar(&self) -> bool {
        GRAINS.contains(&self.quarters) || CALENDAR_DAYS.iter().any(|days| (self.quarters - days * 96).abs() <= CLOCK_CHANGE)
    }

    /// The quarter hours from `from` up to, not including, `to`.
    pub const fn new(from: Quarter, to: Quarter) -> Self {
        Self { start: from.0, quarters: to.0 - from.0 }
    }

    /// The first quarter hour after the slice.
    pub const fn end(&self) -> i32 {
        self.start + self.quarters
    }

    /// The slice in smaller ones, the largest of UTC that fit, in order, none smaller than a base cell of so many quarter hours. Only a
    /// base cell has none smaller.
    pub fn parts(&self, smallest: i32) -> impl Iterator<Item = Self> + use<> {
        let (whole, mut at) = (*self, self.start);
        std::iter::from_fn(move || {
            let fits =
                |grain: &&i32| at % **grain == 0 && at + **grain <= whole.end() && (**grain < whole.quarters || whole.quarters == smallest);
            let quarters = *GRAINS.iter().rev().take_while(|grain| **grain >= smallest).find(fits)?;
            let part = Self { start: at, quarters };
            at += quarters;
            Some(part)
        })
    }
}

/// A range, cut where it meets base cells.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Cut {
    /// Ragged edges: ranges within one base cell each.
    pub(super) edges: [Option<Range>; 2],
    /// The whole base cells between them.
    pub(super) whole: Option<Slice>,
}

impl Cut {
    /// Cuts a range where base cells of so many quarter hours begin.
    pub(super) fn new(range: Range, quarters: i32) -> Self {
        if range.is_empty() {
            return Self { edges: [None, None], whole: None };
        }
        let first = align(Quarter::of(range.from + i64::from(quarters) * QUARTER_MILLIS - 1), quarters);
        let last = align(Quarter::of(range.to), quarters);
        if first > last {
            return Self { edges: [Some(range), None], whole: None };
        }
        let edge = |from, to| (from < to).then_some(Range::new(from, to));
        Self {
            edges: [edge(range.from, first.start()), edge(last.start(), range.to)],
            whole: (first < last).then_some(Slice::new(first, last)),
        }
    }
}

/// The quarter hour at or before this one at which a base cell of so many begins.
pub(super) const fn align(quarter: Quarter, quarters: i32) -> Quarter {
    Quarter(quarter.0.div_euclid(quarters) * quarters)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn parts_lie_end_to_end_and_are_smaller(start in 0i32..50_000, quarters in 2i32..5_000, hours: bool) {
            let smallest = if hours { 4 } else { 1 };
            let slice = Slice { start: start * smallest, quarters: quarters * smallest };
            let mut at = slice.start;
            for part in slice.parts(smallest) {
                prop_assert_eq!(part.start, at);
                prop_assert!((smallest..slice.quarters).contains(&part.quarters));
                at = part.end();
            }
            prop_assert_eq!(at, slice.end());
        }

        #[test]
        fn a_cut_range_is_its_edges_and_its_whole(from in 0i64..10_000_000, length in 0i64..10_000_000, hours: bool) {
            let range = Range::new(from, from + length);
            let quarters = if hours { 4 } else { 1 };
            let cut = Cut::new(range, quarters);
            let mut at = range.from;
            let whole = cut.whole.map(|slice| Range::new(Quarter(slice.start).start(), Quarter(slice.end()).start()));
            for part in [cut.edges[0], whole, cut.edges[1]].into_iter().flatten() {
                prop_assert_eq!(part.from, at);
                prop_assert!(!part.is_empty());
                at = part.to;
            }
            prop_assert_eq!(at, range.to);
            for edge in cut.edges.into_iter().flatten() {
                prop_assert_eq!(align(Quarter::of(edge.from), quarters), align(Quarter::of(edge.to - 1), quarters));
            }
        }
    }

    #[test]
    fn few_lengths_are_those_of_a_calendar() {
        let lengths = (1..400 * 96).filter(|quarters| Slice { start: 7, quarters: *quarters }.is_of_calendar());
        assert_eq!(lengths.clone().count(), 74);
        let days = |days: i32| days * 96;
        let asked = [1, 2, 4, 5, 92, 98, 101, days(2), days(7) - 4, days(28) + 4, days(30), days(90), days(365)];
        let kept = asked.into_iter().filter(|quarters| lengths.clone().any(|length| length == *quarters)).collect::<Vec<_>>();
        assert_eq!(kept, [1, 4, 92, 98, days(7) - 4, days(28) + 4, days(30), days(365)]);
    }

    #[test]
    fn a_day_is_hours_and_four_weeks_are_days() {
        let parts = |start, quarters| Slice { start, quarters }.parts(1).map(|part| part.quarters).collect::<Vec<_>>();
        assert_eq!(parts(96, 96), [4; 24]);
        assert_eq!(parts(0, 2688), [96; 28]);
        assert_eq!(parts(64, 96), [4; 24]);
        assert_eq!(parts(95, 98), [1, 96, 1]);
        assert_eq!(parts(5, 1), [1]);
        assert_eq!(Slice { start: 8, quarters: 4 }.parts(4).collect::<Vec<_>>(), [Slice { start: 8, quarters: 4 }]);
    }
}
