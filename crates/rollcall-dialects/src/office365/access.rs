//! HTTP Basic: whose request it is (wire, Authentication and permission).
//!
//! To compare a password with its hash takes tens of milliseconds of a processor and megabytes, by intent. So what was found is remembered, good and wrong alike,
//! under a keyed hash of name, password and the account's own hash: a remembered account waits for nobody, also after a reload that left its password
//! alone. The same credentials are compared once, however often they come at a time. Everything else first passes the limits of failed sign-ins
//! ([`crate::guesses`]), and then takes its place in a line ([`super::line`]) that is short. Names that nobody has go the same way.

use super::errors::Refusal;
use super::line::Line;
use super::settings::User;
use crate::guesses::{Attempt, Who};
use crate::{Site, Tenant};
use base64::Engine;
use hmac::{Hmac, KeyInit, Mac};
use http::{HeaderMap, header};
use rollcall_model::Millis;
use sha2::Sha256;
use std::collections::{HashMap, HashSet};
use std::net::IpAddr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use tokio::sync::watch;
use tracing::Instrument;

/// How many good credentials are remembered, and how many wrong ones; beyond it all of them are forgotten.
const MOST_REMEMBERED: usize = 4096;
/// The longest header that is looked at, and so the longest password.
const LONGEST_HEADER: usize = 1024;

type Digest = [u8; 32];
/// Whether credentials are good, once that is known.
type Outcome = watch::Receiver<Option<bool>>;

/// Verifies credentials, and remembers what was found.
pub(super) struct Access {
    site: Arc<Site>,
    /// As long as a block of the hash.
    key: [u8; 64],
    known: Mutex<Known>,
    line: Line,
}

#[derive(Default)]
struct Known {
    good: HashSet<Digest>,
    wrong: HashSet<Digest>,
    compared: HashMap<Digest, Outcome>,
}

/// What a request presents.
struct Credentials {
    /// In lower case: names have none.
    name: String,
    password: Vec<u8>,
}

impl Access {
    pub(super) fn new(site: Arc<Site>) -> Arc<Self> {
        Arc::new(Self { site, key: rand::random(), known: Mutex::default(), line: Line::default() })
    }

