//! Failed sign-ins by name and address, so that guessing takes too long to be worth it.
//!
//! Failures are counted for a name from one address, for an address, and for a name whose secret people choose. Past its number ([`SignInLimits`]) each has to
//! wait after a failure: a second, two, four, up to the longest wait. What comes too early is refused without being looked at, and does not count.
//!
//! An attempt counts as a failure from its beginning, so that a thousand at once are not a thousand free guesses. A right one takes that back, starts the name
//! anew at that address, and makes the address *familiar* to the name. Failures of others, at the same address or with the same name, do not keep a name from
//! signing in where it is familiar: so strangers cannot lock an account out where it is used.

use crate::sign_in::SignInLimits;
use rollcall_model::Millis;
use sha2::{Digest, Sha256};
use std::collections::HashMap;
use std::collections::hash_map::Entry;
use std::hash::Hash;
use std::net::{IpAddr, Ipv6Addr};
use std::sync::{Mutex, PoisonError, RwLock};

/// How many names, addresses and pairs of them are remembered for their failures: about 2 MiB. Beyond it the half goes whose last failure is longest ago.
const MOST_TALLIES: usize = 16_384;
/// The same of names and the addresses that are familiar to them.
const MOST_FAMILIAR: usize = 4096;
/// The first wait.
const FIRST_WAIT: Millis = 1000;
/// For how many of the longest waits failures are remembered.
const REMEMBERED_WAITS: Millis = 4;

/// Who tries to sign in.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Who<'a> {
    /// The API, whose names are its own.
    pub(crate) api: &'static str,
    /// The name, in the case in which names are compared.
    pub(crate) name: &'a str,
    /// From where.
    pub(crate) client: Option<IpAddr>,
    /// Whether people choose the secret: then it may be one that many guesses, each from another address, could find.
    pub(crate) is_chosen: bool,
}

/// The failures of the server's APIs so far.
#[derive(Debug, Default)]
pub struct Guesses {
    limits: RwLock<SignInLimits>,
    memory: Mutex<Memory>,
}

#[derive(Debug, Default)]
struct Memory {
    tallies: HashMap<Key, Tally>,
    /// When a name last signed in from an address.
    familiar: HashMap<Pair, Millis>,
}

/// A network: an address of IPv4, or the first 64 bits of one of IPv6, within which a client takes whatever address it likes.
type Network = Option<IpAddr>;
/// The hash of API and name, and a network.
type Pair = ([u8; 16], Network);

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
enum Key {
    Pair(Pair),
    Address(Network),
    Name([u8; 16]),
}

/// An attempt under way, counted as failures of these.
#[derive(Debug)]
#[must_use]
pub(crate) struct Attempt {
    pair: Pair,
    counted: Vec<Key>,
}

#[derive(Debug, Clone, Copy)]
struct Tally {
    failures: u32,
    last: Millis,
}

impl Tally {
    /// How long after the last failure the next attempt has to wait.
    fn pause(self, free: u32, longest: Millis) -> Millis {
        let Some(over) = self.failures.checked_sub(free.max(1)) else { return 0 };
        FIRST_WAIT.checked_shl(over.min(40)).unwrap_or(longest).min(longest)
    }
}

impl Guesses {
    /// The limits in force.
    pub fn limits(&self) -> SignInLimits {
        *self.limits.read().unwrap_or_else(PoisonError::into_inner)
    }

    /// Puts other limits in force.
    pub fn set_limits(&self, limits: SignInLimits) {
        *self.limits.write().unwrap_or_else(PoisonError::into_inner) = limits;
    }

    /// Counts an attempt, or says how many seconds to wait before the next.
    pub(crate) fn attempt(&self, who: Who<'_>, now: Millis) -> Result<Attempt, u32> {
        let limits = self.limits();
        let longest = Millis::from(limits.longest_wait_seconds) * 1000;
        let (name, network) = (digest(who), network(who.client));
        let pair = (name, network);
        let mut memory = self.memory.lock().unwrap_or_else(PoisonError::into_inner);
        let is_stranger = !memory.familiar.contains_key(&pair);
        let of_address = is_stranger.then_some((Key::Address(network), limits.failures_of_address));
        let of_name = (is_stranger && who.is_chosen).then_some((Key::Name(name), limits.failures_of_name));
        let mut counted = Vec::with_capacity(3);
        let mut wait = 0;
        for (key, free) in [Some((Key::Pair(pair), limits.failures)), of_address, of_name].into_iter().flatten() {
            counted.push(key);
            if let Some(tally) = memory.tallies.get_mut(&key) {
                // A failure in the future is of a clock that was set back since.
                tally.last = tally.last.min(now);
                wait = wait.max(tally.last + tally.pause(free, longest) - now);
            }
        }
        if wait > 0 {
            return Err(u32::try_from((wait + 999) / 1000).unwrap_or(u32::MAX));
        }
        let remembered = REMEMBERED_WAITS * longest;
        make_room(&mut memory.tallies, MOST_TALLIES - counted.len(), |tally| tally.last);
        for key in &counted {
            let tally = memory.tallies.entry(*key).or_insert(Tally { failures: 0, last: now });
            let before = if now - tally.last > remembered { 0 } else { tally.failures };
            *tally = Tally { failures: before.saturating_add(1), last: now };
        }
        Ok(Attempt { pair, counted })
    }

