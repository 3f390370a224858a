//! HTTP Basic: whose request it is (wire, Authentication and permission).
//!
//! A password is hashed once; what was found good is remembered under a keyed hash, until the configuration is read again.

use super::errors::Refusal;
use super::settings::User;
use crate::Tenant;
use argon2::password_hash::phc::PasswordHash;
use argon2::password_hash::{PasswordHasher, PasswordVerifier};
use argon2::{Algorithm, Argon2, Params, Version};
use base64::Engine;
use hmac::{Hmac, KeyInit, Mac};
use http::{HeaderMap, header};
use sha2::Sha256;
use std::collections::HashSet;
use std::sync::{Arc, Mutex, PoisonError, Weak};
use tokio::sync::Semaphore;

/// How many good credentials are remembered; beyond it all are forgotten.
const MOST_REMEMBERED: usize = 1024;
/// How many passwords are hashed at a time: each takes a core, and the megabytes that its hash asks for.
const AT_A_TIME: usize = 2;
/// The longest header that is looked at, and so the longest password.
const LONGEST_HEADER: usize = 1024;

type Digest = [u8; 32];

/// Verifies credentials, and remembers the good ones.
pub(super) struct Access {
    /// As long as a block of the hash.
    key: [u8; 64],
    good: Mutex<Good>,
    turns: Arc<Semaphore>,
}

/// What was found good under one reading of the configuration.
#[derive(Default)]
struct Good {
    under: Weak<Vec<Tenant>>,
    digests: HashSet<Digest>,
}

impl Access {
    pub(super) fn new() -> Self {
        Self { key: rand::random(), good: Mutex::default(), turns: Arc::new(Semaphore::new(AT_A_TIME)) }
    }

    /// The account whose credentials the request carries, and its organization.
    pub(super) async fn admit<'t>(&self, tenants: &'t Arc<Vec<Tenant>>, headers: &HeaderMap) -> Result<(&'t Tenant, &'t User), Refusal> {
        let (name, password) = credentials(headers).ok_or(Refusal::Unauthorized)?;
        let account = find(tenants, &name);
        // A name that nobody has takes as long as one that somebody has.
        let hash = account.map_or(NOBODY, |(_, user)| &user.password);
        let digest = self.digest(&name, &password, hash);
        if account.is_some() && self.remembers(tenants, &digest) {
            return account.ok_or(Refusal::Unauthorized);
        }
        let turn = self.turns.clone().acquire_owned().await.map_err(|_| Refusal::Internal)?;
        let hash = hash.to_owned();
        let verified = tokio::task::spawn_blocking(move || {
            // The turn ends with the work, also where the client has gone.
            let _turn = turn;
            matches(&password, &hash)
        });
        let good = verified.await.map_err(|error| {
            tracing::error!(%error, "a password could not be verified");
            Refusal::Internal
        })?;
        if account.is_none() || !good {
            return Err(Refusal::Unauthorized);
        }
        self.remember(tenants, digest);
        account.ok_or(Refusal::Unauthorized)
    }

    /// Changes with each of its parts, so a password that was replaced is not remembered.
    fn digest(&self, name: &str, password: &[u8], hash: &str) -> Digest {
        let mut mac = Hmac::<Sha256>::new(&self.key.into());
        for part in [name.to_lowercase().as_bytes(), password, hash.as_bytes()] {
            mac.update(&(part.len() as u64).to_le_bytes());
            mac.update(part);
        }
        mac.finalize().into_bytes().into()
    }

    fn remembers(&self, tenants: &Arc<Vec<Tenant>>, digest: &Digest) -> bool {
        let good = self.good.lock().unwrap_or_else(PoisonError::into_inner);
        good.under.ptr_eq(&Arc::downgrade(tenants)) && good.digests.contains(digest)
    }

    fn remember(&self, tenants: &Arc<Vec<Tenant>>, digest: Digest) {
        let mut good = self.good.lock().unwrap_or_else(PoisonError::into_inner);
        if !good.under.ptr_eq(&Arc::downgrade(tenants)) || good.digests.len() >= MOST_REMEMBERED {
            *good = Good { under: Arc::downgrade(tenants), digests: HashSet::new() };
        }
        good.digests.insert(digest);
    }
}

