//! Instants, half-open ranges, quarter hours of UTC, and the periods of any time zone.
//!
//! A day is the set of instants that a zone's clocks call by one date. It has 23, 24, 24.5 or 25 hours, and none at all
//! where a zone skipped it (Pacific/Apia, 2011-12-30): such a day has no slice here, and so no row in any report.

use jiff::civil::{Date, Weekday, date};
use jiff::tz::{AmbiguousOffset, TimeZone};
use jiff::{Timestamp, ToSpan};
use serde::{Deserialize, Serialize};

/// An instant: milliseconds since 1970-01-01T00:00:00Z, leap seconds not counted.
pub type Millis = i64;

/// The length of a [`Quarter`], in milliseconds.
pub const QUARTER_MILLIS: Millis = 15 * 60 * 1000;

/// The length of an hour, in milliseconds.
pub const HOUR_MILLIS: Millis = 60 * 60 * 1000;

/// The length of a UTC day, in milliseconds.
pub const DAY_MILLIS: Millis = 24 * 60 * 60 * 1000;

/// 1972-01-01T00:00:00Z: no fact and no range begins earlier.
pub const EARLIEST: Millis = 63_072_000_000;

/// 2200-01-01T00:00:00Z: every fact and every range ends before or at this.
pub const LATEST: Millis = 7_258_118_400_000;

/// A half-open interval of instants, `[from, to)`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Range {
    /// The first instant inside.
    pub from: Millis,
    /// The first instant after.
    pub to: Millis,
}

impl Range {
    /// The interval `[from, to)`; empty when `to <= from`.
    pub const fn new(from: Millis, to: Millis) -> Self {
        Self { from, to }
    }

    /// Whether no instant is inside.
    pub const fn is_empty(&self) -> bool {
        self.to <= self.from
    }

    /// Whether `at` is inside.
    pub const fn contains(&self, at: Millis) -> bool {
        self.from <= at && at < self.to
    }

    /// The instants in both.
    pub fn intersect(&self, other: &Self) -> Self {
        Self::new(self.from.max(other.from), self.to.min(other.to))
    }
}

/// A quarter hour of UTC, counted from 1970-01-01T00:00Z: the grain of cells, because since October 1979 every zone
/// has cut its days at one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Quarter(pub i32);

impl Quarter {
    /// The quarter hour that contains `at`.
    #[expect(clippy::cast_possible_truncation, reason = "years 1972 to 2199 are below 2^23 quarters")]
    pub const fn of(at: Millis) -> Self {
        Self(at.div_euclid(QUARTER_MILLIS) as i32)
    }

    /// The first instant of the quarter.
    pub const fn start(self) -> Millis {
        self.0 as Millis * QUARTER_MILLIS
    }

    /// The instants of the quarter.
    pub const fn range(self) -> Range {
        Range::new(self.start(), self.start() + QUARTER_MILLIS)
    }
}

/// What a calendar is cut into.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Period {
    /// A calendar day.
    Day,
    /// Seven days from the calendar's first day of the week.
    Week,
    /// A calendar month.
    Month,
    /// Three calendar months, from January, April, July or October.
    Quarter,
    /// A calendar year.
    Year,
}

/// One period of a calendar: its first date, and the instants it holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Slice {
    /// The first date of the period, as the zone's clocks show it.
    pub date: Date,
    /// The instants of the whole period, even where only a part was asked for.
    pub range: Range,
}

/// A zone, and the day its weeks begin with.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Calendar {
    /// The IANA time zone.
    pub zone: TimeZone,
    /// The first day of a week.
    pub week_start: Weekday,
}

impl Calendar {
    /// The calendar of a zone, with weeks that begin on Sunday.
    pub const fn new(zone: TimeZone) -> Self {
        Self { zone, week_start: Weekday::Sunday }
    }

