//! Literals, read and written.

use super::{DateTimeOffset, Decimal, Type, Value, duration};
use jiff::civil::DateTime;
use jiff::tz::Offset;
use std::fmt;
use std::fmt::Write as _;
use uuid::Uuid;
use winnow::Parser;
use winnow::combinator::{alt, eof, opt, preceded, terminated};
use winnow::error::EmptyError;
use winnow::token::{one_of, take_while};

/// Reads a literal that looks like one of a type. The error is the type that it was not.
///
/// An integer without a suffix is an `Int32`, or, if it does not fit, an `Int64`.
pub(super) fn read(kind: Type, text: &str) -> Result<Value, Type> {
    let without_suffix = |suffix: [char; 2]| text.strip_suffix(suffix).unwrap_or(text);
    let value = match kind {
        Type::Null => Some(Value::Null),
        Type::Boolean => Some(Value::Boolean(text == "true")),
        Type::Int32 => match text.parse() {
            Ok(integer) => Some(Value::Int32(integer)),
            Err(_) => return read(Type::Int64, text),
        },
        Type::Int64 => without_suffix(['l', 'L']).parse().ok().map(Value::Int64),
        Type::Single => single(without_suffix(['f', 'F'])).map(Value::Single),
        Type::Double => double(without_suffix(['d', 'D'])).map(Value::Double),
        Type::Decimal => decimal(without_suffix(['m', 'M'])).map(Value::Decimal),
        Type::String => unquoted(text).map(|text| Value::String(text.replace("''", "'"))),
        Type::DateTime => quoted(text).and_then(date_time).map(|(time, _)| Value::DateTime(time)),
        Type::DateTimeOffset => quoted(text).and_then(date_time_offset).map(Value::DateTimeOffset),
        Type::Time => quoted(text).and_then(duration::read).map(Value::Time),
        Type::Guid => quoted(text).and_then(guid).map(Value::Guid),
        Type::Binary => quoted(text).and_then(bytes).map(Value::Binary),
        Type::Byte | Type::SByte | Type::Int16 => None,
    };
    value.ok_or(kind)
}

fn single(text: &str) -> Option<f32> {
    match text {
        "INF" => Some(f32::INFINITY),
        "-INF" => Some(f32::NEG_INFINITY),
        "NaN" => Some(f32::NAN),
        _ => text.parse().ok().filter(|number: &f32| number.is_finite()),
    }
}

fn double(text: &str) -> Option<f64> {
    match text {
        "INF" => Some(f64::INFINITY),
        "-INF" => Some(f64::NEG_INFINITY),
        "NaN" => Some(f64::NAN),
        _ => text.parse().ok().filter(|number: &f64| number.is_finite()),
    }
}

fn decimal(text: &str) -> Option<Decimal> {
    let plain = text.parse();
    plain.or_else(|_| Decimal::from_scientific(text)).ok()
}

/// What stands between the quotes of a literal with a prefix.
fn quoted(text: &str) -> Option<&str> {
    text.split_once('\'')?.1.strip_suffix('\'')
}

fn unquoted(text: &str) -> Option<&str> {
    text.strip_prefix('\'')?.strip_suffix('\'')
}

fn guid(text: &str) -> Option<Uuid> {
    // Only this one of the forms that are known elsewhere.
    if text.len() == 36 { Uuid::try_parse(text).ok() } else { None }
}

fn bytes(text: &str) -> Option<Vec<u8>> {
    let digits: Option<Vec<u8>> = text.chars().map(|digit| u8::try_from(digit.to_digit(16)?).ok()).collect();
    let digits = digits.filter(|digits| digits.len() % 2 == 0)?;
    Some(digits.chunks_exact(2).map(|pair| pair[0] << 4 | pair[1]).collect())
}

