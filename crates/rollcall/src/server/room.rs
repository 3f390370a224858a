//! Room for bodies in memory: as they arrive, and as they are decoded.
//!
//! # The rule
//! A body takes room as it arrives and as it is decoded, never for what is still to come. Each organization has its share ([`Shares`]), and
//! half of that is for bodies as they were sent, so that what has arrived can always be decoded.
//!
//! # Why nothing waits for ever
//! Bodies that have arrived in part hold room and want more, so they could all wait for each other. Therefore the oldest of an organization
//! that is still arriving goes first: the others leave it the room that it may need. Decoding waits for other decoding only, and each wait
//! ends after `limits.wait_seconds` with 503, which gives back what the body held.

use crate::config::Limits;
use rollcall_dialects::turns::{Busy, Patience, Shares, Words};
use rollcall_model::{Cancellation, OrgId};
use std::collections::{BTreeMap, HashMap};
use std::pin::pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;
use tokio::runtime::Handle;
use tokio::sync::Notify;
use tokio::time::{Instant, timeout};

/// How often a decoding that waits for room looks whether its client is gone.
const LOOK: Duration = Duration::from_millis(100);

/// The room, and who has how much of it.
pub struct Room {
    patience: Patience,
    state: Mutex<State>,
    /// Told whenever somebody may fit that did not before.
    freed: Notify,
}

struct State {
    bytes: Shares,
    places: Shares,
    arriving: HashMap<OrgId, Arriving>,
    next: u64,
}

/// The bodies of an organization, as they were sent.
#[derive(Debug, Default)]
struct Arriving {
    /// Bytes of all that are not decoded yet.
    bytes: u64,
    /// Those that are still arriving, the oldest first, each with how much may still come.
    bodies: BTreeMap<u64, u64>,
}

/// Why a body gets no room.
#[derive(Debug, PartialEq, Eq)]
pub enum NoRoom {
    /// Others have it.
    Busy(Busy),
    /// There is not that much for one organization, whoever has it: at most so many bytes.
    TooLarge(u64),
    /// The client is gone.
    Cancelled,
}

/// Why a claim does not fit now.
enum Short {
    TooLarge(u64),
    Now(String),
}

impl Room {
    pub fn new(limits: &Limits, alone: bool) -> Arc<Self> {
        let words = Words { things: "bytes of bodies", are: "are in memory", setting: "limits.inflight_bytes" };
        let patience = limits.patience();
        let (bytes, places) = (Shares::new(words, limits.inflight_bytes, alone), patience.places(alone));
        let state = State { bytes, places, arriving: HashMap::new(), next: 0 };
        Arc::new(Self { patience, state: Mutex::new(state), freed: Notify::new() })
    }

    /// A body that begins to arrive, and of which so much is expected. It holds nothing yet.
    pub fn body(self: &Arc<Self>, organization: OrgId, expected: u64) -> Held {
        let mut state = self.lock();
        let number = state.next;
        state.next += 1;
        state.arriving.entry(organization).or_default().bodies.insert(number, expected);
        drop(state);
        Held { room: self.clone(), organization, number, sent: 0, decoded: 0 }
    }

    /// The largest body that one organization can send.
    pub fn largest_body(&self) -> u64 {
        self.lock().bytes.largest() / 2
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// A place among those who wait.
    fn place(&self, organization: OrgId) -> Result<Place<'_>, NoRoom> {
        let mut state = self.lock();
        if !state.places.take(organization, 1) {
            return Err(NoRoom::Busy(Busy::now(state.places.short(organization, 1))));
        }
        Ok(Place { room: self, organization })
    }

    /// Claims something as soon as it fits.
    async fn claim(&self, organization: OrgId, mut fits: impl FnMut(&mut State) -> Result<(), Short>) -> Result<(), NoRoom> {
        let begun = Instant::now();
        let mut place = None;
        loop {
            let mut freed = pin!(self.freed.notified());
            // From here on no news is missed.
            freed.as_mut().enable();
            let fitted = fits(&mut self.lock());
            let short = match fitted {
                Ok(()) => return Ok(()),
                Err(Short::TooLarge(most)) => return Err(NoRoom::TooLarge(most)),
                Err(Short::Now(short)) => short,
            };
            if place.is_none() {
                place = Some(self.place(organization)?);
            }
            match self.patience.time {
                None => freed.await,
                Some(time) => {
                    let waited = timeout(time.saturating_sub(begun.elapsed()), freed).await;
                    waited.map_err(|_| NoRoom::Busy(Busy::after(time, &short)))?;
                }
            }
        }
    }
}

