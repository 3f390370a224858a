//! Data files: sorted facts of one organization and month, in Parquet.
//!
//! Encodings are what every engine reads and what was found to be smallest, in bytes a fact of believable attendances: strings that
//! repeat from one fact to the next as what differs from the one before (`session_id`: 2.2, as a dictionary 2.5 to 3.0); other names as
//! dictionaries; times plain (`joined_at`: 4.2, `left_at`: 3.8, delta packed 4.3 each: zstd sees when many leave at once). What counts most is
//! that a row group's dictionary of users neither is cut off, as the library does at 1 MiB (300,000 users: 6.3 instead of 17.1), nor is
//! written again too often (100,000 users take 2 in each million facts, so a file has one row group where it can). Users are compressed at
//! level 1 (4.1; at level 6 4.3): their names are random as a rule, and what a harder search finds in them costs more than it saves.

use super::checksums;
use crate::clock::now;
use crate::crash;
use crate::error::EngineError;
use crate::kinds::words::{Worded, text_of};
use crate::lake::failed;
use crate::lake::files::{DataFile, Month};
use crate::lake::store::Store;
use arrow_array::RecordBatch;
use arrow_array::cast::AsArray;
use arrow_array::types::TimestampMicrosecondType;
use parquet::arrow::ArrowWriter;
use parquet::basic::{Compression, Encoding, ZstdLevel};
use parquet::file::properties::{EnabledStatistics, WriterProperties};
use parquet::schema::types::ColumnPath;
use rollcall_model::{OrgId, Range};

/// How large the dictionary of a column may be in a row group: 400,000 users of 36 bytes.
const DICTIONARY_BYTES: usize = 16 << 20;

/// How many facts a page has at most: what can be skipped within a row group.
const PAGE_FACTS: usize = 8 << 10;

/// How large files are made: some millions of facts. A file is in memory until it is stored, and larger ones compress no better.
pub(in crate::lake) const TARGET_BYTES: usize = 64 << 20;

/// How hard files are compressed: files of a flush are soon joined to larger ones.
#[derive(Debug, Clone, Copy)]
pub(in crate::lake) enum Effort {
    Flush,
    Compaction,
}

/// A data file being written.
pub(in crate::lake) struct FileWriter {
    parquet: ArrowWriter<Vec<u8>>,
    time: &'static str,
    reach: [&'static str; 2],
    facts: u64,
    ranges: [Option<Range>; 3],
    users: Option<(String, String)>,
}

impl FileWriter {
    pub(in crate::lake) fn new<B: Worded>(effort: Effort) -> Result<Self, EngineError> {
        // How hard zstd tries, and how many facts share a row group's dictionaries.
        let (level, group_facts) = match effort {
            Effort::Flush => (1, 256 << 10),
            Effort::Compaction => (6, 4 << 20),
        };
        let mut properties = WriterProperties::builder()
            .set_compression(Compression::ZSTD(ZstdLevel::try_new(level).map_err(failed)?))
            .set_max_row_group_row_count(Some(group_facts))
            .set_data_page_row_count_limit(PAGE_FACTS)
            .set_write_batch_size(PAGE_FACTS)
            .set_statistics_enabled(EnabledStatistics::Chunk)
            .set_dictionary_page_size_limit(DICTIONARY_BYTES)
            .set_created_by("rollcall".into());
        let users = Compression::ZSTD(ZstdLevel::try_new(1).map_err(failed)?);
        properties = properties.set_column_compression(ColumnPath::from("user_id"), users);
        let mut times = vec![B::TIME];
        times.extend(B::REACH);
        for name in times {
            let column = ColumnPath::from(name);
            properties = properties
                .set_column_dictionary_enabled(column.clone(), false)
                .set_column_encoding(column.clone(), Encoding::PLAIN)
                .set_column_statistics_enabled(column, EnabledStatistics::Page);
        }
        for name in ["id", "session_id"] {
            let column = ColumnPath::from(name);
            properties =
                properties.set_column_dictionary_enabled(column.clone(), false).set_column_encoding(column, Encoding::DELTA_BYTE_ARRAY);
        }
        let parquet = ArrowWriter::try_new(Vec::new(), B::columns().clone(), Some(properties.build())).map_err(failed)?;
        Ok(Self { parquet, time: B::TIME, reach: B::REACH, facts: 0, ranges: [None; 3], users: None })
    }

    /// Adds facts, which follow those before in the order of the lake.
    pub(in crate::lake) fn write(&mut self, words: &RecordBatch) -> Result<(), EngineError> {
        if words.num_rows() == 0 {
            return Ok(());
        }
        for (range, name) in self.ranges.iter_mut().zip([self.time, self.reach[0], self.reach[1]]) {
            let of_batch = extent(words, name);
            *range = match (*range, of_batch) {
                (Some(a), Some(b)) => Some(Range::new(a.from.min(b.from), a.to.max(b.to))),
                (a, b) => a.or(b),
            };
        }
        let users = text_of(words, "user_id")?;
        let mut ends = self.users.take();
        for row in 0..words.num_rows() {
            let user = users.get(row);
            match &mut ends {
                None => ends = Some((user.to_owned(), user.to_owned())),
                Some((first, _)) if user < first.as_str() => user.clone_into(first),
                Some((_, last)) if user > last.as_str() => user.clone_into(last),
                Some(_) => {}
            }
        }
        self.users = ends;
        self.facts += words.num_rows() as u64;
        self.parquet.write(words).map_err(failed)
    }

    /// Whether the file has so many bytes that the next fact goes to another.
    pub(in crate::lake) fn is_full(&self) -> bool {
        self.parquet.bytes_written() + self.parquet.in_progress_size() >= TARGET_BYTES
    }

    /// Stores the file durably in a table's directory, under a name of its own.
    pub(in crate::lake) fn finish(self, store: &Store, table: &str, org: OrgId, month: Month) -> Result<DataFile, EngineError> {
        let (bytes, checksum) = checksums::finish(self.parquet).map_err(failed)?;
        let name = format!("organization={org}/month={month}/{}.parquet", uuid::Uuid::new_v4());
        let size = bytes.len() as u64;
        store.put(&format!("{table}/{name}"), bytes, true)?;
        crash::point("lake-file-written");
        let [Some(times), Some(began), Some(ended)] = self.ranges else {
            return Err(EngineError::Storage("a data file without facts".into()));
        };
        Ok(DataFile {
            name,
            org,
            month,
            size,
            written: now(),
            facts: self.facts,
            times,
            began,
            ended,
            users: self.users.unwrap_or_default(),
            checksum: Some(checksum),
        })
    }
}

/// The first and the last instant of a column.
fn extent(words: &RecordBatch, name: &str) -> Option<Range> {
    let times = words.column_by_name(name)?.as_primitive_opt::<TimestampMicrosecondType>()?.values();
    let (first, last) = (times.iter().min()?, times.iter().max()?);
    Some(Range::new(first.div_euclid(1000), last.div_euclid(1000) + 1))
}
