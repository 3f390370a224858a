//! Reading bodies within limits: bytes of one body, bytes of all bodies together, and time.

use super::refusal::Refusal;
use super::room::{Held, NoRoom};
use super::state::Live;
use crate::config::Limits;
use axum::body::Body;
use bytes::Bytes;
use http::{HeaderMap, StatusCode, header};
use http_body_util::BodyExt;
use hyper::body::Frame;
use rollcall_model::OrgId;
use std::time::{Duration, Instant};

/// How much memory is set aside for a body before anything of it has arrived.
const FIRST_BYTES: u64 = 64 << 10;

/// Up to how large a body is given all its addresses once its first bytes have arrived; a larger one grows as it arrives.
const MOST_RESERVED: u64 = 16 << 20;

/// How long a refused body is read and thrown away, so that its sender lives to read the refusal.
pub const DISCARD: Duration = Duration::from_secs(10);

/// A body in memory, and the room it takes there.
#[derive(Debug)]
pub struct Collected {
    pub bytes: Vec<u8>,
    /// Given back when dropped.
    pub held: Held,
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

    /// Reads the body of an organization's request to its end.
    pub async fn collect(&mut self, live: &Live, organization: OrgId) -> Result<Collected, Refusal> {
        let limits = &live.limits;
        let announced: Option<u64> = self.headers.get(header::CONTENT_LENGTH).and_then(|length| length.to_str().ok()?.parse().ok());
        let most = limits.body_bytes;
        if announced.is_some_and(|length| Limits::passed(most, length)) {
            return Err(too_large(most));
        }
        let room = live.room.largest_body();
        if let Some(length) = announced.filter(|length| *length > room) {
            return Err(no_room(NoRoom::TooLarge(room), length));
        }
        let expected = announced.unwrap_or(if most > 0 { most } else { u64::MAX });
        let mut held = live.room.body(organization, expected);
        let mut bytes = Vec::with_capacity(usize::try_from(announced.unwrap_or(0).min(FIRST_BYTES)).unwrap_or(0));
        self.awaits_leave = false;
        // The time that its sender takes; what it has to wait for room is not its own.
        let mut left = Limits::seconds(limits.body_seconds);
        while let Some(frame) = self.frame(&mut left, limits.body_seconds).await? {
            let Ok(data) = frame.into_data() else { continue };
            let size = (bytes.len() + data.len()) as u64;
            if Limits::passed(most, size) {
                return Err(too_large(most));
            }
            held.arrive(data.len() as u64).await.map_err(|why| no_room(why, size))?;
            // What is announced beyond what has arrived takes no memory before it is written to; moving what has arrived would.
            if bytes.len() + data.len() > bytes.capacity()
                && let Some(rest) =
                    announced.filter(|length| *length <= MOST_RESERVED).and_then(|length| length.checked_sub(bytes.len() as u64))
            {
                bytes.reserve_exact(rest as usize);
            }
            bytes.extend_from_slice(&data);
        }
        held.arrived();
        Ok(Collected { bytes, held })
    }

    /// What comes next, within the time that is left.
    async fn frame(&mut self, left: &mut Option<Duration>, seconds: u64) -> Result<Option<Frame<Bytes>>, Refusal> {
        let frame = match left {
            None => self.body.frame().await,
            Some(left) => {
                let begun = Instant::now();
                let frame = tokio::time::timeout(*left, self.body.frame()).await;
                *left = left.saturating_sub(begun.elapsed());
                frame.map_err(|_| {
                    let message = format!("the body took more than {seconds} s to arrive (limits.body_seconds); send smaller ones");
                    Refusal::new(StatusCode::REQUEST_TIMEOUT, message)
                })?
            }
        };
        frame.transpose().map_err(|error| Refusal::bad_request(format!("the body ended early: {error}")))
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

/// The refusal of a body of so many bytes, sent or decoded, for which there is no room.
pub(super) fn no_room(why: NoRoom, size: u64) -> Refusal {
    match why {
        NoRoom::Busy(busy) => busy.into(),
        NoRoom::TooLarge(most) => {
            let message = format!(
                "the body takes {size} bytes of memory or more, and one organization has room for {most} (limits.inflight_bytes); send it in parts"
            );
            Refusal::new(StatusCode::PAYLOAD_TOO_LARGE, message)
        }
        NoRoom::Cancelled => Refusal::unavailable("the client is gone"),
    }
}

fn too_large(most: u64) -> Refusal {
    Refusal::new(StatusCode::PAYLOAD_TOO_LARGE, format!("the body is larger than {most} bytes (limits.body_bytes); send it in parts"))
}
