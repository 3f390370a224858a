//! The data files that days have facts in, held against their checksums.

use super::facts::Span;
use super::{DamagedFile, Findings, Progress, Scope, State, share_out};
use crate::cells::bases::days_around;
use crate::cells::{Cells, Day};
use crate::error::EngineError;
use crate::lake::DataFile;
use rollcall_model::{FactKind, Range};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

/// The times of the facts that base cells of some days are made of.
fn times_of(kind: FactKind, days: &std::ops::Range<i32>) -> Range {
    let (before, after) = days_around(kind);
    Range::new(Day(days.start - after).range().from, Day(days.end + before).range().from)
}

impl Span {
    /// Whether facts of a file may be needed.
    pub(super) fn needs(&self, file: &DamagedFile) -> bool {
        self.org == file.org && self.kind == file.kind && !file.times.intersect(&times_of(self.kind, &self.days)).is_empty()
    }
}

impl Cells {
    /// Reads every data file of a state's lake that days of a scope need facts of, and names all that are damaged. Other findings are none.
    ///
    /// # Errors
    /// [`EngineError::Storage`] if a remote store does not answer.
    pub(crate) fn damaged(&self, scope: &Scope, state: &State, progress: &Progress<'_>) -> Result<Findings, EngineError> {
        let mut files = Vec::new();
        for kind in FactKind::ALL.iter().copied() {
            let times = times_of(kind, &scope.days());
            let of_kind = state.pinned.version.of(kind).iter().filter(|file| scope.org.is_none_or(|org| org == file.org));
            files.extend(of_kind.filter(|file| !file.times.intersect(&times).is_empty()).map(|file| (kind, file.clone())));
        }
        let (done, of) = (AtomicU64::new(0), files.len() as u64);
        let step = || progress(done.fetch_add(1, Ordering::Relaxed) + 1, of);
        progress(0, of);
        let check = |(kind, file): &(FactKind, Arc<DataFile>)| {
            let mut found = Findings::default();
            if let Some(damage) = self.facts.lake.store.differs(kind.name(), file)? {
                let name = format!("{}/{}", kind.name(), file.name);
                found.damaged_files = 1;
                found.damaged = vec![DamagedFile { org: file.org, kind: *kind, name, times: file.times, damage }];
            }
            Ok(found)
        };
        share_out(&files, check, step)
    }
}
