//! Operations on a data directory: by its server, if one has it open, else by this process.

use super::causes;
use crate::config::Config;
use crate::failure::{Failure, Result};
use crate::operations::socket::{NAME, Socket};
use crate::operations::{Context, Line, Operation, Progress};
use crate::output;
use crate::problem::detail_in;
use rollcall_engine::{Engine, EngineError, Settings};
use std::io::ErrorKind;
use std::os::unix::net::UnixStream;
use std::path::Path;

/// The longest line of an answer.
const LINE_BYTES: usize = 64 << 20;

/// Does an operation to the data directory `data`, and shows how far it is. Without a server, the configuration says how to open the
/// directory and which organizations there are; a server has its own.
pub fn operate<O: Operation>(data: &Path, config: Option<&Config>, asked: O::Asked) -> Result<O::Found> {
    // An engine would make the directory.
    if !data.join("ledger").is_dir() {
        return Err(Failure::Message(format!("{} is no data directory", data.display())));
    }
    let bar = output::progress(0, "{msg} {wide_bar} {percent}% {eta}");
    bar.set_message(O::DOING);
    let progress = |done, of| {
        bar.set_length(of);
        bar.set_position(done);
    };
    let found = match reach(data)? {
        Some(socket) => super::wait(ask::<O>(&socket, &asked, &progress)),
        None => work::<O>(data, config, asked, &progress),
    };
    bar.finish_and_clear();
    found
}

/// The socket of the directory, if a server answers there.
fn reach(data: &Path) -> Result<Option<Socket>> {
    let reached = Socket::of(data).and_then(|socket| UnixStream::connect(socket.name()).map(|_| socket));
    match reached {
        Ok(socket) => Ok(Some(socket)),
        // There is none, it is of a killed process, or there can be none here.
        Err(error) if matches!(error.kind(), ErrorKind::NotFound | ErrorKind::ConnectionRefused | ErrorKind::InvalidFilename) => Ok(None),
        Err(error) => Err(Failure::of(format_args!("the server cannot be reached by {}", data.join(NAME).display()), error)),
    }
}

fn work<O: Operation>(data: &Path, config: Option<&Config>, asked: O::Asked, progress: &Progress<'_>) -> Result<O::Found> {
    let settings = config.map_or_else(Settings::default, |config| config.storage.clone());
    let engine = Engine::open(data, settings).map_err(|error| match error {
        EngineError::InUse(data) => Failure::Message(format!(
            "data directory {data} is in use by another rollcall process that does not answer on {NAME}: a server that is starting or \
             stopping, or another command; try again when it is done"
        )),
        error => error.into(),
    })?;
    Ok(O::run(&Context { engine: &engine }, asked, progress)?)
}

async fn ask<O: Operation>(socket: &Socket, asked: &O::Asked, progress: &Progress<'_>) -> Result<O::Found> {
    let client = super::built(reqwest::Client::builder().unix_socket(socket.name()))?;
    let broken = |error: reqwest::Error| Failure::of("the server broke off", causes(&error.without_url()));
    // The socket leads to one server; its name there is of no matter.
    let mut response = client.post(format!("http://operator/{}", O::NAME)).json(asked).send().await.map_err(broken)?;
    let status = response.status();
    if !status.is_success() {
        let body = response.bytes().await.map_err(broken)?;
        return Err(Failure::of("the server refused", detail_in(&body).unwrap_or_else(|| status.to_string())));
    }
    let mut line = Vec::new();
    while let Some(chunk) = response.chunk().await.map_err(broken)? {
        for piece in chunk.split_inclusive(|byte| *byte == b'\n') {
            line.extend_from_slice(piece);
            if line.len() > LINE_BYTES {
                return Err(Failure::Message(format!("the server answered with a line of more than {LINE_BYTES} bytes")));
            }
            if !piece.ends_with(b"\n") {
                continue;
            }
            match serde_json::from_slice(&line).map_err(|error| Failure::of("the server answered something else", error))? {
                Line::Progress { done, of } => progress(done, of),
                Line::Done(found) => return Ok(found),
                Line::Error(error) => return Err(Failure::Message(error)),
            }
            line.clear();
        }
    }
    Err(Failure::Message("the server ended before the operation did".into()))
}
