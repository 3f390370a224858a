//! Facts read back from data files: only the row groups and pages that may hold what is wanted, each batch within one UTC day.

use super::failed;
use super::files::DataFile;
use super::store::{Source, Store};
use crate::error::EngineError;
use crate::ledger::{Wanted, day_of};
use crate::words::{Worded, dictionaries, text_of};
use arrow_array::RecordBatch;
use arrow_array::cast::AsArray;
use arrow_array::types::TimestampMicrosecondType;
use parquet::arrow::ProjectionMask;
use parquet::arrow::arrow_reader::{
    ArrowReaderMetadata, ArrowReaderOptions, ParquetRecordBatchReader, ParquetRecordBatchReaderBuilder, RowSelection,
};
use parquet::file::metadata::{PageIndexPolicy, ParquetMetaData};
use parquet::file::page_index::column_index::ColumnIndexMetaData;
use parquet::file::statistics::Statistics;
use quick_cache::sync::Cache;
use rollcall_model::calendar::DAY_MILLIS;
use rollcall_model::{Millis, Range};
use std::sync::Arc;

/// How many facts are decoded at a time.
const BATCH_FACTS: usize = 32 << 10;

/// Footers of data files, by name, so that a report's edge reads only its pages.
pub(super) type Footers = Cache<String, ArrowReaderMetadata, ByMemory>;

#[derive(Debug, Clone)]
pub(super) struct ByMemory;

impl quick_cache::Weighter<String, ArrowReaderMetadata> for ByMemory {
    fn weight(&self, name: &String, footer: &ArrowReaderMetadata) -> u64 {
        (name.len() + footer.metadata().memory_size()) as u64
    }
}

/// A data file, read in order.
pub(super) struct FileReader {
    batches: ParquetRecordBatchReader,
    time: &'static str,
    times: Range,
    /// While it is held, the file is not deleted.
    file: Arc<DataFile>,
    /// What of the current batch was not given yet.
    rest: Option<RecordBatch>,
}

impl FileReader {
    /// Opens a file of a table to read what may be wanted.
    pub(super) fn open<B: Worded>(
        store: &Store,
        footers: &Footers,
        table: &str,
        file: &Arc<DataFile>,
        wanted: Wanted,
    ) -> Result<Self, EngineError> {
        let name = format!("{table}/{}", file.name);
        let source = store.open_file(&name, file.size)?;
        let footer = footers.get_or_insert_with(&name, || footer::<B>(&source, &name))?;
        let (groups, selection) = wanted_rows::<B>(footer.metadata(), wanted);
        let builder = ParquetRecordBatchReaderBuilder::new_with_metadata(source, footer).with_batch_size(BATCH_FACTS);
        let batches = builder.with_row_groups(groups).with_row_selection(selection).build().map_err(failed)?;
        let mut reader = Self { batches, time: B::TIME, times: wanted.times, file: file.clone(), rest: None };
        reader.advance()?;
        Ok(reader)
    }

    /// The time of the next fact, if there is one more.
    pub(super) fn next_time(&self) -> Option<Millis> {
        self.rest.as_ref().and_then(|rest| self.times_of(rest).first().map(|at| at.div_euclid(1000)))
    }

    /// The next facts, in words, all of one UTC day.
    pub(super) fn next_batch(&mut self) -> Result<Option<RecordBatch>, EngineError> {
        let Some(rest) = self.rest.take() else { return Ok(None) };
        let times = self.times_of(&rest);
        let Some(first) = times.first() else { return Ok(None) };
        let end = (i64::from(day_of(first.div_euclid(1000))) + 1) * DAY_MILLIS * 1000;
        let of_day = times.partition_point(|at| *at < end);
        if of_day < rest.num_rows() {
            self.rest = Some(rest.slice(of_day, rest.num_rows() - of_day));
        } else {
            self.advance()?;
        }
        Ok(Some(rest.slice(0, of_day)))
    }

