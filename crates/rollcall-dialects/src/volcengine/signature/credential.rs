//! Who signs, for what, and over which headers: the header `Authorization`, and its parts in a presigned query.

use super::ALGORITHM;
use std::fmt;

/// What every scope ends in.
pub(super) const TERMINATOR: &str = "request";

/// What a signature holds for: a day, a region and a service.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Scope {
    /// The day of `X-Date`: `20210726`.
    pub date: String,
    /// The region: `cn-north-1`.
    pub region: String,
    /// The service: `rtc`.
    pub service: String,
}

impl fmt::Display for Scope {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}/{}/{TERMINATOR}", self.date, self.region, self.service)
    }
}

/// An access key, and what it signs for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Credential {
    /// The id of the access key.
    pub access_key: String,
    /// The scope.
    pub scope: Scope,
}

impl Credential {
    /// Reads `{access key}/{date}/{region}/{service}/request`.
    ///
    /// # Errors
    /// [`Unreadable::Credential`].
    pub fn parse(text: &str) -> Result<Self, Unreadable> {
        let parts: Vec<_> = text.split('/').collect();
        let [access_key, date, region, service, TERMINATOR] = parts.as_slice() else { return Err(Unreadable::Credential) };
        let scope = Scope { date: (*date).into(), region: (*region).into(), service: (*service).into() };
        Ok(Self { access_key: (*access_key).into(), scope })
    }
}

impl fmt::Display for Credential {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.access_key, self.scope)
    }
}

/// The header `Authorization`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Authorization {
    /// Who signs, for what.
    pub credential: Credential,
    /// The names of the signed headers, lower case and sorted, each once.
    pub signed_headers: Vec<String>,
    /// The signature, in hexadecimal.
    pub signature: String,
}

/// What is wrong with a credential or what stands around it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Unreadable {
    /// It has another form.
    Form,
    /// It has no signature.
    NoSignature,
    /// Its credential has not the five parts, or another end.
    Credential,
}

impl Authorization {
    /// Reads `HMAC-SHA256 Credential=…, SignedHeaders=a;b, Signature=…`.
    ///
    /// # Errors
    /// What is wrong with it, its form first.
    pub fn parse(text: &str) -> Result<Self, Unreadable> {
        let parts = text.trim().strip_prefix(ALGORITHM).filter(|parts| parts.starts_with(' ')).ok_or(Unreadable::Form)?;
        let [mut credential, mut signed_headers, mut signature] = [None; 3];
        for part in parts.split(',') {
            let (name, value) = part.trim().split_once('=').ok_or(Unreadable::Form)?;
            let place = match name {
                "Credential" => &mut credential,
                "SignedHeaders" => &mut signed_headers,
                "Signature" => &mut signature,
                _ => return Err(Unreadable::Form),
            };
            if place.replace(value).is_some() {
                return Err(Unreadable::Form);
            }
        }
        let (credential, signed_headers) = credential.zip(signed_headers).ok_or(Unreadable::Form)?;
        let signed_headers = signed_headers_of(signed_headers)?;
        let signature = signature.filter(|signature| !signature.is_empty()).ok_or(Unreadable::NoSignature)?;
        Ok(Self { credential: Credential::parse(credential)?, signed_headers, signature: signature.into() })
    }
}

impl fmt::Display for Authorization {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { credential, signed_headers, signature } = self;
        write!(f, "{ALGORITHM} Credential={credential}, SignedHeaders={}, Signature={signature}", signed_headers.join(";"))
    }
}

/// The names of a list joined by `;`, lower case and sorted; the list may be empty.
///
/// # Errors
/// [`Unreadable::Form`] if a name is there twice: each would repeat its header's value, and a list may be long.
pub fn signed_headers_of(list: &str) -> Result<Vec<String>, Unreadable> {
    let mut names: Vec<_> = list.split(';').filter(|name| !name.is_empty()).map(str::to_ascii_lowercase).collect();
    names.sort();
    let named = names.len();
    names.dedup();
    if names.len() == named { Ok(names) } else { Err(Unreadable::Form) }
}

#[cfg(test)]
mod tests {
    use super::*;

    const GOOD: &str = "HMAC-SHA256 Credential=AK/20210726/cn-north-1/rtc/request, SignedHeaders=host;x-date, Signature=00ff";

    #[test]
    fn an_authorization_is_written_and_read_as_the_same() {
        let read = Authorization::parse(GOOD).unwrap();
        assert_eq!(read.to_string(), GOOD);
        assert_eq!(read.credential.to_string(), "AK/20210726/cn-north-1/rtc/request");
        // Other clients leave the blanks out, or list names in another order and case.
        let other = GOOD.replace(", ", ",").replace("host;x-date", "X-Date;Host");
        assert_eq!(Authorization::parse(&other), Ok(read));
        assert_eq!(Authorization::parse(&GOOD.replace("host;x-date", "")).unwrap().signed_headers, [""; 0]);
    }

    #[test]
    fn every_other_form_is_told_apart() {
        for (from, to, wrong) in [
            ("HMAC-SHA256 ", "HMAC-SHA1 ", Unreadable::Form),
            ("HMAC-SHA256 ", "HMAC-SHA256", Unreadable::Form),
            ("Credential", "Credentials", Unreadable::Form),
            ("Credential=", "Credential", Unreadable::Form),
            ("SignedHeaders=host;x-date, ", "", Unreadable::Form),
            ("host;x-date", "host;x-date;Host", Unreadable::Form),
            ("Signature=00ff", "Signature=00ff, Signature=00ff", Unreadable::Form),
            ("Signature=00ff", "Signature=00ff,", Unreadable::Form),
            (", Signature=00ff", "", Unreadable::NoSignature),
            ("=00ff", "=", Unreadable::NoSignature),
            ("/request", "/aws4_request", Unreadable::Credential),
            ("/rtc", "", Unreadable::Credential),
            ("AK/", "A/K/", Unreadable::Credential),
        ] {
            let text = GOOD.replace(from, to);
            assert_eq!(Authorization::parse(&text), Err(wrong), "{text}");
        }
    }
}
