//! Reading an instant from text.

use crate::calendar::{DAY_MILLIS, Millis, timestamp};
use jiff::civil::DateTime;
use jiff::tz::{AmbiguousOffset, Offset, TimeZone};
use std::borrow::Cow;

/// An RFC 3339 time with an offset; digits below the millisecond are dropped.
pub fn parse_time(text: &str) -> Option<Millis> {
    // Nearly every time of a large body has the plain form, which needs no general parser; what that one does not
    // recognize may still be a time.
    plain(text.as_bytes()).or_else(|| Some(text.parse::<jiff::Timestamp>().ok()?.as_nanosecond().div_euclid(1_000_000) as Millis))
}

/// A date and a time of day without an offset, separated by `T` or a space: the milliseconds since clocks that show it showed
/// 1970-01-01T00:00:00; digits below the millisecond are dropped. A date alone is none.
pub fn parse_local(text: &str) -> Option<Millis> {
    let plain = text.len() > "2025-01-01".len() && text.bytes().all(|byte| byte.is_ascii_digit() || b"-T :.".contains(&byte));
    let shown = plain.then(|| text.parse::<DateTime>().ok())??;
    Some(Offset::UTC.to_timestamp(shown).ok()?.as_nanosecond().div_euclid(1_000_000) as Millis)
}

/// The instant at which the clocks of a zone showed a time, which is counted as [`parse_local`] does.
///
/// # Errors
/// What was expected in its place, where the clocks showed the time twice or never.
pub fn instant_of_local(local: Millis, zone: &TimeZone) -> Result<Millis, Cow<'static, str>> {
    let shown = Offset::UTC.to_datetime(timestamp(local));
    let name = || zone.iana_name().unwrap_or("that zone");
    let offset = match zone.to_ambiguous_timestamp(shown).offset() {
        AmbiguousOffset::Unambiguous { offset } => offset,
        AmbiguousOffset::Fold { .. } => {
            return Err(format!("an offset, since the clocks of {} showed this time twice", name()).into());
        }
        AmbiguousOffset::Gap { .. } => {
            return Err(format!("a time that the clocks of {} showed: they were set forward past this one", name()).into());
        }
    };
    Ok(local - Millis::from(offset.seconds()) * 1000)
}

/// `YYYY-MM-DDTHH:MM:SS[.f…](Z|±hh:mm)` of the years 1972 to 2199.
fn plain(text: &[u8]) -> Option<Millis> {
    let [y1, y2, y3, y4, b'-', m1, m2, b'-', d1, d2, b'T', h1, h2, b':', i1, i2, b':', s1, s2, rest @ ..] = text else { return None };
    let year = pair(*y1, *y2, 99)? * 100 + pair(*y3, *y4, 99)?;
    let (month, day) = (pair(*m1, *m2, 12)?, pair(*d1, *d2, 31)?);
    if !(1972..2200).contains(&year) || month == 0 || day == 0 || day > days_of(year, month) {
        return None;
    }
    let seconds = (pair(*h1, *h2, 23)? * 60 + pair(*i1, *i2, 59)?) * 60 + pair(*s1, *s2, 59)?;
    let (millis, offset) = fraction(rest)?;
    let ahead = match *offset {
        [b'Z'] => 0,
        [sign @ (b'+' | b'-'), h1, h2, b':', m1, m2] => {
            let minutes = pair(h1, h2, 23)? * 60 + pair(m1, m2, 59)?;
            if sign == b'+' { minutes } else { -minutes }
        }
        _ => return None,
    };
    Some(days_to(year, month, day) * DAY_MILLIS + seconds * 1000 + millis - ahead * 60_000)
}

/// Two decimal digits that make at most `most`.
fn pair(tens: u8, ones: u8, most: Millis) -> Option<Millis> {
    let (tens, ones) = (tens.wrapping_sub(b'0'), ones.wrapping_sub(b'0'));
    let value = Millis::from(tens) * 10 + Millis::from(ones);
    (tens < 10 && ones < 10 && value <= most).then_some(value)
}

/// The milliseconds of a fraction of one to nine digits, if there is one, and what follows it.
fn fraction(text: &[u8]) -> Option<(Millis, &[u8])> {
    let [b'.', digits @ ..] = text else { return Some((0, text)) };
    let count = digits.iter().take_while(|byte| byte.is_ascii_digit()).count();
    let (fraction, rest) = digits.split_at_checked(count).filter(|_| (1..=9).contains(&count))?;
    let digit = |at: usize| Millis::from(fraction.get(at).map_or(0, |digit| digit - b'0'));
    Some((digit(0) * 100 + digit(1) * 10 + digit(2), rest))
}

