//! The base cell of assistance: what the coding assistant was used for during a quarter hour. `department_days` and `developer_days` ask it.

use crate::cells::base::{Base, Touches, order};
use crate::cells::codec::{Reader, put, put_column};
use crate::cells::{Day, Keep, UsageSets, UseSums, View};
use crate::error::EngineError;
use crate::kinds::block::{AssistanceBlock, AssistanceRow};
use crate::kinds::stored::Wanted;
use rollcall_model::{Millis, Quarter, Range};
use std::cmp::Ordering;
use std::sync::Arc;

/// The base cell of assistance.
#[derive(Debug)]
pub struct Uses;

/// The facts of one quarter hour and user, with one booking and one use. Entries are in the order of the day, then of [`Used::key`], then of
/// the quarter hour: those of a day are added up by going over them once.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct UsedIn {
    /// When.
    pub quarter: Quarter,
    /// What.
    pub used: Used,
}

/// The facts of one user, with one booking and one use. Both are numbers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Used {
    /// See [`crate::kinds::columns::Assistances::bookings`].
    pub booking: u32,
    /// See [`crate::kinds::columns::Use`].
    pub usage: u32,
    /// The user's number.
    pub user: u32,
    /// Turns of chats, suggestions of completions, 0 for edits.
    pub count: u64,
    /// Accepted of these.
    pub accepted: u64,
    /// Accepted lines.
    pub lines_accepted: u64,
    /// Changed lines.
    pub lines_changed: u64,
    /// When the last of these facts was that has a count or is accepted.
    pub last_use: Option<Millis>,
}

impl Used {
    fn of(row: &AssistanceRow<'_>) -> Self {
        Self {
            booking: row.booking,
            usage: row.usage,
            user: row.user,
            count: row.count.into(),
            accepted: row.accepted.into(),
            lines_accepted: row.lines_accepted.into(),
            lines_changed: row.lines_changed.into(),
            last_use: (row.count > 0 || row.accepted > 0).then_some(row.at),
        }
    }

    /// Booking, use and user.
    pub const fn key(&self) -> (u32, u32, u32) {
        (self.booking, self.usage, self.user)
    }

    /// Orders entries by their keys, and merges those that share one.
    pub fn order(entries: &mut Vec<Self>) {
        // The stable sort finds the runs that are in order already.
        entries.sort_by_key(Self::key);
        entries.dedup_by(|next, first| {
            let same = next.key() == first.key();
            if same {
                first.merge(next);
            }
            same
        });
    }

    /// Adds the facts of an entry with the same key.
    pub fn merge(&mut self, other: &Self) {
        self.count += other.count;
        self.accepted += other.accepted;
        self.lines_accepted += other.lines_accepted;
        self.lines_changed += other.lines_changed;
        self.last_use = self.last_use.max(other.last_use);
    }
}

impl UsedIn {
    fn of(row: &AssistanceRow<'_>) -> Self {
        Self { quarter: Quarter::of(row.at), used: Used::of(row) }
    }

    const fn key(&self) -> ((u32, u32, u32), Quarter) {
        (self.used.key(), self.quarter)
    }
}

