//! The steps of an erasure.

use super::named::Days;
use super::{Erased, Progress, Proof, Selection};
use crate::Engine;
use crate::cells::Scope;
use crate::clock::now;
use crate::commit::{Alone, Message, REQUEST_BITS};
use crate::crash;
use crate::error::EngineError;
use crate::for_each_kind;
use crate::kinds::BlockOf;
use crate::kinds::stored::Wanted;
use crate::kinds::words::{self, Worded};
use crate::lake::{Found, Matcher, Traces, Vacuumed};
use crate::ledger::{Erasure, ErasureKey};
use arrow_array::{Array, RecordBatch};
use hashbrown::HashSet;
use rollcall_model::{FactId, FactKind, Millis, OrgId, Range};
use std::sync::mpsc::sync_channel;

/// How many ids are removed at a time: what memory must hold, and how long an ingest may have to wait.
const IDS_AT_A_TIME: usize = 100_000;

/// How often what came meanwhile is erased too, before its user is left in peace.
const MOST_ROUNDS: usize = 8;

/// How often it is looked whose ids may go while facts come.
const MOST_LOOKS: usize = 100;

/// How many steps progress is told of.
const STEPS: u64 = 5;

/// An erasure under way.
struct Work<'w> {
    org: OrgId,
    key: &'w ErasureKey,
    selection: &'w Selection,
    matcher: Matcher<'w>,
    /// See [`Erasure::since`]; none if no attempt before this one can have removed ids.
    since: Option<u64>,
    erasure: Erasure,
    erased: Erased,
    /// The days whose cells were or are made anew.
    days: Days,
}

impl Engine {
    /// Does, or finishes, a noted erasure.
    pub(super) fn carry_out(
        &self,
        org: OrgId,
        key: &ErasureKey,
        mut erasure: Erasure,
        scrub: bool,
        progress: &Progress<'_>,
    ) -> Result<Erased, EngineError> {
        let ledger = &self.facts.ledger;
        let (mut erased, mut days) = (Erased::default(), Days::default());
        days.add_spans(&erasure.days);
        let selection = erasure.selection.clone();
        if let Some(selection) = &selection {
            // Whichever erasure failed: its facts may be among those of this one.
            let noted = ledger.erasures()?.into_iter().filter(|(of, ..)| *of == org);
            let since = noted.filter_map(|(.., noted)| noted.since).min();
            let mut work = Work { org, key, selection, matcher: Matcher::new(selection), since, erasure, erased, days };
            self.erase_facts(&mut work, progress)?;
            (erasure, erased, days) = (work.erasure, work.erased, work.days);
            let is_of_user = matches!(selection, Selection::User(_));
            if let Selection::User(user) = selection {
                erased.directory_entries = self.forget_user(org, user)?;
            }
            crash::point("erasure-names-removed");
            progress(2, STEPS);
            if is_of_user {
                self.keeper.hold().checkpoint_lake()?;
            }
            crash::point("erasure-log-checkpointed");
            self.facts.wait_for_readers();
            let held = self.keeper.hold();
            let traces = Traces { org, months: (!is_of_user).then(|| erasure.months.clone()), logs: is_of_user };
            let Vacuumed { files, log_files, .. } = held.sweep(&traces, false)?;
            erased.files_removed = files + log_files;
            let Vacuumed { files, log_files, .. } = held.sweep(&traces, true)?;
            erased.proof = Some(Proof { files: files + log_files, ..Proof::default() });
            drop(held);
            crash::point("erasure-files-removed");
            if is_of_user {
                erasure.selection = None;
                ledger.note_erasure(key, &erasure)?;
            }
        }
        progress(3, STEPS);
        // What others leave in the ledger's database are hashes, and facts that are trimmed: fjall's own work removes them.
        if scrub && erasure.selection.is_none() {
            ledger.scrub(|| self.facts.wait_for_readers())?;
        }
        crash::point("erasure-scrubbed");
        progress(4, STEPS);
        erased.proof = Some(self.prove_erased(org, selection.as_ref(), key, &days, erased.proof.unwrap_or_default())?);
        if let Some(Selection::Where(conditions)) = &selection
            && conditions.are_of_receipts_alone()
        {
            ledger.note_withdrawn(org, |receipt| conditions.may_have(receipt), now())?;
        }
        ledger.end_erasure(key)?;
        progress(5, STEPS);
        Ok(erased)
    }

    /// Erases facts and ids until no more come, and what cells knew of them; of a user then the name.
    fn erase_facts(&self, work: &mut Work<'_>, progress: &Progress<'_>) -> Result<(), EngineError> {
        // What an attempt that was cut off took out of the lake, cells may still have.
        let mut stale = Days::default();
        stale.add_spans(&work.erasure.days);
        for round in 0..=MOST_ROUNDS {
            let held = self.keeper.hold();
            held.flush_of(work.org)?;
            let some = for_each_kind!(K => self.erase_kind::<BlockOf<K>>(work, &mut stale)?).contains(&true);
            for range in std::mem::take(&mut stale).ranges() {
                self.prove_alone(&Scope { org: Some(work.org), range }, true, &|_, _| {})?;
            }
            crash::point("erasure-cells-rebuilt");
            progress(1, STEPS);
            // Somebody may still read what was erased in the round before, and asks for names.
            if round > 0 && !some && self.erase_name(work)? {
                return Ok(());
            }
            drop(held);
            self.facts.wait_for_readers();
        }
        tracing::warn!(organization = %work.org, "facts that are to be erased keep coming: the newest stay");
        Ok(())
    }

