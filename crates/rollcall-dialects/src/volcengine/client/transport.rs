//! Requests: signed anew each time they are sent, and sent again when that may help.

use super::{Error, Patience, Refused};
use crate::setup;
use crate::volcengine::signature::{Authorization, Covered, Credential, DATE_FORMAT, Query, Scope, SecretKey, hex, sha256};
use crate::volcengine::wire::{Envelope, SERVICE, Version, header as names, parameter};
use http::{StatusCode, header};
use jiff::Timestamp;
use reqwest::{RequestBuilder, Url};
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::Value;

const CONTENT_TYPE: &str = "application/json";
/// How much of a body that is no JSON an error repeats, in characters.
const SHOWN: usize = 200;

pub(super) struct Transport {
    http: reqwest::Client,
    url: Url,
    /// As the header `Host` will have it.
    host: String,
    access_key: String,
    secret: SecretKey,
    patience: Patience,
    pub(super) region: String,
    pub(super) version: Version,
}

impl std::fmt::Debug for Transport {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Self { url, access_key, region, version, .. } = self;
        let mut shown = f.debug_struct("Transport");
        shown.field("url", &url.as_str()).field("access_key", access_key).field("region", region).field("version", version);
        shown.finish_non_exhaustive()
    }
}

impl Transport {
    pub(super) fn new(base_url: &str, access_key: String, secret: SecretKey, patience: Patience) -> Result<Self, Error> {
        let url = setup::base_url(base_url)?;
        let http = setup::http(&url, reqwest::Client::builder().connect_timeout(patience.connect).timeout(patience.answer))?;
        // A port that is the scheme's own is not there.
        let host = url.authority().to_owned();
        Ok(Self { http, url, host, access_key, secret, patience, region: "cn-north-1".into(), version: Version::default() })
    }

    pub(super) async fn ask<R: DeserializeOwned>(&self, action: &str, question: &impl Serialize) -> Result<R, Error> {
        let body = serde_json::to_vec(question).unwrap_or_default();
        let mut pause = self.patience.pause;
        for _ in 0..self.patience.retries {
            match receive(self.request(action, &body)).await {
                Err(error) if error.may_pass() => {}
                answer => return answer,
            }
            tokio::time::sleep(pause).await;
            pause = pause.saturating_mul(2);
        }
        receive(self.request(action, &body)).await
    }

    /// A request of now.
    fn request(&self, action: &str, body: &[u8]) -> RequestBuilder {
        let date = Timestamp::now().strftime(DATE_FORMAT).to_string();
        let hash = sha256(body);
        let content_hash = hex(&hash);
        let headers: [(&str, &[u8]); 4] = [
            (header::CONTENT_TYPE.as_str(), CONTENT_TYPE.as_bytes()),
            (header::HOST.as_str(), self.host.as_bytes()),
            (names::CONTENT_HASH, content_hash.as_bytes()),
            (names::DATE, date.as_bytes()),
        ];
        let query = Query::of([(parameter::ACTION, action), (parameter::VERSION, self.version.name())]);
        let day = date.get(..8).unwrap_or_default().to_owned();
        let scope = Scope { date: day, region: self.region.clone(), service: SERVICE.into() };
        let covered = Covered { method: "POST", path: self.url.path(), query: &query, headers: &headers, body_hash: &hash };
        let signature = hex(&self.secret.in_scope(&scope).sign(&date, &scope, &covered.canonical()));
        let signed_headers = headers.map(|(name, _)| name.to_owned()).into();
        let credential = Credential { access_key: self.access_key.clone(), scope };
        let authorization = Authorization { credential, signed_headers, signature }.to_string();
        let mut url = self.url.clone();
        url.set_query(Some(&query.to_string()));
        let request = self.http.post(url).header(header::CONTENT_TYPE, CONTENT_TYPE).header(header::AUTHORIZATION, authorization);
        request.header(header::ACCEPT, CONTENT_TYPE).header(names::CONTENT_HASH, content_hash).header(names::DATE, date).body(body.to_vec())
    }
}

async fn receive<R: DeserializeOwned>(request: RequestBuilder) -> Result<R, Error> {
    let response = request.send().await.map_err(Error::Transport)?;
    let status = response.status();
    let not_an_answer = |reason| Error::NotAnAnswer { status, reason };
    let body = setup::body(response).await.map_err(Error::Transport)?;
    let body = body.ok_or_else(|| not_an_answer(format!("the body is larger than {} bytes", setup::LARGEST_BODY)))?;
    let envelope = serde_json::from_slice::<Envelope<Value>>(&body).map_err(|error| {
        let shown: String = String::from_utf8_lossy(&body).chars().take(SHOWN).collect();
        not_an_answer(if shown.trim_start().starts_with('{') { error.to_string() } else { format!("{:?}", shown.trim()) })
    })?;
    match (envelope.response_metadata.error, envelope.result) {
        (Some(error), _) => {
            let (code, code_n, message) = (error.code, error.code_n, error.message);
            let request_id = envelope.response_metadata.request_id;
            Err(Error::Refused(Box::new(Refused { status, code, code_n, message, request_id })))
        }
        (None, Some(result)) if status == StatusCode::OK => {
            serde_json::from_value(result).map_err(|error| not_an_answer(error.to_string()))
        }
        (None, _) => Err(not_an_answer("neither a result nor an error".into())),
    }
}
