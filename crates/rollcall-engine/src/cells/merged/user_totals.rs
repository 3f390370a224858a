//! The merged cell of `top_users`: for each user, meetings and time attended, by app and data residency.

use crate::cells::codec::{MOST_ROWS, Reader, put, put_column, put_signed, unzigzag, zigzag};
use crate::cells::{Keep, Merged, Stay, Stays, meetings};
use rollcall_model::{Millis, Range};

/// Which facts a column sums.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
struct Part {
    app: u16,
    /// A data residency, or [`REPEATS`].
    unit: u8,
}

/// The column of meetings that a user attended in several residencies, counted once for each beyond the first: what the sum over
/// residencies counts too much. Nearly always empty.
const REPEATS: u8 = 15;

/// One user's sums.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct UserSum {
    /// Distinct meetings.
    pub meetings: u64,
    /// Sum of the stays.
    pub stayed: Millis,
}

/// The sums of one part, a row for each user, as columns: a question reads the first three of every row, the others of a few.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Column {
    /// The first join of all the facts summed.
    first: Millis,
    /// The last leave of all the facts summed.
    last: Millis,
    /// Ascending.
    users: Vec<u32>,
    meetings: Vec<u32>,
    stayed: Vec<Millis>,
    latest_join: Vec<Millis>,
    /// The user kind of the latest join.
    kinds: Vec<u8>,
}

#[derive(Debug, Clone, Copy)]
struct Entry {
    user: u32,
    meetings: u32,
    stayed: Millis,
    latest: (Millis, u8),
}

impl Entry {
    /// Adds what another entry says of the same user.
    fn add(&mut self, other: &Self) {
        self.meetings += other.meetings;
        self.stayed += other.stayed;
        self.latest = self.latest.max(other.latest);
    }
}

/// How many times as many numbers there are as entries before these are sorted.
const SPARSE: usize = 16;

impl Column {
    const fn new(first: Millis, last: Millis) -> Self {
        Self { first, last, users: Vec::new(), meetings: Vec::new(), stayed: Vec::new(), latest_join: Vec::new(), kinds: Vec::new() }
    }

    /// The column of entries in any order.
    fn of(first: Millis, last: Millis, entries: impl ExactSizeIterator<Item = Entry> + Clone) -> Self {
        let mut column = Self::new(first, last);
        let places = entries.clone().map(|entry| entry.user as usize + 1).max().unwrap_or(0);
        if places > SPARSE * entries.len() {
            let mut sorted: Vec<Entry> = entries.collect();
            sorted.sort_unstable_by_key(|entry| entry.user);
            sorted.into_iter().for_each(|entry| column.push(entry));
            return column;
        }
        // Where each user's sums are; to look at the places of users who have none costs less than sorting.
        let (mut sums, mut place_of) = (Vec::<Entry>::with_capacity(entries.len()), vec![u32::MAX; places]);
        for entry in entries {
            let Some(place) = place_of.get_mut(entry.user as usize) else { continue };
            match sums.get_mut(*place as usize) {
                Some(sum) => sum.add(&entry),
                None => {
                    *place = sums.len() as u32;
                    sums.push(entry);
                }
            }
        }
        place_of.iter().filter_map(|place| sums.get(*place as usize)).for_each(|entry| column.push(*entry));
        column
    }

    /// Adds an entry of the last user or of one after it.
    fn push(&mut self, entry: Entry) {
        if self.users.last() == Some(&entry.user)
            && let (Some(meetings), Some(stayed), Some(at), Some(kind)) =
                (self.meetings.last_mut(), self.stayed.last_mut(), self.latest_join.last_mut(), self.kinds.last_mut())
        {
            *meetings += entry.meetings;
            *stayed += entry.stayed;
            (*at, *kind) = (*at, *kind).max(entry.latest);
            return;
        }
        self.users.push(entry.user);
        self.meetings.push(entry.meetings);
        self.stayed.push(entry.stayed);
        self.latest_join.push(entry.latest.0);
        self.kinds.push(entry.latest.1);
    }

    fn entries(&self) -> impl Iterator<Item = Entry> {
        let numbers = self.users.iter().zip(&self.meetings).zip(&self.stayed);
        numbers.zip(self.latest_join.iter().zip(&self.kinds)).map(|(((user, meetings), stayed), (at, kind))| Entry {
            user: *user,
            meetings: *meetings,
            stayed: *stayed,
            latest: (*at, *kind),
        })
    }

