//! Secrets stand in the file as hashes, or as references to an environment variable or a file; never themselves.

use super::check::Checks;
use crate::sealed::BackupKey;
use rollcall_dialects::{Secret, office365};
use std::path::Path;
use toml::Spanned;

/// The shortest secret that a reference may lead to, in characters. Its hash is a fast one, or it is held as it is, so that only its length protects it:
/// 20 random letters and digits have 119 bits.
const SHORTEST_SECRET: usize = 20;
/// The shortest password, in characters. It may be shorter, because people choose it: guesses at it have to wait, and each takes argon2id's time.
pub const SHORTEST_PASSWORD: usize = 12;

/// How a secret of one kind stands in the file.
pub(super) struct Kind<T: 'static> {
    /// The key of its hash.
    hash_key: &'static str,
    /// The key of a reference to it.
    plain_key: &'static str,
    /// The command that prints the hash.
    command: &'static str,
    /// The least characters of one that is referred to.
    shortest: usize,
    /// What a hash looks like.
    expected: &'static str,
    parse: fn(&str) -> Option<T>,
    of: fn(&str) -> Option<T>,
}

/// A key of the native API.
pub(super) const INGEST_KEY: Kind<Secret> = Kind {
    hash_key: "hash",
    plain_key: "secret",
    command: "rollcall key new",
    shortest: SHORTEST_SECRET,
    expected: "sha256: and 64 hexadecimal digits",
    parse: Secret::parse,
    of: |plain| Some(Secret::of(plain)),
};

/// The secret of a Feishu application.
pub(super) const APP_SECRET: Kind<Secret> = Kind { hash_key: "secret_hash", ..INGEST_KEY };

/// A personal access token of Yunxiao.
pub(super) const TOKEN: Kind<Secret> = Kind { command: "rollcall key new --for yunxiao", ..INGEST_KEY };

/// A password that somebody chose: its hash is made slowly, with a salt.
pub(super) const PASSWORD: Kind<String> = Kind {
    hash_key: "password_hash",
    plain_key: "password",
    command: "rollcall key hash",
    shortest: SHORTEST_PASSWORD,
    expected: "$argon2id$, parameters, salt and hash",
    parse: |hash| office365::is_password_hash(hash).then(|| hash.to_owned()),
    of: office365::hash_password_here,
};

/// Reads a secret that is given as a hash or as a reference.
pub(super) fn read<T>(
    checks: &mut Checks<'_>,
    at: &str,
    kind: &Kind<T>,
    hash: Option<&Spanned<String>>,
    reference: Option<&Spanned<String>>,
    folder: &Path,
) -> Option<T> {
    let Kind { hash_key, plain_key, command, shortest, expected, .. } = kind;
    match (hash, reference) {
        (Some(hash), None) => {
            let secret = (kind.parse)(hash.get_ref());
            if secret.is_none() {
                // The value is not repeated: somebody may have put the secret itself there.
                checks.refuse(hash, &format!("{at}.{hash_key}"), &format!("expected {expected}, as `{command}` prints them"));
            }
            secret
        }
        (None, Some(reference)) => {
            let or_hash = format!(", or its hash, which `{command}` prints");
            let plain = resolve(reference.get_ref(), plain_key, &or_hash, folder, *shortest);
            let secret = plain.and_then(|plain| (kind.of)(&plain).ok_or_else(|| format!("the {plain_key} is too long")));
            secret.map_err(|message| checks.refuse(reference, &format!("{at}.{plain_key}"), &message)).ok()
        }
        (Some(_), Some(second)) => {
            checks.refuse(second, &format!("{at}.{plain_key}"), &format!("give either {hash_key} or {plain_key}, not both"));
            None
        }
        (None, None) => {
            checks.refuse_unplaced(at, &format!("has no {hash_key}; make one with `{command}`"));
            None
        }
    }
}

/// Reads a secret of which no hash will do: signatures are made with the secret itself.
pub(super) fn read_itself(checks: &mut Checks<'_>, at: &str, reference: &Spanned<String>, folder: &Path) -> Option<String> {
    let secret = resolve(reference.get_ref(), "secret", "; signatures are checked with it, so no hash will do", folder, SHORTEST_SECRET);
    secret.map_err(|message| checks.refuse(reference, &format!("{at}.secret"), &message)).ok()
}

/// Reads the key that seals what is secret in backups: it opens it again, so no hash will do.
pub(super) fn read_backup_key(checks: &mut Checks<'_>, at: &str, reference: &Spanned<String>, folder: &Path) -> Option<BackupKey> {
    let key = resolve(reference.get_ref(), "key", "", folder, 0).and_then(|key| BackupKey::new(&key));
    key.map_err(|message| checks.refuse(reference, at, &message)).ok()
}

/// Reads an option of a store, which has one name and no hash.
pub(super) fn read_option(checks: &mut Checks<'_>, key: &str, reference: &Spanned<toml::Value>, folder: &Path) -> Option<String> {
    let secret = resolve(reference.get_ref().as_str().unwrap_or_default(), "secret", "", folder, 1);
    secret.map_err(|message| checks.refuse(reference, key, &message)).ok()
}

/// The secret that a reference leads to; `or_else` says what could stand in place of a reference.
fn resolve(reference: &str, plain_key: &str, or_else: &str, folder: &Path, shortest: usize) -> Result<String, String> {
    let plain = if let Some(name) = reference.strip_prefix("env:") {
        std::env::var(name).map_err(|_| format!("the environment variable {name} is not set, or not UTF-8"))?
    } else if let Some(path) = reference.strip_prefix("file:") {
        let path = folder.join(path);
        let text = std::fs::read_to_string(&path).map_err(|error| format!("{} cannot be read: {error}", path.display()))?;
        text.trim_end_matches(['\r', '\n']).to_owned()
    } else {
        return Err(format!("a {plain_key} must not stand in the file; write {plain_key} = \"env:NAME\" or \"file:path\"{or_else}"));
    };
    match plain.chars().count() {
        0 => Err(format!("the {plain_key} at {reference} is empty")),
        length if length < shortest => {
            Err(format!("the {plain_key} at {reference} has fewer than {shortest} characters, so it could be guessed; take a longer one"))
        }
        _ => Ok(plain),
    }
}
