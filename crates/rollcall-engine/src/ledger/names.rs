//! Names and their numbers: each user, app, booking and use of an organization has one, given when it is first seen, from 0 up, for ever.
//!
//! The names of an organization are read when somebody first asks for one of them, so that neither a start nor memory pays for those that
//! are quiet. Each organization has a lock of its own.

use super::broken;
use crate::error::EngineError;
use crate::strings::Dictionary;
use fjall::{Keyspace, OwnedWriteBatch};
use hashbrown::{DefaultHashBuilder, HashMap, HashTable};
use parking_lot::RwLock;
use rollcall_model::OrgId;
use std::hash::BuildHasher;
use std::sync::Arc;

/// What stands for a name that was erased: its number stays, as numbers have no gaps. No name has control characters.
const ERASED: &str = "\0";

/// How many names of one sort an organization can have: their numbers have 32 bits.
pub(crate) const MOST_NAMES: usize = u32::MAX as usize;

/// The names of one organization, one after the other.
#[derive(Debug, Default)]
pub(crate) struct NamesOf {
    text: String,
    /// Where each name ends.
    ends: Vec<usize>,
    /// The numbers of all names that were not erased, by the hash of the name.
    numbers: HashTable<u32>,
    hasher: DefaultHashBuilder,
    /// Whether those in storage are here.
    are_read: bool,
}

impl NamesOf {
    /// How many there are.
    pub(crate) fn len(&self) -> usize {
        self.ends.len()
    }

    /// The name with a number.
    pub(crate) fn name(&self, number: u32) -> Option<&str> {
        name_of(&self.text, &self.ends, number).map(|name| if name.starts_with(ERASED) { ERASED } else { name })
    }

    /// The number of a name.
    pub(crate) fn number(&self, name: &str) -> Option<u32> {
        self.numbers.find(self.hasher.hash_one(name), |number| self.name(*number) == Some(name)).copied()
    }

    /// The names from a number on.
    pub(crate) fn from(&self, number: usize) -> impl Iterator<Item = &str> {
        (number..self.len()).filter_map(|number| self.name(number as u32))
    }

    /// Adds a name that has no number.
    fn add(&mut self, name: &str) -> Result<u32, EngineError> {
        let number = u32::try_from(self.len()).map_err(|_| broken("a number"))?;
        self.text.push_str(name);
        self.ends.push(self.text.len());
        if name != ERASED {
            let Self { text, ends, numbers, hasher, .. } = self;
            let hash_of = |number: &u32| hasher.hash_one(name_of(text, ends, *number).unwrap_or_default());
            numbers.insert_unique(hasher.hash_one(name), number, hash_of);
        }
        Ok(number)
    }

    /// Takes the name of a number away.
    fn erase(&mut self, number: u32) {
        let Some(name) = self.name(number) else { return };
        let (hash, length) = (self.hasher.hash_one(name), name.len());
        if let Ok(entry) = self.numbers.find_entry(hash, |other| *other == number) {
            entry.remove();
        }
        if let Some(end) = self.ends.get(number as usize) {
            self.text.replace_range(end - length..*end, &ERASED.repeat(length));
        }
    }
}

/// The text of a name.
fn name_of<'t>(text: &'t str, ends: &[usize], number: u32) -> Option<&'t str> {
    let number = number as usize;
    let start = number.checked_sub(1).and_then(|before| ends.get(before)).copied().unwrap_or(0);
    text.get(start..*ends.get(number)?)
}

/// The names of one sort of every organization.
pub(crate) struct Names {
    keyspace: Keyspace,
    of: RwLock<HashMap<OrgId, Arc<RwLock<NamesOf>>>>,
}

impl Names {
    pub(super) fn new(keyspace: Keyspace) -> Self {
        Self { keyspace, of: RwLock::default() }
    }

    /// The names of an organization. Whoever reads them reads no more of the same sort and organization meanwhile, and gives none.
    ///
    /// # Errors
    /// [`EngineError::Storage`] if they cannot be read.
    pub(crate) fn of(&self, org: OrgId) -> Result<Arc<RwLock<NamesOf>>, EngineError> {
        let known = self.of.read().get(&org).cloned();
        let names = known.unwrap_or_else(|| self.of.write().entry(org).or_default().clone());
        if !names.read().are_read {
            self.read(org, &mut names.write())?;
        }
        Ok(names)
    }

    /// Of how many organizations something is in memory.
    #[cfg(test)]
    pub(crate) fn organizations_in_memory(&self) -> usize {
        self.of.read().len()
    }

