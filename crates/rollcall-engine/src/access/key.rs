//! A key, and what it may do.

use rollcall_model::Millis;
use serde::{Deserialize, Serialize};

/// The SHA-256 of a key's secret.
pub type KeyHash = [u8; 32];

/// What a key may be allowed to do.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum Scope {
    /// Send facts and the directory.
    #[serde(rename = "ingest")]
    Ingest,
    /// Ask reports that count.
    #[serde(rename = "read")]
    Read,
    /// See who people are, as well.
    #[serde(rename = "read:people")]
    ReadPeople,
    /// Make and revoke keys, and read the audit log.
    #[serde(rename = "admin")]
    Admin,
}

impl Scope {
    /// Every scope.
    pub const ALL: [Self; 4] = [Self::Ingest, Self::Read, Self::ReadPeople, Self::Admin];

    /// Its name, as people write it.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Ingest => "ingest",
            Self::Read => "read",
            Self::ReadPeople => "read:people",
            Self::Admin => "admin",
        }
    }

    /// The scope of a name.
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|scope| scope.name() == name)
    }
}

/// The scopes of a key, each once, in their order. Whoever may see people may also count them.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(from = "Vec<Scope>")]
pub struct Scopes(Vec<Scope>);

impl Scopes {
    /// Whether a scope is among them.
    pub fn allow(&self, scope: Scope) -> bool {
        self.0.contains(&scope) || scope == Scope::Read && self.0.contains(&Scope::ReadPeople)
    }

    /// The scopes.
    pub fn iter(&self) -> impl Iterator<Item = Scope> {
        self.0.iter().copied()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

impl From<Vec<Scope>> for Scopes {
    fn from(mut scopes: Vec<Scope>) -> Self {
        scopes.sort_unstable();
        scopes.dedup();
        Self(scopes)
    }
}

impl FromIterator<Scope> for Scopes {
    fn from_iter<I: IntoIterator<Item = Scope>>(scopes: I) -> Self {
        scopes.into_iter().collect::<Vec<_>>().into()
    }
}

/// A key that is to be made.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewKey {
    /// What people call it.
    pub name: String,
    /// The hash of its secret.
    pub hash: KeyHash,
    /// What it may do.
    pub scopes: Scopes,
    /// The department to which it is limited, with all below it; none: it speaks for the whole organization.
    pub department: Option<String>,
    /// From when on it is of no use; none: it does not end by itself.
    pub expires: Option<Millis>,
}

/// A key, as it is stored.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Key {
    /// Its number in its organization, which no other key ever has: that of the line of the audit log that says that it was made.
    pub number: u64,
    /// What people call it.
    pub name: String,
    /// The hash of its secret.
    pub hash: KeyHash,
    /// What it may do.
    pub scopes: Scopes,
    /// The department to which it is limited, with all below it; none: it speaks for the whole organization.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub department: Option<String>,
    /// When it was made.
    pub made: Millis,
    /// From when on it is of no use; none: it does not end by itself.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub expires: Option<Millis>,
    /// When it was used last, to a minute; none: never.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub last_used: Option<Millis>,
}

impl std::fmt::Debug for Key {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Self { number, name, scopes, .. } = self;
        f.debug_struct("Key").field("number", number).field("name", name).field("scopes", scopes).finish_non_exhaustive()
    }
}
