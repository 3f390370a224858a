//! No `$filter`, `$orderby` or skip token makes reading or evaluating it panic, and what is printed reads as the same.

#![no_main]

use jiff::civil::date;
use libfuzzer_sys::fuzz_target;
use rollcall_dialects::office365::odata::{Budget, Filter, Limits, OrderBy, PropertyDef, PropertyId, Schema, Type, Value};

const fn property(name: &'static str, kind: Type) -> PropertyDef {
    PropertyDef { name, aliases: &[], kind, nullable: true }
}

const SCHEMA: Schema = Schema {
    type_name: "TenantReporting.CsActiveUserReport",
    properties: &[
        property("Date", Type::DateTime),
        property("ActiveUsers", Type::Int64),
        property("Share", Type::Double),
        property("TenantGuid", Type::Guid),
        property("TenantName", Type::String),
        property("Nothing", Type::Int32),
    ],
};

fn row(id: PropertyId) -> Value {
    match id.0 {
        0 => Value::DateTime(date(2013, 5, 12).at(0, 0, 0, 0)),
        1 => Value::Int64(5),
        2 => Value::Double(0.5),
        3 => Value::Guid(uuid::Uuid::max()),
        4 => Value::String("example.onmicrosoft.com".into()),
        _ => Value::Null,
    }
}

fuzz_target!(|text: &str| {
    let limits = Limits::default();
    let budget = Budget::new(&limits);
    // What is printed may be longer than what was read.
    let printed = Limits { length: usize::MAX, ..limits };
    if let Ok(filter) = Filter::parse(text, &limits, &SCHEMA) {
        let again = Filter::parse(&filter.to_string(), &printed, &SCHEMA).expect("what is printed reads");
        assert_eq!(again.to_string(), filter.to_string());
        assert_eq!(again.matches(&row, &mut budget.clone()), filter.matches(&row, &mut budget.clone()));
    }
    if let Ok(order) = OrderBy::parse(text, &limits, &SCHEMA) {
        let values = order.values(&row, &mut budget.clone()).expect("one row is within the budget");
        let token = OrderBy::write_skip_token(&values);
        let read = order.read_skip_token(&token, &printed).expect("a token that is written reads");
        assert!(order.compare_values(&values, &read).is_eq());
    }
    if let Ok(order) = OrderBy::parse("Date,TenantName", &limits, &SCHEMA) {
        let _ = order.read_skip_token(text, &limits);
    }
});
