//! Distinct users by hour of a zone's clocks.

use super::counted::Counted;
use crate::EngineError;
use roaring::RoaringBitmap;
use rollcall_model::{Calendar, Hour, Period, Range};

/// Gives `add` each hour that a range touches, with the users who are there in what of it lies in the range; a day is made at a time.
pub(super) fn hours(
    counted: &Counted<'_>,
    calendar: &Calendar,
    range: Range,
    mut add: impl FnMut(&Hour, RoaringBitmap),
) -> Result<(), EngineError> {
    for day in calendar.periods(Period::Day, range) {
        let asked = day.range.intersect(&range);
        let hours: Vec<Hour> = calendar.hours(asked).collect();
        let mut users: Vec<Vec<u32>> = vec![Vec::new(); hours.len()];
        counted.each_stay(asked, |stay, parts| {
            for part in parts {
                let first = hours.partition_point(|hour| hour.range.to <= part.from);
                let met = hours.iter().zip(&mut users).skip(first).take_while(|(hour, _)| hour.range.from < part.to);
                met.for_each(|(_, users)| users.push(stay.user));
            }
        })?;
        for (hour, mut users) in hours.iter().zip(users) {
            users.sort_unstable();
            add(hour, users.into_iter().collect());
        }
    }
    Ok(())
}
