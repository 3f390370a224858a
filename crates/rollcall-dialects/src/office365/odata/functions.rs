//! The canonical functions of V2.
//!
//! Text is counted in UTF-16 units, as .NET counts it.

use super::promotion::may_become;
use super::{Type, Value, duration, text};
use Type::{Boolean, DateTime, DateTimeOffset, Double, Int32, String as Text, Time};
use jiff::civil;
use std::fmt;

/// A function; displayed as its name.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[allow(missing_docs, reason = "the names say it")]
pub enum Function {
    SubstringOf,
    EndsWith,
    StartsWith,
    Length,
    IndexOf,
    Replace,
    Substring,
    ToLower,
    ToUpper,
    Trim,
    Concat,
    Year,
    Month,
    Day,
    Hour,
    Minute,
    Second,
    Round,
    Floor,
    Ceiling,
}

/// The types that a function takes, and the type it gives.
#[derive(Debug, PartialEq, Eq)]
pub struct Signature {
    /// Of its arguments.
    pub arguments: &'static [Type],
    /// Of its value.
    pub returns: Type,
}

const fn signature(arguments: &'static [Type], returns: Type) -> Signature {
    Signature { arguments, returns }
}

const TESTS: &[Signature] = &[signature(&[Text, Text], Boolean)];
const LENGTH: &[Signature] = &[signature(&[Text], Int32)];
const INDEX_OF: &[Signature] = &[signature(&[Text, Text], Int32)];
const REPLACE: &[Signature] = &[signature(&[Text, Text, Text], Text)];
const SUBSTRING: &[Signature] = &[signature(&[Text, Int32], Text), signature(&[Text, Int32, Int32], Text)];
const OF_TEXT: &[Signature] = &[signature(&[Text], Text)];
const CONCAT: &[Signature] = &[signature(&[Text, Text], Text)];
const OF_DATE: &[Signature] = &[signature(&[DateTime], Int32), signature(&[DateTimeOffset], Int32)];
const OF_TIME: &[Signature] = &[signature(&[DateTime], Int32), signature(&[DateTimeOffset], Int32), signature(&[Time], Int32)];
const OF_NUMBER: &[Signature] = &[signature(&[Double], Double), signature(&[Type::Decimal], Type::Decimal)];

const FUNCTIONS: [(Function, &str, &[Signature]); 20] = [
    (Function::SubstringOf, "substringof", TESTS),
    (Function::EndsWith, "endswith", TESTS),
    (Function::StartsWith, "startswith", TESTS),
    (Function::Length, "length", LENGTH),
    (Function::IndexOf, "indexof", INDEX_OF),
    (Function::Replace, "replace", REPLACE),
    (Function::Substring, "substring", SUBSTRING),
    (Function::ToLower, "tolower", OF_TEXT),
    (Function::ToUpper, "toupper", OF_TEXT),
    (Function::Trim, "trim", OF_TEXT),
    (Function::Concat, "concat", CONCAT),
    (Function::Year, "year", OF_DATE),
    (Function::Month, "month", OF_DATE),
    (Function::Day, "day", OF_DATE),
    (Function::Hour, "hour", OF_TIME),
    (Function::Minute, "minute", OF_TIME),
    (Function::Second, "second", OF_TIME),
    (Function::Round, "round", OF_NUMBER),
    (Function::Floor, "floor", OF_NUMBER),
    (Function::Ceiling, "ceiling", OF_NUMBER),
];

impl Function {
    /// The function with a name; case counts.
    pub fn named(name: &str) -> Option<Self> {
        FUNCTIONS.iter().find(|(_, known, _)| *known == name).map(|(function, ..)| *function)
    }

