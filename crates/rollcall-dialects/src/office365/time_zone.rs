//! The zone of the header `X-timezone` (wire, Periods and section 7).

mod windows;

use jiff::tz::{Offset, TimeZone};

/// Longer than any name.
const LONGEST: usize = 64;
/// The largest offset, in minutes.
const LARGEST_OFFSET: i32 = 14 * 60;

/// The zone of a Windows id, an IANA name, `UTC`, `GMT`, or an offset `+hh:mm`; letter case does not matter. Nothing is UTC.
pub(super) fn parse(value: &str) -> Option<TimeZone> {
    let value = value.trim();
    if value.is_empty() || ["UTC", "GMT"].iter().any(|name| value.eq_ignore_ascii_case(name)) {
        return Some(TimeZone::UTC);
    }
    if value.len() > LONGEST {
        return None;
    }
    if let Some((sign, digits)) =
        value.strip_prefix('+').map(|digits| (1, digits)).or_else(|| value.strip_prefix('-').map(|digits| (-1, digits)))
    {
        return offset(sign, digits);
    }
    let name = windows::IDS.iter().find(|(id, _)| id.eq_ignore_ascii_case(value)).map_or(value, |(_, name)| name);
    TimeZone::get(name).ok().filter(|zone| !zone.is_unknown())
}

/// `hh:mm`, up to 14:00, with quarter hours.
fn offset(sign: i32, digits: &str) -> Option<TimeZone> {
    let (hours, minutes) = digits.split_once(':')?;
    let number =
        |text: &str| (text.len() == 2 && text.bytes().all(|byte| byte.is_ascii_digit())).then(|| text.parse::<i32>().ok()).flatten();
    let (hours, minutes) = (number(hours)?, number(minutes)?);
    let all = hours * 60 + minutes;
    if minutes >= 60 || minutes % 15 != 0 || all > LARGEST_OFFSET {
        return None;
    }
    Offset::from_seconds(sign * all * 60).ok().map(TimeZone::fixed)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn name(value: &str) -> Option<String> {
        parse(value)?.iana_name().map(Into::into)
    }

    #[test]
    fn every_windows_id_has_a_zone() {
        for (id, iana) in windows::IDS {
            let zone = if *id == "UTC" { TimeZone::UTC } else { TimeZone::get(iana).unwrap() };
            assert_eq!(parse(id), Some(zone), "{id}");
        }
        assert_eq!(windows::IDS.len(), 141);
    }

    #[test]
    fn names_are_compared_whatever_their_case() {
        assert_eq!(name("pacific standard time").as_deref(), Some("America/Los_Angeles"));
        assert_eq!(name("asia/shanghai").as_deref(), Some("Asia/Shanghai"));
        assert_eq!(name(" GMT Standard Time ").as_deref(), Some("Europe/London"));
        for utc in ["", " ", "utc", "Gmt", "+00:00", "-00:00"] {
            assert_eq!(
                parse(utc).map(|zone| zone == TimeZone::UTC || zone.to_fixed_offset().ok() == Some(Offset::UTC)),
                Some(true),
                "{utc}"
            );
        }
    }

    #[test]
    fn offsets_are_quarter_hours_up_to_fourteen_hours() {
        for (value, seconds) in [("+08:00", 28_800), ("-03:30", -12_600), ("+05:45", 20_700), ("+14:00", 50_400), ("-14:00", -50_400)] {
            assert_eq!(parse(value).and_then(|zone| zone.to_fixed_offset().ok()).map(Offset::seconds), Some(seconds), "{value}");
        }
        for value in [
            "+8:00",
            "+08:10",
            "+14:15",
            "+15:00",
            "08:00",
            "+08",
            "+0800",
            "+08:60",
            "+-8:00",
            "Middle Earth Standard Time",
            "Etc/Unknown",
            "../UTC",
            "é",
        ] {
            assert!(parse(value).is_none(), "{value}");
        }
    }
}
