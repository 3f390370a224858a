//! Runs of a day are merged tier-wise: eight that are about as large become one. So an entry is rewritten as often as the number of facts
//! of a day has digits, however the facts come, and a day has few runs at any time. When nothing else is to be done, all runs of a day
//! become one.

use super::bases::{self, Listed as _, for_each_base};
use super::store::Cells;
use super::stored::{Listed, StoredDay, day_of_key, next_number, read_list};
use super::{Base, Day};
use crate::error::EngineError;
use fjall::Readable;
use rollcall_model::OrgId;
use std::collections::BTreeSet;

/// How many runs of a tier make one of the next.
const RUNS: usize = 8;

/// How many entries the largest run of the lowest tier has.
const LOWEST: usize = 512;

/// How many entries are merged at a time: what memory must hold. Runs that are larger together stay as they are.
const MOST_ENTRIES: usize = 2 << 20;

/// How many lists are looked at before it is asked whether to go on.
const LISTS_AT_A_TIME: usize = 1_000;

/// How many days are remembered as ones with several runs; where there are more, all are looked at.
const MOST_DAYS: usize = 100_000;

/// What is to be merged.
#[derive(Debug)]
pub(super) struct Debt {
    /// Days with too many runs.
    due: BTreeSet<Owing>,
    /// Days with more than one.
    several: BTreeSet<Owing>,
    /// From which list on all days are looked at for several runs; none if that is done.
    walk: Option<(usize, Vec<u8>)>,
}

/// A base cell, by its position in the list, and a day of an organization.
type Owing = (usize, OrgId, Day);

impl Default for Debt {
    fn default() -> Self {
        // What a process of before left is not known.
        Self { due: BTreeSet::new(), several: BTreeSet::new(), walk: Some((0, Vec::new())) }
    }
}

impl Cells {
    /// Notes what is to be merged of a day.
    pub(super) fn owe<B: Base>(&self, org: OrgId, day: Day, list: &[Listed]) {
        if list.len() < 2 {
            return;
        }
        let mut debt = self.debt.lock();
        if !due(list).is_empty() {
            debt.due.insert((B::POSITION, org, day));
        }
        if debt.several.len() < MOST_DAYS {
            debt.several.insert((B::POSITION, org, day));
        } else {
            debt.walk.get_or_insert((0, Vec::new()));
        }
    }

    /// Merges runs of days that have too many, for as long as `proceed` says.
    ///
    /// # Errors
    /// [`EngineError::Storage`]; the runs then stay as they are.
    pub fn merge_runs(&self, proceed: impl Fn() -> bool) -> Result<(), EngineError> {
        while proceed() {
            let Some(owing) = self.debt.lock().due.pop_first() else { break };
            self.merge_owing(owing, due)?;
        }
        Ok(())
    }

    /// Makes the runs of each day one, for as long as `proceed` says: for moments in which nothing else is to be done.
    ///
    /// # Errors
    /// [`EngineError::Storage`]; the runs then stay as they are.
    pub fn settle(&self, proceed: impl Fn() -> bool) -> Result<(), EngineError> {
        while proceed() {
            let Some(owing) = self.debt.lock().several.pop_first() else { break };
            self.merge_owing(owing, all)?;
        }
        while proceed() {
            let Some((base, from)) = self.debt.lock().walk.clone() else { break };
            let mut next = None;
            for_each_base!(B => if B::POSITION == base {
                next = self.walk::<B>(&from)?;
            });
            let after = (base + 1 < bases::COUNT).then(|| (base + 1, Vec::new()));
            self.debt.lock().walk = next.map(|from| (base, from)).or(after);
        }
        Ok(())
    }

    /// Looks at some lists from one on, and makes the runs of each day one. Returns where to go on.
    fn walk<B: Base>(&self, from: &[u8]) -> Result<Option<Vec<u8>>, EngineError> {
        let snapshot = self.db.snapshot();
        for (looked_at, listed) in snapshot.range(&self.stored::<B>().lists, from.to_vec()..).enumerate() {
            let (key, bytes) = listed.into_inner()?;
            if looked_at == LISTS_AT_A_TIME {
                return Ok(Some(key.to_vec()));
            }
            let Some((org, day)) = key.first_chunk().zip(day_of_key(&key)) else { continue };
            if read_list(day, &bytes).is_some_and(|list| all(&list).len() > 1) {
                self.merge_owing((B::POSITION, OrgId(uuid::Uuid::from_bytes(*org)), day), all)?;
                return Ok(Some(key.to_vec()));
            }
        }
        Ok(None)
    }

