//! Columns of blocks: in memory as they are read, in storage in as few whole bytes as the column's values differ by.

use crate::strings::{Dictionary, Strings};

/// A column that rows are added to, read from, and that is packed for storage.
pub(super) trait Column: Default {
    /// What a row has of it.
    type Item<'a>: Copy
    where
        Self: 'a;

    /// Adds a row.
    fn push(&mut self, item: Self::Item<'_>);

    /// What a row has, which must be there.
    fn get(&self, row: usize) -> Self::Item<'_>;

    /// Adds the column's bytes.
    fn pack(&self, out: &mut Vec<u8>);

    /// Takes the column of so many rows from the front of bytes; none if they are not.
    fn unpack(bytes: &mut &[u8], rows: usize) -> Option<Self>;
}

/// A number that has 64 bits at most.
pub(super) trait Number: Copy {
    /// The number.
    fn bits(self) -> u64;

    /// The number, if it is one of these.
    fn of(bits: u64) -> Option<Self>;
}

macro_rules! numbers {
    ($($number:ty),*) => {
        $(
            impl Number for $number {
                fn bits(self) -> u64 {
                    self.into()
                }

                fn of(bits: u64) -> Option<Self> {
                    bits.try_into().ok()
                }
            }
        )*
    };
}

numbers!(u8, u16, u32, u64);

impl Number for i64 {
    fn bits(self) -> u64 {
        self.cast_unsigned()
    }

    fn of(bits: u64) -> Option<Self> {
        Some(bits.cast_signed())
    }
}

impl Number for bool {
    fn bits(self) -> u64 {
        self.into()
    }

    fn of(bits: u64) -> Option<Self> {
        (bits <= 1).then_some(bits == 1)
    }
}

impl<N: Number + 'static> Column for Vec<N> {
    type Item<'a> = N;

    fn push(&mut self, item: N) {
        self.push(item);
    }

    fn get(&self, row: usize) -> N {
        self[row]
    }

    fn pack(&self, out: &mut Vec<u8>) {
        pack(self.iter().map(|number| number.bits()), out);
    }

    fn unpack(bytes: &mut &[u8], rows: usize) -> Option<Self> {
        unpack(bytes, rows, N::of)
    }
}

impl Column for Dictionary {
    type Item<'a> = &'a str;

    fn push(&mut self, item: &str) {
        self.push(item);
    }

    fn get(&self, row: usize) -> &str {
        self.get(row)
    }

    fn pack(&self, out: &mut Vec<u8>) {
        let values = self.values();
        put(values.len() as u64, out);
        let mut before = 0;
        let lengths = values.ends().iter().map(|end| (end - std::mem::replace(&mut before, *end)) as u64);
        pack(lengths.collect::<Vec<_>>().into_iter(), out);
        out.extend_from_slice(values.bytes().as_bytes());
        pack(self.keys().iter().map(|key| u64::from(*key)), out);
    }

    fn unpack(bytes: &mut &[u8], rows: usize) -> Option<Self> {
        let count = usize::try_from(take(bytes)?).ok().filter(|count| *count <= rows)?;
        let mut end = 0usize;
        let mut ends: Vec<usize> = unpack(bytes, count, |length| usize::try_from(length).ok())?;
        for length in &mut ends {
            end = end.checked_add(*length)?;
            *length = end;
        }
        let (text, rest) = bytes.split_at_checked(end)?;
        *bytes = rest;
        let values = Strings::of(String::from_utf8(text.to_vec()).ok()?, ends)?;
        Self::of(values, unpack(bytes, rows, |key| u32::try_from(key).ok())?)
    }
}

/// Adds a number, seven bits a byte, the last of which is below 128.
pub(super) fn put(mut number: u64, out: &mut Vec<u8>) {
    while number >= 0x80 {
        out.push(number.to_le_bytes()[0] | 0x80);
        number >>= 7;
    }
    out.push(number.to_le_bytes()[0]);
}

/// Takes a number from the front of bytes.
pub(super) fn take(bytes: &mut &[u8]) -> Option<u64> {
    let mut number = 0;
    for shift in (0..u64::BITS).step_by(7) {
        let (byte, rest) = bytes.split_first()?;
        *bytes = rest;
        number |= u64::from(byte & 0x7f) << shift;
        if *byte < 0x80 {
            return Some(number);
        }
    }
    None
}

/// Adds numbers: the least, how many bytes each differs from it by, and these differences.
fn pack(numbers: impl ExactSizeIterator<Item = u64> + Clone, out: &mut Vec<u8>) {
    let (least, most) = numbers.clone().fold((u64::MAX, 0), |(least, most), number| (least.min(number), most.max(number)));
    let least = least.min(most);
    put(least, out);
    let width = match most - least {
        0 => 0u8,
        1..0x100 => 1,
        0x100..0x1_0000 => 2,
        0x1_0000..0x1_0000_0000 => 4,
        _ => 8,
    };
    out.push(width);
    out.reserve(numbers.len() * usize::from(width));
    let differences = numbers.map(|number| (number - least).to_le_bytes());
    match width {
        0 => {}
        1 => out.extend(differences.map(|[byte, ..]| byte)),
        2 => differences.for_each(|[a, b, ..]| out.extend_from_slice(&[a, b])),
        4 => differences.for_each(|[a, b, c, d, ..]| out.extend_from_slice(&[a, b, c, d])),
        _ => differences.for_each(|bytes| out.extend_from_slice(&bytes)),
    }
}

