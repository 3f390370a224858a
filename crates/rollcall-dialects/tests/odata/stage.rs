//! The schema of the report, one with a property of every type, and short ways to ask.

use jiff::SignedDuration;
use jiff::civil::{DateTime, date};
use jiff::tz::offset;
use rollcall_dialects::office365::odata::{
    Budget, DateTimeOffset, Decimal, Filter, Limits, ODataError, OrderBy, PropertyDef, PropertyId, Schema, Type, Value,
};

const fn property(name: &'static str, kind: Type) -> PropertyDef {
    PropertyDef { name, aliases: &[], kind, nullable: true }
}

/// The report's.
pub(crate) const REPORT: Schema = Schema {
    type_name: "TenantReporting.CsActiveUserReport",
    properties: &[
        property("Date", Type::DateTime),
        PropertyDef { aliases: &["ActiveUsersCount"], ..property("ActiveUsers", Type::Int64) },
        property("ID", Type::Int64),
        property("TenantGuid", Type::Guid),
        property("TenantName", Type::String),
    ],
};

/// A property of every type, named by it.
pub(crate) const EVERY: Schema = Schema {
    type_name: "Test.Every",
    properties: &[
        property("Boolean", Type::Boolean),
        property("Byte", Type::Byte),
        property("SByte", Type::SByte),
        property("Int16", Type::Int16),
        property("Int32", Type::Int32),
        property("Int64", Type::Int64),
        property("Single", Type::Single),
        property("Double", Type::Double),
        property("Decimal", Type::Decimal),
        property("String", Type::String),
        property("DateTime", Type::DateTime),
        property("DateTimeOffset", Type::DateTimeOffset),
        property("Time", Type::Time),
        property("Guid", Type::Guid),
        property("Binary", Type::Binary),
        property("Nothing", Type::Int64),
        property("NoText", Type::String),
        property("Unsure", Type::Boolean),
    ],
};

/// A row of the schema of every type; the last three are null.
pub(crate) fn every(id: PropertyId) -> Value {
    let time: DateTime = date(2013, 5, 12).at(10, 20, 30, 500_000_000);
    match id.0 {
        0 => Value::Boolean(true),
        1 => Value::Byte(200),
        2 => Value::SByte(-100),
        3 => Value::Int16(-3000),
        4 => Value::Int32(70_000),
        5 => Value::Int64(5_000_000_000),
        6 => Value::Single(1.5),
        7 => Value::Double(2.5),
        8 => Value::Decimal(Decimal::new(1250, 2)),
        9 => Value::String("O'Neil und Söhne".into()),
        10 => Value::DateTime(time),
        11 => Value::DateTimeOffset(DateTimeOffset::new(time, offset(8)).unwrap()),
        12 => Value::Time(SignedDuration::new(26 * 3600 + 3 * 60 + 4, 0)),
        13 => Value::Guid("16a58f78-539f-47f7-b9bf-02a63867d73b".parse().unwrap()),
        14 => Value::Binary(vec![0xAB, 0x01]),
        _ => Value::Null,
    }
}

/// A row of the report.
pub(crate) fn report(day: i8, users: i64) -> impl Fn(PropertyId) -> Value {
    let date = date(2013, 5, day).at(0, 0, 0, 0);
    move |id| match id.0 {
        0 => Value::DateTime(date),
        1 => Value::Int64(users),
        2 => Value::Int64(15_826 + i64::from(day)),
        3 => Value::Guid("16a58f78-539f-47f7-b9bf-02a63867d73b".parse().unwrap()),
        _ => Value::String("example.onmicrosoft.com".into()),
    }
}

pub(crate) fn filter(text: &str) -> Result<Filter, ODataError> {
    Filter::parse(text, &Limits::default(), &EVERY)
}

/// The budget of a request.
pub(crate) fn budget() -> Budget {
    Budget::new(&Limits::default())
}

pub(crate) fn matches(filter: &Filter, row: &impl Fn(PropertyId) -> Value) -> bool {
    filter.matches(row, &mut budget()).unwrap()
}

pub(crate) fn values(order: &OrderBy, row: &impl Fn(PropertyId) -> Value) -> Vec<Value> {
    order.values(row, &mut budget()).unwrap()
}

/// Whether the row of every type passes.
pub(crate) fn passes(text: &str) -> bool {
    matches(&filter(text).unwrap_or_else(|error| panic!("{text}: {error}")), &every)
}

/// The value of an expression of any type for that row.
pub(crate) fn value(text: &str) -> Value {
    values(&order(text).unwrap_or_else(|error| panic!("{text}: {error}")), &every).remove(0)
}

pub(crate) fn order(text: &str) -> Result<OrderBy, ODataError> {
    OrderBy::parse(text, &Limits::default(), &EVERY)
}

/// The text of the error for a filter of the report.
pub(crate) fn refused(text: &str) -> String {
    let error = Filter::parse(text, &Limits::default(), &REPORT).expect_err(text);
    assert_eq!(error.status, 400);
    error.message
}
