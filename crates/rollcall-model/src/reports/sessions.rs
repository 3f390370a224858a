//! `sessions`: which sessions there were; `session`: who was in one.

use super::stays::InDepartment;
use crate::calendar::{Millis, Range};
use crate::fact::{Device, Media, SessionKind, UserKind};
use crate::place::Place;
use jiff::tz::TimeZone;

/// The question: the sessions that started in a range.
#[derive(Debug, Clone, PartialEq)]
pub struct Sessions {
    /// Sessions that started in this range, each whole.
    pub range: Range,
    /// The zone that the answer names; it does not change the rows.
    pub zone: TimeZone,
    /// Only those in this app.
    pub app: Option<String>,
    /// Only those of these kinds.
    pub kinds: Option<Vec<SessionKind>>,
    /// Only those with a stay of this user. The numbers stay the whole session's.
    pub user: Option<String>,
    /// Only those with a stay of a user in a department, on a day of that stay. The numbers stay the whole session's.
    pub department: Option<InDepartment>,
    /// Only those that come after this one.
    pub after: Option<SessionKey>,
    /// How many rows at most.
    pub limit: usize,
}

/// What tells a session from others, in the order of the rows: the start, the app, the id's bytes.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct SessionKey {
    /// When it started.
    pub started_at: Millis,
    /// The app.
    pub app: String,
    /// The id of the source.
    pub session_id: String,
}

/// One session.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SessionRow {
    /// Which it is.
    pub key: SessionKey,
    /// What it is. Sessions that differ in this alone are two rows, in the order of [`SessionKind::number`].
    pub kind: SessionKind,
    /// The first join.
    pub first_join: Millis,
    /// The last leave.
    pub last_leave: Millis,
    /// Distinct users.
    pub users: u64,
    /// Stays: attendances.
    pub stays: u64,
    /// The sum of the stays, in milliseconds.
    pub time: Millis,
}

/// The question: each stay in one session.
#[derive(Debug, Clone, PartialEq)]
pub struct Session {
    /// Which.
    pub key: SessionKey,
    /// The zone that the answer names.
    pub zone: TimeZone,
    /// How many rows are passed over.
    pub skip: usize,
    /// How many rows at most.
    pub limit: usize,
}

/// One stay, in the order of `joined_at`, `left_at`, the user's bytes.
#[derive(Debug, Clone, PartialEq)]
pub struct StayRow {
    /// The user's id, as facts carry it.
    pub user: String,
    /// The directory's newest; the id for a user it does not know.
    pub name: String,
    /// What the user is, as of the fact.
    pub user_kind: UserKind,
    /// What the session is.
    pub session_kind: SessionKind,
    /// What they attended on.
    pub device: Device,
    /// What they used.
    pub media: Media,
    /// When they joined.
    pub joined_at: Millis,
    /// When they left.
    pub left_at: Millis,
    /// Where they were.
    pub place: Option<Place>,
    /// The data residency.
    pub unit: u8,
}
