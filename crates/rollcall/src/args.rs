//! The command line: definitions only. What each command does is in [`crate::commands`].

use clap::{Args as Flags, Parser, Subcommand, ValueEnum, ValueHint};
use std::net::SocketAddr;
use std::path::PathBuf;

/// What the exit code says.
const EXIT_CODES: &str = "Exit codes: 0 done, 1 failed, 2 wrong usage, 3 imported but for facts with errors (--on-error skip), 4 stored data is damaged, 130 ended by Ctrl-C";

/// Exact usage reports from facts you own, over the APIs people already use.
#[derive(Debug, Parser)]
#[command(name = "rollcall", version, max_term_width = 110, after_help = EXIT_CODES)]
pub struct Args {
    /// What to log on standard error: error, warn, info, debug, trace, or a list such as `info,rollcall=debug`
    #[arg(long, global = true, display_order = 999, env = "ROLLCALL_LOG", value_name = "LEVEL", default_value = "info")]
    pub log: String,
    /// What to do
    #[command(subcommand)]
    pub command: Command,
}

/// The commands.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Run the server
    Serve(Serve),
    /// Make a small organization with a year of believable facts, and serve it
    Demo(Demo),
    /// Send files of facts to a server, or into a data directory
    ///
    /// Safe to repeat: a fact that is already stored is counted as a duplicate. Format and compression follow from the name:
    /// .ndjson .jsonl .json .csv .parquet .arrow, each also with .gz or .zst. Stopped by Ctrl-C or a server that stays away, it says how to
    /// go on. Exit codes: 0 every fact is stored, 1 failed, 3 facts with errors were skipped (--on-error skip), 130 ended by Ctrl-C.
    Import(Import),
    /// Write out every fact of a range, from a server or a data directory, in a format that can be imported again
    Export(Export),
    /// Ask for a report
    Report(Box<Report>),
    /// Hold the cells of a data directory against its facts
    ///
    /// Every data file of the lake is held against its checksum. Every stored base cell is made again from the facts, every kept merged cell
    /// from base cells, and compared. Damaged files and differences are printed; the exit code is 4 if facts are damaged, else 1 if there is
    /// a difference. A server that has the directory open does it, and goes on serving; stopping this command does
    /// not stop it then.
    Verify(Prove),
    /// Make the cells of a data directory that are not what its facts say anew
    ///
    /// Base cells are replaced, kept merged cells are dropped and made again when they are asked for. May be stopped at any point and
    /// begun again. What was wrong is printed as `verify` prints it; the exit code is 1 if something could not be mended, and 4 if nothing was
    /// rebuilt because facts of the days are damaged. A server that has
    /// the directory open does it, as with `verify`; meanwhile it stores no checkpoints, and after many facts ingest waits.
    Rebuild(Prove),
    /// Back up a data directory and its lake to another directory or an S3-compatible bucket
    ///
    /// One consistent state, with every fact acknowledged before. A server that has the directory open does it, and goes on serving. Again to
    /// the same place: data files that are there are not copied again, and the backup that is there stays valid until the new one is whole.
    /// The lake's tables in a backup are Delta tables. rollcall.toml is not in it.
    ///
    /// The key that signs tokens is in it: in a directory as it is, for its owner alone, or sealed with a key of yours (--key-file, or
    /// `[backup]` key of --config); in a bucket sealed only. With --without-signing-key it is left out.
    Backup(Backup),
    /// Make a new data directory of a backup, or give one back the files that are damaged
    ///
    /// Every file is checked against its checksum, and what was restored is durable at the end. The lake goes to where `[lake]` url of
    /// --config says, which must not be where that of the data directory lies that was backed up; else to `lake` in the new directory.
    ///
    /// With --only-damaged, the data directory is the one that was backed up, and no server has it open: data files of its lake that are
    /// damaged or missing are put back as the backup has them. Nothing else changes, so facts that came after the backup stay.
    Restore(Restore),
    /// Put the facts that wait in the ledger into the lake
    ///
    /// A server does it by itself; this is for who reads the lake and wants every fact acknowledged before, also after a server has stopped:
    /// it stops at once, and leaves them to the ledger, which the reports read too.
    Flush(Flush),
    /// Join small files of the lake to large ones
    ///
    /// A server does it by itself; this is for who does not want to wait until a month has not changed for a day. No fact changes.
    Compact(Compact),
    /// Delete files of the lake that its tables have not needed for `lake.vacuum_days`
    ///
    /// A server does it by itself every hour.
    Vacuum(Vacuum),
    /// Erase a person, and prove it
    ///
    /// Every fact of the user goes from the lake, the ledger and the cells, with its id; the user goes from the directory, and its name from the
    /// ledger. Then everything is read back: the exit code is 1 if something is left. A server that has the directory open does it, and goes
    /// on serving. Interrupted, it is finished when the directory is opened the next time. Backups and exports made before are not touched.
    Forget(Forget),
    /// Erase what is older than the organizations' retention_days
    ///
    /// A server does it by itself once a day. Look at it first with --dry-run: what the configuration says counts, also before the server has
    /// read it.
    Retain(Retain),
    /// List which requests stored facts, the newest first
    ///
    /// Each receipt has a number, which its facts carry for ever: `withdraw --receipt` takes them back.
    Receipts(Receipts),
    /// Take back facts that were stored by mistake, and prove it
    ///
    /// Facts of which all holds that is said go from the lake, the ledger and the cells, with their ids: they may come again, with other
    /// content too. Look first with --dry-run. A server that has the directory open does it, and goes on serving. Interrupted, it is finished when
    /// the directory is opened the next time. Names of users stay (see `forget`), and so do backups and exports made before.
    Withdraw(Withdraw),
    /// Check the configuration, or print an example of one
    Config(Config),
    /// Make keys, and hashes of passwords
    Key(Key),
    /// Print a script that completes commands and flags in your shell
    Completions(Completions),
}