    /// The account whose credentials the request carries, and its organization.
    pub(super) async fn admit<'t>(
        self: &Arc<Self>,
        tenants: &'t [Tenant],
        headers: &HeaderMap,
        client: Option<IpAddr>,
    ) -> Result<(&'t Tenant, &'t User), Refusal> {
        let credentials = Credentials::of(headers).ok_or(Refusal::Unauthorized)?;
        let account = find(tenants, &credentials.name);
        let hash = account.map_or_else(|| self.stand_in(tenants, &credentials.name), |(_, user)| &user.password);
        let digest = self.digest(&credentials, account.is_some(), hash);
        let is_good = match self.look(&credentials, digest, account.is_some(), hash, client)? {
            Look::Known(is_good) => is_good,
            Look::Compared(mut outcome) => {
                let outcome = outcome.wait_for(Option::is_some).await.map_err(|_| Refusal::Busy)?;
                outcome.unwrap_or(false)
            }
        };
        account.filter(|_| is_good).ok_or(Refusal::WrongCredentials { name: credentials.name })
    }

    /// What is known of credentials. Where that is nothing they are compared from now on, if the limits allow it.
    fn look(
        self: &Arc<Self>,
        Credentials { name, password }: &Credentials,
        digest: Digest,
        is_account: bool,
        hash: &str,
        client: Option<IpAddr>,
    ) -> Result<Look, Refusal> {
        let mut known = self.known();
        if known.good.contains(&digest) || known.wrong.contains(&digest) {
            return Ok(Look::Known(known.good.contains(&digest)));
        }
        // One that is closed has been given up.
        if let Some(outcome) = known.compared.get(&digest).filter(|outcome| outcome.has_changed().is_ok()) {
            return Ok(Look::Compared(outcome.clone()));
        }
        let (who, now) = (Who { api: "office365", name, client, is_chosen: true }, (self.site.clock)());
        let guesses = &self.site.guesses;
        let attempt = guesses.attempt(who, now).map_err(|seconds| Refusal::TooManyFailures { name: name.clone(), seconds })?;
        let Some(place) = self.line.join(client, guesses.limits().waiting_passwords) else {
            guesses.withdraw(&attempt);
            return Err(Refusal::Busy);
        };
        let (tell, outcome) = watch::channel(None);
        known.compared.insert(digest, outcome.clone());
        drop(known);
        let (access, password, hash) = (self.clone(), password.clone(), hash.to_owned());
        // Goes on where the client has gone: others may wait for the same.
        let comparing = async move {
            let is_good = access.line.compare(place, password, hash).await.map(|matches| matches && is_account);
            access.found(digest, attempt, is_good, now);
            tell.send_replace(is_good);
        };
        tokio::spawn(comparing.in_current_span());
        Ok(Look::Compared(outcome))
    }

    /// Remembers what was found, if anything was.
    fn found(&self, digest: Digest, attempt: Attempt, is_good: Option<bool>, now: Millis) {
        let mut known = self.known();
        known.compared.remove(&digest);
        let Some(is_good) = is_good else { return self.site.guesses.withdraw(&attempt) };
        let remembered = if is_good { &mut known.good } else { &mut known.wrong };
        if remembered.len() >= MOST_REMEMBERED {
            remembered.clear();
        }
        remembered.insert(digest);
        if is_good {
            self.site.guesses.succeeded(attempt, now);
        }
    }

    fn known(&self) -> MutexGuard<'_, Known> {
        self.known.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// A hash for a name that nobody has: that of some account, always the same for a name, so that both take as long.
    fn stand_in<'t>(&self, tenants: &'t [Tenant], name: &str) -> &'t str {
        let users: Vec<_> = tenants.iter().flat_map(|tenant| &tenant.office365.users).collect();
        let digest = self.mac(&[name.as_bytes()]);
        let number = digest.first_chunk().map_or(0, |bytes| u64::from_le_bytes(*bytes));
        let position = number.checked_rem(users.len() as u64).and_then(|position| usize::try_from(position).ok());
        position.and_then(|position| users.get(position)).map_or("", |user| &user.password)
    }

    /// Changes with each of its parts, so a password that was replaced is not remembered.
    fn digest(&self, Credentials { name, password }: &Credentials, is_account: bool, hash: &str) -> Digest {
        self.mac(&[name.as_bytes(), password, &[u8::from(is_account)], hash.as_bytes()])
    }

    fn mac(&self, parts: &[&[u8]]) -> Digest {
        let mut mac = Hmac::<Sha256>::new(&self.key.into());
        for part in parts {
            mac.update(&(part.len() as u64).to_le_bytes());
            mac.update(part);
        }
        mac.finalize().into_bytes().into()
    }
}

/// What is known of credentials, or will be.
enum Look {
    Known(bool),
    Compared(Outcome),
}

fn find<'t>(tenants: &'t [Tenant], name: &str) -> Option<(&'t Tenant, &'t User)> {
    tenants.iter().find_map(|tenant| Some((tenant, tenant.office365.users.iter().find(|user| user.name.to_lowercase() == name)?)))
}

impl Credentials {
    /// The name and the password of `Basic …`. Clients that are not of today send other encodings than UTF-8; names are ASCII then.
    fn of(headers: &HeaderMap) -> Option<Self> {
        let value = headers.get(header::AUTHORIZATION)?.to_str().ok().filter(|value| value.len() <= LONGEST_HEADER)?;
        let (scheme, encoded) = value.split_once(' ')?;
        if !scheme.eq_ignore_ascii_case("basic") {
            return None;
        }
        let decoded = base64::engine::general_purpose::STANDARD.decode(encoded.trim()).ok()?;
        let colon = decoded.iter().position(|byte| *byte == b':')?;
        let (name, password) = decoded.split_at(colon);
        Some(Self { name: String::from_utf8_lossy(name).to_lowercase(), password: password.get(1..)?.to_vec() })
    }
}