    /// The day that `at` is in: the date that the zone's clocks show, but where they went back over midnight. There the day has begun with
    /// the first midnight ([`Calendar::start_of`]), as a day is without gaps.
    pub fn date_of(&self, at: Millis) -> Date {
        let shown = self.zone.to_datetime(timestamp(at));
        let next = shown.date().saturating_add(1.day());
        // Clocks went back by three hours at most since 1972.
        if shown.hour() >= 21 && self.start_of(next) <= at { next } else { shown.date() }
    }

    /// The first instant of `day`; for a day that the zone skips, the first instant after it.
    pub fn start_of(&self, day: Date) -> Millis {
        let midnight = day.to_datetime(jiff::civil::Time::midnight());
        let ambiguous = self.zone.to_ambiguous_timestamp(midnight);
        let instant = match ambiguous.offset() {
            AmbiguousOffset::Unambiguous { offset } => offset.to_timestamp(midnight),
            // Midnight happens twice: the day begins with the first.
            AmbiguousOffset::Fold { before, .. } => before.to_timestamp(midnight),
            // Midnight does not happen: the day begins where the clocks jump.
            AmbiguousOffset::Gap { before, .. } => before
                .to_timestamp(midnight)
                .map(|after_jump| self.zone.preceding(after_jump + 1.second()).next().map_or(after_jump, |t| t.timestamp())),
        };
        // Dates this far out (the years −9999 and 9999) are outside EARLIEST..LATEST and clamp to the nearest end.
        instant.map_or(if day.year() < 1972 { i64::MIN / 4 } else { i64::MAX / 4 }, Timestamp::as_millisecond)
    }

    /// The instants of `day`: empty where the zone skips it.
    pub fn day(&self, day: Date) -> Range {
        Range::new(self.start_of(day), self.start_of(day.saturating_add(1.day())))
    }

    /// The first date of the period that contains `day`.
    pub fn first_of(&self, period: Period, day: Date) -> Date {
        match period {
            Period::Day => day,
            Period::Week => {
                let back = self.week_start.until(day.weekday());
                day.saturating_sub(i64::from(back).days())
            }
            Period::Month => day.first_of_month(),
            Period::Quarter => {
                let months = (day.month() - 1) % 3;
                day.first_of_month().saturating_sub(i64::from(months).months())
            }
            Period::Year => day.first_of_year(),
        }
    }

    /// The first date of the period after the one that begins at `first`.
    pub fn next_after(&self, period: Period, first: Date) -> Date {
        first.saturating_add(match period {
            Period::Day => 1.day(),
            Period::Week => 1.week(),
            Period::Month => 1.month(),
            Period::Quarter => 3.months(),
            Period::Year => 1.year(),
        })
    }

