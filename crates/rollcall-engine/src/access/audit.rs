//! What the audit log of an organization says: who did what, and when. It names no person of the organization, so there is nothing in it to forget.

use super::key::Scopes;
use rollcall_model::Millis;
use serde::{Deserialize, Serialize};

/// Who did something.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "kebab-case", rename_all_fields = "kebab-case")]
pub enum Actor {
    /// Whoever has the data directory, on the command line.
    Operator,
    /// A key that was made at run time.
    Key {
        /// Its number.
        number: u64,
        /// What people call it.
        name: String,
    },
    /// A key of the configuration.
    ConfiguredKey {
        /// What people call it.
        name: String,
    },
    /// The server itself.
    Server,
}

/// What was done.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "action", rename_all = "kebab-case")]
pub enum Happening {
    /// A key was made.
    KeyMade {
        /// Its number, which is that of this line.
        key: u64,
        /// What people call it.
        name: String,
        /// What it may do.
        scopes: Scopes,
        /// The department to which it is limited.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        department: Option<String>,
        /// From when on it is of no use, in milliseconds since 1970.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        expires: Option<Millis>,
    },
    /// A key was revoked.
    KeyRevoked {
        /// Its number.
        key: u64,
        /// What people called it.
        name: String,
    },
    /// A key was used for the first time.
    KeyFirstUsed {
        /// Its number.
        key: u64,
        /// What people call it.
        name: String,
    },
    /// Facts were withdrawn.
    FactsWithdrawn {
        /// How many.
        facts: u64,
    },
    /// A person was erased.
    PersonErased {
        /// How many facts went.
        facts: u64,
    },
    /// Facts were erased that were older than the organization keeps them.
    OldFactsErased {
        /// How many.
        facts: u64,
    },
    /// The directory was changed.
    DirectoryChanged {
        /// The version that holds since.
        version: u64,
        /// How many entries of departments it has.
        departments: u64,
        /// How many entries of users.
        users: u64,
    },
}

/// A line of the audit log.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Event {
    /// Its number in its organization, from 1 on. It is the key.
    #[serde(skip)]
    pub number: u64,
    /// When.
    pub at: Millis,
    /// Who.
    pub actor: Actor,
    /// What.
    #[serde(flatten)]
    pub what: Happening,
}

/// Some lines of the audit log.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EventPage {
    /// The newest first.
    pub events: Vec<Event>,
    /// What the next page is before; none: there is no more.
    pub next: Option<u64>,
}
