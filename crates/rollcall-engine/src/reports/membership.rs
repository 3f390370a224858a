//! Who is in a department, day by day of the organization's zone.

use crate::ledger::names::NamesOf;
use hashbrown::{HashMap, HashSet};
use jiff::civil::Date;
use roaring::RoaringBitmap;
use rollcall_model::directory::User;
use rollcall_model::reports::InDepartment;
use rollcall_model::{Calendar, Directory, Millis, Range};
use std::collections::BTreeMap;

/// Days in a row on which the tree of departments is one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Days {
    /// The first.
    pub(super) from: Date,
    /// The last.
    pub(super) last: Date,
}

impl Days {
    /// The days of a zone that a range touches; none of an empty one.
    pub(super) fn of(home: &Calendar, range: Range) -> Option<Self> {
        (!range.is_empty()).then(|| Self { from: home.date_of(range.from), last: home.date_of(range.to - 1) })
    }

    /// The days from one to another; none if that is before.
    pub(super) fn between(from: Date, last: Date) -> Option<Self> {
        (from <= last).then_some(Self { from, last })
    }

    /// The days from one until the day before another; none if there are none.
    pub(super) fn until(from: Date, next: Date) -> Option<Self> {
        Self::between(from, next.yesterday().ok()?)
    }

    /// The days that are in an entry too, which holds since a day, and until its last; none: since ever, for ever.
    pub(super) fn within(self, from: Option<Date>, last: Option<Date>) -> Option<Self> {
        Self::between(from.map_or(self.from, |from| from.max(self.from)), last.map_or(self.last, |last| last.min(self.last)))
    }

    /// The instants of the days.
    pub(super) fn range(self, home: &Calendar) -> Range {
        Range::new(home.start_of(self.from), home.day(self.last).to)
    }

    /// The days in pieces with one tree each.
    pub(super) fn by_tree(self, directory: &Directory) -> impl Iterator<Item = Self> {
        let mut next = Some(self.from);
        std::iter::from_fn(move || {
            let from = next.take().filter(|from| *from <= self.last)?;
            let change = directory.next_tree(from).filter(|change| *change <= self.last);
            next = change;
            Some(Self { from, last: change.and_then(|change| change.yesterday().ok()).unwrap_or(self.last) })
        })
    }
}

/// The users of a department, by number: in some ranges one after the other.
#[derive(Debug)]
pub(super) struct Membership {
    /// From each of these instants on, until the next.
    from: BTreeMap<Millis, RoaringBitmap>,
}

impl Membership {
    /// Whoever is in a department on the days that a range touches.
    pub(super) fn new(directory: &Directory, names: &NamesOf, of: &InDepartment, range: Range) -> Self {
        let home = Calendar::new(of.home.clone());
        let mut changes: BTreeMap<Millis, (Vec<u32>, Vec<u32>)> = BTreeMap::new();
        if let Some(days) = Days::of(&home, range) {
            for (user, days) in members(directory, of, days) {
                let Some(number) = names.number(&user.id) else { continue };
                let range = days.range(&home);
                changes.entry(range.from).or_default().0.push(number);
                changes.entry(range.to).or_default().1.push(number);
            }
        }
        let mut now = RoaringBitmap::new();
        let from = changes.into_iter().map(|(at, (come, go))| {
            // Who goes where an entry ends comes again where the next one begins.
            go.into_iter().for_each(|number| _ = now.remove(number));
            now.extend(come);
            (at, now.clone())
        });
        Self { from: from.collect() }
    }

    /// What of a range has members, in pieces, with the members of each.
    pub(super) fn pieces(&self, range: Range) -> impl Iterator<Item = (Range, &RoaringBitmap)> {
        let before = self.from.range(..=range.from).next_back();
        let begin = before.into_iter().chain(self.from.range(range.from + 1..range.to.max(range.from + 1)));
        let ends = self.from.range(range.from + 1..range.to.max(range.from + 1)).map(|(at, _)| *at).chain([range.to]);
        // Where nothing holds yet, the first piece begins later.
        let ends = ends.skip(usize::from(before.is_none()));
        begin.zip(ends).filter_map(move |((at, members), to)| {
            let piece = Range::new((*at).max(range.from), to);
            (!piece.is_empty() && !members.is_empty()).then_some((piece, members))
        })
    }
}

/// When users are in no department.
#[derive(Debug)]
pub(super) struct Outside {
    /// When each user is in one, by number, ascending.
    inside: HashMap<u32, Vec<Range>>,
}

impl Outside {
    /// Those of the days that a range touches.
    pub(super) fn new(directory: &Directory, names: &NamesOf, home: &Calendar, range: Range) -> Self {
        let mut inside: HashMap<u32, Vec<Range>> = HashMap::new();
        if let Some(days) = Days::of(home, range) {
            for (user, last) in directory.entries().filter(|(user, _)| !user.departments.is_empty()) {
                if let (Some(days), Some(number)) = (days.within(user.from, last), names.number(&user.id)) {
                    inside.entry(number).or_default().push(days.range(home));
                }
            }
        }
        Self { inside }
    }

    /// What of a range a user is in no department.
    pub(super) fn of(&self, user: u32, range: Range) -> Vec<Range> {
        let (mut parts, mut at) = (Vec::new(), range.from);
        for inside in self.inside.get(&user).into_iter().flatten() {
            parts.push(Range::new(at, inside.from.min(range.to)));
            at = at.max(inside.to);
        }
        parts.push(Range::new(at, range.to));
        parts.retain(|part| !part.is_empty());
        parts
    }
}

/// Whom the directory has in a department on some of these days, and on which; a user several times, for days that do not overlap.
pub(super) fn members<'d>(directory: &'d Directory, of: &InDepartment, days: Days) -> Vec<(&'d User, Days)> {
    let mut found = Vec::new();
    for days in days.by_tree(directory) {
        let tree = directory.tree_on(days.from);
        let is_below =
            of.below.as_deref().is_none_or(|above| tree.contains(above) && tree.subtree(above).binary_search(&of.id.as_str()).is_ok());
        if !tree.contains(&of.id) || !is_below {
            continue;
        }
        let departments: HashSet<&str> =
            if of.with_subtree { tree.subtree(&of.id).into_iter().collect() } else { HashSet::from([of.id.as_str()]) };
        let is_in = |(user, _): &(&User, Option<Date>)| user.departments.iter().any(|id| departments.contains(id.as_str()));
        let entries = directory.entries().filter(is_in);
        found.extend(entries.filter_map(|(user, last)| Some((user, days.within(user.from, last)?))));
    }
    found
}
