//! Columns of strings: plain, and as dictionaries of those that repeat.

use hashbrown::{DefaultHashBuilder, HashTable};
use std::hash::BuildHasher;

/// A column of strings: one buffer of bytes, and where each string ends. It may be of any length that memory has.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Strings {
    bytes: String,
    ends: Vec<usize>,
}

impl Strings {
    /// The strings of a buffer that end at these places, in order; none if those are not places of it.
    pub(crate) fn of(bytes: String, ends: Vec<usize>) -> Option<Self> {
        let fit =
            ends.is_sorted() && ends.iter().all(|end| bytes.is_char_boundary(*end)) && ends.last().copied().unwrap_or(0) == bytes.len();
        fit.then_some(Self { bytes, ends })
    }

    /// How many strings there are.
    pub fn len(&self) -> usize {
        self.ends.len()
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.ends.is_empty()
    }

    /// Adds a string at the end.
    pub fn push(&mut self, text: &str) {
        self.bytes.push_str(text);
        self.ends.push(self.bytes.len());
    }

    /// The string at `row`; empty beyond the end.
    pub fn get(&self, row: usize) -> &str {
        let end = |row: usize| self.ends.get(row).copied().unwrap_or(self.bytes.len());
        let start = if row == 0 { 0 } else { end(row - 1) };
        self.bytes.get(start..end(row)).unwrap_or_default()
    }

    /// All strings, in order.
    pub fn iter(&self) -> impl Iterator<Item = &str> {
        (0..self.len()).map(|row| self.get(row))
    }

    /// Their bytes, one after the other.
    pub(crate) fn bytes(&self) -> &str {
        &self.bytes
    }

    /// Where each ends.
    pub(crate) fn ends(&self) -> &[usize] {
        &self.ends
    }

    /// How many bytes the strings take.
    pub fn size(&self) -> usize {
        self.bytes.len() + self.ends.len() * size_of::<usize>()
    }
}

/// About how many bytes a distinct string takes in the table that finds it, its share of empty places included.
const IN_TABLE: usize = 16;

/// A string in the table that finds it.
#[derive(Debug, Clone, Copy)]
struct Hashed {
    key: u32,
    /// Half of its hash: so the table grows without a look at the strings.
    hash: u32,
}

/// What the table goes by: it looks at the highest bits and at the lowest.
const fn spread(hash: u32) -> u64 {
    (hash as u64) << 32 | hash as u64
}

/// Whether two strings are the same. Most pairs of some columns are empty, and to compare no bytes, which may lie at no address, takes
/// some processors longer than to compare many.
fn alike(a: &str, b: &str) -> bool {
    a.len() == b.len() && (a.is_empty() || a == b)
}

/// A column of strings that repeat: each distinct one once, in the order in which they came first, and for every row which of them it has.
#[derive(Clone, Default)]
pub struct Dictionary {
    values: Strings,
    keys: Vec<u32>,
    /// The values by their hashes.
    table: HashTable<Hashed>,
    hasher: DefaultHashBuilder,
    /// Longer strings are joined here, so that none is made for each row.
    joined: String,
}

impl std::fmt::Debug for Dictionary {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_list().entries(self.iter()).finish()
    }
}

impl Dictionary {
    /// Adds a string at the end. There are at most 2³² distinct ones, as no request and no block has as many rows.
    pub fn push(&mut self, text: &str) {
        let key = match self.keys.last() {
            // Neighbours are often alike.
            Some(last) if alike(self.values.get(*last as usize), text) => *last,
            _ => self.key(text),
        };
        self.keys.push(key);
    }

    /// Adds a string at the end: the parts joined by newlines.
    pub fn push_joined<'p>(&mut self, parts: impl IntoIterator<Item = &'p str>) {
        let mut joined = std::mem::take(&mut self.joined);
        joined.clear();
        for (position, part) in parts.into_iter().enumerate() {
            if position > 0 {
                joined.push('\n');
            }
            joined.push_str(part);
        }
        self.push(&joined);
        self.joined = joined;
    }

    fn key(&mut self, text: &str) -> u32 {
        let Self { values, table, hasher, .. } = self;
        #[expect(clippy::cast_possible_truncation, reason = "half of a hash is one")]
        let hash = hasher.hash_one(text) as u32;
        let is_it = |known: &Hashed| known.hash == hash && alike(values.get(known.key as usize), text);
        let next = u32::try_from(values.len()).unwrap_or(u32::MAX);
        let entry = table.entry(spread(hash), is_it, |known| spread(known.hash));
        let key = entry.or_insert(Hashed { key: next, hash }).get().key;
        if key == next {
            self.values.push(text);
        }
        key
    }

    /// How many rows there are.
    pub fn len(&self) -> usize {
        self.keys.len()
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.keys.is_empty()
    }

    /// The string at `row`; empty beyond the end.
    pub fn get(&self, row: usize) -> &str {
        self.keys.get(row).map_or("", |key| self.values.get(*key as usize))
    }

    /// The string of every row, in order.
    pub fn iter(&self) -> impl Iterator<Item = &str> {
        self.keys.iter().map(|key| self.values.get(*key as usize))
    }

    /// The distinct strings.
    pub const fn values(&self) -> &Strings {
        &self.values
    }

    /// Which of the distinct strings each row has.
    pub fn keys(&self) -> &[u32] {
        &self.keys
    }

    /// The column of these distinct strings and keys, to which nothing is added; none if a key has no string.
    pub(crate) fn of(values: Strings, keys: Vec<u32>) -> Option<Self> {
        let fit = keys.iter().all(|key| (*key as usize) < values.len());
        fit.then(|| Self { values, keys, ..Self::default() })
    }

    /// How many bytes the column takes.
    pub fn size(&self) -> usize {
        self.values.size() + self.values.len() * IN_TABLE + self.keys.len() * size_of::<u32>()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_dictionary_has_each_string_once_and_every_row_its_own() {
        let mut column = Dictionary::default();
        let texts = ["a", "", "a", "b", "b", "", "ab"];
        for text in texts {
            column.push(text);
        }
        column.push_joined(["a", "b"]);
        column.push_joined([]);
        assert_eq!(column.iter().collect::<Vec<_>>(), [&texts[..], &["a\nb", ""]].concat());
        assert_eq!(column.values().iter().collect::<Vec<_>>(), ["a", "", "b", "ab", "a\nb"]);
        assert_eq!(column.get(9), "");
    }

    #[test]
    fn what_is_no_column_is_not_taken_for_one() {
        let strings = |ends: &[usize]| Strings::of("a会".into(), ends.to_vec());
        assert_eq!(strings(&[1, 1, 4]).unwrap().iter().collect::<Vec<_>>(), ["a", "", "会"]);
        for ends in [&[1][..], &[2, 4], &[4, 1], &[1, 5], &[]] {
            assert_eq!(strings(ends), None);
        }
        assert!(Dictionary::of(strings(&[4]).unwrap(), vec![0, 1]).is_none());
    }
}
