//! CSV with a header line, as RFC 4180 has it: values in quotes may hold commas, newlines and doubled quotes.
//!
//! Records are cut here rather than by a library because an error must name the line it is in, whatever the line ends,
//! blank lines and newlines in quotes before it, and because values are borrowed from the body.

use super::body::{each_line, too_long};
use super::json::not_utf8;
use super::{BodyError, Sink};
use crate::facts::Columns;
use rollcall_model::{Draft, FactError, FactField, Value};
use std::borrow::Cow;
use std::io::BufRead;

/// Reads the header, then a fact a record.
pub(super) fn read<C: Columns>(reader: &mut dyn BufRead, sink: &mut Sink<'_, C>) -> Result<(), BodyError> {
    let limits = *sink.limits;
    let mut columns: Option<Vec<C::Field>> = None;
    let mut take = |number: u64, record: &[u8], sink: &mut Sink<'_, C>| -> Result<(), BodyError> {
        match &columns {
            Some(columns) => read_record(number, record, columns, sink),
            None => {
                columns = Some(read_header(number, record)?);
                Ok(())
            }
        }
    };
    // A record whose quotes are still open, and the line it began on.
    let mut open: Option<(u64, Vec<u8>)> = None;
    each_line(reader, &limits, |number, line| {
        let odd = line.iter().filter(|byte| **byte == b'"').count() % 2 == 1;
        let Some((begun, mut record)) = open.take() else {
            if odd {
                open = Some((number, line.to_vec()));
                return Ok(());
            }
            let line = line.strip_suffix(b"\r").unwrap_or(line);
            return if line.is_empty() { Ok(()) } else { take(number, line, sink) };
        };
        record.push(b'\n');
        record.extend_from_slice(line);
        if limits.line_bytes > 0 && record.len() as u64 > limits.line_bytes {
            return Err(BodyError::expected(begun, too_long(limits.line_bytes)));
        }
        if odd {
            return take(begun, record.strip_suffix(b"\r").unwrap_or(&record), sink);
        }
        open = Some((begun, record));
        Ok(())
    })?;
    match open {
        Some((begun, _)) => Err(BodyError::expected(begun, "a closing quote")),
        None => Ok(()),
    }
}

fn read_header<F: FactField>(number: u64, record: &[u8]) -> Result<Vec<F>, BodyError> {
    let record = record.strip_prefix("\u{feff}".as_bytes()).unwrap_or(record);
    let text = std::str::from_utf8(record).map_err(|error| BodyError(not_utf8(record, &error).at(number)))?;
    let expected = |name: &str, what: String| BodyError(FactError::new("", Some(name), what).at(number));
    let mut columns = Vec::new();
    for name in Values(Some(text)) {
        let name = name.map_err(|what| expected(text, what.into()))?;
        match F::from_name(&name) {
            Some(field) if !columns.contains(&field) => columns.push(field),
            Some(_) => return Err(expected(&name, "each field once in the header".into())),
            None => return Err(expected(&name, format!("a header line of the fields {}", F::NAMES.join(", ")))),
        }
    }
    Ok(columns)
}

fn read_record<C: Columns>(number: u64, record: &[u8], columns: &[C::Field], sink: &mut Sink<'_, C>) -> Result<(), BodyError> {
    let text = match std::str::from_utf8(record) {
        Ok(text) => text,
        Err(error) => return sink.refuse(number, not_utf8(record, &error)),
    };
    let mut draft = Draft::text_only();
    let mut count = 0;
    for value in Values(Some(text)) {
        match (value, columns.get(count)) {
            (Ok(value), Some(field)) => draft.set_field(*field, Value::Str(value)),
            (Ok(_), None) => {}
            (Err(expected), _) => return sink.refuse(number, FactError::new("", Some(text), expected)),
        }
        count += 1;
    }
    if count != columns.len() {
        let expected = format!("{} values, as many as the header has, not {count}", columns.len());
        return sink.refuse(number, FactError::new("", Some(text), expected));
    }
    sink.take(number, draft)
}

/// The values of a record; what is left of it, until there is nothing left.
struct Values<'a>(Option<&'a str>);

impl<'a> Iterator for Values<'a> {
    type Item = Result<Cow<'a, str>, &'static str>;

    fn next(&mut self) -> Option<Self::Item> {
        let text = self.0.take()?;
        let Some(quoted) = text.strip_prefix('"') else {
            let (value, rest) = text.split_once(',').map_or((text, None), |(value, rest)| (value, Some(rest)));
            self.0 = rest;
            return Some(if value.contains('"') { Err("quotes around a value that has quotes in it") } else { Ok(value.into()) });
        };
        let mut value = Cow::Borrowed("");
        let mut rest = quoted;
        loop {
            let Some((part, after)) = rest.split_once('"') else { return Some(Err("a closing quote")) };
            value += part;
            match after.strip_prefix('"') {
                Some(after) => {
                    value += "\"";
                    rest = after;
                }
                None if after.is_empty() => return Some(Ok(value)),
                None => {
                    self.0 = after.strip_prefix(',');
                    return Some(if self.0.is_some() { Ok(value) } else { Err("a comma after a closing quote") });
                }
            }
        }
    }
}
