//! `restore`: a backup becomes a data directory again, or gives back the files that one has damaged.

use super::backup::{backup_key, location};
use super::{local, verify};
use crate::args;
use crate::failure::{Failure, Result};
use crate::operations::backup::SEALED_KEY;
use crate::operations::prove::{self, Verify};
use crate::operations::{Context, Operation};
use crate::output;
use crate::sealed::BackupKey;
use crate::server::{self, SIGNING_KEY};
use rollcall_engine::location::Location;
use rollcall_engine::{Engine, Settings, backup};

pub fn run(flags: &args::Restore) -> Result {
    let source = location(&flags.source)?;
    let config = local::configuration(&flags.store)?;
    let key = backup_key(flags.key.key_file.as_deref(), config.as_ref())?;
    let settings = config.map_or_else(Settings::default, |config| config.storage);
    if flags.only_damaged {
        repair(flags, &source, &settings)?;
    } else {
        restore(flags, &source, &settings, key.as_ref())?;
    }
    // It is opened in any case: what cannot be opened was not restored.
    let engine = Engine::open(&flags.data, settings)?;
    if flags.verify { verify(&engine, flags) } else { Ok(()) }
}

/// The signing key that a backup has, opened.
fn opened(name: &str, bytes: Vec<u8>, key: Option<&BackupKey>) -> Result<(String, Vec<u8>), String> {
    const OTHERWISE: &str = "or --without-signing-key: a new one is made, which ends every token given so far";
    if name != SEALED_KEY {
        return Ok((name.to_owned(), bytes));
    }
    let key = key.ok_or_else(|| {
        format!("the signing key in the backup is sealed: give the key that it was sealed with (--key-file), {OTHERWISE}")
    })?;
    let opened = key
        .open(&bytes)
        .ok_or_else(|| format!("the signing key in the backup was sealed with another key: give that (--key-file), {OTHERWISE}"))?;
    Ok((SIGNING_KEY.to_owned(), opened))
}

/// Makes a data directory.
fn restore(flags: &args::Restore, source: &Location, settings: &Settings, key: Option<&BackupKey>) -> Result {
    let bar = output::progress(0, "{msg} {wide_bar} {bytes}/{total_bytes} {eta}");
    bar.set_message("restoring");
    let progress = |done, of| {
        bar.set_length(of);
        bar.set_position(done);
    };
    let leave_out = flags.key.without_signing_key;
    let mut beside = |name: &str, bytes| if leave_out { Ok(None) } else { opened(name, bytes, key).map(Some) };
    let restored = backup::restore(source, &flags.data, settings, &mut beside, &progress);
    bar.finish_and_clear();
    let restored = restored?;
    output::note(format_args!(
        "restored the state of {}: {} files, {} bytes, {} facts in the lake at {}",
        restored.taken_at, restored.files, restored.bytes, restored.lake_facts, restored.lake
    ));
    if !flags.data.join(SIGNING_KEY).exists() {
        server::signing_key(&flags.data).map_err(|error| Failure::of("a signing key", error))?;
        output::note("a new signing key was made: tokens given so far are no longer valid, and clients ask for others");
    }
    Ok(())
}

/// Puts damaged data files back.
fn repair(flags: &args::Restore, source: &Location, settings: &Settings) -> Result {
    let bar = output::progress(0, "{msg} {wide_bar} {bytes}/{total_bytes} {eta}");
    bar.set_message("checking data files");
    let progress = |done, of| {
        bar.set_length(of);
        bar.set_position(done);
    };
    let repaired = backup::repair(source, &flags.data, settings, &progress);
    bar.finish_and_clear();
    let repaired = repaired?;
    output::note(format_args!(
        "of {} data files {} were damaged or missing; {} ({} bytes) were put back from the backup of {}",
        repaired.files, repaired.damaged, repaired.repaired, repaired.bytes, repaired.taken_at
    ));
    let left: Vec<String> = repaired.left.iter().map(|left| format!("\n  {}: {}", left.file, left.damage)).collect();
    match left.len() {
        0 => Ok(()),
        count => Err(Failure::Damaged(format!(
            "{count} files are still damaged, since this backup does not have them whole; try another backup:{}",
            left.concat()
        ))),
    }
}

/// Holds files against their checksums, and cells against facts.
fn verify(engine: &Engine, flags: &args::Restore) -> Result {
    let bar = output::progress(0, "{msg} {wide_bar} {percent}% {eta}");
    bar.set_message(Verify::DOING);
    let progress = |done, of| {
        bar.set_length(of);
        bar.set_position(done);
    };
    let found = Verify::run(&Context { engine }, prove::Asked::default(), &progress);
    bar.finish_and_clear();
    let found = found?;
    verify::print(&found, flags.format)?;
    verify::judge(&found)
}
