//! `key` and `audit`.

use super::{At, ReceiptFormat};
use clap::{Args as Flags, Subcommand, ValueEnum};
use rollcall_engine::access::Scope;

/// `key`.
#[derive(Debug, Flags)]
pub struct Key {
    /// What to do
    #[command(subcommand)]
    pub command: KeyCommand,
}

/// What `key` can do.
#[derive(Debug, Subcommand)]
pub enum KeyCommand {
    /// Print a random 256-bit secret, and its hash as it stands in the configuration
    New {
        /// What to call the key
        #[arg(long, value_name = "NAME", default_value = "unnamed")]
        name: String,
        /// Which API it opens
        #[arg(long = "for", value_name = "API", value_enum, default_value_t = KeyFor::Native)]
        of: KeyFor,
    },
    /// Make a key of the native API in a data directory, and print its secret
    ///
    /// It holds at once, also where a server has the directory open, and is in backups. Only the hash of its secret is stored, so it is shown this once.
    Create(CreateKey),
    /// List the keys of an organization that were made with `key create` or by the native API
    List(ListKeys),
    /// Revoke a key: from now on nobody knows it
    Revoke(RevokeKey),
    /// Read a password from standard input, and print its hash as it stands in the configuration
    ///
    /// For the accounts of the Office 365 reports: `password_hash` under [[organizations.office365.users]]. The password is one
    /// line of at least 12 characters; the hash is argon2id with a fresh salt, so that the same password has another hash each time.
    Hash,
}

/// Which API a key opens.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum KeyFor {
    /// The native API: facts in, reports out
    Native,
    /// Yunxiao's reports: a personal access token
    Yunxiao,
}

/// `key create`.
#[derive(Debug, Flags)]
pub struct CreateKey {
    #[command(flatten)]
    pub at: At,
    /// What to call the key
    #[arg(long, value_name = "NAME")]
    pub name: String,
    /// What it may do, joined by commas
    #[arg(long, value_name = "SCOPE", value_enum, value_delimiter = ',', required = true)]
    pub scope: Vec<KeyScope>,
    /// The department to which it is limited, with all below it [default: the whole organization]
    #[arg(long, value_name = "ID")]
    pub department: Option<String>,
    /// From when on it is of no use: a day of the organization's time zone, or an instant [default: it does not end]
    #[arg(long, value_name = "TIME")]
    pub expires: Option<String>,
}

/// `key list`.
#[derive(Debug, Flags)]
pub struct ListKeys {
    #[command(flatten)]
    pub at: At,
    /// How to print them
    #[arg(long, value_name = "FORMAT", value_enum, default_value_t = ReceiptFormat::Table)]
    pub format: ReceiptFormat,
}

/// `key revoke`.
#[derive(Debug, Flags)]
pub struct RevokeKey {
    #[command(flatten)]
    pub at: At,
    /// The number of the key, as `key list` has it
    #[arg(long, value_name = "NUMBER")]
    pub key: u64,
}

/// `audit`.
#[derive(Debug, Flags)]
pub struct Audit {
    #[command(flatten)]
    pub at: At,
    /// How many lines
    #[arg(long, value_name = "N", default_value_t = 20)]
    pub limit: usize,
    /// Those with a smaller number: where a list before ended
    #[arg(long, value_name = "NUMBER")]
    pub before: Option<u64>,
    /// How to print them
    #[arg(long, value_name = "FORMAT", value_enum, default_value_t = ReceiptFormat::Table)]
    pub format: ReceiptFormat,
}

/// What a key may do.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum KeyScope {
    /// Send facts and the directory
    Ingest,
    /// Ask reports that count
    Read,
    /// See who people are, as well
    #[value(name = "read:people")]
    ReadPeople,
    /// Make and revoke keys, and read the audit log
    Admin,
}

impl From<KeyScope> for Scope {
    fn from(scope: KeyScope) -> Self {
        match scope {
            KeyScope::Ingest => Self::Ingest,
            KeyScope::Read => Self::Read,
            KeyScope::ReadPeople => Self::ReadPeople,
            KeyScope::Admin => Self::Admin,
        }
    }
}
