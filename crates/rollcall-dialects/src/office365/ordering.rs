//! `$filter`, `$orderby` and `$skiptoken` over rows: where expressions plug in.

use super::entity::{Cell, Frame};
use super::errors::Refusal;
use super::odata::{self, Budget, Limits, ODataError, OrderBy, PropertyDef, PropertyId, Schema, Type, Value};
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

/// A value of a row, as expressions see it.
fn value(frame: &Frame<'_>, row: &Row, PropertyId(place): PropertyId) -> Value {
    match Property::ALL.get(place).map(|property| frame.cell(row, *property)) {
        Some(Cell::Date(date)) => Value::DateTime(date),
        Some(Cell::Number(number)) => Value::Int64(number),
        Some(Cell::Guid(guid)) => Value::Guid(guid),
        Some(Cell::Text(text)) => Value::String(text.into()),
        None => Value::Null,
    }
}

/// What the expressions of one request may cost.
pub(super) fn budget() -> Budget {
    Budget::new(&Limits::default())
}

/// A `$filter`.
#[derive(Debug)]
pub(super) struct Filter(odata::Filter);

impl Filter {
    pub(super) fn parse(text: &str) -> Result<Self, Refusal> {
        Ok(Self(odata::Filter::parse(text, &Limits::default(), &SCHEMA)?))
    }

    pub(super) fn matches(&self, frame: &Frame<'_>, row: &Row, budget: &mut Budget) -> Result<bool, Refusal> {
        Ok(self.0.matches(&|id| value(frame, row, id), budget)?)
    }
}

/// The order of rows: that of `$orderby`, and then the key.
#[derive(Debug)]
pub(super) struct Order(OrderBy);

/// Where a row stands in an order: the values that it is ordered by.
#[derive(Debug)]
pub(super) struct Place(Vec<Value>);

impl Order {
    pub(super) fn parse(text: Option<&str>) -> Result<Self, Refusal> {
        let given = text.map(|text| OrderBy::parse(text, &Limits::default(), &SCHEMA)).transpose()?;
        Ok(Self(given.unwrap_or_default().then(KEY, &SCHEMA)))
    }

    /// The rows in this order, each with its place.
    pub(super) fn sorted(&self, frame: &Frame<'_>, rows: Vec<Row>, budget: &mut Budget) -> Result<Vec<(Place, Row)>, Refusal> {
        let sorted = self.0.sort(rows, |row, id| value(frame, row, id), budget)?;
        Ok(sorted.into_iter().map(|(values, row)| (Place(values), row)).collect())
    }

    /// The place that a skip token names: that of the last row before.
    pub(super) fn place(&self, token: &str) -> Result<Place, Refusal> {
        Ok(Place(self.0.read_skip_token(token, &Limits::default())?))
    }

    /// Whether the first place comes after the other.
    pub(super) fn is_after(&self, Place(one): &Place, Place(other): &Place) -> bool {
        self.0.compare_values(one, other) == Ordering::Greater
    }
}

impl Place {
    /// The skip token of the row that stands here, ready for a URL.
    pub(super) fn token(&self) -> String {
        let literals = self.0.iter().map(|value| encoded(&value.to_string()));
        literals.collect::<Vec<_>>().join(",")
    }
}
