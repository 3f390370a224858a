#![doc = include_str!("README.md")]
//!
//! # Layout
//! - [`row`]: a row, checked
//! - [`facts`]: a row as facts

mod facts;
mod row;
#[cfg(test)]
mod tests;

use super::cut::{Body, Cutter, Place};
use crate::args::UserField;
use rollcall_model::{FactError, Receipt};
use row::Row;
use serde::de::{DeserializeSeed, Deserializer, SeqAccess, Visitor};
use serde_json::Value;
use std::fmt;
use std::io::{self, BufRead};

/// Bodies of facts.
type Bodies = Box<dyn Iterator<Item = io::Result<Body>>>;

/// Reads a report from a place on: bodies of the facts of about `size` bytes of it.
pub(super) fn bodies(mut report: impl BufRead + 'static, size: usize, place: Place, user: UserField) -> io::Result<Bodies> {
    if report.fill_buf()?.trim_ascii_start().starts_with(b"[") {
        let rows = Rows { user, size, skip: place.lines };
        let mut json = serde_json::Deserializer::from_reader(report);
        let bodies = rows.deserialize(&mut json).and_then(|bodies| json.end().map(|()| bodies))?;
        return Ok(Box::new(bodies.into_iter().map(Ok)));
    }
    let cut = Cutter::new(report, size, false, place)?;
    Ok(Box::new(cut.map(move |body| body.map(|body| of_lines(&body, user)))))
}

/// The facts of a body of rows, a row a line.
fn of_lines(body: &Body, user: UserField) -> Body {
    let mut batch = Batch::default();
    for (line, text) in (body.first_line()..).zip(body.bytes.split(|byte| *byte == b'\n')) {
        if !text.trim_ascii().is_empty() {
            batch.take(line, user, serde_json::from_slice(text).map_err(|error| broken(text, &error)));
        }
    }
    batch.body(body.end)
}

/// The error of a line that is no JSON.
fn broken(text: &[u8], error: &serde_json::Error) -> FactError {
    let expected = format!("a JSON object: {}", error.to_string().replace(" at line 1 column", " at column"));
    FactError::new("", Some(&String::from_utf8_lossy(text)), expected)
}

/// The facts of some rows.
#[derive(Debug, Default)]
struct Batch {
    facts: Vec<u8>,
    /// The row's line, for each fact.
    lines: Vec<u64>,
    refused: Receipt,
}

impl Batch {
    fn take(&mut self, line: u64, user: UserField, row: Result<Value, FactError>) {
        if let Err(error) = row.and_then(|row| self.write(line, Row::read(&row, user)?)) {
            self.refused.add(Receipt { rejected: 1, errors: vec![error.at(line)], ..Receipt::default() });
        }
    }

    fn write(&mut self, line: u64, row: Row<'_>) -> Result<(), FactError> {
        facts::each(row, |fact| {
            serde_json::to_writer(&mut self.facts, fact).map_err(|error| FactError::new("", None, error.to_string()))?;
            self.facts.push(b'\n');
            self.lines.push(line);
            Ok(())
        })
    }

    fn body(self, end: Place) -> Body {
        Body::made(self.facts, self.lines, self.refused, end)
    }
}

/// Reads a JSON array of rows, which are numbered in place of lines, after the first `skip`.
struct Rows {
    user: UserField,
    size: usize,
    skip: u64,
}

impl<'de> DeserializeSeed<'de> for Rows {
    type Value = Vec<Body>;

    fn deserialize<D: Deserializer<'de>>(self, json: D) -> Result<Vec<Body>, D::Error> {
        json.deserialize_seq(self)
    }
}

impl<'de> Visitor<'de> for Rows {
    type Value = Vec<Body>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a JSON array of rows")
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut rows: A) -> Result<Vec<Body>, A::Error> {
        let (mut bodies, mut batch, mut end) = (Vec::new(), Batch::default(), Place::default());
        while let Some(row) = rows.next_element::<Value>()? {
            end.lines += 1;
            if end.lines <= self.skip {
                continue;
            }
            batch.take(end.lines, self.user, Ok(row));
            if batch.facts.len() >= self.size {
                bodies.push(std::mem::take(&mut batch).body(end));
            }
        }
        bodies.push(batch.body(end));
        Ok(bodies)
    }
}
