//! Whose request it is (wire sections 2.1 to 2.3): what it claims, and whether its signature bears that out.

use super::errors::Refusal;
use super::signature::credential::signed_headers_of;
use super::signature::{ALGORITHM, Authorization, Covered, Credential, DATE_FORMAT, Query, SecretKey, Unreadable, hex, sha256, unhex};
use super::wire::{SERVICE, header as names, parameter};
use super::{AccessKey, Settings};
use crate::Tenant;
use http::request::Parts;
use http::{HeaderMap, header};
use jiff::civil::DateTime;
use jiff::tz::TimeZone;
use rollcall_model::Millis;
use subtle::ConstantTimeEq;

/// For how many seconds a presigned request is valid that does not say.
const DEFAULT_EXPIRES: Millis = 900;
/// The longest path with its query, and the longest `Authorization`, in bytes. Both are sorted and hashed before anybody is known to ask; requests
/// of official clients have less than a tenth.
const LONGEST: usize = 8 << 10;

/// The head of a request, and how it is signed.
pub(super) struct Signed<'r> {
    parts: &'r Parts,
    /// Every parameter.
    sent: Query,
    /// The parameters that the signature covers. The others of a presigned request are ignored: anybody could have added them.
    pub(super) query: Query,
    presigned: bool,
}

/// What a request says of who signed it.
pub(super) struct Claim {
    pub(super) credential: Credential,
    signed_headers: Vec<String>,
    signature: String,
}

impl<'r> Signed<'r> {
    /// Reads a head, as far as it is not too long.
    pub(super) fn new(parts: &'r Parts) -> Result<Self, Refusal> {
        if parts.uri.path_and_query().is_some_and(|target| target.as_str().len() > LONGEST) {
            let message = format!("The path and the query are longer than {LONGEST} bytes.");
            return Err(Refusal::Service("InvalidParameter.SizeOverLimit", message));
        }
        let sent = Query::parse(parts.uri.query().unwrap_or_default());
        let presigned = !parts.headers.contains_key(header::AUTHORIZATION) && sent.get(parameter::SIGNATURE).is_some();
        let query = if presigned {
            let list = sent.get(parameter::SIGNED_QUERIES).unwrap_or_default();
            sent.only(&list.split(';').collect::<Vec<_>>())
        } else {
            sent.clone()
        };
        Ok(Self { parts, sent, query, presigned })
    }

    /// Who it says has signed it, for this service.
    pub(super) fn claim(&self) -> Result<Claim, Refusal> {
        let claim = if self.presigned { self.presigned_claim() } else { self.header_claim()? };
        match claim {
            Ok(claim) if claim.credential.scope.service != SERVICE => Err(Refusal::Authorization(Unreadable::Credential)),
            claim => claim.map_err(Refusal::Authorization),
        }
    }

    fn header_claim(&self) -> Result<Result<Claim, Unreadable>, Refusal> {
        let mut given = self.parts.headers.get_all(header::AUTHORIZATION).iter();
        let value = given.next().ok_or(Refusal::MissingAuthentication)?;
        let text = value.to_str().ok().filter(|text| text.len() <= LONGEST && given.next().is_none());
        let read = text.ok_or(Unreadable::Form).and_then(Authorization::parse);
        Ok(read.map(|Authorization { credential, signed_headers, signature }| Claim { credential, signed_headers, signature }))
    }

    fn presigned_claim(&self) -> Result<Claim, Unreadable> {
        self.query.get(parameter::ALGORITHM).filter(|algorithm| algorithm == ALGORITHM).ok_or(Unreadable::Form)?;
        let credential = self.query.get(parameter::CREDENTIAL).ok_or(Unreadable::Form)?;
        let signed_headers = signed_headers_of(&self.sent.get(parameter::SIGNED_HEADERS).unwrap_or_default())?;
        let signature = self.sent.get(parameter::SIGNATURE).filter(|signature| !signature.is_empty()).ok_or(Unreadable::NoSignature)?;
        Ok(Claim { credential: Credential::parse(&credential)?, signed_headers, signature: signature.into_owned() })
    }

