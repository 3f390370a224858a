//! `top_users`: users by meetings attended or by time attended.

use crate::calendar::{Millis, Range};
use crate::fact::UserKind;
use jiff::tz::TimeZone;

/// The question: who attended most, of the meetings started in a range.
#[derive(Debug, Clone, PartialEq)]
pub struct TopUsers {
    /// Meetings that started in this range count, whole.
    pub range: Range,
    /// The zone that the answer names; it does not change the rows.
    pub zone: TimeZone,
    /// The measure that orders the rows.
    pub order: UserOrder,
    /// How many rows at most.
    pub limit: usize,
    /// Only this app; none: all.
    pub app: Option<String>,
    /// Only facts of this data residency; none: all.
    pub unit: Option<u8>,
    /// Only users of these kinds, as rows show them ([`TopUser::kind`]); none: all.
    pub kinds: Option<Vec<UserKind>>,
}

/// The measure that orders top users, descending; the other measure, descending, breaks ties, then the id, ascending by bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum UserOrder {
    /// By distinct meetings.
    Meetings,
    /// By time attended, in exact milliseconds.
    Duration,
}

/// One user of the answer. The ids and the name are the directory's newest.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TopUser {
    /// The id that the facts carry.
    pub id: String,
    /// From the directory.
    pub open_id: Option<String>,
    /// From the directory.
    pub union_id: Option<String>,
    /// From the directory.
    pub user_id: Option<String>,
    /// From the directory; the id for a user it does not know.
    pub name: String,
    /// The directory's, else that of the user's latest `joined_at` in the answer.
    pub kind: UserKind,
    /// Distinct meetings attended.
    pub meetings: u64,
    /// Sum of the user's stays in those meetings, in milliseconds; overlapping stays both count.
    pub duration: Millis,
}
