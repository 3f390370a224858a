//! Columns of words: how they are made and read.

use crate::error::EngineError;
use crate::ledger::broken;
use arrow_array::builder::{ListBuilder, StringBuilder};
use arrow_array::cast::AsArray;
use arrow_array::types::{Int32Type, Int64Type, TimestampMicrosecondType};
use arrow_array::{Array, ArrayRef, Int64Array, ListArray, RecordBatch, StringArray, TimestampMicrosecondArray};
use arrow_schema::{DataType, Field, Schema, SchemaRef, TimeUnit};
use rollcall_model::Millis;
use std::sync::Arc;

/// The name of the column of receipts, which says how a fact came, and is no field of it.
pub(crate) const RECEIPT: &str = "receipt";

/// A column that every fact has.
pub(super) fn column(name: &str, of: DataType) -> Field {
    Field::new(name, of, false)
}

/// A column of strings that a fact may lack.
pub(super) fn optional(name: &str) -> Field {
    Field::new(name, DataType::Utf8, true)
}

/// Instants of UTC: microseconds, as Delta Lake has no others.
pub(super) fn instants() -> DataType {
    DataType::Timestamp(TimeUnit::Microsecond, Some("UTC".into()))
}

/// Lists of strings.
pub(super) fn lists() -> DataType {
    DataType::List(Arc::new(Field::new("element", DataType::Utf8, true)))
}

pub(super) fn strings<T: AsRef<str>>(texts: impl IntoIterator<Item = T>) -> ArrayRef {
    Arc::new(StringArray::from_iter_values(texts))
}

/// A column of strings, where the empty one is absent.
pub(super) fn optionals<T: AsRef<str>>(texts: impl IntoIterator<Item = T>) -> ArrayRef {
    Arc::new(texts.into_iter().map(|text| Some(text).filter(|text| !text.as_ref().is_empty())).collect::<StringArray>())
}

pub(super) fn times(times: impl IntoIterator<Item = Millis>) -> ArrayRef {
    Arc::new(TimestampMicrosecondArray::from_iter_values(times.into_iter().map(|at| at * 1000)).with_timezone("UTC"))
}

pub(super) fn numbers(numbers: impl IntoIterator<Item = u32>) -> ArrayRef {
    Arc::new(Int64Array::from_iter_values(numbers.into_iter().map(i64::from)))
}

/// The numbers of receipts, which have 63 bits.
pub(super) fn receipts(numbers: impl IntoIterator<Item = u64>) -> ArrayRef {
    Arc::new(Int64Array::from_iter_values(numbers.into_iter().map(u64::cast_signed)))
}

/// The number of the receipt of each fact.
pub(crate) fn receipts_of(words: &RecordBatch) -> Result<Vec<u64>, EngineError> {
    let numbers = named(words, RECEIPT)?.as_primitive_opt::<Int64Type>().ok_or_else(|| broken("a column of the lake"))?;
    Ok(numbers.values().iter().map(|number| number.cast_unsigned()).collect())
}

/// A builder of [`lists`].
pub(super) fn list_builder() -> ListBuilder<StringBuilder> {
    ListBuilder::new(StringBuilder::new()).with_field(Field::new("element", DataType::Utf8, true))
}

/// What `of` reads of a column; the default of each row if the column was not asked for.
pub(super) fn if_asked<T: Clone + Default>(
    words: &RecordBatch,
    name: &str,
    of: impl FnOnce(&str) -> Result<Vec<T>, EngineError>,
) -> Result<Vec<T>, EngineError> {
    if words.column_by_name(name).is_some() { of(name) } else { Ok(vec![T::default(); words.num_rows()]) }
}

/// The columns as the lake reads them: strings that repeat come as dictionaries, so that each is looked at once.
pub(crate) fn dictionaries(columns: &SchemaRef) -> SchemaRef {
    let of = |field: &Arc<Field>| match (field.data_type(), field.name().as_str()) {
        (DataType::Utf8, name) if !matches!(name, "id" | "session_id") => {
            let dictionary = DataType::Dictionary(Box::new(DataType::Int32), Box::new(DataType::Utf8));
            Arc::new(Field::new(name, dictionary, field.is_nullable()))
        }
        _ => field.clone(),
    };
    Arc::new(Schema::new(columns.fields().iter().map(of).collect::<Vec<_>>()))
}

/// A column by its name.
pub(super) fn named<'b>(words: &'b RecordBatch, name: &str) -> Result<&'b ArrayRef, EngineError> {
    words.column_by_name(name).ok_or_else(|| broken("a column of the lake"))
}

