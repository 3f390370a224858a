//! How values compare. Text compares by its characters, not by the rules of a language.

use super::Value;
use std::cmp::Ordering;

/// Compares two values of one type; `None` where a null, a NaN or two types make that impossible.
pub(super) fn compare(left: &Value, right: &Value) -> Option<Ordering> {
    use Value::{Binary, Boolean, DateTime, DateTimeOffset, Decimal, Double, Guid, Int32, Int64, Single, String, Time};
    match (left, right) {
        (Boolean(left), Boolean(right)) => Some(left.cmp(right)),
        (Int32(left), Int32(right)) => Some(left.cmp(right)),
        (Int64(left), Int64(right)) => Some(left.cmp(right)),
        (Single(left), Single(right)) => left.partial_cmp(right),
        (Double(left), Double(right)) => left.partial_cmp(right),
        (Decimal(left), Decimal(right)) => Some(left.cmp(right)),
        (String(left), String(right)) => Some(left.cmp(right)),
        (DateTime(left), DateTime(right)) => Some(left.cmp(right)),
        (DateTimeOffset(left), DateTimeOffset(right)) => Some(left.instant().cmp(&right.instant())),
        (Time(left), Time(right)) => Some(left.cmp(right)),
        (Guid(left), Guid(right)) => Some(left.cmp(right)),
        (Binary(left), Binary(right)) => Some(left.cmp(right)),
        _ => None,
    }
}

/// Compares two values of one type for sorting: null before everything, then NaN.
pub(super) fn order(left: &Value, right: &Value) -> Ordering {
    let class = |value: &Value| match value {
        Value::Null => 0,
        Value::Single(number) if number.is_nan() => 1,
        Value::Double(number) if number.is_nan() => 1,
        _ => 2,
    };
    class(left).cmp(&class(right)).then_with(|| compare(left, right).unwrap_or(Ordering::Equal))
}
