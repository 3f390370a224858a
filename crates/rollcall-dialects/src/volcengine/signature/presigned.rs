//! A request that carries its signature in the query (wire section 2.3).

use super::{ALGORITHM, Covered, Credential, Query, SecretKey, hex, sha256};

/// The query of a presigned request to the path `/`: the parameters, and the signature of the method and of them. Neither the body nor any
/// header is signed, so whoever has the URL asks what they like, from `x_date` on for `expires` seconds.
pub fn presign(
    method: &str,
    parameters: &[(&str, &str)],
    credential: &Credential,
    secret: &SecretKey,
    x_date: &str,
    expires: u32,
) -> String {
    let (credential_text, expires) = (credential.to_string(), expires.to_string());
    let mut all = parameters.to_vec();
    all.extend([("X-Algorithm", ALGORITHM), ("X-Credential", &credential_text), ("X-Date", x_date), ("X-Expires", &expires)]);
    all.extend([("X-NotSignBody", ""), ("X-SignedHeaders", ""), ("X-SignedQueries", "")]);
    all.sort_unstable();
    let names = all.iter().map(|(name, _)| *name).collect::<Vec<_>>().join(";");
    // The list names itself, and so is signed.
    let all = all.into_iter().map(|(name, value)| if name == "X-SignedQueries" { (name, names.as_str()) } else { (name, value) });
    let query = Query::of(all);
    let covered = Covered { method, path: "/", query: &query, headers: &[], body_hash: &sha256(&[]) };
    let signature = secret.in_scope(&credential.scope).sign(x_date, &credential.scope, &covered.canonical());
    format!("{query}&X-Signature={}", hex(&signature))
}
