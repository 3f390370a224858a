//! Fact ids: known for ever, and claimed in the commit that stores the fact. Those of attendances and those of assistances are separate.
//!
//! Ids are in *parts*: the default ids of a UTC day, or a 256th of the given ones. What is claimed is stored with the commit as it comes
//! (`claims.rs`), and in memory in a table of its part. When much is claimed it is flushed (`flush.rs`): each part gets a *run*, which holds its ids in
//! order in about nine bytes each (`segment.rs`), and takes up those of its older neighbours that are at most twice as long: so an id is
//! rewritten a logarithmic number of times, and a part has few runs. How much one flush takes up is bounded, and the rest waits for the next.
//!
//! A request is looked up at once, part by part: in the table of the part, then in the filter of each run, which are in memory (`filter.rs`).
//! Only what passes a filter is looked for in storage, each segment once: almost nothing of new facts, and of a request that is sent again
//! what it asks for. Filters go by use when they take more than [`crate::Settings::id_cache_bytes`], and are made again of their runs.
//!
//! Of an id 64 bits are kept beside its part, and 24 of the hash of the content: see ARCHITECTURE.md for what can go wrong with that.

mod claims;
mod filter;
mod flush;
mod part;
mod run;
mod segment;
#[cfg(test)]
mod tests;

pub(crate) use claims::{Claims, Counts};

use super::Ledger;
use crate::error::EngineError;
use hashbrown::hash_table::Entry;
use hashbrown::{DefaultHashBuilder, HashMap, HashTable};
use part::{PartKey, code_of};
use rollcall_model::{FactId, FactKind, OrgId};
use run::{Run, Stored};
use std::hash::BuildHasher;
use std::sync::Arc;

/// An id as its part knows it, and the end of the hash of its content.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(C, packed(4))]
struct Record {
    id: u64,
    content: u32,
}

/// The bits of a content that are compared.
const CONTENT: u32 = (1 << segment::CONTENT_BITS) - 1;

/// About how many bytes a part takes besides its ids.
const PART_IN_MEMORY: usize = 192;

/// What is known of an id.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Known {
    /// Nothing: it is claimed now.
    New,
    /// A fact with the same content has it.
    Duplicate,
    /// A fact with other content has it.
    Conflicting,
}

impl Known {
    const fn by(of_first: u32, content: u32) -> Self {
        if of_first == content { Self::Duplicate } else { Self::Conflicting }
    }
}

/// A part in memory.
#[derive(Debug, Default)]
struct Part {
    /// Ids that are in no run.
    claimed: HashTable<Record>,
    /// None: not read yet, or forgotten.
    runs: Option<Vec<Run>>,
    /// How many runs there are at the least.
    run_count: usize,
    /// When it was used last, counted in flushes.
    used: u32,
    /// What it is counted with in [`Ids::size`].
    size: usize,
}

impl Part {
    /// Reads the runs if they are not in memory.
    fn read(&mut self, stored: &Stored<'_>) -> Result<(), EngineError> {
        if self.runs.is_none() {
            let runs = stored.runs()?;
            self.run_count = runs.len();
            self.runs = Some(runs);
        }
        Ok(())
    }

    fn measure(&self) -> usize {
        PART_IN_MEMORY + self.claimed.allocation_size() + self.runs.iter().flatten().map(Run::size).sum::<usize>()
    }
}

/// The ids of every organization. One thread uses them.
pub(crate) struct Ids {
    ledger: Arc<Ledger>,
    parts: HashMap<PartKey, Part>,
    hasher: DefaultHashBuilder,
    /// Claimed since the last [`Ids::take`].
    claims: Claims,
    /// The parts with claimed ids.
    fresh: Vec<PartKey>,
    /// How many ids are claimed and in no run.
    claimed: usize,
    /// The keys of the pieces that hold them.
    pieces: Vec<[u8; 12]>,
    /// The position of the last commit with claims.
    position: u64,
    /// About how many bytes the parts take in memory.
    size: usize,
    budget: usize,
    flushes: u32,
}

impl Ids {
    /// The ids of a ledger whose last commit is at `position`: reads what is claimed and in no run.
    ///
    /// # Errors
    /// [`EngineError::Storage`].
    pub(crate) fn open(ledger: Arc<Ledger>, position: u64, budget: usize) -> Result<Self, EngineError> {
        let mut ids = Self {
            parts: HashMap::new(),
            hasher: DefaultHashBuilder::default(),
            claims: Claims::default(),
            fresh: Vec::new(),
            claimed: 0,
            pieces: Vec::new(),
            position,
            size: 0,
            budget,
            flushes: 0,
            ledger,
        };
        let mut newest: HashMap<PartKey, u64> = HashMap::new();
        for stored in ids.ledger.claims.clone().iter() {
            let (key, piece) = stored.into_inner()?;
            let position = claims::position_of(&key)?;
            ids.pieces.push(key.as_ref().try_into().map_err(|_| super::broken("an id"))?);
            claims::each(&piece, |key, records| {
                // A flush that was cut off: some parts have their runs.
                let newest = match newest.get(&key) {
                    Some(newest) => *newest,
                    None => *newest.entry(key).insert(stored_part(&ids.ledger, key).newest()?).get(),
                };
                if position > newest {
                    ids.claim_again(key, claims::records(records));
                }
                Ok(())
            })?;
        }
        Ok(ids)
    }

