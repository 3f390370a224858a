//! Claims: the ids of a commit as they are stored with it, until they are in runs.
//!
//! A claim is a few pieces, each of parts: the key of the part, how many ids follow, and these, 12 bytes each.

use super::part::{KEY as PART, PartKey};
use super::{Record, run};
use crate::error::EngineError;
use crate::ledger::{Ledger, broken};
use fjall::{OwnedWriteBatch, Readable, Snapshot};
use hashbrown::HashMap;
use rollcall_model::{FactKind, OrgId};

/// Bytes of an id and its content.
const RECORD: usize = 12;

/// How many ids follow one key of a part at the most.
const AT_A_TIME: usize = 16_384;

/// How large a piece may be before another is begun: values of the database are not to be large.
const PIECE_BYTES: usize = 1 << 20;

/// What a group of requests claimed.
#[derive(Debug, Default)]
pub(crate) struct Claims {
    pieces: Vec<Vec<u8>>,
}

impl Claims {
    /// Adds ids of a part.
    pub(super) fn add(&mut self, part: &PartKey, records: &[Record]) {
        for records in records.chunks(AT_A_TIME) {
            if self.pieces.last().is_none_or(|piece| piece.len() >= PIECE_BYTES) {
                self.pieces.push(Vec::new());
            }
            let Some(piece) = self.pieces.last_mut() else { continue };
            piece.reserve(PART + 4 + records.len() * RECORD);
            piece.extend_from_slice(&part.bytes());
            piece.extend_from_slice(&(records.len() as u32).to_le_bytes());
            for Record { id, content } in records.iter().copied() {
                piece.extend_from_slice(&id.to_le_bytes());
                piece.extend_from_slice(&content.to_le_bytes());
            }
        }
    }

    /// Adds what was claimed to the batch of its commit.
    pub(crate) fn store(self, ledger: &Ledger, position: u64, batch: &mut OwnedWriteBatch) {
        for (key, piece) in self.keys(position).zip(self.pieces) {
            batch.insert(&ledger.claims, key, piece);
        }
    }

    /// The keys under which they are stored.
    pub(super) fn keys(&self, position: u64) -> impl Iterator<Item = [u8; 12]> + use<> {
        (0..self.pieces.len() as u32).map(move |piece| {
            let mut key = [0; 12];
            key[..8].copy_from_slice(&position.to_be_bytes());
            key[8..].copy_from_slice(&piece.to_be_bytes());
            key
        })
    }
}

/// The position in the key of a piece.
pub(super) fn position_of(key: &[u8]) -> Result<u64, EngineError> {
    key.first_chunk().copied().map(u64::from_be_bytes).ok_or_else(|| broken("an id"))
}

/// Gives the parts of a piece and their ids, as they are stored.
pub(super) fn each<'p>(mut piece: &'p [u8], mut each: impl FnMut(PartKey, &'p [u8]) -> Result<(), EngineError>) -> Result<(), EngineError> {
    while !piece.is_empty() {
        let read = || {
            let (part, rest) = piece.split_at_checked(PART)?;
            let (count, rest) = rest.split_first_chunk()?;
            let (records, rest) = rest.split_at_checked((u32::from_le_bytes(*count) as usize).checked_mul(RECORD)?)?;
            Some((PartKey::read(part)?, records, rest))
        };
        let (part, records, rest) = read().ok_or_else(|| broken("an id"))?;
        each(part, records)?;
        piece = rest;
    }
    Ok(())
}

/// The ids of stored bytes.
pub(super) fn records(stored: &[u8]) -> impl ExactSizeIterator<Item = Record> {
    let (records, _) = stored.as_chunks::<RECORD>();
    records.iter().map(|[a, b, c, d, e, f, g, h, content @ ..]| Record {
        id: u64::from_le_bytes([*a, *b, *c, *d, *e, *f, *g, *h]),
        content: u32::from_le_bytes(*content),
    })
}

/// How many ids each part has in one state: those in runs are counted when asked for.
pub(crate) struct Counts {
    /// Position and number of those claimed that may not be in runs yet.
    claimed: HashMap<PartKey, Vec<(u64, u64)>>,
}

impl Counts {
    /// Reads which ids are claimed.
    pub(crate) fn of(ledger: &Ledger, snapshot: &Snapshot) -> Result<Self, EngineError> {
        let mut claimed: HashMap<PartKey, Vec<(u64, u64)>> = HashMap::new();
        for stored in snapshot.iter(&ledger.claims) {
            let (key, piece) = stored.into_inner()?;
            let position = position_of(&key)?;
            each(&piece, |part, ids| {
                claimed.entry(part).or_default().push((position, records(ids).len() as u64));
                Ok(())
            })?;
        }
        Ok(Self { claimed })
    }

    /// How many default ids an organization has of a UTC day.
    pub(crate) fn of_day(&self, ledger: &Ledger, snapshot: &Snapshot, org: OrgId, kind: FactKind, day: u32) -> Result<u64, EngineError> {
        let part = PartKey::of_day(org, kind, day);
        let (mut count, mut newest) = (0, 0);
        for stored in snapshot.prefix(&ledger.ids, part.bytes()) {
            let (key, segment) = stored.into_inner()?;
            (newest, _) = run::read_key(&key)?;
            count += run::count(&segment)?;
        }
        let claimed = self.claimed.get(&part).into_iter().flatten().filter(|(position, _)| *position > newest);
        Ok(count + claimed.map(|(_, count)| count).sum::<u64>())
    }
}
