//! The base cell: the meetings that began in a quarter hour, and who attended them.

use super::codec::{Reader, put, put_signed};
use super::store::{Cells, Live, LiveCells};
use super::{Base, Keep, MeetingTotals, UserTotals, View};
use crate::error::EngineError;
use crate::ledger::columns::{AttendanceBlock, AttendanceRow};
use fjall::Keyspace;
use rollcall_model::{Millis, Quarter, Range, SessionKind};
use std::cmp::Ordering;

/// One user's attendance of one meeting, within one data residency: everything the meeting reports ask of those facts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Attendee {
    /// The meeting: a 128-bit hash of (app, `session_started_at`, `session_id`).
    pub session: u128,
    /// The user's number.
    pub user: u32,
    /// The data residency.
    pub unit: u8,
    /// The app's number.
    pub app: u16,
    /// The user kind of the latest join; of several at one instant, the highest number.
    pub kind: u8,
    /// When the meeting began.
    pub started_at: Millis,
    /// The first join.
    pub joined_at: Millis,
    /// The last leave.
    pub left_at: Millis,
    /// The latest join.
    pub latest_join: Millis,
    /// Sum of the stays.
    pub stayed: Millis,
}

impl Attendee {
    const fn key(&self) -> (u128, u32, u8) {
        (self.session, self.user, self.unit)
    }

    fn merge(&mut self, other: &Self) {
        (self.latest_join, self.kind) = (self.latest_join, self.kind).max((other.latest_join, other.kind));
        self.joined_at = self.joined_at.min(other.joined_at);
        self.left_at = self.left_at.max(other.left_at);
        self.stayed += other.stayed;
    }
}

/// The base cell of meetings: those that began in a quarter hour, ascending by session, user and data residency. Facts of other kinds of
/// session are passed over.
#[derive(Debug)]
pub struct Sessions;

impl Base for Sessions {
    type Block = AttendanceBlock;
    type Entry = Attendee;
    const NAME: &'static str = "sessions";
    const QUARTERS: i32 = 1;
    const KINDS: &'static [u8] = &[MeetingTotals::KIND, UserTotals::KIND];

    fn fold(block: &AttendanceBlock, add: &mut dyn FnMut(Quarter, Attendee)) {
        let mut session = 0;
        let mut last: Option<AttendanceRow<'_>> = None;
        for row in block.rows().filter(|row| row.session_kind == SessionKind::Meeting.number()) {
            let same = last.is_some_and(|last| {
                (last.session_started_at, last.app, last.session_id) == (row.session_started_at, row.app, row.session_id)
            });
            if !same {
                session = session_hash(row.app, row.session_started_at, row.session_id);
            }
            let attendee = Attendee {
                session,
                user: row.user,
                unit: row.unit,
                app: row.app,
                kind: row.user_kind,
                started_at: row.session_started_at,
                joined_at: row.joined_at,
                left_at: row.left_at,
                latest_join: row.joined_at,
                stayed: row.left_at - row.joined_at,
            };
            add(Quarter::of(row.session_started_at), attendee);
            last = Some(row);
        }
    }

    fn order(attendees: &mut Vec<Attendee>) {
        // The stable sort finds the runs that are in order already.
        attendees.sort_by_key(Attendee::key);
        attendees.dedup_by(|next, kept| {
            let same = next.key() == kept.key();
            if same {
                kept.merge(next);
            }
            same
        });
    }

    fn compare(a: &Attendee, b: &Attendee) -> Ordering {
        a.key().cmp(&b.key())
    }

    fn encode(quarter: Quarter, attendees: &[Attendee]) -> Vec<u8> {
        let mut out = Vec::with_capacity(attendees.len() * 12 + 64);
        for session in attendees.chunk_by(|a, b| a.session == b.session) {
            let Some(first) = session.first() else { continue };
            out.extend_from_slice(&first.session.to_le_bytes());
            put(&mut out, u64::from(first.app));
            put_signed(&mut out, first.started_at - quarter.start());
            put(&mut out, session.len() as u64);
            let mut user = 0;
            for attendee in session {
                put(&mut out, u64::from(attendee.user - user));
                user = attendee.user;
                out.push(attendee.unit << 4 | attendee.kind);
                put_signed(&mut out, attendee.joined_at - attendee.started_at);
                let span = attendee.left_at - attendee.joined_at;
                put_signed(&mut out, span);
                put_signed(&mut out, attendee.latest_join - attendee.joined_at);
                put_signed(&mut out, attendee.stayed - span);
            }
        }
        out
    }

