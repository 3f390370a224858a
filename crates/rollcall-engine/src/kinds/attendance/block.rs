//! Blocks of attendances.

use crate::kinds::block::{Block, Commit, fits, gather};
use crate::kinds::columns::entries_of_stay;
use arrow_array::cast::AsArray;
use arrow_array::types::{Int64Type, UInt8Type, UInt16Type, UInt32Type, UInt64Type};
use arrow_array::{ArrayRef, Int64Array, RecordBatch, StringArray, UInt8Array, UInt16Array, UInt32Array, UInt64Array};
use arrow_schema::{ArrowError, DataType, Field, Schema, SchemaRef};
use rollcall_model::{FactKind, Millis, OrgId, Range, SessionKind};
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
        column("receipt", DataType::UInt64),
    ]))
});

/// One row on its way into a block.
#[derive(Debug, Clone, Copy)]
pub struct AttendanceRow<'a> {
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
    /// The number of the receipt that it came with: see [`rollcall_model::Receipt::receipt`].
    pub receipt: u64,
}

impl AttendanceRow<'_> {
    /// The instants of the stay: up to, not including, its end; a stay of no length has its one instant.
    pub const fn stay(&self) -> Range {
        Range::new(self.joined_at, if self.left_at > self.joined_at { self.left_at } else { self.joined_at + 1 })
    }
}

/// Attendances of one UTC day of `session_started_at`, sorted by it. Their reach is that of their stays.
#[derive(Debug, Clone)]
pub struct AttendanceBlock {
    batch: RecordBatch,
}

impl Block for AttendanceBlock {
    type Row<'a> = AttendanceRow<'a>;
    const KIND: FactKind = FactKind::Attendance;

    fn schema() -> &'static SchemaRef {
        &SCHEMA
    }

    fn time(row: &AttendanceRow<'_>) -> Millis {
        row.session_started_at
    }

    fn size(row: &AttendanceRow<'_>) -> usize {
        64 + row.session_id.len() + row.given_id.len()
    }

    fn entries(row: &AttendanceRow<'_>) -> u64 {
        // A kind that is not known is folded as one that is no meeting.
        entries_of_stay(row.joined_at, row.left_at, SessionKind::from_number(row.session_kind).unwrap_or(SessionKind::Call))
    }

    fn from_rows(rows: &[&AttendanceRow<'_>]) -> Result<Self, ArrowError> {
        fits(rows, |row| row.session_id)?;
        fits(rows, |row| row.given_id)?;
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
            Arc::new(UInt64Array::from(gather(rows, |row| row.receipt))),
        ];
        Ok(Self { batch: RecordBatch::try_new(SCHEMA.clone(), columns)? })
    }

    fn of_batch(batch: RecordBatch) -> Self {
        Self { batch }
    }

    fn batch(&self) -> &RecordBatch {
        &self.batch
    }

    fn reach(&self) -> Range {
        let stays = self.rows().map(|row| row.stay());
        stays.reduce(|a, b| Range::new(a.from.min(b.from), a.to.max(b.to))).unwrap_or(Range::new(0, 0))
    }

    fn of_commit(commit: &Commit) -> &[(OrgId, Self)] {
        &commit.attendance
    }
}

impl AttendanceBlock {
    /// Reads every row, in order.
    pub fn rows(&self) -> impl Iterator<Item = AttendanceRow<'_>> {
        let int64 = |column: usize| self.batch.column(column).as_primitive::<Int64Type>().values();
        let byte = |column: usize| self.batch.column(column).as_primitive::<UInt8Type>().values();
        let (started, joined_after, stayed) = (int64(0), int64(1), int64(2));
        let users = self.batch.column(3).as_primitive::<UInt32Type>().values();
        let apps = self.batch.column(4).as_primitive::<UInt16Type>().values();
        let session_ids = self.batch.column(5).as_string::<i32>();
        let (session_kinds, user_kinds, devices, media, units) = (byte(6), byte(7), byte(8), byte(9), byte(10));
        let places = self.batch.column(11).as_primitive::<UInt64Type>().values();
        let given_ids = self.batch.column(12).as_string::<i32>();
        let receipts = self.batch.column(13).as_primitive::<UInt64Type>().values();
        (0..self.facts()).map(move |row| {
            let joined_at = started[row] + joined_after[row];
            AttendanceRow {
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
                receipt: receipts[row],
            }
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::kinds::block::Header;

    #[test]
    fn a_block_reads_back_as_it_was_written() {
        let row = AttendanceRow {
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
            receipt: 1 << 16,
        };
        let later = AttendanceRow {
            session_started_at: row.session_started_at + 5,
            joined_at: row.left_at + 7,
            left_at: row.left_at + 7,
            given_id: "x",
            receipt: u64::MAX >> 1,
            ..row
        };
        let bytes = AttendanceBlock::from_rows(&[&row, &later]).unwrap().encode().unwrap();
        let extent = Range::new(row.session_started_at, later.session_started_at + 1);
        assert_eq!(Header::of(&bytes), Some(Header { extent, reach: Range::new(row.joined_at, later.joined_at + 1) }));
        let block = AttendanceBlock::decode(&bytes).unwrap();
        assert_eq!(format!("{:?}", block.rows().collect::<Vec<_>>()), format!("{:?}", [row, later]));
        assert!(AttendanceBlock::decode(&bytes[..bytes.len() - 3]).is_err());
        assert!(AttendanceBlock::decode(b"").is_err());
    }
}
