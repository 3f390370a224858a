//! Fact ids: known for ever, checked and claimed in the commit that stores the fact. Those of attendances and those of assistances are
//! separate.
//!
//! Default ids lead with the UTC day of `joined_at` or `at`. The ids of a day in use are one hash table in memory; in storage they are a few
//! arrays, one added by each commit and joined with its older neighbours as they grow, so that an id is rewritten only a logarithmic
//! number of times. That costs a tenth of a look-up and an insert per id in the tree, which ids that the source gave (and whose day
//! nobody knows) still need.

use super::{Ledger, block_key_prefix, broken};
use crate::error::EngineError;
use fjall::{Database, Keyspace, OwnedWriteBatch, Readable, Snapshot};
use hashbrown::{HashMap, HashSet};
use rollcall_model::identity::FactId;
use rollcall_model::{FactKind, OrgId};

/// The 96 bits of a default id after its day.
type Rest = [u32; 3];

/// Bytes of an id and its content in storage.
const RECORD: usize = 16;

/// About how many bytes an id takes in a table, its share of empty places included.
const IN_MEMORY: usize = 28;

/// About how many bytes a day takes besides its ids.
const DAY_IN_MEMORY: usize = 256;

#[derive(Debug, Default)]
struct Day {
    contents: HashMap<Rest, u32>,
    /// The arrays in storage: position and count, oldest first.
    arrays: Vec<(u64, usize)>,
    /// Claimed since the last commit.
    claimed: Vec<(Rest, u32)>,
    last_used: u64,
    /// What it is counted with in [`Ids::size`].
    size: usize,
}

impl Day {
    fn measure(&self) -> usize {
        DAY_IN_MEMORY + self.contents.capacity() * IN_MEMORY
    }
}

/// Whose ids of which kind and day.
type DayKey = (OrgId, FactKind, u32);

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

/// The ids of every organization. Used by the committer alone.
pub(crate) struct Ids {
    by_day: Keyspace,
    given: Keyspace,
    days: HashMap<DayKey, Day>,
    /// The days with claimed ids, so that a commit looks at no others.
    claimed_days: Vec<DayKey>,
    claimed_given: HashMap<(OrgId, FactKind, u128), u32>,
    /// About how many bytes the days take in memory.
    size: usize,
    budget: usize,
    uses: u64,
}

impl Ids {
    pub(crate) fn new(by_day: Keyspace, given: Keyspace, budget: usize) -> Self {
        Self { by_day, given, days: HashMap::new(), claimed_days: Vec::new(), claimed_given: HashMap::new(), size: 0, budget, uses: 0 }
    }

    /// Looks an id up, and claims it if it is new.
    pub(crate) fn claim(&mut self, org: OrgId, kind: FactKind, id: FactId, content: u32) -> Result<Known, EngineError> {
        let known = match id {
            FactId::Default(id) => {
                let (rest, key) = (rest_of(id), (org, kind, FactId::day(id)));
                let day = self.day(key)?;
                match day.contents.entry(rest) {
                    hashbrown::hash_map::Entry::Occupied(entry) => Some(*entry.get()),
                    hashbrown::hash_map::Entry::Vacant(entry) => {
                        entry.insert(content);
                        day.claimed.push((rest, content));
                        if day.claimed.len() == 1 {
                            self.claimed_days.push(key);
                        }
                        None
                    }
                }
            }
            FactId::Given(hash) => {
                let claimed = self.claimed_given.get(&(org, kind, hash)).copied();
                let known = match claimed {
                    Some(content) => Some(content),
                    None => content_of_given(&self.given, org, kind, hash)?,
                };
                if known.is_none() {
                    self.claimed_given.insert((org, kind, hash), content);
                }
                known
            }
        };
        Ok(match known {
            None => Known::New,
            Some(of_first) if of_first == content => Known::Duplicate,
            Some(_) => Known::Conflicting,
        })
    }

    fn day(&mut self, key: DayKey) -> Result<&mut Day, EngineError> {
        self.uses += 1;
        let day = match self.days.entry(key) {
            hashbrown::hash_map::Entry::Occupied(entry) => entry.into_mut(),
            hashbrown::hash_map::Entry::Vacant(entry) => {
                let mut day = Day::default();
                let (org, kind, number) = key;
                for stored in self.by_day.prefix(block_key_prefix(org, kind, number)) {
                    let (key, array) = stored.into_inner()?;
                    let position = key.last_chunk().copied().map(u64::from_be_bytes).ok_or_else(|| broken("an id"))?;
                    day.arrays.push((position, array.len() / RECORD));
                    day.contents.extend(records(&array));
                }
                day.size = day.measure();
                self.size += day.size;
                entry.insert(day)
            }
        };
        day.last_used = self.uses;
        Ok(day)
    }

