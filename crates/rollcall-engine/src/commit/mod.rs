//! The committer: one thread that gathers the requests that wait and commits them together.

mod rows;

use crate::cells::Cells;
use crate::clock::now;
use crate::crash;
use crate::error::EngineError;
use crate::facts::Facts;
use crate::facts::day_of;
use crate::kinds::block::{Block, Commit};
use crate::ledger::ids::{Ids, Known};
use crate::ledger::journal_repair::COMMIT_MARK;
use crate::ledger::receipts::{KeptReceipt, Receipts};
use crate::ledger::{Ledger, SEEN, block_key, block_key_prefix};
use crate::settings::Settings;
use fjall::{OwnedWriteBatch, PersistMode};
use rollcall_model::calendar::DAY_MILLIS;
use rollcall_model::{FactId, FactKind, Millis, OrgId, Receipt};
use rows::{Limits, OfKind, Rows};
use std::sync::Arc;
use std::sync::mpsc::{Receiver, RecvTimeoutError, SyncSender};
use std::time::Duration;

/// Facts that wait to be committed.
#[derive(Debug)]
pub struct Request {
    /// Whose facts they are.
    pub org: OrgId,
    /// The names behind [`crate::facts::Attendances::apps`].
    pub apps: Vec<String>,
    /// The facts.
    pub facts: Facts,
    /// Where the receipt goes.
    pub reply: SyncSender<Result<Receipt, EngineError>>,
}

/// What the committer is asked.
#[derive(Debug)]
pub enum Message {
    /// To store facts.
    Ingest(Box<Request>),
    /// To remove ids of facts that are erased, durably.
    EraseIds {
        /// Whose facts they are.
        org: OrgId,
        /// What they are.
        kind: FactKind,
        /// The ids.
        ids: Vec<FactId>,
        /// The newest commit with such facts that wait for the lake, by which it was seen which ids may go; none: all may.
        newest: Option<u64>,
        /// Where is told how many there were; none are removed if facts came since.
        reply: SyncSender<Result<Option<u64>, EngineError>>,
    },
    /// To erase the name of a user of whom no fact came after a position, durably.
    EraseUser {
        /// Whose user it is.
        org: OrgId,
        /// The name.
        user: String,
        /// The position.
        after: u64,
        /// Where is told whether none came.
        reply: SyncSender<Result<bool, EngineError>>,
    },
}

/// How many bits of a receipt's number say which of the requests of a commit it answers; those before them are the commit's position.
pub(crate) const REQUEST_BITS: u32 = 16;

/// The most requests of a group.
const GROUP_REQUESTS: usize = 1 << REQUEST_BITS;

/// A group is closed at this many facts, though more requests wait: a commit must fit in memory, and its first request must not
/// wait for ever.
const GROUP_FACTS: usize = 200_000;

/// The most entries of cells that the requests of a group make together; one that makes more by itself is alone.
const GROUP_ENTRIES: u64 = 8_000_000;

/// The most days that the requests of a group lie on, each counted by itself: each has blocks, ids and cells of its own.
const GROUP_DAYS: u64 = 4_000;

/// How long no message comes before claimed ids are flushed all the same.
const QUIET: Duration = Duration::from_secs(10);

/// Requests that are committed together.
#[derive(Debug)]
struct Group {
    requests: Vec<Request>,
    facts: usize,
    entries: u64,
    days: u64,
}

impl Group {
    fn of(first: Request) -> Self {
        let mut group = Self { requests: Vec::new(), facts: 0, entries: 0, days: 0 };
        group.add(first);
        group
    }

    fn is_full(&self) -> bool {
        self.facts >= GROUP_FACTS || self.requests.len() >= GROUP_REQUESTS
    }

    /// Whether another request may go with these.
    fn has_room(&self, next: &Request) -> bool {
        let cost = next.facts.cost();
        self.entries + cost.entries() <= GROUP_ENTRIES && self.days + cost.days() <= GROUP_DAYS
    }

