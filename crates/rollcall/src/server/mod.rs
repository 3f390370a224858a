//! The HTTP server.
//!
//! # Layout
//! - [`mod@router`], [`routes`]: every route, once
//! - [`gate`], [`credentials`]: whose request it is, how often it may ask, and what it may do
//! - [`ingest`], [`export`], [`directory`], [`withdraw`], [`keys`], [`native`], [`health`]: what the native routes do
//! - [`openapi`], [`docs`]: what the native API offers, for machines and for people
//! - [`operator`]: the operator's socket, which answers operations on the data directory
//! - [`retention`]: what is too old, erased once a day
//! - [`body`]: reading bodies within limits
//! - [`room`]: how much of them is in memory, by organization
//! - [`parts`]: bodies that are sent while they are made
//! - [`work`]: work on threads that may block
//! - [`negotiate`], [`tags`], [`paging`]: the format of an answer, whether the client has it, and its pages
//! - [`refusal`]: errors as the native routes answer them
//! - [`cors`]: pages of other origins
//! - [`client`]: who asks, also behind proxies
//! - [`access`], [`request_id`]: what surrounds every request: its id, and one log line
//! - [`connections`], [`tls`]: from a socket to the router, and the graceful end
//! - [`state`]: what all of them share, and what a reload replaces
//! - [`signing`]: the key under which dialects sign their tokens

mod access;
mod body;
mod client;
mod connections;
mod cors;
mod credentials;
mod directory;
mod docs;
mod export;
mod gate;
mod health;
mod ingest;
mod keys;
mod native;
mod negotiate;
mod openapi;
pub mod operator;
mod paging;
mod parts;
mod refusal;
mod request_id;
pub mod retention;
mod room;
mod router;
mod routes;
pub mod signing;
mod state;
mod tags;
mod tls;
mod withdraw;
mod work;

pub use connections::{Server, bind};
pub use router::router;
pub use signing::{SIGNING_KEY, signing_key};
pub use state::{App, now};
pub use tls::Certificates;
