//! Whose request it is: the ingest key of the native routes decides the organization.

use super::refusal::Refusal;
use super::state::Live;
use http::{HeaderMap, StatusCode, header};
use rollcall_model::Organization;
use std::sync::Arc;

/// The organization for which the request's `Authorization` speaks.
pub fn organization(live: &Live, headers: &HeaderMap) -> Result<Arc<Organization>, Refusal> {
    let refused = |message| Refusal::new(StatusCode::UNAUTHORIZED, message);
    let given = headers
        .get(header::AUTHORIZATION)
        .ok_or_else(|| refused("authorization is missing: expected Authorization: Bearer <ingest key>"))?;
    let key = given.to_str().ok().and_then(|given| given.split_once(' ')).filter(|(scheme, _)| scheme.eq_ignore_ascii_case("bearer"));
    let (_, key) = key.ok_or_else(|| refused("authorization: expected Bearer <ingest key>"))?;
    live.organization_of(key.trim()).ok_or_else(|| refused("the ingest key is not known to this server").of_sign_in("no such ingest key"))
}
