//! The requests of the wire document that concern `$filter` and `$orderby`.

use crate::stage::{REPORT, budget, matches, refused, report, values};
use rollcall_dialects::office365::odata::{Filter, Limits, OrderBy, PropertyId, Value};

const DAYS: [(i8, i64); 3] = [(10, 5), (13, 5), (14, 5)];
const DATE: PropertyId = PropertyId(0);

fn passing(text: &str) -> Vec<i8> {
    let filter = Filter::parse(text, &Limits::default(), &REPORT).unwrap();
    DAYS.into_iter().filter(|(day, users)| matches(&filter, &report(*day, *users))).map(|(day, _)| day).collect()
}

fn sorted(order: &OrderBy) -> Vec<i8> {
    let days = vec![(10, 3), (13, 9), (14, 3)];
    let sorted = order.sort(days, |(day, users), id| report(*day, *users)(id), &mut budget()).unwrap();
    sorted.into_iter().map(|(_, (day, _))| day).collect()
}

fn order(text: &str) -> OrderBy {
    OrderBy::parse(text, &Limits::default(), &REPORT).unwrap()
}

#[test]
fn dates_between() {
    assert_eq!(passing("Date ge datetime'2013-05-01T00:00:00' and Date le datetime'2013-05-15T00:00:00'"), [10, 13, 14]);
    assert_eq!(passing("Date gt datetime'2013-05-10T00:00:00Z' and Date lt datetime'2013-05-14T00:00'"), [13]);
}

#[test]
fn counts_of_every_integer_type_and_by_the_alias() {
    for text in ["ActiveUsers gt 4", "ActiveUsers gt 4L", "ActiveUsers sub 1 ge 4", "ActiveUsersCount gt 4"] {
        assert_eq!(passing(text), [10, 13, 14], "{text}");
    }
    assert!(passing("ActiveUsers gt 5").is_empty());
}

#[test]
fn the_alias_is_printed_as_the_property() {
    let filter = Filter::parse("ActiveUsersCount gt 4", &Limits::default(), &REPORT).unwrap();
    assert_eq!(filter.to_string(), "ActiveUsers gt 4");
}

#[test]
fn functions_of_dates() {
    assert_eq!(passing("month(Date) eq 5 and not (day(Date) eq 13)"), [10, 14]);
}

#[test]
fn text_is_no_date() {
    assert_eq!(
        refused("Date ge '2013-05-01'"),
        "A binary operator with incompatible types was detected. Found operand types 'Edm.DateTime' and 'Edm.String' for operator kind \
         'GreaterThanOrEqual'."
    );
}

#[test]
fn orders() {
    assert_eq!(sorted(&order("Date desc")), [14, 13, 10]);
    assert_eq!(sorted(&order("Date")), [10, 13, 14]);
    assert_eq!(sorted(&order("ActiveUsers desc, Date asc")), [13, 10, 14]);
    assert_eq!(sorted(&order("ActiveUsersCount,Date desc")), [14, 10, 13]);
    assert_eq!(sorted(&order("day(Date) mod 13,Date")), [13, 14, 10]);
    assert_eq!(sorted(&OrderBy::default().then(DATE, &REPORT)), [10, 13, 14]);
    assert_eq!(sorted(&order("ActiveUsers desc").then(DATE, &REPORT)), [13, 10, 14]);
}

#[test]
fn skip_tokens() {
    let order = order("ActiveUsers desc").then(DATE, &REPORT);
    let written = values(&order, &report(12, 5));
    let token = "5L,datetime'2013-05-12T00:00:00'";
    assert_eq!(OrderBy::write_skip_token(&written), token);
    assert_eq!(order.read_skip_token(token, &Limits::default()).unwrap(), written);
    assert_eq!(order.read_skip_token(&token.replace('L', ""), &Limits::default()).unwrap(), written, "brought to the type of the property");
    assert!(order.compare_values(&values(&order, &report(13, 5)), &written).is_gt());
    assert!(order.compare_values(&values(&order, &report(13, 6)), &written).is_lt());
    let null = order.read_skip_token("null,datetime'2013-05-12T00:00:00'", &Limits::default()).unwrap();
    assert_eq!(null[0], Value::Null);
}

#[test]
fn skip_tokens_that_are_refused() {
    let order = order("ActiveUsers desc").then(DATE, &REPORT);
    let refused = |text: &str| order.read_skip_token(text, &Limits::default()).unwrap_err().message;
    assert_eq!(
        refused("5L"),
        "The number of keys '1' in skip token with value '5L' did not match the number of ordering constraints '2' for the resource type."
    );
    assert_eq!(refused("ID,5"), "Skip token values are expected to be literals. Unrecognized literal 'ID' found.");
    assert_eq!(refused("guid'1',5"), "Skip token values are expected to be literals. Unrecognized literal 'guid'1'' found.");
    assert_eq!(refused("5 5"), "Skip token values are expected to be literals. Unrecognized literal '5' found.");
    assert_eq!(refused("5,"), "Skip token values are expected to be literals. Unrecognized literal '' found.");
    assert_eq!(refused("5,'2013'"), "Bad Request - Error in query syntax.");
    assert_eq!(refused("'"), "There is an unterminated string literal at position 1 in '''.");
}
