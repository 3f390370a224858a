//! Both reports by a loop over facts: slow, and plainly what the reports mean.

use jiff::civil::Date;
use rollcall_model::calendar::Range;
use rollcall_model::directory::{Department, DirectoryDocument, User};
use rollcall_model::reports::{
    Chatting, Coding, Completion, DepartmentDay, DepartmentDays, DeveloperDay, DeveloperDays, Developers, RowKey, RowKeys, Usage,
};
use rollcall_model::{Answer, Calendar, Covers, Directory, Millis, OrgId, Organization, Period, ReportError, Reports, UserKind};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex};

/// The organization that every fact is of.
pub(crate) const ORG: OrgId = OrgId(uuid::Uuid::from_u128(0xa000_0000_0000_4000_8000_0000_0000_0001));

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    Chat,
    Completion,
    Edit,
}

/// What an assistant did, and the departments it is booked on.
#[derive(Debug, Clone)]
pub(crate) struct Fact {
    pub(crate) user: String,
    pub(crate) departments: Vec<String>,
    pub(crate) at: Millis,
    pub(crate) kind: Kind,
    pub(crate) chat_type: &'static str,
    pub(crate) ide: &'static str,
    pub(crate) language: &'static str,
    /// Turns, or suggested.
    pub(crate) done: u64,
    pub(crate) accepted: u64,
    pub(crate) lines_accepted: u64,
    pub(crate) lines_changed: u64,
}

impl Fact {
    fn is_use(&self) -> bool {
        self.kind != Kind::Edit && self.done + self.accepted > 0
    }
}

/// How the reports misbehave, for tests of what then happens.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) enum Fault {
    #[default]
    None,
    Storage,
    Panic,
}

#[derive(Debug, Default)]
pub(crate) struct Naive {
    /// More may come while a test runs.
    pub(crate) facts: Mutex<Vec<Fact>>,
    pub(crate) directory: Arc<Directory>,
    pub(crate) fault: Fault,
}

pub(crate) fn department(id: &str, parent: Option<&str>, from: Option<Date>) -> Department {
    Department { id: id.into(), parent_id: parent.map(Into::into), name: format!("The {id}"), from, until: None }
}

pub(crate) fn user(id: &str, departments: &[&str], from: Option<Date>) -> User {
    User {
        id: id.into(),
        open_id: None,
        union_id: None,
        user_id: None,
        name: id.into(),
        kind: UserKind::Member,
        departments: departments.iter().map(|id| (*id).to_owned()).collect(),
        from,
        until: None,
    }
}

impl Naive {
    pub(crate) fn new(departments: Vec<Department>, users: Vec<User>) -> Self {
        let directory = Arc::new(Directory::new(DirectoryDocument { departments, users }).unwrap());
        Self { facts: Mutex::default(), directory, fault: Fault::None }
    }

    /// Adds a fact, booked as the directory has its user at the time, in the organization's zone.
    pub(crate) fn add(&self, organization: &Organization, fact: Fact) {
        let departments = self.directory.departments_on(&fact.user, || organization.day_of(fact.at)).to_vec();
        self.facts.lock().unwrap().push(Fact { departments, ..fact });
    }

    fn misbehave(&self) -> Result<(), ReportError> {
        match self.fault {
            Fault::None => Ok(()),
            Fault::Storage => Err(ReportError::Storage("the disk at /private is on fire".into())),
            Fault::Panic => panic!("on purpose"),
        }
    }

    fn facts(&self, org: OrgId, range: Range) -> Vec<Fact> {
        let facts = self.facts.lock().unwrap();
        facts.iter().filter(|fact| org == ORG && range.contains(fact.at)).cloned().collect()
    }

    fn check(&self, org: OrgId, department: Option<&str>) -> Result<(), ReportError> {
        let Some(id) = department else { return Ok(()) };
        let booked = self.facts(org, Range::new(Millis::MIN, Millis::MAX)).iter().any(|fact| fact.departments.iter().any(|d| d == id));
        if org == ORG && (booked || self.directory.has_department(id)) { Ok(()) } else { Err(ReportError::UnknownDepartment(id.into())) }
    }

    fn covered(&self, day: Date, department: &str, with_subtree: bool) -> BTreeSet<String> {
        let tree = self.directory.tree_on(day);
        if with_subtree { tree.subtree(department).into_iter().map(Into::into).collect() } else { BTreeSet::from([department.to_owned()]) }
    }

