//! In which format an answer is written: `format` in the query decides, else the header `Accept`.

use super::refusal::Refusal;
use crate::problem::Kind;
use crate::reports::BadParameter;
use http::{HeaderMap, header};

/// A format: its name in `format`, its content type, and what it stands for.
pub type Format<T> = (&'static str, &'static str, T);

/// Takes `format` out of the query and finds it among the formats, of which the first is the usual one; without it, the one that `Accept` likes best.
pub fn format<T: Copy>(
    given: &mut Vec<(String, String)>,
    headers: &HeaderMap,
    formats: &[Format<T>],
) -> Result<(&'static str, T), Refusal> {
    if let Some(position) = given.iter().position(|(name, _)| name == "format") {
        let (name, value) = given.remove(position);
        let found = formats.iter().find(|(word, ..)| *word == value);
        let names = || formats.iter().map(|(word, ..)| *word).collect::<Vec<_>>().join(", ");
        return found
            .map(|(_, content_type, format)| (*content_type, *format))
            .ok_or_else(|| BadParameter::new(&name, Some(&value), format!("one of {}", names())).into());
    }
    let accepted: Vec<&str> = headers.get_all(header::ACCEPT).iter().filter_map(|value| value.to_str().ok()).collect();
    let (_, content_type, format) = best(&accepted.join(","), formats).ok_or_else(|| {
        let types: Vec<_> = formats.iter().map(|(_, content_type, _)| *content_type).collect();
        Refusal::of(Kind::NOT_ACCEPTABLE, format!("accept: expected one of {}", types.join(", ")))
    })?;
    Ok((*content_type, *format))
}

/// Takes `bom` out of the query: whether a CSV begins with a byte order mark, by which Excel knows it for UTF-8.
pub fn bom(given: &mut Vec<(String, String)>, is_csv: bool) -> Result<bool, BadParameter> {
    let Some(position) = given.iter().position(|(name, _)| name == "bom") else { return Ok(false) };
    let (name, value) = given.remove(position);
    match value.as_str() {
        "1" if is_csv => Ok(true),
        "0" => Ok(false),
        "1" => Err(BadParameter::new(&name, Some(&value), "format=csv beside it")),
        _ => Err(BadParameter::new(&name, Some(&value), "0 or 1")),
    }
}

/// A byte order mark.
pub const BOM: &[u8] = b"\xEF\xBB\xBF";

/// How much a client likes something: the quality in thousandths, how exactly it is named, and how early.
type Liking = (u16, u8, std::cmp::Reverse<usize>);

/// The format that is liked best, of those equally liked the one that is named more exactly, then earlier. With nothing said, the first.
fn best<'f, T>(accept: &str, formats: &'f [Format<T>]) -> Option<&'f Format<T>> {
    let ranges: Vec<(&str, u16)> = accept.split(',').filter_map(range).collect();
    if ranges.is_empty() {
        return formats.first();
    }
    let mut found: Option<(Liking, &Format<T>)> = None;
    for format in formats {
        let matching = ranges
            .iter()
            .enumerate()
            .filter_map(|(position, (range, quality))| Some((exactness(range, format.1)?, std::cmp::Reverse(position), *quality)));
        // The range that names it most exactly says how much it is liked.
        let Some((exactness, position, quality)) = matching.max() else { continue };
        let liking = (quality, exactness, position);
        if quality > 0 && found.as_ref().is_none_or(|(most, _)| liking > *most) {
            found = Some((liking, format));
        }
    }
    found.map(|(_, format)| format)
}

/// A media range and its quality in thousandths. What cannot be read is passed over.
fn range(text: &str) -> Option<(&str, u16)> {
    let mut parts = text.split(';').map(str::trim);
    let range = parts.next().filter(|range| range.contains('/'))?;
    let quality = parts.find_map(|parameter| parameter.strip_prefix("q=").or_else(|| parameter.strip_prefix("Q=")));
    let thousandths = |quality: f32| if (0.0..=1.0).contains(&quality) { Some((quality * 1000.0).round() as u16) } else { None };
    Some((range, quality.map_or(Some(1000), |quality| quality.parse().ok().and_then(thousandths))?))
}

/// How exactly a media range names a content type; none if it does not.
fn exactness(range: &str, content_type: &str) -> Option<u8> {
    let essence = content_type.split(';').next().unwrap_or_default();
    let kind = essence.split('/').next().unwrap_or_default();
    match range.split_once('/')? {
        ("*", "*") => Some(0),
        (of, "*") if of.eq_ignore_ascii_case(kind) => Some(1),
        _ if range.eq_ignore_ascii_case(essence) => Some(2),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const FORMATS: &[Format<()>] =
        &[("json", "application/json", ()), ("csv", "text/csv; charset=utf-8", ()), ("xlsx", "application/vnd.sheet", ())];

    #[test]
    fn the_format_that_is_liked_best_is_taken() {
        for (accept, expected) in [
            ("", "json"),
            ("*/*", "json"),
            ("text/csv", "csv"),
            ("TEXT/CSV;charset=utf-8", "csv"),
            ("text/*", "csv"),
            ("text/csv, */*", "csv"),
            ("text/csv;q=0.5, application/json;q=0.4", "csv"),
            ("text/csv;q=0.5, application/json", "json"),
            ("application/vnd.sheet, text/csv", "xlsx"),
            ("text/csv, application/vnd.sheet", "csv"),
            ("application/*;q=0.1, */*;q=0.9", "csv"),
            ("application/json;q=0, */*;q=0.1", "csv"),
            ("text/html, application/xhtml+xml, application/xml;q=0.9, */*;q=0.8", "json"),
            ("nonsense", "json"),
            ("text/csv;q=x", "json"),
        ] {
            assert_eq!(best(accept, FORMATS).unwrap().0, expected, "{accept}");
        }
        for accept in ["text/html", "image/*", "*/*;q=0", "application/json;q=0, text/csv;q=0.0, application/vnd.sheet;q=0"] {
            assert!(best(accept, FORMATS).is_none(), "{accept}");
        }
    }
}
