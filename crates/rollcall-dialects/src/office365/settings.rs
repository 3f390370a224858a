//! An organization's section `office365`.

use std::fmt;

/// An organization's section `office365` (wire, Settings). `TenantGuid` and `TenantName` are the organization's id and name.
#[derive(Debug, Clone)]
pub struct Settings {
    /// The accounts that may ask.
    pub users: Vec<User>,
    /// Whether `Date` is the first midnight of a row's period, rather than the midnight after it.
    pub date_is_start: bool,
    /// How many calendar months back rows reach; 0: any.
    pub history_months: u32,
    /// The rows of one page; 0: any.
    pub page_size: u32,
    /// Scheme and authority of the URLs in answers, such as `https://reports.example.com`; none: those of the request.
    pub public_base_url: Option<String>,
}

impl Default for Settings {
    fn default() -> Self {
        Self { users: Vec::new(), date_is_start: false, history_months: 12, page_size: 2000, public_base_url: None }
    }
}

/// An account of the service.
#[derive(Clone, PartialEq, Eq)]
pub struct User {
    /// The name it signs in with, `admin@example.onmicrosoft.com`; unique in the server, whatever its case: it selects the organization.
    pub name: String,
    /// What it may read.
    pub role: Role,
    /// The argon2id hash of its password, a PHC string `$argon2id$v=19$…`.
    pub password: String,
}

impl fmt::Debug for User {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("User").field("name", &self.name).field("role", &self.role).finish_non_exhaustive()
    }
}

/// The role of an account (seed, Permissions). Every role but [`Role::User`] reads the reports.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Role {
    /// Billing administrator.
    BillingAdministrator,
    /// Global administrator.
    GlobalAdministrator,
    /// Password administrator.
    PasswordAdministrator,
    /// Service administrator.
    ServiceAdministrator,
    /// User-management administrator.
    UserManagementAdministrator,
    /// View-only recipients.
    ViewOnlyRecipients,
    /// No role that reads: signs in, and sees no report.
    User,
}

impl Role {
    /// All.
    pub const ALL: [Self; 7] = [
        Self::BillingAdministrator,
        Self::GlobalAdministrator,
        Self::PasswordAdministrator,
        Self::ServiceAdministrator,
        Self::UserManagementAdministrator,
        Self::ViewOnlyRecipients,
        Self::User,
    ];

    /// The name in the configuration.
    pub const fn name(self) -> &'static str {
        match self {
            Self::BillingAdministrator => "billing-administrator",
            Self::GlobalAdministrator => "global-administrator",
            Self::PasswordAdministrator => "password-administrator",
            Self::ServiceAdministrator => "service-administrator",
            Self::UserManagementAdministrator => "user-management-administrator",
            Self::ViewOnlyRecipients => "view-only-recipients",
            Self::User => "user",
        }
    }

    /// The role of a name.
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|role| role.name() == name)
    }

    /// Whether the role reads the reports.
    pub const fn reads(self) -> bool {
        !matches!(self, Self::User)
    }
}
