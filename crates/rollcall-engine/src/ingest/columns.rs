//! Record batches, from Parquet or Arrow: a column a field, a row a fact.

use super::header::Header;
use super::{BodyError, Sink};
use crate::kinds::columns::Columns;
use arrow_array::cast::AsArray;
use arrow_array::types::{
    Int64Type, TimestampMicrosecondType, TimestampMillisecondType, TimestampNanosecondType, TimestampSecondType, UInt64Type,
};
use arrow_array::{Array, ArrayRef, Int64Array, LargeStringArray, RecordBatch, StringArray, StringViewArray, UInt64Array};
use arrow_buffer::{NullBuffer, OffsetBuffer, ScalarBuffer};
use arrow_schema::{DataType, Schema, TimeUnit};
use rollcall_model::directory::MOST_DEPARTMENTS;
use rollcall_model::{Draft, FactError, FactField, Value};

/// The longest list whose items are looked at. No valid one is longer.
const LONGEST_LIST: usize = MOST_DEPARTMENTS;

/// The fields that the columns of a schema are, in its order. What is wrong with a column is told here, once.
pub(super) fn fields_of<C: Columns>(schema: &Schema, sink: &Sink<'_, C>) -> Result<Vec<C::Field>, BodyError> {
    let mut header = Header::<C::Field>::new("columns that are the fields");
    for column in schema.fields() {
        let Some(field) = header.add(column.name()) else { continue };
        let expected = if !is_readable(column.data_type()) {
            "a column of strings, integers, timestamps or lists of strings"
        } else if matches!(column.data_type(), DataType::Timestamp(_, None)) && sink.context.zone.is_none() {
            "timestamps with a time zone, or the parameter zone (rollcall import: --time-zone), such as zone=Asia/Shanghai, which says \
             where the clocks were"
        } else {
            continue;
        };
        header.refuse(FactError::new(field.name(), Some(&column.data_type().to_string()), expected));
    }
    header.finish(0)
}

fn is_readable(of: &DataType) -> bool {
    match of {
        DataType::Null | DataType::Timestamp(..) => true,
        DataType::List(item) | DataType::LargeList(item) => is_text(item.data_type()),
        other => other.is_integer() || is_text(other),
    }
}

fn is_text(of: &DataType) -> bool {
    match of {
        DataType::Utf8 | DataType::LargeUtf8 | DataType::Utf8View => true,
        DataType::Dictionary(_, values) => matches!(**values, DataType::Utf8 | DataType::LargeUtf8 | DataType::Utf8View),
        _ => false,
    }
}

/// Takes the facts of a batch whose columns are `fields`.
pub(super) fn read_batch<C: Columns>(batch: &RecordBatch, fields: &[C::Field], sink: &mut Sink<'_, C>) -> Result<(), BodyError> {
    sink.room_for(batch.num_rows() as u64, 0)?;
    let columns: Vec<(C::Field, Column)> = fields.iter().zip(batch.columns()).map(|(field, array)| (*field, Column::of(array))).collect();
    for row in 0..batch.num_rows() {
        let mut draft = Draft::new();
        for (field, column) in &columns {
            draft.set_field(*field, column.value(row));
        }
        sink.take(sink.facts() + 1, draft)?;
    }
    Ok(())
}

/// A column, ready to be read by row.
struct Column {
    nulls: Option<NullBuffer>,
    values: Values,
}

enum Values {
    Null,
    Strings(StringArray),
    LargeStrings(LargeStringArray),
    StringViews(StringViewArray),
    /// The position of each row's value in a column of distinct ones.
    Dictionary(Vec<usize>, Box<Column>),
    Ints(Int64Array),
    Unsigned(UInt64Array),
    /// Ticks; `n` of them are `n * times / by` milliseconds.
    Times {
        ticks: ScalarBuffer<i64>,
        times: i64,
        by: i64,
        /// Whether they have no zone.
        local: bool,
    },
    Lists(OffsetBuffer<i64>, Box<Column>),
    Unreadable(String),
}

