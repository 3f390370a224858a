//! Rows of the report, in the vendor's words and order (wire, Values).

use super::wire::{Dimension, Distribution, Row, UNKNOWN, USER_NUM};
use rollcall_model::place::Place;
use rollcall_model::reports::PlaceUsers;
use serde_json::Number;
use std::borrow::Cow;
use std::cmp::Reverse;

/// The result: by users, descending, then by name. Users of unknown place are in the total whether they are shown or not.
pub(super) fn distribution(rows: &[PlaceUsers], dimension: Dimension, show_unknown: bool) -> Distribution {
    let shown = rows.iter().filter(|row| show_unknown || row.place.is_some());
    let mut named: Vec<_> =
        shown.map(|row| (Reverse(row.users), row.place.map_or(UNKNOWN.into(), distribution_name), row.share(rows))).collect();
    named.sort();
    let data = named.into_iter().map(|(Reverse(users), name, share)| Row {
        distribution_name: name.into_owned(),
        value: users.into(),
        proportion: percent(share),
    });
    Distribution { name: USER_NUM.into(), dimension: dimension.name().into(), data: data.collect() }
}

/// The short Chinese name of a place; its code where it has none.
fn distribution_name(place: Place) -> Cow<'static, str> {
    place.chinese_name().map_or_else(|| place.code().into(), Into::into)
}

/// Hundredths of a percent as a number of percent, whole where it can be: clients in other languages tell `50` from `50.0`.
fn percent(hundredths: u64) -> Number {
    let whole = Number::from(hundredths / 100);
    if hundredths.is_multiple_of(100) { whole } else { Number::from_f64(hundredths as f64 / 100.0).unwrap_or(whole) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shares_are_cut_off_after_two_decimals_and_printed_without_trailing_zeros() {
        let printed = |users: u64, total: u64| {
            let rows = [users, total - users].map(|users| PlaceUsers { place: None, users });
            percent(rows[0].share(&rows)).to_string()
        };
        for (value, total, expected) in [
            (666, 999, "66.66"),
            (123, 999, "12.31"),
            (1, 8, "12.5"),
            (2, 3, "66.66"),
            (29, 100, "29"),
            (999, 999, "100"),
            (1, 10_001, "0"),
        ] {
            assert_eq!(printed(value, total), expected, "{value} of {total}");
        }
        // Each of the 10,001 that there are has at most two decimals, as printed.
        for hundredths in 0..=10_000 {
            let printed = percent(hundredths).to_string();
            assert_eq!(printed.parse::<f64>().map(|percent| (percent * 100.0).round() as u64), Ok(hundredths));
            assert!(printed.split_once('.').is_none_or(|(_, decimals)| decimals.len() <= 2 && !decimals.ends_with('0')), "{printed}");
        }
    }
}
