//! `restore`: a backup becomes a data directory again.

use super::backup::location;
use super::{local, verify};
use crate::args;
use crate::failure::Result;
use crate::operations::prove::{self, Verify};
use crate::operations::{Context, Operation};
use crate::output;
use rollcall_engine::{Engine, Settings, backup};

pub fn run(flags: &args::Restore) -> Result {
    let source = location(&flags.source)?;
    let settings = local::configuration(&flags.store)?.map_or_else(Settings::default, |config| config.storage);
    let bar = output::progress(0, "{msg} {wide_bar} {bytes}/{total_bytes} {eta}");
    bar.set_message("restoring");
    let progress = |done, of| {
        bar.set_length(of);
        bar.set_position(done);
    };
    let restored = backup::restore(&source, &flags.data, &settings, &progress);
    bar.finish_and_clear();
    let restored = restored?;
    output::note(format_args!(
        "restored the state of {}: {} files, {} bytes, {} facts in the lake at {}",
        restored.taken_at, restored.files, restored.bytes, restored.lake_facts, restored.lake
    ));
    // It is opened in any case: what cannot be opened was not restored.
    let engine = Engine::open(&flags.data, settings)?;
    if !flags.verify {
        return Ok(());
    }
    let bar = output::progress(0, "{msg} {wide_bar} {percent}% {eta}");
    bar.set_message(Verify::DOING);
    let progress = |done, of| {
        bar.set_length(of);
        bar.set_position(done);
    };
    let found = Verify::run(&Context { engine: &engine }, prove::Asked::default(), &progress);
    bar.finish_and_clear();
    let found = found?;
    verify::print(&found, flags.format)?;
    verify::judge(&found)
}
