//! Assistances: what the coding assistant did for a user, as columns, as blocks and in words.

pub(super) mod block;
pub(super) mod columns;
pub(super) mod words;
