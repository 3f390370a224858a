//! `serve`: from the configuration to a running server, its reloads and its graceful end.

use crate::args;
use crate::config::{Config, Limits, Overrides};
use crate::descriptors;
use crate::failure::{Failure, Result};
use crate::operations::socket::NAME as SOCKET;
use crate::server::{self, App, Certificates, Server, operator};
use rollcall_engine::{PlaceFiles, Settings, Supervisor};
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;
use tokio::signal::unix::{Signal, SignalKind, signal};
use tokio::sync::oneshot;
use tokio::time::MissedTickBehavior;

/// How often place databases are looked at, whether they were exchanged.
const LOOK_AT_PLACES: Duration = Duration::from_secs(10);

pub fn run(flags: args::Serve) -> Result {
    let source = Source::of(flags.configured);
    let config = source.load()?;
    super::wait(async {
        let opened = open(&config).await?;
        if let Some(path) = flags.address_file {
            let url = opened.server.url()?;
            std::fs::write(&path, format!("{url}\n"))
                .map_err(|error| Failure::of(format_args!("--address-file {}", path.display()), error))?;
        }
        serve(opened, config, source).await
    })
}

/// Where the configuration comes from, to read it again.
pub struct Source {
    pub file: PathBuf,
    pub overrides: Overrides,
}

impl Source {
    pub fn of(flags: args::Configured) -> Self {
        Self { file: flags.file.config, overrides: Overrides { listen: flags.listen, data: flags.data } }
    }

    pub fn load(&self) -> Result<Config> {
        Ok(Config::load(&self.file, &self.overrides)?)
    }
}

/// A server that has everything it needs, and answers nobody yet.
pub struct Opened {
    pub server: Server,
    pub app: Arc<App>,
    certificates: Option<Arc<Certificates>>,
    signals: Signals,
}

impl Opened {
    /// Returns once the process is told to stop, by SIGTERM or SIGINT.
    pub async fn stopped(&mut self) {
        let Signals { terminate, interrupt, hangup: _ } = &mut self.signals;
        tokio::select! {
            _ = terminate.recv() => {}
            _ = interrupt.recv() => {}
        }
    }
}

/// Takes the address and opens the data directory.
pub async fn open(config: &Config) -> Result<Opened> {
    config.check_plaintext()?;
    let signals = Signals::receive()?;
    // The address comes first: to find it taken costs nothing, to recover a data directory may.
    let share = descriptors::Share::of(descriptors::limit(), config.limits.connections);
    share.tell(&config.limits);
    let certificates = config.tls.as_ref().map(Certificates::open).transpose()?;
    let server = server::bind(config, certificates.as_ref(), share.connections).await?;
    let storage = Settings { open_files: share.storage / 2, ..config.storage.clone() };
    let (data, places) = (config.data.clone(), config.places.clone());
    let opening = move || {
        let places = PlaceFiles::open(&places)?;
        let storage = Supervisor::open(&data, storage)?;
        let key = server::signing_key(&data).map_err(|error| Failure::of(format_args!("the signing key in {}", data.display()), error))?;
        Ok::<_, Failure>((Arc::new(storage), places, key))
    };
    let (storage, places, key) =
        tokio::task::spawn_blocking(opening).await.map_err(|error| Failure::of("the data directory could not be opened", error))??;
    Ok(Opened { server, app: Arc::new(App::new(config, storage, places, key)), certificates, signals })
}

