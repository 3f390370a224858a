//! Base cells against facts, a UTC day at a time.
//!
//! A session and a use lie in the day that their facts are stored under. A stay may reach into other days, so stays are carried along
//! until the last day they overlap: from up to two weeks before a day to the day after, which is how far a session may begin from a stay.

use super::{Difference, Fault, Findings, Proof, QUARTERS_OF_DAY, instants};
use crate::cells::location::Located;
use crate::cells::presence::{Attended, met};
use crate::cells::store::{base_key, broken, quarter_of};
use crate::cells::user_sets::{Group, InGroup};
use crate::cells::{Base, Cell, Location, Presence, Sessions, Uses};
use crate::error::EngineError;
use crate::ledger::Wanted;
use crate::ledger::columns::{AssistanceBlock, AttendanceBlock, AttendanceRow, Block};
use fjall::Readable;
use rollcall_model::attendance::{EARLY_JOIN, LONGEST_STAY};
use rollcall_model::calendar::DAY_MILLIS;
use rollcall_model::{FactKind, OrgId, Quarter, Range};
use std::cmp::Ordering;
use std::collections::BTreeMap;

/// Days of one organization's facts of one kind.
pub(super) struct Span {
    pub(super) org: OrgId,
    pub(super) kind: FactKind,
    pub(super) days: std::ops::Range<i64>,
}

/// What presence and location ask of an attendance.
struct Stay {
    range: Range,
    attended: Attended,
    located: Located,
    user: u32,
}

/// The base cells of one kind and day, made anew.
struct Fresh<B: Base> {
    first: Quarter,
    cells: Vec<Cell<B>>,
}

impl<B: Base> Fresh<B> {
    fn new(day: i64) -> Self {
        Self { first: Quarter::of(instants(day).from), cells: (0..QUARTERS_OF_DAY / B::QUARTERS).map(|_| Cell::default()).collect() }
    }

    fn add(&mut self, quarter: Quarter, entry: B::Entry) {
        let position = usize::try_from((quarter.0 - self.first.0).div_euclid(B::QUARTERS)).ok();
        if let Some(cell) = position.and_then(|position| self.cells.get_mut(position)) {
            cell.extend(&[entry]);
        }
    }
}

impl<B: Base<Entry = InGroup<G>>, G: Group> Fresh<B> {
    /// The cells of the stays that overlap a day.
    fn of(day: i64, stays: &[Stay], group: impl Fn(&Stay) -> G) -> Self {
        let mut fresh = Self::new(day);
        for stay in stays {
            let within = stay.range.intersect(&instants(day));
            if !within.is_empty() {
                met(within, B::QUARTERS).for_each(|quarter| fresh.add(quarter, InGroup { group: group(stay), user: stay.user }));
            }
        }
        fresh
    }
}

