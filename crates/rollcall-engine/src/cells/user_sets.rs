//! Users by group: the entries of the base cells that hold who was there, and the merged cells made of them. Sets unite, so that
//! distinct counts are exact.

use super::codec::{Reader, put};
use super::{Base, Merged};
use roaring::{MultiOps, RoaringBitmap};
use std::collections::BTreeMap;

/// What the users of one kind of base cell are grouped by.
pub trait Group: Copy + Ord + Send + Sync + std::fmt::Debug + 'static {
    /// The base cells.
    type Base: Base<Entry = InGroup<Self>>;

    /// What tells the merged cells of these groups from other merged cells. See [`Merged::KIND`].
    const KIND: u8;

    /// The group as a number, in the order of groups.
    fn number(self) -> u64;

    /// The group of a number in storage.
    fn from_number(number: u64) -> Option<Self>;
}

/// A user, and the group they were there in. Base cells hold these ascending, each once.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct InGroup<G> {
    /// The group.
    pub group: G,
    /// The user's number.
    pub user: u32,
}

impl<G: Group> InGroup<G> {
    /// See [`Base::order`].
    pub(super) fn order(entries: &mut Vec<Self>) {
        entries.sort_unstable();
        entries.dedup();
    }

    /// See [`Base::encode`].
    pub(super) fn encode(entries: &[Self]) -> Vec<u8> {
        let mut out = Vec::with_capacity(entries.len() * 3 + 16);
        for of_group in entries.chunk_by(|a, b| a.group == b.group) {
            let Some(first) = of_group.first() else { continue };
            put(&mut out, first.group.number());
            put(&mut out, of_group.len() as u64);
            let mut user = 0;
            for entry in of_group {
                put(&mut out, u64::from(entry.user - user));
                user = entry.user;
            }
        }
        out
    }

    /// See [`Base::decode`].
    pub(super) fn decode(bytes: &[u8]) -> Option<Vec<Self>> {
        let mut reader = Reader(bytes);
        let mut entries = Vec::with_capacity(bytes.len() / 2);
        while !reader.0.is_empty() {
            let group = G::from_number(reader.take()?)?;
            let mut user = 0u32;
            for _ in 0..reader.take_count()? {
                user = user.checked_add(reader.take_as()?)?;
                entries.push(Self { group, user });
            }
        }
        Some(entries)
    }
}

/// The sets of users who were there, by group.
#[derive(Debug, Clone, PartialEq)]
pub struct UserSets<G> {
    /// Ascending by group.
    groups: Vec<(G, RoaringBitmap)>,
}

impl<G> Default for UserSets<G> {
    fn default() -> Self {
        Self { groups: Vec::new() }
    }
}

impl<G: Group> UserSets<G> {
    /// The groups, ascending, and their users.
    pub fn groups(&self) -> impl Iterator<Item = (G, &RoaringBitmap)> {
        self.groups.iter().map(|(group, users)| (*group, users))
    }

    /// The users of some groups of several cells, each once.
    pub fn union<'a>(cells: impl IntoIterator<Item = &'a Self>, takes: impl Fn(G) -> bool) -> RoaringBitmap {
        let groups = cells.into_iter().flat_map(Self::groups);
        groups.filter(|(group, _)| takes(*group)).map(|(_, users)| users).union()
    }
}

impl<G: Group> Merged for UserSets<G> {
    type Base = G::Base;
    const KIND: u8 = G::KIND;

    fn of(entries: &[InGroup<G>]) -> Self {
        let mut groups: BTreeMap<G, Vec<u32>> = BTreeMap::new();
        for of_group in entries.chunk_by(|a, b| a.group == b.group) {
            let Some(first) = of_group.first() else { continue };
            groups.entry(first.group).or_default().extend(of_group.iter().map(|entry| entry.user));
        }
        Self { groups: groups.into_iter().map(|(group, users)| (group, set(users))).collect() }
    }

    fn merge(&mut self, other: &Self) {
        for (group, users) in &other.groups {
            match self.groups.binary_search_by_key(group, |(group, _)| *group) {
                Ok(position) => self.groups.get_mut(position).into_iter().for_each(|(_, known)| *known |= users),
                Err(position) => self.groups.insert(position, (*group, users.clone())),
            }
        }
    }

