//! Checksums of data files: damage is noticed by whoever reads it, and never taken for facts.
//!
//! A data file has two parts. Its *blocks* are the pages of all columns, cut every [`BLOCK_BYTES`]; each has a checksum of 32 bits. Its
//! *tail* is what follows them: page indexes, statistics and the footer, which lists the checksums of the blocks. The log's `add` action
//! has a tag with the hash of the tail. So the tag covers every byte of the file, and nobody has to read all of it to check a part: whoever
//! opens a file checks the tail, and whoever reads pages checks the blocks that they lie in.
//!
//! Parquet itself knows checksums of pages. The library writes none (`parquet` 60.1), and they would cover neither the headers of pages nor
//! statistics, by which pages are skipped.
//!
//! Files that were written before there were checksums have no tag, and are read as they are until they are joined to others.

use crate::error::EngineError;
use crate::lake::DataFile;
use crate::lake::store::{Source, Store};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use parquet::arrow::ArrowWriter;
use parquet::arrow::arrow_reader::{ArrowReaderMetadata, ArrowReaderOptions};
use parquet::errors::ParquetError;
use parquet::file::metadata::{KeyValue, ParquetMetaData, ParquetMetaDataReader};
use parquet::file::reader::{ChunkReader, Length};
use std::io::{Cursor, Read};
use std::sync::{Arc, OnceLock};
use xxhash_rust::xxh3::{xxh3_64, xxh3_128};

/// The tag of an `add` action that has the checksum of its file.
pub(in crate::lake) const TAG: &str = "rollcall.checksum";

/// How many bytes share a checksum: a page has some of them.
const BLOCK_BYTES: usize = 8 << 10;

/// Where the footer has the checksums of the blocks: in Base64, four bytes each, the least first.
const BLOCKS: &str = "rollcall.blocks";

/// How much of a file is in memory while all of it is checked.
const PIECE_BYTES: usize = 1024 * BLOCK_BYTES;

/// The checksum of a data file, as the log has it: `4096-0123456789abcdef0123456789abcdef`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Checksum {
    /// Where the tail begins.
    tail: u64,
    /// The hash of the tail, XXH3 of 128 bits.
    hash: u128,
}

impl std::fmt::Display for Checksum {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}-{:032x}", self.tail, self.hash)
    }
}

impl std::str::FromStr for Checksum {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let parse = || {
            let (tail, hash) = text.split_once('-')?;
            Some(Self { tail: tail.parse().ok()?, hash: u128::from_str_radix(hash, 16).ok()? })
        };
        parse().ok_or("no checksum of a data file")
    }
}

impl Checksum {
    /// How a whole file, given as anything that can be read in parts, differs from the one that was written; none if it does not.
    ///
    /// # Errors
    /// What cannot be read.
    pub(crate) fn differs(self, file: &impl ChunkReader) -> Result<Option<String>, ParquetError> {
        let blocks = match self.tail_of(file)? {
            Ok(tail) => Blocks::of(self, &ParquetMetaDataReader::new().parse_and_finish(&tail)?),
            Err(damage) => return Ok(Some(damage)),
        };
        let Some(blocks) = blocks else { return Ok(Some("its footer has no checksums".into())) };
        let mut at = 0;
        while at < blocks.end {
            let length = PIECE_BYTES.min(usize::try_from(blocks.end - at)?);
            if let Some(damage) = blocks.differ(at, &file.get_bytes(at, length)?) {
                return Ok(Some(damage));
            }
            at += length as u64;
        }
        Ok(None)
    }

    /// The tail of a file, or what is wrong with it.
    fn tail_of(self, file: &impl ChunkReader) -> Result<Result<Tail, String>, ParquetError> {
        let Some(length) = file.len().checked_sub(self.tail) else { return Ok(Err("it is cut off".into())) };
        let bytes = file.get_bytes(self.tail, usize::try_from(length)?)?;
        if xxh3_128(&bytes) != self.hash {
            return Ok(Err(format!("the bytes from {} to its end are not what was written", self.tail)));
        }
        Ok(Ok(Tail { from: self.tail, bytes }))
    }
}

/// Ends a file, with the checksums of its blocks in its footer.
pub(in crate::lake) fn finish(mut parquet: ArrowWriter<Vec<u8>>) -> Result<(Vec<u8>, Checksum), ParquetError> {
    parquet.flush()?;
    parquet.sync()?;
    let blocks = parquet.inner();
    let tail = blocks.len();
    let sums: Vec<u8> = blocks.chunks(BLOCK_BYTES).flat_map(|block| sum(block).to_le_bytes()).collect();
    parquet.append_key_value_metadata(KeyValue::new(BLOCKS.to_owned(), STANDARD.encode(sums)));
    let bytes = parquet.into_inner()?;
    let hash = xxh3_128(bytes.get(tail..).unwrap_or_default());
    Ok((bytes, Checksum { tail: tail as u64, hash }))
}

