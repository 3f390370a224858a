//! One Delta table, and its versions.
//!
//! A change of the table is one commit (`change.rs`): files added, files removed, and the position of the ledger that it covers (`txn`), all
//! or nothing. Only one thread changes tables; any number read versions of them.

use super::actions::PARTITIONS;
use super::files::{DataFile, Files, Flushed};
use super::rollback;
use crate::error::EngineError;
use crate::kinds::words::Worded;
use crate::lake::checksums::TAG;
use crate::lake::failed;
use crate::lake::store::Store;
use crate::lake::vacuum::Removed;
use crate::ledger::{Durable, Ledger};
use arrow_array::cast::AsArray;
use arrow_array::{Array, MapArray, RecordBatch};
use delta_kernel::engine::arrow_data::ArrowEngineData;
use delta_kernel::scan::ScanMetadata;
use delta_kernel::snapshot::SnapshotRef;
use delta_kernel::{KernelResult, Snapshot};
use hashbrown::HashSet;
use parking_lot::{Mutex, RwLock, RwLockReadGuard};
use rollcall_model::{FactKind, OrgId};
use serde::Deserialize;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Weak};

/// What is between the author and the fingerprint of a version in the `engineInfo` of its commit.
pub(super) const FINGERPRINT: &str = " fingerprint ";

/// A table of one kind of fact.
pub(crate) struct Table {
    kind: FactKind,
    pub(super) store: Store,
    /// Who writes the table: the ledger's id.
    pub(super) writer: String,
    /// How commits of this process are told from others.
    pub(super) author: String,
    /// The version that the next change begins from; none before there is a table, and after a commit of which is not known whether it
    /// happened.
    pub(super) snapshot: Mutex<Option<SnapshotRef>>,
    pub(super) files: RwLock<Arc<Files>>,
    /// The version up to which the ledger forgot what the table has.
    trimmed: AtomicU64,
    /// What commits up to a version, not included, removed lately.
    pub(in crate::lake) removed: Mutex<(u64, Removed)>,
    /// Files that a version no longer has, but that someone who has an older one may still read.
    leaving: Mutex<Vec<Weak<DataFile>>>,
}

impl std::fmt::Debug for Table {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Table").field("kind", &self.kind).finish_non_exhaustive()
    }
}

impl Table {
    /// Opens the table of a kind of fact, if it is there.
    pub(in crate::lake) fn open<B: Worded>(store: &Store, ledger: &Ledger) -> Result<Self, EngineError> {
        let durable = ledger.durable(B::KIND)?;
        rollback::roll_back(store, B::KIND.name(), durable.map(|durable| durable.version))?;
        let table = Self {
            kind: B::KIND,
            store: store.clone(),
            writer: ledger.id().to_owned(),
            author: format!(concat!("rollcall/", env!("CARGO_PKG_VERSION"), " {}"), uuid::Uuid::new_v4()),
            snapshot: Mutex::default(),
            files: RwLock::default(),
            trimmed: AtomicU64::new(durable.map_or(0, |durable| durable.version)),
            removed: Mutex::default(),
            leaving: Mutex::default(),
        };
        if table.has_log()? {
            let lost = |error: EngineError| match error {
                // A library's error may go on with where in its code it was made.
                EngineError::Storage(why) if store.is_local() => table.damaged(why.lines().next().unwrap_or_default()),
                EngineError::Damaged(_) => error,
                error => EngineError::Storage(format!("{error}; it was whole before: restore a backup")),
            };
            let snapshot = table.newest().map_err(lost)?;
            table.check_writer(&snapshot)?;
            *table.files.write() = Arc::new(table.load::<B>(&snapshot).map_err(lost)?);
            *table.snapshot.lock() = Some(snapshot);
        }
        table.check_durable(durable)?;
        Ok(table)
    }