    fn merge(&self, other: &Self) -> Self {
        let mut merged = Self::new(self.first.min(other.first), self.last.max(other.last));
        let (mut left, mut right) = (self.entries().peekable(), other.entries().peekable());
        while let Some(entry) = match (left.peek(), right.peek()) {
            (Some(a), Some(b)) if b.user < a.user => right.next(),
            (None, _) => right.next(),
            _ => left.next(),
        } {
            merged.push(entry);
        }
        merged
    }
}

/// [`UserSum`] by user, app and data residency.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct UserTotals {
    /// Ascending by part.
    columns: Vec<(Part, Column)>,
}

/// Sums by user number, being added up for an answer.
#[derive(Debug, Default)]
pub struct UserSums {
    sums: Vec<UserSum>,
    /// The first join and the last leave of all the facts counted.
    pub seen: Option<(Millis, Millis)>,
}

impl UserSums {
    /// Adds a cell's facts of an app, or of all, in a data residency, or in any.
    pub fn add(&mut self, cell: &UserTotals, app: Option<u16>, unit: Option<u8>) {
        let wanted = |part: &Part| app.is_none_or(|app| app == part.app) && unit.is_none_or(|unit| unit == part.unit);
        for (part, column) in cell.columns.iter().filter(|(part, _)| wanted(part)) {
            let largest = column.users.last().map_or(0, |user| *user as usize + 1);
            if self.sums.len() < largest {
                self.sums.resize(largest, UserSum { meetings: 0, stayed: 0 });
            }
            let (first, last) = self.seen.unwrap_or((column.first, column.last));
            self.seen = Some((first.min(column.first), last.max(column.last)));
            for ((user, meetings), stayed) in column.users.iter().zip(&column.meetings).zip(&column.stayed) {
                if let Some(sum) = self.sums.get_mut(*user as usize) {
                    let meetings = u64::from(*meetings);
                    sum.meetings =
                        if part.unit == REPEATS { sum.meetings.wrapping_sub(meetings) } else { sum.meetings.wrapping_add(meetings) };
                    sum.stayed += stayed;
                }
            }
        }
    }

    /// Every user who attended a meeting, by number.
    pub fn iter(&self) -> impl Iterator<Item = (u32, UserSum)> {
        (0..).zip(&self.sums).filter(|(_, sum)| sum.meetings > 0).map(|(user, sum)| (user, *sum))
    }
}

impl UserTotals {
    /// The last leave of all the facts summed.
    pub fn last(&self) -> Millis {
        self.columns.iter().map(|(_, column)| column.last).max().unwrap_or(Millis::MIN)
    }

    /// [`UserTotals::latest`] of several cells, of which the one with the latest [`UserTotals::last`] comes first.
    pub fn latest_of<'c>(cells: impl IntoIterator<Item = &'c Self>, user: u32, app: Option<u16>, unit: Option<u8>) -> Option<(Millis, u8)> {
        let mut latest: Option<(Millis, u8)> = None;
        for cell in cells {
            // Nobody joins after the last leave, and in cells that follow it is no later.
            if latest.is_some_and(|(at, _)| at > cell.last()) {
                break;
            }
            latest = latest.max(cell.latest(user, app, unit));
        }
        latest
    }

    /// The latest join of a user in an app, or in any, in a data residency, or in any, and the user kind it had.
    pub fn latest(&self, user: u32, app: Option<u16>, unit: Option<u8>) -> Option<(Millis, u8)> {
        let wanted =
            |part: &Part| part.unit != REPEATS && app.is_none_or(|app| app == part.app) && unit.is_none_or(|unit| unit == part.unit);
        let of_column = |column: &Column| {
            let position = column.users.binary_search(&user).ok()?;
            Some((*column.latest_join.get(position)?, *column.kinds.get(position)?))
        };
        self.columns.iter().filter(|(part, _)| wanted(part)).filter_map(|(_, column)| of_column(column)).max()
    }
}

impl Merged for UserTotals {
    type Base = Stays;

