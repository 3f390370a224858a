//! Facts in words: the columns that the lake and exports write. Blocks of the ledger have numbers where names repeat; here are the names.
//!
//! What others read is one schema, so exports and the lake cannot drift. A fact that came without an id has none in the lake either: its
//! default id is a hash of the other columns ([`Worded::default_ids`]), and 16 random bytes a fact would double the lake.

use crate::error::EngineError;
use crate::kinds::block::Block;
use crate::ledger::Ledger;
use arrow_array::RecordBatch;
use arrow_schema::SchemaRef;
use rollcall_model::{FactId, OrgId};
use std::cmp::Ordering;

pub(crate) use super::arrow::{RECEIPT, dictionaries, ids, millis, receipts_of, text_of};

/// A kind of fact in words.
pub trait Worded: Block {
    /// The column of the times that facts are sorted by: `session_started_at`, `at`.
    const TIME: &'static str;

    /// The first and the last instant of what a fact is about, as columns: the same one if that is one instant.
    const REACH: [&'static str; 2];

    /// The columns: the names and types of the fields. The first is the id, absent where the default stands.
    fn columns() -> &'static SchemaRef;

    /// The columns that a data file of the lake is sorted by, instants or strings: the time, then what makes neighbours alike. Only such
    /// whose values are the same in blocks and in words, as facts are sorted as the one and merged as the other.
    const ORDER: &'static [&'static str];

    /// An order that agrees with [`Worded::ORDER`], and where that says nothing makes neighbours alike.
    fn order(a: &Self::Row<'_>, b: &Self::Row<'_>) -> Ordering;

    /// The number of a fact's user.
    fn user(row: &Self::Row<'_>) -> u32;

    /// The facts of the block, in order, in words.
    ///
    /// # Errors
    /// [`EngineError::Storage`].
    fn to_words(&self, ledger: &Ledger, org: OrgId) -> Result<RecordBatch, EngineError>;

    /// The block of facts in words, with columns as `dictionaries` has them. Those that a question does not ask for may be missing: the
    /// facts then have their defaults.
    ///
    /// # Errors
    /// [`EngineError::Storage`], also if a name has no number.
    fn of_words(words: &RecordBatch, ledger: &Ledger, org: OrgId) -> Result<Self, EngineError>;

    /// The default id of each fact in words, also of those that came with an id.
    ///
    /// # Errors
    /// [`EngineError::Storage`].
    fn default_ids(words: &RecordBatch) -> Result<Vec<FactId>, EngineError>;
}
