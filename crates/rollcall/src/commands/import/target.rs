//! Where bodies go: to a server over HTTP, with retries, or into the data directory of this machine.

use super::cut::Body;
use super::source::Source;
use crate::args::{Import, OnError};
use crate::commands::local::{self, Opened};
use crate::commands::remote::{Remote, is_lasting, trouble};
use crate::failure::{Failure, Result};
use crate::output;
use crate::problem::detail_in;
use crate::reports;
use crate::server::now;
use jiff::tz::TimeZone;
use reqwest::header::{CONTENT_ENCODING, CONTENT_TYPE, RETRY_AFTER};
use reqwest::{Method, RequestBuilder, Response, StatusCode};
use rollcall_engine::ingest::{self, Compression, Context, Format};
use rollcall_engine::kinds::ColumnsOf;
use rollcall_engine::kinds::columns::Columns;
use rollcall_engine::match_kind;
use rollcall_engine::{Engine, PlaceFiles};
use rollcall_model::{FactKind, Places, Receipt};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

/// How long one request may take.
const REQUEST_TIME: Duration = Duration::from_secs(300);

/// The pause after the first failed attempt; each later one is twice as long, up to [`LONGEST_PAUSE`].
const FIRST_PAUSE: Duration = Duration::from_millis(200);

const LONGEST_PAUSE: Duration = Duration::from_secs(5);

/// What became of a body.
#[derive(Debug)]
pub enum Delivery {
    /// Its facts are durable.
    Stored(Receipt),
    /// Nothing of it was stored, for the errors in the receipt.
    Refused(Receipt),
    /// The server stayed out of reach: what was tried, and what came of it.
    Away(String),
}

/// Where bodies go.
pub enum Target {
    /// To a server.
    Server(Box<Server>),
    /// Into a data directory.
    Directory { opened: Arc<Opened>, places: Option<Arc<dyn Places>>, fact: FactKind, on_error: OnError, zone: Option<TimeZone> },
}

/// A server that facts are sent to.
pub struct Server {
    remote: Remote,
    client: reqwest::Client,
    path: String,
    on_error: &'static str,
    /// The zone of times without an offset.
    zone: Option<String>,
    /// How long it may be out of reach.
    patience: Duration,
    /// Whether people were told that it is.
    told: AtomicBool,
}

impl Target {
    pub fn of(flags: &Import, fact: FactKind) -> Result<Self> {
        let zone = flags.time_zone.as_deref().map(reports::zone).transpose();
        let zone = zone.map_err(|bad| Failure::Usage(format!("--time-zone: {bad}")))?;
        let Some(url) = &flags.to else {
            let data = flags.local.data.as_deref().ok_or_else(|| Failure::Usage("give --to or --data".into()))?;
            let opened = Arc::new(local::open(data, &flags.local)?);
            let places = PlaceFiles::open(&opened.config.places)?.current();
            return Ok(Self::Directory { opened, places, fact, on_error: flags.on_error, zone });
        };
        Ok(Self::Server(Box::new(Server {
            remote: Remote::of("--to", url, flags.key.as_deref())?,
            client: crate::commands::client(REQUEST_TIME)?,
            path: format!("/v1/{}", fact.name()),
            on_error: if flags.on_error == OnError::Skip { "skip" } else { "refuse" },
            zone: flags.time_zone.clone(),
            patience: Duration::from_secs(flags.patience),
            told: AtomicBool::new(false),
        })))
    }

    /// Carries one body, however often it takes.
    pub async fn deliver(&self, body: &Body, source: &Source) -> Result<Delivery> {
        match self {
            Self::Server(server) => {
                let mut content_type = content_type(source.body_format()).to_owned();
                if let Some(charset) = source.body_charset() {
                    content_type += &format!("; charset={}", charset.name());
                }
                let mut request = server.request().header(CONTENT_TYPE, content_type);
                if let Some(encoding) = content_encoding(source.body_compression()) {
                    request = request.header(CONTENT_ENCODING, encoding);
                }
                server.send(request.body(body.bytes.clone())).await
            }
            Self::Directory { opened, places, fact, on_error, zone } => {
                let put = match_kind!(*fact, K => put::<ColumnsOf<K>>);
                let (opened, places, on_error, bytes) = (opened.clone(), places.clone(), *on_error, body.bytes.clone());
                let (format, compression) = (source.body_format(), source.body_compression());
                let (zone, charset) = (zone.clone(), source.body_charset());
                let work = move || {
                    let directory = opened.engine.directory(opened.organization.id);
                    let (limits, places, zone) = (opened.config.limits.ingest(), places.as_deref(), zone.as_ref());
                    let context = Context { limits, places, zone, charset, ..Context::new(&opened.organization, &directory, now()) };
                    put(&opened.engine, &context, on_error, &bytes, format, compression)
                };
                tokio::task::spawn_blocking(work).await.map_err(|error| Failure::of("an import task failed", error))?
            }
        }
    }
}

