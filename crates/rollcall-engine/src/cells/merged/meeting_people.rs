//! The merged cell of the people of meetings: who was in one that began in the slice, by app and data residency.

use super::user_sets::{Group, UserSets};
use crate::cells::Stay;
use rollcall_model::{Range, SessionKind};

/// Who was in a meeting.
pub type MeetingPeople = UserSets<Met>;

/// App and data residency, as one number.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Met(u32);

impl Met {
    /// The app's number.
    pub const fn app(self) -> u16 {
        (self.0 >> 8) as u16
    }

    /// The data residency.
    pub const fn unit(self) -> u8 {
        self.0 as u8
    }
}

impl Group for Met {
    const KIND: u8 = 8;

    fn of(stay: &Stay) -> Self {
        Self(u32::from(stay.app) << 8 | u32::from(stay.unit))
    }

    /// A meeting lies where it began, whole.
    fn counts(stay: &Stay, range: Range) -> bool {
        stay.session_kind == SessionKind::Meeting.number() && stay.is_of_session() && range.contains(stay.started_at)
    }

    fn number(self) -> u64 {
        self.0.into()
    }

    fn from_number(number: u64) -> Option<Self> {
        number.try_into().ok().map(Self)
    }
}
