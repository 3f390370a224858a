//! What facts cost to commit and to fold: what bounds a request, and how many requests are committed together.

use roaring::RoaringBitmap;
use rollcall_model::calendar::DAY_MILLIS;
use rollcall_model::{Millis, Quarter, SessionKind};

/// How many quarter hours an hour has, at whose beginnings the cells of places stand.
const HOUR: i32 = 4;

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

/// How many entries of base cells an attendance makes: one for each quarter hour and each hour that its stay overlaps, and one for its
/// meeting.
pub(crate) fn entries_of_stay(joined_at: Millis, left_at: Millis, kind: SessionKind) -> u64 {
    let (first, last) = (Quarter::of(joined_at).0, Quarter::of(left_at.max(joined_at + 1) - 1).0);
    let hours = last.div_euclid(HOUR) - first.div_euclid(HOUR);
    u64::from((last - first).unsigned_abs()) + u64::from(hours.unsigned_abs()) + 2 + u64::from(kind == SessionKind::Meeting)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cells::{Base, Location, Presence, Sessions};
    use crate::ledger::columns::{AttendanceBlock, AttendanceRow, Block};
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn as_many_entries_are_counted_as_are_folded(
            joined_at in 1_740_819_600_000i64..1_740_919_600_000,
            stay in prop_oneof![Just(0), Just(900_000), 0..700_000_000i64],
            kind in prop::sample::select(SessionKind::ALL),
        ) {
            let row = AttendanceRow {
                session_started_at: joined_at, joined_at, left_at: joined_at + stay, user: 1, app: 0, session_id: "s",
                session_kind: kind.number(), user_kind: 0, device: 0, media: 1, unit: 0, place: 0, given_id: "",
                receipt: 0,
            };
            let block = AttendanceBlock::from_rows([row]);
            let mut folded = 0;
            Sessions::fold(&block, &mut |_, _| folded += 1);
            Presence::fold(&block, &mut |_, _| folded += 1);
            Location::fold(&block, &mut |_, _| folded += 1);
            prop_assert_eq!(entries_of_stay(row.joined_at, row.left_at, kind), folded);
            prop_assert_eq!(AttendanceBlock::entries(&row), folded);
        }
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
