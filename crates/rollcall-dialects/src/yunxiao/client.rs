//! The client of both usage reports: for rollcall, and for Yunxiao itself.
//!
//! ```no_run
//! use jiff::civil::date;
//! use rollcall_dialects::yunxiao::client::Client;
//!
//! # async fn example() -> Result<(), rollcall_dialects::yunxiao::client::Error> {
//! let yunxiao = Client::new("https://openapi-rdc.aliyuncs.com", "pt-0fh3_35af")?;
//! let mut pages = yunxiao.department_usage("99d1", date(2025, 6, 1), date(2025, 6, 30)).department("d-root").pages();
//! while let Some(rows) = pages.next().await? {
//!     for row in rows {
//!         println!("{} {} {}", row.date, row.department_id, row.active_developer);
//!     }
//! }
//! # Ok(())
//! # }
//! ```
//!
//! TLS comes without a cryptography of its own, as for [`crate::feishu::client`].

mod error;
mod pages;
mod transport;

pub use super::wire::{
    Breakdown, Chatting, Coding, Completion, Department, DepartmentUsage, DeveloperUsage, LARGEST_PAGE, Organization, Totals, User,
};
pub use error::{Error, Refused};
pub use pages::{Pages, Query};

use jiff::civil::Date;
use std::time::Duration;
use transport::Transport;

/// How long a client waits, and how often it asks again.
#[derive(Debug, Clone)]
pub struct Patience {
    /// For a connection.
    pub connect: Duration,
    /// For an answer, from the beginning of the request to the end of its body.
    pub answer: Duration,
    /// For a rate limit to pass, in all, for one page; a limit that takes longer is an error at once.
    pub rate_limit: Duration,
    /// How often one request is sent again because of a rate limit.
    pub retries: u32,
}

impl Default for Patience {
    fn default() -> Self {
        Self { connect: Duration::from_secs(10), answer: Duration::from_secs(60), rate_limit: Duration::from_secs(120), retries: 3 }
    }
}

/// A client with one personal access token.
#[derive(Debug)]
pub struct Client {
    transport: Transport,
}

impl Client {
    /// A client with the token `token` at `base_url`: `https://openapi-rdc.aliyuncs.com`, or where rollcall listens.
    ///
    /// # Errors
    /// [`Error::Setup`] if `base_url` is no absolute http or https URL or TLS cannot be set up, [`Error::Token`] if no header can hold the token.
    pub fn new(base_url: &str, token: &str) -> Result<Self, Error> {
        Self::with_patience(base_url, token, Patience::default())
    }

    /// The same, with times and retries of one's own.
    ///
    /// # Errors
    /// As [`Client::new`].
    pub fn with_patience(base_url: &str, token: &str, patience: Patience) -> Result<Self, Error> {
        Ok(Self { transport: Transport::new(base_url, token, patience)? })
    }

    /// The use of an organization's departments from `start` to `end`, both included. Yunxiao itself needs [`Query::department`].
    pub fn department_usage(&self, organization_id: &str, start: Date, end: Date) -> Query<'_, DepartmentUsage> {
        Query::new(&self.transport, &["lingma", "organizations", organization_id, "departmentUsage"]).days(start, end)
    }

    /// The use of an organization's developers from `start` to `end`, both included: of one ([`Query::user`]), of a department
    /// ([`Query::department`]), or of all.
    pub fn developer_usage(&self, organization_id: &str, start: Date, end: Date) -> Query<'_, DeveloperUsage> {
        Query::new(&self.transport, &["lingma", "organizations", organization_id, "developerUsage"]).days(start, end)
    }

    /// An organization's departments.
    pub fn departments(&self, organization_id: &str) -> Query<'_, Department> {
        Query::new(&self.transport, &["platform", "organizations", organization_id, "departments"])
    }

    /// The organizations that the token is of.
    pub fn organizations(&self) -> Query<'_, Organization> {
        Query::new(&self.transport, &["platform", "organizations"])
    }

    /// Whose the token is.
    ///
    /// # Errors
    /// [`Error`]: what failed, with the code, the message and the request id of the server where it answered.
    pub async fn user(&self) -> Result<User, Error> {
        self.transport.get(self.transport.url(&["platform", "user"])).await.map(|received| received.body)
    }
}
