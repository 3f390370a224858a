//! Facts in, rows out. The engine makes facts durable, folds them into cells and answers every report from those.
//!
//! # Layout
//! - [`engine`]: the engine as its users see it
//! - [`directories`]: the directories of organizations, and those that they replaced
//! - [`ingest`]: request bodies → [`facts::Attendances`]: decode and validate
//! - [`facts`]: facts as columns
//! - [`ledger`]: durable commits, ids and user numbers
//! - [`lake`]: the open tables that hold every fact for good
//! - `keeper`: the thread that moves facts there
//! - [`selection`]: which facts are meant
//! - [`erase`]: facts that go for good
//! - [`scan`]: facts read back from both
//! - [`words`]: facts as the lake and exports write them
//! - [`backup`]: one consistent state, elsewhere, and back
//! - [`cells`]: the mergeable exact aggregates and their store
//! - `modes`: who may enter a data directory
//! - [`places`]: from IP addresses to places, by database files
//! - [`export`]: facts back out, in formats that can be ingested again
//! - [`reports`]: one file a report, and beside it the SQL that defines the same answer
//! - `disk`, `health`: room on the disk, and what is wrong with the storage now
//! - [`threads`]: the engine's threads
//! - `supervisor`: opens the engine again when its storage failed
//! - [`crash`]: where tests end the process

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
