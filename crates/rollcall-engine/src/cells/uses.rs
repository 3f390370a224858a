//! The base cell of uses: what the coding assistant was used for during a quarter hour. `department_days` and `developer_days` ask it.

use super::codec::{Reader, put};
use super::store::{Cells, Live, LiveCells};
use super::usage_sets::UsageSets;
use super::{Base, Keep, Merged, View};
use crate::error::EngineError;
use crate::ledger::Wanted;
use crate::ledger::columns::{AssistanceBlock, AssistanceRow};
use fjall::Keyspace;
use rollcall_model::{Millis, Quarter, Range};
use std::cmp::Ordering;

/// The base cell of uses: its entries are ascending by booking, use, then user.
#[derive(Debug)]
pub struct Uses;

/// The facts of one user, with one booking and one use. Both are numbers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Used {
    /// See [`crate::facts::Assistances::bookings`].
    pub booking: u32,
    /// See [`crate::facts::Use`].
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

    const fn key(&self) -> (u32, u32, u32) {
        (self.booking, self.usage, self.user)
    }

    /// Orders entries by booking, use and user, and merges those that share all three.
    fn order(entries: &mut Vec<Self>) {
        // The stable sort finds the runs that are in order already.
        entries.sort_by_key(Self::key);
        entries.dedup_by(|next, kept| {
            let same = next.key() == kept.key();
            if same {
                kept.merge(next);
            }
            same
        });
    }

    fn merge(&mut self, other: &Self) {
        self.count += other.count;
        self.accepted += other.accepted;
        self.lines_accepted += other.lines_accepted;
        self.lines_changed += other.lines_changed;
        self.last_use = self.last_use.max(other.last_use);
    }
}

impl Base for Uses {
    type Block = AssistanceBlock;
    type Entry = Used;
    const NAME: &'static str = "uses";
    const QUARTERS: i32 = 1;
    const KINDS: &'static [u8] = &[UseSums::KIND, UsageSets::KIND];

    fn fold(block: &AssistanceBlock, add: &mut dyn FnMut(Quarter, Used)) {
        block.rows().for_each(|row| add(Quarter::of(row.at), Used::of(&row)));
    }

    fn order(entries: &mut Vec<Used>) {
        Used::order(entries);
    }

    fn compare(a: &Used, b: &Used) -> Ordering {
        a.key().cmp(&b.key())
    }

    fn encode(quarter: Quarter, entries: &[Used]) -> Vec<u8> {
        let mut out = Vec::with_capacity(entries.len() * 12 + 16);
        let mut booking = 0;
        for together in entries.chunk_by(|a, b| (a.booking, a.usage) == (b.booking, b.usage)) {
            let Some(first) = together.first() else { continue };
            put(&mut out, u64::from(first.booking - booking));
            booking = first.booking;
            put(&mut out, u64::from(first.usage));
            put(&mut out, together.len() as u64);
            let mut user = 0;
            for used in together {
                put(&mut out, u64::from(used.user - user));
                user = used.user;
                for number in [used.count, used.accepted, used.lines_accepted, used.lines_changed] {
                    put(&mut out, number);
                }
                // 0 for none.
                put(&mut out, used.last_use.map_or(0, |at| (at - quarter.start()).unsigned_abs() + 1));
            }
        }
        out
    }

    fn decode(quarter: Quarter, bytes: &[u8]) -> Option<Vec<Used>> {
        let mut reader = Reader(bytes);
        let mut entries = Vec::with_capacity(bytes.len() / 8);
        let mut booking = 0u32;
        while !reader.0.is_empty() {
            booking = booking.checked_add(reader.take_as()?)?;
            let usage = reader.take_as()?;
            let mut user = 0u32;
            for _ in 0..reader.take_count()? {
                user = user.checked_add(reader.take_as()?)?;
                entries.push(Used {
                    booking,
                    usage,
                    user,
                    count: reader.take()?,
                    accepted: reader.take()?,
                    lines_accepted: reader.take()?,
                    lines_changed: reader.take()?,
                    last_use: reader.take_as::<u32>()?.checked_sub(1).map(|after| quarter.start() + Millis::from(after)),
                });
            }
        }
        Some(entries)
    }

