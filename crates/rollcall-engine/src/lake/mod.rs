//! The lake: open Delta tables that hold every fact for good, one for each kind of fact.
//!
//! Tables are partitioned by organization and UTC month, and sorted by time within a file. Any engine reads them while rollcall writes: a
//! version of a table is a list of files that never change. What facts look like there is said by [`crate::kinds::words`].
//!
//! # Layout
//! - [`store`]: the directory or bucket where the lake lies, open
//! - `log`: the versions of a table, what each holds, the commit of a next one, and what is checked at start
//! - `data`: data files, written, read and merged, and whether what is read is what was written
//! - `flush`: facts on their way from the ledger
//! - `compact`: many small files become few large ones
//! - `vacuum`: files that nobody needs any more are deleted
//! - `erase`: facts found and taken out of data files

mod compact;
mod data;
mod erase;
#[cfg(test)]
mod faults;
mod flush;
mod log;
pub mod store;
#[cfg(test)]
mod tests;
mod vacuum;

pub(crate) use compact::Bin;
pub use compact::Compacted;
pub use data::checksums::Checksum;
pub(crate) use data::read::LakeScan;
pub(crate) use erase::{Found, Matcher};
pub use log::files::{DataFile, Files};
pub(crate) use log::rollback::version_of;
pub use store::Store;
pub(crate) use vacuum::Traces;
pub use vacuum::Vacuumed;

use crate::error::EngineError;
use crate::for_each_kind;
use crate::kinds::stored::Wanted;
use crate::kinds::words::Worded;
use crate::kinds::{BlockOf, Kind, PerKind};
use crate::ledger::Ledger;
use crate::location::{Location, StoreOptions};
use data::read::{self, ByMemory, Footers};
use data::{checksums, merge, write};
use log::table::{self, Table};
use log::{change, files, rollback};
use quick_cache::sync::Cache;
use rollcall_model::{FactKind, OrgId};
use std::sync::Arc;

/// How many bytes of footers of data files are kept in memory.
const FOOTER_BYTES: u64 = 32 << 20;

/// The open tables.
pub struct Lake {
    /// Where it lies.
    pub(crate) location: Location,
    /// The same, open.
    pub(crate) store: Store,
    footers: Arc<Footers>,
    tables: PerKind<Table>,
}

impl std::fmt::Debug for Lake {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Lake").field("store", &self.store).finish_non_exhaustive()
    }
}

/// The newest version of each table.
pub type Version = PerKind<Arc<Files>>;

impl Version {
    /// How many bytes the files of all have.
    pub fn bytes(&self) -> u64 {
        self.each().into_iter().map(|files| files.bytes()).sum()
    }

    /// How many facts the files of all have.
    pub fn facts(&self) -> u64 {
        self.each().into_iter().map(|files| files.facts()).sum()
    }
}

impl Lake {
    /// Opens the lake of a ledger. Commits of a table beyond the version that the ledger knows to be durable are verified, and
    /// rolled back where they are broken: the ledger still has their facts.
    ///
    /// # Errors
    /// [`EngineError::Storage`], also if another ledger writes this lake.
    pub(crate) fn open(location: &Location, options: &StoreOptions, ledger: &Ledger) -> Result<Self, EngineError> {
        let store = Store::open(location, options)?;
        store.reach().map_err(|error| {
            EngineError::Storage(format!(
                "{location} does not answer, and only the lake knows which facts it has. Check [lake] url and options, or AWS_… in the \
                 environment: endpoint, region, credentials: {error}"
            ))
        })?;
        Self::over(location.clone(), store, ledger)
    }

    /// Checks that the ledger, whose last commit is at `position`, has had all that the tables cover.
    ///
    /// # Errors
    /// [`EngineError::Damaged`].
    pub(crate) fn check_covered(&self, position: u64) -> Result<(), EngineError> {
        let covered = self.tables.each().map(|table| table.files().position).into_iter().max().unwrap_or_default();
        if covered <= position {
            return Ok(());
        }
        Err(EngineError::Damaged(format!(
            "the lake covers commit {covered}, and the ledger ends at commit {position}: facts that were acknowledged are lost; restore a \
             backup to a new directory: rollcall restore BACKUP --data NEW"
        )))
    }

    fn over(location: Location, store: Store, ledger: &Ledger) -> Result<Self, EngineError> {
        Ok(Self {
            location,
            footers: Arc::new(Cache::with_weighter(1024, FOOTER_BYTES, ByMemory)),
            tables: for_each_kind!(K => Table::open::<BlockOf<K>>(&store, ledger)?).into(),
            store,
        })
    }

    /// The table of a kind of fact.
    pub(crate) const fn table(&self, kind: FactKind) -> &Table {
        self.tables.of(kind)
    }

    /// The newest version of the table of a kind of fact.
    pub(crate) fn files_of(&self, kind: FactKind) -> Arc<Files> {
        self.table(kind).files()
    }

    /// The newest version of each table, and what `with` gives while no newer one is shown.
    pub(crate) fn pin<T>(&self, with: impl FnOnce() -> T) -> (Version, T) {
        let held = self.tables.each().map(Table::hold);
        (held.each_ref().map(|files| Arc::clone(files)).into(), with())
    }

    /// Writes checkpoints of the newest versions. Only whoever may change the lake calls this.
    pub(crate) fn checkpoint(&self) -> Result<(), EngineError> {
        for_each_kind!(K => self.table(K::KIND).checkpoint::<BlockOf<K>>()?);
        Ok(())
    }

    /// The facts of an organization in a version that are wanted.
    pub(crate) fn scan<B: Worded>(&self, version: &Version, org: OrgId, wanted: Wanted) -> LakeScan<B> {
        let files = version.of(B::KIND).of(org).cloned().collect();
        LakeScan::new(self.store.clone(), self.footers.clone(), self.table(B::KIND).name(), files, wanted)
    }
}

/// What a library says failed.
fn failed(error: impl std::fmt::Display) -> EngineError {
    EngineError::Storage(format!("the lake: {error}"))
}