    fn add(&mut self, request: Request) {
        self.facts += request.facts.len();
        self.entries += request.facts.cost().entries();
        self.days += request.facts.cost().days();
        self.requests.push(request);
    }
}

/// The committer's state.
pub struct Committer {
    ledger: Arc<Ledger>,
    cells: Arc<Cells>,
    ids: Ids,
    receipts: Receipts,
    position: u64,
    /// See [`Ledger::seen`].
    seen: Option<Millis>,
    limits: Limits,
    /// See [`Settings::block_bytes`].
    block_bytes: usize,
}

impl std::fmt::Debug for Committer {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Committer").field("position", &self.position).finish_non_exhaustive()
    }
}

impl Committer {
    /// A committer that goes on after the commit at `position`.
    ///
    /// # Errors
    /// [`EngineError::Storage`].
    pub fn new(ledger: Arc<Ledger>, cells: Arc<Cells>, position: u64, settings: &Settings) -> Result<Self, EngineError> {
        let ids = Ids::open(ledger.clone(), position, settings.id_cache_bytes)?;
        let receipts = Receipts::new(ledger.receipts.clone(), settings.receipts_per_organization);
        let limits = Limits::of(settings);
        // Should it not be readable, the next commit notes it anew.
        let seen = ledger.seen().unwrap_or_default();
        Ok(Self { ledger, cells, ids, receipts, position, seen, limits, block_bytes: settings.block_bytes })
    }

    /// Commits until every sender is gone. `after` is called after each group.
    pub fn run(mut self, messages: &Receiver<Message>, after: impl Fn()) {
        let mut waiting = self.next(messages);
        while let Some(message) = waiting.take() {
            match message {
                Message::Ingest(first) => {
                    let mut group = Group::of(*first);
                    while !group.is_full()
                        && let Ok(next) = messages.try_recv()
                    {
                        match next {
                            Message::Ingest(next) if group.has_room(&next) => group.add(*next),
                            other => {
                                waiting = Some(other);
                                break;
                            }
                        }
                    }
                    self.commit(&group.requests);
                }
                Message::EraseIds { org, kind, ids, newest, reply } => {
                    let is_seen = newest.is_none_or(|newest| self.ledger.waiting.newest(kind, org) == newest);
                    _ = reply.send(if is_seen { self.erase_ids(org, kind, &ids).map(Some) } else { Ok(None) });
                }
                Message::EraseUser { org, user, after, reply } => _ = reply.send(self.erase_user(org, &user, after)),
            }
            after();
            if self.ids.is_due() {
                self.flush_ids();
            }
            waiting = waiting.or_else(|| self.next(messages));
        }
        self.flush_ids();
    }

    /// The next message; none when every sender is gone. While none comes, ids find their places.
    fn next(&mut self, messages: &Receiver<Message>) -> Option<Message> {
        match messages.recv_timeout(QUIET) {
            Err(RecvTimeoutError::Timeout) => {
                self.flush_ids();
                messages.recv().ok()
            }
            received => received.ok(),
        }
    }

    /// Moves claimed ids into runs; all of them are committed. Where there is no room, they stay claimed.
    fn flush_ids(&mut self) {
        if self.ledger.health.admit().is_ok()
            && let Err(error) = self.ids.flush()
        {
            self.ledger.health.broke(&error);
        }
    }

    fn erase_ids(&mut self, org: OrgId, kind: FactKind, ids: &[FactId]) -> Result<u64, EngineError> {
        self.ledger.health.broken().map_or(Ok(()), Err)?;
        let erased = self.ids.erase(org, kind, ids);
        erased.and_then(|erased| self.ledger.sync().map(|()| erased)).inspect_err(|error| self.ledger.health.broke(error))
    }

