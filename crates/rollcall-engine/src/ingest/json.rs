//! JSON: a line or an array element at a time, straight into drafts, strings borrowed wherever they have no escapes.

use super::body::{each_line, failed, too_long};
use super::text::hint;
use super::{BodyError, Sink, plain};
use crate::kinds::columns::Columns;
use rollcall_model::draft::DraftField;
use rollcall_model::{Draft, FactError, Value};
use serde::de::{self, Deserialize, DeserializeSeed, Deserializer, IgnoredAny, MapAccess, SeqAccess, Visitor};
use std::borrow::Cow;
use std::fmt;
use std::io::BufRead;
use std::marker::PhantomData;

const EXPECTED_OBJECT: &str = "a JSON object";
const EXPECTED_ARRAY: &str = "a JSON array of objects";

/// Reads NDJSON: an object a line; blank lines are skipped.
pub(super) fn read_lines<C: Columns>(reader: &mut dyn BufRead, sink: &mut Sink<'_, C>) -> Result<(), BodyError> {
    each_line(reader, sink.limits, |number, line| {
        if line.trim_ascii().is_empty() {
            return sink.skip_blank(number);
        }
        let text = match std::str::from_utf8(line) {
            Ok(text) => text,
            Err(error) => return sink.refuse(number, not_utf8(line, &error)),
        };
        if let Some(draft) = plain::read(text) {
            return sink.take(number, draft);
        }
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
    let expected = format!("UTF-8 text: invalid byte at column {}{}", error.valid_up_to() + 1, hint(line));
    FactError::new("", Some(&String::from_utf8_lossy(line)), expected)
}

/// What serde_json says, less the line where it is the first: what it sees is mostly one line.
fn without_line(error: &serde_json::Error) -> String {
    error.to_string().replace(" at line 1 column", " at column")
}

/// Where an array is being read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum At {
    Start,
    FirstFact,
    Fact,
    Comma,
    End,
}

/// Reads one array of objects. What has arrived is read object by object; only an object that has not arrived whole is kept.
pub(super) fn read_array<C: Columns>(reader: &mut dyn BufRead, sink: &mut Sink<'_, C>) -> Result<(), BodyError> {
    let mut at = At::Start;
    let mut begun: Vec<u8> = Vec::new();
    let mut tried = 0;
    loop {
        let arrived = reader.fill_buf().map_err(|error| failed(error, sink.facts() + 1))?;
        let (count, is_last) = (arrived.len(), arrived.is_empty());
        if begun.is_empty() {
            let left = read_elements(arrived, &mut at, is_last, sink)?;
            begun.extend_from_slice(left);
        } else {
            begun.extend_from_slice(arrived);
            // Once it has doubled: an object of any length is then gone over only as often as it doubles.
            if is_last || begun.len() >= 2 * tried {
                let left = read_elements(&begun, &mut at, is_last, sink)?.len();
                begun.drain(..begun.len() - left);
                tried = left;
            }
        }
        if is_last {
            return if at == At::End { Ok(()) } else { Err(broken_array(sink, "it ends too early")) };
        }
        reader.consume(count);
    }
}

fn broken_array<C: Columns>(sink: &Sink<'_, C>, why: impl fmt::Display) -> BodyError {
    BodyError::expected(sink.facts() + 1, format!("{EXPECTED_ARRAY}: {why}"))
}

/// Reads what has arrived, and returns what is left of it: an object of which more must arrive.
fn read_elements<'b, C: Columns>(mut text: &'b [u8], at: &mut At, is_last: bool, sink: &mut Sink<'_, C>) -> Result<&'b [u8], BodyError> {
    loop {
        text = text.trim_ascii_start();
        let Some((first, rest)) = text.split_first() else { return Ok(text) };
        *at = match (*at, first) {
            (At::Start, b'[') => At::FirstFact,
            (At::FirstFact | At::Comma, b']') => At::End,
            (At::Comma, b',') => At::Fact,
            (At::FirstFact | At::Fact, _) => match read_element(text, is_last, sink)? {
                Some(left) => {
                    text = left;
                    *at = At::Comma;
                    continue;
                }
                None => return Ok(text),
            },
            (At::Start, _) => return Err(BodyError::expected(0, EXPECTED_ARRAY)),
            (At::Comma, _) => return Err(broken_array(sink, "no comma or closing bracket follows the object before")),
            (At::End, _) => return Err(broken_array(sink, "something follows its end")),
        };
        text = rest;
    }
}

/// Reads one object, and returns what follows it; none if it has not arrived whole.
fn read_element<'b, C: Columns>(text: &'b [u8], is_last: bool, sink: &mut Sink<'_, C>) -> Result<Option<&'b [u8]>, BodyError> {
    let most = sink.limits.line_bytes;
    let number = sink.facts() + 1;
    let within = |length: usize| if most > 0 && length as u64 > most { Err(BodyError::expected(number, too_long(most))) } else { Ok(()) };
    let mut json = serde_json::Deserializer::from_slice(text).into_iter::<Drafted<'_, C::Field>>();
    let found = json.next();
    let length = json.byte_offset();
    match found {
        Some(Ok(Drafted(draft))) if is_last || length < text.len() => {
            within(length)?;
            sink.take(number, draft)?;
            Ok(text.get(length..))
        }
        Some(Err(error)) if is_last || !error.is_eof() => Err(broken_array(sink, format_args!("{} of the object", without_line(&error)))),
        _ => within(text.len()).map(|()| None),
    }
}

/// A draft, as a type of its own.
struct Drafted<'a, F: DraftField>(Draft<'a, F>);

