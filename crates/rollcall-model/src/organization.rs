//! Organizations: the tenants of a server. Every fact, cell and answer belongs to one; nothing crosses.

use crate::calendar::{Millis, timestamp};
use jiff::civil::Date;
use jiff::tz::TimeZone;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

/// The GUID of an organization.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(transparent)]
pub struct OrgId(pub Uuid);

impl std::fmt::Display for OrgId {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        self.0.hyphenated().fmt(f)
    }
}

/// What validation and reports need to know of an organization. Its credentials and limits belong to the server.
#[derive(Debug, Clone, PartialEq)]
pub struct Organization {
    /// Its GUID.
    pub id: OrgId,
    /// What people call it.
    pub name: String,
    /// The zone of its days where a question names none.
    pub zone: TimeZone,
    /// The apps a fact may name; the first is the default and is `default` unless configured otherwise.
    pub apps: Vec<String>,
    /// Its data residencies, each 0..=3 (China, United States, Singapore, Japan); the first is the default.
    pub units: Vec<u8>,
}

impl Organization {
    /// An organization with the app `default` and the unit 0.
    pub fn new(id: OrgId, name: impl Into<String>, zone: TimeZone) -> Self {
        Self { id, name: name.into(), zone, apps: vec!["default".into()], units: vec![0] }
    }

    /// The day that the organization's clocks show at `at`.
    pub fn day_of(&self, at: Millis) -> Date {
        self.zone.to_datetime(timestamp(at)).date()
    }

    /// The residency of a fact that names none.
    pub fn default_unit(&self) -> u8 {
        self.units.first().copied().unwrap_or(0)
    }
}
