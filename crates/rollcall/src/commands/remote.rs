//! A running server that a command speaks to: where it is, and with which key.

use super::causes;
use crate::failure::{Failure, Result};
use reqwest::{Client, Method, RequestBuilder, Url};
use std::error::Error;

/// A running server, and the ingest key that decides the organization there.
#[derive(Debug, Clone)]
pub struct Remote {
    base: String,
    key: String,
}

impl Remote {
    /// The server of the option `flag`, and the key of `--key` or `ROLLCALL_KEY`.
    pub fn of(flag: &str, url: &str, key: Option<&str>) -> Result<Self> {
        const SUCH: &str = "such as http://127.0.0.1:7070";
        let url = url.trim().trim_end_matches('/');
        if url.is_empty() {
            return Err(Failure::Usage(format!(
                "{flag} is empty: expected the URL of a server, {SUCH}; is a variable of the shell not set?"
            )));
        }
        let is_plain = |parsed: &Url| parsed.has_host() && parsed.query().is_none() && parsed.fragment().is_none();
        let parsed = Url::parse(url).ok().filter(|parsed| matches!(parsed.scheme(), "http" | "https") && is_plain(parsed));
        let Some(parsed) = parsed else {
            return Err(Failure::Usage(format!("{flag} {url}: expected a URL that begins with http:// or https://, {SUCH}")));
        };
        if !parsed.username().is_empty() || parsed.password().is_some() {
            return Err(Failure::Usage(format!(
                "{flag}: expected a URL without a user or password; the key is given with --key or ROLLCALL_KEY"
            )));
        }
        Ok(Self { base: url.to_owned(), key: checked(key)? })
    }

    /// The address of one of its paths.
    pub fn address(&self, path: &str) -> String {
        format!("{}{path}", self.base)
    }

    /// A request to one of its paths, with the key.
    pub fn request(&self, client: &Client, method: Method, path: &str) -> RequestBuilder {
        client.request(method, self.address(path)).bearer_auth(&self.key)
    }
}

/// A key as it can be sent. Blanks around it came with it from a file or a page.
fn checked(key: Option<&str>) -> Result<String> {
    let key = key.map(str::trim).ok_or_else(|| Failure::Usage("--key or ROLLCALL_KEY is missing: it decides the organization".into()))?;
    if key.is_empty() {
        return Err(Failure::Usage("--key or ROLLCALL_KEY is empty: expected an ingest key; is a variable of the shell not set?".into()));
    }
    if !key.bytes().all(|byte| byte.is_ascii_graphic()) {
        let message = "--key or ROLLCALL_KEY: an ingest key is one word of visible ASCII characters; was more copied than the key?";
        return Err(Failure::Usage(message.into()));
    }
    Ok(key.to_owned())
}

/// Why an address could not be asked, and what to do about it.
pub fn unreachable(address: &str, error: reqwest::Error) -> Failure {
    Failure::Message(trouble(address, error))
}

/// The same, as text.
pub fn trouble(address: &str, error: reqwest::Error) -> String {
    let hint = match of_tls(&error) {
        Some(rustls::Error::InvalidCertificate(_)) => "; this machine does not trust the server's certificate, or it is of another name",
        Some(rustls::Error::InvalidMessage(_)) => "; the server may speak plain HTTP: try http:// in place of https://",
        _ if error.is_connect() => "; does a rollcall server listen there?",
        _ => "",
    };
    format!("{address}: {}{hint}", causes(&error.without_url()))
}

/// Whether the same request cannot succeed later either: it cannot be sent, or the two ends do not understand or trust each other.
pub fn is_lasting(error: &reqwest::Error) -> bool {
    error.is_builder() || matches!(of_tls(error), Some(rustls::Error::InvalidCertificate(_) | rustls::Error::InvalidMessage(_)))
}

/// What went wrong in TLS, if that is the cause.
fn of_tls(error: &reqwest::Error) -> Option<&rustls::Error> {
    let mut cause = error.source();
    while let Some(error) = cause {
        if let Some(found) = error.downcast_ref() {
            return Some(found);
        }
        // The source of an I/O error that wraps another is that of the other, which would be passed over.
        let wrapped = error.downcast_ref::<std::io::Error>().and_then(std::io::Error::get_ref);
        cause = wrapped.map(|wrapped| wrapped as &dyn Error).or_else(|| error.source());
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_url_or_key_that_cannot_be_right_is_told_before_anything_is_sent() {
        let of = |url: &str, key: &str| Remote::of("--to", url, Some(key)).map_err(|failure| failure.to_string());
        for url in ["127.0.0.1:7070", "localhost:7070", "ftp://host", "//host", "http://", "http://host/?a=1", "http://host/#a", "host"] {
            let told = of(url, "k").unwrap_err();
            assert!(told.contains("expected a URL that begins with http:// or https://, such as http://127.0.0.1:7070"), "{told}");
        }
        assert!(of("", "k").unwrap_err().contains("--to is empty"));
        let with_password = of("http://user:hunter2@host", "k").unwrap_err();
        assert!(with_password.contains("--key") && !with_password.contains("hunter2"), "{with_password}");
        for key in ["two words", "a\nb", "schlüssel"] {
            let told = of("http://host", key).unwrap_err();
            assert!(told.contains("one word") && !told.contains(key), "{told}");
        }
        assert!(of("http://host", " \n").unwrap_err().contains("is empty"));
        assert!(Remote::of("--to", "http://host", None).unwrap_err().to_string().contains("is missing"));
        let remote = of(" https://host:1/below/ ", " key\r\n").unwrap();
        assert_eq!((remote.address("/v1/x").as_str(), remote.key.as_str()), ("https://host:1/below/v1/x", "key"));
    }
}
