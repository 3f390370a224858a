//! How the ledger writes facts: a block holds those of one kind, one organization and one UTC day, sorted by time.
//!
//! A block is a header of two ranges, then an Arrow IPC stream, compressed with zstd. The ranges are the *extent* of the times that it
//! is sorted by, and its *reach*: the instants that its facts are about. The stream carries its schema, so blocks of older versions stay
//! readable. Users, apps, bookings and uses are numbers of the organization.

pub use super::assistance::block::{AssistanceBlock, AssistanceRow};
pub use super::attendance::block::{AttendanceBlock, AttendanceRow};

use arrow_array::RecordBatch;
use arrow_array::cast::AsArray;
use arrow_array::types::Int64Type;
use arrow_ipc::reader::StreamReader;
use arrow_ipc::writer::StreamWriter;
use arrow_schema::{ArrowError, SchemaRef};
use rollcall_model::{FactKind, Millis, OrgId, Range};

/// zstd's fastest ordinary level: a commit waits for it.
const ZSTD_LEVEL: i32 = 1;

/// The largest block that is read back: far above what is written ([`crate::Settings::block_bytes`]).
const LARGEST_BLOCK: usize = 1 << 30;

/// The length of the header: two ranges of 64-bit instants.
const HEADER: usize = 32;

/// The facts of a block, as typed columns; the first holds the times that they are sorted by.
pub trait Block: Sized + Clone + std::fmt::Debug + Send + 'static {
    /// One fact on its way into a block.
    type Row<'a>: Copy;

    /// What the facts are about.
    const KIND: FactKind;

    /// The columns.
    fn schema() -> &'static SchemaRef;

    /// The time that facts are sorted by.
    fn time(row: &Self::Row<'_>) -> Millis;

    /// About how many bytes of a block a row takes.
    fn size(row: &Self::Row<'_>) -> usize;

    /// How many entries of base cells the fact of a row makes.
    fn entries(row: &Self::Row<'_>) -> u64;

    /// A block of these rows, which are in order.
    ///
    /// # Errors
    /// If the strings take more than 2 GiB.
    fn from_rows(rows: &[&Self::Row<'_>]) -> Result<Self, ArrowError>;

    /// The block of a record batch with the columns of [`Block::schema`].
    fn of_batch(batch: RecordBatch) -> Self;

    /// The facts as a record batch.
    fn batch(&self) -> &RecordBatch;

    /// The instants that the facts are about.
    fn reach(&self) -> Range;

    /// The blocks of this kind in a commit.
    fn of_commit(commit: &Commit) -> &[(OrgId, Self)];

    /// How many facts there are.
    fn facts(&self) -> usize {
        self.batch().num_rows()
    }

    /// The times of the facts, in order.
    fn times(&self) -> &[Millis] {
        self.batch().columns().first().map_or(&[], |times| times.as_primitive::<Int64Type>().values())
    }

    /// The extent of the times of the facts.
    fn extent(&self) -> Range {
        let times = self.times();
        Range::new(times.first().copied().unwrap_or(0), times.last().map_or(0, |last| last + 1))
    }

    /// The facts whose times are in `range`.
    #[must_use]
    fn within(&self, range: Range) -> Self {
        let times = self.times();
        let from = times.partition_point(|at| *at < range.from);
        let to = times.partition_point(|at| *at < range.to).max(from);
        Self::of_batch(self.batch().slice(from, to - from))
    }

    /// The bytes the ledger stores.
    ///
    /// # Errors
    /// If Arrow or zstd refuses.
    fn encode(&self) -> Result<Vec<u8>, ArrowError> {
        let mut stream = Vec::with_capacity(2048 + self.facts() * 96);
        let mut writer = StreamWriter::try_new(&mut stream, Self::schema())?;
        writer.write(self.batch())?;
        writer.finish()?;
        drop(writer);
        let mut block = Vec::with_capacity(HEADER + stream.len() / 2);
        for range in [self.extent(), self.reach()] {
            block.extend_from_slice(&range.from.to_le_bytes());
            block.extend_from_slice(&range.to.to_le_bytes());
        }
        block.extend(zstd::bulk::compress(&stream, ZSTD_LEVEL)?);
        Ok(block)
    }

    /// The block of stored bytes.
    ///
    /// # Errors
    /// If the bytes are not a block of this kind.
    fn decode(bytes: &[u8]) -> Result<Self, ArrowError> {
        let compressed = bytes.get(HEADER..).unwrap_or_default();
        let size = zstd::zstd_safe::get_frame_content_size(compressed).ok().flatten().and_then(|size| usize::try_from(size).ok());
        let size = size.filter(|size| *size <= LARGEST_BLOCK).ok_or_else(|| ArrowError::IpcError("not a block".into()))?;
        let stream = zstd::bulk::decompress(compressed, size)?;
        let batch =
            StreamReader::try_new(stream.as_slice(), None)?.next().ok_or_else(|| ArrowError::IpcError("an empty block".into()))??;
        if batch.schema_ref() != Self::schema() {
            return Err(ArrowError::SchemaError(format!("unknown columns: {}", batch.schema_ref())));
        }
        Ok(Self::of_batch(batch))
    }
}

/// The header of a stored block: what can be known without reading it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Header {
    /// The extent of the times that its facts are sorted by.
    pub extent: Range,
    /// The instants that its facts are about.
    pub reach: Range,
}

impl Header {
    /// Reads the header of a stored block.
    pub fn of(bytes: &[u8]) -> Option<Self> {
        let (words, _) = bytes.first_chunk::<HEADER>()?.as_chunks::<8>();
        let [from, to, first, last] = *words else { return None };
        let range = |from, to| Range::new(i64::from_le_bytes(from), i64::from_le_bytes(to));
        Some(Self { extent: range(from, to), reach: range(first, last) })
    }
}

/// The blocks of one commit.
#[derive(Debug, Default)]
pub struct Commit {
    /// Attendances, by organization and UTC day.
    pub attendance: Vec<(OrgId, AttendanceBlock)>,
    /// Assistances, by organization and UTC day.
    pub assistance: Vec<(OrgId, AssistanceBlock)>,
}

impl Commit {
    /// How many facts there are.
    pub fn facts(&self) -> usize {
        fn sum<B: Block>(blocks: &[(OrgId, B)]) -> usize {
            blocks.iter().map(|(_, block)| block.facts()).sum()
        }
        sum(&self.attendance) + sum(&self.assistance)
    }
}

/// One value of every row.
pub(super) fn gather<R, T>(rows: &[&R], of: impl Fn(&R) -> T) -> Vec<T> {
    rows.iter().map(|row| of(row)).collect()
}

/// Whether a column of strings of so many bytes can be made.
pub(super) fn fits<'r, R: 'r>(rows: &[&'r R], of: impl Fn(&'r R) -> &'r str) -> Result<(), ArrowError> {
    let bytes: usize = rows.iter().map(|row| of(row).len()).sum();
    if bytes < i32::MAX as usize { Ok(()) } else { Err(ArrowError::OffsetOverflowError(bytes)) }
}
