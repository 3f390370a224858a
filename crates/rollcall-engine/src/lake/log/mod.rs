//! The log of a table: its versions, and what each holds.
//!
//! - `table`: a table, and what its log says
//! - `change`, `actions`, `committer`: the commit of a next version
//! - `files`: what one version holds
//! - `rollback`: what is checked, and rolled back, at start

mod actions;
pub(super) mod change;
mod committer;
pub(super) mod files;
pub(super) mod rollback;
pub(super) mod table;