    /// Its name.
    pub fn name(self) -> &'static str {
        self.entry().1
    }

    /// Its signatures; the first that takes the arguments counts.
    pub fn signatures(self) -> &'static [Signature] {
        self.entry().2
    }

    /// Its row in the table, whose order is that of the variants.
    fn entry(self) -> &'static (Self, &'static str, &'static [Signature]) {
        &FUNCTIONS[self as usize]
    }

    /// Its signatures as errors list them: each once for every choice of arguments that may be null. Text may always be.
    pub(super) fn described(self) -> String {
        let mut described = Vec::new();
        for signature in self.signatures() {
            let choices = signature.arguments.iter().filter(|kind| **kind != Text).count();
            for choice in 0..1_usize << choices {
                let mut place = 0;
                let argument = |kind: &Type| {
                    let nullable = *kind == Text || {
                        place += 1;
                        choice >> (place - 1) & 1 == 1
                    };
                    format!("{kind}{}", if nullable { " Nullable=true" } else { "" })
                };
                let arguments: Vec<String> = signature.arguments.iter().map(argument).collect();
                described.push(format!("{self}({})", arguments.join(", ")));
            }
        }
        described.join("; ")
    }

    /// Its value for arguments of the types of one of its signatures; `None`, for null, if one of them is null or there is no value.
    pub(super) fn call(self, arguments: &[Value]) -> Option<Value> {
        use Value::{Boolean, DateTime, DateTimeOffset, Decimal, Double, Int32, String, Time};
        match (self, arguments) {
            (Self::SubstringOf, [String(part), String(whole)]) => Some(Boolean(whole.contains(part.as_str()))),
            (Self::EndsWith, [String(whole), String(end)]) => Some(Boolean(whole.ends_with(end.as_str()))),
            (Self::StartsWith, [String(whole), String(start)]) => Some(Boolean(whole.starts_with(start.as_str()))),
            (Self::Length, [String(text)]) => text::length(text).map(Int32),
            (Self::IndexOf, [String(whole), String(part)]) => text::index_of(whole, part).map(Int32),
            (Self::Replace, [String(text), String(find), String(by)]) => text::replace(text, find, by).map(String),
            (Self::Substring, [String(text), Int32(start)]) => text::substring(text, *start, None).map(String),
            (Self::Substring, [String(text), Int32(start), Int32(length)]) => text::substring(text, *start, Some(*length)).map(String),
            (Self::ToLower, [String(text)]) => Some(String(text.to_lowercase())),
            (Self::ToUpper, [String(text)]) => Some(String(text.to_uppercase())),
            (Self::Trim, [String(text)]) => Some(String(text.trim().into())),
            (Self::Concat, [String(left), String(right)]) => Some(String([left.as_str(), right].concat())),
            (_, [DateTime(time)]) => self.of_date(*time).map(Int32),
            (_, [DateTimeOffset(time)]) => self.of_date(time.local()).map(Int32),
            (Self::Hour, [Time(time)]) => duration::hours(*time).map(Int32),
            (Self::Minute, [Time(time)]) => duration::minutes(*time).map(Int32),
            (Self::Second, [Time(time)]) => duration::seconds(*time).map(Int32),
            (Self::Round, [Double(number)]) => Some(Double(number.round_ties_even())),
            (Self::Floor, [Double(number)]) => Some(Double(number.floor())),
            (Self::Ceiling, [Double(number)]) => Some(Double(number.ceil())),
            (Self::Round, [Decimal(number)]) => Some(Decimal(number.round())),
            (Self::Floor, [Decimal(number)]) => Some(Decimal(number.floor())),
            (Self::Ceiling, [Decimal(number)]) => Some(Decimal(number.ceil())),
            _ => None,
        }
    }

    /// How many bytes of text the value has, where that may be more than the arguments have: to be paid for before it is made.
    pub(super) fn text_bytes(self, arguments: &[Value]) -> usize {
        match (self, arguments) {
            (Self::Replace, [Value::String(text), Value::String(find), Value::String(by)]) => text::replaced_bytes(text, find, by),
            (Self::Concat, [Value::String(left), Value::String(right)]) => left.len() + right.len(),
            _ => 0,
        }
    }

    fn of_date(self, time: civil::DateTime) -> Option<i32> {
        match self {
            Self::Year => Some(time.year().into()),
            Self::Month => Some(time.month().into()),
            Self::Day => Some(time.day().into()),
            Self::Hour => Some(time.hour().into()),
            Self::Minute => Some(time.minute().into()),
            Self::Second => Some(time.second().into()),
            _ => None,
        }
    }
}

impl Signature {
    /// Whether it takes arguments of some types.
    pub(super) fn takes(&self, kinds: &[Type]) -> bool {
        self.arguments.len() == kinds.len() && kinds.iter().zip(self.arguments).all(|(from, to)| may_become(*from, *to))
    }
}

impl fmt::Display for Function {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}
