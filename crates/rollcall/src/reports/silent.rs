//! `silent`: a row for each member who attended nothing, in pages.

use super::paging::Page;
use super::{BadParameter, Cell, Common, Document, Given, Question, Report, groups};
use rollcall_model::reports::Silent;

/// The report.
#[derive(Debug)]
pub struct SilentReport;

const COLUMNS: &[&str] = &["id", "name", "departments"];

impl Report for SilentReport {
    fn name(&self) -> &'static str {
        "silent"
    }

    fn columns(&self, _: &[(String, String)]) -> &'static [&'static str] {
        COLUMNS
    }

    fn own_parameters(&self) -> &'static [&'static str] {
        &["department", "subtree", "limit", "cursor"]
    }

    fn has_day_rows(&self) -> bool {
        false
    }

    fn about(&self) -> [&'static str; 2] {
        [
            "Members of the directory on some day of the range who were in no session, of any app and kind, in pages.",
            "范围内某天属于通讯录、却没有到过任何会话（不限应用与类型）的成员（分页）。",
        ]
    }

    fn names_people(&self) -> bool {
        true
    }

    fn question(&self, Common { range, zone, .. }: Common, own: &Given<'_>) -> Result<Question, BadParameter> {
        let page = Page::of(self.name(), own)?;
        let (home, department) = (own.organization().zone.clone(), groups::department(own)?);
        let ask = Silent { range, zone, home, department, after: page.after()?, limit: page.limit };
        Ok(Box::new(move |reports, org| {
            let answer = reports.silent(org, &ask)?;
            let next = page.next(answer.rows.len(), || answer.rows.last().map(|row| &row.id));
            let rows = answer
                .rows
                .iter()
                .map(|row| vec![Cell::Text(row.id.clone()), Cell::Text(row.name.clone()), Cell::Text(row.departments.join("|"))]);
            Ok(Document::new(&answer.covers, COLUMNS, rows.collect()).with_next(next))
        }))
    }
}
