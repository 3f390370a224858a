//! `developer-days`: a row for each day and developer, or for each part of one's use.

use super::usage::{self, Breakdown};
use super::{BadParameter, Cell, Common, Compared, Document, Given, Question, Report};
use rollcall_model::calendar::rfc3339;
use rollcall_model::reports::{DeveloperDays, Developers};

/// The report.
#[derive(Debug)]
pub struct DeveloperDaysReport;

const COLUMNS: &[&str] = &[
    "date",
    "from",
    "to",
    "user",
    "name",
    "active",
    "active_chat",
    "active_completion",
    "turns",
    "turns_accepted",
    "suggested",
    "accepted",
    "lines_accepted",
    "lines_changed",
    "last_use",
];
/// The numbers that are compared.
const NUMBERS: &[&str] = &["turns", "turns_accepted", "suggested", "accepted", "lines_accepted", "lines_changed"];
const CHATTING: &[&str] = &["date", "from", "to", "user", "name", "chat_type", "ide", "turns", "accepted"];
const CODING: &[&str] = &["date", "from", "to", "user", "name", "language", "lines_accepted", "lines_changed"];
const COMPLETION: &[&str] =
    &["date", "from", "to", "user", "name", "language", "ide", "suggested", "accepted", "lines_accepted", "lines_changed"];

impl Report for DeveloperDaysReport {
    fn name(&self) -> &'static str {
        "developer-days"
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
        &["user", "department", "subtree", "by", "breakdown"]
    }

    /// Of days there may be several rows; of the range as one there is one of each user.
    fn compared(&self, given: &[(String, String)]) -> Option<Compared> {
        let is_whole = given.is_empty() || given.iter().any(|(name, value)| name == "by" && value == "whole");
        (is_whole && Breakdown::among(given) == Breakdown::None).then_some(Compared::by(&["user"], NUMBERS))
    }

    fn has_day_rows(&self) -> bool {
        true
    }

    fn about(&self) -> [&'static str; 2] {
        [
            "Use of the coding assistant by developer, a row for each day and developer, or for each part of one's use.",
            "编码助手按开发者的使用情况：每天每人一行，或按用途细分。",
        ]
    }

    fn names_people(&self) -> bool {
        true
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
            usage::bound(most_rows, || reports.developer_rows(org, &ask))?;
            let answer = reports.developer_days(org, &ask)?;
            let directory = reports.directory(org)?;
            let rows = answer.rows.iter().flat_map(|row| {
                let before = [
                    Cell::Text(row.key.date.to_string()),
                    Cell::Text(rfc3339(row.span.from)),
                    Cell::Text(rfc3339(row.span.to)),
                    Cell::Text(row.key.id.to_string()),
                    Cell::from(directory.user(&row.key.id).map(|user| user.name.clone())),
                ];
                breakdown.rows(&before, &row.usage, breakdown == Breakdown::None)
            });
            Ok(Document::new(&answer.covers, columns, rows.collect()))
        }))
    }
}

/// The question.
pub(super) fn ask(Common { range, zone, .. }: Common, own: &Given<'_>) -> Result<DeveloperDays, BadParameter> {
    let with_subtree = usage::with_subtree(own)?;
    let developers = match (own.get("user"), own.get("department")) {
        (Some(_), department @ Some(_)) => return Err(BadParameter::new("department", department, "no department beside a user")),
        (Some(user), None) => Developers::One(user.into()),
        (None, Some(department)) => Developers::Of { department: department.into(), with_subtree },
        (None, None) => Developers::All,
    };
    Ok(DeveloperDays { range, zone, by: usage::span(own)?, developers, only: None })
}
