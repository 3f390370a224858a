//! How the ledger writes facts: a block holds those of one kind, one organization and one UTC day, sorted by time.
//!
//! A block is a header of two ranges, then its columns, packed (`packed.rs`), and compressed with zstd where that is worth it. The ranges are
//! the *extent* of the times that it is sorted by, and its *reach*: the instants that its facts are about. Nothing in it says what the columns
//! are: the ledger's format does, so a block of one fact takes about a hundred bytes. Users, apps, bookings and uses are numbers of the
//! organization; texts that repeat are there once.

pub use super::assistance::block::{AssistanceBlock, AssistanceRow};
pub use super::attendance::block::{AttendanceBlock, AttendanceRow};

use super::packed::{put, take};
use super::{Kind, Listed};
use crate::error::EngineError;
use crate::for_each_kind;
use crate::ledger::broken;
use rollcall_model::{FactKind, Millis, OrgId, Range};
use std::sync::Arc;

/// zstd's fastest ordinary level: a commit waits for it.
const ZSTD_LEVEL: i32 = 1;

/// From how many bytes on columns are compressed: fewer gain little, and setting a compressor up takes longer than what it does.
const WORTH_IT: usize = 1024;

/// The largest block that is read back: far above what is written ([`crate::Settings::block_bytes`]).
const LARGEST_BLOCK: usize = 1 << 30;

/// The most facts of a block that is read back; each counts with more bytes than one in [`Block::size`].
const MOST_FACTS: usize = LARGEST_BLOCK / 32;

/// The length of the header: two ranges of 64-bit instants.
const HEADER: usize = 32;

/// What follows the kind of fact after the header: columns as they are, or compressed.
const PLAIN: u8 = 0;
const COMPRESSED: u8 = 1;

/// The columns of a kind of block, as `packed.rs` makes them.
pub trait BlockColumns: Default + std::fmt::Debug + Send + Sync + 'static {
    /// One fact on its way into a block, or out of it.
    type Row<'a>: Copy;

    /// How many facts there are.
    fn rows(&self) -> usize;

    /// Adds a fact at the end.
    fn push(&mut self, row: Self::Row<'_>);

    /// The fact of a row, which must be there.
    fn get(&self, row: usize) -> Self::Row<'_>;

    /// Adds the bytes of every column.
    fn pack(&self, out: &mut Vec<u8>);

    /// Takes the columns of so many facts from the front of bytes; none if they are not.
    fn unpack(bytes: &mut &[u8], rows: usize) -> Option<Self>;
}

/// Some rows, which follow one another, of columns that are shared.
pub trait Rows: Sized + Clone + std::fmt::Debug + Send + 'static {
    /// What holds them.
    type Columns: for<'a> BlockColumns<Row<'a> = Self::Row<'a>>;

    /// One fact on its way into a block.
    type Row<'a>: Copy;

    /// The block of some rows of these columns.
    fn of(columns: Arc<Self::Columns>, rows: std::ops::Range<usize>) -> Self;

    /// The columns, and which of their rows the block has.
    fn parts(&self) -> (&Arc<Self::Columns>, std::ops::Range<usize>);
}

/// The facts of a block, or some of them that follow one another.
pub trait Block: Rows {
    /// Their kind.
    type Kind: Kind<Block = Self>;

    /// What the facts are about.
    const KIND: FactKind = Self::Kind::KIND;

