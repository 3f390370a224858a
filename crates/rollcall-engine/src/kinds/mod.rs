//! Kinds of fact: what a fact of each is made of, as columns that requests are decoded to, as blocks of numbers that the ledger stores, and in
//! words that the lake and exports write.
//!
//! # Layout
//! - `attendance`, `assistance`: a folder for each kind, in it `columns`, `block` and `words`
//! - [`columns`]: facts as decoding yields them
//! - [`block`]: facts as the ledger stores them
//! - [`words`]: facts as the lake and exports write them, and `arrow`, how columns are read there
//! - [`stored`]: blocks and commits read back from the ledger
//! - `packed`: columns as bytes
//! - `cost`: what facts cost to commit and to fold

mod arrow;
mod assistance;
mod attendance;
pub mod block;
pub mod columns;
mod cost;
mod packed;
pub mod stored;
pub mod words;
