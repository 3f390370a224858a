//! An expression's value for a row.
//!
//! Arithmetic and functions with a null operand are null. A comparison with one is false, but `eq` and `ne` tell null from the rest.
//! `and`, `or` and `not` know three values: `null and false` is false, `null or true` is true, and the rest with null is null.

use super::BinaryOperator::{self, And, Equal, GreaterThan, GreaterThanOrEqual, LessThan, LessThanOrEqual, NotEqual, Or};
use super::promotion::{convert, promoted};
use super::{Expression, PropertyId, UnaryOperator, Value, arithmetic, compare};

impl Expression {
    /// The value for a row that is given by the values of its properties.
    pub fn evaluate(&self, row: &dyn Fn(PropertyId) -> Value) -> Value {
        match self {
            Self::Literal(value) => value.clone(),
            Self::Property { id, .. } => brought_up(row(*id)),
            Self::Unary { operator, kind, operand } => match (operator, convert(operand.evaluate(row), *kind)) {
                (UnaryOperator::Not, Value::Boolean(operand)) => Value::Boolean(!operand),
                (UnaryOperator::Not, _) => Value::Null,
                (UnaryOperator::Negate, operand) => arithmetic::negate(&operand),
            },
            Self::Binary { operator: operator @ (And | Or), left, right, .. } => logical(*operator, left, right, row),
            Self::Binary { operator, kind, left, right } => {
                let (left, right) = (convert(left.evaluate(row), *kind), convert(right.evaluate(row), *kind));
                if operator.is_arithmetic() {
                    arithmetic::calculate(*operator, &left, &right)
                } else {
                    Value::Boolean(holds(*operator, &left, &right))
                }
            }
            Self::Call { function, signature, arguments } => {
                let given = arguments.iter().zip(signature.arguments);
                let arguments: Vec<Value> = given.map(|(argument, kind)| convert(argument.evaluate(row), *kind)).collect();
                function.call(&arguments).unwrap_or(Value::Null)
            }
        }
    }
}

/// Small integers are worked with as `Int32`, so that two of a type always compare.
fn brought_up(value: Value) -> Value {
    let kind = promoted(value.kind());
    convert(value, kind)
}

fn logical(operator: BinaryOperator, left: &Expression, right: &Expression, row: &dyn Fn(PropertyId) -> Value) -> Value {
    // The value that decides, whatever the other operand is.
    let decisive = Value::Boolean(operator == Or);
    let left = left.evaluate(row);
    if left == decisive {
        return decisive;
    }
    match (left, right.evaluate(row)) {
        (_, right) if right == decisive => decisive,
        (Value::Boolean(_), Value::Boolean(right)) => Value::Boolean(right),
        _ => Value::Null,
    }
}

fn holds(operator: BinaryOperator, left: &Value, right: &Value) -> bool {
    let equal = || match (left, right) {
        (Value::Null, Value::Null) => true,
        _ => compare::compare(left, right).is_some_and(|ordering| ordering.is_eq()),
    };
    let ordered = |holds: fn(std::cmp::Ordering) -> bool| compare::compare(left, right).is_some_and(holds);
    match operator {
        Equal => equal(),
        NotEqual => !equal(),
        LessThan => ordered(std::cmp::Ordering::is_lt),
        LessThanOrEqual => ordered(std::cmp::Ordering::is_le),
        GreaterThan => ordered(std::cmp::Ordering::is_gt),
        GreaterThanOrEqual => ordered(std::cmp::Ordering::is_ge),
        _ => false,
    }
}
