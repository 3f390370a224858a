//! The merged cell of `department_days` and `developer_days`: what was used in a slice, by booking, use and user.

use crate::cells::{Keep, Merged, Used, UsedIn, Uses};
use rollcall_model::Range;

/// Up to how many entries are cached. A year of larger days would push out all the small cells made of them, which are what is asked for
/// again.
const WORTH_CACHING: usize = 4_000;

/// The entries of a slice together, in order. Made in the time it would take to read them from storage, so they are not stored.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct UseSums {
    entries: Vec<Used>,
}

impl UseSums {
    /// The entries of several cells.
    pub fn of_all<'c>(cells: impl IntoIterator<Item = &'c Self>) -> Self {
        let mut entries: Vec<Used> = cells.into_iter().flat_map(|cell| &cell.entries).copied().collect();
        Used::order(&mut entries);
        Self { entries }
    }

    /// Every entry, ascending by booking, use, then user.
    pub fn entries(&self) -> &[Used] {
        &self.entries
    }

    /// The entries of one user.
    pub fn of_user(&self, user: u32) -> Vec<Used> {
        self.entries.iter().filter(|used| used.user == user).copied().collect()
    }

    /// The entries of one booking.
    pub fn of_booking(&self, booking: u32) -> &[Used] {
        let from = self.entries.partition_point(|used| used.booking < booking);
        let rest = self.entries.get(from..).unwrap_or_default();
        let count = rest.partition_point(|used| used.booking == booking);
        rest.get(..count).unwrap_or_default()
    }
}

impl Merged for UseSums {
    type Base = Uses;

    fn of(entries: &[UsedIn], range: Range) -> Self {
        let mut sums: Vec<Used> = Vec::new();
        // An edge within a quarter hour has the entries of its facts alone.
        for UsedIn { used, .. } in entries.iter().filter(|entry| !entry.quarter.range().intersect(&range).is_empty()) {
            match sums.last_mut() {
                Some(last) if last.key() == used.key() => last.merge(used),
                _ => sums.push(*used),
            }
        }
        Self { entries: sums }
    }

    fn merge(&mut self, other: &Self) {
        self.entries.extend_from_slice(&other.entries);
        Used::order(&mut self.entries);
    }
}

impl Keep for UseSums {
    const KIND: u8 = 5;

    fn size(&self) -> usize {
        64 + self.entries.len() * size_of::<Used>()
    }

    fn is_cached(&self) -> bool {
        self.entries.len() <= WORTH_CACHING
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cells::Day;
    use crate::cells::base::Run;
    use crate::cells::bases::uses::tests::used_in;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn sums_are_those_of_all_entries(entries in prop::collection::vec(used_in(), 0..200), cut in any::<prop::sample::Index>()) {
            let of = |entries: &[UsedIn]| UseSums::of(&Run::<Uses>::new(entries.to_vec()).entries, Day(20_000).range());
            let (left, right) = entries.split_at(cut.index(entries.len() + 1));
            let mut sums = of(left);
            sums.merge(&of(right));
            let mut whole: Vec<Used> = entries.iter().map(|entry| entry.used).collect();
            Used::order(&mut whole);
            prop_assert_eq!(sums.entries(), &whole[..]);
            for booking in 0..6 {
                let of_booking: Vec<_> = whole.iter().filter(|used| used.booking == booking).copied().collect();
                prop_assert_eq!(sums.of_booking(booking), &of_booking[..]);
            }
        }
    }
}
