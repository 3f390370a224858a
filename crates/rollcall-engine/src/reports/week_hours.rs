//! `week_hours`: distinct users by hour of the week, added up over such hours. `week_hours.sql` defines the same answer.

use super::Answering;
use super::counted::Counted;
use super::hours::hours;
use rollcall_model::reports::{WeekHour, WeekHours};
use rollcall_model::{Answer, Calendar, Covers, OrgId, ReportError};
use std::collections::BTreeMap;

pub(super) fn answer(answering: &Answering<'_>, org: OrgId, ask: &WeekHours) -> Result<Answer<WeekHour>, ReportError> {
    let counted = Counted::new(answering, org, &ask.of, ask.range)?;
    let mut rows: BTreeMap<(i8, i8), WeekHour> = BTreeMap::new();
    hours(&counted, &Calendar::new(ask.zone.clone()), ask.range, |hour, users| {
        let weekday = hour.date.weekday();
        let row = rows.entry((weekday.to_monday_zero_offset(), hour.hour));
        let row = row.or_insert(WeekHour { weekday, hour: hour.hour, users: 0, hours: 0 });
        row.users += users.len();
        row.hours += 1;
    })?;
    let covers = Covers { range: ask.range, zone: ask.zone.clone(), seen: counted.seen(ask.range) };
    Ok(Answer { covers, rows: rows.into_values().collect() })
}
