//! What is behind the selectors of kept cells, found again: the selectors of all that can be asked for now are made and looked up.

use super::names::{Names, Selection};
use super::{everything, one_user};
use crate::cells::{UsageSets, UseSums, Used};
use crate::{Engine, EngineError};
use hashbrown::HashMap;
use jiff::civil::Date;
use parking_lot::Mutex;
use rollcall_model::OrgId;
use std::sync::Arc;

/// The selections of every organization asked for.
pub(crate) struct Selections<'e> {
    engine: &'e Engine,
    known: Mutex<HashMap<OrgId, Arc<Known>>>,
}

/// The selections of one organization, by selector.
struct Known {
    names: Arc<Names>,
    by_selector: HashMap<u128, Selection>,
}

impl<'e> Selections<'e> {
    pub(crate) fn new(engine: &'e Engine) -> Self {
        Self { engine, known: Mutex::default() }
    }

    /// The cell of a selector, made of what was used; none where it stands for departments that were together in a directory of before.
    /// The users of the stored cell tell who to look for.
    pub(crate) fn sets(&self, org: OrgId, selector: u128, stored: &UsageSets, sums: &UseSums) -> Option<UsageSets> {
        let known = self.known(org)?;
        let sets = |runs: &mut dyn Iterator<Item = &[Used]>| UsageSets::of(runs, |usage| known.names.filing(usage));
        if selector == everything() {
            return Some(sets(&mut std::iter::once(sums.entries())));
        }
        if let Some(selection) = known.by_selector.get(&selector) {
            return Some(sets(&mut selection.bookings.iter().map(|booking| sums.of_booking(*booking))));
        }
        let user = stored.users.min().filter(|user| one_user(*user) == selector)?;
        Some(sets(&mut std::iter::once(sums.of_user(user).as_slice())))
    }

    fn known(&self, org: OrgId) -> Option<Arc<Known>> {
        let mut known = self.known.lock();
        if let Some(known) = known.get(&org) {
            return Some(known.clone());
        }
        // A cell of what cannot be read is not verified.
        let read = Known::of(self.engine, org).inspect_err(|error| tracing::error!(%error, "names cannot be read")).ok()?;
        Some(known.entry(org).insert(Arc::new(read)).get().clone())
    }
}

impl Known {
    /// Each department alone and with those below it, on every day on which the directory changes.
    fn of(engine: &Engine, org: OrgId) -> Result<Self, EngineError> {
        let names = engine.names.get(org, &engine.facts.ledger)?;
        let directory = engine.directory(org);
        let mut by_selector = HashMap::new();
        let mut add = |departments: &[&str]| {
            let selection = names.selection(departments);
            by_selector.insert(selection.selector, selection);
        };
        names.departments().iter().for_each(|id| add(&[id.as_ref()]));
        // Before every day that an entry may begin on.
        let mut from = Some(Date::MIN);
        while let Some(day) = from {
            let tree = directory.tree_on(day);
            for department in tree.departments() {
                add(&[department.id.as_str()]);
                add(&tree.subtree(&department.id));
            }
            from = directory.next_change(day);
        }
        Ok(Self { names, by_selector })
    }
}
