//! How the ledger writes facts: one block of attendances of one organization and one UTC day of `session_started_at`, sorted by it.
//!
//! A block is a header with the extent of its times, then an Arrow IPC stream, all compressed with zstd. The stream carries
//! its schema, so blocks of older versions stay readable. Users and apps are numbers of the organization.

use arrow_array::cast::AsArray;
use arrow_array::types::{Int64Type, UInt8Type, UInt16Type, UInt32Type, UInt64Type};
use arrow_array::{ArrayRef, Int64Array, RecordBatch, StringArray, UInt8Array, UInt16Array, UInt32Array, UInt64Array};
use arrow_ipc::reader::StreamReader;
use arrow_ipc::writer::StreamWriter;
use arrow_schema::{ArrowError, DataType, Field, Schema, SchemaRef};
use rollcall_model::{Millis, Range};
use std::sync::{Arc, LazyLock};

/// The columns of a block.
static SCHEMA: LazyLock<SchemaRef> = LazyLock::new(|| {
    let column = |name: &str, kind: DataType| Field::new(name, kind, false);
    Arc::new(Schema::new(vec![
        column("session_started_at", DataType::Int64),
        column("joined_after", DataType::Int64),
        column("stayed", DataType::Int64),
        column("user", DataType::UInt32),
        column("app", DataType::UInt16),
        column("session_id", DataType::Utf8),
        column("session_kind", DataType::UInt8),
        column("user_kind", DataType::UInt8),
        column("device", DataType::UInt8),
        column("media", DataType::UInt8),
        column("unit", DataType::UInt8),
        column("place", DataType::UInt64),
        column("given_id", DataType::Utf8),
    ]))
});

/// zstd's fastest ordinary level: a commit waits for it.
const ZSTD_LEVEL: i32 = 1;

/// The largest block that is read back: far above what a group commit can write.
const LARGEST_BLOCK: usize = 1 << 30;

/// One row on its way into a block.
#[derive(Debug, Clone, Copy)]
pub struct Row<'a> {
    /// See [`rollcall_model::Attendance::session_started_at`].
    pub session_started_at: Millis,
    /// See [`rollcall_model::Attendance::joined_at`].
    pub joined_at: Millis,
    /// See [`rollcall_model::Attendance::left_at`].
    pub left_at: Millis,
    /// The user's number in the organization.
    pub user: u32,
    /// The app's number in the organization.
    pub app: u16,
    /// See [`rollcall_model::Attendance::session_id`].
    pub session_id: &'a str,
    /// [`rollcall_model::SessionKind::number`].
    pub session_kind: u8,
    /// [`rollcall_model::UserKind::number`].
    pub user_kind: u8,
    /// [`rollcall_model::Device::number`].
    pub device: u8,
    /// [`rollcall_model::Media::bits`].
    pub media: u8,
    /// See [`rollcall_model::Attendance::unit`].
    pub unit: u8,
    /// [`rollcall_model::Place::number`], or 0.
    pub place: u64,
    /// The id as given; empty where the default stands.
    pub given_id: &'a str,
}

/// The facts of a block, as typed columns.
#[derive(Debug, Clone)]
pub struct Block {
    batch: RecordBatch,
}

