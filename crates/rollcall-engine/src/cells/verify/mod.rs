//! Proof that cells are what the facts say: stored base cells against the facts of the ledger, and kept merged cells against the base
//! cells. Rebuilding is the same walk, which replaces what is wrong as it goes.
//!
//! Stored base cells hold exactly the facts up to the checkpoint's position, so those facts are folded again, a day at a time, and
//! compared; live cells do not matter. What is replaced goes into storage together with the removal of the kept cells around it, in one
//! atomic batch for a day and kind of cell. So a crash leaves each quarter hour as it was or as it should be, and a second run finds
//! what is left. Spans of days, and kinds of kept cells, are shared out among threads.
//!
//! Before that, the data files of the lake are held against their checksums ([`Cells::damaged`]). Days with facts in a damaged file are
//! not compared, since their facts are not known; and cells are not made anew from what is left of them.

mod facts;
mod files;
mod findings;
mod kept;

pub use findings::{DamagedFile, Difference, Fault, Findings};

use super::bases::{Listed, for_each_base};
use super::store::Cells;
use super::stored::day_of_key;
use super::{Base, Day, Stored, UsageSets, UseSums};
use crate::error::EngineError;
use crate::facts::Pinned;
use crate::kinds::block::Block;
use crate::ledger::Ledger;
use crate::ledger::ids::Counts;
use crate::parallel::{on_threads, processors};
use facts::Span;
use fjall::{Keyspace, Readable};
use rollcall_model::calendar::DAY_MILLIS;
use rollcall_model::{FactKind, OrgId, Range};
use std::collections::BTreeSet;
use std::sync::atomic::{AtomicU64, Ordering};

/// What is verified.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Scope {
    /// The organization; none: every one.
    pub org: Option<OrgId>,
    /// The base cells of the UTC days that this range touches, and the kept cells whose slices meet those days.
    pub range: Range,
}

impl Scope {
    /// Everything there is.
    pub const ALL: Self = Self { org: None, range: Range::new(0, rollcall_model::calendar::LATEST + 30 * DAY_MILLIS) };

    /// The days, counted from 1970-01-01.
    const fn days(&self) -> std::ops::Range<i32> {
        if self.range.is_empty() {
            return 0..0;
        }
        Day::of(self.range.from).0..Day::of(self.range.to - 1).0 + 1
    }
}

/// Makes the cell of a selector from everything that was used in its slice; none if it is not known what is behind the selector. The cell
/// that is stored may help to know.
pub type Select<'s> = dyn Fn(OrgId, u128, &UsageSets, &UseSums) -> Option<UsageSets> + Sync + 's;

/// Is told how many steps are done, and of how many: each takes about as long.
pub type Progress<'p> = dyn Fn(u64, u64) + Sync + 'p;

/// How many days a thread takes at a time. It first looks for stays that reach into them, so not too few.
const SPAN: i32 = 32;

/// One state of the cells, being verified.
struct Proof<'c> {
    cells: &'c Cells,
    pinned: Pinned,
    ids: Counts,
    /// The position that stored base cells cover.
    covered: u64,
    days: std::ops::Range<i32>,
    /// Whether what is wrong is replaced.
    mend: bool,
}

/// One state of facts and cells.
pub(crate) struct State {
    pinned: Pinned,
    /// The position that stored base cells cover.
    covered: u64,
}

impl Cells {
    /// The newest state.
    pub(crate) fn pin(&self) -> State {
        let state = self.state.read();
        State { pinned: self.facts.pin(), covered: state.covered.position }
    }

    /// Verifies stored cells, and with `mend` replaces base cells that are wrong and drops kept cells that are wrong or cannot be verified.
    ///
    /// With `mend` no checkpoint runs meanwhile, and the state is the newest; without, only the given one matters. Days with facts in one
    /// of the `damaged` files are left out.
    ///
    /// # Errors
    /// [`EngineError::Storage`], also if a block of facts cannot be read.
    pub(crate) fn verify(
        &self,
        scope: &Scope,
        mend: bool,
        state: State,
        damaged: &[DamagedFile],
        select: &Select<'_>,
        progress: &Progress<'_>,
    ) -> Result<Findings, EngineError> {
        let _nobody_checkpoints = mend.then(|| self.checkpointing.lock());
        let State { pinned, covered } = if mend { self.pin() } else { state };
        let ids = Counts::of(&self.facts.ledger, &pinned.snapshot)?;
        let mut proof = Proof { cells: self, pinned, ids, covered, days: scope.days(), mend };
        let orgs = proof.organizations(scope)?;
        let mut spans = Vec::new();
        for org in &orgs {
            for_each_base!(B => {
                let days = proof.extent::<B>(*org)?;
                let (base, kind) = (B::POSITION, <B as Base>::Block::KIND);
                let cut = |first: i32| Span { org: *org, base, kind, days: first..days.end.min(first + SPAN) };
                spans.extend(days.clone().step_by(SPAN as usize).map(cut));
            });
        }
        let (unread, spans): (Vec<_>, Vec<_>) = spans.into_iter().partition(|span| damaged.iter().any(|file| span.needs(file)));
        let kinds = proof.kinds_kept(&orgs)?;
        let (done, steps) = (AtomicU64::new(0), (spans.len() + kinds.len()) as u64);
        let step = || progress(done.fetch_add(1, Ordering::Relaxed) + 1, steps);
        progress(0, steps);
        let mut findings = share_out(&spans, |span| proof.base(span), step)?;
        if mend {
            proof.pinned = self.facts.pin();
        }
        findings.add(share_out(&kinds, |(org, kind)| proof.kept(*org, *kind, select), step)?);
        findings.organizations = orgs.len() as u64;
        findings.unread_days = unread.iter().map(|span| span.days.len() as u64).sum();
        Ok(findings)
    }
}

