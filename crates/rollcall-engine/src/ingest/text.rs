//! Texts in encodings that are not UTF-8, as UTF-8.
//!
//! A byte order mark says which one it is; without one it is UTF-8 unless whoever sends the text says otherwise. GB18030 is never guessed:
//! most bytes are valid in it, so a guess would turn other texts into wrong names.

use super::body::Expected;
use encoding_rs::{Decoder, DecoderResult, Encoding, GB18030, GBK, UTF_8, UTF_16BE, UTF_16LE};
use std::io::{self, BufRead, Read};

/// How many bytes of UTF-8 are made at a time.
const CHUNK_BYTES: usize = 64 << 10;

/// The encoding of a text.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Charset(&'static Encoding);

impl Charset {
    /// The names of the encodings, as they are offered.
    pub const NAMES: &'static str = "utf-8, utf-16, utf-16be or gb18030";

    /// The encoding of a name, in any case: UTF-8, UTF-16 or GB18030 with what is a part of it (GBK, GB2312).
    pub fn from_name(name: &str) -> Option<Self> {
        let encoding = Encoding::for_label(name.as_bytes())?;
        match encoding {
            // What GBK does not have, GB18030 does.
            _ if encoding == GBK => Some(Self(GB18030)),
            _ if [UTF_8, UTF_16LE, UTF_16BE, GB18030].contains(&encoding) => Some(Self(encoding)),
            _ => None,
        }
    }

    /// Its name, in lower case.
    pub fn name(self) -> String {
        self.0.name().to_ascii_lowercase()
    }
}

/// The text that a reader yields, as UTF-8 and without a byte order mark. `charset` says what it is in if there is none.
///
/// # Errors
/// Those of the reader, and what was expected where the text looks like none. Reading fails where the text is not in its encoding.
pub fn utf8<'a>(mut reader: Box<dyn BufRead + 'a>, charset: Option<Charset>) -> io::Result<Box<dyn BufRead + 'a>> {
    let begin = reader.fill_buf()?;
    let (encoding, mark) = match (Encoding::for_bom(begin), charset) {
        (Some(found), _) => found,
        (None, Some(Charset(encoding))) => (encoding, 0),
        (None, None) if matches!(begin, [0, _, ..] | [_, 0, ..]) => {
            let expected = "UTF-8 text: this looks like UTF-16 without a byte order mark; save it as UTF-8, or say charset=utf-16 in the \
                            content type (rollcall import: --encoding utf-16)";
            return Err(io::Error::other(Expected(expected.into())));
        }
        (None, None) => (UTF_8, 0),
    };
    reader.consume(mark);
    if encoding == UTF_8 {
        return Ok(reader);
    }
    Ok(Box::new(Decoding {
        reader,
        decoder: encoding.new_decoder_without_bom_handling(),
        text: vec![0; CHUNK_BYTES],
        begin: 0,
        end: 0,
        ended: false,
        broken: false,
    }))
}

/// What to say of bytes that are no UTF-8, if they would be something else.
pub(super) fn hint(bytes: &[u8]) -> &'static str {
    if GB18030.decode_without_bom_handling_and_without_replacement(bytes).is_some() {
        "; if it is GB18030, as Excel writes in Chinese, say charset=gb18030 in the content type (rollcall import: --encoding gb18030)"
    } else {
        ""
    }
}

/// A text being decoded.
struct Decoding<'a> {
    reader: Box<dyn BufRead + 'a>,
    decoder: Decoder,
    /// What was made of it; between `begin` and `end` nobody has read it yet.
    text: Vec<u8>,
    begin: usize,
    end: usize,
    ended: bool,
    /// Whether bytes that are not in the encoding follow.
    broken: bool,
}

impl BufRead for Decoding<'_> {
    fn fill_buf(&mut self) -> io::Result<&[u8]> {
        while self.begin == self.end && !self.ended {
            if self.broken {
                let name = self.decoder.encoding().name();
                return Err(io::Error::other(Expected(format!("{name} text without invalid bytes"))));
            }
            let bytes = self.reader.fill_buf()?;
            let is_last = bytes.is_empty();
            let (result, read, written) = self.decoder.decode_to_utf8_without_replacement(bytes, &mut self.text, is_last);
            self.reader.consume(read);
            (self.begin, self.end) = (0, written);
            match result {
                DecoderResult::Malformed(..) => self.broken = true,
                DecoderResult::InputEmpty => self.ended = is_last,
                DecoderResult::OutputFull => {}
            }
        }
        Ok(self.text.get(self.begin..self.end).unwrap_or_default())
    }

    fn consume(&mut self, count: usize) {
        self.begin = (self.begin + count).min(self.end);
    }
}

impl Read for Decoding<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let count = self.fill_buf()?.read(buffer)?;
        self.consume(count);
        Ok(count)
    }
}
