//! A body as plain bytes: decompressed as it is read, never beyond the limits, and cut into lines.

use super::{BodyError, Charset, Compression, Limits, STEP_BYTES, utf8};
use std::borrow::Cow;
use std::io::{self, BufRead, BufReader, Read};

/// The largest window a zstd frame may ask for, as a power of two: what levels up to 20 use.
const ZSTD_WINDOW_LOG: u32 = 25;

/// What was expected of a body where reading it ended.
#[derive(Debug, thiserror::Error)]
#[error("expected {0}")]
pub(super) struct Expected(pub(super) String);

/// The decompressed body as a reader. Uncompressed, its buffer is the body itself: nothing is copied.
pub(super) fn open<'a>(body: &'a [u8], compression: Compression, limits: &Limits) -> Result<Box<dyn BufRead + 'a>, BodyError> {
    let most = limits.decoded_bytes;
    Ok(match compression {
        Compression::None if most > 0 && body.len() as u64 > most => return Err(BodyError::expected(0, too_many_bytes(most))),
        Compression::None => Box::new(body),
        Compression::Gzip => Box::new(limited(flate2::bufread::MultiGzDecoder::new(body), most)),
        Compression::Zstd => {
            let mut decoder = zstd::stream::read::Decoder::with_buffer(body).map_err(|error| failed(error, 0))?;
            decoder.window_log_max(ZSTD_WINDOW_LOG).map_err(|error| failed(error, 0))?;
            Box::new(limited(decoder, most))
        }
    })
}

/// The decompressed body as a reader of UTF-8.
pub(super) fn text<'a>(
    body: &'a [u8],
    compression: Compression,
    limits: &Limits,
    charset: Option<Charset>,
) -> Result<Box<dyn BufRead + 'a>, BodyError> {
    utf8(open(body, compression, limits)?, charset).map_err(|error| failed(error, 0))
}

/// The decompressed body at once. Tells `grown` how large it has become, now and then.
pub(super) fn whole<'a>(
    body: &'a [u8],
    compression: Compression,
    limits: &Limits,
    grown: impl Fn(u64) -> Result<(), BodyError>,
) -> Result<Cow<'a, [u8]>, BodyError> {
    let mut reader = open(body, compression, limits)?;
    if compression == Compression::None {
        return Ok(body.into());
    }
    let mut bytes = Vec::new();
    loop {
        let chunk = reader.fill_buf().map_err(|error| failed(error, 0))?;
        if chunk.is_empty() {
            return Ok(bytes.into());
        }
        bytes.extend_from_slice(chunk);
        let count = chunk.len();
        reader.consume(count);
        grown(bytes.len() as u64)?;
    }
}

/// What a failed read says about the body.
pub(super) fn failed(error: io::Error, line: u64) -> BodyError {
    match error.get_ref().and_then(|inner| inner.downcast_ref::<Expected>()) {
        Some(Expected(what)) => BodyError::expected(line, what.as_str()),
        None => BodyError::expected(line, format!("whole and undamaged compressed data: {error}")),
    }
}

fn limited<'a>(reader: impl Read + 'a, most: u64) -> BufReader<impl Read + 'a> {
    let left = if most == 0 { u64::MAX } else { most };
    BufReader::with_capacity(STEP_BYTES, Limited { reader, left, most })
}

pub(super) fn too_many_bytes(most: u64) -> String {
    format!("at most {most} bytes after decompression (limits.decoded_bytes)")
}

/// The message of a line, a record or an object that passes its limit.
pub(super) fn too_long(most: u64) -> String {
    format!("at most {most} bytes a fact (limits.line_bytes)")
}

/// A reader that fails once it has given more than it may.
struct Limited<R> {
    reader: R,
    left: u64,
    most: u64,
}

impl<R: Read> Read for Limited<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let count = self.reader.read(buffer)?;
        self.left = self.left.checked_sub(count as u64).ok_or_else(|| io::Error::other(Expected(too_many_bytes(self.most))))?;
        Ok(count)
    }
}

/// Calls `line` with each line, numbered from 1 and without its newline. A line longer than the limit is refused as soon
/// as that is known; only lines that cross the end of the reader's buffer are copied.
pub(super) fn each_line(
    reader: &mut dyn BufRead,
    limits: &Limits,
    mut line: impl FnMut(u64, &[u8]) -> Result<(), BodyError>,
) -> Result<(), BodyError> {
    let mut number = 1;
    let mut begun = Vec::new();
    let mut whole_line = |number: u64, text: &[u8]| {
        let within = limits.line_bytes == 0 || text.len() as u64 <= limits.line_bytes;
        if within { line(number, text) } else { Err(BodyError::expected(number, too_long(limits.line_bytes))) }
    };
    loop {
        let mut rest = reader.fill_buf().map_err(|error| failed(error, number))?;
        let available = rest.len();
        if available == 0 {
            return if begun.is_empty() { Ok(()) } else { whole_line(number, &begun) };
        }
        while let Some((text, after)) = split_line(rest) {
            if begun.is_empty() {
                whole_line(number, text)?;
            } else {
                begun.extend_from_slice(text);
                whole_line(number, &begun)?;
                begun.clear();
            }
            number += 1;
            rest = after;
        }
        let length = (begun.len() + rest.len()) as u64;
        if limits.line_bytes > 0 && length > limits.line_bytes {
            return Err(BodyError::expected(number, too_long(limits.line_bytes)));
        }
        begun.extend_from_slice(rest);
        reader.consume(available);
    }
}

/// The text before the first newline, and what follows that.
fn split_line(text: &[u8]) -> Option<(&[u8], &[u8])> {
    // The standard library's fast search for a byte, which slices do not offer directly.
    let end = { text }.skip_until(b'\n').ok()?;
    let (line, after) = text.split_at_checked(end)?;
    Some((line.strip_suffix(b"\n")?, after))
}
