//! Facts read back from data files: only the row groups and pages that may hold what is wanted, each batch within one UTC day.

use super::checksums::{Checked, Footer};
use crate::error::EngineError;
use crate::kinds::stored::{Wanted, day_of};
use crate::kinds::words::{Worded, dictionaries};
use crate::lake::files::DataFile;
use crate::lake::store::Store;
use arrow_array::cast::AsArray;
use arrow_array::types::TimestampMicrosecondType;
use arrow_array::{BooleanArray, RecordBatch};
use arrow_buffer::BooleanBuffer;
use arrow_schema::ArrowError;
use parquet::arrow::ProjectionMask;
use parquet::arrow::arrow_reader::{
    ArrowPredicateFn, ArrowReaderOptions, ParquetRecordBatchReader, ParquetRecordBatchReaderBuilder, RowFilter, RowSelection,
};
use parquet::file::metadata::{PageIndexPolicy, ParquetMetaData};
use parquet::file::page_index::column_index::ColumnIndexMetaData;
use parquet::file::statistics::Statistics;
use parquet::schema::types::SchemaDescriptor;
use quick_cache::sync::Cache;
use rollcall_model::calendar::DAY_MILLIS;
use rollcall_model::{Millis, Range};
use std::sync::Arc;

/// How many facts are decoded at a time.
const BATCH_FACTS: usize = 32 << 10;

/// Footers of data files, by name, so that a report's edge reads only its pages.
pub(in crate::lake) type Footers = Cache<String, Footer, ByMemory>;

#[derive(Debug, Clone)]
pub(in crate::lake) struct ByMemory;

impl quick_cache::Weighter<String, Footer> for ByMemory {
    fn weight(&self, name: &String, footer: &Footer) -> u64 {
        let blocks = footer.blocks.as_ref().map_or(0, |blocks| blocks.bytes());
        (name.len() + footer.parquet.metadata().memory_size() + blocks) as u64
    }
}

/// A data file, read in order.
pub(in crate::lake) struct FileReader {
    batches: ParquetRecordBatchReader,
    source: Checked,
    time: &'static str,
    times: Range,
    /// While it is held, the file is not deleted.
    _file: Arc<DataFile>,
    /// What of the current batch was not given yet.
    rest: Option<RecordBatch>,
}

impl FileReader {
    /// Opens a file of a table to read what may be wanted.
    pub(in crate::lake) fn open<B: Worded>(
        store: &Store,
        footers: &Footers,
        table: &str,
        file: &Arc<DataFile>,
        wanted: Wanted,
    ) -> Result<Self, EngineError> {
        let (source, footer) = open::<B>(store, footers, table, file)?;
        let (groups, selection) = wanted_rows::<B>(footer.parquet.metadata(), wanted);
        let mut builder = ParquetRecordBatchReaderBuilder::new_with_metadata(source.clone(), footer.parquet).with_batch_size(BATCH_FACTS);
        builder = builder.with_row_groups(groups).with_row_selection(selection);
        if !wanted.is_of_any_reach() {
            let about = about::<B>(builder.parquet_schema(), wanted.reach);
            builder = builder.with_row_filter(about);
        }
        if let Some(columns) = wanted.columns {
            let columns = ProjectionMask::columns(builder.parquet_schema(), columns.iter().copied().chain([B::TIME]));
            builder = builder.with_projection(columns);
        }
        let batches = builder.build().map_err(|error| source.failed(error))?;
        let mut reader = Self { batches, source, time: B::TIME, times: wanted.times, _file: file.clone(), rest: None };
        reader.advance()?;
        Ok(reader)
    }

    /// The time of the next fact, if there is one more.
    pub(in crate::lake) fn next_time(&self) -> Option<Millis> {
        self.rest.as_ref().and_then(|rest| self.times_of(rest).first().map(|at| at.div_euclid(1000)))
    }

