//! The client of `ListOperationDistribution`: for rollcall, and for Volcengine itself.
//!
//! ```no_run
//! use rollcall_dialects::volcengine::client::{Client, Dimension};
//!
//! # async fn example() -> Result<(), Box<dyn std::error::Error>> {
//! let rtc = Client::new("https://rtc.volcengineapi.com", "AKLT…", "secret")?;
//! let (from, to) = ("2021-07-24T00:00:00+08:00".parse()?, "2021-07-26T00:00:00+08:00".parse()?);
//! for place in rtc.list_operation_distribution("Your_AppId", from, to, Dimension::Province).await?.data {
//!     println!("{} {} {} %", place.name, place.value, place.proportion);
//! }
//! # Ok(())
//! # }
//! ```
//!
//! TLS comes without a cryptography of its own, as for [`crate::feishu::client`].

mod error;
mod transport;

pub use super::wire::{Dimension, Version};
pub use error::{Error, Refused};

use super::signature::SecretKey;
use super::wire::{self, Question, USER_NUM};
use jiff::Timestamp;
use std::time::Duration;
use transport::Transport;

/// How long a client waits, and how often it asks again.
#[derive(Debug, Clone)]
pub struct Patience {
    /// For a connection.
    pub connect: Duration,
    /// For an answer, from the beginning of the request to the end of its body.
    pub answer: Duration,
    /// Before asking again for the first time; twice as long each time after.
    pub pause: Duration,
    /// How often one request is sent again because of the rate limit, a failure of the server, or a connection that broke.
    pub retries: u32,
}

impl Default for Patience {
    fn default() -> Self {
        Self { connect: Duration::from_secs(10), answer: Duration::from_secs(60), pause: Duration::from_millis(500), retries: 3 }
    }
}

/// Users by place.
#[derive(Debug, Clone, PartialEq)]
pub struct Distribution {
    /// The indicator, as the server calls it.
    pub name: String,
    /// The dimension, as the server calls it.
    pub dimension: String,
    /// A row for each place, in the order of the server.
    pub data: Vec<Place>,
}

/// The users of one place.
#[derive(Debug, Clone, PartialEq)]
pub struct Place {
    /// Its Chinese name.
    pub name: String,
    /// Distinct users.
    pub value: f64,
    /// Their share in percent.
    pub proportion: f64,
}

/// A client with one access key.
#[derive(Debug)]
pub struct Client {
    transport: Transport,
}

impl Client {
    /// A client at `base_url`: `https://rtc.volcengineapi.com`, or where rollcall listens.
    ///
    /// # Errors
    /// [`Error::Setup`] if `base_url` is no absolute http or https URL, or TLS cannot be set up.
    pub fn new(base_url: &str, access_key: impl Into<String>, secret: &str) -> Result<Self, Error> {
        Self::with_patience(base_url, access_key, secret, Patience::default())
    }

    /// The same, with times and retries of one's own.
    ///
    /// # Errors
    /// As [`Client::new`].
    pub fn with_patience(base_url: &str, access_key: impl Into<String>, secret: &str, patience: Patience) -> Result<Self, Error> {
        Ok(Self { transport: Transport::new(base_url, access_key.into(), SecretKey::new(secret), patience)? })
    }

    /// The same client, which asks in another region than `cn-north-1`.
    #[must_use]
    pub fn region(mut self, region: impl Into<String>) -> Self {
        self.transport.region = region.into();
        self
    }

    /// The same client, which asks in another version than `2020-12-01`.
    #[must_use]
    pub const fn version(mut self, version: Version) -> Self {
        self.transport.version = version;
        self
    }

    /// The distinct users of an app who were in a call at any time from `start` (to the second) to before `end`, by place. Volcengine answers
    /// ranges of at most 7 days within the last 30, two a second.
    ///
    /// # Errors
    /// [`Error`]: what failed, with the code, the message and the request id of the server where it answered.
    pub async fn list_operation_distribution(
        &self,
        app_id: &str,
        start: Timestamp,
        end: Timestamp,
        dimension: Dimension,
    ) -> Result<Distribution, Error> {
        let time = |instant: Timestamp| instant.strftime("%Y-%m-%dT%H:%M:%SZ").to_string();
        let (start_time, end_time) = (time(start), time(end));
        let question = Question { app_id, start_time, end_time, indicator: USER_NUM, dimension: dimension.name() };
        let wire::Distribution { name, dimension, data } = self.transport.ask(wire::ACTION, &question).await?;
        let number = |number: serde_json::Number| number.as_f64().unwrap_or(f64::NAN);
        let place = |row: wire::Row| Place { name: row.distribution_name, value: number(row.value), proportion: number(row.proportion) };
        Ok(Distribution { name, dimension, data: data.into_iter().map(place).collect() })
    }
}