/// A column of instants, as milliseconds.
pub(crate) fn millis(words: &RecordBatch, name: &str) -> Result<Vec<Millis>, EngineError> {
    let times = named(words, name)?.as_primitive_opt::<TimestampMicrosecondType>().ok_or_else(|| broken("a column of the lake"))?;
    Ok(times.values().iter().map(|at| at.div_euclid(1000)).collect())
}

/// A column of counts.
pub(super) fn counts(words: &RecordBatch, name: &str) -> Result<Vec<u32>, EngineError> {
    let numbers = named(words, name)?.as_primitive_opt::<Int64Type>().ok_or_else(|| broken("a column of the lake"))?;
    numbers.values().iter().map(|number| u32::try_from(*number).map_err(|_| broken("a count of the lake"))).collect()
}

/// A column of lists of strings.
pub(super) fn lists_of<'b>(words: &'b RecordBatch, name: &str) -> Result<&'b ListArray, EngineError> {
    named(words, name)?.as_list_opt::<i32>().ok_or_else(|| broken("a column of the lake"))
}

/// The strings of one list, joined by newlines, which none of them holds.
pub(super) fn joined(list: &ArrayRef) -> String {
    let mut joined = String::new();
    for (at, text) in list.as_string::<i32>().iter().flatten().enumerate() {
        if at > 0 {
            joined.push('\n');
        }
        joined.push_str(text);
    }
    joined
}

/// The given ids; empty where the default stands.
pub(crate) fn ids(words: &RecordBatch) -> Result<&StringArray, EngineError> {
    named(words, "id")?.as_string_opt::<i32>().ok_or_else(|| broken("a column of the lake"))
}

/// A column of strings that hardly repeat; none if it was not asked for.
pub(super) fn texts_if_asked<'b>(words: &'b RecordBatch, name: &str) -> Result<Option<&'b StringArray>, EngineError> {
    let column = words.column_by_name(name).map(|column| column.as_string_opt::<i32>().ok_or_else(|| broken("a column of the lake")));
    column.transpose()
}

/// The text of a row of such a column; empty if it has none.
pub(super) fn text(column: Option<&StringArray>, row: usize) -> &str {
    column.filter(|column| column.is_valid(row)).map_or("", |column| column.value(row))
}

/// A column of strings, plain or as dictionaries.
pub(crate) struct Text<'b> {
    values: &'b StringArray,
    keys: Option<&'b [i32]>,
    column: &'b ArrayRef,
}

/// A column of strings by its name.
pub(crate) fn text_of<'b>(words: &'b RecordBatch, name: &str) -> Result<Text<'b>, EngineError> {
    let column = named(words, name)?;
    let (values, keys) = match column.as_dictionary_opt::<Int32Type>() {
        Some(dictionary) => (dictionary.values().as_string_opt::<i32>(), Some(dictionary.keys().values().as_ref())),
        None => (column.as_string_opt::<i32>(), None),
    };
    Ok(Text { values: values.ok_or_else(|| broken("a column of the lake"))?, keys, column })
}

impl<'b> Text<'b> {
    /// The text of a row; empty if it has none.
    pub(crate) fn get(&self, row: usize) -> &'b str {
        if self.column.is_null(row) { "" } else { self.values.value(self.key(row)) }
    }

    /// Which of the distinct texts a row has, if the column has such.
    fn key(&self, row: usize) -> usize {
        self.keys.map_or(row, |keys| usize::try_from(keys[row]).unwrap_or_default())
    }

    /// What `of` makes of the text of each row, asked once for each distinct text.
    pub(super) fn each<T: Copy>(&self, of: impl Fn(&'b str) -> Option<T>) -> Result<Vec<T>, EngineError> {
        let mut known: Vec<Option<T>> = vec![None; self.values.len()];
        let mut absent = None;
        let mut found = Vec::with_capacity(self.column.len());
        for row in 0..self.column.len() {
            let (known, text) = if self.column.is_null(row) {
                (&mut absent, "")
            } else {
                let key = self.key(row);
                (&mut known[key], self.values.value(key))
            };
            if known.is_none() {
                *known = of(text);
            }
            found.push(known.ok_or_else(|| broken("a name of the lake"))?);
        }
        Ok(found)
    }
}

/// The text of a row, if it has one.
pub(super) fn optional_text<'b>(text: &Text<'b>, row: usize) -> Option<&'b str> {
    Some(text.get(row)).filter(|text| !text.is_empty())
}
