//! How cells are written: numbers of variable length, and columns of them.
//!
//! A column has a byte for each number, its *class*: how many bits the number has, and the two that follow the first. What classes are
//! frequent differs much, so they are compressed; the bits left of each number are as good as random, and follow as they are.

use std::cell::RefCell;
use zstd::bulk::{Compressor, Decompressor};

/// How hard classes are compressed: only their frequencies matter.
const LEVEL: i32 = 1;

/// The most rows of a table: no damaged number is believed beyond it.
pub(crate) const MOST_ROWS: usize = 1 << 20;

/// How many bits after its first a number has in its class.
const IN_CLASS: u32 = 2;

thread_local! {
    // Making one takes longer than a small column does.
    static COMPRESSOR: RefCell<Option<Compressor<'static>>> = const { RefCell::new(None) };
    static DECOMPRESSOR: RefCell<Option<Decompressor<'static>>> = const { RefCell::new(None) };
}

/// What of a number stands in the bits after the classes: how many bits, and those.
const fn rest(number: u64) -> (u32, u64) {
    let after_first = (u64::BITS - number.leading_zeros()).saturating_sub(1);
    let bits = after_first.saturating_sub(IN_CLASS);
    (bits, number & ((1 << bits) - 1))
}

/// The class of a number below 2^63.
const fn class(number: u64) -> u8 {
    let length = u64::BITS - number.leading_zeros();
    let after_first = length.saturating_sub(1);
    let (bits, _) = rest(number);
    let in_class = after_first - bits;
    (length << IN_CLASS) as u8 | (number >> bits) as u8 & ((1 << in_class) - 1)
}

/// Adds a column of numbers below 2^63.
pub(crate) fn put_column(out: &mut Vec<u8>, numbers: &[u64]) {
    let classes: Vec<u8> = numbers.iter().map(|number| class(*number)).collect();
    let compressed = COMPRESSOR.with_borrow_mut(|compressor| {
        let compressor = match compressor {
            Some(compressor) => compressor,
            None => compressor.insert(Compressor::new(LEVEL).ok()?),
        };
        compressor.compress(&classes).ok().filter(|compressed| compressed.len() < classes.len())
    });
    // 0 for classes that are not compressed.
    put(out, compressed.as_ref().map_or(0, |compressed| compressed.len() as u64));
    out.extend_from_slice(compressed.as_deref().unwrap_or(&classes));
    let (mut waiting, mut count) = (0u128, 0);
    for number in numbers {
        let (bits, rest) = rest(*number);
        waiting |= u128::from(rest) << count;
        count += bits;
        while count >= 8 {
            out.push(waiting as u8);
            waiting >>= 8;
            count -= 8;
        }
    }
    if count > 0 {
        out.push(waiting as u8);
    }
}

/// A signed number as one that is small near zero.
pub(crate) const fn zigzag(number: i64) -> u64 {
    (number << 1 ^ number >> 63) as u64
}

/// The signed number of [`zigzag`].
pub(crate) const fn unzigzag(number: u64) -> i64 {
    (number >> 1) as i64 ^ -((number & 1) as i64)
}

/// Adds `number`, seven bits a byte, lowest first.
pub(crate) fn put(out: &mut Vec<u8>, mut number: u64) {
    while number >= 0x80 {
        out.push(number as u8 | 0x80);
        number >>= 7;
    }
    out.push(number as u8);
}

/// Adds a signed number; those near zero are short.
pub(crate) fn put_signed(out: &mut Vec<u8>, number: i64) {
    put(out, zigzag(number));
}

/// Reads what [`put`] wrote; every read is `None` once the bytes are used up.
#[derive(Debug)]
pub(crate) struct Reader<'a>(pub(crate) &'a [u8]);