    /// When it was signed, as sent, if that is near enough to now.
    pub(super) fn date(&self, claim: &Claim, settings: &Settings, now: Millis) -> Result<String, Refusal> {
        let header = self.parts.headers.get(names::DATE).filter(|_| !self.presigned);
        let text = match header {
            Some(value) => Some(String::from_utf8_lossy(value.as_bytes()).trim().to_owned()),
            None => self.query.get(parameter::DATE).map(Into::into),
        };
        let text = text.ok_or(Refusal::MissingInfo("timestamp"))?;
        let signed_at = instant(&text).ok_or(Refusal::Timestamp)?;
        let skew = Millis::from(settings.clock_skew_seconds) * 1000;
        // A date has whole seconds, so a clock that is right may be up to one ahead of it.
        let tolerated = |off: Millis| off <= skew || now.div_euclid(1000) * 1000 == signed_at;
        let in_time = if self.presigned {
            let expires =
                self.query.get(parameter::EXPIRES).map_or(Some(DEFAULT_EXPIRES), |text| text.parse().ok().filter(|seconds| *seconds >= 0));
            let ends = expires.map(|seconds| signed_at.saturating_add(seconds.saturating_mul(1000)));
            tolerated(signed_at - now) && ends.is_some_and(|ends| now <= ends)
        } else {
            tolerated((signed_at - now).abs())
        };
        if !in_time {
            return Err(Refusal::Timestamp);
        }
        if !text.starts_with(&claim.credential.scope.date) || claim.credential.scope.date.len() != 8 {
            return Err(Refusal::Authorization(Unreadable::Credential));
        }
        Ok(text)
    }

    /// Whether it comes with the token of a temporary access key.
    pub(super) fn has_session_token(&self) -> bool {
        self.parts.headers.contains_key(names::SECURITY_TOKEN) || self.sent.get(parameter::SECURITY_TOKEN).is_some()
    }

    /// Whether the signature is that of the secret.
    pub(super) fn verify(&self, claim: &Claim, date: &str, secret: &SecretKey, body: &[u8]) -> Result<(), Refusal> {
        let refused = || Refusal::Signature(claim.credential.access_key.clone());
        let headers = &self.parts.headers;
        let hash = sha256(body);
        let announced = headers.get_all(names::CONTENT_HASH).iter();
        if announced.map(|value| value.as_bytes().trim_ascii()).any(|value| !value.eq_ignore_ascii_case(hex(&hash).as_bytes())) {
            return Err(refused());
        }
        let values = claim.signed_headers.iter().map(|name| Some((name.as_str(), value(headers, name)?)));
        let values: Vec<_> = values.collect::<Option<_>>().ok_or_else(refused)?;
        let presented = unhex(&claim.signature).ok_or_else(refused)?;
        let scope = &claim.credential.scope;
        let (key, body_hash) = (secret.in_scope(scope), if self.presigned { sha256(&[]) } else { hash });
        let queries = self.query.orders();
        for values in [Some(values.clone()), without_default_port(values)].into_iter().flatten() {
            let values: Vec<_> = values.iter().map(|(name, value)| (*name, value.as_slice())).collect();
            for query in &queries {
                let method = self.parts.method.as_str();
                let covered = Covered { method, path: self.parts.uri.path(), query, headers: &values, body_hash: &body_hash };
                if key.sign(date, scope, &covered.canonical()).ct_eq(&presented).into() {
                    return Ok(());
                }
            }
        }
        Err(refused())
    }
}

/// The instant of `20210726T120000Z`.
fn instant(text: &str) -> Option<Millis> {
    let shape = text.bytes().map(|byte| if byte.is_ascii_digit() { b'0' } else { byte });
    if !shape.eq(*b"00000000T000000Z") {
        return None;
    }
    let time = DateTime::strptime(DATE_FORMAT, text).ok()?;
    Some(TimeZone::UTC.to_timestamp(time).ok()?.as_millisecond())
}

/// The value of a header; values of one that is there more than once are joined.
fn value(headers: &HeaderMap, name: &str) -> Option<Vec<u8>> {
    let values: Vec<_> = headers.get_all(name).iter().map(|value| value.as_bytes().trim_ascii()).collect();
    (!values.is_empty()).then(|| values.join(&b','))
}

/// The same headers, where the official clients sign another `Host` than they send: without the port of the scheme.
fn without_default_port(mut headers: Vec<(&str, Vec<u8>)>) -> Option<Vec<(&str, Vec<u8>)>> {
    let (_, host) = headers.iter_mut().find(|(name, _)| *name == "host")?;
    let cut = host.strip_suffix(b":80").or_else(|| host.strip_suffix(b":443"))?.to_vec();
    *host = cut;
    Some(headers)
}

/// The access key of an id, and whose it is.
pub(super) fn find<'t>(tenants: &'t [Tenant], id: &str) -> Option<(&'t Tenant, &'t AccessKey)> {
    tenants.iter().find_map(|tenant| Some((tenant, tenant.volcengine.access_keys.iter().find(|key| key.id == id)?)))
}
