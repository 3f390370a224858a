//! Operations on a data directory: what an operator asks of a running server through its socket, or does without a server.
//!
//! Each is written once, as an [`Operation`]. `server/operator` lists and answers them; `commands/operate.rs` asks for them.
//!
//! # Layout
//! - [`erase`]: `forget`, `retain` and `withdraw`
//! - [`receipts`]: the operation of that name
//! - [`keys`]: `key create`, `key list`, `key revoke` and `audit`
//! - [`housekeeping`]: `flush`, `compact` and `vacuum`
//! - [`backup`]: the operation of that name
//! - [`prove`]: `verify` and `rebuild`
//! - [`socket`]: where the socket is
//!
//! # Adding one
//! A file here with an `impl Operation`; a line in `server::operator::OPERATIONS`; a command that makes `Asked` of its flags, calls
//! `operate::<It>` and prints what was found.

pub mod backup;
pub mod erase;
pub mod housekeeping;
pub mod keys;
pub mod prove;
pub mod receipts;
pub mod socket;

use rollcall_engine::Engine;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

/// Something that can be done to an open data directory.
pub trait Operation: 'static {
    /// Its name, which is that of its command, and its path on the socket.
    const NAME: &'static str;

    /// What people are told that it is doing.
    const DOING: &'static str;

    /// Its parameters. Unknown ones should be refused: the server may be older than the command.
    type Asked: Serialize + DeserializeOwned + Send + 'static;

    /// What it found or did.
    type Found: Serialize + DeserializeOwned + Send + 'static;

    /// Does it; blocks. It may be cut off at any point, with the process.
    fn run(context: &Context<'_>, asked: Self::Asked, progress: &Progress<'_>) -> Result<Self::Found, String>;
}

/// Is told how many steps are done, and of how many; from any thread, and as often as one likes.
pub type Progress<'p> = dyn Fn(u64, u64) + Sync + 'p;

/// What an operation works on.
pub struct Context<'c> {
    /// The open data directory.
    pub engine: &'c Engine,
}

/// A line of an answer: `{"progress":{"done":3,"of":40}}` any number of times, then `{"done":…}` or `{"error":"…"}`.
#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Line<F> {
    /// How far it is.
    Progress { done: u64, of: u64 },
    /// What was found; the last line.
    Done(F),
    /// Why it failed; the last line.
    Error(String),
}
