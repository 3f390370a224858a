//! Vacuum: files that nobody needs any more are deleted.
//!
//! A data file goes when it is not in the newest version of its table, nobody in this process has a version that it is in, and, for those
//! who read the lake by themselves, either was removed from the table or, if a crash left it behind before it got there, was written long
//! ago. When a file was removed is said by the commit that did it. Whoever vacuums is alone in changing the lake, so no commit that is
//! about to happen refers to what goes.
//!
//! Dead files take no more than 64 MiB and a tenth of what the table's files take, unless they are younger than an hour: else those that
//! are dead for longest go before their time.
//!
//! Of the log, every version of the days that files are kept for can still be read: what goes is behind the newest checkpoint of before,
//! from the oldest on, so that what stays has no gap. Parts of a table's log that start-up rolled back go after the same time.
//!
//! Start-up may roll back commits beyond the version that the ledger knows to be durable, and then needs the files that they removed; so
//! first of all the ledger learns, durably, that the newest version is.

use super::files::Month;
use super::store::{Left, Store};
use super::table::Table;
use super::{Lake, rollback};
use crate::crash;
use crate::error::EngineError;
use crate::for_each_kind;
use crate::kinds::words::Worded;
use crate::kinds::{BlockOf, Kind};
use crate::ledger::Ledger;
use hashbrown::{HashMap, HashSet};
use object_store::ObjectMeta;
use parking_lot::{MappedMutexGuard, MutexGuard};
use rollcall_model::calendar::DAY_MILLIS;
use rollcall_model::{FactKind, Millis, OrgId};
use serde::{Deserialize, Serialize};
use std::collections::BTreeSet;

/// What vacuum deleted, or would.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Vacuumed {
    /// How many data files.
    pub files: u64,
    /// How many bytes they have.
    pub bytes: u64,
    /// How many files of the tables' logs.
    pub log_files: u64,
    /// How many bytes they have.
    pub log_bytes: u64,
}

/// How many bytes of dead files stay at least, whatever the table's files take.
const MOST_DEAD: u64 = if cfg!(test) { 40_000 } else { 64 << 20 };

/// Of the bytes of the table's files, which part more.
const DEAD_SHARE: u64 = 10;

/// How long a dead file stays, however many bytes those before it take: for whoever reads a version at this moment.
const SOON: Millis = 3_600_000;

/// Data files that commits removed, and when.
pub(super) type Removed = HashMap<String, Millis>;

/// Where an erasure sweeps away what held the facts that are gone, however short ago somebody outside this process needed it.
#[derive(Debug)]
pub(crate) struct Traces {
    /// Whose data files.
    pub(crate) org: OrgId,
    /// Of which months; none: of all.
    pub(crate) months: Option<BTreeSet<Month>>,
    /// Whether the tables' logs go too, up to their newest checkpoints: their statistics name users.
    pub(crate) logs: bool,
}

impl Traces {
    /// The directories of a table that they are in.
    fn directories(&self, table: &str) -> Vec<String> {
        let log: &[&str] = if self.logs { &["_delta_log", rollback::ROLLED_BACK] } else { &[] };
        let of_org = format!("{table}/organization={}", self.org);
        log.iter().map(|log| format!("{table}/{log}")).chain([of_org]).collect()
    }

    fn may_be(&self, file: &str) -> bool {
        let is_of = |month: &Month| file.contains(&format!("/month={month}/"));
        self.months.as_ref().is_none_or(|months| months.iter().any(is_of))
    }
}

/// What is deleted, and how.
struct Sweep<'a> {
    store: &'a Store,
    /// Only there; none: everywhere.
    traces: Option<&'a Traces>,
    /// What was removed at this instant or before may go if there is much of it.
    soon: Millis,
    /// What changed last at this instant or before may go.
    until: Millis,
    dry_run: bool,
    proceed: &'a mut dyn FnMut() -> bool,
    done: Vacuumed,
}

