//! What looks after a data directory.

use super::{ReceiptFormat, Store};
use clap::{Args as Flags, ValueHint};
use std::path::PathBuf;

/// `flush`.
#[derive(Debug, Flags)]
pub struct Flush {
    /// The data directory; one that a server has open is flushed by it
    #[arg(long, env = "ROLLCALL_DATA", value_name = "DIR", value_hint = ValueHint::DirPath)]
    pub data: PathBuf,
    #[command(flatten)]
    pub store: Store,
    /// How to print what was done
    #[arg(long, value_name = "FORMAT", value_enum, default_value_t = ReceiptFormat::Table)]
    pub format: ReceiptFormat,
}

/// `compact`.
#[derive(Debug, Flags)]
pub struct Compact {
    /// The data directory; one that a server has open is compacted by it
    #[arg(long, env = "ROLLCALL_DATA", value_name = "DIR", value_hint = ValueHint::DirPath)]
    pub data: PathBuf,
    #[command(flatten)]
    pub store: Store,
    /// How to print what was done
    #[arg(long, value_name = "FORMAT", value_enum, default_value_t = ReceiptFormat::Table)]
    pub format: ReceiptFormat,
}

/// `vacuum`.
#[derive(Debug, Flags)]
pub struct Vacuum {
    /// The data directory; one that a server has open is vacuumed by it
    #[arg(long, env = "ROLLCALL_DATA", value_name = "DIR", value_hint = ValueHint::DirPath)]
    pub data: PathBuf,
    #[command(flatten)]
    pub store: Store,
    /// Only say what would be deleted
    #[arg(long)]
    pub dry_run: bool,
    /// How to print what was done
    #[arg(long, value_name = "FORMAT", value_enum, default_value_t = ReceiptFormat::Table)]
    pub format: ReceiptFormat,
}

/// `verify` and `rebuild`.
#[derive(Debug, Flags)]
pub struct Prove {
    /// The data directory
    #[arg(long, env = "ROLLCALL_DATA", value_name = "DIR", value_hint = ValueHint::DirPath)]
    pub data: PathBuf,
    /// Only this organization
    #[arg(long, value_name = "ID")]
    pub organization: Option<uuid::Uuid>,
    /// The first day, of UTC [default: the first there is]
    #[arg(long, value_name = "DAY", requires = "to")]
    pub from: Option<jiff::civil::Date>,
    /// The last day, of UTC [default: the last there is]
    #[arg(long, value_name = "DAY", requires = "from")]
    pub to: Option<jiff::civil::Date>,
    #[command(flatten)]
    pub store: Store,
    /// How to print what was found
    #[arg(long, value_name = "FORMAT", value_enum, default_value_t = ReceiptFormat::Table)]
    pub format: ReceiptFormat,
}

/// `backup`.
#[derive(Debug, Flags)]
pub struct Backup {
    /// Where to: s3://bucket/prefix, or a directory; it is empty, or has an earlier backup of the same data directory
    #[arg(value_name = "TARGET")]
    pub target: String,
    /// The data directory
    #[arg(long, env = "ROLLCALL_DATA", value_name = "DIR", value_hint = ValueHint::DirPath)]
    pub data: PathBuf,
    #[command(flatten)]
    pub key: SigningKey,
    #[command(flatten)]
    pub store: Store,
    /// How to print what was backed up
    #[arg(long, value_name = "FORMAT", value_enum, default_value_t = ReceiptFormat::Table)]
    pub format: ReceiptFormat,
}

/// What becomes of the key that signs tokens.
#[derive(Debug, Flags)]
pub struct SigningKey {
    /// A file with the key that seals the signing key, at least 32 random characters [default: `[backup]` key of --config]
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath)]
    pub key_file: Option<PathBuf>,
    /// Leave the signing key out; the restored directory gets a new one, which ends every token given so far
    #[arg(long, conflicts_with = "key_file")]
    pub without_signing_key: bool,
}

/// `restore`.
#[derive(Debug, Flags)]
pub struct Restore {
    /// Where the backup is: s3://bucket/prefix, or a directory
    #[arg(value_name = "SOURCE")]
    pub source: String,
    /// The data directory: a new one, or with --only-damaged the one that was backed up
    #[arg(long, env = "ROLLCALL_DATA", value_name = "DIR", value_hint = ValueHint::DirPath)]
    pub data: PathBuf,
    /// Put back the data files that are damaged or missing, and change nothing else
    #[arg(long)]
    pub only_damaged: bool,
    /// Hold its cells against its facts at the end, as `verify` does
    #[arg(long)]
    pub verify: bool,
    #[command(flatten)]
    pub key: SigningKey,
    #[command(flatten)]
    pub store: Store,
    /// How to print what --verify found
    #[arg(long, value_name = "FORMAT", value_enum, default_value_t = ReceiptFormat::Table)]
    pub format: ReceiptFormat,
}
