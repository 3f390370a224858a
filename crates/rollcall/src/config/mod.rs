//! `rollcall.toml`: where the server listens and stores, its limits, and its organizations with their credentials.
//!
//! # Layout
//! - [`mod@file`]: the file as it is written, key by key
//! - [`check`]: from the file to a [`Config`], with every problem found on the way
//! - [`mod@lake`]: where the lake lies
//! - [`secrets`]: secrets, which stand in the file as hashes or references only
//! - [`limits`]: what one request, and all together, may take

mod check;
mod file;
mod lake;
mod limits;
mod secrets;

pub use limits::Limits;
pub use secrets::SHORTEST_PASSWORD;

use crate::operations::erase::Retention;
use crate::sealed::BackupKey;
use ipnet::IpNet;
use rollcall_dialects::Secret;
use rollcall_dialects::Tenant;
use rollcall_dialects::sign_in::SignInLimits;
use rollcall_engine::Settings;
use rollcall_model::OrgId;
use std::fmt;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};

/// The file that is read where none is named.
pub const DEFAULT_FILE: &str = "rollcall.toml";

/// A commented configuration, for `rollcall config example`.
pub const EXAMPLE: &str = include_str!("example.toml");

/// A checked configuration: everything in it can be used as it stands.
#[derive(Debug, Clone)]
pub struct Config {
    /// Where the server listens.
    pub listen: SocketAddr,
    /// The data directory.
    pub data: PathBuf,
    /// Whether credentials may travel in plain text beyond loopback.
    pub allow_plaintext_auth: bool,
    /// Whether lines of failed sign-ins have the client's address.
    pub log_client_addresses: bool,
    /// The proxies that are believed when they say for whom they ask.
    pub trusted_proxies: Vec<IpNet>,
    /// The origins whose pages may use the native API from a browser.
    pub origins: Vec<String>,
    /// The certificate and key of a TLS listener.
    pub tls: Option<TlsFiles>,
    /// The place databases; the first that knows an address says where it is.
    pub places: Vec<PathBuf>,
    /// What requests may take.
    pub limits: Limits,
    /// How many sign-ins may fail.
    pub sign_in: SignInLimits,
    /// Settings of the engine.
    pub storage: Settings,
    /// The key that seals the signing key in backups.
    pub backup_key: Option<BackupKey>,
    /// The organizations, each with its credentials.
    pub organizations: Vec<OrganizationConfig>,
}

/// An organization, and who may speak for it.
#[derive(Debug, Clone)]
pub struct OrganizationConfig {
    /// What the dialects know of it.
    pub tenant: Tenant,
    /// The keys of the native API.
    pub ingest_keys: Vec<IngestKey>,
    /// For how many days facts are kept; 0: for ever.
    pub retention_days: u32,
    /// Whether ingest keys may withdraw facts.
    pub allow_withdraw: bool,
}

/// A key of the native API.
#[derive(Debug, Clone)]
pub struct IngestKey {
    /// What people call it.
    pub name: String,
    /// Its secret.
    pub secret: Secret,
}

/// Where the certificate chain and the private key are, both PEM.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TlsFiles {
    /// The certificate chain, the server's own first.
    pub certificate: PathBuf,
    /// The private key.
    pub key: PathBuf,
}

/// What flags and the environment put in place of the file's values.
#[derive(Debug, Clone, Default)]
pub struct Overrides {
    /// In place of `listen`.
    pub listen: Option<SocketAddr>,
    /// In place of `data`.
    pub data: Option<PathBuf>,
}

/// Everything wrong with a configuration.
#[derive(Debug)]
pub struct ConfigError {
    file: PathBuf,
    problems: Vec<Problem>,
}

/// One thing wrong with a configuration.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Problem {
    line: Option<usize>,
    key: String,
    message: String,
}

impl fmt::Display for ConfigError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (position, problem) in self.problems.iter().enumerate() {
            if position > 0 {
                f.write_str("\n")?;
            }
            write!(f, "{}:", self.file.display())?;
            if let Some(line) = problem.line {
                write!(f, "{line}:")?;
            }
            if !problem.key.is_empty() {
                write!(f, " {}:", problem.key)?;
            }
            write!(f, " {}", problem.message)?;
        }
        Ok(())
    }
}

impl std::error::Error for ConfigError {}

impl Config {
    /// Reads and checks a file.
    ///
    /// # Errors
    /// Everything wrong with it, each with its line and key.
    pub fn load(path: &Path, overrides: &Overrides) -> Result<Self, ConfigError> {
        let text = std::fs::read_to_string(path).map_err(|error| {
            let hint = if error.kind() == std::io::ErrorKind::NotFound {
                "; write one with `rollcall config example`, or name another with --config"
            } else {
                ""
            };
            let message = format!("cannot be read: {error}{hint}");
            ConfigError { file: path.into(), problems: vec![Problem { line: None, key: String::new(), message }] }
        })?;
        Self::parse(&text, path, overrides)
    }

    /// Checks the text of a file; relative paths in it begin at the folder of `path`.
    ///
    /// # Errors
    /// Everything wrong with it, each with its line and key.
    pub fn parse(text: &str, path: &Path, overrides: &Overrides) -> Result<Self, ConfigError> {
        let folder = path.parent().unwrap_or(Path::new(""));
        file::File::parse(text)
            .map_err(|problem| vec![problem])
            .and_then(|file| check::check(file, text, folder, overrides))
            .map_err(|problems| ConfigError { file: path.into(), problems })
    }

    /// The organization of an id.
    pub fn organization(&self, id: OrgId) -> Option<&OrganizationConfig> {
        self.organizations.iter().find(|organization| organization.tenant.organization.id == id)
    }

    /// How long organizations keep their facts, of those that do not keep them for ever.
    pub fn retentions(&self) -> Vec<Retention> {
        let of = |organization: &OrganizationConfig| Retention {
            organization: organization.tenant.organization.id,
            days: organization.retention_days,
        };
        self.organizations.iter().map(of).filter(|retention| retention.days > 0).collect()
    }

    /// Whether there is one organization only, which shares with nobody.
    pub const fn is_for_one(&self) -> bool {
        self.organizations.len() == 1
    }

    /// What the dialects know of every organization.
    pub fn tenants(&self) -> Vec<Tenant> {
        self.organizations.iter().map(|organization| organization.tenant.clone()).collect()
    }

    /// Refuses to send credentials in plain text beyond this machine.
    ///
    /// # Errors
    /// What to set instead.
    pub fn check_plaintext(&self) -> Result<(), String> {
        if self.tls.is_some() || self.allow_plaintext_auth || self.listen.ip().is_loopback() {
            return Ok(());
        }
        Err(format!(
            "listen {} would send credentials in plain text beyond this machine; set [tls] certificate and key, listen on 127.0.0.1, \
             or set allow_plaintext_auth = true if a proxy in front of it speaks TLS",
            self.listen
        ))
    }
}

#[cfg(test)]
mod tests;
