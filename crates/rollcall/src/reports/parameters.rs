//! The parameters of reports, as people write them in a query or on the command line.

use super::{Ends, Question, Report, compare, dates, parameters_of};
use jiff::tz::TimeZone;
use rollcall_model::calendar::{DAY_MILLIS, EARLIEST, LATEST};
use rollcall_model::instant::parse_time;
use rollcall_model::{Calendar, Millis, Organization, Range};

/// The parameters that every report takes.
pub const COMMON: &[&str] = &["from", "to", "zone", "compare"];

/// What every question names.
#[derive(Debug, Clone, PartialEq)]
pub struct Common {
    /// The instants asked for.
    pub range: Range,
    /// The zone of the days.
    pub zone: TimeZone,
    /// How many rows an answer may have, where that is not known beforehand; 0: any.
    pub most_rows: u64,
}

/// What an answer may take; 0 is no bound.
#[derive(Debug, Clone, Copy)]
pub struct Bounds {
    /// Days of the range of a report with a row for each day.
    pub days: u64,
    /// Rows of a report with a row for each day and department or developer.
    pub rows: u64,
}

impl Bounds {
    /// None.
    pub const NONE: Self = Self { days: 0, rows: 0 };
}

/// The parameters given, each once and each known to the report.
#[derive(Debug)]
pub struct Given<'a> {
    pairs: &'a [(String, String)],
    organization: &'a Organization,
}

/// What is wrong with a parameter.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{}", shown(parameter, value.as_deref(), expected))]
pub struct BadParameter {
    /// Its name.
    pub parameter: String,
    /// Its value, shortened; none where it is missing.
    pub value: Option<String>,
    /// What was expected.
    pub expected: String,
}

fn shown(parameter: &str, value: Option<&str>, expected: &str) -> String {
    match value {
        Some(value) => format!("{parameter} {value}: expected {expected}"),
        None => format!("{parameter} is missing: expected {expected}"),
    }
}

impl BadParameter {
    pub fn new(parameter: &str, value: Option<&str>, expected: impl Into<String>) -> Self {
        Self { parameter: parameter.into(), value: value.map(|value| value.chars().take(80).collect()), expected: expected.into() }
    }
}

/// The question to `report` with these parameters, by name and value.
///
/// # Errors
/// The first parameter that is missing, unknown, given twice or wrong.
pub fn question(
    report: &dyn Report,
    given: &[(String, String)],
    organization: &Organization,
    bounds: Bounds,
) -> Result<Question, BadParameter> {
    check_names(given, &parameters_of(report))?;
    let own = Given { pairs: given, organization };
    let common = own.common(bounds.rows, report.ends())?;
    let days = bounds.days;
    let longest = i64::try_from(days).unwrap_or(i64::MAX).saturating_mul(DAY_MILLIS);
    if report.has_day_rows() && days > 0 && common.range.to - common.range.from > longest {
        return Err(BadParameter::new("to", own.get("to"), format!("at most {days} days after from (limits.report_days)")));
    }
    let Some(compare) = own.get(compare::PARAMETER) else { return report.question(common, &own) };
    let Some(compared) = report.compared(given) else {
        return Err(BadParameter::new(compare::PARAMETER, Some(compare), "nothing: rows such as these are not compared"));
    };
    let before = Common { range: compare::range(common.range, &common.zone, compare)?, ..common.clone() };
    let (now, before) = (report.question(common, &own)?, report.question_before(before, &own)?);
    Ok(Box::new(move |reports, org| Ok(compare::beside(now(reports, org)?, before(reports, org)?, compared))))
}

/// The IANA time zone of a name.
///
/// # Errors
/// If there is none.
pub fn zone(name: &str) -> Result<TimeZone, BadParameter> {
    TimeZone::get(name).map_err(|_| BadParameter::new("zone", Some(name), "an IANA time zone such as Asia/Shanghai"))
}

/// Whether each parameter is known, and given once.
///
/// # Errors
/// The first that is not.
pub fn check_names(given: &[(String, String)], known: &[&str]) -> Result<(), BadParameter> {
    for (position, (name, value)) in given.iter().enumerate() {
        if !known.contains(&name.as_str()) {
            return Err(BadParameter::new(name, Some(value), format!("one of the parameters {}", known.join(", "))));
        }
        if given.iter().take(position).any(|(earlier, _)| earlier == name) {
            return Err(BadParameter::new(name, Some(value), "each parameter once"));
        }
    }
    Ok(())
}

/// The range of an export, from `from` and `to` alone: days of the organization's zone, or instants. Without them there is no end.
///
/// # Errors
/// The first parameter that is unknown, given twice or wrong.
pub fn export_range(given: &[(String, String)], organization: &Organization) -> Result<Range, BadParameter> {
    check_names(given, &["from", "to", "format", "bom"])?;
    let given = Given { pairs: given, organization };
    let from = given.get("from").map_or(Ok(EARLIEST), |text| time("from", Some(text), &organization.zone))?;
    let to = given.get("to").map_or(Ok(LATEST), |text| end_time("to", Some(text), &organization.zone))?;
    let range = Range::new(from, to);
    if range.is_empty() { Err(BadParameter::new("to", given.get("to"), "a time after from")) } else { Ok(range) }
}

