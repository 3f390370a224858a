//! A row as the formats write it: its values, and where it is to be had.

use super::periods::Row;
use super::wire::{Property, Set, date_in_url, date_text};
use jiff::civil::DateTime;
use rollcall_model::Organization;
use std::borrow::Cow;
use uuid::Uuid;

/// What the rows of one answer share.
#[derive(Debug)]
pub(super) struct Frame<'t> {
    /// The URL of the service in its canonical spelling, with the slash at its end.
    pub(super) root: &'t str,
    pub(super) set: Set,
    pub(super) organization: &'t Organization,
    /// The properties written, in the order of the metadata; none: all, as nothing was selected.
    pub(super) select: Option<&'t [Property]>,
}

/// One value.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Cell<'t> {
    Date(DateTime),
    Number(i64),
    Guid(Uuid),
    Text(&'t str),
}

impl<'t> Cell<'t> {
    /// As Atom and `$value` write it.
    pub(super) fn text(&self) -> Cow<'t, str> {
        match self {
            Self::Date(date) => date_text(*date).into(),
            Self::Number(number) => number.to_string().into(),
            Self::Guid(guid) => guid.hyphenated().to_string().into(),
            Self::Text(text) => (*text).into(),
        }
    }
}

impl<'t> Frame<'t> {
    /// The value of a row's property.
    pub(super) fn cell(&self, row: &Row, property: Property) -> Cell<'t> {
        match property {
            Property::Date => Cell::Date(row.date),
            Property::ActiveUsers => Cell::Number(row.active_users),
            Property::Id => Cell::Number(row.id),
            Property::TenantGuid => Cell::Guid(self.organization.id.0),
            Property::TenantName => Cell::Text(&self.organization.name),
        }
    }

    /// The properties written.
    pub(super) fn properties(&self) -> &'t [Property] {
        self.select.unwrap_or(&Property::ALL)
    }

    /// `CsActiveUserDaily(datetime'2013-05-14T00%3A00%3A00')`.
    pub(super) fn relative_url(&self, row: &Row) -> String {
        format!("{}({})", self.set.name(), date_in_url(row.date))
    }

    /// The same behind the root.
    pub(super) fn url(&self, row: &Row) -> String {
        format!("{}{}", self.root, self.relative_url(row))
    }
}

/// The rows of one answer, and what stands around them.
#[derive(Debug)]
pub(super) struct Page<'t> {
    pub(super) rows: &'t [Row],
    /// All rows that pass the filter, if asked for.
    pub(super) count: Option<usize>,
    /// Where the rows go on.
    pub(super) next: Option<&'t str>,
}
