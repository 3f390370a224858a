//! Base cells in storage: of each day, runs of entries, and a list of them.
//!
//! A checkpoint adds a run to each day that it changes, and rewrites only the list, so that what it writes does not grow with what is there.
//! Runs of a day are merged later (`tiers.rs`); whoever reads a day merges them in memory. A run is cut into parts, so that no value is large.

use super::base::{around, order};
use super::codec::{Reader, put};
use super::{Base, Cells, Day};
use crate::error::EngineError;
use crate::settings::Settings;
use fjall::config::CompressionPolicy;
use fjall::{CompressionType, Database, Keyspace, OwnedWriteBatch, Readable, Snapshot};
use rollcall_model::{OrgId, Quarter, Range};

/// How many entries a part has at most: with the worst of names, less than 4 MB.
const PART_ENTRIES: usize = 1 << 16;

/// Where base cells of one kind lie.
#[derive(Clone)]
pub struct Stored {
    /// The lists of runs, by organization and day.
    pub(crate) lists: Keyspace,
    /// The parts of runs, by organization, day, number of the run and of the part.
    pub(crate) parts: Keyspace,
}

impl std::fmt::Debug for Stored {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Stored").finish_non_exhaustive()
    }
}

impl Stored {
    /// Opens or makes the keyspaces of a kind of base cell.
    pub(super) fn open(db: &Database, [lists, parts]: [&str; 2], settings: &Settings) -> Result<Self, EngineError> {
        // Parts are compressed column by column already.
        let plain = || settings.keyspace().data_block_compression_policy(CompressionPolicy::all(CompressionType::None));
        Ok(Self { lists: db.keyspace(lists, || settings.keyspace())?, parts: db.keyspace(parts, plain)? })
    }
}

/// What the list of a day says of a run.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Listed {
    pub(super) number: u32,
    pub(super) entries: usize,
    /// The quarter hours between the first and the last in which an entry counts.
    pub(super) span: (i32, i32),
    /// Those between the first and the last that an entry is about; none if none is of the day.
    pub(super) about: Option<(i32, i32)>,
}

impl Listed {
    fn of<B: Base>(number: u32, entries: &[B::Entry]) -> Self {
        let (mut span, mut about) = (None, None);
        for touches in entries.iter().map(B::touches) {
            about = around(about, touches.about);
            span = around(span, touches.filed.map(|filed| (filed, filed)));
        }
        Self { number, entries: entries.len(), span: around(span, about).unwrap_or_default(), about }
    }

    fn parts(&self) -> u16 {
        self.entries.div_ceil(PART_ENTRIES) as u16
    }

    fn put(&self, day: Day, out: &mut Vec<u8>) {
        let first = Quarter::of(day.range().from).0;
        let of_day = |quarter: i32| u64::from((quarter - first).unsigned_abs());
        put(out, self.number.into());
        put(out, self.entries as u64);
        put(out, of_day(self.span.0));
        put(out, of_day(self.span.1));
        // The first after the last for none.
        let (from, to) = self.about.map_or((1, 0), |(from, to)| (of_day(from), of_day(to)));
        put(out, from);
        put(out, to);
    }

    fn take(day: Day, reader: &mut Reader<'_>) -> Option<Self> {
        let first = Quarter::of(day.range().from).0;
        let number = reader.take_as()?;
        let entries = reader.take_as()?;
        let mut quarter = || reader.take_as::<u8>().map(|of_day| first + i32::from(of_day));
        let span = (quarter()?, quarter()?);
        let about = (quarter()?, quarter()?);
        Some(Self { number, entries, span, about: (about.0 <= about.1).then_some(about) })
    }
}

/// The instants from the beginning of the first quarter hour to the end of the last.
pub(super) const fn instants((first, last): (i32, i32)) -> Range {
    Range::new(Quarter(first).start(), Quarter(last + 1).start())
}

/// The key of a day's list.
pub(super) fn day_key(org: OrgId, day: Day) -> [u8; 20] {
    let mut bytes = [0; 20];
    bytes[..16].copy_from_slice(org.0.as_bytes());
    bytes[16..].copy_from_slice(&day.0.to_be_bytes());
    bytes
}

