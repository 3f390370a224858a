//! The data files of a table.
//!
//! - `write`, `read`: one file
//! - `merge`: several, in order
//! - `checksums`: whether what is read is what was written

pub(super) mod checksums;
pub(super) mod merge;
pub(super) mod read;
pub(super) mod write;
