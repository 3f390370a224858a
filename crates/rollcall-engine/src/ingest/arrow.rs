//! Arrow IPC, as a stream or as a file.

use super::columns::{fields_of, read_batch};
use super::{BodyError, Sink, body};
use crate::kinds::columns::Columns;
use arrow_ipc::reader::StreamReader;
use arrow_ipc::{Message, RecordBatch, root_as_message};
use std::panic::{AssertUnwindSafe, catch_unwind};

const MAGIC: &[u8] = b"ARROW1";

/// What precedes the length of a message, except in the oldest streams.
const CONTINUATION: [u8; 4] = [0xff; 4];

/// Reads a stream, or a file.
pub(super) fn read<C: Columns>(bytes: &[u8], sink: &mut Sink<'_, C>) -> Result<(), BodyError> {
    // The library has assertions that hostile bytes can reach; one of those must not take the request's thread down.
    catch_unwind(AssertUnwindSafe(|| read_guarded(bytes, sink))).unwrap_or_else(|_| Err(unreadable("it is damaged")))
}

fn unreadable(why: impl std::fmt::Display) -> BodyError {
    BodyError::expected(0, format!("an Arrow IPC stream or file: {why}"))
}

fn read_guarded<C: Columns>(bytes: &[u8], sink: &mut Sink<'_, C>) -> Result<(), BodyError> {
    let stream = stream_of(bytes).ok_or_else(|| unreadable("its footer cannot be read"))?;
    check_messages(stream, sink)?;
    let reader = StreamReader::try_new(stream, None).map_err(unreadable)?;
    let fields = fields_of(&reader.schema(), sink)?;
    for batch in reader {
        read_batch(&batch.map_err(unreadable)?, &fields, sink)?;
    }
    Ok(())
}

/// The stream that a file holds between its magic, padded with zeros to a multiple of eight bytes, and its footer.
fn stream_of(bytes: &[u8]) -> Option<&[u8]> {
    if !bytes.starts_with(MAGIC) {
        return Some(bytes);
    }
    let (rest, footer) = bytes.strip_suffix(MAGIC)?.split_last_chunk::<4>()?;
    let mut stream = rest.get(8..rest.len().checked_sub(usize::try_from(i32::from_le_bytes(*footer)).ok()?)?)?;
    while let Some(padded) = stream.strip_prefix(&[0; 8]) {
        stream = padded;
    }
    Some(stream)
}

/// Whether every message is there whole, and what they announce, which the library reserves, stays within the limits.
fn check_messages<C: Columns>(mut stream: &[u8], sink: &Sink<'_, C>) -> Result<(), BodyError> {
    let most = sink.limits.decoded_bytes;
    let (mut facts, mut size) = (0u64, 0u64);
    while !stream.is_empty() {
        let Some(part) = next_message(stream).ok_or_else(|| unreadable("it ends within a message"))? else { return Ok(()) };
        let message = root_as_message(part.metadata).map_err(unreadable)?;
        let length = usize::try_from(message.bodyLength()).ok();
        let (content, rest) =
            length.and_then(|length| part.rest.split_at_checked(length)).ok_or_else(|| unreadable("it ends within a message"))?;
        if let Some(batch) = message.header_as_record_batch() {
            facts = facts.saturating_add(u64::try_from(batch.length()).unwrap_or(u64::MAX));
            sink.room_for(facts, 0)?;
        }
        size = size.saturating_add(decompressed_size(&message, content));
        if most > 0 && size > most {
            return Err(BodyError::expected(0, body::too_many_bytes(most)));
        }
        stream = rest;
    }
    Ok(())
}

struct Part<'a> {
    metadata: &'a [u8],
    rest: &'a [u8],
}

/// The next message's metadata and what follows it; none within at the end of the stream, none at all if it is cut off.
fn next_message(stream: &[u8]) -> Option<Option<Part<'_>>> {
    let stream = stream.strip_prefix(&CONTINUATION).unwrap_or(stream);
    let (length, rest) = stream.split_first_chunk::<4>()?;
    let length = usize::try_from(i32::from_le_bytes(*length)).ok()?;
    if length == 0 {
        return Some(None);
    }
    let (metadata, rest) = rest.split_at_checked(length)?;
    Some(Some(Part { metadata, rest }))
}

/// How many bytes the compressed buffers of a message announce.
fn decompressed_size(message: &Message<'_>, content: &[u8]) -> u64 {
    let batch: Option<RecordBatch<'_>> = message.header_as_record_batch().or_else(|| message.header_as_dictionary_batch()?.data());
    let Some((batch, buffers)) = batch.and_then(|batch| Some((batch, batch.buffers()?))) else { return 0 };
    if batch.compression().is_none() {
        return content.len() as u64;
    }
    let announced = |offset: i64| {
        let prefix = content.get(usize::try_from(offset).ok()?..)?.first_chunk::<8>()?;
        // −1 says that the buffer is not compressed; then it is within the body.
        u64::try_from(i64::from_le_bytes(*prefix)).ok()
    };
    buffers
        .iter()
        .filter(|buffer| buffer.length() > 0)
        .fold(content.len() as u64, |sum, buffer| sum.saturating_add(announced(buffer.offset()).unwrap_or(0)))
}
