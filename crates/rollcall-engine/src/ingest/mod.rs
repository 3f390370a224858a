//! Request bodies become columns of valid facts: decode, validate, resolve places.
//!
//! Every format ends in a [`Draft`], field by field, and so in one definition of what is valid.
//!
//! # Layout
//! - `body`: decompression within limits, and lines
//! - `text`: encodings other than UTF-8
//! - `header`: the names of columns
//! - `json`, `csv`: the formats of text; `plain`: JSON as it mostly is, read faster
//! - `arrow`, `parquet`: the formats of columns; each checks what a body claims about itself before it is decoded
//! - `columns`: record batches, from either
//! - `thrift`: as much of Thrift's compact protocol as those checks need

mod arrow;
mod body;
mod columns;
mod csv;
mod header;
mod json;
mod parquet;
mod plain;
mod text;
mod thrift;

#[cfg(test)]
mod samples;
#[cfg(test)]
mod tests;

pub use csv::{Separator, has_header};
pub use text::{Charset, utf8};

use crate::kinds::columns::Columns;
use jiff::tz::TimeZone;
use rollcall_model::calendar::LATEST;
use rollcall_model::receipt::LISTED_ERRORS;
use rollcall_model::{Clock, Directory, Draft, FactError, Millis, Organization, Places};
use std::borrow::Cow;

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

/// What one body may hold; 0 switches a limit off, except that of the future.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// Facts.
    pub facts: u64,
    /// Bytes after decompression, and bytes of the facts in memory.
    pub decoded_bytes: u64,
    /// Bytes of one line of NDJSON or CSV, or of one object of a JSON array.
    pub line_bytes: u64,
    /// Entries of cells that the facts make: see [`crate::kinds::columns::Cost::entries`].
    pub request_entries: u64,
    /// UTC days that the facts lie on.
    pub request_days: u64,
    /// How many seconds ahead of [`Context::now`] the time of a fact may be; 0: none.
    pub future_seconds: u64,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            facts: 1_000_000,
            decoded_bytes: 512 << 20,
            line_bytes: 64 << 10,
            // A million stays of two hours make 13 million: nine quarter hours, three hours and a meeting each.
            request_entries: 4_000_000,
            request_days: 3_660,
            future_seconds: 86_400,
        }
    }
}

/// What is known of a body besides its bytes.
#[derive(Clone, Copy)]
pub struct Context<'a> {
    /// Whose facts they are.
    pub organization: &'a Organization,
    /// The organization's directory.
    pub directory: &'a Directory,
    /// Where addresses are.
    pub places: Option<&'a dyn Places>,
    /// What the body may hold.
    pub limits: Limits,
    /// The present instant.
    pub now: Millis,
    /// The zone of the clocks that times without an offset were read from; none: such times are refused.
    pub zone: Option<&'a TimeZone>,
    /// What a text without a byte order mark is in; none: UTF-8.
    pub charset: Option<Charset>,
    /// Who watches over the memory and the time that decoding takes.
    pub watch: &'a dyn Watch,
}

impl std::fmt::Debug for Context<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Context").field("organization", &self.organization.id).field("limits", &self.limits).finish_non_exhaustive()
    }
}

impl<'a> Context<'a> {
    /// Bodies of an organization, with the usual limits, without places, zone and charset, and with nobody who watches.
    pub fn new(organization: &'a Organization, directory: &'a Directory, now: Millis) -> Self {
        Self { organization, directory, places: None, limits: Limits::default(), now, zone: None, charset: None, watch: &() }
    }

    /// Lets the watch look at what is held.
    fn goes_on(&self, held: u64) -> Result<(), BodyError> {
        if self.watch.goes_on(held) { Ok(()) } else { Err(BodyError::expected(0, "nobody to end the decoding")) }
    }

    fn clock(&self) -> Clock<'a> {
        let ahead = Millis::try_from(self.limits.future_seconds).ok().and_then(|seconds| seconds.checked_mul(1000));
        let latest = ahead.and_then(|ahead| self.now.checked_add(ahead)).unwrap_or(LATEST);
        Clock { zone: self.zone, latest }
    }
}

/// Watches over a decoding, and may end it.
pub trait Watch {
    /// Told every thousand facts or blank lines, every [`STEP_BYTES`] of a body that is decompressed as a whole, and at the end: about how
    /// many bytes of memory the decoding has come to hold besides the body. If it should not go on, it ends with an error, of which whoever
    /// watches knows the reason.
    fn goes_on(&self, held: u64) -> bool;
}

/// Watches over nothing.
impl Watch for () {
    fn goes_on(&self, _: u64) -> bool {
        true
    }
}

/// How many bytes are decompressed between two looks of the [`Watch`], at most.
pub const STEP_BYTES: usize = 256 << 10;

/// How many facts or blank lines are read between two looks of the [`Watch`].
const STEP_FACTS: u64 = 1000;

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

/// Why a body could not be read to its end: everything that is wrong with it as a whole. Nothing of it may be stored.
#[derive(Debug)]
pub struct BodyError(pub Vec<FactError>);

impl BodyError {
    /// A body of which something was expected at `line` (0: as a whole).
    fn expected(line: u64, what: impl Into<String>) -> Self {
        FactError::new("", None, what.into()).at(line).into()
    }
}

impl From<FactError> for BodyError {
    fn from(error: FactError) -> Self {
        Self(vec![error])
    }
}

impl std::fmt::Display for BodyError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        for (position, error) in self.0.iter().enumerate() {
            let before = if position > 0 { "; " } else { "" };
            write!(f, "{before}{error}")?;
        }
        Ok(())
    }
}

