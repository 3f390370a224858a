//! `department-users`: a row for each department.

use super::{BadParameter, Cell, Common, Compared, Document, Given, Question, Report, groups, usage};
use rollcall_model::Calendar;
use rollcall_model::reports::DepartmentUsers;

/// The report.
#[derive(Debug)]
pub struct DepartmentUsersReport;

const COLUMNS: &[&str] = &["department", "name", "parent", "users", "members", "share"];

impl Report for DepartmentUsersReport {
    fn name(&self) -> &'static str {
        "department-users"
    }

    fn columns(&self, _: &[(String, String)]) -> &'static [&'static str] {
        COLUMNS
    }

    fn own_parameters(&self) -> &'static [&'static str] {
        &["department", "subtree", "app", "session_kind", "user_kind", "device", "medium"]
    }

    fn compared(&self, _: &[(String, String)]) -> Option<Compared> {
        Some(Compared::by(&["department"], &["users", "members"]))
    }

    fn has_day_rows(&self) -> bool {
        false
    }

    fn about(&self) -> [&'static str; 2] {
        [
            "Distinct users of each department who were in a session, members of the department, and the share of them; those without a department in a row of their own.",
            "各部门到过会话的去重用户数、部门成员数及占比；没有部门的用户单列一行。",
        ]
    }

    fn names_people(&self) -> bool {
        false
    }

    fn question(&self, common: Common, own: &Given<'_>) -> Result<Question, BadParameter> {
        let ask = ask(common, own)?;
        Ok(Box::new(move |reports, org| {
            let answer = reports.department_users(org, &ask)?;
            let directory = reports.directory(org)?;
            let entries = groups::departments_by(&directory, Calendar::new(ask.home.clone()).date_of(ask.range.to - 1));
            let rows = answer.rows.iter().map(|row| {
                let entry = row.department.as_deref().and_then(|id| entries.get(id));
                vec![
                    Cell::from(row.department.clone()),
                    Cell::from(entry.map(|entry| entry.name.clone())),
                    Cell::from(entry.and_then(|entry| entry.parent_id.clone())),
                    Cell::from(row.users),
                    Cell::from(row.members),
                    if row.department.is_some() { Cell::share(row.users, row.members) } else { Cell::Absent },
                ]
            });
            Ok(Document::new(&answer.covers, COLUMNS, rows.collect()))
        }))
    }
}

/// The question. Its `department` says whose rows there are.
pub(super) fn ask(Common { range, zone, .. }: Common, own: &Given<'_>) -> Result<DepartmentUsers, BadParameter> {
    let (home, with_subtree) = (own.organization().zone.clone(), usage::with_subtree(own)?);
    let mut of = groups::stays(own)?;
    let within = of.department.take().map(|department| department.id);
    Ok(DepartmentUsers { range, zone, home, with_subtree, within, of })
}
