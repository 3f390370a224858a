//! What goes over the wire, in the vendor's words, for server and client alike.

use serde::{Deserialize, Deserializer, Serialize};
use std::sync::Arc;

/// What every path begins with.
pub const BASE: &str = "/oapi/v1";

/// The header with the personal access token.
pub const TOKEN_HEADER: &str = "x-yunxiao-token";

/// The headers of answers.
pub mod header {
    /// The id of the request, a UUID.
    pub const REQUEST_ID: &str = "x-request-id";
    /// The page answered, from 1.
    pub const PAGE: &str = "x-page";
    /// How many rows a page has.
    pub const PER_PAGE: &str = "x-per-page";
    /// The rows of all pages.
    pub const TOTAL: &str = "x-total";
    /// How many pages there are.
    pub const TOTAL_PAGES: &str = "x-total-pages";
    /// The page before; empty where there is none.
    pub const PREV_PAGE: &str = "x-prev-page";
    /// The page after; empty where there is none.
    pub const NEXT_PAGE: &str = "x-next-page";
}

/// The error codes (wire, Errors).
pub mod code {
    /// No token.
    pub const UNAUTHORIZED: &str = "Unauthorized";
    /// An unknown token.
    pub const INVALID_TOKEN: &str = "InvalidTokenError";
    /// An expired token.
    pub const EXPIRED_TOKEN: &str = "ExpiredTokenError";
    /// A token of another organization, or an organization that there is not.
    pub const OTHER_ORGANIZATION: &str = "Forbidden.InvalidUser.UserNotInCurrentOrganization";
    /// The token may not read this.
    pub const FORBIDDEN: &str = "Forbidden";
    /// Parameters.
    pub const BAD_REQUEST: &str = "BadRequest";
    /// No such department, or no such path. Ours: the documentation's table has none.
    pub const NOT_FOUND: &str = "NotFound";
    /// Another method than GET. Ours.
    pub const METHOD_NOT_ALLOWED: &str = "MethodNotAllowed";
    /// Too many requests.
    pub const TOO_MANY_REQUESTS: &str = "TooManyRequests";
    /// The server is busy. The vendor documents no such answer.
    pub const UNAVAILABLE: &str = "ServiceUnavailable";
    /// The server failed.
    pub const INTERNAL: &str = "InternalServerError";
}

/// The largest `perPage`, and its default.
pub const LARGEST_PAGE: u32 = 100;

/// A row of `departmentUsage`: a department and a day.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct DepartmentUsage {
    /// Distinct developers who chatted or completed.
    pub active_developer: u64,
    /// Distinct developers who chatted.
    pub active_developer_chat: u64,
    /// Distinct developers who completed.
    pub active_developer_completion: u64,
    /// By kind, language and IDE.
    pub breakdown: Breakdown,
    /// Local midnight of the day, in milliseconds.
    pub date: i64,
    /// The department.
    pub department_id: Arc<str>,
    /// The sums.
    #[serde(flatten)]
    pub totals: Totals,
}

/// A row of `developerUsage`: a developer and a day.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct DeveloperUsage {
    /// By kind, language and IDE; without counts of developers.
    pub breakdown: Breakdown,
    /// Local midnight of the day, in milliseconds.
    pub date: i64,
    /// Whether the developer chatted or completed.
    pub status_active: bool,
    /// Whether the developer chatted.
    pub status_active_chat: bool,
    /// Whether the developer completed.
    pub status_active_completion: bool,
    /// The last chat or completion, in milliseconds; 0 without one. Older documentation has it as a string, which is read too.
    #[serde(default, deserialize_with = "number_or_text")]
    pub status_active_lasted_time: i64,
    /// The sums.
    #[serde(flatten)]
    pub totals: Totals,
    /// The developer.
    pub user_id: Arc<str>,
}

