//! A fact as a line of NDJSON, by hand: a serializer would take most of the time of making ten million.

use super::Fact;
use super::chance::mixed;
use super::people::People;
use rollcall_model::calendar::DAY_MILLIS;
use rollcall_model::fact::Medium;
use rollcall_model::{Media, Millis, SessionKind, UserKind};

/// About how long a line is.
pub(super) const USUAL_BYTES: usize = 300;

/// Appends the line of a fact, without what its defaults say.
pub(super) fn write(fact: &Fact, people: &People, line: &mut Vec<u8>) {
    line.extend_from_slice(b"{\"session_id\":\"");
    session_id(fact, line);
    if fact.session_kind != SessionKind::Meeting {
        line.extend_from_slice(b"\",\"session_kind\":\"");
        line.extend_from_slice(fact.session_kind.name().as_bytes());
    }
    line.extend_from_slice(b"\",\"session_started_at\":\"");
    time(fact.session_started_at, line);
    line.extend_from_slice(b"\",\"user_id\":\"");
    people.write_id(fact.user, fact.user_kind, line);
    if fact.user_kind != UserKind::Member {
        line.extend_from_slice(b"\",\"user_kind\":\"");
        line.extend_from_slice(fact.user_kind.name().as_bytes());
    }
    line.extend_from_slice(b"\",\"device\":\"");
    line.extend_from_slice(fact.device.name().as_bytes());
    line.extend_from_slice(b"\",\"joined_at\":\"");
    time(fact.joined_at, line);
    line.extend_from_slice(b"\",\"left_at\":\"");
    time(fact.left_at, line);
    line.push(b'"');
    media(fact.media, line);
    if !fact.place.is_empty() {
        line.extend_from_slice(if fact.place.contains('-') { b",\"subdivision\":\"" } else { b",\"country\":\"" });
        line.extend_from_slice(fact.place.as_bytes());
        line.push(b'"');
    }
    line.extend_from_slice(b"}\n");
}

/// Nineteen digits, as Feishu's are.
fn session_id(fact: &Fact, line: &mut Vec<u8>) {
    digits(6_900_000_000_000_000_000 + mixed(fact.session) % 99_999_999_999_999_999, 19, line);
}

fn media(media: Media, line: &mut Vec<u8>) {
    if media == Media::AUDIO {
        return;
    }
    line.extend_from_slice(b",\"media\":[");
    for medium in Medium::ALL.iter().filter(|medium| media.has(**medium)) {
        line.push(b'"');
        line.extend_from_slice(medium.name().as_bytes());
        line.extend_from_slice(b"\",");
    }
    line.pop();
    line.push(b']');
}

/// An instant in RFC 3339, in UTC.
pub(super) fn time(at: Millis, line: &mut Vec<u8>) {
    let (year, month, day) = civil(at.div_euclid(DAY_MILLIS));
    let within = at.rem_euclid(DAY_MILLIS).unsigned_abs();
    for (number, width, after) in [
        (year, 4, b'-'),
        (month, 2, b'-'),
        (day, 2, b'T'),
        (within / 3_600_000, 2, b':'),
        (within / 60_000 % 60, 2, b':'),
        (within / 1000 % 60, 2, b'.'),
        (within % 1000, 3, b'Z'),
    ] {
        digits(number, width, line);
        line.push(after);
    }
}

/// The date of a day counted from 1970-01-01. Years are counted from March, so that a leap day ends one.
fn civil(day: i64) -> (u64, u64, u64) {
    let since_0000 = (day + 719_468).unsigned_abs();
    let (era, day_of_era) = (since_0000 / 146_097, since_0000 % 146_097);
    let year_of_era = (day_of_era - day_of_era / 1460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let from_march = (5 * day_of_year + 2) / 153;
    let month = if from_march < 10 { from_march + 3 } else { from_march - 9 };
    (era * 400 + year_of_era + u64::from(month <= 2), month, day_of_year - (153 * from_march + 2) / 5 + 1)
}

/// Appends a number.
pub(super) fn number(number: u64, line: &mut Vec<u8>) {
    digits(number, number.checked_ilog10().map_or(1, |digits| digits as usize + 1), line);
}

/// Appends a number with so many digits.
fn digits(mut number: u64, width: usize, line: &mut Vec<u8>) {
    let start = line.len();
    line.resize(start + width, b'0');
    for digit in line.iter_mut().skip(start).rev() {
        *digit = b'0' + u8::try_from(number % 10).unwrap_or_default();
        number /= 10;
    }
}