    /// The rows of `department_days`, each with its facts.
    fn departments(&self, org: OrgId, ask: &DepartmentDays) -> Result<Vec<(RowKey, Range, Vec<Fact>)>, ReportError> {
        self.misbehave()?;
        self.check(org, ask.department.as_deref())?;
        let mut rows = Vec::new();
        for slice in Calendar::new(ask.zone.clone()).periods(Period::Day, ask.range) {
            let facts = self.facts(org, slice.range.intersect(&ask.range));
            let tree = self.directory.tree_on(slice.date);
            let mut ids: BTreeSet<String> = facts.iter().flat_map(|fact| fact.departments.clone()).collect();
            if org == ORG {
                ids.extend(tree.departments().iter().map(|department| department.id.clone()));
            }
            for id in ids.into_iter().filter(|id| ask.department.as_ref().is_none_or(|department| department == id)) {
                let covered = self.covered(slice.date, &id, ask.with_subtree);
                let own = facts.iter().filter(|fact| fact.departments.iter().any(|id| covered.contains(id))).cloned().collect();
                rows.push((RowKey { date: slice.date, id: id.into() }, slice.range, own));
            }
        }
        Ok(rows)
    }

    /// The rows of `developer_days`, each with its facts.
    fn developers(&self, org: OrgId, ask: &DeveloperDays) -> Result<Vec<(RowKey, Range, Vec<Fact>)>, ReportError> {
        self.misbehave()?;
        if let Developers::Of { department, .. } = &ask.developers {
            self.check(org, Some(department))?;
        }
        let mut rows = Vec::new();
        for slice in Calendar::new(ask.zone.clone()).periods(Period::Day, ask.range) {
            let facts = self.facts(org, slice.range.intersect(&ask.range));
            let held = if org == ORG { self.directory.users_on(slice.date) } else { Vec::new() };
            let ids: BTreeSet<String> = match &ask.developers {
                Developers::Of { department, with_subtree } => {
                    let covered = self.covered(slice.date, department, *with_subtree);
                    let here =
                        held.iter().filter(|user| user.departments.iter().any(|id| covered.contains(id))).map(|user| user.id.clone());
                    let booked = facts.iter().filter(|fact| fact.departments.iter().any(|id| covered.contains(id)));
                    here.chain(booked.map(|fact| fact.user.clone())).collect()
                }
                all_or_one => {
                    let all = held.iter().map(|user| user.id.clone()).chain(facts.iter().map(|fact| fact.user.clone()));
                    all.filter(|id| !matches!(all_or_one, Developers::One(one) if one != id)).collect()
                }
            };
            for id in ids {
                let own = facts.iter().filter(|fact| fact.user == id).cloned().collect();
                rows.push((RowKey { date: slice.date, id: id.into() }, slice.range, own));
            }
        }
        Ok(rows)
    }
}

fn people<'f>(facts: impl IntoIterator<Item = &'f Fact>) -> u64 {
    facts.into_iter().map(|fact| fact.user.as_str()).collect::<BTreeSet<_>>().len() as u64
}

fn sum(facts: &[&Fact], of: impl Fn(&Fact) -> u64) -> u64 {
    facts.iter().map(|fact| of(fact)).sum()
}

/// The facts of each key.
fn grouped<'f, K: Ord>(facts: &[&'f Fact], key: impl Fn(&Fact) -> K) -> BTreeMap<K, Vec<&'f Fact>> {
    let mut groups: BTreeMap<K, Vec<&Fact>> = BTreeMap::new();
    for fact in facts {
        groups.entry(key(fact)).or_default().push(fact);
    }
    groups
}

