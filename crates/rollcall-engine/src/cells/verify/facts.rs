//! Base cells against facts, a UTC day at a time.
//!
//! A fact may make entries of other days than its own, so entries are carried along until all facts were seen that may make one of their day.

use super::{Difference, Fault, Findings, Proof};
use crate::cells::base::order;
use crate::cells::bases::{Listed, for_each_base, is_first_of_kind};
use crate::cells::stored::StoredDay;
use crate::cells::{Base, Day};
use crate::error::EngineError;
use crate::kinds::Kind;
use crate::kinds::block::Block;
use crate::kinds::stored::Wanted;
use crate::match_kind;
use rollcall_model::calendar::DAY_MILLIS;
use rollcall_model::{FactKind, OrgId, Range};
use std::cmp::Ordering;
use std::collections::BTreeMap;

/// Days of one organization's base cells.
pub(super) struct Span {
    pub(super) org: OrgId,
    /// Which base cell: its position in the list.
    pub(super) base: usize,
    /// The kind of fact that it is made of.
    pub(super) kind: FactKind,
    pub(super) days: std::ops::Range<i32>,
}

impl Proof<'_> {
    /// Verifies the base cells and the default ids of some days.
    pub(super) fn base(&self, span: &Span) -> Result<Findings, EngineError> {
        let mut found = Findings::default();
        for_each_base!(B => if span.base == B::POSITION {
            found = self.walk::<B>(span)?;
        });
        Ok(found)
    }

    fn walk<B: Base>(&self, span: &Span) -> Result<Findings, EngineError> {
        let Span { org, days, .. } = span;
        // Facts and their ids are counted once, however many base cells are made of them.
        let is_first = is_first_of_kind::<B>();
        let (mut found, mut entries) = (Findings::default(), BTreeMap::<Day, Vec<B::Entry>>::new());
        let mut ids = vec![0u64; days.len()];
        let within = Range::new(Day(days.start).range().from, Day(days.end).range().from);
        let mut carry = |position: u64, block: &B::Block, entries: &mut BTreeMap<Day, Vec<B::Entry>>| {
            for at in block.each_row().filter_map(|row| B::Block::default_id_at(&row)) {
                let day = usize::try_from(Day::of(at).0 - days.start).ok();
                day.and_then(|day| ids.get_mut(day)).into_iter().for_each(|count| *count += 1);
            }
            if position <= self.covered {
                B::fold(block, &mut |entry| {
                    if days.contains(&B::day(&entry).0) {
                        entries.entry(B::day(&entry)).or_default().push(entry);
                    }
                });
            }
        };
        let wanted = |times| B::COLUMNS.map_or(Wanted::times(times), |columns| Wanted::times(times).only(columns));
        let before = Range::new((within.from - i64::from(B::DAYS_AFTER) * DAY_MILLIS).max(0), within.from);
        for read in self.pinned.blocks::<B::Block>(*org, wanted(before).about(within)) {
            let (position, block) = read?;
            carry(position, &block, &mut entries);
        }
        for day in days.start..days.end + B::DAYS_BEFORE {
            let is_own = days.contains(&day);
            let times = Day(day).range();
            let wanted = if is_own { wanted(times) } else { wanted(times).about(within) };
            for read in self.pinned.blocks::<B::Block>(*org, wanted) {
                let (position, block) = read?;
                carry(position, &block, &mut entries);
                if is_own && is_first && position <= self.covered {
                    found.facts += block.facts() as u64;
                }
            }
            let whole = Day(day - B::DAYS_BEFORE);
            if days.contains(&whole.0) {
                let mut entries = entries.remove(&whole).unwrap_or_default();
                order::<B>(&mut entries);
                self.compare::<B>(*org, whole, &entries, &mut found)?;
            }
        }
        for (day, ids) in days.clone().zip(ids).filter(|_| is_first) {
            self.compare_ids(span, day, ids, &mut found)?;
        }
        Ok(found)
    }

    /// Compares the stored cell of a day with the entries made anew, and replaces it if so asked.
    fn compare<B: Base>(&self, org: OrgId, day: Day, entries: &[B::Entry], found: &mut Findings) -> Result<(), EngineError> {
        let stored = StoredDay::new::<B>(self.cells, &self.pinned.snapshot, org, day);
        let list = stored.find_list()?;
        found.base_cells += u64::from(list.as_ref().is_none_or(|list| !list.is_empty()));
        let kept = list.as_ref().map_or(Ok(None), |list| stored.entries::<B>(list))?;
        let fault = match (&list, kept) {
            (Some(list), Some(kept)) => match difference::<B>(entries, &kept) {
                None if !stored.is_listed_right::<B>(list, entries)? => Some(Fault::Listed),
                fault => fault,
            },
            _ => Some(Fault::Unreadable),
        };
        let Some(fault) = fault else { return Ok(()) };
        found.differ(Difference { org, cell: B::NAME, range: day.range(), fault }, self.mend);
        if self.mend { self.cells.replace::<B>(org, day, entries) } else { Ok(()) }
    }

    /// Compares how many default ids a day has with how many facts without an id of their own.
    fn compare_ids(&self, span: &Span, day: i32, facts: u64, found: &mut Findings) -> Result<(), EngineError> {
        let (ledger, snapshot) = (&self.cells.facts.ledger, &self.pinned.snapshot);
        let ids = u32::try_from(day).map_or(Ok(0), |day| self.ids.of_day(ledger, snapshot, span.org, span.kind, day))?;
        if facts != ids {
            let cell = match_kind!(span.kind, K => K::IDS);
            found.differ(Difference { org: span.org, cell, range: Day(day).range(), fault: Fault::Ids { facts, ids } }, false);
        }
        Ok(())
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
