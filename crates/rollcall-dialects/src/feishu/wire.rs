//! What goes over the wire, for the server that writes it and the client that reads it.
//!
//! Answers are a superset of the live API and of the seed: they carry the keys of both. Fields that only one of the two has are
//! optional here, because a reader may meet either; the server writes them all, in the order of this file.

mod number;

pub use number::Number;

use serde::{Deserialize, Deserializer, Serialize};

/// Where tokens are had.
pub const TOKEN_PATH: &str = "/open-apis/auth/v3/tenant_access_token/internal";
/// Where `get_daily` is.
pub const DAILY_PATH: &str = "/open-apis/vc/v1/reports/get_daily";
/// Where `get_top_user` is.
pub const TOP_USER_PATH: &str = "/open-apis/vc/v1/reports/get_top_user";

/// The response header with the id under which the server logged the request. HTTP/1.1 servers must spell it `X-Tt-Logid`.
pub const LOG_ID_HEADER: &str = "x-tt-logid";
/// The response header with the number of requests allowed in a window.
pub const LIMIT_HEADER: &str = "x-ogw-ratelimit-limit";
/// The response header with the seconds to wait after a 429.
pub const RESET_HEADER: &str = "x-ogw-ratelimit-reset";

/// The code of every failure, as the vendor numbers them.
pub mod code {
    /// No failure.
    pub const SUCCESS: i64 = 0;
    /// Token request: not JSON, or a field is missing or malformed.
    pub const INVALID_PARAM: i64 = 10_003;
    /// Token request: no such application, or another secret.
    pub const APP: i64 = 10_014;
    /// The server failed.
    pub const INTERNAL: i64 = 121_001;
    /// The organization has nothing of that kind.
    pub const NOT_SUPPORT: i64 = 121_002;
    /// A parameter is missing, malformed or out of range.
    pub const PARAM: i64 = 121_003;
    /// `user_id_type=user_id`, and a room in the answer has none.
    pub const NO_USER_ID: i64 = 122_359;
    /// Too many requests.
    pub const FREQUENCY: i64 = 99_991_400;
    /// No bearer token.
    pub const MISSING_TOKEN: i64 = 99_991_661;
    /// The tenant token is forged or expired.
    pub const INVALID_TENANT_TOKEN: i64 = 99_991_663;
    /// The application token is invalid.
    pub const INVALID_APP_TOKEN: i64 = 99_991_664;
    /// The user token is invalid, or not taken here.
    pub const INVALID_USER_TOKEN: i64 = 99_991_668;
    /// The token is none at all.
    pub const MALFORMED_TOKEN: i64 = 99_991_671;
}

/// Body of a token request.
#[derive(Clone, Serialize, Deserialize)]
pub struct TokenRequest {
    /// The application.
    pub app_id: String,
    /// Its secret.
    pub app_secret: String,
}

impl std::fmt::Debug for TokenRequest {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("TokenRequest").field("app_id", &self.app_id).finish_non_exhaustive()
    }
}

/// Answer to a token request. Failures come with HTTP 200 too: branch on `code`. It is not wrapped in `data`.
#[derive(Clone, Serialize, Deserialize)]
pub struct TokenResponse {
    /// 0, or what failed.
    pub code: i64,
    /// Empty, with [`code::INVALID_PARAM`].
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub data: Option<Empty>,
    /// Seconds for which the token remains valid.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub expire: Option<i64>,
    /// For people; never branch on it.
    #[serde(default)]
    pub msg: String,
    /// The token.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tenant_access_token: Option<String>,
}

impl std::fmt::Debug for TokenResponse {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Self { code, msg, expire, .. } = self;
        f.debug_struct("TokenResponse").field("code", code).field("msg", msg).field("expire", expire).finish_non_exhaustive()
    }
}

/// An object without keys.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Empty {}

/// What every other answer is wrapped in.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Envelope<T> {
    /// 0, or what failed.
    pub code: i64,
    /// For people; never branch on it.
    #[serde(default)]
    pub msg: String,
    /// The answer.
    #[serde(default = "none", skip_serializing_if = "Option::is_none")]
    pub data: Option<T>,
    /// What is known of the failure.
    #[serde(default, deserialize_with = "if_readable", skip_serializing_if = "Option::is_none")]
    pub error: Option<ErrorDetail>,
}

