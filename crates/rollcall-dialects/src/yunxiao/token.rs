//! Personal access tokens: which organization a request speaks for.

use super::errors::Refusal;
use super::wire::TOKEN_HEADER;
use super::{Scope, Token};
use crate::{Secret, Tenant};
use http::HeaderMap;
use rollcall_model::Millis;
use subtle::ConstantTimeEq;
use uuid::Uuid;

/// The token that a request carries, and whose it is.
pub(super) fn find<'t>(tenants: &'t [Tenant], headers: &HeaderMap, now: Millis) -> Result<(&'t Tenant, &'t Token), Refusal> {
    let presented = headers.get(TOKEN_HEADER).map(|value| value.as_bytes().trim_ascii()).unwrap_or_default();
    if presented.is_empty() {
        return Err(Refusal::NoToken);
    }
    let presented = Secret::of(std::str::from_utf8(presented).map_err(|_| Refusal::UnknownToken)?);
    let mut found = None;
    for tenant in tenants {
        for token in &tenant.yunxiao.tokens {
            // All are looked at, so that the time says nothing of where in the configuration it is.
            if token.secret.hash().ct_eq(presented.hash()).into() {
                found = Some((tenant, token));
            }
        }
    }
    match found {
        None => Err(Refusal::UnknownToken),
        Some((_, token)) if token.expires.is_some_and(|expires| expires <= now) => Err(Refusal::ExpiredToken),
        Some(found) => Ok(found),
    }
}

/// Refuses a path that names another organization than the tenant.
pub(super) fn check_organization(tenant: &Tenant, named: Option<&str>) -> Result<(), Refusal> {
    let is_guid = |text: &str| matches!(text.len(), 32 | 36) && Uuid::try_parse(text) == Ok(tenant.organization.id.0);
    let is_alias = |text: &str| tenant.yunxiao.organization_id.as_deref() == Some(text);
    named.filter(|text| is_guid(text) || is_alias(text)).map(|_| ()).ok_or(Refusal::OtherOrganization)
}

/// Refuses a token without a scope.
pub(super) fn check_scope(token: &Token, scope: Scope) -> Result<(), Refusal> {
    if token.scopes.contains(&scope) { Ok(()) } else { Err(Refusal::Scope(scope)) }
}

/// The id of an organization, as answers have it.
pub(super) fn organization_id(tenant: &Tenant) -> String {
    tenant.yunxiao.organization_id.clone().unwrap_or_else(|| tenant.organization.id.to_string())
}
