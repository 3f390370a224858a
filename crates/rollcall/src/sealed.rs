//! The signing key in a backup, sealed with a key of the operator's: whoever reads the backup cannot sign tokens with it.
//!
//! A sealed file is [`MAGIC`], 32 random bytes, the key encrypted with ChaCha20-Poly1305, and 16 bytes that prove that nothing was changed.
//! The key of the cipher is HKDF-SHA-256 of the operator's key and those random bytes, so it is used once.

use rand::TryRngCore;
use ring::aead::{Aad, CHACHA20_POLY1305, LessSafeKey, NONCE_LEN, Nonce, UnboundKey};
use ring::hkdf::{HKDF_SHA256, KeyType, Salt};
use std::fmt;
use std::path::Path;

/// How a sealed file begins.
const MAGIC: &[u8; 16] = b"rollcall sealed\n";

const SALT_BYTES: usize = 32;

/// How long an operator's key must be.
const LEAST_BYTES: usize = 32;

/// An operator's key, which seals what is secret in backups. It is never shown.
#[derive(Clone, PartialEq, Eq)]
pub struct BackupKey(String);

impl fmt::Debug for BackupKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("BackupKey")
    }
}

impl BackupKey {
    /// A key of so many characters that nobody guesses it.
    ///
    /// # Errors
    /// What was expected.
    pub fn new(text: &str) -> Result<Self, String> {
        let text = text.trim_end_matches(['\r', '\n']);
        if text.len() < LEAST_BYTES {
            let length = text.len();
            return Err(format!(
                "expected a random key of at least {LEAST_BYTES} characters, not {length}; make one with `openssl rand -base64 32`"
            ));
        }
        Ok(Self(text.into()))
    }

    /// Reads the key that a file holds.
    ///
    /// # Errors
    /// What is wrong with the file.
    pub fn read(path: &Path) -> Result<Self, String> {
        let text = std::fs::read_to_string(path).map_err(|error| format!("{}: {error}", path.display()))?;
        Self::new(&text).map_err(|error| format!("{}: {error}", path.display()))
    }

    /// The key itself, for the server that this command asks.
    pub fn text(&self) -> &str {
        &self.0
    }

    /// Seals a secret.
    ///
    /// # Errors
    /// The system has no random bytes.
    pub fn seal(&self, secret: &[u8]) -> Result<Vec<u8>, String> {
        let mut salt = [0; SALT_BYTES];
        rand::rngs::OsRng.try_fill_bytes(&mut salt).map_err(|error| format!("no random bytes: {error}"))?;
        let mut sealed = secret.to_vec();
        let proof = self.cipher(&salt).and_then(|cipher| cipher.seal_in_place_separate_tag(once(), Aad::from(MAGIC), &mut sealed).ok());
        let proof = proof.ok_or("the secret cannot be sealed")?;
        Ok([MAGIC.as_slice(), &salt, &sealed, proof.as_ref()].concat())
    }

    /// Opens a sealed secret; none if it was sealed with another key, or is damaged.
    pub fn open(&self, sealed: &[u8]) -> Option<Vec<u8>> {
        let (salt, sealed) = sealed.strip_prefix(MAGIC)?.split_first_chunk::<SALT_BYTES>()?;
        let mut secret = sealed.to_vec();
        let length = self.cipher(salt)?.open_in_place(once(), Aad::from(MAGIC), &mut secret).ok()?.len();
        secret.truncate(length);
        Some(secret)
    }

    fn cipher(&self, salt: &[u8; SALT_BYTES]) -> Option<LessSafeKey> {
        let mut key = [0; 32];
        let salted = Salt::new(HKDF_SHA256, salt).extract(self.0.as_bytes());
        salted.expand(&[b"rollcall signing key"], Bytes32).and_then(|made| made.fill(&mut key)).ok()?;
        UnboundKey::new(&CHACHA20_POLY1305, &key).map(LessSafeKey::new).ok()
    }
}

/// The nonce of a key that is used once.
fn once() -> Nonce {
    Nonce::assume_unique_for_key([0; NONCE_LEN])
}

/// How many bytes the key of the cipher has.
struct Bytes32;

impl KeyType for Bytes32 {
    fn len(&self) -> usize {
        32
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_sealed_secret_is_opened_by_its_key_alone_and_only_as_it_was_sealed() {
        let key = BackupKey::new(&"k".repeat(32)).unwrap();
        let sealed = key.seal(b"the signing key").unwrap();
        assert!(!sealed.windows(7).any(|part| part == b"signing"));
        assert_eq!(key.open(&sealed).unwrap(), b"the signing key");
        assert_ne!(key.seal(b"the signing key").unwrap(), sealed, "each has its own random bytes");
        assert_eq!(BackupKey::new(&"l".repeat(32)).unwrap().open(&sealed), None);
        for at in 0..sealed.len() {
            let mut changed = sealed.clone();
            changed[at] ^= 1;
            assert_eq!(key.open(&changed), None, "byte {at}");
            assert_eq!(key.open(&sealed[..at]), None);
        }
    }

    #[test]
    fn a_key_that_could_be_guessed_is_refused_and_none_is_shown() {
        assert!(BackupKey::new("hunter2\n").unwrap_err().contains("at least 32 characters, not 7"));
        assert!(!format!("{:?}", BackupKey::new(&"hunter2".repeat(9)).unwrap()).contains("hunter2"));
    }
}
