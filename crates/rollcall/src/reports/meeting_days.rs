//! `meeting-days`: a row for each day.

use super::{BadParameter, Cell, Common, Document, Given, Question, Report};
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
        &["date", "from", "to", "meetings", "duration_ms", "participants"]
    }

    fn own_parameters(&self) -> &'static [&'static str] {
        &["app", "unit"]
    }

    fn has_day_rows(&self) -> bool {
        true
    }

    fn question(&self, Common { range, zone, .. }: Common, own: &Given<'_>) -> Result<Question, BadParameter> {
        let ask = MeetingDays { range, zone, app: own.app()?, unit: own.unit()? };
        let columns = self.columns(own.pairs());
        Ok(Box::new(move |reports, org| {
            let answer = reports.meeting_days(org, &ask)?;
            let rows = answer.rows.iter().map(|row| {
                vec![
                    Cell::Text(row.date.to_string()),
                    Cell::Text(rfc3339(row.day.from)),
                    Cell::Text(rfc3339(row.day.to)),
                    Cell::from(row.meetings),
                    Cell::Number(row.duration),
                    Cell::from(row.participants),
                ]
            });
            Ok(Document::new(&answer.covers, columns, rows.collect()))
        }))
    }
}
