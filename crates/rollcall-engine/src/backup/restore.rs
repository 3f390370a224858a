//! A backup becomes a data directory again.

use super::manifest::{Manifest, NAME};
use super::{LEDGER, Progress, Steps, each, open, parts, refused};
use crate::data_directory::{UNFINISHED, make};
use crate::error::EngineError;
use crate::lake::Store;
use crate::ledger::{Durable, Ledger, birth};
use crate::location::Location;
use crate::settings::Settings;
use rollcall_model::FactKind;
use serde::Serialize;
use std::fs::{File, OpenOptions};
use std::io::Write;
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;

/// What was restored.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct Restored {
    /// When the state was taken, RFC 3339.
    pub taken_at: String,
    /// How many facts the lake's tables have.
    pub lake_facts: u64,
    /// How many files the backup has.
    pub files: u64,
    /// How many bytes they have.
    pub bytes: u64,
    /// Where the lake lies now.
    pub lake: String,
}

/// Says what a file, of this name and content, becomes that a backup has beside ledger and lake: a file of the data directory, or nothing.
pub type Beside<'b> = dyn FnMut(&str, Vec<u8>) -> Result<Option<(String, Vec<u8>)>, String> + 'b;

/// Makes a data directory of a backup. Its lake goes to where the settings say, else to `lake` in it. Everything is checked against the
/// checksums of the manifest, and durable when this returns; a directory in which it came to no end is refused by [`crate::Engine::open`].
///
/// # Errors
/// [`EngineError::Backup`] if there is no backup, it is damaged, `beside` refuses it, or the directory or the lake's place is not empty;
/// [`EngineError::Storage`].
pub fn restore(
    source: &Location,
    data: &Path,
    settings: &Settings,
    beside: &mut Beside<'_>,
    progress: &Progress<'_>,
) -> Result<Restored, EngineError> {
    let (store, manifest) = open(source, settings)?;
    if data.read_dir().is_ok_and(|mut entries| entries.next().is_some()) {
        let what = if data.join(UNFINISHED).exists() { "holds a restore that came to no end: remove it" } else { "is not empty" };
        return Err(refused(format!("{} {what}; a backup is restored to a new directory", data.display())));
    }
    let (location, remembered) = Location::of_lake(data, settings.lake.as_ref(), None)?;
    if settings.lake.is_some() && location.absolute().to_string() == manifest.lake {
        return Err(refused(format!(
            "{location} is the lake of the data directory that was backed up, and one lake has one writer: set another [lake] url"
        )));
    }
    if location.overlaps(source) {
        return Err(refused(format!("{location} and {source} lie in one another: the backup is no lake")));
    }
    let mut others = Vec::new();
    for file in manifest.files.iter().filter(|file| !file.is_of_table() && !file.is_part()) {
        let name = file.name.rsplit('/').next().unwrap_or_default();
        others.extend(beside(name, file.read(&store)?.to_vec()).map_err(refused)?);
    }
    make(data)?;
    mark(data)?;
    let lake = Store::open(&location, &settings.store)?;
    lake.reach().map_err(|error| refused(format!("{location} does not answer: {error}")))?;
    for table in FactKind::ALL.iter().map(|kind| kind.name()) {
        if !lake.list(table)?.is_empty() {
            return Err(refused(format!("{location} has files of {table} already: the lake is restored to an empty place")));
        }
    }
    let steps = Steps::new(manifest.files.iter().map(|file| file.size).sum(), progress);
    tables(&manifest, &store, &lake, &steps)?;
    for (name, bytes) in others {
        write(data, &name, &bytes)?;
    }
    birth::make(&data.join(LEDGER), |aside| ledger(aside, &manifest, &store, settings, &remembered, &steps))?;
    let failed = |error: std::io::Error| EngineError::Storage(format!("{}: {error}", data.display()));
    std::fs::remove_file(data.join(UNFINISHED)).and_then(|()| File::open(data)?.sync_all()).map_err(failed)?;
    progress(steps.of, steps.of);
    Ok(Restored {
        taken_at: manifest.taken_at,
        lake_facts: manifest.tables.values().map(|table| table.facts).sum(),
        files: manifest.files.len() as u64,
        bytes: steps.of,
        lake: location.absolute().to_string(),
    })
}

/// Marks the directory as one that is not whole.
fn mark(data: &Path) -> Result<(), EngineError> {
    let path = data.join(UNFINISHED);
    let written = File::create_new(&path).and_then(|file| file.sync_all()).and_then(|()| File::open(data)?.sync_all());
    written.map_err(|error| EngineError::Storage(format!("{}: {error}", path.display())))
}

/// The tables of the lake: data files, then the logs that refer to them.
fn tables(manifest: &Manifest, store: &Store, lake: &Store, steps: &Steps<'_>) -> Result<(), EngineError> {
    for of_log in [false, true] {
        let files: Vec<_> = manifest.files.iter().filter(|file| file.is_of_table() && file.is_of_log() == of_log).collect();
        each(&files, |file| {
            lake.put(&file.name, file.read(store)?, false)?;
            steps.add(file.size);
            Ok(())
        })?;
    }
    Ok(())
}

/// A file that lies beside the ledger. It may be a secret.
fn write(data: &Path, name: &str, bytes: &[u8]) -> Result<(), EngineError> {
    let written = OpenOptions::new().write(true).create_new(true).mode(0o600).open(data.join(name));
    let written = written.and_then(|mut file| file.write_all(bytes).and_then(|()| file.sync_all()));
    written.map_err(|error| EngineError::Storage(format!("{name}: {error}")))
}

/// The ledger, which learns where its lake is now.
fn ledger(
    directory: &Path,
    manifest: &Manifest,
    store: &Store,
    settings: &Settings,
    lake: &str,
    steps: &Steps<'_>,
) -> Result<(), EngineError> {
    let parts = manifest.files.iter().filter(|file| file.is_part()).map(|file| {
        steps.add(file.size);
        Ok((file.name.clone(), file.read(store)?))
    });
    parts::read(directory, settings, &manifest.keyspaces, parts)?;
    let ledger = Ledger::open(directory, settings)?;
    if ledger.id() != manifest.ledger {
        return Err(refused(format!("{NAME} is of another ledger than its parts")));
    }
    for kind in FactKind::ALL.iter().copied() {
        if let Some(state) = manifest.tables.get(kind.name()) {
            let durable = Durable { version: state.version, position: state.position, facts: state.facts };
            ledger.note_durable(kind, durable)?;
        }
    }
    ledger.remember_lake_location(lake)
}
