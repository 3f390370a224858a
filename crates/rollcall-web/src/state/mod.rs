//! What a page is asked for: all of it stands in the URL, so that a link is a view.
//!
//! - [`parse`]: a query to a [`State`]
//! - [`mod@write`]: a [`State`] to a query; what is as usual is left out
//! - [`span`]: which instants are meant now, and which come before

mod parse;
pub(crate) mod span;
#[cfg(test)]
mod tests;
mod write;

pub(crate) use parse::{BadState, decoded, pairs};
pub(crate) use write::{encoded, period_name, segment, weekday_name};

use crate::lang::Lang;
use jiff::civil::{Date, Weekday};
use jiff::tz::TimeZone;
use rollcall_model::{Device, Medium, Millis, Period, Place, SessionKind, UserKind};

/// What a page is asked for.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct State {
    /// When.
    pub(crate) asked: Asked,
    /// The zone of days; none: the organization's.
    pub(crate) zone: Option<TimeZone>,
    /// The first day of a week.
    pub(crate) week_start: Weekday,
    /// With what it is compared.
    pub(crate) compare: Option<Compare>,
    /// What a row of a table over time is; none: what suits the range.
    pub(crate) by: Option<Period>,
    /// What counts.
    pub(crate) filters: Filters,
    /// What is searched for.
    pub(crate) find: Option<String>,
    /// What orders people.
    pub(crate) order: Order,
    /// After what a list goes on.
    pub(crate) after: Option<String>,
    /// Behind which row people are.
    pub(crate) behind: Behind,
    /// In which language, if not the reader's.
    pub(crate) lang: Option<Lang>,
    /// In which colours, if not those of the reader's system.
    pub(crate) theme: Option<Theme>,
    /// Whether the page is shown inside another.
    pub(crate) embed: bool,
}

/// A range as it is asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Asked {
    /// One that moves with time.
    Preset(Preset),
    /// Days, both ends included.
    Days(Date, Date),
    /// Instants, the end excluded.
    Instants(Millis, Millis),
}

/// A range that moves with time.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) enum Preset {
    Today,
    Yesterday,
    Days7,
    Days28,
    Week,
    LastWeek,
    Month,
    LastMonth,
    Quarter,
    LastQuarter,
    Year,
    LastYear,
}

/// With what a range is compared.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Compare {
    /// The range just before.
    Previous,
    /// A year before.
    Year,
    /// Days of one's own, both ends included.
    Days(Date, Date),
}

/// What counts; where nothing is said, all.
#[derive(Debug, Clone, Default, PartialEq)]
pub(crate) struct Filters {
    /// In this app.
    pub(crate) app: Option<String>,
    /// In sessions of these kinds.
    pub(crate) session_kinds: Vec<SessionKind>,
    /// Of these kinds of user.
    pub(crate) user_kinds: Vec<UserKind>,
    /// On these devices.
    pub(crate) devices: Vec<Device>,
    /// With one of these media.
    pub(crate) media: Vec<Medium>,
    /// Of this department and those below it.
    pub(crate) department: Option<String>,
    /// Of this user, for sessions.
    pub(crate) user: Option<String>,
}

/// What orders people.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) enum Order {
    /// Time, the most first.
    #[default]
    Time,
    /// Sessions, the most first.
    Sessions,
    /// Ids.
    Id,
}

/// Behind which row people are.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(crate) enum Behind {
    /// Whoever attended, of what counts.
    #[default]
    Active,
    /// Participants of the meetings that started in the range.
    Meetings,
    /// In a place; none: of unknown place. With the country whose subdivisions were asked for.
    Place(Option<Place>),
    /// Those without a department.
    NoDepartment,
    /// Those there at an instant.
    Instant(Millis),
    /// Developers of a department.
    Developers(String),
}

/// Colours.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Theme {
    Light,
    Dark,
}

impl Default for State {
    fn default() -> Self {
        Self {
            asked: Asked::Preset(Preset::Days28),
            zone: None,
            week_start: Weekday::Monday,
            compare: None,
            by: None,
            filters: Filters::default(),
            find: None,
            order: Order::default(),
            after: None,
            behind: Behind::default(),
            lang: None,
            theme: None,
            embed: false,
        }
    }
}

impl Preset {
    /// All of them: what the URL calls each, and the key that chooses it, as Plausible has it where it has such a range.
    pub(crate) const ALL: [(Self, &'static str, char); 12] = [
        (Self::Today, "today", 'd'),
        (Self::Yesterday, "yesterday", 'e'),
        (Self::Days7, "7d", 'w'),
        (Self::Days28, "28d", 'f'),
        (Self::Week, "week", 'k'),
        (Self::LastWeek, "last-week", 'j'),
        (Self::Month, "month", 'm'),
        (Self::LastMonth, "last-month", 'p'),
        (Self::Quarter, "quarter", 'q'),
        (Self::LastQuarter, "last-quarter", 'u'),
        (Self::Year, "year", 'y'),
        (Self::LastYear, "last-year", 'l'),
    ];
}

impl State {
    /// Where this state of a page is.
    pub(crate) fn at(&self, path: &str) -> String {
        let query = self.query();
        if query.is_empty() { path.to_owned() } else { format!("{path}?{query}") }
    }

    /// The state with something changed, at a page; a list begins anew.
    pub(crate) fn with(&self, path: &str, change: impl FnOnce(&mut Self)) -> String {
        let mut state = Self { after: None, ..self.clone() };
        change(&mut state);
        state.at(path)
    }
}
