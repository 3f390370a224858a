//! A client's socket, and how long it is waited for.
//!
//! # Clients that are gone, and clients that only close their half
//! A client may say that it sends no more (`shutdown`, as `nc -N` does) and still wait for its answer; one that went away says just
//! the same, a FIN. hyper is told to take every FIN for the former (`half_close`), so it would work on for clients that are
//! gone. Only sending something tells them apart: the system of a client that is gone answers with a reset. So [`gone`] has
//! an interim `100 Continue` sent (see [`super::probe`]), which every client of HTTP/1.1 skips, after a second and then
//! ever more rarely, and ends the connection, and so its work, when a reset arrives. Clients of HTTP/1.0 are answered in any case.

use super::probe::Probe;
use super::slots::{Awaited, Slot};
use crate::config::Limits;
use socket2::SockRef;
use std::io;
use std::net::Shutdown;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;
use tokio::io::{AsyncRead, AsyncWrite, Interest, ReadBuf};
use tokio::net::TcpStream;
use tokio::time::{Instant, Sleep};

/// How many bytes of an answer the system takes ahead of what it sends. Once it has these, it takes more when half of them are sent;
/// so whoever takes 64 KiB within `limits.write_seconds` is seen to take something. Without this it would be a third of megabytes.
#[cfg(any(target_os = "linux", target_os = "android"))]
const UNSENT_BYTES: u32 = 128 << 10;

/// How long after a client has closed its half it is asked whether it is still there; doubled each time.
const BEFORE_PROBE: Duration = Duration::from_secs(1);

/// How long a client is waited for. None is no limit.
#[derive(Debug, Clone, Copy)]
pub struct Patience {
    head: Option<Duration>,
    idle: Option<Duration>,
    write: Option<Duration>,
}

impl Patience {
    pub fn new(limits: &Limits) -> Self {
        let [head, idle, write] = [limits.header_seconds, limits.idle_seconds, limits.write_seconds].map(Limits::seconds);
        Self { head, idle, write }
    }

    fn until(&self, awaited: Option<Awaited>) -> Option<Instant> {
        match awaited? {
            Awaited::Head(since) => Some(since + self.head?),
            Awaited::Request(since) => Some(since + self.idle?),
        }
    }
}

/// The bytes of one connection. Reading fails when a head is late or nothing is asked for too long, writing when the client takes no
/// byte for too long.
pub struct Socket {
    stream: Arc<TcpStream>,
    slot: Arc<Slot>,
    patience: Patience,
    reading: Alarm,
    writing: Alarm,
    /// Until when the client must take a byte, while it takes none.
    stuck_until: Option<Instant>,
}

impl Socket {
    pub fn new(stream: Arc<TcpStream>, slot: Arc<Slot>, patience: Patience) -> Self {
        // Answers are small and written at once; waiting to fill a packet only delays them.
        let _ = stream.set_nodelay(true);
        #[cfg(any(target_os = "linux", target_os = "android"))]
        let _ = SockRef::from(&*stream).set_tcp_notsent_lowat(UNSENT_BYTES);
        Self { stream, slot, patience, reading: Alarm::default(), writing: Alarm::default(), stuck_until: None }
    }

    fn poll_written(&mut self, context: &mut Context<'_>, write: impl Fn(&TcpStream) -> io::Result<usize>) -> Poll<io::Result<usize>> {
        loop {
            let Poll::Ready(ready) = self.stream.poll_write_ready(context) else {
                if self.stuck_until.is_none() {
                    self.stuck_until = self.patience.write.map(|time| Instant::now() + time);
                }
                return match self.writing.poll(self.stuck_until, context) {
                    true => Poll::Ready(Err(late("the client takes nothing (limits.write_seconds)"))),
                    false => Poll::Pending,
                };
            };
            ready?;
            match write(&self.stream) {
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => {}
                written => {
                    self.stuck_until = None;
                    return Poll::Ready(written);
                }
            }
        }
    }
}

