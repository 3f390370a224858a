//! Attendances: stays of a user in a session, as columns, as blocks and in words.

pub(super) mod block;
pub(super) mod columns;
pub(super) mod words;

use super::Kind;
use rollcall_model::FactKind;

/// The kind.
#[derive(Debug)]
pub struct Attendance;

impl Kind for Attendance {
    const KIND: FactKind = FactKind::Attendance;
    const IDS: &'static str = "attendance ids";
    type Columns = columns::Attendances;
    type Block = block::AttendanceBlock;
}
