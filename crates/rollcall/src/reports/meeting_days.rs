//! `meeting-days`: a row for each day.

use super::{Cell, Document, Parameters, Report};
use rollcall_model::calendar::rfc3339;
use rollcall_model::reports::MeetingDays;
use rollcall_model::{OrgId, ReportError, Reports};

/// The report.
#[derive(Debug)]
pub struct MeetingDaysReport;

impl Report for MeetingDaysReport {
    fn name(&self) -> &'static str {
        "meeting-days"
    }

    fn columns(&self) -> &'static [&'static str] {
        &["date", "from", "to", "meetings", "duration_ms", "participants"]
    }

    fn own_parameters(&self) -> &'static [&'static str] {
        &["unit"]
    }

    fn has_day_rows(&self) -> bool {
        true
    }

    fn answer(&self, reports: &dyn Reports, org: OrgId, parameters: &Parameters) -> Result<Document, ReportError> {
        let Parameters { range, zone, app, unit, .. } = parameters.clone();
        let answer = reports.meeting_days(org, &MeetingDays { range, zone, app, unit })?;
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
        Ok(Document::new(&answer.covers, self.columns(), rows.collect()))
    }
}
