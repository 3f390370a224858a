//! An organization's section `yunxiao`.

use crate::Secret;
use rollcall_model::Millis;

/// An organization's section `yunxiao` (wire, Decisions).
#[derive(Debug, Clone)]
pub struct Settings {
    /// Its personal access tokens.
    pub tokens: Vec<Token>,
    /// What scripts may say for `organizationId` in place of the organization's GUID, and what answers say.
    pub organization_id: Option<String>,
    /// Whether a department covers those below it.
    pub include_subdepartments: bool,
    /// Requests a minute for each token; 0: any.
    pub requests_per_minute: u32,
}

impl Default for Settings {
    fn default() -> Self {
        Self { tokens: Vec::new(), organization_id: None, include_subdepartments: true, requests_per_minute: 600 }
    }
}

/// A personal access token. It selects its organization, so it is unique in the server.
#[derive(Debug, Clone)]
pub struct Token {
    /// What people call it; also what `/platform/user` says.
    pub name: String,
    /// The token itself, as its hash.
    pub secret: Secret,
    /// What it may read.
    pub scopes: Vec<Scope>,
    /// The instant from which on it is refused; none: never.
    pub expires: Option<Millis>,
}

/// What a token may read.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Scope {
    /// Department usage statistics (部门使用统计).
    DepartmentUsage,
    /// Developer usage statistics (开发者使用统计).
    DeveloperUsage,
    /// The departments of the organization.
    Organization,
}

impl Scope {
    /// All.
    pub const ALL: [Self; 3] = [Self::DepartmentUsage, Self::DeveloperUsage, Self::Organization];

    /// The name in the configuration.
    pub const fn name(self) -> &'static str {
        match self {
            Self::DepartmentUsage => "department-usage",
            Self::DeveloperUsage => "developer-usage",
            Self::Organization => "organization",
        }
    }

    /// The scope of a name.
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|scope| scope.name() == name)
    }
}
