//! The answer to an ingest, and the errors it lists.

use serde::{Deserialize, Serialize};
use std::borrow::Cow;

/// How many errors a receipt lists; the rest are only counted.
pub const LISTED_ERRORS: usize = 100;

/// How many bytes of an offending value an error repeats.
const SHOWN_BYTES: usize = 80;

/// The answer to an ingest. Once it is given, the accepted facts survive any crash.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Receipt {
    /// The number of the receipt, which every fact that the request stored carries for ever; none where it stored none, or where several
    /// receipts are added up.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub receipt: Option<u64>,
    /// Facts stored by this request.
    pub accepted: u64,
    /// Facts whose id was known, with the same content.
    pub duplicate: u64,
    /// Facts whose id was known with other content: the first stays.
    pub conflicting: u64,
    /// Facts with an error. Without `on_error=skip`, one of them refuses the whole request.
    pub rejected: u64,
    /// The first [`LISTED_ERRORS`] errors, in the order of their lines.
    pub errors: Vec<FactError>,
}

impl Receipt {
    /// Adds another receipt's counts and, up to the limit, its errors.
    pub fn add(&mut self, other: Self) {
        self.receipt = match (self.accepted, other.accepted) {
            (0, _) => other.receipt,
            (_, 0) => self.receipt,
            _ => None,
        };
        self.accepted += other.accepted;
        self.duplicate += other.duplicate;
        self.conflicting += other.conflicting;
        self.rejected += other.rejected;
        let room = LISTED_ERRORS.saturating_sub(self.errors.len());
        self.errors.extend(other.errors.into_iter().take(room));
    }
}

/// What is wrong with one field of one fact.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct FactError {
    /// The line of the request, from 1; for JSON arrays and columns, the fact's number from 1; 0 for the request as a whole.
    pub line: u64,
    /// The field's name; empty where the line as a whole is meant.
    pub field: String,
    /// The value found, shortened; absent when the field is missing.
    pub value: Option<String>,
    /// What was expected. A phrase that begins with `not` reads as what the value is (`not before joined_at`).
    pub expected: Cow<'static, str>,
}

impl FactError {
    /// An error in `field`, whose line is filled in by who knows it.
    pub fn new(field: &str, value: Option<&str>, expected: impl Into<Cow<'static, str>>) -> Self {
        Self { line: 0, field: field.into(), value: value.map(shorten), expected: expected.into() }
    }

    /// The same error at `line`.
    #[must_use]
    pub fn at(mut self, line: u64) -> Self {
        self.line = line;
        self
    }
}

/// At most [`SHOWN_BYTES`] bytes of a value, control characters escaped.
fn shorten(value: &str) -> String {
    let end = if value.len() <= SHOWN_BYTES { value.len() } else { value.floor_char_boundary(SHOWN_BYTES) };
    let mut shown: String = value
        .chars()
        .scan(0, |bytes, c| {
            *bytes += c.len_utf8();
            (*bytes <= end).then_some(c)
        })
        .flat_map(|c| if c.is_control() { c.escape_default().collect::<Vec<_>>() } else { vec![c] })
        .collect();
    if end < value.len() {
        shown.push('…');
    }
    shown
}

impl std::fmt::Display for FactError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        if self.line > 0 {
            write!(f, "line {}: ", self.line)?;
        }
        let field = &self.field;
        match (&self.value, self.expected.strip_prefix("not ")) {
            (Some(value), Some(is)) => write!(f, "{field} {value} is {is}"),
            (Some(value), None) if field.is_empty() => write!(f, "{value}: expected {}", self.expected),
            (Some(value), None) => write!(f, "{field} {value}: expected {}", self.expected),
            (None, _) if field.is_empty() => write!(f, "expected {}", self.expected),
            (None, _) => write!(f, "{field} is missing: expected {}", self.expected),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_error_names_line_field_value_and_what_was_expected() {
        let early = FactError::new("left_at", Some("2025-03-01T09:00Z"), "not before joined_at").at(17);
        assert_eq!(early.to_string(), "line 17: left_at 2025-03-01T09:00Z is before joined_at");
        let missing = FactError::new("user_id", None, "a string of 1 to 256 bytes").at(2);
        assert_eq!(missing.to_string(), "line 2: user_id is missing: expected a string of 1 to 256 bytes");
    }

    #[test]
    fn a_sum_of_receipts_has_the_number_of_the_only_one_that_stored_facts() {
        let of = |receipt, accepted| Receipt { receipt, accepted, duplicate: 1, ..Receipt::default() };
        let mut sum = Receipt::default();
        let mut numbers = Vec::new();
        for receipt in [of(None, 0), of(Some(7), 2), of(None, 0), of(Some(8), 1), of(None, 0)] {
            sum.add(receipt);
            numbers.push(sum.receipt);
        }
        assert_eq!((numbers, sum.accepted), (vec![None, Some(7), Some(7), None, None], 3));
    }

    #[test]
    fn long_values_are_shortened_at_a_character() {
        let shown = FactError::new("session_id", Some(&"会".repeat(1000)), "x").value.unwrap();
        assert_eq!(shown.chars().count(), SHOWN_BYTES / 3 + 1);
        assert_eq!(FactError::new("a", Some("x\ny"), "x").value.unwrap(), "x\\ny");
    }
}
