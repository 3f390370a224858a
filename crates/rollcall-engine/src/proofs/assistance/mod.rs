//! The promise *exact* for the reports of assistances: whatever facts came, on whatever departments, and however the directory was replaced
//! between them, every row is what a loop over the accepted facts gives.

mod oracle;

use super::{BASE, ZONES, cells_are_what_the_facts_say, erases, open};
use crate::Engine;
use crate::erase::Selection;
use crate::facts::Assistances;
use jiff::ToSpan;
use jiff::civil::{Date, date};
use jiff::tz::TimeZone;
use oracle::Oracle;
use proptest::prelude::*;
use rollcall_model::calendar::{DAY_MILLIS, QUARTER_MILLIS};
use rollcall_model::directory::{Department, DirectoryDocument, User};
use rollcall_model::reports::{DepartmentDays, DeveloperDays, Developers, UsageSpan};
use rollcall_model::{
    AssistanceDraft, AssistanceKind, Directory, Millis, OrgId, Organization, Range, ReportError, Reports, UserKind, Value,
};

/// A fact as a source gives it.
#[derive(Debug, Clone, PartialEq)]
struct Fact {
    id: Option<u8>,
    user: u8,
    department: Option<&'static str>,
    at: Millis,
    kind: AssistanceKind,
    chat_type: &'static str,
    ide: &'static str,
    language: &'static str,
    count: u32,
    accepted: u32,
    lines_accepted: u32,
    lines_changed: u32,
}

#[derive(Debug, Clone)]
enum Step {
    Ingest(Vec<Fact>),
    Directory(DirectoryDocument),
    Checkpoint,
    Flush,
    Compact,
    Vacuum,
    Forget(u8),
    Retain(Millis),
    Reopen,
    Ask(Ask),
}

#[derive(Debug, Clone)]
struct Ask {
    range: Range,
    zone: &'static str,
    by: UsageSpan,
    department: Option<&'static str>,
    with_subtree: bool,
    user: Option<u8>,
    page: (usize, usize),
}

/// `d9` is in no directory.
const DEPARTMENTS: [&str; 6] = ["d0", "d1", "d2", "d3", "d4", "d9"];

fn organization() -> Organization {
    Organization::new(OrgId(uuid::Uuid::from_u128(9)), "o", TimeZone::get("Asia/Kolkata").unwrap())
}

fn name(user: u8) -> String {
    format!("用户{user}")
}

/// A day on which an entry begins; none: since ever.
fn from() -> impl Strategy<Value = Option<Date>> {
    prop::option::weighted(0.8, (-6i32..6).prop_map(|days| date(2025, 3, 8) + days.days()))
}

/// Departments 0 to 3 are there since ever and move below departments of smaller numbers; 4 begins on some day.
fn departments() -> impl Strategy<Value = Vec<Department>> {
    let moves = prop::collection::btree_map((0usize..4, from()), 0usize..4, 0..8);
    (moves, from()).prop_map(|(mut moves, begins)| {
        (0..4).for_each(|id| _ = moves.entry((id, None)).or_insert(id / 2));
        let entry = |id: usize, parent: Option<usize>, from| Department {
            id: DEPARTMENTS[id].into(),
            parent_id: parent.map(|parent| DEPARTMENTS[parent].into()),
            name: "D".into(),
            from,
        };
        let moved = moves.into_iter().map(|((id, from), parent)| entry(id, Some(parent).filter(|parent| *parent < id), from));
        moved.chain([entry(4, Some(1), begins)]).collect()
    })
}

fn directory() -> impl Strategy<Value = DirectoryDocument> {
    let users = prop::collection::btree_map((0u8..4, from()), prop::sample::subsequence(&DEPARTMENTS[..4], 0..3), 0..8);
    (departments(), users).prop_map(|(departments, users)| {
        let user = |((id, from), departments): ((u8, Option<Date>), Vec<&str>)| User {
            id: name(id),
            open_id: None,
            union_id: None,
            user_id: None,
            name: "U".into(),
            kind: UserKind::Member,
            departments: departments.into_iter().map(Into::into).collect(),
            from,
        };
        DirectoryDocument { departments, users: users.into_iter().map(user).collect() }
    })
}

fn instant() -> impl Strategy<Value = Millis> {
    let near = -5 * DAY_MILLIS..5 * DAY_MILLIS;
    prop_oneof![2 => near.clone(), 1 => near.prop_map(|at| at.div_euclid(QUARTER_MILLIS) * QUARTER_MILLIS)].prop_map(|at| BASE + at)
}

