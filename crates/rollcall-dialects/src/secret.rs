//! Secrets that clients present in full: kept as a hash, compared in constant time.

use sha2::{Digest, Sha256};
use subtle::ConstantTimeEq;

/// The SHA-256 of a secret. Enough for the random 256-bit secrets that `rollcall key new` makes; not for passwords people choose.
#[derive(Clone, PartialEq, Eq)]
pub struct Secret([u8; 32]);

impl Secret {
    /// The hash of a secret in plain text.
    pub fn of(plain: &str) -> Self {
        Self(Sha256::digest(plain.as_bytes()).into())
    }

    /// Reads `sha256:` and 64 hexadecimal digits, as [`std::fmt::Display`] writes them.
    pub fn parse(text: &str) -> Option<Self> {
        let digits = text.strip_prefix("sha256:").filter(|digits| digits.len() == 64 && digits.is_ascii())?;
        let mut hash = [0; 32];
        for (position, byte) in hash.iter_mut().enumerate() {
            *byte = u8::from_str_radix(digits.get(2 * position..2 * position + 2)?, 16).ok()?;
        }
        Some(Self(hash))
    }

    /// Whether `presented` is the secret. Takes the same time whatever it is.
    pub fn matches(&self, presented: &str) -> bool {
        Self::of(presented).0.ct_eq(&self.0).into()
    }

    /// The hash itself, to be mixed into keys that must change with the secret.
    pub const fn hash(&self) -> &[u8; 32] {
        &self.0
    }
}

impl std::fmt::Display for Secret {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("sha256:")?;
        self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

impl std::fmt::Debug for Secret {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Secret(…)")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_secret_is_written_and_read_as_its_hash_and_never_shown() {
        let secret = Secret::of("open sesame");
        assert_eq!(Secret::parse(&secret.to_string()), Some(secret.clone()));
        assert!(secret.matches("open sesame") && !secret.matches("open sesam"));
        assert!(!format!("{secret:?}").contains(&secret.to_string()[7..20]));
        assert_eq!(Secret::parse("sha256:12"), None);
    }
}