impl Proof<'_> {
    /// Verifies the base cells and the default ids of some days.
    pub(super) fn base(&self, span: &Span) -> Result<Findings, EngineError> {
        match span.kind {
            FactKind::Attendance => self.attendances(span),
            FactKind::Assistance => self.assistances(span),
        }
    }

    fn assistances(&self, span: &Span) -> Result<Findings, EngineError> {
        let mut found = Findings::default();
        for day in span.days.clone() {
            let (mut fresh, mut ids) = (Fresh::<Uses>::new(day), 0);
            for read in self.pinned.blocks::<AssistanceBlock>(span.org, Wanted::times(instants(day))) {
                let (position, block) = read?;
                ids += block.rows().filter(|row| row.given_id.is_empty()).count() as u64;
                if position <= self.covered {
                    found.facts += block.facts() as u64;
                    Uses::fold(&block, &mut |quarter, entry| fresh.add(quarter, entry));
                }
            }
            self.compare(span.org, day, fresh, &mut found)?;
            self.compare_ids(span, day, ids, &mut found)?;
        }
        Ok(found)
    }

    fn attendances(&self, span: &Span) -> Result<Findings, EngineError> {
        let Span { org, days, .. } = span;
        let (mut found, mut stays) = (Findings::default(), Vec::new());
        let mut ids = vec![0u64; days.clone().count()];
        let within = Range::new(instants(days.start).from, instants(days.end).from);
        let mut carry = |position: u64, block: &AttendanceBlock, stays: &mut Vec<Stay>| {
            for row in block.rows() {
                let joined_on = usize::try_from(row.joined_at.div_euclid(DAY_MILLIS) - days.start).ok();
                if row.given_id.is_empty()
                    && let Some(count) = joined_on.and_then(|day| ids.get_mut(day))
                {
                    *count += 1;
                }
                if position <= self.covered && !row.stay().intersect(&within).is_empty() {
                    stays.push(Stay::of(&row));
                }
            }
        };
        let before = Range::new((within.from - 2 * LONGEST_STAY).max(0), within.from);
        for read in self.pinned.blocks::<AttendanceBlock>(*org, Wanted::times(before).about(within)) {
            let (position, block) = read?;
            carry(position, &block, &mut stays);
        }
        let mut next = days.start;
        for day in days.clone() {
            // Who joined on this day may be of a session that began as late as that.
            while next <= day + EARLY_JOIN / DAY_MILLIS {
                let is_own = days.contains(&next);
                let wanted = Wanted::times(instants(next));
                let wanted = if is_own { wanted } else { wanted.about(within) };
                let mut fresh = Fresh::<Sessions>::new(next);
                for read in self.pinned.blocks::<AttendanceBlock>(*org, wanted) {
                    let (position, block) = read?;
                    carry(position, &block, &mut stays);
                    if is_own && position <= self.covered {
                        found.facts += block.facts() as u64;
                        Sessions::fold(&block, &mut |quarter, entry| fresh.add(quarter, entry));
                    }
                }
                if is_own {
                    self.compare(*org, next, fresh, &mut found)?;
                }
                next += 1;
            }
            self.compare(*org, day, Fresh::<Presence>::of(day, &stays, |stay| stay.attended), &mut found)?;
            self.compare(*org, day, Fresh::<Location>::of(day, &stays, |stay| stay.located), &mut found)?;
            stays.retain(|stay| stay.range.to > instants(day).to);
        }
        for (day, ids) in days.clone().zip(ids) {
            self.compare_ids(span, day, ids, &mut found)?;
        }
        Ok(found)
    }

    /// Compares the stored cells of a day with those made anew, and replaces them if so asked.
    fn compare<B: Base>(&self, org: OrgId, day: i64, fresh: Fresh<B>, found: &mut Findings) -> Result<(), EngineError> {
        let [from, to] = [instants(day).from, instants(day).to].map(Quarter::of);
        let quarters = (from.0..).step_by(B::QUARTERS as usize).map(Quarter);
        let mut fresh: BTreeMap<Quarter, Vec<B::Entry>> = quarters.zip(fresh.cells.into_iter().map(Cell::into_entries)).collect();
        fresh.retain(|_, entries| !entries.is_empty());
        let mut replacements = Vec::new();
        let mut check = |quarter: Quarter, entries: Vec<B::Entry>, stored: &[u8]| {
            let encoded = B::encode(quarter, &entries);
            if encoded == stored {
                return;
            }
            let fault = match B::decode(quarter, stored) {
                None => Some(Fault::Unreadable),
                Some(stored) => difference::<B>(&entries, &stored),
            };
            let Some(fault) = fault else { return };
            let range = Range::new(quarter.start(), Quarter(quarter.0 + B::QUARTERS).start());
            found.differ(Difference { org, cell: B::NAME, range, fault }, self.mend);
            replacements.push((quarter, (!entries.is_empty()).then_some(encoded)));
        };
        let mut compared = 0;
        for stored in self.pinned.snapshot.range(B::keyspace(self.cells), base_key(org, from)..base_key(org, to)) {
            let (key, bytes) = stored.into_inner()?;
            let quarter = quarter_of(&key).ok_or_else(|| broken("the key of a cell"))?;
            check(quarter, fresh.remove(&quarter).unwrap_or_default(), &bytes);
            compared += 1;
        }
        fresh.into_iter().for_each(|(quarter, entries)| check(quarter, entries, &[]));
        found.base_cells += compared;
        if self.mend && !replacements.is_empty() {
            self.cells.replace::<B>(org, replacements)?;
        }
        Ok(())
    }

    /// Compares how many default ids a day has with how many facts without an id of their own.
    fn compare_ids(&self, span: &Span, day: i64, facts: u64, found: &mut Findings) -> Result<(), EngineError> {
        let (ledger, snapshot) = (&self.cells.facts.ledger, &self.pinned.snapshot);
        let ids = u32::try_from(day).map_or(Ok(0), |day| self.ids.of_day(ledger, snapshot, span.org, span.kind, day))?;
        if facts != ids {
            let cell = if span.kind == FactKind::Attendance { "attendance ids" } else { "assistance ids" };
            found.differ(Difference { org: span.org, cell, range: instants(day), fault: Fault::Ids { facts, ids } }, false);
        }
        Ok(())
    }
}

impl Stay {
    fn of(row: &AttendanceRow<'_>) -> Self {
        Self { range: row.stay(), attended: Attended::of(row), located: Located::of(row), user: row.user }
    }
}

/// How a cell's entries differ from those that the facts give; none if they do not.
fn difference<B: Base>(expected: &[B::Entry], stored: &[B::Entry]) -> Option<Fault> {
    let (mut missing, mut surplus, mut changed) = (0, 0, 0);
    let (mut left, mut right) = (expected.iter().peekable(), stored.iter().peekable());
    loop {
        let order = match (left.peek(), right.peek()) {
            (None, None) => break,
            (Some(_), None) => Ordering::Less,
            (None, Some(_)) => Ordering::Greater,
            (Some(a), Some(b)) => B::compare(a, b),
        };
        match order {
            Ordering::Less => missing += u64::from(left.next().is_some()),
            Ordering::Greater => surplus += u64::from(right.next().is_some()),
            Ordering::Equal => changed += u64::from(left.next() != right.next()),
        }
    }
    (missing + surplus + changed > 0).then_some(Fault::Entries { missing, surplus, changed })
}