    /// Reads the names of an organization if they were not.
    fn read(&self, org: OrgId, names: &mut NamesOf) -> Result<(), EngineError> {
        if !names.are_read {
            let mut read = NamesOf { are_read: true, ..NamesOf::default() };
            // Keys ascend, so names come in the order of their numbers.
            for stored in self.keyspace.prefix(org.0.as_bytes()) {
                read.add(&String::from_utf8_lossy(&stored.value()?))?;
            }
            *names = read;
        }
        Ok(())
    }

    /// The number of each name, if it has one.
    ///
    /// # Errors
    /// [`EngineError::Storage`] if they cannot be read.
    pub(crate) fn find<'n>(&self, org: OrgId, names: impl Iterator<Item = &'n str>) -> Result<Vec<Option<u32>>, EngineError> {
        let known = self.of(org)?;
        let known = known.read();
        Ok(names.map(|name| known.number(name)).collect())
    }

    /// Gives a new name the next number, to be stored with `batch`. Only the committer does.
    ///
    /// # Errors
    /// [`EngineError::Storage`] if names cannot be read, or if there are no more numbers, which [`MOST_NAMES`] prevents.
    pub(crate) fn give(&self, org: OrgId, name: &str, batch: &mut OwnedWriteBatch) -> Result<u32, EngineError> {
        let names = self.of(org)?;
        let mut names = names.write();
        if let Some(number) = names.number(name) {
            return Ok(number);
        }
        let number = names.add(name)?;
        batch.insert(&self.keyspace, key_of(org, number), name);
        Ok(number)
    }

    /// The numbers of the names in some rows, by their keys; a new name is given one. Names of no row have [`u32::MAX`]. Only the committer
    /// does.
    ///
    /// # Errors
    /// See [`Names::give`].
    pub(crate) fn number(
        &self,
        org: OrgId,
        names: &Dictionary,
        rows: &[usize],
        batch: &mut OwnedWriteBatch,
    ) -> Result<Vec<u32>, EngineError> {
        let mut numbers = vec![None; names.values().len()];
        let mut keys = Vec::new();
        for key in rows.iter().filter_map(|row| names.keys().get(*row)) {
            if let Some(number @ None) = numbers.get_mut(*key as usize) {
                *number = Some(u32::MAX);
                keys.push(*key as usize);
            }
        }
        let found = self.find(org, keys.iter().map(|key| names.values().get(*key)))?;
        for (key, found) in keys.into_iter().zip(found) {
            numbers[key] = Some(match found {
                Some(number) => number,
                None => self.give(org, names.values().get(key), batch)?,
            });
        }
        Ok(numbers.into_iter().map(|number| number.unwrap_or(u32::MAX)).collect())
    }

    /// Erases a name; if it comes again, it gets another number. Only the committer does, and makes it durable.
    ///
    /// # Errors
    /// [`EngineError::Storage`].
    pub(crate) fn erase(&self, org: OrgId, name: &str) -> Result<(), EngineError> {
        let names = self.of(org)?;
        let mut names = names.write();
        let Some(number) = names.number(name) else { return Ok(()) };
        self.keyspace.insert(key_of(org, number), ERASED)?;
        names.erase(number);
        Ok(())
    }

    /// How many names of an organization in storage are this one.
    ///
    /// # Errors
    /// [`EngineError::Storage`].
    pub(crate) fn count_stored(&self, org: OrgId, name: &str) -> Result<u64, EngineError> {
        let mut count = 0;
        for stored in self.keyspace.prefix(org.0.as_bytes()) {
            count += u64::from(stored.value()?.as_ref() == name.as_bytes());
        }
        Ok(count)
    }
}

fn key_of(org: OrgId, number: u32) -> [u8; 20] {
    let mut key = [0; 20];
    key[..16].copy_from_slice(org.0.as_bytes());
    key[16..].copy_from_slice(&number.to_be_bytes());
    key
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_found_by_number_and_numbers_by_name_and_what_is_erased_by_neither() {
        let mut names = NamesOf::default();
        for (number, name) in ["a", "aa", "聊天", "ab", "b"].into_iter().enumerate() {
            assert_eq!((names.number(name), names.add(name).unwrap()), (None, number as u32));
        }
        (0..1_000).for_each(|number| _ = names.add(&format!("user {number}")).unwrap());
        assert_eq!(
            (names.number("聊天"), names.name(2), names.number("user 999"), names.name(1_005)),
            (Some(2), Some("聊天"), Some(1_004), None)
        );
        names.erase(2);
        assert_eq!((names.number("聊天"), names.number(ERASED), names.name(2), names.name(3)), (None, None, Some(ERASED), Some("ab")));
        assert!(!names.text.contains("聊"));
        assert_eq!(names.from(1_003).collect::<Vec<_>>(), ["user 998", "user 999"]);
        assert_eq!(names.add("聊天").unwrap(), 1_005);
    }
}
