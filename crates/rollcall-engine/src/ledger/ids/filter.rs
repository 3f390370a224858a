//! Filters: almost every id that comes is new, and a filter says so without a look into storage.

/// Bits for each id: about one id in a hundred that is not there passes all the same.
const BITS: usize = 10;

/// Bits that an id sets, all in one block, so that a look-up is one access to memory.
const PROBES: u32 = 6;

/// A Bloom filter in blocks of a cache line.
#[derive(Debug)]
pub(super) struct Filter {
    blocks: Box<[[u64; 8]]>,
}

impl Filter {
    /// A filter for so many ids.
    pub(super) fn new(ids: usize) -> Self {
        Self { blocks: vec![[0; 8]; (ids * BITS).div_ceil(512).max(1)].into_boxed_slice() }
    }

    /// About how many bytes it takes.
    pub(super) const fn size(&self) -> usize {
        self.blocks.len() * 64
    }

    /// The block of an id, and what says which bits: ids are hashes, but nobody says that they are good ones.
    fn of(&self, id: u64) -> (usize, u64) {
        let mixed = id.wrapping_mul(0x9e37_79b9_7f4a_7c15);
        let block = (u128::from(id ^ mixed >> 32) * self.blocks.len() as u128) >> 64;
        (block as usize, mixed ^ mixed >> 29)
    }

    pub(super) fn insert(&mut self, id: u64) {
        let (block, bits) = self.of(id);
        if let Some(block) = self.blocks.get_mut(block) {
            for probe in 0..PROBES {
                let bit = bits >> (probe * 9);
                block[(bit >> 6 & 7) as usize] |= 1 << (bit & 63);
            }
        }
    }

    /// Whether an id may have been inserted; one that was always may.
    pub(super) fn may_have(&self, id: u64) -> bool {
        let (block, bits) = self.of(id);
        self.blocks.get(block).is_none_or(|block| {
            (0..PROBES).all(|probe| {
                let bit = bits >> (probe * 9);
                block[(bit >> 6 & 7) as usize] & 1 << (bit & 63) != 0
            })
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_inserted_passes_and_hardly_anything_else() {
        for count in [1, 100, 30_000] {
            let id = |number: u64| xxhash_rust::xxh3::xxh3_64(&number.to_le_bytes());
            let mut filter = Filter::new(count);
            (0..count as u64).for_each(|number| filter.insert(id(number)));
            assert!((0..count as u64).all(|number| filter.may_have(id(number))));
            let passed = (0..100_000).filter(|number| filter.may_have(id(1_000_000 + number))).count();
            assert!(passed < 2_000, "{passed} of 100,000 beside {count}");
        }
    }

    #[test]
    fn ids_that_somebody_made_up_are_found_as_well() {
        let ids = (0..1_000u64).chain((0..1_000).map(|low| low << 40)).chain([u64::MAX]);
        let mut filter = Filter::new(2_001);
        ids.clone().for_each(|id| filter.insert(id));
        assert!(ids.clone().all(|id| filter.may_have(id)));
    }
}
