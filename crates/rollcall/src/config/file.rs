//! The file as it is written. Values whose meaning is checked later keep their place, so that a message can name the line.

use super::{Limits, Problem};
use rollcall_dialects::sign_in::SignInLimits;
use rollcall_engine::Settings;
use serde::Deserialize;
use std::collections::BTreeMap;
use std::ops::Range;
use std::path::PathBuf;
use toml::Spanned;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct File {
    pub(super) listen: Option<Spanned<String>>,
    pub(super) data: Option<PathBuf>,
    #[serde(default)]
    pub(super) allow_plaintext_auth: bool,
    #[serde(default)]
    pub(super) cors: Cors,
    #[serde(default)]
    pub(super) trusted_proxies: Vec<Spanned<String>>,
    pub(super) log_client_addresses: Option<bool>,
    pub(super) tls: Option<Tls>,
    #[serde(default)]
    pub(super) places: Places,
    #[serde(default)]
    pub(super) limits: Limits,
    #[serde(default)]
    pub(super) sign_in: SignInLimits,
    #[serde(default)]
    pub(super) storage: Storage,
    #[serde(default)]
    pub(super) lake: Lake,
    #[serde(default)]
    pub(super) backup: Backup,
    #[serde(default)]
    pub(super) organizations: Vec<Organization>,
}

/// Whose pages may use the native API from a browser.
#[derive(Deserialize, Default)]
#[serde(deny_unknown_fields, default)]
pub(super) struct Cors {
    pub(super) origins: Vec<Spanned<String>>,
}

