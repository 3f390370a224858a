//! What goes over the wire, for the server that writes it and the client that reads it (wire sections 1 to 3).

use serde::{Deserialize, Serialize};
use serde_json::Number;

/// The service of every scope, and of every answer.
pub const SERVICE: &str = "rtc";
/// The operation.
pub const ACTION: &str = "ListOperationDistribution";
/// The indicator of every answer, and of every question that this client asks.
pub const USER_NUM: &str = "user_num";
/// The other name of the same indicator, in questions.
pub const USER_COUNT: &str = "user_count";
/// The row of users whose place is unknown.
pub const UNKNOWN: &str = "未知";

/// Names of headers, and of the same things in a presigned query, which writes them with capitals.
pub mod header {
    /// When the request was signed, in UTC: `20210726T120000Z`.
    pub const DATE: &str = "x-date";
    /// The SHA-256 of the body, in hexadecimal.
    pub const CONTENT_HASH: &str = "x-content-sha256";
    /// The token of a temporary access key.
    pub const SECURITY_TOKEN: &str = "x-security-token";
}

/// Names of parameters of the query.
pub mod parameter {
    /// The operation.
    pub const ACTION: &str = "Action";
    /// The version of the API.
    pub const VERSION: &str = "Version";
    /// As [`super::header::DATE`].
    pub const DATE: &str = "X-Date";
    /// As [`super::header::SECURITY_TOKEN`].
    pub const SECURITY_TOKEN: &str = "X-Security-Token";
    /// Presigned: the algorithm.
    pub const ALGORITHM: &str = "X-Algorithm";
    /// Presigned: who signs, for what.
    pub const CREDENTIAL: &str = "X-Credential";
    /// Presigned: the names of the signed headers, joined by `;`; often none.
    pub const SIGNED_HEADERS: &str = "X-SignedHeaders";
    /// Presigned: the names of the signed parameters, joined by `;`.
    pub const SIGNED_QUERIES: &str = "X-SignedQueries";
    /// Presigned: the signature.
    pub const SIGNATURE: &str = "X-Signature";
    /// Presigned: for how many seconds.
    pub const EXPIRES: &str = "X-Expires";
}

/// A version of the API. Both answer the same.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub enum Version {
    /// `2020-12-01`.
    #[default]
    V2020,
    /// `2023-11-01`.
    V2023,
}

impl Version {
    /// Every version.
    pub const ALL: [Self; 2] = [Self::V2020, Self::V2023];

    /// The value of the parameter.
    pub const fn name(self) -> &'static str {
        match self {
            Self::V2020 => "2020-12-01",
            Self::V2023 => "2023-11-01",
        }
    }

    /// The version of a name.
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|version| version.name() == name)
    }
}

/// What a row is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Dimension {
    /// A first-level division of China; Hong Kong, Macau and Taiwan are among them.
    Province,
    /// A country; Hong Kong, Macau and Taiwan have rows of their own.
    Country,
}

impl Dimension {
    /// Every dimension.
    pub const ALL: [Self; 2] = [Self::Province, Self::Country];

    /// The value of the field.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Province => "province",
            Self::Country => "country",
        }
    }

    /// The dimension of a name, in any case.
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|dimension| dimension.name().eq_ignore_ascii_case(name))
    }
}

/// The body of a request. The server reads it field by field, to name what is wrong.
#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct Question<'a> {
    /// The app.
    pub app_id: &'a str,
    /// The first instant, RFC 3339.
    pub start_time: String,
    /// The first instant after, RFC 3339.
    pub end_time: String,
    /// [`USER_NUM`].
    pub indicator: &'a str,
    /// The name of a [`Dimension`].
    pub dimension: &'a str,
}

/// What every answer is wrapped in.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct Envelope<T> {
    /// What was asked, and what failed.
    pub response_metadata: ResponseMetadata,
    /// The answer; absent on failure.
    #[serde(default = "none", skip_serializing_if = "Option::is_none")]
    pub result: Option<T>,
}

// `#[serde(default)]` alone would ask for `T: Default`.
const fn none<T>() -> Option<T> {
    None
}

/// What was asked, and what failed.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
pub struct ResponseMetadata {
    /// Unique for each request.
    pub request_id: String,
    /// As asked.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub action: Option<String>,
    /// As asked.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub version: Option<String>,
    /// [`SERVICE`]; absent before the credential was read.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub service: Option<String>,
    /// The region that the request was signed for; absent before the credential was read.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub region: Option<String>,
    /// On failure alone.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub error: Option<ErrorDetail>,
}

/// What failed.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
pub struct ErrorDetail {
    /// The number of an error of the gateway; errors of the service have none.
    #[serde(rename = "CodeN", skip_serializing_if = "Option::is_none")]
    pub code_n: Option<i64>,
    /// What to branch on.
    pub code: String,
    /// For people.
    pub message: String,
}

/// The answer of [`ACTION`].
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct Distribution {
    /// The indicator.
    pub name: String,
    /// The dimension.
    pub dimension: String,
    /// A row for each place.
    #[serde(default)]
    pub data: Vec<Row>,
}

/// One place.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct Row {
    /// The Chinese name of the place.
    pub distribution_name: String,
    /// Distinct users.
    pub value: Number,
    /// Their share in the values of all places, in percent, cut off after two decimals.
    pub proportion: Number,
}