/// The checksum of a block.
fn sum(block: &[u8]) -> u32 {
    // The lower half of a hash.
    xxh3_64(block) as u32
}

/// The checksums of a file's blocks.
#[derive(Debug)]
pub(in crate::lake) struct Blocks {
    sums: Vec<u32>,
    /// Where the last one ends, and the tail begins.
    end: u64,
}

impl Blocks {
    /// Those of a footer; none if it does not have them all.
    fn of(checksum: Checksum, footer: &ParquetMetaData) -> Option<Self> {
        let entries = footer.file_metadata().key_value_metadata()?;
        let text = entries.iter().find(|entry| entry.key == BLOCKS)?.value.as_deref()?;
        let sums = STANDARD.decode(text).ok()?;
        let sums: Vec<u32> = sums.chunks_exact(4).filter_map(|sum| Some(u32::from_le_bytes(sum.try_into().ok()?))).collect();
        (sums.len() as u64 == checksum.tail.div_ceil(BLOCK_BYTES as u64)).then_some(Self { sums, end: checksum.tail })
    }

    /// How much memory they take.
    pub(in crate::lake) fn bytes(&self) -> usize {
        size_of_val(self.sums.as_slice())
    }

    /// What is wrong with whole blocks that begin at `from`, if anything is.
    fn differ(&self, from: u64, bytes: &[u8]) -> Option<String> {
        let first = usize::try_from(from).ok()? / BLOCK_BYTES;
        let bad = bytes.chunks(BLOCK_BYTES).enumerate().find(|(number, block)| self.sums.get(first + number) != Some(&sum(block)));
        bad.map(|(number, block)| {
            let at = from + (number * BLOCK_BYTES) as u64;
            format!("the bytes from {at} to {} are not what was written", at + block.len() as u64)
        })
    }
}

/// The tail of a file: what is in front of it cannot be read.
struct Tail {
    from: u64,
    bytes: Bytes,
}

impl Length for Tail {
    fn len(&self) -> u64 {
        self.from + self.bytes.len() as u64
    }
}

impl ChunkReader for Tail {
    type T = Cursor<Bytes>;

    fn get_read(&self, start: u64) -> parquet::errors::Result<Self::T> {
        Ok(Cursor::new(self.get_bytes(start, usize::try_from(self.len().saturating_sub(start))?)?))
    }

    fn get_bytes(&self, start: u64, length: usize) -> parquet::errors::Result<Bytes> {
        let outside = || ParquetError::EOF(format!("{length} bytes at {start} are not in the end of the file"));
        let from = usize::try_from(start.checked_sub(self.from).ok_or_else(outside)?)?;
        let to = from.checked_add(length).filter(|to| *to <= self.bytes.len()).ok_or_else(outside)?;
        Ok(self.bytes.slice(from..to))
    }
}

/// The footer of a data file, as a reader needs it.
#[derive(Debug, Clone)]
pub(in crate::lake) struct Footer {
    pub(in crate::lake) parquet: ArrowReaderMetadata,
    /// None: it was written before there were checksums.
    pub(in crate::lake) blocks: Option<Arc<Blocks>>,
}

/// An open data file. What is read of it is checked.
#[derive(Debug, Clone)]
pub(in crate::lake) struct Checked {
    /// Its name in the lake, for errors.
    name: Arc<str>,
    source: Source,
    checksum: Option<Checksum>,
    blocks: Option<Arc<Blocks>>,
    /// What was found wrong: the errors of a reader only have text.
    damage: Arc<OnceLock<String>>,
}

impl Checked {
    /// Opens a data file of a table, which must have its size.
    pub(in crate::lake) fn open(store: &Store, table: &str, file: &DataFile) -> Result<Self, EngineError> {
        let name = format!("{table}/{}", file.name);
        // A remote store need not be asked: without its last byte the tail cannot be read.
        if store.is_local()
            && let Some(damage) = store.other_size(&name, file.size)?
        {
            return Err(EngineError::damaged(&name, &damage));
        }
        let source = store.open_file(&name, file.size)?;
        Ok(Self { name: name.into(), source, checksum: file.checksum, blocks: None, damage: Arc::default() })
    }

    /// Reads the footer.
    pub(in crate::lake) fn footer(&self, options: ArrowReaderOptions) -> Result<Footer, EngineError> {
        let Some(checksum) = self.checksum else {
            let parquet = ArrowReaderMetadata::load(&self.source, options).map_err(|error| self.failed(error))?;
            return Ok(Footer { parquet, blocks: None });
        };
        let tail = checksum.tail_of(&self.source).map_err(|error| self.failed(error))?;
        let tail = tail.map_err(|damage| EngineError::damaged(&self.name, &damage))?;
        let parquet = ArrowReaderMetadata::load(&tail, options).map_err(|error| self.failed(error))?;
        let blocks = Blocks::of(checksum, parquet.metadata());
        let blocks = blocks.ok_or_else(|| EngineError::damaged(&self.name, "its footer has no checksums"))?;
        Ok(Footer { parquet, blocks: Some(Arc::new(blocks)) })
    }

