//! What changed, by organization: a number that grows with whatever may change an answer, so that an answer can be kept for as long as the
//! number stands.

use hashbrown::HashMap;
use parking_lot::RwLock;
use rollcall_model::OrgId;
use std::sync::atomic::{AtomicU64, Ordering};

/// How many engines were opened in this process: what is kept of one says nothing about another.
static OPENED: AtomicU64 = AtomicU64::new(0);

/// Counts changes.
#[derive(Debug)]
pub(crate) struct Changes {
    engine: u64,
    counts: RwLock<Counts>,
    /// How many facts were folded.
    facts: AtomicU64,
}

#[derive(Debug, Default)]
struct Counts {
    /// Changes that may concern every organization.
    of_all: u64,
    /// Changes of one.
    of: HashMap<OrgId, u64>,
}

impl Default for Changes {
    fn default() -> Self {
        Self { engine: OPENED.fetch_add(1, Ordering::Relaxed), counts: RwLock::default(), facts: AtomicU64::new(0) }
    }
}

impl Changes {
    /// What an organization's answers follow from changed: call this once every answer asked for from now on says so, and before anybody is told.
    pub(crate) fn of(&self, orgs: impl IntoIterator<Item = OrgId>) {
        let mut counts = self.counts.write();
        for org in orgs {
            *counts.of.entry(org).or_default() += 1;
        }
    }

    /// A commit is folded, of so many facts of these organizations. See [`Changes::of`].
    pub(crate) fn folded(&self, orgs: impl IntoIterator<Item = OrgId>, facts: usize) {
        self.of(orgs);
        self.facts.fetch_add(facts as u64, Ordering::Relaxed);
    }

    /// How many facts were folded since the start.
    pub(crate) fn facts(&self) -> u64 {
        self.facts.load(Ordering::Relaxed)
    }

    /// What the answers of anybody follow from may have changed.
    pub(crate) fn of_all(&self) {
        self.counts.write().of_all += 1;
    }

    /// Stands for what an organization's answers follow from now: it never comes again once something changed.
    pub(crate) fn state(&self, org: OrgId) -> u128 {
        let counts = self.counts.read();
        // Both only grow, so their sum grows with each change.
        u128::from(self.engine) << 64 | u128::from(counts.of_all + counts.of.get(&org).copied().unwrap_or(0))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_change_of_one_organization_is_none_of_another() {
        let (changes, [one, other]) = (Changes::default(), [1, 2].map(|number| OrgId(uuid::Uuid::from_u128(number))));
        let mut seen = vec![changes.state(one)];
        let before = changes.state(other);
        changes.of([one]);
        seen.push(changes.state(one));
        assert_eq!(changes.state(other), before);
        changes.of_all();
        assert_ne!(changes.state(other), before);
        seen.push(changes.state(one));
        seen.push(Changes::default().state(one));
        seen.dedup();
        assert_eq!(seen.len(), 4);
    }
}
