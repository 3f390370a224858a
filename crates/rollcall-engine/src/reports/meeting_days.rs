//! `meeting_days`: per day, the meetings that started, their duration and their participants.
//!
//! A meeting belongs to the day it started, whole: its duration is last leave minus first join, its participants are distinct within
//! it and summed over meetings. The days of a zone are slices on quarter hours and are kept as cells of their own.
//! `meeting_days.sql` defines the same answer.

use super::{Answering, app_number, whole_slice};
use crate::cells::{MeetingTotals, Stays, Totals};
use rollcall_model::reports::{MeetingDay, MeetingDays};
use rollcall_model::{Answer, Calendar, Covers, OrgId, Period, ReportError};

pub(super) fn answer(answering: &Answering<'_>, org: OrgId, ask: &MeetingDays) -> Result<Answer<MeetingDay>, ReportError> {
    let app = app_number(answering.engine, org, ask.app.as_deref())?;
    let view = answering.view::<Stays>(org, ask.range)?;
    let calendar = Calendar::new(ask.zone.clone());
    let mut all = Totals::NONE;
    let mut rows = Vec::new();
    for day in calendar.periods(Period::Day, ask.range) {
        let mut totals = Totals::NONE;
        if let Some(app) = app {
            let mut add = |cell: &MeetingTotals| totals.add(&cell.get(app, ask.unit));
            match whole_slice(day.range, ask.range) {
                Some(slice) => add(&*view.cell(slice)?),
                None => view.each(day.range.intersect(&ask.range), |cell| add(cell))?,
            }
        }
        all.add(&totals);
        rows.push(MeetingDay {
            date: day.date,
            day: day.range,
            meetings: totals.meetings,
            duration: totals.duration,
            participants: totals.participants,
        });
    }
    let seen = (all.meetings > 0).then_some((all.first, all.last));
    Ok(Answer { covers: Covers { range: ask.range, zone: ask.zone.clone(), seen }, rows })
}
