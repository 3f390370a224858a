//! Segments: ids in order, packed. A segment is small enough that one look-up costs little, and large enough that its key costs nothing.
//!
//! The ids of a day are random numbers, so in order what tells each from the one before is small: a Rice code of the difference takes about
//! 64 − log₂(ids of the day) + 1.5 bits. The content follows each as it is.

use super::Record;
use crate::error::EngineError;
use crate::ledger::broken;

/// How many ids a segment has at the most.
pub(super) const MOST_RECORDS: usize = 2_048;

/// How many bits of the hash of a content are kept.
pub(super) const CONTENT_BITS: u32 = 24;

/// Bytes before the packed bits: how many ids the run has, how many the segment, the parameter of the code, bits of a content, the first id.
const HEADER: usize = 16;

/// What the header of a segment says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Header {
    /// How many ids the run had when it was written.
    pub(super) of_run: u32,
    /// How many ids the segment has.
    pub(super) count: u16,
    low_bits: u8,
    content_bits: u8,
    first: u64,
}

impl Header {
    pub(super) fn of(bytes: &[u8]) -> Result<Self, EngineError> {
        let header = bytes.first_chunk::<HEADER>().ok_or_else(|| broken("an id"))?;
        let [a, b, c, d, e, f, low_bits, content_bits, first @ ..] = *header;
        let of_run = u32::from_le_bytes([a, b, c, d]);
        Ok(Self { of_run, count: u16::from_le_bytes([e, f]), low_bits, content_bits, first: u64::from_le_bytes(first) })
    }
}

/// Packs ids, which ascend and are at least one and at most [`MOST_RECORDS`]. Without `contents`, an id has none.
pub(super) fn pack(records: &[Record], of_run: usize, contents: bool) -> Vec<u8> {
    let (first, last) = (records.first().map_or(0, |record| record.id), records.last().map_or(0, |record| record.id));
    // The best parameter for gaps of this mean, whatever ids somebody makes up: the codes of all gaps take 2 bits and the parameter each.
    let mean = (last - first) / records.len().max(1) as u64;
    let low_bits = mean.max(1).ilog2();
    let mut packed = Packer { bytes: Vec::with_capacity(HEADER + records.len() * 10), pending: 0, filled: 0 };
    packed.bytes.extend_from_slice(&u32::try_from(of_run).unwrap_or(u32::MAX).to_le_bytes());
    packed.bytes.extend_from_slice(&u16::try_from(records.len()).unwrap_or(u16::MAX).to_le_bytes());
    packed.bytes.extend([low_bits as u8, if contents { CONTENT_BITS as u8 } else { 0 }]);
    packed.bytes.extend_from_slice(&first.to_le_bytes());
    let mut before = first;
    for record in records {
        let gap = record.id - before;
        before = record.id;
        for _ in 0..gap >> low_bits {
            packed.put(0, 1);
        }
        packed.put(1, 1);
        packed.put(gap & ((1 << low_bits) - 1), low_bits);
        if contents {
            packed.put(record.content.into(), CONTENT_BITS);
        }
    }
    packed.finish()
}

/// Writes bits, the lowest first.
struct Packer {
    bytes: Vec<u8>,
    pending: u128,
    filled: u32,
}

impl Packer {
    fn put(&mut self, value: u64, bits: u32) {
        self.pending |= u128::from(value) << self.filled;
        self.filled += bits;
        if self.filled >= 64 {
            self.bytes.extend_from_slice(&(self.pending as u64).to_le_bytes());
            self.pending >>= 64;
            self.filled -= 64;
        }
    }

    fn finish(mut self) -> Vec<u8> {
        let left = self.filled.div_ceil(8) as usize;
        self.bytes.extend(self.pending.to_le_bytes().into_iter().take(left));
        self.bytes
    }
}

