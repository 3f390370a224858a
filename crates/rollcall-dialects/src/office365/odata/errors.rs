//! The texts of every refusal, as the original's library has them. Positions count UTF-16 units from 0, as .NET counts.

use super::functions::Function;
use super::{BinaryOperator, Limits, Type, UnaryOperator};
use std::fmt;

/// A request that is refused.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{message}")]
pub struct ODataError {
    /// The HTTP status.
    pub status: u16,
    /// The text of the error.
    pub message: String,
}

fn bad(message: impl Into<String>) -> ODataError {
    ODataError { status: 400, message: message.into() }
}

/// A place in the text of an expression; displayed as errors end: the position, the word `in`, the text.
#[derive(Debug, Clone, Copy)]
pub(super) struct At<'t> {
    pub(super) text: &'t str,
    /// In bytes.
    pub(super) byte: usize,
}

impl At<'_> {
    fn position(&self) -> usize {
        self.text.get(..self.byte).unwrap_or(self.text).encode_utf16().count()
    }
}

impl fmt::Display for At<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} in '{}'.", self.position(), self.text)
    }
}

pub(super) fn syntax(at: At<'_>) -> ODataError {
    bad(format!("Syntax error at position {at}"))
}

pub(super) fn invalid_character(character: char, at: At<'_>) -> ODataError {
    bad(format!("Syntax error: character '{character}' is not valid at position {at}"))
}

pub(super) fn expression_expected(at: At<'_>) -> ODataError {
    bad(format!("Expression expected at position {at}"))
}

pub(super) fn open_expected(at: At<'_>) -> ODataError {
    bad(format!("'(' expected at position {at}"))
}

pub(super) fn close_or_comma_expected(at: At<'_>) -> ODataError {
    bad(format!("')' or ',' expected at position {at}"))
}

pub(super) fn close_or_operator_expected(at: At<'_>) -> ODataError {
    bad(format!("')' or operator expected at position {at}"))
}

pub(super) fn unterminated_string(at: At<'_>) -> ODataError {
    bad(format!("There is an unterminated string literal at position {at}"))
}

pub(super) fn unterminated_literal(at: At<'_>) -> ODataError {
    bad(format!("There is an unterminated literal at position {at}"))
}

pub(super) fn digit_expected(at: At<'_>) -> ODataError {
    bad(format!("A digit was expected at position {at}"))
}

pub(super) fn unrecognized_literal(kind: Type, literal: &str, at: At<'_>) -> ODataError {
    bad(format!("Unrecognized '{kind}' literal '{literal}' at '{}' in '{}'.", at.position(), at.text))
}

pub(super) fn unknown_property(name: &str, type_name: &str) -> ODataError {
    bad(format!("Could not find a property named '{name}' on type '{type_name}'."))
}

pub(super) fn incompatible_operands(operator: BinaryOperator, left: Type, right: Type) -> ODataError {
    bad(format!(
        "A binary operator with incompatible types was detected. Found operand types '{left}' and '{right}' for operator kind '{operator:?}'."
    ))
}

pub(super) fn incompatible_operand(operator: UnaryOperator, operand: Type) -> ODataError {
    bad(format!(
        "A unary operator with an incompatible type was detected. Found operand type '{operand}' for operator kind '{operator:?}'."
    ))
}

pub(super) fn null_operand(operator: BinaryOperator) -> ODataError {
    bad(format!("The operator '{operator}' is not supported for the 'null' literal; only equality checks are supported."))
}

pub(super) fn unknown_function(name: &str) -> ODataError {
    bad(format!(
        "An unknown function with name '{name}' was found. This may also be a key lookup on a navigation property, which is not allowed."
    ))
}

pub(super) fn no_signature(function: Function) -> ODataError {
    bad(format!(
        "No function signature for the function with name '{function}' matches the specified arguments. \
         The function signatures considered are: {}.",
        function.described()
    ))
}

pub(super) fn unsupported_function(name: &str) -> ODataError {
    bad(format!("The function '{name}' is not supported."))
}

pub(super) fn filter_not_boolean() -> ODataError {
    bad("The $filter expression must evaluate to a single boolean value.")
}

pub(super) fn orderby_not_primitive() -> ODataError {
    bad("The $orderby expression must evaluate to a single value of primitive type.")
}

pub(super) fn too_deep() -> ODataError {
    bad("Recursion depth exceeded allowed limit.")
}

/// The library has no such limit; this text is this server's own.
pub(super) fn too_long(limit: usize) -> ODataError {
    bad(format!("The expression is too long: at most {limit} bytes are allowed."))
}

/// As [`too_long`].
pub(super) fn too_costly(Limits { steps, bytes, .. }: &Limits) -> ODataError {
    bad(format!(
        "The expressions of the request take too much work: at most {steps} steps and {bytes} bytes of text are allowed for all rows together. \
         Use a simpler $filter or $orderby."
    ))
}

pub(super) fn skip_token_count(given: usize, text: &str, expected: usize) -> ODataError {
    bad(format!(
        "The number of keys '{given}' in skip token with value '{text}' did not match the number of ordering constraints '{expected}' \
         for the resource type."
    ))
}

pub(super) fn skip_token_literal(literal: &str) -> ODataError {
    bad(format!("Skip token values are expected to be literals. Unrecognized literal '{literal}' found."))
}

pub(super) fn bad_syntax() -> ODataError {
    bad("Bad Request - Error in query syntax.")
}
