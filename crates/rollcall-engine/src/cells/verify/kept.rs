//! Kept merged cells against base cells.
//!
//! They are verified from the shortest slices to the longest, as their keys are ordered. So a long one is made of shorter ones that were
//! found right, as it was when it was kept, and only what is not kept is made of base cells.

use super::{Difference, Fault, Findings, Proof, Select};
use crate::cells::store::Key;
use crate::cells::stored::StoredDay;
use crate::cells::view::AT_ONCE;
use crate::cells::{
    Day, Keep, MediaUsers, MeetingPeople, MeetingTotals, Merged, Peaks, PlacedUsers, PresentUsers, Slice, UsageSets, UseSums, UserTotals,
};
use crate::error::EngineError;
use fjall::Readable;
use hashbrown::HashSet;
use rollcall_model::{OrgId, Range};

/// How many cells are dropped in one batch.
const DROPPED_AT_ONCE: usize = 10_000;

/// What comes of one kept cell.
enum Outcome {
    Right,
    Wrong(Fault),
    /// It cannot be made again.
    Unknown,
}

impl Proof<'_> {
    /// Verifies the kept cells of one kind.
    pub(super) fn kept(&self, org: OrgId, kind: u8, select: &Select<'_>) -> Result<Findings, EngineError> {
        match kind {
            MeetingTotals::KIND => self.merged::<MeetingTotals>(org, "meeting totals"),
            MeetingPeople::KIND => self.merged::<MeetingPeople>(org, "people of meetings"),
            MediaUsers::KIND => self.merged::<MediaUsers>(org, "users by medium"),
            Peaks::KIND => self.merged::<Peaks>(org, "peaks"),
            UserTotals::KIND => self.merged::<UserTotals>(org, "user totals"),
            PresentUsers::KIND => self.merged::<PresentUsers>(org, "present users"),
            PlacedUsers::KIND => self.merged::<PlacedUsers>(org, "placed users"),
            UsageSets::KIND => self.usage_sets(org, select),
            _ => self.each_kept(org, kind, "of an unknown kind", |_, _| Ok(Outcome::Wrong(Fault::Unreadable))),
        }
    }

    fn merged<M: Merged + PartialEq>(&self, org: OrgId, name: &'static str) -> Result<Findings, EngineError> {
        let mut doubtful = HashSet::new();
        self.each_kept(org, M::KIND, name, |key, bytes| {
            let outcome = match self.made::<M>(org, key.slice, &doubtful)? {
                None => Outcome::Unknown,
                Some(cell) => outcome(&cell, bytes),
            };
            if !matches!(outcome, Outcome::Right) {
                doubtful.insert(key.slice);
            }
            Ok(outcome)
        })
    }

    fn usage_sets(&self, org: OrgId, select: &Select<'_>) -> Result<Findings, EngineError> {
        // Cells of one slice come one after the other.
        let mut last: Option<(Slice, Option<UseSums>)> = None;
        self.each_kept(org, UsageSets::KIND, "usage sets", |key, bytes| {
            let Some(stored) = UsageSets::decode(bytes) else { return Ok(Outcome::Wrong(Fault::Unreadable)) };
            let sums = match last.take() {
                Some((slice, sums)) if slice == key.slice => sums,
                _ => self.made_of_base::<UseSums>(org, key.slice)?,
            };
            let made = sums.as_ref().and_then(|sums| select(org, key.selector, &stored, sums));
            last = Some((key.slice, sums));
            Ok(made.map_or(Outcome::Unknown, |made| outcome(&made, bytes)))
        })
    }

    /// Calls `verify` with each kept cell of one kind that meets the days, and drops it afterwards if so asked.
    fn each_kept(
        &self,
        org: OrgId,
        kind: u8,
        cell: &'static str,
        mut verify: impl FnMut(&Key, &[u8]) -> Result<Outcome, EngineError>,
    ) -> Result<Findings, EngineError> {
        let (mut found, mut dropped) = (Findings::default(), Vec::new());
        for stored in self.pinned.snapshot.prefix(&self.cells.merged, [org.0.as_bytes().as_slice(), &[kind]].concat()) {
            let (name, bytes) = stored.into_inner()?;
            let key = Key::read(&name).filter(|key| is_slice(key.slice));
            let range = key.map_or(Range::new(0, 0), |key| key.slice.range());
            let outcome = match &key {
                Some(key) if !self.meets(key.slice) => continue,
                Some(key) => verify(key, &bytes)?,
                None => Outcome::Wrong(Fault::Unreadable),
            };
            found.kept_cells += 1;
            match outcome {
                Outcome::Right => continue,
                Outcome::Unknown => found.unverified += 1,
                Outcome::Wrong(fault) => found.differ(Difference { org, cell, range, fault }, self.mend),
            }
            if self.mend {
                dropped.push(name.to_vec());
                if dropped.len() == DROPPED_AT_ONCE {
                    self.cells.forget(&std::mem::take(&mut dropped))?;
                }
            }
        }
        if !dropped.is_empty() {
            self.cells.forget(&dropped)?;
        }
        Ok(found)
    }

    /// The merged cell of a slice, of kept cells that were verified and of base cells; none if one of these is not readable.
    fn made<M: Merged>(&self, org: OrgId, slice: Slice, doubtful: &HashSet<Slice>) -> Result<Option<M>, EngineError> {
        if slice.quarters <= AT_ONCE {
            return self.made_of_base(org, slice);
        }
        let mut merged = M::default();
        for part in slice.parts() {
            let kept = if self.meets(part) && !doubtful.contains(&part) {
                let key = Key { org, kind: M::KIND, slice: part, selector: 0 };
                self.pinned.snapshot.get(&self.cells.merged, key.bytes())?.and_then(|bytes| M::decode(&bytes))
            } else {
                None
            };
            let made = if kept.is_some() { kept } else { self.made(org, part, doubtful)? };
            let Some(part) = made else { return Ok(None) };
            merged.merge(&part);
        }
        Ok(Some(merged))
    }

    fn made_of_base<M: Merged>(&self, org: OrgId, slice: Slice) -> Result<Option<M>, EngineError> {
        let mut merged = M::default();
        for day in Day::all(slice.range()) {
            let stored = StoredDay::new::<M::Base>(self.cells, &self.pinned.snapshot, org, day);
            let entries = stored.find_list()?.map_or(Ok(None), |list| stored.entries::<M::Base>(&list))?;
            let Some(entries) = entries else { return Ok(None) };
            merged.merge(&M::of(&entries, slice.range()));
        }
        Ok(Some(merged))
    }

    /// Whether a slice meets the days that are verified.
    fn meets(&self, slice: Slice) -> bool {
        let days = Range::new(Day(self.days.start).range().from, Day(self.days.end).range().from);
        !slice.range().intersect(&days).is_empty()
    }
}

fn outcome<K: Keep + PartialEq>(made: &K, stored: &[u8]) -> Outcome {
    // One cell may be written in several ways, as sets may.
    if made.encode().is_some_and(|bytes| bytes == stored) {
        return Outcome::Right;
    }
    match K::decode(stored) {
        None => Outcome::Wrong(Fault::Unreadable),
        Some(stored) if stored == *made => Outcome::Right,
        Some(_) => Outcome::Wrong(Fault::Stale),
    }
}

/// Whether a slice is one.
const fn is_slice(slice: Slice) -> bool {
    slice.start >= 0 && slice.quarters > 0 && slice.start.checked_add(slice.quarters).is_some()
}
