//! The merged cell of `active_users`: the sets of users who were present, by group. Sets unite, so that distinct counts are exact.

use super::codec::{Reader, put};
use super::presence::Group;
use super::{Base, Merged, Presence, Present};
use roaring::{MultiOps, RoaringBitmap};
use rollcall_model::{Device, SessionKind, UserKind};
use std::collections::BTreeMap;

/// Which groups a question counts; none: all.
#[derive(Debug, Clone, Default)]
pub struct PresentFilter {
    /// The app's number.
    pub app: Option<u16>,
    /// Kinds of session.
    pub session_kinds: Option<Vec<SessionKind>>,
    /// Kinds of user.
    pub user_kinds: Option<Vec<UserKind>>,
    /// Devices.
    pub devices: Option<Vec<Device>>,
}

impl PresentFilter {
    fn takes(&self, group: Group) -> bool {
        fn among<T: PartialEq>(wanted: Option<&Vec<T>>, found: Option<T>) -> bool {
            wanted.is_none_or(|wanted| found.is_some_and(|found| wanted.contains(&found)))
        }
        self.app.is_none_or(|app| app == group.app())
            && among(self.session_kinds.as_ref(), group.session_kind())
            && among(self.user_kinds.as_ref(), group.user_kind())
            && among(self.devices.as_ref(), group.device())
    }
}

/// The users who were present, by group.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct PresentUsers {
    /// Ascending by group.
    groups: Vec<(Group, RoaringBitmap)>,
}

impl PresentUsers {
    /// The users of some groups of several cells, each once.
    pub fn union<'a>(cells: impl IntoIterator<Item = &'a Self>, filter: &PresentFilter) -> RoaringBitmap {
        let groups = cells.into_iter().flat_map(|cell| &cell.groups);
        groups.filter(|(group, _)| filter.takes(*group)).map(|(_, users)| users).union()
    }
}

/// Up to so many entries, as an hour has, sorting costs less than a bit for every user there is.
const FEW: usize = 10_000;

impl Merged for PresentUsers {
    type Base = Presence;
    const KIND: u8 = 3;

    fn of(entries: &[Present]) -> Self {
        if entries.len() < FEW {
            let mut entries = entries.to_vec();
            Presence::order(&mut entries);
            let sets = entries.chunk_by(|a, b| a.group == b.group).filter_map(|of_group| {
                let users = of_group.iter().map(|present| present.user);
                Some((of_group.first()?.group, RoaringBitmap::from_sorted_iter(users).unwrap_or_default()))
            });
            return Self { groups: sets.collect() };
        }
        // One bit a user: a day has most of its users in many quarter hours, and setting a bit again costs less than sorting.
        let mut groups: BTreeMap<Group, Vec<u64>> = BTreeMap::new();
        for of_group in entries.chunk_by(|a, b| a.group == b.group) {
            let (Some(first), Some(largest)) = (of_group.first(), of_group.iter().map(|present| present.user).max()) else { continue };
            let words = groups.entry(first.group).or_default();
            words.resize(words.len().max(largest as usize / 64 + 1), 0);
            for present in of_group {
                if let Some(word) = words.get_mut(present.user as usize / 64) {
                    *word |= 1 << (present.user % 64);
                }
            }
        }
        let sets = groups.into_iter().map(|(group, words)| (group, RoaringBitmap::from_sorted_iter(users(&words)).unwrap_or_default()));
        Self { groups: sets.collect() }
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
            put(&mut out, u64::from(group.0));
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
            let group = Group(reader.take_as()?);
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

/// The numbers of the bits that are set, ascending.
fn users(words: &[u64]) -> impl Iterator<Item = u32> {
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
    use super::*;
    use proptest::prelude::*;
    use rollcall_model::Quarter;

    fn entries() -> impl Strategy<Value = Vec<Present>> {
        prop::collection::vec((0u32..40, 0u32..100_000), 0..300)
            .prop_map(|pairs| pairs.into_iter().map(|(group, user)| Present { group: Group(group), user }).collect())
    }

    proptest! {
        #[test]
        fn merging_in_any_order_is_the_cell_of_all(left in entries(), right in entries()) {
            let all = PresentUsers::of(&[left.as_slice(), &right].concat());
            let (left, right) = (PresentUsers::of(&left), PresentUsers::of(&right));
            let (mut forth, mut back) = (left.clone(), right.clone());
            forth.merge(&right);
            back.merge(&left);
            prop_assert_eq!(&forth, &all);
            prop_assert_eq!(&back, &all);
            prop_assert_eq!(PresentUsers::decode(&all.encode()), Some(all));
        }

        #[test]
        fn many_entries_give_the_set_that_few_at_a_time_give(some in entries(), more in 1u32..200) {
            let shifted = |by: u32| some.iter().map(move |present| Present { user: present.user + by, ..*present });
            let many: Vec<Present> = (0..more).flat_map(shifted).collect();
            let mut few = PresentUsers::default();
            many.chunks(1000).for_each(|chunk| few.merge(&PresentUsers::of(chunk)));
            prop_assert_eq!(PresentUsers::of(&many), few);
        }

        #[test]
        fn a_base_cell_reads_back_as_it_was_written(mut entries in entries()) {
            Presence::order(&mut entries);
            let bytes = Presence::encode(Quarter(9), &entries);
            prop_assert_eq!(Presence::decode(Quarter(9), &bytes), Some(entries));
        }

        #[test]
        fn bytes_that_are_no_cell_do_not_panic(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
            let _ = PresentUsers::decode(&bytes);
        }
    }
}