fn fact() -> impl Strategy<Value = Fact> {
    let words = (
        prop::sample::select(AssistanceKind::ALL),
        prop::sample::select(vec!["FREE_INPUT", "EXPLAIN_CODE", "我的命令"]),
        prop::sample::select(vec!["", "vscode", "jetbrains"]),
        prop::sample::select(vec!["", "go", "java"]),
    );
    let numbers = (0u32..3, 0u32..2, prop_oneof![Just(0u32), 0..20u32], prop_oneof![2 => 0u32..2, 1 => Just(u32::MAX)]);
    let department = prop::option::weighted(0.3, prop::sample::select(&DEPARTMENTS[..]));
    (prop::option::weighted(0.2, 0u8..9), 0u8..6, department, instant(), words, numbers).prop_map(
        |(id, user, department, at, (kind, chat_type, ide, language), (count, accepted, lines_accepted, lines_changed))| {
            let is_edit = kind == AssistanceKind::Edit;
            Fact {
                id,
                user,
                department,
                at,
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
}

fn ask() -> impl Strategy<Value = Ask> {
    let by = prop::sample::select(vec![UsageSpan::Day, UsageSpan::Day, UsageSpan::Whole]);
    let department = prop::option::of(prop::sample::select(&DEPARTMENTS[..]));
    let page = (0usize..20, 1usize..20);
    (instant(), instant(), prop::sample::select(&ZONES[..]), by, department, any::<bool>(), prop::option::of(0u8..7), page).prop_map(
        |(a, b, zone, by, department, with_subtree, user, page)| Ask {
            range: Range::new(a.min(b), a.max(b)),
            zone,
            by,
            department,
            with_subtree,
            user,
            page,
        },
    )
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let step = prop_oneof![
        5 => prop::collection::vec(fact(), 1..25).prop_map(Step::Ingest),
        2 => directory().prop_map(Step::Directory),
        1 => Just(Step::Checkpoint),
        1 => Just(Step::Flush),
        1 => Just(Step::Compact),
        1 => Just(Step::Vacuum),
        1 => (0u8..6).prop_map(Step::Forget),
        1 => (-5i64..6).prop_map(|days| Step::Retain(BASE + days * DAY_MILLIS)),
        1 => Just(Step::Reopen),
        3 => ask().prop_map(Step::Ask),
    ];
    prop::collection::vec(step, 1..16)
}

/// The facts as the engine takes them.
fn assistances(facts: &[Fact], directory: &Directory) -> Assistances {
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
        batch.push(&draft.finish(&organization(), directory).unwrap());
    }
    batch
}

fn check(engine: &Engine, oracle: &Oracle, ask: &Ask) -> Result<(), TestCaseError> {
    let (org, zone) = (organization().id, TimeZone::get(ask.zone).unwrap());
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
            question.only = Some(keys.page(skip, take));
            let paged = engine.developer_days(org, &question).unwrap().rows;
            prop_assert_eq!(&paged[..], rows.iter().skip(skip).take(take).cloned().collect::<Vec<_>>());
        }
    }
    Ok(())
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 60, ..ProptestConfig::default() })]

    #[test]
    fn reports_are_what_a_naive_loop_over_the_facts_gives(first in directory(), steps in steps(), last in prop::collection::vec(ask(), 4)) {
        let temporary = tempfile::tempdir().unwrap();
        let organization = organization();
        let mut engine = open(temporary.path());
        let mut oracle = Oracle::default();
        let asks = last.into_iter().map(Step::Ask);
        for step in [Step::Directory(first)].into_iter().chain(steps).chain(asks) {
            match step {
                Step::Ingest(facts) => {
                    let batch = assistances(&facts, &engine.directory(organization.id));
                    let receipt = engine.ingest(&organization, batch).unwrap();
                    prop_assert_eq!((receipt.accepted, receipt.duplicate, receipt.conflicting), oracle.take(&facts));
                }
                Step::Directory(document) => {
                    engine.put_directory(organization.id, document.clone()).unwrap();
                    oracle.replace(document);
                }
                Step::Checkpoint => engine.checkpoint().unwrap(),
                Step::Flush => {
                    engine.flush().unwrap();
                }
                Step::Compact => {
                    engine.compact().unwrap();
                }
                Step::Vacuum => {
                    // In the far future, when everything was unneeded for long.
                    engine.vacuum(Millis::MAX, false).unwrap();
                }
                Step::Forget(user) => {
                    let named = oracle.forget(user);
                    erases(&engine, organization.id, &Selection::User(name(user)), named)?;
                }
                Step::Retain(before) => {
                    let named = oracle.retain(before);
                    erases(&engine, organization.id, &Selection::Before(before), Some(named))?;
                }
                Step::Reopen => {
                    drop(engine);
                    engine = open(temporary.path());
                }
                Step::Ask(ask) => check(&engine, &oracle, &ask)?,
            }
        }
        let some = Range::new(BASE - DAY_MILLIS, BASE + DAY_MILLIS);
        cells_are_what_the_facts_say(&engine, some)?;
        engine.checkpoint().unwrap();
        prop_assert_eq!(cells_are_what_the_facts_say(&engine, some)?, oracle.facts.len() as u64);
    }
}
