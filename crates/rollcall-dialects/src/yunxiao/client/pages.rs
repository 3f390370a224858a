//! Questions, and the pages of their answers, one after the other.

use super::transport::{Received, Transport};
use super::{DeveloperUsage, Error, LARGEST_PAGE};
use crate::yunxiao::wire::header;
use jiff::civil::Date;
use reqwest::Url;
use serde::de::DeserializeOwned;
use std::marker::PhantomData;

/// A question whose answer comes in pages.
#[derive(Debug)]
pub struct Query<'c, R> {
    transport: &'c Transport,
    url: Url,
    per_page: u32,
    rows: PhantomData<fn() -> R>,
}

impl<'c, R: DeserializeOwned> Query<'c, R> {
    pub(super) fn new(transport: &'c Transport, path: &[&str]) -> Self {
        Self { transport, url: transport.url(path), per_page: LARGEST_PAGE, rows: PhantomData }
    }

    fn with(mut self, name: &str, value: &str) -> Self {
        self.url.query_pairs_mut().append_pair(name, value);
        self
    }

    pub(super) fn days(self, start: Date, end: Date) -> Self {
        self.with("startTime", &start.to_string()).with("endTime", &end.to_string())
    }

    /// Only this department; of departments, those right below it.
    #[must_use]
    pub fn department(self, id: &str) -> Self {
        let name = if self.url.path().ends_with("/departments") { "parentId" } else { "departmentId" };
        self.with(name, id)
    }

    /// How many rows a page has, 1 to 100; 100 unless said.
    #[must_use]
    pub fn per_page(self, rows: u32) -> Self {
        Self { per_page: rows, ..self }
    }

    /// The pages.
    pub fn pages(mut self) -> Pages<'c, R> {
        self.url.query_pairs_mut().append_pair("perPage", &self.per_page.to_string());
        Pages { query: self, next: Some(1) }
    }

    /// All rows.
    ///
    /// # Errors
    /// As [`Pages::next`].
    pub async fn all(self) -> Result<Vec<R>, Error> {
        let mut pages = self.pages();
        let mut rows = Vec::new();
        while let Some(page) = pages.next().await? {
            rows.extend(page);
        }
        Ok(rows)
    }
}

impl Query<'_, DeveloperUsage> {
    /// Only this developer. It counts before a department.
    #[must_use]
    pub fn user(self, id: &str) -> Self {
        self.with("userId", id)
    }
}

/// The pages of an answer.
#[derive(Debug)]
pub struct Pages<'c, R> {
    query: Query<'c, R>,
    next: Option<u64>,
}

impl<R: DeserializeOwned> Pages<'_, R> {
    /// The rows of the next page; none behind the last. After an error the same page is asked for again.
    ///
    /// # Errors
    /// [`Error`]: what failed, with the code, the message and the request id of the server where it answered.
    pub async fn next(&mut self) -> Result<Option<Vec<R>>, Error> {
        let Some(page) = self.next else { return Ok(None) };
        let mut url = self.query.url.clone();
        url.query_pairs_mut().append_pair("page", &page.to_string());
        let received = self.query.transport.get::<Vec<R>>(url).await?;
        self.next = following(page, self.query.per_page, &received);
        Ok(Some(received.body).filter(|rows| !rows.is_empty()))
    }
}

/// The page after one: as the server says, and where it says nothing, one more unless this one is not full. Never an earlier one.
fn following<R>(page: u64, per_page: u32, received: &Received<Vec<R>>) -> Option<u64> {
    if received.body.is_empty() {
        return None;
    }
    let number = |name| received.header(name)?.parse::<u64>().ok();
    match (number(header::NEXT_PAGE), number(header::TOTAL_PAGES)) {
        (Some(next), _) if next > page => Some(next),
        (_, Some(pages)) => (page < pages).then(|| page + 1),
        _ => (u32::try_from(received.body.len()).is_ok_and(|rows| rows >= per_page)).then(|| page + 1),
    }
}
