//! Actions of a table's log, as the kernel takes them.

use super::files::DataFile;
use crate::error::EngineError;
use crate::kinds::words::Worded;
use arrow_array::builder::{MapBuilder, MapFieldNames, StringBuilder};
use arrow_array::{Array, ArrayRef, Int64Array, RecordBatch, StringArray, StructArray, new_null_array};
use arrow_schema::{Field, Schema};
use std::sync::Arc;

/// The names of the columns that tables are partitioned by.
pub(in crate::lake) const PARTITIONS: [&str; 2] = ["organization", "month"];

/// The log's `add` actions without their statistics, to be made `remove` actions: those stay in the log for long, and statistics name users.
pub(in crate::lake) fn without_statistics(actions: &RecordBatch) -> Result<RecordBatch, EngineError> {
    let mut columns = actions.columns().to_vec();
    let position = actions.schema_ref().index_of("stats")?;
    if let Some(statistics) = columns.get_mut(position) {
        *statistics = new_null_array(statistics.data_type(), actions.num_rows());
    }
    Ok(RecordBatch::try_new(actions.schema(), columns)?)
}

/// `add` actions of files.
pub(in crate::lake) fn added<B: Worded>(files: &[DataFile]) -> Result<RecordBatch, EngineError> {
    let names = MapFieldNames { entry: "key_value".into(), key: "key".into(), value: "value".into() };
    let mut partitions = MapBuilder::new(Some(names), StringBuilder::new(), StringBuilder::new());
    for file in files {
        for (name, value) in PARTITIONS.into_iter().zip([file.org.to_string(), file.month.clone()]) {
            partitions.keys().append_value(name);
            partitions.values().append_value(value);
        }
        partitions.append(true)?;
    }
    let int = |of: fn(&DataFile) -> u64| -> ArrayRef {
        Arc::new(Int64Array::from_iter_values(files.iter().map(|file| i64::try_from(of(file)).unwrap_or(i64::MAX))))
    };
    let partitions: ArrayRef = Arc::new(partitions.finish());
    let columns: Vec<(&str, ArrayRef, bool)> = vec![
        ("path", Arc::new(StringArray::from_iter_values(files.iter().map(|file| &file.name))), false),
        ("partitionValues", partitions, false),
        ("size", int(|file| file.size), false),
        ("modificationTime", Arc::new(Int64Array::from_iter_values(files.iter().map(|file| file.written))), false),
        ("stats", Arc::new(statistics::<B>(files, int(|file| file.facts))?), true),
    ];
    let fields: Vec<Field> =
        columns.iter().map(|(name, column, nullable)| Field::new(*name, column.data_type().clone(), *nullable)).collect();
    Ok(RecordBatch::try_new(Arc::new(Schema::new(fields)), columns.into_iter().map(|(_, column, _)| column).collect())?)
}

/// The statistics of files: how many facts, and the bounds of some columns, none of which is ever absent.
fn statistics<B: Worded>(files: &[DataFile], facts: ArrayRef) -> Result<StructArray, EngineError> {
    let structure = |columns: Vec<(String, ArrayRef)>| {
        let fields: Vec<Field> = columns.iter().map(|(name, column)| Field::new(name, column.data_type().clone(), true)).collect();
        StructArray::try_new(fields.into(), columns.into_iter().map(|(_, column)| column).collect(), None)
    };
    let of_files: Vec<_> = files.iter().map(DataFile::bounds::<B>).collect();
    let names: Vec<&str> = of_files.first().map(|bounds| bounds.iter().map(|(name, _)| *name).collect()).unwrap_or_default();
    let bound = |end: usize| {
        let column = |(at, name): (usize, &&str)| {
            let texts = of_files.iter().map(|bounds| bounds.get(at).map_or("", |(_, ends)| ends[end].as_str()));
            ((*name).to_owned(), Arc::new(StringArray::from_iter_values(texts)) as ArrayRef)
        };
        structure(names.iter().enumerate().map(column).collect())
    };
    let none: ArrayRef = Arc::new(Int64Array::from(vec![0; files.len()]));
    let nulls = structure(names.iter().map(|name| ((*name).to_owned(), none.clone())).collect())?;
    Ok(structure(vec![
        ("numRecords".into(), facts),
        ("nullCount".into(), Arc::new(nulls)),
        ("minValues".into(), Arc::new(bound(0)?)),
        ("maxValues".into(), Arc::new(bound(1)?)),
    ])?)
}
