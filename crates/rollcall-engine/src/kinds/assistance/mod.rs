//! The kind `assistance`.

pub(super) mod block;
pub(super) mod columns;
pub(super) mod words;
