//! The facts that a selection names, counted.

use super::{Erased, Selection};
use crate::Engine;
use crate::error::EngineError;
use crate::ledger::Wanted;
use crate::ledger::columns::{AssistanceBlock, AttendanceBlock};
use crate::scan::Pinned;
use crate::words::{Worded, millis};
use arrow_array::RecordBatch;
use rollcall_model::calendar::DAY_MILLIS;
use rollcall_model::{FactKind, Millis, OrgId, Range};
use std::collections::BTreeSet;

impl Erased {
    /// Counts facts of a kind by their times.
    pub(super) fn count(&mut self, kind: FactKind, times: &[Millis]) {
        let count = match kind {
            FactKind::Attendance => &mut self.attendances,
            FactKind::Assistance => &mut self.assistances,
        };
        *count += times.len() as u64;
        if let Some((first, last)) = times.iter().min().zip(times.iter().max()) {
            let before = self.times.unwrap_or(Range::new(*first, *last + 1));
            self.times = Some(Range::new(before.from.min(*first), before.to.max(*last + 1)));
        }
    }
}

impl Engine {
    /// How many facts are named in one state.
    pub(super) fn count_named(&self, pinned: &Pinned, org: OrgId, selection: &Selection) -> Result<Erased, EngineError> {
        let mut counted = Erased::default();
        self.count_kind::<AttendanceBlock>(pinned, org, selection, &mut counted)?;
        self.count_kind::<AssistanceBlock>(pinned, org, selection, &mut counted)?;
        Ok(counted)
    }

    /// Whether any fact is named, by what the lake's logs and the ledger say. For a user, that may be a guess.
    pub(super) fn is_any_named(&self, org: OrgId, selection: &Selection) -> Result<bool, EngineError> {
        let pinned = self.facts.pin();
        let mut in_ledger = Erased::default();
        self.count_in_ledger::<AttendanceBlock>(&pinned, org, selection, &mut in_ledger)?;
        self.count_in_ledger::<AssistanceBlock>(&pinned, org, selection, &mut in_ledger)?;
        let mut files = FactKind::ALL.iter().flat_map(|kind| pinned.version.of(*kind).of(org));
        Ok(in_ledger.facts() > 0 || files.any(|file| selection.may_name(file)))
    }

    fn count_kind<B: Worded>(&self, pinned: &Pinned, org: OrgId, selection: &Selection, counted: &mut Erased) -> Result<(), EngineError> {
        let lake = &self.facts.lake;
        for file in lake.files_with::<B>(pinned.version.of(B::KIND), org, selection)? {
            lake.each_named::<B>(&file, selection, |words| {
                counted.count(B::KIND, &millis(words, B::TIME)?);
                Ok(())
            })?;
        }
        self.count_in_ledger::<B>(pinned, org, selection, counted)
    }

    fn count_in_ledger<B: Worded>(
        &self,
        pinned: &Pinned,
        org: OrgId,
        selection: &Selection,
        counted: &mut Erased,
    ) -> Result<(), EngineError> {
        let number = match selection {
            Selection::User(user) => self.facts.ledger.users.with_numbers(org, |number| number(user)),
            Selection::Before(_) => None,
        };
        let named = |row: &B::Row<'_>| match selection {
            Selection::User(_) => number == Some(B::user(row)),
            Selection::Before(end) => B::time(row) < *end,
        };
        let end = if let Selection::Before(end) = selection { *end } else { Millis::MAX };
        for read in pinned.in_ledger::<B>(org, Wanted::times(Range::new(0, end))) {
            let (.., block) = read?;
            counted.count(B::KIND, &block.each_row().filter(named).map(|row| B::time(&row)).collect::<Vec<_>>());
        }
        Ok(())
    }
}

/// Days of UTC, counted from 1970, that facts were about.
#[derive(Debug, Default)]
pub(super) struct Days(BTreeSet<i64>);

/// How many days are made anew at a time: cells of other days may be checkpointed in between.
const AT_A_TIME: i64 = 32;

impl Days {
    /// Adds the days from when what facts are about began until it ended.
    pub(super) fn add<B: Worded>(&mut self, words: &RecordBatch) -> Result<(), EngineError> {
        let [from, to] = B::REACH.map(|name| millis(words, name));
        let (times, from, to) = (millis(words, B::TIME)?, from?, to?);
        for ((time, from), to) in times.into_iter().zip(from).zip(to) {
            self.0.insert(time.div_euclid(DAY_MILLIS));
            self.0.extend(from.div_euclid(DAY_MILLIS)..=to.div_euclid(DAY_MILLIS));
        }
        Ok(())
    }

    /// Adds the days of a range.
    pub(super) fn add_range(&mut self, (from, to): (Millis, Millis)) {
        self.0.extend(from.div_euclid(DAY_MILLIS)..(to - 1).div_euclid(DAY_MILLIS) + 1);
    }

    /// The instants from the first day until after the last.
    pub(super) fn extent(&self) -> Option<(Millis, Millis)> {
        Some((self.0.first()? * DAY_MILLIS, (self.0.last()? + 1) * DAY_MILLIS))
    }

    /// The days as ranges, none of them long.
    pub(super) fn ranges(&self) -> Vec<Range> {
        let mut ranges: Vec<(i64, i64)> = Vec::new();
        for day in &self.0 {
            match ranges.last_mut() {
                // To read a day in between costs less than to begin again with the stays that reach into the next.
                Some((from, to)) if *day <= *to + 2 && *day < *from + AT_A_TIME => *to = day + 1,
                _ => ranges.push((*day, day + 1)),
            }
        }
        ranges.into_iter().map(|(from, to)| Range::new(from * DAY_MILLIS, to * DAY_MILLIS)).collect()
    }
}