    /// The name of the table's directory.
    pub(in crate::lake) const fn name(&self) -> &'static str {
        self.kind.name()
    }

    fn url(&self) -> Result<String, EngineError> {
        Ok(self.store.url(&format!("{}/", self.name()))?.to_string())
    }

    pub(super) fn log_name(&self, version: u64) -> String {
        format!("{}/_delta_log/{version:020}.json", self.name())
    }

    pub(super) fn has_log(&self) -> Result<bool, EngineError> {
        Ok(!self.store.list(&format!("{}/_delta_log", self.name()))?.is_empty())
    }

    /// The newest version.
    pub(crate) fn files(&self) -> Arc<Files> {
        self.files.read().clone()
    }

    /// The newest version, which no other follows while this is held.
    pub(in crate::lake) fn hold(&self) -> RwLockReadGuard<'_, Arc<Files>> {
        self.files.read()
    }

    /// Whether the ledger forgot what a version has.
    pub(in crate::lake) fn is_trimmed(&self, version: u64) -> bool {
        self.trimmed.load(Ordering::Relaxed) >= version
    }

    /// The ledger forgot what a version has.
    pub(in crate::lake) fn trimmed(&self, version: u64) {
        self.trimmed.store(version, Ordering::Relaxed);
    }

    /// What the ledger let go of must be here. An empty commit, say, is no error to readers of Delta Lake.
    fn check_durable(&self, durable: Option<Durable>) -> Result<(), EngineError> {
        let Some(durable) = durable else { return Ok(()) };
        let found = self.files().durable();
        let is_there = match found {
            Some(found) if found.version == durable.version => found == durable,
            Some(found) => found.version > durable.version && found.position >= durable.position,
            None => false,
        };
        if is_there {
            return Ok(());
        }
        Err(EngineError::Storage(format!(
            "the lake's table {} should have {} facts at version {}, and has {} at version {}: restore a backup",
            self.name(),
            durable.facts,
            durable.version,
            found.map_or(0, |found| found.facts),
            found.map_or(0, |found| found.version),
        )))
    }

    /// Two ledgers cannot write one table: their positions mean different commits.
    pub(super) fn check_writer(&self, snapshot: &Snapshot) -> Result<(), EngineError> {
        match snapshot.metadata_configuration().get("rollcall.ledger") {
            Some(writer) if *writer == self.writer => Ok(()),
            _ => Err(EngineError::Storage(format!(
                "the lake's table at {} was written from another data directory; one lake has one writer: choose another place for it",
                snapshot.table_root()
            ))),
        }
    }

    /// The files of a version.
    fn load<B: Worded>(&self, snapshot: &SnapshotRef) -> Result<Files, EngineError> {
        let position = self.reading(|| snapshot.get_app_id_version(&self.writer, self.store.kernel()))?;
        let position = position.and_then(|position| u64::try_from(position).ok()).unwrap_or(0);
        let flushed = self.flushed(snapshot.version())?.map(Arc::new);
        let mut files = Files { version: Some(snapshot.version()), position, flushed, ..Files::default() };
        for (batch, selected) in self.actions(snapshot)? {
            let paths = batch.column(0).as_string::<i32>();
            let sizes = batch.column(1).as_primitive::<arrow_array::types::Int64Type>();
            let written = batch.column(2).as_primitive::<arrow_array::types::Int64Type>();
            let statistics = batch.column(3).as_string::<i32>();
            let constants = batch.column(5).as_struct();
            let tags = constants.column_by_name("tags").and_then(|tags| tags.as_map_opt());
            let partitions = constants.column(0).as_map();
            for row in (0..batch.num_rows()).filter(|row| selected.get(*row).copied().unwrap_or(true)) {
                let value = |name: &str| value_of(partitions, row, name);
                let name = paths.value(row);
                let unknown = || EngineError::Storage(format!("{name}: the lake does not know whose it is"));
                let org = value(PARTITIONS[0]).and_then(|org| org.parse().ok()).map(OrgId).ok_or_else(unknown)?;
                let month = value(PARTITIONS[1]).ok_or_else(unknown)?;
                let size = u64::try_from(sizes.value(row)).unwrap_or_default();
                let checksum = tags.and_then(|tags| value_of(tags, row, TAG));
                files.add(DataFile::read::<B>(name, org, &month, (size, written.value(row)), statistics.value(row), checksum.as_deref())?);
            }
        }
        self.check_fingerprint(&files)?;
        Ok(files)
    }

    /// The commit up to a version that came of a flush, of which the ledger may still have the facts: it forgets those of one, durably,
    /// before there is another.
    fn flushed(&self, upto: u64) -> Result<Option<Flushed>, EngineError> {
        for version in (self.trimmed.load(Ordering::Relaxed) + 1..=upto).rev() {
            let commit = self.store.get(&self.log_name(version))?.unwrap_or_default();
            let actions = commit.split(|byte| *byte == b'\n').filter_map(|line| serde_json::from_slice::<Action>(line).ok());
            let (mut position, mut of) = (None, Vec::new());
            for action in actions {
                position = position.or(action.txn.filter(|txn| txn.app_id == self.writer).map(|txn| txn.version));
                of.extend(action.add.map(|add| OrgId(add.partition_values.organization)));
            }
            if let Some(position) = position {
                return Ok(Some(Flushed::new(version, position, of)));
            }
        }
        Ok(None)
    }

    /// What the newest commit says of its version must hold: the log may have lost or changed something that is no error to readers of
    /// Delta Lake, such as statistics, by which files are passed over.
    fn check_fingerprint(&self, files: &Files) -> Result<(), EngineError> {
        let name = self.log_name(files.version.unwrap_or_default());
        let Some(commit) = self.store.get(&name)? else { return Ok(()) };
        match fingerprint_in(&commit) {
            // It was written before there were any, or is version 0.
            None => Ok(()),
            Some(expected) if expected == format!("{:032x}", files.fingerprint()) => Ok(()),
            Some(_) => {
                let version = files.version.unwrap_or_default();
                Err(self.damaged(&format!("version {version} is not what its commit says that it is")))
            }
        }
    }

    fn damaged(&self, how: &str) -> EngineError {
        EngineError::Damaged(format!(
            "the log of the lake's table {} is damaged: {how}; restore a backup to a new directory: rollcall restore BACKUP --data NEW",
            self.name()
        ))
    }

    /// Reads the log. A checkpoint of it is Parquet without checksums, which the kernel's reader may panic over where it is damaged.
    pub(super) fn reading<T>(&self, read: impl FnOnce() -> KernelResult<T>) -> Result<T, EngineError> {
        let read = catch_unwind(AssertUnwindSafe(read)).map_err(|_| self.damaged("a checkpoint of it cannot be read"))?;
        read.map_err(failed)
    }

    /// The newest version that the log has.
    pub(super) fn newest(&self) -> Result<SnapshotRef, EngineError> {
        let url = self.url()?;
        self.reading(|| Snapshot::builder_for(url).build(self.store.kernel()))
    }

    /// The log's `add` actions of a version, as the kernel has them, with which of their rows count.
    pub(super) fn actions(&self, snapshot: &SnapshotRef) -> Result<Vec<(RecordBatch, Vec<bool>)>, EngineError> {
        let batch = |read: KernelResult<ScanMetadata>| {
            let (data, selected) = read?.scan_files.into_parts();
            Ok((ArrowEngineData::try_from_engine_data(data)?.record_batch().clone(), selected))
        };
        self.reading(|| {
            let scan = snapshot.clone().scan_builder().build()?;
            scan.scan_metadata(self.store.kernel())?.map(batch).collect()
        })
    }

    /// Begins anew from what the log says, as it was cleaned.
    pub(in crate::lake) fn read_again<B: Worded>(&self) -> Result<(), EngineError> {
        let mut current = self.snapshot.lock();
        *current = None;
        self.recall::<B>(&mut current)
    }

    /// Learns whether a commit that failed happened: what the log has then counts.
    pub(in crate::lake) fn settle<B: Worded>(&self) -> Result<(), EngineError> {
        let mut current = self.snapshot.lock();
        if current.is_none() && self.has_log()? { self.recall::<B>(&mut current) } else { Ok(()) }
    }

    /// Reads the newest version of the log, and shows it if another was shown.
    pub(super) fn recall<B: Worded>(&self, current: &mut Option<SnapshotRef>) -> Result<(), EngineError> {
        let snapshot = self.newest()?;
        self.check_authors(&snapshot)?;
        if self.files().version != Some(snapshot.version()) {
            let files = Arc::new(self.load::<B>(&snapshot)?);
            let before = std::mem::replace(&mut *self.files.write(), files);
            self.leave(before.iter());
        }
        *current = Some(snapshot);
        Ok(())
    }

    /// Remembers files of the version shown that the next may not have, for as long as somebody has one.
    pub(super) fn leave<'f>(&self, files: impl IntoIterator<Item = &'f Arc<DataFile>>) {
        let mut leaving = self.leaving.lock();
        leaving.retain(|file| file.strong_count() > 0);
        leaving.extend(files.into_iter().map(Arc::downgrade));
    }

    /// The names of the files that someone in this process may read: those of the newest version, and of any that someone has.
    pub(in crate::lake) fn needed(&self) -> HashSet<String> {
        let mut leaving = self.leaving.lock();
        leaving.retain(|file| file.strong_count() > 0);
        let held = leaving.iter().filter_map(Weak::upgrade).map(|file| file.name.clone());
        self.files().iter().map(|file| file.name.clone()).chain(held).collect()
    }

    /// Writes a checkpoint of the newest version, so that the log behind it can go.
    pub(in crate::lake) fn checkpoint<B: Worded>(&self) -> Result<(), EngineError> {
        let mut current = self.snapshot.lock();
        if current.is_none() && self.has_log()? {
            self.recall::<B>(&mut current)?;
        }
        if let Some(snapshot) = &mut *current {
            (_, *snapshot) = self.reading(|| snapshot.checkpoint(self.store.kernel(), None))?;
        }
        Ok(())
    }
}

