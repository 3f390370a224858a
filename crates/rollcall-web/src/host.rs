//! The seam: what a page needs from whoever serves it. Everything is asked for and nothing is changed here: forms are sent to the
//! server's own routes ([`crate::routes`]), which answer with a redirect to a page.

use rollcall_model::{Directory, Millis, Organization, Reports};
use std::sync::Arc;

/// Whoever serves a page: one organization, one viewer, one instant.
pub trait Host {
    /// Answers the reports, of the same state as the native API.
    fn reports(&self) -> &dyn Reports;

    /// The organization of the viewer.
    fn organization(&self) -> &Organization;

    /// Its directory.
    fn directory(&self) -> Arc<Directory>;

    /// The instant at which the page is made. Pages never look at a clock.
    fn now(&self) -> Millis;

    /// Who looks.
    fn viewer(&self) -> &Viewer;

    /// A secret of at least 16 bytes that never changes, from which pseudonyms are made.
    fn conceal_key(&self) -> &[u8];

    /// Where the server is reached, such as `https://rollcall.example.org`, without a slash at the end: for the calls that are shown.
    fn base_url(&self) -> &str;

    /// Which of the vendors' APIs the organization has configured, so that their calls are shown.
    fn vendors(&self) -> Vendors {
        Vendors::default()
    }

    /// What is known of where facts come from and where they lie. Cheap: it is asked for by every page, which says what is incomplete.
    fn data(&self) -> DataState {
        DataState::default()
    }

    /// Accounts, sign-ins, keys, links and the audit log. Asked for by the page of these alone, and only for an administrator.
    fn access(&self) -> AccessState {
        AccessState::default()
    }

    /// A secret that was made by the request before this one (a key, a link): shown once, on the page that the redirect leads to.
    fn made(&self) -> Option<String> {
        None
    }
}

/// Who looks at a page.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Viewer {
    /// The account's name.
    pub name: String,
    /// What they may.
    pub role: Role,
    /// Whether they see who people are. Otherwise every name is a pseudonym, and no id is anywhere in a page. The host decides: true for
    /// whoever has the right, and for everybody where the organization does not conceal names.
    pub sees_people: bool,
}

/// What a viewer may.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Role {
    /// Everything.
    Administrator,
    /// Every report, and where facts come from.
    Analyst,
    /// Reports of one department and those below it.
    Viewer {
        /// The department's id.
        department: String,
    },
    /// One page, by a share link: with the page's range, zone and filters as the link has them. No navigation is shown.
    Link {
        /// Only this department and those below it; none: all.
        department: Option<String>,
    },
}

impl Viewer {
    /// The department beyond which nothing is shown.
    pub(crate) fn department(&self) -> Option<&str> {
        match &self.role {
            Role::Viewer { department } => Some(department),
            Role::Link { department } => department.as_deref(),
            Role::Administrator | Role::Analyst => None,
        }
    }

    /// Whether they may see accounts, keys and the audit log, and change them.
    pub(crate) fn administers(&self) -> bool {
        self.role == Role::Administrator
    }

    /// Whether they may see where facts come from.
    pub(crate) fn sees_data(&self) -> bool {
        matches!(self.role, Role::Administrator | Role::Analyst)
    }
}

/// Which of the vendors' APIs are configured.
#[derive(Debug, Clone, Copy, Default)]
pub struct Vendors {
    /// Feishu's reports.
    pub feishu: bool,
    /// Those of Office 365.
    pub office365: bool,
    /// Volcengine's.
    pub volcengine: bool,
    /// Yunxiao's.
    pub yunxiao: bool,
}