impl Lake {
    /// Deletes what has not been needed for so many days, as of an instant; of 0 days: what nobody in this process needs. Only whoever may
    /// change the lake calls this. With `dry_run` only says what would go. `proceed` is asked before each file, and ends the work by
    /// answering false.
    ///
    /// # Errors
    /// [`EngineError::Storage`]; what was not deleted is found the next time.
    pub(crate) fn vacuum(
        &self,
        ledger: &Ledger,
        (now, days): (Millis, u32),
        dry_run: bool,
        proceed: &mut dyn FnMut() -> bool,
    ) -> Result<Vacuumed, EngineError> {
        // The clock of a remote store may be ahead.
        let until = if days == 0 { Millis::MAX } else { now.saturating_sub(i64::from(days) * DAY_MILLIS) };
        let (store, soon, done) = (&self.store, now.saturating_sub(SOON), Vacuumed::default());
        self.sweep_all(ledger, Sweep { store, traces: None, soon, until, dry_run, proceed, done })
    }

    /// Deletes what an erasure left behind and nobody in this process needs. Only whoever may change the lake calls this. With `dry_run` only
    /// says what would go.
    ///
    /// # Errors
    /// [`EngineError::Storage`]; what was not deleted is found the next time.
    pub(crate) fn sweep(&self, ledger: &Ledger, traces: &Traces, dry_run: bool) -> Result<Vacuumed, EngineError> {
        let (store, proceed, done) = (&self.store, &mut || true, Vacuumed::default());
        let (soon, until) = (Millis::MAX, Millis::MAX);
        self.sweep_all(ledger, Sweep { store, traces: Some(traces), soon, until, dry_run, proceed, done })
    }

    fn sweep_all(&self, ledger: &Ledger, mut sweep: Sweep<'_>) -> Result<Vacuumed, EngineError> {
        self.settle(ledger)?;
        if !sweep.dry_run {
            for kind in FactKind::ALL.iter().copied() {
                if let Some(durable) = self.table(kind).files().durable() {
                    ledger.note_durable(kind, durable)?;
                }
            }
            ledger.sync()?;
        }
        for_each_kind!(K => sweep.table::<BlockOf<K>>(self.table(K::KIND))?);
        Ok(sweep.done)
    }
}