impl Proof<'_> {
    /// The organizations that have facts or cells.
    fn organizations(&self, scope: &Scope) -> Result<Vec<OrgId>, EngineError> {
        let cells = self.cells;
        let mut found = BTreeSet::new();
        let Ledger { facts, ids, .. } = &*cells.facts.ledger;
        let of_bases = cells.bases.iter().flat_map(|Stored { lists, parts }| [lists, parts]);
        for keyspace in [facts, ids, &cells.merged].into_iter().chain(of_bases) {
            found.extend(self.prefixes::<16>(keyspace, &[])?.into_iter().map(|org| OrgId(uuid::Uuid::from_bytes(org))));
        }
        for kind in FactKind::ALL.iter().copied() {
            found.extend(self.pinned.version.of(kind).organizations());
        }
        Ok(found.into_iter().filter(|org| scope.org.is_none_or(|only| only == *org)).collect())
    }

    /// The kinds of kept cells that each organization has.
    fn kinds_kept(&self, orgs: &[OrgId]) -> Result<Vec<(OrgId, u8)>, EngineError> {
        let mut found = Vec::new();
        for org in orgs {
            let kinds = self.prefixes::<17>(&self.cells.merged, org.0.as_bytes())?;
            found.extend(kinds.into_iter().filter_map(|prefix| Some((*org, *prefix.last()?))));
        }
        Ok(found)
    }

    /// What the keys of a keyspace begin with that begin with `within`, each once.
    fn prefixes<const N: usize>(&self, keyspace: &Keyspace, within: &[u8]) -> Result<Vec<[u8; N]>, EngineError> {
        let mut found: Vec<[u8; N]> = Vec::new();
        let mut from = within.to_vec();
        while let Some(next) = self.pinned.snapshot.range(keyspace, from.clone()..).next() {
            let key = next.key()?;
            let Some(prefix) = key.first_chunk::<N>().filter(|prefix| prefix.starts_with(within)) else { break };
            found.push(*prefix);
            // Beyond every key that begins so: none is that long.
            from = [prefix.as_slice(), &[u8::MAX; 64]].concat();
        }
        Ok(found)
    }

    /// The days on which an organization may have base cells of a sort, or should have.
    fn extent<B: Base>(&self, org: OrgId) -> Result<std::ops::Range<i32>, EngineError> {
        let (stored, kind, before, after) = (self.cells.stored::<B>(), B::Block::KIND, B::DAYS_BEFORE, B::DAYS_AFTER);
        let of_kind = [org.0.as_bytes().as_slice(), &[kind.number()]].concat();
        let day = |key: &[u8]| Some(i32::from_be_bytes(*key.get(17..)?.first_chunk()?));
        let mut days: Vec<i32> = Vec::new();
        let Ledger { facts, ids, .. } = &*self.cells.facts.ledger;
        days.extend(self.ends(facts, &of_kind)?.iter().filter_map(|key| day(key)).flat_map(|day| [day - before, day + after]));
        let in_lake = self.pinned.version.of(kind).of(org).flat_map(|file| [file.times.from, file.times.to]);
        days.extend(in_lake.map(|at| Day::of(at).0).flat_map(|day| [day - before, day + after]));
        days.extend(self.ends(ids, &of_kind)?.iter().filter_map(|key| day(key)));
        for keyspace in [&stored.lists, &stored.parts] {
            days.extend(self.ends(keyspace, org.0.as_bytes())?.iter().filter_map(|key| Some(day_of_key(key)?.0)));
        }
        let (first, last) = (days.iter().min().copied().unwrap_or(0), days.iter().max().map_or(0, |last| last + 1));
        let first = first.max(self.days.start);
        Ok(first..last.min(self.days.end).max(first))
    }

    /// The first and the last key that begin so.
    fn ends(&self, keyspace: &Keyspace, prefix: &[u8]) -> Result<Vec<fjall::UserKey>, EngineError> {
        let mut keys = self.pinned.snapshot.prefix(keyspace, prefix);
        let ends = [keys.next(), keys.next_back()];
        Ok(ends.into_iter().flatten().map(fjall::Guard::key).collect::<Result<_, _>>()?)
    }
}

/// Does the tasks on every processor, and adds up what they find in their order.
fn share_out<T: Sync>(
    tasks: &[T],
    work: impl Fn(&T) -> Result<Findings, EngineError> + Sync,
    done: impl Fn() + Sync,
) -> Result<Findings, EngineError> {
    let found = on_threads(processors(), tasks, |task| work(task).inspect(|_| done()))?;
    let mut sum = Findings::default();
    found.into_iter().for_each(|of_task| sum.add(of_task));
    Ok(sum)
}
