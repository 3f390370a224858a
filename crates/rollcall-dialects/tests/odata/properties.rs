//! Properties of random expressions and of random text.

use crate::naive::{Kind, Naive, Sequence};
use crate::random::{ARITHMETIC, COMBINATIONS, COMPARISONS, any_operand, any_sequence, joined, typed};
use crate::stage::{EVERY, every, matches, order, values};
use proptest::prelude::*;
use proptest::sample::select;
use rollcall_dialects::office365::odata::{Filter, Limits, OrderBy, Value};

/// Both evaluators agree: on the value, or that there is none. And the text that is printed reads as the same tree.
fn agree(sequence: &Sequence) -> Result<(), TestCaseError> {
    let text = sequence.text();
    let naive = sequence.value();
    let parsed = order(&text);
    prop_assert_eq!(parsed.is_ok(), naive.is_some(), "{}: {:?}", text, parsed);
    let (Ok(parsed), Some((kind, naive))) = (parsed, naive) else { return Ok(()) };
    let expected = match naive {
        Naive::Null => Value::Null,
        Naive::Integer(number) => Value::Int64(number),
        Naive::Boolean(value) => Value::Boolean(value),
        Naive::Text(text) => Value::String(text),
    };
    prop_assert_eq!(&values(&parsed, &every)[0], &expected, "{}", text);
    let printed = parsed.to_string();
    prop_assert_eq!(&order(&printed).unwrap(), &parsed, "{} printed as {}", text, printed);
    let filter = Filter::parse(&text, &Limits::default(), &EVERY);
    prop_assert_eq!(filter.is_ok(), matches!(kind, Kind::Boolean | Kind::Null));
    if let Ok(filter) = filter {
        prop_assert_eq!(matches(&filter, &every), expected == Value::Boolean(true));
        prop_assert_eq!(Filter::parse(&filter.to_string(), &Limits::default(), &EVERY).unwrap(), filter);
    }
    Ok(())
}

/// Never panics, and what reads once reads again.
fn total(text: &str) -> Result<(), TestCaseError> {
    if let Ok(filter) = Filter::parse(text, &Limits::default(), &EVERY) {
        matches(&filter, &every);
        let printed = filter.to_string();
        prop_assert_eq!(Filter::parse(&printed, &Limits::default(), &EVERY).unwrap().to_string(), printed);
    }
    if let Ok(order) = OrderBy::parse(text, &Limits::default(), &EVERY) {
        let values = values(&order, &every);
        prop_assert!(order.compare_values(&values, &values).is_eq());
        let token = OrderBy::write_skip_token(&values);
        let read = order.read_skip_token(&token, &Limits::default()).unwrap();
        prop_assert!(order.compare_values(&values, &read).is_eq(), "{}", token);
    }
    let by_all = OrderBy::parse("Int64,String", &Limits::default(), &EVERY).unwrap();
    let _ = by_all.read_skip_token(text, &Limits::default());
    Ok(())
}

const PIECES: &[&str] = &[
    "(",
    ")",
    ",",
    "/",
    "*",
    "-",
    "=",
    "'",
    "''",
    "'a'",
    " ",
    "  ",
    "eq",
    "ne",
    "lt",
    "and",
    "or",
    "not",
    "add",
    "sub",
    "mul",
    "div",
    "mod",
    "asc",
    "desc",
    "null",
    "true",
    "1",
    "2147483648",
    "5L",
    "1.5",
    "1e400",
    "2f",
    "3m",
    "NaN",
    "INF",
    "-INF",
    "Int32",
    "Int64",
    "Byte",
    "Double",
    "Single",
    "Decimal",
    "String",
    "DateTime",
    "DateTimeOffset",
    "Time",
    "Guid",
    "Binary",
    "Nothing",
    "length(",
    "year(",
    "round(",
    "substring(",
    "replace(",
    "concat(",
    "isof(",
    "foo(",
    "datetime'2013-05-01T00:00'",
    "time'PT1H'",
    "guid'1'",
    "X'00'",
    "😀",
    "$it",
    "§",
];

proptest! {
    #![proptest_config(ProptestConfig { cases: 400, ..ProptestConfig::default() })]

    #[test]
    fn agrees_with_the_naive_evaluator(first in prop_oneof![3 => typed(Kind::Boolean, 3), 1 => typed(Kind::Integer, 3), 1 => typed(Kind::Text, 3)]) {
        agree(&Sequence { first, rest: Vec::new() })?;
    }

    #[test]
    fn agrees_on_what_seldom_has_types_that_go_together(sequence in any_sequence(any_operand())) {
        agree(&sequence)?;
    }

    #[test]
    fn agrees_without_parentheses(
        sum in joined(typed(Kind::Integer, 1), &ARITHMETIC, 0..8),
        compared in select(&COMPARISONS[..]),
        with in joined(typed(Kind::Integer, 1), &ARITHMETIC, 0..3),
        joins in select(&COMBINATIONS[..]),
        tests in joined(typed(Kind::Boolean, 1), &COMBINATIONS, 0..6),
    ) {
        let mut sequence = sum;
        for (operator, other) in [(compared, with), (joins, tests)] {
            sequence.rest.push((operator, other.first));
            sequence.rest.extend(other.rest);
        }
        agree(&sequence)?;
    }

    #[test]
    fn random_text_never_panics(text in any::<String>()) {
        total(&text)?;
    }

    #[test]
    fn random_pieces_never_panic(pieces in prop::collection::vec(select(PIECES), 0..14), space in select(&["", " "][..])) {
        total(&pieces.join(space))?;
    }
}