    fn of(stays: &[Stay], range: Range) -> Self {
        let mut entries = Vec::with_capacity(stays.len());
        for user in meetings(stays, range).flat_map(|meeting| meeting.chunk_by(|a, b| a.user == b.user)) {
            for (nth, of_unit) in user.chunk_by(|a, b| a.unit == b.unit).enumerate() {
                let Some(first) = of_unit.first() else { continue };
                let mut span = (first.joined_at, first.left_at);
                let mut entry = Entry { user: first.user, meetings: 1, stayed: 0, latest: (first.joined_at, first.user_kind) };
                for stay in of_unit {
                    span = (span.0.min(stay.joined_at), span.1.max(stay.left_at));
                    entry.latest = entry.latest.max((stay.joined_at, stay.user_kind));
                    entry.stayed += stay.left_at - stay.joined_at;
                }
                entries.push((Part { app: first.app, unit: first.unit }, entry, span));
                if nth > 0 {
                    entries.push((Part { app: first.app, unit: REPEATS }, Entry { stayed: 0, ..entry }, span));
                }
            }
        }
        // Nearly always there is one part.
        if !entries.is_sorted_by_key(|(part, ..)| *part) {
            entries.sort_unstable_by_key(|(part, ..)| *part);
        }
        let mut cell = Self::default();
        for of_part in entries.chunk_by(|(a, ..), (b, ..)| a == b) {
            let Some((part, _, (mut first, mut last))) = of_part.first().copied() else { continue };
            for (_, _, (joined_at, left_at)) in of_part {
                (first, last) = (first.min(*joined_at), last.max(*left_at));
            }
            cell.columns.push((part, Column::of(first, last, of_part.iter().map(|(_, entry, _)| *entry))));
        }
        cell
    }

    fn merge(&mut self, other: &Self) {
        for (part, column) in &other.columns {
            match self.columns.binary_search_by_key(part, |(part, _)| *part) {
                Ok(position) => self.columns.get_mut(position).into_iter().for_each(|(_, sum)| *sum = sum.merge(column)),
                Err(position) => self.columns.insert(position, (*part, column.clone())),
            }
        }
    }
}

impl Keep for UserTotals {
    const KIND: u8 = 2;

    fn encode(&self) -> Option<Vec<u8>> {
        let mut out = Vec::new();
        for (part, column) in &self.columns {
            let entries: Vec<Entry> = column.entries().collect();
            let mut last = 0;
            for entries in entries.chunks(MOST_ROWS) {
                put(&mut out, u64::from(part.app));
                out.push(part.unit);
                put_signed(&mut out, column.first);
                put_signed(&mut out, column.last);
                put(&mut out, entries.len() as u64);
                let mut put_each = |number: &mut dyn FnMut(&Entry) -> u64| {
                    put_column(&mut out, &entries.iter().map(number).collect::<Vec<_>>());
                };
                put_each(&mut |entry| u64::from(entry.user - std::mem::replace(&mut last, entry.user)));
                put_each(&mut |entry| u64::from(entry.meetings));
                put_each(&mut |entry| zigzag(entry.stayed));
                put_each(&mut |entry| zigzag(entry.latest.0 - column.first));
                put_each(&mut |entry| u64::from(entry.latest.1));
            }
        }
        Some(out)
    }

    fn decode(bytes: &[u8]) -> Option<Self> {
        let mut reader = Reader(bytes);
        let mut columns: Vec<(Part, Column)> = Vec::new();
        while !reader.0.is_empty() {
            let app = reader.take_as()?;
            let [unit] = reader.take_bytes()?;
            let (first, last) = (reader.take_signed()?, reader.take_signed()?);
            let rows = reader.take_rows()?;
            let [users, meetings, stayed, latest, kinds] = reader.take_columns(rows)?;
            let part = Part { app, unit };
            if columns.last().is_none_or(|(of, _)| *of != part) {
                columns.push((part, Column::new(first, last)));
            }
            let (_, column) = columns.last_mut()?;
            let mut user = column.users.last().copied().unwrap_or(0);
            let numbers = users.into_iter().zip(meetings).zip(stayed.into_iter().zip(latest).zip(kinds));
            for ((gap, meetings), ((stayed, latest), kind)) in numbers {
                user = user.checked_add(u32::try_from(gap).ok()?)?;
                let latest = (first.checked_add(unzigzag(latest))?, u8::try_from(kind).ok()?);
                column.push(Entry { user, meetings: u32::try_from(meetings).ok()?, stayed: unzigzag(stayed), latest });
            }
        }
        Some(Self { columns })
    }

