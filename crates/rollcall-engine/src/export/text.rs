//! Record batches as text.

use arrow_array::cast::AsArray;
use arrow_array::types::{Int64Type, TimestampMicrosecondType};
use arrow_array::{Array, ArrayRef, RecordBatch};
use arrow_schema::DataType;
use rollcall_model::calendar::rfc3339;
use std::io::{self, Write};

/// One value of a column of [`crate::kinds::words::Worded::columns`].
enum Value<'b> {
    Text(&'b str),
    List(ArrayRef),
    Instant(i64),
    Number(i64),
}

fn value(column: &ArrayRef, row: usize) -> Option<Value<'_>> {
    column.is_valid(row).then(|| match column.data_type() {
        DataType::Utf8 => Value::Text(column.as_string::<i32>().value(row)),
        DataType::List(_) => Value::List(column.as_list::<i32>().value(row)),
        DataType::Timestamp(..) => Value::Instant(column.as_primitive::<TimestampMicrosecondType>().value(row).div_euclid(1000)),
        _ => Value::Number(column.as_primitive::<Int64Type>().value(row)),
    })
}

fn items(list: &ArrayRef) -> Vec<&str> {
    list.as_string::<i32>().iter().flatten().collect()
}

/// Writes each row as a JSON object on a line.
pub(super) fn ndjson(batch: &RecordBatch, out: &mut impl Write) -> io::Result<()> {
    let mut lines = Vec::with_capacity(batch.num_rows() * 384);
    for row in 0..batch.num_rows() {
        let mut before = '{';
        for (column, field) in batch.columns().iter().zip(batch.schema_ref().fields()) {
            let Some(value) = value(column, row) else { continue };
            write!(lines, "{before}\"{}\":", field.name())?;
            before = ',';
            match value {
                Value::Text(text) => serde_json::to_writer(&mut lines, text)?,
                Value::List(list) => serde_json::to_writer(&mut lines, &items(&list))?,
                Value::Instant(at) => write!(lines, "\"{}\"", rfc3339(at))?,
                Value::Number(number) => write!(lines, "{number}")?,
            }
        }
        lines.extend_from_slice(b"}\n");
    }
    out.write_all(&lines)
}

/// Writes each row as a record.
pub(super) fn csv(batch: &RecordBatch, out: &mut csv::Writer<impl Write>) -> io::Result<()> {
    for row in 0..batch.num_rows() {
        for column in batch.columns() {
            match value(column, row) {
                None => out.write_field("")?,
                Some(Value::Text(text)) => out.write_field(text)?,
                // An empty value would be an absent list.
                Some(Value::List(list)) if list.is_empty() => out.write_field("|")?,
                Some(Value::List(list)) => out.write_field(items(&list).join("|"))?,
                Some(Value::Instant(at)) => out.write_field(rfc3339(at))?,
                Some(Value::Number(number)) => out.write_field(number.to_string())?,
            }
        }
        out.write_record(None::<&[u8]>)?;
    }
    Ok(())
}