impl Sweep<'_> {
    fn table<B: Worded>(&mut self, table: &Table) -> Result<(), EngineError> {
        let name = table.name();
        let directories = self.traces.map_or_else(|| vec![name.to_owned()], |traces| traces.directories(name));
        let listed = directories.iter().map(|directory| self.store.list(directory)).collect::<Result<Vec<_>, _>>()?.concat();
        let within = |directory: &str| -> Vec<&(String, ObjectMeta)> {
            let directory = format!("{name}/{directory}");
            listed.iter().filter(|(name, _)| name.starts_with(&directory)).collect()
        };
        let log = within("_delta_log/");

        let files = within("organization=");
        if !self.dead_files(table, &log, &files)? {
            return Ok(());
        }
        let of_org = self.traces.filter(|traces| !traces.logs).map(|traces| format!("{name}/organization={}", traces.org));
        // What puts that were cut off left nobody needs, whosever it is.
        for Left { path, size, modified } in self.store.left_behind(of_org.as_deref().unwrap_or(name))? {
            if modified <= self.until && (self.proceed)() {
                (self.done.files, self.done.bytes) = (self.done.files + 1, self.done.bytes + size);
                if !self.dry_run {
                    Store::remove_left(&path)?;
                }
            }
        }

        let mut cleaned = false;
        for (file, meta) in self.log_behind(&log)? {
            if !self.delete_of_log(file, meta.size)? {
                return Ok(());
            }
            cleaned = true;
        }
        for (file, meta) in within(&format!("{}/", rollback::ROLLED_BACK)) {
            if self.is_old(meta) && !self.delete_of_log(file, meta.size)? {
                return Ok(());
            }
        }
        if cleaned && !self.dry_run {
            table.read_again::<B>()?;
        }
        Ok(())
    }

    /// Deletes data files that nobody needs; false if that is to end.
    fn dead_files(&mut self, table: &Table, log: &[&(String, ObjectMeta)], files: &[&(String, ObjectMeta)]) -> Result<bool, EngineError> {
        let (name, needed) = (table.name(), table.needed());
        if let Some(traces) = self.traces {
            for (file, meta) in files.iter().filter(|(file, _)| traces.may_be(file)) {
                let is_needed = file.strip_prefix(name).and_then(|file| file.strip_prefix('/')).is_none_or(|file| needed.contains(file));
                if !is_needed && !self.delete(file, meta.size)? {
                    return Ok(false);
                }
            }
            return Ok(true);
        }
        let mut removed = self.removed_lately(table, log)?;
        let mut dead = Vec::new();
        for (file, meta) in files {
            if let Some(path) = file.strip_prefix(name).and_then(|file| file.strip_prefix('/'))
                && !needed.contains(path)
            {
                dead.push((removed.get(path).copied().unwrap_or(meta.last_modified.timestamp_millis()), path, meta.size));
            }
        }
        dead.sort_unstable();
        let there: HashSet<&str> = dead.iter().map(|(_, path, _)| *path).collect();
        removed.retain(|path, _| there.contains(path.as_str()));
        let mut bytes: u64 = dead.iter().map(|(.., size)| size).sum();
        let most = MOST_DEAD + table.files().bytes() / DEAD_SHARE;
        for (since, path, size) in dead {
            if since <= self.until || bytes > most && since <= self.soon {
                if !self.delete(&format!("{name}/{path}"), size)? {
                    return Ok(false);
                }
                bytes -= size;
            }
        }
        Ok(true)
    }

    fn is_old(&self, meta: &ObjectMeta) -> bool {
        meta.last_modified.timestamp_millis() <= self.until
    }

    /// The data files that commits removed, but not long ago, and when.
    fn removed_lately<'t>(&self, table: &'t Table, log: &[&(String, ObjectMeta)]) -> Result<MappedMutexGuard<'t, Removed>, EngineError> {
        let mut known = table.removed.lock();
        let is_new = |file: &str| rollback::version_of(file).is_some_and(|version| version >= known.0);
        // A commit is not older than what it says.
        let is_lately = |(file, meta): &&&(String, ObjectMeta)| rollback::is_commit(file) && is_new(file) && !self.is_old(meta);
        let lately: Vec<String> = log.iter().filter(is_lately).map(|(file, _)| file.clone()).collect();
        for (commit, bytes) in self.store.get_all(lately)? {
            for line in bytes.split(|byte| *byte == b'\n').filter(|line| !line.is_empty()) {
                let action: Action = serde_json::from_slice(line)
                    .map_err(|error| EngineError::Storage(format!("the commit {commit} of the lake's log cannot be read: {error}")))?;
                known.1.extend(action.remove.map(|remove| (remove.path, remove.at.unwrap_or(Millis::MAX))));
            }
        }
        // Whoever takes everything for old reads nothing.
        if self.until < Millis::MAX {
            known.0 = table.files().version.map_or(0, |version| version + 1);
        }
        Ok(MutexGuard::map(known, |known| &mut known.1))
    }

    /// What of a log can go, the oldest first.
    fn log_behind<'l>(&self, log: &[&'l (String, ObjectMeta)]) -> Result<Vec<&'l (String, ObjectMeta)>, EngineError> {
        let checkpoints = log.iter().rev().filter(|(file, meta)| file.ends_with(".checkpoint.parquet") && self.is_old(meta));
        for (checkpoint, meta) in checkpoints {
            if !rollback::is_parquet(self.store, checkpoint, meta.size)? {
                continue;
            }
            let behind = rollback::version_of(checkpoint).unwrap_or_default();
            let versions = log.iter().copied().filter(|(file, _)| rollback::version_of(file).is_some_and(|version| version < behind));
            return Ok(versions.take_while(|(_, meta)| self.is_old(meta)).collect());
        }
        Ok(Vec::new())
    }

    /// Deletes a data file; false if that is to end.
    fn delete(&mut self, file: &str, size: u64) -> Result<bool, EngineError> {
        if !(self.proceed)() {
            return Ok(false);
        }
        (self.done.files, self.done.bytes) = (self.done.files + 1, self.done.bytes + size);
        if !self.dry_run {
            self.store.remove(file)?;
            crash::point("vacuum-deleted-one");
        }
        Ok(true)
    }

    /// Deletes a file of a log; false if that is to end.
    fn delete_of_log(&mut self, file: &str, size: u64) -> Result<bool, EngineError> {
        if !(self.proceed)() {
            return Ok(false);
        }
        (self.done.log_files, self.done.log_bytes) = (self.done.log_files + 1, self.done.log_bytes + size);
        if !self.dry_run {
            self.store.remove(file)?;
            crash::point("log-cleaned-one");
        }
        Ok(true)
    }
}

/// A line of a commit.
#[derive(Deserialize)]
struct Action {
    remove: Option<Remove>,
}

#[derive(Deserialize)]
struct Remove {
    path: String,
    #[serde(rename = "deletionTimestamp")]
    at: Option<Millis>,
}
