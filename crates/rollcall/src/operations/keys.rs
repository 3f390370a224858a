//! `key create`, `key list`, `key revoke` and `audit`: who may ask, and who did what.

use super::{Context, Operation, Progress};
use rollcall_engine::access::{Actor, Event, Happening, Key, NewKey, Scope, Scopes};
use rollcall_engine::{Engine, EngineError};
use rollcall_model::calendar::rfc3339;
use rollcall_model::{Millis, OrgId};
use serde::{Deserialize, Serialize};

/// The most lines of the audit log that are listed at a time.
const MOST: usize = 100_000;

/// The most bytes of a name.
const LONGEST_NAME: usize = 256;

/// Writes a line of the audit log about what was done. That it was done stands, also where the line cannot be written.
pub fn note(engine: &Engine, org: OrgId, who: Actor, what: Happening) {
    if let Err(error) = engine.note(org, who, what, jiff::Timestamp::now().as_millisecond()) {
        tracing::error!(organization = %org, %error, "a line of the audit log could not be written");
    }
}

/// Why a key is not made.
#[derive(Debug)]
pub enum Unmade {
    /// A field of what is wanted, and what was expected of it.
    Field(&'static str, String),
    /// The engine does not.
    Engine(EngineError),
}

impl std::fmt::Display for Unmade {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Field(field, expected) => write!(f, "{field}: expected {expected}"),
            Self::Engine(error) => error.fmt(f),
        }
    }
}

/// Makes a key, if what is wanted makes sense.
pub fn make(engine: &Engine, org: OrgId, new: NewKey, who: Actor, now: Millis) -> Result<Key, Unmade> {
    let unfit = |field, expected: &str| Err(Unmade::Field(field, expected.into()));
    let NewKey { name, scopes, department, expires, .. } = &new;
    if name.is_empty() || name.len() > LONGEST_NAME || name.chars().any(char::is_control) {
        return unfit("name", "1 to 256 bytes without control characters");
    }
    if scopes.is_empty() {
        return unfit("scopes", "one or more of ingest, read, read:people, admin");
    }
    if expires.is_some_and(|expires| expires <= now) {
        return unfit("expires", "a time that lies ahead");
    }
    if let Some(department) = department {
        if scopes.iter().any(|scope| matches!(scope, Scope::Ingest | Scope::Admin)) {
            return unfit(
                "scopes",
                "read or read:people alone beside a department: a key that sends facts or makes keys is of the whole organization",
            );
        }
        if !engine.directory(org).has_department(department) {
            return unfit("department", "one of the organization's directory");
        }
    }
    engine.make_key(org, new, who, now).map_err(Unmade::Engine)
}

/// A key as it is printed: without its secret, of which nobody knows more than a hash.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct ShownKey {
    /// Its number.
    pub key: u64,
    pub name: String,
    pub scopes: Scopes,
    /// The department to which it is limited, with all below it; null: it is of the whole organization.
    pub department: Option<String>,
    pub made: String,
    pub expires: Option<String>,
    /// To a minute.
    pub last_used: Option<String>,
}

impl From<Key> for ShownKey {
    fn from(key: Key) -> Self {
        let Key { number, name, scopes, department, made, expires, last_used, .. } = key;
        let [expires, last_used] = [expires, last_used].map(|at| at.map(rfc3339));
        Self { key: number, name, scopes, department, made: rfc3339(made), expires, last_used }
    }
}

/// A line of the audit log as it is printed.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct ShownEvent {
    pub number: u64,
    pub at: String,
    pub actor: Actor,
    #[serde(flatten)]
    pub what: Happening,
}

impl From<Event> for ShownEvent {
    fn from(event: Event) -> Self {
        let Event { number, at, actor, what } = event;
        Self { number, at: rfc3339(at), actor, what }
    }
}

/// Makes a key.
pub enum CreateKey {}

/// The key that is wanted.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct AskedOfCreateKey {
    pub organization: OrgId,
    pub name: String,
    /// The hash of its secret, which stays with who asks.
    pub hash: [u8; 32],
    pub scopes: Scopes,
    pub department: Option<String>,
    pub expires: Option<Millis>,
}

impl Operation for CreateKey {
    const NAME: &'static str = "key-create";
    const DOING: &'static str = "making a key";
    type Asked = AskedOfCreateKey;
    type Found = ShownKey;

    fn run(context: &Context<'_>, asked: AskedOfCreateKey, _: &Progress<'_>) -> Result<ShownKey, String> {
        let AskedOfCreateKey { organization, name, hash, scopes, department, expires } = asked;
        let new = NewKey { name, hash, scopes, department, expires };
        let made = make(context.engine, organization, new, Actor::Operator, jiff::Timestamp::now().as_millisecond());
        made.map(ShownKey::from).map_err(|error| error.to_string())
    }
}

/// Lists the keys of an organization.
pub enum ListKeys {}

/// Whose keys are listed.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct AskedOfListKeys {
    pub organization: OrgId,
}

impl Operation for ListKeys {
    const NAME: &'static str = "key-list";
    const DOING: &'static str = "listing keys";
    type Asked = AskedOfListKeys;
    type Found = Vec<ShownKey>;

    fn run(context: &Context<'_>, asked: AskedOfListKeys, _: &Progress<'_>) -> Result<Vec<ShownKey>, String> {
        Ok(context.engine.keys(asked.organization).into_iter().map(ShownKey::from).collect())
    }
}

/// Revokes a key.
pub enum RevokeKey {}

/// Which key is revoked.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct AskedOfRevokeKey {
    pub organization: OrgId,
    /// Its number.
    pub key: u64,
}

impl Operation for RevokeKey {
    const NAME: &'static str = "key-revoke";
    const DOING: &'static str = "revoking a key";
    type Asked = AskedOfRevokeKey;
    type Found = ShownKey;

    fn run(context: &Context<'_>, asked: AskedOfRevokeKey, _: &Progress<'_>) -> Result<ShownKey, String> {
        let AskedOfRevokeKey { organization, key } = asked;
        let revoked = context.engine.revoke_key(organization, key, Actor::Operator, jiff::Timestamp::now().as_millisecond());
        let revoked = revoked.map_err(|error| error.to_string())?;
        revoked.map(ShownKey::from).ok_or_else(|| format!("organization {organization} has no key {key}"))
    }
}

/// Lists lines of the audit log.
pub enum Audit {}

/// Which lines are listed.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct AskedOfAudit {
    pub organization: OrgId,
    /// How many, from the newest on.
    pub limit: usize,
    /// Those with a smaller number.
    pub before: Option<u64>,
}

/// The lines that are listed.
#[derive(Debug, Serialize, Deserialize)]
pub struct ListedEvents {
    /// The newest first.
    pub events: Vec<ShownEvent>,
    /// What the next list is before; none: there is no more.
    pub next: Option<u64>,
}

impl Operation for Audit {
    const NAME: &'static str = "audit";
    const DOING: &'static str = "reading the audit log";
    type Asked = AskedOfAudit;
    type Found = ListedEvents;

    fn run(context: &Context<'_>, asked: AskedOfAudit, _: &Progress<'_>) -> Result<ListedEvents, String> {
        let AskedOfAudit { organization, limit, before } = asked;
        let page = context.engine.audit(organization, before, limit.min(MOST)).map_err(|error| error.to_string())?;
        Ok(ListedEvents { events: page.events.into_iter().map(ShownEvent::from).collect(), next: page.next })
    }
}
