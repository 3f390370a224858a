//! Parquet.

use super::columns::{fields_of, read_batch};
use super::thrift::{Reader, kind};
use super::{BodyError, Limits, Sink, body};
use crate::kinds::columns::Columns;
use arrow_schema::{DataType, Field, FieldRef, Schema};
use bytes::Bytes;
use parquet::arrow::arrow_reader::{ArrowReaderMetadata, ArrowReaderOptions, ParquetRecordBatchReaderBuilder};
use parquet::file::metadata::ParquetMetaData;
use rollcall_model::directory::MOST_DEPARTMENTS;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;

/// How many facts are decoded at a time.
const BATCH_FACTS: usize = 8192;

/// The most schema elements a file of facts has use for, with room: fifteen fields at most, and what makes some of them lists.
const SCHEMA_ELEMENTS: usize = 256;

/// How many values a field may have in each fact, on average, however many facts there are: lists have several.
const VALUES_PER_FACT: u64 = 8;

/// How many values a field may have in each fact, on average, while a row group has no more than [`LIST_VALUES`] of them: lists of
/// departments may be that long, and a dictionary may hold each value once more.
const LONGEST_LIST: u64 = 2 * MOST_DEPARTMENTS as u64;

/// What a row group may have of values of lists that are long on average: about as many as facts that have the usual few.
const LIST_VALUES: u64 = 8 << 20;

/// Reads a file.
pub(super) fn read<C: Columns>(file: &[u8], sink: &mut Sink<'_, C>) -> Result<(), BodyError> {
    // The library has assertions that hostile bytes can reach; one of those must not take the request's thread down.
    catch_unwind(AssertUnwindSafe(|| read_guarded(file, sink))).unwrap_or_else(|_| Err(unreadable("it is damaged")))
}

fn unreadable(why: impl std::fmt::Display) -> BodyError {
    BodyError::expected(0, format!("a Parquet file: {why}"))
}

fn read_guarded<C: Columns>(file: &[u8], sink: &mut Sink<'_, C>) -> Result<(), BodyError> {
    check_schema(file).ok_or_else(|| unreadable("its footer cannot be read"))?;
    let bytes = Bytes::copy_from_slice(file);
    let options = ArrowReaderOptions::new();
    let found = ArrowReaderMetadata::load(&bytes, options.clone()).map_err(unreadable)?;
    let fields = fields_of(found.schema(), sink)?;
    sink.room_for(u64::try_from(found.metadata().file_metadata().num_rows()).unwrap_or(u64::MAX), 0)?;
    check_pages(file, found.metadata(), sink.limits)?;
    let views = found.schema().fields().iter().map(as_view).collect::<Vec<_>>();
    let metadata = ArrowReaderMetadata::try_new(Arc::clone(found.metadata()), options.with_schema(Arc::new(Schema::new(views))))
        .map_err(unreadable)?;
    let reader =
        ParquetRecordBatchReaderBuilder::new_with_metadata(bytes, metadata).with_batch_size(BATCH_FACTS).build().map_err(unreadable)?;
    for batch in reader {
        read_batch(&batch.map_err(unreadable)?, &fields, sink)?;
    }
    Ok(())
}

/// The same column with its strings as views: a long string that a dictionary repeats in every row is then decoded once.
fn as_view(column: &FieldRef) -> FieldRef {
    let viewed = |of: &DataType| match of {
        DataType::Utf8 | DataType::LargeUtf8 | DataType::Dictionary(..) => DataType::Utf8View,
        other => other.clone(),
    };
    let of = match column.data_type() {
        DataType::List(item) => DataType::List(as_view(item)),
        DataType::LargeList(item) => DataType::LargeList(as_view(item)),
        other => viewed(other),
    };
    Arc::new(Field::clone(column).with_data_type(of))
}

/// Whether the schema is of a size that the library, which recurses into it and reserves what it announces, can bear.
fn check_schema(file: &[u8]) -> Option<()> {
    let (rest, length) = file.strip_suffix(b"PAR1")?.split_last_chunk::<4>()?;
    let start = rest.len().checked_sub(usize::try_from(u32::from_le_bytes(*length)).ok()?)?;
    let mut found = false;
    let mut metadata = Reader::new(rest.get(start..)?);
    metadata.each_field(|reader, id, of| {
        if (id, of) != (2, kind::LIST) {
            return Some(false);
        }
        let (count, item) = reader.list()?;
        found = item == kind::STRUCT && count <= SCHEMA_ELEMENTS;
        for _ in 0..count.min(SCHEMA_ELEMENTS) {
            reader.each_field(|reader, id, of| {
                if (id, of) != (5, kind::I32) {
                    return Some(false);
                }
                let children = usize::try_from(reader.integer()?).ok()?;
                (children <= SCHEMA_ELEMENTS).then_some(true)
            })?;
        }
        found.then_some(true)
    })?;
    found.then_some(())
}

/// Whether what the pages announce, which the library reserves before it decompresses, stays within the limits.
fn check_pages(file: &[u8], metadata: &ParquetMetaData, limits: &Limits) -> Result<(), BodyError> {
    let mut bytes = 0u64;
    for group in metadata.row_groups() {
        let facts = u64::try_from(group.num_rows()).unwrap_or(0);
        let most_values = facts.saturating_mul(VALUES_PER_FACT).max(facts.saturating_mul(LONGEST_LIST).min(LIST_VALUES));
        for column in group.columns() {
            let (start, length) = column.byte_range();
            let chunk = usize::try_from(start).ok().and_then(|start| file.get(start..)?.get(..usize::try_from(length).ok()?));
            let mut rest = chunk.ok_or_else(|| unreadable("a column lies outside it"))?;
            let mut values = 0u64;
            while !rest.is_empty() {
                let page = page(rest).ok_or_else(|| unreadable("a page header cannot be read"))?;
                (bytes, values) = (bytes.saturating_add(page.bytes), values.saturating_add(page.values));
                if limits.decoded_bytes > 0 && bytes > limits.decoded_bytes {
                    return Err(BodyError::expected(0, body::too_many_bytes(limits.decoded_bytes)));
                }
                rest = page.rest;
            }
            if values > most_values {
                return Err(unreadable(format!("a column has more than {most_values} values for {facts} facts")));
            }
        }
    }
    Ok(())
}

/// What a page announces of itself, and what follows it.
struct Page<'a> {
    /// The size of its header, and what it decompresses to.
    bytes: u64,
    values: u64,
    rest: &'a [u8],
}

fn page(chunk: &[u8]) -> Option<Page<'_>> {
    let (mut bytes, mut compressed, mut values) = (None, None, 0);
    let mut header = Reader::new(chunk);
    header.each_field(|reader, id, of| {
        match (id, of) {
            (2, kind::I32) => bytes = u64::try_from(reader.integer()?).ok(),
            (3, kind::I32) => compressed = usize::try_from(reader.integer()?).ok(),
            // Data and dictionary pages of every version say first how many values they have.
            (5 | 7 | 8, kind::STRUCT) => reader.each_field(|reader, id, of| {
                if (id, of) == (1, kind::I32) {
                    values = u64::try_from(reader.integer()?).ok()?;
                }
                Some((id, of) == (1, kind::I32))
            })?,
            _ => return Some(false),
        }
        Some(true)
    })?;
    let header = chunk.len() - header.left();
    let rest = chunk.get(header..)?.get(compressed?..)?;
    Some(Page { bytes: bytes?.saturating_add(header as u64), values, rest })
}
