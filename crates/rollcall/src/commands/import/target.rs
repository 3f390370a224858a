//! Where bodies go: to a server over HTTP, with retries, or into the data directory of this machine.

use super::cut::Body;
use super::source::Source;
use crate::args::{Fact, Import, OnError};
use crate::commands::causes;
use crate::commands::local::{self, Opened};
use crate::failure::{Failure, Result};
use crate::output;
use reqwest::header::{CONTENT_ENCODING, CONTENT_TYPE, RETRY_AFTER};
use reqwest::{RequestBuilder, Response, StatusCode};
use rollcall_engine::PlaceFiles;
use rollcall_engine::facts::{Assistances, Attendances, Columns};
use rollcall_engine::ingest::{self, Compression, Format};
use rollcall_model::{Places, Receipt};
use std::sync::Arc;
use std::time::{Duration, Instant};

/// How long one request may take.
const REQUEST_TIME: Duration = Duration::from_secs(300);

/// How long a server may be out of reach before an import gives up.
const PATIENCE: Duration = Duration::from_secs(120);

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
}

/// Where bodies go.
pub enum Target {
    /// To a server.
    Server { client: reqwest::Client, address: String, key: String },
    /// Into a data directory.
    Directory { opened: Arc<Opened>, places: Option<Arc<dyn Places>>, fact: Fact, on_error: OnError },
}

impl Target {
    pub fn of(flags: &Import, fact: Fact) -> Result<Self> {
        let Some(url) = &flags.to else {
            let data = flags.local.data.as_deref().ok_or_else(|| Failure::Usage("give --to or --data".into()))?;
            let opened = Arc::new(local::open(data, &flags.local)?);
            let places = PlaceFiles::open(&opened.config.places)?.current();
            return Ok(Self::Directory { opened, places, fact, on_error: flags.on_error });
        };
        let key =
            flags.key.clone().ok_or_else(|| Failure::Usage("--key or ROLLCALL_KEY is missing: it decides the organization".into()))?;
        let word = if flags.on_error == OnError::Skip { "skip" } else { "refuse" };
        let path = match fact {
            Fact::Attendance => "attendance",
            Fact::Assistance => "assistance",
        };
        let address = format!("{}/v1/{path}?on_error={word}", url.trim_end_matches('/'));
        let client = crate::commands::client(REQUEST_TIME)?;
        Ok(Self::Server { client, address, key })
    }

    /// Carries one body, however often it takes.
    pub async fn deliver(&self, body: &Body, source: &Source) -> Result<Delivery> {
        match self {
            Self::Server { client, address, key } => {
                let mut request = client.post(address).bearer_auth(key).header(CONTENT_TYPE, content_type(source.body_format()));
                if let Some(encoding) = content_encoding(source.body_compression()) {
                    request = request.header(CONTENT_ENCODING, encoding);
                }
                send(request.body(body.bytes.clone())).await
            }
            Self::Directory { opened, places, fact, on_error } => {
                let put = match fact {
                    Fact::Attendance => put::<Attendances>,
                    Fact::Assistance => put::<Assistances>,
                };
                let (opened, places, on_error, bytes) = (opened.clone(), places.clone(), *on_error, body.bytes.clone());
                let (format, compression) = (source.body_format(), source.body_compression());
                let work = move || put(&opened, places.as_deref(), on_error, &bytes, format, compression);
                tokio::task::spawn_blocking(work).await.map_err(|error| Failure::of("an import task failed", error))?
            }
        }
    }
}

fn put<C: Columns>(
    opened: &Opened,
    places: Option<&dyn Places>,
    on_error: OnError,
    bytes: &[u8],
    format: Format,
    compression: Compression,
) -> Result<Delivery> {
    let Opened { engine, organization, config } = opened;
    let directory = engine.directory(organization.id);
    let decoded = match ingest::decode::<C>(bytes, format, compression, organization, &directory, places, &config.limits.ingest()) {
        Ok(decoded) => decoded,
        Err(broken) => return Ok(Delivery::Refused(Receipt { rejected: 1, errors: vec![broken.0], ..Receipt::default() })),
    };
    let (rejected, errors) = (decoded.rejected, decoded.errors);
    if rejected > 0 && on_error == OnError::Refuse {
        return Ok(Delivery::Refused(Receipt { rejected, errors, ..Receipt::default() }));
    }
    let receipt = engine.ingest(organization, decoded.facts)?;
    Ok(Delivery::Stored(Receipt { rejected, errors, ..receipt }))
}

/// Sends a request until it is answered. Sending it again is safe: what was stored the first time is a duplicate the second.
async fn send(request: RequestBuilder) -> Result<Delivery> {
    let begun = Instant::now();
    let mut pause = FIRST_PAUSE;
    loop {
        // A body of bytes can always be sent again.
        let attempt = request.try_clone().ok_or_else(|| Failure::Message("the request cannot be repeated".into()))?;
        let (trouble, wanted) = match attempt.send().await {
            Ok(response) if is_passing(response.status()) => (format!("the server answered {}", response.status()), retry_after(&response)),
            Ok(response) => match read(response).await {
                Ok(outcome) => return outcome,
                Err(error) => (causes(&error.without_url()), None),
            },
            Err(error) => (causes(&error.without_url()), None),
        };
        if begun.elapsed() > PATIENCE {
            return Err(Failure::Message(format!(
                "gave up after {} s: {trouble}; import again when the server is back",
                PATIENCE.as_secs()
            )));
        }
        if pause == FIRST_PAUSE {
            output::note(format_args!("{trouble}; trying again"));
        }
        tokio::time::sleep(wanted.unwrap_or(pause).min(LONGEST_PAUSE)).await;
        pause = (2 * pause).min(LONGEST_PAUSE);
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
async fn read(response: Response) -> reqwest::Result<Result<Delivery>> {
    let status = response.status();
    let body = response.bytes().await?;
    let receipt = serde_json::from_slice::<Receipt>(&body);
    Ok(match (status, receipt) {
        (StatusCode::OK, Ok(receipt)) => Ok(Delivery::Stored(receipt)),
        (StatusCode::BAD_REQUEST, Ok(receipt)) => Ok(Delivery::Refused(receipt)),
        _ => Err(Failure::of("the server refused the import", crate::commands::error_in(&body).unwrap_or_else(|| status.to_string()))),
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
