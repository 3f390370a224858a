//! The command line: definitions only, a file for each group of commands. What each command does is in [`crate::commands`].

mod erase;
mod facts;
mod keys;
mod report;
mod serve;
mod storage;

pub use erase::{At, Forget, Receipts, Retain, Withdraw};
pub use facts::{Export, ExportFormat, FactFormat, Import, OnError, UserField};
pub use keys::{Audit, CreateKey, Key, KeyCommand, KeyFor, ListKeys, RevokeKey};
pub use report::{Report, RowFormat};
pub use serve::{Completions, Config, ConfigCommand, Demo, Serve};
pub use storage::{Backup, Compact, Flush, Prove, Restore, Vacuum};

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
    /// Make, list and revoke keys; make hashes of passwords
    Key(Key),
    /// List who did what: keys made, revoked and used for the first time, facts taken back, changes of the directory
    ///
    /// A server that has the directory open lists it.
    Audit(Audit),
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

/// What a command on a data directory reads of a configuration: the settings of storage, and the organizations.
#[derive(Debug, Flags)]
pub struct Store {
    /// The configuration file, of which `[storage]` and `[lake]` count; without one, options of an S3-compatible store come from the
    /// environment (AWS_…)
    #[arg(long, env = "ROLLCALL_CONFIG", value_name = "FILE", value_hint = ValueHint::FilePath)]
    pub config: Option<PathBuf>,
}

/// How a receipt, or what was found, is printed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum ReceiptFormat {
    /// For people
    Table,
    /// One JSON object
    Json,
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
