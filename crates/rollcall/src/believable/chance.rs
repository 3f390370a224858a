//! Pseudo-random numbers: SplitMix64, here rather than from a library because the facts of a seed must stay the same for ever.

/// A stream of pseudo-random numbers.
#[derive(Debug, Clone)]
pub(super) struct Chance(u64);

/// A number that looks random but belongs to `value` for ever.
pub(super) const fn mixed(value: u64) -> u64 {
    let mut z = value.wrapping_add(0x9e37_79b9_7f4a_7c15);
    z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    z ^ (z >> 31)
}

impl Chance {
    /// The stream that belongs to a seed and a number.
    pub(super) const fn new(seed: u64, number: u64) -> Self {
        Self(mixed(seed ^ mixed(number)))
    }

    /// The next number.
    pub(super) const fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        mixed(self.0)
    }

    /// A number below `end`, each as likely; 0 if there is none.
    pub(super) const fn below(&mut self, end: u64) -> u64 {
        ((self.next() as u128 * end as u128) >> 64) as u64
    }

    /// A length of time from `low` to just below `high`.
    pub(super) const fn between(&mut self, low: i64, high: i64) -> i64 {
        low + self.below((high - low).unsigned_abs()).cast_signed()
    }

    /// Whether something that happens `percent` times of a hundred happens.
    pub(super) const fn percent(&mut self, percent: u64) -> bool {
        self.below(100) < percent
    }

    /// A position below `end`, low ones more often than high ones: the first comes up ten times as often as the average, and the first
    /// tenth as often as all the rest. Only operations that every machine rounds the same are used.
    #[expect(clippy::cast_possible_truncation, clippy::cast_precision_loss, clippy::cast_sign_loss, reason = "a share of a u32")]
    pub(super) fn skewed(&mut self, end: u32) -> u32 {
        let share = (self.next() >> 11) as f64 / (1u64 << 53) as f64;
        (f64::from(end) * (share / (10.0 - 9.0 * share))) as u32
    }

    /// One of the values, as often as its weight says.
    pub(super) fn weighted<T: Copy>(&mut self, values: &[(T, u32)]) -> Option<T> {
        let mut at = self.below(values.iter().map(|(_, weight)| u64::from(*weight)).sum());
        for (value, weight) in values {
            match at.checked_sub(u64::from(*weight)) {
                Some(rest) => at = rest,
                None => return Some(*value),
            }
        }
        None
    }
}
