//! What sets a server up and runs it.

use super::Configured;
use clap::{Args as Flags, Subcommand, ValueHint};
use std::net::SocketAddr;
use std::path::PathBuf;

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

/// `completions`.
#[derive(Debug, Flags)]
pub struct Completions {
    /// The shell
    pub shell: clap_complete::Shell,
}