    fn encode(&self) -> Vec<u8> {
        let mut out = Vec::new();
        for (group, users) in &self.groups {
            put(&mut out, group.number());
            put(&mut out, users.serialized_size() as u64);
            // Writing into memory does not fail.
            let _ = users.serialize_into(&mut out);
        }
        out
    }

    fn decode(bytes: &[u8]) -> Option<Self> {
        let mut reader = Reader(bytes);
        let mut groups = Vec::new();
        while !reader.0.is_empty() {
            let group = G::from_number(reader.take()?)?;
            let size = reader.take_count()?;
            let (users, rest) = reader.0.split_at_checked(size)?;
            groups.push((group, RoaringBitmap::deserialize_from(users).ok()?));
            reader.0 = rest;
        }
        Some(Self { groups })
    }

    fn size(&self) -> usize {
        64 + self.groups.iter().map(|(_, users)| 64 + users.serialized_size()).sum::<usize>()
    }
}

/// The set of these users, who may come more than once and in any order.
fn set(mut users: Vec<u32>) -> RoaringBitmap {
    let words = users.iter().max().map_or(0, |largest| *largest as usize / 64 + 1);
    if words > 4 * users.len() {
        users.sort_unstable();
        users.dedup();
        return RoaringBitmap::from_sorted_iter(users).unwrap_or_default();
    }
    // A day has most of its users in many quarter hours, and setting a bit again costs less than sorting.
    let mut bits = vec![0u64; words];
    for user in users {
        if let Some(word) = bits.get_mut(user as usize / 64) {
            *word |= 1 << (user % 64);
        }
    }
    RoaringBitmap::from_sorted_iter(numbers(&bits)).unwrap_or_default()
}

/// The numbers of the bits that are set, ascending.
fn numbers(words: &[u64]) -> impl Iterator<Item = u32> {
    (0..).step_by(64).zip(words).flat_map(|(base, word)| {
        let mut left = *word;
        std::iter::from_fn(move || {
            let lowest = (left != 0).then(|| left.trailing_zeros())?;
            left &= left - 1;
            Some(base + lowest)
        })
    })
}

#[cfg(test)]
mod tests {
    use super::super::presence::Attended;
    use super::*;
    use proptest::prelude::*;

    type Entry = InGroup<Attended>;
    type Sets = UserSets<Attended>;

    fn entries() -> impl Strategy<Value = Vec<Entry>> {
        prop::collection::vec((0u32..40, 0u32..100_000), 0..300)
            .prop_map(|pairs| pairs.into_iter().map(|(group, user)| Entry { group: Attended(group), user }).collect())
    }

    proptest! {
        #[test]
        fn merging_in_any_order_is_the_cell_of_all(left in entries(), right in entries()) {
            let all = Sets::of(&[left.as_slice(), &right].concat());
            let (left, right) = (Sets::of(&left), Sets::of(&right));
            let (mut forth, mut back) = (left.clone(), right.clone());
            forth.merge(&right);
            back.merge(&left);
            prop_assert_eq!(&forth, &all);
            prop_assert_eq!(&back, &all);
            prop_assert_eq!(Sets::decode(&all.encode()), Some(all));
        }

        #[test]
        fn many_entries_give_the_set_that_few_at_a_time_give(some in entries(), more in 1u32..200) {
            let shifted = |by: u32| some.iter().map(move |entry| Entry { user: entry.user + by, ..*entry });
            let many: Vec<Entry> = (0..more).flat_map(shifted).collect();
            let mut few = Sets::default();
            many.chunks(100).for_each(|chunk| few.merge(&Sets::of(chunk)));
            prop_assert_eq!(Sets::of(&many), few);
        }

        #[test]
        fn a_base_cell_reads_back_as_it_was_written(mut entries in entries()) {
            Entry::order(&mut entries);
            let bytes = Entry::encode(&entries);
            prop_assert_eq!(Entry::decode(&bytes), Some(entries));
        }

        #[test]
        fn bytes_that_are_no_cell_do_not_panic(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
            let _ = Sets::decode(&bytes);
            let _ = Entry::decode(&bytes);
        }
    }
}
