//! The parameters that say what a report on attendance counts: by what, and whom.

use super::usage::with_subtree;
use super::{BadParameter, Given};
use jiff::civil::{Date, Weekday};
use rollcall_model::directory::Department;
use rollcall_model::reports::{Grouping, InDepartment, StayFilter};
use rollcall_model::{Device, Directory, Medium, Period, SessionKind, UserKind};
use std::collections::HashMap;

/// Which stays count.
pub(super) fn stays(own: &Given<'_>) -> Result<StayFilter, BadParameter> {
    Ok(StayFilter {
        app: own.app()?,
        session_kinds: among("session_kind", own.get("session_kind"), SessionKind::ALL, |kind| kind.name())?,
        user_kinds: among("user_kind", own.get("user_kind"), UserKind::ALL, |kind| kind.name())?,
        devices: devices(own.get("device"))?,
        media: among("medium", own.get("medium"), Medium::ALL, |medium| medium.name())?,
        department: department(own)?,
    })
}

/// The newest entry of each department of those that began by a day, also if it has ended since.
pub(super) fn departments_by(directory: &Directory, day: Date) -> HashMap<&str, &Department> {
    // Entries of one department come in the order of their days.
    let begun = directory.departments().iter().filter(|entry| entry.from.is_none_or(|from| from <= day));
    begun.map(|entry| (entry.id.as_str(), entry)).collect()
}

/// Users of a department: `department`, and `subtree`.
pub(super) fn department(own: &Given<'_>) -> Result<Option<InDepartment>, BadParameter> {
    let with_subtree = with_subtree(own)?;
    Ok(own.get("department").map(|id| InDepartment { id: id.into(), with_subtree, below: None, home: own.home() }))
}

/// What `device` may name.
pub(super) const EXPECTED_DEVICES: &str =
    "one or more of desktop, web, mobile, tablet, room, phone, unknown, and computer for desktop and web, joined by commas";

const WEEKDAYS: [&str; 7] = ["sunday", "monday", "tuesday", "wednesday", "thursday", "friday", "saturday"];

/// `hour`, `day`, `week`, `month`, `quarter`, `year`, `whole`, or `rolling-N`; a day where nothing is said.
pub(super) fn grouping(value: Option<&str>) -> Result<Grouping, BadParameter> {
    Ok(match value {
        None | Some("day") => Grouping::Period(Period::Day),
        Some("week") => Grouping::Period(Period::Week),
        Some("hour") => Grouping::Hour,
        Some("quarter") => Grouping::Period(Period::Quarter),
        Some("month") => Grouping::Period(Period::Month),
        Some("year") => Grouping::Period(Period::Year),
        Some("whole") => Grouping::Whole,
        Some(text) => {
            let days = text.strip_prefix("rolling-").and_then(|days| days.parse().ok()).filter(|days| (1..=366).contains(days));
            let expected = "hour, day, week, month, quarter, year, whole, or rolling-7 for seven days";
            Grouping::Rolling(days.ok_or_else(|| BadParameter::new("by", value, expected))?)
        }
    })
}

/// The same, without hours and rolling days.
pub(super) fn period(value: Option<&str>) -> Result<Grouping, BadParameter> {
    match grouping(value)? {
        by @ (Grouping::Period(_) | Grouping::Whole) => Ok(by),
        Grouping::Hour | Grouping::Rolling(_) => Err(BadParameter::new("by", value, "day, week, month, quarter, year or whole")),
    }
}

/// The same, without rolling days.
pub(super) fn period_or_hour(value: Option<&str>) -> Result<Grouping, BadParameter> {
    match grouping(value)? {
        Grouping::Rolling(_) => Err(BadParameter::new("by", value, "hour, day, week, month, quarter, year or whole")),
        by => Ok(by),
    }
}

/// The English name of a day of the week.
pub(super) fn weekday(day: Weekday) -> &'static str {
    WEEKDAYS.get(usize::try_from(day.to_sunday_zero_offset()).unwrap_or(0)).copied().unwrap_or_default()
}

/// A day of the week by its English name; Sunday where nothing is said.
pub(super) fn week_start(value: Option<&str>) -> Result<Weekday, BadParameter> {
    let Some(text) = value else { return Ok(Weekday::Sunday) };
    let position = WEEKDAYS.iter().position(|name| *name == text).and_then(|position| i8::try_from(position).ok());
    let day = position.and_then(|position| Weekday::from_sunday_zero_offset(position).ok());
    day.ok_or_else(|| BadParameter::new("week_start", value, "a day of the week such as sunday"))
}

/// Words joined by commas, each one of `all`; none where nothing is said.
pub(super) fn among<T: Copy>(
    parameter: &str,
    value: Option<&str>,
    all: &[T],
    name: impl Fn(T) -> &'static str,
) -> Result<Option<Vec<T>>, BadParameter> {
    let Some(text) = value else { return Ok(None) };
    let find = |word: &str| all.iter().copied().find(|known| name(*known) == word);
    let words = text.split(',').map(|word| {
        let names: Vec<_> = all.iter().map(|known| name(*known)).collect();
        find(word).ok_or_else(|| BadParameter::new(parameter, Some(word), format!("one or more of {}, joined by commas", names.join(", "))))
    });
    words.collect::<Result<_, _>>().map(Some)
}

/// Devices joined by commas; `computer` is desktop and web.
pub(super) fn devices(value: Option<&str>) -> Result<Option<Vec<Device>>, BadParameter> {
    let Some(text) = value else { return Ok(None) };
    let mut devices = Vec::new();
    for word in text.split(',') {
        match (word, Device::from_name(word)) {
            ("computer", _) => devices.extend(Device::ALL.iter().copied().filter(|device| device.is_computer())),
            (_, Some(device)) => devices.push(device),
            (_, None) => return Err(BadParameter::new("device", Some(word), EXPECTED_DEVICES)),
        }
    }
    Ok(Some(devices))
}

#[cfg(test)]
mod tests {
    use super::*;
    use jiff::civil::date;

    #[test]
    fn a_department_that_has_ended_keeps_its_newest_name() {
        let document = r#"{"departments":[{"id":"d","name":"Old"},{"id":"d","name":"New","from":"2026-03-01","until":"2026-03-31"},
            {"id":"d","name":"Again","from":"2026-06-01"}]}"#;
        let directory = Directory::new(serde_json::from_str(document).unwrap()).unwrap();
        let name = |day| departments_by(&directory, day).get("d").map(|entry| entry.name.as_str());
        let days = [date(2026, 2, 1), date(2026, 3, 31), date(2026, 5, 1), date(2026, 6, 1)];
        assert_eq!(days.map(name), [Some("Old"), Some("New"), Some("New"), Some("Again")]);
    }
}
