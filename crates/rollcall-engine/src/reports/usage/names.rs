//! Bookings and uses, which the ledger numbers as text, taken apart: departments and bookings in both directions, and where the facts of
//! a use are filed.

use crate::cells::Filing;
use crate::error::EngineError;
use crate::kinds::columns::Use;
use crate::ledger::Ledger;
use hashbrown::{HashMap, HashSet};
use parking_lot::Mutex;
use rollcall_model::{AssistanceKind, OrgId};
use std::sync::Arc;
use xxhash_rust::xxh3::xxh3_128;

/// The names of every organization, read on from the ledger's when they are asked for.
#[derive(Debug, Default)]
pub(crate) struct NamesOf(Mutex<HashMap<OrgId, Arc<Names>>>);

impl NamesOf {
    /// The names of an organization: at least those of every fact folded before.
    pub(crate) fn get(&self, org: OrgId, ledger: &Ledger) -> Result<Arc<Names>, EngineError> {
        let mut all = self.0.lock();
        let names = all.entry(org).or_default();
        let (bookings, uses) = (ledger.bookings.of(org)?, ledger.uses.of(org)?);
        let (bookings, uses) = (bookings.read(), uses.read());
        if bookings.len() > names.departments_of.len() || uses.len() > names.uses.len() {
            // A reader may hold the names: it keeps its own.
            let names = Arc::make_mut(names);
            bookings.from(names.departments_of.len()).for_each(|booking| names.add_booking(booking));
            uses.from(names.uses.len()).for_each(|usage| names.add_use(usage));
        }
        Ok(names.clone())
    }
}

/// The names of one organization.
#[derive(Debug, Clone, Default)]
pub(crate) struct Names {
    /// Every department that a fact was ever booked on, by its position in `ids`.
    departments: HashMap<Arc<str>, usize>,
    ids: Vec<Arc<str>>,
    /// By booking: positions of departments.
    departments_of: Vec<Vec<usize>>,
    /// By position of a department: bookings, ascending.
    bookings_of: Vec<Vec<u32>>,
    /// By use.
    uses: Vec<Option<Words>>,
    /// The first use of a kind with the same two words.
    parts: HashMap<(AssistanceKind, [Arc<str>; 2]), u32>,
    /// The first use with the same language.
    languages: HashMap<Arc<str>, u32>,
    shared: HashSet<Arc<str>>,
}

/// A use, taken apart.
#[derive(Debug, Clone)]
pub(super) struct Words {
    pub(super) chat_type: Arc<str>,
    pub(super) ide: Arc<str>,
    pub(super) language: Arc<str>,
    filing: Filing,
}

/// The facts that are booked on any of some departments.
#[derive(Debug)]
pub(in crate::reports) struct Selection {
    /// A hash of the departments' ids.
    pub(in crate::reports) selector: u128,
    /// The bookings, ascending.
    pub(in crate::reports) bookings: Vec<u32>,
}

impl Names {
    fn add_booking(&mut self, booking: &str) {
        let number = u32::try_from(self.departments_of.len()).unwrap_or(u32::MAX);
        let mut departments = Vec::new();
        for id in booking.split('\n').filter(|id| !id.is_empty()) {
            let position = self.departments.get(id).copied().unwrap_or_else(|| {
                let id: Arc<str> = id.into();
                self.ids.push(id.clone());
                self.bookings_of.push(Vec::new());
                self.departments.insert(id, self.ids.len() - 1);
                self.ids.len() - 1
            });
            departments.push(position);
            self.bookings_of.get_mut(position).into_iter().for_each(|bookings| bookings.push(number));
        }
        self.departments_of.push(departments);
    }

    fn add_use(&mut self, usage: &str) {
        let number = u32::try_from(self.uses.len()).unwrap_or(u32::MAX);
        let words = Use::read(usage).map(|Use { kind, chat_type, ide, language }| {
            let [chat_type, ide, language] = [chat_type, ide, language].map(|word| self.share(word));
            let first = if kind == AssistanceKind::Chat { &chat_type } else { &language };
            let part = *self.parts.entry((kind, [first.clone(), ide.clone()])).or_insert(number);
            let of_language = *self.languages.entry(language.clone()).or_insert(number);
            Words { chat_type, ide, language, filing: Filing { kind, part, language: of_language } }
        });
        self.uses.push(words);
    }

    fn share(&mut self, word: &str) -> Arc<str> {
        self.shared.get_or_insert_with(word, |word| word.into()).clone()
    }

    /// Where the facts of a use are filed.
    pub(super) fn filing(&self, usage: u32) -> Option<Filing> {
        Some(self.words(usage)?.filing)
    }

    /// The words of a use.
    pub(super) fn words(&self, usage: u32) -> Option<&Words> {
        self.uses.get(usage as usize)?.as_ref()
    }

    /// Whether any fact was ever booked on a department.
    pub(super) fn has_department(&self, id: &str) -> bool {
        self.departments.contains_key(id)
    }

    /// Every department that a fact was ever booked on.
    pub(super) fn departments(&self) -> &[Arc<str>] {
        &self.ids
    }

    /// The departments that bookings name, in no order, some more than once.
    pub(in crate::reports) fn departments_of(&self, bookings: impl IntoIterator<Item = u32>) -> impl Iterator<Item = &Arc<str>> {
        let positions = bookings.into_iter().filter_map(|booking| self.departments_of.get(booking as usize)).flatten();
        positions.filter_map(|position| self.ids.get(*position))
    }

    /// The facts that are booked on any of these departments, which ascend.
    pub(in crate::reports) fn selection(&self, departments: &[&str]) -> Selection {
        let positions = departments.iter().filter_map(|id| self.departments.get(*id));
        let mut bookings: Vec<u32> = positions.filter_map(|position| self.bookings_of.get(*position)).flatten().copied().collect();
        bookings.sort_unstable();
        bookings.dedup();
        // Ids have no newlines.
        Selection { selector: xxh3_128(departments.join("\n").as_bytes()), bookings }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names() -> Names {
        let mut names = Names::default();
        ["", "a", "b\na", "c"].into_iter().for_each(|booking| names.add_booking(booking));
        let uses = ["chat\nX\nvscode\ngo", "chat\nX\nvscode\nrust", "completion\n\nvscode\nrust", "edit\n\n\ngo", "chat\nY\nvscode\n", "?"];
        uses.into_iter().for_each(|usage| names.add_use(usage));
        names
    }

    #[test]
    fn departments_select_the_bookings_that_name_any_of_them() {
        let names = names();
        assert_eq!(names.selection(&["a"]).bookings, [1, 2]);
        assert_eq!(names.selection(&["a", "b", "x"]).bookings, [1, 2]);
        assert_eq!(names.selection(&["b", "c"]).bookings, [2, 3]);
        assert!(names.selection(&["x"]).bookings.is_empty());
        assert_ne!(names.selection(&["a", "b"]).selector, names.selection(&["ab"]).selector);
        assert!(names.has_department("c") && !names.has_department("") && !names.has_department("x"));
        assert_eq!(names.departments_of([2, 9]).map(AsRef::as_ref).collect::<Vec<_>>(), ["b", "a"]);
    }

    #[test]
    fn uses_are_filed_under_the_first_with_the_same_words() {
        let names = names();
        let filed: Vec<_> = (0..7).map(|usage| names.filing(usage).map(|filing| (filing.part, filing.language))).collect();
        assert_eq!(filed, [Some((0, 0)), Some((0, 1)), Some((2, 1)), Some((3, 0)), Some((4, 4)), None, None]);
    }
}