impl Block {
    /// A block of these rows, in their order.
    ///
    /// # Errors
    /// If the strings take more than 2 GiB.
    pub fn from_rows(rows: &[&Row<'_>]) -> Result<Self, ArrowError> {
        fn gather<T>(rows: &[&Row<'_>], of: impl Fn(&Row<'_>) -> T) -> Vec<T> {
            rows.iter().map(|row| of(row)).collect()
        }
        let strings = |of: fn(&Row<'_>) -> usize| rows.iter().map(|row| of(row)).sum::<usize>() < i32::MAX as usize;
        if !strings(|row| row.session_id.len()) || !strings(|row| row.given_id.len()) {
            return Err(ArrowError::OffsetOverflowError(i32::MAX as usize));
        }
        let columns: Vec<ArrayRef> = vec![
            Arc::new(Int64Array::from(gather(rows, |row| row.session_started_at))),
            Arc::new(Int64Array::from(gather(rows, |row| row.joined_at - row.session_started_at))),
            Arc::new(Int64Array::from(gather(rows, |row| row.left_at - row.joined_at))),
            Arc::new(UInt32Array::from(gather(rows, |row| row.user))),
            Arc::new(UInt16Array::from(gather(rows, |row| row.app))),
            Arc::new(StringArray::from_iter_values(rows.iter().map(|row| row.session_id))),
            Arc::new(UInt8Array::from(gather(rows, |row| row.session_kind))),
            Arc::new(UInt8Array::from(gather(rows, |row| row.user_kind))),
            Arc::new(UInt8Array::from(gather(rows, |row| row.device))),
            Arc::new(UInt8Array::from(gather(rows, |row| row.media))),
            Arc::new(UInt8Array::from(gather(rows, |row| row.unit))),
            Arc::new(UInt64Array::from(gather(rows, |row| row.place))),
            Arc::new(StringArray::from_iter_values(rows.iter().map(|row| row.given_id))),
        ];
        Ok(Self { batch: RecordBatch::try_new(SCHEMA.clone(), columns)? })
    }

    /// The facts as a record batch.
    pub const fn batch(&self) -> &RecordBatch {
        &self.batch
    }

    /// How many facts there are.
    pub fn facts(&self) -> usize {
        self.batch.num_rows()
    }

    /// The facts whose sessions began in `range`.
    #[must_use]
    pub fn within(&self, range: Range) -> Self {
        let started = self.batch.column(0).as_primitive::<Int64Type>().values();
        let from = started.partition_point(|at| *at < range.from);
        let to = started.partition_point(|at| *at < range.to).max(from);
        Self { batch: self.batch.slice(from, to - from) }
    }

    /// Reads every row, in order.
    pub fn rows(&self) -> impl Iterator<Item = Row<'_>> {
        let int64 = |column: usize| self.batch.column(column).as_primitive::<Int64Type>().values();
        let byte = |column: usize| self.batch.column(column).as_primitive::<UInt8Type>().values();
        let (started, joined_after, stayed) = (int64(0), int64(1), int64(2));
        let users = self.batch.column(3).as_primitive::<UInt32Type>().values();
        let apps = self.batch.column(4).as_primitive::<UInt16Type>().values();
        let session_ids = self.batch.column(5).as_string::<i32>();
        let (session_kinds, user_kinds, devices, media, units) = (byte(6), byte(7), byte(8), byte(9), byte(10));
        let places = self.batch.column(11).as_primitive::<UInt64Type>().values();
        let given_ids = self.batch.column(12).as_string::<i32>();
        (0..self.facts()).map(move |row| {
            let joined_at = started[row] + joined_after[row];
            Row {
                session_started_at: started[row],
                joined_at,
                left_at: joined_at + stayed[row],
                user: users[row],
                app: apps[row],
                session_id: session_ids.value(row),
                session_kind: session_kinds[row],
                user_kind: user_kinds[row],
                device: devices[row],
                media: media[row],
                unit: units[row],
                place: places[row],
                given_id: given_ids.value(row),
            }
        })
    }

    /// The bytes the ledger stores.
    ///
    /// # Errors
    /// If Arrow or zstd refuses.
    pub fn encode(&self) -> Result<Vec<u8>, ArrowError> {
        let started = self.batch.column(0).as_primitive::<Int64Type>().values();
        let (first, last) = (started.first().copied().unwrap_or(0), started.last().copied().unwrap_or(0));
        let mut stream = Vec::with_capacity(2048 + self.facts() * 96);
        let mut writer = StreamWriter::try_new(&mut stream, &SCHEMA)?;
        writer.write(&self.batch)?;
        writer.finish()?;
        drop(writer);
        let mut block = Vec::with_capacity(16 + stream.len() / 2);
        block.extend_from_slice(&first.to_le_bytes());
        block.extend_from_slice(&last.to_le_bytes());
        block.extend(zstd::bulk::compress(&stream, ZSTD_LEVEL)?);
        Ok(block)
    }

    /// The instants in which a stored block's sessions began, without reading the block.
    pub fn extent(bytes: &[u8]) -> Option<Range> {
        let (first, rest) = bytes.split_first_chunk::<8>()?;
        let (last, _) = rest.split_first_chunk::<8>()?;
        Some(Range::new(i64::from_le_bytes(*first), i64::from_le_bytes(*last) + 1))
    }

    /// The block of stored bytes.
    ///
    /// # Errors
    /// If the bytes are not a block of this schema.
    pub fn decode(bytes: &[u8]) -> Result<Self, ArrowError> {
        let compressed = bytes.get(16..).unwrap_or_default();
        let size = zstd::zstd_safe::get_frame_content_size(compressed).ok().flatten().and_then(|size| usize::try_from(size).ok());
        let size = size.filter(|size| *size <= LARGEST_BLOCK).ok_or_else(|| ArrowError::IpcError("not a block".into()))?;
        let stream = zstd::bulk::decompress(compressed, size)?;
        let batch =
            StreamReader::try_new(stream.as_slice(), None)?.next().ok_or_else(|| ArrowError::IpcError("an empty block".into()))??;
        if batch.schema_ref() != &*SCHEMA {
            return Err(ArrowError::SchemaError(format!("unknown columns: {}", batch.schema_ref())));
        }
        Ok(Self { batch })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_block_reads_back_as_it_was_written() {
        let row = Row {
            session_started_at: 1_740_819_600_000,
            joined_at: 1_740_819_660_000,
            left_at: 1_740_823_200_000,
            user: 7,
            app: 1,
            session_id: "周会",
            session_kind: 0,
            user_kind: 1,
            device: 2,
            media: 3,
            unit: 0,
            place: 42,
            given_id: "",
        };
        let later = Row { session_started_at: row.session_started_at + 5, given_id: "x", ..row };
        let bytes = Block::from_rows(&[&row, &later]).unwrap().encode().unwrap();
        assert_eq!(Block::extent(&bytes), Some(Range::new(row.session_started_at, later.session_started_at + 1)));
        let block = Block::decode(&bytes).unwrap();
        assert_eq!(format!("{:?}", block.rows().collect::<Vec<_>>()), format!("{:?}", [row, later]));
        assert!(Block::decode(&bytes[..bytes.len() - 3]).is_err());
        assert!(Block::decode(b"").is_err());
    }
}