    /// Goes to the next batch that has a fact of the wanted times.
    fn advance(&mut self) -> Result<(), EngineError> {
        loop {
            let Some(batch) = self.batches.next() else { return Ok(()) };
            let batch =
                batch.map_err(|error| EngineError::Storage(format!("the lake's data file {} cannot be read: {error}", self.file.name)))?;
            let times = self.times_of(&batch);
            let from = times.partition_point(|at| *at < self.times.from.saturating_mul(1000));
            let to = times.partition_point(|at| *at < self.times.to.saturating_mul(1000)).max(from);
            if from < to {
                self.rest = Some(batch.slice(from, to - from));
                return Ok(());
            }
        }
    }

    fn times_of<'b>(&self, batch: &'b RecordBatch) -> &'b [i64] {
        let column = batch.column_by_name(self.time).and_then(|column| column.as_primitive_opt::<TimestampMicrosecondType>());
        column.map_or(&[], |times| times.values())
    }
}

/// Whether a file has a fact of a user. Reads the one column.
pub(super) fn has_user<B: Worded>(store: &Store, footers: &Footers, table: &str, file: &DataFile, user: &str) -> Result<bool, EngineError> {
    let name = format!("{table}/{}", file.name);
    let source = store.open_file(&name, file.size)?;
    let footer = footers.get_or_insert_with(&name, || footer::<B>(&source, &name))?;
    let users = ProjectionMask::columns(footer.metadata().file_metadata().schema_descr(), ["user_id"]);
    let builder = ParquetRecordBatchReaderBuilder::new_with_metadata(source, footer).with_batch_size(BATCH_FACTS);
    for batch in builder.with_projection(users).build().map_err(failed)? {
        let batch = batch?;
        let users = text_of(&batch, "user_id")?;
        if (0..batch.num_rows()).any(|row| users.get(row) == user) {
            return Ok(true);
        }
    }
    Ok(false)
}

fn footer<B: Worded>(source: &Source, name: &str) -> Result<ArrowReaderMetadata, EngineError> {
    let options = ArrowReaderOptions::new().with_page_index_policy(PageIndexPolicy::Optional).with_schema(dictionaries(B::columns()));
    let broken = |error| EngineError::Storage(format!("the lake's data file {name} cannot be read: {error}"));
    ArrowReaderMetadata::load(source, options).map_err(broken)
}

/// The row groups that may hold what is wanted, and which of their rows.
fn wanted_rows<B: Worded>(file: &ParquetMetaData, wanted: Wanted) -> (Vec<usize>, RowSelection) {
    let micros = |range: Range| Range::new(range.from.saturating_mul(1000), range.to.saturating_mul(1000));
    let (times, reach) = (micros(wanted.times), micros(wanted.reach));
    // What is between the least and the greatest value of a column may be wanted.
    let conditions: [(&str, &dyn Fn(i64, i64) -> bool); 3] = [
        (B::TIME, &|least, greatest| least < times.to && greatest >= times.from),
        (B::REACH[0], &|least, _| least < reach.to),
        (B::REACH[1], &|_, greatest| greatest >= reach.from),
    ];
    let columns = conditions.map(|(name, may_be)| (position(file, name), may_be));
    let (mut groups, mut ranges, mut before) = (Vec::new(), Vec::new(), 0);
    for (number, group) in file.row_groups().iter().enumerate() {
        let bounds = |column: usize| match group.column(column).statistics() {
            Some(Statistics::Int64(statistics)) => statistics.min_opt().copied().zip(statistics.max_opt().copied()),
            _ => None,
        };
        let may_be = columns.iter().all(|(column, may_be)| column.and_then(bounds).is_none_or(|(least, greatest)| may_be(least, greatest)));
        if !may_be {
            continue;
        }
        let rows = usize::try_from(group.num_rows()).unwrap_or_default();
        let mut of_group = vec![0..rows];
        for (column, may_be) in columns.iter().filter_map(|(column, may_be)| Some(((*column)?, may_be))) {
            of_group = intersection(&of_group, &pages(file, number, column, rows, may_be));
        }
        groups.push(number);
        ranges.extend(of_group.into_iter().map(|range| range.start + before..range.end + before));
        before += rows;
    }
    (groups, RowSelection::from_consecutive_ranges(ranges.into_iter(), before))
}

/// The number of a column in the file.
fn position(file: &ParquetMetaData, name: &str) -> Option<usize> {
    file.file_metadata().schema_descr().columns().iter().position(|column| column.path().string() == name)
}