/// The code of a failure matters more than its details: details of another shape are left out.
fn if_readable<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<ErrorDetail>, D::Error> {
    Ok(serde_json::from_value(serde_json::Value::deserialize(deserializer)?).ok())
}

// `#[serde(default)]` alone would ask for `T: Default`.
const fn none<T>() -> Option<T> {
    None
}

/// What is known of a failure.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct ErrorDetail {
    /// For people.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub message: Option<String>,
    /// The same id as in the header [`LOG_ID_HEADER`].
    #[serde(skip_serializing_if = "Option::is_none")]
    pub log_id: Option<String>,
    /// The documentation's spelling of `log_id`: read, never written.
    #[serde(skip_serializing)]
    pub logid: Option<String>,
    /// Where help is.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub troubleshooter: Option<String>,
    /// Every parameter that is wrong.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub field_violations: Vec<FieldViolation>,
}

/// A parameter that is wrong.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct FieldViolation {
    /// Its name.
    pub field: String,
    /// Its value as sent; empty when it was missing. Always a string, because typed clients declare it so.
    pub value: String,
    /// What it must be.
    pub description: String,
}

/// `data` of `get_daily`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct DailyData {
    /// The report.
    pub meeting_report: MeetingReport,
}

/// The report of `get_daily`.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct MeetingReport {
    /// Meetings of all rows.
    pub total_meeting_count: Option<Number>,
    /// Seconds of all rows.
    pub total_meeting_duration: Option<Number>,
    /// Participants of all rows.
    pub total_participant_count: Option<Number>,
    /// A row for each day.
    pub daily_report: Option<Vec<DailyRow>>,
    /// The seed's `total_meeting_count`.
    pub meeting_count: Option<Number>,
    /// The seed's `total_meeting_duration`.
    pub meeting_duration: Option<Number>,
    /// The seed's `total_participant_count`.
    pub participant_count: Option<Number>,
}

/// One day of `get_daily`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct DailyRow {
    /// The day's first instant in Unix seconds.
    pub date: Number,
    /// Meetings that started on the day.
    pub meeting_count: Number,
    /// Their duration in seconds.
    pub meeting_duration: Number,
    /// Their participants.
    pub participant_count: Number,
}

/// `data` of `get_top_user`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct TopUserData {
    /// The report.
    #[serde(default)]
    pub top_user_report: Option<Vec<TopUserRow>>,
}

/// One user of `get_top_user`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct TopUserRow {
    /// The id, of the type asked for.
    #[serde(default)]
    pub id: Option<String>,
    /// The seed's `id`.
    #[serde(default)]
    pub user_id: Option<String>,
    /// The name.
    #[serde(default)]
    pub name: Option<String>,
    /// 1 member, 2 room, 5 guest, 6 telephone; the live API has others.
    #[serde(default)]
    pub user_type: Option<i64>,
    /// Meetings attended.
    pub meeting_count: Number,
    /// Time attended in whole minutes.
    pub meeting_duration: Number,
}

/// The measure that orders `get_top_user`, descending: its parameter `order_by`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum OrderBy {
    /// Meetings attended.
    MeetingCount = 1,
    /// Time attended.
    MeetingDuration = 2,
}

impl OrderBy {
    /// The value of the parameter.
    pub const fn number(self) -> i64 {
        self as i64
    }

    /// The measure of a value.
    pub const fn from_number(number: i64) -> Option<Self> {
        match number {
            1 => Some(Self::MeetingCount),
            2 => Some(Self::MeetingDuration),
            _ => None,
        }
    }
}

/// Which of a user's ids `get_top_user` answers with: its parameter `user_id_type`.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash)]
pub enum UserIdType {
    /// The id of the user in one application.
    #[default]
    OpenId,
    /// The id of the user in all applications of one developer.
    UnionId,
    /// The id of the user in the organization.
    UserId,
}

impl UserIdType {
    /// Every type.
    pub const ALL: [Self; 3] = [Self::OpenId, Self::UnionId, Self::UserId];

    /// The value of the parameter.
    pub const fn name(self) -> &'static str {
        match self {
            Self::OpenId => "open_id",
            Self::UnionId => "union_id",
            Self::UserId => "user_id",
        }
    }

    /// The type of a value.
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|id_type| id_type.name() == name)
    }
}