    /// Erases the facts of one kind that the lake has, and says whether there were any.
    fn erase_kind<B: Worded>(&self, work: &mut Work<'_>, stale: &mut Days) -> Result<bool, EngineError> {
        let lake = &self.facts.lake;
        let files = lake.files_with::<B>(&lake.files_of(B::KIND), work.org, &work.matcher)?;
        if files.is_empty() {
            return Ok(false);
        }
        if work.erasure.since.is_none() {
            work.erasure.since = FactKind::ALL.iter().map(|kind| lake.files_of(*kind).covers(work.org)).min();
            self.facts.ledger.note_erasure(work.key, &work.erasure)?;
        }
        let mut ids = Vec::new();
        for Found { file, named, times } in &files {
            work.erased.count(B::KIND, *named, *times);
            work.erasure.months.insert(file.month.clone());
            lake.each_named::<B>(file, &work.matcher, |words| {
                stale.add::<B>(words)?;
                work.days.add::<B>(words)?;
                ids.extend(ids_of::<B>(words)?);
                if ids.len() >= IDS_AT_A_TIME {
                    work.erased.ids += self.erase_ids::<B>(work.org, (&work.matcher, work.since), std::mem::take(&mut ids))?;
                }
                Ok(())
            })?;
        }
        work.erased.ids += self.erase_ids::<B>(work.org, (&work.matcher, work.since), ids)?;
        crash::point("erasure-ids-removed");
        // When the facts are gone, nobody can tell any more which cells knew of them.
        work.erasure.days = work.days.spans();
        self.facts.ledger.note_erasure(work.key, &work.erasure)?;
        work.erased.files_rewritten += lake.erase::<B>(&files, &work.matcher)?;
        Ok(true)
    }

    /// Removes the ids of facts that go. Those that facts have again which came since an attempt before this one, and stay, are not removed:
    /// else the next that is sent with them would count beside these.
    fn erase_ids<B: Worded>(
        &self,
        org: OrgId,
        (matcher, since): (&Matcher<'_>, Option<u64>),
        ids: Vec<FactId>,
    ) -> Result<u64, EngineError> {
        let (kind, waiting) = (B::KIND, &self.facts.ledger.waiting);
        for _ in 0..MOST_LOOKS {
            let newest = waiting.newest(kind, org);
            let mut ids = ids.clone();
            if let Some(since) = since {
                let held = self.held_since::<B>(org, (matcher, since), &ids)?;
                ids.retain(|id| !held.contains(id));
            }
            let (reply, erased) = sync_channel(1);
            self.send(Message::Alone(Alone::EraseIds { org, kind, ids, newest: since.map(|_| newest), reply }))?;
            if let Some(erased) = erased.recv().map_err(|_| EngineError::Closed)?? {
                return Ok(erased);
            }
        }
        Err(EngineError::Storage("facts keep coming while it is looked whose ids may go: try again when fewer come".into()))
    }

    /// Which of some ids facts have that came after a position and are not named.
    fn held_since<B: Worded>(
        &self,
        org: OrgId,
        (matcher, since): (&Matcher<'_>, u64),
        ids: &[FactId],
    ) -> Result<HashSet<FactId>, EngineError> {
        let (mut held, going) = (HashSet::new(), ids.iter().copied().collect::<HashSet<_>>());
        let mut look = |facts: &RecordBatch| {
            let (named, receipts) = (matcher.names::<B>(facts)?, words::receipts_of(facts)?);
            for (row, id) in ids_of::<B>(facts)?.into_iter().enumerate() {
                if receipts[row] >> REQUEST_BITS > since && !named.value(row) && going.contains(&id) {
                    held.insert(id);
                }
            }
            Ok(())
        };
        let (pinned, lake) = (self.facts.pin(), &self.facts.lake);
        for file in pinned.version.of(B::KIND).of(org) {
            lake.each_since::<B>(file, since << REQUEST_BITS, &mut look)?;
        }
        for read in pinned.in_ledger::<B>(org, Wanted::times(Range::new(0, Millis::MAX))) {
            look(&read?.2.to_words(&self.facts.ledger, org)?)?;
        }
        Ok(held)
    }

    /// Erases the name of a user of whom the ledger has no fact, and says whether it has none. For other selections there is nothing to do.
    fn erase_name(&self, work: &Work<'_>) -> Result<bool, EngineError> {
        let Selection::User(user) = work.selection else { return Ok(true) };
        // Most of what came is looked at here, so that the committer need not.
        let Some(after) = self.facts.ledger.last_without(work.org, user, 0)? else { return Ok(false) };
        let (reply, erased) = sync_channel(1);
        self.send(Message::Alone(Alone::EraseUser { org: work.org, user: user.clone(), after, reply }))?;
        erased.recv().map_err(|_| EngineError::Closed)?
    }
}

/// The ids of facts in words.
fn ids_of<B: Worded>(words: &RecordBatch) -> Result<Vec<FactId>, EngineError> {
    let given = words::ids(words)?;
    let id = |(row, default)| if given.is_null(row) { default } else { FactId::of_given(given.value(row)) };
    Ok(B::default_ids(words)?.into_iter().enumerate().map(id).collect())
}
