//! The rate limit of dialects that count by the minute, and of the native API.
//!
//! A window opens with its first request and lasts a minute, so the seconds to wait are known exactly, and the number allowed is that of
//! the settings at the time of the request, so a reload changes open windows too.

use rollcall_model::Millis;
use std::collections::HashMap;
use std::hash::Hash;
use std::sync::{Mutex, PoisonError};

const WINDOW: Millis = 60_000;
/// Only known credentials get here; there may be ever new ones, so beyond this many, ended windows are dropped when another begins.
const MANY: usize = 1024;

#[derive(Debug, Clone, Copy)]
struct Window {
    opened: Millis,
    requests: u32,
}

impl Window {
    /// A window from the future is of a clock that was set back since.
    const fn is_open(&self, now: Millis) -> bool {
        self.opened <= now && now - self.opened < WINDOW
    }
}

/// So many requests a minute for each key.
#[derive(Debug)]
pub struct PerMinute<K>(Mutex<HashMap<K, Window>>);

/// How a request was counted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Count {
    /// Whether it may pass.
    pub is_admitted: bool,
    /// How many more may until the window ends.
    pub left: u32,
    /// In how many seconds the window ends.
    pub reset_seconds: i64,
}

impl<K> Default for PerMinute<K> {
    fn default() -> Self {
        Self(Mutex::default())
    }
}

impl<K: Eq + Hash> PerMinute<K> {
    /// Counts a request, or says how many seconds to wait. `per_minute` 0 allows any.
    pub(crate) fn admit(&self, key: K, per_minute: u32, now: Millis) -> Result<(), i64> {
        match self.count(key, per_minute, now) {
            Some(Count { is_admitted: false, reset_seconds, .. }) => Err(reset_seconds),
            _ => Ok(()),
        }
    }

    /// Counts a request, and says how. None: `per_minute` is 0, which allows any.
    pub fn count(&self, key: K, per_minute: u32, now: Millis) -> Option<Count> {
        if per_minute == 0 {
            return None;
        }
        let mut windows = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if windows.len() >= MANY && !windows.contains_key(&key) {
            windows.retain(|_, window| window.is_open(now));
        }
        let window = windows.entry(key).or_insert(Window { opened: now, requests: 0 });
        if !window.is_open(now) {
            *window = Window { opened: now, requests: 0 };
        }
        let is_admitted = window.requests < per_minute;
        window.requests += u32::from(is_admitted);
        let left = per_minute.saturating_sub(window.requests);
        Some(Count { is_admitted, left, reset_seconds: (window.opened + WINDOW - now + 999) / 1000 })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_window_admits_its_number_and_says_how_long_to_wait() {
        let limits = PerMinute::default();
        let admit = |now| limits.admit("a", 2, now);
        assert_eq!([admit(1_000_500), admit(1_000_600), admit(1_000_600)], [Ok(()), Ok(()), Err(60)]);
        assert_eq!([admit(1_059_500), admit(1_060_499), admit(1_060_500)], [Err(1), Err(1), Ok(())]);
    }

    #[test]
    fn keys_do_not_share_windows() {
        let limits = PerMinute::default();
        assert!(limits.admit(("a", 1), 1, 0).is_ok());
        assert!(limits.admit(("a", 2), 1, 0).is_ok());
        assert!(limits.admit(("b", 1), 1, 0).is_ok());
        assert!(limits.admit(("a", 1), 1, 0).is_err());
    }

    #[test]
    fn a_changed_number_holds_at_once_and_zero_is_off() {
        let limits = PerMinute::default();
        assert!(limits.admit("a", 1, 0).is_ok());
        assert!(limits.admit("a", 1, 1).is_err());
        assert!(limits.admit("a", 2, 2).is_ok());
        assert!((0..1000).all(|_| limits.admit("a", 0, 3).is_ok()));
    }

    #[test]
    fn a_clock_that_is_set_back_opens_a_new_window() {
        let limits = PerMinute::default();
        assert!(limits.admit("a", 1, 5_000_000).is_ok());
        assert!(limits.admit("a", 1, 1_000_000).is_ok());
    }

    #[test]
    fn windows_that_ended_do_not_pile_up() {
        let limits = PerMinute::default();
        for key in 0..10_000 {
            assert!(limits.admit(key, 1, key * WINDOW).is_ok());
        }
        assert!(limits.0.lock().unwrap().len() <= MANY);
    }
}
