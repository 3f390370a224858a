//! What the clients share: the base URL, HTTP with TLS, and the end of a body.

use reqwest::{ClientBuilder, Response, Url, redirect};

/// The largest body that is read: far more than any answer, and less than memory.
pub(crate) const LARGEST_BODY: usize = 64 * 1024 * 1024;

/// Why a client cannot be made.
#[derive(Debug, Clone, thiserror::Error)]
#[non_exhaustive]
pub enum SetupError {
    /// The base URL is not one.
    #[error("base url {url}: {expected}")]
    BaseUrl {
        /// As given.
        url: String,
        /// What was expected.
        expected: &'static str,
    },
    /// HTTP or TLS is not to be had.
    #[error("the http client cannot be set up: {0}")]
    Http(String),
}

/// Reads a base URL: absolute, http or https, and nothing behind the path.
pub(crate) fn base_url(text: &str) -> Result<Url, SetupError> {
    let refuse = |expected| SetupError::BaseUrl { url: text.into(), expected };
    let url = Url::parse(text).ok().filter(|url| matches!(url.scheme(), "http" | "https"));
    let url = url.ok_or_else(|| refuse("expected an absolute http or https url"))?;
    if url.query().is_some() || url.fragment().is_some() || !url.username().is_empty() || url.password().is_some() {
        return Err(refuse("expected no credentials, no query and no fragment"));
    }
    Ok(url)
}

/// A client for one base URL, with the timeouts of `builder`.
pub(crate) fn http(base: &Url, builder: ClientBuilder) -> Result<reqwest::Client, SetupError> {
    // Building panics without one.
    if rustls::crypto::CryptoProvider::get_default().is_none() {
        return Err(SetupError::Http("no rustls crypto provider is installed".into()));
    }
    // A redirect would carry the credentials to where they were not meant to go.
    let mut builder = builder.user_agent(concat!("rollcall/", env!("CARGO_PKG_VERSION"))).redirect(redirect::Policy::none());
    if base.scheme() == "http" {
        // The system's certificates are not needed, nor need the system have any.
        builder = builder.tls_certs_only([]);
    }
    builder.build().map_err(|error| SetupError::Http(error.to_string()))
}

/// Reads a body to its end; none if it is larger than [`LARGEST_BODY`].
pub(crate) async fn body(mut response: Response) -> Result<Option<Vec<u8>>, reqwest::Error> {
    let mut body = Vec::new();
    while let Some(chunk) = response.chunk().await? {
        if body.len() + chunk.len() > LARGEST_BODY {
            return Ok(None);
        }
        body.extend_from_slice(&chunk);
    }
    Ok(Some(body))
}

/// An error of the transport names only its outermost layer; the layers below say what happened.
pub(crate) fn causes(error: &reqwest::Error) -> String {
    let mut text = error.to_string();
    let mut cause = std::error::Error::source(error);
    while let Some(below) = cause {
        text.push_str(": ");
        text.push_str(&below.to_string());
        cause = below.source();
    }
    text
}
