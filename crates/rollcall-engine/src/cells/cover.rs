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

impl Slice {
    /// The quarter hours from `from` up to, not including, `to`.
    pub const fn new(from: Quarter, to: Quarter) -> Self {
        Self { start: from.0, quarters: to.0 - from.0 }
    }

    /// The first quarter hour after the slice.
    pub const fn end(&self) -> i32 {
        self.start + self.quarters
    }

    /// The slice in smaller ones, the largest of UTC that fit, in order. Only a quarter hour has none smaller.
    pub fn parts(&self) -> impl Iterator<Item = Self> + use<> {
        let (whole, mut at) = (*self, self.start);
        std::iter::from_fn(move || {
            let fits = |grain: &&i32| at % **grain == 0 && at + **grain <= whole.end() && (**grain < whole.quarters || whole.quarters == 1);
            let quarters = *GRAINS.iter().rev().find(fits)?;
            let part = Self { start: at, quarters };
            at += quarters;
            Some(part)
        })
    }
}

/// A range, cut where it meets quarter hours.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Cut {
    /// Ragged edges: ranges within one quarter hour each.
    pub(super) edges: [Option<Range>; 2],
    /// The whole quarter hours between them.
    pub(super) whole: Option<Slice>,
}

impl Cut {
    /// Cuts a range.
    pub(super) fn new(range: Range) -> Self {
        if range.is_empty() {
            return Self { edges: [None, None], whole: None };
        }
        let first = Quarter::of(range.from + QUARTER_MILLIS - 1);
        let last = Quarter::of(range.to);
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

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn parts_lie_end_to_end_and_are_smaller(start in 0i32..200_000, quarters in 2i32..20_000) {
            let slice = Slice { start, quarters };
            let mut at = start;
            for part in slice.parts() {
                prop_assert_eq!(part.start, at);
                prop_assert!(part.quarters < quarters);
                at = part.end();
            }
            prop_assert_eq!(at, slice.end());
        }

        #[test]
        fn a_cut_range_is_its_edges_and_its_whole(from in 0i64..10_000_000, length in 0i64..10_000_000) {
            let range = Range::new(from, from + length);
            let cut = Cut::new(range);
            let mut at = range.from;
            let whole = cut.whole.map(|slice| Range::new(Quarter(slice.start).start(), Quarter(slice.end()).start()));
            for part in [cut.edges[0], whole, cut.edges[1]].into_iter().flatten() {
                prop_assert_eq!(part.from, at);
                prop_assert!(!part.is_empty());
                at = part.to;
            }
            prop_assert_eq!(at, range.to);
            for edge in cut.edges.into_iter().flatten() {
                prop_assert_eq!(Quarter::of(edge.from), Quarter::of(edge.to - 1));
            }
        }
    }

    #[test]
    fn a_day_is_hours_and_four_weeks_are_days() {
        let parts = |start, quarters| Slice { start, quarters }.parts().map(|part| part.quarters).collect::<Vec<_>>();
        assert_eq!(parts(96, 96), [4; 24]);
        assert_eq!(parts(0, 2688), [96; 28]);
        assert_eq!(parts(64, 96), [4; 24]);
        assert_eq!(parts(95, 98), [1, 96, 1]);
        assert_eq!(parts(5, 1), [1]);
    }
}
