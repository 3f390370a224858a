//! The base cell of presence: who attended anything during a quarter hour.

use super::codec::{Reader, put};
use super::store::{Cells, Live, LiveCells};
use super::{Base, View};
use crate::error::EngineError;
use crate::ledger::Wanted;
use crate::ledger::columns::{AttendanceBlock, AttendanceRow};
use fjall::Keyspace;
use rollcall_model::attendance::{EARLY_JOIN, LONGEST_STAY};
use rollcall_model::{Device, Quarter, Range, SessionKind, UserKind};

/// The base cell of presence: its entries are ascending by group, then user.
#[derive(Debug)]
pub struct Presence;

/// A user who was present, and in what group.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Present {
    /// What they were, and how they attended.
    pub group: Group,
    /// Their number.
    pub user: u32,
}

/// App, kind of session, kind of user and device, as one number: what presence can be filtered by.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Group(pub(super) u32);

impl Group {
    fn of(row: &AttendanceRow<'_>) -> Self {
        Self(u32::from(row.app) << 8 | u32::from(row.session_kind) << 6 | u32::from(row.user_kind) << 4 | u32::from(row.device))
    }

    /// The app's number.
    pub const fn app(self) -> u16 {
        (self.0 >> 8) as u16
    }

    /// The kind of session.
    pub const fn session_kind(self) -> Option<SessionKind> {
        SessionKind::from_number((self.0 >> 6) as u8 & 3)
    }

    /// The kind of user.
    pub const fn user_kind(self) -> Option<UserKind> {
        UserKind::from_number((self.0 >> 4) as u8 & 3)
    }

    /// The device.
    pub const fn device(self) -> Option<Device> {
        Device::from_number(self.0 as u8 & 15)
    }
}

impl Base for Presence {
    type Block = AttendanceBlock;
    type Entry = Present;

    fn fold(block: &AttendanceBlock, add: &mut dyn FnMut(Quarter, Present)) {
        for row in block.rows() {
            let stay = row.stay();
            for quarter in Quarter::of(stay.from).0..=Quarter::of(stay.to - 1).0 {
                add(Quarter(quarter), Present { group: Group::of(&row), user: row.user });
            }
        }
    }

    fn order(entries: &mut Vec<Present>) {
        entries.sort_unstable();
        entries.dedup();
    }

    fn encode(_: Quarter, entries: &[Present]) -> Vec<u8> {
        let mut out = Vec::with_capacity(entries.len() * 3 + 16);
        for of_group in entries.chunk_by(|a, b| a.group == b.group) {
            let Some(first) = of_group.first() else { continue };
            put(&mut out, u64::from(first.group.0));
            put(&mut out, of_group.len() as u64);
            let mut user = 0;
            for present in of_group {
                put(&mut out, u64::from(present.user - user));
                user = present.user;
            }
        }
        out
    }

    fn decode(_: Quarter, bytes: &[u8]) -> Option<Vec<Present>> {
        let mut reader = Reader(bytes);
        let mut entries = Vec::with_capacity(bytes.len() / 2);
        while !reader.0.is_empty() {
            let group = Group(reader.take_as()?);
            let mut user = 0u32;
            for _ in 0..reader.take_count()? {
                user = user.checked_add(reader.take_as()?)?;
                entries.push(Present { group, user });
            }
        }
        Some(entries)
    }

    /// The cell does not know when in the quarter hour a user was there: the facts are asked.
    fn edge(view: &View<'_, Self>, range: Range) -> Result<Vec<Present>, EngineError> {
        let mut entries = Vec::new();
        // A session begins at most this long before somebody leaves it, and this long after somebody joins.
        let sessions = Range::new(range.from - 2 * LONGEST_STAY, range.to + EARLY_JOIN + 1);
        for block in view.facts(Wanted { times: sessions, reach: range }) {
            let block = block?;
            let present = block.rows().filter(|row| !row.stay().intersect(&range).is_empty());
            entries.extend(present.map(|row| Present { group: Group::of(&row), user: row.user }));
        }
        Self::order(&mut entries);
        Ok(entries)
    }

    fn keyspace(cells: &Cells) -> &Keyspace {
        &cells.presence
    }

    fn live(live: &Live) -> &LiveCells<Self> {
        &live.presence
    }

    fn live_mut(live: &mut Live) -> &mut LiveCells<Self> {
        &mut live.presence
    }
}