    /// Every period that `range` touches, in order, whole; periods that the zone skips entirely are left out.
    pub fn periods(&self, period: Period, range: Range) -> impl Iterator<Item = Slice> + '_ {
        let range = range.intersect(&Range::new(EARLIEST, LATEST));
        let mut first = if range.is_empty() { date(2200, 1, 1) } else { self.first_of(period, self.date_of(range.from)) };
        // East of UTC, 2200-01-01 begins before LATEST.
        let mut from = if range.is_empty() { LATEST } else { self.start_of(first) };
        std::iter::from_fn(move || {
            while from < range.to {
                let next = self.next_after(period, first);
                let to = self.start_of(next);
                let slice = Slice { date: first, range: Range::new(from, to) };
                (first, from) = (next, to);
                if slice.range.from < slice.range.to {
                    return Some(slice);
                }
            }
            None
        })
    }

    /// Every hour that `range` touches, in order, whole: the instants that the zone's clocks call by one date, hour and offset. An hour that
    /// the clocks repeat is two; where they change within an hour, or by half an hour, it has fewer than 60 minutes.
    pub fn hours(&self, range: Range) -> impl Iterator<Item = Hour> + '_ {
        let range = range.intersect(&Range::new(EARLIEST, LATEST));
        let mut at = if range.is_empty() { range.to } else { self.hour_of(range.from).range.from };
        std::iter::from_fn(move || {
            let hour = (at < range.to).then(|| self.hour_of(at))?;
            at = hour.range.to;
            Some(hour)
        })
    }

    /// The hour that `at` is in.
    pub fn hour_of(&self, at: Millis) -> Hour {
        let offset = i64::from(self.zone.to_offset(timestamp(at)).seconds()) * 1000;
        let shown = at + offset;
        let whole =
            Range::new(shown.div_euclid(HOUR_MILLIS) * HOUR_MILLIS - offset, (shown.div_euclid(HOUR_MILLIS) + 1) * HOUR_MILLIS - offset);
        // Where the clocks were changed within the hour, and changed the offset.
        let changed = |change: Millis| i64::from(self.zone.to_offset(timestamp(change)).seconds()) * 1000 != offset;
        let before = self.zone.preceding(timestamp(at + 1)).map(|change| change.timestamp().as_millisecond());
        let begun = before.take_while(|change| *change > whole.from).find(|change| changed(change - 1));
        let after = self.zone.following(timestamp(at)).map(|change| change.timestamp().as_millisecond());
        let ended = after.take_while(|change| *change < whole.to).find(|change| changed(*change));
        let range = Range::new(begun.unwrap_or(whole.from), ended.unwrap_or(whole.to));
        #[expect(clippy::cast_possible_truncation, reason = "hours of a day are below 24, and offsets are below 26 hours")]
        let (hour, offset) = (shown.div_euclid(HOUR_MILLIS).rem_euclid(24) as i8, (offset / 1000) as i32);
        Hour { date: self.date_of(range.from), hour, offset, range }
    }
}

/// An hour of a zone's clocks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Hour {
    /// The day that it is in.
    pub date: Date,
    /// What the clocks show, from 0 to 23.
    pub hour: i8,
    /// By how many seconds the clocks are ahead of UTC.
    pub offset: i32,
    /// The instants of the whole hour, even where only a part was asked for.
    pub range: Range,
}

/// The instant as jiff has it; instants outside jiff's years clamp.
pub fn timestamp(at: Millis) -> Timestamp {
    Timestamp::from_millisecond(at).unwrap_or(if at < 0 { Timestamp::MIN } else { Timestamp::MAX })
}

