//! Assistances: random facts on whatever departments, and questions, held against a naive loop.

mod naive;

use super::directory::{DEPARTMENTS, Held};
use super::{BASE, Proven, ZONES, between, far, name};
use crate::Engine;
use crate::kinds::columns::{Assistances, Facts};
use jiff::tz::TimeZone;
use naive::Naive;
use proptest::prelude::*;
use rollcall_model::calendar::{DAY_MILLIS, QUARTER_MILLIS, timestamp};
use rollcall_model::reports::{DepartmentDays, DeveloperDays, Developers, People, PeopleOrder, RowOf, UsageSpan};
use rollcall_model::{AssistanceDraft, AssistanceKind, Directory, Millis, OrgId, Organization, Range, ReportError, Reports, Value};
use std::collections::BTreeSet;

/// The kind.
pub(super) struct Assisting;

/// A fact as a source gives it.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Fact {
    pub(super) id: Option<u8>,
    pub(super) user: u8,
    pub(super) department: Option<&'static str>,
    pub(super) at: Millis,
    pub(super) kind: AssistanceKind,
    pub(super) chat_type: &'static str,
    pub(super) ide: &'static str,
    pub(super) language: &'static str,
    pub(super) count: u32,
    pub(super) accepted: u32,
    pub(super) lines_accepted: u32,
    pub(super) lines_changed: u32,
}

/// A fact, and the departments that it was booked on when it came.
pub(super) type Kept = (Fact, BTreeSet<String>);

#[derive(Debug, Clone)]
pub(super) struct Ask {
    pub(super) range: Range,
    pub(super) zone: &'static str,
    pub(super) by: UsageSpan,
    pub(super) department: Option<&'static str>,
    pub(super) with_subtree: bool,
    pub(super) user: Option<u8>,
    pub(super) page: (usize, usize),
}

impl Proven for Assisting {
    type Fact = Fact;
    type Ask = Ask;
    type Kept = Kept;

    fn fact() -> BoxedStrategy<Fact> {
        fact()
    }

    fn ask() -> BoxedStrategy<Ask> {
        ask()
    }

    fn columns(facts: &[Fact], organization: &Organization, directory: &Directory) -> Facts {
        assistances(facts, organization, directory).into()
    }

    fn have_one_id(a: &Fact, b: &Fact) -> bool {
        if a.id.is_some() { a.id == b.id } else { a == b }
    }

    fn keep(fact: &Fact, organization: &Organization, directory: &mut Held) -> Kept {
        let day = organization.zone.to_datetime(timestamp(fact.at)).date();
        let departments = match fact.department {
            Some(department) => BTreeSet::from([department.to_owned()]),
            None => directory.user_on(&name(fact.user), day).into_iter().flat_map(|user| user.departments.clone()).collect(),
        };
        directory.booked.extend(departments.iter().cloned());
        (fact.clone(), departments)
    }

    fn fact_of(kept: &Kept) -> &Fact {
        &kept.0
    }

    fn user(fact: &Fact) -> u8 {
        fact.user
    }

    fn time(fact: &Fact) -> Millis {
        fact.at
    }

    fn check(engine: &Engine, org: OrgId, facts: &[Kept], directory: &Held, ask: &Ask) -> Result<(), TestCaseError> {
        check(engine, org, &Naive { facts, directory }, ask)
    }
}

fn instant() -> impl Strategy<Value = Millis> {
    let near = -5 * DAY_MILLIS..5 * DAY_MILLIS;
    prop_oneof![2 => near.clone(), 1 => near.prop_map(|at| at.div_euclid(QUARTER_MILLIS) * QUARTER_MILLIS)].prop_map(|at| BASE + at)
}

fn fact() -> BoxedStrategy<Fact> {
    let words = (
        prop::sample::select(AssistanceKind::ALL),
        prop::sample::select(vec!["FREE_INPUT", "EXPLAIN_CODE", "我的命令"]),
        prop::sample::select(vec!["", "vscode", "jetbrains"]),
        prop::sample::select(vec!["", "go", "java"]),
    );
    let numbers = (0u32..3, 0u32..2, prop_oneof![Just(0u32), 0..20u32], prop_oneof![2 => 0u32..2, 1 => Just(u32::MAX)]);
    let department = prop::option::weighted(0.3, prop::sample::select(&DEPARTMENTS[..]));
    (prop::option::weighted(0.2, 0u8..9), 0u8..6, department, (instant(), far()), words, numbers)
        .prop_map(
            |(id, user, department, (at, far), (kind, chat_type, ide, language), (count, accepted, lines_accepted, lines_changed))| {
                let is_edit = kind == AssistanceKind::Edit;
                Fact {
                    id,
                    user,
                    department,
                    at: at + far,
                    kind,
                    chat_type: if kind == AssistanceKind::Chat { chat_type } else { "" },
                    ide,
                    language,
                    count: if is_edit { 0 } else { count },
                    accepted: if is_edit { 0 } else { accepted },
                    lines_accepted,
                    lines_changed,
                }
            },
        )
        .boxed()
}

