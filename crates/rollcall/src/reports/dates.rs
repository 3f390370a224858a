//! Days as people write them: a day, a month, a quarter, a year.

use jiff::ToSpan;
use jiff::civil::{Date, date};

/// What is expected of a time.
pub const EXPECTED: &str = "a day such as 2026-03-01, a month such as 2026-03, a quarter such as 2026-q1, a year, an RFC 3339 time with an offset, or integer Unix milliseconds, from 1972 to 2199";

/// What is expected of days.
pub const EXPECTED_DAYS: &str = "a day such as 2026-03-01, a month such as 2026-03, a quarter such as 2026-q1, or a year";

/// The first day, and the day after the last, of a day, a month, a quarter or a year; none if the text is none of these.
pub fn days(text: &str) -> Option<(Date, Date)> {
    // Dates of jiff take other forms too.
    let digits = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit());
    let number = |text: &str| digits(text).then(|| text.parse().ok()).flatten();
    let first = |year: i16, month: i8| Date::new(year, month, 1).ok();
    let parts: Vec<&str> = text.split('-').collect();
    let (first, length) = match parts.as_slice() {
        [year] if year.len() == 4 => (first(number(year)?, 1)?, 1.year()),
        [year, quarter] if year.len() == 4 && quarter.len() == 2 && quarter.to_ascii_lowercase().starts_with('q') => {
            let quarter: i8 = quarter.get(1..)?.parse().ok().filter(|quarter| (1..=4).contains(quarter))?;
            (first(number(year)?, quarter * 3 - 2)?, 3.months())
        }
        [year, month] if year.len() == 4 && month.len() == 2 => (first(number(year)?, i8::try_from(number(month)?).ok()?)?, 1.month()),
        [year, month, day] if [year.len(), month.len(), day.len()] == [4, 2, 2] && digits(month) && digits(day) => {
            number(year)?;
            (text.parse().ok()?, 1.day())
        }
        _ => return None,
    };
    let next = first.checked_add(length).ok()?;
    (date(1971, 12, 31)..=date(2200, 1, 2)).contains(&first).then_some((first, next))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_day_a_month_a_quarter_and_a_year_are_days() {
        let of = |text| days(text).map(|(first, next)| format!("{first} {next}"));
        assert_eq!(of("2026-07-31").as_deref(), Some("2026-07-31 2026-08-01"));
        assert_eq!(of("2026-12").as_deref(), Some("2026-12-01 2027-01-01"));
        assert_eq!(of("2026-q3").as_deref(), Some("2026-07-01 2026-10-01"));
        assert_eq!(of("2026-Q4").as_deref(), Some("2026-10-01 2027-01-01"));
        assert_eq!(of("2026").as_deref(), Some("2026-01-01 2027-01-01"));
        for text in [
            "",
            "26",
            "2026-13",
            "2026-q5",
            "2026-q0",
            "2026-02-30",
            "2026-2-3",
            "-026",
            "2026-07-31T00",
            "9999",
            "20 6",
            "2026-W03",
            "+026-01-01",
        ] {
            assert_eq!(of(text), None, "{text}");
        }
    }
}
