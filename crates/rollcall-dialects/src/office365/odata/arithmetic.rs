//! `add sub mul div mod` and the unary minus, over operands of one type. Where there is no result, it is null.

use super::BinaryOperator::{self, Add, Divide, Modulo, Multiply, Subtract};
use super::{Decimal, Value};

/// Calculates.
pub(super) fn calculate(operator: BinaryOperator, left: &Value, right: &Value) -> Value {
    let result = match (left, right) {
        (Value::Int32(left), Value::Int32(right)) => int32(operator, *left, *right),
        (Value::Int64(left), Value::Int64(right)) => int64(operator, *left, *right),
        (Value::Single(left), Value::Single(right)) => single(operator, *left, *right),
        (Value::Double(left), Value::Double(right)) => double(operator, *left, *right),
        (Value::Decimal(left), Value::Decimal(right)) => decimal(operator, *left, *right),
        _ => None,
    };
    result.unwrap_or(Value::Null)
}

/// Negates.
pub(super) fn negate(operand: &Value) -> Value {
    let result = match operand {
        Value::Int32(operand) => operand.checked_neg().map(Value::Int32),
        Value::Int64(operand) => operand.checked_neg().map(Value::Int64),
        Value::Single(operand) => Some(Value::Single(-operand)),
        Value::Double(operand) => Some(Value::Double(-operand)),
        Value::Decimal(operand) => Some(Value::Decimal(-operand)),
        _ => None,
    };
    result.unwrap_or(Value::Null)
}

/// The operators of a type, none of which may fail to fit.
macro_rules! checked {
    ($name:ident, $number:ty, $value:expr) => {
        fn $name(operator: BinaryOperator, left: $number, right: $number) -> Option<Value> {
            let result = match operator {
                Add => left.checked_add(right),
                Subtract => left.checked_sub(right),
                Multiply => left.checked_mul(right),
                Divide => left.checked_div(right),
                Modulo => left.checked_rem(right),
                _ => None,
            };
            result.map($value)
        }
    };
}

/// The operators of a type that has infinities.
macro_rules! floating {
    ($name:ident, $number:ty, $value:expr) => {
        fn $name(operator: BinaryOperator, left: $number, right: $number) -> Option<Value> {
            let result = match operator {
                Add => left + right,
                Subtract => left - right,
                Multiply => left * right,
                Divide => left / right,
                Modulo => left % right,
                _ => return None,
            };
            Some($value(result))
        }
    };
}

checked!(int32, i32, Value::Int32);
checked!(int64, i64, Value::Int64);
checked!(decimal, Decimal, Value::Decimal);
floating!(single, f32, Value::Single);
floating!(double, f64, Value::Double);
