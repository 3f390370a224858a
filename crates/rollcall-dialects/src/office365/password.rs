//! Passwords and their argon2id hashes.

use argon2::password_hash::PasswordHasher;
use argon2::password_hash::phc::PasswordHash;
use argon2::{Algorithm, Argon2, Block, Params, Version};
use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;
use std::sync::{LazyLock, Mutex, PoisonError};
use subtle::ConstantTimeEq;

/// The longest password, in bytes: what HTTP Basic's header has room for, twice.
const LONGEST: usize = 512;

/// The PHC string of a password, with the parameters that are usual and a salt of its own; none where the password is longer than any may be.
pub fn hash_password(password: &str) -> Option<String> {
    hash_with(password, &rand::random())
}

/// The same, but as long as this process lives a password has one hash. So a configuration that is read again, and only says where the password stands, has
/// the same hash again, by which good credentials are remembered.
pub fn hash_password_here(password: &str) -> Option<String> {
    static KEY: LazyLock<[u8; 64]> = LazyLock::new(rand::random);
    let salt = Hmac::<Sha256>::new(&(*KEY).into()).chain_update(password).finalize().into_bytes();
    hash_with(password, salt.first_chunk()?)
}

fn hash_with(password: &str, salt: &[u8; 16]) -> Option<String> {
    let hash: PasswordHash = usual().hash_password_with_salt(password.as_bytes(), salt).ok()?;
    (password.len() <= LONGEST).then(|| hash.to_string())
}

fn usual() -> Argon2<'static> {
    Argon2::new(Algorithm::Argon2id, Version::V0x13, Params::DEFAULT)
}

/// Whether a text is what [`super::User::password`] holds: an argon2id hash that a password can be compared with.
pub fn is_password_hash(text: &str) -> bool {
    Parsed::of(text).is_some()
}

/// A hash and how it was made.
struct Parsed {
    hasher: Argon2<'static>,
    phc: PasswordHash,
}

impl Parsed {
    fn of(text: &str) -> Option<Self> {
        let phc = PasswordHash::new(text).ok().filter(|_| text.starts_with("$argon2id$"))?;
        let version = phc.version.map_or(Some(Version::V0x13), |version| Version::try_from(version).ok())?;
        let hasher = Argon2::new(Algorithm::Argon2id, version, Params::try_from(&phc).ok()?);
        (phc.salt.is_some() && phc.hash.is_some()).then_some(Self { hasher, phc })
    }
}

/// The memory that hashes are made in. It is kept from one to the next: given back and asked for again on whatever thread is free, the allocator would keep
/// as much for each thread that ever made one.
#[derive(Debug, Default)]
pub(super) struct Hashing(Mutex<Vec<Vec<Block>>>);

impl Hashing {
    /// Whether the hash is of this password. Takes the time and the memory that the hash asks for.
    pub(super) fn matches(&self, password: &[u8], hash: &str) -> bool {
        let Some(Parsed { hasher, phc }) = Parsed::of(hash) else { return false };
        let Some((salt, expected)) = phc.salt.zip(phc.hash) else { return false };
        let mut memory = self.kept().pop().unwrap_or_default();
        memory.resize(hasher.params().block_count(), Block::default());
        let mut made = vec![0; expected.len()];
        let is_made = hasher.hash_password_into_with_memory(password, &salt, &mut made, memory.as_mut_slice()).is_ok();
        // What an unusual hash takes is not kept.
        if memory.len() <= Params::DEFAULT.block_count() {
            self.kept().push(memory);
        }
        is_made & bool::from(made.ct_eq(expected.as_bytes()))
    }

    fn kept(&self) -> std::sync::MutexGuard<'_, Vec<Vec<Block>>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const OTHERS: &str = "$argon2id$v=19$m=8,t=1,p=1$cm9sbGNhbGwgbm9ib2R5$Tm9ib2R5IGhhcyB0aGlzIHBhc3N3b3JkLiBOb2JvZHk";

    #[test]
    fn a_hash_matches_its_password_only_whatever_its_parameters() {
        let (hashing, hash) = (Hashing::default(), hash_password("a").unwrap());
        let least = Argon2::new(Algorithm::Argon2id, Version::V0x10, Params::new(8, 1, 1, Some(20)).unwrap());
        let least: PasswordHash = least.hash_password_with_salt(b"a", b"some salt").unwrap();
        for hash in [hash, least.to_string()] {
            assert!(is_password_hash(&hash) && hashing.matches(b"a", &hash) && !hashing.matches(b"b", &hash), "{hash}");
        }
        for other in [
            "",
            "secret",
            "$argon2id$v=19$m=19456,t=2,p=1$cm9sbGNhbGwgbm9ib2R5",
            &OTHERS.replace("argon2id", "argon2i"),
            &OTHERS.replace("t=1", "t=0"),
            &OTHERS.replace("v=19", "v=18"),
        ] {
            assert!(!is_password_hash(other) && !hashing.matches(b"a", other), "{other}");
        }
        assert!(is_password_hash(OTHERS) && !hashing.matches(b"", OTHERS));
    }

    #[test]
    fn a_password_has_one_hash_here_and_another_wherever_it_is_written_down() {
        assert_eq!(hash_password_here("a"), hash_password_here("a"));
        assert_ne!(hash_password_here("a"), hash_password_here("b"));
        assert_ne!(hash_password("a"), hash_password("a"));
        assert_eq!([hash_password(&"x".repeat(513)), hash_password_here(&"x".repeat(513))], [None, None]);
    }

    #[test]
    fn memory_is_used_again_and_what_is_unusual_is_not_kept() {
        let hashing = Hashing::default();
        for _ in 0..10 {
            assert!(!hashing.matches(b"a", OTHERS));
            assert_eq!(hashing.kept().iter().map(Vec::len).collect::<Vec<_>>(), [8]);
        }
        let large = OTHERS.replace("m=8", "m=20000");
        assert!(!hashing.matches(b"a", &large));
        assert!(hashing.kept().is_empty());
    }
}
