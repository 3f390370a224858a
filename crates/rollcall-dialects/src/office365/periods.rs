//! Which rows a set has, and what they say (wire, Periods and Fields).

use super::wire::Set;
use jiff::civil::{Date, DateTime, Time, Weekday, date};
use jiff::tz::TimeZone;
use jiff::{SignedDuration, ToSpan};
use rollcall_model::calendar::EARLIEST;
use rollcall_model::reports::{ActiveUsers, ActiveUsersRow, Grouping, StayFilter};
use rollcall_model::{Calendar, Device, Millis, Period, Range, UserKind};

/// A row of a set. The organization's id and name, the same in each, stand beside the rows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Row {
    /// `Date`: a wall clock of the request's zone.
    pub(super) date: DateTime,
    /// `ActiveUsers`.
    pub(super) active_users: i64,
    /// `ID`.
    pub(super) id: i64,
}

/// The question whose answer has the rows of a set: members, on computers, in sessions of any kind. `months` is [`Settings::history_months`].
///
/// [`Settings::history_months`]: super::Settings::history_months
pub(super) fn question(set: Set, zone: TimeZone, months: u32, now: Millis) -> ActiveUsers {
    let calendar = Calendar::new(zone);
    let today = calendar.date_of(now);
    let period = set.period();
    let from = match months {
        0 => EARLIEST,
        months => {
            // The period that holds this midnight is the first that ends after it; it counts whole.
            let oldest = calendar.start_of(today.saturating_sub(i64::from(months.min(MOST_MONTHS)).months()));
            calendar.start_of(calendar.first_of(period, calendar.date_of(oldest))).max(EARLIEST)
        }
    };
    let to = match set {
        Set::Daily => calendar.start_of(today),
        // The running period is the last row.
        _ => calendar.start_of(calendar.next_after(period, calendar.first_of(period, today))),
    };
    ActiveUsers {
        range: Range::new(from, to),
        zone: calendar.zone,
        week_start: Weekday::Sunday,
        by: Grouping::Period(period),
        of: StayFilter {
            user_kinds: Some(vec![UserKind::Member]),
            devices: Some(vec![Device::Desktop, Device::Web]),
            ..StayFilter::default()
        },
    }
}

/// Further back than any fact; spans of jiff have an end.
const MOST_MONTHS: u32 = 12 * 1000;

/// The rows of the answer, ascending by `Date`, which is the start of the period or its end. A period without activity has none.
pub(super) fn rows(set: Set, date_is_start: bool, answer: &[ActiveUsersRow]) -> Vec<Row> {
    let active = answer.iter().filter(|row| row.users > 0);
    active
        .map(|row| Row {
            date: dated(set.period(), row.date, date_is_start),
            active_users: i64::try_from(row.users).unwrap_or(i64::MAX),
            id: ordinal(set.period(), row.date),
        })
        .collect()
}

/// `Date` of the period that begins with `first`.
fn dated(period: Period, first: Date, start: bool) -> DateTime {
    let day = if start { first } else { Calendar::new(TimeZone::UTC).next_after(period, first) };
    day.to_datetime(Time::midnight())
}

/// The ordinal of the period that begins with `first`, since 1970-01-01.
fn ordinal(period: Period, first: Date) -> i64 {
    let days = first.duration_since(date(1970, 1, 1)).as_secs() / SignedDuration::from_hours(24).as_secs();
    match period {
        Period::Day => days,
        Period::Week => (days + 4).div_euclid(7),
        Period::Month => (i64::from(first.year()) - 1970) * 12 + i64::from(first.month()) - 1,
        // No set has quarters.
        Period::Quarter | Period::Year => i64::from(first.year()) - 1970,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::office365::wire::date_text;

    fn millis(date: DateTime) -> i64 {
        date.to_zoned(TimeZone::UTC).unwrap().timestamp().as_millisecond()
    }

    #[test]
    fn dates_and_ordinals_are_those_of_the_golden_vectors() {
        for (period, first, end, end_millis, start_millis, id) in [
            (Period::Day, date(2013, 5, 13), "2013-05-14T00:00:00", 1_368_489_600_000, 1_368_403_200_000, 15838),
            (Period::Week, date(2013, 5, 5), "2013-05-12T00:00:00", 1_368_316_800_000, 1_367_712_000_000, 2262),
            (Period::Month, date(2013, 5, 1), "2013-06-01T00:00:00", 1_370_044_800_000, 1_367_366_400_000, 520),
            (Period::Year, date(2013, 1, 1), "2014-01-01T00:00:00", 1_388_534_400_000, 1_356_998_400_000, 43),
        ] {
            assert_eq!(date_text(dated(period, first, false)), end);
            assert_eq!(millis(dated(period, first, false)), end_millis);
            assert_eq!(millis(dated(period, first, true)), start_millis);
            assert_eq!(ordinal(period, first), id);
        }
        assert_eq!(ordinal(Period::Week, date(1969, 12, 28)), 0);
        assert_eq!(ordinal(Period::Day, date(1969, 12, 31)), -1);
    }

    fn asked(set: Set, months: u32, now: &str) -> (String, String) {
        let now = now.parse::<jiff::Timestamp>().unwrap().as_millisecond();
        let range = question(set, TimeZone::get("Asia/Shanghai").unwrap(), months, now).range;
        (rollcall_model::calendar::rfc3339(range.from), rollcall_model::calendar::rfc3339(range.to))
    }

    #[test]
    fn rows_reach_from_a_year_ago_to_yesterday_or_the_running_period() {
        // In Shanghai it is Monday 2013-05-20 already.
        let now = "2013-05-19T17:00:00Z";
        let told = |from: &str, to: &str| (from.to_owned(), to.to_owned());
        assert_eq!(asked(Set::Daily, 12, now), told("2012-05-19T16:00:00Z", "2013-05-19T16:00:00Z"));
        assert_eq!(asked(Set::Weekly, 12, now), told("2012-05-19T16:00:00Z", "2013-05-25T16:00:00Z"));
        assert_eq!(asked(Set::Monthly, 12, now), told("2012-04-30T16:00:00Z", "2013-05-31T16:00:00Z"));
        assert_eq!(asked(Set::Yearly, 12, now), told("2011-12-31T16:00:00Z", "2013-12-31T16:00:00Z"));
        assert_eq!(asked(Set::Daily, 0, now).0, "1972-01-01T00:00:00Z");
        assert_eq!(asked(Set::Yearly, u32::MAX, now).0, "1972-01-01T00:00:00Z");
    }
}