    /// The cell does not know when in the quarter hour a fact was: the facts are asked.
    fn edge(view: &View<'_, Self>, range: Range) -> Result<Vec<Used>, EngineError> {
        let mut entries = Vec::new();
        for block in view.facts(Wanted::times(range)) {
            entries.extend(block?.rows().map(|row| Used::of(&row)));
        }
        Used::order(&mut entries);
        Ok(entries)
    }

    fn keyspace(cells: &Cells) -> &Keyspace {
        &cells.uses
    }

    fn live(live: &Live) -> &LiveCells<Self> {
        &live.uses
    }

    fn live_mut(live: &mut Live) -> &mut LiveCells<Self> {
        &mut live.uses
    }
}

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
        let entries: Vec<Used> = cells.into_iter().flat_map(|cell| &cell.entries).copied().collect();
        Self::of(&entries)
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

    fn of(entries: &[Used]) -> Self {
        // Keys with positions are sorted in the entries' stead, which are several times as large.
        let key = |(position, used): (u128, &Used)| {
            u128::from(used.booking) << 96 | u128::from(used.usage) << 64 | u128::from(used.user) << 32 | position
        };
        let mut keys: Vec<u128> = (0..).zip(entries).map(key).collect();
        // The stable sort finds the runs that are in order already.
        keys.sort();
        let mut ordered: Vec<Used> = Vec::with_capacity(entries.len());
        for used in keys.iter().filter_map(|key| entries.get(*key as u32 as usize)) {
            match ordered.last_mut() {
                Some(last) if last.key() == used.key() => last.merge(used),
                _ => ordered.push(*used),
            }
        }
        Self { entries: ordered }
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
pub(super) mod tests {
    use super::super::Cell;
    use super::*;
    use proptest::prelude::*;

    /// An entry of the quarter hour 9.
    pub(in super::super) fn used() -> impl Strategy<Value = Used> {
        let last_use = prop::option::of((0i64..900_000).prop_map(|after| Quarter(9).start() + after));
        let numbers = (0u64..3, 0u64..3, 0u64..300, prop_oneof![Just(0), any::<u32>().prop_map(u64::from)]);
        (0u32..5, 0u32..6, 0u32..40, numbers, last_use).prop_map(
            |(booking, usage, user, (count, accepted, lines_accepted, lines_changed), last_use)| Used {
                booking,
                usage,
                user,
                count,
                accepted,
                lines_accepted,
                lines_changed,
                last_use,
            },
        )
    }

    fn cell(entries: &[Used]) -> Cell<Uses> {
        let mut cell = Cell::default();
        cell.extend(entries);
        cell
    }

    proptest! {
        #[test]
        fn merging_in_any_order_is_folding_all(entries in prop::collection::vec(used(), 0..200), cut in any::<prop::sample::Index>()) {
            let (left, right) = entries.split_at(cut.index(entries.len() + 1));
            let whole = cell(&entries).into_entries();
            let mut turned = cell(right);
            turned.merge(&cell(left));
            prop_assert_eq!(&turned.into_entries(), &whole);
            let mut sums = UseSums::of(left);
            sums.merge(&UseSums::of(right));
            prop_assert_eq!(sums.entries(), &whole[..]);
            for booking in 0..6 {
                let of_booking: Vec<_> = whole.iter().filter(|used| used.booking == booking).copied().collect();
                prop_assert_eq!(sums.of_booking(booking), &of_booking[..]);
            }
        }

        #[test]
        fn a_cell_reads_back_as_it_was_written(entries in prop::collection::vec(used(), 0..100)) {
            let entries = cell(&entries).into_entries();
            prop_assert_eq!(Uses::decode(Quarter(9), &Uses::encode(Quarter(9), &entries)), Some(entries));
        }

        #[test]
        fn bytes_that_are_no_cell_do_not_panic(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
            let _ = Uses::decode(Quarter(9), &bytes);
        }
    }
}