fn late(what: &str) -> io::Error {
    io::Error::new(io::ErrorKind::TimedOut, what)
}

impl AsyncRead for Socket {
    fn poll_read(self: Pin<&mut Self>, context: &mut Context<'_>, buffer: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        let this = self.get_mut();
        loop {
            let Poll::Ready(ready) = this.stream.poll_read_ready(context) else {
                let until = this.patience.until(this.slot.awaited());
                return match this.reading.poll(until, context) {
                    true => Poll::Ready(Err(late("no whole head in time (limits.header_seconds, limits.idle_seconds)"))),
                    false => Poll::Pending,
                };
            };
            ready?;
            match this.stream.try_read_buf(buffer) {
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => {}
                read => {
                    this.slot.reads();
                    return Poll::Ready(read.map(drop));
                }
            }
        }
    }
}

impl AsyncWrite for Socket {
    fn poll_write(self: Pin<&mut Self>, context: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        self.get_mut().poll_written(context, |stream| stream.try_write(bytes))
    }

    fn poll_write_vectored(self: Pin<&mut Self>, context: &mut Context<'_>, parts: &[io::IoSlice<'_>]) -> Poll<io::Result<usize>> {
        self.get_mut().poll_written(context, |stream| stream.try_write_vectored(parts))
    }

    fn is_write_vectored(&self) -> bool {
        true
    }

    fn poll_flush(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }

    fn poll_shutdown(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        match SockRef::from(&*self.stream).shutdown(Shutdown::Write) {
            Err(error) if error.kind() == io::ErrorKind::NotConnected => Poll::Ready(Ok(())),
            done => Poll::Ready(done),
        }
    }
}

/// Wakes a task at an instant that may change from poll to poll.
#[derive(Default)]
struct Alarm {
    sleep: Option<Pin<Box<Sleep>>>,
}

impl Alarm {
    /// Whether the instant has come. If not, the task is woken then.
    fn poll(&mut self, at: Option<Instant>, context: &mut Context<'_>) -> bool {
        let Some(at) = at else { return false };
        let sleep = self.sleep.get_or_insert_with(|| Box::pin(tokio::time::sleep_until(at)));
        if sleep.deadline() != at {
            sleep.as_mut().reset(at);
        }
        sleep.as_mut().poll(context).is_ready()
    }
}

/// Waits until the client is gone, as far as that can be known.
pub async fn gone(stream: &TcpStream, probe: &Probe) {
    let asking = async {
        sends_no_more(stream).await;
        let mut pause = BEFORE_PROBE;
        loop {
            tokio::time::sleep(pause).await;
            probe.send();
            pause *= 2;
        }
    };
    tokio::select! {
        _ = stream.ready(Interest::ERROR) => {}
        () = asking => {}
    }
}

/// Waits until the client has closed its half of the connection. No one is asked for bytes: what waits in the socket is read by
/// others.
#[cfg(any(target_os = "linux", target_os = "android"))]
async fn sends_no_more(stream: &TcpStream) {
    // Priority stands for urgent data, which HTTP has none of, and for a closed half.
    let _ = stream.ready(Interest::PRIORITY).await;
}

/// Elsewhere that cannot be known without reading: clients that are gone are noticed when something is written.
#[cfg(not(any(target_os = "linux", target_os = "android")))]
async fn sends_no_more(_: &TcpStream) {
    std::future::pending().await
}

/// Reads what a client still sends and throws it away, until it ends. Closing a connection on which more arrives resets it, and a client
/// that is still sending would see that instead of its answer.
pub async fn discard(stream: &TcpStream) {
    let mut nowhere = [0; 4096];
    while stream.readable().await.is_ok() {
        match stream.try_read(&mut nowhere) {
            Ok(0) => return,
            Ok(_) => {}
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => {}
            Err(_) => return,
        }
    }
}