fn usage(facts: &[Fact]) -> Usage {
    let of = |kind| facts.iter().filter(|fact| fact.kind == kind).collect::<Vec<_>>();
    let (chat, completion, all) = (of(Kind::Chat), of(Kind::Completion), facts.iter().collect::<Vec<_>>());
    let used = |facts: &[&Fact]| people(facts.iter().copied().filter(|fact| fact.is_use()));
    let lines: Vec<&Fact> = all.iter().copied().filter(|fact| fact.lines_accepted + fact.lines_changed > 0).collect();
    Usage {
        developers: used(&all),
        chat_developers: used(&chat),
        completion_developers: used(&completion),
        last_use: all.iter().filter(|fact| fact.is_use()).map(|fact| fact.at).max(),
        turns: sum(&chat, |fact| fact.done),
        turns_accepted: sum(&chat, |fact| fact.accepted),
        suggested: sum(&completion, |fact| fact.done),
        accepted: sum(&completion, |fact| fact.accepted),
        lines_accepted: sum(&all, |fact| fact.lines_accepted),
        lines_changed: sum(&all, |fact| fact.lines_changed),
        chatting: grouped(&chat, |fact| (fact.chat_type, fact.ide))
            .into_iter()
            .map(|((chat_type, ide), facts)| Chatting {
                chat_type: chat_type.into(),
                ide: ide.into(),
                developers: used(&facts),
                turns: sum(&facts, |fact| fact.done),
                accepted: sum(&facts, |fact| fact.accepted),
            })
            .collect(),
        coding: grouped(&lines, |fact| fact.language)
            .into_iter()
            .map(|(language, facts)| Coding {
                language: language.into(),
                developers: people(facts.iter().copied()),
                lines_accepted: sum(&facts, |fact| fact.lines_accepted),
                lines_changed: sum(&facts, |fact| fact.lines_changed),
            })
            .collect(),
        completion: grouped(&completion, |fact| (fact.language, fact.ide))
            .into_iter()
            .map(|((language, ide), facts)| Completion {
                language: language.into(),
                ide: ide.into(),
                developers: used(&facts),
                suggested: sum(&facts, |fact| fact.done),
                accepted: sum(&facts, |fact| fact.accepted),
                lines_accepted: sum(&facts, |fact| fact.lines_accepted),
                lines_changed: sum(&facts, |fact| fact.lines_changed),
            })
            .collect(),
    }
}

fn keys(rows: Vec<(RowKey, Range, Vec<Fact>)>) -> RowKeys {
    let mut days: BTreeMap<Date, Vec<Arc<str>>> = BTreeMap::new();
    for (key, ..) in rows {
        days.entry(key.date).or_default().push(key.id);
    }
    RowKeys { days: days.into_iter().map(|(date, ids)| (date, ids.into())).collect() }
}

/// The rows of some keys, in the order of the keys, whether they have facts by now or not.
fn chosen(rows: Vec<(RowKey, Range, Vec<Fact>)>, only: Option<&Vec<RowKey>>) -> Vec<(RowKey, Range, Vec<Fact>)> {
    let Some(only) = only else { return rows };
    let found = |key: &RowKey| rows.iter().find(|(other, ..)| other == key).cloned();
    only.iter().map(|key| found(key).unwrap_or_else(|| panic!("no row for {key:?}"))).collect()
}

impl Reports for Naive {
    fn department_rows(&self, org: OrgId, ask: &DepartmentDays) -> Result<RowKeys, ReportError> {
        self.departments(org, ask).map(keys)
    }

    fn department_days(&self, org: OrgId, ask: &DepartmentDays) -> Result<Answer<DepartmentDay>, ReportError> {
        let rows = chosen(self.departments(org, ask)?, ask.only.as_ref()).into_iter();
        let rows = rows.map(|(key, span, facts)| DepartmentDay { key, span, usage: usage(&facts) }).collect();
        Ok(Answer { covers: Covers { range: ask.range, zone: ask.zone.clone(), seen: None }, rows })
    }

    fn developer_rows(&self, org: OrgId, ask: &DeveloperDays) -> Result<RowKeys, ReportError> {
        self.developers(org, ask).map(keys)
    }

    fn developer_days(&self, org: OrgId, ask: &DeveloperDays) -> Result<Answer<DeveloperDay>, ReportError> {
        let rows = chosen(self.developers(org, ask)?, ask.only.as_ref()).into_iter();
        let rows = rows.map(|(key, span, facts)| DeveloperDay { key, span, usage: usage(&facts) }).collect();
        Ok(Answer { covers: Covers { range: ask.range, zone: ask.zone.clone(), seen: None }, rows })
    }

    fn directory(&self, org: OrgId) -> Result<Arc<Directory>, ReportError> {
        self.misbehave()?;
        Ok(if org == ORG { self.directory.clone() } else { Arc::default() })
    }
}
