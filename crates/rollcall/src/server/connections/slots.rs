//! The open connections: how many there may be, and which one is closed when a new one finds no slot.
//!
//! A connection whose request is being handled is never closed for another. The others wait for their client, and a stranger
//! could hold all slots by sending nothing, half a head or half a body on each. So they make way, in this order:
//!
//! 1. the oldest without a whole head yet, once those hold all slots but the [`HEARD_SHARE`];
//! 2. the one that has been idle longest since its last answer;
//! 3. the oldest without a whole head;
//! 4. the one whose request began longest ago, of those whose body is still arriving.
//!
//! Whoever sends a whole head before that many others connect is therefore heard.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;
use tokio::sync::Notify;
use tokio::time::Instant;

/// One slot of so many is only for connections that have sent a whole head.
const HEARD_SHARE: usize = 4;

/// How often the log says at most that connections run out.
const BETWEEN_WARNINGS: Duration = Duration::from_secs(60);

/// What a connection is doing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Stage {
    /// It has not sent a whole head yet; a TLS handshake is a part of this.
    Unheard,
    /// Its last request was answered.
    Idle,
    /// The body of its request is arriving.
    Arriving,
    /// Its request is being handled or answered.
    Busy,
}

/// Connections in one stage, the one that entered it first at the front; and what tells each that it must leave.
type Queue = BTreeMap<u64, Arc<Notify>>;

/// All slots.
#[derive(Debug)]
pub struct Slots {
    most: usize,
    most_unheard: usize,
    table: Mutex<Table>,
    /// Told when a connection ended, or may be closed for another.
    freed: Notify,
}

#[derive(Debug, Default)]
struct Table {
    open: usize,
    /// How many were told to leave and are still open.
    leaving: usize,
    tickets: u64,
    unheard: Queue,
    idle: Queue,
    arriving: Queue,
    warned: Option<Instant>,
}

impl Slots {
    /// So many slots; at least one.
    pub fn new(most: usize) -> Arc<Self> {
        let most = most.max(1);
        Arc::new(Self { most, most_unheard: most - most / HEARD_SHARE, table: Mutex::default(), freed: Notify::new() })
    }

    /// A slot for a new connection. Where none is free, another connection is closed; where none may be closed, this waits.
    pub async fn take(self: &Arc<Self>) -> Slot {
        loop {
            if let Some(slot) = self.try_take() {
                return slot;
            }
            self.freed.notified().await;
        }
    }

    fn try_take(self: &Arc<Self>) -> Option<Slot> {
        let mut table = self.table();
        let crowded = table.unheard.len() >= self.most_unheard;
        if table.open < self.most && !crowded {
            table.open += 1;
            let leave = Arc::new(Notify::new());
            let ticket = table.enqueue(Stage::Unheard, &leave);
            let state = State { stage: Stage::Unheard, ticket, since: Instant::now(), begun: false };
            return Some(Slot { slots: self.clone(), leave, state: Mutex::new(state) });
        }
        if table.leaving == 0
            && let Some(leaver) = table.next_to_leave(crowded)
        {
            table.leaving += 1;
            leaver.notify_one();
            table.warn(self.most);
        }
        None
    }

    fn table(&self) -> MutexGuard<'_, Table> {
        self.table.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Table {
    fn queue(&mut self, stage: Stage) -> Option<&mut Queue> {
        match stage {
            Stage::Unheard => Some(&mut self.unheard),
            Stage::Idle => Some(&mut self.idle),
            Stage::Arriving => Some(&mut self.arriving),
            Stage::Busy => None,
        }
    }

    fn enqueue(&mut self, stage: Stage, leave: &Arc<Notify>) -> u64 {
        self.tickets += 1;
        let ticket = self.tickets;
        if let Some(queue) = self.queue(stage) {
            queue.insert(ticket, leave.clone());
        }
        ticket
    }

    /// Takes a connection out of its queue. Returns whether it was not told to leave before.
    fn withdraw(&mut self, stage: Stage, ticket: u64) -> bool {
        self.queue(stage).is_none_or(|queue| queue.remove(&ticket).is_some())
    }

    fn next_to_leave(&mut self, crowded: bool) -> Option<Arc<Notify>> {
        let mut order = [&mut self.unheard, &mut self.idle, &mut self.arriving];
        if !crowded {
            order.swap(0, 1);
        }
        order.into_iter().find_map(|queue| queue.pop_first().map(|(_, leave)| leave))
    }

    fn warn(&mut self, most: usize) {
        if self.warned.is_none_or(|warned| warned.elapsed() >= BETWEEN_WARNINGS) {
            self.warned = Some(Instant::now());
            let open = self.open;
            tracing::warn!(
                open,
                most,
                "connections run out: those that wait for their client make way; if they are yours, raise limits.connections"
            );
        }
    }
}

/// The slot of one open connection, given back when it is dropped.
#[derive(Debug)]
pub struct Slot {
    slots: Arc<Slots>,
    leave: Arc<Notify>,
    state: Mutex<State>,
}

#[derive(Debug)]
struct State {
    stage: Stage,
    ticket: u64,
    /// When the stage began or, if a head has begun since then, when that was.
    since: Instant,
    /// Whether a part of the next head has arrived.
    begun: bool,
}

/// What a client is waited for, and since when.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Awaited {
    /// The rest of a head, or the first one.
    Head(Instant),
    /// Another request.
    Request(Instant),
}

impl Slot {
    /// A whole head has arrived. Returns the request's ticket for [`Slot::arrived`]; none if the connection has to leave.
    pub fn heard(&self, has_body: bool) -> Option<u64> {
        self.enter(&mut self.state(), if has_body { Stage::Arriving } else { Stage::Busy })
    }

