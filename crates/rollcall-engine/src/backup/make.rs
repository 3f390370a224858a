//! A backup is made.

use super::manifest::{FORMAT, FileEntry, Manifest, TableState, sha256};
use super::{LEDGER, Progress, Steps, each, parts, refused};
use crate::crash;
use crate::engine::Engine;
use crate::engine::modes;
use crate::error::EngineError;
use crate::facts::Pinned;
use crate::lake::{DataFile, Store, Version, version_of};
use crate::ledger;
use crate::location::{Location, StoreOptions};
use bytes::Bytes;
use hashbrown::{HashMap, HashSet};
use jiff::Timestamp;
use rollcall_model::FactKind;
use rollcall_model::calendar::rfc3339;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

/// Names the ledger that backs up here.
const OWNER: &str = "backup.owner";

/// What a backup is.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Made {
    /// When its state was taken, RFC 3339.
    pub taken_at: String,
    /// How many facts the lake's tables have in it.
    pub lake_facts: u64,
    /// How many files it has.
    pub files: u64,
    /// How many bytes they have.
    pub bytes: u64,
    /// How many of the files were written; the others were in the target already.
    pub files_written: u64,
    /// How many bytes were written.
    pub bytes_written: u64,
    /// How many files of earlier backups were removed.
    pub files_removed: u64,
}

/// A backup under way.
struct Making<'a> {
    lake: &'a Store,
    target: Store,
    /// What the manifest of the backup before has.
    before: HashMap<String, FileEntry>,
    /// The files that are there, with their sizes.
    there: HashMap<String, u64>,
    steps: Steps<'a>,
    files_written: AtomicU64,
    bytes_written: AtomicU64,
}

impl Engine {
    /// Backs up one consistent state, with every fact acknowledged before, while facts come in and reports are answered. `beside` are other
    /// files that belong to a backup, with their names and contents. A backup that is there stays valid until this one is whole. An erasure
    /// waits until it is done; what it erases stays in backups of before.
    ///
    /// # Errors
    /// [`EngineError::Backup`] if nothing may be backed up there; [`EngineError::Damaged`] if a data file of the lake is damaged that the
    /// backup before does not have; [`EngineError::Storage`].
    pub fn backup(
        &self,
        target: &Location,
        options: &StoreOptions,
        beside: &[(&str, Vec<u8>)],
        progress: &Progress<'_>,
    ) -> Result<Made, EngineError> {
        let _nobody_erases = self.erasing.lock();
        let lake = &self.facts.lake;
        for place in [&lake.location, &Location::Directory(self.directory.clone())] {
            if target.overlaps(place) {
                return Err(refused(format!("{target} and {place} lie in one another: a backup lies elsewhere")));
            }
        }
        let store = Store::open(target, options)?;
        store.reach().map_err(|error| refused(format!("{target} does not answer: {error}")))?;
        self.own(target, &store)?;
        if let Some(directory) = store.local_path("")? {
            // For its owner's eyes alone, whoever made it. What is made from now on is so, by this process's umask.
            modes::close_to_others("the backup", &directory)?;
        }
        let before = Manifest::read(&store).unwrap_or_else(|error| {
            tracing::warn!(%error, "the backup that is there is no help to this one");
            None
        });
        let (pinned, logs) = {
            // Housekeeping removes no data file of what is pinned, but what it pleases of the logs.
            let held = self.keeper.hold();
            // What is in the lake is not copied again the next time. Where it takes none, the ledger's part of the backup has the facts.
            if let Err(error) = held.flush() {
                tracing::warn!(%error, "what waits for the lake is backed up with the ledger: it could not be flushed");
            }
            let pinned = self.facts.pin();
            let logs = logs(&lake.store, &pinned.version)?;
            (pinned, logs)
        };
        let taken_at = rfc3339(Timestamp::now().as_millisecond());
        let mut making = Making {
            lake: &lake.store,
            target: store,
            before: before.into_iter().flat_map(|before| before.files).map(|file| (file.name.clone(), file)).collect(),
            there: HashMap::new(),
            steps: Steps::new(pinned.version.bytes() + self.facts.ledger.db().disk_space()?, progress),
            files_written: AtomicU64::default(),
            bytes_written: AtomicU64::default(),
        };
        for table in FactKind::ALL.iter().map(|kind| kind.name()) {
            making.there.extend(making.target.list(table)?.into_iter().map(|(name, meta)| (name, meta.size)));
        }
        let id = uuid::Uuid::new_v4().to_string();
        let mut files = making.tables(&pinned.version, logs)?;
        let keyspaces = making.ledger(self, &pinned, &id, &mut files)?;
        for (name, bytes) in beside {
            files.push(making.put(format!("{LEDGER}/{id}/{name}"), bytes.clone())?);
        }
        let mut made = Made {
            taken_at: taken_at.clone(),
            lake_facts: pinned.version.facts(),
            files: files.len() as u64,
            bytes: files.iter().map(|file| file.size).sum(),
            ..Made::default()
        };
        let keep: HashSet<String> = files.iter().map(|file| file.name.clone()).collect();
        let manifest = Manifest {
            format: FORMAT,
            id,
            taken_at,
            rollcall: env!("CARGO_PKG_VERSION").into(),
            ledger: self.facts.ledger.id().into(),
            lake: lake.location.absolute().to_string(),
            tables: tables(&pinned.version),
            keyspaces,
            files,
            sha256: String::new(),
        };
        crash::point("backup-before-manifest");
        manifest.write(&making.target)?;
        crash::point("backup-manifest-written");
        made.files_removed = making.sweep(&keep)?;
        (made.files_written, made.bytes_written) = (making.files_written.into_inner(), making.bytes_written.into_inner());
        progress(making.steps.of, making.steps.of);
        Ok(made)
    }

