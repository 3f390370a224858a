//! A fact being decoded.
//!
//! Every format that carries facts is decoded field by field into a [`Draft`], which checks each value as it comes and
//! the fact as a whole when it is finished: one definition of what is valid, whatever the format. What a kind of fact has of
//! its own is in the module named after it.

mod assistance;
mod attendance;

pub use assistance::AssistanceDraft;
pub use attendance::AttendanceDraft;

use crate::calendar::{EARLIEST, LATEST, Millis, rfc3339};
use crate::directory::is_text;
use crate::fields::FactField;
use crate::instant::{instant_of_local, parse_local, parse_time};
use crate::receipt::FactError;
use jiff::tz::TimeZone;
use std::borrow::Cow;

const EXPECTED_TEXT: &str = "a string of 1 to 256 bytes without control characters";
const EXPECTED_ID: &str = "a string of 1 to 128 bytes without control characters";
const EXPECTED_TIME: &str = "an RFC 3339 time with an offset, or integer Unix milliseconds, from 1972 to 2199";

const EXPECTED_OFFSET: &str =
    "an offset such as +08:00, or, for times without one, the parameter zone (rollcall import: --time-zone), such as zone=Asia/Shanghai";

/// One value of one field, as a format gives it.
#[derive(Debug, Clone, PartialEq)]
pub enum Value<'a> {
    /// Absent.
    Null,
    /// An integer.
    Int(i64),
    /// A string.
    Str(Cow<'a, str>),
    /// What clocks showed without saying where: milliseconds since they showed 1970-01-01T00:00:00.
    Local(Millis),
    /// A list of strings.
    List(Vec<Cow<'a, str>>),
    /// Anything else, as it looked.
    Other(String),
}

impl Value<'_> {
    fn shown(&self) -> Cow<'_, str> {
        match self {
            Self::Null => "null".into(),
            Self::Int(number) => number.to_string().into(),
            Self::Str(text) => text.as_ref().into(),
            Self::Local(at) => shown_local(*at).into(),
            Self::List(items) => format!("[{}]", items.join(",")).into(),
            Self::Other(text) => text.as_str().into(),
        }
    }
}

fn shown_local(at: Millis) -> String {
    rfc3339(at).trim_end_matches('Z').to_owned()
}

/// How the times of a fact are read.
#[derive(Debug, Clone, Copy)]
pub struct Clock<'a> {
    /// The zone of the clocks that times without an offset were read from; none: such times are refused.
    pub zone: Option<&'a TimeZone>,
    /// The latest instant that a fact may name.
    pub latest: Millis,
}

impl Default for Clock<'_> {
    fn default() -> Self {
        Self { zone: None, latest: LATEST }
    }
}

/// A value, and the kind of format it comes from.
#[derive(Debug, Clone, Copy)]
pub struct Given<'v, 'a> {
    value: &'v Value<'a>,
    /// Whether every value comes as text (CSV): numbers are then read from strings, lists are joined by `|`, an empty string is absent.
    text_only: bool,
}

impl<'a> Given<'_, 'a> {
    fn text(&self) -> Option<Cow<'a, str>> {
        match self.value {
            Value::Str(text) if is_text(text) => Some(text.clone()),
            _ => None,
        }
    }

    fn id(&self) -> Option<Cow<'a, str>> {
        self.text().filter(|id| id.len() <= 128)
    }

    /// A list of strings. As text they are joined by `|`; a lone `|` is the list of none.
    fn list(&self) -> Option<Vec<Cow<'a, str>>> {
        match self.value {
            Value::List(items) => Some(items.clone()),
            Value::Str(text) if self.text_only && text == "|" => Some(vec![]),
            Value::Str(text) if self.text_only => Some(text.split('|').map(|item| item.to_owned().into()).collect()),
            _ => None,
        }
    }

    fn word<T>(&self, of: impl FnOnce(&str) -> Option<T>) -> Option<T> {
        match self.value {
            Value::Str(text) => of(text),
            _ => None,
        }
    }

    fn integer(&self) -> Option<i64> {
        match self.value {
            Value::Int(number) => Some(*number),
            Value::Str(text) if self.text_only => text.parse().ok(),
            _ => None,
        }
    }

    fn time(&self) -> Option<Time<'a>> {
        let (at, from, local) = match (self.integer(), self.value) {
            (Some(at), _) => (at, None, false),
            (None, Value::Str(text)) => match parse_time(text) {
                Some(at) => (at, Some(text.clone()), false),
                None => (parse_local(text)?, Some(text.clone()), true),
            },
            (None, Value::Local(at)) => (*at, None, true),
            _ => return None,
        };
        (EARLIEST..LATEST).contains(&at).then_some(Time { at, from, local })
    }
}

/// A field of a kind of fact, as its drafts see it.
pub trait DraftField: FactField {
    /// The values of a draft: those that were given and are right.
    type Values<'a>: Default + std::fmt::Debug;

