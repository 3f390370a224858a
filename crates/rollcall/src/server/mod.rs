//! The HTTP server.
//!
//! # Layout
//! - [`mod@router`]: every route, once
//! - [`ingest`], [`export`], [`directory`], [`native`], [`health`]: what the native routes do
//! - [`operator`]: the operator's socket, which answers operations on the data directory
//! - [`retention`]: what is too old, erased once a day
//! - [`body`]: reading bodies within limits
//! - [`room`]: how much of them is in memory, by organization
//! - [`parts`]: bodies that are sent while they are made
//! - [`credentials`]: whose request it is
//! - [`refusal`]: errors as the native routes answer them
//! - [`client`]: who asks, also behind proxies
//! - [`access`]: one log line a request
//! - [`connections`], [`tls`]: from a socket to the router, and the graceful end
//! - [`state`]: what all of them share, and what a reload replaces
//! - [`signing`]: the key under which dialects sign their tokens

mod access;
mod body;
mod client;
mod connections;
mod credentials;
mod directory;
mod export;
mod health;
mod ingest;
mod native;
pub mod operator;
mod parts;
mod refusal;
pub mod retention;
mod room;
mod router;
pub mod signing;
mod state;
mod tls;
mod withdraw;

pub use connections::{Server, bind};
pub use router::router;
pub use signing::{SIGNING_KEY, signing_key};
pub use state::{App, now};
pub use tls::Certificates;
