//! `department_days`: the use of the coding assistant, per department and day or over the range as one.
//!
//! A fact counts once in a row, however many departments of the row it is booked on. The tree is that of the day, so what a row covers may
//! change from day to day; what was used by a department and those below it on a day is a cell that is kept, and a range as one unites
//! the cells of its days. `department_days.sql` defines the same answer.

use super::usage::{Asked, DayFacts, Selection, as_one, in_place, takes, wanted, with_others};
use super::{Answering, Seen};
use crate::EngineError;
use crate::cells::UsageSets;
use hashbrown::HashMap;
use jiff::civil::Date;
use roaring::RoaringBitmap;
use rollcall_model::directory::Tree;
use rollcall_model::reports::{DepartmentDay, DepartmentDays, RowKey, RowKeys, UsageSpan};
use rollcall_model::{Answer, Directory, OrgId, ReportError};
use std::sync::Arc;

/// Days with one tree, and what departments select on them.
struct Span<'d> {
    tree: Tree<'d>,
    ids: Arc<[Arc<str>]>,
    until: Option<Date>,
    selections: HashMap<Arc<str>, Arc<Selection>>,
}

impl<'d> Span<'d> {
    fn new(directory: &'d Directory, day: Date) -> Self {
        let tree = directory.tree_on(day);
        let ids = tree.departments().iter().map(|department| Arc::from(department.id.as_str())).collect();
        Self { tree, ids, until: directory.next_change(day), selections: HashMap::new() }
    }

    /// What a department covers on these days.
    fn selection(&mut self, asked: &Asked<'_>, ask: &DepartmentDays, id: &Arc<str>) -> Arc<Selection> {
        let select = || {
            let ids = if ask.with_subtree { self.tree.subtree(id) } else { vec![id.as_ref()] };
            Arc::new(asked.names.selection(&ids))
        };
        self.selections.entry(id.clone()).or_insert_with(select).clone()
    }

    /// The departments that have a row on one of these days.
    fn rows(&mut self, asked: &Asked<'_>, ask: &DepartmentDays, facts: &DayFacts<'_, '_>) -> Result<Arc<[Arc<str>]>, EngineError> {
        let Some(only) = &ask.department else {
            let booked = facts.all()?;
            let booked = asked.names.departments_of(booked.bookings.iter());
            return Ok(with_others(&self.ids, booked.filter(|id| !self.tree.contains(id)).cloned()));
        };
        let only: Arc<str> = only.as_str().into();
        let exists = self.tree.contains(&only) || {
            let selection = self.selection(asked, ask, &only);
            !facts.of(&selection)?.bookings.is_empty()
        };
        Ok(exists.then_some(only).into_iter().collect())
    }
}

/// Calls `with` for each day that the range touches and `takes` wants, with its facts and its tree.
fn each_day(
    asked: &Asked<'_>,
    takes: impl Fn(Date) -> bool,
    mut with: impl FnMut(&rollcall_model::calendar::Slice, &DayFacts<'_, '_>, &mut Span<'_>) -> Result<(), EngineError>,
) -> Result<(), EngineError> {
    let mut span: Option<Span<'_>> = None;
    for day in asked.days.iter().filter(|day| takes(day.date)) {
        asked.check_cancellation()?;
        if span.as_ref().is_none_or(|span| span.until.is_some_and(|until| until <= day.date)) {
            span = None;
        }
        let span = span.get_or_insert_with(|| Span::new(&asked.directory, day.date));
        with(day, &asked.facts(day), span)?;
    }
    Ok(())
}

/// The rows of the days that `takes` wants.
fn keys(asked: &Asked<'_>, ask: &DepartmentDays, takes: impl Fn(Date) -> bool) -> Result<RowKeys, ReportError> {
    if let Some(id) = &ask.department {
        asked.check_department(id)?;
    }
    let mut days = Vec::new();
    each_day(asked, takes, |day, facts, span| {
        days.push((day.date, span.rows(asked, ask, facts)?));
        Ok(())
    })?;
    Ok(RowKeys { days: if ask.by == UsageSpan::Whole { as_one(&days) } else { days } })
}

/// The developers of a row, by number, and from when to when facts are seen.
pub(super) fn people(answering: &Answering<'_>, org: OrgId, ask: &DepartmentDays, key: &RowKey) -> Result<(Seen, Vec<u32>), ReportError> {
    let asked = Asked::new(answering, org, ask.range, &ask.zone)?;
    asked.check_department(&key.id)?;
    let mut developers = RoaringBitmap::new();
    each_day(
        &asked,
        |date| ask.by == UsageSpan::Whole || date == key.date,
        |_, facts, span| {
            developers |= &facts.of(&span.selection(&asked, ask, &key.id))?.developers;
            Ok(())
        },
    )?;
    Ok((asked.covers().seen, developers.into_iter().collect()))
}

pub(super) fn rows(answering: &Answering<'_>, org: OrgId, ask: &DepartmentDays) -> Result<RowKeys, ReportError> {
    keys(&Asked::new(answering, org, ask.range, &ask.zone)?, ask, |_| true)
}

pub(super) fn answer(answering: &Answering<'_>, org: OrgId, ask: &DepartmentDays) -> Result<Answer<DepartmentDay>, ReportError> {
    let asked = Asked::new(answering, org, ask.range, &ask.zone)?;
    let only = ask.only.as_deref();
    let takes = takes(ask.by, only);
    let wanted = wanted(only, &keys(&asked, ask, &takes)?);
    let rows = match ask.by {
        UsageSpan::Day => {
            let mut rows = Vec::with_capacity(wanted.len());
            each_day(&asked, &takes, |day, facts, span| {
                let from = wanted.partition_point(|(_, key)| key.date < day.date);
                for (place, key) in wanted.iter().skip(from).take_while(|(_, key)| key.date == day.date) {
                    let sets = facts.of(&span.selection(&asked, ask, &key.id))?;
                    let usage = asked.names.usage(&sets);
                    rows.push((*place, DepartmentDay { key: key.clone(), span: day.range, usage }));
                }
                Ok(())
            })?;
            rows
        }
        UsageSpan::Whole => {
            let mut sets = vec![UsageSets::default(); wanted.len()];
            each_day(&asked, &takes, |_, facts, span| {
                for (sets, (_, key)) in sets.iter_mut().zip(&wanted) {
                    sets.merge(&*facts.of(&span.selection(&asked, ask, &key.id))?);
                }
                Ok(())
            })?;
            let row =
                |((place, key), sets): (_, UsageSets)| (place, DepartmentDay { key, span: ask.range, usage: asked.names.usage(&sets) });
            wanted.into_iter().zip(sets).map(row).collect()
        }
    };
    Ok(Answer { covers: asked.covers(), rows: in_place(rows) })
}
