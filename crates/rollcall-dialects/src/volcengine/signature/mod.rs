//! The signature of a request (wire section 2.1): HMAC-SHA256 like AWS Signature 4, but with no prefix on the key, and `request` at the end
//! of the scope. Server and client make it here, so they cannot drift.
//!
//! # Layout
//! - [`query`]: the query string, decoded, and written canonically
//! - [`credential`]: who signs, for what: the header `Authorization`
//! - [`presigned`]: the same in a query

pub mod credential;
pub mod presigned;
pub mod query;

pub use credential::{Authorization, Credential, Scope, Unreadable};
pub use query::Query;

use hmac::{Hmac, KeyInit, Mac};
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, percent_decode_str, percent_encode};
use sha2::{Digest, Sha256};
use std::fmt;

/// The only algorithm.
pub const ALGORITHM: &str = "HMAC-SHA256";
/// How `X-Date` is written, in UTC.
pub const DATE_FORMAT: &str = "%Y%m%dT%H%M%SZ";

/// Everything but RFC 3986's unreserved characters.
const RESERVED: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'_').remove(b'.').remove(b'~');

/// SHA-256.
pub fn sha256(bytes: &[u8]) -> [u8; 32] {
    Sha256::digest(bytes).into()
}

/// Bytes in hexadecimal, lower case.
pub fn hex(bytes: &[u8]) -> String {
    let digit = |value: u8| char::from_digit(value.into(), 16).unwrap_or_default();
    bytes.iter().flat_map(|byte| [digit(byte >> 4), digit(byte & 15)]).collect()
}

/// The bytes of 64 hexadecimal digits, in either case.
pub fn unhex(digits: &str) -> Option<[u8; 32]> {
    if digits.len() != 64 || !digits.bytes().all(|digit| digit.is_ascii_hexdigit()) {
        return None;
    }
    let mut bytes = [0; 32];
    for (position, byte) in bytes.iter_mut().enumerate() {
        *byte = u8::from_str_radix(digits.get(2 * position..2 * position + 2)?, 16).ok()?;
    }
    Some(bytes)
}

/// HMAC-SHA256 with a key of any length.
fn hmac(key: &[u8], message: &[u8]) -> [u8; 32] {
    // As HMAC defines it: a key longer than a block is hashed, a shorter one filled with zeros.
    let mut block = [0; 64];
    let hash;
    let key = if key.len() > block.len() {
        hash = sha256(key);
        &hash[..]
    } else {
        key
    };
    block.iter_mut().zip(key).for_each(|(to, from)| *to = *from);
    let mut mac = Hmac::<Sha256>::new(&block.into());
    mac.update(message);
    mac.finalize().into_bytes().into()
}

/// The secret of an access key: its bytes as given, not decoded. Never shown.
#[derive(Clone, PartialEq, Eq)]
pub struct SecretKey(Box<[u8]>);

impl SecretKey {
    /// The secret of this text.
    pub fn new(text: &str) -> Self {
        Self(text.as_bytes().into())
    }

    /// The key that signs in a scope.
    pub fn in_scope(&self, scope: &Scope) -> SigningKey {
        let key = hmac(&self.0, scope.date.as_bytes());
        let key = hmac(&key, scope.region.as_bytes());
        let key = hmac(&key, scope.service.as_bytes());
        SigningKey(hmac(&key, credential::TERMINATOR.as_bytes()))
    }
}

impl fmt::Debug for SecretKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("SecretKey(…)")
    }
}

/// A secret's key in one scope. Never shown.
#[derive(Clone)]
pub struct SigningKey([u8; 32]);

impl SigningKey {
    /// The signature of a canonical request ([`Covered::canonical`]), of the `X-Date` as sent.
    pub fn sign(&self, x_date: &str, scope: &Scope, canonical: &[u8]) -> [u8; 32] {
        hmac(&self.0, format!("{ALGORITHM}\n{x_date}\n{scope}\n{}", hex(&sha256(canonical))).as_bytes())
    }

    /// The key itself, for whoever compares it with the vendor's examples.
    pub const fn bytes(&self) -> &[u8; 32] {
        &self.0
    }
}

impl fmt::Debug for SigningKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("SigningKey(…)")
    }
}

/// What a signature covers of a request.
#[derive(Debug, Clone, Copy)]
pub struct Covered<'a> {
    /// The method, in capitals.
    pub method: &'a str,
    /// The path as in the request line.
    pub path: &'a str,
    /// The parameters, in the order of the canonical query.
    pub query: &'a Query,
    /// The names of the signed headers, lower case and sorted, each with its value.
    pub headers: &'a [(&'a str, &'a [u8])],
    /// The SHA-256 of the body; of nothing where the body is not signed.
    pub body_hash: &'a [u8; 32],
}

impl Covered<'_> {
    /// The canonical request.
    pub fn canonical(&self) -> Vec<u8> {
        let mut text = format!("{}\n{}\n{}\n", self.method, canonical_path(self.path), self.query).into_bytes();
        for (name, value) in self.headers {
            text.extend_from_slice(name.as_bytes());
            text.push(b':');
            text.extend_from_slice(value.trim_ascii());
            text.push(b'\n');
        }
        if self.headers.is_empty() {
            text.push(b'\n');
        }
        let names: Vec<_> = self.headers.iter().map(|(name, _)| *name).collect();
        text.extend_from_slice(format!("\n{}\n{}", names.join(";"), hex(self.body_hash)).as_bytes());
        text
    }
}

/// Each segment decoded, and encoded as RFC 3986 has it: clients differ in what they leave as it is.
fn canonical_path(path: &str) -> String {
    if path.is_empty() {
        return "/".into();
    }
    let segments = path.split('/').map(|segment| percent_encode(&percent_decode_str(segment).collect::<Vec<_>>(), RESERVED).to_string());
    segments.collect::<Vec<_>>().join("/")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hmac_is_that_of_its_standard_for_keys_of_any_length() {
        // RFC 4231, test cases 2 and 6.
        let short = hmac(b"Jefe", b"what do ya want for nothing?");
        assert_eq!(hex(&short), "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843");
        let long = hmac(&[0xaa; 131], b"Test Using Larger Than Block-Size Key - Hash Key First");
        assert_eq!(hex(&long), "60e431591ee0b67f0d8a26aacbf5b77f8e0bc6213728c5140546040f0ee37f54");
    }

    #[test]
    fn secrets_are_never_shown() {
        let secret = SecretKey::new("hunter2");
        let scope = Scope { date: "20210726".into(), region: "cn-north-1".into(), service: "rtc".into() };
        let shown = format!("{secret:?} {:?}", secret.in_scope(&scope));
        assert_eq!(shown, "SecretKey(…) SigningKey(…)");
    }

    #[test]
    fn a_path_has_one_canonical_form_however_it_was_encoded() {
        for (path, canonical) in
            [("", "/"), ("/", "/"), ("/volcengine/", "/volcengine/"), ("/a%20b/%7e*", "/a%20b/~%2A"), ("/a%2fb", "/a%2Fb"), ("/%", "/%25")]
        {
            assert_eq!(canonical_path(path), canonical);
        }
    }
}