    fn erase_user(&self, org: OrgId, user: &str, after: u64) -> Result<bool, EngineError> {
        self.ledger.health.broken().map_or(Ok(()), Err)?;
        if self.ledger.last_without(org, user, after)?.is_none() {
            return Ok(false);
        }
        let erased = self.ledger.users.erase(org, user).and_then(|()| self.ledger.sync());
        erased.map(|()| true).inspect_err(|error| self.ledger.health.broke(error))
    }

    /// Commits a group and answers every request in it.
    fn commit(&mut self, group: &[Request]) {
        // A failed write may or may not be on disk, so nothing is acknowledged after one until the database is opened again.
        let answers = self.ledger.health.admit().and_then(|()| self.store(group).inspect_err(|error| self.ledger.health.broke(error)));
        match answers {
            Ok(answers) => {
                for (request, answer) in group.iter().zip(answers) {
                    // A requester that went away has no use for its receipt.
                    let _ = request.reply.send(answer);
                }
            }
            Err(error) => {
                for request in group {
                    let _ = request.reply.send(Err(error.clone()));
                }
            }
        }
    }

    fn store(&mut self, group: &[Request]) -> Result<Vec<Result<Receipt, EngineError>>, EngineError> {
        let mut batch = self.ledger.db.batch().durability(Some(PersistMode::SyncData));
        let position = self.position + 1;
        let mut answers = Vec::with_capacity(group.len());
        let mut rows = Rows::default();
        for (number, request) in (position << REQUEST_BITS..).zip(group) {
            answers.push(match self.limits.check(&self.ledger, request) {
                Err(error) => Err(error),
                Ok(()) => {
                    let (receipt, new) = self.check(request)?;
                    rows.add(&self.ledger, request, number, &new, &mut batch)?;
                    let receipt = Receipt { receipt: (!new.is_empty()).then_some(number), ..receipt };
                    if let Some(times) = request.facts.times_of(&new) {
                        let kept = KeptReceipt::new(&receipt, request.facts.kind(), now(), times);
                        self.receipts.keep(request.org, &kept, &mut batch)?;
                    }
                    Ok(receipt)
                }
            });
        }
        if rows.is_empty() {
            return Ok(answers);
        }
        let mut keys = COMMIT_MARK.to_vec();
        let commit = Commit {
            attendance: self.write(&rows.attendance, position, &mut keys, &mut batch)?,
            assistance: self.write(&rows.assistance, position, &mut keys, &mut batch)?,
        };
        batch.insert(&self.ledger.commits, position.to_be_bytes(), keys);
        self.ids.take(position).store(&self.ledger, position, &mut batch);
        let newest = newest(&commit.attendance).max(newest(&commit.assistance));
        let seen = newest.map(|newest| now().min(newest.saturating_add(DAY_MILLIS))).max(self.seen);
        if let Some(seen) = seen.filter(|_| seen != self.seen) {
            batch.insert(&self.ledger.meta, SEEN, seen.to_be_bytes());
        }
        batch.commit()?;
        self.seen = seen;
        crash::point("ledger-committed");
        self.position = position;
        self.ledger.waiting.add(position, &commit);
        self.cells.fold(position, &commit);
        // Live cells are in memory: where a checkpoint does not keep up with them, ingest waits for one.
        if self.cells.is_overdue() {
            // The commit stands, whatever comes of this.
            self.ledger.health.checkpointed(self.cells.checkpoint());
        }
        Ok(answers)
    }

