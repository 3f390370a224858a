//! The Office 365 dialect, driven as its clients drive it.
#![allow(clippy::unwrap_used, missing_docs)]

mod access;
mod bodies;
mod client;
mod errors;
mod formats;
mod guesses;
mod log;
mod naive;
mod paging;
mod periods;
mod seed;
mod stage;
mod work;