/// The day of the key of a list or a part.
pub(super) fn day_of_key(key: &[u8]) -> Option<Day> {
    Some(Day(i32::from_be_bytes(*key.get(16..)?.first_chunk()?)))
}

fn part_key(org: OrgId, day: Day, run: u32, part: u16) -> [u8; 26] {
    let mut bytes = [0; 26];
    bytes[..20].copy_from_slice(&day_key(org, day));
    bytes[20..24].copy_from_slice(&run.to_be_bytes());
    bytes[24..].copy_from_slice(&part.to_be_bytes());
    bytes
}

pub(super) fn broken(what: &str) -> EngineError {
    EngineError::Storage(format!("{what} cannot be decoded"))
}

/// One day's base cell in storage, in one state of the database.
pub(super) struct StoredDay<'s> {
    stored: &'s Stored,
    snapshot: &'s Snapshot,
    org: OrgId,
    day: Day,
}

impl<'s> StoredDay<'s> {
    pub(super) fn new<B: Base>(cells: &'s Cells, snapshot: &'s Snapshot, org: OrgId, day: Day) -> Self {
        Self { stored: cells.stored::<B>(), snapshot, org, day }
    }

    /// The runs of the day; none if the list is not readable.
    ///
    /// # Errors
    /// [`EngineError::Storage`].
    pub(super) fn find_list(&self) -> Result<Option<Vec<Listed>>, EngineError> {
        let bytes = self.snapshot.get(&self.stored.lists, day_key(self.org, self.day))?;
        Ok(bytes.map_or_else(|| Some(Vec::new()), |bytes| read_list(self.day, &bytes)))
    }

    /// The runs of the day.
    ///
    /// # Errors
    /// [`EngineError::Storage`], also if the list is not readable.
    pub(super) fn list(&self) -> Result<Vec<Listed>, EngineError> {
        self.find_list()?.ok_or_else(|| broken("the list of a day's cells"))
    }

    /// The entries of a run; none if they are not readable.
    fn run<B: Base>(&self, run: &Listed) -> Result<Option<Vec<B::Entry>>, EngineError> {
        let mut entries = Vec::new();
        for part in 0..run.parts() {
            let bytes = self.snapshot.get(&self.stored.parts, part_key(self.org, self.day, run.number, part))?;
            match bytes.and_then(|bytes| B::decode(self.day, &bytes)) {
                Some(of_part) if entries.is_empty() => entries = of_part,
                Some(of_part) => entries.extend(of_part),
                None => return Ok(None),
            }
        }
        Ok((entries.len() == run.entries).then_some(entries))
    }

    /// The entries of some runs, in order; none if one of them is not readable.
    ///
    /// # Errors
    /// [`EngineError::Storage`].
    pub(super) fn entries<B: Base>(&self, runs: &[Listed]) -> Result<Option<Vec<B::Entry>>, EngineError> {
        let mut entries = Vec::new();
        for run in runs {
            match self.run::<B>(run)? {
                Some(of_run) if entries.is_empty() => entries = of_run,
                Some(of_run) => entries.extend(of_run),
                None => return Ok(None),
            }
        }
        if runs.len() > 1 {
            order::<B>(&mut entries);
        }
        Ok(Some(entries))
    }

    /// The entries of some runs, in order.
    ///
    /// # Errors
    /// [`EngineError::Storage`], also if they are not readable.
    pub(super) fn readable<B: Base>(&self, runs: &[Listed]) -> Result<Vec<B::Entry>, EngineError> {
        self.entries::<B>(runs)?.ok_or_else(|| broken("a cell"))
    }

    /// Writes a run of entries, which are in order, and lists it under a number that no other has, nor one that the batch removes.
    pub(super) fn add<B: Base>(&self, list: &mut Vec<Listed>, number: u32, entries: &[B::Entry], batch: &mut OwnedWriteBatch) {
        for (part, entries) in (0..).zip(entries.chunks(PART_ENTRIES)) {
            batch.insert(&self.stored.parts, part_key(self.org, self.day, number, part), B::encode(self.day, entries));
        }
        if !entries.is_empty() {
            list.push(Listed::of::<B>(number, entries));
        }
    }

