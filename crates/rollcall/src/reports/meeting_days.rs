//! `meeting-days`: a row for each day.

use super::{BadParameter, Cell, Common, Compared, Document, Given, Question, Report, groups};
use rollcall_model::calendar::rfc3339;
use rollcall_model::reports::MeetingDays;

/// The report.
#[derive(Debug)]
pub struct MeetingDaysReport;

impl Report for MeetingDaysReport {
    fn name(&self) -> &'static str {
        "meeting-days"
    }

    fn columns(&self, _: &[(String, String)]) -> &'static [&'static str] {
        &["date", "from", "to", "meetings", "duration_ms", "participants", "people"]
    }

    fn own_parameters(&self) -> &'static [&'static str] {
        &["by", "week_start", "app", "unit"]
    }

    fn compared(&self, _: &[(String, String)]) -> Option<Compared> {
        Some(Compared::periods(&["meetings", "duration_ms", "participants", "people"]))
    }

    fn has_day_rows(&self) -> bool {
        true
    }

    fn about(&self) -> [&'static str; 2] {
        [
            "Meetings that began, their duration, participants summed over meetings and distinct people: a row for each day, week, month, quarter or year, or for the whole range.",
            "开始的会议数、时长、参会人次与去重人数：按天、周、月、季、年，或整个范围。",
        ]
    }

    fn names_people(&self) -> bool {
        false
    }

    fn words(&self, parameter: &str) -> Option<&'static str> {
        (parameter == "by").then_some("day|week|month|quarter|year|whole")
    }

    fn question(&self, common: Common, own: &Given<'_>) -> Result<Question, BadParameter> {
        let ask = ask(common, own)?;
        let columns = self.columns(own.pairs());
        Ok(Box::new(move |reports, org| {
            let answer = reports.meeting_days(org, &ask)?;
            let rows = answer.rows.iter().map(|row| {
                vec![
                    Cell::Text(row.date.to_string()),
                    Cell::Text(rfc3339(row.period.from)),
                    Cell::Text(rfc3339(row.period.to)),
                    Cell::from(row.meetings),
                    Cell::Number(row.duration),
                    Cell::from(row.participants),
                    row.people.map_or(Cell::Absent, Cell::from),
                ]
            });
            Ok(Document::new(&answer.covers, columns, rows.collect()))
        }))
    }
}

/// The question.
pub(super) fn ask(Common { range, zone, .. }: Common, own: &Given<'_>) -> Result<MeetingDays, BadParameter> {
    Ok(MeetingDays {
        range,
        zone,
        week_start: groups::week_start(own.get("week_start"))?,
        by: groups::period(own.get("by"))?,
        app: own.app()?,
        unit: own.unit()?,
        with_people: true,
    })
}