/// Where the configuration is.
#[derive(Debug, Clone, Flags)]
pub struct ConfigFile {
    /// The configuration file
    #[arg(long, env = "ROLLCALL_CONFIG", value_name = "FILE", default_value = crate::config::DEFAULT_FILE, value_hint = ValueHint::FilePath)]
    pub config: PathBuf,
}

/// A configuration, and what stands in for its values.
#[derive(Debug, Clone, Flags)]
pub struct Configured {
    #[command(flatten)]
    pub file: ConfigFile,
    /// Where to listen, in place of the configuration's `listen`; port 0 takes a free one
    #[arg(long, env = "ROLLCALL_LISTEN", value_name = "ADDRESS:PORT")]
    pub listen: Option<SocketAddr>,
    /// The data directory, in place of the configuration's `data`
    #[arg(long, env = "ROLLCALL_DATA", value_name = "DIR", value_hint = ValueHint::DirPath)]
    pub data: Option<PathBuf>,
}

/// `serve`.
#[derive(Debug, Flags)]
pub struct Serve {
    #[command(flatten)]
    pub configured: Configured,
    /// Write the address of the listening server to this file, as a URL
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath)]
    pub address_file: Option<PathBuf>,
}

/// `demo`.
#[derive(Debug, Flags)]
pub struct Demo {
    /// Where to listen; port 0 takes a free one
    #[arg(long, env = "ROLLCALL_LISTEN", value_name = "ADDRESS:PORT", default_value = "127.0.0.1:7070")]
    pub listen: SocketAddr,
    /// Where to keep the demo: a directory of its own [default: rollcall/demo in $XDG_STATE_HOME, or in ~/.local/state]
    #[arg(long, value_name = "DIR", value_hint = ValueHint::DirPath)]
    pub data: Option<PathBuf>,
    /// How many attendance facts
    #[arg(long, value_name = "N", default_value_t = 200_000)]
    pub facts: u64,
    /// How many assistance facts
    #[arg(long, value_name = "N", default_value_t = 50_000)]
    pub assistance: u64,
    /// How many users
    #[arg(long, value_name = "N", default_value_t = 1_000, value_parser = clap::value_parser!(u32).range(1..))]
    pub users: u32,
    /// How many days, the last of them today
    #[arg(long, value_name = "N", default_value_t = 365, value_parser = clap::value_parser!(u32).range(1..=3660))]
    pub days: u32,
    /// Write the attendance facts to this file as NDJSON (`-`: standard output), and serve nothing
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath)]
    pub write: Option<PathBuf>,
    /// Write the assistance facts, each with its department, to this file as NDJSON (`-`: standard output), and serve nothing
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath)]
    pub write_assistance: Option<PathBuf>,
    /// Write the directory to this file as JSON (`-`: standard output), and serve nothing
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath)]
    pub write_directory: Option<PathBuf>,
}

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
    /// And before this: a day ends it at the day's start
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

