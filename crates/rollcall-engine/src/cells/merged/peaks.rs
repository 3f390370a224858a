//! The merged cell of `concurrency`: for each quarter hour, the most stays and the most sessions with somebody in them at one instant.
//!
//! A quarter hour begins with who is there already, so the most of any periods on quarter hours is the most of theirs.

use crate::cells::codec::{Reader, put};
use crate::cells::{Day, Keep, Merged, PresentFilter, Slice, Stay, Stays, View};
use crate::error::EngineError;
use rollcall_model::calendar::QUARTER_MILLIS;
use rollcall_model::{Millis, Quarter, Range};
use std::sync::Arc;

/// The most at one instant.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Peak {
    /// How many; never 0.
    pub most: u32,
    /// The first instant at which there are so many.
    pub at: Millis,
}

impl Peak {
    /// The larger, or the earlier of two that are alike.
    #[must_use]
    pub fn or(self, other: Self) -> Self {
        if (other.most, self.at) > (self.most, other.at) { other } else { self }
    }
}

/// What of a quarter hour is at most at one instant. Somebody is there.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PeaksOf {
    /// The quarter hour.
    pub quarter: i32,
    /// Stays.
    pub stays: Peak,
    /// Sessions with somebody in them.
    pub sessions: Peak,
}

/// The peaks of the quarter hours in which somebody is, ascending.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Peaks {
    /// See [`PeaksOf`].
    pub quarters: Vec<PeaksOf>,
}

impl Peaks {
    /// The peaks of the stays of a day that count, in a range.
    pub fn of_some(stays: &[Stay], range: Range, takes: impl Fn(&Stay) -> bool) -> Self {
        let (mut of_stays, mut of_sessions) = (Vec::new(), Vec::new());
        for session in stays.chunk_by(|a, b| a.session() == b.session()) {
            let begun = of_stays.len();
            let counted = session.iter().filter(|stay| takes(stay)).map(|stay| Range::new(stay.joined_at, stay.left_at).intersect(&range));
            of_stays.extend(counted.filter(|stay| !stay.is_empty()));
            let of_session = of_stays.get_mut(begun..).unwrap_or_default();
            of_session.sort_unstable();
            let mut last: Option<Range> = None;
            for stay in of_session.iter() {
                match &mut last {
                    Some(last) if stay.from <= last.to => last.to = last.to.max(stay.to),
                    _ => of_sessions.extend(last.replace(*stay)),
                }
            }
            of_sessions.extend(last);
        }
        let (stays, sessions) = (sweep(&of_stays, range), sweep(&of_sessions, range));
        // Where a stay is, a session is.
        let quarters = stays.into_iter().zip(sessions).map(|((quarter, stays), (_, sessions))| PeaksOf { quarter, stays, sessions });
        Self { quarters: quarters.collect() }
    }
}

/// The most of some intervals at one instant of each quarter hour of a range, where there are any. None is empty, and all lie in the range.
fn sweep(intervals: &[Range], range: Range) -> Vec<(i32, Peak)> {
    let mut starts: Vec<Millis> = intervals.iter().map(|interval| interval.from).collect();
    let mut ends: Vec<Millis> = intervals.iter().map(|interval| interval.to).collect();
    starts.sort_unstable();
    ends.sort_unstable();
    let (Some(first), Some(last)) = (starts.first(), ends.last()) else { return Vec::new() };
    let (mut starts, mut ends) = (starts.iter().copied().peekable(), ends.iter().copied().peekable());
    let (mut count, mut peaks) = (0u32, Vec::new());
    for quarter in Quarter::of(*first).0..=Quarter::of(*last - 1).0 {
        let part = Quarter(quarter).range().intersect(&range);
        // Who is there when it begins; then each instant at which that changes.
        let (mut at, mut peak) = (part.from, Peak { most: 0, at: part.from });
        while at < part.to {
            while ends.next_if(|end| *end <= at).is_some() {
                count -= 1;
            }
            while starts.next_if(|start| *start <= at).is_some() {
                count += 1;
            }
            if count > peak.most {
                peak = Peak { most: count, at };
            }
            at = starts.peek().into_iter().chain(ends.peek()).copied().min().unwrap_or(part.to);
        }
        if peak.most > 0 {
            peaks.push((quarter, peak));
        }
    }
    peaks
}

impl View<'_, Stays> {
    /// The peaks of a UTC day: of all stays, or of those that a filter counts, which has this hash.
    ///
    /// # Errors
    /// [`EngineError::Storage`], [`EngineError::Cancelled`], [`EngineError::TooMuch`].
    pub fn peaks(&self, day: Day, filter: Option<(&PresentFilter, u128)>) -> Result<Arc<Peaks>, EngineError> {
        let range = day.range();
        let slice = Slice::new(Quarter::of(range.from), Quarter::of(range.to));
        match filter {
            None => self.cell(slice),
            Some((filter, selector)) => {
                self.kept_in_memory(slice, selector, || Ok(Peaks::of_some(&self.entries(day)?, range, |stay| filter.takes_stay(stay))))
            }
        }
    }

    /// The peaks of what of a UTC day lies in a range, of the stays that a filter counts; they are made, and not kept.
    ///
    /// # Errors
    /// [`EngineError::Storage`], [`EngineError::Cancelled`], [`EngineError::TooMuch`].
    pub fn peaks_within(&self, day: Day, range: Range, filter: &PresentFilter) -> Result<Peaks, EngineError> {
        Ok(Peaks::of_some(&self.entries_counted(day)?, range, |stay| filter.takes_stay(stay)))
    }
}

