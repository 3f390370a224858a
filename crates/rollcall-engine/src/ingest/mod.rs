//! Request bodies become columns of valid facts: decode, validate, resolve places.
//!
//! Every format ends in a [`Draft`], field by field, and so in one definition of what is valid.
//!
//! # Layout
//! - `body`: decompression within limits, and lines
//! - `json`, `csv`: the formats of text
//! - `arrow`, `parquet`: the formats of columns; each checks what a body claims about itself before it is decoded
//! - `columns`: record batches, from either
//! - `thrift`: as much of Thrift's compact protocol as those checks need

mod arrow;
mod body;
mod columns;
mod csv;
mod json;
mod parquet;
mod thrift;

#[cfg(test)]
mod samples;
#[cfg(test)]
mod tests;

use crate::facts::Columns;
use rollcall_model::receipt::LISTED_ERRORS;
use rollcall_model::{Directory, Draft, FactError, Organization, Places};

/// How facts are written in a body.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Format {
    /// One JSON object a line.
    Ndjson,
    /// One JSON array of objects.
    Json,
    /// Comma-separated values with a header line.
    Csv,
    /// Apache Parquet.
    Parquet,
    /// Apache Arrow IPC, stream or file.
    Arrow,
}

/// How a body is compressed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Compression {
    /// Not at all.
    None,
    /// gzip, one or several members.
    Gzip,
    /// Zstandard, one or several frames.
    Zstd,
}

/// What one body may hold; 0 switches a limit off.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// Facts.
    pub facts: u64,
    /// Bytes after decompression.
    pub decoded_bytes: u64,
    /// Bytes of one line of NDJSON or CSV, or of one object of a JSON array.
    pub line_bytes: u64,
}

impl Default for Limits {
    fn default() -> Self {
        Self { facts: 1_000_000, decoded_bytes: 512 << 20, line_bytes: 64 << 10 }
    }
}

/// What a body held.
#[derive(Debug, Default)]
pub struct Decoded<C> {
    /// The valid facts.
    pub facts: C,
    /// How many facts had errors.
    pub rejected: u64,
    /// The first [`rollcall_model::receipt::LISTED_ERRORS`] errors.
    pub errors: Vec<FactError>,
}

/// Why a body could not be read to its end: what is wrong with it as a whole. Nothing of it may be stored.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
pub struct BodyError(pub FactError);

impl BodyError {
    /// A body of which something was expected at `line` (0: as a whole).
    fn expected(line: u64, what: impl Into<String>) -> Self {
        Self(FactError::new("", None, what.into()).at(line))
    }
}

/// Decodes a body of one kind of facts, validates every fact in it, and resolves addresses by `places`.
///
/// # Errors
/// [`BodyError`] when the body is broken in a way that hides what follows (truncated compression, broken JSON array, a
/// limit passed); errors in single facts are in [`Decoded::errors`].
pub fn decode<C: Columns>(
    body: &[u8],
    format: Format,
    compression: Compression,
    organization: &Organization,
    directory: &Directory,
    places: Option<&dyn Places>,
    limits: &Limits,
) -> Result<Decoded<C>, BodyError> {
    let mut sink = Sink { organization, directory, places, limits, decoded: Decoded::default() };
    if !body.is_empty() {
        match format {
            Format::Ndjson => json::read_lines(&mut *body::open(body, compression, limits)?, &mut sink)?,
            Format::Json => json::read_array(&mut *body::open(body, compression, limits)?, &mut sink)?,
            Format::Csv => csv::read(&mut *body::open(body, compression, limits)?, &mut sink)?,
            Format::Parquet => parquet::read(&body::whole(body, compression, limits)?, &mut sink)?,
            Format::Arrow => arrow::read(&body::whole(body, compression, limits)?, &mut sink)?,
        }
    }
    if sink.facts() == 0 {
        return Err(BodyError::expected(0, "at least one fact"));
    }
    Ok(sink.decoded)
}

/// Where decoded facts go: validated, counted, kept.
struct Sink<'a, C> {
    organization: &'a Organization,
    directory: &'a Directory,
    places: Option<&'a dyn Places>,
    limits: &'a Limits,
    decoded: Decoded<C>,
}

impl<C: Columns> Sink<'_, C> {
    /// How many facts there were so far, good or bad.
    fn facts(&self) -> u64 {
        self.decoded.facts.len() as u64 + self.decoded.rejected
    }

    /// Takes the fact of a line, or of a number from 1 in formats without lines.
    fn take(&mut self, line: u64, draft: Draft<'_, C::Field>) -> Result<(), BodyError> {
        self.room_for(1, line)?;
        if let Err(errors) = self.decoded.facts.take(draft, self.organization, self.directory, self.places) {
            self.decoded.rejected += 1;
            let room = LISTED_ERRORS.saturating_sub(self.decoded.errors.len());
            self.decoded.errors.extend(errors.into_iter().take(room).map(|error| error.at(line)));
        }
        Ok(())
    }

    /// Takes a fact that could not even be read.
    fn refuse(&mut self, line: u64, error: FactError) -> Result<(), BodyError> {
        self.room_for(1, line)?;
        self.decoded.rejected += 1;
        if self.decoded.errors.len() < LISTED_ERRORS {
            self.decoded.errors.push(error.at(line));
        }
        Ok(())
    }

    /// Whether so many more facts stay within the limit.
    fn room_for(&self, more: u64, line: u64) -> Result<(), BodyError> {
        match self.limits.facts {
            most if most > 0 && self.facts().saturating_add(more) > most => {
                Err(BodyError::expected(line, format!("at most {most} facts in one request (limits.facts)")))
            }
            _ => Ok(()),
        }
    }
}
