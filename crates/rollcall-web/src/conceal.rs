//! Pseudonyms: the same for the same user of an organization, whoever looks, and nothing that leads back to the user.

use crate::lang::Lang;
use crate::words::Word;
use hmac::{Hmac, KeyInit, Mac};
use rollcall_model::OrgId;
use sha2::Sha256;

/// Letters and digits that nobody takes for one another.
const SIGNS: &[u8; 32] = b"23456789ABCDEFGHJKLMNPQRSTUVWXYZ";

/// The pseudonym of a user: 40 bits of an HMAC, so that two of 100,000 users share one with a probability of less than 1 in 200.
pub(crate) fn pseudonym(lang: Lang, key: &[u8], org: OrgId, user: &str) -> String {
    // A key of any length is one.
    let Ok(mut hmac) = Hmac::<Sha256>::new_from_slice(key) else { return String::new() };
    hmac.update(org.0.as_bytes());
    hmac.update(user.as_bytes());
    let bits = hmac.finalize().into_bytes().iter().take(5).fold(0_u64, |bits, byte| bits << 8 | u64::from(*byte));
    let sign = |at: u32| SIGNS.get(usize::try_from(bits >> (5 * at) & 31).unwrap_or_default()).map_or('?', |sign| char::from(*sign));
    let half = |from: u32| (from..from + 4).map(sign).collect::<String>();
    format!("{} {}-{}", lang.say(Word::PersonOf), half(0), half(4))
}
