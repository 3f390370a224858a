//! As much of Thrift's compact protocol as it takes to look at a Parquet file's claims without believing them.

/// How deep structures may lie in one another; Parquet's own lie at most seven deep.
const DEPTH: u8 = 16;

/// The types of fields that are looked at.
pub(super) mod kind {
    pub(crate) const I32: u8 = 5;
    pub(crate) const LIST: u8 = 9;
    pub(crate) const STRUCT: u8 = 12;
}

/// A reader of the compact protocol. Every method yields none once the bytes are not what they should be.
#[derive(Debug)]
pub(super) struct Reader<'a> {
    bytes: &'a [u8],
}

impl<'a> Reader<'a> {
    pub(super) const fn new(bytes: &'a [u8]) -> Self {
        Self { bytes }
    }

    /// How many bytes are left.
    pub(super) const fn left(&self) -> usize {
        self.bytes.len()
    }

    /// Reads a structure: calls `on` with each field's number and type. What `on` does not read, by answering false, is skipped.
    pub(super) fn each_field(&mut self, mut on: impl FnMut(&mut Self, i64, u8) -> Option<bool>) -> Option<()> {
        self.fields(DEPTH, &mut on)
    }

    /// Reads the head of a list: how many items, of what type.
    pub(super) fn list(&mut self) -> Option<(usize, u8)> {
        let head = self.byte()?;
        let count = match head >> 4 {
            15 => usize::try_from(self.varint()?).ok()?,
            short => usize::from(short),
        };
        Some((count, head & 15))
    }

    /// Reads an integer of any width but a byte's.
    pub(super) fn integer(&mut self) -> Option<i64> {
        let value = self.varint()?;
        Some((value >> 1).cast_signed() ^ -(value & 1).cast_signed())
    }

    fn fields(&mut self, depth: u8, on: &mut dyn FnMut(&mut Self, i64, u8) -> Option<bool>) -> Option<()> {
        let depth = depth.checked_sub(1)?;
        let mut id = 0i64;
        loop {
            let head = self.byte()?;
            if head == 0 {
                return Some(());
            }
            id = match head >> 4 {
                0 => self.integer()?,
                delta => id.checked_add(i64::from(delta))?,
            };
            if !on(self, id, head & 15)? {
                self.skip(head & 15, depth)?;
            }
        }
    }

    fn skip(&mut self, kind: u8, depth: u8) -> Option<()> {
        match kind {
            // A boolean field is its type.
            1 | 2 => Some(()),
            3 => self.take(1),
            4..=6 => self.varint().map(drop),
            7 => self.take(8),
            8 => {
                let length = usize::try_from(self.varint()?).ok()?;
                self.take(length)
            }
            9 | 10 => {
                let depth = depth.checked_sub(1)?;
                let (count, item) = self.list()?;
                (0..count).try_for_each(|_| self.skip_item(item, depth))
            }
            11 => {
                let depth = depth.checked_sub(1)?;
                let count = self.varint()?;
                let kinds = if count == 0 { 0 } else { self.byte()? };
                (0..count).try_for_each(|_| {
                    self.skip_item(kinds >> 4, depth)?;
                    self.skip_item(kinds & 15, depth)
                })
            }
            12 => self.fields(depth, &mut |_, _, _| Some(false)),
            13 => self.take(16),
            _ => None,
        }
    }

    fn skip_item(&mut self, kind: u8, depth: u8) -> Option<()> {
        // In lists and maps a boolean is a byte of its own.
        if matches!(kind, 1 | 2) { self.take(1) } else { self.skip(kind, depth) }
    }

    fn byte(&mut self) -> Option<u8> {
        let (byte, rest) = self.bytes.split_first()?;
        self.bytes = rest;
        Some(*byte)
    }

    fn take(&mut self, count: usize) -> Option<()> {
        self.bytes = self.bytes.get(count..)?;
        Some(())
    }

    fn varint(&mut self) -> Option<u64> {
        let mut value = 0u64;
        for shift in (0..64).step_by(7) {
            let byte = self.byte()?;
            value |= u64::from(byte & 0x7f) << shift;
            if byte < 0x80 {
                return Some(value);
            }
        }
        None
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn fields_are_read_or_skipped() {
        // 1: i32 = -3, 2: binary "ab", 4: list of 2 i64, 5: struct { 1: true }, 20: double
        let bytes = [0x15, 5, 0x18, 2, b'a', b'b', 0x29, 0x26, 2, 4, 0x1c, 0x11, 0, 0x07, 40, 0, 0, 0, 0, 0, 0, 0, 0, 0, 99];
        let mut seen = vec![];
        let mut reader = Reader::new(&bytes);
        reader
            .each_field(|reader, id, of| {
                seen.push((id, of));
                Some(id == 1 && reader.integer()? == -3)
            })
            .unwrap();
        assert_eq!(seen, [(1, kind::I32), (2, 8), (4, kind::LIST), (5, kind::STRUCT), (20, 7)]);
        assert_eq!(reader.left(), 1);
    }

    proptest! {
        #[test]
        fn any_bytes_end_without_panic(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
            let _ = Reader::new(&bytes).each_field(|_, _, _| Some(false));
        }

        #[test]
        fn deep_structures_are_refused(filler in prop::sample::select(vec![0x1cu8, 0x19, 0x1b])) {
            prop_assert_eq!(Reader::new(&vec![filler; 100_000]).each_field(|_, _, _| Some(false)), None);
        }
    }
}
