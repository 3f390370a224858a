//! Whose request it is, and what it may do: the key of the native routes decides the organization.

use super::refusal::Refusal;
use super::state::{App, Live, now};
use crate::problem::Kind;
use axum::extract::FromRequestParts;
use http::request::Parts;
use http::{HeaderMap, StatusCode, header};
use rollcall_dialects::Secret;
use rollcall_engine::access::{Actor, KeyHash, Scope, Scopes};
use rollcall_model::Organization;
use rollcall_model::calendar::rfc3339;
use std::sync::Arc;

/// Who asks, with a key that is good. Among the extensions of a request to a route that needs one.
#[derive(Debug, Clone)]
pub struct Caller {
    /// What holds for the length of the request.
    pub live: Arc<Live>,
    /// For whom the key speaks.
    pub organization: Arc<Organization>,
    /// As the audit log names it.
    pub actor: Actor,
    /// Which key it is.
    pub key: KeyHash,
    /// What it may do.
    pub scopes: Scopes,
    /// The department to which it is limited, with all below it.
    pub department: Option<String>,
}

impl Caller {
    /// Whom the request's `Authorization` names. Costs the hash of a key and a look-up or two.
    pub fn of(app: &App, headers: &HeaderMap) -> Result<Self, Refusal> {
        let refused = |message: &str| Refusal::of(Kind::UNAUTHORIZED, message);
        let given =
            headers.get(header::AUTHORIZATION).ok_or_else(|| refused("authorization is missing: expected Authorization: Bearer <key>"))?;
        let key = given.to_str().ok().and_then(|given| given.split_once(' ')).filter(|(scheme, _)| scheme.eq_ignore_ascii_case("bearer"));
        let (_, key) = key.ok_or_else(|| refused("authorization: expected Bearer <key>"))?;
        let unknown = || refused("the key is not known to this server").of_sign_in("no such key");
        let live = app.live();
        // Looking a hash up says nothing, by the time it takes, about the secrets behind other hashes.
        let hash = *Secret::of(key.trim()).hash();
        if let Some(found) = live.configured_key(&hash) {
            let (organization, actor) = (found.organization.clone(), Actor::ConfiguredKey { name: found.name.clone() });
            let scopes = [Scope::Ingest, Scope::Read, Scope::ReadPeople].into_iter().collect();
            return Ok(Self { live, organization, actor, key: hash, scopes, department: None });
        }
        let engine = app.storage.opened().ok_or_else(|| Refusal::unavailable("the storage is being opened again; try again"))?;
        let held = engine.key_of(&hash).ok_or_else(unknown)?;
        let organization = live.organization(held.organization).ok_or_else(unknown)?;
        let (key, now) = (held.key(), now());
        if let Some(end) = key.expires.filter(|end| *end <= now) {
            return Err(refused(&format!("the key ended at {}", rfc3339(end))).of_sign_in("the key has ended"));
        }
        engine.use_key(&held, now);
        let (actor, scopes) = (Actor::Key { number: key.number, name: key.name.clone() }, key.scopes.clone());
        Ok(Self { live, organization, actor, key: hash, scopes, department: key.department.clone() })
    }

    /// Refuses a key that has none of the scopes.
    pub fn check(&self, needs: &[Scope]) -> Result<(), Refusal> {
        if needs.iter().any(|scope| self.scopes.allow(*scope)) {
            return Ok(());
        }
        let wanted: Vec<_> = needs.iter().map(|scope| scope.name()).collect();
        let had: Vec<_> = self.scopes.iter().map(Scope::name).collect();
        let detail = format!("this needs a key with the scope {}; this key has {}", wanted.join(" or "), had.join(", "));
        Err(Refusal::of(Kind::MISSING_SCOPE, detail))
    }

    /// Refuses a key of one department what is about the whole organization.
    pub fn check_whole(&self) -> Result<(), Refusal> {
        let Some(department) = &self.department else { return Ok(()) };
        let detail =
            format!("the key is of the department {department}: it may ask reports that take department, with one of its departments");
        Err(Refusal::of(Kind::OUTSIDE_DEPARTMENT, detail))
    }
}

impl<S: Sync> FromRequestParts<S> for Caller {
    type Rejection = Refusal;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Refusal> {
        // A route without it would be one that nobody checks.
        parts.extensions.get().cloned().ok_or_else(|| Refusal::new(StatusCode::INTERNAL_SERVER_ERROR, "the route checks no key"))
    }
}
