//! `$filter`, `$orderby` and `$skiptoken` over rows: where expressions plug in.

use super::entity::{Cell, Frame};
use super::errors::Refusal;
use super::odata::{self, Limits, ODataError, OrderBy, PropertyDef, PropertyId, Schema, Type, Value};
use super::options::encoded;
use super::periods::Row;
use super::wire::{ENTITY_TYPE, Property};
use std::cmp::Ordering;

/// The properties of a row, in the order of [`Property::ALL`].
static SCHEMA: Schema = Schema {
    type_name: ENTITY_TYPE,
    properties: &[
        define(Property::Date, Type::DateTime),
        define(Property::ActiveUsers, Type::Int64),
        define(Property::Id, Type::Int64),
        define(Property::TenantGuid, Type::Guid),
        define(Property::TenantName, Type::String),
    ],
};

/// The place of the key.
const KEY: PropertyId = PropertyId(0);

const fn define(property: Property, kind: Type) -> PropertyDef {
    PropertyDef { name: property.name(), aliases: property.aliases(), kind, nullable: property.nullable() }
}

impl From<ODataError> for Refusal {
    fn from(ODataError { status, message }: ODataError) -> Self {
        Self::Expression { status, message }
    }
}

/// The values of a row, as expressions see them.
fn values(frame: &Frame<'_>, row: &Row) -> impl Fn(PropertyId) -> Value {
    move |PropertyId(place)| match Property::ALL.get(place).map(|property| frame.cell(row, *property)) {
        Some(Cell::Date(date)) => Value::DateTime(date),
        Some(Cell::Number(number)) => Value::Int64(number),
        Some(Cell::Guid(guid)) => Value::Guid(guid),
        Some(Cell::Text(text)) => Value::String(text.into()),
        None => Value::Null,
    }
}

/// A `$filter`.
#[derive(Debug)]
pub(super) struct Filter(odata::Filter);

impl Filter {
    pub(super) fn parse(text: &str) -> Result<Self, Refusal> {
        Ok(Self(odata::Filter::parse(text, &Limits::default(), &SCHEMA)?))
    }

    pub(super) fn matches(&self, frame: &Frame<'_>, row: &Row) -> bool {
        self.0.matches(&values(frame, row))
    }
}

/// The order of rows: that of `$orderby`, and then the key.
#[derive(Debug)]
pub(super) struct Order(OrderBy);

/// Where a page begins: behind the row that is ordered by these values.
#[derive(Debug)]
pub(super) struct Place(Vec<Value>);

impl Order {
    pub(super) fn parse(text: Option<&str>) -> Result<Self, Refusal> {
        let given = text.map(|text| OrderBy::parse(text, &Limits::default(), &SCHEMA)).transpose()?;
        Ok(Self(given.unwrap_or_default().then(KEY, &SCHEMA)))
    }

    pub(super) fn sort(&self, frame: &Frame<'_>, rows: &mut [Row]) {
        rows.sort_by(|left, right| self.0.compare(&values(frame, left), &values(frame, right)));
    }

    /// The place that a skip token names.
    pub(super) fn place(&self, token: &str) -> Result<Place, Refusal> {
        Ok(Place(self.0.read_skip_token(token, &Limits::default())?))
    }

    /// Whether a row comes after that place.
    pub(super) fn is_after(&self, frame: &Frame<'_>, row: &Row, place: &Place) -> bool {
        self.0.compare_values(&self.0.values(&values(frame, row)), &place.0) == Ordering::Greater
    }

    /// The skip token of a row, ready for a URL.
    pub(super) fn token(&self, frame: &Frame<'_>, row: &Row) -> String {
        let literals = self.0.values(&values(frame, row)).into_iter().map(|value| encoded(&value.to_string()));
        literals.collect::<Vec<_>>().join(",")
    }
}
