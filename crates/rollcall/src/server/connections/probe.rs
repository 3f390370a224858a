//! An interim answer that shows whether a client is still there; [`super::socket`] says why.

use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicU8, Ordering};
use std::task::{Context, Poll, ready};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

const CONTINUE: &[u8] = b"HTTP/1.1 100 Continue\r\n\r\n";

/// No request waits for its answer, or its client knows no interim answers.
const NO: u8 = 0;
/// An interim answer may be sent.
const MAY: u8 = 1;
/// An interim answer is to be sent.
const DUE: u8 = 2;

/// Whether an interim answer may or shall be sent now. All of a connection runs in one task, so there are no races.
#[derive(Debug, Default)]
pub struct Probe(AtomicU8);

impl Probe {
    /// Interim answers may be sent from now on: a request of HTTP/1.1 came in.
    pub fn allow(&self) {
        self.0.store(MAY, Ordering::Relaxed);
    }

    /// Interim answers may not be sent any more: the answer begins.
    pub fn forbid(&self) {
        self.0.store(NO, Ordering::Relaxed);
    }

    /// Has an interim answer sent, if one may be.
    pub fn send(&self) {
        let _ = self.0.compare_exchange(MAY, DUE, Ordering::Relaxed, Ordering::Relaxed);
    }

    fn is_due(&self) -> bool {
        self.0.compare_exchange(DUE, MAY, Ordering::Relaxed, Ordering::Relaxed).is_ok()
    }
}

/// A connection that sends the interim answers in between. hyper flushes whenever it is polled, and flushes the connection itself only
/// when it has nothing of its own left to write: that is where an interim answer fits.
pub struct Probed<S> {
    inner: S,
    probe: Arc<Probe>,
    /// What is left to send of an interim answer.
    left: &'static [u8],
}

impl<S: AsyncWrite + Unpin> Probed<S> {
    pub fn new(inner: S, probe: Arc<Probe>) -> Self {
        Self { inner, probe, left: &[] }
    }

    fn poll_left(&mut self, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        while !self.left.is_empty() {
            match ready!(Pin::new(&mut self.inner).poll_write(context, self.left))? {
                0 => return Poll::Ready(Err(io::ErrorKind::WriteZero.into())),
                sent => self.left = &self.left[sent..],
            }
        }
        Poll::Ready(Ok(()))
    }
}

impl<S: AsyncRead + Unpin> AsyncRead for Probed<S> {
    fn poll_read(mut self: Pin<&mut Self>, context: &mut Context<'_>, buffer: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.inner).poll_read(context, buffer)
    }
}

impl<S: AsyncWrite + Unpin> AsyncWrite for Probed<S> {
    fn poll_write(mut self: Pin<&mut Self>, context: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        ready!(self.poll_left(context))?;
        Pin::new(&mut self.inner).poll_write(context, bytes)
    }

    fn poll_write_vectored(mut self: Pin<&mut Self>, context: &mut Context<'_>, parts: &[io::IoSlice<'_>]) -> Poll<io::Result<usize>> {
        ready!(self.poll_left(context))?;
        Pin::new(&mut self.inner).poll_write_vectored(context, parts)
    }

    fn is_write_vectored(&self) -> bool {
        self.inner.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        if self.left.is_empty() && self.probe.is_due() {
            self.left = CONTINUE;
        }
        ready!(self.poll_left(context))?;
        Pin::new(&mut self.inner).poll_flush(context)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.inner).poll_shutdown(context)
    }
}