impl Given<'_> {
    /// The value of a parameter, if it is given.
    pub fn get(&self, name: &str) -> Option<&str> {
        self.pairs.iter().find(|(given, _)| given == name).map(|(_, value)| value.as_str())
    }

    /// Whose question it is.
    pub const fn organization(&self) -> &Organization {
        self.organization
    }

    /// The organization's zone.
    pub fn home(&self) -> TimeZone {
        self.organization.zone.clone()
    }

    /// All of them, by name and value.
    pub const fn pairs(&self) -> &[(String, String)] {
        self.pairs
    }

    fn common(&self, most_rows: u64, ends: Ends) -> Result<Common, BadParameter> {
        let zone = self.get("zone").map_or_else(|| Ok(self.organization.zone.clone()), zone)?;
        let (from, to) = (self.get("from"), self.get("to"));
        let is_open = ends == Ends::None || ends == Ends::Optional && from.is_none() && to.is_none();
        let range = if is_open { Range::new(EARLIEST, EARLIEST) } else { time_range(from, to, &zone)? };
        Ok(Common { range, zone, most_rows })
    }

    /// `app`: one of the organization's; none where nothing is said.
    pub fn app(&self) -> Result<Option<String>, BadParameter> {
        let (value, apps) = (self.get("app"), &self.organization.apps);
        match value {
            Some(app) if !apps.iter().any(|known| known == app) => {
                Err(BadParameter::new("app", value, format!("an app of the organization: {}", apps.join(", "))))
            }
            _ => Ok(value.map(Into::into)),
        }
    }

    /// `unit`: one of the organization's; none where nothing is said.
    pub fn unit(&self) -> Result<Option<u8>, BadParameter> {
        let Some(text) = self.get("unit") else { return Ok(None) };
        let units = &self.organization.units;
        let unit = text.parse().ok().filter(|unit| units.contains(unit));
        unit.map(Some).ok_or_else(|| {
            let units: Vec<_> = units.iter().map(ToString::to_string).collect();
            BadParameter::new("unit", Some(text), format!("a unit of the organization: {}", units.join(", ")))
        })
    }
}

/// The range from one time to another: a day, month, quarter or year begins it with its start, and ends it with its end; where only `from` is
/// given, it is that of `from`.
///
/// # Errors
/// The first that is wrong.
pub fn time_range(from: Option<&str>, to: Option<&str>, zone: &TimeZone) -> Result<Range, BadParameter> {
    let begin = time("from", from, zone)?;
    let end = match (to, from.filter(|from| dates::days(from).is_some())) {
        (Some(to), _) => end_time("to", Some(to), zone)?,
        (None, from @ Some(_)) => end_time("from", from, zone)?,
        (None, None) => return Err(BadParameter::new("to", None, dates::EXPECTED)),
    };
    if begin < end { Ok(Range::new(begin, end)) } else { Err(BadParameter::new("to", to, "a time after from")) }
}

/// The instant at which a range ends: an instant, or the end of days of a zone.
///
/// # Errors
/// If it is none.
pub fn end_time(parameter: &str, value: Option<&str>, zone: &TimeZone) -> Result<Millis, BadParameter> {
    match value.and_then(dates::days) {
        // The last day of all ends with the last instant of all.
        Some((_, next)) => Ok(Calendar::new(zone.clone()).start_of(next).clamp(EARLIEST, LATEST)),
        None => time(parameter, value, zone),
    }
}

/// Whether a text is days of a zone, and no instant.
pub fn is_days(text: &str) -> bool {
    dates::days(text).is_some()
}

