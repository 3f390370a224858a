//! The facts that a selection names, counted.

use super::Erased;
use crate::Engine;
use crate::error::EngineError;
use crate::facts::Pinned;
use crate::for_each_kind;
use crate::kinds::BlockOf;
use crate::kinds::stored::Wanted;
use crate::kinds::words::{Worded, millis};
use crate::lake::{Found, Matcher};
use crate::selection::Selection;
use arrow_array::RecordBatch;
use arrow_select::filter::filter_record_batch;
use rollcall_model::calendar::DAY_MILLIS;
use rollcall_model::{FactKind, Millis, OrgId, Range};
use std::collections::BTreeSet;

impl Erased {
    /// Counts facts of a kind.
    pub(super) fn count(&mut self, kind: FactKind, facts: u64, times: Range) {
        let count = match kind {
            FactKind::Attendance => &mut self.attendances,
            FactKind::Assistance => &mut self.assistances,
        };
        *count += facts;
        let before = self.times.unwrap_or(times);
        self.times = Some(Range::new(before.from.min(times.from), before.to.max(times.to)));
    }
}

impl Engine {
    /// How many facts are named in one state.
    pub(super) fn count_named(&self, pinned: &Pinned, org: OrgId, selection: &Selection) -> Result<Erased, EngineError> {
        let mut counted = Erased::default();
        for_each_kind!(K => self.count_kind::<BlockOf<K>>(pinned, org, selection, &mut counted)?);
        Ok(counted)
    }

    /// Whether any fact is named, by what the lake's logs and the ledger say. For a user, that may be a guess.
    pub(super) fn is_any_named(&self, org: OrgId, selection: &Selection) -> Result<bool, EngineError> {
        let pinned = self.facts.pin();
        let (mut in_ledger, matcher) = (Erased::default(), Matcher::new(selection));
        for_each_kind!(K => self.count_in_ledger::<BlockOf<K>>(&pinned, org, selection, &mut in_ledger)?);
        let is_in = |kind| pinned.version.of(kind).of(org).any(|file| matcher.may_be_in(kind, file));
        Ok(in_ledger.facts() > 0 || FactKind::ALL.iter().any(|kind| is_in(*kind)))
    }

    fn count_kind<B: Worded>(&self, pinned: &Pinned, org: OrgId, selection: &Selection, counted: &mut Erased) -> Result<(), EngineError> {
        let (lake, matcher) = (&self.facts.lake, Matcher::new(selection));
        for Found { named, times, .. } in lake.files_with::<B>(pinned.version.of(B::KIND), org, &matcher)? {
            counted.count(B::KIND, named, times);
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
        let (ledger, matcher, times) = (&self.facts.ledger, Matcher::new(selection), selection.times());
        let user = match selection {
            Selection::User(user) => ledger.users.of(org)?.read().number(user),
            Selection::Before(_) | Selection::Where(_) => None,
        };
        if !selection.may_name(B::KIND) {
            return Ok(());
        }
        for read in pinned.in_ledger::<B>(org, Wanted::times(times)) {
            let (.., block) = read?;
            let named: Vec<Millis> = match selection {
                Selection::User(_) => block.each_row().filter(|row| user == Some(B::user(row))).map(|row| B::time(&row)).collect(),
                Selection::Before(_) => block.each_row().map(|row| B::time(&row)).collect(),
                Selection::Where(_) => {
                    let words = block.to_words(ledger, org)?;
                    millis(&filter_record_batch(&words, &matcher.names::<B>(&words)?)?, B::TIME)?
                }
            };
            if let Some((first, last)) = named.iter().min().zip(named.iter().max()) {
                counted.count(B::KIND, named.len() as u64, Range::new(*first, *last + 1));
            }
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

    /// Adds days, from each first until before the last.
    pub(super) fn add_spans(&mut self, spans: &[(i64, i64)]) {
        self.0.extend(spans.iter().flat_map(|(from, to)| *from..*to));
    }

    /// The same days, from each first until before the last.
    pub(super) fn spans(&self) -> Vec<(i64, i64)> {
        let mut spans: Vec<(i64, i64)> = Vec::new();
        for day in &self.0 {
            match spans.last_mut() {
                Some((_, to)) if to == day => *to += 1,
                _ => spans.push((*day, day + 1)),
            }
        }
        spans
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
