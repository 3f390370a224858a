//! Many rows: filter, count, skip token, order, skip, top, in this order, and the link to the next page (wire section 1.10).

use super::entity::{Frame, Page};
use super::errors::Refusal;
use super::odata::Budget;
use super::options::{Options, encoded};
use super::ordering::{Filter, Order, Place, budget};
use super::periods::Row;

/// What the options ask for.
#[derive(Debug)]
pub(super) struct Ask<'o> {
    options: &'o Options,
    filter: Option<Filter>,
    order: Order,
    place: Option<Place>,
    skip: usize,
    top: Option<usize>,
    count: bool,
}

/// The rows of an answer.
#[derive(Debug)]
pub(super) struct Picked {
    pub(super) rows: Vec<Row>,
    pub(super) count: Option<usize>,
    pub(super) next: Option<String>,
}

impl Picked {
    pub(super) fn page(&self) -> Page<'_> {
        Page { rows: &self.rows, count: self.count, next: self.next.as_deref() }
    }
}

impl<'o> Ask<'o> {
    /// Reads the options.
    pub(super) fn parse(options: &'o Options) -> Result<Self, Refusal> {
        let filter = options.get("$filter").map(Filter::parse).transpose()?;
        let count = options.inline_count()?;
        let order = Order::parse(options.get("$orderby"))?;
        let place = options.get("$skiptoken").map(|token| order.place(token)).transpose()?;
        let (skip, top) = (options.number("$skip")?.unwrap_or(0), options.number("$top")?);
        Ok(Self { options, filter, order, place, skip, top, count })
    }

    /// A page of the rows. `url` is that of the request without its query.
    pub(super) fn pick(&self, rows: Vec<Row>, frame: &Frame<'_>, page_size: usize, url: &str) -> Result<Picked, Refusal> {
        let mut budget = budget();
        let rows = self.kept(rows, frame, &mut budget)?;
        let count = self.count.then_some(rows.len());
        let mut rows = self.order.sorted(frame, rows, &mut budget)?;
        if let Some(place) = &self.place {
            rows.retain(|(own, _)| self.order.is_after(own, place));
        }
        rows.drain(..self.skip.min(rows.len()));
        let end = self.top.unwrap_or(usize::MAX).min(page_size);
        let more = rows.len() > end && self.top.is_none_or(|top| top > page_size);
        rows.truncate(end);
        let next = rows.last().filter(|_| more).map(|(place, _)| self.next(url, page_size, &place.token()));
        Ok(Picked { rows: rows.into_iter().map(|(_, row)| row).collect(), count, next })
    }

    /// What `/$count` says: after `$filter`, `$skip` and `$top`, whatever the page.
    pub(super) fn size(&self, rows: Vec<Row>, frame: &Frame<'_>) -> Result<usize, Refusal> {
        let rows = self.kept(rows, frame, &mut budget())?;
        Ok(rows.len().saturating_sub(self.skip).min(self.top.unwrap_or(usize::MAX)))
    }

    fn kept(&self, rows: Vec<Row>, frame: &Frame<'_>, budget: &mut Budget) -> Result<Vec<Row>, Refusal> {
        let Some(filter) = &self.filter else { return Ok(rows) };
        let kept = rows.into_iter().map(|row| Ok(filter.matches(frame, &row, budget)?.then_some(row)));
        kept.filter_map(Result::transpose).collect()
    }

    /// The link: the options that still hold, in the order of the original, and `$format`, which that dropped.
    fn next(&self, url: &str, page_size: usize, token: &str) -> String {
        let kept = ["$filter", "$orderby", "$inlinecount", "$select"];
        let given = |name: &str| self.options.get(name).map(|value| format!("{name}={}", encoded(value)));
        let mut parts: Vec<_> = kept.into_iter().filter_map(given).collect();
        parts.extend(self.top.map(|top| format!("$top={}", top.saturating_sub(page_size))));
        parts.push(format!("$skiptoken={token}"));
        parts.extend(given("$format"));
        format!("{url}?{}", parts.join("&"))
    }
}
