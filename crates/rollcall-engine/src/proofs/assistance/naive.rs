//! The naive loop: what the reports should say of the facts accepted, with no cell, no slice and no bitmap.

use super::{Ask, Fact, Kept};
use crate::proofs::directory::{DEPARTMENTS, Held};
use crate::proofs::name;
use jiff::civil::Date;
use jiff::tz::TimeZone;
use rollcall_model::calendar::{QUARTER_MILLIS, timestamp};
use rollcall_model::reports::{Chatting, Coding, Completion, Usage, UsageSpan};
use rollcall_model::{AssistanceKind, Millis, UserKind};
use std::collections::{BTreeMap, BTreeSet};

/// The facts of an organization, in the order they came, and its directory.
pub(super) struct Naive<'n> {
    pub(super) facts: &'n [Kept],
    pub(super) directory: &'n Held,
}

type Row = (Date, String, Usage);

impl Naive<'_> {
    pub(super) fn knows(&self, id: &str) -> bool {
        self.directory.document.departments.iter().any(|department| department.id == id) || self.directory.booked.contains(id)
    }

    /// Whether a row of department `of` covers department `id` on a day.
    fn covers(&self, ask: &Ask, of: &str, id: &str, day: Date) -> bool {
        let mut at = Some(id);
        while let Some(id) = at {
            if id == of {
                return true;
            }
            at = if ask.with_subtree { self.directory.parent_on(id, day).flatten() } else { None };
        }
        false
    }

    /// The days of the range, and the facts of each.
    fn days(&self, ask: &Ask) -> BTreeMap<Date, Vec<&Kept>> {
        let zone = TimeZone::get(ask.zone).unwrap();
        let date = |at: Millis| zone.to_datetime(timestamp(at)).date();
        let mut days: BTreeMap<Date, Vec<_>> = BTreeMap::new();
        let mut at = ask.range.from;
        while at < ask.range.to {
            days.entry(date(at)).or_default();
            at += QUARTER_MILLIS;
        }
        if ask.range.from < ask.range.to {
            days.entry(date(ask.range.to - 1)).or_default();
        }
        for fact in self.facts.iter().filter(|(fact, _)| ask.range.contains(fact.at)) {
            days.get_mut(&date(fact.0.at)).unwrap().push(fact);
        }
        days
    }

    /// Rows by day, each of some facts of it; as one where that is asked for.
    fn rows(&self, ask: &Ask, ids_of: impl Fn(Date, &[&Kept]) -> BTreeMap<String, Vec<Fact>>) -> Vec<Row> {
        let days = self.days(ask);
        let first = days.keys().next().copied();
        let mut rows: BTreeMap<(Date, String), Vec<Fact>> = BTreeMap::new();
        for (day, facts) in &days {
            let date = if ask.by == UsageSpan::Whole { first.unwrap() } else { *day };
            for (id, facts) in ids_of(*day, facts) {
                rows.entry((date, id)).or_default().extend(facts);
            }
        }
        rows.into_iter().map(|((date, id), facts)| (date, id, usage(&facts))).collect()
    }

    pub(super) fn department_days(&self, ask: &Ask) -> Vec<Row> {
        self.rows(ask, |day, facts| {
            let of = |id: &str| {
                let counts = |(_, departments): &&&Kept| departments.iter().any(|at| self.covers(ask, id, at, day));
                facts.iter().filter(counts).map(|(fact, _)| fact.clone()).collect::<Vec<_>>()
            };
            let exists =
                |id: &str| self.directory.parent_on(id, day).is_some() || facts.iter().any(|(_, departments)| departments.contains(id));
            let asked = DEPARTMENTS.into_iter().filter(|id| ask.department.is_none_or(|asked| asked == *id) && exists(id));
            asked.map(|id| (id.to_owned(), of(id))).collect()
        })
    }

    pub(super) fn developer_days(&self, ask: &Ask) -> Vec<Row> {
        let mut rows: BTreeMap<Date, BTreeSet<u8>> = self
            .days(ask)
            .into_iter()
            .map(|(day, facts)| (day, (0..7).filter(|id| self.has_row(ask, *id, day, &facts)).collect()))
            .collect();
        if ask.by == UsageSpan::Whole {
            // Who has a row on one day has one, in which all uses of the range count.
            let all: BTreeSet<u8> = rows.values().flatten().copied().collect();
            rows.values_mut().for_each(|ids| ids.clone_from(&all));
        }
        self.rows(ask, |day, facts| {
            let of = |id: u8| facts.iter().filter(|(fact, _)| fact.user == id).map(|(fact, _)| fact.clone()).collect();
            rows[&day].iter().map(|id| (name(*id), of(*id))).collect()
        })
    }

    fn has_row(&self, ask: &Ask, id: u8, day: Date, facts: &[&Kept]) -> bool {
        let in_it = |departments: &BTreeSet<String>| match ask.department {
            Some(asked) => departments.iter().any(|at| self.covers(ask, asked, at, day)),
            None => true,
        };
        // Rooms and phones develop nothing, unless facts say so.
        let held = self.directory.user_on(&name(id), day).filter(|user| user.kind == UserKind::Member);
        let mut used = facts.iter().filter(|(fact, _)| fact.user == id);
        match ask.user {
            Some(asked) => asked == id && (held.is_some() || used.next().is_some()),
            None => held.is_some_and(|user| in_it(&user.departments.iter().cloned().collect())) || used.any(|(_, booked)| in_it(booked)),
        }
    }
}

