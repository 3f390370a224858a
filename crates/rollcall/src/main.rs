//! rollcall: exact usage reports from open facts, over the APIs people already use.
//!
//! # Layout
//! - [`args`]: the command line, definitions only
//! - [`commands`]: one file a command
//! - [`config`]: the file `rollcall.toml`
//! - [`believable`]: the facts of the demo
//! - [`operations`]: what an operator does to a data directory, with a server or without one
//! - [`cursor`]: where a list goes on
//! - [`descriptors`]: how many files and sockets the process may open, and who may have them
//! - [`server`]: HTTP: the connections, every route, and what the native ones do
//! - [`reports`]: the native form of every report: its parameters and columns, as JSON, CSV and table
//! - [`problem`]: errors of the native API as they travel
//! - [`random`]: random secrets
//! - [`sealed`]: the signing key in a backup
//! - [`output`], [`failure`]: what commands print, and how they fail

#![expect(unreachable_pub, reason = "nothing can reach into a program, so plain `pub` says as much as `pub(crate)`")]

mod args;
mod believable;
mod commands;
mod config;
mod cursor;
mod descriptors;
mod failure;
mod operations;
mod output;
mod problem;
mod random;
mod reports;
mod sealed;
mod server;

use clap::Parser;
use rustix::fs::Mode;
use std::process::ExitCode;

fn main() -> ExitCode {
    // Whatever this process makes is for its user alone, also what libraries make: data directories, backups, exports.
    rustix::process::umask(Mode::RWXG | Mode::RWXO);
    rollcall_engine::threads::end_process_when_storage_panics();
    if fail::has_failpoints() {
        // For as long as the process lives.
        std::mem::forget(fail::FailScenario::setup());
    }
    let args = args::Args::parse();
    descriptors::raise();
    match commands::run(args) {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => failure.report(),
    }
}