impl Merged for Peaks {
    type Base = Stays;

    fn of(stays: &[Stay], range: Range) -> Self {
        Self::of_some(stays, range, |_| true)
    }

    fn merge(&mut self, other: &Self) {
        self.quarters.extend_from_slice(&other.quarters);
        self.quarters.sort_by_key(|of| of.quarter);
        self.quarters.dedup_by(|next, first| {
            let same = next.quarter == first.quarter;
            if same {
                (first.stays, first.sessions) = (first.stays.or(next.stays), first.sessions.or(next.sessions));
            }
            same
        });
    }
}

impl Keep for Peaks {
    const KIND: u8 = 10;

    fn encode(&self) -> Option<Vec<u8>> {
        let mut out = Vec::with_capacity(self.quarters.len() * 8);
        let mut before = 0;
        for PeaksOf { quarter, stays, sessions } in &self.quarters {
            put(&mut out, u64::from((quarter - before).cast_unsigned()));
            before = *quarter;
            for peak in [stays, sessions] {
                put(&mut out, u64::from(peak.most));
                put(&mut out, (peak.at - Quarter(*quarter).start()).cast_unsigned());
            }
        }
        Some(out)
    }

    fn decode(bytes: &[u8]) -> Option<Self> {
        let mut reader = Reader(bytes);
        let (mut quarters, mut quarter) = (Vec::new(), 0i32);
        while !reader.0.is_empty() {
            quarter = quarter.checked_add(reader.take_as::<u32>()?.cast_signed())?;
            let mut peak = || {
                let (most, after) = (reader.take_as()?, reader.take_as::<u32>()?);
                (i64::from(after) < QUARTER_MILLIS).then(|| Peak { most, at: Quarter(quarter).start() + i64::from(after) })
            };
            let (stays, sessions) = (peak()?, peak()?);
            quarters.push(PeaksOf { quarter, stays, sessions });
        }
        Some(Self { quarters })
    }

    fn size(&self) -> usize {
        64 + self.quarters.len() * size_of::<PeaksOf>()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cells::base::Run;
    use crate::cells::bases::stays::tests::stay;
    use proptest::prelude::*;
    use rollcall_model::calendar::DAY_MILLIS;
    use std::collections::BTreeSet;

    const DAY: Day = Day(20_000);

    /// By a look at each instant at which something begins.
    fn naive(stays: &[Stay], range: Range) -> Option<(Peak, Peak)> {
        let there = |at: Millis| stays.iter().filter(move |stay| stay.joined_at <= at && at < stay.left_at);
        let instants: BTreeSet<Millis> = stays.iter().map(|stay| stay.joined_at.max(range.from)).filter(|at| range.contains(*at)).collect();
        let peaks = instants.into_iter().filter_map(|at| {
            let sessions: BTreeSet<_> = there(at).map(Stay::session).collect();
            let peak = |most: usize| Peak { most: most as u32, at };
            (!sessions.is_empty()).then(|| (peak(there(at).count()), peak(sessions.len())))
        });
        peaks.reduce(|a, b| (a.0.or(b.0), a.1.or(b.1)))
    }

    proptest! {
        #[test]
        fn peaks_are_those_of_a_look_at_each_instant(
            stays in prop::collection::vec(stay(), 0..60), from in 0..DAY_MILLIS, length in 1..DAY_MILLIS,
        ) {
            let stays = Run::<Stays>::new(stays).entries;
            let range = Range::new(DAY.range().from + from, (DAY.range().from + from + length).min(DAY.range().to));
            let whole = Peaks::of(&stays, range);
            let peaks = whole.quarters.iter().map(|of| (of.stays, of.sessions)).reduce(|a, b| (a.0.or(b.0), a.1.or(b.1)));
            prop_assert_eq!(peaks, naive(&stays, range));
            prop_assert_eq!(Peaks::decode(&whole.encode().unwrap()), Some(whole.clone()));
            let middle = (range.from + length / 2).min(range.to);
            let (mut left, right) = (Peaks::of(&stays, Range::new(range.from, middle)), Peaks::of(&stays, Range::new(middle, range.to)));
            left.merge(&right);
            prop_assert_eq!(left, whole);
        }

        #[test]
        fn bytes_that_are_no_cell_do_not_panic(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
            let _ = Peaks::decode(&bytes);
        }
    }
}
