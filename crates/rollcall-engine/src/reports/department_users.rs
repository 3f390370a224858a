//! `department_users`: distinct users in attendance by department, over the range as one.
//!
//! The range is gone over in pieces with one tree each. In a piece, whoever has one entry of the directory all the time is looked up once; of
//! others the days of each entry are asked for alone. Sets of users unite up the tree. `department_users.sql` defines the same answer.

use super::counted::Counted;
use super::membership::Days;
use super::{Answering, directory_knowing};
use crate::EngineError;
use hashbrown::HashMap;
use roaring::RoaringBitmap;
use rollcall_model::directory::{Tree, User};
use rollcall_model::reports::{DepartmentCount, DepartmentUsers, StayFilter};
use rollcall_model::{Answer, Calendar, Covers, Directory, OrgId, ReportError};
use std::collections::BTreeMap;

/// Who is counted in a row: users by number, members by their position in the directory.
#[derive(Debug, Default)]
struct Row {
    users: RoaringBitmap,
    members: RoaringBitmap,
}

/// The rows of the answer being made.
#[derive(Debug, Default)]
struct Rows<'d> {
    of: BTreeMap<&'d str, Row>,
    without: RoaringBitmap,
}

pub(super) fn answer(answering: &Answering<'_>, org: OrgId, ask: &DepartmentUsers) -> Result<Answer<DepartmentCount>, ReportError> {
    let directory = directory_knowing(answering, org, ask.within.as_deref())?;
    let of = StayFilter { department: None, ..ask.of.clone() };
    let counted = Counted::new(answering, org, &of, ask.range)?;
    // After the view: every user in it has a number.
    let numbers = {
        let names = answering.engine.facts.ledger.users.of(org)?;
        let names = names.read();
        directory.users().chunk_by(|a, b| a.id == b.id).map(|entries| names.number(&entries.first()?.id)).collect::<Vec<_>>()
    };
    let home = Calendar::new(ask.home.clone());
    let mut rows = Rows::default();
    for days in Days::of(&home, ask.range).into_iter().flat_map(|days| days.by_tree(&directory)) {
        rows.add(&directory, &numbers, ask, days, |days| {
            let range = days.range(&home).intersect(&ask.range);
            counted.present(range, range, true)
        })?;
    }
    let count =
        |(id, row): (&str, Row)| DepartmentCount { department: Some(id.to_owned()), users: row.users.len(), members: row.members.len() };
    let without = DepartmentCount { department: None, users: rows.without.len(), members: 0 };
    let all = rows.of.into_iter().map(count).chain(ask.within.is_none().then_some(without)).collect();
    Ok(Answer { covers: Covers { range: ask.range, zone: ask.zone.clone(), seen: counted.seen(ask.range) }, rows: all })
}

impl<'d> Rows<'d> {
    /// Adds days with one tree.
    fn add(
        &mut self,
        directory: &'d Directory,
        numbers: &[Option<u32>],
        ask: &DepartmentUsers,
        days: Days,
        present: impl Fn(Days) -> Result<RoaringBitmap, EngineError>,
    ) -> Result<(), EngineError> {
        let tree = directory.tree_on(days.from);
        let here = present(days)?;
        let mut direct: HashMap<&'d str, Row> = HashMap::new();
        // Numbers of users with an entry on some of the days only, and of those without, by the days.
        let mut some_days: BTreeMap<Days, Vec<(u32, &'d User)>> = BTreeMap::new();
        let mut gaps: BTreeMap<Days, Vec<u32>> = BTreeMap::new();
        let mut unknown = here.clone();
        for (position, entries) in (0..).zip(directory.users().chunk_by(|a, b| a.id == b.id)) {
            let number = numbers.get(position as usize).copied().flatten().filter(|number| here.contains(*number));
            let mut next = Some(days.from);
            for (user, within) in entries_in(directory, entries, days) {
                user.departments.iter().for_each(|id| _ = direct.entry(id).or_default().members.insert(position));
                let Some(number) = number else { continue };
                unknown.remove(number);
                if within == days {
                    self.count(&mut direct, number, user);
                } else {
                    some_days.entry(within).or_default().push((number, user));
                    next.and_then(|from| Days::until(from, within.from))
                        .into_iter()
                        .for_each(|gap| gaps.entry(gap).or_default().push(number));
                }
                next = within.last.tomorrow().ok();
            }
            if let (Some(number), Some(gap)) = (number, next.and_then(|from| Days::between(from, days.last)))
                && !unknown.contains(number)
            {
                gaps.entry(gap).or_default().push(number);
            }
        }
        for (within, users) in some_days {
            let here = present(within)?;
            users.into_iter().filter(|(number, _)| here.contains(*number)).for_each(|(number, user)| self.count(&mut direct, number, user));
        }
        for (gap, users) in gaps {
            self.without |= present(gap)? & users.into_iter().collect::<RoaringBitmap>();
        }
        self.without |= unknown;
        self.unite(&tree, &direct, ask);
        Ok(())
    }

    /// Counts a user whom an entry has in its departments.
    fn count(&mut self, direct: &mut HashMap<&'d str, Row>, number: u32, user: &'d User) {
        if user.departments.is_empty() {
            self.without.insert(number);
        }
        user.departments.iter().for_each(|id| _ = direct.entry(id).or_default().users.insert(number));
    }

    /// Adds what is counted in departments to their rows, and to those above them.
    fn unite(&mut self, tree: &Tree<'d>, direct: &HashMap<&'d str, Row>, ask: &DepartmentUsers) {
        let within = ask.within.as_deref().map(|id| if tree.contains(id) { tree.subtree(id) } else { Vec::new() });
        let above: HashMap<&str, &'d str> =
            tree.departments().iter().filter_map(|department| Some((department.id.as_str(), department.parent_id.as_deref()?))).collect();
        let is_asked = |id: &str| within.as_ref().is_none_or(|within| within.binary_search(&id).is_ok());
        for department in tree.departments().iter().filter(|department| is_asked(&department.id)) {
            self.of.entry(&department.id).or_default();
        }
        for (id, counted) in direct {
            let mut at = Some(*id);
            while let Some(department) = at {
                if let Some(row) = self.of.get_mut(department).filter(|_| is_asked(department)) {
                    row.users |= &counted.users;
                    row.members |= &counted.members;
                }
                at = above.get(department).copied().filter(|_| ask.with_subtree);
            }
        }
    }
}

/// The entries of one user that hold on some of these days, and on which.
fn entries_in<'d>(directory: &'d Directory, entries: &'d [User], days: Days) -> impl Iterator<Item = (&'d User, Days)> {
    let id = entries.first().map_or("", |user| user.id.as_str());
    directory.entries_of(id).filter_map(move |(user, last)| Some((user, days.within(user.from, last)?)))
}
