//! What waits to be committed, and what of it goes together: requests share one fsync.

use crate::error::EngineError;
use crate::kinds::columns::Facts;
use parking_lot::{Condvar, Mutex};
use rollcall_model::{FactId, FactKind, OrgId, Receipt};
use std::collections::VecDeque;
use std::sync::mpsc::SyncSender;
use std::time::Duration;

/// Facts that wait to be committed.
#[derive(Debug)]
pub(crate) struct Request {
    /// Whose facts they are.
    pub(crate) org: OrgId,
    /// The names behind [`crate::kinds::columns::Attendances::apps`].
    pub(crate) apps: Vec<String>,
    /// The facts.
    pub(crate) facts: Facts,
    /// Where the receipt goes.
    pub(crate) reply: SyncSender<Result<Receipt, EngineError>>,
}

/// What the committer is asked.
#[derive(Debug)]
pub(crate) enum Message {
    /// To store facts.
    Ingest(Box<Request>),
    /// Anything else.
    Alone(Alone),
}

/// What the committer does while no group is on its way.
#[derive(Debug)]
pub(crate) enum Alone {
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

/// How many messages may wait; the next one blocks. Whoever sends it holds its facts anyway.
const MOST_WAITING: usize = 1024;

/// How many bits of a receipt's number say which of the requests of a commit it answers; those before them are the commit's position.
pub(crate) const REQUEST_BITS: u32 = 16;

/// The most requests of a group.
const GROUP_REQUESTS: usize = 1 << REQUEST_BITS;

/// A group is closed at this many facts, though more requests wait: a commit must fit in memory, and its first request must not
/// wait for ever.
const GROUP_FACTS: usize = 200_000;

/// The most entries of cells that the requests of a group make together; one that makes more by itself is alone.
pub(super) const GROUP_ENTRIES: u64 = 2_000_000;

/// The most days that the requests of a group lie on, each counted by itself: each has blocks, ids and cells of its own.
pub(super) const GROUP_DAYS: u64 = 4_000;

/// How many facts must wait for a group to begin while another is on its way. Fewer wait for it to end, and share the next fsync with those
/// that come meanwhile: an fsync takes longer than all that is done for them.
const WORTH_A_GROUP: usize = 10_000;

/// How many groups are on their way at a time: one for each stage of the pipeline.
const MOST_GROUPS: usize = 3;

/// How long no message comes before claimed ids find their places all the same.
const QUIET: Duration = Duration::from_secs(10);

/// Requests that are committed together.
#[derive(Debug, Default)]
pub(super) struct Group {
    pub(super) requests: Vec<Request>,
    pub(super) facts: usize,
    pub(super) entries: u64,
    pub(super) days: u64,
}

impl Group {
    /// Whether another request may go with these.
    pub(super) fn has_room(&self, next: &Request) -> bool {
        let cost = next.facts.cost();
        let is_full = self.facts >= GROUP_FACTS || self.requests.len() >= GROUP_REQUESTS;
        let fits = self.entries + cost.entries() <= GROUP_ENTRIES && self.days + cost.days() <= GROUP_DAYS;
        self.requests.is_empty() || !is_full && fits
    }

    pub(super) fn add(&mut self, request: Request) {
        self.facts += request.facts.len();
        self.entries += request.facts.cost().entries();
        self.days += request.facts.cost().days();
        self.requests.push(request);
    }
}

/// What is done next.
pub(super) enum Work {
    /// These are committed; [`Queue::done`] is told when that is over.
    Commit(Group),
    /// Anything else, while nothing is on its way.
    Alone(Alone),
    /// Claimed ids are moved into runs, while nothing is on its way: there are many, or nothing came for a while.
    FlushIds,
}

/// The messages that wait, in the order they came.
#[derive(Debug, Default)]
pub(super) struct Queue {
    state: Mutex<State>,
    /// That there may be something to do.
    more: Condvar,
    /// That there is room for a message.
    room: Condvar,
}

#[derive(Debug, Default)]
struct State {
    waiting: VecDeque<Message>,
    /// How many facts wait.
    facts: usize,
    /// How many groups were taken and are not done.
    on_their_way: usize,
    /// Whether there are no more messages.
    is_closed: bool,
    /// Whether a stage is gone.
    is_abandoned: bool,
}

impl Queue {
    /// Adds a message, once there is room.
    ///
    /// # Errors
    /// [`EngineError::Closed`].
    pub(super) fn send(&self, message: Message) -> Result<(), EngineError> {
        let mut state = self.state.lock();
        while state.waiting.len() >= MOST_WAITING && !state.is_closed {
            self.room.wait(&mut state);
        }
        if state.is_closed {
            return Err(EngineError::Closed);
        }
        if let Message::Ingest(request) = &message {
            state.facts += request.facts.len();
        }
        state.waiting.push_back(message);
        drop(state);
        self.more.notify_one();
        Ok(())
    }

    /// Waits for what is to be done next; none once the queue is closed and empty, and nothing is on its way. If ids are due to be flushed
    /// that comes before any other group.
    pub(super) fn next(&self, is_due: bool) -> Option<Work> {
        let mut state = self.state.lock();
        loop {
            if let Some(work) = state.next(is_due) {
                drop(state);
                self.room.notify_all();
                return Some(work);
            }
            if state.is_abandoned || (state.is_closed && state.waiting.is_empty() && state.on_their_way == 0) {
                return None;
            }
            if self.more.wait_for(&mut state, QUIET).timed_out() && state.is_idle() {
                return Some(Work::FlushIds);
            }
        }
    }

