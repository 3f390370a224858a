//! `active-users`: a row for each period.

use super::{BadParameter, Cell, Common, Document, Given, Question, Report, groups};
use rollcall_model::calendar::rfc3339;
use rollcall_model::reports::ActiveUsers;

/// The report.
#[derive(Debug)]
pub struct ActiveUsersReport;

impl Report for ActiveUsersReport {
    fn name(&self) -> &'static str {
        "active-users"
    }

    fn columns(&self, _: &[(String, String)]) -> &'static [&'static str] {
        &["date", "from", "to", "users"]
    }

    fn own_parameters(&self) -> &'static [&'static str] {
        &["by", "week_start", "app", "session_kind", "user_kind", "device", "medium", "department", "subtree"]
    }

    fn has_day_rows(&self) -> bool {
        true
    }

    fn about(&self) -> [&'static str; 2] {
        [
            "Distinct users who were in a session, a row for each day, week, month, year, run of days, or for the whole range.",
            "到过会话的去重用户数：按天、周、月、年、滚动天数，或整个范围。",
        ]
    }

    fn names_people(&self) -> bool {
        false
    }

    fn words(&self, parameter: &str) -> Option<&'static str> {
        match parameter {
            "by" => Some(groups::GROUPINGS),
            _ => None,
        }
    }

    fn question(&self, Common { range, zone, .. }: Common, own: &Given<'_>) -> Result<Question, BadParameter> {
        let ask = ActiveUsers {
            range,
            zone,
            week_start: groups::week_start(own.get("week_start"))?,
            by: groups::grouping(own.get("by"))?,
            of: groups::stays(own)?,
        };
        let columns = self.columns(own.pairs());
        Ok(Box::new(move |reports, org| {
            let answer = reports.active_users(org, &ask)?;
            let rows = answer.rows.iter().map(|row| {
                vec![
                    Cell::Text(row.date.to_string()),
                    Cell::Text(rfc3339(row.period.from)),
                    Cell::Text(rfc3339(row.period.to)),
                    Cell::from(row.users),
                ]
            });
            Ok(Document::new(&answer.covers, columns, rows.collect()))
        }))
    }
}