/// Adds the ids of a segment to `records`.
pub(super) fn unpack(bytes: &[u8], records: &mut Vec<Record>) -> Result<(), EngineError> {
    let header = Header::of(bytes)?;
    let mut bits = Bits { bytes: bytes.get(HEADER..).unwrap_or_default(), at: 0 };
    let (low_bits, content_bits) = (u32::from(header.low_bits), u32::from(header.content_bits));
    if low_bits > 63 || content_bits > 32 {
        return Err(broken("an id"));
    }
    let mut id = header.first;
    records.reserve(header.count.into());
    for _ in 0..header.count {
        let high = bits.zeros().ok_or_else(|| broken("an id"))?;
        let gap = u64::from(high).checked_shl(low_bits).ok_or_else(|| broken("an id"))? | bits.take(low_bits);
        id = id.checked_add(gap).ok_or_else(|| broken("an id"))?;
        records.push(Record { id, content: bits.take(content_bits) as u32 });
    }
    // What is beyond the end reads as zeros.
    if bits.at > bits.bytes.len() * 8 { Err(broken("an id")) } else { Ok(()) }
}

/// Reads bits, the lowest first.
struct Bits<'b> {
    bytes: &'b [u8],
    at: usize,
}

impl Bits<'_> {
    /// At least the next 57 bits.
    fn window(&self) -> u64 {
        let from = self.at / 8;
        let window = match self.bytes.get(from..).unwrap_or_default() {
            [a, b, c, d, e, f, g, h, ..] => u64::from_le_bytes([*a, *b, *c, *d, *e, *f, *g, *h]),
            few => few.iter().rev().fold(0, |window, byte| window << 8 | u64::from(*byte)),
        };
        window >> (self.at % 8)
    }

    fn take(&mut self, bits: u32) -> u64 {
        if bits > 32 {
            let low = self.take(32);
            return low | self.take(bits - 32) << 32;
        }
        let taken = self.window() & ((1 << bits) - 1);
        self.at += bits as usize;
        taken
    }

    /// How many zeros come before the next one, which is passed over too; none at the end.
    fn zeros(&mut self) -> Option<u32> {
        let mut zeros = 0;
        loop {
            let window = self.window();
            if window != 0 {
                let more = window.trailing_zeros();
                self.at += more as usize + 1;
                return Some(zeros + more);
            }
            // All 57 bits that are sure to be there are zeros.
            zeros += 57;
            self.at += 57;
            if self.at > self.bytes.len() * 8 {
                return None;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn read(bytes: &[u8]) -> Vec<Record> {
        let mut records = Vec::new();
        unpack(bytes, &mut records).unwrap();
        records
    }

    proptest! {
        #[test]
        fn any_ids_are_read_as_they_were_packed(
            mut ids in proptest::collection::btree_set(prop_oneof![any::<u64>(), 0..64u64, (u64::MAX - 64)..=u64::MAX], 1..300),
            content in 0..1u32 << CONTENT_BITS,
        ) {
            ids.insert(7);
            let records: Vec<Record> = ids.into_iter().map(|id| Record { id, content: content ^ (id as u32 & 0xff) }).collect();
            let packed = pack(&records, records.len(), true);
            prop_assert_eq!(Header::of(&packed).unwrap().count as usize, records.len());
            prop_assert_eq!(read(&packed), records.clone());
            let without: Vec<Record> = records.iter().map(|record| Record { content: 0, ..*record }).collect();
            prop_assert_eq!(read(&pack(&records, records.len(), false)), without);
        }

        #[test]
        fn damaged_segments_are_an_error_or_other_ids(bytes in proptest::collection::vec(any::<u8>(), 0..200)) {
            let _ = unpack(&bytes, &mut Vec::new());
        }
    }

    #[test]
    fn a_segment_that_is_cut_off_is_an_error() {
        let records: Vec<Record> = (0..100).map(|id| Record { id: id * 12_345_678_901_234, content: 5 }).collect();
        let packed = pack(&records, 100, true);
        assert!(unpack(&packed[..packed.len() - 8], &mut Vec::new()).is_err());
    }

    /// 27,000 ids a day are ten million a year.
    #[test]
    fn an_id_takes_less_than_ten_bytes() {
        let mut ids: Vec<u64> = (0..27_000u64).map(|number| xxhash_rust::xxh3::xxh3_64(&number.to_le_bytes())).collect();
        ids.sort_unstable();
        let records: Vec<Record> = ids.into_iter().map(|id| Record { id, content: id as u32 & 0xff_ffff }).collect();
        let bytes: usize = records.chunks(MOST_RECORDS).map(|chunk| pack(chunk, records.len(), true).len()).sum();
        assert!(bytes < 27_000 * 94 / 10, "{bytes}");
    }
}
