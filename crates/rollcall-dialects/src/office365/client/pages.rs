//! Pages, one after the other.

use super::transport::Transport;
use super::{Error, Format, Row};
use reqwest::Url;

/// The pages of an answer.
#[derive(Debug)]
pub struct Pages<'c> {
    transport: &'c Transport,
    format: Format,
    zone: Option<String>,
    next: Option<Url>,
}

impl<'c> Pages<'c> {
    pub(super) fn new(transport: &'c Transport, format: Format, zone: Option<String>, first: Url) -> Self {
        Self { transport, format, zone, next: Some(first) }
    }

    /// The rows of the next page; none behind the last. After an error the same page is asked for again.
    ///
    /// # Errors
    /// [`Error`]: what failed, with the server's text where it refused.
    pub async fn next(&mut self) -> Result<Option<Vec<Row>>, Error> {
        let Some(url) = &self.next else { return Ok(None) };
        let answer = self.transport.rows(url, self.format, self.zone.as_deref()).await?;
        let next = answer.next.map(|link| self.follow(&link, url)).transpose()?;
        self.next = next;
        Ok(Some(answer.rows))
    }

    /// All rows that are left.
    ///
    /// # Errors
    /// As [`Pages::next`].
    pub async fn all(mut self) -> Result<Vec<Row>, Error> {
        let mut rows = Vec::new();
        while let Some(page) = self.next().await? {
            rows.extend(page);
        }
        Ok(rows)
    }

    /// Where a link leads: to the same server, and on.
    fn follow(&self, link: &str, from: &Url) -> Result<Url, Error> {
        let mut next = self.transport.root().join(link).map_err(|_| Error::NextLink(link.into()))?;
        if next.origin() != from.origin() || next == *from {
            return Err(Error::NextLink(link.into()));
        }
        // The original forgot the format.
        if !next.query_pairs().any(|(name, _)| name == "$format") {
            let query = next.query().map_or_else(String::new, |query| format!("{query}&"));
            next.set_query(Some(&format!("{query}$format={}", self.format.name())));
        }
        Ok(next)
    }
}
