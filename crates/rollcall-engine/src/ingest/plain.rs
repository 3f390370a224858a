//! Objects of JSON that are written plainly, as nearly all facts are: strings without escapes, integers, nulls, lists of such strings. They
//! are read here in one pass, in a fraction of the time that a parser of all of JSON takes; whatever else a line is, that parser says.

use rollcall_model::draft::DraftField;
use rollcall_model::{Draft, Value};

/// How many digits a number has at most that fits for sure.
const MOST_DIGITS: usize = 18;

/// The fact of a line; none if it is not written plainly, or is no JSON.
pub(super) fn read<'a, F: DraftField>(line: &'a str) -> Option<Draft<'a, F>> {
    let mut rest = Rest { line, at: 0 };
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

/// What is left of a line: all from a byte on.
struct Rest<'a> {
    line: &'a str,
    at: usize,
}

impl<'a> Rest<'a> {
    fn bytes(&self) -> &'a [u8] {
        self.line.as_bytes().get(self.at..).unwrap_or_default()
    }

    /// Takes the next byte that is no white space.
    fn next(&mut self) -> Option<u8> {
        loop {
            let byte = *self.line.as_bytes().get(self.at)?;
            self.at += 1;
            if !is_space(byte) {
                return Some(byte);
            }
        }
    }

    /// Takes this byte, which is next.
    fn token(&mut self, expected: u8) -> Option<()> {
        (self.next()? == expected).then_some(())
    }

    /// Takes a string.
    fn string(&mut self) -> Option<&'a str> {
        self.token(b'"')?;
        self.string_end()
    }

    /// Takes the rest of a string that has begun.
    fn string_end(&mut self) -> Option<&'a str> {
        let end = self.at + end_of_string(self.bytes())?;
        let text = self.line.get(self.at..end)?;
        self.at = end + 1;
        Some(text)
    }

    fn value(&mut self) -> Option<Value<'a>> {
        match self.next()? {
            b'"' => Some(Value::Str(self.string_end()?.into())),
            b'[' => self.list(),
            b'n' => {
                self.at += self.bytes().starts_with(b"ull").then_some(3)?;
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
        let digit = *self.bytes().first().filter(|byte| byte.is_ascii_digit())?;
        self.at += 1;
        Some(digit)
    }

    /// Takes the rest of an integer that has begun with a digit.
    fn integer(&mut self, first: u8) -> Option<i64> {
        let bytes = self.bytes();
        let digits = bytes.iter().take_while(|byte| byte.is_ascii_digit()).count();
        if digits >= MOST_DIGITS || (first == b'0' && digits > 0) {
            return None;
        }
        let (text, rest) = bytes.split_at_checked(digits)?;
        // A number that goes on is none of these.
        if let Some(b'.' | b'e' | b'E') = rest.first() {
            return None;
        }
        self.at += digits;
        Some(text.iter().fold(i64::from(first - b'0'), |number, digit| number * 10 + i64::from(digit - b'0')))
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
        self.bytes().iter().copied().all(is_space)
    }
}

/// What JSON calls white space.
const fn is_space(byte: u8) -> bool {
    matches!(byte, b' ' | b'\t' | b'\n' | b'\r')
}

/// Where the quotation mark is that ends a string; none if something comes before it that is not to be taken as it is.
fn end_of_string(bytes: &[u8]) -> Option<usize> {
    let (words, rest) = bytes.as_chunks::<8>();
    for (position, word) in words.iter().enumerate() {
        let special = special(u64::from_le_bytes(*word));
        if special != 0 {
            let at = special.trailing_zeros() as usize / 8;
            return (word.get(at) == Some(&b'"')).then_some(position * 8 + at);
        }
    }
    let at = rest.iter().position(|byte| matches!(byte, b'"' | b'\\' | ..b' '))?;
    (rest.get(at) == Some(&b'"')).then_some(words.len() * 8 + at)
}

/// The highest bit of the first of eight bytes that is a quotation mark, a backslash or a control character, and perhaps of some after it.
const fn special(word: u64) -> u64 {
    const ONES: u64 = u64::MAX / 255;
    // Where a byte is below another, subtracting borrows; what is borrowed reaches only bytes that follow.
    const fn below(word: u64, least: u8) -> u64 {
        word.wrapping_sub(ONES * least as u64) & !word & (ONES * 0x80)
    }
    below(word, b' ') | below(word ^ (ONES * b'"' as u64), 1) | below(word ^ (ONES * b'\\' as u64), 1)
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

    #[test]
    fn a_string_ends_where_its_first_quotation_mark_is_and_nothing_special_before() {
        let ends = |text: &str| {
            text.bytes().position(|byte| byte == b'"' || byte == b'\\' || byte < b' ').filter(|at| text.as_bytes()[*at] == b'"')
        };
        for special in
            ["\"", "\\", "\t", "\0", "\u{1f}", "", "!\"", "#\"", "[\"", "]\"", "é\"", "\u{7f}\"", "\"\"", "\u{1f} \"", "\"\u{1f}"]
        {
            for (before, after) in (0..20).flat_map(|before| (0..10).map(move |after| (before, after))) {
                let text = ["a".repeat(before).as_str(), special, "z ".repeat(after).as_str()].concat();
                assert_eq!(end_of_string(text.as_bytes()), ends(&text), "{text}");
            }
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
