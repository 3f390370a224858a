//! The entries of one half of a directory, by id and day.

use super::document::{Department, User};
use hashbrown::HashMap;
use jiff::civil::Date;
use std::ops::Range;

/// What a user and a department have in common.
pub(super) trait Entry {
    fn id(&self) -> &str;
    fn from(&self) -> Option<Date>;
    fn until(&self) -> Option<Date>;
}

impl Entry for Department {
    fn id(&self) -> &str {
        &self.id
    }
    fn from(&self) -> Option<Date> {
        self.from
    }
    fn until(&self) -> Option<Date> {
        self.until
    }
}

impl Entry for User {
    fn id(&self) -> &str {
        &self.id
    }
    fn from(&self) -> Option<Date> {
        self.from
    }
    fn until(&self) -> Option<Date> {
        self.until
    }
}

/// Entries in the order of their ids' bytes, those of one id in the order of their days.
#[derive(Debug, Clone)]
pub(super) struct History<E> {
    entries: Vec<E>,
    by_id: HashMap<String, Range<usize>>,
}

impl<E> Default for History<E> {
    fn default() -> Self {
        Self { entries: Vec::new(), by_id: HashMap::new() }
    }
}

impl<E: Entry> History<E> {
    /// Sorts entries; the error is the one that holds since the same day as another of its id.
    pub(super) fn new(mut entries: Vec<E>) -> Result<Self, E> {
        entries.sort_by(|a, b| (a.id(), a.from()).cmp(&(b.id(), b.from())));
        let repeated = entries.windows(2).position(|pair| matches!(pair, [a, b] if a.id() == b.id() && a.from() == b.from()));
        if let Some(at) = repeated {
            return Err(entries.swap_remove(at));
        }
        let mut by_id: HashMap<String, Range<usize>> = HashMap::with_capacity(entries.len());
        for (at, entry) in entries.iter().enumerate() {
            by_id.entry_ref(entry.id()).or_insert(at..at).end = at + 1;
        }
        Ok(Self { entries, by_id })
    }

    /// All entries.
    pub(super) fn entries(&self) -> &[E] {
        &self.entries
    }

    /// The entries of an id, in the order of their days; none where the id is unknown.
    pub(super) fn of(&self, id: &str) -> &[E] {
        self.by_id.get(id).and_then(|span| self.entries.get(span.clone())).unwrap_or_default()
    }

    /// Every id, once, in no order.
    pub(super) fn ids(&self) -> impl Iterator<Item = &str> {
        self.by_id.keys().map(String::as_str)
    }

    /// Whether there is an entry of an id, on whatever day.
    pub(super) fn knows(&self, id: &str) -> bool {
        self.by_id.contains_key(id)
    }

    /// The entries that hold on a day, one for each id, in the order of ids.
    pub(super) fn on(&self, day: Date) -> impl Iterator<Item = &E> {
        self.entries.chunk_by(|a, b| a.id() == b.id()).filter_map(move |entries| held(entries, day))
    }
}

/// Which of the entries of one id began last on a day or before, whether it still holds or not.
pub(super) fn begun<E: Entry>(entries: &[E], day: Date) -> Option<&E> {
    let begun = entries.partition_point(|entry| entry.from().is_none_or(|from| from <= day));
    entries.get(begun.checked_sub(1)?)
}

/// Which of the entries of one id holds on a day.
pub(super) fn held<E: Entry>(entries: &[E], day: Date) -> Option<&E> {
    begun(entries, day).filter(|entry| entry.until().is_none_or(|until| day <= until))
}

/// The last day on which each of the entries of one id holds; none: it holds on.
pub(super) fn lasting<E: Entry>(entries: &[E]) -> impl Iterator<Item = (&E, Option<Date>)> {
    let next = entries.iter().skip(1).map(|next| next.from().and_then(|day| day.yesterday().ok())).chain([None]);
    entries.iter().zip(next).map(|(entry, next)| (entry, entry.until().into_iter().chain(next).min()))
}
