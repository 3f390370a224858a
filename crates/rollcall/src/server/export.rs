//! `GET /v1/attendance` and `/v1/assistance`: every fact of a range, streamed as the ledger is read.

use super::parts::{Part, Parts};
use super::refusal::Refusal;
use super::state::App;
use super::{credentials, native};
use crate::reports::{self, BadParameter};
use axum::body::Body;
use axum::extract::State;
use axum::response::{IntoResponse, Response};
use http::{HeaderMap, StatusCode, Uri, header};
use rollcall_engine::export::{ExportError, Format};
use rollcall_engine::words::Worded;
use std::io::{self, Write};
use std::sync::Arc;
use tokio::sync::{mpsc, oneshot};

/// About how many bytes go to the client at a time.
const CHUNK_BYTES: usize = 128 << 10;

/// How many chunks wait for the client, so that reading and sending do not wait for each other.
const AHEAD: usize = 4;

/// The formats: in `format`, and as content types.
const FORMATS: [(&str, &str, Format); 3] = [
    ("ndjson", "application/x-ndjson", Format::Ndjson),
    ("csv", "text/csv", Format::Csv),
    ("parquet", "application/vnd.apache.parquet", Format::Parquet),
];

pub async fn facts<B: Worded>(State(app): State<Arc<App>>, uri: Uri, headers: HeaderMap) -> Result<Response, Refusal> {
    let live = app.live();
    let organization = credentials::organization(&live, &headers)?;
    let given = native::parameters(&uri)?;
    let range = reports::export_range(&given, &organization)?;
    let (content_type, format) = format(&given, &headers)?;
    if app.is_closing() {
        return Err(Refusal::unavailable("shutting down; try again"));
    }
    let turn = live.exports.try_take(organization.id)?;
    let ((sender, receiver), (begun, first)) = (mpsc::channel(AHEAD), oneshot::channel());
    tokio::task::spawn_blocking(move || {
        let mut pipe = Pipe { chunk: Vec::new(), sender, begun: Some(begun) };
        let engine = app.engine().map_err(ExportError::from);
        let written = engine.and_then(|engine| engine.export::<B>(organization.id, range, format, &mut pipe));
        // Before the end is told: whoever has read one export may begin the next.
        drop(turn);
        let outcome = written.and_then(|_| Ok(pipe.end()?));
        match outcome {
            Ok(()) => {}
            Err(ExportError::Output(error)) => tracing::debug!(%error, "an export was broken off"),
            Err(error) => tracing::error!(%error, "an export failed"),
        }
    });
    // While nothing is sent, an error can still be told as one; after that the answer breaks off.
    if first.await.is_err() {
        return Err(Refusal::new(StatusCode::INTERNAL_SERVER_ERROR, "facts cannot be read; the cause is in the server's log"));
    }
    Ok(([(header::CONTENT_TYPE, content_type)], Body::new(Parts(receiver))).into_response())
}

/// By `format`; without it, `Accept` decides.
fn format(given: &[(String, String)], headers: &HeaderMap) -> Result<(&'static str, Format), BadParameter> {
    let found = match given.iter().find(|(name, _)| name == "format") {
        Some((name, value)) => {
            let found = FORMATS.iter().find(|(word, ..)| word == value);
            found.ok_or_else(|| BadParameter::new(name, Some(value), "ndjson, csv or parquet"))?
        }
        None => {
            let accept = headers.get(header::ACCEPT).and_then(|accept| accept.to_str().ok()).unwrap_or_default().trim_start();
            let [default, ..] = &FORMATS;
            FORMATS.iter().find(|(_, content_type, _)| accept.starts_with(content_type)).unwrap_or(default)
        }
    };
    Ok((found.1, found.2))
}

/// Where an export is written: gathers it into chunks, and waits for the client to take them. A client that takes nothing loses its
/// connection (`limits.write_seconds`), and with that the other end of this is gone.
struct Pipe {
    chunk: Vec<u8>,
    sender: mpsc::Sender<Part>,
    /// Told when the first part is sent; dropped without a word if there is none.
    begun: Option<oneshot::Sender<()>>,
}

impl Pipe {
    fn send(&mut self, part: Part) -> io::Result<()> {
        if let Some(begun) = self.begun.take() {
            let _ = begun.send(());
        }
        self.sender.blocking_send(part).map_err(|_| io::Error::new(io::ErrorKind::BrokenPipe, "the client takes no more"))
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
        (Pipe { chunk: Vec::new(), sender, begun: None }, Parts(receiver))
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
}