    fn claim_again(&mut self, key: PartKey, records: impl ExactSizeIterator<Item = Record>) {
        let part = self.parts.entry(key).or_default();
        if part.claimed.is_empty() {
            self.fresh.push(key);
        }
        self.claimed += records.len();
        for record in records {
            part.claimed.insert_unique(self.hasher.hash_one(record.id), record, |record| self.hasher.hash_one(record.id));
        }
        Self::measure(&mut self.size, part);
    }

    fn measure(size: &mut usize, part: &mut Part) {
        let measured = part.measure();
        *size = *size - part.size + measured;
        part.size = measured;
    }

    /// Looks up the ids of a request, each with the hash of its content, and claims those that are new.
    ///
    /// # Errors
    /// [`EngineError::Storage`].
    pub(crate) fn claim(&mut self, org: OrgId, kind: FactKind, ids: &[FactId], contents: &[u32]) -> Result<Vec<Known>, EngineError> {
        let mut known = vec![Known::New; ids.len()];
        // The ids of a part one after the other: what is known of it is at hand then.
        let mut rows: Vec<((bool, u32), u32)> = (0..).zip(ids).map(|(row, id)| (code_of(*id).0, row)).collect();
        if !rows.is_sorted() {
            rows.sort_unstable();
        }
        let mut claimed = Vec::new();
        for of_part in rows.chunk_by(|(a, _), (b, _)| a == b) {
            let Some((code, _)) = of_part.first() else { continue };
            let key = PartKey::of_code(org, kind, *code);
            let rows = of_part.iter().map(|(_, row)| *row as usize);
            let records = rows.filter_map(|row| {
                let content = if key.has_contents() { contents.get(row)? & CONTENT } else { 0 };
                Some((row, Record { id: code_of(*ids.get(row)?).1, content }))
            });
            self.claim_of_part(key, records, &mut known, &mut claimed)?;
            self.claims.add(&key, &claimed);
            claimed.clear();
            self.forget();
        }
        Ok(known)
    }

    fn claim_of_part(
        &mut self,
        key: PartKey,
        records: impl Iterator<Item = (usize, Record)>,
        known: &mut [Known],
        claimed: &mut Vec<Record>,
    ) -> Result<(), EngineError> {
        let stored = stored_part(&self.ledger, key);
        let part = self.parts.entry(key).or_default();
        part.used = self.flushes;
        let had_claims = !part.claimed.is_empty();
        part.read(&stored)?;
        let runs = part.runs.as_deref().unwrap_or_default();
        let hasher = &self.hasher;
        let hash = |record: &Record| hasher.hash_one(record.id);
        let mut claim = |row: usize, record: Record| {
            let is_new = match part.claimed.entry(hash(&record), |other| other.id == record.id, hash) {
                Entry::Occupied(entry) => Known::by(entry.get().content, record.content),
                Entry::Vacant(entry) => {
                    entry.insert(record);
                    claimed.push(record);
                    Known::New
                }
            };
            if let Some(known) = known.get_mut(row) {
                *known = is_new;
            }
        };
        let mut doubtful: Vec<(u64, usize, u32)> = Vec::new();
        for (row, record) in records {
            if runs.iter().any(|run| run.may_have(record.id)) {
                doubtful.push((record.id, row, record.content));
            } else {
                claim(row, record);
            }
        }
        // By id, and then in the order they came: of those that are the same, the first is claimed.
        doubtful.sort_unstable();
        let found = stored.find(runs, doubtful.iter().map(|(id, ..)| *id))?;
        for ((id, row, content), found) in doubtful.iter().copied().zip(&found) {
            if found.is_none() {
                claim(row, Record { id, content });
            }
        }
        for ((_, row, content), found) in doubtful.into_iter().zip(found) {
            if let (Some(of_first), Some(known)) = (found, known.get_mut(row)) {
                *known = Known::by(of_first, content);
            }
        }
        if !had_claims && !claimed.is_empty() {
            self.fresh.push(key);
        }
        self.claimed += claimed.len();
        Self::measure(&mut self.size, part);
        Ok(())
    }

    /// What was claimed since it was last taken, to be stored with the commit at `position`.
    pub(crate) fn take(&mut self, position: u64) -> Claims {
        let claims = std::mem::take(&mut self.claims);
        self.pieces.extend(claims.keys(position));
        self.position = position;
        claims
    }

    /// Forgets runs in memory beyond the budget: of parts that were not used for long, and among those used alike any.
    fn forget(&mut self) {
        if self.size <= self.budget {
            return;
        }
        let mut by_use: Vec<(u32, u64, PartKey)> =
            self.parts.iter().map(|(key, part)| (part.used, self.hasher.hash_one((self.flushes, key)), *key)).collect();
        by_use.sort_unstable_by_key(|(used, any, _)| (*used, *any));
        // Down to three quarters, so that this is not done at every commit.
        for (.., key) in by_use {
            if self.size <= self.budget / 4 * 3 {
                break;
            }
            let Some(part) = self.parts.get_mut(&key) else { continue };
            part.runs = None;
            Self::measure(&mut self.size, part);
            if part.claimed.is_empty() {
                self.size -= part.size;
                self.parts.remove(&key);
            }
        }
    }
}

fn stored_part(ledger: &Ledger, part: PartKey) -> Stored<'_> {
    Stored { keyspace: &ledger.ids, part }
}
