//! Blocks of attendances.

use super::Attendance;
use crate::kinds::block::Block;
use crate::kinds::columns::entries_of_stay;
use crate::kinds::packed::columns;
use crate::strings::Dictionary;
use rollcall_model::{Millis, Range};

columns! {
    /// Attendances of one UTC day of `session_started_at`, sorted by it. Their reach is that of their stays.
    AttendanceBlock;

    /// One attendance in a block.
    AttendanceRow<'a>, AttendanceColumns {
        /// See [`rollcall_model::Attendance::session_started_at`].
        session_started_at: Millis as Vec<Millis>,
        /// See [`rollcall_model::Attendance::joined_at`].
        joined_at: Millis as Vec<Millis>,
        /// See [`rollcall_model::Attendance::left_at`].
        left_at: Millis as Vec<Millis>,
        /// The user's number in the organization.
        user: u32 as Vec<u32>,
        /// The app's number in the organization.
        app: u16 as Vec<u16>,
        /// See [`rollcall_model::Attendance::session_id`].
        session_id: &'a str as Dictionary,
        /// [`rollcall_model::SessionKind::number`].
        session_kind: u8 as Vec<u8>,
        /// [`rollcall_model::UserKind::number`].
        user_kind: u8 as Vec<u8>,
        /// [`rollcall_model::Device::number`].
        device: u8 as Vec<u8>,
        /// [`rollcall_model::Media::bits`].
        media: u8 as Vec<u8>,
        /// See [`rollcall_model::Attendance::unit`].
        unit: u8 as Vec<u8>,
        /// [`rollcall_model::Place::number`], or 0.
        place: u64 as Vec<u64>,
        /// The id as given; empty where the default stands.
        given_id: &'a str as Dictionary,
        /// The number of the receipt that it came with: see [`rollcall_model::Receipt::receipt`].
        receipt: u64 as Vec<u64>,
    }
}

impl AttendanceRow<'_> {
    /// The instants of the stay: up to, not including, its end; a stay of no length has its one instant.
    pub const fn stay(&self) -> Range {
        stay(self.joined_at, self.left_at)
    }
}

const fn stay(joined_at: Millis, left_at: Millis) -> Range {
    Range::new(joined_at, if left_at > joined_at { left_at } else { joined_at + 1 })
}

impl Block for AttendanceBlock {
    type Kind = Attendance;

    fn time(row: &AttendanceRow<'_>) -> Millis {
        row.session_started_at
    }

    fn size(row: &AttendanceRow<'_>) -> usize {
        64 + row.session_id.len() + row.given_id.len()
    }

    fn entries(row: &AttendanceRow<'_>) -> u64 {
        entries_of_stay(row.session_started_at, row.joined_at, row.left_at)
    }

    fn default_id_at(row: &AttendanceRow<'_>) -> Option<Millis> {
        row.given_id.is_empty().then_some(row.joined_at)
    }

    fn times_of(columns: &AttendanceColumns) -> &[Millis] {
        &columns.session_started_at
    }

    fn reach(&self) -> Range {
        let AttendanceColumns { joined_at, left_at, .. } = &*self.columns;
        let stays = joined_at.iter().zip(left_at).skip(self.rows.start).take(self.rows.len()).map(|(joined, left)| stay(*joined, *left));
        stays.reduce(|a, b| Range::new(a.from.min(b.from), a.to.max(b.to))).unwrap_or(Range::new(0, 0))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::kinds::block::Header;

    #[test]
    fn a_block_reads_back_as_it_was_written() {
        let row = AttendanceRow {
            session_started_at: 1_740_819_600_000,
            joined_at: 1_740_819_660_000,
            left_at: 1_740_823_200_000,
            user: 7,
            app: 1,
            session_id: "周会",
            session_kind: 0,
            user_kind: 1,
            device: 2,
            media: 3,
            unit: 0,
            place: 42,
            given_id: "",
            receipt: 1 << 16,
        };
        let later = AttendanceRow {
            session_started_at: row.session_started_at + 5,
            joined_at: row.left_at + 7,
            left_at: row.left_at + 7,
            given_id: "x",
            receipt: u64::MAX >> 1,
            ..row
        };
        let bytes = AttendanceBlock::from_rows([row, later]).encode().unwrap();
        let extent = Range::new(row.session_started_at, later.session_started_at + 1);
        assert_eq!(Header::of(&bytes), Some(Header { extent, reach: Range::new(row.joined_at, later.joined_at + 1) }));
        let block = AttendanceBlock::decode(&bytes).unwrap();
        assert_eq!(format!("{:?}", block.rows().collect::<Vec<_>>()), format!("{:?}", [row, later]));
        assert!(AttendanceBlock::decode(&bytes[..bytes.len() - 3]).is_err());
        assert!(AttendanceBlock::decode(b"").is_err());
        // Ten thousand organizations may have one fact each in a commit.
        assert!(bytes.len() < 160, "{}", bytes.len());
        let many = AttendanceBlock::from_rows((0..1000).map(|user| AttendanceRow { user, ..row }));
        let bytes = many.encode().unwrap();
        assert!(bytes.len() < 2000, "{}", bytes.len());
        let read = AttendanceBlock::decode(&bytes).unwrap();
        assert!(read.rows().eq(many.rows()) && read.slice(10, 5).rows().map(|row| row.user).eq(10..15));
    }
}
