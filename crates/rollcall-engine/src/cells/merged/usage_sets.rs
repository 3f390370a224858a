//! The cell of `department_days` and `developer_days`: what was used and by whom, of the facts that a question selects. Sets unite, so
//! that distinct counts are exact.

use super::user_sets::set;
use crate::cells::codec::{Reader, put};
use crate::cells::{Keep, Used};
use hashbrown::HashMap;
use roaring::{MultiOps, RoaringBitmap};
use rollcall_model::{AssistanceKind, Millis};

/// From how many entries on a cell is stored. Below, making it again from the day's entries takes about as long as reading it.
const WORTH_STORING: u64 = 1_000;

/// Where the facts of a use are filed. What stands for several uses is the number of the first of them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Filing {
    /// The kind of the facts.
    pub kind: AssistanceKind,
    /// Stands for type and IDE of a chat, for language and IDE of a completion.
    pub part: u32,
    /// Stands for the language.
    pub language: u32,
}

/// What was used, and by whom.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct UsageSets {
    /// How many entries it was made from.
    entries: u64,
    /// The bookings of the facts.
    pub bookings: RoaringBitmap,
    /// The users of the facts.
    pub users: RoaringBitmap,
    /// Those with a chat or completion use.
    pub developers: RoaringBitmap,
    /// Those with a chat use.
    pub chat_developers: RoaringBitmap,
    /// Those with a completion use.
    pub completion_developers: RoaringBitmap,
    /// When the last chat or completion use was.
    pub last_use: Option<Millis>,
    /// Chat facts by type and IDE; the users are those with a use.
    pub chatting: Parts,
    /// Completion facts by language and IDE; the users are those with a use.
    pub completion: Parts,
    /// Facts with accepted or changed lines, by language. Of edits the accepted lines are not counted.
    pub coding: Parts,
}

/// Parts by the number that stands for them, ascending.
pub type Parts = Vec<(u32, Part)>;

/// One part of a breakdown.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Part {
    /// Distinct users.
    pub users: RoaringBitmap,
    /// Turns or suggestions.
    pub count: u64,
    /// Accepted of these.
    pub accepted: u64,
    /// Accepted lines.
    pub lines_accepted: u64,
    /// Changed lines.
    pub lines_changed: u64,
}

impl Part {
    fn add(&mut self, other: &Self) {
        self.users |= &other.users;
        self.count += other.count;
        self.accepted += other.accepted;
        self.lines_accepted += other.lines_accepted;
        self.lines_changed += other.lines_changed;
    }

    fn encode(&self, out: &mut Vec<u8>) {
        for number in [self.count, self.accepted, self.lines_accepted, self.lines_changed] {
            put(out, number);
        }
        put_set(out, &self.users);
    }

    fn decode(reader: &mut Reader<'_>) -> Option<Self> {
        let (count, accepted, lines_accepted, lines_changed) = (reader.take()?, reader.take()?, reader.take()?, reader.take()?);
        Some(Self { users: take_set(reader)?, count, accepted, lines_accepted, lines_changed })
    }
}

/// A part being gathered: its users may come more than once and in any order.
#[derive(Default)]
struct Gathered {
    part: Part,
    users: Vec<u32>,
}

#[derive(Default)]
struct Gathering(HashMap<u32, Gathered>);

impl Gathering {
    fn finish(self) -> Parts {
        let finish = |(number, gathered): (u32, Gathered)| (number, Part { users: set(gathered.users), ..gathered.part });
        let mut parts: Parts = self.0.into_iter().map(finish).collect();
        parts.sort_unstable_by_key(|(number, _)| *number);
        parts
    }
}

impl UsageSets {
    /// The cell of these entries, in any order; those that come together in runs of one booking and use are taken together.
    pub fn of<'u>(runs: impl IntoIterator<Item = &'u [Used]>, filing: impl Fn(u32) -> Option<Filing>) -> Self {
        let mut cell = Self::default();
        let (mut chatting, mut completion, mut coding) = (Gathering::default(), Gathering::default(), Gathering::default());
        let (mut users, mut bookings) = (Vec::new(), Vec::new());
        let runs = runs.into_iter().flat_map(|run| run.chunk_by(|a, b| (a.booking, a.usage) == (b.booking, b.usage)));
        for run in runs {
            let Some((first, filing)) = run.first().and_then(|first| Some((first, filing(first.usage)?))) else { continue };
            cell.entries += run.len() as u64;
            bookings.push(first.booking);
            users.extend(run.iter().map(|used| used.user));
            let is_edit = filing.kind == AssistanceKind::Edit;
            let of_kind = match filing.kind {
                AssistanceKind::Chat => Some(&mut chatting),
                AssistanceKind::Completion => Some(&mut completion),
                AssistanceKind::Edit => None,
            };
            if let Some(of_kind) = of_kind {
                let Gathered { part, users } = of_kind.0.entry(filing.part).or_default();
                for used in run {
                    part.count += used.count;
                    part.accepted += used.accepted;
                    part.lines_accepted += used.lines_accepted;
                    part.lines_changed += used.lines_changed;
                    if used.last_use.is_some() {
                        cell.last_use = cell.last_use.max(used.last_use);
                        users.push(used.user);
                    }
                }
            }
            let mut with_lines = run.iter().filter(|used| used.lines_accepted > 0 || used.lines_changed > 0).peekable();
            if with_lines.peek().is_some() {
                let Gathered { part, users } = coding.0.entry(filing.language).or_default();
                for used in with_lines {
                    part.lines_accepted += if is_edit { 0 } else { used.lines_accepted };
                    part.lines_changed += used.lines_changed;
                    users.push(used.user);
                }
            }
        }
        (cell.users, cell.bookings) = (set(users), set(bookings));
        (cell.chatting, cell.completion, cell.coding) = (chatting.finish(), completion.finish(), coding.finish());
        cell.chat_developers = cell.chatting.iter().map(|(_, part)| &part.users).union();
        cell.completion_developers = cell.completion.iter().map(|(_, part)| &part.users).union();
        cell.developers = &cell.chat_developers | &cell.completion_developers;
        cell
    }

    /// Adds other facts.
    pub fn merge(&mut self, other: &Self) {
        self.entries += other.entries;
        for (mine, theirs) in self.sets_mut().into_iter().zip(other.sets()) {
            *mine |= theirs;
        }
        self.last_use = self.last_use.max(other.last_use);
        for (mine, theirs) in self.parts_mut().into_iter().zip(other.parts()) {
            for (number, part) in theirs {
                match mine.binary_search_by_key(number, |(number, _)| *number) {
                    Ok(position) => mine.get_mut(position).into_iter().for_each(|(_, known)| known.add(part)),
                    Err(position) => mine.insert(position, (*number, part.clone())),
                }
            }
        }
    }

    const fn sets(&self) -> [&RoaringBitmap; 5] {
        [&self.bookings, &self.users, &self.developers, &self.chat_developers, &self.completion_developers]
    }

    const fn sets_mut(&mut self) -> [&mut RoaringBitmap; 5] {
        [&mut self.bookings, &mut self.users, &mut self.developers, &mut self.chat_developers, &mut self.completion_developers]
    }

    const fn parts(&self) -> [&Parts; 3] {
        [&self.chatting, &self.completion, &self.coding]
    }

    const fn parts_mut(&mut self) -> [&mut Parts; 3] {
        [&mut self.chatting, &mut self.completion, &mut self.coding]
    }
}

