//! Days, slices of time on quarter hours, and how slices are put together from smaller ones.

use rollcall_model::calendar::{DAY_MILLIS, QUARTER_MILLIS};
use rollcall_model::{Millis, Quarter, Range};

/// How many quarter hours a day has.
pub(super) const QUARTERS_OF_DAY: i32 = (DAY_MILLIS / QUARTER_MILLIS) as i32;

/// A UTC day, counted from 1970-01-01: the base cells of one lie together in storage.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Day(pub i32);

impl Day {
    /// The day that contains `at`.
    #[expect(clippy::cast_possible_truncation, reason = "years 1972 to 2199 are below 2^17 days")]
    pub const fn of(at: Millis) -> Self {
        Self(at.div_euclid(DAY_MILLIS) as i32)
    }

    /// The instants of the day.
    pub const fn range(self) -> Range {
        Range::new(self.0 as Millis * DAY_MILLIS, (self.0 + 1) as Millis * DAY_MILLIS)
    }

    /// The days that a range touches.
    pub fn all(range: Range) -> impl DoubleEndedIterator<Item = Self> {
        let last = if range.is_empty() { Self::of(range.from).0 - 1 } else { Self::of(range.to - 1).0 };
        (Self::of(range.from).0..=last).map(Self)
    }
}

/// A run of quarter hours: what a merged cell aggregates.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Slice {
    /// The first quarter hour.
    pub start: i32,
    /// How many.
    pub quarters: i32,
}

/// Quarter hours in four weeks: these, aligned to 1970-01-01, and days of UTC stand in every zone.
const FOUR_WEEKS: i32 = 28 * QUARTERS_OF_DAY;

/// Days in the periods of a calendar: a day, a week, every month, every year.
const CALENDAR_DAYS: [i32; 8] = [1, 7, 28, 29, 30, 31, 365, 366];

/// By how many quarter hours a period may be longer or shorter where clocks are changed within it.
const CLOCK_CHANGE: i32 = 4;

impl Slice {
    /// Whether the slice is as long as a period of a zone: only such are stored when they are kept. So what is stored has 72 lengths at
    /// most, and a checkpoint finds what it changes by looking for each.
    pub fn is_of_calendar(&self) -> bool {
        CALENDAR_DAYS.iter().any(|days| (self.quarters - days * QUARTERS_OF_DAY).abs() <= CLOCK_CHANGE)
    }

    /// The instants of the slice.
    pub const fn range(&self) -> Range {
        Range::new(Quarter(self.start).start(), Quarter(self.end()).start())
    }

    /// The quarter hours from `from` up to, not including, `to`.
    pub const fn new(from: Quarter, to: Quarter) -> Self {
        Self { start: from.0, quarters: to.0 - from.0 }
    }

    /// The first quarter hour after the slice.
    pub const fn end(&self) -> i32 {
        self.start + self.quarters
    }

    /// The four weeks of UTC in the slice.
    pub fn four_weeks(&self) -> impl Iterator<Item = Self> + use<> {
        let first = self.start.div_euclid(FOUR_WEEKS) + i32::from(self.start.rem_euclid(FOUR_WEEKS) > 0);
        (first..self.end().div_euclid(FOUR_WEEKS)).map(|number| Self { start: number * FOUR_WEEKS, quarters: FOUR_WEEKS })
    }

    /// The slice in smaller ones, in order: four weeks of UTC, days of UTC, and what is left of a day at either end.
    pub fn parts(&self) -> impl Iterator<Item = Self> + use<> {
        let (whole, mut at) = (*self, self.start);
        std::iter::from_fn(move || {
            let left = whole.end() - at;
            let fits = |grain: &i32| at % grain == 0 && *grain <= left && *grain < whole.quarters;
            let to_midnight = QUARTERS_OF_DAY - at.rem_euclid(QUARTERS_OF_DAY);
            let quarters = [FOUR_WEEKS, QUARTERS_OF_DAY].into_iter().find(fits).unwrap_or(left.min(to_midnight));
            let part = Self { start: at, quarters };
            at += quarters;
            (quarters > 0).then_some(part)
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
    /// Cuts a range where quarter hours begin.
    pub(super) fn new(range: Range) -> Self {
        if range.is_empty() {
            return Self { edges: [None, None], whole: None };
        }
        let (first, last) = (Quarter::of(range.from + QUARTER_MILLIS - 1), Quarter::of(range.to));
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
        fn parts_lie_end_to_end_and_are_smaller(start in 0i32..50_000, quarters in 97i32..5_000) {
            let slice = Slice { start, quarters };
            let mut at = slice.start;
            for part in slice.parts() {
                prop_assert_eq!(part.start, at);
                prop_assert!((1..slice.quarters).contains(&part.quarters));
                let days: Vec<Day> = Day::all(part.range()).collect();
                prop_assert!(days.len() == 1 || part.quarters % QUARTERS_OF_DAY == 0);
                at = part.end();
            }
            prop_assert_eq!(at, slice.end());
        }

        #[test]
        fn a_cut_range_is_its_edges_and_its_whole(from in 0i64..10_000_000, length in 0i64..10_000_000) {
            let range = Range::new(from, from + length);
            let cut = Cut::new(range);
            let mut at = range.from;
            for part in [cut.edges[0], cut.whole.map(|whole| whole.range()), cut.edges[1]].into_iter().flatten() {
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
    fn few_lengths_are_those_of_a_calendar() {
        let lengths = (1..400 * 96).filter(|quarters| Slice { start: 7, quarters: *quarters }.is_of_calendar());
        assert_eq!(lengths.clone().count(), 72);
        let days = |days: i32| days * 96;
        let asked = [1, 2, 4, 5, 92, 98, 101, days(2), days(7) - 4, days(28) + 4, days(30), days(90), days(365)];
        let kept = asked.into_iter().filter(|quarters| lengths.clone().any(|length| length == *quarters)).collect::<Vec<_>>();
        assert_eq!(kept, [92, 98, days(7) - 4, days(28) + 4, days(30), days(365)]);
    }

    #[test]
    fn four_weeks_are_days_and_what_is_longer_begins_and_ends_with_what_is_left_of_a_day() {
        let parts = |start, quarters| Slice { start, quarters }.parts().map(|part| part.quarters).collect::<Vec<_>>();
        assert_eq!(parts(0, 2688), [96; 28]);
        assert_eq!(parts(64, 96), [32, 64]);
        assert_eq!(parts(95, 98), [1, 96, 1]);
        assert_eq!(parts(2687, 2690), [1, 2688, 1]);
    }
}
