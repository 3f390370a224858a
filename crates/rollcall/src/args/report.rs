//! Questions.

use super::Local;
use clap::{Args as Flags, ValueEnum, ValueHint};

/// `report`.
#[derive(Debug, Flags)]
pub struct Report {
    /// The report: meeting-days, top-users, active-users, users-by-place, department-days or developer-days
    #[arg(value_name = "REPORT", value_parser = crate::reports::find)]
    pub report: &'static dyn crate::reports::Report,
    /// Where the range begins: a day such as 2025-03-01, an instant such as 2025-03-01T08:00:00Z, or Unix milliseconds
    #[arg(long, value_name = "TIME")]
    pub from: String,
    /// Where the range ends, itself not included: a day ends it at the day's start
    #[arg(long, value_name = "TIME")]
    pub to: String,
    /// The IANA time zone of the days [default: that of the organization]
    #[arg(long, value_name = "ZONE")]
    pub zone: Option<String>,
    /// Only this app
    #[arg(long, value_name = "APP")]
    pub app: Option<String>,
    /// Only this data residency, 0 to 3
    #[arg(long, value_name = "UNIT")]
    pub unit: Option<String>,
    /// top-users: by `meetings` or `duration` [default: meetings]
    #[arg(long, value_name = "MEASURE")]
    pub order: Option<String>,
    /// top-users: how many rows at most [default: 10]
    #[arg(long, value_name = "N")]
    pub limit: Option<String>,
    /// What a row is. active-users: `day`, `week`, `month`, `year`, `whole`, or `rolling-7` for seven days [default: day];
    /// users-by-place: `country` or `subdivision` [default: country]; department-days and developer-days: `day`, or `whole` for the range
    /// as one [default: day]
    #[arg(long, value_name = "WHAT")]
    pub by: Option<String>,
    /// active-users: the first day of a week [default: sunday]
    #[arg(long, value_name = "DAY")]
    pub week_start: Option<String>,
    /// active-users: only these kinds of user, joined by commas
    #[arg(long, value_name = "KINDS")]
    pub user_kind: Option<String>,
    /// active-users: only on these devices, joined by commas; `computer` is desktop and web
    #[arg(long, value_name = "DEVICES")]
    pub device: Option<String>,
    /// active-users: only in these kinds of session, joined by commas
    #[arg(long, value_name = "KINDS")]
    pub session_kind: Option<String>,
    /// users-by-place: only places of this country, such as CN
    #[arg(long, value_name = "CODE")]
    pub country: Option<String>,
    /// department-days: only this department; developer-days: only who belongs to it, or used the assistant for it
    #[arg(long, value_name = "ID")]
    pub department: Option<String>,
    /// developer-days: only this user
    #[arg(long, value_name = "ID")]
    pub user: Option<String>,
    /// department-days and developer-days: whether a department covers those below it, `true` or `false` [default: true]
    #[arg(long, value_name = "WHETHER")]
    pub subtree: Option<String>,
    /// department-days and developer-days: a row for each part of the use: `chatting` (by chat type and IDE), `coding` (by language) or
    /// `completion` (by language and IDE)
    #[arg(long, value_name = "PARTS")]
    pub breakdown: Option<String>,
    /// How to print the rows
    #[arg(long, value_name = "FORMAT", value_enum, default_value_t = RowFormat::Table)]
    pub format: RowFormat,
    /// The server to ask, such as http://127.0.0.1:7070
    #[arg(long, value_name = "URL", conflicts_with = "data", required_unless_present = "data", value_hint = ValueHint::Url)]
    pub to_url: Option<String>,
    /// The ingest key of the organization
    #[arg(long, env = "ROLLCALL_KEY", hide_env_values = true, value_name = "KEY")]
    pub key: Option<String>,
    #[command(flatten)]
    pub local: Local,
}

/// How rows are printed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum RowFormat {
    /// For people
    Table,
    /// What the native API answers
    Json,
    /// With a header line
    Csv,
}
