//! Which types go together, and the values brought from one to another.
//!
//! Operators work in `Int32`, `Int64`, `Single`, `Double` and `Decimal`; a decimal goes with integers only. Null goes with anything.

use super::{Decimal, Type, Value};
use Type::{Byte, Double, Int16, Int32, Int64, Null, SByte, Single};

/// Whether a type is a number's.
pub(super) fn is_numeric(kind: Type) -> bool {
    kind == Type::Decimal || rank(kind).is_some()
}

/// The type that operators work in for a value of a type.
pub(super) fn promoted(kind: Type) -> Type {
    match kind {
        Byte | SByte | Int16 => Int32,
        kind => kind,
    }
}

/// The type that two types are both brought to.
pub(super) fn common(left: Type, right: Type) -> Option<Type> {
    let (left, right) = (promoted(left), promoted(right));
    match (left, right) {
        _ if left == right => Some(left),
        (Null, other) | (other, Null) => Some(other),
        (Type::Decimal, Int32 | Int64) | (Int32 | Int64, Type::Decimal) => Some(Type::Decimal),
        _ => Some(if rank(left)? > rank(right)? { left } else { right }),
    }
}

/// Whether an argument of a type may be given where another is asked for.
pub(super) fn may_become(from: Type, to: Type) -> bool {
    from == Null || common(from, to) == Some(to)
}

/// How much a number's type holds; decimals stand apart.
fn rank(kind: Type) -> Option<u8> {
    match kind {
        Byte | SByte | Int16 | Int32 => Some(0),
        Int64 => Some(1),
        Single => Some(2),
        Double => Some(3),
        _ => None,
    }
}

/// Brings a value to a type that [`common`] found; a value that does not go there stays as it is.
pub(super) fn convert(value: Value, to: Type) -> Value {
    match (integer(&value), to) {
        _ if value.kind() == to => value,
        (Some(integer), Int32) => i32::try_from(integer).map_or(value, Value::Int32),
        (Some(integer), Int64) => Value::Int64(integer),
        (Some(integer), Single) => Value::Single(integer as f32),
        (Some(integer), Double) => Value::Double(integer as f64),
        (Some(integer), Type::Decimal) => Value::Decimal(Decimal::from(integer)),
        (None, Double) => match value {
            Value::Single(single) => Value::Double(single.into()),
            other => other,
        },
        _ => value,
    }
}

fn integer(value: &Value) -> Option<i64> {
    match *value {
        Value::Byte(integer) => Some(integer.into()),
        Value::SByte(integer) => Some(integer.into()),
        Value::Int16(integer) => Some(integer.into()),
        Value::Int32(integer) => Some(integer.into()),
        Value::Int64(integer) => Some(integer),
        _ => None,
    }
}