impl State {
    /// Takes room for bytes that arrived of a body.
    fn arrive(&mut self, organization: OrgId, number: u64, sent: u64, more: u64) -> Result<(), Short> {
        let most = self.bytes.largest() / 2;
        if sent.saturating_add(more) > most {
            return Err(Short::TooLarge(most));
        }
        let half = self.bytes.share(organization) / 2;
        let arriving = self.arriving.entry(organization).or_default();
        let left_to_oldest =
            arriving.bodies.first_key_value().filter(|(oldest, _)| **oldest != number).map_or(0, |(_, expected)| *expected);
        let wanted = arriving.bytes.saturating_add(more).saturating_add(left_to_oldest);
        if wanted > most {
            return Err(Short::Now(format!(
                "{} bytes of bodies of this organization are arriving or wait to be decoded, for which it has {most} (limits.inflight_bytes)",
                arriving.bytes
            )));
        }
        if wanted > half || !self.bytes.take(organization, more) {
            return Err(Short::Now(self.bytes.short(organization, more)));
        }
        arriving.bytes += more;
        if let Some(expected) = arriving.bodies.get_mut(&number) {
            *expected = expected.saturating_sub(more);
        }
        Ok(())
    }

    /// Takes room for what a body is decoded to, which holds so much already.
    fn decode(&mut self, organization: OrgId, held: u64, more: u64) -> Result<(), Short> {
        let most = self.bytes.largest();
        if held.saturating_add(more) > most {
            return Err(Short::TooLarge(most));
        }
        if self.bytes.take(organization, more) { Ok(()) } else { Err(Short::Now(self.bytes.short(organization, more))) }
    }
}

/// A place among those who wait, left when it is dropped.
struct Place<'r> {
    room: &'r Room,
    organization: OrgId,
}

impl Drop for Place<'_> {
    fn drop(&mut self) {
        self.room.lock().places.give_back(self.organization, 1);
    }
}

/// A body, and the room it takes; given back when it is dropped.
#[derive(Debug)]
pub struct Held {
    room: Arc<Room>,
    organization: OrgId,
    number: u64,
    sent: u64,
    decoded: u64,
}

impl Held {
    /// Takes room for more bytes that arrived.
    ///
    /// # Errors
    /// [`NoRoom`], without [`NoRoom::Cancelled`].
    pub async fn arrive(&mut self, more: u64) -> Result<(), NoRoom> {
        let (organization, number, sent) = (self.organization, self.number, self.sent);
        self.room.claim(organization, |state| state.arrive(organization, number, sent, more)).await?;
        self.sent += more;
        Ok(())
    }

    /// All of it has arrived.
    pub fn arrived(&mut self) {
        let mut state = self.room.lock();
        let freed = state.arriving.get_mut(&self.organization).and_then(|arriving| arriving.bodies.remove(&self.number));
        drop(state);
        if freed.is_some() {
            self.room.freed.notify_waiters();
        }
    }

    /// It is decoded to so many bytes so far. Waits for room on this thread, which must be one that may block.
    ///
    /// # Errors
    /// [`NoRoom`].
    pub fn decoded_to(&mut self, size: u64, cancellation: &Cancellation) -> Result<(), NoRoom> {
        if cancellation.is_cancelled() {
            return Err(NoRoom::Cancelled);
        }
        let more = size.saturating_sub(self.decoded);
        if more == 0 {
            return Ok(());
        }
        let (organization, held) = (self.organization, self.sent + self.decoded);
        let room = self.room.clone();
        let claim = room.claim(organization, |state| state.decode(organization, held, more));
        Handle::current().block_on(async {
            let mut claim = pin!(claim);
            loop {
                match timeout(LOOK, claim.as_mut()).await {
                    Ok(claimed) => return claimed,
                    Err(_) if cancellation.is_cancelled() => return Err(NoRoom::Cancelled),
                    Err(_) => {}
                }
            }
        })?;
        self.decoded = size;
        Ok(())
    }

    /// What was sent is decoded, and no longer held.
    pub fn sent_is_dropped(&mut self) {
        self.give_back(true, false);
    }

    fn give_back(&mut self, sent: bool, decoded: bool) {
        let sent = if sent { std::mem::take(&mut self.sent) } else { 0 };
        let decoded = if decoded { std::mem::take(&mut self.decoded) } else { 0 };
        let mut state = self.room.lock();
        state.bytes.give_back(self.organization, sent + decoded);
        if let Some(arriving) = state.arriving.get_mut(&self.organization) {
            arriving.bytes = arriving.bytes.saturating_sub(sent);
            if arriving.bytes == 0 && arriving.bodies.is_empty() {
                state.arriving.remove(&self.organization);
            }
        }
        drop(state);
        self.room.freed.notify_waiters();
    }
}

impl Drop for Held {
    fn drop(&mut self) {
        self.arrived();
        self.give_back(true, true);
    }
}

impl std::fmt::Debug for Room {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Room").field("bytes", &self.lock().bytes).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests;
