//! Requests, what comes back, and rate limits.

use super::{Error, Patience, Refused};
use crate::setup;
use crate::yunxiao::wire::{BASE, ErrorBody, TOKEN_HEADER, header as names};
use http::{HeaderMap, HeaderName, HeaderValue, StatusCode, header};
use reqwest::Url;
use serde::de::DeserializeOwned;
use std::time::Duration;

/// The wait where a server limits the rate and does not say for how long, in seconds.
const UNSAID: u64 = 1;
/// How much of a body that is none of the API's an error repeats, in characters.
const SHOWN: usize = 200;

pub(super) struct Transport {
    http: reqwest::Client,
    base: Url,
    patience: Patience,
}

impl std::fmt::Debug for Transport {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Transport").field("base", &self.base.as_str()).finish_non_exhaustive()
    }
}

/// A success.
pub(super) struct Received<T> {
    headers: HeaderMap,
    pub(super) body: T,
}

impl<T> Received<T> {
    pub(super) fn header(&self, name: &str) -> Option<&str> {
        text(&self.headers, name)
    }
}

fn text<'h>(headers: &'h HeaderMap, name: &str) -> Option<&'h str> {
    headers.get(name)?.to_str().ok().map(str::trim)
}

impl Transport {
    pub(super) fn new(base_url: &str, token: &str, patience: Patience) -> Result<Self, Error> {
        let base = setup::base_url(base_url)?;
        let mut token = HeaderValue::from_str(token).map_err(|_| Error::Token)?;
        token.set_sensitive(true);
        let headers = [(HeaderName::from_static(TOKEN_HEADER), token)].into_iter().collect();
        let builder = reqwest::Client::builder().default_headers(headers).connect_timeout(patience.connect).timeout(patience.answer);
        let http = setup::http(&base, builder)?;
        Ok(Self { http, base, patience })
    }

    /// The address of a path behind the API's.
    pub(super) fn url(&self, path: &[&str]) -> Url {
        let mut url = self.base.clone();
        // Only addresses without a host have no path to add to, and the scheme is one of those with a host.
        if let Ok(mut segments) = url.path_segments_mut() {
            segments.pop_if_empty().extend(BASE.split('/').skip(1)).extend(path);
        }
        url
    }

    /// Asks, and asks again when a rate limit has passed.
    pub(super) async fn get<T: DeserializeOwned>(&self, url: Url) -> Result<Received<T>, Error> {
        let mut wait = self.patience.rate_limit;
        for _ in 0..self.patience.retries {
            match self.get_once(url.clone()).await {
                Err(Error::Refused(refused)) if refused.status == StatusCode::TOO_MANY_REQUESTS => {
                    let pause = Duration::from_secs(refused.retry_after.unwrap_or(UNSAID));
                    let Some(left) = wait.checked_sub(pause) else { return Err(Error::Refused(refused)) };
                    wait = left;
                    tokio::time::sleep(pause).await;
                }
                answer => return answer,
            }
        }
        self.get_once(url).await
    }

    async fn get_once<T: DeserializeOwned>(&self, url: Url) -> Result<Received<T>, Error> {
        let response = self.http.get(url).header(header::ACCEPT, "application/json").send().await.map_err(Error::Transport)?;
        let (status, headers) = (response.status(), response.headers().clone());
        let Some(body) = setup::body(response).await.map_err(Error::Transport)? else {
            return Err(Error::NotAnAnswer { status, reason: format!("the body is larger than {} bytes", setup::LARGEST_BODY) });
        };
        if !status.is_success() {
            return Err(Error::Refused(Box::new(refused(status, &headers, &body))));
        }
        match serde_json::from_slice(&body) {
            Ok(body) => Ok(Received { headers, body }),
            Err(error) => Err(Error::NotAnAnswer { status, reason: format!("{error}: {:?}", shown(&body)) }),
        }
    }
}

fn refused(status: StatusCode, headers: &HeaderMap, body: &[u8]) -> Refused {
    let said = serde_json::from_slice(body).unwrap_or_else(|_| ErrorBody { error_message: shown(body), ..ErrorBody::default() });
    let request_id = text(headers, names::REQUEST_ID).map(Into::into).or(said.request_id);
    let retry_after = text(headers, header::RETRY_AFTER.as_str()).and_then(|seconds| seconds.parse().ok());
    Refused { status, code: said.error_code, message: said.error_message, request_id, retry_after }
}

fn shown(body: &[u8]) -> String {
    String::from_utf8_lossy(body).trim().chars().take(SHOWN).collect()
}
