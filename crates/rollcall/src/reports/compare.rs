//! `compare`: the same question about another range, its numbers beside those that were asked for.

use super::document::{Cell, Document};
use super::{BadParameter, time_range};
use jiff::ToSpan;
use jiff::civil::Date;
use jiff::tz::TimeZone;
use rollcall_model::calendar::timestamp;
use rollcall_model::{Calendar, Range};
use std::borrow::Cow;
use std::collections::HashMap;

/// The parameter.
pub(super) const PARAMETER: &str = "compare";

/// What a comparison may be.
pub(super) const EXPECTED: &str = "previous, year, or a range such as 2026-01-01..2026-03-31";

/// How the rows of two answers are put beside each other.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Compared {
    /// The columns whose values tell a row from others; none: the rows are periods, and the first is beside the first.
    pub key: &'static [&'static str],
    /// The columns whose numbers are compared.
    pub numbers: &'static [&'static str],
    /// Whether a row that only the other answer has is added.
    pub adds: bool,
}

impl Compared {
    /// Rows that are periods.
    pub(super) const fn periods(numbers: &'static [&'static str]) -> Self {
        Self { key: &[], numbers, adds: false }
    }

    /// Rows that a key tells from others.
    pub(super) const fn by(key: &'static [&'static str], numbers: &'static [&'static str]) -> Self {
        Self { key, numbers, adds: true }
    }
}

/// The range that a range is compared with.
///
/// # Errors
/// If it is none.
pub(super) fn range(asked: Range, zone: &TimeZone, value: &str) -> Result<Range, BadParameter> {
    let bad = || BadParameter::new("compare", Some(value), EXPECTED);
    let calendar = Calendar::new(zone.clone());
    let days = whole_days(asked, &calendar);
    match value {
        "previous" => Ok(match days {
            Some((first, next)) => of_days(&calendar, first.saturating_sub(first.until(next).map_err(|_| bad())?), first),
            None => Range::new(asked.from - (asked.to - asked.from), asked.from),
        }),
        "year" => match days {
            Some((first, next)) if length(first, next) % 7 == 0 => {
                Ok(of_days(&calendar, first.saturating_sub(364.days()), next.saturating_sub(364.days())))
            }
            Some((first, next)) => {
                let last = next.yesterday().map_err(|_| bad())?;
                let next = last.saturating_sub(1.year()).tomorrow().map_err(|_| bad())?;
                Ok(of_days(&calendar, first.saturating_sub(1.year()), next))
            }
            None => {
                let before = |at| timestamp(at).to_zoned(zone.clone()).saturating_sub(1.year()).timestamp().as_millisecond();
                Ok(Range::new(before(asked.from), before(asked.to)))
            }
        },
        text => {
            let (from, to) = text.split_once("..").ok_or_else(bad)?;
            time_range(Some(from), Some(to), zone).map_err(|_| bad())
        }
    }
}

/// The first of the days that a range consists of, and the day after the last.
pub(super) fn whole_days(range: Range, calendar: &Calendar) -> Option<(Date, Date)> {
    let (first, next) = (calendar.date_of(range.from), calendar.date_of(range.to));
    (calendar.start_of(first) == range.from && calendar.start_of(next) == range.to && first < next).then_some((first, next))
}

/// How many days lie between two.
pub(super) fn length(first: Date, next: Date) -> i64 {
    first.until(next).map_or(0, |span| span.get_days().into())
}

fn of_days(calendar: &Calendar, first: Date, next: Date) -> Range {
    Range::new(calendar.start_of(first), calendar.start_of(next))
}

