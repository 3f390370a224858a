//! Sign-ins that fail: how many there may be, and what the server logs of each.

use axum::response::Response;
use serde::Deserialize;

/// The section `sign_in`. Failures are forgotten once nothing was tried for four times the longest wait.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct SignInLimits {
    /// How often a name may fail from one address before it has to wait there: a second, then twice as long each time. At least 1.
    pub failures: u32,
    /// How often an address may fail, whatever the names, before it has to wait. At least 1.
    pub failures_of_address: u32,
    /// How often a name whose password somebody chose may fail, whatever the addresses, before those that it never signed in from have to wait.
    /// At least 1.
    pub failures_of_name: u32,
    /// The longest wait in seconds; 0: nobody waits.
    pub longest_wait_seconds: u32,
    /// How many passwords may wait to be hashed, besides the two that are; further ones are refused with 503. One address has a quarter of all places.
    pub waiting_passwords: u32,
}

impl Default for SignInLimits {
    fn default() -> Self {
        Self { failures: 10, failures_of_address: 30, failures_of_name: 100, longest_wait_seconds: 900, waiting_passwords: 32 }
    }
}

/// A sign-in that failed. It is put among the extensions of the answer, for the server to log with the client's address.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FailedSignIn {
    /// The API: a dialect's name, or `native`.
    pub api: &'static str,
    /// The name that was tried; empty where the credential has none.
    pub name: String,
    /// What was wrong.
    pub reason: &'static str,
}

impl FailedSignIn {
    /// The reason of one that was not looked at.
    pub(crate) const TOO_MANY: &str = "too many failures";

    /// The answer, with this among its extensions.
    pub fn told_by(self, mut answer: Response) -> Response {
        answer.extensions_mut().insert(self);
        answer
    }
}
