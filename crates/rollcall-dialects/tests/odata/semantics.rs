//! Null, promotion, arithmetic, comparison, precedence.

use crate::stage::{every, filter, matches, order, passes, value};
use rollcall_dialects::office365::odata::{Decimal, Value};

#[test]
fn null() {
    assert!(passes("Nothing eq null and null eq Nothing and null eq null and Int64 ne null"));
    assert!(!passes("Int64 eq null or Nothing ne null or null ne null"));
    assert!(passes("Nothing eq Nothing and NoText ne 'a'"));
    assert!(!passes("Nothing gt 1 or Nothing le 1 or Nothing ge Nothing"));
    assert!(passes("not (Nothing gt 1)"), "a comparison with null is false, not null");
    for text in ["Nothing add 1", "1 sub null", "null mul null", "-Nothing", "-null", "not Unsure", "not null"] {
        assert_eq!(value(text), Value::Null, "{text}");
    }
    assert!(passes("(Nothing add 1) eq null"));
    assert!(!matches(&filter("null").unwrap(), &every));
    assert!(!passes("Unsure"));
}

#[test]
fn three_values() {
    for (text, expected) in [
        ("Unsure and false", Value::Boolean(false)),
        ("false and Unsure", Value::Boolean(false)),
        ("Unsure and true", Value::Null),
        ("true and Unsure", Value::Null),
        ("Unsure or true", Value::Boolean(true)),
        ("true or Unsure", Value::Boolean(true)),
        ("Unsure or false", Value::Null),
        ("Unsure and Unsure", Value::Null),
        ("null or true", Value::Boolean(true)),
    ] {
        assert_eq!(value(text), expected, "{text}");
    }
}

#[test]
fn promotion() {
    for (text, expected) in [
        ("Byte add SByte", Value::Int32(100)),
        ("Int16 mul Int16", Value::Int32(9_000_000)),
        ("-Byte", Value::Int32(-200)),
        ("Int32 add 1L", Value::Int64(70_001)),
        ("Int64 mul 1f", Value::Single(5e9)),
        ("Single add Double", Value::Double(4.0)),
        ("Int32 div 2.0", Value::Double(35_000.0)),
        ("Decimal add Int64", Value::Decimal(Decimal::new(500_000_001_250, 2))),
        ("7 div 2", Value::Int32(3)),
        ("-7 div 2", Value::Int32(-3)),
        ("-7 mod 2", Value::Int32(-1)),
        ("7m div 2", Value::Decimal(Decimal::new(35, 1))),
        ("7.5 mod 2", Value::Double(1.5)),
    ] {
        assert_eq!(value(text), expected, "{text}");
    }
    assert!(passes("Byte eq 200L and SByte lt 0.5 and Int16 eq -3000m and 1f eq 1 and 1 eq 1.0 and 12.5m eq Decimal"));
}

#[test]
fn no_result_is_null() {
    for text in [
        "1 div 0",
        "1 mod 0",
        "1L div 0",
        "1m div 0",
        "1m mod 0",
        "2147483647 add 1",
        "-2147483648 sub 1",
        "-2147483648 div -1",
        "-2147483648 mod -1",
        "-(-2147483648)",
        "9223372036854775807 mul 2",
        "79228162514264337593543950335m add 1",
    ] {
        assert_eq!(value(text), Value::Null, "{text}");
    }
    assert_eq!(value("1.0 div 0"), Value::Double(f64::INFINITY));
    assert_eq!(value("1e308 mul 10"), Value::Double(f64::INFINITY));
}

#[test]
fn comparison() {
    for text in [
        "String gt 'O' and String lt 'P' and 'a' gt 'B'",
        "true gt false",
        "DateTime gt datetime'2013-05-12T10:20:30' and DateTime eq datetime'2013-05-12T10:20:30.5'",
        "DateTimeOffset eq datetimeoffset'2013-05-12T02:20:30.5Z'",
        "DateTimeOffset lt datetimeoffset'2013-05-12T10:20:30.5Z'",
        "Time gt time'P1D' and Time eq time'PT26H3M4S'",
        "Guid eq guid'16A58F78-539F-47F7-B9BF-02A63867D73B' and Guid gt guid'06a58f78-539f-47f7-b9bf-02a63867d73b'",
        "Binary eq X'ab01' and Binary ne X'ab' and Binary ne null",
        "NaN ne NaN and not (NaN eq NaN) and not (NaN lt 1) and not (NaN ge 1)",
        "-INF lt 0 and INF gt 1e300 and INF eq INFf",
        "Boolean and Boolean eq true",
    ] {
        assert!(passes(text), "{text}");
    }
}

#[test]
fn precedence() {
    for text in [
        "true or true and false",
        "not (false or true and false)",
        "1 add 2 mul 3 eq 7",
        "(1 add 2) mul 3 eq 9",
        "10 sub 3 sub 2 eq 5",
        "20 div 2 div 5 eq 2",
        "1 lt 2 eq true",
        "true eq 1 lt 2",
        "not false and true",
        "not startswith('a', 'b') and true",
        "-Int32 add 1 eq -69999",
        "- Int32 lt 0 and -(1) eq -1 and --1 eq 1 and - - 1 eq 1",
        "1\tadd\n1 eq 2",
        "(((true)))",
    ] {
        assert!(passes(text), "{text}");
    }
}

#[test]
fn printed() {
    for (text, printed) in [
        ("((Int32)) eq (1)", "Int32 eq 1"),
        ("(1 add 2) mul 3 eq 9", "(1 add 2) mul 3 eq 9"),
        ("1 add (2 mul 3) eq 7L", "1 add 2 mul 3 eq 7L"),
        ("1 sub (2 sub 3) eq 2", "1 sub (2 sub 3) eq 2"),
        ("not(Boolean)", "not Boolean"),
        ("not (Boolean and true)", "not (Boolean and true)"),
        ("-(5) lt -5", "-(5) lt -5"),
        ("--5 lt - INF", "- -5 lt - INF"),
        ("-(INF) lt -INF", "- INF lt -INF"),
        ("-Int32 lt --Int32", "- Int32 lt - - Int32"),
        ("substringof('a',String)", "substringof('a', String)"),
        ("substringof ( 'a' , String )", "substringof('a', String)"),
    ] {
        let filter = filter(text).unwrap();
        assert_eq!(filter.to_string(), printed);
    }
    assert_eq!(order("Int32 desc,String asc, -Int64").unwrap().to_string(), "Int32 desc, String, - Int64");
}
