//! Kinds of fact: what a fact of each is made of, as columns that requests are decoded to, as blocks of numbers that the ledger stores, and in
//! words that the lake and exports write.
//!
//! # Layout
//! - `attendance`, `assistance`: a folder for each [`Kind`], in it `columns`, `block` and `words`
//! - `list`: the list of kinds, and loops over it
//! - [`columns`]: facts as decoding yields them
//! - [`block`]: facts as the ledger stores them
//! - [`words`]: facts as the lake and exports write them, and `arrow`, how columns are read there
//! - [`stored`]: blocks and commits read back from the ledger
//! - `packed`: columns as bytes
//! - `cost`: what facts cost to commit and to fold
//!
//! # A new kind
//! A folder here, with its `mod` line, and a line in the list: `kinds!` in `list`. Ledger, lake, export, erasure, verification, backup
//! and the server's routes go by the list. The compiler asks for whatever else a kind must say:
//! - the vocabulary has it: its name and number ([`FactKind`]), its fields and what is valid (`rollcall_model::draft`);
//! - [`Kind`] names its columns ([`columns::Columns`]), its blocks ([`block::Block`]) and their words ([`words::Worded`]);
//! - at least one base cell is folded from it: `crate::cells::Base`, a file and a line in the list of `cells/bases`. Reports ask that cell;
//! - three places say what no other kind has: `commit/names.rs` which names are numbered, `erase/named.rs` what an erasure counts, and
//!   `rollcall/src/args/facts.rs` a line of help.

mod arrow;
mod assistance;
mod attendance;
pub mod block;
pub mod columns;
mod cost;
mod list;
mod packed;
pub mod stored;
pub mod words;

pub use assistance::Assistance;
pub use attendance::Attendance;
pub use list::{Listed, PerKind};

use rollcall_model::FactKind;

/// What facts of a kind are decoded to.
pub type ColumnsOf<K> = <K as Kind>::Columns;

/// What the ledger stores facts of a kind as.
pub type BlockOf<K> = <K as Kind>::Block;

/// A kind of fact.
pub trait Kind: Listed + std::fmt::Debug + Send + Sync + 'static {
    /// Its name and number.
    const KIND: FactKind;

    /// What the ids of its facts are called.
    const IDS: &'static str;

    /// Its facts as decoding yields them.
    type Columns: columns::Columns<Kind = Self>;

    /// Its facts as the ledger stores them, which know their words.
    type Block: words::Worded<Kind = Self>;
}
