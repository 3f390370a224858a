//! Resource paths (wire section 2.3).

use super::errors::Refusal;
use super::literal;
use super::wire::{Property, Set};
use jiff::civil::DateTime;

/// The segments of the service's path, in lower case.
const SEGMENTS: [&str; 3] = ["ecp", "reportingwebservice", "reporting.svc"];

/// What a path names.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Resource {
    /// The service document.
    Service,
    /// `$metadata`.
    Metadata,
    /// The rows of a set.
    Rows(Set),
    /// How many they are.
    Count(Set),
    /// The row of a key.
    Row(Set, DateTime),
    /// A property of that row.
    Property(Set, DateTime, Property),
    /// Its bare text.
    Value(Set, DateTime, Property),
}

impl Resource {
    /// The set that must be readable, if any.
    pub(super) const fn set(&self) -> Option<Set> {
        match self {
            Self::Service | Self::Metadata => None,
            Self::Rows(set) | Self::Count(set) | Self::Row(set, _) | Self::Property(set, ..) | Self::Value(set, ..) => Some(*set),
        }
    }
}

/// The part of a request path behind the service, percent-encoded, without the slash between; none where the path is another's.
pub(super) fn behind_service(path: &str) -> Option<&str> {
    let mut rest = path.strip_prefix('/')?;
    for (position, segment) in SEGMENTS.iter().enumerate() {
        let (first, behind) = match rest.split_once('/') {
            Some(split) => split,
            None if position + 1 == SEGMENTS.len() => (rest, ""),
            None => return None,
        };
        if !percent_decoded(first)?.eq_ignore_ascii_case(segment) {
            return None;
        }
        rest = behind;
    }
    Some(rest)
}

/// The resource that this part names.
pub(super) fn resource(behind: &str) -> Result<Resource, Refusal> {
    // One slash at the end, also before the question mark, is accepted.
    let behind = behind.strip_suffix('/').unwrap_or(behind);
    if behind.is_empty() {
        return Ok(Resource::Service);
    }
    let segments = behind.split('/').map(|segment| match percent_decoded(segment) {
        Some(segment) if segment.is_empty() => Err(Refusal::EmptySegment),
        segment => segment.ok_or(Refusal::Syntax),
    });
    let segments = segments.collect::<Result<Vec<_>, _>>()?;
    let mut segments = segments.iter().map(String::as_str);
    let (first, second, third) = (segments.next().unwrap_or_default(), segments.next(), segments.next());
    let (name, key) = first.split_once('(').map_or((first, None), |(name, key)| (name, Some(key)));
    let (resource, behind) = match (first, Set::from_name(name)) {
        ("$metadata", _) => (Resource::Metadata, second),
        ("$count", _) => return Err(Refusal::CountOfRoot),
        (_, None) => return Err(Refusal::NotFound(name.into())),
        (_, Some(set)) => match (key.map(parse_key).transpose()?.flatten(), second) {
            (None, None) => (Resource::Rows(set), None),
            (None, Some("$count")) => (Resource::Count(set), third),
            (None, Some(_)) => return Err(Refusal::BehindCollection(set.name())),
            (Some(date), None) => (Resource::Row(set, date), None),
            (Some(date), Some(second)) => {
                let property = Property::from_name(second).ok_or_else(|| Refusal::NotFound(second.into()))?;
                match third {
                    None => (Resource::Property(set, date, property), None),
                    Some("$value") => (Resource::Value(set, date, property), segments.next()),
                    Some(third) => return Err(Refusal::BehindProperty { property: property.name(), segment: third.into() }),
                }
            }
        },
    };
    match behind {
        None => Ok(resource),
        Some(behind) => Err(Refusal::NotFound(behind.into())),
    }
}

/// The key of `datetime'…')` or `Date=datetime'…')`; none of `)`.
fn parse_key(text: &str) -> Result<Option<DateTime>, Refusal> {
    let text = text.strip_suffix(')').ok_or(Refusal::Syntax)?.trim();
    if text.is_empty() {
        return Ok(None);
    }
    let keys = literal::split(text).ok_or(Refusal::Syntax)?;
    let &[key] = keys.as_slice() else { return Err(Refusal::KeyCount) };
    let literal = match key.split_once('=') {
        Some((name, literal)) if name.trim() == Property::Date.name() => literal,
        Some(_) => return Err(Refusal::Syntax),
        None => key,
    };
    literal::date(literal.trim()).map(Some).ok_or(Refusal::Syntax)
}

/// The text of `%xx`; none where it is malformed or no UTF-8.
pub(super) fn percent_decoded(text: &str) -> Option<String> {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.bytes();
    while let Some(byte) = rest.next() {
        bytes.push(match byte {
            b'%' => {
                let digit = |byte: Option<u8>| char::from(byte?).to_digit(16);
                let (high, low) = (digit(rest.next())?, digit(rest.next())?);
                u8::try_from(high * 16 + low).ok()?
            }
            byte => byte,
        });
    }
    String::from_utf8(bytes).ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use jiff::civil::date;

    #[test]
    fn the_service_is_found_in_any_case() {
        assert_eq!(behind_service("/ecp/reportingwebservice/reporting.svc"), Some(""));
        assert_eq!(behind_service("/ECP/ReportingWebService/Reporting.SVC/A/b"), Some("A/b"));
        for other in
            ["", "/", "/ecp", "/ecp/reportingwebservice", "/ecp/reportingwebservice/reporting", "/ecp//reportingwebservice/reporting.svc"]
        {
            assert_eq!(behind_service(other), None, "{other}");
        }
    }

    #[test]
    fn every_path_has_its_resource() {
        let day = date(2013, 5, 5).at(0, 0, 0, 0);
        for (path, expected) in [
            ("", Resource::Service),
            ("/", Resource::Service),
            ("$metadata", Resource::Metadata),
            ("%24metadata", Resource::Metadata),
            ("CsActiveUserDaily", Resource::Rows(Set::Daily)),
            ("CsActiveUserDaily/", Resource::Rows(Set::Daily)),
            ("CsActiveUserYearly()", Resource::Rows(Set::Yearly)),
            ("CsActiveUserDaily/$count", Resource::Count(Set::Daily)),
            ("CsActiveUserWeekly(datetime'2013-05-05T00:00:00')", Resource::Row(Set::Weekly, day)),
            ("CsActiveUserWeekly%28datetime%272013-05-05T00%3A00%3A00%27%29", Resource::Row(Set::Weekly, day)),
            ("CsActiveUserWeekly(Date=DateTime'2013-05-05T00:00')", Resource::Row(Set::Weekly, day)),
            ("CsActiveUserWeekly(datetime'2013-05-05T00:00:00')/ID", Resource::Property(Set::Weekly, day, Property::Id)),
            ("CsActiveUserWeekly(datetime'2013-05-05T00:00:00')/ID/$value", Resource::Value(Set::Weekly, day, Property::Id)),
        ] {
            assert_eq!(resource(path), Ok(expected), "{path}");
        }
    }
}
