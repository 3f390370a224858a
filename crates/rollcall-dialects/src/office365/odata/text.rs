//! Functions of text.

/// How many UTF-16 units a text has.
pub(super) fn length(text: &str) -> Option<i32> {
    i32::try_from(text.encode_utf16().count()).ok()
}

/// Where a text first occurs in another, from 0; -1 if nowhere.
pub(super) fn index_of(whole: &str, part: &str) -> Option<i32> {
    whole.split_once(part).map_or(Some(-1), |(before, _)| length(before))
}

/// A text with every occurrence of another replaced. To look for nothing is an error in .NET.
pub(super) fn replace(text: &str, find: &str, by: &str) -> Option<String> {
    (!find.is_empty()).then(|| text.replace(find, by))
}

/// How many bytes [`replace`] gives; the largest number where that is more, which no budget has.
pub(super) fn replaced_bytes(text: &str, find: &str, by: &str) -> usize {
    if find.is_empty() {
        return 0;
    }
    let found = text.matches(find).count();
    found.saturating_mul(by.len()).saturating_add(text.len() - found * find.len())
}

/// The part of a text from a place on, or of a length. What is not within the text is an error in .NET.
pub(super) fn substring(text: &str, start: i32, length: Option<i32>) -> Option<String> {
    let units: Vec<u16> = text.encode_utf16().collect();
    let rest = units.get(usize::try_from(start).ok()?..)?;
    let part = match length {
        Some(length) => rest.get(..usize::try_from(length).ok()?)?,
        None => rest,
    };
    Some(String::from_utf16_lossy(part))
}
