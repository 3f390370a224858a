//! Variable-length integers: how cells are written.

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
    put(out, (number << 1 ^ number >> 63) as u64);
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
        let number = self.take()?;
        Some((number >> 1) as i64 ^ -((number & 1) as i64))
    }

    /// A number that must fit a smaller type.
    pub(crate) fn take_as<T: TryFrom<u64>>(&mut self) -> Option<T> {
        T::try_from(self.take()?).ok()
    }

    /// A count of things that take at least one byte each: never more than the bytes left, so that it is safe to allocate.
    pub(crate) fn take_count(&mut self) -> Option<usize> {
        self.take_as().filter(|count| *count <= self.0.len())
    }

    pub(crate) fn take_bytes<const N: usize>(&mut self) -> Option<[u8; N]> {
        let (bytes, rest) = self.0.split_first_chunk::<N>()?;
        self.0 = rest;
        Some(*bytes)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
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