/// A line of a commit, as far as flushes are told by it.
#[derive(Deserialize)]
struct Action {
    txn: Option<Transaction>,
    add: Option<Add>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Transaction {
    app_id: String,
    version: u64,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Add {
    partition_values: PartitionValues,
}

#[derive(Deserialize)]
struct PartitionValues {
    organization: uuid::Uuid,
}

/// The value of a key in a row of a column of maps.
fn value_of(maps: &MapArray, row: usize, name: &str) -> Option<String> {
    if maps.is_null(row) {
        return None;
    }
    let entries = maps.value(row);
    let (keys, values) = (entries.column(0).as_string::<i32>(), entries.column(1).as_string::<i32>());
    (0..entries.len()).find(|at| keys.value(*at) == name).map(|at| values.value(at).to_owned())
}

/// The fingerprint of its version in a commit.
fn fingerprint_in(commit: &[u8]) -> Option<String> {
    let lines = commit.split(|byte| *byte == b'\n').filter_map(|line| serde_json::from_slice::<serde_json::Value>(line).ok());
    let author = lines.into_iter().find_map(|line| Some(line.get("commitInfo")?.get("engineInfo")?.as_str()?.to_owned()))?;
    Some(author.rsplit_once(FINGERPRINT)?.1.to_owned())
}