impl std::error::Error for BodyError {}

/// Decodes a body of one kind of facts, validates every fact in it, and resolves addresses.
///
/// # Errors
/// [`BodyError`] when the body is broken in a way that hides what follows (truncated compression, broken JSON array, a header that
/// names no fields), when a limit is passed, or when it was not to go on; errors in single facts are in [`Decoded::errors`].
pub fn decode<C: Columns>(body: &[u8], format: Format, compression: Compression, context: &Context<'_>) -> Result<Decoded<C>, BodyError> {
    let limits = &context.limits;
    let mut sink = Sink { context, clock: context.clock(), limits, whole: 0, blank: 0, steps: 0, decoded: Decoded::default() };
    if !body.is_empty() {
        let text = || body::text(body, compression, limits, context.charset);
        match format {
            Format::Ndjson => json::read_lines(&mut *text()?, &mut sink)?,
            Format::Json => json::read_array(&mut *text()?, &mut sink)?,
            Format::Csv => csv::read(&mut *text()?, &mut sink)?,
            Format::Parquet => parquet::read(&sink.whole(body, compression)?, &mut sink)?,
            Format::Arrow => arrow::read(&sink.whole(body, compression)?, &mut sink)?,
        }
    }
    sink.check()?;
    sink.finish()
}

/// Where decoded facts go: validated, counted, kept.
struct Sink<'a, C> {
    context: &'a Context<'a>,
    clock: Clock<'a>,
    limits: &'a Limits,
    /// Bytes of the body, where it had to be decompressed as a whole.
    whole: u64,
    /// Blank lines so far.
    blank: u64,
    /// Facts and blank lines since the last look of the watch.
    steps: u64,
    decoded: Decoded<C>,
}

impl<C: Columns> Sink<'_, C> {
    /// The decompressed body at once, for formats that are read from their end or in any order.
    fn whole<'b>(&mut self, body: &'b [u8], compression: Compression) -> Result<Cow<'b, [u8]>, BodyError> {
        let whole = body::whole(body, compression, self.limits, |size| self.context.goes_on(size))?;
        if let Cow::Owned(bytes) = &whole {
            self.whole = bytes.len() as u64;
        }
        Ok(whole)
    }

    /// Lets the watch look.
    fn check(&mut self) -> Result<(), BodyError> {
        self.steps = 0;
        self.context.goes_on(self.whole + self.decoded.facts.size() as u64)
    }

    /// Counts a fact or a blank line.
    fn step(&mut self) -> Result<(), BodyError> {
        self.steps += 1;
        if self.steps < STEP_FACTS { Ok(()) } else { self.check() }
    }

    /// Skips a blank line. There may be as many of them as facts: to find a line's end costs something, whatever is in it.
    fn skip_blank(&mut self, line: u64) -> Result<(), BodyError> {
        self.blank += 1;
        match self.limits.facts {
            most if most > 0 && self.blank > most => {
                Err(BodyError::expected(line, format!("at most {most} blank lines in one request (limits.facts)")))
            }
            _ => self.step(),
        }
    }

    /// How many facts there were so far, good or bad.
    fn facts(&self) -> u64 {
        self.decoded.facts.len() as u64 + self.decoded.rejected
    }

    /// Takes the fact of a line, or of a number from 1 in formats without lines.
    fn take(&mut self, line: u64, mut draft: Draft<'_, C::Field>) -> Result<(), BodyError> {
        self.room_for(1, line)?;
        self.step()?;
        let Context { organization, directory, places, .. } = *self.context;
        draft.settle(self.clock);
        if let Err(errors) = self.decoded.facts.take(draft, organization, directory, places) {
            self.decoded.rejected += 1;
            let room = LISTED_ERRORS.saturating_sub(self.decoded.errors.len());
            self.decoded.errors.extend(errors.into_iter().take(room).map(|error| error.at(line)));
        }
        let most = self.limits.decoded_bytes;
        if most > 0 && self.decoded.facts.size() as u64 > most {
            let expected = format!("at most {most} bytes of facts in memory (limits.decoded_bytes): send fewer facts at a time");
            return Err(BodyError::expected(line, expected));
        }
        Ok(())
    }

    /// What the body held, if it held something and stays within the limits of a request.
    fn finish(self) -> Result<Decoded<C>, BodyError> {
        if self.facts() == 0 {
            return Err(BodyError::expected(0, "at least one fact"));
        }
        let (facts, cost) = (self.decoded.facts.len() as u64, self.decoded.facts.cost());
        let (entries, most) = (cost.entries(), self.limits.request_entries);
        if most > 0 && entries > most {
            let expected = format!(
                "at most {most} entries of cells in one request (limits.request_entries): its facts make {entries}, one for each UTC day \
                 of a stay; send about {} of them at a time",
                (most / entries.div_ceil(facts.max(1))).max(1)
            );
            return Err(BodyError::expected(0, expected));
        }
        let (days, most) = (cost.days(), self.limits.request_days);
        if most > 0 && days > most {
            let expected = format!(
                "facts on at most {most} days in one request (limits.request_days), not on {days}: send them in the order of their \
                 times, or fewer at a time"
            );
            return Err(BodyError::expected(0, expected));
        }
        Ok(self.decoded)
    }

    /// Takes a fact that could not even be read.
    fn refuse(&mut self, line: u64, error: FactError) -> Result<(), BodyError> {
        self.room_for(1, line)?;
        self.step()?;
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
