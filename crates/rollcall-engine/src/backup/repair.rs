//! Single files of a backup are put back, where the lake of a data directory has damaged ones.

use super::manifest::{FileEntry, sha256};
use super::{LEDGER, Progress, Steps, each, open, refused};
use crate::data_directory::{UNFINISHED, lock};
use crate::error::EngineError;
use crate::lake::{DataFile, Lake, Store};
use crate::ledger::Ledger;
use crate::location::Location;
use crate::settings::Settings;
use hashbrown::HashMap;
use rollcall_model::FactKind;
use serde::Serialize;
use std::path::Path;
use std::sync::Arc;

/// What was put back.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct Repaired {
    /// When the state of the backup was taken, RFC 3339.
    pub taken_at: String,
    /// How many data files the lake's tables have; each was held against its checksum.
    pub files: u64,
    /// How many of them were damaged or missing.
    pub damaged: u64,
    /// How many of these were put back.
    pub repaired: u64,
    /// How many bytes they have.
    pub bytes: u64,
    /// The others: the backup does not have them as they were written.
    pub left: Vec<Left>,
}

/// A data file that is still damaged.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Left {
    /// Its name in the lake.
    pub file: String,
    /// How it differs.
    pub damage: String,
}

/// What came of a data file.
enum Outcome {
    Whole,
    Repaired(u64),
    Left(Left),
}

/// Puts back the damaged and missing data files of a stopped data directory's lake that a backup has as they were written. Nothing else
/// changes: facts that came after the backup stay.
///
/// # Errors
/// [`EngineError::Backup`] if there is no backup, it is damaged, or it is not of this data directory; [`EngineError::InUse`];
/// [`EngineError::Damaged`] if a table's log is; [`EngineError::Storage`].
pub fn repair(source: &Location, data: &Path, settings: &Settings, progress: &Progress<'_>) -> Result<Repaired, EngineError> {
    let (store, manifest) = open(source, settings)?;
    if data.join(UNFINISHED).exists() || !data.join(LEDGER).is_dir() {
        return Err(refused(format!("{} is no data directory; without --only-damaged one is made of the backup", data.display())));
    }
    let _alone = lock(data)?;
    let ledger = Ledger::open(&data.join(LEDGER), settings)?;
    if ledger.id() != manifest.ledger {
        return Err(refused(format!("{source} has the backup of another data directory than {}", data.display())));
    }
    let (location, _) = Location::of_lake(data, settings.lake.as_ref(), ledger.lake_location()?.as_deref())?;
    let lake = Lake::open(&location, &settings.store, &ledger)?;
    let (version, ()) = lake.pin(|| ());
    let files: Vec<(FactKind, Arc<DataFile>)> =
        FactKind::ALL.iter().copied().flat_map(|kind| version.of(kind).iter().map(move |file| (kind, file.clone()))).collect();
    let entries: HashMap<&str, &FileEntry> = manifest.files.iter().map(|entry| (entry.name.as_str(), entry)).collect();
    let steps = Steps::new(version.bytes(), progress);
    let outcomes = each(&files, |(kind, file)| {
        let name = format!("{}/{}", kind.name(), file.name);
        let outcome = of_file(&lake.store, &store, *kind, file, entries.get(name.as_str()).copied());
        steps.add(file.size);
        outcome
    })?;
    let mut repaired = Repaired { taken_at: manifest.taken_at.clone(), files: files.len() as u64, ..Repaired::default() };
    for outcome in outcomes {
        match outcome {
            Outcome::Whole => continue,
            Outcome::Repaired(bytes) => (repaired.repaired, repaired.bytes) = (repaired.repaired + 1, repaired.bytes + bytes),
            Outcome::Left(left) => repaired.left.push(left),
        }
        repaired.damaged += 1;
    }
    Ok(repaired)
}

/// Checks a data file, and puts it back if it is damaged and the backup has it.
fn of_file(lake: &Store, backup: &Store, kind: FactKind, file: &DataFile, entry: Option<&FileEntry>) -> Result<Outcome, EngineError> {
    let name = format!("{}/{}", kind.name(), file.name);
    let damage = match lake.differs(kind.name(), file)? {
        Some(damage) => damage,
        None if file.checksum.is_some() => return Ok(Outcome::Whole),
        // Only the backup knows what one looked like that was written before there were checksums.
        None => {
            let differs = |entry: &FileEntry| Ok::<_, EngineError>(lake.get(&name)?.is_none_or(|bytes| sha256(&bytes) != entry.sha256));
            if !entry.map(differs).transpose()?.unwrap_or(false) {
                return Ok(Outcome::Whole);
            }
            "it is not what the backup has".into()
        }
    };
    let Some(entry) = entry else { return Ok(Outcome::Left(Left { file: name, damage })) };
    let bytes = match entry.read(backup) {
        Ok(bytes) if file.differs_in(&bytes).is_none() => bytes,
        Ok(_) | Err(EngineError::Backup(_)) => {
            return Ok(Outcome::Left(Left { file: name, damage: format!("{damage}; and the backup's is damaged too") }));
        }
        Err(error) => return Err(error),
    };
    lake.put(&name, bytes, false)?;
    tracing::info!(file = name, damage, "a damaged data file was put back");
    Ok(Outcome::Repaired(file.size))
}