    /// The time that facts are sorted by.
    fn time(row: &Self::Row<'_>) -> Millis;

    /// About how many bytes of a block a row takes.
    fn size(row: &Self::Row<'_>) -> usize;

    /// How many entries of base cells the fact of a row makes.
    fn entries(row: &Self::Row<'_>) -> u64;

    /// The time whose day the default id of a fact is of; none if the fact came with an id.
    fn default_id_at(row: &Self::Row<'_>) -> Option<Millis>;

    /// The times of every fact of these columns, in order.
    fn times_of(columns: &Self::Columns) -> &[Millis];

    /// The instants that the facts are about.
    fn reach(&self) -> Range;

    /// A block of these rows, which are in order.
    fn from_rows<'r>(rows: impl IntoIterator<Item = Self::Row<'r>>) -> Self {
        let mut columns = Self::Columns::default();
        rows.into_iter().for_each(|row| columns.push(row));
        let rows = columns.rows();
        Self::of(Arc::new(columns), 0..rows)
    }

    /// Every row, in order.
    fn each_row(&self) -> impl Iterator<Item = Self::Row<'_>> {
        let (columns, rows) = self.parts();
        rows.map(|row| columns.get(row))
    }

    /// How many facts there are.
    fn facts(&self) -> usize {
        self.parts().1.len()
    }

    /// The times of the facts, in order.
    fn times(&self) -> &[Millis] {
        let (columns, rows) = self.parts();
        Self::times_of(columns).get(rows).unwrap_or_default()
    }

    /// The extent of the times of the facts.
    fn extent(&self) -> Range {
        let times = self.times();
        Range::new(times.first().copied().unwrap_or(0), times.last().map_or(0, |last| last + 1))
    }

    /// Some of the facts.
    #[must_use]
    fn slice(&self, from: usize, length: usize) -> Self {
        let (columns, rows) = self.parts();
        let from = (rows.start + from).min(rows.end);
        Self::of(columns.clone(), from..(from + length).min(rows.end))
    }

    /// The facts whose times are in `range`.
    #[must_use]
    fn within(&self, range: Range) -> Self {
        let times = self.times();
        let from = times.partition_point(|at| *at < range.from);
        let to = times.partition_point(|at| *at < range.to).max(from);
        self.slice(from, to - from)
    }

    /// The bytes the ledger stores of a block that is whole.
    ///
    /// # Errors
    /// If zstd refuses.
    fn encode(&self) -> Result<Vec<u8>, EngineError> {
        let (columns, _) = self.parts();
        let mut packed = Vec::with_capacity(128 + columns.rows() * 32);
        put(columns.rows() as u64, &mut packed);
        columns.pack(&mut packed);
        let mut block = Vec::with_capacity(HEADER + 2 + packed.len());
        for range in [self.extent(), self.reach()] {
            block.extend_from_slice(&range.from.to_le_bytes());
            block.extend_from_slice(&range.to.to_le_bytes());
        }
        block.push(Self::KIND.number());
        if packed.len() < WORTH_IT {
            block.push(PLAIN);
            block.append(&mut packed);
        } else {
            block.push(COMPRESSED);
            let compressed = zstd::bulk::compress(&packed, ZSTD_LEVEL);
            block.append(&mut compressed.map_err(|error| EngineError::Storage(format!("facts could not be compressed: {error}")))?);
        }
        Ok(block)
    }

    /// The block of stored bytes.
    ///
    /// # Errors
    /// If the bytes are not a block of this kind.
    fn decode(bytes: &[u8]) -> Result<Self, EngineError> {
        let columns: Self::Columns = columns_of(Self::KIND, bytes).ok_or_else(|| broken("a block"))?;
        let rows = columns.rows();
        Ok(Self::of(Arc::new(columns), 0..rows))
    }
}

/// The columns of a stored block; none if it is not one of the kind.
fn columns_of<C: BlockColumns>(kind: FactKind, bytes: &[u8]) -> Option<C> {
    let (_, stored) = bytes.get(HEADER..)?.split_first().filter(|(of, _)| **of == kind.number())?;
    let (how, stored) = stored.split_first()?;
    let unpacked;
    let mut packed = match *how {
        PLAIN => stored,
        COMPRESSED => {
            let size = zstd::zstd_safe::get_frame_content_size(stored).ok()??;
            let size = usize::try_from(size).ok().filter(|size| *size <= LARGEST_BLOCK)?;
            unpacked = zstd::bulk::decompress(stored, size).ok()?;
            &unpacked
        }
        _ => return None,
    };
    let rows = usize::try_from(take(&mut packed)?).ok().filter(|rows| (1..=MOST_FACTS).contains(rows))?;
    C::unpack(&mut packed, rows).filter(|_| packed.is_empty())
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

macro_rules! commit {
    ([$($field:ident::$Kind:ident),*]) => {
        /// The blocks of one commit.
        #[derive(Debug, Default)]
        pub struct Commit {
            $(#[doc = concat!("Those of `", stringify!($field), "`, by organization and UTC day.")]
            pub $field: Vec<(OrgId, <super::$Kind as Kind>::Block)>,)*
        }
    };
}

crate::kinds!([commit]);

impl Commit {
    /// Of each block the kind, whose it is, and how many facts it has.
    pub(crate) fn blocks(&self) -> impl Iterator<Item = (FactKind, OrgId, usize)> {
        let of_kinds = for_each_kind!(K => {
            let blocks = K::of_commit(self).iter().map(|(org, block)| (K::KIND, *org, block.facts()));
            Box::new(blocks) as Box<dyn Iterator<Item = _>>
        });
        of_kinds.into_iter().flatten()
    }

    /// How many facts there are.
    pub fn facts(&self) -> usize {
        self.blocks().map(|(.., facts)| facts).sum()
    }

    /// The organizations that have facts in it; some may come more than once.
    pub fn organizations(&self) -> impl Iterator<Item = OrgId> {
        self.blocks().map(|(_, org, _)| org)
    }

    /// The newest time of a fact.
    pub(crate) fn newest(&self) -> Option<Millis> {
        let newest = for_each_kind!(K => K::of_commit(self).iter().map(|(_, block)| block.extent().to - 1).max());
        newest.into_iter().max().flatten()
    }
}