fn ask() -> BoxedStrategy<Ask> {
    let by = prop::sample::select(vec![UsageSpan::Day, UsageSpan::Day, UsageSpan::Whole]);
    let department = prop::option::of(prop::sample::select(&DEPARTMENTS[..]));
    let page = (0usize..20, 1usize..20);
    (between(instant(), instant()), prop::sample::select(&ZONES[..]), by, department, any::<bool>(), prop::option::of(0u8..7), page)
        .prop_map(|(range, zone, by, department, with_subtree, user, page)| Ask { range, zone, by, department, with_subtree, user, page })
        .boxed()
}

/// The facts as the engine takes them.
pub(super) fn assistances(facts: &[Fact], organization: &Organization, directory: &Directory) -> Assistances {
    let mut batch = Assistances::default();
    for fact in facts {
        let (id, user) = (fact.id.map(|id| id.to_string()), name(fact.user));
        let mut draft = AssistanceDraft::new();
        for (field, text) in [
            ("id", id.as_deref().unwrap_or_default()),
            ("user_id", &user),
            ("department_id", fact.department.unwrap_or_default()),
            ("kind", fact.kind.name()),
            ("chat_type", fact.chat_type),
            ("ide", fact.ide),
            ("language", fact.language),
        ] {
            draft.set(field, if text.is_empty() { Value::Null } else { Value::Str(text.into()) });
        }
        let count = if fact.kind == AssistanceKind::Completion { "suggested" } else { "turns" };
        let lines = [("lines_accepted", fact.lines_accepted), ("lines_changed", fact.lines_changed)];
        for (field, number) in [(count, fact.count), ("accepted", fact.accepted)].into_iter().chain(lines) {
            draft.set(field, Value::Int(number.into()));
        }
        draft.set("at", Value::Int(fact.at));
        batch.push(&draft.finish(organization, directory).unwrap());
    }
    batch
}

fn check(engine: &Engine, org: OrgId, oracle: &Naive<'_>, ask: &Ask) -> Result<(), TestCaseError> {
    let zone = TimeZone::get(ask.zone).unwrap();
    let Ask { range, by, with_subtree, page: (skip, take), .. } = *ask;
    let mut question =
        DepartmentDays { range, zone: zone.clone(), by, department: ask.department.map(Into::into), with_subtree, only: None };
    let known = ask.department.is_none_or(|id| oracle.knows(id));
    match engine.department_days(org, &question) {
        Err(ReportError::UnknownDepartment(id)) => prop_assert!(!known && Some(id.as_str()) == ask.department),
        answer => {
            prop_assert!(known);
            let rows = answer.unwrap().rows;
            let found: Vec<_> = rows.iter().map(|row| (row.key.date, row.key.id.to_string(), row.usage.clone())).collect();
            prop_assert_eq!(found, oracle.department_days(ask), "department_days {:?}", ask);
            let keys = engine.department_rows(org, &question).unwrap();
            prop_assert_eq!(keys.page(0, usize::MAX), rows.iter().map(|row| row.key.clone()).collect::<Vec<_>>());
            let home = TimeZone::UTC;
            for row in rows.iter().take(4) {
                let behind = RowOf::DepartmentDays(question.clone(), row.key.clone());
                let people = People { behind, home: home.clone(), order: PeopleOrder::Id, after: None, limit: usize::MAX };
                let people = engine.people(org, &people).unwrap().rows;
                prop_assert_eq!(people.len() as u64, row.usage.developers, "people of {:?} {:?}", row.key, ask);
            }
            let mut page = keys.page(skip, take);
            page.reverse();
            question.only = Some(page);
            let mut paged = engine.department_days(org, &question).unwrap().rows;
            paged.reverse();
            prop_assert_eq!(&paged[..], rows.iter().skip(skip).take(take).cloned().collect::<Vec<_>>());
        }
    }
    let developers = match (ask.user, ask.department) {
        (Some(user), _) => Developers::One(name(user)),
        (None, Some(department)) => Developers::Of { department: department.into(), with_subtree },
        (None, None) => Developers::All,
    };
    let mut question = DeveloperDays { range, zone, by, developers, only: None };
    match engine.developer_days(org, &question) {
        Err(ReportError::UnknownDepartment(_)) => prop_assert!(!known && ask.user.is_none()),
        answer => {
            let rows = answer.unwrap().rows;
            let found: Vec<_> = rows.iter().map(|row| (row.key.date, row.key.id.to_string(), row.usage.clone())).collect();
            prop_assert_eq!(found, oracle.developer_days(ask), "developer_days {:?}", ask);
            let keys = engine.developer_rows(org, &question).unwrap();
            prop_assert_eq!(keys.page(0, usize::MAX), rows.iter().map(|row| row.key.clone()).collect::<Vec<_>>());
            for row in rows.iter().take(2) {
                let behind = RowOf::DeveloperDays(question.clone(), row.key.clone());
                let people = People { behind, home: TimeZone::UTC, order: PeopleOrder::Time, after: None, limit: 3 };
                let people = engine.people(org, &people).unwrap().rows;
                prop_assert_eq!(people.iter().map(|person| &*person.id).collect::<Vec<_>>(), [&*row.key.id]);
            }
            question.only = Some(keys.page(skip, take));
            let paged = engine.developer_days(org, &question).unwrap().rows;
            prop_assert_eq!(&paged[..], rows.iter().skip(skip).take(take).cloned().collect::<Vec<_>>());
        }
    }
    Ok(())
}
