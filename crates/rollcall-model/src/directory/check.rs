//! What must hold of a directory, on every day.
//!
//! A parent exists on every day of a child's entry. Loops and levels are checked by replaying the changes in the order of their days: each
//! day's changed departments are first taken out of the tree and then put back, one by one, below their new parents, if they still exist. What is being put together has no loop and at most [`MOST_LEVELS`] levels, so
//! each step walks at most that many, and the work grows with the number of entries, not with days times departments.

use super::document::{Department, DirectoryDocument, DirectoryError, MOST_DEPARTMENTS, MOST_LEVELS, User};
use super::history::{Entry, History, lasting};
use hashbrown::{HashMap, HashSet};
use jiff::civil::Date;
use std::collections::BTreeMap;

/// Checks the texts of every entry, departments before users, in the order uploaded.
pub(super) fn texts(document: &DirectoryDocument) -> Result<(), DirectoryError> {
    for department in &document.departments {
        text("department", &department.id, [("id", Some(&department.id)), ("name", Some(&department.name))])?;
    }
    for user in &document.users {
        let ids = [("open_id", user.open_id.as_ref()), ("union_id", user.union_id.as_ref()), ("user_id", user.user_id.as_ref())];
        text("user", &user.id, [("id", Some(&user.id)), ("name", Some(&user.name))].into_iter().chain(ids))?;
    }
    Ok(())
}

fn text<'a>(
    what: &'static str,
    id: &str,
    fields: impl IntoIterator<Item = (&'static str, Option<&'a String>)>,
) -> Result<(), DirectoryError> {
    match fields.into_iter().find(|(_, text)| text.is_some_and(|text| !super::is_text(text))) {
        Some((field, _)) => Err(DirectoryError::Text { what, id: shown(id), field }),
        None => Ok(()),
    }
}

/// Ids in messages are cut: a wrong one may be as long as the request.
fn shown(id: &str) -> String {
    id.chars().take(256).collect()
}

/// Checks that no entry ends before it begins.
pub(super) fn ends(what: &'static str, entries: &[impl Entry]) -> Result<(), DirectoryError> {
    let backwards = |entry: &&_| Entry::until(*entry).is_some_and(|until| Entry::from(*entry).is_some_and(|from| until < from));
    match entries.iter().find(backwards).and_then(|entry| Some((entry, entry.until()?))) {
        Some((entry, until)) => Err(DirectoryError::Backwards { what, id: entry.id().to_owned(), day: entry.from(), until }),
        None => Ok(()),
    }
}

/// Checks that users name departments that exist while they do, each once and not too many.
pub(super) fn users(users: &[User], departments: &History<Department>) -> Result<(), DirectoryError> {
    for (User { id, departments: named, from: day, .. }, last) in users.chunk_by(|a, b| a.id == b.id).flat_map(lasting) {
        let (id, day) = (|| id.clone(), *day);
        if named.len() > MOST_DEPARTMENTS {
            return Err(DirectoryError::TooMany { id: id(), day });
        }
        let mut seen = HashSet::new();
        for department in named {
            exists("user", id, (day, last), department, departments)?;
            if !seen.insert(department) {
                return Err(DirectoryError::Repeated { id: id(), day, department: department.clone() });
            }
        }
    }
    Ok(())
}

/// Checks that a department exists on each day from the first to the last of an entry; no day: since ever, and for ever.
fn exists(
    what: &'static str,
    id: impl Fn() -> String,
    (day, last): (Option<Date>, Option<Date>),
    department: &str,
    departments: &History<Department>,
) -> Result<(), DirectoryError> {
    let entries = departments.of(department);
    match entries.first().map(Entry::from) {
        None => return Err(DirectoryError::UnknownDepartment { what, id: id(), day, department: shown(department) }),
        // Since ever is less than any day.
        Some(Some(begins)) if day < Some(begins) => {
            return Err(DirectoryError::NotYet { what, id: id(), day, department: department.to_owned(), begins });
        }
        Some(_) => {}
    }
    // The last day of each time without an entry begins, and on which one begins again.
    let begins = entries.iter().skip(1).map(Entry::from).chain([None]);
    let gaps = lasting(entries).zip(begins).filter_map(|((_, ends), again)| Some((ends?, again)));
    let has_day = |(ends, again): &(Date, Option<Date>)| {
        let is_gap = ends.tomorrow().is_ok_and(|next| again.is_none_or(|again| next < again));
        is_gap && last.is_none_or(|last| *ends < last) && again.is_none_or(|again| day < Some(again))
    };
    match gaps.into_iter().find(has_day) {
        Some((ends, _)) => Err(DirectoryError::Gone { what, id: id(), day, department: department.to_owned(), ends }),
        None => Ok(()),
    }
}

