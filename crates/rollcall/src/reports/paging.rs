//! Pages of reports whose rows are many: `limit`, and `cursor`, where a page goes on.

use super::{BadParameter, Given};
use crate::cursor;
use serde::Serialize;
use serde::de::DeserializeOwned;

/// How many rows a page has where a question names no `limit`.
const DEFAULT_LIMIT: usize = 100;

/// The most rows of a page.
const MOST: usize = 10_000;

/// The parameters of pages.
pub(super) const PAGES: [&str; 2] = ["limit", "cursor"];

/// Which page is asked for.
#[derive(Debug)]
pub(super) struct Page {
    /// Which list it is of: the report, whose it is, and every other parameter.
    list: String,
    /// How many rows at most.
    pub(super) limit: usize,
    position: Option<Vec<u8>>,
}

impl Page {
    /// The page that a question to a report asks for.
    pub(super) fn of(report: &str, own: &Given<'_>) -> Result<Self, BadParameter> {
        let others: Vec<_> = own.pairs().iter().filter(|(name, _)| !PAGES.contains(&name.as_str())).collect();
        let list = format!("{report} {} {others:?}", own.organization().id);
        let limit = match own.get("limit") {
            None => DEFAULT_LIMIT,
            value @ Some(text) => {
                let limit = text.parse().ok().filter(|limit| (1..=MOST).contains(limit));
                limit.ok_or_else(|| BadParameter::new("limit", value, format!("an integer from 1 to {MOST}")))?
            }
        };
        let position = own.get("cursor").map(|cursor| cursor::read(&list, cursor)).transpose()?;
        Ok(Self { list, limit, position })
    }

    /// The place after which the page begins; none: it is the first.
    pub(super) fn after<P: DeserializeOwned>(&self) -> Result<Option<P>, BadParameter> {
        let read = |position: &Vec<u8>| serde_json::from_slice(position);
        self.position.as_ref().map(read).transpose().map_err(|_| BadParameter::new("cursor", None, "the next of a page before"))
    }

    /// The cursor of the next page, if this one has so many rows that there may be one; `last` is the place of its last row.
    pub(super) fn next<P: Serialize>(&self, rows: usize, last: impl FnOnce() -> Option<P>) -> Option<String> {
        let last = (rows >= self.limit).then(last).flatten()?;
        Some(cursor::write(&self.list, &serde_json::to_vec(&last).ok()?))
    }
}