fn put<C: Columns>(
    engine: &Engine,
    context: &Context<'_>,
    on_error: OnError,
    bytes: &[u8],
    format: Format,
    compression: Compression,
) -> Result<Delivery> {
    let decoded = match ingest::decode::<C>(bytes, format, compression, context) {
        Ok(decoded) => decoded,
        Err(broken) => return Ok(Delivery::Refused(Receipt { rejected: 1, errors: broken.0, ..Receipt::default() })),
    };
    let (rejected, errors) = (decoded.rejected, decoded.errors);
    if rejected > 0 && on_error == OnError::Refuse {
        return Ok(Delivery::Refused(Receipt { rejected, errors, ..Receipt::default() }));
    }
    let receipt = engine.ingest(context.organization, decoded.facts)?;
    Ok(Delivery::Stored(Receipt { rejected, errors, ..receipt }))
}

impl Server {
    fn request(&self) -> RequestBuilder {
        let request = self.remote.request(&self.client, Method::POST, &self.path).query(&[("on_error", self.on_error)]);
        // Without a zone there is no such parameter.
        request.query(&[("zone", &self.zone)])
    }

    /// Sends a request until it is answered. Sending it again is safe: what was stored the first time is a duplicate the second.
    async fn send(&self, request: RequestBuilder) -> Result<Delivery> {
        let address = self.remote.address(&self.path);
        let begun = Instant::now();
        let mut pause = FIRST_PAUSE;
        loop {
            // A body of bytes can always be sent again.
            let attempt = request.try_clone().ok_or_else(|| Failure::Message("the request cannot be repeated".into()))?;
            let (trouble, wanted) = match attempt.send().await {
                Ok(response) if is_passing(response.status()) => {
                    let (status, wanted) = (response.status(), retry_after(&response));
                    let said = response.bytes().await.ok().and_then(|body| detail_in(&body));
                    (format!("{address}: {}", said.unwrap_or_else(|| status.to_string())), wanted)
                }
                Ok(response) => match read(&address, response).await {
                    Ok(outcome) => {
                        self.told.store(false, Ordering::Relaxed);
                        return outcome;
                    }
                    Err(error) => (trouble(&address, error), None),
                },
                Err(error) if is_lasting(&error) => return Err(Failure::Message(trouble(&address, error))),
                Err(error) => (trouble(&address, error), None),
            };
            if begun.elapsed() >= self.patience {
                return Ok(Delivery::Away(format!("{trouble}; gave up after {} s (--patience)", self.patience.as_secs())));
            }
            if !self.told.swap(true, Ordering::Relaxed) {
                output::note(format_args!("{trouble}; trying again for {} s (--patience), Ctrl-C ends it", self.patience.as_secs()));
            }
            tokio::time::sleep(wanted.unwrap_or(pause).min(LONGEST_PAUSE)).await;
            pause = (2 * pause).min(LONGEST_PAUSE);
        }
    }
}

/// Whether the same request may succeed a little later.
fn is_passing(status: StatusCode) -> bool {
    matches!(
        status,
        StatusCode::REQUEST_TIMEOUT
            | StatusCode::TOO_MANY_REQUESTS
            | StatusCode::BAD_GATEWAY
            | StatusCode::SERVICE_UNAVAILABLE
            | StatusCode::GATEWAY_TIMEOUT
    )
}

fn retry_after(response: &Response) -> Option<Duration> {
    response.headers().get(RETRY_AFTER)?.to_str().ok()?.parse().ok().map(Duration::from_secs)
}

/// Reads an answer that is not to be waited for any more.
async fn read(address: &str, response: Response) -> reqwest::Result<Result<Delivery>> {
    let status = response.status();
    let body = response.bytes().await?;
    let receipt = serde_json::from_slice::<Receipt>(&body);
    Ok(match (status, receipt) {
        (StatusCode::OK, Ok(receipt)) => Ok(Delivery::Stored(receipt)),
        (StatusCode::BAD_REQUEST, Ok(receipt)) => Ok(Delivery::Refused(receipt)),
        _ => Err(Failure::of(
            format_args!("{address} refused the import"),
            detail_in(&body).unwrap_or_else(|| format!("{status}; is it a rollcall server?")),
        )),
    })
}

fn content_type(format: Format) -> &'static str {
    match format {
        Format::Ndjson => "application/x-ndjson",
        Format::Json => "application/json",
        Format::Csv => "text/csv",
        Format::Parquet => "application/vnd.apache.parquet",
        Format::Arrow => "application/vnd.apache.arrow.stream",
    }
}

fn content_encoding(compression: Compression) -> Option<&'static str> {
    match compression {
        Compression::None => None,
        Compression::Gzip => Some("gzip"),
        Compression::Zstd => Some("zstd"),
    }
}
