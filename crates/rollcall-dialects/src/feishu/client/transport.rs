//! Requests: the token in front of them, its renewal, and rate limits.

use super::{Error, Patience, Refused};
use crate::feishu::wire::{Envelope, ErrorDetail, LOG_ID_HEADER, RESET_HEADER, TOKEN_PATH, TokenRequest, TokenResponse, code};
use crate::setup;
use http::{HeaderMap, StatusCode, header};
use reqwest::RequestBuilder;
use serde::de::DeserializeOwned;
use serde_json::Value;
use std::time::{Duration, Instant};
use tokio::sync::Mutex;

/// How long before its end a token is renewed, in seconds, as the official Node and Go clients do.
const EARLY: i64 = 180;
/// The wait where a server limits the rate and does not say for how long, in seconds.
const UNSAID: u64 = 1;
/// How much of a body that is no JSON an error repeats, in characters.
const SHOWN: usize = 200;

pub(super) struct Transport {
    http: reqwest::Client,
    base: String,
    credentials: TokenRequest,
    patience: Patience,
    /// Locked while a token is being got, so that concurrent calls get one.
    token: Mutex<Option<Token>>,
}

#[derive(Clone)]
struct Token {
    text: String,
    renew_at: Instant,
}

impl std::fmt::Debug for Transport {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Transport").field("base", &self.base).field("app_id", &self.credentials.app_id).finish_non_exhaustive()
    }
}

/// A response, read to its end.
pub(super) struct Received {
    status: StatusCode,
    headers: HeaderMap,
    body: Vec<u8>,
}

/// The data of a success, and what to name if it turns out to lack something.
pub(super) struct Data<T> {
    data: T,
    status: StatusCode,
    log_id: Option<String>,
}

impl<T> Data<T> {
    pub(super) fn read<R>(self, read: impl FnOnce(T) -> Result<R, &'static str>) -> Result<R, Error> {
        read(self.data).map_err(|reason| Error::NotAnAnswer { status: self.status, log_id: self.log_id, reason: reason.into() })
    }
}

impl Transport {
    pub(super) fn new(base_url: &str, app_id: String, app_secret: String, patience: Patience) -> Result<Self, Error> {
        let base = setup::base_url(base_url)?;
        let http = setup::http(&base, reqwest::Client::builder().connect_timeout(patience.connect).timeout(patience.answer))?;
        let base = base.as_str().trim_end_matches('/').to_owned();
        Ok(Self { http, base, credentials: TokenRequest { app_id, app_secret }, patience, token: Mutex::new(None) })
    }

    /// Asks with the token; once more with a new one if the server does not take it.
    pub(super) async fn get<T: DeserializeOwned>(&self, path: &str, query: &[(&str, String)]) -> Result<Data<T>, Error> {
        let mut wait = Wait::new(&self.patience);
        let mut renewed = false;
        loop {
            let token = self.token(&mut wait).await?;
            let request = self.http.get(format!("{}{path}", self.base)).query(query).bearer_auth(&token);
            match self.send(request, &mut wait).await?.data() {
                Err(error) if !renewed && error.code().is_some_and(is_token_refusal) => {
                    renewed = true;
                    self.forget(&token).await;
                }
                answer => return answer,
            }
        }
    }

    async fn token(&self, wait: &mut Wait) -> Result<String, Error> {
        let mut held = self.token.lock().await;
        if let Some(token) = held.as_ref().filter(|token| Instant::now() < token.renew_at) {
            return Ok(token.text.clone());
        }
        let asked_at = Instant::now();
        let request = self.http.post(format!("{}{TOKEN_PATH}", self.base)).json(&self.credentials);
        let (text, expire) = self.send(request, wait).await?.token()?;
        // Even a very short life is used for its first half.
        let kept = Duration::from_secs(u64::try_from((expire - EARLY).max(expire / 2)).unwrap_or(0));
        *held = Some(Token { text: text.clone(), renew_at: asked_at.checked_add(kept).unwrap_or(asked_at) });
        Ok(text)
    }

    /// Drops the token, unless another call has renewed it already.
    async fn forget(&self, refused: &str) {
        let mut held = self.token.lock().await;
        if held.as_ref().is_some_and(|token| token.text == refused) {
            *held = None;
        }
    }

