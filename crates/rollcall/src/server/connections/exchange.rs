//! A request on its way to the router and its answer on the way back: what the connection's [`Slot`] learns of them.

use super::probe::Probe;
use super::slots::Slot;
use axum::Router;
use axum::body::{Body, HttpBody};
use bytes::Bytes;
use http::{Request, Response, Version};
use hyper::body::{Frame, Incoming, SizeHint};
use hyper::service::Service;
use hyper_util::service::TowerToHyperService;
use rollcall_dialects::site::Channel;
use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

/// What the requests of one connection share.
#[derive(Clone)]
pub struct Exchange {
    pub router: TowerToHyperService<Router>,
    /// Put among the extensions of every request.
    pub channel: Channel,
    pub slot: Arc<Slot>,
    pub probe: Arc<Probe>,
}

impl Exchange {
    /// Hands one request to the router.
    pub async fn answer(self, request: Request<Incoming>) -> io::Result<Response<Answering>> {
        let Self { router, channel, slot, probe } = self;
        let made_way = || io::Error::other("the connection made way for another");
        let ticket = slot.heard(!request.body().is_end_stream()).ok_or_else(made_way)?;
        if request.version() == Version::HTTP_11 {
            probe.allow();
        }
        let arriving = Told { slot: slot.clone(), ticket };
        let mut request = request.map(|body| Arriving { body, told: Some(arriving) });
        request.extensions_mut().insert(channel);
        let Ok(answer) = router.call(request).await;
        probe.forbid();
        Ok(answer.map(|body| Answering { body, slot }))
    }
}

/// The body of a request. The slot is told when it has arrived, or when nobody reads it any more.
struct Arriving {
    body: Incoming,
    told: Option<Told>,
}

/// Tells the slot when it is dropped.
struct Told {
    slot: Arc<Slot>,
    ticket: u64,
}

impl Drop for Told {
    fn drop(&mut self) {
        self.slot.arrived(self.ticket);
    }
}

impl HttpBody for Arriving {
    type Data = Bytes;
    type Error = hyper::Error;

    fn poll_frame(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, hyper::Error>>> {
        let frame = Pin::new(&mut self.body).poll_frame(context);
        if matches!(frame, Poll::Ready(None | Some(Err(_)))) || self.body.is_end_stream() {
            self.told = None;
        }
        frame
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}

/// The body of an answer. The slot is told when hyper has all of it.
pub struct Answering {
    body: Body,
    slot: Arc<Slot>,
}

impl Drop for Answering {
    fn drop(&mut self) {
        self.slot.answered();
    }
}

impl HttpBody for Answering {
    type Data = Bytes;
    type Error = axum::Error;

    fn poll_frame(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, axum::Error>>> {
        Pin::new(&mut self.body).poll_frame(context)
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}