    /// Checks what is read from now on by what the footer says.
    pub(in crate::lake) fn with(self, footer: &Footer) -> Self {
        Self { blocks: footer.blocks.clone(), ..self }
    }

    /// What an error of a reader means.
    pub(in crate::lake) fn failed(&self, error: impl std::fmt::Display) -> EngineError {
        match self.damage.get() {
            Some(damage) => EngineError::damaged(&self.name, damage),
            None => EngineError::Storage(format!("the lake's data file {} cannot be read: {error}", self.name)),
        }
    }
}

impl Length for Checked {
    fn len(&self) -> u64 {
        self.source.len()
    }
}

impl ChunkReader for Checked {
    type T = Box<dyn Read + Send>;

    fn get_read(&self, start: u64) -> parquet::errors::Result<Self::T> {
        if self.blocks.is_none() {
            return self.source.get_read(start);
        }
        Ok(Box::new(InOrder { file: self.clone(), next: start, block: Bytes::new() }))
    }

    fn get_bytes(&self, start: u64, length: usize) -> parquet::errors::Result<Bytes> {
        let Some(blocks) = &self.blocks else { return self.source.get_bytes(start, length) };
        let end = start.saturating_add(length as u64);
        if end > blocks.end {
            return Err(ParquetError::EOF(format!("{length} bytes at {start} are beyond the pages of the file")));
        }
        let block = BLOCK_BYTES as u64;
        let from = start - start % block;
        let to = end.next_multiple_of(block).min(blocks.end);
        let bytes = self.source.get_bytes(from, usize::try_from(to - from)?)?;
        if let Some(damage) = blocks.differ(from, &bytes) {
            let _ = self.damage.set(damage.clone());
            return Err(ParquetError::General(damage));
        }
        let skipped = usize::try_from(start - from)?;
        Ok(bytes.slice(skipped..skipped + length))
    }
}

/// Reads blocks one after the other.
struct InOrder {
    file: Checked,
    next: u64,
    block: Bytes,
}

impl Read for InOrder {
    fn read(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
        if self.block.is_empty() {
            let block = BLOCK_BYTES as u64;
            let end = self.file.blocks.as_ref().map_or(0, |blocks| blocks.end.min(self.next - self.next % block + block));
            let length = usize::try_from(end.saturating_sub(self.next)).map_err(std::io::Error::other)?;
            self.block = self.file.get_bytes(self.next, length)?;
            self.next += length as u64;
        }
        let length = buffer.len().min(self.block.len());
        let part = self.block.split_to(length);
        buffer.get_mut(..length).unwrap_or_default().copy_from_slice(&part);
        Ok(length)
    }
}

impl DataFile {
    /// How bytes differ from the file as it was written; none if they do not, as far as it can be told.
    pub(crate) fn differs_in(&self, bytes: &Bytes) -> Option<String> {
        if bytes.len() as u64 != self.size {
            return Some(format!("it has {} bytes, not {}", bytes.len(), self.size));
        }
        self.checksum?.differs(bytes).unwrap_or_else(|error| Some(format!("it cannot be read: {error}")))
    }
}

impl Store {
    /// How a data file of a table differs from what was written; none if it does not. Reads all of it, if it has a checksum.
    ///
    /// # Errors
    /// [`EngineError::Storage`] if a remote store does not answer.
    pub(crate) fn differs(&self, table: &str, file: &DataFile) -> Result<Option<String>, EngineError> {
        let name = format!("{table}/{}", file.name);
        if let Some(damage) = self.other_size(&name, file.size)? {
            return Ok(Some(damage));
        }
        let Some(checksum) = file.checksum else { return Ok(None) };
        match checksum.differs(&self.open_file(&name, file.size)?) {
            Ok(found) => Ok(found),
            // What a disk does not give is damaged; a remote store may give it later.
            Err(error) if self.is_local() => Ok(Some(format!("it cannot be read: {error}"))),
            Err(error) => Err(EngineError::Storage(format!("the lake's data file {name} cannot be read: {error}"))),
        }
    }

    /// What is wrong with the size of a file, if it is not this.
    fn other_size(&self, name: &str, expected: u64) -> Result<Option<String>, EngineError> {
        Ok(match self.size(name)? {
            None => Some("it is missing".into()),
            Some(size) if size != expected => Some(format!("it has {size} bytes, not {expected}")),
            Some(_) => None,
        })
    }
}
