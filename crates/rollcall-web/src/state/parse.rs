//! A query as a state. What is wrong is refused and not guessed at: a page never shows numbers of another question than the one asked.

use super::write::{period_name, weekday_name};
use super::{Asked, Behind, Compare, Order, Preset, State, Theme};
use crate::lang::Lang;
use jiff::civil::{Date, Weekday};
use jiff::tz::TimeZone;
use percent_encoding::percent_decode_str;
use rollcall_model::calendar::{DAY_MILLIS, EARLIEST, LATEST};
use rollcall_model::instant::parse_time;
use rollcall_model::{Device, Medium, Millis, Organization, Period, Place, SessionKind, UserKind};

/// What is wrong with a query.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct BadState {
    /// The parameter.
    pub(crate) parameter: String,
    /// Its value, shortened.
    pub(crate) value: String,
}

/// The pairs of a query, decoded. A text that is not UTF-8 keeps replacement characters.
pub(crate) fn pairs(query: &str) -> Vec<(String, String)> {
    let plain = |text: &str| decoded(&text.replace('+', " "));
    let pair = |pair: &str| {
        let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
        (plain(name), plain(value))
    };
    query.split('&').filter(|part| !part.is_empty()).map(pair).collect()
}

/// A text without its escapes.
pub(crate) fn decoded(text: &str) -> String {
    percent_decode_str(text).decode_utf8_lossy().into_owned()
}

/// The longest range, in days: ten years. More is asked of the native API.
pub(super) const LONGEST_DAYS: i32 = 3660;

/// The longest value that is read.
const LONGEST: usize = 1024;

impl State {
    /// Reads a query. A parameter without a value is as good as none; one that is not known is left alone.
    ///
    /// # Errors
    /// The first parameter that is wrong.
    pub(crate) fn parse(query: &str, organization: &Organization) -> Result<Self, BadState> {
        let mut state = Self::default();
        let mut ends: (Option<String>, Option<String>) = (None, None);
        for (name, value) in pairs(query) {
            if value.is_empty() {
                continue;
            }
            let bad = || BadState { parameter: name.clone(), value: value.chars().take(80).collect() };
            let good = value.len() <= LONGEST && !value.chars().any(char::is_control);
            let value = if good { value.as_str() } else { return Err(bad()) };
            let text = || Some(Some(value.to_owned()));
            let filters = &mut state.filters;
            let read = match name.as_str() {
                "range" => set(&mut state.asked, preset(value).map(Asked::Preset)),
                "from" => set(&mut ends.0, text()),
                "to" => set(&mut ends.1, text()),
                "zone" => set(&mut state.zone, zone(value).map(Some)),
                "week_start" => set(&mut state.week_start, weekday(value)),
                "compare" => set(&mut state.compare, compare(value)),
                "by" => set(&mut state.by, period(value).map(Some)),
                "app" => set(&mut filters.app, text().filter(|_| organization.apps.iter().any(|app| app == value))),
                "session_kind" => among(&mut filters.session_kinds, value, SessionKind::from_name),
                "user_kind" => among(&mut filters.user_kinds, value, UserKind::from_name),
                "device" => among(&mut filters.devices, value, Device::from_name),
                "medium" => among(&mut filters.media, value, Medium::from_name),
                "department" => set(&mut filters.department, text()),
                "user" => set(&mut filters.user, text()),
                "find" => set(&mut state.find, text()),
                "order" => set(&mut state.order, [Order::Time, Order::Sessions, Order::Id].into_iter().find(|order| order.name() == value)),
                "behind" => set(&mut state.behind, behind(value)),
                "after" => set(&mut state.after, text()),
                "lang" => set(&mut state.lang, Lang::of_tag(value).map(Some)),
                "theme" => set(&mut state.theme, [Theme::Light, Theme::Dark].into_iter().find(|theme| theme.name() == value).map(Some)),
                "embed" => set(&mut state.embed, Some(value == "1")),
                _ => true,
            };
            if !read {
                return Err(bad());
            }
        }
        let zone = state.zone.as_ref().unwrap_or(&organization.zone);
        match ends {
            (None, None) => {}
            (from, to) => {
                let (from, to) = (from.unwrap_or_default(), to.unwrap_or_default());
                let bad = |parameter: &str, value: &str| BadState { parameter: parameter.into(), value: value.chars().take(80).collect() };
                let asked = between(&from, &to, zone).map_err(|first| if first { bad("from", &from) } else { bad("to", &to) })?;
                state.asked = asked;
            }
        }
        Ok(state)
    }
}