/// Checks that parents exist while their children do, and that no day has a loop or too many levels.
pub(super) fn departments(departments: &History<Department>) -> Result<(), DirectoryError> {
    let entries = departments.entries();
    // On which day a department is below another from then on; none: it no longer exists.
    let mut changes: Vec<(Option<Date>, Option<&Department>, usize)> = Vec::with_capacity(entries.len());
    let mut numbers: HashMap<&str, usize> = HashMap::new();
    for (number, of_one) in entries.chunk_by(|a, b| a.id == b.id).enumerate() {
        for (entry, last) in lasting(of_one) {
            if let Some(parent) = &entry.parent_id {
                exists("department", || entry.id.clone(), (entry.from, last), parent, departments)?;
            }
            numbers.insert(&entry.id, number);
            changes.push((entry.from, Some(entry), number));
            changes.extend(
                entry
                    .until
                    .and_then(|until| until.tomorrow().ok())
                    .filter(|_| last == entry.until)
                    .map(|after| (Some(after), None, number)),
            );
        }
    }
    // Where one entry ends and the next begins, the next one counts.
    changes.sort_by_key(|(day, entry, _)| (*day, entry.is_some()));
    let mut forest = Forest::new(numbers.len());
    for changed in changes.chunk_by(|(a, ..), (b, ..)| a == b) {
        for (.., number) in changed {
            forest.take_out(*number);
        }
        for (day, entry, number) in changed {
            let Some(entry) = entry else { continue };
            let Some(parent) = entry.parent_id.as_deref().and_then(|parent| numbers.get(parent)) else { continue };
            let (id, day) = (|| entry.id.clone(), *day);
            match forest.put_below(*number, *parent) {
                Put::Done => {}
                Put::BelowItself => return Err(DirectoryError::Cycle { id: id(), day }),
                Put::TooDeep => return Err(DirectoryError::TooDeep { id: id(), day }),
            }
        }
    }
    Ok(())
}

/// Departments, by number, below departments; without a loop and with at most [`MOST_LEVELS`] levels.
struct Forest {
    nodes: Vec<Node>,
}

#[derive(Clone, Default)]
struct Node {
    parent: Option<usize>,
    /// How many departments right below have so many levels, themselves included.
    levels_below: BTreeMap<usize, usize>,
}

impl Node {
    fn levels(&self) -> usize {
        1 + self.levels_below.last_key_value().map_or(0, |(levels, _)| *levels)
    }
}

enum Put {
    Done,
    BelowItself,
    TooDeep,
}

impl Forest {
    fn new(departments: usize) -> Self {
        Self { nodes: vec![Node::default(); departments] }
    }

    /// Makes a department a root, with all below it.
    fn take_out(&mut self, number: usize) {
        let Some(node) = self.nodes.get_mut(number) else { return };
        let levels = node.levels();
        if let Some(parent) = node.parent.take() {
            self.relevel(parent, Some(levels), None);
        }
    }

    /// Puts a root below another department.
    fn put_below(&mut self, number: usize, parent: usize) -> Put {
        let mut above = 0;
        let mut at = Some(parent);
        while let Some(here) = at {
            if here == number {
                return Put::BelowItself;
            }
            above += 1;
            at = self.nodes.get(here).and_then(|node| node.parent);
        }
        let Some(node) = self.nodes.get_mut(number) else { return Put::Done };
        let levels = node.levels();
        if above + levels > MOST_LEVELS {
            return Put::TooDeep;
        }
        node.parent = Some(parent);
        self.relevel(parent, None, Some(levels));
        Put::Done
    }

    /// Tells a department, and those above it as far as it changes them, that something right below has other levels than before.
    fn relevel(&mut self, number: usize, before: Option<usize>, after: Option<usize>) {
        let (mut number, mut before, mut after) = (number, before, after);
        while let Some(node) = self.nodes.get_mut(number) {
            let was = node.levels();
            if let Some(after) = after {
                *node.levels_below.entry(after).or_insert(0) += 1;
            }
            if let Some(levels) = before
                && let Some(count) = node.levels_below.get_mut(&levels)
            {
                *count -= 1;
                if *count == 0 {
                    node.levels_below.remove(&levels);
                }
            }
            let (is, Some(parent)) = (node.levels(), node.parent) else { return };
            if was == is {
                return;
            }
            (number, before, after) = (parent, Some(was), Some(is));
        }
    }
}
