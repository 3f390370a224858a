//! CSV with a header line, as RFC 4180 has it: values in quotes may hold commas, newlines and doubled quotes.
//!
//! Records are cut here rather than by a library because an error must name the line it is in, whatever the line ends,
//! blank lines and newlines in quotes before it, and because values are borrowed from the body. What separates values (a comma, a
//! semicolon or a tab) is seen from the header, as no name of a field has any of them.
//!
//! Spreadsheets write empty values beyond the last column, and empty rows: neither says anything, and both are skipped.

use super::body::{each_line, too_long};
use super::header::Header;
use super::json::not_utf8;
use super::{BodyError, Sink};
use crate::kinds::columns::Columns;
use rollcall_model::draft::DraftField;
use rollcall_model::{Draft, FactError, Value};
use std::borrow::Cow;
use std::io::BufRead;

/// Reads the header, then a fact a record.
pub(super) fn read<C: Columns>(reader: &mut dyn BufRead, sink: &mut Sink<'_, C>) -> Result<(), BodyError> {
    let limits = *sink.limits;
    let mut separator = Separator::default();
    let mut table: Option<Table<C::Field>> = None;
    let mut take = |number: u64, record: &[u8], sink: &mut Sink<'_, C>| -> Result<(), BodyError> {
        match &table {
            Some(table) => read_record(number, record, table, sink),
            None if separator.is_before_header(record) => sink.skip_blank(number),
            None => {
                table = Some(read_header(number, record, separator.of(record))?);
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
            return if line.is_empty() { sink.skip_blank(number) } else { take(number, line, sink) };
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

/// Whether a text of CSV has a header.
///
/// # Errors
/// Everything that is wrong with the header.
pub fn has_header<C: Columns>(text: &[u8]) -> Result<bool, BodyError> {
    let mut separator = Separator::default();
    for (number, line) in (1..).zip(text.split(|byte| *byte == b'\n')) {
        let line = line.strip_suffix(b"\r").unwrap_or(line);
        if !separator.is_before_header(line) {
            return read_header::<C::Field>(number, line, separator.of(line)).map(|_| true);
        }
    }
    Ok(false)
}

/// What may separate values. Where a header has as many of one as of another, the later is taken.
const SEPARATORS: &[u8] = b"\t;,";

/// What separates the values of CSV, as far as the lines up to its header say.
#[derive(Debug, Clone, Copy, Default)]
pub struct Separator(Option<u8>);

impl Separator {
    /// Whether a line stands before the header: it has no values, or it is the first line of a file of Excel, such as `sep=;`.
    pub fn is_before_header(&mut self, line: &[u8]) -> bool {
        let line = line.trim_ascii_end();
        let bare = line.strip_prefix(b"\"").and_then(|line| line.strip_suffix(b"\"")).unwrap_or(line);
        // A tab at the end was trimmed.
        let said = match bare.split_at_checked(4) {
            Some((start, [])) if start.eq_ignore_ascii_case(b"sep=") => Some(b'\t'),
            Some((start, [separator])) if start.eq_ignore_ascii_case(b"sep=") => Some(*separator),
            _ => None,
        };
        let said = said.filter(|separator| SEPARATORS.contains(separator));
        self.0 = said.or(self.0);
        said.is_some() || SEPARATORS.iter().any(|separator| is_blank(line, *separator))
    }

    /// What separates the values of a file with this header.
    pub fn of(self, header: &[u8]) -> u8 {
        let count = |separator: &u8| header.iter().filter(|byte| *byte == separator).count();
        self.0.unwrap_or_else(|| SEPARATORS.iter().copied().max_by_key(count).unwrap_or(b','))
    }
}

/// What a header says of the records.
struct Table<F> {
    separator: u8,
    fields: Vec<F>,
    /// How many columns there are, with those at the end that have no name.
    width: usize,
}

fn read_header<F: DraftField>(number: u64, record: &[u8], separator: u8) -> Result<Table<F>, BodyError> {
    let text = std::str::from_utf8(record).map_err(|error| BodyError::from(not_utf8(record, &error).at(number)))?;
    let mut header = Header::new("a header line, separated by commas, semicolons or tabs, of the fields");
    let (mut width, mut named) = (0, 0);
    for name in Values::of(text, separator) {
        width += 1;
        match name {
            Ok(name) if name.trim().is_empty() => continue,
            Ok(name) => _ = header.add(&name),
            Err(expected) => header.refuse(FactError::new("", Some(text), expected)),
        }
        named += 1;
        if named != width {
            header.refuse(FactError::new("", Some(text), format!("a name for each column: column {named} has no name")));
            named = width;
        }
    }
    Ok(Table { separator, fields: header.finish(number)?, width })
}

/// Whether no value of a record says anything, as in the rows that spreadsheets write below a table.
fn is_blank(record: &[u8], separator: u8) -> bool {
    record.iter().all(|byte| *byte == separator || b" \t\"".contains(byte))
}

fn read_record<C: Columns>(number: u64, record: &[u8], table: &Table<C::Field>, sink: &mut Sink<'_, C>) -> Result<(), BodyError> {
    if is_blank(record, table.separator) {
        return sink.skip_blank(number);
    }
    let text = match std::str::from_utf8(record) {
        Ok(text) => text,
        Err(error) => return sink.refuse(number, not_utf8(record, &error)),
    };
    let mut draft = Draft::text_only();
    let named = table.fields.len();
    // How many values there are, less the empty ones beyond the fields.
    let mut count = 0;
    for (position, value) in Values::of(text, table.separator).enumerate() {
        match (value, table.fields.get(position)) {
            (Ok(value), Some(field)) => draft.set_field(*field, Value::Str(value)),
            (Ok(value), None) if value.trim().is_empty() => continue,
            (Ok(_), None) => {}
            (Err(expected), _) => return sink.refuse(number, FactError::new("", Some(text), expected)),
        }
        count = position + 1;
    }
    if count == named {
        return sink.take(number, draft);
    }
    let expected = if named < count && count <= table.width {
        format!("no value after column {named}: column {count} has no name")
    } else {
        format!("{named} values, as many as the header has, not {count}")
    };
    sink.refuse(number, FactError::new("", Some(text), expected))
}

/// The values of a record.
struct Values<'a> {
    /// What is left of it, until there is nothing left.
    rest: Option<&'a str>,
    separator: char,
}

impl<'a> Values<'a> {
    fn of(record: &'a str, separator: u8) -> Self {
        Self { rest: Some(record), separator: separator.into() }
    }
}

impl<'a> Iterator for Values<'a> {
    type Item = Result<Cow<'a, str>, &'static str>;

    fn next(&mut self) -> Option<Self::Item> {
        let text = self.rest.take()?;
        let Some(quoted) = text.strip_prefix('"') else {
            let (value, rest) = text.split_once(self.separator).map_or((text, None), |(value, rest)| (value, Some(rest)));
            self.rest = rest;
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
                    self.rest = after.strip_prefix(self.separator);
                    return Some(if self.rest.is_some() { Ok(value) } else { Err(after_quote(self.separator)) });
                }
            }
        }
    }
}

const fn after_quote(separator: char) -> &'static str {
    match separator {
        ';' => "a semicolon after a closing quote",
        '\t' => "a tab after a closing quote",
        _ => "a comma after a closing quote",
    }
}
