//! A question to a set, built step by step.

use super::transport::Transport;
use super::{Error, Format, Pages, Property, Row, Set};
use crate::office365::wire::{date_in_url, date_text};
use jiff::civil::{Date, DateTime, Time};
use reqwest::Url;

/// What `Date` is at the server: the end of a period as documented, or its start.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Dated {
    /// The midnight after the period.
    #[default]
    End,
    /// Its first midnight.
    Start,
}

/// A question.
#[derive(Debug, Clone)]
pub struct Query<'c> {
    transport: &'c Transport,
    set: Set,
    filters: Vec<String>,
    /// The other options, in the order given.
    options: Vec<(&'static str, String)>,
    format: Format,
    zone: Option<String>,
}

impl<'c> Query<'c> {
    pub(super) fn new(transport: &'c Transport, set: Set) -> Self {
        Self { transport, set, filters: Vec::new(), options: Vec::new(), format: Format::default(), zone: None }
    }

    /// Rows that an OData V2 expression is true of; several filters must all be.
    #[must_use]
    pub fn filter(mut self, expression: &str) -> Self {
        self.filters.push(format!("({expression})"));
        self
    }

    /// Rows of the periods that lie within the days from `first` up to, and not with, `end`.
    #[must_use]
    pub fn between(self, first: Date, end: Date, dated: Dated) -> Self {
        let literal = |day: Date| format!("datetime'{}'", date_text(day.to_datetime(Time::midnight())));
        let (first, end) = (literal(first), literal(end));
        self.filter(&match dated {
            Dated::End => format!("Date gt {first} and Date le {end}"),
            Dated::Start => format!("Date ge {first} and Date lt {end}"),
        })
    }

    /// `$orderby`: such as `Date desc`.
    #[must_use]
    pub fn order_by(self, terms: &str) -> Self {
        self.option("$orderby", terms.into())
    }

    /// At most so many rows, over all pages.
    #[must_use]
    pub fn top(self, rows: u32) -> Self {
        self.option("$top", rows.to_string())
    }

    /// Without the first rows.
    #[must_use]
    pub fn skip(self, rows: u32) -> Self {
        self.option("$skip", rows.to_string())
    }

    /// With these properties only.
    #[must_use]
    pub fn select(self, properties: &[Property]) -> Self {
        self.option("$select", properties.iter().map(|property| property.name()).collect::<Vec<_>>().join(","))
    }

    /// Periods of this zone: a Windows id or an IANA name, UTC without one.
    #[must_use]
    pub fn time_zone(mut self, zone: &str) -> Self {
        self.zone = Some(zone.into());
        self
    }

    /// Asks for this format.
    #[must_use]
    pub fn format(mut self, format: Format) -> Self {
        self.format = format;
        self
    }

    /// The rows, page by page.
    pub fn pages(self) -> Pages<'c> {
        let url = self.url(self.set.name(), true);
        Pages::new(self.transport, self.format, self.zone, url)
    }

    /// The rows of all pages.
    ///
    /// # Errors
    /// [`Error`]: what failed, with the server's text where it refused.
    pub async fn rows(self) -> Result<Vec<Row>, Error> {
        self.pages().all().await
    }

    /// How many rows there are, after `filter`, `skip` and `top`.
    ///
    /// # Errors
    /// As [`Query::rows`].
    pub async fn count(self) -> Result<u64, Error> {
        let url = self.url(&format!("{}/$count", self.set.name()), false);
        self.transport.number(&url, self.zone.as_deref()).await
    }

    /// The row of a date; none if there is none.
    ///
    /// # Errors
    /// As [`Query::rows`].
    pub async fn row(self, date: DateTime) -> Result<Option<Row>, Error> {
        let url = self.url(&format!("{}({})", self.set.name(), date_in_url(date)), true);
        match self.transport.rows(&url, self.format, self.zone.as_deref()).await {
            Err(Error::Refused { status: http::StatusCode::NOT_FOUND, .. }) => Ok(None),
            answer => Ok(answer?.rows.pop()),
        }
    }

    fn option(mut self, name: &'static str, value: String) -> Self {
        self.options.retain(|(given, _)| *given != name);
        self.options.push((name, value));
        self
    }

    fn url(&self, path: &str, with_format: bool) -> Url {
        let mut url = self.transport.root().clone();
        url.set_path(&format!("{}{path}", url.path()));
        {
            let mut query = url.query_pairs_mut();
            if !self.filters.is_empty() {
                query.append_pair("$filter", &self.filters.join(" and "));
            }
            self.options.iter().for_each(|(name, value)| {
                query.append_pair(name, value);
            });
            if with_format {
                query.append_pair("$format", self.format.name());
            }
        }
        url
    }
}
