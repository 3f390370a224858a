//! An answer as it is written: what it covers, columns, and rows; as JSON, CSV, or a table for people.

use super::compare;
use crate::output;
use jiff::ToSpan;
use jiff::civil::Date;
use jiff::tz::TimeZone;
use rollcall_model::calendar::{rfc3339, timestamp};
use rollcall_model::reports::Completeness;
use rollcall_model::{Calendar, Covers, Millis, Range};
use serde::ser::{SerializeMap, SerializeStruct};
use serde::{Deserialize, Serialize, Serializer};
use std::borrow::Cow;

/// One value of a row.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(untagged)]
pub enum Cell {
    /// A count, or a duration in milliseconds.
    Number(i64),
    /// A share in percent, of two decimals.
    Decimal(f64),
    /// Anything else.
    Text(String),
    /// Not known.
    Absent,
}

impl From<u64> for Cell {
    fn from(count: u64) -> Self {
        Self::Number(i64::try_from(count).unwrap_or(i64::MAX))
    }
}

impl From<Option<String>> for Cell {
    fn from(text: Option<String>) -> Self {
        text.map_or(Self::Absent, Self::Text)
    }
}

impl Cell {
    /// A part of a whole in percent.
    pub fn share(part: u64, whole: u64) -> Self {
        if whole == 0 { Self::Absent } else { Self::Decimal(part as f64 * 100.0 / whole as f64) }
    }
}

/// What the rows cover, as it is written.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct CoversDocument {
    /// The first instant asked for.
    pub from: String,
    /// The first instant after.
    pub to: String,
    /// The zone whose days were used.
    pub time_zone: String,
    /// The first instant of the facts that count; none if there are none.
    pub first: Option<String>,
    /// The last.
    pub last: Option<String>,
    /// Always true: nothing is estimated.
    pub exact: bool,
    /// The first instant after.
    #[serde(skip)]
    end: Millis,
    /// The range in words, in the zone that was asked.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub words: String,
    /// Whether the range is not over yet, so that numbers may still grow.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub running: Option<bool>,
    /// The number of the last receipt whose facts are counted.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub receipt: Option<u64>,
    /// When it was given.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub received_at: Option<String>,
    /// How many facts came since yesterday that were more than a day old.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub late: Option<u64>,
    /// The range that the numbers before are of.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub compared: Option<[String; 2]>,
}

/// An answer as it is written.
#[derive(Debug, Clone, PartialEq)]
pub struct Document {
    pub(super) covers: CoversDocument,
    pub(super) columns: Vec<Cow<'static, str>>,
    pub(super) rows: Vec<Vec<Cell>>,
    /// The cursor of the next page; none: there is none.
    pub(super) next: Option<String>,
}