impl Keep for UsageSets {
    const KIND: u8 = 6;

    fn encode(&self) -> Option<Vec<u8>> {
        if self.entries < WORTH_STORING {
            return None;
        }
        let mut out = Vec::new();
        put(&mut out, self.entries);
        self.sets().into_iter().for_each(|set| put_set(&mut out, set));
        put(&mut out, self.last_use.map_or(0, |at| at.unsigned_abs() + 1));
        for parts in self.parts() {
            put(&mut out, parts.len() as u64);
            for (number, part) in parts {
                put(&mut out, u64::from(*number));
                part.encode(&mut out);
            }
        }
        Some(out)
    }

    fn decode(bytes: &[u8]) -> Option<Self> {
        let mut reader = Reader(bytes);
        let mut cell = Self { entries: reader.take()?, ..Self::default() };
        for set in cell.sets_mut() {
            *set = take_set(&mut reader)?;
        }
        cell.last_use = reader.take()?.checked_sub(1).and_then(|at| Millis::try_from(at).ok());
        for parts in cell.parts_mut() {
            for _ in 0..reader.take_count()? {
                parts.push((reader.take_as()?, Part::decode(&mut reader)?));
            }
        }
        reader.0.is_empty().then_some(cell)
    }

    fn size(&self) -> usize {
        let set = |set: &RoaringBitmap| 64 + set.serialized_size();
        let parts = self.parts().into_iter().flatten().map(|(_, part)| 64 + set(&part.users)).sum::<usize>();
        128 + self.sets().into_iter().map(set).sum::<usize>() + parts
    }
}

fn put_set(out: &mut Vec<u8>, set: &RoaringBitmap) {
    put(out, set.serialized_size() as u64);
    // Writing into memory does not fail.
    let _ = set.serialize_into(out);
}

fn take_set(reader: &mut Reader<'_>) -> Option<RoaringBitmap> {
    let size = reader.take_count()?;
    let (set, rest) = reader.0.split_at_checked(size)?;
    reader.0 = rest;
    RoaringBitmap::deserialize_from(set).ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cells::bases::uses::tests::used_in;
    use proptest::prelude::*;

    fn used() -> impl Strategy<Value = Used> {
        used_in().prop_map(|entry| entry.used)
    }

    /// Uses 0 to 5: two of each kind; those of one kind share a part, all even ones a language.
    fn filing(usage: u32) -> Option<Filing> {
        let kind = AssistanceKind::from_number(u8::try_from(usage / 2).unwrap()).unwrap();
        Some(Filing { kind, part: usage / 2 * 2, language: usage % 2 })
    }

    fn of(entries: &[Used]) -> UsageSets {
        UsageSets::of([entries], filing)
    }

    proptest! {
        #[test]
        fn merging_in_any_order_is_the_cell_of_all(left in prop::collection::vec(used(), 0..100), right in prop::collection::vec(used(), 0..100)) {
            let all = of(&[left.as_slice(), &right].concat());
            let (left, right) = (of(&left), of(&right));
            let (mut forth, mut back) = (left.clone(), right.clone());
            forth.merge(&right);
            back.merge(&left);
            prop_assert_eq!(&forth, &all);
            prop_assert_eq!(&back, &all);
        }

        #[test]
        fn a_cell_reads_back_as_it_was_written(entries in prop::collection::vec(used(), 0..100), many in WORTH_STORING..WORTH_STORING * 2) {
            let cell = UsageSets { entries: many, ..of(&entries) };
            prop_assert_eq!(UsageSets::decode(&cell.encode().unwrap()), Some(cell));
            prop_assert_eq!(of(&entries).encode(), None);
        }

        #[test]
        fn bytes_that_are_no_cell_do_not_panic(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
            let _ = UsageSets::decode(&bytes);
        }
    }
}
