//! What makes a fact one and the same when it is sent again.

use crate::assistance::Assistance;
use crate::calendar::{DAY_MILLIS, Millis};
use xxhash_rust::xxh3::xxh3_128;

/// The identity of a fact among those of its kind in its organization, derived from its `id`. An attendance and an assistance may
/// have the same.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum FactId {
    /// The default: 32 bits of the UTC day of `joined_at` or `at` (counted from 1970), then 96 bits of a hash: of (app, session_id,
    /// session_started_at, user_id, joined_at) for an attendance, of every field for an assistance. It leads with the day so that ids
    /// that come together lie together.
    Default(u128),
    /// The 128-bit hash of an id that the source gave.
    Given(u128),
}

/// What a default id looks like as text, before its 32 hexadecimal digits. An exported fact carries its own; sent again it is the same id.
const DEFAULT_ID_PREFIX: &str = "rc-";

const DAY_SHIFT: u32 = 96;

impl FactId {
    /// The identity of a fact whose default is `default`, and to which its source gave `id` or none. An id in the words of a default id
    /// is the default only if it is the fact's own; that of another fact is a given id like any other.
    pub fn of(id: Option<&str>, default: Self) -> Self {
        match id {
            Some(id) if Self::written_default(id) != Some(default) => Self::of_given(id),
            _ => default,
        }
    }

    /// The identity of an `id` that a source gave, and that is not the fact's default.
    pub fn of_given(id: &str) -> Self {
        Self::Given(xxh3_128(id.as_bytes()))
    }

    /// The default id that is written like this, as [`std::fmt::Display`] does, if one is.
    pub fn written_default(id: &str) -> Option<Self> {
        let digits = id
            .strip_prefix(DEFAULT_ID_PREFIX)
            .filter(|d| d.len() == 32 && d.bytes().all(|b| b.is_ascii_digit() || (b'a'..=b'f').contains(&b)))?;
        u128::from_str_radix(digits, 16).ok().map(Self::Default)
    }

    /// The UTC day, counted from 1970-01-01, that a default id leads with.
    pub const fn day(default: u128) -> u32 {
        (default >> DAY_SHIFT) as u32
    }

    /// The default of an attendance.
    pub fn default_of(app: &str, session_id: &str, started_at: Millis, user_id: &str, joined_at: Millis) -> Self {
        let mut joined = Joined::default();
        [app, session_id, user_id].into_iter().for_each(|text| joined.text(text));
        joined.fixed(started_at.to_le_bytes());
        joined.fixed(joined_at.to_le_bytes());
        Self::led_by_day(joined_at, xxh3_128(joined.bytes()))
    }

    /// The default of an assistance whose departments are the one that it was given, if it was given one.
    pub fn default_of_assistance(fact: &Assistance<'_>) -> Self {
        let department = fact.departments.first().map_or("", AsRef::as_ref);
        let [chat_type, ide, language] = [&fact.chat_type, &fact.ide, &fact.language].map(|text| text.as_deref().unwrap_or_default());
        let numbers = [fact.turns, fact.suggested, fact.accepted, fact.lines_accepted, fact.lines_changed].map(u32::to_le_bytes);
        let mut joined = Joined::default();
        [&fact.user_id, department, chat_type, ide, language].into_iter().for_each(|text| joined.text(text));
        joined.fixed([fact.kind.number()]);
        numbers.into_iter().for_each(|number| joined.fixed(number));
        joined.fixed(fact.at.to_le_bytes());
        Self::led_by_day(fact.at, xxh3_128(joined.bytes()))
    }

    fn led_by_day(at: Millis, hash: u128) -> Self {
        let day = at.div_euclid(DAY_MILLIS).unsigned_abs();
        Self::Default(u128::from(day) << DAY_SHIFT | hash & ((1 << DAY_SHIFT) - 1))
    }

    /// The end of the hash, where it is a hash of everything, as the default of an assistance is: it tells contents apart.
    pub const fn content(self) -> u32 {
        let (Self::Default(id) | Self::Given(id)) = self;
        #[expect(clippy::cast_possible_truncation, reason = "32 bits tell contents apart well enough to count conflicts")]
        let content = id as u32;
        content
    }

    /// What the default id contributes to the hash of a fact's content.
    pub(crate) const fn content_word(default: Self) -> [u8; 16] {
        let (Self::Default(id) | Self::Given(id)) = default;
        id.to_le_bytes()
    }
}

impl std::fmt::Display for FactId {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Default(id) => write!(f, "{DEFAULT_ID_PREFIX}{id:032x}"),
            Self::Given(hash) => write!(f, "{hash:032x}"),
        }
    }
}

/// What is hashed, laid end to end: to hash it in one call costs a fraction of feeding it piece by piece.
#[derive(Debug)]
pub(crate) struct Joined {
    short: [u8; 256],
    length: usize,
    /// All of it once it is longer.
    long: Vec<u8>,
}

impl Default for Joined {
    fn default() -> Self {
        Self { short: [0; 256], length: 0, long: Vec::new() }
    }
}

impl Joined {
    /// Adds bytes of which there are always as many.
    #[inline]
    pub(crate) fn fixed<const N: usize>(&mut self, bytes: [u8; N]) {
        self.add(&bytes);
    }

    /// Adds a text after its length, which keeps ("ab", "c") apart from ("a", "bc").
    #[inline]
    fn text(&mut self, text: &str) {
        self.fixed((text.len() as u64).to_le_bytes());
        self.add(text.as_bytes());
    }

    #[inline]
    fn add(&mut self, bytes: &[u8]) {
        match self.short.get_mut(self.length..self.length + bytes.len()) {
            Some(room) if self.long.is_empty() => {
                room.copy_from_slice(bytes);
                self.length += bytes.len();
            }
            _ => {
                if self.long.is_empty() {
                    self.long.extend_from_slice(self.short.get(..self.length).unwrap_or_default());
                }
                self.long.extend_from_slice(bytes);
            }
        }
    }

    pub(crate) fn bytes(&self) -> &[u8] {
        if self.long.is_empty() { self.short.get(..self.length).unwrap_or_default() } else { &self.long }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_hashed_is_laid_end_to_end_however_long_it_is() {
        for lengths in [[0, 1, 2], [100, 120, 3], [230, 1, 1], [300, 0, 5], [1, 300, 300]] {
            let (mut joined, mut expected) = (Joined::default(), Vec::new());
            for length in lengths {
                let text = "x".repeat(length);
                joined.text(&text);
                joined.fixed([7, 8]);
                expected.extend([&(length as u64).to_le_bytes(), text.as_bytes(), &[7, 8]].concat());
            }
            assert_eq!(joined.bytes(), expected, "{lengths:?}");
        }
    }
}
