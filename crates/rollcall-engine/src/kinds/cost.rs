//! What facts cost to commit and to fold: what bounds a request, and how many requests are committed together.

use roaring::RoaringBitmap;
use rollcall_model::Millis;
use rollcall_model::calendar::DAY_MILLIS;

/// What facts cost to commit and to fold.
#[derive(Debug, Clone, Default)]
pub struct Cost {
    entries: u64,
    days: RoaringBitmap,
    /// The days of the fact before: most facts lie on the same.
    last: Option<[u32; 2]>,
}

impl Cost {
    /// How many entries of base cells the facts make. Those that share one are counted each.
    pub const fn entries(&self) -> u64 {
        self.entries
    }

    /// On how many UTC days the facts are stored, or their ids are kept.
    pub fn days(&self) -> u64 {
        self.days.len()
    }

    /// Adds a fact that makes so many entries and lies on these days.
    pub(super) fn add(&mut self, entries: u64, at: [Millis; 2]) {
        self.entries += entries;
        let days = at.map(day);
        if self.last.replace(days) != Some(days) {
            self.days.extend(days);
        }
    }
}

/// The UTC day of a time of a fact, which is from 1972 to 2199.
fn day(at: Millis) -> u32 {
    u32::try_from(at.div_euclid(DAY_MILLIS)).unwrap_or_default()
}

/// How many entries of base cells an attendance makes: one of the day on which its session began, and one of each other day of its stay.
pub(crate) fn entries_of_stay(session_started_at: Millis, joined_at: Millis, left_at: Millis) -> u64 {
    let days = day(joined_at)..=day(left_at.max(joined_at + 1) - 1);
    let others = u64::from(days.end() - days.start()) + 1 - u64::from(days.contains(&day(session_started_at)));
    1 + others
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cells::{Base, Stays};
    use crate::kinds::block::{AttendanceBlock, AttendanceRow, Block};
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn as_many_entries_are_counted_as_are_folded(
            session_started_at in 1_740_819_600_000i64..1_740_919_600_000,
            joined_after in -80_000_000i64..600_000_000,
            stay in prop_oneof![Just(0), Just(900_000), 0..700_000_000i64],
        ) {
            let joined_at = session_started_at + joined_after;
            let row = AttendanceRow {
                session_started_at, joined_at, left_at: joined_at + stay, user: 1, app: 0, session_id: "s",
                session_kind: 0, user_kind: 0, device: 0, media: 1, unit: 0, place: 0, given_id: "", receipt: 0,
            };
            let block = AttendanceBlock::from_rows([row]);
            let mut folded = 0;
            Stays::fold(&block, &mut |_| folded += 1);
            prop_assert_eq!(entries_of_stay(session_started_at, row.joined_at, row.left_at), folded);
            prop_assert_eq!(AttendanceBlock::entries(&row), folded);
        }
    }

    #[test]
    fn a_stay_of_seven_days_makes_few_entries() {
        let at = 1_740_819_600_000;
        assert_eq!(entries_of_stay(at, at, at), 1);
        assert_eq!(entries_of_stay(at, at, at + 7 * DAY_MILLIS), 8);
        assert_eq!(entries_of_stay(at, at + 7 * DAY_MILLIS, at + 14 * DAY_MILLIS), 9);
    }

    #[test]
    fn days_are_counted_once() {
        let mut cost = Cost::default();
        for at in [[0, 0], [DAY_MILLIS, 1], [DAY_MILLIS, DAY_MILLIS - 1], [5 * DAY_MILLIS, 5 * DAY_MILLIS]] {
            cost.add(3, at);
        }
        assert_eq!((cost.entries(), cost.days()), (12, 3));
    }
}
