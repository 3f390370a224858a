//! The base cells: one file each.

pub(super) mod stays;
pub(super) mod uses;
