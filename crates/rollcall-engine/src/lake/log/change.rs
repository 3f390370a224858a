//! How the next version of a table is made: a change is one commit, all or nothing.

use super::actions::{PARTITIONS, added, without_statistics};
use super::committer::Tagging;
use super::files::{DataFile, Files};
use super::table::{FINGERPRINT, Table};
use crate::clock::now;
use crate::crash;
use crate::error::EngineError;
use crate::kinds::words::Worded;
use crate::lake::failed;
use arrow_array::cast::AsArray;
use arrow_schema::{DataType, Field, Schema};
use delta_kernel::Snapshot;
use delta_kernel::engine::arrow_conversion::TryFromArrow;
use delta_kernel::engine::arrow_data::ArrowEngineData;
use delta_kernel::engine_data::FilteredEngineData;
use delta_kernel::schema::StructType;
use delta_kernel::snapshot::SnapshotRef;
use delta_kernel::transaction::{CommitResult, UpdateTableOperation};
use hashbrown::HashSet;
use rollcall_model::OrgId;
use serde_json::json;
use std::sync::Arc;

/// After how many commits the log gets a checkpoint, so that opening the table reads one file and few commits.
const CHECKPOINT_EVERY: u64 = 10;

/// What a commit changes.
#[derive(Debug, Default)]
pub(in crate::lake) struct Change {
    pub(in crate::lake) added: Vec<DataFile>,
    pub(in crate::lake) removed: Vec<Arc<DataFile>>,
    /// The position of the ledger that the table covers from now on, and of which organizations, if facts come from there.
    pub(in crate::lake) covers: Option<(u64, Vec<OrgId>)>,
    /// Whether facts come or go; not if they only move to other files.
    pub(in crate::lake) facts_change: bool,
}

impl Table {
    /// Every version after the one shown must be of this process: a commit that failed may have happened, but nobody else commits.
    pub(super) fn check_authors(&self, newest: &Snapshot) -> Result<(), EngineError> {
        let foreign =
            || EngineError::Storage("another process writes the lake: one lake has one writer; stop it, then restart this one".into());
        self.check_writer(newest)?;
        for version in self.files().version.map_or(0, |shown| shown + 1)..=newest.version() {
            let commit = self.store.get(&self.log_name(version))?.ok_or_else(foreign)?;
            if memchr::memmem::find(&commit, self.author.as_bytes()).is_none() {
                return Err(foreign());
            }
        }
        Ok(())
    }

    /// After a commit that failed, or was answered by an error: whether it happened all the same, as when only the answer was lost. Then
    /// its version is shown.
    fn happened<B: Worded>(&self, current: &mut Option<SnapshotRef>, change: &Change, why: EngineError) -> Result<Arc<Files>, EngineError> {
        if let Err(error) = self.recall::<B>(current) {
            return Err(EngineError::Storage(format!("{why}; and whether the commit happened is not known: {error}")));
        }
        let files = self.files();
        let names: HashSet<&str> = files.iter().map(|file| file.name.as_str()).collect();
        let covers = change.covers.as_ref().is_none_or(|(position, _)| files.position >= *position);
        let is_there = change.added.iter().all(|file| names.contains(file.name.as_str()));
        let is_gone = change.removed.iter().all(|file| !names.contains(file.name.as_str()));
        let happened = covers && is_there && is_gone;
        drop(names);
        if happened { Ok(files) } else { Err(why) }
    }

