//! The Yunxiao dialect, driven as its clients drive it.
#![allow(clippy::unwrap_used, missing_docs)]

mod awkward;
mod client;
mod developers;
mod errors;
mod naive;
mod paging;
mod platform;
mod seed;
mod stage;
mod tokens;
mod worked_example;
