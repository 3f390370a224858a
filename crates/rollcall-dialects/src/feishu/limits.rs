//! The rate limit: so many requests a minute for each application and endpoint.
//!
//! A window opens with its first request and lasts a minute, so the seconds to wait are known exactly, and the number allowed is that of
//! the settings at the time of the request, so a reload changes open windows too.

use super::errors::Refusal;
use rollcall_model::Millis;
use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};

const WINDOW: Millis = 60_000;
/// Only applications of the configuration get here; reloads may bring ever new ones, so ended windows are dropped beyond this many.
const MANY: usize = 1024;

/// What is limited by itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) enum Endpoint {
    Daily,
    TopUser,
}

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

/// The windows of every application.
#[derive(Debug, Default)]
pub(super) struct Limits(Mutex<HashMap<(String, Endpoint), Window>>);

impl Limits {
    /// Counts a request, or refuses it. `per_minute` 0 allows any.
    pub(super) fn admit(&self, app_id: &str, endpoint: Endpoint, per_minute: u32, now: Millis) -> Result<(), Refusal> {
        if per_minute == 0 {
            return Ok(());
        }
        let mut windows = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if windows.len() >= MANY {
            windows.retain(|_, window| window.is_open(now));
        }
        let window = windows.entry((app_id.into(), endpoint)).or_insert(Window { opened: now, requests: 0 });
        if !window.is_open(now) {
            *window = Window { opened: now, requests: 0 };
        }
        if window.requests >= per_minute {
            let left = window.opened + WINDOW - now;
            return Err(Refusal::Frequency { limit: per_minute, reset: (left + 999) / 1000 });
        }
        window.requests += 1;
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn reset(result: Result<(), Refusal>) -> Option<i64> {
        match result {
            Err(Refusal::Frequency { reset, .. }) => Some(reset),
            _ => None,
        }
    }

    #[test]
    fn a_window_admits_its_number_and_says_how_long_to_wait() {
        let limits = Limits::default();
        let admit = |now| reset(limits.admit("a", Endpoint::Daily, 2, now));
        assert_eq!([admit(1_000_500), admit(1_000_600), admit(1_000_600)], [None, None, Some(60)]);
        assert_eq!([admit(1_059_500), admit(1_060_499), admit(1_060_500)], [Some(1), Some(1), None]);
    }

    #[test]
    fn applications_and_endpoints_do_not_share_windows() {
        let limits = Limits::default();
        assert!(limits.admit("a", Endpoint::Daily, 1, 0).is_ok());
        assert!(limits.admit("a", Endpoint::TopUser, 1, 0).is_ok());
        assert!(limits.admit("b", Endpoint::Daily, 1, 0).is_ok());
        assert!(limits.admit("a", Endpoint::Daily, 1, 0).is_err());
    }

    #[test]
    fn a_changed_number_holds_at_once_and_zero_is_off() {
        let limits = Limits::default();
        assert!(limits.admit("a", Endpoint::Daily, 1, 0).is_ok());
        assert!(limits.admit("a", Endpoint::Daily, 1, 1).is_err());
        assert!(limits.admit("a", Endpoint::Daily, 2, 2).is_ok());
        assert!((0..1000).all(|_| limits.admit("a", Endpoint::Daily, 0, 3).is_ok()));
    }

    #[test]
    fn a_clock_that_is_set_back_opens_a_new_window() {
        let limits = Limits::default();
        assert!(limits.admit("a", Endpoint::Daily, 1, 5_000_000).is_ok());
        assert!(limits.admit("a", Endpoint::Daily, 1, 1_000_000).is_ok());
    }

    #[test]
    fn windows_that_ended_do_not_pile_up() {
        let limits = Limits::default();
        for app in 0..10_000 {
            assert!(limits.admit(&app.to_string(), Endpoint::Daily, 1, app * WINDOW).is_ok());
        }
        assert!(limits.0.lock().unwrap().len() <= MANY);
    }
}