/// The PHC string of a password, with the parameters that are usual and a salt of its own; none where the password is longer than any may be.
pub fn hash_password(password: &str) -> Option<String> {
    let salt: [u8; 16] = rand::random();
    let hash = argon2id().hash_password_with_salt(password.as_bytes(), &salt);
    hash.ok().map(|hash: PasswordHash| hash.to_string()).filter(|_| password.len() <= LONGEST_HEADER / 2)
}

/// Whether a text is what [`User::password`] holds: an argon2id hash that a password can be compared with.
pub fn is_password_hash(text: &str) -> bool {
    parse_hash(text).is_some()
}

fn parse_hash(text: &str) -> Option<PasswordHash> {
    let hash = PasswordHash::new(text).ok()?;
    let version = hash.version.is_none_or(|version| Version::try_from(version).is_ok());
    let is_whole = text.starts_with("$argon2id$") && hash.salt.is_some() && hash.hash.is_some() && Params::try_from(&hash).is_ok();
    (version && is_whole).then_some(hash)
}

fn argon2id() -> Argon2<'static> {
    Argon2::new(Algorithm::Argon2id, Version::V0x13, Params::DEFAULT)
}

/// A hash of nothing that anyone knows, with the parameters that are usual.
const NOBODY: &str = "$argon2id$v=19$m=19456,t=2,p=1$cm9sbGNhbGwgbm9ib2R5$Tm9ib2R5IGhhcyB0aGlzIHBhc3N3b3JkLiBOb2JvZHk";

fn matches(password: &[u8], hash: &str) -> bool {
    // The parameters are those of the hash, these here are not used.
    parse_hash(hash).is_some_and(|hash| argon2id().verify_password(password, &hash).is_ok())
}

fn find<'t>(tenants: &'t [Tenant], name: &str) -> Option<(&'t Tenant, &'t User)> {
    let name = name.to_lowercase();
    tenants.iter().find_map(|tenant| Some((tenant, tenant.office365.users.iter().find(|user| user.name.to_lowercase() == name)?)))
}

/// The name and the password of `Basic …`. Clients that are not of today send other encodings than UTF-8; names are ASCII then.
fn credentials(headers: &HeaderMap) -> Option<(String, Vec<u8>)> {
    let value = headers.get(header::AUTHORIZATION)?.to_str().ok().filter(|value| value.len() <= LONGEST_HEADER)?;
    let (scheme, encoded) = value.split_once(' ')?;
    if !scheme.eq_ignore_ascii_case("basic") {
        return None;
    }
    let decoded = base64::engine::general_purpose::STANDARD.decode(encoded.trim()).ok()?;
    let colon = decoded.iter().position(|byte| *byte == b':')?;
    let (name, password) = decoded.split_at(colon);
    Some((String::from_utf8_lossy(name).into_owned(), password.get(1..)?.to_vec()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_hash_of_nobody_is_one_and_matches_nothing() {
        assert!(is_password_hash(NOBODY) && hash_password("a").is_some_and(|hash| is_password_hash(&hash) && matches(b"a", &hash)));
        for other in [
            "",
            "secret",
            "$argon2id$v=19$m=19456,t=2,p=1$cm9sbGNhbGwgbm9ib2R5",
            &NOBODY.replace("argon2id", "argon2i"),
            &NOBODY.replace("t=2", "t=0"),
            &NOBODY.replace("v=19", "v=18"),
        ] {
            assert!(!is_password_hash(other), "{other}");
        }
        assert!(!matches(b"", NOBODY) && !matches(b"x", "plain text") && !matches(b"", ""));
    }
}