/// `yyyy-mm-ddThh:mm[:ss[.fffffff]]`, and the offset behind it, if any: `Z` or `+hh:mm`.
fn date_time(text: &str) -> Option<(DateTime, Option<Offset>)> {
    fn number<'t>(length: usize) -> impl Parser<&'t str, i16, EmptyError> {
        take_while(length, |digit: char| digit.is_ascii_digit()).parse_to()
    }
    let date = (number(4), preceded('-', number(2)), preceded('-', number(2)));
    let fraction = opt(preceded('.', take_while(1..=7, |digit: char| digit.is_ascii_digit())));
    let clock = (number(2), preceded(':', number(2)), opt(preceded(':', (number(2), fraction))));
    let zone =
        alt(('Z'.value((1, 0, 0)), (one_of(['+', '-']).map(|sign| if sign == '-' { -1 } else { 1 }), number(2), preceded(':', number(2)))));
    let whole = terminated((date, preceded('T', clock), opt(zone)), eof).parse(text).ok()?;
    let ((year, month, day), (hour, minute, seconds), zone) = whole;
    let (second, fraction) = seconds.unwrap_or_default();
    let nanos = duration::ticks(fraction.unwrap_or_default())?;
    let small = |number: i16| i8::try_from(number).ok();
    let time = DateTime::new(year, small(month)?, small(day)?, small(hour)?, small(minute)?, small(second)?, i32::try_from(nanos).ok()?);
    let offset = match zone {
        Some((_, hours, minutes)) if hours > 14 || minutes > 59 || hours == 14 && minutes > 0 => return None,
        Some((sign, hours, minutes)) => Some(Offset::from_seconds(sign * i32::from(hours * 60 + minutes) * 60).ok()?),
        None => None,
    };
    Some((time.ok().filter(|time| time.year() > 0)?, offset))
}

fn date_time_offset(text: &str) -> Option<DateTimeOffset> {
    let (local, offset) = date_time(text)?;
    // Without an offset .NET takes that of the machine; this one has UTC.
    DateTimeOffset::new(local, offset.unwrap_or(Offset::UTC))
}

impl fmt::Display for Value {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Null => f.write_str("null"),
            Self::Boolean(value) => write!(f, "{value}"),
            Self::Byte(number) => write!(f, "{number}"),
            Self::SByte(number) => write!(f, "{number}"),
            Self::Int16(number) => write!(f, "{number}"),
            Self::Int32(number) => write!(f, "{number}"),
            Self::Int64(number) => write!(f, "{number}L"),
            Self::Single(number) if number.is_finite() => write!(f, "{number:?}f"),
            Self::Single(number) => write!(f, "{}f", special((*number).into())),
            Self::Double(number) if number.is_finite() => write!(f, "{number:?}d"),
            Self::Double(number) => f.write_str(special(*number)),
            Self::Decimal(number) => write!(f, "{number}m"),
            Self::String(text) => write!(f, "'{}'", text.replace('\'', "''")),
            Self::DateTime(time) => write!(f, "datetime'{time}'"),
            Self::DateTimeOffset(time) => {
                write!(f, "datetimeoffset'{}", time.local())?;
                let minutes = time.offset().seconds() / 60;
                let sign = if minutes < 0 { '-' } else { '+' };
                write!(f, "{sign}{:02}:{:02}'", minutes.abs() / 60, minutes.abs() % 60)
            }
            Self::Time(time) => {
                f.write_str("time'")?;
                duration::write(*time, f)?;
                f.write_char('\'')
            }
            Self::Guid(guid) => write!(f, "guid'{guid}'"),
            Self::Binary(bytes) => {
                f.write_str("binary'")?;
                bytes.iter().try_for_each(|byte| write!(f, "{byte:02X}"))?;
                f.write_char('\'')
            }
        }
    }
}

fn special(number: f64) -> &'static str {
    match number {
        f64::INFINITY => "INF",
        f64::NEG_INFINITY => "-INF",
        _ => "NaN",
    }
}
