//! The fields of the body, read into a question. What is wrong first, in the order of the fields, is told (wire, Order of checks).

use super::errors::{Refusal, shown};
use super::wire::{Dimension, USER_COUNT, USER_NUM};
use crate::Tenant;
use jiff::Timestamp;
use jiff::civil::DateTime;
use jiff::tz::{Offset, TimeZone};
use rollcall_model::calendar::{EARLIEST, LATEST};
use rollcall_model::place::Place;
use rollcall_model::reports::{PlaceLevel, UsersByPlace};
use rollcall_model::{Millis, Range};
use serde_json::{Map, Value};

const DAY: i64 = 86_400;
/// The longest AppId.
const LONGEST_APP_ID: usize = 128;
const OUT_OF_RANGE: &str = "InvalidParameter.OutofTimeRange";

/// Reads a body into a question to the tenant's organization.
pub(super) fn question(body: &[u8], tenant: &Tenant, now: Millis) -> Result<(UsersByPlace, Dimension), Refusal> {
    let fields = Fields::parse(body)?;
    let app = fields.app_id()?;
    let (start, end) = (fields.time("StartTime")?, fields.time("EndTime")?);
    let indicator = fields.text("Indicator")?;
    if ![USER_NUM, USER_COUNT].contains(&indicator) {
        let message = format!("Indicator \"{}\" is not supported; use user_num or user_count.", shown(indicator));
        return Err(Refusal::parameter(message));
    }
    let dimension = fields.text("Dimension")?;
    let dimension = Dimension::from_name(dimension)
        .ok_or_else(|| Refusal::parameter(format!("Dimension \"{}\" is not supported; use province or country.", shown(dimension))))?;
    // An app of another organization is as unknown as any.
    if !tenant.organization.apps.iter().any(|known| known == app) {
        return Err(Refusal::Service("InvalidParameter.NotExistAppId", format!("AppId \"{app}\" does not exist.")));
    }
    let range = range(&start, &end, tenant, now)?;
    let (by, country) = match dimension {
        Dimension::Province => (PlaceLevel::Subdivision, Place::country_only("CN")),
        Dimension::Country => (PlaceLevel::Country, None),
    };
    Ok((UsersByPlace { range, zone: TimeZone::fixed(start.offset), by, country, app: Some(app.into()) }, dimension))
}

/// A time as sent, and what it means.
struct Time<'a> {
    text: &'a str,
    seconds: i64,
    offset: Offset,
}

fn range(start: &Time<'_>, end: &Time<'_>, tenant: &Tenant, now: Millis) -> Result<Range, Refusal> {
    let settings = &tenant.volcengine;
    let (age, span) = (i64::from(settings.max_age_days), i64::from(settings.max_span_days));
    if end.seconds <= start.seconds {
        let message = format!("EndTime {} is not later than StartTime {}.", end.text, start.text);
        return Err(Refusal::Service("InvalidParameter.StartTimeAfterEndTime", message));
    }
    let earliest = now.div_euclid(1000) - age * DAY;
    if age > 0 && start.seconds < earliest {
        let earliest = written(earliest, start.offset);
        let message = format!("StartTime {} is more than {age} days ago; the earliest accepted now is {earliest}.", start.text);
        return Err(Refusal::Service(OUT_OF_RANGE, message));
    }
    if span > 0 && end.seconds - start.seconds > span * DAY {
        let message = format!("The range from StartTime {} to EndTime {} is longer than {span} days.", start.text, end.text);
        return Err(Refusal::Service(OUT_OF_RANGE, message));
    }
    // Outside of these there are no facts, nor may a report be asked.
    Ok(Range::new(start.seconds * 1000, end.seconds * 1000).intersect(&Range::new(EARLIEST, LATEST)))
}

fn written(seconds: i64, offset: Offset) -> String {
    let Ok(time) = Timestamp::from_second(seconds) else { return seconds.to_string() };
    let format = if offset == Offset::UTC { "%Y-%m-%dT%H:%M:%SZ" } else { "%Y-%m-%dT%H:%M:%S%:z" };
    time.to_zoned(TimeZone::fixed(offset)).strftime(format).to_string()
}

struct Fields(Map<String, Value>);

impl Fields {
    fn parse(body: &[u8]) -> Result<Self, Refusal> {
        if body.trim_ascii().is_empty() {
            let message = "The request body is empty; a JSON object is required.";
            return Err(Refusal::Service("InvalidParameter.BodyIsEmpty", message.into()));
        }
        let object = serde_json::from_slice(body).map(Self);
        object.map_err(|reason| unmarshal(format!("The request body is not a JSON object: {}.", shown(&reason.to_string()))))
    }

