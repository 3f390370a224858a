//! From a socket to the router, and the graceful end.
//!
//! - [`slots`]: how many connections are open, and which makes way for a new one
//! - [`socket`]: how long a client is waited for, and whether it is still there
//! - [`probe`]: the interim answer that shows whether it is
//! - [`exchange`]: a request on its way to the router, and its answer on the way back
//!
//! The loop is our own because of one header: an official SDK looks up `X-Tt-Logid` in exactly that spelling, and hyper writes
//! header names in lower case unless its builder is told otherwise.

mod exchange;
mod probe;
mod slots;
mod socket;

use self::exchange::Exchange;
use self::probe::Probed;
use self::slots::Slots;
use self::socket::{Patience, Socket};
use super::body;
use super::tls::Certificates;
use crate::config::{Config, Limits};
use crate::failure::{Failure, Result};
use axum::Router;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use hyper_util::server::graceful::GracefulShutdown;
use hyper_util::service::TowerToHyperService;
use rollcall_dialects::site::Channel;
use std::error::Error;
use std::io::ErrorKind;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::{TcpListener, TcpStream};
use tokio_rustls::TlsAcceptor;

/// How long to wait when the system has no more sockets to give.
const ACCEPT_PAUSE: Duration = Duration::from_millis(100);

/// The least that hyper can be told to keep of what it reads and writes.
const LEAST_BUFFER: usize = 8192;

/// A bound listener, and what its connections need.
pub struct Server {
    listener: TcpListener,
    tls: Option<TlsAcceptor>,
    http: http1::Builder,
    slots: Arc<Slots>,
    channel: Channel,
    patience: Patience,
    shutdown_time: Option<Duration>,
    graceful: GracefulShutdown,
}

/// Takes the address; nobody is answered before [`Server::run`]. With certificates, clients speak TLS. So many connections are open at a time.
pub async fn bind(config: &Config, certificates: Option<&Arc<Certificates>>, connections: usize) -> Result<Server> {
    let tls = certificates.map(Certificates::acceptor).transpose()?;
    let listener = TcpListener::bind(config.listen).await.map_err(|error| {
        let hint = match error.kind() {
            ErrorKind::AddrInUse => "; another program listens there, maybe another rollcall: end it, or choose another port with --listen",
            ErrorKind::AddrNotAvailable => "; expected an address of this machine",
            ErrorKind::PermissionDenied => "; ports below 1024 are for privileged users: choose another with --listen",
            _ => "",
        };
        Failure::Message(format!("cannot listen on {}: {error}{hint}", config.listen))
    })?;
    let limits = &config.limits;
    let mut http = http1::Builder::new();
    // How long a client is waited for is the socket's matter, and so is whether one that sends no more is gone.
    http.title_case_headers(true).header_read_timeout(None).half_close(true);
    if limits.head_bytes > 0 {
        let head_bytes = usize::try_from(limits.head_bytes).unwrap_or(usize::MAX);
        // What hyper holds of a head it may read ahead of a body too, so a connection never holds more than that.
        http.max_header_size(head_bytes).max_buf_size(head_bytes.max(LEAST_BUFFER));
    }
    // Where neither holds, the server does not start.
    let is_tls = tls.is_some();
    let carries_credentials = is_tls || config.allow_plaintext_auth || config.listen.ip().is_loopback();
    Ok(Server {
        listener,
        tls,
        channel: Channel { client: None, is_tls, carries_credentials },
        http,
        slots: Slots::new(connections),
        patience: Patience::new(limits),
        shutdown_time: Limits::seconds(limits.shutdown_seconds),
        graceful: GracefulShutdown::new(),
    })
}

impl Server {
    /// The address that was taken.
    pub fn address(&self) -> Result<SocketAddr> {
        self.listener.local_addr().map_err(|error| Failure::of("the address of the listener", error))
    }

    /// The URL of the listening server.
    pub fn url(&self) -> Result<String> {
        let scheme = if self.tls.is_some() { "https" } else { "http" };
        Ok(format!("{scheme}://{}", self.address()?))
    }

    /// Serves until `stop` is done, then finishes what was begun. Returns whether everything was finished in time.
    pub async fn run(self, router: Router, stop: impl Future<Output = ()>) -> bool {
        let Self { listener, tls, http, slots, channel, patience, shutdown_time, graceful } = self;
        let accepting = async {
            loop {
                let (stream, peer) = match listener.accept().await {
                    Ok(accepted) => accepted,
                    Err(error) => {
                        tracing::warn!(%error, "a connection could not be accepted");
                        tokio::time::sleep(ACCEPT_PAUSE).await;
                        continue;
                    }
                };
                // Until there is a slot, further connections wait in the system's queue.
                let slot = Arc::new(slots.take().await);
                let stream = Arc::new(stream);
                let socket = Socket::new(stream.clone(), slot.clone(), patience);
                let connection = Connection {
                    http: http.clone(),
                    watcher: graceful.watcher(),
                    stream,
                    exchange: Exchange {
                        router: TowerToHyperService::new(router.clone()),
                        channel: Channel { client: Some(peer.ip().to_canonical()), ..channel },
                        slot,
                        probe: Arc::default(),
                    },
                };
                tokio::spawn(connection.serve(socket, tls.clone()));
            }
        };
        tokio::select! {
            () = accepting => {}
            () = stop => {}
        }
        drop(listener);
        match shutdown_time {
            None => graceful.shutdown().await,
            Some(time) => return tokio::time::timeout(time, graceful.shutdown()).await.is_ok(),
        }
        true
    }
}

struct Connection {
    http: http1::Builder,
    watcher: hyper_util::server::graceful::Watcher,
    stream: Arc<TcpStream>,
    exchange: Exchange,
}

impl Connection {
    async fn serve(self, socket: Socket, tls: Option<TlsAcceptor>) {
        let stream = self.stream.clone();
        let Exchange { slot, probe, .. } = self.exchange.clone();
        let speaking = async {
            match tls {
                None => self.speak(socket).await,
                Some(tls) => match tls.accept(socket).await {
                    Ok(socket) => self.speak(socket).await,
                    Err(error) => tracing::debug!(%error, "a connection did not come to speak TLS"),
                },
            }
        };
        tokio::select! {
            () = speaking => {}
            () = slot.evicted() => tracing::debug!("a connection made way for another"),
            () = socket::gone(&stream, &probe) => tracing::debug!("a client is gone"),
        }
    }

    async fn speak(self, socket: impl AsyncRead + AsyncWrite + Unpin + Send + 'static) {
        let Self { http, watcher, stream, exchange } = self;
        let socket = TokioIo::new(Probed::new(socket, exchange.probe.clone()));
        let slot = exchange.slot.clone();
        let service = service_fn(move |request| exchange.clone().answer(request));
        // What goes wrong here is the client's: it went away, or spoke no HTTP.
        if let Err(error) = watcher.watch(http.serve_connection(socket, service)).await {
            tracing::debug!(error = &error as &dyn Error, "a connection ended");
            if error.is_parse() {
                // hyper has refused the head, in the middle of which the client may still be.
                slot.answered();
                let _ = tokio::time::timeout(body::DISCARD, socket::discard(&stream)).await;
            }
        }
    }
}

#[cfg(test)]
mod tests;
