//! Names and their numbers: each user, app, booking and use of an organization has one, given when it is first seen, from 0 up, for ever.

use super::org_of;
use crate::error::EngineError;
use crate::kinds::columns::Dictionary;
use fjall::{Keyspace, OwnedWriteBatch};
use hashbrown::HashMap;
use parking_lot::RwLock;
use rollcall_model::OrgId;
use std::sync::Arc;

/// What stands for a name that was erased: its number stays, as numbers have no gaps. No name has control characters.
const ERASED: &str = "\0";

/// How many names of one sort an organization can have: their numbers have 32 bits.
pub(crate) const MOST_NAMES: usize = u32::MAX as usize;

/// The names of one organization.
#[derive(Debug, Default)]
struct Names {
    numbers: HashMap<Arc<str>, u32>,
    names: Vec<Arc<str>>,
}

/// The names of every organization.
pub(crate) struct Numbers {
    keyspace: Keyspace,
    names: RwLock<HashMap<OrgId, Names>>,
}

impl Numbers {
    /// Reads the names in storage.
    pub(crate) fn open(keyspace: Keyspace) -> Result<Self, EngineError> {
        let mut names: HashMap<OrgId, Names> = HashMap::new();
        for stored in keyspace.iter() {
            let (key, name) = stored.into_inner()?;
            let org = org_of(&key).ok_or_else(|| super::broken("a number"))?;
            let of_org = names.entry(org).or_default();
            let name: Arc<str> = String::from_utf8_lossy(&name).into();
            // Keys ascend, so names come in the order of their numbers.
            let number = u32::try_from(of_org.names.len()).map_err(|_| super::broken("a number"))?;
            of_org.names.push(name.clone());
            if *name != *ERASED {
                of_org.numbers.insert(name, number);
            }
        }
        Ok(Self { keyspace, names: RwLock::new(names) })
    }

    /// The number of each name, if it has one.
    pub(crate) fn find<'n>(&self, org: OrgId, names: impl Iterator<Item = &'n str>) -> Vec<Option<u32>> {
        let known = self.names.read();
        let of_org = known.get(&org);
        names.map(|name| of_org.and_then(|of_org| of_org.numbers.get(name).copied())).collect()
    }

    /// How many names an organization has.
    pub(crate) fn count(&self, org: OrgId) -> usize {
        self.names.read().get(&org).map_or(0, |names| names.names.len())
    }

    /// Gives a new name the next number, to be stored with `batch`. Only the committer does.
    ///
    /// # Errors
    /// [`EngineError::Storage`] if there are no more numbers, which [`MOST_NAMES`] prevents.
    pub(crate) fn give(&self, org: OrgId, name: &str, batch: &mut OwnedWriteBatch) -> Result<u32, EngineError> {
        let mut names = self.names.write();
        let of_org = names.entry(org).or_default();
        if let Some(number) = of_org.numbers.get(name) {
            return Ok(*number);
        }
        let number = u32::try_from(of_org.names.len()).map_err(|_| super::broken("a number"))?;
        let shared: Arc<str> = name.into();
        of_org.names.push(shared.clone());
        of_org.numbers.insert(shared, number);
        batch.insert(&self.keyspace, key_of(org, number), name);
        Ok(number)
    }

    /// Erases a name; if it comes again, it gets another number. Only the committer does, and makes it durable.
    pub(crate) fn erase(&self, org: OrgId, name: &str) -> Result<(), EngineError> {
        let mut names = self.names.write();
        let Some(of_org) = names.get_mut(&org) else { return Ok(()) };
        let Some(number) = of_org.numbers.get(name).copied() else { return Ok(()) };
        self.keyspace.insert(key_of(org, number), ERASED)?;
        of_org.numbers.remove(name);
        if let Some(name) = of_org.names.get_mut(number as usize) {
            *name = ERASED.into();
        }
        Ok(())
    }

    /// How many names of an organization in storage are this one.
    pub(crate) fn count_stored(&self, org: OrgId, name: &str) -> Result<u64, EngineError> {
        let mut count = 0;
        for stored in self.keyspace.prefix(org.0.as_bytes()) {
            count += u64::from(stored.value()?.as_ref() == name.as_bytes());
        }
        Ok(count)
    }

    /// The numbers of the names in some rows, by their keys; a new name is given one. Names of no row have [`u32::MAX`]. Only the committer
    /// does.
    ///
    /// # Errors
    /// See [`Numbers::give`].
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
        let found = self.find(org, keys.iter().map(|key| names.values().get(*key)));
        for (key, found) in keys.into_iter().zip(found) {
            numbers[key] = Some(match found {
                Some(number) => number,
                None => self.give(org, names.values().get(key), batch)?,
            });
        }
        Ok(numbers.into_iter().map(|number| number.unwrap_or(u32::MAX)).collect())
    }

    /// Calls `with` with a function from names to numbers.
    pub(crate) fn with_numbers<T>(&self, org: OrgId, with: impl FnOnce(&dyn Fn(&str) -> Option<u32>) -> T) -> T {
        let names = self.names.read();
        let of_org = names.get(&org);
        with(&|name| of_org?.numbers.get(name).copied())
    }

    /// The names from a number on.
    pub(crate) fn names_from(&self, org: OrgId, number: usize) -> Vec<Arc<str>> {
        self.names.read().get(&org).and_then(|names| names.names.get(number..)).unwrap_or_default().to_vec()
    }

    /// Calls `with` with a function from numbers to names.
    pub(crate) fn with_names<T>(&self, org: OrgId, with: impl FnOnce(&dyn Fn(u32) -> Option<Arc<str>>) -> T) -> T {
        let names = self.names.read();
        let of_org = names.get(&org);
        with(&|number| of_org?.names.get(number as usize).cloned())
    }
}

fn key_of(org: OrgId, number: u32) -> [u8; 20] {
    let mut key = [0; 20];
    key[..16].copy_from_slice(org.0.as_bytes());
    key[16..].copy_from_slice(&number.to_be_bytes());
    key
}
