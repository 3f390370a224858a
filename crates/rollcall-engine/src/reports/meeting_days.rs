//! `meeting_days`: per period, the meetings that started, their duration and their participants.
//!
//! A meeting belongs to the period it started in, whole: its duration is last leave minus first join, its participants are distinct within
//! it and summed over meetings; people are distinct over all meetings of the period. The periods of a zone are slices on quarter hours and
//! are kept as cells of their own. `meeting_days.sql` defines the same answer.

use super::{Answering, app_number, whole_slice};
use crate::EngineError;
use crate::cells::{MeetingPeople, MeetingTotals, Merged, Stays, Totals, View};
use crate::parallel;
use roaring::RoaringBitmap;
use rollcall_model::reports::{Grouping, MeetingDay, MeetingDays};
use rollcall_model::{Answer, Calendar, Covers, OrgId, Range, ReportError};
use std::sync::Arc;

pub(super) fn answer(answering: &Answering<'_>, org: OrgId, ask: &MeetingDays) -> Result<Answer<MeetingDay>, ReportError> {
    let app = app_number(answering.engine, org, ask.app.as_deref())?;
    let view = answering.view::<Stays>(org, ask.range)?;
    let calendar = Calendar { zone: ask.zone.clone(), week_start: ask.week_start };
    let periods: Vec<_> = match ask.by {
        Grouping::Period(period) => calendar.periods(period, ask.range).map(|slice| (slice.date, slice.range)).collect(),
        Grouping::Whole if ask.range.is_empty() => Vec::new(),
        Grouping::Whole => vec![(calendar.date_of(ask.range.from), ask.range)],
        Grouping::Hour | Grouping::Rolling(_) => {
            let (value, expected) = (format!("{:?}", ask.by).to_lowercase(), "day, week, month, quarter, year or whole");
            return Err(ReportError::Parameter { parameter: "by", value, expected });
        }
    };
    let of_periods = parallel::each(&periods, |(_, period)| {
        let (mut totals, mut met) = (Totals::NONE, RoaringBitmap::new());
        if let Some(app) = app {
            each(&view, *period, ask, |cell: &MeetingTotals| totals.add(&cell.get(app, ask.unit)))?;
            if ask.with_people {
                met = people(&view, *period, ask, app)?;
            }
        }
        Ok((totals, met.len()))
    })?;
    let mut all = Totals::NONE;
    let mut rows = Vec::new();
    for ((date, period), (totals, people)) in periods.into_iter().zip(of_periods) {
        all.add(&totals);
        let (meetings, duration, participants) = (totals.meetings, totals.duration, totals.participants);
        rows.push(MeetingDay { date, period, meetings, duration, participants, people: ask.with_people.then_some(people) });
    }
    let seen = (all.meetings > 0).then_some((all.first, all.last));
    Ok(Answer { covers: Covers { range: ask.range, zone: ask.zone.clone(), seen }, rows })
}

/// The distinct people of the meetings that started in what of a period lies in the range.
pub(super) fn people(view: &View<'_, Stays>, period: Range, ask: &MeetingDays, app: Option<u16>) -> Result<RoaringBitmap, EngineError> {
    let mut met = RoaringBitmap::new();
    each(view, period, ask, |cell: &MeetingPeople| {
        met |= MeetingPeople::union([cell], |group| {
            app.is_none_or(|app| app == group.app()) && ask.unit.is_none_or(|unit| unit == group.unit())
        });
    })?;
    Ok(met)
}

/// Gives `add` the cells that together hold what of a period lies in the range.
fn each<M: Merged<Base = Stays>>(
    view: &View<'_, Stays>,
    period: Range,
    ask: &MeetingDays,
    mut add: impl FnMut(&M),
) -> Result<(), EngineError> {
    match whole_slice(period, ask.range) {
        Some(slice) if ask.by == Grouping::Whole => add(&*view.range_cell(slice)?),
        Some(slice) => add(&*view.cell(slice)?),
        None => view.each(period.intersect(&ask.range), |cell: &Arc<M>| add(cell))?,
    }
    Ok(())
}
