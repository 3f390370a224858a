//! What takes facts away.

use super::facts::Fact;
use super::{ConfigFile, ReceiptFormat};
use clap::{Args as Flags, ValueHint};
use std::path::PathBuf;

/// `forget`.
#[derive(Debug, Flags)]
pub struct Forget {
    /// The user, by the id that facts carry as user_id
    #[arg(long, value_name = "ID")]
    pub user: String,
    /// The organization's id
    #[arg(long, value_name = "ID")]
    pub organization: uuid::Uuid,
    /// The data directory; where a server has it open, the server does it
    #[arg(long, env = "ROLLCALL_DATA", value_name = "DIR", value_hint = ValueHint::DirPath)]
    pub data: PathBuf,
    /// The configuration, whose `[storage]` and `[lake]` hold where no server runs [default: none]
    #[arg(long, env = "ROLLCALL_CONFIG", value_name = "FILE", value_hint = ValueHint::FilePath)]
    pub config: Option<PathBuf>,
    /// Only say what would be erased
    #[arg(long)]
    pub dry_run: bool,
    /// Erase it: there is no way back
    #[arg(long, conflicts_with = "dry_run")]
    pub yes: bool,
    /// How to print what was erased
    #[arg(long, value_name = "FORMAT", value_enum, default_value_t = ReceiptFormat::Table)]
    pub format: ReceiptFormat,
}

/// An organization in a data directory that a server may have open.
#[derive(Debug, Flags)]
pub struct At {
    /// The organization's id
    #[arg(long, value_name = "ID")]
    pub organization: uuid::Uuid,
    /// The data directory; where a server has it open, the server does it
    #[arg(long, env = "ROLLCALL_DATA", value_name = "DIR", value_hint = ValueHint::DirPath)]
    pub data: PathBuf,
    /// The configuration, whose `[storage]` and `[lake]` hold where no server runs [default: none]
    #[arg(long, env = "ROLLCALL_CONFIG", value_name = "FILE", value_hint = ValueHint::FilePath)]
    pub config: Option<PathBuf>,
}

/// `receipts`.
#[derive(Debug, Flags)]
pub struct Receipts {
    #[command(flatten)]
    pub at: At,
    /// How many
    #[arg(long, value_name = "N", default_value_t = 20)]
    pub limit: usize,
    /// Begin where a list before ended
    #[arg(long, value_name = "CURSOR")]
    pub cursor: Option<u64>,
    /// How to print them
    #[arg(long, value_name = "FORMAT", value_enum, default_value_t = ReceiptFormat::Table)]
    pub format: ReceiptFormat,
}

/// `withdraw`.
#[derive(Debug, Flags)]
pub struct Withdraw {
    #[command(flatten)]
    pub at: At,
    /// Facts that came with one of these receipts, joined by commas
    #[arg(long, value_name = "NUMBER", value_delimiter = ',')]
    pub receipt: Vec<u64>,
    /// Facts that came with this receipt or a later one
    #[arg(long, value_name = "NUMBER", requires = "to_receipt")]
    pub from_receipt: Option<u64>,
    /// And with this one or one before
    #[arg(long, value_name = "NUMBER", requires = "from_receipt")]
    pub to_receipt: Option<u64>,
    /// Attendances of this session, by its session_id
    #[arg(long, value_name = "ID")]
    pub session: Option<String>,
    /// Attendances of this app
    #[arg(long, value_name = "APP")]
    pub app: Option<String>,
    /// Facts whose ids are in this file, one a line, as they came or as an export has them; with --fact
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath)]
    pub ids: Option<PathBuf>,
    /// Only facts of this kind [default: both]
    #[arg(long, value_name = "KIND", value_enum)]
    pub fact: Option<Fact>,
    /// Facts whose session_started_at or at is not before this: a day, an instant such as 2025-03-01T08:00:00Z, or Unix milliseconds
    #[arg(long, value_name = "TIME")]
    pub from: Option<String>,
    /// And before this, or on this day at the latest
    #[arg(long, value_name = "TIME")]
    pub to: Option<String>,
    /// Only say what would be withdrawn
    #[arg(long)]
    pub dry_run: bool,
    /// Withdraw it
    #[arg(long, conflicts_with = "dry_run")]
    pub yes: bool,
    /// How to print what was withdrawn
    #[arg(long, value_name = "FORMAT", value_enum, default_value_t = ReceiptFormat::Table)]
    pub format: ReceiptFormat,
}

/// `retain`.
#[derive(Debug, Flags)]
pub struct Retain {
    /// The data directory; where a server has it open, the server does it
    #[arg(long, env = "ROLLCALL_DATA", value_name = "DIR", value_hint = ValueHint::DirPath)]
    pub data: PathBuf,
    #[command(flatten)]
    pub file: ConfigFile,
    /// Only say what would be erased
    #[arg(long)]
    pub dry_run: bool,
    /// How many facts go, as --dry-run says: needed where most of them would, or where the clock is long after the last facts
    #[arg(long, value_name = "FACTS", conflicts_with = "dry_run")]
    pub yes_erase: Option<u64>,
    /// How to print what was erased
    #[arg(long, value_name = "FORMAT", value_enum, default_value_t = ReceiptFormat::Table)]
    pub format: ReceiptFormat,
}
