//! Requests, and what comes back.

use super::{Answer, Error, Format, atom, json};
use crate::office365::wire::{SERVICE, SERVICE_VERSION, header as names};
use crate::setup;
use http::{StatusCode, header};
use reqwest::Url;
use std::time::Duration;

/// How much of a body that is no error of the service a refusal repeats, in characters.
const SHOWN: usize = 200;

pub(super) struct Transport {
    http: reqwest::Client,
    root: Url,
    user: String,
    password: String,
}

impl std::fmt::Debug for Transport {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Transport").field("root", &self.root.as_str()).field("user", &self.user).finish_non_exhaustive()
    }
}

impl Transport {
    pub(super) fn new(base_url: &str, user: String, password: String, timeout: Duration) -> Result<Self, Error> {
        let mut root = setup::base_url(base_url)?;
        let path = root.path().trim_end_matches('/').to_owned();
        root.set_path(&if path.to_ascii_lowercase().ends_with(".svc") { format!("{path}/") } else { format!("{path}{SERVICE}") });
        let http = setup::http(&root, reqwest::Client::builder().timeout(timeout))?;
        Ok(Self { http, root, user, password })
    }

    /// The service, with a slash at its end.
    pub(super) const fn root(&self) -> &Url {
        &self.root
    }

    pub(super) async fn rows(&self, url: &Url, format: Format, zone: Option<&str>) -> Result<Answer, Error> {
        let accept = match format {
            Format::Json => "application/json;odata=verbose, application/json;q=0.5",
            Format::Atom => "application/atom+xml",
        };
        let body = self.get(url, accept, zone).await?;
        let is_json = body.trim_ascii_start().first().is_some_and(|byte| b"{[".contains(byte));
        let answer = if is_json { json::answer(&body) } else { atom::answer(&String::from_utf8_lossy(&body)) };
        answer.map_err(not_an_answer)
    }

    /// A body that is a number.
    pub(super) async fn number(&self, url: &Url, zone: Option<&str>) -> Result<u64, Error> {
        let body = self.get(url, "text/plain, */*;q=0.1", zone).await?;
        // Some servers send a byte order mark.
        let text = String::from_utf8_lossy(&body);
        text.trim_start_matches('\u{feff}').trim().parse().map_err(|_| not_an_answer(format!("{:?} is no number", shown(&body))))
    }

    async fn get(&self, url: &Url, accept: &str, zone: Option<&str>) -> Result<Vec<u8>, Error> {
        let mut request = self.http.get(url.clone()).basic_auth(&self.user, Some(&self.password)).header(header::ACCEPT, accept);
        request = request.header(names::DATA_SERVICE_VERSION, "2.0").header(names::MAX_DATA_SERVICE_VERSION, "2.0");
        request = request.header(names::SERVICE_VERSION, SERVICE_VERSION);
        if let Some(zone) = zone {
            request = request.header(names::TIME_ZONE, zone);
        }
        let response = request.send().await.map_err(Error::Transport)?;
        let status = response.status();
        let request_id = response.headers().get("request-id").and_then(|id| id.to_str().ok()).map(Into::into);
        let body = setup::body(response).await.map_err(Error::Transport)?;
        let too_large = || Error::NotAnAnswer { status, reason: format!("the body is larger than {} bytes", setup::LARGEST_BODY) };
        let body = body.ok_or_else(too_large)?;
        if status == StatusCode::OK {
            return Ok(body);
        }
        let message = json::message(&body).or_else(|| atom::message(&String::from_utf8_lossy(&body)));
        Err(Error::Refused { status, message: message.unwrap_or_else(|| shown(&body)), request_id })
    }
}

fn not_an_answer(reason: String) -> Error {
    Error::NotAnAnswer { status: StatusCode::OK, reason }
}

fn shown(body: &[u8]) -> String {
    String::from_utf8_lossy(body).trim().chars().take(SHOWN).collect()
}