    /// Sends a request, and again when a rate limit has passed.
    async fn send(&self, request: RequestBuilder, wait: &mut Wait) -> Result<Received, Error> {
        for _ in 0..self.patience.retries {
            let Some(attempt) = request.try_clone() else { break };
            let received = receive(attempt).await?;
            if !received.is_limited() || !wait.pass(received.reset().unwrap_or(UNSAID)).await {
                return Ok(received);
            }
        }
        receive(request).await
    }
}

/// The time that one call may still wait for rate limits.
struct Wait(Duration);

impl Wait {
    const fn new(patience: &Patience) -> Self {
        Self(patience.rate_limit)
    }

    /// Waits, if that long is allowed.
    async fn pass(&mut self, seconds: u64) -> bool {
        let Some(left) = self.0.checked_sub(Duration::from_secs(seconds)) else { return false };
        self.0 = left;
        tokio::time::sleep(Duration::from_secs(seconds)).await;
        true
    }
}

async fn receive(request: RequestBuilder) -> Result<Received, Error> {
    let response = request.send().await.map_err(Error::Transport)?;
    let (status, headers) = (response.status(), response.headers().clone());
    match setup::body(response).await.map_err(Error::Transport)? {
        Some(body) => Ok(Received { status, headers, body }),
        None => {
            let reason = format!("the body is larger than {} bytes", setup::LARGEST_BODY);
            Err(Error::NotAnAnswer { status, log_id: log_id(&headers), reason })
        }
    }
}

const fn is_token_refusal(code: i64) -> bool {
    matches!(code, code::INVALID_TENANT_TOKEN | code::INVALID_APP_TOKEN | code::MALFORMED_TOKEN)
}

/// Any case of the header's name will do: they are all lower case here.
fn log_id(headers: &HeaderMap) -> Option<String> {
    headers.get(LOG_ID_HEADER).and_then(|value| value.to_str().ok()).map(Into::into)
}

impl Received {
    /// Some old APIs limit with 400 and the code.
    fn is_limited(&self) -> bool {
        let coded = || serde_json::from_slice::<Envelope<Value>>(&self.body).is_ok_and(|envelope| envelope.code == code::FREQUENCY);
        self.status == StatusCode::TOO_MANY_REQUESTS || !self.status.is_success() && coded()
    }

    fn reset(&self) -> Option<u64> {
        let seconds = |name: &str| self.headers.get(name)?.to_str().ok()?.trim().parse().ok();
        seconds(RESET_HEADER).or_else(|| seconds(header::RETRY_AFTER.as_str()))
    }

    fn token(&self) -> Result<(String, i64), Error> {
        let response: TokenResponse = serde_json::from_slice(&self.body).map_err(|error| self.not_an_answer(&error.to_string()))?;
        match response {
            TokenResponse { code: code::SUCCESS, tenant_access_token: Some(token), expire: Some(expire), .. } => Ok((token, expire)),
            TokenResponse { code: code::SUCCESS, .. } => Err(self.not_an_answer("no token or no expire")),
            TokenResponse { code, msg, .. } => Err(self.refused(code, msg, None)),
        }
    }

    /// Failures may come with any status, and anything may come with a failing one: the code decides.
    fn data<T: DeserializeOwned>(self) -> Result<Data<T>, Error> {
        let envelope: Envelope<Value> = serde_json::from_slice(&self.body).map_err(|error| self.not_an_answer(&error.to_string()))?;
        if envelope.code != code::SUCCESS {
            return Err(self.refused(envelope.code, envelope.msg, envelope.error));
        }
        let data = serde_json::from_value(envelope.data.unwrap_or_default()).map_err(|error| self.not_an_answer(&error.to_string()))?;
        Ok(Data { data, status: self.status, log_id: log_id(&self.headers) })
    }

    fn refused(&self, code: i64, msg: String, detail: Option<ErrorDetail>) -> Error {
        let refused = Refused::new(self.status, code, msg, log_id(&self.headers), detail.unwrap_or_default());
        Error::Refused(Box::new(Refused { retry_after: if self.is_limited() { self.reset() } else { None }, ..refused }))
    }

    /// A body that is no object says more than why it is none.
    fn not_an_answer(&self, reason: &str) -> Error {
        let shown: String = String::from_utf8_lossy(&self.body).chars().take(SHOWN).collect();
        let reason = if shown.trim_start().starts_with('{') { reason.into() } else { format!("{:?}", shown.trim()) };
        Error::NotAnAnswer { status: self.status, log_id: log_id(&self.headers), reason }
    }
}