    /// Adds the blocks of rows of one kind to the batch, and their keys to the commit's.
    fn write<B: Block>(
        &self,
        rows: &OfKind<B::Row<'_>>,
        position: u64,
        keys: &mut Vec<u8>,
        batch: &mut OwnedWriteBatch,
    ) -> Result<Vec<(OrgId, B)>, EngineError> {
        let mut blocks = Vec::new();
        for (org, rows) in rows {
            // Rows are large: their times and places are sorted in their stead.
            let mut order: Vec<(Millis, usize)> = rows.iter().enumerate().map(|(at, row)| (B::time(row), at)).collect();
            order.sort_unstable();
            for of_day in order.chunk_by(|(a, _), (b, _)| day_of(*a) == day_of(*b)) {
                let Some((first, _)) = of_day.first() else { continue };
                let key = block_key_prefix(*org, B::KIND, day_of(*first));
                let rows: Vec<_> = of_day.iter().filter_map(|(_, at)| rows.get(*at)).collect();
                for (part, rows) in (0..).zip(parts::<B>(&rows, self.block_bytes)) {
                    let block = B::from_rows(rows)?;
                    batch.insert(&self.ledger.facts, block_key(&key, position, part), block.encode()?);
                    keys.extend_from_slice(&key);
                    blocks.push((*org, block));
                }
            }
        }
        Ok(blocks)
    }

    /// Claims the ids of a request: what its receipt will say, and the rows that are new.
    fn check(&mut self, request: &Request) -> Result<(Receipt, Vec<usize>), EngineError> {
        let mut receipt = Receipt::default();
        let mut new = Vec::with_capacity(request.facts.ids().len());
        let kind = request.facts.kind();
        let known = self.ids.claim(request.org, kind, request.facts.ids(), request.facts.contents())?;
        for (row, known) in known.into_iter().enumerate() {
            match known {
                Known::New => {
                    receipt.accepted += 1;
                    new.push(row);
                }
                Known::Duplicate => receipt.duplicate += 1,
                Known::Conflicting => receipt.conflicting += 1,
            }
        }
        Ok((receipt, new))
    }
}

/// Rows cut where a block of so many bytes is full: blocks that are too large cannot be read back.
fn parts<'p, 'f, 'r, B: Block>(
    mut rows: &'p [&'f B::Row<'r>],
    most: usize,
) -> impl Iterator<Item = &'p [&'f B::Row<'r>]> + use<'p, 'f, 'r, B> {
    std::iter::from_fn(move || {
        let mut bytes = 0;
        let full = |row: &&B::Row<'r>| {
            bytes += B::size(row);
            bytes > most
        };
        // A row that is larger by itself is a part by itself.
        let end = rows.iter().position(full).unwrap_or(rows.len()).max(1);
        let (part, rest) = rows.split_at_checked(end)?;
        rows = rest;
        Some(part)
    })
}

/// The newest time of facts.
fn newest<B: Block>(blocks: &[(OrgId, B)]) -> Option<Millis> {
    blocks.iter().map(|(_, block)| block.extent().to - 1).max()
}

#[cfg(test)]
mod tests {
    use super::{GROUP_DAYS, GROUP_ENTRIES, Group, Request, parts};
    use crate::cells::Scope;
    use crate::facts::{Assistances, Attendances};
    use crate::ledger::columns::{AssistanceBlock, AssistanceRow, AttendanceBlock, Block};
    use crate::{Engine, EngineError, Settings};
    use jiff::tz::TimeZone;
    use rollcall_model::calendar::DAY_MILLIS;
    use rollcall_model::reports::MeetingDays;
    use rollcall_model::{AssistanceDraft, AttendanceDraft, Directory, FactId, FactKind, OrgId, Organization, Range, Reports, Value};

    const AT: i64 = 1_740_819_600_000;

    fn organization() -> Organization {
        Organization::new(OrgId(uuid::Uuid::from_u128(1)), "o", TimeZone::UTC)
    }

    fn fact(app: &'static str, organization: &Organization) -> Attendances {
        let mut draft = AttendanceDraft::new();
        for (field, text) in [("app", app), ("session_id", "s"), ("user_id", "u")] {
            draft.set(field, Value::Str(text.into()));
        }
        for field in ["session_started_at", "joined_at", "left_at"] {
            draft.set(field, Value::Int(AT));
        }
        let mut facts = Attendances::default();
        facts.push(&draft.finish(organization, &Directory::default(), None).unwrap());
        facts
    }

