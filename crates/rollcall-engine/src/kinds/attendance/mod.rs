//! The kind `attendance`.

pub(super) mod block;
pub(super) mod words;
