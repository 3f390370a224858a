//! Tenant tokens: stateless, signed, on a fixed grid of time.
//!
//! Time is cut into slots of 5,400 s of Unix time. In each slot an application has one token, which lives for 7,200 s from the
//! slot's beginning: so the same token is returned while at least 30 minutes remain, after that a new one, and both are valid until each
//! expires. Nothing is stored, so a token survives restarts and works across processes that share the signing key. A slot ends *with* the
//! second in which exactly 30 minutes remain.
//!
//! # Recipe
//! ```text
//! token   = "t-" base64url_without_padding( head mac )
//! head    = version (1 byte, 1)  organization (16 bytes, its GUID)  slot (4 bytes, big endian)  app_id (UTF-8)
//! mac     = HMAC-SHA256( key = signing key (32 bytes),
//!                        message = "rollcall feishu tenant token" secret_hash (32 bytes, SHA-256 of the secret)  head )
//! slot    = floor( (unix_seconds - 1) / 5400 );  it expires at slot * 5400 + 7200
//! ```
//! The secret's hash is under the signature, so a rotated secret ends the tokens it got.

use super::App;
use crate::Tenant;
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use hmac::{Hmac, KeyInit, Mac};
use rollcall_model::{Millis, OrgId};
use sha2::Sha256;
use subtle::ConstantTimeEq;

/// The length of a slot, in seconds.
const SLOT: i64 = 5400;
/// How long a token lives from the beginning of its slot, in seconds.
const LIFETIME: i64 = 7200;
const PREFIX: &str = "t-";
const VERSION: u8 = 1;
const LABEL: &[u8] = b"rollcall feishu tenant token";
/// Version, organization and slot: what stands before the app_id.
const FIXED: usize = 1 + 16 + 4;
const MAC: usize = 32;
/// Far longer than any token: what is longer is not decoded.
const LONGEST: usize = 2048;

/// A token as it is handed out.
#[derive(Clone, PartialEq, Eq)]
pub struct Issued {
    /// The token.
    pub token: String,
    /// Seconds for which it remains valid.
    pub expire: i64,
}

impl std::fmt::Debug for Issued {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Issued").field("expire", &self.expire).finish_non_exhaustive()
    }
}

/// The token of an application at `now`.
pub fn issue(signing_key: &[u8; 32], org: OrgId, app: &App, now: Millis) -> Issued {
    let now = now.div_euclid(1000);
    let slot = slot_at(now);
    Issued { token: sign(signing_key, org, app, slot), expire: expires_at(slot) - now }
}

/// The application that a token belongs to, and its tenant; none for a forged, malformed or expired token.
pub fn verify<'t>(signing_key: &[u8; 32], tenants: &'t [Tenant], token: &str, now: Millis) -> Option<(&'t Tenant, &'t App)> {
    let now = now.div_euclid(1000);
    let encoded = token.strip_prefix(PREFIX).filter(|encoded| encoded.len() <= LONGEST)?;
    let bytes = URL_SAFE_NO_PAD.decode(encoded).ok()?;
    let (head, _) = bytes.split_at_checked(bytes.len().checked_sub(MAC)?)?;
    let (fixed, app_id) = head.split_at_checked(FIXED)?;
    let slot = u32::from_be_bytes(*fixed.last_chunk()?);
    // One slot ahead is the token of a clock that was set back since; further ahead is none of ours.
    if now >= expires_at(slot) || i64::from(slot) > i64::from(slot_at(now)) + 1 {
        return None;
    }
    let (tenant, app) = find(tenants, std::str::from_utf8(app_id).ok()?)?;
    let expected = sign(signing_key, tenant.organization.id, app, slot);
    bool::from(expected.as_bytes().ct_eq(token.as_bytes())).then_some((tenant, app))
}

/// The application of an id, and its tenant.
pub(super) fn find<'t>(tenants: &'t [Tenant], app_id: &str) -> Option<(&'t Tenant, &'t App)> {
    tenants.iter().find_map(|tenant| Some((tenant, tenant.feishu.apps.iter().find(|app| app.app_id == app_id)?)))
}

