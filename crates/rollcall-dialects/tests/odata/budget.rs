//! What the expressions of a request may cost: steps, and bytes of text.

use crate::naive::Kind;
use crate::random::typed;
use crate::stage::{EVERY, REPORT, budget, every, report, values};
use proptest::prelude::*;
use proptest::sample::select;
use rollcall_dialects::office365::odata::{Budget, Filter, Limits, OrderBy, PropertyId};
use std::cell::Cell;
use std::cmp::Ordering;

fn spent(text: &str, steps: u64, bytes: u64) -> Result<bool, String> {
    let limits = Limits { steps, bytes, ..Limits::default() };
    let filter = Filter::parse(text, &limits, &EVERY).unwrap();
    filter.matches(&every, &mut Budget::new(&limits)).map_err(|error| error.message)
}

#[test]
fn each_literal_property_operator_and_call_is_a_step_and_text_costs_its_bytes() {
    let refused = |steps: u64, bytes: u64| {
        Err(format!(
            "The expressions of the request take too much work: at most {steps} steps and {bytes} bytes of text are allowed for all rows \
             together. Use a simpler $filter or $orderby."
        ))
    };
    assert_eq!(spent("Int32 eq 70000", 3, 0), Ok(true));
    assert_eq!(spent("Int32 eq 70000", 2, 0), refused(2, 0));
    // What decides `or` spares the rest.
    assert_eq!(spent("true or Int32 eq 1", 2, 0), Ok(true));
    // Two, two and four bytes, and the three on the other side.
    assert_eq!(spent("concat('ab', 'cd') ne 'abc'", 5, 11), Ok(true));
    assert_eq!(spent("concat('ab', 'cd') ne 'abc'", 5, 10), refused(5, 10));
}

#[test]
fn long_text_is_text_and_what_cannot_be_paid_for_is_refused_before_it_is_made() {
    let doubled = |times: usize| format!("length({}'x'{}) eq {}", "replace(".repeat(times), ",'x','xx')".repeat(times), 1u64 << times);
    for times in [12, 13, 16] {
        assert_eq!(spent(&doubled(times), 1000, 64 << 20), Ok(true), "{times}");
    }
    // The last calls would make a terabyte, and more than there is.
    let grown = format!("length({}'a'{}) gt 0", "replace(".repeat(90), ",'a','aaaaaaaaaaaaaaaa')".repeat(90));
    for text in [doubled(40), grown] {
        let refused = spent(&text, 1000, 64 << 20).unwrap_err();
        assert!(refused.contains("take too much work"), "{refused}");
    }
    assert!(spent("concat('abc', 'abcd') eq 'abcabcd'", 1000, 13).is_err());
}

#[test]
fn a_budget_is_for_all_rows_together() {
    let limits = Limits { steps: 9, ..Limits::default() };
    let (filter, mut budget) = (Filter::parse("ID gt 1", &limits, &REPORT).unwrap(), Budget::new(&limits));
    let matched: Vec<_> = (1..5).map(|day| filter.matches(&report(day, 5), &mut budget).is_ok()).collect();
    assert_eq!(matched, [true, true, true, false]);
}

#[test]
fn what_a_row_is_ordered_by_is_computed_once() {
    let asked = Cell::new(0);
    let property = |day: &i8, id: PropertyId| {
        asked.set(asked.get() + 1);
        report(*day, 5)(id)
    };
    let order = OrderBy::parse("day(Date) mod 7 desc", &Limits::default(), &REPORT).unwrap();
    let sorted = order.sort((1..=28).collect(), property, &mut budget()).unwrap();
    assert_eq!(sorted.iter().map(|(_, day)| *day).take(5).collect::<Vec<_>>(), [6, 13, 20, 27, 5]);
    assert_eq!(asked.get(), 28);
}

#[test]
fn many_keys_are_paid_for_before_rows_are_sorted() {
    let order = OrderBy::parse(&vec!["TenantGuid"; 700].join(","), &Limits::default(), &REPORT).unwrap();
    let sort = |rows: i64| order.sort((0..rows).collect(), |users, id| report(1, *users)(id), &mut budget());
    assert!(sort(100).is_ok());
    assert_eq!(sort(20_000).unwrap_err().status, 400);
}

const TERMS: &[&str] = &[
    "Date",
    "ActiveUsers",
    "ActiveUsers mod 3",
    "ActiveUsers div (ActiveUsers mod 2)",
    "day(Date) mod 5",
    "substring(TenantName, 0, day(Date) mod 4)",
    "ActiveUsers gt 4",
    "null",
];

proptest! {
    #![proptest_config(ProptestConfig { cases: 300, ..ProptestConfig::default() })]

    #[test]
    fn rows_are_sorted_as_if_each_were_compared_with_each(
        terms in prop::collection::vec((select(TERMS), select(&["", " asc", " desc"][..])), 1..4),
        rows in prop::collection::vec((1..29_i8, 0..9_i64), 0..40),
    ) {
        let text = terms.iter().map(|(term, direction)| format!("{term}{direction}")).collect::<Vec<_>>().join(",");
        let order = OrderBy::parse(&text, &Limits::default(), &REPORT).unwrap();
        let row = |(day, users): &(i8, i64)| report(*day, *users);
        let mut naive: Vec<(i8, i64)> = Vec::new();
        for next in &rows {
            let comes_before = |other: &(i8, i64)| order.compare_values(&values(&order, &row(other)), &values(&order, &row(next))) != Ordering::Greater;
            let place = naive.iter().take_while(|other| comes_before(other)).count();
            naive.insert(place, *next);
        }
        let sorted = order.sort(rows, |own, id| row(own)(id), &mut budget()).unwrap();
        for (keys, own) in &sorted {
            prop_assert_eq!(keys, &values(&order, &row(own)));
        }
        prop_assert_eq!(sorted.into_iter().map(|(_, own)| own).collect::<Vec<_>>(), naive, "{}", text);
    }

    #[test]
    fn a_budget_changes_no_answer(
        first in prop_oneof![typed(Kind::Boolean, 3), typed(Kind::Text, 3)],
        steps in 0..60_u64,
        bytes in 0..200_u64,
    ) {
        let text = crate::naive::Sequence { first, rest: Vec::new() }.text();
        let limits = Limits { steps, bytes, ..Limits::default() };
        let order = OrderBy::parse(&text, &limits, &EVERY);
        if let Ok(order) = order {
            let mut left = Budget::new(&limits);
            match order.values(&every, &mut left) {
                Ok(answer) => prop_assert_eq!(answer, values(&order, &every)),
                Err(error) => prop_assert!(error.message.starts_with("The expressions of the request take too much work"), "{}", error),
            }
        }
    }
}
