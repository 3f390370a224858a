//! The merged cell of `users_by_place`: who attended from where.

use super::user_sets::{Group, UserSets};
use crate::cells::{Keep, Stay};
use rollcall_model::Place;
use std::sync::Arc;

/// Who was where.
pub type PlacedUsers = UserSets<Placed>;

/// The users of a range that was asked for, as one: in memory alone, since nobody knows whether it is asked for again.
#[derive(Debug, Clone, Default)]
pub struct RangeUsers(pub Arc<PlacedUsers>);

impl Keep for RangeUsers {
    const KIND: u8 = 7;

    fn size(&self) -> usize {
        self.0.size()
    }
}

/// App and place, as one number.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Placed(u64);

/// How many bits the number of a place has.
const PLACE_BITS: u32 = 40;

impl Placed {
    /// The app's number.
    pub const fn app(self) -> u16 {
        (self.0 >> PLACE_BITS) as u16
    }

    /// The place, as the fact has it.
    pub const fn place(self) -> Option<Place> {
        Place::from_number(self.0 & ((1 << PLACE_BITS) - 1))
    }
}

impl Group for Placed {
    const KIND: u8 = 4;

    fn of(stay: &Stay) -> Self {
        Self(u64::from(stay.app) << PLACE_BITS | stay.place)
    }

    fn number(self) -> u64 {
        self.0
    }

    fn from_number(number: u64) -> Option<Self> {
        Some(Self(number))
    }
}
