//! An answer as it is written: what it covers, columns, and rows; as JSON, CSV, or a table for people.

use crate::output;
use rollcall_model::Covers;
use rollcall_model::calendar::rfc3339;
use serde::ser::{SerializeMap, SerializeStruct};
use serde::{Deserialize, Serialize, Serializer};

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
}

/// An answer as it is written.
#[derive(Debug, Clone, PartialEq)]
pub struct Document {
    pub(super) covers: CoversDocument,
    pub(super) columns: &'static [&'static str],
    pub(super) rows: Vec<Vec<Cell>>,
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
        };
        Self { covers, columns, rows }
    }

    /// Reads what [`Document::json`] wrote.
    ///
    /// # Errors
    /// What is not as expected.
    pub fn from_json(bytes: &[u8], columns: &'static [&'static str]) -> Result<Self, serde_json::Error> {
        #[derive(Deserialize)]
        struct Written {
            covers: CoversDocument,
            rows: Vec<std::collections::HashMap<String, Cell>>,
        }
        let mut written: Written = serde_json::from_slice(bytes)?;
        let rows = written.rows.iter_mut().map(|row| columns.iter().map(|column| row.remove(*column).unwrap_or(Cell::Absent)).collect());
        let rows = rows.collect();
        Ok(Self { covers: written.covers, columns, rows })
    }

    /// What the rows cover, as one line of JSON.
    pub fn covers_json(&self) -> String {
        serde_json::to_string(&self.covers).unwrap_or_default()
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
        let _ = csv.write_record(self.columns);
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
        let head = self.columns.iter().map(|column| column.strip_suffix("_ms").unwrap_or(column).replace('_', " "));
        let rows = self.rows.iter().map(|row| {
            let cells = row.iter().zip(self.columns);
            cells
                .map(|(cell, column)| match cell {
                    Cell::Number(number) if column.ends_with("_ms") => (hours(*number), true),
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
        let CoversDocument { from, to, time_zone, first, last, .. } = &self.covers;
        match (first, last) {
            (Some(first), Some(last)) => format!("{from} to {to}, days of {time_zone}; facts from {first} to {last}; exact"),
            _ => format!("{from} to {to}, days of {time_zone}; no facts"),
        }
    }
}

impl Serialize for Document {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        struct Row<'a>(&'static [&'static str], &'a [Cell]);
        impl Serialize for Row<'_> {
            fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                let mut row = serializer.serialize_map(Some(self.1.len()))?;
                for (column, cell) in self.0.iter().zip(self.1) {
                    row.serialize_entry(column, cell)?;
                }
                row.end()
            }
        }
        let mut document = serializer.serialize_struct("Document", 2)?;
        document.serialize_field("covers", &self.covers)?;
        document.serialize_field("rows", &self.rows.iter().map(|row| Row(self.columns, row)).collect::<Vec<_>>())?;
        document.end()
    }
}

/// Milliseconds as hours, minutes and seconds; fractions of a second are cut.
fn hours(millis: i64) -> String {
    let seconds = millis / 1000;
    format!("{}:{:02}:{:02}", seconds / 3600, seconds / 60 % 60, seconds % 60)
}

#[cfg(test)]
mod tests {
    use super::*;
    use jiff::tz::TimeZone;
    use rollcall_model::Range;

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
             \"first\":\"1970-01-01T00:00:00.005Z\",\"last\":\"1970-01-01T00:00:07Z\",\"exact\":true},\
             \"rows\":[{\"id\":\"a,b\",\"user_id\":null,\"duration_ms\":3723999}]}"
        );
        assert_eq!(Document::from_json(json.as_bytes(), &["id", "user_id", "duration_ms"]).unwrap(), document());
    }

    #[test]
    fn csv_keeps_exact_values_and_a_table_is_for_people() {
        assert_eq!(String::from_utf8(document().csv()).unwrap(), "id,user_id,duration_ms\n\"a,b\",,3723999\n");
        assert!(document().table().contains("1:02:03"), "{}", document().table());
    }
}
