//! The Feishu dialect, driven as its clients drive it.
#![allow(clippy::unwrap_used, missing_docs)]

mod client;
mod errors;
mod gateway;
mod naive;
mod ranges;
mod recorded;
mod stage;
mod tokens;
mod worked_example;
