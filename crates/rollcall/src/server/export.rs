//! `GET /v1/attendance` and `/v1/assistance`: every fact of a range, streamed as the ledger is read.

use super::credentials::Caller;
use super::negotiate::BOM;
use super::parts::{Part, Parts};
use super::refusal::Refusal;
use super::state::App;
use super::work::inside;
use super::{native, negotiate};
use crate::config::Limits;
use crate::reports;
use axum::body::Body;
use axum::extract::State;
use axum::response::{IntoResponse, Response};
use http::{HeaderMap, StatusCode, Uri, header};
use rollcall_engine::export::{ExportError, Format};
use rollcall_engine::kinds::words::Worded;
use rollcall_model::Cancellation;
use std::io::{self, Write};
use std::sync::Arc;
use std::time::{Duration, Instant};
use tokio::runtime::Handle;
use tokio::sync::mpsc::error::SendTimeoutError;
use tokio::sync::{mpsc, oneshot};

/// About how many bytes go to the client at a time.
const CHUNK_BYTES: usize = 128 << 10;

/// How often an export that waits for its client looks whether it may go on.
const LOOK: Duration = Duration::from_secs(1);

/// How many chunks wait for the client, so that reading and sending do not wait for each other.
const AHEAD: usize = 4;

/// The formats of exports.
pub const FORMATS: &[negotiate::Format<Format>] = &[
    ("ndjson", "application/x-ndjson", Format::Ndjson),
    ("csv", "text/csv", Format::Csv),
    ("parquet", "application/vnd.apache.parquet", Format::Parquet),
];

pub async fn facts<B: Worded>(State(app): State<Arc<App>>, caller: Caller, uri: Uri, headers: HeaderMap) -> Result<Response, Refusal> {
    let Caller { live, organization, .. } = caller;
    let mut given = native::parameters(&uri)?;
    let (content_type, format) = negotiate::format(&mut given, &headers, FORMATS)?;
    let with_bom = negotiate::bom(&mut given, format == Format::Csv)?;
    let range = reports::export_range(&given, &organization)?;
    if app.is_closing() {
        return Err(Refusal::unavailable("shutting down; try again"));
    }
    let turn = live.exports.try_take(organization.id)?;
    let until = Limits::seconds(live.limits.export_seconds).map(|time| Instant::now() + time);
    let ((sender, receiver), (begun, first)) = (mpsc::channel(AHEAD), oneshot::channel());
    tokio::task::spawn_blocking(inside(move || {
        let mut pipe = Pipe::new(sender, until);
        pipe.begun = Some(begun);
        pipe.chunk.extend_from_slice(if with_bom { BOM } else { b"" });
        let pipe = &mut pipe;
        let engine = app.engine().map_err(ExportError::from);
        let written = engine.and_then(|engine| {
            engine.export_until::<B, _>(organization.id, range, format, |revoked| {
                pipe.revoked = revoked;
                &mut *pipe
            })
        });
        // Before the end is told: whoever has read one export may begin the next.
        drop(turn);
        let outcome = written.and_then(|_| Ok(pipe.end()?));
        match outcome {
            Ok(()) => {}
            Err(ExportError::Output(error)) if error.kind() == io::ErrorKind::TimedOut => tracing::warn!(%error, "an export was ended"),
            Err(ExportError::Output(error)) => tracing::debug!(%error, "an export was broken off"),
            Err(error) => tracing::error!(%error, "an export failed"),
        }
    }));
    // While nothing is sent, an error can still be told as one; after that the answer breaks off.
    if first.await.is_err() {
        return Err(Refusal::new(StatusCode::INTERNAL_SERVER_ERROR, "facts cannot be read; the cause is in the server's log"));
    }
    Ok(([(header::CONTENT_TYPE, content_type)], Body::new(Parts(receiver))).into_response())
}

/// Where an export is written: gathers it into chunks, and waits for the client to take them. A client that takes nothing loses its
/// connection (`limits.write_seconds`), and with that the other end of this is gone. One that takes little at a time is waited for until the
/// export's time is over, or somebody waits for what it reads.
struct Pipe {
    chunk: Vec<u8>,
    sender: mpsc::Sender<Part>,
    /// Told when the first part is sent; dropped without a word if there is none.
    begun: Option<oneshot::Sender<()>>,
    /// When the whole export is to be over.
    until: Option<Instant>,
    /// Cancelled when an erasure waits for the export.
    revoked: Cancellation,
}

