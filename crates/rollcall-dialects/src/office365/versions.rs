//! `DataServiceVersion` and `MaxDataServiceVersion` (wire sections 1.10 and 2.4).

use super::errors::Refusal;
use super::wire::header;
use http::HeaderMap;

/// A protocol version, major and minor.
type Version = (u32, u32);

/// The lowest version of a request that uses what V2 brought, and that of answers to it.
const V2: Version = (2, 0);
/// The highest version of a request.
const V3: Version = (3, 0);

/// What the headers of a request say.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Versions {
    request: Option<Version>,
    most: Option<Version>,
}

impl Versions {
    pub(super) fn of(headers: &HeaderMap) -> Result<Self, Refusal> {
        let request = read(headers, header::DATA_SERVICE_VERSION, "DataServiceVersion")?;
        match request {
            Some(version) if version > V3 => return Err(Refusal::VersionTooHigh(text(version))),
            Some(version) if ![(1, 0), V2, V3].contains(&version) => return Err(Refusal::VersionUnknown(text(version))),
            _ => {}
        }
        Ok(Self { request, most: read(headers, header::MAX_DATA_SERVICE_VERSION, "MaxDataServiceVersion")? })
    }

    /// Whether JSON light may be answered: it is not where the client reads less.
    pub(super) fn allow_light(&self) -> bool {
        self.most.is_none_or(|most| most >= V3)
    }

    /// Whether plain `application/json` means JSON light.
    pub(super) fn prefer_light(&self) -> bool {
        self.most.is_some_and(|most| most >= V3)
    }

    /// Refuses a request of version 1.0 that uses what 2.0 brought.
    pub(super) fn check_request(&self) -> Result<(), Refusal> {
        match self.request {
            Some(version) if version < V2 => Err(Refusal::RequestVersionTooLow(text(version))),
            _ => Ok(()),
        }
    }

    /// Refuses an answer of a version that the client does not read.
    pub(super) fn check_response(&self, needed: &'static str) -> Result<(), Refusal> {
        match (self.most, parse(needed)) {
            (Some(most), Some(version)) if most < version => Err(Refusal::ResponseVersionTooHigh { given: text(most), needed }),
            _ => Ok(()),
        }
    }
}

fn read(headers: &HeaderMap, name: &str, header: &'static str) -> Result<Option<Version>, Refusal> {
    let Some(value) = headers.get(name) else { return Ok(None) };
    let value = String::from_utf8_lossy(value.as_bytes());
    parse(&value).map(Some).ok_or_else(|| Refusal::VersionUnreadable { header, value: value.into_owned() })
}

/// `2.0`, and behind a semicolon whatever a client says of itself.
fn parse(value: &str) -> Option<Version> {
    let (major, minor) = value.split(';').next()?.trim().split_once('.')?;
    let number = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit()).then(|| text.parse().ok()).flatten();
    Some((number(major)?, number(minor)?))
}

fn text((major, minor): Version) -> String {
    format!("{major}.{minor}")
}
