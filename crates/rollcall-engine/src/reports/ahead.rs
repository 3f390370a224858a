//! Cells that are made ahead: what is likely to be asked for is made when little is ingested, not when somebody waits for it.
//!
//! For each organization whose zone is known ([`crate::Supervisor::make_ahead_for`]) these are the days, weeks, months and years of that zone, and the days
//! of UTC, which every other zone shares. One thread makes one cell at a time, the newest first; it makes way for ingest, and begins again
//! after a checkpoint, which drops what changed, and after a start, which finds in storage what is there already.

use super::whole_slice;
use crate::EngineError;
use crate::cells::{Cells, MeetingTotals, Merged, PlacedUsers, PresentUsers, Slice, UserTotals, View};
use crate::ledger::Ledger;
use crate::threads::spawn;
use hashbrown::HashMap;
use jiff::civil::Weekday;
use jiff::tz::TimeZone;
use parking_lot::{Condvar, Mutex};
use rollcall_model::calendar::{DAY_MILLIS, EARLIEST, LATEST};
use rollcall_model::{Calendar, OrgId, Period, Range};
use std::sync::Arc;
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

/// How long it waits from one look at what is to be made to the next.
const LOOK_EVERY: Duration = Duration::from_secs(1);

/// How much longer it rests than it works while a few facts come in.
const REST: u32 = 9;

/// From how many facts on, since it last looked, it waits until fewer come in.
const MANY_FACTS: u64 = 5_000;

/// How many cells are made of one state: whoever erases waits until the state is given back.
const CELLS_OF_STATE: usize = 16;

/// How many of the newest days have sums of users each: those of ranges that end now begin and end there. Before, four weeks are enough.
const DAYS_OF_SUMS: i64 = 92;

/// The thread's handle.
#[derive(Debug)]
pub(crate) struct Ahead {
    work: Arc<Work>,
    thread: Option<JoinHandle<()>>,
}

#[derive(Debug)]
struct Work {
    cells: Arc<Cells>,
    ledger: Arc<Ledger>,
    organizations: Mutex<Vec<(OrgId, TimeZone)>>,
    closing: Mutex<bool>,
    wake: Condvar,
}

/// When an organization was last gone over.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Seen {
    state: u128,
    generation: u64,
    /// Whether everything was made then.
    complete: bool,
}

impl Ahead {
    /// Starts the thread, which knows of no organization yet.
    pub(crate) fn start(ledger: Arc<Ledger>, cells: Arc<Cells>) -> Result<Self, EngineError> {
        let organizations = Mutex::default();
        let work = Arc::new(Work { cells, ledger, organizations, closing: Mutex::default(), wake: Condvar::new() });
        let thread = {
            let work = work.clone();
            Some(spawn("ahead", move || work.run())?)
        };
        Ok(Self { work, thread })
    }

    /// From now on makes cells for these organizations, in their zones.
    pub(crate) fn make_for(&self, organizations: Vec<(OrgId, TimeZone)>) {
        *self.work.organizations.lock() = organizations;
    }