/// What backups need.
#[derive(Deserialize, Default)]
#[serde(deny_unknown_fields, default)]
pub(super) struct Backup {
    /// A reference to the key that seals the signing key.
    pub(super) key: Option<Spanned<String>>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Tls {
    pub(super) certificate: PathBuf,
    pub(super) key: PathBuf,
}

/// Where addresses are.
#[derive(Deserialize, Default)]
#[serde(deny_unknown_fields, default)]
pub(super) struct Places {
    pub(super) database: Option<OneOrMany>,
}

#[derive(Deserialize)]
#[serde(untagged, expecting = "expected a path, or a list of paths")]
pub(super) enum OneOrMany {
    One(PathBuf),
    Many(Vec<PathBuf>),
}

impl Places {
    /// The database files, in the order in which they are asked.
    pub(super) fn files(self) -> Vec<PathBuf> {
        match self.database {
            None => Vec::new(),
            Some(OneOrMany::One(file)) => vec![file],
            Some(OneOrMany::Many(files)) => files,
        }
    }
}

/// The engine's settings, by the engine's own names; absent keys keep its defaults.
#[derive(Deserialize, Default)]
#[serde(deny_unknown_fields, default)]
pub(super) struct Storage {
    cell_cache_bytes: Option<usize>,
    kept_bytes: Option<u64>,
    block_cache_bytes: Option<usize>,
    id_cache_bytes: Option<usize>,
    journal_bytes: Option<usize>,
    memtable_bytes: Option<usize>,
    checkpoint_facts: Option<usize>,
    checkpoint_entries: Option<u64>,
    reserve_bytes: Option<u64>,
    users_per_organization: Option<u32>,
    bookings_per_organization: Option<u32>,
    uses_per_organization: Option<u32>,
    receipts_per_organization: Option<u32>,
    keys_per_organization: Option<u32>,
    audit_per_organization: Option<u32>,
    directory_bytes: Option<u64>,
    directory_history_bytes: Option<u64>,
}

impl Storage {
    pub(super) fn settings(&self) -> Settings {
        let defaults = Settings::default();
        Settings {
            cell_cache_bytes: self.cell_cache_bytes.unwrap_or(defaults.cell_cache_bytes),
            kept_bytes: self.kept_bytes.unwrap_or(defaults.kept_bytes),
            block_cache_bytes: self.block_cache_bytes.unwrap_or(defaults.block_cache_bytes),
            id_cache_bytes: self.id_cache_bytes.unwrap_or(defaults.id_cache_bytes),
            journal_bytes: self.journal_bytes.unwrap_or(defaults.journal_bytes),
            memtable_bytes: self.memtable_bytes.unwrap_or(defaults.memtable_bytes),
            checkpoint_facts: self.checkpoint_facts.unwrap_or(defaults.checkpoint_facts),
            checkpoint_entries: self.checkpoint_entries.unwrap_or(defaults.checkpoint_entries),
            reserve_bytes: self.reserve_bytes.unwrap_or(defaults.reserve_bytes),
            users_per_organization: self.users_per_organization.unwrap_or(defaults.users_per_organization),
            bookings_per_organization: self.bookings_per_organization.unwrap_or(defaults.bookings_per_organization),
            uses_per_organization: self.uses_per_organization.unwrap_or(defaults.uses_per_organization),
            receipts_per_organization: self.receipts_per_organization.unwrap_or(defaults.receipts_per_organization),
            keys_per_organization: self.keys_per_organization.unwrap_or(defaults.keys_per_organization),
            audit_per_organization: self.audit_per_organization.unwrap_or(defaults.audit_per_organization),
            directory_bytes: self.directory_bytes.unwrap_or(defaults.directory_bytes),
            directory_history_bytes: self.directory_history_bytes.unwrap_or(defaults.directory_history_bytes),
            ..defaults
        }
    }
}

/// Where the lake lies, and when facts go there; absent keys keep the engine's defaults.
#[derive(Deserialize, Default)]
#[serde(deny_unknown_fields, default)]
pub(super) struct Lake {
    pub(super) url: Option<Spanned<String>>,
    pub(super) options: BTreeMap<Spanned<String>, Spanned<toml::Value>>,
    pub(super) allow_plaintext: bool,
    pub(super) flush_seconds: Option<u32>,
    pub(super) flush_facts: Option<usize>,
    pub(super) vacuum_days: Option<u32>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Organization {
    pub(super) id: Spanned<String>,
    pub(super) name: Spanned<String>,
    pub(super) time_zone: Spanned<String>,
    pub(super) apps: Option<Spanned<Vec<String>>>,
    pub(super) units: Option<Spanned<Vec<u8>>>,
    #[serde(default)]
    pub(super) retention_days: u32,
    #[serde(default)]
    pub(super) allow_withdraw: bool,
    #[serde(default)]
    pub(super) ingest_keys: Vec<IngestKey>,
    #[serde(default)]
    pub(super) feishu: Feishu,
    #[serde(default)]
    pub(super) office365: Office365,
    #[serde(default)]
    pub(super) volcengine: Volcengine,
    #[serde(default)]
    pub(super) yunxiao: Yunxiao,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct IngestKey {
    pub(super) name: Spanned<String>,
    pub(super) hash: Option<Spanned<String>>,
    pub(super) secret: Option<Spanned<String>>,
}

/// Absent keys keep the dialect's defaults.
#[derive(Deserialize, Default)]
#[serde(deny_unknown_fields, default)]
pub(super) struct Feishu {
    pub(super) numbers: Option<Numbers>,
    pub(super) history_days: Option<u32>,
    pub(super) span_days: Option<u32>,
    pub(super) top_limit: Option<u32>,
    pub(super) requests_per_minute: Option<u32>,
    pub(super) apps: Vec<FeishuApp>,
}

#[derive(Deserialize, Clone, Copy, PartialEq)]
#[serde(rename_all = "lowercase")]
pub(super) enum Numbers {
    String,
    Number,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct FeishuApp {
    pub(super) app_id: Spanned<String>,
    pub(super) secret_hash: Option<Spanned<String>>,
    pub(super) secret: Option<Spanned<String>>,
}

/// Absent keys keep the dialect's defaults.
#[derive(Deserialize, Default)]
#[serde(deny_unknown_fields, default)]
pub(super) struct Office365 {
    pub(super) date: Option<DateOf>,
    pub(super) history_months: Option<u32>,
    pub(super) page_size: Option<u32>,
    pub(super) public_base_url: Option<Spanned<String>>,
    pub(super) users: Vec<Office365User>,
}

/// Which end of its period a row's `Date` is.
#[derive(Deserialize, Clone, Copy, PartialEq)]
#[serde(rename_all = "lowercase")]
pub(super) enum DateOf {
    Start,
    End,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Office365User {
    pub(super) name: Spanned<String>,
    pub(super) role: Spanned<String>,
    pub(super) password_hash: Option<Spanned<String>>,
    pub(super) password: Option<Spanned<String>>,
}

/// Absent keys keep the dialect's defaults.
#[derive(Deserialize, Default)]
#[serde(deny_unknown_fields, default)]
pub(super) struct Volcengine {
    pub(super) show_unknown: Option<bool>,
    pub(super) max_age_days: Option<u32>,
    pub(super) max_span_days: Option<u32>,
    pub(super) requests_per_second: Option<u32>,
    pub(super) clock_skew_seconds: Option<u32>,
    pub(super) access_keys: Vec<VolcengineAccessKey>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct VolcengineAccessKey {
    pub(super) id: Spanned<String>,
    pub(super) secret: Spanned<String>,
}

/// Absent keys keep the dialect's defaults.
#[derive(Deserialize, Default)]
#[serde(deny_unknown_fields, default)]
pub(super) struct Yunxiao {
    pub(super) organization_id: Option<Spanned<String>>,
    pub(super) include_subdepartments: Option<bool>,
    pub(super) requests_per_minute: Option<u32>,
    pub(super) tokens: Vec<YunxiaoToken>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct YunxiaoToken {
    pub(super) name: Spanned<String>,
    pub(super) hash: Option<Spanned<String>>,
    pub(super) secret: Option<Spanned<String>>,
    pub(super) scopes: Spanned<Vec<String>>,
    /// A string, or a date or an instant of TOML's own.
    pub(super) expires: Option<Spanned<toml::Value>>,
}

impl File {
    pub(super) fn parse(text: &str) -> Result<Self, Problem> {
        toml::from_str(text).map_err(|error| {
            let place = error.span();
            Problem {
                line: place.clone().map(|place| line_of(text, &place)),
                key: place.map(|place| key_of(text, &place)).unwrap_or_default(),
                message: error.message().trim().replace('\n', ", "),
            }
        })
    }
}

/// The line of a place in the text, from 1.
pub(super) fn line_of(text: &str, place: &Range<usize>) -> usize {
    text.bytes().take(place.start).filter(|byte| *byte == b'\n').count() + 1
}

/// The key on the line of a place, or the header of its table.
fn key_of(text: &str, place: &Range<usize>) -> String {
    let line = text.lines().nth(line_of(text, place) - 1).unwrap_or_default().trim();
    let key = line.split_once('=').map_or(line, |(key, _)| key);
    key.trim_matches(['[', ']', ' ']).to_owned()
}