impl Base for Uses {
    type Block = AssistanceBlock;
    type Entry = UsedIn;
    const NAME: &'static str = "uses";
    const KEYSPACES: [&'static str; 2] = ["use-runs", "use-cells"];
    const DAYS_BEFORE: i32 = 0;
    const DAYS_AFTER: i32 = 0;
    const KINDS: &'static [u8] = &[UseSums::KIND, UsageSets::KIND];

    fn fold(block: &AssistanceBlock, add: &mut dyn FnMut(UsedIn)) {
        block.rows().for_each(|row| add(UsedIn::of(&row)));
    }

    fn day(entry: &UsedIn) -> Day {
        Day::of(entry.quarter.start())
    }

    fn touches(entry: &UsedIn) -> Touches {
        Touches { filed: None, about: Some((entry.quarter.0, entry.quarter.0)) }
    }

    fn compare(a: &UsedIn, b: &UsedIn) -> Ordering {
        Self::day(a).cmp(&Self::day(b)).then_with(|| a.key().cmp(&b.key()))
    }

    fn join(first: &mut UsedIn, second: &UsedIn) -> bool {
        let same = first.key() == second.key();
        if same {
            first.used.merge(&second.used);
        }
        same
    }

    /// A table of bookings with uses, and one of what was used, column by column.
    fn encode(day: Day, entries: &[UsedIn]) -> Vec<u8> {
        let first_quarter = Quarter::of(day.range().from);
        let (mut groups, mut columns) = ([const { Vec::new() }; 3], [const { Vec::new() }; 7]);
        let mut booking = 0;
        for group in entries.chunk_by(|a, b| (a.used.booking, a.used.usage) == (b.used.booking, b.used.usage)) {
            let Some(UsedIn { used: first, .. }) = group.first() else { continue };
            let header = [u64::from(first.booking - booking), first.usage.into(), group.len() as u64];
            groups.iter_mut().zip(header).for_each(|(column, number)| column.push(number));
            booking = first.booking;
            let mut user = 0;
            for UsedIn { quarter, used } in group {
                // 0 for none.
                let last_use = used.last_use.map_or(0, |at| (at - quarter.start()).unsigned_abs() + 1);
                let (after, of_day) = (u64::from(used.user - user), u64::from((quarter.0 - first_quarter.0).unsigned_abs()));
                let row = [after, of_day, used.count, used.accepted, used.lines_accepted, used.lines_changed, last_use];
                columns.iter_mut().zip(row).for_each(|(column, number)| column.push(number));
                user = used.user;
            }
        }
        let mut out = Vec::with_capacity(entries.len() * 8 + 64);
        put(&mut out, groups[0].len() as u64);
        put(&mut out, entries.len() as u64);
        groups.iter().chain(&columns).for_each(|column| put_column(&mut out, column));
        out
    }

    fn decode(day: Day, bytes: &[u8]) -> Option<Vec<UsedIn>> {
        let mut reader = Reader(bytes);
        let (groups, rows) = (reader.take_rows()?, reader.take_rows()?);
        let [bookings, usages, counts] = reader.take_columns(groups)?;
        let [users, quarters, numbers, accepted, lines_accepted, lines_changed, last_uses] = reader.take_columns(rows)?;
        let mut at = 0;
        let mut entries = Vec::with_capacity(rows);
        let mut booking = 0u32;
        for ((after, usage), count) in bookings.iter().zip(&usages).zip(&counts) {
            booking = booking.checked_add(u32::try_from(*after).ok()?)?;
            let mut user = 0u32;
            for _ in 0..*count {
                user = user.checked_add(u32::try_from(*users.get(at)?).ok()?)?;
                let quarter =
                    Quarter(Quarter::of(day.range().from).0 + i32::try_from(*quarters.get(at)?).ok().filter(|of_day| *of_day < 96)?);
                let last_use = last_uses.get(at)?.checked_sub(1).map(Millis::try_from).transpose().ok()?;
                let used = Used {
                    booking,
                    usage: u32::try_from(*usage).ok()?,
                    user,
                    count: *numbers.get(at)?,
                    accepted: *accepted.get(at)?,
                    lines_accepted: *lines_accepted.get(at)?,
                    lines_changed: *lines_changed.get(at)?,
                    last_use: last_use.map(|after| quarter.start().checked_add(after)).map_or(Some(None), |at| at.map(Some))?,
                };
                entries.push(UsedIn { quarter, used });
                at += 1;
            }
        }
        (at == rows && reader.0.is_empty()).then_some(entries)
    }

    /// The cell does not know when in the quarter hour a fact was: the facts are asked.
    fn edge(view: &View<'_, Self>, range: Range) -> Result<Arc<Vec<UsedIn>>, EngineError> {
        let mut entries = Vec::new();
        for block in view.facts(Wanted::times(range)) {
            entries.extend(block?.rows().map(|row| UsedIn::of(&row)));
        }
        order::<Self>(&mut entries);
        Ok(Arc::new(entries))
    }
}

#[cfg(test)]
pub(in crate::cells) mod tests {
    use super::*;
    use crate::cells::base::Run;
    use proptest::prelude::*;

    const DAY: Day = Day(20_000);

    /// An entry of one of the first quarter hours of the day 20,000.
    pub(in crate::cells) fn used_in() -> impl Strategy<Value = UsedIn> {
        let last_use = prop::option::of(0i64..900_000);
        let numbers = (0u64..3, 0u64..3, 0u64..300, prop_oneof![Just(0), any::<u32>().prop_map(u64::from)]);
        (0i32..3, 0u32..5, 0u32..6, 0u32..40, numbers, last_use).prop_map(
            |(quarter, booking, usage, user, (count, accepted, lines_accepted, lines_changed), last_use)| {
                let quarter = Quarter(Quarter::of(DAY.range().from).0 + quarter);
                let last_use = last_use.map(|after| quarter.start() + after);
                UsedIn { quarter, used: Used { booking, usage, user, count, accepted, lines_accepted, lines_changed, last_use } }
            },
        )
    }

    proptest! {
        #[test]
        fn merging_in_any_order_is_folding_all(entries in prop::collection::vec(used_in(), 0..200), cut in any::<prop::sample::Index>()) {
            let (left, right) = entries.split_at(cut.index(entries.len() + 1));
            let whole = Run::<Uses>::new(entries.clone());
            let (left, right) = (Run::<Uses>::new(left.to_vec()), Run::<Uses>::new(right.to_vec()));
            for turned in [Run::merged([&left, &right]), Run::merged([&right, &left])] {
                prop_assert_eq!((&turned.entries, &turned.touched), (&whole.entries, &whole.touched));
            }
        }

        #[test]
        fn a_cell_reads_back_as_it_was_written(entries in prop::collection::vec(used_in(), 0..100)) {
            let entries = Run::<Uses>::new(entries).entries;
            prop_assert_eq!(Uses::decode(DAY, &Uses::encode(DAY, &entries)), Some(entries));
        }

        #[test]
        fn bytes_that_are_no_cell_do_not_panic(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
            let _ = Uses::decode(DAY, &bytes);
        }
    }
}
