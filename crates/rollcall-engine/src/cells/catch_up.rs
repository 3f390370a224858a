//! Folding at a start: what the ledger has and no checkpoint covers. A commit of any size is folded in pieces, with checkpoints between
//! them, so that a start never needs more memory than ingest does.

use super::store::Cells;
use super::stored::broken;
use crate::crash;
use crate::error::EngineError;
use crate::for_each_kind;
use crate::kinds::Listed;
use crate::kinds::block::Commit;
use crate::kinds::words::Worded;
use fjall::Slice as Bytes;
use rollcall_model::OrgId;
use std::ops::Range;

/// Up to where the ledger is folded, or covered by a checkpoint.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Mark {
    /// Of the last commit that is folded whole.
    pub(super) position: u64,
    /// How many facts of a later commit are folded as well, and its position; only while a start folds it.
    pub(super) begun: Option<(u64, u64)>,
}

impl Mark {
    /// The mark after a whole commit.
    pub(super) const fn after(position: u64) -> Self {
        Self { position, begun: None }
    }

    /// The bytes in storage.
    pub(super) fn bytes(self) -> Vec<u8> {
        let begun = self.begun.map(|(position, facts)| [position, facts]);
        std::iter::once(self.position).chain(begun.into_iter().flatten()).flat_map(u64::to_be_bytes).collect()
    }

    /// The mark of such bytes; without any, the one before the first commit.
    pub(super) fn read(stored: Option<&Bytes>) -> Result<Self, EngineError> {
        let Some(bytes) = stored else { return Ok(Self::default()) };
        let broken = || broken("the position that cells cover");
        let (numbers, []) = bytes.as_chunks::<8>() else { return Err(broken()) };
        match numbers.iter().map(|number| u64::from_be_bytes(*number)).collect::<Vec<_>>()[..] {
            [position] => Ok(Self::after(position)),
            [position, begun, facts] => Ok(Self { position, begun: Some((begun, facts)) }),
            _ => Err(broken()),
        }
    }
}

impl Cells {
    /// Folds a commit as [`Cells::fold`] does, at a start: only what no checkpoint covers, and in pieces.
    ///
    /// # Errors
    /// [`EngineError::Storage`].
    pub fn catch_up(&self, position: u64, commit: &Commit) -> Result<(), EngineError> {
        let mark = self.state.read().position;
        let mut done = match mark.begun {
            Some((begun, facts)) if begun == position => usize::try_from(facts).map_err(|_| broken("the position that cells cover"))?,
            Some(_) => return Err(broken("the position that cells cover")),
            None => 0,
        };
        let facts = commit.facts();
        for end in ends(commit, self.checkpoint_entries) {
            if end <= done {
                continue;
            }
            let reached = if end == facts { Mark::after(position) } else { Mark { begun: Some((position, end as u64)), ..mark } };
            if (done, end) == (0, facts) {
                self.fold_up_to(reached, commit);
            } else {
                self.fold_up_to(reached, &piece(commit, done..end));
            }
            done = end;
            let health = &self.facts.ledger.health;
            if self.is_overdue() && health.broken().is_none() {
                match self.checkpoint() {
                    Ok(_) => crash::point("cells-caught-up-in-part"),
                    // Reports need no storage: the rest is live, until there is room.
                    Err(error) => health.broke(&error),
                }
            }
        }
        Ok(())
    }
}

/// After how many facts of a commit the pieces of it end that make so many entries each.
fn ends(commit: &Commit, most: u64) -> Vec<usize> {
    fn add<B: Worded>(blocks: &[(OrgId, B)], most: u64, (facts, entries): &mut (usize, u64), ends: &mut Vec<usize>) {
        for row in blocks.iter().flat_map(|(_, block)| block.each_row()) {
            *facts += 1;
            *entries += B::entries(&row);
            if *entries >= most {
                *entries = 0;
                ends.push(*facts);
            }
        }
    }
    let (mut ends, mut counted) = (Vec::new(), (0, 0));
    for_each_kind!(K => add(K::of_commit(commit), most, &mut counted, &mut ends));
    if ends.last() != Some(&counted.0) {
        ends.push(counted.0);
    }
    ends
}