    fn text(&self, field: &str) -> Result<&str, Refusal> {
        match self.0.get(field) {
            None | Some(Value::Null) => Err(Refusal::parameter(format!("{field} is missing."))),
            Some(Value::String(text)) if text.is_empty() => Err(Refusal::parameter(format!("{field} is missing."))),
            Some(Value::String(text)) => Ok(text),
            Some(_) => Err(unmarshal(format!("{field} must be a string."))),
        }
    }

    fn app_id(&self) -> Result<&str, Refusal> {
        let app_id = self.text("AppId")?;
        let well_formed = app_id.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"@._-".contains(&byte));
        if !well_formed || app_id.len() > LONGEST_APP_ID {
            let message =
                format!("AppId \"{}\" is malformed: 1 to {LONGEST_APP_ID} characters of a-z A-Z 0-9 @ . _ - are allowed.", shown(app_id));
            return Err(Refusal::Service("InvalidParameter.IllegalAppId", message));
        }
        Ok(app_id)
    }

    fn time(&self, field: &str) -> Result<Time<'_>, Refusal> {
        let text = self.text(field)?;
        time(text).ok_or_else(|| {
            let example = "2021-07-24T00:00:00+08:00";
            Refusal::parameter(format!("{field} \"{}\" is not an RFC 3339 time such as {example}.", shown(text)))
        })
    }
}

const fn unmarshal(message: String) -> Refusal {
    Refusal::Service("InvalidParameter.Unmarshal", message)
}

/// An RFC 3339 time; a fraction of a second is cut.
fn time(text: &str) -> Option<Time<'_>> {
    let (head, rest) = text.split_at_checked(19)?;
    let shape = head.bytes().map(|byte| if byte.is_ascii_digit() { b'0' } else { byte.to_ascii_uppercase() });
    if !shape.eq(*b"0000-00-00T00:00:00") {
        return None;
    }
    let zone = match rest.strip_prefix('.') {
        None => rest,
        Some(fraction) => {
            let zone = fraction.trim_start_matches(|digit: char| digit.is_ascii_digit());
            Some(zone).filter(|zone| zone.len() < fraction.len())?
        }
    };
    let offset = match zone.as_bytes() {
        [b'Z' | b'z'] => 0,
        [sign @ (b'+' | b'-'), hours @ .., b':', m1, m2] => {
            let minutes = pair(hours, 23)? * 60 + pair(&[*m1, *m2], 59)?;
            if *sign == b'+' { minutes } else { -minutes }
        }
        _ => return None,
    };
    let local = head.to_ascii_uppercase().parse::<DateTime>().ok()?;
    let offset = Offset::from_seconds(offset * 60).ok()?;
    // Not through an instant of jiff, which ends a day before what RFC 3339 can write.
    let seconds = local.duration_since(DateTime::constant(1970, 1, 1, 0, 0, 0, 0)).as_secs() - i64::from(offset.seconds());
    Some(Time { text, seconds, offset })
}

/// Two decimal digits that make at most `most`.
fn pair(digits: &[u8], most: i32) -> Option<i32> {
    let [tens @ b'0'..=b'9', ones @ b'0'..=b'9'] = digits else { return None };
    let value = i32::from(tens - b'0') * 10 + i32::from(ones - b'0');
    (value <= most).then_some(value)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_rfc_3339_with_any_offset_and_fractions_are_cut() {
        for (text, seconds, offset) in [
            ("2021-07-24T00:00:00+08:00", 1_627_056_000, 8 * 3600),
            ("2021-07-23T16:00:00Z", 1_627_056_000, 0),
            ("2021-07-23t16:00:00.999999999999999z", 1_627_056_000, 0),
            ("2021-07-23T10:30:00-05:30", 1_627_056_000, -19_800),
            ("2021-07-23T16:00:00-00:00", 1_627_056_000, 0),
            ("0000-01-01T00:00:00Z", -62_167_219_200, 0),
            ("9999-12-31T23:59:59-23:59", 253_402_300_799 + 86_340, -86_340),
        ] {
            let time = time(text).unwrap();
            assert_eq!((time.seconds, time.offset.seconds()), (seconds, offset), "{text}");
        }
        for text in [
            "",
            "2021-07-24",
            "2021-07-24T00:00:00",
            "2021-07-24 00:00:00Z",
            "2021-07-24T00:00Z",
            "2021-07-24T00:00:00.Z",
            "2021-07-24T00:00:00+0800",
            "2021-07-24T00:00:00+08",
            "2021-07-24T00:00:00+24:00",
            "2021-07-24T00:00:00+08:60",
            "2021-07-24T00:00:00+08:00[Asia/Shanghai]",
            "2021-02-29T00:00:00Z",
            "2021-07-24T24:00:00Z",
            "+021-07-24T00:00:00Z",
            "1627056000",
            "２021-07-24T00:00:00Z",
        ] {
            assert!(time(text).is_none(), "{text}");
        }
    }
}