impl Reader<'_> {
    pub(crate) fn take(&mut self) -> Option<u64> {
        let mut number = 0;
        for shift in (0..64).step_by(7) {
            let (byte, rest) = self.0.split_first()?;
            self.0 = rest;
            number |= u64::from(byte & 0x7f) << shift;
            if byte & 0x80 == 0 {
                return Some(number);
            }
        }
        None
    }

    pub(crate) fn take_signed(&mut self) -> Option<i64> {
        self.take().map(unzigzag)
    }

    /// A number that must fit a smaller type.
    pub(crate) fn take_as<T: TryFrom<u64>>(&mut self) -> Option<T> {
        T::try_from(self.take()?).ok()
    }

    /// A count of things that take at least one byte each: never more than the bytes left, so that it is safe to allocate.
    pub(crate) fn take_count(&mut self) -> Option<usize> {
        self.take_as().filter(|count| *count <= self.0.len())
    }

    /// How many rows a table has.
    pub(crate) fn take_rows(&mut self) -> Option<usize> {
        self.take_as().filter(|rows| *rows <= MOST_ROWS)
    }

    /// Columns of so many numbers, as [`put_column`] wrote them.
    pub(crate) fn take_columns<const N: usize>(&mut self, rows: usize) -> Option<[Vec<u64>; N]> {
        let mut columns = [const { Vec::new() }; N];
        for column in &mut columns {
            *column = self.take_column(rows)?;
        }
        Some(columns)
    }

    fn take_column(&mut self, rows: usize) -> Option<Vec<u64>> {
        let length = self.take_count()?;
        let (stored, rest) = self.0.split_at_checked(if length == 0 { rows } else { length })?;
        let classes = if length == 0 { stored.to_vec() } else { decompress(stored, rows)? };
        let mut numbers = Vec::with_capacity(rows);
        let mut at = 0;
        for class in &classes {
            let after_first = u32::from(class >> IN_CLASS).saturating_sub(1);
            let bits = after_first.saturating_sub(IN_CLASS);
            let first = if *class < 1 << IN_CLASS { 0 } else { 1 << after_first };
            let in_class = u64::from(class & ((1 << IN_CLASS) - 1)) << bits;
            numbers.push(first | in_class | bits_at(rest, at, bits)?);
            at += bits as usize;
        }
        self.0 = rest.get(at.div_ceil(8)..)?;
        (numbers.len() == rows).then_some(numbers)
    }

    pub(crate) fn take_bytes<const N: usize>(&mut self) -> Option<[u8; N]> {
        let (bytes, rest) = self.0.split_first_chunk::<N>()?;
        self.0 = rest;
        Some(*bytes)
    }
}

fn decompress(bytes: &[u8], rows: usize) -> Option<Vec<u8>> {
    DECOMPRESSOR.with_borrow_mut(|decompressor| {
        let decompressor = match decompressor {
            Some(decompressor) => decompressor,
            None => decompressor.insert(Decompressor::new().ok()?),
        };
        decompressor.decompress(bytes, rows).ok()
    })
}

/// So many bits from a position on, the lowest first.
fn bits_at(bytes: &[u8], position: usize, count: u32) -> Option<u64> {
    let from = position / 8;
    let word = match bytes.get(from..).and_then(<[u8]>::first_chunk::<16>) {
        Some(word) => u128::from_le_bytes(*word),
        None => {
            let end = (position + count as usize).div_ceil(8);
            bytes.get(from..end)?.iter().rev().fold(0, |word, byte| word << 8 | u128::from(*byte))
        }
    };
    Some((word >> (position % 8)) as u64 & ((1 << count) - 1))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn columns_read_back_as_they_were_written(
            columns in prop::collection::vec((prop::collection::vec(0u64..1 << 63, 300), 0u32..63), 3),
        ) {
            let columns: Vec<Vec<u64>> = columns.into_iter().map(|(numbers, by)| numbers.iter().map(|number| number >> by).collect()).collect();
            let mut bytes = Vec::new();
            columns.iter().for_each(|column| put_column(&mut bytes, column));
            let mut reader = Reader(&bytes);
            prop_assert_eq!(reader.take_columns::<3>(300).map(Vec::from), Some(columns));
            prop_assert!(reader.0.is_empty());
        }

        #[test]
        fn numbers_read_back_as_they_were_written(plain in any::<u64>(), signed in any::<i64>()) {
            let mut bytes = Vec::new();
            put(&mut bytes, plain);
            put_signed(&mut bytes, signed);
            let mut reader = Reader(&bytes);
            prop_assert_eq!((reader.take(), reader.take_signed(), reader.take()), (Some(plain), Some(signed), None));
        }
    }
}
