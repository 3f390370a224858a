//! Blocks of assistances.

use super::Assistance;
use crate::kinds::block::Block;
use crate::kinds::packed::columns;
use crate::strings::Dictionary;
use rollcall_model::{Millis, Range};

columns! {
    /// Assistances of one UTC day of `at`, sorted by it. Their reach is their extent.
    AssistanceBlock;

    /// One assistance in a block.
    AssistanceRow<'a>, AssistanceColumns {
        /// See [`rollcall_model::Assistance::at`].
        at: Millis as Vec<Millis>,
        /// The user's number in the organization.
        user: u32 as Vec<u32>,
        /// The number of the booking in the organization: see [`crate::kinds::columns::Assistances::bookings`].
        booking: u32 as Vec<u32>,
        /// See [`rollcall_model::Assistance::department_given`].
        department_given: bool as Vec<bool>,
        /// The number of the use in the organization: see [`crate::kinds::columns::Use`].
        usage: u32 as Vec<u32>,
        /// Turns of a chat, suggestions of a completion, 0 for edits.
        count: u32 as Vec<u32>,
        /// See [`rollcall_model::Assistance::accepted`].
        accepted: u32 as Vec<u32>,
        /// See [`rollcall_model::Assistance::lines_accepted`].
        lines_accepted: u32 as Vec<u32>,
        /// See [`rollcall_model::Assistance::lines_changed`].
        lines_changed: u32 as Vec<u32>,
        /// The id as given; empty where the default stands.
        given_id: &'a str as Dictionary,
        /// The number of the receipt that it came with: see [`rollcall_model::Receipt::receipt`].
        receipt: u64 as Vec<u64>,
    }
}

impl Block for AssistanceBlock {
    type Kind = Assistance;

    fn time(row: &AssistanceRow<'_>) -> Millis {
        row.at
    }

    fn size(row: &AssistanceRow<'_>) -> usize {
        48 + row.given_id.len()
    }

    fn entries(_: &AssistanceRow<'_>) -> u64 {
        1
    }

    fn default_id_at(row: &AssistanceRow<'_>) -> Option<Millis> {
        row.given_id.is_empty().then_some(row.at)
    }

    fn times_of(columns: &AssistanceColumns) -> &[Millis] {
        &columns.at
    }

    fn reach(&self) -> Range {
        self.extent()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::kinds::block::Header;

    #[test]
    fn a_block_reads_back_as_it_was_written() {
        let row = AssistanceRow {
            at: 1_740_819_600_000,
            user: 7,
            booking: 3,
            department_given: true,
            usage: 2,
            count: u32::MAX,
            accepted: 1,
            lines_accepted: 4,
            lines_changed: 5,
            given_id: "聊",
            receipt: 1 << 16,
        };
        let later = AssistanceRow { at: row.at + 5, given_id: "", receipt: u64::MAX >> 1, department_given: false, ..row };
        let bytes = AssistanceBlock::from_rows([row, later]).encode().unwrap();
        let extent = Range::new(row.at, later.at + 1);
        assert_eq!(Header::of(&bytes), Some(Header { extent, reach: extent }));
        let block = AssistanceBlock::decode(&bytes).unwrap();
        assert_eq!(block.rows().collect::<Vec<_>>(), [row, later]);
        assert_eq!(block.within(Range::new(row.at + 1, later.at + 1)).rows().collect::<Vec<_>>(), [later]);
        assert!(crate::kinds::block::AttendanceBlock::decode(&bytes).is_err());
    }
}
