//! JSON, verbose (wire section 2.1) and light (2.7), written by hand: dates need `\/`, which no serializer writes.

mod light;
mod verbose;

pub(super) use light::Light;
pub(super) use verbose::Verbose;

/// Appends a string as the original's library escapes it: what is no printable ASCII becomes `\uXXXX`.
pub(super) fn string(out: &mut String, text: &str) {
    out.push('"');
    for character in text.chars() {
        match character {
            '"' => out.push_str("\\\""),
            '\\' => out.push_str("\\\\"),
            '\r' => out.push_str("\\r"),
            '\n' => out.push_str("\\n"),
            '\t' => out.push_str("\\t"),
            '\u{8}' => out.push_str("\\b"),
            '\u{c}' => out.push_str("\\f"),
            ' '..='\x7f' => out.push(character),
            _ => character.encode_utf16(&mut [0; 2]).iter().for_each(|unit| out.push_str(&format!("\\u{unit:04x}"))),
        }
    }
    out.push('"');
}

/// Appends `"name":`.
fn name(out: &mut String, name: &str) {
    string(out, name);
    out.push(':');
}

/// Appends items with commas between.
fn list<T>(out: &mut String, items: impl IntoIterator<Item = T>, mut write: impl FnMut(&mut String, T)) {
    for (position, item) in items.into_iter().enumerate() {
        if position > 0 {
            out.push(',');
        }
        write(out, item);
    }
}

#[cfg(test)]
mod tests {
    #[test]
    fn strings_are_escaped_as_the_library_does() {
        let mut out = String::new();
        super::string(&mut out, "a\"b\\c/d'\r\n\t\u{8}\u{c}\u{1}\u{7f}é漢🙂");
        assert_eq!(out, "\"a\\\"b\\\\c/d'\\r\\n\\t\\b\\f\\u0001\u{7f}\\u00e9\\u6f22\\ud83d\\ude42\"");
    }
}
