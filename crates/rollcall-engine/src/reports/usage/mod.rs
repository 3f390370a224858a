//! What `department_days` and `developer_days` have in common: the facts of a day, and what was used, with names in place of numbers.

mod names;
mod selections;

pub(crate) use names::NamesOf;
pub(super) use names::{Names, Selection};
pub(crate) use selections::Selections;

use super::{Answering, whole_slice};
use crate::cells::{Part, Parts, Slice, UsageSets, UseSums, Used, Uses, View};
use crate::{Engine, EngineError};
use hashbrown::{HashMap, HashSet};
use jiff::civil::Date;
use rollcall_model::reports::{Chatting, Coding, Completion, RowKey, RowKeys, Usage, UsageSpan};
use rollcall_model::{Calendar, Covers, Directory, OrgId, Period, Range, ReportError, calendar};
use std::cell::OnceCell;
use std::sync::Arc;
use xxhash_rust::xxh3::xxh3_128;

/// A question being answered: one state of the cells, the names and the directory.
pub(super) struct Asked<'e> {
    pub(super) engine: &'e Engine,
    pub(super) org: OrgId,
    pub(super) directory: Arc<Directory>,
    pub(super) names: Arc<Names>,
    /// The days that the range touches.
    pub(super) days: Vec<calendar::Slice>,
    view: View<'e, Uses>,
    calendar: Calendar,
    pub(super) range: Range,
}

impl<'e> Asked<'e> {
    pub(super) fn new(answering: &Answering<'e>, org: OrgId, range: Range, zone: &jiff::tz::TimeZone) -> Result<Self, EngineError> {
        let (engine, view) = (answering.engine, answering.view(org, range)?);
        let calendar = Calendar::new(zone.clone());
        let days = calendar.periods(Period::Day, range).collect();
        // After the view: it knows the names of every fact in it.
        let names = engine.names.get(org, &engine.facts.ledger)?;
        Ok(Self { engine, org, directory: engine.directory(org), names, days, view, calendar, range })
    }

    /// Whether the directory or a fact ever knew the department.
    pub(super) fn check_department(&self, id: &str) -> Result<(), ReportError> {
        let known = self.directory.has_department(id) || self.names.has_department(id);
        if known { Ok(()) } else { Err(ReportError::UnknownDepartment(id.to_owned())) }
    }

    /// Whether somebody still waits for the answer. Asked for each day: rows without facts ask for no cell.
    pub(super) fn check_cancellation(&self) -> Result<(), EngineError> {
        self.view.check_cancellation()
    }

    /// The facts of a day that lie in the range.
    pub(super) fn facts(&self, day: &calendar::Slice) -> DayFacts<'_, 'e> {
        DayFacts { asked: self, day: day.range, slice: whole_slice(day.range, self.range), sums: OnceCell::new() }
    }

    /// The numbers of users; none for those without facts.
    pub(super) fn users<'n>(&self, ids: impl Iterator<Item = &'n str>) -> Result<Vec<Option<u32>>, EngineError> {
        self.engine.facts.ledger.users.find(self.org, ids)
    }

    /// What some facts say.
    pub(super) fn sets<'u>(&self, runs: impl IntoIterator<Item = &'u [Used]>) -> UsageSets {
        UsageSets::of(runs, |usage| self.names.filing(usage))
    }

    pub(super) fn covers(&self) -> Covers {
        let seen = self.view.seen().map(|seen| seen.intersect(&self.range)).filter(|seen| !seen.is_empty());
        Covers { range: self.range, zone: self.calendar.zone.clone(), seen: seen.map(|seen| (seen.from, seen.to)) }
    }
}

/// The selector of every fact.
fn everything() -> u128 {
    xxh3_128(b"")
}

/// The selector of one user's facts. No list of department ids begins with a newline.
fn one_user(user: u32) -> u128 {
    xxh3_128(format!("\n{user}").as_bytes())
}

/// The facts of a day that lie in the range.
pub(super) struct DayFacts<'a, 'e> {
    asked: &'a Asked<'e>,
    day: Range,
    /// If all of the day lies in the range.
    slice: Option<Slice>,
    sums: OnceCell<Arc<UseSums>>,
}

impl DayFacts<'_, '_> {
    fn sums(&self) -> Result<&Arc<UseSums>, EngineError> {
        if let Some(sums) = self.sums.get() {
            return Ok(sums);
        }
        let sums = match self.slice {
            Some(slice) => self.asked.view.cell(slice)?,
            None => {
                let mut cells: Vec<Arc<UseSums>> = Vec::new();
                self.asked.view.each(self.day.intersect(&self.asked.range), |cell: &Arc<UseSums>| cells.push(cell.clone()))?;
                Arc::new(UseSums::of_all(cells.iter().map(AsRef::as_ref)))
            }
        };
        Ok(self.sums.get_or_init(|| sums))
    }

    fn kept(&self, selector: u128, make: impl FnOnce(&UseSums) -> UsageSets) -> Result<Arc<UsageSets>, EngineError> {
        let make = || Ok(make(self.sums()?));
        match self.slice {
            Some(slice) => self.asked.view.kept(slice, selector, make),
            None => Ok(Arc::new(make()?)),
        }
    }

    /// What all facts say.
    pub(super) fn all(&self) -> Result<Arc<UsageSets>, EngineError> {
        self.kept(everything(), |sums| self.asked.sets([sums.entries()]))
    }

    /// What the facts say that are booked on some departments.
    pub(super) fn of(&self, selection: &Selection) -> Result<Arc<UsageSets>, EngineError> {
        if selection.bookings.is_empty() {
            return Ok(Arc::default());
        }
        self.kept(selection.selector, |sums| self.asked.sets(selection.bookings.iter().map(|booking| sums.of_booking(*booking))))
    }