    fn decode(quarter: Quarter, bytes: &[u8]) -> Option<Vec<Attendee>> {
        let mut reader = Reader(bytes);
        let mut attendees = Vec::with_capacity(bytes.len() / 8);
        while !reader.0.is_empty() {
            let session = u128::from_le_bytes(reader.take_bytes()?);
            let app = reader.take_as()?;
            let started_at = quarter.start() + reader.take_signed()?;
            let mut user = 0u32;
            for _ in 0..reader.take_count()? {
                user = user.checked_add(reader.take_as()?)?;
                let [unit_and_kind] = reader.take_bytes()?;
                let joined_at = started_at + reader.take_signed()?;
                let span = reader.take_signed()?;
                attendees.push(Attendee {
                    session,
                    user,
                    unit: unit_and_kind >> 4,
                    app,
                    kind: unit_and_kind & 15,
                    started_at,
                    joined_at,
                    left_at: joined_at + span,
                    latest_join: joined_at + reader.take_signed()?,
                    stayed: span + reader.take_signed()?,
                });
            }
        }
        Some(attendees)
    }

    /// A meeting's attendees know when it began: no facts are read.
    fn edge(view: &View<'_, Self>, range: Range) -> Result<Vec<Attendee>, EngineError> {
        let mut attendees = view.entries(Quarter::of(range.from))?;
        attendees.retain(|attendee| range.contains(attendee.started_at));
        Ok(attendees)
    }

    fn keyspace(cells: &Cells) -> &Keyspace {
        &cells.sessions
    }

    fn live(live: &Live) -> &LiveCells<Self> {
        &live.sessions
    }

    fn live_mut(live: &mut Live) -> &mut LiveCells<Self> {
        &mut live.sessions
    }
}

fn session_hash(app: u16, started_at: Millis, session_id: &str) -> u128 {
    let mut words = [0; 10];
    words[..2].copy_from_slice(&app.to_le_bytes());
    words[2..].copy_from_slice(&started_at.to_le_bytes());
    let mut hash = xxhash_rust::xxh3::Xxh3::new();
    hash.update(&words);
    hash.update(session_id.as_bytes());
    hash.digest128()
}

#[cfg(test)]
mod tests {
    use super::super::Cell;
    use super::*;
    use proptest::prelude::*;

    fn attendee() -> impl Strategy<Value = Attendee> {
        (0u128..3, 0u32..4, 0u8..2, 0i64..900_000, -1000i64..1000, 0i64..5000, 0u8..4).prop_map(
            |(session, user, unit, started, joined, stayed, kind)| {
                let started_at = started / 900_000 + i64::try_from(session).unwrap();
                let joined_at = started_at + joined;
                Attendee {
                    session,
                    user,
                    unit,
                    app: 0,
                    kind,
                    started_at,
                    joined_at,
                    left_at: joined_at + stayed,
                    latest_join: joined_at,
                    stayed,
                }
            },
        )
    }

    fn cell(attendees: &[Attendee]) -> Cell<Sessions> {
        let mut cell = Cell::default();
        cell.extend(attendees);
        cell
    }

    proptest! {
        #[test]
        fn merging_in_any_order_is_folding_all(attendees in prop::collection::vec(attendee(), 0..200), cut in 0usize..200) {
            let cut = cut.min(attendees.len());
            let whole = cell(&attendees).into_entries();
            let (mut left, right) = (cell(&attendees[..cut]), cell(&attendees[cut..]));
            let mut turned = right.clone();
            turned.merge(&left);
            left.merge(&right);
            prop_assert_eq!(&left.into_entries(), &whole);
            prop_assert_eq!(&turned.into_entries(), &whole);
        }

        #[test]
        fn a_cell_reads_back_as_it_was_written(attendees in prop::collection::vec(attendee(), 0..100)) {
            let attendees = cell(&attendees).into_entries();
            let bytes = Sessions::encode(Quarter(0), &attendees);
            prop_assert_eq!(Sessions::decode(Quarter(0), &bytes).unwrap(), attendees);
        }

        #[test]
        fn bytes_that_are_no_cell_do_not_panic(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
            let _ = Sessions::decode(Quarter(1_000_000), &bytes);
        }
    }
}
