//! From a socket to the router, and the graceful end.
//!
//! The loop is our own because of one header: an official SDK looks up `X-Tt-Logid` in exactly that spelling, and hyper writes
//! header names in lower case unless its builder is told otherwise.

use super::tls;
use crate::config::{Config, Limits};
use crate::failure::{Failure, Result};
use axum::{Extension, Router};
use hyper::server::conn::http1;
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::server::graceful::GracefulShutdown;
use hyper_util::service::TowerToHyperService;
use rollcall_dialects::site::Channel;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::Semaphore;
use tokio_rustls::TlsAcceptor;
use tower::Layer;

/// How long to wait when the system has no more sockets to give.
const ACCEPT_PAUSE: Duration = Duration::from_millis(100);

/// A bound listener, and what its connections need.
pub struct Server {
    listener: TcpListener,
    tls: Option<TlsAcceptor>,
    http: http1::Builder,
    turns: Arc<Semaphore>,
    channel: Channel,
    header_time: Option<Duration>,
    shutdown_time: Option<Duration>,
    graceful: GracefulShutdown,
}

/// Takes the address; nobody is answered before [`Server::run`].
pub async fn bind(config: &Config) -> Result<Server> {
    let tls = config.tls.as_ref().map(tls::acceptor).transpose()?;
    let listener =
        TcpListener::bind(config.listen).await.map_err(|error| Failure::of(format_args!("cannot listen on {}", config.listen), error))?;
    let limits = &config.limits;
    let header_time = Limits::seconds(limits.header_seconds);
    let mut http = http1::Builder::new();
    http.title_case_headers(true).timer(TokioTimer::new()).header_read_timeout(header_time);
    let connections = usize::try_from(limits.connections).unwrap_or(usize::MAX);
    let turns = if connections == 0 { Semaphore::MAX_PERMITS } else { connections.min(Semaphore::MAX_PERMITS) };
    // Where neither holds, the server does not start.
    let is_tls = tls.is_some();
    let carries_credentials = is_tls || config.allow_plaintext_auth || config.listen.ip().is_loopback();
    Ok(Server {
        listener,
        tls,
        channel: Channel { client: None, is_tls, carries_credentials },
        http,
        turns: Arc::new(Semaphore::new(turns)),
        header_time,
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
        let Self { listener, tls, http, turns, channel, header_time, shutdown_time, graceful } = self;
        let accepting = async {
            loop {
                // Taking the turn first leaves further connections in the system's queue.
                let turn = turns.clone().acquire_owned().await;
                let (stream, peer) = match listener.accept().await {
                    Ok(accepted) => accepted,
                    Err(error) => {
                        tracing::warn!(%error, "a connection could not be accepted");
                        tokio::time::sleep(ACCEPT_PAUSE).await;
                        continue;
                    }
                };
                let channel = Channel { client: Some(peer.ip().to_canonical()), ..channel };
                let connection = Connection { http: http.clone(), router: router.clone(), channel, watcher: graceful.watcher() };
                let tls = tls.clone();
                tokio::spawn(async move {
                    let _turn = turn;
                    connection.serve(stream, tls, header_time).await;
                });
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
    router: Router,
    /// Put among the extensions of every request.
    channel: Channel,
    watcher: hyper_util::server::graceful::Watcher,
}

impl Connection {
    async fn serve(self, stream: TcpStream, tls: Option<TlsAcceptor>, header_time: Option<Duration>) {
        // Answers are small and written at once; waiting to fill a packet only delays them.
        let _ = stream.set_nodelay(true);
        let Some(tls) = tls else { return self.speak(stream).await };
        let greeting = tls.accept(stream);
        let greeted = match header_time {
            None => greeting.await.ok(),
            Some(time) => tokio::time::timeout(time, greeting).await.ok().and_then(|greeted| greeted.ok()),
        };
        if let Some(stream) = greeted {
            self.speak(stream).await;
        }
    }

    async fn speak(self, stream: impl AsyncRead + AsyncWrite + Unpin + Send + 'static) {
        let service = TowerToHyperService::new(Extension(self.channel).layer(self.router));
        let connection = self.watcher.watch(self.http.serve_connection(TokioIo::new(stream), service));
        // What goes wrong here is the client's: it went away, or spoke no HTTP.
        if let Err(error) = connection.await {
            tracing::debug!(%error, "a connection ended");
        }
    }
}
