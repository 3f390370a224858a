//! Feishu (Lark) video-conferencing reports: `get_daily`, `get_top_user`, and the token endpoint in front of them.

#[cfg(feature = "client")]
pub mod client;
#[cfg(feature = "server")]
mod errors;
#[cfg(feature = "server")]
mod params;
#[cfg(feature = "server")]
mod render;
#[cfg(feature = "server")]
pub mod server;
#[cfg(feature = "server")]
pub mod token;
pub mod wire;

#[cfg(feature = "server")]
use crate::Secret;

/// An organization's section `feishu`.
#[cfg(feature = "server")]
#[derive(Debug, Clone)]
pub struct Settings {
    /// Its applications: the credentials that get tokens.
    pub apps: Vec<App>,
    /// Whether counts, durations and dates are JSON numbers, as the seed prints them, rather than decimal strings, as the live API sends them.
    pub numbers_as_numbers: bool,
    /// How many days of 86,400 s before now a range may begin; 0: any.
    pub history_days: u32,
    /// The longest range of `get_daily` in days, where `history_days` does not bound it; 0: any.
    pub span_days: u32,
    /// The largest `limit` of `get_top_user`; 0: any.
    pub top_limit: u32,
    /// Requests a minute for each application and endpoint; 0: any.
    pub requests_per_minute: u32,
}

#[cfg(feature = "server")]
impl Default for Settings {
    fn default() -> Self {
        Self { apps: Vec::new(), numbers_as_numbers: false, history_days: 90, span_days: 3660, top_limit: 100, requests_per_minute: 100 }
    }
}

/// An application that may ask for tokens.
#[cfg(feature = "server")]
#[derive(Debug, Clone)]
pub struct App {
    /// Its id, unique in the server.
    pub app_id: String,
    /// Its secret.
    pub secret: Secret,
}
