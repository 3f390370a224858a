//! The kind `attendance`.

pub(super) mod block;
pub(super) mod columns;
pub(super) mod words;
