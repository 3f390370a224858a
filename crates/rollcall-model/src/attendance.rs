//! The attendance fact: a user was in a session from `joined_at` to `left_at`, on a device, from a place.

use crate::calendar::{DAY_MILLIS, Millis};
use crate::fact::{Device, Media, SessionKind, UserKind};
use crate::identity::FactId;
use crate::place::Place;
use std::borrow::Cow;

/// The longest stay, and how long a session may have run before somebody joins.
pub const LONGEST_STAY: Millis = 7 * DAY_MILLIS;

/// How long before its session began somebody may have joined.
pub const EARLY_JOIN: Millis = DAY_MILLIS;

crate::fields::fields! {
    /// A field of an attendance. What each means is said at [`Attendance`].
    Field of "an attendance":
    Id "id", App "app", SessionId "session_id", SessionKind "session_kind", SessionStartedAt "session_started_at", UserId "user_id",
    UserKind "user_kind", Device "device", Media "media", JoinedAt "joined_at", LeftAt "left_at", Country "country",
    Subdivision "subdivision", Ip "ip", Unit "unit",
}

/// A valid attendance with every default filled in.
#[derive(Debug, Clone, PartialEq)]
pub struct Attendance<'a> {
    /// What makes the fact one and the same when it is sent again.
    pub id: FactId,
    /// The id as the source gave it; none where the default stands.
    pub given_id: Option<Cow<'a, str>>,
    /// A hash of everything else that the source gave: with a known id, another hash is a conflict.
    pub content: u32,
    /// The app, by its position in [`crate::Organization::apps`].
    pub app: u16,
    /// The session, together with the app and the time it began.
    pub session_id: Cow<'a, str>,
    /// What the session is.
    pub session_kind: SessionKind,
    /// When the session began.
    pub session_started_at: Millis,
    /// The id that the source uses for the user.
    pub user_id: Cow<'a, str>,
    /// What the user is.
    pub user_kind: UserKind,
    /// What they attended on.
    pub device: Device,
    /// What they used.
    pub media: Media,
    /// When they joined.
    pub joined_at: Millis,
    /// When they left, at or after `joined_at`.
    pub left_at: Millis,
    /// Where they were.
    pub place: Option<Place>,
    /// The data residency, 0..=3.
    pub unit: u8,
}
