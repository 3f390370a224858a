//! The key under which dialects sign their tokens: 32 random bytes and their checksum in the data directory, made once.

use rand::TryRngCore;
use std::fs::{File, OpenOptions};
use std::io::{Error, ErrorKind, Result, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;
use xxhash_rust::xxh3::xxh3_128;

/// Its file in the data directory.
pub const SIGNING_KEY: &str = "signing.key";

const KEY_BYTES: usize = 32;

/// Reads the signing key of a data directory, or makes it.
///
/// # Errors
/// The directory cannot be read or written, or the file is damaged.
pub fn signing_key(data: &Path) -> Result<[u8; KEY_BYTES]> {
    let path = data.join(SIGNING_KEY);
    match std::fs::read(&path) {
        Ok(bytes) => {
            let key = parse(&bytes).map_err(|what| Error::new(ErrorKind::InvalidData, format!("{}: {what}", path.display())))?;
            // It was made before there were checksums. Without one it is as good as before.
            if bytes.len() == KEY_BYTES
                && let Err(error) = store(data, &path, &key)
            {
                tracing::warn!(%error, "the signing key has no checksum, and could not be given one");
            }
            Ok(key)
        }
        Err(error) if error.kind() == ErrorKind::NotFound => {
            let mut key = [0; KEY_BYTES];
            rand::rngs::OsRng.try_fill_bytes(&mut key).map_err(Error::other)?;
            store(data, &path, &key)?;
            Ok(key)
        }
        Err(error) => Err(error),
    }
}

/// The key that a file holds, with its checksum; one of an earlier version has none.
///
/// # Errors
/// What is wrong with it, and what to do.
pub fn parse(bytes: &[u8]) -> std::result::Result<[u8; KEY_BYTES], String> {
    const WHAT_TO_DO: &str = "take the one of a backup (`rollcall restore` to a new directory), or remove it to make another, which ends every token given so far";
    let damaged = || format!("the key is damaged, since its checksum differs; {WHAT_TO_DO}");
    match bytes.split_first_chunk::<KEY_BYTES>() {
        Some((key, sum)) if sum.is_empty() || *sum == checksum(key) => Ok(*key),
        Some((_, sum)) if sum.len() == size_of::<u128>() => Err(damaged()),
        _ => Err(format!("expected a key of {KEY_BYTES} bytes and its checksum, not {} bytes; {WHAT_TO_DO}", bytes.len())),
    }
}

fn checksum(key: &[u8; KEY_BYTES]) -> [u8; size_of::<u128>()] {
    xxh3_128(key).to_le_bytes()
}

fn store(data: &Path, path: &Path, key: &[u8; KEY_BYTES]) -> Result<()> {
    // Written aside and renamed, so that a crash leaves a whole key or none.
    let aside = path.with_extension("key.new");
    let mut file = OpenOptions::new().write(true).create(true).truncate(true).mode(0o600).open(&aside)?;
    file.write_all(key)?;
    file.write_all(&checksum(key))?;
    file.sync_all()?;
    std::fs::rename(&aside, path)?;
    File::open(data)?.sync_all()
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::fs::PermissionsExt;

    #[test]
    fn the_key_is_made_once_and_readable_by_its_owner_only() {
        let data = tempfile::tempdir().unwrap();
        let key = signing_key(data.path()).unwrap();
        assert_eq!(signing_key(data.path()).unwrap(), key);
        let path = data.path().join(SIGNING_KEY);
        assert_eq!(std::fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
        std::fs::write(&path, b"short").unwrap();
        assert!(signing_key(data.path()).unwrap_err().to_string().contains("expected a key of 32 bytes and its checksum, not 5 bytes"));
    }

    #[test]
    fn a_flipped_bit_anywhere_is_noticed_and_the_file_stays() {
        let data = tempfile::tempdir().unwrap();
        signing_key(data.path()).unwrap();
        let path = data.path().join(SIGNING_KEY);
        let whole = std::fs::read(&path).unwrap();
        for at in 0..whole.len() {
            let mut flipped = whole.clone();
            flipped[at] ^= 1;
            std::fs::write(&path, &flipped).unwrap();
            let error = signing_key(data.path()).unwrap_err().to_string();
            assert!(error.contains("signing.key: the key is damaged") && error.contains("remove it to make another"), "{error}");
            assert_eq!(std::fs::read(&path).unwrap(), flipped);
        }
    }

    #[test]
    fn a_key_from_before_there_were_checksums_stays_and_gets_one() {
        let data = tempfile::tempdir().unwrap();
        let path = data.path().join(SIGNING_KEY);
        std::fs::write(&path, [7; 32]).unwrap();
        assert_eq!(signing_key(data.path()).unwrap(), [7; 32]);
        assert_eq!(std::fs::read(&path).unwrap().len(), 48);
        assert_eq!(signing_key(data.path()).unwrap(), [7; 32]);
    }
}
