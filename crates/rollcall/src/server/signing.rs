//! The key under which dialects sign their tokens: 32 random bytes in the data directory, made once.

use rand::TryRngCore;
use std::fs::{File, OpenOptions};
use std::io::{Error, ErrorKind, Result, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;

/// Its file in the data directory.
pub const SIGNING_KEY: &str = "signing.key";

/// Reads the signing key of a data directory, or makes it.
///
/// # Errors
/// The directory cannot be read or written, or the file does not hold a key.
pub fn signing_key(data: &Path) -> Result<[u8; 32]> {
    let path = data.join(SIGNING_KEY);
    match std::fs::read(&path) {
        Ok(bytes) => bytes.try_into().map_err(|_| {
            let message =
                format!("{} does not hold 32 bytes; remove it to make another, which ends every token given so far", path.display());
            Error::new(ErrorKind::InvalidData, message)
        }),
        Err(error) if error.kind() == ErrorKind::NotFound => make(data, &path),
        Err(error) => Err(error),
    }
}

fn make(data: &Path, path: &Path) -> Result<[u8; 32]> {
    let mut key = [0; 32];
    rand::rngs::OsRng.try_fill_bytes(&mut key).map_err(Error::other)?;
    // Written aside and renamed, so that a crash leaves a whole key or none.
    let aside = path.with_extension("key.new");
    let mut file = OpenOptions::new().write(true).create(true).truncate(true).mode(0o600).open(&aside)?;
    file.write_all(&key)?;
    file.sync_all()?;
    std::fs::rename(&aside, path)?;
    File::open(data)?.sync_all()?;
    Ok(key)
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
        assert!(signing_key(data.path()).unwrap_err().to_string().contains("does not hold 32 bytes"));
    }
}