fn usage(facts: &[Fact]) -> Usage {
    let distinct = |facts: &[&Fact]| facts.iter().map(|fact| fact.user).collect::<BTreeSet<_>>().len() as u64;
    let sum = |facts: &[&Fact], of: fn(&Fact) -> u32| facts.iter().map(|fact| u64::from(of(fact))).sum::<u64>();
    let of_kind = |kind| facts.iter().filter(|fact| fact.kind == kind).collect::<Vec<_>>();
    let used = |facts: &[&Fact]| distinct(&facts.iter().copied().filter(|fact| fact.count > 0 || fact.accepted > 0).collect::<Vec<_>>());
    let (chats, completions) = (of_kind(AssistanceKind::Chat), of_kind(AssistanceKind::Completion));
    let both = [chats.as_slice(), &completions].concat();
    let mut chatting: BTreeMap<_, Vec<&Fact>> = BTreeMap::new();
    chats.iter().for_each(|fact| chatting.entry((fact.chat_type, fact.ide)).or_default().push(fact));
    let mut completion: BTreeMap<_, Vec<&Fact>> = BTreeMap::new();
    completions.iter().for_each(|fact| completion.entry((fact.language, fact.ide)).or_default().push(fact));
    let mut coding: BTreeMap<_, Vec<&Fact>> = BTreeMap::new();
    let with_lines = facts.iter().filter(|fact| fact.lines_accepted > 0 || fact.lines_changed > 0);
    with_lines.for_each(|fact| coding.entry(fact.language).or_default().push(fact));
    let not_edit = |fact: &Fact| if fact.kind == AssistanceKind::Edit { 0 } else { fact.lines_accepted };
    Usage {
        developers: used(&both),
        chat_developers: used(&chats),
        completion_developers: used(&completions),
        last_use: both.iter().filter(|fact| fact.count > 0 || fact.accepted > 0).map(|fact| fact.at).max(),
        turns: sum(&chats, |fact| fact.count),
        turns_accepted: sum(&chats, |fact| fact.accepted),
        suggested: sum(&completions, |fact| fact.count),
        accepted: sum(&completions, |fact| fact.accepted),
        lines_accepted: sum(&both, |fact| fact.lines_accepted),
        lines_changed: sum(&facts.iter().collect::<Vec<_>>(), |fact| fact.lines_changed),
        chatting: chatting
            .into_iter()
            .map(|((chat_type, ide), facts)| Chatting {
                chat_type: chat_type.into(),
                ide: ide.into(),
                developers: used(&facts),
                turns: sum(&facts, |fact| fact.count),
                accepted: sum(&facts, |fact| fact.accepted),
            })
            .collect(),
        coding: coding
            .into_iter()
            .map(|(language, facts)| Coding {
                language: language.into(),
                developers: distinct(&facts),
                lines_accepted: facts.iter().map(|fact| u64::from(not_edit(fact))).sum(),
                lines_changed: sum(&facts, |fact| fact.lines_changed),
            })
            .collect(),
        completion: completion
            .into_iter()
            .map(|((language, ide), facts)| Completion {
                language: language.into(),
                ide: ide.into(),
                developers: used(&facts),
                suggested: sum(&facts, |fact| fact.count),
                accepted: sum(&facts, |fact| fact.accepted),
                lines_accepted: sum(&facts, |fact| fact.lines_accepted),
                lines_changed: sum(&facts, |fact| fact.lines_changed),
            })
            .collect(),
    }
}