/// Where facts come from and where they lie.
#[derive(Debug, Clone, Default)]
pub struct DataState {
    /// Where facts come from by themselves.
    pub sources: Vec<Source>,
    /// Receipts of the last day, the newest first.
    pub receipts: Vec<ReceiptLine>,
    /// The lake's tables.
    pub tables: Vec<Table>,
    /// When the last backup was finished.
    pub backup: Option<Millis>,
    /// When cells were last held against facts, and how many differences there were.
    pub verify: Option<(Millis, u64)>,
    /// Sessions whose facts disagree about when they started, by id.
    pub disputed: Vec<String>,
    /// How many facts are dated ahead.
    pub ahead: u64,
}

/// Where facts come from by themselves.
#[derive(Debug, Clone)]
pub struct Source {
    /// Its name in the configuration.
    pub name: String,
    /// Its vendor.
    pub vendor: String,
    /// When its last event was.
    pub last_event: Option<Millis>,
    /// Since when it has been silent longer than it should, or failing; none: it is well.
    pub failing_since: Option<Millis>,
    /// What the last failure said.
    pub failure: Option<String>,
    /// Attendances that have begun and not ended.
    pub open: u64,
    /// Events refused in the last day.
    pub refused: u64,
}

/// A request that stored facts.
#[derive(Debug, Clone)]
pub struct ReceiptLine {
    /// The receipt's number.
    pub number: u64,
    /// When it was given.
    pub at: Millis,
    /// How many facts it stored.
    pub accepted: u64,
    /// The first and the last instant of its facts.
    pub times: Option<(Millis, Millis)>,
}

/// A table of the lake.
#[derive(Debug, Clone)]
pub struct Table {
    /// Its name.
    pub name: String,
    /// Its version.
    pub version: u64,
    /// Facts of the organization in it.
    pub facts: u64,
    /// Bytes of the files that hold them.
    pub bytes: u64,
}

/// Accounts, sign-ins, keys, links, and who did what.
#[derive(Debug, Clone, Default)]
pub struct AccessState {
    /// The accounts, by name.
    pub accounts: Vec<Account>,
    /// Those signed in, the latest use first.
    pub sign_ins: Vec<SignIn>,
    /// Keys of the native API.
    pub keys: Vec<Key>,
    /// Share links.
    pub links: Vec<Link>,
    /// The audit log, the newest first.
    pub audit: Vec<AuditLine>,
}

/// A person who signs in.
#[derive(Debug, Clone)]
pub struct Account {
    /// The name.
    pub name: String,
    /// What they may.
    pub role: Role,
    /// Whether they have the right to see who people are.
    pub people: bool,
    /// The last sign-in.
    pub last: Option<Millis>,
}

/// A browser that is signed in.
#[derive(Debug, Clone)]
pub struct SignIn {
    /// What ends it; not the secret.
    pub number: u64,
    /// Whose.
    pub account: String,
    /// When it began.
    pub began: Millis,
    /// When it was last used.
    pub used: Millis,
    /// What the browser says of itself.
    pub browser: String,
    /// Whether this page was asked for by it.
    pub this: bool,
}

/// A key of the native API.
#[derive(Debug, Clone)]
pub struct Key {
    /// What revokes it.
    pub number: u64,
    /// What it is called.
    pub name: String,
    /// Its scopes.
    pub scopes: Vec<String>,
    /// Only this department; none: all.
    pub department: Option<String>,
    /// When it ends.
    pub expires: Option<Millis>,
    /// When it was last used.
    pub used: Option<Millis>,
}

/// A share link.
#[derive(Debug, Clone)]
pub struct Link {
    /// What revokes it.
    pub number: u64,
    /// The page and its query.
    pub page: String,
    /// Who made it.
    pub by: String,
    /// When it ends.
    pub expires: Option<Millis>,
    /// Whether it asks for a password.
    pub password: bool,
}

/// Who did what.
#[derive(Debug, Clone)]
pub struct AuditLine {
    /// When.
    pub at: Millis,
    /// Who.
    pub who: String,
    /// What, such as `looked-at`.
    pub what: String,
    /// To whom or what; a page shows it to administrators alone.
    pub whom: Option<String>,
}
