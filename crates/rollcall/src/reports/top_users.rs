//! `top-users`: a row for each user, the first ones only.

use super::{Cell, Document, Parameters, Report};
use rollcall_model::reports::TopUsers;
use rollcall_model::{OrgId, ReportError, Reports};

/// The report.
#[derive(Debug)]
pub struct TopUsersReport;

impl Report for TopUsersReport {
    fn name(&self) -> &'static str {
        "top-users"
    }

    fn columns(&self) -> &'static [&'static str] {
        &["id", "open_id", "union_id", "user_id", "name", "kind", "meetings", "duration_ms"]
    }

    fn own_parameters(&self) -> &'static [&'static str] {
        &["unit", "order", "limit"]
    }

    fn has_day_rows(&self) -> bool {
        false
    }

    fn answer(&self, reports: &dyn Reports, org: OrgId, parameters: &Parameters) -> Result<Document, ReportError> {
        let Parameters { range, zone, app, unit, order, limit, .. } = parameters.clone();
        let answer = reports.top_users(org, &TopUsers { range, zone, order, limit, app, unit })?;
        let rows = answer.rows.into_iter().map(|row| {
            vec![
                Cell::Text(row.id),
                Cell::from(row.open_id),
                Cell::from(row.union_id),
                Cell::from(row.user_id),
                Cell::Text(row.name),
                Cell::Text(row.kind.name().to_owned()),
                Cell::from(row.meetings),
                Cell::Number(row.duration),
            ]
        });
        let rows = rows.collect();
        Ok(Document::new(&answer.covers, self.columns(), rows))
    }
}