    /// The body of the request with this ticket has arrived, or nobody reads it.
    pub fn arrived(&self, ticket: u64) {
        let mut state = self.state();
        if state.stage == Stage::Arriving && state.ticket == ticket {
            let _ = self.enter(&mut state, Stage::Busy);
        }
    }

    /// The request was answered.
    pub fn answered(&self) {
        let _ = self.enter(&mut self.state(), Stage::Idle);
    }

    /// Something arrived.
    pub fn reads(&self) {
        let mut state = self.state();
        if state.stage == Stage::Idle && !state.begun {
            (state.begun, state.since) = (true, Instant::now());
        }
    }

    /// What the client is waited for, where it is not a body.
    pub fn awaited(&self) -> Option<Awaited> {
        let state = self.state();
        match (state.stage, state.begun) {
            (Stage::Unheard, _) | (Stage::Idle, true) => Some(Awaited::Head(state.since)),
            (Stage::Idle, false) => Some(Awaited::Request(state.since)),
            (Stage::Arriving | Stage::Busy, _) => None,
        }
    }

    /// Waits until the connection has to leave.
    pub async fn evicted(&self) {
        self.leave.notified().await;
    }

    fn enter(&self, state: &mut State, stage: Stage) -> Option<u64> {
        let mut table = self.slots.table();
        if !table.withdraw(state.stage, state.ticket) {
            return None;
        }
        let ticket = table.enqueue(stage, &self.leave);
        drop(table);
        self.slots.freed.notify_one();
        *state = State { stage, ticket, since: Instant::now(), begun: false };
        Some(ticket)
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Slot {
    fn drop(&mut self) {
        let State { stage, ticket, .. } = *self.state();
        let mut table = self.slots.table();
        if !table.withdraw(stage, ticket) {
            table.leaving -= 1;
        }
        table.open -= 1;
        drop(table);
        self.slots.freed.notify_one();
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use tokio::time::timeout;

    /// Long enough for what must happen, and never waited for in vain.
    const SOON: Duration = Duration::from_secs(30);

    impl Slots {
        /// How many are open, and how many of those were told to leave.
        fn counts(&self) -> (usize, usize) {
            let table = self.table();
            (table.open, table.leaving)
        }
    }

    async fn leaves(slot: Slot) {
        timeout(SOON, slot.evicted()).await.unwrap();
    }

    /// Takes a slot while `leaver` leaves for it.
    async fn take_from(slots: &Arc<Slots>, leaver: Slot) -> Slot {
        let (taken, ()) = tokio::join!(timeout(SOON, slots.take()), leaves(leaver));
        taken.unwrap()
    }

    #[tokio::test]
    async fn the_oldest_without_a_head_makes_way_before_all_slots_are_taken() {
        let slots = Slots::new(8);
        let mut silent = Vec::new();
        for _ in 0..6 {
            silent.push(slots.take().await);
        }
        let seventh = take_from(&slots, silent.remove(0)).await;
        // Two slots are still there for those who have been heard.
        assert_eq!(slots.counts(), (6, 0));
        assert!(seventh.heard(false).is_some());
        silent.push(slots.take().await);
        assert_eq!(slots.counts(), (7, 0));
        let _next = take_from(&slots, silent.remove(0)).await;
        assert_eq!(slots.counts(), (7, 0));
    }

    #[tokio::test]
    async fn the_longest_idle_makes_way_first_then_the_unheard_then_who_sends_a_body_and_never_a_request() {
        let slots = Slots::new(4);
        let busy = slots.take().await;
        busy.heard(false).unwrap();
        let arriving = slots.take().await;
        arriving.heard(true).unwrap();
        let idle = slots.take().await;
        idle.heard(false).unwrap();
        idle.answered();
        let unheard = slots.take().await;
        let first = take_from(&slots, idle).await;
        first.heard(false).unwrap();
        let second = take_from(&slots, unheard).await;
        second.heard(false).unwrap();
        let third = take_from(&slots, arriving).await;
        third.heard(false).unwrap();
        // Nobody may be closed: the next one waits until somebody is through.
        let waiting = slots.take();
        tokio::pin!(waiting);
        tokio::select! {
            biased;
            _ = &mut waiting => panic!("a request was cut off"),
            () = std::future::ready(()) => {}
        }
        busy.answered();
        let (_taken, ()) = tokio::join!(waiting, leaves(busy));
        assert_eq!(slots.counts(), (4, 0));
    }

    #[tokio::test]
    async fn who_has_to_leave_is_not_heard_any_more() {
        let slots = Slots::new(1);
        let first = slots.take().await;
        assert!(slots.try_take().is_none());
        assert_eq!(first.heard(false), None);
        leaves(first).await;
        assert!(slots.try_take().is_some());
        assert_eq!(slots.counts(), (0, 0));
    }

    #[tokio::test]
    async fn a_body_counts_as_arriving_until_it_has_arrived() {
        let slots = Slots::new(1);
        let slot = slots.take().await;
        let ticket = slot.heard(true).unwrap();
        assert_eq!(slots.table().arriving.len(), 1);
        slot.arrived(ticket);
        assert!(slots.try_take().is_none());
        assert_eq!(slots.counts(), (1, 0));
        slot.answered();
        let next = slot.heard(true).unwrap();
        // The body of the request before says nothing about this one.
        slot.arrived(ticket);
        assert_eq!(slots.table().arriving.len(), 1);
        slot.arrived(next);
        assert!(slots.table().arriving.is_empty());
    }
}