    /// What the facts of one user say.
    pub(super) fn of_user(&self, user: u32) -> Result<Arc<UsageSets>, EngineError> {
        if !self.all()?.users.contains(user) {
            return Ok(Arc::default());
        }
        self.kept(one_user(user), |sums| self.asked.sets([sums.of_user(user).as_slice()]))
    }

    /// Every fact, added up by booking, use and user.
    pub(super) fn entries(&self) -> Result<&[Used], EngineError> {
        Ok(self.sums()?.entries())
    }
}

/// The rows of a range as one, from those of its days.
pub(super) fn as_one(days: &[(Date, Arc<[Arc<str>]>)]) -> Vec<(Date, Arc<[Arc<str>]>)> {
    let Some((date, ids)) = days.first() else { return Vec::new() };
    let mut all = ids.clone();
    // Days with the same rows share the list.
    for pair in days.windows(2) {
        if let [(_, before), (_, ids)] = pair
            && !Arc::ptr_eq(before, ids)
        {
            all = with_others(&all, ids.iter().cloned());
        }
    }
    vec![(*date, all)]
}

impl Names {
    /// What was used, with names in place of numbers.
    pub(super) fn usage(&self, sets: &UsageSets) -> Usage {
        let chatting = sets.chatting.iter().filter_map(|(number, part)| {
            let words = self.words(*number)?;
            let (chat_type, ide) = (words.chat_type.clone(), words.ide.clone());
            Some(Chatting { chat_type, ide, developers: part.users.len(), turns: part.count, accepted: part.accepted })
        });
        let coding = sets.coding.iter().filter_map(|(number, part)| {
            let Part { lines_accepted, lines_changed, .. } = *part;
            Some(Coding { language: self.words(*number)?.language.clone(), developers: part.users.len(), lines_accepted, lines_changed })
        });
        let completion = sets.completion.iter().filter_map(|(number, part)| {
            let words = self.words(*number)?;
            Some(Completion {
                language: words.language.clone(),
                ide: words.ide.clone(),
                developers: part.users.len(),
                suggested: part.count,
                accepted: part.accepted,
                lines_accepted: part.lines_accepted,
                lines_changed: part.lines_changed,
            })
        });
        let sum = |parts: &Parts, of: fn(&Part) -> u64| parts.iter().map(|(_, part)| of(part)).sum();
        let mut usage = Usage {
            developers: sets.developers.len(),
            chat_developers: sets.chat_developers.len(),
            completion_developers: sets.completion_developers.len(),
            last_use: sets.last_use,
            turns: sum(&sets.chatting, |part| part.count),
            turns_accepted: sum(&sets.chatting, |part| part.accepted),
            suggested: sum(&sets.completion, |part| part.count),
            accepted: sum(&sets.completion, |part| part.accepted),
            // Facts without lines are in no part of these, and add nothing.
            lines_accepted: sum(&sets.coding, |part| part.lines_accepted),
            lines_changed: sum(&sets.coding, |part| part.lines_changed),
            chatting: chatting.collect(),
            coding: coding.collect(),
            completion: completion.collect(),
        };
        usage.chatting.sort_unstable_by(|a, b| (&a.chat_type, &a.ide).cmp(&(&b.chat_type, &b.ide)));
        usage.coding.sort_unstable_by(|a, b| a.language.cmp(&b.language));
        usage.completion.sort_unstable_by(|a, b| (&a.language, &a.ide).cmp(&(&b.language, &b.ide)));
        usage
    }
}

/// Whether a day is asked for.
pub(super) fn takes(by: UsageSpan, only: Option<&[RowKey]>) -> impl Fn(Date) -> bool {
    let dates: Option<HashSet<Date>> = only.filter(|_| by == UsageSpan::Day).map(|only| only.iter().map(|key| key.date).collect());
    move |date| dates.as_ref().is_none_or(|dates| dates.contains(&date))
}

/// The rows that are asked for, with the place of each in the answer, day by day.
pub(super) fn wanted(only: Option<&[RowKey]>, keys: &RowKeys) -> Vec<(usize, RowKey)> {
    let Some(only) = only else { return keys.page(0, usize::MAX).into_iter().enumerate().collect() };
    let ids: HashMap<_, _> = keys.days.iter().map(|(date, ids)| (*date, ids)).collect();
    let is_row = |key: &RowKey| ids.get(&key.date).is_some_and(|ids| ids.binary_search(&key.id).is_ok());
    let mut wanted: Vec<_> = only.iter().filter(|key| is_row(key)).cloned().enumerate().collect();
    wanted.sort_by(|(_, a), (_, b)| a.cmp(b));
    wanted
}

/// Rows in the order of their places.
pub(super) fn in_place<R>(mut rows: Vec<(usize, R)>) -> Vec<R> {
    rows.sort_by_key(|(place, _)| *place);
    rows.into_iter().map(|(_, row)| row).collect()
}

/// Some ids and others, ascending by their bytes, each once; the same list where there are no others.
pub(super) fn with_others(ids: &Arc<[Arc<str>]>, others: impl IntoIterator<Item = Arc<str>>) -> Arc<[Arc<str>]> {
    let mut others = others.into_iter().filter(|id| ids.binary_search(id).is_err()).peekable();
    if others.peek().is_none() {
        return ids.clone();
    }
    let mut all: Vec<Arc<str>> = ids.iter().cloned().chain(others).collect();
    all.sort_unstable();
    all.dedup();
    all.into()
}
