//! Facts in and out.

use super::{Local, ReceiptFormat};
use clap::builder::PossibleValue;
use clap::{Args as Flags, ValueEnum, ValueHint};
use rollcall_engine::for_each_kind;
use rollcall_engine::kinds::Kind;
use rollcall_model::FactKind;
use std::path::PathBuf;

/// `import`.
#[derive(Debug, Flags)]
pub struct Import {
    /// The files; `-` is standard input
    #[arg(required = true, value_name = "FILE", value_hint = ValueHint::FilePath)]
    pub files: Vec<PathBuf>,
    /// The server to send to, such as http://127.0.0.1:7070
    #[arg(long, value_name = "URL", conflicts_with = "data", required_unless_present = "data", value_hint = ValueHint::Url)]
    pub to: Option<String>,
    /// The ingest key of the organization
    #[arg(long, env = "ROLLCALL_KEY", hide_env_values = true, value_name = "KEY")]
    pub key: Option<String>,
    #[command(flatten)]
    pub local: Local,
    /// What the facts are [default: attendance; assistance with --format copilot]
    #[arg(long, value_name = "KIND", value_enum)]
    pub fact: Option<Fact>,
    /// What to do when a fact has an error: refuse the request it is in and stop, or skip the fact and end with exit code 3
    #[arg(long, value_name = "WHAT", value_enum, default_value_t = OnError::Refuse)]
    pub on_error: OnError,
    /// How the facts are written, where the name of a file does not say so
    #[arg(long, value_name = "FORMAT", value_enum)]
    pub format: Option<FactFormat>,
    /// The IANA time zone of the clocks that times without an offset were read from; without it such times are refused
    #[arg(long, value_name = "ZONE")]
    pub time_zone: Option<String>,
    /// What the text of the files is in, where no byte order mark says so: utf-8, utf-16, utf-16be or gb18030 [default: utf-8]
    #[arg(long, value_name = "NAME")]
    pub encoding: Option<String>,
    /// Which field of a row is the user_id of its facts, with --format copilot [default: user_login]
    #[arg(long, value_name = "FIELD", value_enum)]
    pub user_field: Option<UserField>,
    /// Begin where an import of the same file stopped: with --resume, by Ctrl-C, or because the server stayed away; the place is kept beside
    /// it, in FILE.rollcall-import
    #[arg(long)]
    pub resume: bool,
    /// For how many seconds to try again while the server is out of reach; 0: not at all
    #[arg(long, value_name = "SECONDS", default_value_t = 120)]
    pub patience: u64,
    /// How many requests to keep on their way
    #[arg(long, value_name = "N", default_value_t = 4, value_parser = clap::value_parser!(u16).range(1..=64))]
    pub in_flight: u16,
    /// About how many bytes of NDJSON or CSV to send in one request
    #[arg(long, value_name = "N", default_value_t = 4 << 20, value_parser = clap::value_parser!(u32).range(1 << 10..=256 << 20))]
    pub body_bytes: u32,
    /// How to print the total receipt
    #[arg(long, value_name = "FORMAT", value_enum, default_value_t = ReceiptFormat::Table)]
    pub receipt: ReceiptFormat,
}

/// `export`.
#[derive(Debug, Flags)]
pub struct Export {
    /// What the facts are
    #[arg(long, value_name = "KIND", value_enum, default_value_t = Fact(FactKind::Attendance))]
    pub fact: Fact,
    /// Where the range begins: a day of the organization's zone such as 2025-03-01, an instant such as 2025-03-01T08:00:00Z, or Unix
    /// milliseconds [default: the first fact]
    #[arg(long, value_name = "TIME")]
    pub from: Option<String>,
    /// The last day, or the instant at which the range ends, itself not included [default: the last fact]
    #[arg(long, value_name = "TIME")]
    pub to: Option<String>,
    /// How to write the facts [default: as the ending of the file says: .ndjson, .jsonl, .csv, .parquet; ndjson without one]
    #[arg(long, value_name = "FORMAT", value_enum)]
    pub format: Option<ExportFormat>,
    /// Where to write them; the file is there only once it is whole [default: standard output]
    #[arg(long, short, value_name = "FILE", value_hint = ValueHint::FilePath)]
    pub output: Option<PathBuf>,
    /// The server to ask, such as http://127.0.0.1:7070
    #[arg(long, value_name = "URL", conflicts_with = "data", required_unless_present = "data", value_hint = ValueHint::Url)]
    pub to_url: Option<String>,
    /// The ingest key of the organization
    #[arg(long, env = "ROLLCALL_KEY", hide_env_values = true, value_name = "KEY")]
    pub key: Option<String>,
    #[command(flatten)]
    pub local: Local,
}

/// What facts are about.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Fact(pub FactKind);

impl ValueEnum for Fact {
    fn value_variants<'a>() -> &'a [Self] {
        const { &for_each_kind!(K => Fact(K::KIND)) }
    }

    fn to_possible_value(&self) -> Option<PossibleValue> {
        let help = match self.0 {
            FactKind::Attendance => "Users in meetings, calls and rooms",
            FactKind::Assistance => "Use of a coding assistant",
        };
        Some(PossibleValue::new(self.0.name()).help(help))
    }
}

/// What to do with a fact that has an error.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum OnError {
    /// Refuse the request it is in, and stop
    Refuse,
    /// Store the others
    Skip,
}

/// How facts are written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum FactFormat {
    /// One JSON object a line
    Ndjson,
    /// One JSON array
    Json,
    /// Comma-separated values with a header line
    Csv,
    /// Apache Parquet
    Parquet,
    /// Apache Arrow IPC, stream or file
    Arrow,
    /// Rows of GitHub Copilot's usage metrics (users-1-day, users-28-day): NDJSON or a JSON array, made into assistance facts
    Copilot,
}

/// How exported facts are written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum ExportFormat {
    /// One JSON object a line
    Ndjson,
    /// Comma-separated values with a header line
    Csv,
    /// Apache Parquet, compressed with zstd
    Parquet,
}

/// What stands for a user in rows of GitHub Copilot's usage metrics.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum UserField {
    /// The name, such as octocat
    #[value(name = "user_login")]
    UserLogin,
    /// The number, which outlives a change of name
    #[value(name = "user_id")]
    UserId,
}