    /// Nobody else backs up there, and nothing else lies there that could be overwritten or removed.
    fn own(&self, target: &Location, store: &Store) -> Result<(), EngineError> {
        let id = self.facts.ledger.id();
        match store.get(OWNER)? {
            Some(owner) if *owner == *id.as_bytes() => Ok(()),
            Some(_) => Err(refused(format!("{target} has the backup of another data directory: choose another place"))),
            None if store.is_empty()? => store.put(OWNER, id.as_bytes().to_vec(), false),
            None => Err(refused(format!("{target} is not empty, and holds no backup: choose another place"))),
        }
    }
}

fn tables(version: &Version) -> BTreeMap<String, TableState> {
    let state = |kind: FactKind| {
        let ledger::Durable { version, position, facts } = version.of(kind).durable()?;
        Some(TableState { version, position, facts })
    };
    FactKind::ALL.iter().filter_map(|kind| Some((kind.name().to_owned(), state(*kind)?))).collect()
}

/// The logs of the tables of a version.
fn logs(lake: &Store, version: &Version) -> Result<Vec<(String, Bytes)>, EngineError> {
    let mut names = Vec::new();
    for kind in FactKind::ALL.iter().copied() {
        if let Some(version) = version.of(kind).version {
            names.extend(log(lake, kind.name(), version)?);
        }
    }
    each(&names, |name| Ok((name.clone(), source(lake, name)?)))
}

/// The log of a table up to a version: its newest checkpoint, and the commits from there on.
fn log(lake: &Store, table: &str, version: u64) -> Result<Vec<String>, EngineError> {
    let listed = lake.list(&format!("{table}/_delta_log"))?;
    let upto = |name: &str| version_of(name).filter(|of| *of <= version);
    let log: Vec<(u64, &str)> = listed.iter().filter_map(|(name, _)| Some((upto(name)?, name.as_str()))).collect();
    let checkpoint = log.iter().filter(|(_, name)| name.ends_with(".checkpoint.parquet")).map(|(version, _)| *version).max();
    let wanted = |(of, name): &&(u64, &str)| match checkpoint {
        Some(checkpoint) => *of > checkpoint && name.ends_with(".json") || *of == checkpoint,
        None => name.ends_with(".json"),
    };
    let wanted: Vec<String> = log.iter().filter(wanted).map(|(_, name)| (*name).to_owned()).collect();
    let commits = wanted.iter().filter(|name| name.ends_with(".json")).count() as u64;
    let needed = checkpoint.map_or(version + 1, |checkpoint| version - checkpoint);
    if commits < needed {
        return Err(EngineError::Storage(format!("the log of the lake's table {table} has a gap before version {version}")));
    }
    Ok(wanted)
}