    /// Adds everything claimed to the batch of the commit at `position`, and forgets days in memory beyond the budget.
    pub(crate) fn store(&mut self, position: u64, batch: &mut OwnedWriteBatch) -> Result<(), EngineError> {
        for of_day in std::mem::take(&mut self.claimed_days) {
            let Some(day) = self.days.get_mut(&of_day) else { continue };
            let (org, kind, number) = of_day;
            let prefix = block_key_prefix(org, kind, number);
            let key = |position: u64| [prefix.as_slice(), &position.to_be_bytes()].concat();
            let mut array: Vec<u8> = Vec::with_capacity(day.claimed.len() * RECORD);
            for (rest, content) in day.claimed.drain(..) {
                for word in rest.into_iter().chain([content]) {
                    array.extend_from_slice(&word.to_le_bytes());
                }
            }
            while let Some((older, count)) = day.arrays.pop_if(|(_, count)| *count <= array.len() / RECORD * 2) {
                let stored = self.by_day.get(key(older))?.filter(|stored| stored.len() == count * RECORD).ok_or_else(|| broken("an id"))?;
                array.extend_from_slice(&stored);
                batch.remove(&self.by_day, key(older));
            }
            day.arrays.push((position, array.len() / RECORD));
            batch.insert(&self.by_day, key(position), array);
            self.size = self.size - day.size + day.measure();
            day.size = day.measure();
        }
        for ((org, kind, hash), content) in self.claimed_given.drain() {
            batch.insert(&self.given, given_key(org, kind, hash), content.to_le_bytes());
        }
        self.forget();
        Ok(())
    }

    /// Removes ids of facts that are erased, so that such facts would be new. Not durable yet. Nothing is claimed but not stored meanwhile.
    /// Returns how many there were.
    pub(crate) fn erase(&mut self, db: &Database, org: OrgId, kind: FactKind, ids: &[FactId]) -> Result<u64, EngineError> {
        let (mut erased, mut by_day) = (0, HashMap::<u32, HashSet<Rest>>::new());
        let mut given = db.batch();
        for id in ids {
            match *id {
                FactId::Default(id) => _ = by_day.entry(FactId::day(id)).or_default().insert(rest_of(id)),
                FactId::Given(hash) => {
                    let key = given_key(org, kind, hash);
                    erased += u64::from(self.given.contains_key(key)?);
                    given.remove(&self.given, key);
                }
            }
        }
        given.commit()?;
        for (number, going) in by_day {
            let mut batch = db.batch();
            for stored in self.by_day.prefix(block_key_prefix(org, kind, number)) {
                let (key, array) = stored.into_inner()?;
                let stays = |record: &&[u8]| records(record).all(|(rest, _)| !going.contains(&rest));
                let left = array.chunks_exact(RECORD).filter(stays).collect::<Vec<_>>().concat();
                erased += ((array.len() - left.len()) / RECORD) as u64;
                match left.len() {
                    0 => batch.remove(&self.by_day, key),
                    length if length < array.len() => batch.insert(&self.by_day, key, left),
                    _ => {}
                }
            }
            batch.commit()?;
            self.drop_day(&(org, kind, number));
        }
        Ok(erased)
    }

    fn drop_day(&mut self, key: &DayKey) {
        if let Some(day) = self.days.remove(key) {
            self.size -= day.size;
        }
    }

    fn forget(&mut self) {
        if self.size <= self.budget {
            return;
        }
        let mut by_use: Vec<_> = self.days.iter().map(|(key, day)| (day.last_used, *key)).collect();
        by_use.sort_unstable_by_key(|(last_used, _)| *last_used);
        // Down to three quarters, so that this is not done at every commit.
        for (_, key) in by_use {
            if self.size <= self.budget / 4 * 3 {
                break;
            }
            self.drop_day(&key);
        }
    }
}

impl Ledger {
    /// How many default ids an organization has of a day.
    pub(crate) fn count_default_ids(&self, snapshot: &Snapshot, org: OrgId, kind: FactKind, day: u32) -> Result<u64, EngineError> {
        let arrays = snapshot.prefix(&self.ids, block_key_prefix(org, kind, day));
        arrays.map(|array| Ok((array.value()?.len() / RECORD) as u64)).sum()
    }
}

/// The content of the fact in storage that has an id of this hash.
fn content_of_given(given: &Keyspace, org: OrgId, kind: FactKind, hash: u128) -> Result<Option<u32>, EngineError> {
    let stored = given.get(given_key(org, kind, hash))?;
    Ok(stored.and_then(|bytes| Some(u32::from_le_bytes(bytes.as_ref().try_into().ok()?))))
}

/// What of a default id follows its day.
const fn rest_of(id: u128) -> Rest {
    [id as u32, (id >> 32) as u32, (id >> 64) as u32]
}

fn records(array: &[u8]) -> impl Iterator<Item = (Rest, u32)> {
    array.chunks_exact(RECORD).filter_map(|record| {
        let word = |at: usize| Some(u32::from_le_bytes(record.get(at..at + 4)?.try_into().ok()?));
        Some(([word(0)?, word(4)?, word(8)?], word(12)?))
    })
}

fn given_key(org: OrgId, kind: FactKind, hash: u128) -> [u8; 33] {
    let mut key = [0; 33];
    key[..16].copy_from_slice(org.0.as_bytes());
    key[16] = kind.number();
    key[17..].copy_from_slice(&hash.to_be_bytes());
    key
}