    fn merge_owing(&self, (base, org, day): Owing, choose: fn(&[Listed]) -> Vec<Listed>) -> Result<(), EngineError> {
        let _nobody_checkpoints = self.checkpointing.lock();
        for_each_base!(B => if B::POSITION == base {
            self.merge_day::<B>(org, day, choose)?;
        });
        Ok(())
    }

    /// Merges what `choose` says of the runs of a day, again and again until that is nothing. Readers see them as before, or as one.
    fn merge_day<B: Base>(&self, org: OrgId, day: Day, choose: fn(&[Listed]) -> Vec<Listed>) -> Result<(), EngineError> {
        loop {
            let snapshot = self.db.snapshot();
            let stored = StoredDay::new::<B>(self, &snapshot, org, day);
            let mut list = stored.list()?;
            let merged = choose(&list);
            if merged.len() < 2 {
                return Ok(());
            }
            let entries = stored.readable::<B>(&merged)?;
            let (mut batch, number) = (self.db.batch(), next_number(&list));
            list.retain(|run| !merged.contains(run));
            stored.add::<B>(&mut list, number, &entries, &mut batch);
            stored.remove(&merged, &mut batch);
            stored.write(&list, &mut batch);
            batch.commit()?;
        }
    }
}

/// The runs that are to be merged next: those of a tier that are too many, with all smaller ones; none if no tier has too many.
fn due(list: &[Listed]) -> Vec<Listed> {
    let mut runs: Vec<Listed> = list.to_vec();
    runs.sort_unstable_by_key(|run| run.entries);
    let (mut smaller, mut most) = (0, LOWEST);
    while most < MOST_ENTRIES {
        let up_to = runs.partition_point(|run| run.entries <= most);
        if up_to - smaller >= RUNS {
            runs.truncate(up_to);
            return within(runs);
        }
        (smaller, most) = (up_to, most * RUNS);
    }
    Vec::new()
}

/// All runs, but for those that are too large together.
fn all(list: &[Listed]) -> Vec<Listed> {
    let mut runs: Vec<Listed> = list.to_vec();
    runs.sort_unstable_by_key(|run| run.entries);
    within(runs)
}

/// The first of these that are not too large together.
fn within(mut runs: Vec<Listed>) -> Vec<Listed> {
    let mut entries = 0;
    runs.retain(|run| {
        entries += run.entries;
        entries <= MOST_ENTRIES
    });
    runs
}

#[cfg(test)]
mod tests {
    use super::*;

    fn list(entries: &[usize]) -> Vec<Listed> {
        (0..).zip(entries).map(|(number, entries)| Listed { number, entries: *entries, span: (0, 0), about: None }).collect()
    }

    /// How many entries are written when so many runs of some entries come one after the other, and how many runs there are at most.
    fn written(runs: usize, entries: usize) -> (usize, usize) {
        let (mut list, mut written, mut most) = (Vec::new(), 0, 0);
        for number in 0..runs {
            list.push(Listed { number: number as u32, entries, span: (0, 0), about: None });
            written += entries;
            loop {
                let merged = due(&list);
                if merged.is_empty() {
                    break;
                }
                let entries = merged.iter().map(|run| run.entries).sum();
                list.retain(|run| !merged.contains(run));
                list.push(Listed { entries, number: number as u32 + 1_000_000, ..merged[0] });
                written += entries;
            }
            most = most.max(list.len());
        }
        (written / entries, most)
    }

    #[test]
    fn an_entry_is_rewritten_as_often_as_there_are_tiers() {
        for entries in [150, 1_000, 5_000] {
            let (written, most) = written(1_000, entries);
            assert!(written <= 5 * 1_000 && most <= 5 * RUNS, "{entries} {written} {most}");
        }
    }

    #[test]
    fn runs_that_are_too_large_together_stay() {
        assert_eq!(due(&list(&[MOST_ENTRIES / 2 + 1; 20])), []);
        assert_eq!(all(&list(&[MOST_ENTRIES, 1, 2])), list(&[0, 1, 2])[1..]);
        assert!(due(&list(&[3; RUNS - 1])).is_empty());
        assert_eq!(due(&list(&[3; RUNS])).len(), RUNS);
    }
}