    /// The attempt had the right secret.
    pub(crate) fn succeeded(&self, attempt: Attempt, now: Millis) {
        let mut memory = self.memory.lock().unwrap_or_else(PoisonError::into_inner);
        memory.take_back(&attempt);
        memory.tallies.remove(&Key::Pair(attempt.pair));
        make_room(&mut memory.familiar, MOST_FAMILIAR - 1, |last| *last);
        memory.familiar.insert(attempt.pair, now);
    }

    /// The attempt was not looked at.
    pub(crate) fn withdraw(&self, attempt: &Attempt) {
        self.memory.lock().unwrap_or_else(PoisonError::into_inner).take_back(attempt);
    }
}

impl Memory {
    fn take_back(&mut self, attempt: &Attempt) {
        for key in &attempt.counted {
            if let Entry::Occupied(mut tally) = self.tallies.entry(*key) {
                tally.get_mut().failures -= 1;
                if tally.get().failures == 0 {
                    tally.remove();
                }
            }
        }
    }
}

/// Forgets the older half of a map that holds more than `most`.
fn make_room<K: Copy + Eq + Hash, V>(map: &mut HashMap<K, V>, most: usize, last: impl Fn(&V) -> Millis) {
    if map.len() <= most {
        return;
    }
    let mut times: Vec<_> = map.values().map(&last).collect();
    let middle = times.len() / 2;
    let (_, middle, _) = times.select_nth_unstable(middle);
    let middle = *middle;
    map.retain(|_, value| last(value) > middle);
}

fn digest(who: Who<'_>) -> [u8; 16] {
    let hash = Sha256::new().chain_update(who.api).chain_update([0]).chain_update(who.name).finalize();
    hash.first_chunk().copied().unwrap_or_default()
}

