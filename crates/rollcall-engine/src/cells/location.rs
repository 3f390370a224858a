//! The base cell of location: who attended from where during an hour. `users_by_place` asks it.
//!
//! It stands at hours, not at quarter hours: a range has two edges at most, which are read from facts, and hours take less than half.

use super::presence::{met, stays_in};
use super::store::{Cells, Live, LiveCells};
use super::user_sets::{Group, InGroup, UserSets};
use super::{Base, Keep, View};
use crate::error::EngineError;
use crate::ledger::columns::{AttendanceBlock, AttendanceRow};
use fjall::Keyspace;
use rollcall_model::{Place, Quarter, Range};
use std::cmp::Ordering;
use std::sync::Arc;

/// The base cell of location.
#[derive(Debug)]
pub struct Location;

/// The merged cell of location.
pub type LocatedUsers = UserSets<Located>;

/// The users of a range that was asked for, as one: in memory alone, since nobody knows whether it is asked for again.
#[derive(Debug, Clone, Default)]
pub struct RangeUsers(pub Arc<LocatedUsers>);

impl Keep for RangeUsers {
    const KIND: u8 = 7;

    fn size(&self) -> usize {
        self.0.size()
    }
}

/// App and place, as one number.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Located(u64);

/// How many bits the number of a place has.
const PLACE_BITS: u32 = 40;

impl Located {
    pub(super) fn of(row: &AttendanceRow<'_>) -> Self {
        Self(u64::from(row.app) << PLACE_BITS | row.place)
    }

    /// The app's number.
    pub const fn app(self) -> u16 {
        (self.0 >> PLACE_BITS) as u16
    }

    /// The place, as the fact has it.
    pub const fn place(self) -> Option<Place> {
        Place::from_number(self.0 & ((1 << PLACE_BITS) - 1))
    }
}

impl Group for Located {
    type Base = Location;
    const KIND: u8 = 4;

    fn number(self) -> u64 {
        self.0
    }

    fn from_number(number: u64) -> Option<Self> {
        Some(Self(number))
    }
}

impl Base for Location {
    type Block = AttendanceBlock;
    type Entry = InGroup<Located>;
    const NAME: &'static str = "location";
    const QUARTERS: i32 = 4;
    const KINDS: &'static [u8] = &[Located::KIND, RangeUsers::KIND];

    fn fold(block: &AttendanceBlock, add: &mut dyn FnMut(Quarter, Self::Entry)) {
        for row in block.rows() {
            for hour in met(row.stay(), Self::QUARTERS) {
                add(hour, InGroup { group: Located::of(&row), user: row.user });
            }
        }
    }

    fn order(entries: &mut Vec<Self::Entry>) {
        InGroup::order(entries);
    }

    fn compare(a: &Self::Entry, b: &Self::Entry) -> Ordering {
        a.cmp(b)
    }

    fn encode(_: Quarter, entries: &[Self::Entry]) -> Vec<u8> {
        InGroup::encode(entries)
    }

    fn decode(_: Quarter, bytes: &[u8]) -> Option<Vec<Self::Entry>> {
        InGroup::decode(bytes)
    }

    fn edge(view: &View<'_, Self>, range: Range) -> Result<Vec<Self::Entry>, EngineError> {
        const COLUMNS: &[&str] = &["app", "country", "subdivision", "user_id", "joined_at", "left_at"];
        stays_in(view, range, COLUMNS, Located::of)
    }

    fn keyspace(cells: &Cells) -> &Keyspace {
        &cells.location
    }

    fn live(live: &Live) -> &LiveCells<Self> {
        &live.location
    }

    fn live_mut(live: &mut Live) -> &mut LiveCells<Self> {
        &mut live.location
    }
}
