//! `sessions`: a row for each session, in pages.

use super::paging::Page;
use super::{BadParameter, Cell, Common, Document, Given, Question, Report, groups};
use rollcall_model::SessionKind;
use rollcall_model::calendar::rfc3339;
use rollcall_model::reports::{SessionKey, Sessions};

/// The report.
#[derive(Debug)]
pub struct SessionsReport;

const COLUMNS: &[&str] = &["started_at", "app", "session_id", "kind", "first_join", "last_leave", "users", "stays", "time_ms"];

impl Report for SessionsReport {
    fn name(&self) -> &'static str {
        "sessions"
    }

    fn columns(&self, _: &[(String, String)]) -> &'static [&'static str] {
        COLUMNS
    }

    fn own_parameters(&self) -> &'static [&'static str] {
        &["app", "session_kind", "user", "department", "subtree", "limit", "cursor"]
    }

    fn has_day_rows(&self) -> bool {
        false
    }

    fn about(&self) -> [&'static str; 2] {
        [
            "Sessions that started in the range, in pages: start, first join, last leave, distinct users, stays and their time; of a user, or of a department, if asked.",
            "范围内开始的会话（分页）：开始、最早加入、最晚离开、去重用户数、出席次数与时长；可按用户或部门筛选。",
        ]
    }

    fn names_people(&self) -> bool {
        false
    }

    fn question(&self, Common { range, zone, .. }: Common, own: &Given<'_>) -> Result<Question, BadParameter> {
        let page = Page::of(self.name(), own)?;
        let after: Option<(i64, String, String)> = page.after()?;
        let ask = Sessions {
            range,
            zone,
            app: own.app()?,
            kinds: groups::among("session_kind", own.get("session_kind"), SessionKind::ALL, |kind| kind.name())?,
            user: own.get("user").map(Into::into),
            department: groups::department(own)?,
            after: after.map(|(started_at, app, session_id)| SessionKey { started_at, app, session_id }),
            limit: page.limit,
        };
        Ok(Box::new(move |reports, org| {
            let answer = reports.sessions(org, &ask)?;
            let last = || answer.rows.last().map(|row| (row.key.started_at, &row.key.app, &row.key.session_id));
            let next = page.next(answer.rows.len(), last);
            let rows = answer.rows.iter().map(|row| {
                vec![
                    Cell::Text(rfc3339(row.key.started_at)),
                    Cell::Text(row.key.app.clone()),
                    Cell::Text(row.key.session_id.clone()),
                    Cell::Text(row.kind.name().to_owned()),
                    Cell::Text(rfc3339(row.first_join)),
                    Cell::Text(rfc3339(row.last_leave)),
                    Cell::from(row.users),
                    Cell::from(row.stays),
                    Cell::Number(row.time),
                ]
            });
            Ok(Document::new(&answer.covers, COLUMNS, rows.collect()).with_next(next))
        }))
    }
}
