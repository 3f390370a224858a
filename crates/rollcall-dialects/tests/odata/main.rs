//! `$filter` and `$orderby`: the documented errors, the golden vectors, and properties that hold for every expression.

#![allow(clippy::unwrap_used)]

mod budget;
mod errors;
mod functions;
mod golden;
mod literals;
mod naive;
mod properties;
mod random;
mod semantics;
mod stage;