    fn size(&self) -> usize {
        64 + self.columns.iter().map(|(_, column)| 96 + column.users.len() * 25).sum::<usize>()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cells::Day;
    use rollcall_model::SessionKind;

    const DAY: Day = Day(0);

    fn stay(session: u64, user: u32, unit: u8, joined_at: Millis, stayed: Millis, user_kind: u8) -> Stay {
        let (left_at, session_kind) = (joined_at + stayed, SessionKind::Meeting.number());
        Stay {
            day: DAY,
            started_at: 0,
            session,
            app: 0,
            session_kind,
            user,
            unit,
            joined_at,
            left_at,
            user_kind,
            device: 0,
            place: 0,
            media: 0,
        }
    }

    fn of(stays: &[Stay]) -> UserTotals {
        UserTotals::of(stays, DAY.range())
    }

    #[test]
    fn a_meeting_attended_in_two_residencies_is_one_meeting_and_one_in_each() {
        let cell = of(&[stay(1, 7, 0, 10, 5, 0), stay(1, 7, 1, 20, 6, 1), stay(2, 7, 0, 1, 1, 2)]);
        let cell = UserTotals::decode(&cell.encode().unwrap()).unwrap();
        let sums = |unit| {
            let mut sums = UserSums::default();
            sums.add(&cell, None, unit);
            sums.iter().map(|(user, sum)| (user, sum.meetings, sum.stayed)).collect::<Vec<_>>()
        };
        assert_eq!(sums(None), [(7, 2, 12)]);
        assert_eq!(sums(Some(0)), [(7, 2, 6)]);
        assert_eq!(sums(Some(1)), [(7, 1, 6)]);
        assert_eq!(sums(Some(2)), []);
        assert_eq!(cell.latest(7, None, None), Some((20, 1)));
        assert_eq!(cell.latest(7, None, Some(0)), Some((10, 0)));
    }

    #[test]
    fn a_cell_is_the_same_whether_its_users_numbers_are_close_or_far_apart() {
        let users = [5u32, 3, 9, 3, 5, 5, 0];
        let stays = |far: u32| users.iter().zip(1..).map(move |(user, at)| stay(at as u64, user * far, 0, at, 1, 0)).collect::<Vec<_>>();
        let sums = |far: u32| {
            let mut sums = UserSums::default();
            sums.add(&of(&stays(far)), None, None);
            sums.iter().map(|(user, sum)| (user / far, sum.meetings, sum.stayed)).collect::<Vec<_>>()
        };
        assert_eq!(sums(1), [(0, 1, 1), (3, 2, 2), (5, 3, 3), (9, 1, 1)]);
        assert_eq!(sums(1000), sums(1));
        assert_eq!(of(&stays(1000)).latest(3000, None, None), Some((4, 0)));
    }

    #[test]
    fn the_latest_join_is_found_in_whichever_cell_it_is() {
        // Who joins first may leave last, and kinds differ.
        let all =
            [stay(1, 3, 0, 1, 99, 1), stay(2, 3, 0, 50, 1, 2), stay(3, 3, 0, 50, 2, 3), stay(4, 4, 0, 70, 1, 0), stay(5, 3, 1, 60, 1, 1)];
        let mut cells: Vec<UserTotals> = all.iter().map(|stay| of(std::slice::from_ref(stay))).collect();
        cells.sort_by_key(|cell| std::cmp::Reverse(cell.last()));
        for (user, unit) in [(3, None), (3, Some(0)), (3, Some(1)), (4, None), (4, Some(1)), (5, None)] {
            let naive = all.iter().filter(|stay| stay.user == user && unit.is_none_or(|unit| unit == stay.unit));
            let naive = naive.map(|stay| (stay.joined_at, stay.user_kind)).max();
            assert_eq!(UserTotals::latest_of(&cells, user, None, unit), naive, "{user} {unit:?}");
        }
    }

    #[test]
    fn a_merged_cell_is_the_cell_of_all() {
        let all = [stay(1, 3, 0, 1, 1, 0), stay(1, 9, 0, 1, 2, 0), stay(2, 3, 0, 5, 1, 3), stay(3, 4, 1, 5, 1, 3)];
        let mut left = of(&all[..2]);
        let mut right = of(&all[2..]);
        let turned = right.clone();
        right.merge(&left);
        left.merge(&turned);
        assert_eq!(left, of(&all));
        assert_eq!(right, of(&all));
        assert_eq!(UserTotals::decode(&left.encode().unwrap()), Some(left));
    }
}
