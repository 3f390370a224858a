//! `active-users`: a row for each period.

use super::{Cell, Document, Parameters, Report};
use rollcall_model::calendar::rfc3339;
use rollcall_model::reports::ActiveUsers;
use rollcall_model::{OrgId, ReportError, Reports};

/// The report.
#[derive(Debug)]
pub struct ActiveUsersReport;

impl Report for ActiveUsersReport {
    fn name(&self) -> &'static str {
        "active-users"
    }

    fn columns(&self) -> &'static [&'static str] {
        &["date", "from", "to", "users"]
    }

    fn own_parameters(&self) -> &'static [&'static str] {
        &["by", "week_start", "user_kind", "device", "session_kind"]
    }

    fn has_day_rows(&self) -> bool {
        true
    }

    fn answer(&self, reports: &dyn Reports, org: OrgId, parameters: &Parameters) -> Result<Document, ReportError> {
        let Parameters { range, zone, app, by, week_start, user_kinds, devices, session_kinds, .. } = parameters.clone();
        let answer = reports.active_users(org, &ActiveUsers { range, zone, week_start, by, user_kinds, devices, session_kinds, app })?;
        let rows = answer.rows.iter().map(|row| {
            vec![
                Cell::Text(row.date.to_string()),
                Cell::Text(rfc3339(row.period.from)),
                Cell::Text(rfc3339(row.period.to)),
                Cell::from(row.users),
            ]
        });
        Ok(Document::new(&answer.covers, self.columns(), rows.collect()))
    }
}
