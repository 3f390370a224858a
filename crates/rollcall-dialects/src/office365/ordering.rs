//! `$filter`, `$orderby` and `$skiptoken` over rows: where expressions plug in.

use super::entity::{Cell, Frame};
use super::errors::Refusal;
use super::literal;
use super::options::encoded;
use super::periods::Row;
use super::wire::{Property, date_text};
use std::cmp::Ordering;

/// A `$filter`.
#[derive(Debug)]
pub(super) struct Filter;

impl Filter {
    pub(super) fn parse(_text: &str) -> Result<Self, Refusal> {
        Err(Refusal::Expression { status: 400, message: "$filter is not read yet.".into() })
    }

    pub(super) fn matches(&self, _frame: &Frame<'_>, _row: &Row) -> bool {
        true
    }
}

/// The order of rows: that of `$orderby`, and then the key.
#[derive(Debug)]
pub(super) struct Order(Vec<(Property, bool)>);

/// Where a page begins: behind the row of these values.
#[derive(Debug)]
pub(super) struct Place<'t>(Vec<Cell<'t>>);

impl Order {
    pub(super) fn parse(text: Option<&str>) -> Result<Self, Refusal> {
        let mut terms = Vec::new();
        for term in text.into_iter().flat_map(|text| text.split(',')) {
            let mut words = term.split_whitespace();
            let (name, direction) = (words.next().unwrap_or_default(), words.next());
            let property = Property::from_option(name).ok_or(Refusal::Syntax)?;
            terms.push((property, direction == Some("desc")));
        }
        terms.push((Property::Date, false));
        Ok(Self(terms))
    }

    pub(super) fn sort(&self, frame: &Frame<'_>, rows: &mut [Row]) {
        rows.sort_by(|a, b| self.compare(|property| frame.cell(a, property), |property| frame.cell(b, property)));
    }

    /// The row that a skip token names.
    pub(super) fn place<'t>(&self, token: &'t str) -> Result<Place<'t>, Refusal> {
        let unread = |literal: &str| Refusal::SkipTokenLiteral(literal.into());
        let parts = literal::split(token).ok_or_else(|| unread(token))?;
        if parts.len() != self.0.len() {
            return Err(Refusal::SkipTokenCount { given: parts.len(), token: token.into(), needed: self.0.len() });
        }
        parts.iter().map(|part| cell(part.trim()).ok_or_else(|| unread(part))).collect::<Result<_, _>>().map(Place)
    }

    /// Whether a row comes after that one.
    pub(super) fn is_after(&self, frame: &Frame<'_>, row: &Row, place: &Place<'_>) -> bool {
        let after = self.0.iter().zip(&place.0).map(|((property, descending), cell)| {
            let order = compare(&frame.cell(row, *property), cell);
            if *descending { order.reverse() } else { order }
        });
        after.fold(Ordering::Equal, Ordering::then) == Ordering::Greater
    }

    /// The skip token of a row, ready for a URL.
    pub(super) fn token(&self, frame: &Frame<'_>, row: &Row) -> String {
        let literals = self.0.iter().map(|(property, _)| {
            encoded(&match frame.cell(row, *property) {
                Cell::Date(date) => format!("datetime'{}'", date_text(date)),
                Cell::Number(number) => format!("{number}L"),
                Cell::Guid(guid) => format!("guid'{guid}'"),
                Cell::Text(text) => format!("'{}'", text.replace('\'', "''")),
            })
        });
        literals.collect::<Vec<_>>().join(",")
    }

    fn compare<'t>(&self, a: impl Fn(Property) -> Cell<'t>, b: impl Fn(Property) -> Cell<'t>) -> Ordering {
        let terms = self.0.iter().map(|(property, descending)| {
            let order = compare(&a(*property), &b(*property));
            if *descending { order.reverse() } else { order }
        });
        terms.fold(Ordering::Equal, Ordering::then)
    }
}

fn compare(a: &Cell<'_>, b: &Cell<'_>) -> Ordering {
    match (a, b) {
        (Cell::Date(a), Cell::Date(b)) => a.cmp(b),
        (Cell::Number(a), Cell::Number(b)) => a.cmp(b),
        (Cell::Guid(a), Cell::Guid(b)) => a.cmp(b),
        (Cell::Text(a), Cell::Text(b)) => a.cmp(b),
        _ => Ordering::Equal,
    }
}

fn cell(text: &str) -> Option<Cell<'_>> {
    let number = text.strip_suffix(['l', 'L']).unwrap_or(text).parse().ok().map(Cell::Number);
    number
        .or_else(|| literal::date(text).map(Cell::Date))
        .or_else(|| literal::quoted(text, "guid")?.parse().ok().map(Cell::Guid))
        .or_else(|| literal::quoted(text, "").map(Cell::Text))
}