/// Takes so many numbers from the front of bytes; none if they are not, or one is not what `of` reads.
fn unpack<T: Clone>(bytes: &mut &[u8], rows: usize, of: impl Fn(u64) -> Option<T>) -> Option<Vec<T>> {
    let least = take(bytes)?;
    let (width, rest) = bytes.split_first()?;
    let (packed, rest) = rest.split_at_checked(rows.checked_mul(usize::from(*width))?)?;
    *bytes = rest;
    let number = |difference: u64| of(least.checked_add(difference)?);
    match width {
        0 => Some(vec![of(least)?; rows]),
        1 => packed.iter().map(|byte| number((*byte).into())).collect(),
        2 => packed.as_chunks().0.iter().map(|bytes| number(u16::from_le_bytes(*bytes).into())).collect(),
        4 => packed.as_chunks().0.iter().map(|bytes| number(u32::from_le_bytes(*bytes).into())).collect(),
        8 => packed.as_chunks().0.iter().map(|bytes| number(u64::from_le_bytes(*bytes))).collect(),
        _ => None,
    }
}

/// Says the columns of a kind of block once: the row that goes into it, the columns that it is made of, and the block of some of their rows.
macro_rules! columns {
    (
        $(#[$of_block:meta])* $Block:ident;
        $(#[$of_row:meta])* $Row:ident<$life:lifetime>, $Columns:ident { $($(#[$of:meta])* $name:ident: $item:ty as $column:ty,)* }
    ) => {
        $(#[$of_block])*
        #[derive(Debug, Clone)]
        pub struct $Block {
            columns: std::sync::Arc<$Columns>,
            rows: std::ops::Range<usize>,
        }

        impl $Block {
            /// Reads every row, in order.
            pub fn rows(&self) -> impl Iterator<Item = $Row<'_>> {
                $crate::kinds::block::Block::each_row(self)
            }
        }

        impl $crate::kinds::block::Rows for $Block {
            type Columns = $Columns;
            type Row<'a> = $Row<'a>;

            fn of(columns: std::sync::Arc<$Columns>, rows: std::ops::Range<usize>) -> Self {
                Self { columns, rows }
            }

            fn parts(&self) -> (&std::sync::Arc<$Columns>, std::ops::Range<usize>) {
                (&self.columns, self.rows.clone())
            }
        }

        $(#[$of_row])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq)]
        pub struct $Row<$life> {
            $($(#[$of])* pub $name: $item,)*
        }

        #[derive(Debug, Clone, Default)]
        pub struct $Columns {
            rows: usize,
            $($name: $column,)*
        }

        impl $crate::kinds::block::BlockColumns for $Columns {
            type Row<'a> = $Row<'a>;

            fn rows(&self) -> usize {
                self.rows
            }

            fn push(&mut self, row: $Row<'_>) {
                $($crate::kinds::packed::Column::push(&mut self.$name, row.$name);)*
                self.rows += 1;
            }

            fn get(&self, row: usize) -> $Row<'_> {
                $Row { $($name: $crate::kinds::packed::Column::get(&self.$name, row),)* }
            }

            fn pack(&self, out: &mut Vec<u8>) {
                $($crate::kinds::packed::Column::pack(&self.$name, out);)*
            }

            fn unpack(bytes: &mut &[u8], rows: usize) -> Option<Self> {
                Some(Self { rows, $($name: $crate::kinds::packed::Column::unpack(bytes, rows)?,)* })
            }
        }
    };
}

pub(super) use columns;

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn read_back<C: Column>(column: &C, rows: usize) -> C {
        let mut bytes = Vec::new();
        column.pack(&mut bytes);
        for end in 0..bytes.len() {
            assert!(C::unpack(&mut &bytes[..end], rows).is_none());
        }
        let mut rest = bytes.as_slice();
        let column = C::unpack(&mut rest, rows).unwrap();
        assert!(rest.is_empty());
        column
    }

    proptest! {
        #[test]
        fn numbers_of_any_width_read_back(least in any::<i64>(), bits in 0u32..64, rest in prop::collection::vec(any::<u64>(), 0..50)) {
            let differences = rest.iter().map(|number| number & ((1 << bits) - 1));
            let numbers: Vec<i64> = differences.map(|number| least.wrapping_add_unsigned(number)).collect();
            prop_assert_eq!(read_back(&numbers, numbers.len()), numbers);
        }

        #[test]
        fn texts_read_back(texts in prop::collection::vec("[ab会]{0,3}", 0..50)) {
            let mut column = Dictionary::default();
            texts.iter().for_each(|text| column.push(text));
            let read = read_back(&column, texts.len());
            prop_assert_eq!((0..read.len()).map(|row| read.get(row)).collect::<Vec<_>>(), texts);
        }

        #[test]
        fn whatever_the_bytes_nothing_panics(bytes in prop::collection::vec(any::<u8>(), 0..60), rows in 0usize..70) {
            _ = Dictionary::unpack(&mut bytes.as_slice(), rows);
            _ = Vec::<bool>::unpack(&mut bytes.as_slice(), rows);
            _ = Vec::<i64>::unpack(&mut bytes.as_slice(), rows);
        }
    }

    #[test]
    fn a_number_that_a_column_does_not_have_is_an_error() {
        let mut bytes = Vec::new();
        vec![0u16, 0x100].pack(&mut bytes);
        assert!(Vec::<u8>::unpack(&mut bytes.as_slice(), 2).is_none());
        assert_eq!(Vec::<u32>::unpack(&mut bytes.as_slice(), 2), Some(vec![0, 0x100]));
    }
}
