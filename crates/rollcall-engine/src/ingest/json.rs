//! JSON: a line or an array element at a time, straight into drafts, strings borrowed wherever they have no escapes.

use super::body::{Passed, each_line, failed, too_long};
use super::{BodyError, Sink};
use rollcall_model::attendance::Field;
use rollcall_model::{Draft, FactError, Value};
use serde::de::{self, DeserializeSeed, Deserializer, IgnoredAny, MapAccess, SeqAccess, Visitor};
use std::borrow::Cow;
use std::cell::Cell;
use std::fmt;
use std::io::{self, BufRead, Read};

const EXPECTED_OBJECT: &str = "a JSON object";
const EXPECTED_ARRAY: &str = "a JSON array of objects";

/// Reads NDJSON: an object a line; blank lines are skipped.
pub(super) fn read_lines(reader: &mut dyn BufRead, sink: &mut Sink<'_>) -> Result<(), BodyError> {
    each_line(reader, sink.limits, |number, line| {
        if line.trim_ascii().is_empty() {
            return Ok(());
        }
        let text = match std::str::from_utf8(line) {
            Ok(text) => text,
            Err(error) => return sink.refuse(number, not_utf8(line, &error)),
        };
        let mut draft = Draft::new();
        let mut json = serde_json::Deserializer::from_str(text);
        match FactSeed(&mut draft).deserialize(&mut json).and_then(|()| json.end()) {
            Ok(()) => sink.take(number, draft),
            Err(error) => {
                let expected = format!("{EXPECTED_OBJECT}: {}", without_line(&error));
                sink.refuse(number, FactError::new("", Some(text), expected))
            }
        }
    })
}

/// The error of a line that is no text.
pub(super) fn not_utf8(line: &[u8], error: &std::str::Utf8Error) -> FactError {
    let expected = format!("UTF-8 text: invalid byte at column {}", error.valid_up_to() + 1);
    FactError::new("", Some(&String::from_utf8_lossy(line)), expected)
}

/// What serde_json says, less the line: it sees one line only.
fn without_line(error: &serde_json::Error) -> String {
    error.to_string().replace(&format!(" at line {} column", error.line()), " at column")
}

/// Reads one array of objects.
pub(super) fn read_array(reader: Box<dyn BufRead + '_>, sink: &mut Sink<'_>) -> Result<(), BodyError> {
    let budget = Cell::new(0);
    let most = sink.limits.line_bytes;
    let mut json = serde_json::Deserializer::from_reader(Budgeted { reader, budget: &budget, most });
    let mut stopped = None;
    let visitor = ArrayVisitor { sink, budget: &budget, number: 0, stopped: &mut stopped };
    let Err(error) = Deserializer::deserialize_any(&mut json, visitor).and_then(|()| json.end()) else { return Ok(()) };
    if let Some(stopped) = stopped {
        return Err(stopped);
    }
    let number = sink.facts() + 1;
    Err(match error.classify() {
        serde_json::error::Category::Io => failed(error.into(), number),
        serde_json::error::Category::Data => BodyError::expected(0, EXPECTED_ARRAY),
        _ => BodyError::expected(number, format!("{EXPECTED_ARRAY}: {error}")),
    })
}

/// A reader that gives at most so many bytes until the budget is renewed.
struct Budgeted<'a, R> {
    reader: R,
    budget: &'a Cell<u64>,
    most: u64,
}

impl<R: BufRead> Read for Budgeted<'_, R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let count = self.reader.read(buffer)?;
        let spent = self.budget.get() + count as u64;
        self.budget.set(spent);
        // Before and after an object come its separator and one byte read ahead.
        if self.most > 0 && spent > self.most.saturating_add(2) { Err(io::Error::other(Passed(too_long(self.most)))) } else { Ok(count) }
    }
}

struct ArrayVisitor<'v, 's> {
    sink: &'v mut Sink<'s>,
    budget: &'v Cell<u64>,
    number: u64,
    stopped: &'v mut Option<BodyError>,
}

impl<'de> Visitor<'de> for ArrayVisitor<'_, '_> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(EXPECTED_ARRAY)
    }

    fn visit_seq<A: SeqAccess<'de>>(mut self, mut items: A) -> Result<(), A::Error> {
        loop {
            let mut draft = Draft::new();
            self.budget.set(0);
            if items.next_element_seed(FactSeed(&mut draft))?.is_none() {
                return Ok(());
            }
            self.number += 1;
            if let Err(stop) = self.sink.take(self.number, draft) {
                *self.stopped = Some(stop);
                return Err(de::Error::custom("stopped"));
            }
        }
    }
}

/// Reads one fact into a draft; a value that is no object is an error of the draft.
struct FactSeed<'d, 'a>(&'d mut Draft<'a>);

impl<'a> DeserializeSeed<'a> for FactSeed<'_, 'a> {
    type Value = ();

