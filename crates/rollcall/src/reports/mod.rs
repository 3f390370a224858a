//! The native form of every report: parameters as people write them, and rows as JSON, CSV, XLSX or a table.
//!
//! A new report is one file here, and one line in [`REPORTS`].

mod active_users;
mod compare;
mod concurrency;
mod dates;
mod department_days;
mod department_users;
mod developer_days;
mod document;
mod groups;
mod meeting_days;
mod paging;
mod parameters;
mod people;
mod person;
mod session;
mod sessions;
mod silent;
mod top_users;
mod usage;
mod users_by_place;
mod vocabulary;
mod xlsx;

pub use compare::Compared;
pub use document::{Cell, Document};
pub use parameters::{
    BadParameter, Bounds, COMMON, Common, Given, check_names, end_time, export_range, is_days, question, time, time_range, zone,
};
pub use vocabulary::describe;

use rollcall_model::{OrgId, ReportError, Reports};
use std::borrow::Cow;

/// A question with its parameters, ready to be asked.
pub type Question = Box<dyn FnOnce(&dyn Reports, OrgId) -> Result<Document, ReportError> + Send>;

/// One report: what it is called, what it takes, what it answers.
pub trait Report: Sync + std::fmt::Debug {
    /// Its name, with hyphens, as paths and commands have it.
    fn name(&self) -> &'static str;

    /// The names of its columns, in order, with these parameters.
    fn columns(&self, given: &[(String, String)]) -> &'static [&'static str];

    /// The parameters it takes besides [`parameters::COMMON`].
    fn own_parameters(&self) -> &'static [&'static str];

    /// Whether it takes a range.
    fn ends(&self) -> Ends {
        Ends::Needed
    }

    /// How its rows are compared with those of another range; none: they are not.
    fn compared(&self, given: &[(String, String)]) -> Option<Compared> {
        let _ = given;
        None
    }

    /// The question about the range that it is compared with: it has every row that the other may have.
    ///
    /// # Errors
    /// As [`Report::question`].
    fn question_before(&self, common: Common, own: &Given<'_>) -> Result<Question, BadParameter> {
        self.question(common, own)
    }

    /// Whether it has a row for each day, so that the length of its range must be bounded.
    fn has_day_rows(&self) -> bool;

    /// What it answers, in English and in Chinese: a sentence for those who read what the API offers.
    fn about(&self) -> [&'static str; 2];

    /// Whether its rows say who people are, by id or by name: keys that get counts only may not ask it.
    fn names_people(&self) -> bool;

    /// The words that one of its own parameters takes, with `|` between them, or a regular expression of the values; none where that is the same
    /// for every report.
    fn words(&self, parameter: &str) -> Option<&'static str> {
        let _ = parameter;
        None
    }

    /// The question with these parameters.
    ///
    /// # Errors
    /// The first of its own parameters that is wrong.
    fn question(&self, common: Common, own: &Given<'_>) -> Result<Question, BadParameter>;
}

/// Whether a report takes a range.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Ends {
    /// `from` is needed.
    Needed,
    /// Where neither `from` nor `to` is given, other parameters say what is asked about.
    Optional,
    /// It takes none.
    None,
}

/// The parameters that a report takes, the common ones first.
pub fn parameters_of(report: &dyn Report) -> Vec<&'static str> {
    let takes = |name: &&str| match *name {
        "from" | "to" => report.ends() != Ends::None,
        "compare" => report.compared(&[]).is_some(),
        _ => true,
    };
    COMMON.iter().copied().filter(takes).chain(report.own_parameters().iter().copied()).collect()
}

/// The columns of a report's answer, with these parameters.
pub fn columns_of(report: &dyn Report, given: &[(String, String)]) -> Vec<Cow<'static, str>> {
    let columns: Vec<_> = report.columns(given).iter().map(|column| Cow::from(*column)).collect();
    match report.compared(given).filter(|_| given.iter().any(|(name, _)| name == compare::PARAMETER)) {
        Some(compared) => compare::columns(&columns, compared),
        None => columns,
    }
}

/// Every report, one line each.
pub const REPORTS: &[&dyn Report] = &[
    &meeting_days::MeetingDaysReport,
    &top_users::TopUsersReport,
    &active_users::ActiveUsersReport,
    &users_by_place::UsersByPlaceReport,
    &department_users::DepartmentUsersReport,
    &concurrency::ConcurrencyReport,
    &sessions::SessionsReport,
    &session::SessionReport,
    &people::PeopleReport,
    &person::PersonReport,
    &silent::SilentReport,
    &department_days::DepartmentDaysReport,
    &developer_days::DeveloperDaysReport,
];

/// The report of a name; hyphens and underscores are the same.
pub fn find(name: &str) -> Result<&'static dyn Report, String> {
    let hyphenated = name.replace('_', "-");
    REPORTS.iter().copied().find(|report| report.name() == hyphenated).ok_or_else(|| {
        let names: Vec<_> = REPORTS.iter().map(|report| report.name()).collect();
        format!("report {name}: expected one of {}", names.join(", "))
    })
}