    /// A group is over: every request in it was answered.
    pub(super) fn done(&self) {
        self.state.lock().on_their_way -= 1;
        self.more.notify_one();
    }

    /// No more messages come.
    pub(super) fn close(&self) {
        self.state.lock().is_closed = true;
        self.more.notify_one();
        self.room.notify_all();
    }

    /// Nobody commits any more: who waits finds out.
    pub(super) fn abandon(&self) {
        let mut state = self.state.lock();
        state.is_abandoned = true;
        state.waiting.clear();
        drop(state);
        self.close();
    }
}

impl State {
    /// Whether there is nothing to do, but there may be later.
    fn is_idle(&self) -> bool {
        self.on_their_way == 0 && self.waiting.is_empty() && !self.is_closed
    }

    fn next(&mut self, is_due: bool) -> Option<Work> {
        if is_due {
            return (self.on_their_way == 0).then_some(Work::FlushIds);
        }
        let begins = self.on_their_way == 0 || (self.on_their_way < MOST_GROUPS && self.facts >= WORTH_A_GROUP);
        if !begins {
            return None;
        }
        let mut group = Group::default();
        while let Some(message) = self.waiting.pop_front() {
            match message {
                Message::Ingest(request) if group.has_room(&request) => {
                    self.facts -= request.facts.len();
                    group.add(*request);
                }
                Message::Alone(alone) if group.requests.is_empty() && self.on_their_way == 0 => return Some(Work::Alone(alone)),
                other => {
                    self.waiting.push_front(other);
                    break;
                }
            }
        }
        if group.requests.is_empty() {
            return None;
        }
        self.on_their_way += 1;
        Some(Work::Commit(group))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::kinds::columns::Attendances;
    use std::sync::mpsc::sync_channel;

    fn ingest(count: usize) -> Message {
        let mut facts = Attendances::default();
        // What a queue asks of facts is how many there are.
        facts.ids = vec![FactId::Default(0); count];
        Message::Ingest(Box::new(Request { org: OrgId(uuid::Uuid::nil()), apps: vec![], facts: facts.into(), reply: sync_channel(1).0 }))
    }

    fn erase() -> Message {
        let (org, user, reply) = (OrgId(uuid::Uuid::nil()), "u".into(), sync_channel(1).0);
        Message::Alone(Alone::EraseUser { org, user, after: 0, reply })
    }

    /// How many requests and facts the next group has; none if what is next is no group.
    fn group(work: Option<Work>) -> Option<(usize, usize)> {
        match work? {
            Work::Commit(group) => Some((group.requests.len(), group.facts)),
            Work::Alone(_) | Work::FlushIds => None,
        }
    }

    #[test]
    fn few_facts_wait_for_the_group_before_and_many_do_not() {
        let queue = Queue::default();
        let next = || group(queue.state.lock().next(false));
        for facts in [1, 2, 3] {
            queue.send(ingest(facts)).unwrap();
        }
        assert_eq!(next(), Some((3, 6)));
        queue.send(ingest(WORTH_A_GROUP - 1)).unwrap();
        assert_eq!(next(), None);
        queue.send(ingest(1)).unwrap();
        assert_eq!(next(), Some((2, WORTH_A_GROUP)));
        queue.send(ingest(GROUP_FACTS)).unwrap();
        queue.send(ingest(5)).unwrap();
        assert_eq!(next(), Some((1, GROUP_FACTS)));
        queue.send(ingest(WORTH_A_GROUP)).unwrap();
        assert_eq!(next(), None, "each stage has a group");
        queue.done();
        assert_eq!(next(), Some((2, WORTH_A_GROUP + 5)));
    }

    #[test]
    fn what_is_done_alone_waits_until_nothing_is_on_its_way_and_holds_back_what_came_later() {
        let queue = Queue::default();
        let next = || queue.state.lock().next(false);
        queue.send(ingest(1)).unwrap();
        queue.send(erase()).unwrap();
        queue.send(ingest(WORTH_A_GROUP)).unwrap();
        assert_eq!(group(next()), Some((1, 1)));
        assert!(next().is_none());
        queue.done();
        assert!(matches!(next(), Some(Work::Alone(_))));
        assert_eq!(group(next()), Some((1, WORTH_A_GROUP)));
    }

    #[test]
    fn ids_that_are_due_are_flushed_before_another_group_begins_and_while_none_is_on_its_way() {
        let queue = Queue::default();
        queue.send(ingest(WORTH_A_GROUP)).unwrap();
        assert!(matches!(queue.state.lock().next(false), Some(Work::Commit(_))));
        queue.send(ingest(WORTH_A_GROUP)).unwrap();
        assert!(queue.state.lock().next(true).is_none());
        queue.done();
        assert!(matches!(queue.next(true), Some(Work::FlushIds)));
        assert!(matches!(queue.next(false), Some(Work::Commit(_))));
    }

    #[test]
    fn a_queue_that_is_closed_is_worked_off() {
        let queue = Queue::default();
        queue.send(ingest(1)).unwrap();
        queue.close();
        assert!(matches!(queue.send(ingest(1)), Err(EngineError::Closed)));
        assert_eq!(group(queue.next(false)), Some((1, 1)));
        queue.done();
        assert!(queue.next(false).is_none());
    }
}
