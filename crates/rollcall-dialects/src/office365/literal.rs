//! Literals in keys and skip tokens (wire section 2.1).

use super::wire::parse_date;
use jiff::civil::DateTime;

/// Cuts at commas outside of quotes; none where a quote does not end.
pub(super) fn split(text: &str) -> Option<Vec<&str>> {
    let mut parts = Vec::new();
    let (mut quoted, mut from) = (false, 0);
    for (position, byte) in text.bytes().enumerate() {
        match byte {
            // A doubled quote leaves the literal and enters it again.
            b'\'' => quoted = !quoted,
            b',' if !quoted => {
                parts.push(text.get(from..position)?);
                from = position + 1;
            }
            _ => {}
        }
    }
    parts.push(text.get(from..)?);
    (!quoted).then_some(parts)
}

/// What stands in quotes behind a prefix, whatever the case of that.
pub(super) fn quoted<'t>(text: &'t str, prefix: &str) -> Option<&'t str> {
    let (before, behind) = text.split_at_checked(prefix.len())?;
    before.eq_ignore_ascii_case(prefix).then(|| behind.strip_prefix('\'')?.strip_suffix('\''))?
}

/// `datetime'…'`.
pub(super) fn date(text: &str) -> Option<DateTime> {
    parse_date(quoted(text, "datetime")?)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn commas_in_quotes_do_not_cut() {
        assert_eq!(split("5L,'a,b''c',null"), Some(vec!["5L", "'a,b''c'", "null"]));
        assert_eq!(split(""), Some(vec![""]));
        assert_eq!(split("'"), None);
        assert_eq!(quoted("GUID'x'", "guid"), Some("x"));
        assert_eq!(quoted("é'x'", "guid"), None);
    }
}