/// The sums of a row. The server sends all; those that are optional came with later documentation.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Totals {
    /// Chat turns.
    pub total_chat_turns: u64,
    /// Chat turns accepted.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub total_chat_turns_accepted: Option<u64>,
    /// Completions accepted.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub total_count_accepted_completion: Option<u64>,
    /// Completions suggested.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub total_count_suggested_completion: Option<u64>,
    /// Accepted lines, of completion and chat.
    pub total_lines_accepted: u64,
    /// Changed lines, whoever or whatever wrote them.
    pub total_lines_changed: u64,
}

/// A row's use by kind.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Breakdown {
    /// Chat, by type and IDE.
    #[serde(default)]
    pub chatting: Vec<Chatting>,
    /// Lines, by language.
    #[serde(default)]
    pub coding: Vec<Coding>,
    /// Inline completion, by language and IDE.
    #[serde(default)]
    pub completion: Vec<Completion>,
}

/// Chat of one type in one IDE.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Chatting {
    /// Distinct developers; none in `developerUsage`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub active_developer: Option<u64>,
    /// Turns.
    pub chat_turns: u64,
    /// Turns accepted.
    pub chat_turns_accepted: u64,
    /// `CODE_GENERATE_COMMENT`, `GENERATE_TESTCASE`, `EXPLAIN_CODE`, `OPTIMIZE_CODE`, `FREE_INPUT`, or a custom command.
    pub chat_type: Arc<str>,
    /// `jetbrains`, `vscode` and others.
    pub ide: Arc<str>,
}

/// Lines of one language.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Coding {
    /// Distinct developers; none in `developerUsage`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub active_developer: Option<u64>,
    /// The language.
    pub language: Arc<str>,
    /// Accepted lines, of completion and chat.
    pub lines_accepted: u64,
    /// Changed lines.
    pub lines_changed: u64,
}

/// Inline completion in one language and IDE.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Completion {
    /// Distinct developers; none in `developerUsage`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub active_developer: Option<u64>,
    /// Accepted.
    pub count_accepted: u64,
    /// Suggested.
    pub count_suggested: u64,
    /// The IDE.
    pub ide: Arc<str>,
    /// The language.
    pub language: Arc<str>,
    /// Accepted lines.
    pub lines_accepted: u64,
    /// Changed lines.
    pub lines_changed: u64,
}

/// An element of `/platform/organizations`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Organization {
    /// Its id, as paths have it.
    pub id: String,
    /// Its name.
    pub name: String,
    /// Empty here.
    #[serde(default)]
    pub description: String,
}

/// The answer of `/platform/user`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct User {
    /// Whose the token is: here the token's name.
    pub id: String,
    /// The same.
    pub name: String,
    /// The organization of the token.
    #[serde(default)]
    pub last_organization: String,
}

/// An element of `/platform/organizations/{organizationId}/departments`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Department {
    /// Whether there is a department below it.
    #[serde(default)]
    pub has_sub: bool,
    /// Its id.
    pub id: String,
    /// Its name.
    pub name: String,
    /// The organization.
    #[serde(default)]
    pub organization_id: String,
    /// The department above it; none for a root.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub parent_id: Option<String>,
}

/// A failure.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ErrorBody {
    /// What to branch on: one of [`code`].
    pub error_code: String,
    /// For people.
    #[serde(default)]
    pub error_message: String,
    /// The same as in [`header::REQUEST_ID`].
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub request_id: Option<String>,
}

/// Milliseconds as a number, or as its digits in a string; an absent or empty one is 0.
fn number_or_text<'de, D: Deserializer<'de>>(deserializer: D) -> Result<i64, D::Error> {
    #[derive(Deserialize)]
    #[serde(untagged)]
    enum Either {
        Number(i64),
        Text(String),
        Null(()),
    }
    match Either::deserialize(deserializer)? {
        Either::Number(number) => Ok(number),
        Either::Null(()) => Ok(0),
        Either::Text(text) if text.is_empty() => Ok(0),
        Either::Text(text) => text.parse().map_err(serde::de::Error::custom),
    }
}
