//! Cells that are made ahead: what is likely to be asked for is made when little is ingested, not when somebody waits for it.
//!
//! For each organization whose zone is known ([`crate::Supervisor::make_ahead_for`]) these are the days, weeks, months and years of that zone,
//! and four weeks of UTC with the newest days, which every other zone shares. They are stored; small ones are not cached, as there may be many
//! organizations of which nobody asks. One thread makes one cell at a time, the newest first; it makes way for ingest, and begins again
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

/// How many of the newest days have sets of users each that no period of the organization's calendar needs. Older ones are made of entries.
const NEWEST_DAYS: i64 = 35;

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
    organizations: Mutex<Arc<[(OrgId, TimeZone)]>>,
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
        *self.work.organizations.lock() = organizations.into();
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
            for (org, zone) in organizations.iter() {
                let (state, generation) = (self.ledger.changes.state(*org), self.cells.generation());
                let is_done =
                    |(of, seen): &(TimeZone, Seen)| of == zone && (seen.generation == generation || seen.complete && seen.state == state);
                if seen.get(org).is_some_and(is_done) {
                    continue;
                }
                let complete = match self.make(*org, zone, &mut way) {
                    Ok(complete) => complete,
                    Err(Ended::MadeWay) => break,
                    Err(Ended::Failed(error)) => {
                        tracing::debug!(%error, organization = %org, "cells could not be made ahead; they are made when they are asked for");
                        false
                    }
                };
                seen.insert(*org, (zone.clone(), Seen { state, generation, complete }));
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

    /// Makes what an organization lacks; says whether that is everything.
    fn make<'w>(&'w self, org: OrgId, zone: &TimeZone, way: &mut Way<'w>) -> Result<bool, Ended> {
        let mut making = Making { work: self, org, way, complete: true };
        let own = |week_start| Calendar { zone: zone.clone(), week_start };
        let (own, from_monday, utc) = (own(Weekday::Sunday), own(Weekday::Monday), Calendar::new(TimeZone::UTC));

        making.each_of(&own, Period::Day, None, View::cell::<PresentUsers>)?;
        for (calendar, period, of) in [
            (&own, Period::Week, Period::Day),
            (&from_monday, Period::Week, Period::Day),
            (&own, Period::Month, Period::Day),
            (&own, Period::Year, Period::Month),
        ] {
            let parts = |slice: Slice| {
                calendar.periods(of, slice.range()).filter_map(|part| whole_slice(part.range, part.range)).collect::<Vec<_>>()
            };
            making.each_of(calendar, period, None, |view, slice| view.cell_of::<PresentUsers>(slice, &parts(slice)))?;
        }
        making.shared_by_zones::<PresentUsers>(&utc)?;

        making.each_of(&own, Period::Day, Some(NEWEST_DAYS), View::cell::<PlacedUsers>)?;
        making.each_of(&own, Period::Month, None, View::cell_alone::<PlacedUsers>)?;
        making.shared_by_zones::<PlacedUsers>(&utc)?;

        making.each_of(&own, Period::Day, None, View::cell::<MeetingTotals>)?;

        making.each_of(&utc, Period::Day, Some(DAYS_OF_SUMS), View::cell::<UserTotals>)?;
        making.four_weeks::<UserTotals>(&utc)?;
        Ok(making.complete)
    }
}

/// Why not everything of an organization was made.
enum Ended {
    /// Many facts come in, or the engine closes.
    MadeWay,
    Failed(EngineError),
}

impl From<EngineError> for Ended {
    fn from(error: EngineError) -> Self {
        Self::Failed(error)
    }
}

/// The cells of one organization being made.
struct Making<'m, 'w> {
    work: &'w Work,
    org: OrgId,
    way: &'m mut Way<'w>,
    /// Whether all could be kept.
    complete: bool,
}

impl<'w> Making<'_, 'w> {
    /// Makes the cells of the periods of a calendar, all or those of the newest days, the newest first.
    fn each_of<M: Merged>(
        &mut self,
        calendar: &Calendar,
        period: Period,
        newest: Option<i64>,
        make: impl Fn(&View<'w, M::Base>, Slice) -> Result<Arc<M>, EngineError>,
    ) -> Result<(), Ended> {
        let Some(seen) = self.view::<M>()?.seen() else { return Ok(()) };
        let range = newest.map_or(seen, |days| Range::new(seen.from.max(seen.to - days * DAY_MILLIS), seen.to));
        let mut slices: Vec<Slice> = calendar.periods(period, range).filter_map(|period| whole_slice(period.range, period.range)).collect();
        slices.reverse();
        self.slices(&slices, make)
    }

    /// Makes what ranges of any zone are made of: four weeks of UTC, and the newest days. Other days are kept once they are asked for.
    fn shared_by_zones<M: Merged>(&mut self, utc: &Calendar) -> Result<(), Ended> {
        self.each_of(utc, Period::Day, Some(NEWEST_DAYS), View::cell::<M>)?;
        self.four_weeks::<M>(utc)
    }

    /// Makes the cells of four weeks of UTC.
    fn four_weeks<M: Merged>(&mut self, utc: &Calendar) -> Result<(), Ended> {
        let Some(seen) = self.view::<M>()?.seen() else { return Ok(()) };
        let days = utc.periods(Period::Day, seen).map(|day| day.range);
        let Some(all) = days.reduce(|all, day| Range::new(all.from.min(day.from), all.to.max(day.to))) else { return Ok(()) };
        let mut slices: Vec<Slice> = whole_slice(all, all).iter().flat_map(Slice::four_weeks).collect();
        slices.reverse();
        self.slices(&slices, View::cell_alone::<M>)
    }

    /// Makes the cells of slices that lack them.
    fn slices<M: Merged>(
        &mut self,
        slices: &[Slice],
        make: impl Fn(&View<'w, M::Base>, Slice) -> Result<Arc<M>, EngineError>,
    ) -> Result<(), Ended> {
        let mut rest = slices.iter().peekable();
        while rest.peek().is_some() {
            let view = self.view::<M>()?;
            self.complete &= !view.is_any_live();
            let mut made = 0;
            while made < CELLS_OF_STATE
                && let Some(slice) = rest.next()
            {
                if !view.lacks::<M>(*slice)? {
                    continue;
                }
                if !self.way.make() {
                    return Err(Ended::MadeWay);
                }
                make(&view, *slice)?;
                made += 1;
            }
        }
        Ok(())
    }

    fn view<M: Merged>(&self) -> Result<View<'w, M::Base>, EngineError> {
        Ok(self.work.cells.view::<M::Base>(self.org, Range::new(EARLIEST, LATEST))?.for_later())
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
