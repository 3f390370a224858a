//! The Volcengine dialect, driven as its clients drive it.
#![allow(clippy::unwrap_used, missing_docs)]

mod awkward;
mod client;
mod counting;
mod errors;
mod forgery;
mod naive;
mod presigned;
mod range;
mod rate;
mod root;
mod stage;
mod vectors;
