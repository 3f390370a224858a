//! Rows of reports, rendered in the vendor's words and units. Durations are rounded down once per published number.

use super::errors::Refusal;
use super::wire::{DailyData, DailyRow, Envelope, MeetingReport, Number, TopUserData, TopUserRow, UserIdType, code};
use rollcall_model::UserKind;
use rollcall_model::reports::{MeetingDay, TopUser};

const SECOND: i64 = 1000;
const MINUTE: i64 = 60 * SECOND;

/// The answer of `get_daily`: durations in seconds, totals the sums of the rows as published.
pub(super) fn daily(rows: &[MeetingDay], quoted: bool) -> Envelope<DailyData> {
    let number = |value| Number { value, quoted };
    let rows: Vec<DailyRow> = rows
        .iter()
        .map(|row| DailyRow {
            date: number(row.period.from.div_euclid(SECOND)),
            meeting_count: number(signed(row.meetings)),
            meeting_duration: number(row.duration.div_euclid(SECOND)),
            participant_count: number(signed(row.participants)),
        })
        .collect();
    let total = |of: fn(&DailyRow) -> Number| rows.iter().fold(0i64, |sum, row| sum.saturating_add(of(row).value));
    let meetings = total(|row| row.meeting_count);
    let duration = total(|row| row.meeting_duration);
    let participants = total(|row| row.participant_count);
    // The seed's three are numbers whatever the setting: the live API does not have them.
    let seeds = |value| Some(Number { value, quoted: false });
    success(DailyData {
        meeting_report: MeetingReport {
            total_meeting_count: Some(number(meetings)),
            total_meeting_duration: Some(number(duration)),
            total_participant_count: Some(number(participants)),
            daily_report: Some(rows),
            meeting_count: seeds(meetings),
            meeting_duration: seeds(duration),
            participant_count: seeds(participants),
        },
    })
}

/// The answer of `get_top_user`: durations in whole minutes.
pub(super) fn top_user(rows: Vec<TopUser>, id_type: UserIdType, quoted: bool) -> Result<Envelope<TopUserData>, Refusal> {
    let number = |value| Number { value, quoted };
    let rows = rows
        .into_iter()
        .map(|row| {
            let (meetings, duration, user_type, name) = (row.meetings, row.duration, user_type(row.kind), row.name.clone());
            let id = id_of(row, id_type)?;
            Ok(TopUserRow {
                id: Some(id.clone()),
                user_id: Some(id),
                name: Some(name),
                user_type: Some(user_type),
                meeting_count: number(signed(meetings)),
                meeting_duration: number(duration.div_euclid(MINUTE)),
            })
        })
        .collect::<Result<_, Refusal>>()?;
    Ok(success(TopUserData { top_user_report: Some(rows) }))
}

/// The id of the type asked for, else the one that the facts carry, so that nobody drops out; but a room without a `user_id` is refused, as
/// the vendor does.
fn id_of(row: TopUser, id_type: UserIdType) -> Result<String, Refusal> {
    match id_type {
        UserIdType::OpenId => Ok(row.open_id.unwrap_or(row.id)),
        UserIdType::UnionId => Ok(row.union_id.unwrap_or(row.id)),
        UserIdType::UserId => match row.user_id {
            Some(id) => Ok(id),
            None if row.kind == UserKind::Room => Err(Refusal::NoUserId { room: row.id }),
            None => Ok(row.id),
        },
    }
}

const fn user_type(kind: UserKind) -> i64 {
    match kind {
        UserKind::Member => 1,
        UserKind::Room => 2,
        UserKind::Guest => 5,
        UserKind::Phone => 6,
    }
}

fn success<T>(data: T) -> Envelope<T> {
    Envelope { code: code::SUCCESS, msg: "success".into(), data: Some(data), error: None }
}

fn signed(count: u64) -> i64 {
    i64::try_from(count).unwrap_or(i64::MAX)
}
