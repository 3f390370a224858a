//! `meeting-days`: a row for each day.

use super::{BadParameter, Cell, Common, Document, Given, Question, Report, groups};
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

    fn has_day_rows(&self) -> bool {
        true
    }

    fn about(&self) -> [&'static str; 2] {
        ["Meetings, their duration and their participants, a row for each day.", "每天一行：会议数、会议时长、参会人次。"]
    }

    fn names_people(&self) -> bool {
        false
    }

    fn words(&self, parameter: &str) -> Option<&'static str> {
        (parameter == "by").then_some(groups::GROUPINGS)
    }

    fn question(&self, Common { range, zone, .. }: Common, own: &Given<'_>) -> Result<Question, BadParameter> {
        let ask = MeetingDays {
            range,
            zone,
            week_start: groups::week_start(own.get("week_start"))?,
            by: groups::grouping(own.get("by"))?,
            app: own.app()?,
            unit: own.unit()?,
            with_people: true,
        };
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
