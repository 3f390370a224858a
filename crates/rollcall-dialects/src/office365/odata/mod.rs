//! `$filter` and `$orderby` of OData V2: the grammar, the types, the functions and the error texts of the library the original ran on.
//!
//! Text is cut into tokens (`lexer`), read into syntax (`grammar`), given types (`bind`) and kept as an [`Expression`], which
//! prints itself back and is evaluated row by row (`evaluate`), within a [`Budget`]. Nothing here does I/O, and no input makes it panic.
//!
//! What .NET would throw on while it evaluates (integers divided by zero, overflow, a substring beyond its text) is null here: the row
//! does not match, and the request goes on. See `evaluate` for the rules of null.

mod arithmetic;
mod bind;
mod budget;
mod compare;
mod duration;
mod errors;
mod evaluate;
mod expression;
mod functions;
mod grammar;
mod lexer;
mod literal;
mod orderby;
mod promotion;
mod schema;
mod text;
mod value;

pub use budget::Budget;
pub use errors::ODataError;
pub use expression::{BinaryOperator, Expression, UnaryOperator};
pub use functions::Function;
pub use orderby::{OrderBy, Term};
pub use rust_decimal::Decimal;
pub use schema::{PropertyDef, PropertyId, Schema};
pub use value::{DateTimeOffset, Type, Value};

use bind::Binder;
use std::fmt;

/// How long and how deep an expression may be, and what all expressions of a request may cost.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// The longest text, in bytes. Chains of operators are bounded by it before they are by `depth`, so no more than some ten thousand, for the stack.
    pub length: usize,
    /// The deepest nesting. A parenthesis or an argument counts eight, once for each level of the grammar it passes, as the original counts.
    pub depth: usize,
    /// How many steps evaluation may take, over all rows: each literal, property, operator and call is one, and each comparison of two keys when rows
    /// are sorted.
    pub steps: u64,
    /// How many bytes of text these steps may give, over all rows.
    pub bytes: u64,
}

impl Default for Limits {
    fn default() -> Self {
        // Either takes less than half a second; the widest sensible question, a dozen operators over the days of fifty years, takes a fortieth.
        Self { length: 8192, depth: 800, steps: 10_000_000, bytes: 64 << 20 }
    }
}

impl Limits {
    fn check(&self, text: &str) -> Result<(), ODataError> {
        if text.len() > self.length { Err(errors::too_long(self.length)) } else { Ok(()) }
    }
}

/// A `$filter`.
#[derive(Debug, Clone, PartialEq)]
pub struct Filter(Expression);

impl Filter {
    /// Reads a filter over the properties of a schema.
    pub fn parse(text: &str, limits: &Limits, schema: &Schema) -> Result<Self, ODataError> {
        limits.check(text)?;
        let syntax = grammar::filter(text, limits.depth)?;
        let expression = Binder { text, schema }.bind(&syntax, limits.depth)?;
        match expression.kind() {
            Type::Boolean | Type::Null => Ok(Self(expression)),
            _ => Err(errors::filter_not_boolean()),
        }
    }

    /// Whether a row, given by the values of its properties, passes. Null does not.
    ///
    /// # Errors
    /// The budget is spent.
    pub fn matches(&self, row: &impl Fn(PropertyId) -> Value, budget: &mut Budget) -> Result<bool, ODataError> {
        Ok(self.0.evaluate(row, budget)? == Value::Boolean(true))
    }

    /// What it evaluates.
    pub fn expression(&self) -> &Expression {
        &self.0
    }
}

impl fmt::Display for Filter {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}
