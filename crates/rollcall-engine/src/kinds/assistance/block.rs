//! Blocks of assistances.

use crate::kinds::block::{Block, Commit, fits, gather};
use arrow_array::cast::AsArray;
use arrow_array::types::{Int64Type, UInt32Type, UInt64Type};
use arrow_array::{ArrayRef, BooleanArray, Int64Array, RecordBatch, StringArray, UInt32Array, UInt64Array};
use arrow_schema::{ArrowError, DataType, Field, Schema, SchemaRef};
use rollcall_model::{FactKind, Millis, OrgId, Range};
use std::sync::{Arc, LazyLock};

/// The columns of a block.
static SCHEMA: LazyLock<SchemaRef> = LazyLock::new(|| {
    let column = |name: &str, kind: DataType| Field::new(name, kind, false);
    Arc::new(Schema::new(vec![
        column("at", DataType::Int64),
        column("user", DataType::UInt32),
        column("booking", DataType::UInt32),
        column("department_given", DataType::Boolean),
        column("use", DataType::UInt32),
        column("count", DataType::UInt32),
        column("accepted", DataType::UInt32),
        column("lines_accepted", DataType::UInt32),
        column("lines_changed", DataType::UInt32),
        column("given_id", DataType::Utf8),
        column("receipt", DataType::UInt64),
    ]))
});

/// One row on its way into a block.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct AssistanceRow<'a> {
    /// See [`rollcall_model::Assistance::at`].
    pub at: Millis,
    /// The user's number in the organization.
    pub user: u32,
    /// The number of the booking in the organization: see [`crate::facts::Assistances::bookings`].
    pub booking: u32,
    /// See [`rollcall_model::Assistance::department_given`].
    pub department_given: bool,
    /// The number of the use in the organization: see [`crate::facts::Use`].
    pub usage: u32,
    /// Turns of a chat, suggestions of a completion, 0 for edits.
    pub count: u32,
    /// See [`rollcall_model::Assistance::accepted`].
    pub accepted: u32,
    /// See [`rollcall_model::Assistance::lines_accepted`].
    pub lines_accepted: u32,
    /// See [`rollcall_model::Assistance::lines_changed`].
    pub lines_changed: u32,
    /// The id as given; empty where the default stands.
    pub given_id: &'a str,
    /// The number of the receipt that it came with: see [`rollcall_model::Receipt::receipt`].
    pub receipt: u64,
}

/// Assistances of one UTC day of `at`, sorted by it. Their reach is their extent.
#[derive(Debug, Clone)]
pub struct AssistanceBlock {
    batch: RecordBatch,
}

impl Block for AssistanceBlock {
    type Row<'a> = AssistanceRow<'a>;
    const KIND: FactKind = FactKind::Assistance;

    fn schema() -> &'static SchemaRef {
        &SCHEMA
    }

    fn time(row: &AssistanceRow<'_>) -> Millis {
        row.at
    }

    fn size(row: &AssistanceRow<'_>) -> usize {
        48 + row.given_id.len()
    }

    fn entries(_: &AssistanceRow<'_>) -> u64 {
        1
    }

    fn from_rows(rows: &[&AssistanceRow<'_>]) -> Result<Self, ArrowError> {
        fits(rows, |row| row.given_id)?;
        let numbers = |of: fn(&AssistanceRow<'_>) -> u32| -> ArrayRef { Arc::new(UInt32Array::from(gather(rows, of))) };
        let columns: Vec<ArrayRef> = vec![
            Arc::new(Int64Array::from(gather(rows, |row| row.at))),
            numbers(|row| row.user),
            numbers(|row| row.booking),
            Arc::new(BooleanArray::from(gather(rows, |row| row.department_given))),
            numbers(|row| row.usage),
            numbers(|row| row.count),
            numbers(|row| row.accepted),
            numbers(|row| row.lines_accepted),
            numbers(|row| row.lines_changed),
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
        self.extent()
    }

    fn of_commit(commit: &Commit) -> &[(OrgId, Self)] {
        &commit.assistance
    }
}

impl AssistanceBlock {
    /// Reads every row, in order.
    pub fn rows(&self) -> impl Iterator<Item = AssistanceRow<'_>> {
        let number = |column: usize| self.batch.column(column).as_primitive::<UInt32Type>().values();
        let at = self.batch.column(0).as_primitive::<Int64Type>().values();
        let (users, bookings, uses, counts) = (number(1), number(2), number(4), number(5));
        let (accepted, lines_accepted, lines_changed) = (number(6), number(7), number(8));
        let departments_given = self.batch.column(3).as_boolean();
        let given_ids = self.batch.column(9).as_string::<i32>();
        let receipts = self.batch.column(10).as_primitive::<UInt64Type>().values();
        (0..self.facts()).map(move |row| AssistanceRow {
            at: at[row],
            user: users[row],
            booking: bookings[row],
            department_given: departments_given.value(row),
            usage: uses[row],
            count: counts[row],
            accepted: accepted[row],
            lines_accepted: lines_accepted[row],
            lines_changed: lines_changed[row],
            given_id: given_ids.value(row),
            receipt: receipts[row],
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::kinds::block::Header;

    #[test]
    fn a_block_reads_back_as_it_was_written() {
        let row = AssistanceRow {
            at: 1_740_819_600_000,
            user: 7,
            booking: 3,
            department_given: true,
            usage: 2,
            count: u32::MAX,
            accepted: 1,
            lines_accepted: 4,
            lines_changed: 5,
            given_id: "聊",
            receipt: 1 << 16,
        };
        let later = AssistanceRow { at: row.at + 5, given_id: "", receipt: u64::MAX >> 1, department_given: false, ..row };
        let bytes = AssistanceBlock::from_rows(&[&row, &later]).unwrap().encode().unwrap();
        let extent = Range::new(row.at, later.at + 1);
        assert_eq!(Header::of(&bytes), Some(Header { extent, reach: extent }));
        let block = AssistanceBlock::decode(&bytes).unwrap();
        assert_eq!(block.rows().collect::<Vec<_>>(), [row, later]);
        assert_eq!(block.within(Range::new(row.at + 1, later.at + 1)).rows().collect::<Vec<_>>(), [later]);
        assert!(crate::kinds::block::AttendanceBlock::decode(&bytes).is_err());
    }
}