    fn deserialize<D: Deserializer<'a>>(self, json: D) -> Result<(), D::Error> {
        let draft = self.0;
        if let Some(value) = json.deserialize_any(ValueVisitor { fact: Some(&mut *draft) })? {
            draft.refuse(FactError::new("", Some(&text_of(&value)), EXPECTED_OBJECT));
        }
        Ok(())
    }
}

/// The name of a field.
struct Name;

impl<'a> DeserializeSeed<'a> for Name {
    type Value = Result<Field, String>;

    fn deserialize<D: Deserializer<'a>>(self, json: D) -> Result<Self::Value, D::Error> {
        json.deserialize_str(self)
    }
}

impl Visitor<'_> for Name {
    type Value = Result<Field, String>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a field")
    }

    fn visit_str<E: de::Error>(self, name: &str) -> Result<Self::Value, E> {
        Ok(Field::from_name(name).ok_or_else(|| name.to_owned()))
    }
}

/// Any value, of a field.
struct AnyValue;

impl<'a> DeserializeSeed<'a> for AnyValue {
    type Value = Value<'a>;

    fn deserialize<D: Deserializer<'a>>(self, json: D) -> Result<Value<'a>, D::Error> {
        Ok(json.deserialize_any(ValueVisitor { fact: None })?.unwrap_or(Value::Null))
    }
}

/// Yields a value; but an object, where a fact is expected, goes into its draft and yields none.
struct ValueVisitor<'d, 'a> {
    fact: Option<&'d mut Draft<'a>>,
}

impl<'a> Visitor<'a> for ValueVisitor<'_, 'a> {
    type Value = Option<Value<'a>>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a value")
    }

    fn visit_borrowed_str<E>(self, text: &'a str) -> Result<Self::Value, E> {
        Ok(Some(Value::Str(text.into())))
    }

    fn visit_str<E>(self, text: &str) -> Result<Self::Value, E> {
        Ok(Some(Value::Str(text.to_owned().into())))
    }

    fn visit_i64<E>(self, number: i64) -> Result<Self::Value, E> {
        Ok(Some(Value::Int(number)))
    }

    fn visit_u64<E>(self, number: u64) -> Result<Self::Value, E> {
        Ok(Some(i64::try_from(number).map_or_else(|_| Value::Other(number.to_string()), Value::Int)))
    }

    fn visit_f64<E>(self, number: f64) -> Result<Self::Value, E> {
        Ok(Some(Value::Other(format!("{number:?}"))))
    }

    fn visit_bool<E>(self, truth: bool) -> Result<Self::Value, E> {
        Ok(Some(Value::Other(truth.to_string())))
    }

    fn visit_unit<E>(self) -> Result<Self::Value, E> {
        Ok(Some(Value::Null))
    }

    fn visit_seq<A: SeqAccess<'a>>(self, mut items: A) -> Result<Self::Value, A::Error> {
        let mut texts: Vec<Cow<'a, str>> = Vec::new();
        while let Some(item) = items.next_element_seed(AnyValue)? {
            match item {
                Value::Str(text) => texts.push(text),
                // A list of anything but strings is right nowhere: the rest only has to be JSON.
                other => {
                    while items.next_element::<IgnoredAny>()?.is_some() {}
                    let strings = text_of(&Value::List(texts));
                    let comma = if strings == "[]" { "" } else { "," };
                    let shown = format!("{}{comma}{},…]", strings.trim_end_matches(']'), text_of(&other));
                    return Ok(Some(Value::Other(shown)));
                }
            }
        }
        Ok(Some(Value::List(texts)))
    }

    fn visit_map<A: MapAccess<'a>>(self, mut fields: A) -> Result<Self::Value, A::Error> {
        let Some(draft) = self.fact else {
            let Some(name) = fields.next_key::<String>()? else { return Ok(Some(Value::Other("{}".into()))) };
            fields.next_value::<IgnoredAny>()?;
            while fields.next_entry::<IgnoredAny, IgnoredAny>()?.is_some() {}
            return Ok(Some(Value::Other(format!("{{\"{name}\":…}}"))));
        };
        while let Some(name) = fields.next_key_seed(Name)? {
            let value = fields.next_value_seed(AnyValue)?;
            match name {
                Ok(field) => draft.set_field(field, value),
                Err(name) => draft.set(&name, value),
            }
        }
        Ok(None)
    }
}

/// A value as JSON, for messages.
fn text_of(value: &Value<'_>) -> String {
    match value {
        Value::Null => "null".into(),
        Value::Int(number) => number.to_string(),
        Value::Str(text) => format!("\"{text}\""),
        Value::List(items) => format!("[{}]", items.iter().map(|item| format!("\"{item}\"")).collect::<Vec<_>>().join(",")),
        Value::Other(text) => text.clone(),
    }
}
