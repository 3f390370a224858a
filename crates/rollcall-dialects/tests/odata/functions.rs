//! Every canonical function.

use crate::stage::{passes, value};
use rollcall_dialects::office365::odata::{Decimal, Function, Value};

#[track_caller]
fn check(text: &str, expected: &str) {
    assert_eq!(value(text), value(expected), "{text}");
}

#[test]
fn names() {
    let names = "substringof endswith startswith length indexof replace substring tolower toupper trim concat year month day hour minute \
                 second round floor ceiling";
    for name in names.split_whitespace() {
        assert_eq!(Function::named(name).unwrap().name(), name);
        assert_eq!(Function::named(&name.to_uppercase()), None);
    }
}

#[test]
fn tests_of_text() {
    assert!(passes("substringof('Neil', String)"), "the second contains the first");
    assert!(!passes("substringof(String, 'Neil')"));
    assert!(passes("startswith(String, 'O''N') and not startswith(String, 'o''n')"));
    assert!(passes("endswith(String, 'e') and endswith(String, '') and not endswith(String, 'ö')"));
}

#[test]
fn text() {
    check("length('a😀')", "3");
    check("indexof('a😀b', 'b')", "3");
    check("indexof('ab', 'c')", "-1");
    check("indexof('ab', '')", "0");
    check("replace('aXbX', 'X', '--')", "'a--b--'");
    check("substring('abcd', 1)", "'bcd'");
    check("substring('abcd', 1, 2)", "'bc'");
    check("substring('abcd', 4)", "''");
    check("tolower(String)", "'o''neil und söhne'");
    check("toupper(String)", "'O''NEIL UND SÖHNE'");
    check("trim('  a b\t')", "'a b'");
    check("concat(concat('a', ', '), 'b')", "'a, b'");
}

#[test]
fn what_dot_net_throws_on_is_null() {
    for text in
        ["substring('abc', 4)", "substring('abc', -1)", "substring('abc', 1, 3)", "substring('abc', 1, -1)", "replace('a', '', 'b')"]
    {
        check(text, "null");
    }
}

#[test]
fn parts_of_dates_and_times() {
    // 2013-05-12T10:20:30.5, the same at +08:00, and P1DT2H3M4S
    for (function, of_date) in [("year", 2013), ("month", 5), ("day", 12), ("hour", 10), ("minute", 20), ("second", 30)] {
        assert_eq!(value(&format!("{function}(DateTime)")), Value::Int32(of_date));
        assert_eq!(value(&format!("{function}(DateTimeOffset)")), Value::Int32(of_date), "of the wall clock");
    }
    for (function, of_time) in [("hour", 2), ("minute", 3), ("second", 4)] {
        assert_eq!(value(&format!("{function}(Time)")), Value::Int32(of_time));
    }
}

#[test]
fn rounding() {
    for (text, down, even, up) in [("2.5", 2.0, 2.0, 3.0), ("-2.5", -3.0, -2.0, -2.0), ("3.5", 3.0, 4.0, 4.0), ("0.4999", 0.0, 0.0, 1.0)] {
        for (function, expected) in [("floor", down), ("round", even), ("ceiling", up)] {
            assert_eq!(value(&format!("{function}({text})")), Value::Double(expected), "{function}({text})");
            let decimal = Value::Decimal(Decimal::try_from(expected).unwrap());
            assert_eq!(value(&format!("{function}({text}m)")), decimal, "{function}({text}m)");
        }
    }
    assert_eq!(value("round(1.5f)"), Value::Double(2.0));
    assert_eq!(value("round(Int64)"), Value::Double(5e9), "an integer is taken as a double");
}

#[test]
fn of_null_is_null() {
    for text in ["length(NoText)", "concat(NoText, 'a')", "concat('a', null)", "year(null)", "round(Nothing)", "substring('abc', null)"] {
        assert_eq!(value(text), Value::Null, "{text}");
    }
    assert!(!passes("startswith(NoText, '')"));
    assert!(!passes("not startswith(NoText, '')"));
}
