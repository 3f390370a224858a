//! `Edm.Time`: a length of time, written as XML Schema's `duration`.

use jiff::SignedDuration;
use std::fmt;
use winnow::Parser;
use winnow::ascii::digit1;
use winnow::combinator::{alt, eof, opt, preceded, terminated};
use winnow::error::EmptyError;

const SECOND: i64 = 1_000_000_000;
const MINUTE: i64 = 60 * SECOND;
const HOUR: i64 = 60 * MINUTE;
const DAY: i64 = 24 * HOUR;

/// Reads `PT13H20M`, `-P1DT0.5S`, or a time of day, `13:20:00`, as the protocol's own example writes it.
pub(super) fn read(text: &str) -> Option<SignedDuration> {
    let signed = (opt('-'), alt((duration, clock)));
    let (sign, nanos) = terminated(signed, eof).parse(text).ok()?;
    let nanos = nanos?;
    Some(SignedDuration::from_nanos(if sign.is_some() { -nanos } else { nanos }))
}

type Parsed<T> = Result<T, EmptyError>;

/// `P[nY][nM][nD][T[nH][nM][n[.f]S]]`, at least one of them; a year is 365 days and a month 30, as .NET takes them.
fn duration(input: &mut &str) -> Parsed<Option<i64>> {
    let days = (opt(terminated(digit1, 'Y')), opt(terminated(digit1, 'M')), opt(terminated(digit1, 'D')));
    let seconds = terminated((digit1, opt(preceded('.', digit1))), 'S');
    let clock = (opt(terminated(digit1, 'H')), opt(terminated(digit1, 'M')), opt(seconds));
    let (_, (years, months, days), clock) = ('P', days, opt(preceded('T', clock))).parse_next(input)?;
    let (hours, minutes, seconds) = match clock {
        Some((None, None, None)) => return Err(EmptyError),
        Some(clock) => clock,
        None if years.is_none() && months.is_none() && days.is_none() => return Err(EmptyError),
        None => (None, None, None),
    };
    let (seconds, fraction) = seconds.unwrap_or(("0", None));
    let wholes = [(years, 365 * DAY), (months, 30 * DAY), (days, DAY), (hours, HOUR), (minutes, MINUTE), (Some(seconds), SECOND)];
    Ok(total(&wholes, fraction))
}

/// `h:mm[:ss[.f]]`, a time of day.
fn clock(input: &mut &str) -> Parsed<Option<i64>> {
    let seconds = preceded(':', (digit1, opt(preceded('.', digit1))));
    let (hours, minutes, seconds) = (digit1, preceded(':', digit1), opt(seconds)).parse_next(input)?;
    let (seconds, fraction) = seconds.unwrap_or(("0", None));
    let within = |part: &str, most: i64| part.len() == 2 && part.parse::<i64>().is_ok_and(|part| part < most);
    if !within(hours, 24) || !within(minutes, 60) || (seconds != "0" && !within(seconds, 60)) {
        return Err(EmptyError);
    }
    Ok(total(&[(Some(hours), HOUR), (Some(minutes), MINUTE), (Some(seconds), SECOND)], fraction))
}

/// The sum of parts of different units, and of a fraction of a second; `None` if it does not fit.
fn total(wholes: &[(Option<&str>, i64)], fraction: Option<&str>) -> Option<i64> {
    let mut sum = match fraction {
        Some(fraction) => ticks(fraction)?,
        None => 0,
    };
    for (digits, unit) in wholes {
        if let Some(digits) = digits {
            sum = digits.parse::<i64>().ok()?.checked_mul(*unit)?.checked_add(sum)?;
        }
    }
    Some(sum)
}

/// A fraction of a second, of at most seven digits, in nanoseconds.
pub(super) fn ticks(fraction: &str) -> Option<i64> {
    if fraction.len() > 7 { None } else { format!("{fraction:0<9}").parse().ok() }
}

/// Whole hours beyond whole days.
pub(super) fn hours(time: SignedDuration) -> Option<i32> {
    i32::try_from(time.as_hours() % 24).ok()
}

/// Whole minutes beyond whole hours.
pub(super) fn minutes(time: SignedDuration) -> Option<i32> {
    i32::try_from(time.as_mins() % 60).ok()
}

/// Whole seconds beyond whole minutes.
pub(super) fn seconds(time: SignedDuration) -> Option<i32> {
    i32::try_from(time.as_secs() % 60).ok()
}

/// Writes it as a `duration`.
pub(super) fn write(time: SignedDuration, f: &mut fmt::Formatter<'_>) -> fmt::Result {
    let (sign, time) = (if time.is_negative() { "-" } else { "" }, time.unsigned_abs());
    let (seconds, nanos) = (time.as_secs(), time.subsec_nanos());
    write!(f, "{sign}P{}DT{}H{}M{}", seconds / 86_400, seconds / 3600 % 24, seconds / 60 % 60, seconds % 60)?;
    if nanos > 0 {
        write!(f, ".{}", format!("{nanos:09}").trim_end_matches('0'))?;
    }
    f.write_str("S")
}