    /// Removes runs from storage; they are no longer listed.
    pub(super) fn remove(&self, runs: &[Listed], batch: &mut OwnedWriteBatch) {
        for run in runs {
            (0..run.parts()).for_each(|part| batch.remove(&self.stored.parts, part_key(self.org, self.day, run.number, part)));
        }
    }

    /// Writes the list.
    pub(super) fn write(&self, list: &[Listed], batch: &mut OwnedWriteBatch) {
        let key = day_key(self.org, self.day);
        if list.is_empty() {
            return batch.remove(&self.stored.lists, key);
        }
        let mut bytes = Vec::with_capacity(list.len() * 10);
        list.iter().for_each(|run| run.put(self.day, &mut bytes));
        batch.insert(&self.stored.lists, key, bytes);
    }

    /// Replaces whatever is stored of the day, listed or not, by these entries.
    ///
    /// # Errors
    /// [`EngineError::Storage`].
    pub(super) fn replace<B: Base>(&self, entries: &[B::Entry], batch: &mut OwnedWriteBatch) -> Result<(), EngineError> {
        let mut next = 0;
        for part in self.snapshot.prefix(&self.stored.parts, day_key(self.org, self.day)) {
            let key = part.key()?;
            next = key.get(20..).and_then(|key| key.first_chunk()).map_or(next, |number| u32::from_be_bytes(*number).saturating_add(1));
            batch.remove(&self.stored.parts, key);
        }
        let mut list = Vec::new();
        self.add::<B>(&mut list, next, entries, batch);
        self.write(&list, batch);
        Ok(())
    }

    /// Whether the list is that of these entries, but for the numbers of runs, and every part is listed.
    pub(super) fn is_listed_right<B: Base>(&self, list: &[Listed], entries: &[B::Entry]) -> Result<bool, EngineError> {
        let parts = self.snapshot.prefix(&self.stored.parts, day_key(self.org, self.day)).count();
        let whole = Listed::of::<B>(0, entries);
        let of_list = |of: fn(&Listed) -> Option<(i32, i32)>| list.iter().map(of).fold(None, around);
        let spans = of_list(|run| Some(run.span)) == (!entries.is_empty()).then_some(whole.span);
        Ok(spans && of_list(|run| run.about) == whole.about && parts == list.iter().map(|run| usize::from(run.parts())).sum::<usize>())
    }
}

/// A number that no run of a list has.
pub(super) fn next_number(list: &[Listed]) -> u32 {
    list.iter().map(|run| run.number.saturating_add(1)).max().unwrap_or(0)
}

/// The runs that a day's list names; none if it is not one.
pub(super) fn read_list(day: Day, bytes: &[u8]) -> Option<Vec<Listed>> {
    let mut reader = Reader(bytes);
    let mut list = Vec::new();
    while !reader.0.is_empty() {
        list.push(Listed::take(day, &mut reader)?);
    }
    Some(list)
}

#[cfg(test)]
impl Cells {
    /// Changes the entries of the stored day in the middle, and returns its instants.
    pub(crate) fn damage<B: Base>(&self, change: impl FnOnce(&mut Vec<B::Entry>)) -> Range {
        let lists = &self.stored::<B>().lists;
        let key = lists.iter().nth(lists.iter().count() / 2).unwrap().key().unwrap();
        let (org, day) = (OrgId(uuid::Uuid::from_bytes(*key.first_chunk().unwrap())), day_of_key(&key).unwrap());
        let snapshot = self.db.snapshot();
        let stored = StoredDay::new::<B>(self, &snapshot, org, day);
        let mut entries = stored.readable::<B>(&stored.list().unwrap()).unwrap();
        change(&mut entries);
        let mut batch = self.db.batch();
        stored.replace::<B>(&entries, &mut batch).unwrap();
        batch.commit().unwrap();
        day.range()
    }
}