    /// Commits a change durably, and shows it to everyone who asks from then on.
    pub(in crate::lake) fn commit<B: Worded>(&self, change: &Change) -> Result<Arc<Files>, EngineError> {
        let mut current = self.snapshot.lock();
        let snapshot = match current.take() {
            Some(snapshot) => snapshot,
            None if self.files().version.is_none() && !self.has_log()? => self.create::<B>()?,
            None => {
                // The change was made for the version shown, and the log may have the next one already.
                let shown = self.files().version;
                self.recall::<B>(&mut current)?;
                if self.files().version.unwrap_or_default() != shown.unwrap_or_default() {
                    return Err(EngineError::Storage("the lake has a version that was not known: what changes it begins anew".into()));
                }
                current.take().map_or_else(|| self.create::<B>(), Ok)?
            }
        };
        let kernel = self.store.kernel();
        let next = self.files().next(snapshot.version() + 1, change);
        let author = format!("{}{FINGERPRINT}{:032x}", self.author, next.fingerprint());
        let operation = if change.facts_change { UpdateTableOperation::Write } else { UpdateTableOperation::Optimize };
        let mut builder = snapshot.clone().update_table(operation, author, change.facts_change);
        if let Some((position, _)) = &change.covers {
            builder = builder.with_transaction_id(&self.writer, i64::try_from(*position).map_err(failed)?);
        }
        // Whatever fails from here on: the next change begins from what the log says.
        let mut transaction = builder.build(kernel, Box::new(Tagging::new(&change.added))).map_err(failed)?;
        if !change.added.is_empty() {
            transaction.add_files(Box::new(ArrowEngineData::new(added::<B>(&change.added)?)));
        }
        if !change.removed.is_empty() {
            let removed: HashSet<&str> = change.removed.iter().map(|file| file.name.as_str()).collect();
            for (batch, selected) in self.actions(&snapshot)? {
                let paths = batch.column(0).as_string::<i32>();
                let goes = |row: usize| selected.get(row).copied().unwrap_or(true) && removed.contains(paths.value(row));
                let going: Vec<bool> = (0..batch.num_rows()).map(goes).collect();
                if going.contains(&true) {
                    let actions = ArrowEngineData::new(without_statistics(&batch)?);
                    let actions = FilteredEngineData::try_new(Box::new(actions), going).map_err(failed)?;
                    transaction.remove_files(actions);
                }
            }
        }
        crash::point("lake-before-commit");
        let committed = match transaction.commit(kernel) {
            Ok(CommitResult::Committed(committed)) => committed,
            Ok(CommitResult::Conflicted(_)) => {
                let why = EngineError::Storage(
                    "an earlier commit of the lake, whose answer was lost, happened: the next attempt begins there".into(),
                );
                return self.happened::<B>(&mut current, change, why);
            }
            Ok(CommitResult::Retryable(retryable)) => return self.happened::<B>(&mut current, change, failed(retryable.error)),
            Err(error) => return self.happened::<B>(&mut current, change, failed(error)),
        };
        crash::point("lake-committed");
        let mut newest = match committed.post_commit_snapshot() {
            Some(snapshot) => snapshot.clone(),
            None => self.newest()?,
        };
        let files = Arc::new(next);
        self.leave(&change.removed);
        // Readers wait for no more than this, and what nobody needs of the version before is let go of later.
        let before = std::mem::replace(&mut *self.files.write(), files.clone());
        drop(before);
        if newest.version() % CHECKPOINT_EVERY == 0 {
            // A checkpoint only saves reading: the commits behind it still stand.
            match self.reading(|| newest.checkpoint(kernel, None)) {
                Ok((_, with_checkpoint)) => newest = with_checkpoint,
                Err(error) => tracing::warn!(%error, table = self.name(), "the lake's log got no checkpoint"),
            }
            crash::point("lake-checkpointed");
        }
        *current = Some(newest);
        Ok(files)
    }

    /// Makes version 0: a table without facts, of the plainest protocol there is.
    fn create<B: Worded>(&self) -> Result<SnapshotRef, EngineError> {
        if !self.has_log()? {
            let mut fields = B::columns().fields().to_vec();
            fields.extend(PARTITIONS.map(|name| Arc::new(Field::new(name, DataType::Utf8, false))));
            let schema = StructType::try_from_arrow(&Schema::new(fields)).map_err(failed)?;
            let now = now();
            let metadata = json!({
                "id": uuid::Uuid::new_v4(),
                "name": self.name(),
                "format": {"provider": "parquet", "options": {}},
                "schemaString": serde_json::to_string(&schema).map_err(failed)?,
                "partitionColumns": PARTITIONS,
                "configuration": {"rollcall.ledger": self.writer},
                "createdTime": now,
            });
            let info = json!({"timestamp": now, "operation": "CREATE TABLE", "engineInfo": self.author});
            let actions = [
                json!({"commitInfo": info}),
                json!({"protocol": {"minReaderVersion": 1, "minWriterVersion": 2}}),
                json!({"metaData": metadata}),
            ];
            let lines: String = actions.iter().map(|action| format!("{action}\n")).collect();
            self.store.put(&self.log_name(0), lines.into_bytes(), true)?;
        }
        self.newest()
    }
}
