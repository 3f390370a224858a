//! Syntax, given its meaning: names become properties and functions, and every operator gets the type it works in.

use super::errors::{self, At, ODataError};
use super::functions::Function;
use super::grammar::Syntax;
use super::promotion::{common, is_numeric, promoted};
use super::{BinaryOperator, Expression, Schema, Type, UnaryOperator};
use BinaryOperator::{And, Equal, NotEqual, Or};

/// What binding needs to know.
pub(super) struct Binder<'a> {
    pub(super) text: &'a str,
    pub(super) schema: &'a Schema,
}

impl Binder<'_> {
    /// Binds an expression of at most a certain height.
    pub(super) fn bind(&self, syntax: &Syntax<'_>, height: usize) -> Result<Expression, ODataError> {
        let height = height.checked_sub(1).ok_or_else(errors::too_deep)?;
        match syntax {
            Syntax::Literal(value) => Ok(Expression::Literal(value.clone())),
            Syntax::Name(name, next) => self.name(name, *next),
            Syntax::Member(of, name) => Err(errors::unknown_property(name, &self.bind(of, height)?.kind().to_string())),
            Syntax::Unary(operator, operand) => unary(*operator, self.bind(operand, height)?),
            Syntax::Binary(operator, left, right) => binary(*operator, self.bind(left, height)?, self.bind(right, height)?),
            Syntax::Call(name, arguments) => {
                let function = Function::named(name).ok_or_else(|| errors::unknown_function(name))?;
                let arguments = arguments.iter().map(|argument| self.bind(argument, height)).collect::<Result<Vec<_>, _>>()?;
                call(function, arguments)
            }
        }
    }

    fn name(&self, name: &str, next: usize) -> Result<Expression, ODataError> {
        let found = self.schema.find(name).and_then(|id| Some((id, self.schema.property(id)?)));
        match found {
            Some((id, property)) => Ok(Expression::Property { id, name: property.name, kind: property.kind }),
            None if Function::named(name).is_some() => Err(errors::open_expected(At { text: self.text, byte: next })),
            None => Err(errors::unknown_property(name, self.schema.type_name)),
        }
    }
}

fn unary(operator: UnaryOperator, operand: Expression) -> Result<Expression, ODataError> {
    let kind = match (operator, operand.kind()) {
        (_, Type::Null) => Type::Null,
        (UnaryOperator::Not, Type::Boolean) => Type::Boolean,
        (UnaryOperator::Negate, kind) if is_numeric(kind) => promoted(kind),
        (_, kind) => return Err(errors::incompatible_operand(operator, kind)),
    };
    Ok(Expression::Unary { operator, kind, operand: Box::new(operand) })
}

fn binary(operator: BinaryOperator, left: Expression, right: Expression) -> Result<Expression, ODataError> {
    let (l, r) = (left.kind(), right.kind());
    let fits = |kind: &Type| match operator {
        _ if *kind == Type::Null => true,
        And | Or => *kind == Type::Boolean,
        Equal | NotEqual => true,
        _ if operator.is_arithmetic() => is_numeric(*kind),
        _ => *kind != Type::Binary,
    };
    let kind = common(l, r).filter(fits).ok_or_else(|| errors::incompatible_operands(operator, l, r))?;
    let orders = !operator.is_arithmetic() && !matches!(operator, And | Or | Equal | NotEqual);
    if orders && (l == Type::Null || r == Type::Null) {
        return Err(errors::null_operand(operator));
    }
    Ok(Expression::Binary { operator, kind, left: Box::new(left), right: Box::new(right) })
}

fn call(function: Function, arguments: Vec<Expression>) -> Result<Expression, ODataError> {
    let kinds: Vec<Type> = arguments.iter().map(Expression::kind).collect();
    let signature = function.signatures().iter().find(|signature| signature.takes(&kinds)).ok_or_else(|| errors::no_signature(function))?;
    Ok(Expression::Call { function, signature, arguments })
}