fn slot_at(now: i64) -> u32 {
    // Clocks before 1970 or after the year 700000 are wrong; they get the first slot.
    u32::try_from((now - 1).div_euclid(SLOT)).unwrap_or(0)
}

fn expires_at(slot: u32) -> i64 {
    i64::from(slot) * SLOT + LIFETIME
}

fn sign(signing_key: &[u8; 32], org: OrgId, app: &App, slot: u32) -> String {
    let mut bytes = Vec::with_capacity(FIXED + app.app_id.len() + MAC);
    bytes.push(VERSION);
    bytes.extend_from_slice(org.0.as_bytes());
    bytes.extend_from_slice(&slot.to_be_bytes());
    bytes.extend_from_slice(app.app_id.as_bytes());
    // HMAC pads a short key with zeros to the block itself; a whole block as the key cannot fail.
    let mut key = [0; 64];
    key[..signing_key.len()].copy_from_slice(signing_key);
    let mut mac = Hmac::<Sha256>::new(&key.into());
    mac.update(LABEL);
    mac.update(app.secret.hash());
    mac.update(&bytes);
    bytes.extend_from_slice(&mac.finalize().into_bytes());
    format!("{PREFIX}{}", URL_SAFE_NO_PAD.encode(bytes))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Secret, feishu::Settings};
    use jiff::tz::TimeZone;
    use rollcall_model::Organization;
    use uuid::Uuid;

    const KEY: [u8; 32] = [7; 32];
    /// The beginning of a slot, 2020-12-28T00:00:00Z, in seconds.
    const SLOT_BEGIN: i64 = 1_609_113_600;

    fn tenant(org: u128, app_id: &str, secret: &str) -> Tenant {
        let organization = Organization::new(OrgId(Uuid::from_u128(org)), "org", TimeZone::UTC);
        let apps = vec![App { app_id: app_id.into(), secret: Secret::of(secret) }];
        Tenant { feishu: Settings { apps, ..Settings::default() }, ..Tenant::new(organization) }
    }

    fn issued(tenant: &Tenant, seconds: i64) -> Issued {
        issue(&KEY, tenant.organization.id, &tenant.feishu.apps[0], seconds * 1000)
    }

    fn valid(tenant: &Tenant, token: &str, seconds: i64) -> bool {
        verify(&KEY, std::slice::from_ref(tenant), token, seconds * 1000).is_some()
    }

    #[test]
    fn the_same_token_is_returned_while_thirty_minutes_remain_and_then_a_new_one() {
        assert_eq!(SLOT_BEGIN % SLOT, 0);
        let tenant = tenant(1, "cli_a", "s");
        let first = issued(&tenant, SLOT_BEGIN + 1);
        assert_eq!(first.expire, 7199);
        let last = issued(&tenant, SLOT_BEGIN + 5400);
        assert_eq!((&last.token, last.expire), (&first.token, 1800));
        let next = issued(&tenant, SLOT_BEGIN + 5401);
        assert_ne!(next.token, first.token);
        assert_eq!(next.expire, 7199);
        assert_eq!(issue(&KEY, tenant.organization.id, &tenant.feishu.apps[0], (SLOT_BEGIN + 5400) * 1000 + 999).expire, 1800);
    }

    #[test]
    fn a_token_is_valid_from_the_first_second_to_the_last_and_beside_its_successor() {
        let tenant = tenant(1, "cli_a", "s");
        let token = issued(&tenant, SLOT_BEGIN + 1).token;
        let successor = issued(&tenant, SLOT_BEGIN + 5401).token;
        for at in [1, 5400, 5401, 7199] {
            assert!(valid(&tenant, &token, SLOT_BEGIN + at), "{at}");
        }
        assert!(valid(&tenant, &successor, SLOT_BEGIN + 5401) && valid(&tenant, &successor, SLOT_BEGIN + 7200));
        assert!(verify(&KEY, std::slice::from_ref(&tenant), &token, (SLOT_BEGIN + 7200) * 1000 - 1).is_some());
        assert!(!valid(&tenant, &token, SLOT_BEGIN + 7200));
    }

    #[test]
    fn what_expire_promises_holds_at_every_second() {
        let tenant = tenant(1, "cli_a", "s");
        for at in (SLOT_BEGIN - 20..SLOT_BEGIN + 20).chain(SLOT_BEGIN + 5390..SLOT_BEGIN + 5410) {
            let Issued { token, expire } = issued(&tenant, at);
            assert!((1800..=7200).contains(&expire), "{at}");
            assert!(valid(&tenant, &token, at) && valid(&tenant, &token, at + expire - 1) && !valid(&tenant, &token, at + expire), "{at}");
        }
    }

    #[test]
    fn a_clock_that_was_set_back_a_little_keeps_tokens_and_one_from_far_ahead_is_none() {
        let tenant = tenant(1, "cli_a", "s");
        let token = issued(&tenant, SLOT_BEGIN + 1).token;
        assert!(valid(&tenant, &token, SLOT_BEGIN - 30));
        assert!(!valid(&tenant, &token, SLOT_BEGIN - 5400));
        for clock in [i64::MIN / 1000, -1, 0, i64::MAX / 1000] {
            let Issued { token, .. } = issued(&tenant, clock);
            let _ = valid(&tenant, &token, clock);
        }
    }

    #[test]
    fn a_token_ends_with_its_secret_its_application_its_organization_and_its_key() {
        let before = tenant(1, "cli_a", "s");
        let token = issued(&before, SLOT_BEGIN + 1).token;
        for after in [tenant(1, "cli_a", "rotated"), tenant(1, "cli_b", "s"), tenant(2, "cli_a", "s")] {
            assert!(!valid(&after, &token, SLOT_BEGIN + 2));
        }
        assert!(verify(&[8; 32], &[before], &token, SLOT_BEGIN * 1000).is_none());
    }

    #[test]
    fn no_other_text_is_a_token() {
        let tenant = tenant(1, "cli_a", "s");
        let token = issued(&tenant, SLOT_BEGIN + 1).token;
        let mut forgeries: Vec<String> =
            vec![String::new(), "t-".into(), "t-AAAA".into(), "t-%".into(), format!("{token}A"), format!("{token}=")];
        forgeries.push(format!("t-{}", "A".repeat(100_000)));
        forgeries.push(token.replacen("t-", "u-", 1));
        for position in 2..token.len() {
            let mut letters = token.clone().into_bytes();
            letters[position] = if letters[position] == b'A' { b'B' } else { b'A' };
            forgeries.push(String::from_utf8(letters).unwrap());
            forgeries.push(token[..position].into());
        }
        for forgery in forgeries {
            assert!(!valid(&tenant, &forgery, SLOT_BEGIN + 2), "{forgery}");
        }
    }

    #[test]
    fn a_token_is_found_among_many_tenants() {
        let tenants = [tenant(1, "cli_a", "s"), tenant(2, "cli_b", "s"), tenant(3, "cli_c", "s")];
        let token = issued(&tenants[1], SLOT_BEGIN + 1).token;
        let (tenant, app) = verify(&KEY, &tenants, &token, SLOT_BEGIN * 1000).unwrap();
        assert_eq!((tenant.organization.id, app.app_id.as_str()), (OrgId(Uuid::from_u128(2)), "cli_b"));
    }

    #[test]
    fn a_token_follows_the_recipe_that_scripts_rely_on() {
        let token = issued(&tenant(1, "cli_a", "s"), SLOT_BEGIN + 1).token;
        assert_eq!(token, "t-AQAAAAAAAAAAAAAAAAAAAAEABIwAY2xpX2H8mIMzsnCi_72x_5AApkJNo1Gtpeoe99NCMDZP-xp-XA");
    }
}