impl Column {
    fn of(array: &ArrayRef) -> Self {
        let values = match array.data_type() {
            // Its rows take no memory, so there may be more of them than null bits could be made for.
            DataType::Null => return Self { nulls: None, values: Values::Null },
            DataType::Utf8 => Values::Strings(array.as_string().clone()),
            DataType::LargeUtf8 => Values::LargeStrings(array.as_string().clone()),
            DataType::Utf8View => Values::StringViews(array.as_string_view().clone()),
            DataType::Dictionary(..) => {
                let dictionary = array.as_any_dictionary();
                // Keys cannot be read from an empty dictionary; every row is null then.
                let keys = if dictionary.values().is_empty() { vec![] } else { dictionary.normalized_keys() };
                Values::Dictionary(keys, Box::new(Self::of(dictionary.values())))
            }
            DataType::UInt64 => Values::Unsigned(array.as_primitive::<UInt64Type>().clone()),
            DataType::Timestamp(unit, zone) => {
                let (ticks, times, by) = match unit {
                    TimeUnit::Second => (array.as_primitive::<TimestampSecondType>().values(), 1000, 1),
                    TimeUnit::Millisecond => (array.as_primitive::<TimestampMillisecondType>().values(), 1, 1),
                    TimeUnit::Microsecond => (array.as_primitive::<TimestampMicrosecondType>().values(), 1, 1000),
                    TimeUnit::Nanosecond => (array.as_primitive::<TimestampNanosecondType>().values(), 1, 1_000_000),
                };
                Values::Times { ticks: ticks.clone(), times, by, local: zone.is_none() }
            }
            DataType::List(_) => {
                let lists = array.as_list::<i32>();
                let ends = lists.offsets().iter().map(|end| i64::from(*end)).collect::<Vec<_>>();
                // The offsets were in order as they came.
                Values::Lists(OffsetBuffer::new(ends.into()), Box::new(Self::of(lists.values())))
            }
            DataType::LargeList(_) => {
                let lists = array.as_list::<i64>();
                Values::Lists(lists.offsets().clone(), Box::new(Self::of(lists.values())))
            }
            // Every other integer widens without loss.
            _ => match arrow_cast::cast(array, &DataType::Int64) {
                Ok(ints) => Values::Ints(ints.as_primitive::<Int64Type>().clone()),
                Err(error) => Values::Unreadable(error.to_string()),
            },
        };
        Self { nulls: array.logical_nulls(), values }
    }

    fn value(&self, row: usize) -> Value<'_> {
        if self.nulls.as_ref().is_some_and(|nulls| nulls.is_null(row)) {
            return Value::Null;
        }
        match &self.values {
            Values::Null => Value::Null,
            Values::Strings(strings) => Value::Str(strings.value(row).into()),
            Values::LargeStrings(strings) => Value::Str(strings.value(row).into()),
            Values::StringViews(strings) => Value::Str(strings.value(row).into()),
            Values::Dictionary(keys, values) => keys.get(row).map_or(Value::Null, |key| values.value(*key)),
            Values::Ints(ints) => Value::Int(ints.value(row)),
            Values::Unsigned(ints) => {
                let value = ints.value(row);
                i64::try_from(value).map_or_else(|_| Value::Other(value.to_string()), Value::Int)
            }
            Values::Times { ticks, times, by, local } => {
                let at = ticks.get(row).and_then(|tick| Some(tick.checked_mul(*times)?.div_euclid(*by)));
                let value = if *local { Value::Local } else { Value::Int };
                at.map_or_else(|| Value::Other("a timestamp out of range".into()), value)
            }
            Values::Lists(offsets, items) => list(offsets, items, row),
            Values::Unreadable(why) => Value::Other(why.clone()),
        }
    }
}

fn list<'a>(offsets: &OffsetBuffer<i64>, items: &'a Column, row: usize) -> Value<'a> {
    let end = |row: usize| offsets.get(row).and_then(|end| usize::try_from(*end).ok()).unwrap_or_default();
    let (from, to) = (end(row), end(row + 1));
    if to.saturating_sub(from) > LONGEST_LIST {
        return Value::Other(format!("a list of {} items", to - from));
    }
    let texts = (from..to).map(|item| match items.value(item) {
        Value::Str(text) => Some(text),
        _ => None,
    });
    texts.collect::<Option<_>>().map_or_else(|| Value::Other("a list with a null".into()), Value::List)
}
