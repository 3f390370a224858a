//! `developer_days`: the use of the coding assistant, per developer and day or over the range as one.
//!
//! All uses of a developer count, whatever they are booked on; a department only decides who has a row: those whom the directory holds in
//! it on the day, and those with facts booked on it. `developer_days.sql` defines the same answer.

use super::Answering;
use super::usage::{Asked, DayFacts, Selection, as_one, in_place, takes, wanted, with_others};
use crate::EngineError;
use crate::cells::{UsageSets, Used};
use hashbrown::{HashMap, HashSet};
use jiff::civil::Date;
use roaring::RoaringBitmap;
use rollcall_model::reports::{DeveloperDay, DeveloperDays, Developers, RowKey, RowKeys, UsageSpan};
use rollcall_model::{Answer, OrgId, ReportError, UserKind};
use std::sync::Arc;

/// Days on which the directory holds the same people.
struct Span {
    /// Those of the directory who have a row.
    ids: Arc<[Arc<str>]>,
    /// Their numbers, as far as they have facts.
    held: RoaringBitmap,
    /// What the department covers, where one is asked for.
    selection: Option<Selection>,
    until: Option<Date>,
}

impl Span {
    fn new(asked: &Asked<'_>, developers: &Developers, day: Date) -> Result<Self, EngineError> {
        let mut users = asked.directory.users_on(day);
        // Rooms and telephones write no code.
        users.retain(|user| matches!(user.kind, UserKind::Member | UserKind::Guest));
        let mut selection = None;
        match developers {
            Developers::All => {}
            Developers::One(id) => users.retain(|user| user.id == *id),
            Developers::Of { department, with_subtree } => {
                let tree = asked.directory.tree_on(day);
                let departments = if *with_subtree { tree.subtree(department) } else { vec![department.as_str()] };
                let covered: HashSet<&str> = departments.iter().copied().collect();
                users.retain(|user| user.departments.iter().any(|id| covered.contains(id.as_str())));
                selection = Some(asked.names.selection(&departments));
            }
        }
        let held = asked.users(users.iter().map(|user| user.id.as_str()))?.into_iter().flatten().collect();
        let ids = users.into_iter().map(|user| Arc::from(user.id.as_str())).collect();
        Ok(Self { ids, held, selection, until: asked.directory.next_change(day) })
    }

    /// The developers who have a row on one of these days.
    fn rows(&self, asked: &Asked<'_>, developers: &Developers, facts: &DayFacts<'_, '_>) -> Result<Arc<[Arc<str>]>, EngineError> {
        let sets = match (developers, &self.selection) {
            (Developers::One(id), _) => match asked.users(std::iter::once(id.as_str()))?.first().copied().flatten() {
                Some(user) => facts.of_user(user)?,
                None => Arc::default(),
            },
            (_, Some(selection)) => facts.of(selection)?,
            (_, None) => facts.all()?,
        };
        let others = &sets.users - &self.held;
        let names = asked.engine.facts.ledger.users.of(asked.org)?;
        let names = names.read();
        let others: Vec<Arc<str>> = others.iter().filter_map(|user| names.name(user).map(Arc::from)).collect();
        Ok(with_others(&self.ids, others))
    }
}

fn keys(asked: &Asked<'_>, ask: &DeveloperDays, takes: impl Fn(Date) -> bool) -> Result<RowKeys, ReportError> {
    if let Developers::Of { department, .. } = &ask.developers {
        asked.check_department(department)?;
    }
    let mut days: Vec<(Date, Arc<[Arc<str>]>)> = Vec::new();
    let mut span: Option<Span> = None;
    for day in asked.days.iter().filter(|day| takes(day.date)) {
        asked.check_cancellation()?;
        if span.as_ref().is_none_or(|span| span.until.is_some_and(|until| until <= day.date)) {
            span = None;
        }
        let span = match &mut span {
            Some(span) => span,
            none => none.insert(Span::new(asked, &ask.developers, day.date)?),
        };
        days.push((day.date, span.rows(asked, &ask.developers, &asked.facts(day))?));
    }
    Ok(RowKeys { days: if ask.by == UsageSpan::Whole { as_one(&days) } else { days } })
}

pub(super) fn rows(answering: &Answering<'_>, org: OrgId, ask: &DeveloperDays) -> Result<RowKeys, ReportError> {
    keys(&Asked::new(answering, org, ask.range, &ask.zone)?, ask, |_| true)
}

pub(super) fn answer(answering: &Answering<'_>, org: OrgId, ask: &DeveloperDays) -> Result<Answer<DeveloperDay>, ReportError> {
    let asked = Asked::new(answering, org, ask.range, &ask.zone)?;
    let only = ask.only.as_deref();
    let takes = takes(ask.by, only);
    let wanted = wanted(only, &keys(&asked, ask, &takes)?);
    let mut rows = Vec::with_capacity(wanted.len());
    let mut add = |wanted: &[(usize, RowKey)], sets: Vec<Arc<UsageSets>>, span| {
        for ((place, key), sets) in wanted.iter().zip(sets) {
            rows.push((*place, DeveloperDay { key: key.clone(), span, usage: asked.names.usage(&sets) }));
        }
    };
    match ask.by {
        UsageSpan::Day => {
            for wanted in wanted.chunk_by(|(_, a), (_, b)| a.date == b.date) {
                let Some(day) = wanted.first().and_then(|(_, key)| asked.days.iter().find(|day| day.date == key.date)) else { continue };
                add(wanted, of_users(&asked, wanted, [asked.facts(day)])?, day.range);
            }
        }
        UsageSpan::Whole => {
            let days = asked.days.iter().map(|day| asked.facts(day));
            add(&wanted, of_users(&asked, &wanted, days)?, ask.range);
        }
    }
    Ok(Answer { covers: asked.covers(), rows: in_place(rows) })
}

/// What each wanted developer used on some days together.
fn of_users<'a, 'e: 'a>(
    asked: &'a Asked<'e>,
    wanted: &[(usize, RowKey)],
    days: impl IntoIterator<Item = DayFacts<'a, 'e>>,
) -> Result<Vec<Arc<UsageSets>>, EngineError> {
    let users = asked.users(wanted.iter().map(|(_, key)| key.id.as_ref()))?;
    // One developer's cells are kept, as their whole history may be asked for again and again.
    if let [Some(user)] = users.as_slice() {
        let mut sets = UsageSets::default();
        for facts in days {
            sets.merge(&*facts.of_user(*user)?);
        }
        return Ok(vec![Arc::new(sets)]);
    }
    let numbers: HashSet<u32> = users.iter().copied().flatten().collect();
    let (mut all, mut ordered) = (Vec::new(), 0);
    for facts in days {
        asked.check_cancellation()?;
        all.extend(facts.entries()?.iter().filter(|used| numbers.contains(&used.user)).copied());
        // Adding up only when as much again has come keeps that cheap, and what is held small.
        if all.len() > 2 * ordered {
            Used::order(&mut all);
            ordered = all.len();
        }
    }
    Used::order(&mut all);
    let mut by_user: HashMap<u32, Vec<Used>> = HashMap::with_capacity(numbers.len());
    for used in all {
        by_user.entry(used.user).or_default().push(used);
    }
    let sets = |user: Option<u32>| {
        let entries = user.and_then(|user| by_user.get(&user)).map(Vec::as_slice).unwrap_or_default();
        Arc::new(asked.sets([entries]))
    };
    Ok(users.into_iter().map(sets).collect())
}
