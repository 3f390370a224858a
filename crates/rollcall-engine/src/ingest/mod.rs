//! Request bodies become columns of valid facts: decode, validate.

use crate::facts::Attendances;
use rollcall_model::{Directory, FactError, Organization};

/// How facts are written in a body.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Format {
    /// One JSON object a line.
    Ndjson,
    /// One JSON array of objects.
    Json,
    /// Comma-separated values with a header line.
    Csv,
    /// Apache Parquet.
    Parquet,
    /// Apache Arrow IPC, stream or file.
    Arrow,
}

/// How a body is compressed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Compression {
    /// Not at all.
    None,
    /// gzip, one or several members.
    Gzip,
    /// Zstandard, one or several frames.
    Zstd,
}

/// What one body may hold; 0 switches a limit off.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// Facts.
    pub facts: u64,
    /// Bytes after decompression.
    pub decoded_bytes: u64,
    /// Bytes of one line of NDJSON or CSV, or of one object of a JSON array.
    pub line_bytes: u64,
}

impl Default for Limits {
    fn default() -> Self {
        Self { facts: 1_000_000, decoded_bytes: 512 << 20, line_bytes: 64 << 10 }
    }
}

/// What a body held.
#[derive(Debug, Default)]
pub struct Decoded {
    /// The valid facts.
    pub facts: Attendances,
    /// How many facts had errors.
    pub rejected: u64,
    /// The first [`rollcall_model::receipt::LISTED_ERRORS`] errors.
    pub errors: Vec<FactError>,
}

/// Why a body could not be read to its end: what is wrong with it as a whole. Nothing of it may be stored.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
pub struct BodyError(pub FactError);

/// Decodes a body and validates every fact in it.
///
/// # Errors
/// [`BodyError`] when the body is broken in a way that hides what follows (truncated compression, broken JSON array, a
/// limit passed); errors in single facts are in [`Decoded::errors`].
pub fn decode(
    _body: &[u8],
    _format: Format,
    _compression: Compression,
    _organization: &Organization,
    _directory: &Directory,
    _limits: &Limits,
) -> Result<Decoded, BodyError> {
    unimplemented!()
}