    /// Completions in so many languages, each with an id of its own.
    fn assistances(languages: u8, accepted: i64, organization: &Organization) -> Assistances {
        let mut facts = Assistances::default();
        for language in 0..languages {
            let mut draft = AssistanceDraft::new();
            let (id, department) = (language.to_string(), format!("d{language}"));
            for (field, text) in [("id", &*id), ("user_id", "u"), ("kind", "completion"), ("language", &id), ("department_id", &department)]
            {
                draft.set(field, Value::Str(text.into()));
            }
            draft.set("at", Value::Int(AT));
            draft.set("accepted", Value::Int(accepted));
            facts.push(&draft.finish(organization, &Directory::default()).unwrap());
        }
        facts
    }

    /// An app was declared, and the next request was only a retry: it stored nothing, so it must not number the app either.
    #[test]
    fn an_app_first_named_beside_duplicates_keeps_its_facts_after_a_restart() {
        let directory = tempfile::tempdir().unwrap();
        let mut organization = organization();
        let engine = Engine::open(directory.path(), Settings::default()).unwrap();
        assert_eq!(engine.ingest(&organization, fact("default", &organization)).unwrap().accepted, 1);
        organization.apps.push("east".into());
        assert_eq!(engine.ingest(&organization, fact("default", &organization)).unwrap().duplicate, 1);
        assert_eq!(engine.ingest(&organization, fact("east", &organization)).unwrap().accepted, 1);
        drop(engine);
        let engine = Engine::open(directory.path(), Settings::default()).unwrap();
        let ask = MeetingDays { range: Range::new(AT, AT + 1), zone: TimeZone::UTC, app: Some("east".into()), unit: None };
        assert_eq!(engine.meeting_days(organization.id, &ask).unwrap().rows[0].meetings, 1);
    }

    #[test]
    fn an_attendance_and_an_assistance_may_have_the_same_id() {
        let (directory, organization) = (tempfile::tempdir().unwrap(), organization());
        let engine = Engine::open(directory.path(), Settings::default()).unwrap();
        let counts = |engine: &Engine, accepted| {
            let of = |receipt: rollcall_model::Receipt| (receipt.accepted, receipt.duplicate, receipt.conflicting);
            let mut attendance = fact("default", &organization);
            attendance.ids = vec![FactId::of_given("0")];
            let assistances = assistances(3, accepted, &organization);
            assert_eq!(attendance.ids[0], assistances.ids[0]);
            (of(engine.ingest(&organization, attendance).unwrap()), of(engine.ingest(&organization, assistances).unwrap()))
        };
        assert_eq!(counts(&engine, 0), ((1, 0, 0), (3, 0, 0)));
        assert_eq!(counts(&engine, 0), ((0, 1, 0), (0, 3, 0)));
        drop(engine);
        let engine = Engine::open(directory.path(), Settings::default()).unwrap();
        assert_eq!(counts(&engine, 1), ((0, 1, 0), (0, 0, 3)));
        let range = Range::new(AT, AT + 1);
        let facts = engine.scan::<AssistanceBlock>(organization.id, range).map(|block| block.unwrap().facts()).sum::<usize>();
        assert_eq!((facts, engine.scan::<AttendanceBlock>(organization.id, range).count()), (3, 1));
    }