/// Some facts of a commit, counted over its blocks in their order.
fn piece(commit: &Commit, facts: Range<usize>) -> Commit {
    fn of<B: Worded>(blocks: &[(OrgId, B)], before: &mut usize, facts: &Range<usize>) -> Vec<(OrgId, B)> {
        let mut taken = Vec::new();
        for (org, block) in blocks {
            let (begin, end) = (*before, *before + block.facts());
            let (from, to) = (facts.start.clamp(begin, end), facts.end.clamp(begin, end));
            if from < to {
                taken.push((*org, block.slice(from - begin, to - from)));
            }
            *before = end;
        }
        taken
    }
    let (mut before, mut piece) = (0, Commit::default());
    for_each_kind!(K => *K::of_commit_mut(&mut piece) = of(K::of_commit(commit), &mut before, &facts));
    piece
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cells::Scope;
    use crate::crash::tests::until;
    use crate::kinds::columns::{Assistances, Attendances};
    use crate::testing::{copy_all, organization};
    use crate::{Engine, Settings};
    use jiff::tz::TimeZone;
    use rollcall_model::calendar::DAY_MILLIS;
    use rollcall_model::reports::{ActiveUsers, Grouping, MeetingDays, StayFilter};
    use rollcall_model::{AssistanceDraft, Directory, Organization, Period, Range, Reports, Value};

    const AT: i64 = 1_740_819_600_000;

    /// Stays of two days, of two users in turn.
    fn attendances(organization: &Organization, count: i64) -> Attendances {
        let fact = |number: i64| {
            let joined = AT + number * 7_000_000;
            (format!("s{}", number % 3), format!("u{}", number % 2), [AT, joined, joined + 2 * DAY_MILLIS])
        };
        crate::testing::attendances(organization, (0..count).map(fact))
    }

    fn assistances(organization: &Organization, count: i64) -> Assistances {
        let mut facts = Assistances::default();
        for number in 0..count {
            let mut draft = AssistanceDraft::new();
            for (field, value) in [("user_id", "u"), ("kind", "completion")] {
                draft.set(field, Value::Str(value.into()));
            }
            draft.set("at", Value::Int(AT + number * 1000));
            facts.push(&draft.finish(organization, &Directory::default()).unwrap());
        }
        facts
    }

    /// A data directory as a crash leaves it before the first checkpoint: 24 attendances, half of them in one commit, and 36 assistances.
    fn crashed() -> tempfile::TempDir {
        let (open, copy) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
        // Nobody works on the files in the background.
        let engine = Engine::open(open.path(), Settings { flush_seconds: 0, ..Settings::default() }).unwrap();
        let no_checkpoint = engine.cells.checkpointing.lock();
        for number in [1, 2] {
            let organization = organization(number);
            engine.ingest(&organization, attendances(&organization, 12)).unwrap();
        }
        let organization = organization(1);
        engine.ingest(&organization, assistances(&organization, 36)).unwrap();
        copy_all(open.path(), copy.path());
        drop(no_checkpoint);
        copy
    }

    fn answers(engine: &Engine) -> String {
        let range = Range::new(AT - DAY_MILLIS, AT + 9 * DAY_MILLIS);
        let ask = ActiveUsers {
            range,
            zone: TimeZone::UTC,
            week_start: jiff::civil::Weekday::Monday,
            by: Grouping::Period(Period::Day),
            of: StayFilter::default(),
        };
        let of = |number| {
            let org = organization(number).id;
            let meetings = engine.meeting_days(org, &MeetingDays::by_day(range, TimeZone::UTC)).unwrap();
            format!("{:?} {:?}", meetings.rows, engine.active_users(org, &ask).unwrap().rows)
        };
        of(1) + &of(2)
    }

    #[test]
    fn a_start_folds_large_commits_in_pieces_and_may_be_cut_off_between_them() {
        let expected = answers(&Engine::open(crashed().path(), Settings::default()).unwrap());
        // A stay makes three entries: pieces of two stays, or of six assistances, and a checkpoint after every third.
        let small = Settings { checkpoint_entries: 6, ..Settings::default() };
        let directory = crashed();
        let mut cut_off = 0;
        while until("cells-caught-up-in-part", || drop(Engine::open(directory.path(), small.clone()).unwrap())) {
            cut_off += 1;
            assert!(cut_off < 20, "a start does not go on where it was cut off");
        }
        // 24 stays and 36 assistances are 18 pieces; each start went on after the last that was checkpointed.
        assert!((4..=7).contains(&cut_off), "{cut_off}");
        let engine = Engine::open(directory.path(), small).unwrap();
        assert_eq!(answers(&engine), expected);
        engine.checkpoint().unwrap();
        let found = engine.verify(&Scope::ALL, &|_, _| {}).unwrap();
        assert_eq!((found.facts, found.told), (60, vec![]));
    }

    #[test]
    fn a_start_holds_no_more_entries_than_ingest_does() {
        let directory = crashed();
        let small = Settings { checkpoint_entries: 6, ..Settings::default() };
        let engine = Engine::open(directory.path(), small).unwrap();
        // What is left was not enough for another checkpoint.
        assert!(engine.cells.state.read().live.entries < 3 * 6);
        assert_ne!(engine.cells.covered(), 0);
    }

    #[test]
    fn a_mark_reads_back_as_it_was_written() {
        for mark in [Mark::default(), Mark::after(7), Mark { position: 7, begun: Some((8, 300_000)) }] {
            assert_eq!(Mark::read(Some(&mark.bytes().into())).unwrap(), mark);
        }
        assert_eq!(Mark::read(None).unwrap(), Mark::default());
        for damaged in [vec![], vec![0; 7], vec![0; 16], vec![0; 32]] {
            assert!(Mark::read(Some(&damaged.into())).is_err());
        }
    }
}
