//! The client of both reports: for rollcall, and for Feishu itself.
//!
//! ```no_run
//! use rollcall_dialects::feishu::client::{Client, OrderBy};
//!
//! # async fn example() -> Result<(), rollcall_dialects::feishu::client::Error> {
//! let feishu = Client::new("https://open.feishu.cn", "cli_a", "secret")?;
//! let report = feishu.get_daily_report(1_608_888_867, 1_608_888_966, None).await?;
//! let users = feishu.get_top_user_report(1_608_888_867, 1_608_888_966, 10, OrderBy::MeetingCount, None, None).await?;
//! # let _ = (report, users); Ok(())
//! # }
//! ```
//!
//! TLS comes without a cryptography of its own: the program installs one before the first client is made, as the `rollcall` binary does with
//! `rustls::crypto::ring::default_provider().install_default()`. Without it [`Client::new`] fails, whatever the scheme.

mod error;
mod transport;
mod types;

pub use super::wire::{FieldViolation, OrderBy, UserIdType};
pub use error::{Error, Refused};
pub use types::{Day, MeetingReport, TopUser};

use super::wire::{DAILY_PATH, DailyData, TOP_USER_PATH, TopUserData};
use std::time::Duration;
use transport::Transport;

/// How long a client waits, and how often it asks again.
#[derive(Debug, Clone)]
pub struct Patience {
    /// For a connection.
    pub connect: Duration,
    /// For an answer, from the beginning of the request to the end of its body.
    pub answer: Duration,
    /// For a rate limit to pass, in all, for one call; a limit that takes longer is an error at once.
    pub rate_limit: Duration,
    /// How often one request is sent again because of a rate limit.
    pub retries: u32,
}

impl Default for Patience {
    fn default() -> Self {
        Self { connect: Duration::from_secs(10), answer: Duration::from_secs(60), rate_limit: Duration::from_secs(120), retries: 3 }
    }
}

/// A client of one application. It gets its token when it first needs one, shares it among concurrent calls, and renews it in time.
#[derive(Debug)]
pub struct Client {
    transport: Transport,
}

impl Client {
    /// A client of the application `app_id` at `base_url`: `https://open.feishu.cn`, `https://open.larksuite.com`, or where rollcall listens.
    ///
    /// # Errors
    /// [`Error::Setup`] if `base_url` is no absolute http or https URL, or TLS cannot be set up.
    pub fn new(base_url: &str, app_id: impl Into<String>, app_secret: impl Into<String>) -> Result<Self, Error> {
        Self::with_patience(base_url, app_id, app_secret, Patience::default())
    }

    /// The same, with times and retries of one's own.
    ///
    /// # Errors
    /// As [`Client::new`].
    pub fn with_patience(
        base_url: &str,
        app_id: impl Into<String>,
        app_secret: impl Into<String>,
        patience: Patience,
    ) -> Result<Self, Error> {
        Ok(Self { transport: Transport::new(base_url, app_id.into(), app_secret.into(), patience)? })
    }

    /// The meetings of an organization, by day. Feishu answers the last 90 days only.
    ///
    /// `start_time` and `end_time` are Unix seconds. `unit` is the data residency, 0 China, 1 United States, 2 Singapore, 3 Japan, where an
    /// organization has several.
    ///
    /// # Errors
    /// [`Error`]: what failed, with the code, the message and the log id of the server where it answered.
    pub async fn get_daily_report(&self, start_time: i64, end_time: i64, unit: Option<u8>) -> Result<MeetingReport, Error> {
        let query = query(start_time, end_time, unit);
        let answer = self.transport.get::<DailyData>(DAILY_PATH, &query).await?;
        answer.read(|data| data.meeting_report.try_into())
    }

    /// The users who attended most, at most `limit` (1 to 100), descending by `order_by`. Feishu answers the last 90 days only.
    ///
    /// The others are as in [`Client::get_daily_report`]; `user_id_type` is which of their ids to answer with, `open_id` if none is given.
    ///
    /// # Errors
    /// As [`Client::get_daily_report`].
    pub async fn get_top_user_report(
        &self,
        start_time: i64,
        end_time: i64,
        limit: u32,
        order_by: OrderBy,
        unit: Option<u8>,
        user_id_type: Option<UserIdType>,
    ) -> Result<Vec<TopUser>, Error> {
        let mut query = query(start_time, end_time, unit);
        query.push(("limit", limit.to_string()));
        query.push(("order_by", order_by.number().to_string()));
        query.extend(user_id_type.map(|id_type| ("user_id_type", id_type.name().into())));
        let answer = self.transport.get::<TopUserData>(TOP_USER_PATH, &query).await?;
        // An absent list is an empty one: the service may leave out what is empty.
        answer.read(|data| data.top_user_report.unwrap_or_default().into_iter().map(TryInto::try_into).collect())
    }
}

fn query(start_time: i64, end_time: i64, unit: Option<u8>) -> Vec<(&'static str, String)> {
    let mut query = vec![("start_time", start_time.to_string()), ("end_time", end_time.to_string())];
    query.extend(unit.map(|unit| ("unit", unit.to_string())));
    query
}
