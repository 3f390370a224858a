//! Random expressions.

use crate::naive::{FUNCTIONS, Kind, Naive, OPERATORS, Operand, Sequence};
use proptest::prelude::*;
use proptest::sample::select;

/// A literal or a property of a kind.
fn leaf(kind: Kind) -> BoxedStrategy<Operand> {
    let property = |name, value| Just(Operand::Property(name, kind, value));
    match kind {
        Kind::Null => Just(Operand::Null).boxed(),
        Kind::Integer => prop_oneof![
            4 => (-3..10_i64).prop_map(Operand::Integer),
            1 => any::<i64>().prop_map(Operand::Integer),
            1 => select(&[i64::MIN, i64::MAX][..]).prop_map(Operand::Integer),
            1 => property("Int64", Naive::Integer(5_000_000_000)),
            1 => property("Nothing", Naive::Null),
        ]
        .boxed(),
        Kind::Boolean => prop_oneof![
            2 => any::<bool>().prop_map(Operand::Boolean),
            1 => property("Boolean", Naive::Boolean(true)),
            1 => property("Unsure", Naive::Null),
        ]
        .boxed(),
        Kind::Text => prop_oneof![
            3 => "[aB' 😀]{0,3}".prop_map(Operand::Text),
            1 => property("String", Naive::Text("O'Neil und Söhne".into())),
            1 => property("NoText", Naive::Null),
        ]
        .boxed(),
    }
}

/// Random expressions, of types that seldom go together.
pub(crate) fn any_operand() -> BoxedStrategy<Operand> {
    let leaf = prop_oneof![1 => leaf(Kind::Null), 4 => leaf(Kind::Integer), 3 => leaf(Kind::Boolean), 2 => leaf(Kind::Text)];
    let deeper = |inner: BoxedStrategy<Operand>| {
        prop_oneof![
            3 => any_sequence(inner.clone()).prop_map(|inner| Operand::Group(Box::new(inner))),
            1 => inner.clone().prop_map(|inner| Operand::Not(Box::new(inner))),
            1 => inner.clone().prop_map(|inner| Operand::Minus(Box::new(inner))),
            2 => call(&FUNCTIONS, any_sequence(inner)),
        ]
    };
    leaf.prop_recursive(4, 24, 3, deeper).boxed()
}

/// Random operators between such operands.
pub(crate) fn any_sequence(operand: BoxedStrategy<Operand>) -> BoxedStrategy<Sequence> {
    joined(operand, &OPERATORS, 0..4)
}

/// Operands with some of these operators between them.
pub(crate) fn joined(
    operand: BoxedStrategy<Operand>,
    operators: &'static [&'static str],
    count: std::ops::Range<usize>,
) -> BoxedStrategy<Sequence> {
    let rest = prop::collection::vec((select(operators), operand.clone()), count);
    (operand, rest).prop_map(|(first, rest)| Sequence { first, rest }).boxed()
}

fn call(functions: &'static [(&'static str, usize)], argument: BoxedStrategy<Sequence>) -> BoxedStrategy<Operand> {
    let arguments = prop::collection::vec(argument, 3);
    (select(functions), arguments)
        .prop_map(|((name, count), arguments)| Operand::Call(name, arguments.into_iter().take(count).collect()))
        .boxed()
}

/// Random expressions of a kind, whose types go together but for comparisons with null.
pub(crate) fn typed(kind: Kind, depth: u32) -> BoxedStrategy<Operand> {
    let leaf = prop_oneof![12 => leaf(kind), 1 => leaf(Kind::Null)].boxed();
    if depth == 0 {
        return leaf;
    }
    let typed = |kind| typed(kind, depth - 1);
    let grouped = |strategy: BoxedStrategy<Sequence>| strategy.prop_map(|inner| Operand::Group(Box::new(inner))).boxed();
    let text = || typed(Kind::Text).prop_map(|first| Sequence { first, rest: Vec::new() }).boxed();
    let compared = |kind| grouped(joined(typed(kind), &COMPARISONS, 1..2));
    match kind {
        Kind::Boolean => prop_oneof![
            1 => leaf,
            3 => grouped(joined(typed(Kind::Boolean), &COMBINATIONS, 1..4)),
            2 => compared(Kind::Integer),
            1 => compared(Kind::Text),
            1 => typed(Kind::Boolean).prop_map(|inner| Operand::Not(Box::new(inner))),
            1 => call(&FUNCTIONS[..3], text()),
        ]
        .boxed(),
        Kind::Integer => prop_oneof![
            1 => leaf,
            3 => grouped(joined(typed(Kind::Integer), &ARITHMETIC, 1..4)),
            1 => typed(Kind::Integer).prop_map(|inner| Operand::Minus(Box::new(inner))),
            1 => call(&FUNCTIONS[3..5], text()),
        ]
        .boxed(),
        Kind::Null | Kind::Text => prop_oneof![1 => leaf, 2 => call(&FUNCTIONS[5..], text())].boxed(),
    }
}

pub(crate) const COMBINATIONS: [&str; 4] = ["and", "or", "eq", "ne"];
pub(crate) const COMPARISONS: [&str; 6] = ["eq", "ne", "lt", "le", "gt", "ge"];
pub(crate) const ARITHMETIC: [&str; 5] = ["add", "sub", "mul", "div", "mod"];