/// Serves until told to stop, then finishes what was begun and closes the engine.
pub async fn serve(opened: Opened, config: Config, source: Source) -> Result {
    let Opened { server, app, certificates, signals } = opened;
    tracing::info!("listening on {}", server.url()?);
    let operator = operator::bind(&config.data);
    if let Err(error) = &operator {
        let socket = config.data.join(SOCKET);
        tracing::warn!(
            "{} cannot be made: {error}; commands on the data directory have to wait until the server has stopped",
            socket.display()
        );
    }
    let Signals { mut terminate, mut interrupt, hangup } = signals;
    let shutdown_time = Limits::seconds(config.limits.shutdown_seconds);
    let (retention, resuming) = (server::retention::run(app.clone(), server::now), server::retention::resume(app.clone()));
    let retaining = tokio::spawn(async { tokio::join!(retention, resuming) });
    let reloading = tokio::spawn(reload(hangup, app.clone(), certificates, config, source));
    let closing = app.clone();
    let (stopping, stopped) = oneshot::channel();
    let stop = async move {
        tokio::select! {
            _ = terminate.recv() => {}
            _ = interrupt.recv() => {}
        }
        tracing::info!("stopping: no new connections, requests under way are finished");
        closing.close();
        let _ = stopping.send(());
    };
    let router = server::router(app.clone());
    let operating = async {
        let Ok(operator) = operator else { return true };
        let stop = async {
            let _ = stopped.await;
        };
        operator.run(app.clone(), stop, shutdown_time).await
    };
    let (answered, operated) = tokio::join!(server.run(router, stop), operating);
    if !operated {
        tracing::warn!("operations were still under way after limits.shutdown_seconds, and were cut off");
    }
    if !answered {
        tracing::warn!("requests were still under way after limits.shutdown_seconds, and were cut off");
    }
    retaining.abort();
    let _ = retaining.await;
    reloading.abort();
    let _ = reloading.await;
    // The last owner closes the engine, and that may take a moment.
    let _ = tokio::task::spawn_blocking(move || drop(app)).await;
    tracing::info!("stopped");
    Ok(())
}

/// The signals a server answers to. Received from here on, so that none of them ends the process unasked.
struct Signals {
    terminate: Signal,
    interrupt: Signal,
    hangup: Signal,
}

impl Signals {
    fn receive() -> Result<Self> {
        let receive = |kind| signal(kind).map_err(|error| Failure::of("signals cannot be received", error));
        Ok(Self {
            terminate: receive(SignalKind::terminate())?,
            interrupt: receive(SignalKind::interrupt())?,
            hangup: receive(SignalKind::hangup())?,
        })
    }
}

/// Reads the configuration again on every SIGHUP, and place databases when they were exchanged. What is bad changes nothing.
async fn reload(mut hangup: Signal, app: Arc<App>, certificates: Option<Arc<Certificates>>, mut current: Config, source: Source) {
    let mut looking = tokio::time::interval(LOOK_AT_PLACES);
    looking.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        tokio::select! {
            Some(()) = hangup.recv() => tokio::task::block_in_place(|| reload_configuration(&app, certificates.as_deref(), &mut current, &source)),
            _ = looking.tick() => match tokio::task::block_in_place(|| app.places.refresh()) {
                Ok(false) => {}
                Ok(true) => tracing::info!("place databases read again"),
                Err(error) => tracing::error!("{error}; what was read before stays in use"),
            },
        }
    }
}

/// Puts the configuration in force as it is now.
fn reload_configuration(app: &App, certificates: Option<&Certificates>, current: &mut Config, source: &Source) {
    // Passwords that the file only refers to are hashed, and that takes its time.
    match source.load() {
        Ok(next) => {
            warn_of_restart(current, &next);
            app.reload(&next);
            // A bad database does not keep back what else changed: a key that was taken from somebody is one that ends now.
            if let Err(error) = app.places.exchange(&next.places) {
                tracing::error!("{error}; what was read before stays in use");
            }
            // Read again also under the same names: that is how certificates are renewed.
            if let Some((certificates, files)) = certificates.zip(next.tls.as_ref())
                && let Err(error) = certificates.reload(files)
            {
                tracing::error!("{error}; the certificate of before stays in use");
            }
            tracing::info!(organizations = next.organizations.len(), "configuration reloaded");
            *current = next;
        }
        Err(error) => tracing::error!("configuration not reloaded, the old one stays: {error}"),
    }
}

/// Says which changes wait for a restart.
fn warn_of_restart(current: &Config, next: &Config) {
    let (old, new) = (&current.limits, &next.limits);
    let connections = |limits: &Limits| {
        let seconds = [limits.header_seconds, limits.idle_seconds, limits.write_seconds, limits.shutdown_seconds];
        (limits.connections, limits.head_bytes, seconds)
    };
    for (key, changed) in [
        ("listen", current.listen != next.listen),
        ("data", current.data != next.data),
        ("tls, whether there is any,", current.tls.is_some() != next.tls.is_some()),
        ("storage or lake", current.storage != next.storage),
        (
            "limits.connections, .head_bytes, .header_seconds, .idle_seconds, .write_seconds or .shutdown_seconds",
            connections(old) != connections(new),
        ),
    ] {
        if changed {
            tracing::warn!("{key} changed: this takes effect after a restart");
        }
    }
}