/// The instant in RFC 3339 with the offset `Z`.
pub fn rfc3339(at: Millis) -> String {
    timestamp(at).to_string()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn calendar(zone: &str) -> Calendar {
        Calendar::new(TimeZone::get(zone).unwrap())
    }

    fn hours(zone: &str, day: Date) -> f64 {
        let range = calendar(zone).day(day);
        (range.to - range.from) as f64 / 3_600_000.0
    }

    #[test]
    fn days_have_the_hours_their_zone_gives_them() {
        assert_eq!(hours("Asia/Shanghai", date(2025, 3, 1)), 24.0);
        assert_eq!(hours("America/New_York", date(2025, 3, 9)), 23.0);
        assert_eq!(hours("America/New_York", date(2025, 11, 2)), 25.0);
        assert_eq!(hours("Australia/Lord_Howe", date(2025, 4, 6)), 24.5);
        assert_eq!(hours("Australia/Lord_Howe", date(2025, 10, 5)), 23.5);
        assert_eq!(hours("Pacific/Apia", date(2011, 12, 30)), 0.0);
    }

    #[test]
    fn a_skipped_day_has_no_slice() {
        let apia = calendar("Pacific/Apia");
        let range = Range::new(apia.start_of(date(2011, 12, 29)), apia.start_of(date(2012, 1, 1)));
        let dates: Vec<_> = apia.periods(Period::Day, range).map(|slice| slice.date).collect();
        assert_eq!(dates, [date(2011, 12, 29), date(2011, 12, 31)]);
    }

    #[test]
    fn a_day_that_skips_midnight_begins_where_the_clocks_jump() {
        // Toronto jumped from 23:30 on 1919-03-30 to 00:30 on 03-31; Sao Paulo from 00:00 to 01:00 on 2018-11-04.
        let toronto = calendar("America/Toronto");
        let start = toronto.start_of(date(1919, 3, 31));
        assert_eq!(toronto.date_of(start), date(1919, 3, 31));
        assert_eq!(toronto.date_of(start - 1), date(1919, 3, 30));
        let sao_paulo = calendar("America/Sao_Paulo");
        assert_eq!(rfc3339(sao_paulo.start_of(date(2018, 11, 4))), "2018-11-04T03:00:00Z");
    }

    #[test]
    fn an_hour_that_the_clocks_repeat_over_midnight_is_in_the_day_that_has_begun() {
        // St. John's went back from 00:01 on 1999-10-31 to 23:01 on 10-30.
        let st_johns = calendar("America/St_Johns");
        for (minutes, day) in [(-1, 30), (0, 31), (1, 31), (31, 31), (60, 31), (61, 31)] {
            let at = st_johns.start_of(date(1999, 10, 31)) + minutes * 60_000;
            assert_eq!(st_johns.date_of(at), date(1999, 10, day), "{minutes}");
            let slices: Vec<_> = st_johns.periods(Period::Day, Range::new(at, at + 1)).map(|slice| slice.date).collect();
            assert_eq!(slices, [date(1999, 10, day)], "{minutes}");
        }
    }

    #[test]
    fn an_empty_range_has_no_period_wherever_it_lies() {
        for zone in ["UTC", "Pacific/Kiritimati", "Pacific/Niue"] {
            for (from, to) in [(0, 0), (LATEST, LATEST), (LATEST + 1, i64::MAX), (EARLIEST, EARLIEST), (i64::MIN, EARLIEST), (5, 4)] {
                assert_eq!(calendar(zone).periods(Period::Day, Range::new(from, to)).count(), 0, "{zone} {from} {to}");
            }
        }
    }

    #[test]
    fn weeks_begin_on_sunday_or_as_asked() {
        let mut shanghai = calendar("Asia/Shanghai");
        assert_eq!(shanghai.first_of(Period::Week, date(2025, 3, 1)), date(2025, 2, 23));
        assert_eq!(shanghai.first_of(Period::Week, date(2025, 3, 2)), date(2025, 3, 2));
        shanghai.week_start = Weekday::Monday;
        assert_eq!(shanghai.first_of(Period::Week, date(2025, 3, 2)), date(2025, 2, 24));
    }

    #[test]
    fn hours_have_the_minutes_their_zone_gives_them() {
        let of = |zone: &str, day: Date| -> Vec<(i8, i32, i64)> {
            let calendar = calendar(zone);
            let hours = calendar.hours(calendar.day(day));
            hours.map(|hour| (hour.hour, hour.offset / 60, (hour.range.to - hour.range.from) / 60_000)).collect()
        };
        assert_eq!(of("Asia/Kathmandu", date(2025, 3, 1)), (0..24).map(|hour| (hour, 345, 60)).collect::<Vec<_>>());
        let spring = of("America/New_York", date(2025, 3, 9));
        assert_eq!((spring.len(), spring[1], spring[2]), (23, (1, -300, 60), (3, -240, 60)));
        let autumn = of("America/New_York", date(2025, 11, 2));
        assert_eq!((autumn.len(), autumn[1], autumn[2]), (25, (1, -240, 60), (1, -300, 60)));
        // Lord Howe goes back from 02:00 to 01:30, and forward from 02:00 to 02:30.
        let autumn = of("Australia/Lord_Howe", date(2025, 4, 6));
        assert_eq!((autumn.len(), autumn[1], autumn[2], autumn[3]), (25, (1, 660, 60), (1, 630, 30), (2, 630, 60)));
        let spring = of("Australia/Lord_Howe", date(2025, 10, 5));
        assert_eq!((spring.len(), spring[1], spring[2]), (24, (1, 630, 60), (2, 660, 30)));
        // St. John's went back from 00:01 to 23:01: the minute after midnight and the hour before it are the day that has begun.
        let autumn = of("America/St_Johns", date(1999, 10, 31));
        assert_eq!((autumn.len(), autumn[0], autumn[1], autumn[2]), (26, (0, -150, 1), (23, -210, 59), (0, -210, 60)));
    }

    #[test]
    fn quarters_begin_in_january_april_july_and_october() {
        let utc = calendar("UTC");
        let range = Range::new(utc.start_of(date(2024, 12, 31)), utc.start_of(date(2025, 10, 2)));
        let dates: Vec<_> = utc.periods(Period::Quarter, range).map(|slice| slice.date).collect();
        assert_eq!(dates, [date(2024, 10, 1), date(2025, 1, 1), date(2025, 4, 1), date(2025, 7, 1), date(2025, 10, 1)]);
    }

    proptest! {
        #[test]
        fn hours_lie_end_to_end_in_their_days(
            from in EARLIEST..4_102_444_800_000, length in 1i64..5 * DAY_MILLIS,
            zone in prop::sample::select(vec!["UTC", "Asia/Kathmandu", "America/New_York", "Australia/Lord_Howe", "America/St_Johns", "Africa/Monrovia"]),
        ) {
            let calendar = calendar(zone);
            let range = Range::new(from, from + length);
            let hours: Vec<_> = calendar.hours(range).collect();
            prop_assert!(hours[0].range.contains(range.from) && hours[hours.len() - 1].range.contains(range.to - 1));
            prop_assert!(hours.windows(2).all(|pair| pair[0].range.to == pair[1].range.from));
            for hour in hours {
                prop_assert!(!hour.range.is_empty() && hour.range.to - hour.range.from <= HOUR_MILLIS);
                for at in [hour.range.from, hour.range.to - 1] {
                    prop_assert_eq!(calendar.hour_of(at), hour);
                    prop_assert_eq!(calendar.date_of(at), hour.date);
                    prop_assert_eq!(calendar.zone.to_datetime(timestamp(at)).hour(), hour.hour);
                }
            }
        }

        #[test]
        fn every_instant_is_in_exactly_one_day(
            at in EARLIEST..LATEST - 1,
            zone in prop::sample::select(vec![
                "UTC", "Asia/Shanghai", "Asia/Kathmandu", "America/New_York", "Australia/Lord_Howe", "Africa/Cairo",
                "America/Havana", "Pacific/Apia", "Pacific/Kiritimati", "Asia/Tehran", "America/St_Johns", "Africa/Monrovia",
            ]),
        ) {
            let calendar = calendar(zone);
            let slices: Vec<_> = calendar.periods(Period::Day, Range::new(at, at + 1)).collect();
            prop_assert_eq!(slices.len(), 1);
            prop_assert!(slices[0].range.contains(at));
            prop_assert_eq!(slices[0].date, calendar.date_of(at));
        }

        #[test]
        fn periods_lie_end_to_end(
            from in EARLIEST..4_102_444_800_000, days in 1i64..800,
            period in prop::sample::select(vec![Period::Day, Period::Week, Period::Month, Period::Quarter, Period::Year]),
        ) {
            let calendar = calendar("America/New_York");
            let range = Range::new(from, from + days * DAY_MILLIS);
            let slices: Vec<_> = calendar.periods(period, range).collect();
            prop_assert!(slices[0].range.contains(range.from));
            prop_assert!(slices[slices.len() - 1].range.contains(range.to - 1));
            for pair in slices.windows(2) {
                prop_assert_eq!(pair[0].range.to, pair[1].range.from);
            }
        }
    }
}
