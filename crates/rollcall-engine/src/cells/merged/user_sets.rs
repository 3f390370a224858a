//! Users by group: the merged cells that hold who was there. Sets unite, so that distinct counts are exact.

use crate::cells::codec::{MOST_ROWS, Reader, put, put_column};
use crate::cells::{Keep, Merged, Stay, Stays};
use hashbrown::HashMap;
use roaring::{MultiOps, RoaringBitmap};
use rollcall_model::Range;
use std::hash::Hash;

/// One in how many users are few.
const FEW: u64 = 4;

/// What users are grouped by.
pub trait Group: Copy + Ord + Hash + Send + Sync + std::fmt::Debug + 'static {
    /// What tells the cells of these groups from other merged cells. See [`Keep::KIND`].
    const KIND: u8;

    /// The group of a stay.
    fn of(stay: &Stay) -> Self;

    /// Whether a stay counts in a range: as a rule, if it overlaps it.
    fn counts(stay: &Stay, range: Range) -> bool {
        !stay.lasted().intersect(&range).is_empty()
    }

    /// The group as a number, in the order of groups.
    fn number(self) -> u64;

    /// The group of a number in storage.
    fn from_number(number: u64) -> Option<Self>;
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
    type Base = Stays;

    fn of(stays: &[Stay], range: Range) -> Self {
        let mut groups: HashMap<G, Vec<u32>> = HashMap::new();
        for stay in stays.iter().filter(|stay| G::counts(stay, range)) {
            groups.entry(G::of(stay)).or_default().push(stay.user);
        }
        let mut groups: Vec<_> = groups.into_iter().map(|(group, users)| (group, set(users))).collect();
        groups.sort_unstable_by_key(|(group, _)| *group);
        Self { groups }
    }

    fn merge(&mut self, other: &Self) {
        for (group, users) in &other.groups {
            match self.groups.binary_search_by_key(group, |(group, _)| *group) {
                Ok(position) => self.groups.get_mut(position).into_iter().for_each(|(_, known)| *known |= users),
                Err(position) => self.groups.insert(position, (*group, users.clone())),
            }
        }
    }
}

impl<G: Group> Keep for UserSets<G> {
    const KIND: u8 = G::KIND;

    fn encode(&self) -> Option<Vec<u8>> {
        let mut out = Vec::new();
        for (group, users) in &self.groups {
            put(&mut out, group.number());
            put_set(&mut out, users);
        }
        Some(out)
    }

    fn decode(bytes: &[u8]) -> Option<Self> {
        let mut reader = Reader(bytes);
        let mut groups = Vec::new();
        while !reader.0.is_empty() {
            let group = G::from_number(reader.take()?)?;
            groups.push((group, take_set(&mut reader)?));
        }
        Some(Self { groups })
    }

    fn size(&self) -> usize {
        64 + self.groups.iter().map(|(_, users)| 64 + users.serialized_size()).sum::<usize>()
    }
}

/// Adds a set: how far each user is from the one before where they are few of all, which takes half of the room or less; else as it is in
/// memory, which takes little more then and is read faster.
fn put_set(out: &mut Vec<u8>, users: &RoaringBitmap) {
    let are_few = users.len() <= MOST_ROWS as u64 && users.max().is_some_and(|last| users.len() * FEW < u64::from(last));
    if are_few {
        let mut next = 0;
        let gaps: Vec<u64> = users.iter().map(|user| u64::from(user - std::mem::replace(&mut next, user.wrapping_add(1)))).collect();
        put(out, users.len());
        put_column(out, &gaps);
        return;
    }
    put(out, 0);
    put(out, users.serialized_size() as u64);
    // Writing into memory does not fail.
    let _ = users.serialize_into(out);
}

fn take_set(reader: &mut Reader<'_>) -> Option<RoaringBitmap> {
    let count = reader.take_rows()?;
    if count == 0 {
        let size = reader.take_count()?;
        let (users, rest) = reader.0.split_at_checked(size)?;
        reader.0 = rest;
        return RoaringBitmap::deserialize_from(users).ok();
    }
    let [mut users] = reader.take_columns(count)?;
    let mut next = 0u64;
    for user in &mut users {
        *user = user.checked_add(next)?;
        next = user.checked_add(1)?;
    }
    u32::try_from(next.checked_sub(1)?).ok()?;
    RoaringBitmap::from_sorted_iter(users.into_iter().map(|user| user as u32)).ok()
}

/// The set of these users, who may come more than once and in any order.
pub(crate) fn set(mut users: Vec<u32>) -> RoaringBitmap {
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
    use crate::cells::Day;
    use crate::cells::bases::stays::tests::stay;
    use proptest::prelude::*;

    type Sets = UserSets<Attended>;

    fn of(stays: &[Stay]) -> Sets {
        Sets::of(stays, Day(20_000).range())
    }

    proptest! {
        #[test]
        fn merging_in_any_order_is_the_cell_of_all(stays in prop::collection::vec(stay(), 0..300), cut in any::<prop::sample::Index>()) {
            let (left, right) = stays.split_at(cut.index(stays.len() + 1));
            let (all, left, right) = (of(&stays), of(left), of(right));
            let (mut forth, mut back) = (left.clone(), right.clone());
            forth.merge(&right);
            back.merge(&left);
            prop_assert_eq!(&forth, &all);
            prop_assert_eq!(&back, &all);
            prop_assert_eq!(Sets::decode(&all.encode().unwrap()), Some(all));
        }

        #[test]
        fn a_set_is_made_of_many_users_as_of_few(users in prop::collection::vec(0u32..100_000, 0..300), repeated in 1usize..200) {
            let expected: RoaringBitmap = users.iter().copied().collect();
            prop_assert_eq!(set(users.repeat(repeated)), expected);
        }

        #[test]
        fn bytes_that_are_no_cell_do_not_panic(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
            let _ = Sets::decode(&bytes);
        }
    }
}
