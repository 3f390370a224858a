//! What makes a fact one and the same when it is sent again.

use crate::calendar::{DAY_MILLIS, Millis};
use xxhash_rust::xxh3::xxh3_128;

/// The identity of a fact in its organization, derived from its `id`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum FactId {
    /// The default: 32 bits of the UTC day of `joined_at` (counted from 1970), then 96 bits of hash of (app, session_id,
    /// session_started_at, user_id, joined_at). It leads with the day so that ids that come together lie together.
    Default(u128),
    /// The 128-bit hash of an id that the source gave.
    Given(u128),
}

/// What a default id looks like as text, before its 32 hexadecimal digits. An exported fact carries it; sent again it is the same id.
const DEFAULT_ID_PREFIX: &str = "rc-";

const DAY_SHIFT: u32 = 96;

impl FactId {
    /// The identity of an `id` that a source gave.
    pub fn of_given(id: &str) -> Self {
        let digits = id
            .strip_prefix(DEFAULT_ID_PREFIX)
            .filter(|d| d.len() == 32 && d.bytes().all(|b| b.is_ascii_digit() || (b'a'..=b'f').contains(&b)));
        match digits.and_then(|digits| u128::from_str_radix(digits, 16).ok()) {
            Some(default) => Self::Default(default),
            None => Self::Given(xxh3_128(id.as_bytes())),
        }
    }

    /// The UTC day, counted from 1970-01-01, that a default id leads with.
    pub const fn day(default: u128) -> u32 {
        (default >> DAY_SHIFT) as u32
    }

    /// The default of a fact.
    pub(crate) fn default_of(app: &str, session_id: &str, started_at: Millis, user_id: &str, joined_at: Millis) -> Self {
        // The length keeps ("ab", "c") apart from ("a", "bc").
        let length = |text: &str| (text.len() as u64).to_le_bytes();
        let parts: [&[u8]; 8] = [
            &length(app),
            app.as_bytes(),
            &length(session_id),
            session_id.as_bytes(),
            &length(user_id),
            user_id.as_bytes(),
            &started_at.to_le_bytes(),
            &joined_at.to_le_bytes(),
        ];
        let day = joined_at.div_euclid(DAY_MILLIS).unsigned_abs();
        Self::Default(u128::from(day) << DAY_SHIFT | hash_of(&parts, xxh3_128) & ((1 << DAY_SHIFT) - 1))
    }

    /// What the default id and the end of a stay contribute to the hash of a fact's content.
    pub(crate) fn content_words(default: Self, left_at: Millis) -> [u8; 24] {
        let (Self::Default(id) | Self::Given(id)) = default;
        let mut words = [0; 24];
        words[..16].copy_from_slice(&id.to_le_bytes());
        words[16..].copy_from_slice(&left_at.to_le_bytes());
        words
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

/// The hash of the parts laid end to end: in one call, which costs a fraction of feeding them one by one.
pub(crate) fn hash_of<T>(parts: &[&[u8]], hash: impl Fn(&[u8]) -> T) -> T {
    let mut joined = [0; 256];
    let mut length = 0;
    for part in parts {
        match joined.get_mut(length..length + part.len()) {
            Some(room) => room.copy_from_slice(part),
            None => return hash(&parts.concat()),
        }
        length += part.len();
    }
    hash(joined.get(..length).unwrap_or_default())
}
