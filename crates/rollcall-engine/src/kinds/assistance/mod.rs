//! Assistances: what the coding assistant did for a user, as columns, as blocks and in words.

pub(super) mod block;
pub(super) mod columns;
pub(super) mod words;

use super::Kind;
use rollcall_model::FactKind;

/// The kind.
#[derive(Debug)]
pub struct Assistance;

impl Kind for Assistance {
    const KIND: FactKind = FactKind::Assistance;
    const IDS: &'static str = "assistance ids";
    type Columns = columns::Assistances;
    type Block = block::AssistanceBlock;
}
