//! Attendances: stays of a user in a session, as columns, as blocks and in words.

pub(super) mod block;
pub(super) mod columns;
pub(super) mod words;
