//! What a row is called.

use rollcall_model::place::Place;
use std::borrow::Cow;

/// The short Chinese name of a place; its code where it has none.
pub(super) fn distribution_name(place: Place) -> Cow<'static, str> {
    let code = place.code();
    let name = NAMES.iter().find(|(known, _)| *known == code);
    name.map_or(Cow::Owned(code), |(_, name)| Cow::Borrowed(*name))
}

const NAMES: &[(&str, &str)] = &[("CN-SH", "上海"), ("CN-BJ", "北京"), ("CN-YN", "云南"), ("CN-HK", "香港"), ("CN", "中国"), ("US", "美国"), ("HK", "中国香港")];
