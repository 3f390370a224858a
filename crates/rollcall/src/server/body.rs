//! Reading bodies within limits: bytes of one body, bytes of all bodies together, and time.

use super::refusal::Refusal;
use super::state::Live;
use crate::config::Limits;
use axum::body::Body;
use http::{HeaderMap, StatusCode, header};
use http_body_util::BodyExt;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

/// The unit of room: a semaphore counts at most 2³² of them in one claim.
const ROOM_UNIT: u64 = 1024;

/// How much memory a client can have reserved by announcing a body, before it sends anything.
const MOST_RESERVED: usize = 64 << 20;

/// How long a refused body is read and thrown away, so that its sender lives to read the refusal.
pub const DISCARD: Duration = Duration::from_secs(10);

/// Room for bodies in memory. Claims are served in the order they come, each whole and before anything is read, so that
/// two half-read bodies never wait for each other.
#[derive(Debug)]
pub struct Budget {
    /// None: the limit is off.
    room: Option<(Arc<Semaphore>, u32)>,
    waiting: AtomicU64,
}

impl Budget {
    pub fn new(limits: &Limits) -> Self {
        let units = u32::try_from(limits.inflight_bytes.div_ceil(ROOM_UNIT)).unwrap_or(u32::MAX);
        Self { room: (units > 0).then(|| (Arc::new(Semaphore::new(units as usize)), units)), waiting: AtomicU64::new(0) }
    }

    async fn claim(&self, bytes: u64, most_waiting: u64) -> Result<Option<OwnedSemaphorePermit>, Refusal> {
        let Some((room, total)) = &self.room else { return Ok(None) };
        // A body larger than the whole budget has it to itself.
        let units = u32::try_from(bytes.div_ceil(ROOM_UNIT)).unwrap_or(u32::MAX).min(*total);
        if let Ok(claimed) = room.clone().try_acquire_many_owned(units) {
            return Ok(Some(claimed));
        }
        let waiting = Waiting::begin(&self.waiting);
        if Limits::passed(most_waiting, waiting.count) {
            return Err(Refusal::unavailable(format!("{most_waiting} requests are waiting already (limits.waiting_requests); try again")));
        }
        // The semaphore is never closed.
        room.clone().acquire_many_owned(units).await.map(Some).map_err(|error| Refusal::internal(&error))
    }
}

/// One waiting request, counted until it is dropped: also when its client goes away.
struct Waiting<'a> {
    counter: &'a AtomicU64,
    count: u64,
}

impl<'a> Waiting<'a> {
    fn begin(counter: &'a AtomicU64) -> Self {
        Self { count: counter.fetch_add(1, Ordering::Relaxed) + 1, counter }
    }
}

impl Drop for Waiting<'_> {
    fn drop(&mut self) {
        self.counter.fetch_sub(1, Ordering::Relaxed);
    }
}

/// A body in memory, and the room it takes there.
#[derive(Debug)]
pub struct Collected {
    pub bytes: Vec<u8>,
    /// Given back when dropped.
    pub room: Option<OwnedSemaphorePermit>,
}

/// A body that is about to arrive.
#[derive(Debug)]
pub struct Arriving<'a> {
    headers: &'a HeaderMap,
    body: Body,
    /// Whether its sender sends nothing before it is told to go on, which the first read does.
    awaits_leave: bool,
}

impl<'a> Arriving<'a> {
    pub fn new(headers: &'a HeaderMap, body: Body) -> Self {
        Self { headers, body, awaits_leave: headers.contains_key(header::EXPECT) }
    }

    /// Reads the body to its end. It claims `growth` times its size, for what it grows to when it is decoded.
    pub async fn collect(&mut self, live: &Live, growth: u64) -> Result<Collected, Refusal> {
        let limits = &live.limits;
        let announced: Option<u64> = self.headers.get(header::CONTENT_LENGTH).and_then(|length| length.to_str().ok()?.parse().ok());
        let most = limits.body_bytes;
        if announced.is_some_and(|length| Limits::passed(most, length)) {
            return Err(too_large(most));
        }
        let expected = announced.unwrap_or(if most > 0 { most } else { u64::MAX });
        let room = live.budget.claim(expected.saturating_mul(growth), limits.waiting_requests).await?;
        let mut bytes = Vec::with_capacity(usize::try_from(announced.unwrap_or(0)).unwrap_or(usize::MAX).min(MOST_RESERVED));
        self.awaits_leave = false;
        let reading = async {
            while let Some(frame) = self.body.frame().await {
                let frame = frame.map_err(|error| Refusal::bad_request(format!("the body ended early: {error}")))?;
                if let Ok(data) = frame.into_data() {
                    if Limits::passed(most, (bytes.len() + data.len()) as u64) {
                        return Err(too_large(most));
                    }
                    bytes.extend_from_slice(&data);
                }
            }
            Ok(())
        };
        match Limits::seconds(limits.body_seconds) {
            None => reading.await?,
            Some(time) => tokio::time::timeout(time, reading).await.map_err(|_| {
                let message =
                    format!("the body took more than {} s to arrive (limits.body_seconds); send smaller ones", limits.body_seconds);
                Refusal::new(StatusCode::REQUEST_TIMEOUT, message)
            })??,
        }
        Ok(Collected { bytes, room })
    }

    /// Reads what is left of a refused body and throws it away, for a while. Closing a connection on which more arrives resets
    /// it, and a client that is still sending would see that instead of the refusal.
    pub fn discard(self) {
        let mut body = self.body;
        if !self.awaits_leave && !axum::body::HttpBody::is_end_stream(&body) {
            tokio::spawn(tokio::time::timeout(DISCARD, async move { while let Some(Ok(_)) = body.frame().await {} }));
        }
    }
}

fn too_large(most: u64) -> Refusal {
    Refusal::new(StatusCode::PAYLOAD_TOO_LARGE, format!("the body is larger than {most} bytes (limits.body_bytes); send it in parts"))
}
