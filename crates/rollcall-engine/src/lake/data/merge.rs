//! Sorted files merged into one sorted stream, a batch of each in memory at a time.

use super::checksums::Checked;
use crate::error::EngineError;
use crate::kinds::words::Worded;
use crate::lake::files::DataFile;
use crate::lake::store::Store;
use arrow_array::cast::AsArray;
use arrow_array::types::TimestampMicrosecondType;
use arrow_array::{RecordBatch, StringArray};
use arrow_buffer::ScalarBuffer;
use arrow_select::interleave::interleave_record_batch;
use parquet::arrow::arrow_reader::{ArrowReaderOptions, ParquetRecordBatchReader, ParquetRecordBatchReaderBuilder};
use parquet::file::metadata::PageIndexPolicy;
use std::cmp::Ordering;
use std::collections::BinaryHeap;
use std::collections::binary_heap::PeekMut;
use std::sync::Arc;

/// How many facts of each file are in memory, and how many a batch that comes out has at most.
pub(in crate::lake) const BATCH_FACTS: usize = 8192;

/// The facts of some files, in [`Worded::ORDER`]; those that it says nothing about are in the order of the files.
pub(in crate::lake) struct Merge {
    inputs: Vec<Input>,
    /// What comes next of each file that has more.
    next: BinaryHeap<Next>,
    order: &'static [&'static str],
}

/// A file being read.
struct Input {
    source: Checked,
    reader: ParquetRecordBatchReader,
    batch: RecordBatch,
    /// Where the batch is in the list that the batch being made is taken from.
    slot: usize,
}

/// The next fact of a file.
struct Next {
    keys: Arc<Vec<Key>>,
    row: usize,
    of: usize,
}

/// A column that facts are ordered by.
enum Key {
    Times(ScalarBuffer<i64>),
    Texts(StringArray),
}

impl Merge {
    /// Opens files of a table.
    pub(in crate::lake) fn open<B: Worded>(store: &Store, table: &str, files: &[Arc<DataFile>]) -> Result<Self, EngineError> {
        let mut merge = Self { inputs: Vec::with_capacity(files.len()), next: BinaryHeap::new(), order: B::ORDER };
        for file in files {
            let (source, reader) = open::<B>(store, table, file)?;
            merge.inputs.push(Input { source, reader, batch: RecordBatch::new_empty(B::columns().clone()), slot: 0 });
            merge.advance(merge.inputs.len() - 1)?;
        }
        Ok(merge)
    }

    /// Goes to the next batch of a file, if there is one more.
    fn advance(&mut self, of: usize) -> Result<Option<&RecordBatch>, EngineError> {
        let Some(input) = self.inputs.get_mut(of) else { return Ok(None) };
        for read in input.reader.by_ref() {
            input.batch = read.map_err(|error| input.source.failed(error))?;
            if input.batch.num_rows() > 0 {
                let keys: Option<Vec<Key>> = self.order.iter().map(|name| Key::of(&input.batch, name)).collect();
                let keys = Arc::new(keys.ok_or_else(|| input.source.failed("without a column that it is sorted by"))?);
                self.next.push(Next { keys, row: 0, of });
                return Ok(Some(&input.batch));
            }
        }
        Ok(None)
    }

    /// The next facts.
    pub(in crate::lake) fn next_batch(&mut self) -> Result<Option<RecordBatch>, EngineError> {
        let mut batches: Vec<RecordBatch> = Vec::with_capacity(self.inputs.len());
        for input in &mut self.inputs {
            input.slot = batches.len();
            batches.push(input.batch.clone());
        }
        let mut taken: Vec<(usize, usize)> = Vec::with_capacity(BATCH_FACTS);
        while taken.len() < BATCH_FACTS {
            let Some(mut next) = self.next.peek_mut() else { break };
            let (of, rows) = (next.of, next.keys.first().map_or(0, Key::len));
            taken.push((self.inputs.get(of).map_or(0, |input| input.slot), next.row));
            next.row += 1;
            if next.row == rows {
                PeekMut::pop(next);
                let slot = batches.len();
                if let Some(batch) = self.advance(of)? {
                    batches.push(batch.clone());
                    if let Some(input) = self.inputs.get_mut(of) {
                        input.slot = slot;
                    }
                }
            }
        }
        let (Some(first), Some(last)) = (taken.first(), taken.last()) else { return Ok(None) };
        // Files that do not overlap are not woven.
        if first.0 == last.0 && last.1 - first.1 + 1 == taken.len() {
            return Ok(batches.get(first.0).map(|batch| batch.slice(first.1, taken.len())));
        }
        Ok(Some(interleave_record_batch(&batches.iter().collect::<Vec<_>>(), &taken)?))
    }
}

/// Opens a data file to read all of it.
fn open<B: Worded>(store: &Store, table: &str, file: &DataFile) -> Result<(Checked, ParquetRecordBatchReader), EngineError> {
    let source = Checked::open(store, table, file)?;
    let options = ArrowReaderOptions::new().with_page_index_policy(PageIndexPolicy::Optional).with_schema(B::columns().clone());
    let footer = source.footer(options)?;
    let source = source.with(&footer);
    let builder = ParquetRecordBatchReaderBuilder::new_with_metadata(source.clone(), footer.parquet);
    let reader = builder.with_batch_size(BATCH_FACTS).build().map_err(|error| source.failed(error))?;
    Ok((source, reader))
}

impl Key {
    fn of(words: &RecordBatch, name: &str) -> Option<Self> {
        let column = words.column_by_name(name)?;
        let times = column.as_primitive_opt::<TimestampMicrosecondType>().map(|times| Self::Times(times.values().clone()));
        times.or_else(|| Some(Self::Texts(column.as_string_opt::<i32>()?.clone())))
    }

    fn len(&self) -> usize {
        match self {
            Self::Times(times) => times.len(),
            Self::Texts(texts) => arrow_array::Array::len(texts),
        }
    }
}

/// What comes first is the greatest: heaps give that.
impl Ord for Next {
    fn cmp(&self, other: &Self) -> Ordering {
        let column = |(a, b): (&Key, &Key)| match (a, b) {
            (Key::Times(a), Key::Times(b)) => a.get(self.row).cmp(&b.get(other.row)),
            (Key::Texts(a), Key::Texts(b)) => a.value(self.row).cmp(b.value(other.row)),
            _ => Ordering::Equal,
        };
        let differs = self.keys.iter().zip(&*other.keys).map(column).find(|order| order.is_ne());
        differs.unwrap_or_else(|| self.of.cmp(&other.of)).reverse()
    }
}

impl PartialOrd for Next {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl PartialEq for Next {
    fn eq(&self, other: &Self) -> bool {
        self.cmp(other).is_eq()
    }
}

impl Eq for Next {}
