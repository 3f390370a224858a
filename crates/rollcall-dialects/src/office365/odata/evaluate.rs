//! An expression's value for a row.
//!
//! Arithmetic and functions with a null operand are null. A comparison with one is false, but `eq` and `ne` tell null from the rest.
//! `and`, `or` and `not` know three values: `null and false` is false, `null or true` is true, and the rest with null is null.

use super::BinaryOperator::{self, And, Equal, GreaterThan, GreaterThanOrEqual, LessThan, LessThanOrEqual, NotEqual, Or};
use super::promotion::{convert, promoted};
use super::{Budget, Expression, ODataError, PropertyId, UnaryOperator, Value, arithmetic, compare};

impl Expression {
    /// The value for a row that is given by the values of its properties.
    ///
    /// # Errors
    /// The budget is spent.
    pub fn evaluate(&self, row: &dyn Fn(PropertyId) -> Value, budget: &mut Budget) -> Result<Value, ODataError> {
        let value = match self {
            Self::Literal(value) => value.clone(),
            Self::Property { id, .. } => brought_up(row(*id)),
            Self::Unary { operator, kind, operand } => match (operator, convert(operand.evaluate(row, budget)?, *kind)) {
                (UnaryOperator::Not, Value::Boolean(operand)) => Value::Boolean(!operand),
                (UnaryOperator::Not, _) => Value::Null,
                (UnaryOperator::Negate, operand) => arithmetic::negate(&operand),
            },
            Self::Binary { operator: operator @ (And | Or), left, right, .. } => logical(*operator, left, right, row, budget)?,
            Self::Binary { operator, kind, left, right } => {
                let (left, right) = (convert(left.evaluate(row, budget)?, *kind), convert(right.evaluate(row, budget)?, *kind));
                if operator.is_arithmetic() {
                    arithmetic::calculate(*operator, &left, &right)
                } else {
                    Value::Boolean(holds(*operator, &left, &right))
                }
            }
            Self::Call { function, signature, arguments } => {
                let given = arguments.iter().zip(signature.arguments);
                let arguments = given.map(|(argument, kind)| Ok(convert(argument.evaluate(row, budget)?, *kind)));
                let arguments: Vec<Value> = arguments.collect::<Result<_, _>>()?;
                budget.afford(function.text_bytes(&arguments))?;
                function.call(&arguments).unwrap_or(Value::Null)
            }
        };
        budget.spend_on(&value)?;
        Ok(value)
    }
}

/// Small integers are worked with as `Int32`, so that two of a type always compare.
fn brought_up(value: Value) -> Value {
    let kind = promoted(value.kind());
    convert(value, kind)
}

fn logical(
    operator: BinaryOperator,
    left: &Expression,
    right: &Expression,
    row: &dyn Fn(PropertyId) -> Value,
    budget: &mut Budget,
) -> Result<Value, ODataError> {
    // The value that decides, whatever the other operand is.
    let decisive = Value::Boolean(operator == Or);
    let left = left.evaluate(row, budget)?;
    if left == decisive {
        return Ok(decisive);
    }
    Ok(match (left, right.evaluate(row, budget)?) {
        (_, right) if right == decisive => decisive,
        (Value::Boolean(_), Value::Boolean(right)) => Value::Boolean(right),
        _ => Value::Null,
    })
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
