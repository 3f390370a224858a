//! The body of an answer that is sent while it is made, on another thread.

use axum::body::HttpBody;
use bytes::Bytes;
use hyper::body::Frame;
use std::io;
use std::pin::Pin;
use std::task::{Context, Poll};
use tokio::sync::mpsc;

/// A part of an answer, or its end. An answer that breaks off has none, so that nobody takes it for whole.
pub enum Part {
    Bytes(Bytes),
    End,
}

/// The body, from the receiving end.
pub struct Parts(pub mpsc::Receiver<Part>);

impl HttpBody for Parts {
    type Data = Bytes;
    type Error = io::Error;

    fn poll_frame(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<io::Result<Frame<Bytes>>>> {
        self.0.poll_recv(context).map(|part| match part {
            Some(Part::Bytes(bytes)) => Some(Ok(Frame::data(bytes))),
            Some(Part::End) => None,
            None => Some(Err(io::Error::other("the answer broke off"))),
        })
    }
}