/// The rows of a row group whose pages may hold what is wanted of a column; all of them if the file does not say.
fn pages(
    file: &ParquetMetaData,
    group: usize,
    column: usize,
    rows: usize,
    may_be: &dyn Fn(i64, i64) -> bool,
) -> Vec<std::ops::Range<usize>> {
    let all = || vec![0..rows];
    let Some(index) = file.page_index() else { return all() };
    let (Some(ColumnIndexMetaData::INT64(bounds)), Some(places)) = (index.column_index(group, column), index.offset_index(group, column))
    else {
        return all();
    };
    let start = |page: usize| places.page_locations().get(page).and_then(|page| usize::try_from(page.first_row_index).ok()).unwrap_or(rows);
    let mut found: Vec<std::ops::Range<usize>> = Vec::new();
    for page in 0..places.page_locations().len() {
        let may_be = bounds.min_value(page).zip(bounds.max_value(page)).is_none_or(|(least, greatest)| may_be(*least, *greatest));
        if may_be {
            match found.last_mut() {
                Some(last) if last.end == start(page) => last.end = start(page + 1),
                _ => found.push(start(page)..start(page + 1)),
            }
        }
    }
    found
}

/// What lies in both of two lists of ranges that ascend.
fn intersection(a: &[std::ops::Range<usize>], b: &[std::ops::Range<usize>]) -> Vec<std::ops::Range<usize>> {
    let both = |a: &std::ops::Range<usize>| {
        let a = a.clone();
        b.iter().map(move |b| a.start.max(b.start)..a.end.min(b.end)).filter(|both| both.start < both.end)
    };
    a.iter().flat_map(both).collect()
}

/// The facts of some files of an organization, merged by UTC day: in each batch those of one day, and days ascend.
pub(crate) struct LakeScan<B> {
    store: Store,
    footers: Arc<Footers>,
    table: &'static str,
    wanted: Wanted,
    /// Files not begun, the earliest last.
    waiting: Vec<Arc<DataFile>>,
    open: Vec<FileReader>,
    of: std::marker::PhantomData<fn() -> B>,
}

impl<B: Worded> LakeScan<B> {
    pub(super) fn new(store: Store, footers: Arc<Footers>, table: &'static str, files: Vec<Arc<DataFile>>, wanted: Wanted) -> Self {
        let may_be =
            |file: &Arc<DataFile>| !file.times.intersect(&wanted.times).is_empty() && !file.reach().intersect(&wanted.reach).is_empty();
        let mut waiting: Vec<_> = files.into_iter().filter(may_be).collect();
        waiting.sort_unstable_by_key(|file| std::cmp::Reverse(file.times.from));
        Self { store, footers, table, wanted, waiting, open: Vec::new(), of: std::marker::PhantomData }
    }

    /// The UTC day of what comes next, if anything does.
    pub(crate) fn next_day(&mut self) -> Result<Option<u32>, EngineError> {
        Ok(self.earliest()?.map(|(at, _)| day_of(at)))
    }

    /// The next facts, in words, all of one UTC day.
    pub(crate) fn next_words(&mut self) -> Result<Option<RecordBatch>, EngineError> {
        let Some((_, reader)) = self.earliest()? else { return Ok(None) };
        let batch = self.open.get_mut(reader).map(FileReader::next_batch).transpose()?.flatten();
        self.open.retain(|reader| reader.next_time().is_some());
        Ok(batch)
    }

    /// The earliest time that comes next, and which open file has it. Files are opened when their first time is reached.
    fn earliest(&mut self) -> Result<Option<(Millis, usize)>, EngineError> {
        loop {
            let open = self.open.iter().enumerate().filter_map(|(number, reader)| Some((reader.next_time()?, number))).min();
            let due = |file: &Arc<DataFile>| open.is_none_or(|(at, _)| file.times.from <= at);
            let Some(file) = self.waiting.pop_if(|file| due(file)) else { return Ok(open) };
            let reader = FileReader::open::<B>(&self.store, &self.footers, self.table, &file, self.wanted)?;
            if reader.next_time().is_some() {
                self.open.push(reader);
            }
        }
    }
}
