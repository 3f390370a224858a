//! Every literal form of V2, read and written.

use crate::stage::value;
use jiff::SignedDuration;
use jiff::civil::date;
use jiff::tz::{Offset, offset};
use rollcall_dialects::office365::odata::{DateTimeOffset, Decimal, Value};

/// Both are the same value, and the second is how it is written.
#[track_caller]
fn check(text: &str, expected: &Value, written: &str) {
    let read = value(text);
    assert_eq!(&read, expected, "{text}");
    assert_eq!(read.to_string(), written, "{text}");
    assert_eq!(&value(written), expected, "{written}");
}

#[test]
fn null_and_booleans() {
    check("null", &Value::Null, "null");
    check("true", &Value::Boolean(true), "true");
    check("false", &Value::Boolean(false), "false");
}

#[test]
fn integers() {
    check("5", &Value::Int32(5), "5");
    check("-2147483648", &Value::Int32(i32::MIN), "-2147483648");
    check("- 5", &Value::Int32(-5), "-5");
    check("2147483648", &Value::Int64(2_147_483_648), "2147483648L");
    check("5L", &Value::Int64(5), "5L");
    check("-9223372036854775808l", &Value::Int64(i64::MIN), "-9223372036854775808L");
}

#[test]
fn floating_point() {
    check("5.0", &Value::Double(5.0), "5.0d");
    check("5d", &Value::Double(5.0), "5.0d");
    check("1E+2", &Value::Double(100.0), "100.0d");
    check("-1.5e-3D", &Value::Double(-0.0015), "-0.0015d");
    check("2f", &Value::Single(2.0), "2.0f");
    check("2.5e1F", &Value::Single(25.0), "25.0f");
    check("INF", &Value::Double(f64::INFINITY), "INF");
    check("-INF", &Value::Double(f64::NEG_INFINITY), "-INF");
    check("INFf", &Value::Single(f32::INFINITY), "INFf");
    check("-INFf", &Value::Single(f32::NEG_INFINITY), "-INFf");
    for (text, is_single) in [("NaN", false), ("NaNf", true)] {
        let read = value(text);
        assert!(
            matches!(read, Value::Double(number) if !is_single && number.is_nan())
                || matches!(read, Value::Single(number) if is_single && number.is_nan())
        );
        assert_eq!(read.to_string(), text);
    }
}

#[test]
fn decimals() {
    check("2.50M", &Value::Decimal(Decimal::new(250, 2)), "2.50m");
    check("7m", &Value::Decimal(Decimal::new(7, 0)), "7m");
    check("1.5e2m", &Value::Decimal(Decimal::new(150, 0)), "150m");
    check("-79228162514264337593543950335m", &Value::Decimal(Decimal::MIN), "-79228162514264337593543950335m");
}

#[test]
fn text() {
    check("'a b'", &Value::String("a b".into()), "'a b'");
    check("''", &Value::String(String::new()), "''");
    check("'O''Neil'''", &Value::String("O'Neil'".into()), "'O''Neil'''");
    check("'datetime'", &Value::String("datetime".into()), "'datetime'");
    check("'张三 😀'", &Value::String("张三 😀".into()), "'张三 😀'");
}

#[test]
fn dates() {
    let midnight = date(2013, 5, 5).at(0, 0, 0, 0);
    for text in ["datetime'2013-05-05T00:00'", "DATETIME'2013-05-05T00:00:00'", "DateTime'2013-05-05T00:00:00.000Z'"] {
        check(text, &Value::DateTime(midnight), "datetime'2013-05-05T00:00:00'");
    }
    // The offset is not applied: the wall clock stands.
    check("datetime'2013-05-05T00:00:00+08:00'", &Value::DateTime(midnight), "datetime'2013-05-05T00:00:00'");
    let ticks = date(9999, 12, 31).at(23, 59, 59, 999_999_900);
    check("datetime'9999-12-31T23:59:59.9999999'", &Value::DateTime(ticks), "datetime'9999-12-31T23:59:59.9999999'");
    let at = |offset: Offset| Value::DateTimeOffset(DateTimeOffset::new(midnight, offset).unwrap());
    check("datetimeoffset'2013-05-05T00:00:00Z'", &at(Offset::UTC), "datetimeoffset'2013-05-05T00:00:00+00:00'");
    check("datetimeoffset'2013-05-05T00:00:00'", &at(Offset::UTC), "datetimeoffset'2013-05-05T00:00:00+00:00'");
    check("datetimeoffset'2013-05-05T00:00-08:00'", &at(offset(-8)), "datetimeoffset'2013-05-05T00:00:00-08:00'");
    let half = Offset::from_seconds(-9 * 3600 - 1800).unwrap();
    check("datetimeoffset'2013-05-05T00:00-09:30'", &at(half), "datetimeoffset'2013-05-05T00:00:00-09:30'");
}

#[test]
fn times() {
    let time = |seconds, nanos| Value::Time(SignedDuration::new(seconds, nanos));
    check("time'PT13H20M'", &time(48_000, 0), "time'P0DT13H20M0S'");
    check("time'13:20:00'", &time(48_000, 0), "time'P0DT13H20M0S'");
    check("time'13:20:00.5'", &time(48_000, 500_000_000), "time'P0DT13H20M0.5S'");
    check("time'-P1DT0.25S'", &time(-86_400, -250_000_000), "time'-P1DT0H0M0.25S'");
    check("time'P1Y2M'", &time(425 * 86_400, 0), "time'P425DT0H0M0S'");
    check("time'PT90M'", &time(5400, 0), "time'P0DT1H30M0S'");
}

#[test]
fn guids_and_bytes() {
    let guid = "16a58f78-539f-47f7-b9bf-02a63867d73b";
    check(&format!("guid'{}'", guid.to_uppercase()), &Value::Guid(guid.parse().unwrap()), &format!("guid'{guid}'"));
    for text in ["binary'00fF'", "X'00FF'", "x'00ff'"] {
        check(text, &Value::Binary(vec![0, 255]), "binary'00FF'");
    }
    check("X''", &Value::Binary(Vec::new()), "binary''");
}