fn source(lake: &Store, name: &str) -> Result<Bytes, EngineError> {
    lake.get(name)?.ok_or_else(|| EngineError::Storage(format!("the lake's file {name} is missing")))
}

impl Making<'_> {
    /// The files of the lake's tables.
    fn tables(&self, version: &Version, logs: Vec<(String, Bytes)>) -> Result<Vec<FileEntry>, EngineError> {
        let mut wanted = Vec::new();
        for kind in FactKind::ALL.iter().copied() {
            wanted.extend(version.of(kind).iter().map(|file| (format!("{}/{}", kind.name(), file.name), file.clone())));
        }
        let mut files = each(&wanted, |(name, file)| self.data_file(name, file))?;
        // After what they refer to.
        files.extend(each(&logs, |(name, bytes)| self.log_file(name, bytes))?);
        Ok(files)
    }

    /// Data files never change: one of this name and size is this one. A damaged one is not backed up.
    fn data_file(&self, name: &str, file: &Arc<DataFile>) -> Result<FileEntry, EngineError> {
        let size = file.size;
        let is_there = self.there.get(name) == Some(&size);
        if let Some(before) = self.before.get(name).filter(|before| is_there && before.size == size) {
            self.steps.add(size);
            return Ok(before.clone());
        }
        let bytes = self.lake.get(name)?.ok_or_else(|| EngineError::damaged(name, "it is missing"))?;
        if let Some(damage) = file.differs_in(&bytes) {
            return Err(EngineError::damaged(name, &damage));
        }
        if is_there {
            // An earlier backup that came to no end copied it.
            self.steps.add(size);
            return Ok(FileEntry { name: name.into(), size, sha256: sha256(&bytes) });
        }
        let entry = self.put(name.into(), bytes)?;
        crash::point("backup-file-copied");
        Ok(entry)
    }

    fn log_file(&self, name: &str, bytes: &Bytes) -> Result<FileEntry, EngineError> {
        match self.before.get(name) {
            Some(before) if before.sha256 != sha256(bytes) => Err(refused(format!(
                "{name} differs from the one that the backup there has, as if this data directory had been restored from an older one: \
                 choose another place"
            ))),
            Some(before) if self.there.contains_key(name) => Ok(before.clone()),
            _ => self.put(name.into(), bytes.clone()),
        }
    }

    /// The ledger's database, in parts.
    fn ledger(&self, engine: &Engine, pinned: &Pinned, id: &str, files: &mut Vec<FileEntry>) -> Result<Vec<String>, EngineError> {
        let db = engine.facts.ledger.db();
        let mut keyspaces: Vec<String> = db.list_keyspace_names().iter().map(ToString::to_string).collect();
        keyspaces.sort_unstable();
        let mut number = 0;
        parts::write(db, &pinned.snapshot, &keyspaces, |part| {
            number += 1;
            files.push(self.put(format!("{LEDGER}/{id}/{number:06}.part"), part)?);
            Ok(())
        })?;
        Ok(keyspaces)
    }

    fn put(&self, name: String, bytes: impl Into<Bytes>) -> Result<FileEntry, EngineError> {
        let bytes = bytes.into();
        let entry = FileEntry { size: bytes.len() as u64, sha256: sha256(&bytes), name };
        self.target.put(&entry.name, bytes, false)?;
        self.files_written.fetch_add(1, Ordering::Relaxed);
        self.bytes_written.fetch_add(entry.size, Ordering::Relaxed);
        self.steps.add(entry.size);
        Ok(entry)
    }

    /// Removes what the manifest does not refer to; of logs first.
    fn sweep(&self, keep: &HashSet<String>) -> Result<u64, EngineError> {
        let mut stale = Vec::new();
        for within in std::iter::once(LEDGER).chain(FactKind::ALL.iter().map(|kind| kind.name())) {
            stale.extend(self.target.list(within)?.into_iter().map(|(name, _)| name).filter(|name| !keep.contains(name)));
        }
        stale.sort_by_key(|name| !name.contains("/_delta_log/"));
        stale.iter().try_for_each(|name| self.target.remove(name))?;
        Ok(stale.len() as u64)
    }
}
