//! The typed tree of an expression, and its text.

use super::functions::{Function, Signature};
use super::{PropertyId, Type, Value};
use std::fmt;

/// An expression whose types are known. Its text, displayed, reads back as the same tree.
#[derive(Debug, Clone, PartialEq)]
pub enum Expression {
    /// A value written out.
    Literal(Value),
    /// A property of the row.
    Property {
        /// Which one.
        id: PropertyId,
        /// Its name.
        name: &'static str,
        /// Its type.
        kind: Type,
    },
    /// An operator before its operand.
    Unary {
        /// The operator.
        operator: UnaryOperator,
        /// The type that the operand is brought to, and that of the result.
        kind: Type,
        /// The operand.
        operand: Box<Expression>,
    },
    /// An operator between its operands.
    Binary {
        /// The operator.
        operator: BinaryOperator,
        /// The type that both operands are brought to.
        kind: Type,
        /// The left operand.
        left: Box<Expression>,
        /// The right operand.
        right: Box<Expression>,
    },
    /// A function and its arguments.
    Call {
        /// The function.
        function: Function,
        /// Which of its signatures: the types that the arguments are brought to.
        signature: &'static Signature,
        /// The arguments.
        arguments: Vec<Expression>,
    },
}

/// An operator with one operand; its name in errors is that of its variant.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum UnaryOperator {
    /// `-`.
    Negate,
    /// `not`.
    Not,
}

/// An operator with two operands; its name in errors is that of its variant, and it is displayed as it is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[allow(missing_docs, reason = "the names say it")]
pub enum BinaryOperator {
    Or,
    And,
    Equal,
    NotEqual,
    LessThan,
    LessThanOrEqual,
    GreaterThan,
    GreaterThanOrEqual,
    Add,
    Subtract,
    Multiply,
    Divide,
    Modulo,
}

impl BinaryOperator {
    /// As it is written.
    pub const fn keyword(self) -> &'static str {
        match self {
            Self::Or => "or",
            Self::And => "and",
            Self::Equal => "eq",
            Self::NotEqual => "ne",
            Self::LessThan => "lt",
            Self::LessThanOrEqual => "le",
            Self::GreaterThan => "gt",
            Self::GreaterThanOrEqual => "ge",
            Self::Add => "add",
            Self::Subtract => "sub",
            Self::Multiply => "mul",
            Self::Divide => "div",
            Self::Modulo => "mod",
        }
    }

    /// How tightly it binds.
    const fn precedence(self) -> u8 {
        match self {
            Self::Or => 1,
            Self::And => 2,
            Self::Equal | Self::NotEqual => 3,
            Self::LessThan | Self::LessThanOrEqual | Self::GreaterThan | Self::GreaterThanOrEqual => 4,
            Self::Add | Self::Subtract => 5,
            Self::Multiply | Self::Divide | Self::Modulo => 6,
        }
    }

    /// Whether it calculates, rather than compares or combines.
    pub(super) const fn is_arithmetic(self) -> bool {
        self.precedence() >= Self::Add.precedence()
    }
}

const UNARY: u8 = 7;
const PRIMARY: u8 = 8;

impl Expression {
    /// The type of its value.
    pub fn kind(&self) -> Type {
        match self {
            Self::Literal(value) => value.kind(),
            Self::Property { kind, .. } | Self::Unary { kind, .. } => *kind,
            Self::Binary { operator, kind, .. } => {
                if operator.is_arithmetic() {
                    *kind
                } else {
                    Type::Boolean
                }
            }
            Self::Call { signature, .. } => signature.returns,
        }
    }

    const fn precedence(&self) -> u8 {
        match self {
            Self::Binary { operator, .. } => operator.precedence(),
            Self::Unary { .. } => UNARY,
            Self::Literal(_) | Self::Property { .. } | Self::Call { .. } => PRIMARY,
        }
    }

    /// Writes it, in parentheses if it binds less tightly than its place needs.
    fn write(&self, f: &mut fmt::Formatter<'_>, least: u8) -> fmt::Result {
        if self.precedence() < least { write!(f, "({self})") } else { write!(f, "{self}") }
    }
}

impl fmt::Display for Expression {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Literal(value) => value.fmt(f),
            Self::Property { name, .. } => f.write_str(name),
            Self::Unary { operator: UnaryOperator::Not, operand, .. } => {
                f.write_str("not ")?;
                operand.write(f, UNARY)
            }
            Self::Unary { operator: UnaryOperator::Negate, operand, .. } => {
                // Before digits a sign is read as theirs, and so it is before `INF` without a space.
                let digits = matches!(**operand, Self::Literal(_)) && operand.to_string().starts_with(|first: char| first.is_ascii_digit());
                if digits {
                    return write!(f, "-({operand})");
                }
                f.write_str("- ")?;
                operand.write(f, UNARY)
            }
            Self::Binary { operator, left, right, .. } => {
                left.write(f, operator.precedence())?;
                write!(f, " {operator} ")?;
                right.write(f, operator.precedence() + 1)
            }
            Self::Call { function, arguments, .. } => {
                write!(f, "{function}(")?;
                for (place, argument) in arguments.iter().enumerate() {
                    if place > 0 {
                        f.write_str(", ")?;
                    }
                    argument.fmt(f)?;
                }
                f.write_str(")")
            }
        }
    }
}

impl fmt::Display for BinaryOperator {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.keyword())
    }
}
