//! `completions`: a script for the shell.

use crate::args::{Args, Completions};
use crate::failure::Result;
use crate::output;
use clap::CommandFactory;

pub fn run(flags: Completions) -> Result {
    let mut script = Vec::new();
    clap_complete::generate(flags.shell, &mut Args::command(), "rollcall", &mut script);
    output::data(&script)
}
