//! Volcengine RTC's `ListOperationDistribution`: how many users attended from which province or country.

#[cfg(feature = "server")]
mod access;
#[cfg(feature = "client")]
pub mod client;
#[cfg(feature = "server")]
mod errors;
#[cfg(feature = "server")]
mod limits;
#[cfg(feature = "server")]
mod params;
#[cfg(feature = "server")]
mod render;
#[cfg(feature = "server")]
pub mod server;
pub mod signature;
pub mod wire;

#[cfg(feature = "server")]
use signature::SecretKey;

/// An organization's section `volcengine` (wire, Settings). An `AppId` is one of the organization's apps.
#[cfg(feature = "server")]
#[derive(Debug, Clone)]
pub struct Settings {
    /// The keys that requests may be signed with.
    pub access_keys: Vec<AccessKey>,
    /// Whether users of unknown place have a row of their own.
    pub show_unknown: bool,
    /// How many days of 86,400 s before now `StartTime` may lie; 0: any.
    pub max_age_days: u32,
    /// The longest range of one request, in days of 86,400 s; 0: any.
    pub max_span_days: u32,
    /// Requests in any second, of all access keys together; 0: any.
    pub requests_per_second: u32,
    /// How many seconds `X-Date` may differ from the server's clock, either way. It guards against requests that are sent again, so 0 is none: the
    /// date must be of the very second.
    pub clock_skew_seconds: u32,
}

#[cfg(feature = "server")]
impl Default for Settings {
    fn default() -> Self {
        let access_keys = Vec::new();
        Self { access_keys, show_unknown: false, max_age_days: 30, max_span_days: 7, requests_per_second: 2, clock_skew_seconds: 900 }
    }
}

/// A key that requests are signed with.
#[cfg(feature = "server")]
#[derive(Debug, Clone)]
pub struct AccessKey {
    /// Its id, sent with every request; unique in the server: it selects the organization.
    pub id: String,
    /// Its secret, never sent. A signature is checked with the secret itself, so no hash will do.
    pub secret: SecretKey,
}
