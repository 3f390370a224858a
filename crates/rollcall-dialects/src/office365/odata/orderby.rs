//! `$orderby`, and the skip token that goes on behind a row.

use super::bind::Binder;
use super::lexer::{self, Kind, Token};
use super::promotion::{convert, may_become, promoted};
use super::{Budget, Expression, Limits, ODataError, PropertyId, Schema, Value, compare, errors, grammar, literal};
use std::cmp::Ordering;
use std::fmt;

/// An ordering. The default has no terms: all rows are equal.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct OrderBy(Vec<Term>);

/// One expression of an ordering.
#[derive(Debug, Clone, PartialEq)]
pub struct Term {
    /// The expression.
    pub expression: Expression,
    /// Whether the greatest value comes first.
    pub descending: bool,
}

impl OrderBy {
    /// Reads an ordering over the properties of a schema.
    pub fn parse(text: &str, limits: &Limits, schema: &Schema) -> Result<Self, ODataError> {
        limits.check(text)?;
        let terms = grammar::orderby(text, limits.depth)?;
        let binder = Binder { text, schema };
        let bound = |(syntax, descending)| Ok(Term { expression: binder.bind(&syntax, limits.depth)?, descending });
        terms.into_iter().map(bound).collect::<Result<_, _>>().map(Self)
    }

    /// The same, rows that it finds equal then ordered by a property; a property that the schema does not have orders nothing.
    #[must_use]
    pub fn then(mut self, id: PropertyId, schema: &Schema) -> Self {
        if let Some(property) = schema.property(id) {
            let expression = Expression::Property { id, name: property.name, kind: property.kind };
            self.0.push(Term { expression, descending: false });
        }
        self
    }

    /// Its expressions.
    pub fn terms(&self) -> &[Term] {
        &self.0
    }

    /// Sorts rows; `property` gives the values of their properties. Each row comes with the values that it is ordered by, which are computed once; rows
    /// that are equal by them stay in their order.
    ///
    /// # Errors
    /// The budget is spent.
    pub fn sort<R>(
        &self,
        rows: Vec<R>,
        property: impl Fn(&R, PropertyId) -> Value,
        budget: &mut Budget,
    ) -> Result<Vec<(Vec<Value>, R)>, ODataError> {
        // A sort cannot stop halfway, so its comparisons are paid for before.
        let comparisons = rows.len().saturating_mul(rows.len().checked_ilog2().map_or(0, |log| log as usize + 1));
        budget.spend_steps(u64::try_from(comparisons.saturating_mul(self.0.len())).unwrap_or(u64::MAX))?;
        let keyed = rows.into_iter().map(|row| Ok((self.values(&|id| property(&row, id), budget)?, row)));
        let mut keyed = keyed.collect::<Result<Vec<_>, ODataError>>()?;
        keyed.sort_by(|(left, _), (right, _)| self.compare_values(left, right));
        Ok(keyed)
    }

    /// The values that a row is ordered by, one for each expression.
    ///
    /// # Errors
    /// The budget is spent.
    pub fn values(&self, row: &impl Fn(PropertyId) -> Value, budget: &mut Budget) -> Result<Vec<Value>, ODataError> {
        self.0.iter().map(|term| term.expression.evaluate(row, budget)).collect()
    }

    /// Compares two rows, given by the values that they are ordered by.
    pub fn compare_values(&self, left: &[Value], right: &[Value]) -> Ordering {
        let pairs = self.0.iter().zip(left.iter().zip(right));
        pairs.map(|(term, (left, right))| term.order(left, right)).find(|ordering| ordering.is_ne()).unwrap_or(Ordering::Equal)
    }

    /// Writes the skip token that goes on behind a row, given by the values it is ordered by.
    pub fn write_skip_token(values: &[Value]) -> String {
        values.iter().map(Value::to_string).collect::<Vec<_>>().join(",")
    }

    /// Reads a skip token: the values that the last row was ordered by.
    pub fn read_skip_token(&self, text: &str, limits: &Limits) -> Result<Vec<Value>, ODataError> {
        limits.check(text)?;
        let values = literals(&lexer::tokens(text))?;
        if values.len() != self.0.len() {
            return Err(errors::skip_token_count(values.len(), text, self.0.len()));
        }
        let fit = |(value, term): (Value, &Term)| {
            let kind = promoted(term.expression.kind());
            if may_become(value.kind(), kind) { Ok(convert(value, kind)) } else { Err(errors::bad_syntax()) }
        };
        values.into_iter().zip(&self.0).map(fit).collect()
    }
}

/// Literals with commas between them.
fn literals(tokens: &[Token<'_>]) -> Result<Vec<Value>, ODataError> {
    let mut values = Vec::new();
    for pair in tokens.chunks(2) {
        match pair {
            [Token { kind: Kind::Literal(kind), text, .. }, Token { kind: Kind::Comma | Kind::End, .. }] => {
                values.push(literal::read(*kind, text).map_err(|_| errors::skip_token_literal(text))?);
            }
            [Token { kind: Kind::Literal(_), .. }, Token { kind: Kind::Broken(_), .. }] => return Err(errors::bad_syntax()),
            [Token { kind: Kind::Literal(_), .. }, other] => return Err(errors::skip_token_literal(other.text)),
            [Token { kind: Kind::Broken(error), .. }, ..] => return Err(error.clone()),
            [other, ..] => return Err(errors::skip_token_literal(other.text)),
            [] => {}
        }
    }
    Ok(values)
}

impl Term {
    fn order(&self, left: &Value, right: &Value) -> Ordering {
        let ordering = compare::order(left, right);
        if self.descending { ordering.reverse() } else { ordering }
    }
}

impl fmt::Display for OrderBy {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (place, term) in self.0.iter().enumerate() {
            let comma = if place > 0 { ", " } else { "" };
            write!(f, "{comma}{}{}", term.expression, if term.descending { " desc" } else { "" })?;
        }
        Ok(())
    }
}
