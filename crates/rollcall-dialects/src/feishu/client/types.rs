//! What the client returns: either encoding of the wire, and either naming, read into one.

use crate::feishu::wire;
use jiff::Timestamp;

/// The meetings of a range, by day.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MeetingReport {
    /// Meetings.
    pub meeting_count: i64,
    /// Their duration in seconds.
    pub meeting_duration: i64,
    /// Their participants.
    pub participant_count: i64,
    /// A row for each day; none if the server sends totals only.
    pub daily_report: Vec<Day>,
}

/// The meetings of a day.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Day {
    /// The day's first instant.
    pub date: Timestamp,
    /// Meetings.
    pub meeting_count: i64,
    /// Their duration in seconds.
    pub meeting_duration: i64,
    /// Their participants.
    pub participant_count: i64,
}

/// A user, and what they attended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TopUser {
    /// The id, of the type asked for.
    pub id: String,
    /// The name, where the server sends one.
    pub name: Option<String>,
    /// What the user is, where the server says: 1 member, 2 room, 3 document user, 4 and 5 neo user and guest, 6 and 7 telephone.
    pub user_type: Option<i64>,
    /// Meetings.
    pub meeting_count: i64,
    /// Time attended in whole minutes.
    pub meeting_duration: i64,
}

/// What an answer lacks.
type Missing = &'static str;

impl TryFrom<wire::MeetingReport> for MeetingReport {
    type Error = Missing;

    fn try_from(read: wire::MeetingReport) -> Result<Self, Missing> {
        let either = |live: Option<wire::Number>, seed: Option<wire::Number>, name| live.or(seed).map(|number| number.value).ok_or(name);
        Ok(Self {
            meeting_count: either(read.total_meeting_count, read.meeting_count, "total_meeting_count is missing")?,
            meeting_duration: either(read.total_meeting_duration, read.meeting_duration, "total_meeting_duration is missing")?,
            participant_count: either(read.total_participant_count, read.participant_count, "total_participant_count is missing")?,
            daily_report: read.daily_report.unwrap_or_default().into_iter().map(TryInto::try_into).collect::<Result<_, _>>()?,
        })
    }
}

impl TryFrom<wire::DailyRow> for Day {
    type Error = Missing;

    fn try_from(read: wire::DailyRow) -> Result<Self, Missing> {
        Ok(Self {
            date: Timestamp::from_second(read.date.value).map_err(|_| "date is out of range")?,
            meeting_count: read.meeting_count.value,
            meeting_duration: read.meeting_duration.value,
            participant_count: read.participant_count.value,
        })
    }
}

impl TryFrom<wire::TopUserRow> for TopUser {
    type Error = Missing;

    fn try_from(read: wire::TopUserRow) -> Result<Self, Missing> {
        Ok(Self {
            id: read.id.or(read.user_id).ok_or("id is missing")?,
            name: read.name,
            user_type: read.user_type,
            meeting_count: read.meeting_count.value,
            meeting_duration: read.meeting_duration.value,
        })
    }
}