impl Document {
    pub fn new(covers: &Covers, columns: &'static [&'static str], rows: Vec<Vec<Cell>>) -> Self {
        let covers = CoversDocument {
            from: rfc3339(covers.range.from),
            to: rfc3339(covers.range.to),
            time_zone: covers.zone.iana_name().unwrap_or("UTC").to_owned(),
            first: covers.seen.map(|(first, _)| rfc3339(first)),
            last: covers.seen.map(|(_, last)| rfc3339(last)),
            exact: true,
            end: covers.range.to,
            words: words(covers.range, &covers.zone),
            running: None,
            receipt: None,
            received_at: None,
            late: None,
            compared: None,
        };
        let columns = columns.iter().map(|column| Cow::from(*column)).collect();
        Self { covers, columns, rows, next: None }
    }

    /// The same, with the cursor of the next page, if there is one.
    pub fn with_next(self, next: Option<String>) -> Self {
        Self { next, ..self }
    }

    /// The same, and how complete the facts are at an instant.
    pub fn with_completeness(mut self, found: &Completeness, now: Millis) -> Self {
        self.covers.running = Some(self.covers.end > now);
        self.covers.receipt = found.receipt;
        self.covers.received_at = found.received_at.map(rfc3339);
        self.covers.late = Some(found.late);
        self
    }

    /// The cursor of the next page.
    pub fn next(&self) -> Option<&str> {
        self.next.as_deref()
    }

    /// Reads what [`Document::json`] wrote.
    ///
    /// # Errors
    /// What is not as expected.
    pub fn from_json(bytes: &[u8], columns: Vec<Cow<'static, str>>) -> Result<Self, serde_json::Error> {
        #[derive(Deserialize)]
        struct Written {
            covers: CoversDocument,
            rows: Vec<std::collections::HashMap<String, Cell>>,
            #[serde(default)]
            next: Option<String>,
        }
        let mut written: Written = serde_json::from_slice(bytes)?;
        let rows = written.rows.iter_mut().map(|row| columns.iter().map(|column| row.remove(&**column).unwrap_or(Cell::Absent)).collect());
        let rows = rows.collect();
        Ok(Self { covers: written.covers, columns, rows, next: written.next })
    }

    /// What the rows cover, as one line of JSON in ASCII.
    pub fn covers_json(&self) -> String {
        let json = serde_json::to_string(&self.covers).unwrap_or_default();
        // A header is ASCII.
        json.chars().fold(String::with_capacity(json.len()), |mut escaped, letter| {
            if letter.is_ascii() {
                escaped.push(letter);
            } else {
                let mut units = [0; 2];
                letter.encode_utf16(&mut units).iter().for_each(|unit| escaped += &format!("\\u{unit:04x}"));
            }
            escaped
        })
    }

    /// The answer as JSON: `covers` and `rows`.
    pub fn json(&self) -> Vec<u8> {
        // Serializing strings and numbers into memory cannot fail.
        serde_json::to_vec(self).unwrap_or_default()
    }

    /// The rows as CSV with a header line.
    pub fn csv(&self) -> Vec<u8> {
        let mut csv = csv::Writer::from_writer(Vec::new());
        // Writing into memory, with rows as long as the header, cannot fail.
        let _ = csv.write_record(self.columns.iter().map(|column| column.as_bytes()));
        for row in &self.rows {
            let _ = csv.write_record(row.iter().map(|cell| match cell {
                Cell::Number(number) => number.to_string(),
                Cell::Decimal(number) => format!("{number:.2}"),
                Cell::Text(text) => text.clone(),
                Cell::Absent => String::new(),
            }));
        }
        csv.into_inner().unwrap_or_default()
    }

    /// The rows as a table, durations in hours, minutes and seconds.
    pub fn table(&self) -> String {
        let head = self.columns.iter().map(|column| column.replace("_ms", "").replace('_', " "));
        let rows = self.rows.iter().map(|row| {
            let cells = row.iter().zip(&self.columns);
            cells
                .map(|(cell, column)| match cell {
                    Cell::Number(number) if column.contains("_ms") => (hours(*number), true),
                    Cell::Number(number) => (number.to_string(), true),
                    Cell::Decimal(number) => (format!("{number:.2}"), true),
                    Cell::Text(text) => (text.clone(), false),
                    Cell::Absent => (String::new(), false),
                })
                .collect()
        });
        output::table(head, rows)
    }

    /// What the rows cover, for people.
    pub fn caption(&self) -> String {
        let CoversDocument { words, first, last, running, late, compared, .. } = &self.covers;
        let mut caption = match (first, last) {
            (Some(first), Some(last)) => format!("{words}; facts from {first} to {last}; exact"),
            _ => format!("{words}; no facts"),
        };
        if *running == Some(true) {
            caption += "; not over yet";
        }
        if let Some(late) = late.filter(|late| *late > 0) {
            caption += &format!("; {late} facts came late since yesterday");
        }
        if let Some([from, to]) = compared {
            caption += &format!("; before: {from} to {to}");
        }
        caption
    }
}

impl Serialize for Document {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        struct Row<'a>(&'a [Cow<'static, str>], &'a [Cell]);
        impl Serialize for Row<'_> {
            fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                let mut row = serializer.serialize_map(Some(self.1.len()))?;
                for (column, cell) in self.0.iter().zip(self.1) {
                    row.serialize_entry(column, cell)?;
                }
                row.end()
            }
        }
        let mut document = serializer.serialize_struct("Document", 2 + usize::from(self.next.is_some()))?;
        document.serialize_field("covers", &self.covers)?;
        document.serialize_field("rows", &self.rows.iter().map(|row| Row(&self.columns, row)).collect::<Vec<_>>())?;
        if let Some(next) = &self.next {
            document.serialize_field("next", next)?;
        }
        document.end()
    }
}

