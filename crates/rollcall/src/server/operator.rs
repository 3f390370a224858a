//! The operator's socket: `operator.sock` in the data directory answers the operations of [`crate::operations`] while the server runs.
//!
//! Who may write the data directory may operate it: the socket is its owner's alone, and there is no other credential. `POST /NAME` takes the
//! parameters as JSON and answers in NDJSON, a [`Line`] each. One operation of a kind is under way at a time. A client that goes away
//! ends nothing: the operation goes on to its end. A shutdown waits for operations as it does for requests, also for those.

use super::access;
use super::parts::{Part, Parts};
use super::refusal::Refusal;
use super::state::App;
use crate::operations::backup::Backup;
use crate::operations::erase::{Forget, Retain, Withdraw};
use crate::operations::housekeeping::{Compact, Flush, Vacuum};
use crate::operations::keys::{Audit, CreateKey, ListKeys, RevokeKey};
use crate::operations::prove::{Rebuild, Verify};
use crate::operations::receipts::Receipts;
use crate::operations::socket::{NAME, Socket};
use crate::operations::{Context, Line, Operation};
use axum::Router;
use axum::body::Body;
use axum::extract::rejection::JsonRejection;
use axum::extract::{DefaultBodyLimit, Json, State};
use axum::response::{IntoResponse, Response};
use axum::routing::post;
use http::{StatusCode, Uri, header};
use serde::Serialize;
use std::fs::{self, Permissions};
use std::io;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};
use tokio::net::{UnixListener, UnixSocket};
use tokio::sync::{RwLock, Semaphore, mpsc, oneshot};

/// Every operation, once.
const OPERATIONS: &[Add] = &[
    add::<Verify>,
    add::<Rebuild>,
    add::<Flush>,
    add::<Compact>,
    add::<Vacuum>,
    add::<Forget>,
    add::<Retain>,
    add::<Receipts>,
    add::<Withdraw>,
    add::<Backup>,
    add::<CreateKey>,
    add::<ListKeys>,
    add::<RevokeKey>,
    add::<Audit>,
];

/// Adds the route of an operation.
type Add = fn(Router, &Desk) -> Router;

/// The most bytes of what is asked.
const MOST_ASKED: usize = 64 << 20;

/// Clients that may wait to be accepted.
const WAITING: u32 = 64;

/// The least time between two lines of progress.
const BETWEEN_LINES: Duration = Duration::from_millis(100);

/// Lines that wait for the client. When it reads slowly, it misses lines of progress.
const AHEAD: usize = 4;

/// The socket of an open data directory; nobody is answered before [`Operator::run`].
pub struct Operator {
    listener: UnixListener,
    name: Name,
}

/// Its name in the data directory; removed when dropped.
struct Name(PathBuf);

impl Drop for Name {
    fn drop(&mut self) {
        let _ = fs::remove_file(&self.0);
    }
}

/// Makes the socket of a data directory that this process has open. One that is there is of a killed process, and is replaced.
pub fn bind(data: &Path) -> io::Result<Operator> {
    let name = Name(data.join(NAME));
    match fs::remove_file(&name.0) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
        _ => {}
    }
    let socket = UnixSocket::new_stream()?;
    socket.bind(Socket::of(data)?.name())?;
    // Before anybody is listened to.
    fs::set_permissions(&name.0, Permissions::from_mode(0o600))?;
    Ok(Operator { listener: socket.listen(WAITING)?, name })
}

impl Operator {
    /// Answers until `stop` is done, then finishes what was begun. Returns whether everything was finished in time; no time is no limit.
    pub async fn run(self, app: Arc<App>, stop: impl Future<Output = ()> + Send + 'static, time: Option<Duration>) -> bool {
        self.answer(OPERATIONS, app, stop, time).await
    }

    async fn answer(
        self,
        operations: &[Add],
        app: Arc<App>,
        stop: impl Future<Output = ()> + Send + 'static,
        time: Option<Duration>,
    ) -> bool {
        let Self { listener, name } = self;
        let under_way = Arc::new(RwLock::new(()));
        let (stopping, stopped) = oneshot::channel();
        let stop = async move {
            stop.await;
            drop(name);
            let _ = stopping.send(());
        };
        let router = router(operations, &Desk { app, under_way: under_way.clone() });
        let finished = async {
            // It never fails: what goes wrong with one connection is of that one.
            let _ = axum::serve(listener, router).with_graceful_shutdown(stop).await;
            drop(under_way.write().await);
        };
        let too_long = async {
            let _ = stopped.await;
            match time {
                None => std::future::pending().await,
                Some(time) => tokio::time::sleep(time).await,
            }
        };
        tokio::select! {
            () = finished => true,
            () = too_long => false,
        }
    }
}