/// The range of two ends; the error says whether the first is wrong.
fn between(from: &str, to: &str, zone: &TimeZone) -> Result<Asked, bool> {
    let first = end(from).ok_or(true)?;
    let last = end(to).ok_or(false)?;
    match (first, last) {
        (End::Day(first), End::Day(last)) if first <= last && (last - first).get_days() < LONGEST_DAYS => Ok(Asked::Days(first, last)),
        (End::Day(_), End::Day(_)) => Err(false),
        (from, to) => {
            let calendar = rollcall_model::Calendar::new(zone.clone());
            let start = match from {
                End::Day(day) => calendar.start_of(day),
                End::At(at) => at,
            };
            let finish = match to {
                End::Day(day) => calendar.day(day).to,
                End::At(at) => at,
            };
            if start < finish && finish - start <= i64::from(LONGEST_DAYS) * DAY_MILLIS {
                Ok(Asked::Instants(start, finish))
            } else {
                Err(false)
            }
        }
    }
}

/// An end of a range.
enum End {
    Day(Date),
    At(Millis),
}

/// Whether a day is in the years that facts have.
fn within_years(day: Date) -> bool {
    (1972..2200).contains(&day.year())
}

fn end(text: &str) -> Option<End> {
    let day = || (text.len() == 10).then(|| text.parse::<Date>().ok())?.filter(|day| within_years(*day));
    let at = || parse_time(text).or_else(|| text.parse().ok()).filter(|at| (EARLIEST..=LATEST).contains(at));
    day().map(End::Day).or_else(|| at().map(End::At))
}

fn preset(name: &str) -> Option<Preset> {
    Preset::ALL.iter().find(|(_, known, _)| *known == name).map(|(preset, ..)| *preset)
}

fn zone(name: &str) -> Option<TimeZone> {
    TimeZone::get(name.trim()).ok().filter(|zone| zone.iana_name().is_some())
}

fn weekday(name: &str) -> Option<Weekday> {
    (0..7).filter_map(|at| Weekday::from_monday_zero_offset(at).ok()).find(|day| weekday_name(*day) == name)
}

fn period(name: &str) -> Option<Period> {
    [Period::Day, Period::Week, Period::Month, Period::Quarter, Period::Year].into_iter().find(|period| period_name(*period) == name)
}

fn compare(text: &str) -> Option<Option<Compare>> {
    match text {
        "off" => Some(None),
        "previous" => Some(Some(Compare::Previous)),
        "year" => Some(Some(Compare::Year)),
        _ => {
            let (first, last) = text.split_once("..")?;
            let (first, last) = (first.parse::<Date>().ok()?, last.parse::<Date>().ok()?);
            (first <= last && within_years(first) && within_years(last)).then_some(Some(Compare::Days(first, last)))
        }
    }
}

/// Sets what was read; whether something was.
fn set<T>(slot: &mut T, read: Option<T>) -> bool {
    read.map(|value| *slot = value).is_some()
}

/// Words joined by commas, added to those that are there, each once; whether all of them are known.
fn among<T: PartialEq>(values: &mut Vec<T>, text: &str, of: impl Fn(&str) -> Option<T>) -> bool {
    text.split(',').all(|word| {
        let Some(value) = of(word) else { return false };
        if !values.contains(&value) {
            values.push(value);
        }
        true
    })
}

fn behind(text: &str) -> Option<Behind> {
    let (kind, key) = text.split_once(':').unwrap_or((text, ""));
    Some(match kind {
        "meetings" if key.is_empty() => Behind::Meetings,
        "no-department" if key.is_empty() => Behind::NoDepartment,
        "place" if key.is_empty() => Behind::Place(None),
        "place" => Behind::Place(Some(Place::from_code(key)?)),
        "instant" => Behind::Instant(parse_time(key).filter(|at| (EARLIEST..=LATEST).contains(at))?),
        "developers" if !key.is_empty() => Behind::Developers(key.to_owned()),
        _ => return None,
    })
}
