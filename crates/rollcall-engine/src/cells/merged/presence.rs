//! The merged cells of `active_users`: who attended anything, by what presence can be filtered by.

use super::user_sets::{Group, UserSets};
use crate::cells::Stay;
use rollcall_model::{Device, Media, SessionKind, UserKind};

/// Who was present.
pub type PresentUsers = UserSets<Attended>;

/// Who was present with which media: what is asked seldom, and has more groups.
pub type MediaUsers = UserSets<AttendedWith>;

/// App, kind of session, kind of user and device, as one number: what presence can be filtered by.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Attended(pub(super) u32);

impl Attended {
    const fn app(self) -> u16 {
        (self.0 >> 8) as u16
    }

    const fn session_kind(self) -> Option<SessionKind> {
        SessionKind::from_number((self.0 >> 6) as u8 & 3)
    }

    const fn user_kind(self) -> Option<UserKind> {
        UserKind::from_number((self.0 >> 4) as u8 & 3)
    }

    const fn device(self) -> Option<Device> {
        Device::from_number(self.0 as u8 & 15)
    }
}

impl Group for Attended {
    const KIND: u8 = 3;

    fn of(stay: &Stay) -> Self {
        let session = u32::from(stay.app) << 8 | u32::from(stay.session_kind) << 6;
        Self(session | u32::from(stay.user_kind) << 4 | u32::from(stay.device))
    }

    fn number(self) -> u64 {
        self.0.into()
    }

    fn from_number(number: u64) -> Option<Self> {
        number.try_into().ok().map(Self)
    }
}

/// What presence can be filtered by, and the media used, as one number.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct AttendedWith(u32);

/// How many bits a set of media has.
const MEDIA_BITS: u32 = 5;

impl AttendedWith {
    const fn attended(self) -> Attended {
        Attended(self.0 >> MEDIA_BITS)
    }

    const fn media(self) -> Media {
        Media::from_bits(self.0 as u8 & ((1 << MEDIA_BITS) - 1))
    }
}

impl Group for AttendedWith {
    const KIND: u8 = 9;

    fn of(stay: &Stay) -> Self {
        Self(Attended::of(stay).0 << MEDIA_BITS | u32::from(stay.media))
    }

    fn number(self) -> u64 {
        self.0.into()
    }

    fn from_number(number: u64) -> Option<Self> {
        number.try_into().ok().map(Self)
    }
}

/// A group of [`PresentUsers`], [`MediaUsers`], of which a question counts some.
pub trait Presence: Group {
    /// Whether a question counts users of this group.
    fn is_taken(self, filter: &PresentFilter) -> bool;

    /// What was used, as far as the group tells.
    fn used(self) -> (Option<Device>, Option<Media>);
}

impl Presence for Attended {
    fn is_taken(self, filter: &PresentFilter) -> bool {
        filter.takes(self)
    }

    fn used(self) -> (Option<Device>, Option<Media>) {
        (self.device(), None)
    }
}

impl Presence for AttendedWith {
    fn is_taken(self, filter: &PresentFilter) -> bool {
        filter.takes(self.attended()) && filter.media.is_none_or(|media| media.bits() & self.media().bits() != 0)
    }

    fn used(self) -> (Option<Device>, Option<Media>) {
        (self.attended().device(), Some(self.media()))
    }
}

/// Which groups a question counts; none: all.
#[derive(Debug, Clone, Default)]
pub struct PresentFilter {
    /// The app's number.
    pub app: Option<u16>,
    /// Kinds of session.
    pub session_kinds: Option<Vec<SessionKind>>,
    /// Kinds of user.
    pub user_kinds: Option<Vec<UserKind>>,
    /// Devices.
    pub devices: Option<Vec<Device>>,
    /// One of these was used.
    pub media: Option<Media>,
}

impl PresentFilter {
    /// Whether users of this group count.
    pub fn takes(&self, group: Attended) -> bool {
        fn among<T: PartialEq>(wanted: Option<&Vec<T>>, found: Option<T>) -> bool {
            wanted.is_none_or(|wanted| found.is_some_and(|found| wanted.contains(&found)))
        }
        self.app.is_none_or(|app| app == group.app())
            && among(self.session_kinds.as_ref(), group.session_kind())
            && among(self.user_kinds.as_ref(), group.user_kind())
            && among(self.devices.as_ref(), group.device())
    }

    /// Whether a stay counts.
    pub fn takes_stay(&self, stay: &Stay) -> bool {
        AttendedWith::of(stay).is_taken(self)
    }
}