/// What operations share.
#[derive(Clone)]
struct Desk {
    app: Arc<App>,
    /// Read-locked by every operation that is under way.
    under_way: Arc<RwLock<()>>,
}

/// What all of one kind share: the turn to be under way.
#[derive(Clone)]
struct Counter {
    desk: Desk,
    turn: Arc<Semaphore>,
}

fn router(operations: &[Add], desk: &Desk) -> Router {
    let router = operations.iter().fold(Router::new(), |router, add| add(router, desk));
    // A list of ids may be long, and who may ask at all may do worse.
    let router = router.layer(DefaultBodyLimit::max(MOST_ASKED));
    router.fallback(unknown).layer(axum::middleware::from_fn_with_state(desk.app.clone(), access::log))
}

fn add<O: Operation>(router: Router, desk: &Desk) -> Router {
    let counter = Counter { desk: desk.clone(), turn: Arc::new(Semaphore::new(1)) };
    router.route(&format!("/{}", O::NAME), post(answer::<O>).with_state(counter))
}

async fn unknown(uri: Uri) -> Refusal {
    let version = env!("CARGO_PKG_VERSION");
    Refusal::new(StatusCode::NOT_FOUND, format!("no such operation: {}; the server is rollcall {version}", uri.path()))
}

async fn answer<O: Operation>(
    State(Counter { desk, turn }): State<Counter>,
    asked: Result<Json<O::Asked>, JsonRejection>,
) -> Result<Response, Refusal> {
    let Json(asked) = asked.map_err(|error| Refusal::bad_request(error.body_text()))?;
    let Desk { app, under_way } = desk;
    let shutting_down = || Refusal::unavailable("shutting down");
    if app.is_closing() {
        return Err(shutting_down());
    }
    let under_way = under_way.try_read_owned().map_err(|_| shutting_down())?;
    let another = |_| Refusal::new(StatusCode::CONFLICT, format!("another {} is under way", O::NAME));
    let turn = turn.try_acquire_owned().map_err(another)?;
    let (sender, receiver) = mpsc::channel(AHEAD);
    tokio::task::spawn_blocking(move || {
        let client = Client { sender, told: Mutex::default() };
        // Dropped before the client, whatever happens: whoever has read the end may ask for the next.
        let held = (app, turn, under_way);
        let begun = Instant::now();
        let engine = held.0.engine().map_err(|error| error.to_string());
        let outcome = engine.and_then(|engine| O::run(&Context { engine: &engine }, asked, &|done, of| client.progress(done, of)));
        let seconds = begun.elapsed().as_secs();
        let line = match outcome {
            Ok(found) => {
                tracing::info!(operation = O::NAME, seconds, "operation done");
                Line::Done(found)
            }
            Err(error) => {
                tracing::error!(operation = O::NAME, seconds, %error, "operation failed");
                Line::Error(error)
            }
        };
        drop(held);
        client.end(&line);
    });
    Ok(([(header::CONTENT_TYPE, "application/x-ndjson")], Body::new(Parts(receiver))).into_response())
}

/// Who asked, and may have gone.
struct Client {
    sender: mpsc::Sender<Part>,
    /// When it was told last how far it is.
    told: Mutex<Option<Instant>>,
}

impl Client {
    fn progress(&self, done: u64, of: u64) {
        let mut told = self.told.lock().unwrap_or_else(PoisonError::into_inner);
        if told.is_none_or(|told| told.elapsed() >= BETWEEN_LINES) {
            *told = Some(Instant::now());
            // Nobody waits for a client.
            let _ = self.sender.try_send(part(&Line::<()>::Progress { done, of }));
        }
    }

    fn end<F: Serialize>(&self, last: &Line<F>) {
        let _ = self.sender.blocking_send(part(last)).and_then(|()| self.sender.blocking_send(Part::End));
    }
}

fn part<F: Serialize>(line: &Line<F>) -> Part {
    match serde_json::to_vec(line) {
        Ok(text) => Part::Bytes([text.as_slice(), b"\n"].concat().into()),
        Err(error) => part(&Line::<()>::Error(format!("the answer cannot be written: {error}"))),
    }
}

#[cfg(test)]
mod tests;
