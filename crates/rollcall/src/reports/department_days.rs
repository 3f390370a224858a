//! `department-days`: a row for each day and department, or for each part of one's use.

use super::usage::{self, Breakdown};
use super::{BadParameter, Cell, Common, Compared, Document, Given, Question, Report, groups};
use rollcall_model::Calendar;
use rollcall_model::calendar::rfc3339;
use rollcall_model::reports::DepartmentDays;

/// The report.
#[derive(Debug)]
pub struct DepartmentDaysReport;

const COLUMNS: &[&str] = &[
    "date",
    "from",
    "to",
    "department",
    "name",
    "developers",
    "chat_developers",
    "completion_developers",
    "turns",
    "turns_accepted",
    "suggested",
    "accepted",
    "lines_accepted",
    "lines_changed",
    "last_use",
];
/// The numbers that are compared.
const NUMBERS: &[&str] = &[
    "developers",
    "chat_developers",
    "completion_developers",
    "turns",
    "turns_accepted",
    "suggested",
    "accepted",
    "lines_accepted",
    "lines_changed",
];
const CHATTING: &[&str] = &["date", "from", "to", "department", "name", "chat_type", "ide", "developers", "turns", "accepted"];
const CODING: &[&str] = &["date", "from", "to", "department", "name", "language", "developers", "lines_accepted", "lines_changed"];
const COMPLETION: &[&str] = &[
    "date",
    "from",
    "to",
    "department",
    "name",
    "language",
    "ide",
    "developers",
    "suggested",
    "accepted",
    "lines_accepted",
    "lines_changed",
];

impl Report for DepartmentDaysReport {
    fn name(&self) -> &'static str {
        "department-days"
    }

    fn columns(&self, given: &[(String, String)]) -> &'static [&'static str] {
        match Breakdown::among(given) {
            Breakdown::None => COLUMNS,
            Breakdown::Chatting => CHATTING,
            Breakdown::Coding => CODING,
            Breakdown::Completion => COMPLETION,
        }
    }

    fn own_parameters(&self) -> &'static [&'static str] {
        &["department", "subtree", "by", "breakdown"]
    }

    /// Of days there may be several rows; of the range as one there is one of each department.
    fn compared(&self, given: &[(String, String)]) -> Option<Compared> {
        let is_whole = given.is_empty() || given.iter().any(|(name, value)| name == "by" && value == "whole");
        (is_whole && Breakdown::among(given) == Breakdown::None).then_some(Compared::by(&["department"], NUMBERS))
    }

    fn has_day_rows(&self) -> bool {
        true
    }

    fn about(&self) -> [&'static str; 2] {
        [
            "Use of the coding assistant by department, a row for each day and department, or for each part of one's use.",
            "编码助手按部门的使用情况：每天每部门一行，或按用途细分。",
        ]
    }

    fn names_people(&self) -> bool {
        false
    }

    fn words(&self, parameter: &str) -> Option<&'static str> {
        match parameter {
            "by" => Some("day|whole"),
            "breakdown" => Some("chatting|coding|completion"),
            _ => None,
        }
    }

    fn question(&self, common: Common, own: &Given<'_>) -> Result<Question, BadParameter> {
        let breakdown = Breakdown::of(own.get("breakdown"))?;
        let most_rows = common.most_rows;
        let ask = ask(common, own)?;
        let columns = self.columns(own.pairs());
        Ok(Box::new(move |reports, org| {
            usage::bound(most_rows, || reports.department_rows(org, &ask))?;
            let answer = reports.department_days(org, &ask)?;
            let directory = reports.directory(org)?;
            let departments = groups::departments_by(&directory, Calendar::new(ask.zone.clone()).date_of(ask.range.to - 1));
            let rows = answer.rows.iter().flat_map(|row| {
                let before = [
                    Cell::Text(row.key.date.to_string()),
                    Cell::Text(rfc3339(row.span.from)),
                    Cell::Text(rfc3339(row.span.to)),
                    Cell::Text(row.key.id.to_string()),
                    Cell::from(departments.get(row.key.id.as_ref()).map(|entry| entry.name.clone())),
                ];
                breakdown.rows(&before, &row.usage, true)
            });
            Ok(Document::new(&answer.covers, columns, rows.collect()))
        }))
    }
}

/// The question.
pub(super) fn ask(Common { range, zone, .. }: Common, own: &Given<'_>) -> Result<DepartmentDays, BadParameter> {
    let department = own.get("department").map(Into::into);
    Ok(DepartmentDays { range, zone, by: usage::span(own)?, department, with_subtree: usage::with_subtree(own)?, only: None })
}