    #[test]
    fn every_fact_carries_the_number_of_its_receipt_into_the_lake() {
        let (directory, organization) = (tempfile::tempdir().unwrap(), organization());
        let engine = Engine::open(directory.path(), Settings { flush_seconds: 0, ..Settings::default() }).unwrap();
        let receipts: Vec<_> = [1, 1, 3, 2].map(|count| engine.ingest(&organization, assistances(count, 0, &organization)).unwrap()).into();
        assert_eq!(receipts.iter().map(|receipt| receipt.receipt).collect::<Vec<_>>(), [Some(1 << 16), None, Some(2 << 16), None]);
        let carried = |engine: &Engine| {
            let blocks: Vec<AssistanceBlock> = engine.scan(organization.id, Range::new(AT, AT + 1)).map(Result::unwrap).collect();
            let mut of: Vec<_> = blocks.iter().flat_map(|block| block.rows().map(|row| (row.given_id.to_owned(), row.receipt))).collect();
            of.sort_unstable();
            of
        };
        let expected = [("0", 1 << 16), ("1", 2 << 16), ("2", 2 << 16)].map(|(id, receipt)| (id.to_owned(), receipt));
        assert_eq!(carried(&engine), expected);
        drop(engine);
        let engine = Engine::open(directory.path(), Settings { flush_seconds: 0, ..Settings::default() }).unwrap();
        assert_eq!(carried(&engine), expected);
        engine.flush().unwrap();
        assert_eq!(carried(&engine), expected);
        // Positions go on where they were.
        assert_eq!(engine.ingest(&organization, fact("default", &organization)).unwrap().receipt, Some(3 << 16));
    }

    /// Stays of seven days, one a day, each with an id of its own that looks like the default id of another fact.
    fn long_stays(count: i64, organization: &Organization) -> Attendances {
        let mut facts = Attendances::default();
        for number in 0..count {
            let mut draft = AttendanceDraft::new();
            let id = format!("rc-{number:08x}{number:024x}");
            for (field, text) in [("id", id.as_str()), ("session_id", "s"), ("user_id", "u")] {
                draft.set(field, Value::Str(text.into()));
            }
            let at = AT + number * DAY_MILLIS;
            for (field, at) in [("session_started_at", at), ("joined_at", at), ("left_at", at + 7 * DAY_MILLIS)] {
                draft.set(field, Value::Int(at));
            }
            facts.push(&draft.finish(organization, &Directory::default(), None).unwrap());
        }
        facts
    }

    #[test]
    fn requests_are_committed_together_only_while_they_make_few_entries_and_lie_on_few_days() {
        let organization = organization();
        let request = |facts: Attendances| Request {
            org: organization.id,
            apps: organization.apps.clone(),
            facts: facts.into(),
            reply: std::sync::mpsc::sync_channel(1).0,
        };
        let mut group = Group::of(request(long_stays(10, &organization)));
        // 672 quarter hours, 168 hours and a meeting each.
        assert_eq!((group.facts, group.entries, group.days), (10, 10 * 841, 10));
        assert!(group.has_room(&request(long_stays(10, &organization))));
        group.entries = GROUP_ENTRIES - 8_410;
        assert!(group.has_room(&request(long_stays(10, &organization))));
        assert!(!group.has_room(&request(long_stays(11, &organization))));
        (group.entries, group.days) = (0, GROUP_DAYS - 10);
        assert!(group.has_room(&request(long_stays(10, &organization))));
        assert!(!group.has_room(&request(long_stays(11, &organization))));
    }

    #[test]
    fn an_id_that_looks_like_the_default_of_another_fact_makes_no_day_of_ids() {
        let (directory, organization) = (tempfile::tempdir().unwrap(), organization());
        let engine = Engine::open(directory.path(), Settings::default()).unwrap();
        assert_eq!(engine.ingest(&organization, long_stays(50, &organization)).unwrap().accepted, 50);
        assert_eq!(engine.ingest(&organization, long_stays(50, &organization)).unwrap().duplicate, 50);
        assert_eq!(engine.ingest(&organization, fact("default", &organization)).unwrap().accepted, 1);
        drop(engine);
        let engine = Engine::open(directory.path(), Settings::default()).unwrap();
        let ledger = &engine.facts.ledger;
        let of_days = |key: &fjall::UserKey| key[16] == FactKind::Attendance.number();
        let days: Vec<_> = ledger.ids.iter().map(|stored| stored.key().unwrap()).filter(of_days).map(|key| key[17..21].to_vec()).collect();
        assert_eq!(days, [((AT / DAY_MILLIS) as u32).to_be_bytes()]);
        engine.checkpoint().unwrap();
        let found = engine.verify(&Scope::ALL, &|_, _| {}).unwrap();
        assert_eq!((found.facts, found.told), (51, vec![]));
    }

