//! Entries of the ledger's database as files: each a run of records, compressed with zstd.
//!
//! A record is the number of the keyspace (1 byte), the lengths of key and value (4 bytes each, the least first), key and value. Keyspaces
//! ascend, and keys within them.

use super::{DAMAGED, refused};
use crate::error::EngineError;
use crate::settings::Settings;
use bytes::{Buf, Bytes};
use fjall::{Database, KeyspaceCreateOptions, PersistMode, Readable, Snapshot};
use std::fmt::Display;
use std::io::{BufRead, BufReader, Read, Write};
use std::path::Path;

/// About how many bytes a file has; it is in memory until it is stored.
const PART_BYTES: usize = 32 << 20;

/// The longest key or value: no length of a damaged file is believed beyond it.
const MOST_BYTES: u32 = 1 << 30;

/// How hard entries are compressed: blocks of facts are already.
const LEVEL: i32 = 1;

type Encoder = zstd::Encoder<'static, Vec<u8>>;

fn encoder() -> std::io::Result<Encoder> {
    zstd::Encoder::new(Vec::new(), LEVEL)
}

/// Writes every entry of a snapshot's keyspaces; `store` is given each part.
pub(super) fn write(
    db: &Database,
    snapshot: &Snapshot,
    keyspaces: &[String],
    mut store: impl FnMut(Vec<u8>) -> Result<(), EngineError>,
) -> Result<(), EngineError> {
    let failed = |error: std::io::Error| EngineError::Storage(format!("a part of the backup: {error}"));
    let mut part = encoder().map_err(failed)?;
    let mut written = 0;
    for (number, name) in keyspaces.iter().enumerate() {
        let number = u8::try_from(number).map_err(|_| refused("more keyspaces than a backup can have"))?;
        let keyspace = db.keyspace(name, KeyspaceCreateOptions::default)?;
        for entry in snapshot.iter(&keyspace) {
            let (key, value) = entry.into_inner()?;
            let length = |bytes: &[u8]| {
                u32::try_from(bytes.len()).map(u32::to_le_bytes).map_err(|_| refused("an entry larger than a backup can have"))
            };
            let record = [&[number][..], &length(&key)?, &length(&value)?, &key, &value];
            record.iter().try_for_each(|bytes| part.write_all(bytes)).map_err(failed)?;
            written += 1;
            if part.get_ref().len() >= PART_BYTES {
                store(std::mem::replace(&mut part, encoder().map_err(failed)?).finish().map_err(failed)?)?;
                written = 0;
            }
        }
    }
    if written > 0 {
        store(part.finish().map_err(failed)?)?;
    }
    Ok(())
}

/// Makes a database of parts, which are given one after the other.
pub(super) fn read(
    directory: &Path,
    settings: &Settings,
    keyspaces: &[String],
    parts: impl Iterator<Item = Result<(String, Bytes), EngineError>>,
) -> Result<(), EngineError> {
    let db = Database::builder(directory).journal_compression(fjall::CompressionType::None).open()?;
    let mut records = Records { parts, part: None };
    let mut next = records.next()?;
    for (number, name) in keyspaces.iter().enumerate() {
        let keyspace = db.keyspace(name, || settings.keyspace())?;
        let mut ingestion = keyspace.start_ingestion()?;
        let mut last: Option<Vec<u8>> = None;
        while let Some((_, key, value)) = next.take_if(|(of, ..)| usize::from(*of) == number) {
            // The database takes their order for granted.
            if last.is_some_and(|last| last >= key) {
                return Err(records.broken("its records are in no order"));
            }
            last = Some(key.clone());
            ingestion.write(key, value)?;
            next = records.next()?;
        }
        ingestion.finish()?;
    }
    if next.is_some() {
        return Err(records.broken("its records are in no order"));
    }
    db.persist(PersistMode::SyncAll)?;
    Ok(())
}

/// Records of parts.
struct Records<P> {
    parts: P,
    part: Option<(String, BufReader<Box<dyn Read>>)>,
}

/// The number of a keyspace, a key and its value.
type Record = (u8, Vec<u8>, Vec<u8>);

impl<P: Iterator<Item = Result<(String, Bytes), EngineError>>> Records<P> {
    fn next(&mut self) -> Result<Option<Record>, EngineError> {
        loop {
            match &mut self.part {
                None => {
                    let Some((name, bytes)) = self.parts.next().transpose()? else { return Ok(None) };
                    let records = zstd::Decoder::new(bytes.reader()).map_err(|error| refused(format!("{DAMAGED}{name}: {error}")))?;
                    self.part = Some((name, BufReader::new(Box::new(records))));
                }
                Some((_, records)) => match record(records) {
                    Ok(None) => self.part = None,
                    Ok(found) => return Ok(found),
                    Err(error) => return Err(self.broken(error)),
                },
            }
        }
    }

    fn broken(&self, what: impl Display) -> EngineError {
        refused(format!("{DAMAGED}{}: {what}", self.part.as_ref().map_or("the last part", |(name, _)| name)))
    }
}

fn record(records: &mut impl BufRead) -> std::io::Result<Option<Record>> {
    if records.fill_buf()?.is_empty() {
        return Ok(None);
    }
    let (mut number, mut lengths) = ([0], [[0; 4]; 2]);
    records.read_exact(&mut number)?;
    records.read_exact(lengths.as_flattened_mut())?;
    let mut take = |length: [u8; 4]| {
        let length = u32::from_le_bytes(length);
        let mut bytes = Vec::new();
        let found = records.by_ref().take(length.min(MOST_BYTES).into()).read_to_end(&mut bytes)?;
        if found == length as usize { Ok(bytes) } else { Err(std::io::Error::other("a record is cut off")) }
    };
    let [key, value] = lengths;
    Ok(Some((number[0], take(key)?, take(value)?)))
}