/// A range in words, in a zone: `1 Jul – 30 Sep 2026, 92 days, Asia/Shanghai`; with times where it does not consist of days.
pub(super) fn words(range: Range, zone: &TimeZone) -> String {
    let calendar = Calendar::new(zone.clone());
    let name = zone.iana_name().unwrap_or("UTC");
    let Some((first, next)) = compare::whole_days(range, &calendar) else {
        let shown = |at| timestamp(at).to_zoned(zone.clone()).strftime("%-d %b %Y %H:%M:%S").to_string();
        return format!("{} – {}, {name}", shown(range.from), shown(range.to));
    };
    let (days, last) = (compare::length(first, next), next.saturating_sub(1.day()));
    let day = |day: Date, form| day.strftime(form).to_string();
    let span = match (first == last, first.year() == last.year(), first.month() == last.month()) {
        (true, ..) => day(first, "%-d %b %Y"),
        (_, true, true) => format!("{}–{}", first.day(), day(last, "%-d %b %Y")),
        (_, true, false) => format!("{} – {}", day(first, "%-d %b"), day(last, "%-d %b %Y")),
        (_, false, _) => format!("{} – {}", day(first, "%-d %b %Y"), day(last, "%-d %b %Y")),
    };
    format!("{span}, {days} {}, {name}", if days == 1 { "day" } else { "days" })
}

/// Milliseconds as hours, minutes and seconds; fractions of a second are cut.
fn hours(millis: i64) -> String {
    let seconds = millis / 1000;
    format!("{}:{:02}:{:02}", seconds / 3600, seconds / 60 % 60, seconds % 60)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn document() -> Document {
        let covers = Covers { range: Range::new(0, 86_400_000), zone: TimeZone::get("Asia/Shanghai").unwrap(), seen: Some((5, 7_000)) };
        Document::new(
            &covers,
            &["id", "user_id", "duration_ms"],
            vec![vec![Cell::Text("a,b".into()), Cell::Absent, Cell::Number(3_723_999)]],
        )
    }

    #[test]
    fn an_answer_is_read_as_it_was_written() {
        let json = String::from_utf8(document().json()).unwrap();
        assert_eq!(
            json,
            "{\"covers\":{\"from\":\"1970-01-01T00:00:00Z\",\"to\":\"1970-01-02T00:00:00Z\",\"time_zone\":\"Asia/Shanghai\",\
             \"first\":\"1970-01-01T00:00:00.005Z\",\"last\":\"1970-01-01T00:00:07Z\",\"exact\":true,\
             \"words\":\"1 Jan 1970 08:00:00 – 2 Jan 1970 08:00:00, Asia/Shanghai\"},\
             \"rows\":[{\"id\":\"a,b\",\"user_id\":null,\"duration_ms\":3723999}]}"
        );
        assert_eq!(Document::from_json(json.as_bytes(), document().columns).unwrap().json(), document().json());
    }

    #[test]
    fn a_range_is_said_in_the_zone_that_was_asked() {
        let shanghai = TimeZone::get("Asia/Shanghai").unwrap();
        let of = |from: &str, to: &str| words(super::super::time_range(Some(from), Some(to), &shanghai).unwrap(), &shanghai);
        assert_eq!(of("2026-q3", "2026-q3"), "1 Jul – 30 Sep 2026, 92 days, Asia/Shanghai");
        assert_eq!(of("2026-09-01", "2026-09-07"), "1–7 Sep 2026, 7 days, Asia/Shanghai");
        assert_eq!(of("2026-09-01", "2026-09-01"), "1 Sep 2026, 1 day, Asia/Shanghai");
        assert_eq!(of("2025-12-31", "2026-01-01"), "31 Dec 2025 – 1 Jan 2026, 2 days, Asia/Shanghai");
        assert_eq!(of("2026-09-01", "2026-09-01T02:00:00Z"), "1 Sep 2026 00:00:00 – 1 Sep 2026 10:00:00, Asia/Shanghai");
    }

    #[test]
    fn csv_keeps_exact_values_and_a_table_is_for_people() {
        assert_eq!(String::from_utf8(document().csv()).unwrap(), "id,user_id,duration_ms\n\"a,b\",,3723999\n");
        assert!(document().table().contains("1:02:03"), "{}", document().table());
    }
}
