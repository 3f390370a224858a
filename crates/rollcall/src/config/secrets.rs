//! Secrets stand in the file as hashes, or as references to an environment variable or a file; never themselves.

use super::check::Checks;
use rollcall_dialects::Secret;
use std::path::Path;
use toml::Spanned;

const EXPECTED_HASH: &str = "expected sha256: and 64 hexadecimal digits, as `rollcall key new` prints them";

/// Reads a secret that is given as a hash under `hash_key`, or as a reference under `secret`.
pub(super) fn read(
    checks: &mut Checks<'_>,
    at: &str,
    hash_key: &str,
    hash: Option<&Spanned<String>>,
    reference: Option<&Spanned<String>>,
    folder: &Path,
) -> Option<Secret> {
    match (hash, reference) {
        (Some(hash), None) => {
            let secret = Secret::parse(hash.get_ref());
            if secret.is_none() {
                // The value is not repeated: somebody may have put the secret itself there.
                checks.refuse(hash, &format!("{at}.{hash_key}"), EXPECTED_HASH);
            }
            secret
        }
        (None, Some(reference)) => match resolve(reference.get_ref(), folder) {
            Ok(plain) => Some(Secret::of(&plain)),
            Err(message) => {
                checks.refuse(reference, &format!("{at}.secret"), &message);
                None
            }
        },
        (Some(_), Some(second)) => {
            checks.refuse(second, &format!("{at}.secret"), &format!("give either {hash_key} or secret, not both"));
            None
        }
        (None, None) => {
            checks.refuse_unplaced(at, &format!("has no {hash_key}; make one with `rollcall key new`"));
            None
        }
    }
}

/// The secret that a reference leads to.
fn resolve(reference: &str, folder: &Path) -> Result<String, String> {
    let plain = if let Some(name) = reference.strip_prefix("env:") {
        std::env::var(name).map_err(|_| format!("the environment variable {name} is not set, or not UTF-8"))?
    } else if let Some(path) = reference.strip_prefix("file:") {
        let path = folder.join(path);
        let text = std::fs::read_to_string(&path).map_err(|error| format!("{} cannot be read: {error}", path.display()))?;
        text.trim_end_matches(['\r', '\n']).to_owned()
    } else {
        return Err("a secret must not stand in the file; write secret = \"env:NAME\" or \"file:path\", or its hash, which `rollcall key new` prints".into());
    };
    if plain.is_empty() { Err(format!("the secret at {reference} is empty")) } else { Ok(plain) }
}