    /// Checks a value that is there and keeps it; where it is not right, says what was expected.
    ///
    /// # Errors
    /// What was expected.
    fn set<'a>(self, values: &mut Self::Values<'a>, given: Given<'_, 'a>) -> Result<(), &'static str>;

    /// The times of a draft that were given, by the names of their fields.
    fn times<'v, 'a>(values: &'v mut Self::Values<'a>) -> impl Iterator<Item = (&'static str, &'v mut Option<Time<'a>>)>
    where
        'a: 'v;

    /// The names of the fields without which no fact is right, if facts have only the fields `given`.
    fn missing(given: &[Self]) -> Vec<&'static str>;
}

/// A fact being decoded: fields are set one by one, then checked together.
#[derive(Debug)]
pub struct Draft<'a, F: DraftField> {
    text_only: bool,
    /// The bits of the fields that were given.
    seen: u32,
    values: F::Values<'a>,
    errors: Vec<FactError>,
}

/// A time, and the value it was read from, for messages.
#[derive(Debug)]
pub struct Time<'a> {
    at: Millis,
    from: Option<Cow<'a, str>>,
    /// Whether it came without an offset: see [`Value::Local`].
    local: bool,
}

impl Time<'_> {
    fn shown(&self) -> String {
        match &self.from {
            Some(text) => text.as_ref().into(),
            None if self.local => shown_local(self.at),
            None => self.at.to_string(),
        }
    }

    /// Makes it an instant, and checks that it is not too late.
    fn settle(&mut self, clock: Clock<'_>) -> Result<(), Cow<'static, str>> {
        if self.local {
            let zone = clock.zone.ok_or(Cow::Borrowed(EXPECTED_OFFSET))?;
            self.at = instant_of_local(self.at, zone)?;
            self.local = false;
        }
        if !(EARLIEST..LATEST).contains(&self.at) {
            return Err(EXPECTED_TIME.into());
        }
        if self.at > clock.latest {
            let latest = rfc3339(clock.latest);
            return Err(format!("not later than {latest}, the latest that limits.future_seconds allows").into());
        }
        Ok(())
    }
}

impl<F: DraftField> Default for Draft<'_, F> {
    fn default() -> Self {
        Self { text_only: false, seen: 0, values: F::Values::default(), errors: Vec::new() }
    }
}

impl<'a, F: DraftField> Draft<'a, F> {
    /// A draft for a format with typed values.
    pub fn new() -> Self {
        Self::default()
    }

    /// A draft for a format in which every value is text (CSV).
    pub fn text_only() -> Self {
        Self { text_only: true, ..Self::default() }
    }

    /// Reads the fact's times by a clock; otherwise those without an offset are refused, and those in the future are not.
    #[must_use]
    pub fn by(mut self, clock: Clock<'_>) -> Self {
        self.settle(clock);
        self
    }

    /// Does what [`Draft::by`] does where the draft is. One that is wrong is told, and gone.
    pub fn settle(&mut self, clock: Clock<'_>) {
        for (field, given) in F::times(&mut self.values) {
            if let Some(time) = given
                && let Err(expected) = time.settle(clock)
            {
                self.errors.push(FactError::new(field, Some(&time.shown()), expected));
                *given = None;
            }
        }
    }

    /// Adds an error that the format itself found in this fact.
    pub fn refuse(&mut self, error: FactError) {
        self.errors.push(error);
    }

    /// Sets one field by its name. What is wrong with the name or the value is told when the draft is finished.
    pub fn set(&mut self, field: &str, value: Value<'a>) {
        match F::from_name(field) {
            Some(field) => self.set_field(field, value),
            None => self.errors.push(FactError::new(field, Some(&value.shown()), F::NO_SUCH_FIELD)),
        }
    }

    /// Sets one field. What is wrong with the value is told when the draft is finished.
    pub fn set_field(&mut self, field: F, value: Value<'a>) {
        let value = match value {
            Value::Str(text) if self.text_only && text.is_empty() => Value::Null,
            other => other,
        };
        if self.seen & field.bit() != 0 {
            self.errors.push(FactError::new(field.name(), Some(&value.shown()), "each field once"));
            return;
        }
        self.seen |= field.bit();
        if value == Value::Null {
            return;
        }
        if let Err(expected) = field.set(&mut self.values, Given { value: &value, text_only: self.text_only }) {
            self.errors.push(FactError::new(field.name(), Some(&value.shown()), expected));
        }
    }

    /// Adds an error for each field that must be there and is absent, unless it was given and wrong.
    fn require(&mut self, fields: &[(&'static str, bool, &'static str)]) {
        for (field, absent, expected) in fields {
            if *absent && !self.errors.iter().any(|error| error.field == *field) {
                self.errors.push(FactError::new(field, None, *expected));
            }
        }
    }
}