/// `export`.
#[derive(Debug, Flags)]
pub struct Export {
    /// What the facts are
    #[arg(long, value_name = "KIND", value_enum, default_value_t = Fact::Attendance)]
    pub fact: Fact,
    /// Where the range begins: a day of the organization's zone such as 2025-03-01, an instant such as 2025-03-01T08:00:00Z, or Unix
    /// milliseconds [default: the first fact]
    #[arg(long, value_name = "TIME")]
    pub from: Option<String>,
    /// Where the range ends, itself not included: a day ends it at the day's start [default: the last fact]
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

/// A data directory on this machine, and an organization in it.
#[derive(Debug, Clone, Flags)]
pub struct Local {
    /// The data directory to work in directly; no server may be running on it
    #[arg(long, value_name = "DIR", requires = "organization", value_hint = ValueHint::DirPath)]
    pub data: Option<PathBuf>,
    /// The organization's id, as in the configuration
    #[arg(long, value_name = "ID")]
    pub organization: Option<uuid::Uuid>,
    #[command(flatten)]
    pub file: ConfigFile,
}

/// `report`.
#[derive(Debug, Flags)]
pub struct Report {
    /// The report: meeting-days, top-users, active-users, users-by-place, department-days or developer-days
    #[arg(value_name = "REPORT", value_parser = crate::reports::find)]
    pub report: &'static dyn crate::reports::Report,
    /// Where the range begins: a day such as 2025-03-01, an instant such as 2025-03-01T08:00:00Z, or Unix milliseconds
    #[arg(long, value_name = "TIME")]
    pub from: String,
    /// Where the range ends, itself not included: a day ends it at the day's start
    #[arg(long, value_name = "TIME")]
    pub to: String,
    /// The IANA time zone of the days [default: that of the organization]
    #[arg(long, value_name = "ZONE")]
    pub zone: Option<String>,
    /// Only this app
    #[arg(long, value_name = "APP")]
    pub app: Option<String>,
    /// Only this data residency, 0 to 3
    #[arg(long, value_name = "UNIT")]
    pub unit: Option<String>,
    /// top-users: by `meetings` or `duration` [default: meetings]
    #[arg(long, value_name = "MEASURE")]
    pub order: Option<String>,
    /// top-users: how many rows at most [default: 10]
    #[arg(long, value_name = "N")]
    pub limit: Option<String>,
    /// What a row is. active-users: `day`, `week`, `month`, `year`, `whole`, or `rolling-7` for seven days [default: day];
    /// users-by-place: `country` or `subdivision` [default: country]; department-days and developer-days: `day`, or `whole` for the range
    /// as one [default: day]
    #[arg(long, value_name = "WHAT")]
    pub by: Option<String>,
    /// active-users: the first day of a week [default: sunday]
    #[arg(long, value_name = "DAY")]
    pub week_start: Option<String>,
    /// active-users: only these kinds of user, joined by commas
    #[arg(long, value_name = "KINDS")]
    pub user_kind: Option<String>,
    /// active-users: only on these devices, joined by commas; `computer` is desktop and web
    #[arg(long, value_name = "DEVICES")]
    pub device: Option<String>,
    /// active-users: only in these kinds of session, joined by commas
    #[arg(long, value_name = "KINDS")]
    pub session_kind: Option<String>,
    /// users-by-place: only places of this country, such as CN
    #[arg(long, value_name = "CODE")]
    pub country: Option<String>,
    /// department-days: only this department; developer-days: only who belongs to it, or used the assistant for it
    #[arg(long, value_name = "ID")]
    pub department: Option<String>,
    /// developer-days: only this user
    #[arg(long, value_name = "ID")]
    pub user: Option<String>,
    /// department-days and developer-days: whether a department covers those below it, `true` or `false` [default: true]
    #[arg(long, value_name = "WHETHER")]
    pub subtree: Option<String>,
    /// department-days and developer-days: a row for each part of the use: `chatting` (by chat type and IDE), `coding` (by language) or
    /// `completion` (by language and IDE)
    #[arg(long, value_name = "PARTS")]
    pub breakdown: Option<String>,
    /// How to print the rows
    #[arg(long, value_name = "FORMAT", value_enum, default_value_t = RowFormat::Table)]
    pub format: RowFormat,
    /// The server to ask, such as http://127.0.0.1:7070
    #[arg(long, value_name = "URL", conflicts_with = "data", required_unless_present = "data", value_hint = ValueHint::Url)]
    pub to_url: Option<String>,
    /// The ingest key of the organization
    #[arg(long, env = "ROLLCALL_KEY", hide_env_values = true, value_name = "KEY")]
    pub key: Option<String>,
    #[command(flatten)]
    pub local: Local,
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
    /// The day after the last, of UTC [default: that after the last there is]
    #[arg(long, value_name = "DAY", requires = "from")]
    pub to: Option<jiff::civil::Date>,
    #[command(flatten)]
    pub store: Store,
    /// How to print what was found
    #[arg(long, value_name = "FORMAT", value_enum, default_value_t = ReceiptFormat::Table)]
    pub format: ReceiptFormat,
}

/// What a command on a data directory reads of a configuration: the settings of storage, and the organizations.
#[derive(Debug, Flags)]
pub struct Store {
    /// The configuration file, of which `[storage]` and `[lake]` count; without one, options of an S3-compatible store come from the
    /// environment (AWS_…)
    #[arg(long, env = "ROLLCALL_CONFIG", value_name = "FILE", value_hint = ValueHint::FilePath)]
    pub config: Option<PathBuf>,
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

/// `config`.
#[derive(Debug, Flags)]
pub struct Config {
    /// What to do
    #[command(subcommand)]
    pub command: ConfigCommand,
}

/// What `config` can do.
#[derive(Debug, Subcommand)]
pub enum ConfigCommand {
    /// Say what is wrong with the configuration, or what it amounts to
    Check(Configured),
    /// Print a commented configuration
    Example,
}

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

/// `completions`.
#[derive(Debug, Flags)]
pub struct Completions {
    /// The shell
    pub shell: clap_complete::Shell,
}

/// What facts are about.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Fact {
    /// Users in meetings, calls and rooms
    Attendance,
    /// Use of a coding assistant
    Assistance,
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

/// How a receipt, or what was found, is printed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum ReceiptFormat {
    /// For people
    Table,
    /// One JSON object
    Json,
}

/// How rows are printed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum RowFormat {
    /// For people
    Table,
    /// What the native API answers
    Json,
    /// With a header line
    Csv,
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::CommandFactory;

    #[test]
    fn verify() {
        Args::command().debug_assert();
    }
}
