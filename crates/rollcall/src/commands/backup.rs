//! `backup`: one consistent state of a data directory, in another directory or bucket, while its server runs or without one.

use super::local;
use super::operate::operate;
use crate::args::{self, ReceiptFormat};
use crate::config::Config;
use crate::failure::{Failure, Result};
use crate::operations::backup::{Asked, Backup};
use crate::output;
use crate::sealed::BackupKey;
use rollcall_engine::backup::Made;
use rollcall_engine::location::{Location, StoreOptions};
use std::path::Path;

pub fn run(flags: &args::Backup) -> Result {
    let config = local::configuration(&flags.store)?;
    let store = config.as_ref().map(|config| &config.storage.store);
    let target = location(&flags.target)?;
    let mut options = StoreOptions::of_environment();
    // What the configuration says comes later, so it counts.
    store.into_iter().flat_map(StoreOptions::iter).for_each(|(name, value)| options.set(name, value));
    let options = options.iter().map(|(name, value)| (name.to_owned(), value.to_owned())).collect();
    let key = backup_key(flags.key.key_file.as_deref(), config.as_ref())?;
    let asked = Asked {
        target: target.to_string(),
        options,
        allow_plaintext: store.is_some_and(|store| store.allow_plaintext),
        key: key.map(|key| key.text().to_owned()),
        without_signing_key: flags.key.without_signing_key,
    };
    let made = operate::<Backup>(&flags.data, config.as_ref(), asked)?;
    match flags.format {
        ReceiptFormat::Json => output::line(serde_json::to_string(&made).map_err(|error| Failure::of("what was backed up", error))?),
        ReceiptFormat::Table => output::data(table(&made).as_bytes()),
    }
}

/// The key that seals the signing key: that of a file, else that of the configuration.
pub(super) fn backup_key(file: Option<&Path>, config: Option<&Config>) -> Result<Option<BackupKey>> {
    let of_file = file.map(|file| BackupKey::read(file).map_err(|error| Failure::Message(format!("--key-file {error}")))).transpose()?;
    Ok(of_file.or_else(|| config?.backup_key.clone()))
}

/// A location on the command line; a relative path begins where the command was started.
pub(super) fn location(given: &str) -> Result<Location> {
    let here = std::env::current_dir().map_err(|error| Failure::of("the current directory", error))?;
    Location::parse(given, &here).map_err(|message| Failure::Usage(format!("{given}: {message}")))
}

fn table(made: &Made) -> String {
    let Made { taken_at, lake_facts, files, bytes, files_written, bytes_written, files_removed } = made;
    let numbers = [
        ("facts in the lake", lake_facts),
        ("files", files),
        ("bytes", bytes),
        ("files written", files_written),
        ("bytes written", bytes_written),
        ("files removed", files_removed),
    ];
    let head = ["state of".to_owned()].into_iter().chain(numbers.map(|(name, _)| name.to_owned()));
    let row = [(taken_at.clone(), false)].into_iter().chain(numbers.map(|(_, number)| (number.to_string(), true))).collect();
    output::table(head, [row])
}