/// The columns of an answer that is compared.
pub(super) fn columns(columns: &[Cow<'static, str>], compared: Compared) -> Vec<Cow<'static, str>> {
    columns.iter().cloned().chain(compared.numbers.iter().map(|number| format!("{number}_before").into())).collect()
}

/// An answer with the numbers of another beside its own. A row that only the other has is added, with zeros of its own.
pub(super) fn beside(now: Document, before: Document, compared: Compared) -> Document {
    let position = |name: &&str| now.columns.iter().position(|column| column == name);
    let key: Vec<usize> = compared.key.iter().filter_map(position).collect();
    let numbers: Vec<usize> = compared.numbers.iter().filter_map(position).collect();
    let of = |row: &[Cell], nth: usize| -> String {
        if key.is_empty() { nth.to_string() } else { key.iter().map(|at| format!("{:?}\n", row.get(*at))).collect() }
    };
    let mut others: HashMap<String, (usize, Vec<Cell>)> =
        before.rows.into_iter().enumerate().map(|(nth, row)| (of(&row, nth), (nth, row))).collect();
    let beside = |row: Option<&Vec<Cell>>| -> Vec<Cell> {
        // A row of a period that the other range does not have has no numbers there; of a key, it has none of anything.
        let absent = if key.is_empty() { Cell::Absent } else { Cell::Number(0) };
        numbers.iter().map(|at| row.and_then(|row| row.get(*at)).cloned().unwrap_or_else(|| absent.clone())).collect()
    };
    let mut rows = now.rows;
    for (nth, row) in rows.iter_mut().enumerate() {
        let other = others.remove(&of(row, nth));
        row.extend(beside(other.as_ref().map(|(_, row)| row)));
    }
    let mut left: Vec<_> = others.into_values().filter(|_| compared.adds).collect();
    left.sort_by_key(|(nth, _)| *nth);
    for (_, other) in left {
        let mut row = other.clone();
        for (at, cell) in row.iter_mut().enumerate() {
            if numbers.contains(&at) {
                *cell = Cell::Number(0);
            } else if !key.contains(&at) && !matches!(cell, Cell::Text(_)) {
                *cell = Cell::Absent;
            }
        }
        row.extend(beside(Some(&other)));
        rows.push(row);
    }
    let columns = columns(&now.columns, compared);
    let mut covers = now.covers;
    covers.compared = Some([before.covers.from, before.covers.to]);
    Document { covers, columns, rows, next: None }
}

#[cfg(test)]
mod tests {
    use super::*;
    use rollcall_model::calendar::rfc3339;

    fn of(from: &str, to: &str, zone: &str, compare: &str) -> [String; 2] {
        let zone = TimeZone::get(zone).unwrap();
        let asked = time_range(Some(from), Some(to), &zone).unwrap();
        let other = range(asked, &zone, compare).unwrap();
        let calendar = Calendar::new(zone);
        match whole_days(other, &calendar) {
            Some((first, next)) => [first.to_string(), next.yesterday().unwrap().to_string()],
            None => [rfc3339(other.from), rfc3339(other.to)],
        }
    }

    #[test]
    fn a_range_of_days_is_compared_with_as_many_days() {
        let berlin = "Europe/Berlin";
        assert_eq!(of("2026-03-23", "2026-03-29", berlin, "previous"), ["2026-03-16", "2026-03-22"]);
        // The clocks change on 29 March: seven days all the same.
        assert_eq!(of("2026-03-30", "2026-04-05", berlin, "previous"), ["2026-03-23", "2026-03-29"]);
        assert_eq!(of("2026-q3", "2026-q3", berlin, "previous"), ["2026-03-31", "2026-06-30"]);
        assert_eq!(of("2026-01-01", "2026-01-01", "UTC", "2025-07..2025-08"), ["2025-07-01", "2025-08-31"]);
    }

    #[test]
    fn a_year_before_is_the_same_weekdays_of_whole_weeks_else_the_same_dates() {
        assert_eq!(of("2026-09-07", "2026-09-13", "UTC", "year"), ["2025-09-08", "2025-09-14"]);
        assert_eq!(of("2026-09-01", "2026-09-30", "UTC", "year"), ["2025-09-01", "2025-09-30"]);
        assert_eq!(of("2024-02-29", "2024-02-29", "UTC", "year"), ["2023-02-28", "2023-02-28"]);
        assert_eq!(of("2024-02-01", "2024-02-29", "UTC", "year"), ["2023-02-01", "2023-02-28"]);
        let instants = of("2026-03-01T12:00:00Z", "2026-03-02T18:00:00Z", "UTC", "year");
        assert_eq!(instants, ["2025-03-01T12:00:00Z", "2025-03-02T18:00:00Z"]);
        let previous = of("2026-03-01T12:00:00Z", "2026-03-01T18:00:00Z", "UTC", "previous");
        assert_eq!(previous, ["2026-03-01T06:00:00Z", "2026-03-01T12:00:00Z"]);
    }

    #[test]
    fn what_is_no_comparison_is_refused() {
        let asked = Range::new(0, 5);
        for value in ["", "before", "2026", "2026-02..2026-01", "..", "2026-01-01..x"] {
            assert!(range(asked, &TimeZone::UTC, value).is_err(), "{value}");
        }
    }
}