    /// The next facts, in words, all of one UTC day.
    pub(in crate::lake) fn next_batch(&mut self) -> Result<Option<RecordBatch>, EngineError> {
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
            let batch = batch.map_err(|error| self.source.failed(error))?;
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

/// Passes over facts that are not about a range before anything else of them is read: few of a page are.
fn about<B: Worded>(schema: &SchemaDescriptor, reach: Range) -> RowFilter {
    let bounds = [Condition::reaches_before::<B>(reach), Condition::reaches_after::<B>(reach)];
    let columns = ProjectionMask::columns(schema, B::REACH);
    let is_about = move |batch: RecordBatch| {
        let times = |name: &str| Some(batch.column_by_name(name)?.as_primitive_opt::<TimestampMicrosecondType>()?.values());
        let may_be = |condition: &Condition| {
            let times = times(condition.column).ok_or_else(|| ArrowError::SchemaError(condition.column.to_owned()))?;
            Ok::<_, ArrowError>(BooleanBuffer::collect_bool(times.len(), |row| condition.may_be(times[row], times[row])))
        };
        Ok(BooleanArray::from(&may_be(&bounds[0])? & &may_be(&bounds[1])?))
    };
    RowFilter::new(vec![Box::new(ArrowPredicateFn::new(columns, is_about))])
}

/// Calls `with` with every fact of a file in turn, of which it reads these columns only; none: all.
pub(in crate::lake) fn each_batch<B: Worded>(
    store: &Store,
    footers: &Footers,
    table: &str,
    file: &DataFile,
    columns: Option<&[&str]>,
    mut with: impl FnMut(&RecordBatch) -> Result<(), EngineError>,
) -> Result<(), EngineError> {
    let (source, footer) = open::<B>(store, footers, table, file)?;
    let schema = footer.parquet.metadata().file_metadata().schema_descr();
    let read = columns.map_or_else(ProjectionMask::all, |columns| ProjectionMask::columns(schema, columns.iter().copied()));
    let builder = ParquetRecordBatchReaderBuilder::new_with_metadata(source.clone(), footer.parquet).with_batch_size(BATCH_FACTS);
    for batch in builder.with_projection(read).build().map_err(|error| source.failed(error))? {
        with(&batch.map_err(|error| source.failed(error))?)?;
    }
    Ok(())
}

/// Opens a data file of a table, with its footer.
fn open<B: Worded>(store: &Store, footers: &Footers, table: &str, file: &DataFile) -> Result<(Checked, Footer), EngineError> {
    let source = Checked::open(store, table, file)?;
    let footer = footers.get_or_insert_with(&file.name, || {
        let options = ArrowReaderOptions::new().with_page_index_policy(PageIndexPolicy::Optional);
        source.footer(options.with_schema(dictionaries(B::columns())))
    })?;
    Ok((source.with(&footer), footer))
}

/// Rows of a row group that follow one another.
#[derive(Debug, Clone, Copy)]
struct Rows {
    from: usize,
    to: usize,
}

/// What is asked of a column: that some value is before one instant and not before another.
struct Condition {
    column: &'static str,
    before: i64,
    from: i64,
}

impl Condition {
    /// What is about a range begins before its end.
    fn reaches_before<B: Worded>(reach: Range) -> Self {
        Self { column: B::REACH[0], before: reach.to.saturating_mul(1000), from: i64::MIN }
    }

    /// What is about a range ends after its begin.
    fn reaches_after<B: Worded>(reach: Range) -> Self {
        Self { column: B::REACH[1], before: i64::MAX, from: reach.from.saturating_mul(1000) }
    }

    /// Whether a value between these may be asked for.
    const fn may_be(&self, least: i64, greatest: i64) -> bool {
        least < self.before && greatest >= self.from
    }
}

/// The row groups that may hold what is wanted, and which of their rows.
fn wanted_rows<B: Worded>(file: &ParquetMetaData, wanted: Wanted) -> (Vec<usize>, RowSelection) {
    let micros = |at: Millis| at.saturating_mul(1000);
    let conditions = [
        Condition { column: B::TIME, before: micros(wanted.times.to), from: micros(wanted.times.from) },
        Condition::reaches_before::<B>(wanted.reach),
        Condition::reaches_after::<B>(wanted.reach),
    ];
    let columns: Vec<(usize, Condition)> =
        conditions.into_iter().filter_map(|condition| Some((position(file, condition.column)?, condition))).collect();
    let (mut groups, mut ranges, mut before) = (Vec::new(), Vec::new(), 0);
    for (number, group) in file.row_groups().iter().enumerate() {
        let may_be = |(column, condition): &(usize, Condition)| match group.column(*column).statistics() {
            Some(Statistics::Int64(of)) => {
                of.min_opt().zip(of.max_opt()).is_none_or(|(least, greatest)| condition.may_be(*least, *greatest))
            }
            _ => true,
        };
        if !columns.iter().all(may_be) {
            continue;
        }
        let all = Rows { from: 0, to: usize::try_from(group.num_rows()).unwrap_or_default() };
        let mut of_group = [all].to_vec();
        for (column, condition) in &columns {
            if let Some(pages) = pages(file, number, *column, all, condition) {
                of_group = intersection(&of_group, &pages);
            }
        }
        groups.push(number);
        ranges.extend(of_group.into_iter().map(|rows| rows.from + before..rows.to + before));
        before += all.to;
    }
    (groups, RowSelection::from_consecutive_ranges(ranges.into_iter(), before))
}

/// The number of a column in the file.
fn position(file: &ParquetMetaData, name: &str) -> Option<usize> {
    file.file_metadata().schema_descr().columns().iter().position(|column| column.path().string() == name)
}

/// The rows of a row group whose pages may hold what is asked of a column, if the file says what they hold.
fn pages(file: &ParquetMetaData, group: usize, column: usize, all: Rows, condition: &Condition) -> Option<Vec<Rows>> {
    let index = file.page_index()?;
    let (Some(ColumnIndexMetaData::INT64(bounds)), Some(places)) = (index.column_index(group, column), index.offset_index(group, column))
    else {
        return None;
    };
    let start =
        |page: usize| places.page_locations().get(page).and_then(|page| usize::try_from(page.first_row_index).ok()).unwrap_or(all.to);
    let mut found: Vec<Rows> = Vec::new();
    for page in 0..places.page_locations().len() {
        let bounds = bounds.min_value(page).zip(bounds.max_value(page));
        if bounds.is_none_or(|(least, greatest)| condition.may_be(*least, *greatest)) {
            match found.last_mut() {
                Some(last) if last.to == start(page) => last.to = start(page + 1),
                _ => found.push(Rows { from: start(page), to: start(page + 1) }),
            }
        }
    }
    Some(found)
}

/// What lies in both of two lists of rows that ascend.
fn intersection(a: &[Rows], b: &[Rows]) -> Vec<Rows> {
    let with = |a: Rows| b.iter().map(move |b| Rows { from: a.from.max(b.from), to: a.to.min(b.to) }).filter(|both| both.from < both.to);
    a.iter().flat_map(|a| with(*a)).collect()
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
    pub(in crate::lake) fn new(
        store: Store,
        footers: Arc<Footers>,
        table: &'static str,
        files: Vec<Arc<DataFile>>,
        wanted: Wanted,
    ) -> Self {
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