impl Pipe {
    fn new(sender: mpsc::Sender<Part>, until: Option<Instant>) -> Self {
        Self { chunk: Vec::new(), sender, begun: None, until, revoked: Cancellation::default() }
    }

    fn send(&mut self, part: Part) -> io::Result<()> {
        if let Some(begun) = self.begun.take() {
            let _ = begun.send(());
        }
        let mut part = part;
        loop {
            match Handle::current().block_on(self.sender.send_timeout(part, LOOK)) {
                Ok(()) => return self.may_go_on(),
                Err(SendTimeoutError::Closed(_)) => return Err(io::Error::new(io::ErrorKind::BrokenPipe, "the client takes no more")),
                Err(SendTimeoutError::Timeout(again)) => part = again,
            }
            self.may_go_on()?;
        }
    }

    fn may_go_on(&self) -> io::Result<()> {
        let ended = |why: &str| Err(io::Error::new(io::ErrorKind::TimedOut, why));
        if self.revoked.is_cancelled() {
            return ended("an erasure waits for what it reads");
        }
        if self.until.is_some_and(|until| until <= Instant::now()) {
            return ended("its time is over (limits.export_seconds)");
        }
        Ok(())
    }

    fn end(&mut self) -> io::Result<()> {
        let last = std::mem::take(&mut self.chunk);
        if !last.is_empty() {
            self.send(Part::Bytes(last.into()))?;
        }
        self.send(Part::End)
    }
}

impl Write for Pipe {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.chunk.extend_from_slice(bytes);
        if self.chunk.len() >= CHUNK_BYTES {
            let chunk = std::mem::take(&mut self.chunk);
            self.send(Part::Bytes(chunk.into()))?;
        }
        Ok(bytes.len())
    }

    /// Nothing: the client gets whole chunks, and the rest at the end.
    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use http_body_util::BodyExt;

    fn pipe() -> (Pipe, Parts) {
        let (sender, receiver) = mpsc::channel(AHEAD);
        (Pipe::new(sender, None), Parts(receiver))
    }

    #[tokio::test(flavor = "multi_thread")]
    async fn an_export_arrives_whole_or_as_an_error() {
        for whole in [true, false] {
            let (mut pipe, parts) = pipe();
            let written = tokio::task::spawn_blocking(move || {
                (0..100u8).try_for_each(|byte| pipe.write_all(&[byte; CHUNK_BYTES / 8]))?;
                if whole { pipe.end() } else { Ok(()) }
            });
            let arrived = parts.collect().await;
            written.await.unwrap().unwrap();
            assert_eq!(arrived.is_ok(), whole);
            if let Ok(arrived) = arrived {
                let expected: Vec<u8> = (0..100u8).flat_map(|byte| [byte; CHUNK_BYTES / 8]).collect();
                assert!(arrived.to_bytes() == expected);
            }
        }
    }

    #[tokio::test(flavor = "multi_thread")]
    async fn an_export_ends_when_its_client_goes_away() {
        let (mut pipe, parts) = pipe();
        let written = tokio::task::spawn_blocking(move || (0..).try_for_each(|_: u32| pipe.write_all(&[0; CHUNK_BYTES])));
        drop(parts);
        assert_eq!(written.await.unwrap().unwrap_err().kind(), io::ErrorKind::BrokenPipe);
    }
    #[tokio::test(flavor = "multi_thread")]
    async fn an_export_ends_when_its_time_is_over_or_somebody_waits_for_it() {
        for revoked in [true, false] {
            let (mut pipe, _parts) = pipe();
            let cancellation = pipe.revoked.clone();
            if !revoked {
                pipe.until = Some(Instant::now() + Duration::from_millis(1));
            }
            let written = tokio::task::spawn_blocking(move || (0..).try_for_each(|_: u32| pipe.write_all(&[0; CHUNK_BYTES])));
            if revoked {
                cancellation.cancel();
            }
            let error = written.await.unwrap().unwrap_err();
            assert_eq!((error.kind(), error.to_string().contains("limits.export_seconds")), (io::ErrorKind::TimedOut, !revoked));
        }
    }
}
