//! `concurrency`: the most stays and sessions at one instant, by period.
//!
//! Of each UTC day the quarter hours' peaks are a cell that is kept; only where a period begins or ends within a quarter hour are stays
//! looked at again. `concurrency.sql` defines the same answer.

use super::Answering;
use super::counted::Counted;
use crate::EngineError;
use crate::cells::{Day, Peaks, PeaksOf};
use crate::parallel;
use rollcall_model::calendar::QUARTER_MILLIS;
use rollcall_model::reports::{Concurrency, ConcurrencyRow, Grouping, Peak, StayFilter};
use rollcall_model::{Answer, Calendar, Covers, OrgId, Quarter, Range, ReportError};
use std::sync::Arc;
use xxhash_rust::xxh3::xxh3_128;

pub(super) fn answer(answering: &Answering<'_>, org: OrgId, ask: &Concurrency) -> Result<Answer<ConcurrencyRow>, ReportError> {
    let calendar = Calendar { zone: ask.zone.clone(), week_start: ask.week_start };
    let of = StayFilter { department: None, media: None, ..ask.of.clone() };
    let counted = Counted::new(answering, org, &of, ask.range)?;
    let days = Days::new(&counted, ask.range, selector(&of))?;
    let periods: Vec<_> = match ask.by {
        Grouping::Period(period) => calendar.periods(period, ask.range).map(|slice| (slice.date, slice.range)).collect(),
        Grouping::Hour => calendar.hours(ask.range).map(|hour| (hour.date, hour.range)).collect(),
        Grouping::Whole if ask.range.is_empty() => Vec::new(),
        Grouping::Whole => vec![(calendar.date_of(ask.range.from), ask.range)],
        Grouping::Rolling(days) => {
            let expected = "hour, day, week, month, quarter, year or whole";
            return Err(ReportError::Parameter { parameter: "by", value: format!("rolling-{days}"), expected });
        }
    };
    let rows = periods.into_iter().map(|(date, period)| {
        let peak = days.peak(period.intersect(&ask.range))?;
        let of = |peak: crate::cells::Peak| Peak { most: peak.most.into(), at: peak.at };
        Ok(ConcurrencyRow { date, period, stays: peak.map(|(stays, _)| of(stays)), sessions: peak.map(|(_, sessions)| of(sessions)) })
    });
    let rows = rows.collect::<Result<_, EngineError>>()?;
    let covers = Covers { range: ask.range, zone: ask.zone.clone(), seen: counted.seen(ask.range) };
    Ok(Answer { covers, rows })
}

/// The peaks of each UTC day that a range touches.
struct Days<'c, 'e> {
    counted: &'c Counted<'e>,
    /// Ascending by day.
    of: Vec<(Day, Arc<Peaks>)>,
}

type Both = (crate::cells::Peak, crate::cells::Peak);

impl<'c, 'e> Days<'c, 'e> {
    /// `selector` stands for the filter; none: all stays count.
    fn new(counted: &'c Counted<'e>, range: Range, selector: Option<u128>) -> Result<Self, EngineError> {
        let Some(filter) = &counted.filter else { return Ok(Self { counted, of: Vec::new() }) };
        let days: Vec<Day> = Day::all(counted.view.reach(range)).collect();
        let peaks = parallel::each(&days, |day| counted.view.peaks(*day, selector.map(|selector| (filter, selector))))?;
        Ok(Self { counted, of: days.into_iter().zip(peaks).collect() })
    }

    /// The most in a range; none if nobody is there.
    fn peak(&self, range: Range) -> Result<Option<Both>, EngineError> {
        let Some(filter) = &self.counted.filter else { return Ok(None) };
        let mut peak: Option<Both> = None;
        let first = self.of.partition_point(|(day, _)| day.range().to <= range.from);
        for (day, peaks) in self.of.iter().skip(first).take_while(|(day, _)| day.range().from < range.to) {
            let part = day.range().intersect(&range);
            let whole = Range::new(round_up(part.from), part.to.div_euclid(QUARTER_MILLIS) * QUARTER_MILLIS);
            if !whole.is_empty() {
                let quarters = Quarter::of(whole.from).0..Quarter::of(whole.to).0;
                let first = peaks.quarters.partition_point(|of| of.quarter < quarters.start);
                peaks.quarters.iter().skip(first).take_while(|of| of.quarter < quarters.end).for_each(|of| add(&mut peak, of));
            }
            // What is left of a quarter hour at either end.
            let edges = if whole.is_empty() {
                [part, Range::new(0, 0)]
            } else {
                [Range::new(part.from, whole.from), Range::new(whole.to, part.to)]
            };
            for edge in edges.into_iter().filter(|edge| !edge.is_empty()) {
                let peaks = self.counted.view.peaks_within(*day, edge, filter)?;
                peaks.quarters.iter().for_each(|of| add(&mut peak, of));
            }
        }
        Ok(peak)
    }
}

fn round_up(at: i64) -> i64 {
    (at + QUARTER_MILLIS - 1).div_euclid(QUARTER_MILLIS) * QUARTER_MILLIS
}

/// Adds the peaks of a later quarter hour, or part of one.
fn add(peak: &mut Option<Both>, of: &PeaksOf) {
    let (stays, sessions) = peak.unwrap_or((of.stays, of.sessions));
    *peak = Some((stays.or(of.stays), sessions.or(of.sessions)));
}

/// A hash of a filter; none if it takes all.
fn selector(of: &StayFilter) -> Option<u128> {
    (*of != StayFilter::default()).then(|| xxh3_128(format!("{of:?}").as_bytes()))
}