impl<'a, F: DraftField> Deserialize<'a> for Drafted<'a, F> {
    fn deserialize<D: Deserializer<'a>>(json: D) -> Result<Self, D::Error> {
        let mut draft = Draft::new();
        FactSeed(&mut draft).deserialize(json)?;
        Ok(Self(draft))
    }
}

/// Reads one fact into a draft; a value that is no object is an error of the draft.
pub(super) struct FactSeed<'d, 'a, F: DraftField>(pub(super) &'d mut Draft<'a, F>);

impl<'a, F: DraftField> DeserializeSeed<'a> for FactSeed<'_, 'a, F> {
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
struct Name<F>(PhantomData<F>);

impl<'a, F: DraftField> DeserializeSeed<'a> for Name<F> {
    type Value = Result<F, String>;

    fn deserialize<D: Deserializer<'a>>(self, json: D) -> Result<Self::Value, D::Error> {
        json.deserialize_str(self)
    }
}

impl<F: DraftField> Visitor<'_> for Name<F> {
    type Value = Result<F, String>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a field")
    }

    fn visit_str<E: de::Error>(self, name: &str) -> Result<Self::Value, E> {
        Ok(F::from_name(name).ok_or_else(|| name.to_owned()))
    }
}

/// Any value, of a field.
struct AnyValue<F>(PhantomData<F>);

impl<'a, F: DraftField> DeserializeSeed<'a> for AnyValue<F> {
    type Value = Value<'a>;

    fn deserialize<D: Deserializer<'a>>(self, json: D) -> Result<Value<'a>, D::Error> {
        Ok(json.deserialize_any(ValueVisitor::<F> { fact: None })?.unwrap_or(Value::Null))
    }
}

/// Yields a value; but an object, where a fact is expected, goes into its draft and yields none.
struct ValueVisitor<'d, 'a, F: DraftField> {
    fact: Option<&'d mut Draft<'a, F>>,
}

impl<'a, F: DraftField> Visitor<'a> for ValueVisitor<'_, 'a, F> {
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
        while let Some(item) = items.next_element_seed(AnyValue::<F>(PhantomData))? {
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
        while let Some(name) = fields.next_key_seed(Name(PhantomData))? {
            let value = fields.next_value_seed(AnyValue::<F>(PhantomData))?;
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
        // No JSON is one.
        Value::Local(at) => at.to_string(),
    }
}
