//! The rate limit: so many requests of an organization in any second.
//!
//! How the original counts is not documented. Here the window slides, so that no second, wherever it begins, has more than the number; only requests
//! that were let through count.

use super::errors::Refusal;
use rollcall_model::{Millis, OrgId};
use std::collections::{HashMap, VecDeque};
use std::sync::{Mutex, PoisonError};

const WINDOW: Millis = 1000;
/// Only organizations of the configuration get here; reloads may bring ever new ones, so those that are silent are dropped beyond this many.
const MANY: usize = 1024;

/// When each organization's requests of the last second were let through, oldest first.
#[derive(Debug, Default)]
pub(super) struct Limits(Mutex<HashMap<OrgId, VecDeque<Millis>>>);

/// A time from the future is of a clock that was set back since.
const fn counts(at: Millis, now: Millis) -> bool {
    at <= now && now - at < WINDOW
}

impl Limits {
    /// Counts a request, or refuses it. `per_second` 0 allows any.
    pub(super) fn admit(&self, org: OrgId, per_second: u32, now: Millis) -> Result<(), Refusal> {
        if per_second == 0 {
            return Ok(());
        }
        let mut all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if all.len() >= MANY {
            all.retain(|_, times| times.back().is_some_and(|at| counts(*at, now)));
        }
        let times = all.entry(org).or_default();
        times.retain(|at| counts(*at, now));
        if times.len() >= per_second as usize {
            return Err(Refusal::FlowLimit);
        }
        times.push_back(now);
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use uuid::Uuid;

    const ONE: OrgId = OrgId(Uuid::from_u128(1));
    const OTHER: OrgId = OrgId(Uuid::from_u128(2));

    #[test]
    fn no_second_has_more_than_the_number_wherever_it_begins() {
        let limits = Limits::default();
        let admit = |now| limits.admit(ONE, 2, now).is_ok();
        assert_eq!([admit(900), admit(1000), admit(1000), admit(1899)], [true, true, false, false]);
        // What was refused does not count.
        assert_eq!([admit(1900), admit(1999), admit(2000), admit(2899), admit(2900)], [true, false, true, false, true]);
    }

    #[test]
    fn organizations_do_not_share_a_count_and_zero_is_off() {
        let limits = Limits::default();
        assert!(limits.admit(ONE, 1, 0).is_ok() && limits.admit(OTHER, 1, 0).is_ok());
        assert!(limits.admit(ONE, 1, 1).is_err() && limits.admit(ONE, 2, 1).is_ok());
        assert!((0..1000).all(|_| limits.admit(ONE, 0, 1).is_ok()));
    }

    #[test]
    fn a_clock_that_is_set_back_begins_anew() {
        let limits = Limits::default();
        assert!(limits.admit(ONE, 1, 5_000_000).is_ok() && limits.admit(ONE, 1, 1_000_000).is_ok());
        assert!(limits.admit(ONE, 1, 1_000_999).is_err());
    }

    #[test]
    fn organizations_that_are_silent_do_not_pile_up() {
        let limits = Limits::default();
        for number in 0..10_000 {
            let org = OrgId(Uuid::from_u128(number));
            assert!(limits.admit(org, 1, Millis::try_from(number).unwrap() * WINDOW).is_ok());
        }
        assert!(limits.0.lock().unwrap().len() <= MANY);
    }
}
