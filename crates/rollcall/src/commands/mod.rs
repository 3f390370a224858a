//! The commands, one file each.

mod audit;
mod backup;
mod completions;
mod config;
mod demo;
mod export;
mod forget;
mod housekeeping;
mod import;
mod key;
mod local;
mod operate;
mod rebuild;
mod remote;
mod report;
mod restore;
mod serve;
mod verify;
mod withdraw;

use crate::args::{Args, Command};
use crate::failure::{Failure, Result};
use std::time::Duration;
use tracing_subscriber::EnvFilter;

/// How long work that cannot be interrupted may keep a command that is otherwise done.
const LAST_WORK: Duration = Duration::from_secs(10);

/// The same, of a command that was ended by Ctrl-C: such as a read of a terminal.
const LAST_WORK_OF_INTERRUPTED: Duration = Duration::from_secs(1);

/// How long a server may take to accept a connection.
const CONNECT_TIME: Duration = Duration::from_secs(10);

/// Does what the command line asks for.
pub fn run(args: Args) -> Result {
    log(&args.log)?;
    match args.command {
        Command::Serve(flags) => serve::run(flags),
        Command::Demo(flags) => demo::run(flags),
        Command::Import(flags) => import::run(flags),
        Command::Export(flags) => export::run(flags),
        Command::Report(flags) => report::run(*flags),
        Command::Verify(flags) => verify::run(&flags),
        Command::Rebuild(flags) => rebuild::run(&flags),
        Command::Flush(flags) => housekeeping::flush(&flags),
        Command::Compact(flags) => housekeeping::compact(&flags),
        Command::Vacuum(flags) => housekeeping::vacuum(&flags),
        Command::Forget(flags) => forget::run(&flags),
        Command::Retain(flags) => forget::retain(&flags),
        Command::Receipts(flags) => withdraw::receipts(&flags),
        Command::Withdraw(flags) => withdraw::run(&flags),
        Command::Backup(flags) => backup::run(&flags),
        Command::Restore(flags) => restore::run(&flags),
        Command::Config(flags) => config::run(flags),
        Command::Key(flags) => key::run(flags),
        Command::Audit(flags) => audit::run(&flags),
        Command::Completions(flags) => completions::run(flags),
    }
}

/// Sends logs to standard error, without colour.
fn log(level: &str) -> Result {
    // The libraries below tell every step of theirs at `info`; who wants it says so.
    let level = format!("delta_kernel=warn,delta_kernel_default_engine=warn,object_store=warn,fjall=warn,lsm_tree=warn,{level}");
    let filter = EnvFilter::try_new(&level).map_err(|error| Failure::Usage(format!("--log {level}: {error}")))?;
    tracing_subscriber::fmt().with_env_filter(filter).with_writer(std::io::stderr).with_ansi(false).init();
    Ok(())
}

/// A client of a running server, whose answers are there within a time.
fn client(request_time: Duration) -> Result<reqwest::Client> {
    built(reqwest::Client::builder().timeout(request_time))
}

/// A client of a running server, whose answers take as long as they do, but never pause longer than this.
fn streaming_client(silence: Duration) -> Result<reqwest::Client> {
    built(reqwest::Client::builder().read_timeout(silence))
}

fn built(client: reqwest::ClientBuilder) -> Result<reqwest::Client> {
    // The client finds the cryptography of TLS here; a second installation changes nothing.
    let _ = rustls::crypto::ring::default_provider().install_default();
    let client = client.connect_timeout(CONNECT_TIME).build();
    client.map_err(|error| Failure::of("the HTTP client could not be made", causes(&error)))
}

/// An error with its causes, for people.
fn causes(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(next) = cause {
        text = format!("{text}: {next}");
        cause = next.source();
    }
    text
}

/// Runs a command that waits for the network.
fn wait<T>(work: impl Future<Output = Result<T>>) -> Result<T> {
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build();
    let runtime = runtime.map_err(|error| Failure::of("the runtime could not be started", error))?;
    let outcome = runtime.block_on(work);
    let interrupted = matches!(outcome, Err(Failure::Interrupted(_)));
    runtime.shutdown_timeout(if interrupted { LAST_WORK_OF_INTERRUPTED } else { LAST_WORK });
    outcome
}
