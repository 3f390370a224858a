//! Facts in, rows out. The engine makes facts durable, folds them into cells and answers every report from those.
//!
//! # Layout
//! Lower things know nothing of what stands above them.
//!
//! *Leaves:* [`error`], [`settings`], [`location`] (where the lake or a backup lies), [`selection`] (which facts are erased), [`threads`],
//! [`crash`] (where tests end the process), [`places`] (from IP addresses to places), `clock`, `data_directory`, `disk` and `health` (what is
//! wrong with the storage now), `parallel` (work on several processors), `strings`.
//!
//! - [`ledger`] makes facts durable: commits, ids, names, directories, receipts; facts are bytes there
//! - [`kinds`] says what facts of each kind are made of: columns, blocks of numbers, words
//! - [`ingest`]: request bodies become columns
//! - [`lake`] holds every fact for good, in open tables
//! - [`facts`] reads both as one
//! - [`cells`]: the mergeable exact aggregates and their store
//! - `commit`: the pipeline from columns to receipts
//! - [`engine`]: the engine as its users see it, its start, and its threads
//! - [`access`]: who may ask: keys that are made at run time, and the audit log
//! - [`reports`]: one file a report, and beside it the SQL that defines the same answer
//! - [`export`]: facts back out, in formats that can be ingested again
//! - [`erase`]: facts that go for good: those of a user, of long ago, or that were a mistake
//! - [`backup`]: one consistent state, elsewhere, and back

pub mod access;
pub mod backup;
pub mod cells;
mod clock;
mod commit;
pub mod crash;
mod data_directory;
mod disk;
pub mod engine;
pub mod erase;
pub mod error;
pub mod export;
pub mod facts;
mod health;
pub mod ingest;
pub mod kinds;
pub mod lake;
pub mod ledger;
pub mod location;
mod parallel;
pub mod places;
pub mod reports;
pub mod selection;
pub mod settings;
mod strings;
pub mod threads;

#[cfg(test)]
mod proofs;
#[cfg(test)]
mod testing;

pub use engine::Engine;
pub use engine::directories::DirectoryVersion;
pub use engine::supervisor::Supervisor;
pub use error::EngineError;
pub use health::Problem;
pub use places::PlaceFiles;
pub use settings::Settings;
