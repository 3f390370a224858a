//! `users_by_place`: distinct users per country or first-level subdivision.

use crate::calendar::Range;
use crate::place::Place;
use jiff::tz::TimeZone;

/// The question: how many distinct users attended anything, by the place they attended from.
///
/// A stay `[joined_at, left_at)` overlaps a range `[a, b)` when `joined_at < b` and `left_at > a`; a stay of no length counts at its
/// instant. Stays of every kind of session count. A user in two places counts in both.
#[derive(Debug, Clone, PartialEq)]
pub struct UsersByPlace {
    /// The instants asked for, as one.
    pub range: Range,
    /// The zone that the answer names; it does not change the rows.
    pub zone: TimeZone,
    /// What a row is.
    pub by: PlaceLevel,
    /// Only places of this country have rows; none: of every country. Users seen elsewhere alone then count as of unknown place.
    pub country: Option<Place>,
    /// Only this app; none: all.
    pub app: Option<String>,
}

/// What a row of `users_by_place` counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum PlaceLevel {
    /// A country ([`Place::as_country`]).
    Country,
    /// A first-level subdivision ([`Place::as_subdivision`]).
    Subdivision,
}

/// One row of the answer: by users, descending, then by code, ascending; the row of unknown places last.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PlaceUsers {
    /// The place. None: users none of whose stays has a place that could be a row; there is no such row where there are no such users.
    pub place: Option<Place>,
    /// Distinct users.
    pub users: u64,
}

impl PlaceUsers {
    /// The share of these users in the total of an answer's rows, in hundredths of a percent, cut off and not rounded: 6666 is 66.66 %.
    ///
    /// The total is the sum over all rows, so a user in two places counts in it twice, and shares sum to 100 % or a little less.
    pub fn share(&self, rows: &[Self]) -> u64 {
        let total: u64 = rows.iter().map(|row| row.users).sum();
        (u128::from(self.users) * 10_000).checked_div(u128::from(total)).and_then(|share| u64::try_from(share).ok()).unwrap_or(0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_share_is_cut_off_after_hundredths_of_a_percent() {
        let share = |users: u64, total: u64| {
            let rows = [users, total - users].map(|users| PlaceUsers { place: None, users });
            rows[0].share(&rows)
        };
        for ((users, total), expected) in [
            ((666, 999), 6666),
            ((123, 999), 1231),
            ((1, 8), 1250),
            ((2, 3), 6666),
            ((29, 100), 2900),
            ((999, 999), 10_000),
            ((1, 10_001), 0),
        ] {
            assert_eq!(share(users, total), expected, "{users} of {total}");
        }
        assert_eq!(share(0, 0), 0);
    }
}