    /// Ends the thread after the cell it is at.
    pub(crate) fn close(&mut self) {
        *self.work.closing.lock() = true;
        self.work.wake.notify_all();
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

impl Work {
    fn run(&self) {
        let mut seen: HashMap<OrgId, (TimeZone, Seen)> = HashMap::new();
        while !self.rest(LOOK_EVERY) {
            let organizations = self.organizations.lock().clone();
            let mut way = Way::new(self);
            for (org, zone) in organizations {
                let (state, generation) = (self.ledger.changes.state(org), self.cells.generation());
                let is_done =
                    |(of, seen): &(TimeZone, Seen)| *of == zone && (seen.generation == generation || seen.complete && seen.state == state);
                if seen.get(&org).is_some_and(is_done) {
                    continue;
                }
                match self.make(org, &zone, &mut way) {
                    Ok(None) => break,
                    Ok(Some(complete)) => seen.insert(org, (zone, Seen { state, generation, complete })),
                    Err(error) => {
                        tracing::debug!(%error, organization = %org, "cells could not be made ahead; they are made when they are asked for");
                        seen.insert(org, (zone, Seen { state, generation, complete: false }))
                    }
                };
            }
        }
    }

    /// Waits, and says whether the engine is closing.
    fn rest(&self, time: Duration) -> bool {
        let mut closing = self.closing.lock();
        if !*closing {
            self.wake.wait_for(&mut closing, time);
        }
        *closing
    }

    /// Makes what an organization lacks; says whether that is everything, or none if it had to stop before.
    fn make(&self, org: OrgId, zone: &TimeZone, way: &mut Way<'_>) -> Result<Option<bool>, EngineError> {
        let periods = [(Weekday::Sunday, Period::Day), (Weekday::Sunday, Period::Week), (Weekday::Monday, Period::Week)];
        let longer = [(Weekday::Sunday, Period::Month), (Weekday::Sunday, Period::Year)];
        let own = |week_start, period| (Calendar { zone: zone.clone(), week_start }, period);
        let utc = (Calendar::new(TimeZone::UTC), Period::Day);
        let all: Vec<_> = periods.into_iter().chain(longer).map(|(week_start, period)| own(week_start, period)).chain([utc]).collect();
        let days_and_months: Vec<_> = all.iter().filter(|(_, period)| matches!(period, Period::Day | Period::Month)).cloned().collect();
        let Some(present) = self.make_periods::<PresentUsers>(org, &all, way)? else { return Ok(None) };
        let Some(places) = self.make_periods::<PlacedUsers>(org, &days_and_months, way)? else { return Ok(None) };
        let Some(meetings) = self.make_periods::<MeetingTotals>(org, &[own(Weekday::Sunday, Period::Day)], way)? else { return Ok(None) };
        let Some(sums) = self.make_sums(org, way)? else { return Ok(None) };
        Ok(Some(present && places && meetings && sums))
    }

    /// Makes the cells of periods.
    fn make_periods<M: Merged>(&self, org: OrgId, periods: &[(Calendar, Period)], way: &mut Way<'_>) -> Result<Option<bool>, EngineError> {
        let Some(range) = self.view::<M>(org)?.seen() else { return Ok(Some(true)) };
        let mut slices: Vec<Slice> = Vec::new();
        for (calendar, period) in periods {
            let first = slices.len();
            slices.extend(calendar.periods(*period, range).filter_map(|period| whole_slice(period.range, period.range)));
            if let Some(of_period) = slices.get_mut(first..) {
                of_period.reverse();
            }
        }
        self.make_slices::<M>(org, &slices, way, |view, slice| view.cell::<M>(slice).map(drop))
    }

    /// Makes the sums of users: of the newest days, and of four weeks before.
    fn make_sums(&self, org: OrgId, way: &mut Way<'_>) -> Result<Option<bool>, EngineError> {
        let Some(range) = self.view::<UserTotals>(org)?.seen() else { return Ok(Some(true)) };
        let days = Range::new(range.from.max(range.to - DAYS_OF_SUMS * DAY_MILLIS), range.to);
        let utc = Calendar::new(TimeZone::UTC);
        let slice = |range| whole_slice(range, range);
        let mut days: Vec<Slice> = utc.periods(Period::Day, days).filter_map(|day| slice(day.range)).collect();
        days.reverse();
        let Some(made) = self.make_slices::<UserTotals>(org, &days, way, |view, slice| view.cell::<UserTotals>(slice).map(drop))? else {
            return Ok(None);
        };
        let whole_days = utc.periods(Period::Day, range);
        let (first, last) = whole_days.fold((i64::MAX, i64::MIN), |(first, last), day| (first.min(day.range.from), last.max(day.range.to)));
        let mut weeks: Vec<Slice> = slice(Range::new(first, last)).iter().flat_map(Slice::four_weeks).collect();
        weeks.reverse();
        let weeks = self.make_slices::<UserTotals>(org, &weeks, way, |view, slice| view.cell_alone::<UserTotals>(slice).map(drop))?;
        Ok(weeks.map(|weeks| weeks && made))
    }

    /// Makes the cells of slices that lack them; says whether all could be kept, or none if it had to stop.
    fn make_slices<M: Merged>(
        &self,
        org: OrgId,
        slices: &[Slice],
        way: &mut Way<'_>,
        make: impl Fn(&View<'_, M::Base>, Slice) -> Result<(), EngineError>,
    ) -> Result<Option<bool>, EngineError> {
        let (mut complete, mut rest) = (true, slices.iter().peekable());
        while rest.peek().is_some() {
            let view = self.view::<M>(org)?;
            complete &= !view.is_any_live();
            let mut made = 0;
            while made < CELLS_OF_STATE
                && let Some(slice) = rest.next()
            {
                if !view.lacks::<M>(*slice)? {
                    continue;
                }
                if !way.make() {
                    return Ok(None);
                }
                make(&view, *slice)?;
                made += 1;
            }
        }
        Ok(Some(complete))
    }

    fn view<M: Merged>(&self, org: OrgId) -> Result<View<'_, M::Base>, EngineError> {
        self.cells.view::<M::Base>(org, Range::new(EARLIEST, LATEST))
    }
}

/// How the thread makes way for facts that are ingested.
struct Way<'w> {
    work: &'w Work,
    /// When it last looked, and how many facts there were then.
    looked: Instant,
    facts: u64,
}

impl<'w> Way<'w> {
    fn new(work: &'w Work) -> Self {
        Self { work, looked: Instant::now(), facts: work.ledger.changes.facts() }
    }

    /// Rests if facts were ingested since; false if there were many, or the engine is closing.
    fn make(&mut self) -> bool {
        let facts = self.work.ledger.changes.facts();
        let come = facts - std::mem::replace(&mut self.facts, facts);
        let rest = if come > 0 { self.looked.elapsed() * REST } else { Duration::ZERO };
        let go_on = come < MANY_FACTS && !self.work.rest(rest);
        self.looked = Instant::now();
        go_on
    }
}

#[cfg(test)]
mod tests {
    use super::super::tests::{engine, range};
    use super::*;
    use crate::cells::Slice;
    use rollcall_model::Quarter;

    fn day(number: i64) -> Slice {
        let range = range(number + 1);
        Slice::new(Quarter::of(range.to - DAY_MILLIS), Quarter::of(range.to))
    }

    #[test]
    fn what_is_likely_to_be_asked_is_made_when_it_is_quiet_and_again_when_it_changed() {
        let (_home, engine, org) = engine(40);
        let lacks =
            |slice| engine.cells.view::<<PresentUsers as Merged>::Base>(org, range(40)).unwrap().lacks::<PresentUsers>(slice).unwrap();
        engine.checkpoint().unwrap();
        assert!(lacks(day(3)));
        let until = Instant::now() + Duration::from_secs(60);
        engine.make_ahead_for(vec![(org, TimeZone::UTC)]);
        let wait = || {
            while (0..40).any(|number| lacks(day(number))) {
                assert!(Instant::now() < until);
                std::thread::sleep(Duration::from_millis(20));
            }
        };
        wait();
        // A fact of before changes a day: it is dropped with the next checkpoint, and made again.
        super::super::tests::ingest(&engine, org, 3, "v");
        engine.checkpoint().unwrap();
        wait();
        let found = engine.verify(&crate::cells::Scope::ALL, &|_, _| {}).unwrap();
        assert_eq!((found.told, found.unverified), (vec![], 0));
    }
}
