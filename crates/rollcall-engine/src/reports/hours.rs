//! Distinct users by hour of a zone's clocks.

use super::counted::Counted;
use crate::EngineError;
use crate::cells::set;
use crate::parallel;
use roaring::RoaringBitmap;
use rollcall_model::calendar::Slice;
use rollcall_model::{Calendar, Hour, Period, Range};

/// How many days are made at a time.
const DAYS_AT_ONCE: usize = 16;

/// Gives `add` each hour that a range touches, with the users who are there in what of it lies in the range; some days are made at a time.
pub(super) fn hours(
    counted: &Counted<'_>,
    calendar: &Calendar,
    range: Range,
    mut add: impl FnMut(&Hour, RoaringBitmap),
) -> Result<(), EngineError> {
    let days: Vec<Slice> = calendar.periods(Period::Day, range).collect();
    for some in days.chunks(DAYS_AT_ONCE) {
        let of_days = parallel::each(some, |day| of_day(counted, calendar, day.range.intersect(&range)))?;
        of_days.into_iter().flatten().for_each(|(hour, users)| add(&hour, users));
    }
    Ok(())
}

/// The hours of a day, or of a part of one.
fn of_day(counted: &Counted<'_>, calendar: &Calendar, asked: Range) -> Result<Vec<(Hour, RoaringBitmap)>, EngineError> {
    let hours: Vec<Hour> = calendar.hours(asked).collect();
    let mut users: Vec<Vec<u32>> = vec![Vec::new(); hours.len()];
    counted.each_stay(asked, |stay, parts| {
        for part in parts {
            let first = hours.partition_point(|hour| hour.range.to <= part.from);
            let met = hours.iter().zip(&mut users).skip(first).take_while(|(hour, _)| hour.range.from < part.to);
            met.for_each(|(_, users)| users.push(stay.user));
        }
    })?;
    Ok(hours.into_iter().zip(users.into_iter().map(set)).collect())
}
