//! From IP addresses to places, by database files that the operator gives.
//!
//! A file is read once and whole, into a table of ranges of addresses: every damage is found then, and looking an address up cannot fail.
//!
//! # Layout
//! - `files`: the files in use, and their exchange while facts come in
//! - `table`: ranges of addresses, each with its place
//! - `mmdb`, `xdb`: the two formats, told apart by content
//! - `names`: countries and subdivisions by the names that databases write

mod files;
mod mmdb;
mod names;
mod table;
mod xdb;

#[cfg(test)]
mod samples;
#[cfg(test)]
mod tests;

pub use files::{PlaceFiles, PlacesError};
use table::Table;

/// The table in the bytes of a file.
fn read(bytes: Vec<u8>) -> Result<Table, String> {
    let table = match () {
        () if mmdb::is_mmdb(&bytes) => mmdb::read(bytes)?,
        () if xdb::is_xdb(&bytes) => xdb::read(&bytes)?,
        () => return Err("is neither a whole MMDB nor an xdb file".into()),
    };
    if table.knows_nothing() { Err("knows the place of no address".into()) } else { Ok(table) }
}