    #[test]
    fn a_day_with_more_facts_than_a_block_holds_is_kept_in_several() {
        let (directory, organization) = (tempfile::tempdir().unwrap(), organization());
        let settings = || Settings { block_bytes: 300, flush_seconds: 0, ..Settings::default() };
        let engine = Engine::open(directory.path(), settings()).unwrap();
        assert_eq!(engine.ingest(&organization, assistances(50, 0, &organization)).unwrap().accepted, 50);
        let range = Range::new(AT, AT + 1);
        let scanned = |engine: &Engine| {
            let blocks: Vec<_> = engine.scan::<AssistanceBlock>(organization.id, range).map(|block| block.unwrap().facts()).collect();
            (blocks.len(), blocks.iter().sum::<usize>())
        };
        assert_eq!(scanned(&engine), (9, 50));
        assert_eq!(engine.ingest(&organization, long_stays(2, &organization)).unwrap().accepted, 2);
        drop(engine);
        let engine = Engine::open(directory.path(), settings()).unwrap();
        assert_eq!(scanned(&engine), (9, 50));
        assert_eq!(engine.ingest(&organization, assistances(50, 0, &organization)).unwrap().duplicate, 50);
        let found = engine.verify(&Scope::ALL, &|_, _| {}).unwrap();
        assert_eq!((found.facts, found.told), (52, vec![]));
        // What the lake has goes from the ledger, every part of it.
        assert_eq!(engine.flush().unwrap(), 52);
        assert_eq!(engine.facts.ledger.facts.iter().count(), 0);
        assert_eq!(scanned(&engine).1, 50);
    }

    #[test]
    fn rows_are_cut_where_a_block_is_full_and_a_large_one_is_alone() {
        let row = |given_id| AssistanceRow {
            at: AT,
            user: 0,
            booking: 0,
            department_given: false,
            usage: 0,
            count: 1,
            accepted: 0,
            lines_accepted: 0,
            lines_changed: 0,
            given_id,
            receipt: 0,
        };
        let large = "x".repeat(500);
        let rows = [row(""), row(""), row(""), row(&large), row(""), row("")];
        let rows: Vec<_> = rows.iter().collect();
        let lengths = |most| parts::<AssistanceBlock>(&rows, most).map(<[_]>::len).collect::<Vec<_>>();
        assert_eq!(lengths(100), [2, 1, 1, 2]);
        assert_eq!(lengths(1_000), [6]);
        assert_eq!(lengths(0), [1; 6]);
        assert_eq!(parts::<AssistanceBlock>(&[], 100).count(), 0);
    }

    #[test]
    fn more_names_than_an_organization_may_have_are_refused_and_nothing_is_stored() {
        let organization = organization();
        for (settings, what) in [
            (Settings { bookings_per_organization: 2, ..Settings::default() }, "bookings"),
            (Settings { uses_per_organization: 2, ..Settings::default() }, "uses"),
        ] {
            let directory = tempfile::tempdir().unwrap();
            let engine = Engine::open(directory.path(), settings).unwrap();
            let error = engine.ingest(&organization, assistances(3, 0, &organization)).unwrap_err();
            let EngineError::Limit(message) = error else { panic!("{error}") };
            assert_eq!(message, format!("0 {what} and 3 new ones are more than the 2 of storage.{what}_per_organization"));
            assert_eq!(engine.ingest(&organization, assistances(2, 0, &organization)).unwrap().accepted, 2);
            assert_eq!(engine.ingest(&organization, assistances(2, 0, &organization)).unwrap().duplicate, 2);
        }
    }
}
