//! The id of a request: the client's, where it sent one that is safe to repeat, else one of ours. It is in the answer and in every line of the log.

use http::{HeaderMap, HeaderName, HeaderValue};
use std::fmt;

/// The header, of requests and of answers.
pub const REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");

/// The most bytes of an id that is taken.
const LONGEST: usize = 64;

/// The id of a request, among its extensions.
#[derive(Debug, Clone)]
pub struct RequestId(HeaderValue);

impl RequestId {
    /// The id of a request with these headers: the one it came with, if that is 1 to 64 letters, digits and any of `-._~:+/=@`.
    pub fn of(headers: &HeaderMap) -> Self {
        let is_safe = |byte: &u8| byte.is_ascii_alphanumeric() || b"-._~:+/=@".contains(byte);
        let given = headers.get(REQUEST_ID).filter(|given| (1..=LONGEST).contains(&given.len()) && given.as_bytes().iter().all(is_safe));
        Self(given.cloned().unwrap_or_else(Self::random))
    }

    fn random() -> HeaderValue {
        let text = format!("{:032x}", rand::random::<u128>());
        HeaderValue::from_str(&text).unwrap_or_else(|_| HeaderValue::from_static("0"))
    }

    /// As the value of the header.
    pub fn header(&self) -> HeaderValue {
        self.0.clone()
    }

    /// As text.
    pub fn as_str(&self) -> &str {
        // Only such bytes were taken.
        self.0.to_str().unwrap_or_default()
    }
}

impl fmt::Display for RequestId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn taken(given: &str) -> bool {
        let headers = HeaderMap::from_iter([(REQUEST_ID, HeaderValue::from_str(given).unwrap())]);
        RequestId::of(&headers).as_str() == given
    }

    #[test]
    fn an_id_is_taken_if_it_is_short_and_safe_to_repeat() {
        for id in
            ["a", "7f3d-1.b_c~d", "Root=1-67891233-abcdef012345678912345678", "00-0af7651916cd43dd8448eb211c80319c-01", &"x".repeat(64)]
        {
            assert!(taken(id), "{id}");
        }
        for id in ["", "a b", "a\"b", "a,b", "<b>", "a\tb", &"x".repeat(65)] {
            assert!(!taken(id), "{id}");
        }
        let [one, other] = [(); 2].map(|()| RequestId::of(&HeaderMap::new()));
        assert!(one.as_str().len() == 32 && one.as_str() != other.as_str());
    }
}