/// The network that counts as one client.
pub(crate) fn network(client: Option<IpAddr>) -> Network {
    client.map(|address| match address {
        IpAddr::V4(_) => address,
        IpAddr::V6(address) => IpAddr::V6(Ipv6Addr::from_bits(address.to_bits() & !u128::from(u64::MAX))),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    const HOME: &str = "203.0.113.7";

    fn who<'a>(name: &'a str, client: &str) -> Who<'a> {
        Who { api: "test", name, client: Some(client.parse().unwrap()), is_chosen: true }
    }

    fn guesses(failures: u32, failures_of_address: u32, failures_of_name: u32) -> Guesses {
        let guesses = Guesses::default();
        guesses.set_limits(SignInLimits { failures, failures_of_address, failures_of_name, ..SignInLimits::default() });
        guesses
    }

    /// Whether a wrong secret was looked at, or the seconds to wait.
    fn fail(guesses: &Guesses, name: &str, client: &str, now: Millis) -> Result<(), u32> {
        guesses.attempt(who(name, client), now).map(drop)
    }

    #[test]
    fn past_its_failures_a_name_waits_twice_as_long_each_time_and_not_elsewhere() {
        let guesses = guesses(2, 1000, 1000);
        let mut now = 1_000_000;
        assert_eq!([0, 1, 2].map(|_| fail(&guesses, "ann", HOME, now)), [Ok(()), Ok(()), Err(1)]);
        for seconds in [1, 2, 4, 8, 16, 32, 64, 128, 256, 512, 900, 900] {
            assert_eq!(fail(&guesses, "ann", HOME, now), Err(seconds));
            now += Millis::from(seconds) * 1000 - 1;
            // What comes too early does not make the wait longer.
            assert_eq!(fail(&guesses, "ann", HOME, now), Err(1));
            now += 1;
            assert_eq!(fail(&guesses, "ann", HOME, now), Ok(()));
        }
        assert_eq!([fail(&guesses, "ann", "203.0.113.8", now), fail(&guesses, "bob", HOME, now)], [Ok(()), Ok(())]);
        assert_eq!(guesses.attempt(Who { api: "other", ..who("ann", HOME) }, now).map(drop), Ok(()));
        // After an hour of nothing all is forgotten.
        now += 4 * 900_000 + 1;
        assert_eq!([0, 1, 2].map(|_| fail(&guesses, "ann", HOME, now)), [Ok(()), Ok(()), Err(1)]);
    }

    #[test]
    fn a_right_secret_starts_the_name_anew_there_only() {
        let guesses = guesses(2, 1000, 1000);
        let elsewhere = "203.0.113.8";
        assert!(fail(&guesses, "ann", HOME, 0).is_ok());
        assert_eq!([0, 1].map(|_| fail(&guesses, "ann", elsewhere, 0)), [Ok(()), Ok(())]);
        let right = guesses.attempt(who("ann", HOME), 0).unwrap();
        guesses.succeeded(right, 0);
        assert_eq!([0, 1, 2].map(|_| fail(&guesses, "ann", HOME, 0)), [Ok(()), Ok(()), Err(1)]);
        assert_eq!(fail(&guesses, "ann", elsewhere, 0), Err(1));
    }

    #[test]
    fn many_at_once_are_not_many_free_guesses() {
        let guesses = guesses(3, 1000, 1000);
        let held: Vec<_> = (0..100).filter_map(|_| guesses.attempt(who("ann", HOME), 0).ok()).collect();
        assert_eq!(held.len(), 3);
        // One that was not looked at is no failure.
        guesses.withdraw(&held[0]);
        assert!(fail(&guesses, "ann", HOME, 0).is_ok() && fail(&guesses, "ann", HOME, 0).is_err());
    }

    #[test]
    fn an_address_that_tries_many_names_waits_but_not_where_it_is_familiar() {
        let guesses = guesses(10, 3, 1000);
        let right = guesses.attempt(who("ann", HOME), 0).unwrap();
        guesses.succeeded(right, 0);
        for name in ["a", "b", "c"] {
            assert_eq!(fail(&guesses, name, HOME, 0), Ok(()));
        }
        assert_eq!([fail(&guesses, "d", HOME, 0), fail(&guesses, "ann", HOME, 0)], [Err(1), Ok(())]);
        assert_eq!(fail(&guesses, "d", "203.0.113.8", 0), Ok(()));
    }

    #[test]
    fn a_chosen_password_is_not_found_by_many_addresses_and_its_owner_is_not_kept_out() {
        let guesses = guesses(10, 1000, 3);
        let right = guesses.attempt(who("ann", HOME), 0).unwrap();
        guesses.succeeded(right, 0);
        let tried: Vec<_> = (0..100).map(|number| fail(&guesses, "ann", &format!("198.51.100.{number}"), 0)).collect();
        assert_eq!(tried.iter().filter(|tried| tried.is_ok()).count(), 3);
        assert_eq!(fail(&guesses, "ann", HOME, 0), Ok(()));
        // A secret that is long needs none of that, and nobody can be kept from using it.
        let long = |number: u8| guesses.attempt(Who { is_chosen: false, ..who("app", &format!("198.51.100.{number}")) }, 0).is_ok();
        assert!((0..100).all(long));
    }

    #[test]
    fn an_address_of_ipv6_is_as_good_as_its_neighbours() {
        let guesses = guesses(1, 1000, 1000);
        assert_eq!(fail(&guesses, "ann", "2001:db8:1:2:3:4:5:6", 0), Ok(()));
        assert_eq!(fail(&guesses, "ann", "2001:db8:1:2:ffff::1", 0), Err(1));
        assert_eq!(fail(&guesses, "ann", "2001:db8:1:3::1", 0), Ok(()));
    }

    #[test]
    fn a_clock_that_is_set_back_makes_nobody_wait_longer() {
        let guesses = guesses(1, 1000, 1000);
        assert!(fail(&guesses, "ann", HOME, 5_000_000_000).is_ok());
        assert_eq!(fail(&guesses, "ann", HOME, 0), Err(1));
        assert_eq!(fail(&guesses, "ann", HOME, 1000), Ok(()));
    }

    #[test]
    fn a_changed_number_holds_at_once_and_none_is_the_strictest() {
        let guesses = guesses(0, 1000, 1000);
        assert_eq!([0, 1].map(|_| fail(&guesses, "ann", HOME, 0)), [Ok(()), Err(1)]);
        guesses.set_limits(SignInLimits { failures: 2, ..SignInLimits::default() });
        assert_eq!([0, 1].map(|_| fail(&guesses, "ann", HOME, 0)), [Ok(()), Err(1)]);
        guesses.set_limits(SignInLimits { longest_wait_seconds: 0, ..SignInLimits::default() });
        assert!((0..1000).all(|_| fail(&guesses, "ann", HOME, 0).is_ok()));
    }

    #[test]
    fn what_is_remembered_is_bounded_and_the_oldest_goes_first() {
        let guesses = guesses(1, 1000, 1000);
        for number in 0..40_000 {
            let client = format!("10.{}.{}.1", number / 200, number % 200);
            assert!(fail(&guesses, &format!("name {number}"), &client, number).is_ok());
            let right = guesses.attempt(who(&format!("user {number}"), &client), number).unwrap();
            guesses.succeeded(right, number);
        }
        let fresh = "192.0.2.1";
        assert!(fail(&guesses, "bob", fresh, 50_000).is_ok());
        for number in 0..1000 {
            assert!(fail(&guesses, &format!("other {number}"), &format!("10.201.{}.{}", number / 200, number % 200), 50_001).is_ok());
        }
        assert_eq!(fail(&guesses, "bob", fresh, 50_001), Err(1));
        let memory = guesses.memory.lock().unwrap();
        assert!(memory.tallies.len() <= MOST_TALLIES && memory.familiar.len() <= MOST_FAMILIAR, "{}", memory.tallies.len());
    }
}
