//! Facts back out, in formats that can be ingested again: every field as it is stored, defaults filled in, under the `id` that makes it
//! the same fact.
//!
//! # Layout
//! - [`crate::kinds::words`]: blocks of facts become record batches with the fields of facts as columns
//! - `text`: record batches become NDJSON or CSV

mod text;

#[cfg(test)]
mod tests;

use crate::Engine;
use crate::error::EngineError;
use crate::kinds::stored::Wanted;
use crate::kinds::words::{self, Worded};
use crate::ledger::broken;
use arrow_array::{ArrayRef, RecordBatch, StringArray};
use arrow_schema::{Field, Schema, SchemaRef};
use parquet::arrow::ArrowWriter;
use parquet::basic::{Compression, ZstdLevel};
use parquet::file::properties::WriterProperties;
use rollcall_model::{Cancellation, OrgId, Range};
use std::borrow::Cow;
use std::io::{self, Write};
use std::sync::Arc;

/// How many facts are turned from numbers into words at a time.
const BATCH_FACTS: usize = 8192;

/// How many facts a row group of Parquet has at most: what a reader can skip, and about what a writer holds.
const GROUP_FACTS: usize = 128 << 10;

/// After about how many bytes a row group ends, however few facts it has: what a writer holds at most.
const GROUP_BYTES: usize = 32 << 20;

/// How facts are written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Format {
    /// One JSON object a line; what is absent is left out.
    Ndjson,
    /// Comma-separated values with a header line; lists are joined by `|`, and a list of none is a lone `|`.
    Csv,
    /// Apache Parquet, compressed with zstd.
    Parquet,
}

/// Why an export ended early.
#[derive(Debug, thiserror::Error)]
pub enum ExportError {
    /// The facts could not be read.
    #[error(transparent)]
    Engine(#[from] EngineError),
    /// What was made of them could not be written.
    #[error("the export could not be written: {0}")]
    Output(#[from] io::Error),
}

impl Engine {
    /// Writes every fact of an organization whose time (`session_started_at`, `at`) is in `range`, in the order of the ledger, of one
    /// consistent state, and returns how many there were. Takes as long as `out` does, with bounded memory; call it from a thread that may
    /// block. An error of `out` ends it.
    ///
    /// # Errors
    /// See [`ExportError`]; what was written so far is then no whole file.
    pub fn export<B: Worded>(&self, org: OrgId, range: Range, format: Format, out: impl Write + Send) -> Result<u64, ExportError> {
        self.export_until::<B, _>(org, range, format, |_| out)
    }

    /// The same, to what `out` makes of something that is cancelled when an erasure has waited a minute for this export: then it is to end,
    /// also while it waits for whoever takes it.
    ///
    /// # Errors
    /// See [`ExportError`]; [`EngineError::Cancelled`] if it was ended.
    pub fn export_until<B: Worded, W: Write + Send>(
        &self,
        org: OrgId,
        range: Range,
        format: Format,
        out: impl FnOnce(Cancellation) -> W,
    ) -> Result<u64, ExportError> {
        let columns = columns::<B>();
        let pinned = self.facts.pin();
        let revoked = pinned.revoked();
        let mut writer = Writer::new(format, &columns, out(revoked.clone()))?;
        let mut facts = 0;
        for read in pinned.blocks::<B>(org, Wanted::times(range)) {
            let (_, block) = read?;
            if revoked.is_cancelled() {
                return Err(EngineError::Cancelled.into());
            }
            for first in (0..block.facts()).step_by(BATCH_FACTS) {
                let length = BATCH_FACTS.min(block.facts() - first);
                let part = block.slice(first, length);
                writer.write(&with_ids::<B>(&part.to_words(&self.facts.ledger, org)?, &columns)?)?;
                facts += length as u64;
            }
        }
        writer.finish()?;
        Ok(facts)
    }
}

/// A writer of record batches.
enum Writer<W: Write + Send> {
    Ndjson(W),
    Csv(Box<csv::Writer<W>>),
    Parquet(Box<ArrowWriter<W>>),
}

impl<W: Write + Send> Writer<W> {
    fn new(format: Format, columns: &SchemaRef, out: W) -> io::Result<Self> {
        Ok(match format {
            Format::Ndjson => Self::Ndjson(out),
            Format::Csv => {
                let mut csv = csv::Writer::from_writer(out);
                csv.write_record(columns.fields().iter().map(|column| column.name()))?;
                Self::Csv(Box::new(csv))
            }
            Format::Parquet => {
                let properties = WriterProperties::builder()
                    .set_compression(Compression::ZSTD(ZstdLevel::default()))
                    .set_max_row_group_row_count(Some(GROUP_FACTS))
                    .build();
                Self::Parquet(Box::new(ArrowWriter::try_new(out, columns.clone(), Some(properties)).map_err(io::Error::other)?))
            }
        })
    }

    fn write(&mut self, batch: &RecordBatch) -> io::Result<()> {
        match self {
            Self::Ndjson(out) => text::ndjson(batch, out),
            Self::Csv(csv) => text::csv(batch, csv),
            Self::Parquet(parquet) => {
                parquet.write(batch).map_err(io::Error::other)?;
                if parquet.in_progress_size() < GROUP_BYTES { Ok(()) } else { parquet.flush().map_err(io::Error::other) }
            }
        }
    }

    fn finish(self) -> io::Result<()> {
        match self {
            Self::Ndjson(mut out) => out.flush(),
            Self::Csv(mut csv) => csv.flush(),
            Self::Parquet(parquet) => parquet.into_inner().map_err(io::Error::other)?.flush(),
        }
    }
}

/// The columns of an export: every fact has an id, and who ingests it again gives it a receipt of its own.
fn columns<B: Worded>() -> SchemaRef {
    let fields = B::columns().fields().iter().filter(|field| field.name() != words::RECEIPT).map(|field| match field.name().as_str() {
        "id" => Arc::new(field.as_ref().clone().with_nullable(false)),
        _ => field.clone(),
    });
    Arc::new(Schema::new(fields.collect::<Vec<_>>()))
}

/// Facts in words, as an export has them, with the ids that default.
fn with_ids<B: Worded>(words: &RecordBatch, columns: &SchemaRef) -> Result<RecordBatch, EngineError> {
    let ids = words::ids(words)?.iter().zip(B::default_ids(words)?).map(|(given, default)| match given {
        Some(given) => Cow::Borrowed(given),
        None => Cow::Owned(default.to_string()),
    });
    let ids: ArrayRef = Arc::new(StringArray::from_iter_values(ids));
    let of = |column: &Arc<Field>| match column.name().as_str() {
        "id" => Ok(ids.clone()),
        name => words.column_by_name(name).cloned().ok_or_else(|| broken("a column of an export")),
    };
    let values = columns.fields().iter().map(of).collect::<Result<Vec<_>, _>>()?;
    Ok(RecordBatch::try_new(columns.clone(), values)?)
}
