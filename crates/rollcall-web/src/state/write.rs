//! A state as a query.

use super::{Asked, Behind, Compare, Order, Preset, State, Theme};
use crate::when::zone_name;
use jiff::civil::Weekday;
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use rollcall_model::Period;
use rollcall_model::calendar::rfc3339;

/// What need not be escaped in a value of a query.
const PLAIN: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~').remove(b':').remove(b'/').remove(b',');

/// A value, escaped.
pub(crate) fn encoded(value: &str) -> String {
    utf8_percent_encode(value, PLAIN).to_string()
}

/// A day of the week, as the native API has it.
pub(crate) const fn weekday_name(day: Weekday) -> &'static str {
    match day {
        Weekday::Monday => "monday",
        Weekday::Tuesday => "tuesday",
        Weekday::Wednesday => "wednesday",
        Weekday::Thursday => "thursday",
        Weekday::Friday => "friday",
        Weekday::Saturday => "saturday",
        Weekday::Sunday => "sunday",
    }
}

/// A period, as the native API has it.
pub(crate) const fn period_name(period: Period) -> &'static str {
    match period {
        Period::Day => "day",
        Period::Week => "week",
        Period::Month => "month",
        Period::Quarter => "quarter",
        Period::Year => "year",
    }
}

/// Names joined by commas; none where there are none.
fn joined<T: Copy>(values: &[T], name: impl Fn(T) -> &'static str) -> Option<String> {
    (!values.is_empty()).then(|| values.iter().map(|value| name(*value)).collect::<Vec<_>>().join(","))
}

impl State {
    /// Its parameters, in order, without those that are as usual.
    pub(crate) fn parameters(&self) -> Vec<(&'static str, String)> {
        let usual = Self::default();
        let mut pairs = Vec::new();
        match self.asked {
            asked if asked == usual.asked => {}
            Asked::Preset(preset) => {
                pairs.extend(Preset::ALL.iter().find(|(one, ..)| *one == preset).map(|(_, name, _)| ("range", (*name).to_owned())))
            }
            Asked::Days(first, last) => pairs.extend([("from", first.to_string()), ("to", last.to_string())]),
            Asked::Instants(from, to) => pairs.extend([("from", rfc3339(from)), ("to", rfc3339(to))]),
        }
        pairs.extend(self.zone.as_ref().map(|zone| ("zone", zone_name(zone).to_owned())));
        pairs.extend((self.week_start != usual.week_start).then(|| ("week_start", weekday_name(self.week_start).to_owned())));
        pairs.extend(self.compare.map(|compare| ("compare", compare.name())));
        pairs.extend(self.by.map(|by| ("by", period_name(by).to_owned())));
        let filters = &self.filters;
        pairs.extend(filters.app.clone().map(|app| ("app", app)));
        pairs.extend(joined(&filters.session_kinds, |kind| kind.name()).map(|kinds| ("session_kind", kinds)));
        pairs.extend(joined(&filters.user_kinds, |kind| kind.name()).map(|kinds| ("user_kind", kinds)));
        pairs.extend(joined(&filters.devices, |device| device.name()).map(|devices| ("device", devices)));
        pairs.extend(joined(&filters.media, |medium| medium.name()).map(|media| ("medium", media)));
        pairs.extend(filters.department.clone().map(|department| ("department", department)));
        pairs.extend(filters.user.clone().map(|user| ("user", user)));
        pairs.extend(self.find.clone().map(|find| ("find", find)));
        pairs.extend((self.order != usual.order).then(|| ("order", self.order.name().to_owned())));
        pairs.extend(self.behind.name().map(|behind| ("behind", behind)));
        pairs.extend(self.after.clone().map(|after| ("after", after)));
        pairs.extend(self.lang.map(|lang| ("lang", lang.tag().to_owned())));
        pairs.extend(self.theme.map(|theme| ("theme", theme.name().to_owned())));
        pairs.extend(self.embed.then(|| ("embed", "1".to_owned())));
        pairs
    }

    /// The query, without a question mark.
    pub(crate) fn query(&self) -> String {
        self.parameters().iter().map(|(name, value)| format!("{name}={}", encoded(value))).collect::<Vec<_>>().join("&")
    }
}

impl Compare {
    /// As the URL has it.
    pub(crate) fn name(self) -> String {
        match self {
            Self::Previous => "previous".into(),
            Self::Year => "year".into(),
            Self::Days(first, last) => format!("{first}..{last}"),
        }
    }
}

impl Order {
    /// As the URL has it.
    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::Time => "time",
            Self::Sessions => "sessions",
            Self::Id => "id",
        }
    }
}

impl Behind {
    /// As the URL has it; none for what is usual.
    pub(crate) fn name(&self) -> Option<String> {
        Some(match self {
            Self::Active => return None,
            Self::Meetings => "meetings".into(),
            Self::Place(place) => format!("place:{}", place.map(|place| place.code()).unwrap_or_default()),
            Self::NoDepartment => "no-department".into(),
            Self::Instant(at) => format!("instant:{}", rfc3339(*at)),
            Self::Developers(department) => format!("developers:{department}"),
        })
    }
}

impl Theme {
    /// As the URL and the stylesheet have it.
    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::Light => "light",
            Self::Dark => "dark",
        }
    }
}

/// What need not be escaped in a segment of a path.
const SEGMENT: &AsciiSet = &PLAIN.add(b'/').add(b':').add(b',');

/// A segment of a path, escaped.
pub(crate) fn segment(text: &str) -> String {
    utf8_percent_encode(text, SEGMENT).to_string()
}
