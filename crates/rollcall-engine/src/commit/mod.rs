//! The committer: a pipeline that makes facts durable, several requests at a time.
//!
//! A group of requests goes through three stages, each of them a thread: its ids and numbers are claimed (`claim`), its new facts become
//! blocks (`encode`), and all of it is written in one atomic batch with one fsync, folded and acknowledged (`publish`). While one group is
//! published the next is encoded, and the one after it claimed. Groups keep their order, so receipts are given in the order of commits. When
//! one fails, all behind it fail: they may build on what it claimed.
//!
//! # Layout
//! - [`group`]: what waits, and what of it goes together
//! - [`claim`], [`encode`], [`publish`]: the stages
//! - [`names`]: names of a request become numbers

mod claim;
mod encode;
mod group;
mod names;
mod publish;

pub(crate) use group::{Alone, Message, REQUEST_BITS, Request};

use crate::cells::Cells;
use crate::error::EngineError;
use crate::ledger::Ledger;
use crate::settings::Settings;
use crate::threads::spawn;
use claim::{Claimed, Claimer};
use encode::{Encoded, Encoder};
use group::{Queue, Work};
use publish::Publisher;
use std::sync::Arc;
use std::sync::mpsc::sync_channel;
use std::thread::JoinHandle;

/// The running pipeline. Dropping it commits what waits.
#[derive(Debug)]
pub(crate) struct Committer {
    queue: Arc<Queue>,
    threads: Vec<JoinHandle<()>>,
}

/// Held by each stage: if one ends by a panic, nobody waits for it.
struct Stage(Arc<Queue>);

impl Drop for Stage {
    fn drop(&mut self) {
        if std::thread::panicking() {
            self.0.abandon();
        }
    }
}

impl Committer {
    /// Starts a committer that goes on after the commit at `position`. `after` is called after each group.
    ///
    /// # Errors
    /// [`EngineError::Storage`].
    pub(crate) fn start(
        ledger: &Arc<Ledger>,
        cells: &Arc<Cells>,
        position: u64,
        settings: &Settings,
        after: impl Fn() + Send + 'static,
    ) -> Result<Self, EngineError> {
        let queue = Arc::new(Queue::default());
        let mut claimer = Claimer::open(ledger.clone(), position, settings)?;
        let mut encoder = Encoder::new(ledger.clone(), settings.block_bytes);
        let publisher = Publisher { ledger: ledger.clone(), cells: cells.clone() };
        // A group is handed over when the next stage is free, so that each has one at most.
        let (claimed, to_encode) = sync_channel::<Claimed>(0);
        let (encoded, to_publish) = sync_channel::<Encoded>(0);
        let stage = || Stage(queue.clone());
        let (first, second, third) = (stage(), stage(), stage());
        let claiming = move || {
            // Where ids could not be flushed, they are tried again after the next group.
            let mut is_due = false;
            while let Some(work) = first.0.next(is_due) {
                is_due = false;
                match work {
                    Work::Commit(group) => {
                        first.hand_over(claimer.claim(group), |group| claimed.send(group).is_ok());
                        is_due = claimer.is_due();
                    }
                    Work::Alone(message) => claimer.alone(message),
                    Work::FlushIds => claimer.flush_ids(),
                }
            }
            claimer.flush_ids();
        };
        let encoding = move || {
            for group in to_encode {
                second.hand_over(encoder.encode(group), |group| encoded.send(group).is_ok());
            }
        };
        let publishing = move || {
            for group in to_publish {
                publisher.publish(group);
                after();
                third.0.done();
            }
        };
        // If one cannot be started, those that were end.
        let mut committer = Self { queue, threads: Vec::new() };
        committer.threads.push(spawn("publisher", publishing)?);
        committer.threads.push(spawn("encoder", encoding)?);
        committer.threads.push(spawn("committer", claiming)?);
        Ok(committer)
    }

    /// Asks it. Blocks while too much waits.
    ///
    /// # Errors
    /// [`EngineError::Closed`].
    pub(crate) fn send(&self, message: Message) -> Result<(), EngineError> {
        self.queue.send(message)
    }
}

impl Drop for Committer {
    fn drop(&mut self) {
        self.queue.close();
        for thread in self.threads.drain(..) {
            let _ = thread.join();
        }
    }
}

impl Stage {
    /// Hands a group to the next stage, or answers its requests with the error that ended it here.
    fn hand_over<G>(&self, outcome: Result<G, (Vec<Request>, EngineError)>, next: impl FnOnce(G) -> bool) {
        match outcome {
            // If the next stage is gone, so are these requests, and whoever waits for them is told.
            Ok(group) => _ = next(group),
            Err((requests, error)) => {
                for request in requests {
                    let _ = request.reply.send(Err(error.clone()));
                }
                self.0.done();
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::Request;
    use super::encode::parts;
    use super::group::{GROUP_DAYS, GROUP_ENTRIES, Group};
    use crate::cells::Scope;
    use crate::kinds::block::{AssistanceBlock, AssistanceRow, AttendanceBlock, Block};
    use crate::kinds::columns::{Assistances, Attendances};
    use crate::{Engine, EngineError, Settings};
    use jiff::tz::TimeZone;
    use rollcall_model::calendar::DAY_MILLIS;
    use rollcall_model::reports::MeetingDays;
    use rollcall_model::{AssistanceDraft, AttendanceDraft, Directory, FactId, FactKind, Organization, Range, Reports, Value};

    const AT: i64 = 1_740_819_600_000;

    fn organization() -> Organization {
        crate::testing::organization(1)
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
        let ask = MeetingDays { app: Some("east".into()), ..MeetingDays::by_day(Range::new(AT, AT + 1), TimeZone::UTC) };
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
        let mut group = Group::default();
        group.add(request(long_stays(10, &organization)));
        // Each lasts on eight days.
        assert_eq!((group.facts, group.entries, group.days), (10, 10 * 8, 10));
        assert!(group.has_room(&request(long_stays(10, &organization))));
        group.entries = GROUP_ENTRIES - 80;
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
        let lengths = |most| parts::<AssistanceBlock>(rows.into_iter(), most).map(|block| block.facts()).collect::<Vec<_>>();
        assert_eq!(lengths(100), [2, 1, 1, 2]);
        assert_eq!(lengths(1_000), [6]);
        assert_eq!(lengths(0), [1; 6]);
        assert_eq!(parts::<AssistanceBlock>(std::iter::empty(), 100).count(), 0);
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
