//! The client of the reporting web service: for rollcall, and for any OData V2 server of this shape.
//!
//! ```no_run
//! use rollcall_dialects::office365::client::{Client, Set};
//!
//! # async fn example() -> Result<(), rollcall_dialects::office365::client::Error> {
//! let reports = Client::new("https://reports.office365.com", "admin@example.onmicrosoft.com", "secret")?;
//! let mut pages = reports.query(Set::Weekly).time_zone("Asia/Shanghai").order_by("Date desc").pages();
//! while let Some(rows) = pages.next().await? {
//!     for row in rows {
//!         println!("{:?} {:?}", row.date, row.active_users);
//!     }
//! }
//! # Ok(())
//! # }
//! ```
//!
//! TLS comes without a cryptography of its own, as for [`crate::feishu::client`].

mod atom;
mod error;
mod json;
mod pages;
mod query;
mod transport;

pub use super::wire::{Property, Set};
pub use error::Error;
pub use pages::Pages;
pub use query::{Dated, Query};

use jiff::civil::DateTime;
use std::time::Duration;
use transport::Transport;
use uuid::Uuid;

/// A row. What the server did not send, or was not asked for, is none.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Row {
    /// `Date`: where the period ends, or begins, on the clocks of the zone asked for.
    pub date: Option<DateTime>,
    /// `ActiveUsers`.
    pub active_users: Option<i64>,
    /// `ID`.
    pub id: Option<i64>,
    /// `TenantGuid`.
    pub tenant_guid: Option<Uuid>,
    /// `TenantName`.
    pub tenant_name: Option<String>,
}

/// The format that is asked for. What comes is read whatever it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Format {
    /// Verbose JSON.
    #[default]
    Json,
    /// Atom.
    Atom,
}

impl Format {
    const fn name(self) -> &'static str {
        match self {
            Self::Json => "Json",
            Self::Atom => "Atom",
        }
    }
}

/// A client with one account.
#[derive(Debug)]
pub struct Client {
    transport: Transport,
}

impl Client {
    /// A client of the service at `base_url`: a scheme and a host, or the whole address of the service, which ends in `.svc`.
    ///
    /// # Errors
    /// [`Error::Setup`] if `base_url` is no absolute http or https URL, or TLS cannot be set up.
    pub fn new(base_url: &str, user: impl Into<String>, password: impl Into<String>) -> Result<Self, Error> {
        Self::with_timeout(base_url, user, password, Duration::from_secs(60))
    }

    /// The same, with the time that one answer may take.
    ///
    /// # Errors
    /// As [`Client::new`].
    pub fn with_timeout(base_url: &str, user: impl Into<String>, password: impl Into<String>, timeout: Duration) -> Result<Self, Error> {
        Ok(Self { transport: Transport::new(base_url, user.into(), password.into(), timeout)? })
    }

    /// A question to one of the sets.
    pub fn query(&self, set: Set) -> Query<'_> {
        Query::new(&self.transport, set)
    }
}

/// What an answer holds.
#[derive(Debug, Default)]
struct Answer {
    rows: Vec<Row>,
    /// The link to the next page, as sent.
    next: Option<String>,
}

impl Row {
    /// Sets the property of a name from its text; other properties are let be, as servers may have more.
    fn set(&mut self, name: &str, text: &str) -> Result<(), String> {
        let unread = || format!("{name} {text:?} is not one");
        match name {
            "Date" => self.date = Some(date(text).ok_or_else(unread)?),
            "ActiveUsers" => self.active_users = Some(text.parse().map_err(|_| unread())?),
            "ID" => self.id = Some(text.parse().map_err(|_| unread())?),
            "TenantGuid" => self.tenant_guid = Some(text.parse().map_err(|_| unread())?),
            "TenantName" => self.tenant_name = Some(text.into()),
            _ => {}
        }
        Ok(())
    }
}

/// `2013-05-05T00:00:00` of Atom and JSON light, `/Date(1367712000000)/` of verbose JSON, with an offset or without.
fn date(text: &str) -> Option<DateTime> {
    let Some(ticks) = text.strip_prefix("/Date(").and_then(|rest| rest.strip_suffix(")/")) else {
        return super::wire::parse_date(text);
    };
    // The milliseconds are those of the clock; an offset says where that hangs.
    let end = ticks.get(1..)?.find(['+', '-']).map_or(ticks.len(), |sign| sign + 1);
    let instant = jiff::Timestamp::from_millisecond(ticks.get(..end)?.parse().ok()?).ok()?;
    Some(jiff::tz::TimeZone::UTC.to_datetime(instant))
}