/// The instant of a text: an instant, the start of days of a zone, or Unix milliseconds.
///
/// # Errors
/// If it is none.
pub fn time(parameter: &str, value: Option<&str>, zone: &TimeZone) -> Result<Millis, BadParameter> {
    let bad = || BadParameter::new(parameter, value, dates::EXPECTED);
    let text = value.ok_or_else(bad)?;
    let at = if let Some((first, _)) = dates::days(text) {
        Some(Calendar::new(zone.clone()).start_of(first))
    } else if let Ok(millis) = text.parse::<Millis>() {
        Some(millis)
    } else {
        // In a query, the plus sign of an offset that nobody escaped arrives as a space.
        parse_time(text).or_else(|| text.rsplit_once(' ').and_then(|(time, offset)| parse_time(&format!("{time}+{offset}"))))
    };
    at.filter(|at| (EARLIEST..=LATEST).contains(at)).ok_or_else(bad)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::reports::{find, groups};
    use rollcall_model::OrgId;

    fn parse(name: &str, query: &[(&str, &str)]) -> Result<Common, String> {
        let organization = Organization::new(OrgId(uuid::Uuid::nil()), "o", TimeZone::get("Asia/Shanghai").unwrap());
        let given: Vec<_> = query.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
        let _ = question(find(name).unwrap(), &given, &organization, Bounds { days: 366, rows: 0 }).map_err(|bad| bad.to_string())?;
        Given { pairs: &given, organization: &organization }.common(0, Ends::Needed).map_err(|bad| bad.to_string())
    }

    #[test]
    fn a_plain_day_begins_in_the_zone_of_the_question_and_the_last_one_is_in_the_range() {
        let own = parse("meeting_days", &[("from", "2025-03-01"), ("to", "2025-03-02")]).unwrap();
        assert_eq!(own.range, Range::new(1_740_758_400_000, 1_740_931_200_000));
        let utc = parse("meeting-days", &[("from", "2025-03-01"), ("to", "2025-03-02"), ("zone", "UTC")]).unwrap();
        assert_eq!(utc.range.from, 1_740_787_200_000);
    }

    #[test]
    fn a_month_a_quarter_or_a_year_is_a_range_by_itself() {
        let of = |query: &[(&str, &str)]| parse("top-users", query).unwrap().range;
        let day = 86_400_000;
        assert_eq!(of(&[("from", "2025-03-01")]), Range::new(1_740_758_400_000, 1_740_758_400_000 + day));
        assert_eq!(of(&[("from", "2025-03")]), Range::new(1_740_758_400_000, 1_740_758_400_000 + 31 * day));
        assert_eq!(of(&[("from", "2025-q1")]), of(&[("from", "2025-01"), ("to", "2025-03")]));
        assert_eq!(of(&[("from", "2025")]), of(&[("from", "2025-01-01"), ("to", "2025-12-31")]));
        // An instant is not in the range that it ends.
        assert_eq!(of(&[("from", "2025-03-01"), ("to", "2025-03-02T00:00:00+08:00")]), of(&[("from", "2025-03-01")]));
    }

    #[test]
    fn instants_are_read_in_each_form() {
        for from in ["2025-03-01T00:00:00+08:00", "2025-03-01T00:00:00 08:00", "2025-02-28T16:00:00Z", "1740758400000"] {
            assert_eq!(parse("top-users", &[("from", from), ("to", "2025-03-02")]).unwrap().range.from, 1_740_758_400_000, "{from}");
        }
    }

    #[test]
    fn a_bad_parameter_is_named_with_its_value_and_what_was_expected() {
        let days = [("from", "2025-03-01"), ("to", "2025-03-02")];
        let with = |name: &str, extra| parse(name, &[days[0], days[1], extra]).unwrap_err();
        assert_eq!(with("top-users", ("order", "name")), "order name: expected meetings or duration");
        assert_eq!(with("top-users", ("limit", "0")), "limit 0: expected an integer from 1");
        assert_eq!(with("top-users", ("unit", "1")), "unit 1: expected a unit of the organization: 0");
        assert_eq!(with("top-users", ("app", "x")), "app x: expected an app of the organization: default");
        assert_eq!(with("top-users", ("from", "2025-03-01")), "from 2025-03-01: expected each parameter once");
        assert_eq!(
            with("meeting-days", ("limit", "1")),
            "limit 1: expected one of the parameters from, to, zone, compare, by, week_start, app, unit"
        );
        assert_eq!(
            with("active-users", ("by", "minute")),
            "by minute: expected hour, day, week, month, quarter, year, whole, or rolling-7 for seven days"
        );
        assert_eq!(with("active-users", ("device", "desktop,fridge")), format!("device fridge: expected {}", groups::EXPECTED_DEVICES));
        assert_eq!(with("active-users", ("week_start", "someday")), "week_start someday: expected a day of the week such as sunday");
        assert_eq!(with("department-days", ("by", "week")), "by week: expected day or whole");
        assert_eq!(with("department-days", ("subtree", "no")), "subtree no: expected true or false");
        assert_eq!(with("developer-days", ("breakdown", "x")), "breakdown x: expected chatting, coding or completion");
        assert_eq!(with("users-by-place", ("by", "city")), "by city: expected country or subdivision");
        assert_eq!(with("users-by-place", ("country", "Mars")), "country Mars: expected an ISO 3166-1 alpha-2 code such as CN");
        assert!(with("meeting-days", ("zone", "Mars")).starts_with("zone Mars: expected an IANA time zone"));
        assert!(parse("meeting-days", &days[1..]).unwrap_err().starts_with("from is missing: expected a day"));
        assert!(parse("meeting-days", &[("from", "1740758400000")]).unwrap_err().starts_with("to is missing: expected a day"));
        assert!(parse("meeting-days", &[("from", "yesterday"), days[1]]).unwrap_err().starts_with("from yesterday: expected a day"));
        assert_eq!(parse("meeting-days", &[("from", "2025-03-03"), days[1]]).unwrap_err(), "to 2025-03-02: expected a time after from");
        assert!(parse("meeting-days", &[("from", "2020-01-01"), days[1]]).unwrap_err().contains("at most 366 days after from"));
        assert!(parse("top-users", &[("from", "2020-01-01"), days[1]]).is_ok());
    }
}
