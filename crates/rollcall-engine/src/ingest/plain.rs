//! Objects of JSON that are written plainly, as nearly all facts are: strings without escapes, integers, nulls, lists of such strings. They
//! are read here in one pass, in a fraction of the time that a parser of all of JSON takes; whatever else a line is, that parser says.

use rollcall_model::draft::DraftField;
use rollcall_model::{Draft, Value};

/// How many digits a number has at most that fits for sure.
const MOST_DIGITS: usize = 18;

/// The fact of a line; none if it is not written plainly, or is no JSON.
pub(super) fn read<'a, F: DraftField>(line: &'a str) -> Option<Draft<'a, F>> {
    let mut rest = Rest(line);
    let mut draft = Draft::new();
    rest.token(b'{')?;
    loop {
        let name = rest.string()?;
        rest.token(b':')?;
        let value = rest.value()?;
        match F::from_name(name) {
            Some(field) => draft.set_field(field, value),
            None => draft.set(name, value),
        }
        match rest.next()? {
            b',' => {}
            b'}' => return rest.is_blank().then_some(draft),
            _ => return None,
        }
    }
}

/// What is left of a line.
struct Rest<'a>(&'a str);

impl<'a> Rest<'a> {
    /// Takes the next byte that is no white space.
    fn next(&mut self) -> Option<u8> {
        let bytes = self.0.as_bytes();
        let blank = bytes.iter().take_while(|byte| is_space(**byte)).count();
        let byte = bytes.get(blank).filter(|byte| byte.is_ascii())?;
        self.0 = self.0.get(blank + 1..)?;
        Some(*byte)
    }

    /// Takes this byte, which is next.
    fn token(&mut self, expected: u8) -> Option<()> {
        self.next().filter(|byte| *byte == expected).map(|_| ())
    }

    /// Takes a string.
    fn string(&mut self) -> Option<&'a str> {
        self.token(b'"')?;
        self.string_end()
    }

    /// Takes the rest of a string that has begun.
    fn string_end(&mut self) -> Option<&'a str> {
        let end = self.0.bytes().position(|byte| byte == b'"' || byte == b'\\' || byte < b' ')?;
        let (text, rest) = self.0.split_at_checked(end)?;
        self.0 = rest.strip_prefix('"')?;
        Some(text)
    }

    fn value(&mut self) -> Option<Value<'a>> {
        match self.next()? {
            b'"' => Some(Value::Str(self.string_end()?.into())),
            b'[' => self.list(),
            b'n' => {
                self.0 = self.0.strip_prefix("ull")?;
                Some(Value::Null)
            }
            b'-' => match self.next_digit()? {
                // Not an integer to everybody.
                b'0' => None,
                first => Some(Value::Int(-self.integer(first)?)),
            },
            digit @ b'0'..=b'9' => Some(Value::Int(self.integer(digit)?)),
            _ => None,
        }
    }

    fn next_digit(&mut self) -> Option<u8> {
        let digit = *self.0.as_bytes().first().filter(|byte| byte.is_ascii_digit())?;
        self.0 = self.0.get(1..)?;
        Some(digit)
    }

    /// Takes the rest of an integer that has begun with a digit.
    fn integer(&mut self, first: u8) -> Option<i64> {
        let digits = self.0.bytes().take_while(u8::is_ascii_digit).count();
        if digits >= MOST_DIGITS || (first == b'0' && digits > 0) {
            return None;
        }
        let (text, rest) = self.0.split_at_checked(digits)?;
        // A number that goes on is none of these.
        if rest.starts_with(['.', 'e', 'E']) {
            return None;
        }
        self.0 = rest;
        Some(text.bytes().fold(i64::from(first - b'0'), |number, digit| number * 10 + i64::from(digit - b'0')))
    }

    /// Takes the rest of a list that has begun.
    fn list(&mut self) -> Option<Value<'a>> {
        let mut items = Vec::new();
        loop {
            match self.next()? {
                b'"' => items.push(self.string_end()?.into()),
                b']' if items.is_empty() => return Some(Value::List(items)),
                _ => return None,
            }
            match self.next()? {
                b',' => {}
                b']' => return Some(Value::List(items)),
                _ => return None,
            }
        }
    }

    fn is_blank(&self) -> bool {
        self.0.bytes().all(is_space)
    }
}

/// What JSON calls white space.
const fn is_space(byte: u8) -> bool {
    matches!(byte, b' ' | b'\t' | b'\n' | b'\r')
}

#[cfg(test)]
mod tests {
    use super::super::json::FactSeed;
    use super::*;
    use proptest::prelude::*;
    use rollcall_model::attendance::Field;
    use serde::de::DeserializeSeed;

    /// What the parser of all of JSON reads; none if it is no JSON.
    fn slowly(line: &str) -> Option<Draft<'_, Field>> {
        let mut draft = Draft::new();
        let mut json = serde_json::Deserializer::from_str(line);
        FactSeed(&mut draft).deserialize(&mut json).and_then(|()| json.end()).ok()?;
        Some(draft)
    }

    fn agree(line: &str) -> bool {
        let plain = read::<Field>(line);
        if let Some(plain) = &plain {
            assert_eq!(Some(format!("{plain:?}")), slowly(line).map(|draft| format!("{draft:?}")), "{line}");
        }
        plain.is_some()
    }

    #[test]
    fn plain_lines_are_read_here_and_others_left_to_the_parser() {
        let plain = [
            r#"{"session_id":"会 1","user_id":"u","joined_at":1740819600000,"media":["audio","screen"],"unit":0}"#,
            " {\t\"user_id\" : null , \"media\":[ ], \"colour\":\"red\",\"unit\":-12, \"unit\":3}\r",
            r#"{"user_id":"","media":["a" , "b"],"left_at":999999999999999999}"#,
        ];
        for line in plain {
            assert!(agree(line), "{line}");
        }
        let others = [
            "",
            "{",
            "{}",
            "[]",
            "null",
            "{\"a\":1}x",
            "{\"a\":1,}",
            "{\"a\" 1}",
            "{\"a\":}",
            "{\"a\":01}",
            "{\"a\":-0}",
            "{\"a\":-}",
            "{\"a\":1.5}",
            "{\"a\":1e3}",
            "{\"a\":true}",
            "{\"a\":nul}",
            "{\"a\":\"\\n\"}",
            "{\"\\u0061\":1}",
            "{\"a\":\"\t\"}",
            "{\"a\":[1]}",
            "{\"a\":[\"b\",]}",
            "{\"a\":[,]}",
            "{\"a\":{}}",
            "{\"a\":1000000000000000000}",
            "{\"a\":\"b}",
            "{a:1}",
            "\u{a0}{\"a\":1}",
            "{\"a\":1}\u{a0}",
            "{\"a\":1\u{a0}}",
        ];
        for line in others {
            assert!(!agree(line), "{line}");
        }
    }

    proptest! {
        #[test]
        fn whatever_is_read_here_is_read_the_same_by_the_parser(
            parts in prop::collection::vec(prop::sample::select(vec![
                "{", "}", "[", "]", ",", ":", "\"", " ", "\"user_id\":", "\"media\":", "\"a\"", "\"unit\":", "\"audio\"", "12", "-", "0", "null", "é",
                "\\", "\t", ".5", "e1", "{\"unit\":1", "\"device\":\"web\"",
            ]), 0..14)
        ) {
            agree(&parts.concat());
        }
    }
}
