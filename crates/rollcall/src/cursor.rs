//! Cursors: where a list goes on. To clients they are opaque; what is in them is checked, so that a cursor of another list, organization or question, or one that
//! was cut or made up, is refused and not read as some other place.
//!
//! A cursor is a version, the position that the list wrote into it, and 64 bits of a hash of both and of what the list is: as text in the alphabet of URLs. There is
//! nothing secret in it: whoever may read a list may begin anywhere in it.

use crate::reports::BadParameter;
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use xxhash_rust::xxh3::Xxh3;

/// The version of what is written.
const VERSION: u8 = 1;

/// The most bytes of a position.
const MOST: usize = 1024;

/// How many bytes the check takes.
const CHECK: usize = 8;

/// The cursor of a position in a list. `list` says which it is: its name, whose it is, and every parameter that decides what is in it and in which order.
pub fn write(list: &str, position: &[u8]) -> String {
    let bytes = [&[VERSION], position, &check(list, position)].concat();
    URL_SAFE_NO_PAD.encode(bytes)
}

/// The position in the cursor of a list.
///
/// # Errors
/// It is no cursor of this list.
pub fn read(list: &str, cursor: &str) -> Result<Vec<u8>, BadParameter> {
    let read = || {
        let bytes = Some(cursor).filter(|cursor| cursor.len() <= 2 * MOST).and_then(|cursor| URL_SAFE_NO_PAD.decode(cursor).ok())?;
        let (position, found) = bytes.strip_prefix(&[VERSION])?.split_last_chunk::<CHECK>()?;
        (position.len() <= MOST && *found == check(list, position)).then(|| position.to_vec())
    };
    read().ok_or_else(|| BadParameter::new("cursor", Some(cursor), "the next of a page before, of the same list with the same parameters"))
}

/// The number in the cursor of a list whose positions are numbers; none where no cursor is given.
///
/// # Errors
/// It is no cursor of this list.
pub fn read_number(list: &str, cursor: Option<&str>) -> Result<Option<u64>, BadParameter> {
    let Some(cursor) = cursor else { return Ok(None) };
    let position = read(list, cursor)?;
    // A list whose positions are no numbers has another name.
    Ok(position.as_slice().try_into().ok().map(u64::from_be_bytes))
}

fn check(list: &str, position: &[u8]) -> [u8; CHECK] {
    let mut hash = Xxh3::new();
    hash.update(&(list.len() as u64).to_le_bytes());
    hash.update(list.as_bytes());
    hash.update(&[VERSION]);
    hash.update(position);
    hash.digest().to_be_bytes()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn a_position_is_read_as_it_was_written_and_by_its_list_only(position in prop::collection::vec(any::<u8>(), 0..=MOST), list in "[a-z]{0,8}") {
            let cursor = write(&list, &position);
            prop_assert!(cursor.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-_".contains(&byte)));
            prop_assert_eq!(read(&list, &cursor).ok(), Some(position));
            let other = format!("{list}!");
            prop_assert!(read(&other, &cursor).is_err());
        }

        #[test]
        fn what_nobody_wrote_is_no_cursor(text in "[A-Za-z0-9_-]{0,64}|.{0,64}", flipped in any::<prop::sample::Index>()) {
            prop_assert!(read("list", &text).is_err());
            let mut cursor = write("list", &7u64.to_be_bytes()).into_bytes();
            let at = flipped.index(cursor.len());
            cursor[at] = if cursor[at] == b'A' { b'B' } else { b'A' };
            // The last letter has bits that stand for nothing.
            prop_assert!(read("list", &String::from_utf8(cursor).unwrap()).is_err());
        }
    }

    #[test]
    fn a_position_that_is_too_long_is_refused() {
        assert!(read("list", &write("list", &[0; MOST + 1])).is_err());
        assert!(read("list", &"A".repeat(1 << 20)).is_err());
    }
}