const fn days_of(year: Millis, month: Millis) -> Millis {
    match month {
        2 if year % 4 == 0 && (year % 100 != 0 || year % 400 == 0) => 29,
        2 => 28,
        4 | 6 | 9 | 11 => 30,
        _ => 31,
    }
}

/// Days from 1970-01-01. Years are counted from March, so that a leap day ends one.
const fn days_to(year: Millis, month: Millis, day: Millis) -> Millis {
    let year = if month > 2 { year } else { year - 1 };
    let month_from_march = (month + 9) % 12;
    let day_of_year = (153 * month_from_march + 2) / 5 + day - 1;
    year * 365 + year / 4 - year / 100 + year / 400 + day_of_year - 719_468
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::calendar::{EARLIEST, LATEST, timestamp};
    use proptest::prelude::*;

    #[test]
    fn digits_below_the_millisecond_are_dropped() {
        assert_eq!(parse_time("2025-03-01T09:00:00.0019Z"), Some(1_740_819_600_001));
        assert_eq!(parse_time("2025-03-01T17:00:00.5+08:00"), Some(1_740_819_600_500));
        assert_eq!(parse_time("2025-03-01T09:00Z"), Some(1_740_819_600_000));
    }

    #[test]
    fn what_is_no_time_is_refused() {
        for text in [
            "",
            "2025-02-29T00:00:00Z",
            "2025-13-01T00:00:00Z",
            "2025-01-01T24:00:00Z",
            "2025-01-01T00:00:00",
            "2025-01-01",
            "2025-01-01T00:00:00.Z",
        ] {
            assert_eq!(parse_time(text), None, "{text}");
        }
    }

    #[test]
    fn a_local_time_is_a_date_and_a_time_without_an_offset() {
        for text in ["2025-03-01T09:00:00", "2025-03-01 09:00:00", "2025-03-01 09:00", "2025-03-01T09:00:00.0009", "20250301T090000"] {
            assert_eq!(parse_local(text), Some(1_740_819_600_000), "{text}");
        }
        for text in
            ["", "2025-03-01", "2025-03-01T09:00:00Z", "2025-03-01T09:00:00+01:00", "2025-02-29T09:00:00", "2025-03-01T09:00:00[UTC]"]
        {
            assert_eq!(parse_local(text), None, "{text}");
        }
    }

    #[test]
    fn a_time_that_clocks_showed_twice_or_never_is_no_instant() {
        let berlin = TimeZone::get("Europe/Berlin").unwrap();
        let instant = |text| instant_of_local(parse_local(text).unwrap(), &berlin).map_err(Cow::into_owned);
        assert_eq!(instant("2025-03-30T01:59:59.999"), Ok(parse_time("2025-03-30T01:59:59.999+01:00").unwrap()));
        assert_eq!(instant("2025-03-30T03:00:00"), Ok(parse_time("2025-03-30T03:00:00+02:00").unwrap()));
        assert_eq!(
            instant("2025-03-30T02:00:00").unwrap_err(),
            "a time that the clocks of Europe/Berlin showed: they were set forward past this one"
        );
        assert_eq!(instant("2025-10-26T02:59:59").unwrap_err(), "an offset, since the clocks of Europe/Berlin showed this time twice");
        assert_eq!(instant("2025-10-26T03:00:00"), Ok(parse_time("2025-10-26T03:00:00+01:00").unwrap()));
    }

    proptest! {
        #[test]
        fn the_plain_form_means_what_the_general_parser_says(at in EARLIEST..LATEST, offset in -1439i32..1440) {
            let offset = jiff::tz::Offset::from_seconds(offset * 60).unwrap();
            let local = timestamp(at).to_zoned(offset.to_time_zone());
            let text = local.strftime("%Y-%m-%dT%H:%M:%S%.f%:z").to_string();
            let general = text.parse::<jiff::Timestamp>().unwrap().as_millisecond();
            prop_assert_eq!(general, at);
            prop_assert_eq!(parse_time(&text), Some(at));
            if (1972..2200).contains(&local.year()) {
                prop_assert_eq!(plain(text.as_bytes()), Some(at));
            }
        }

        #[test]
        fn damaged_times_mean_what_the_general_parser_says(at in EARLIEST..LATEST, position in 0usize..24, byte in "[0-9TZtz:.+ -]") {
            let mut text = timestamp(at).to_string();
            if position < text.len() {
                text.replace_range(position..=position, &byte);
            }
            let general = text.parse::<jiff::Timestamp>().ok().map(|time| time.as_nanosecond().div_euclid(1_000_000) as Millis);
            prop_assert_eq!(parse_time(&text), general, "{}", text);
        }
    }
}
