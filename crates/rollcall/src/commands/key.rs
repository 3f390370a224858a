//! `key`: random secrets, and the hashes of secrets and passwords as they stand in the configuration.

use crate::args::{Key, KeyCommand, KeyFor};
use crate::config::SHORTEST_PASSWORD;
use crate::failure::{Failure, Result};
use crate::output;
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use rand::TryRngCore;
use rollcall_dialects::yunxiao::Scope;
use rollcall_dialects::{Secret, office365};
use std::io::IsTerminal;

pub fn run(flags: Key) -> Result {
    match flags.command {
        KeyCommand::New { name, of } => new(name, of),
        KeyCommand::Hash => hash(),
    }
}

fn new(name: String, of: KeyFor) -> Result {
    let secret = match of {
        KeyFor::Native => random_secret("rck_")?,
        KeyFor::Yunxiao => yunxiao_token()?,
    };
    let (name, hash) = (toml::Value::String(name), Secret::of(&secret));
    output::note("give the first line to the client, and put the others into the configuration; the secret is shown only now");
    output::line(&secret)?;
    match of {
        KeyFor::Native => output::line(format_args!("[[organizations.ingest_keys]]\nname = {name}\nhash = \"{hash}\"")),
        KeyFor::Yunxiao => output::line(format_args!(
            "[[organizations.yunxiao.tokens]]\nname = {name}\nhash = \"{hash}\"\nscopes = [{}]",
            Scope::ALL.map(|scope| format!("\"{}\"", scope.name())).join(", ")
        )),
    }
}

/// A personal access token in the vendor's look: 144 random bits as 24 characters, and a random UUID.
pub fn yunxiao_token() -> Result<String> {
    Ok(format!("pt-{}_{}", random_text::<18>()?, uuid::Uuid::new_v4()))
}

fn hash() -> Result {
    let input = std::io::stdin();
    if input.is_terminal() {
        output::note("type the password, which will be seen, and Enter");
    }
    let mut line = String::new();
    let read = input.read_line(&mut line);
    read.map_err(|error| Failure::of("the password on standard input", error))?;
    let password = line.trim_end_matches(['\r', '\n']);
    if password.chars().count() < SHORTEST_PASSWORD || password.chars().any(char::is_control) {
        return Err(Failure::Message(format!(
            "expected a password on standard input: one line of at least {SHORTEST_PASSWORD} characters, none of them a control character"
        )));
    }
    output::line(format_args!("password_hash = \"{}\"", password_hash(password)?))
}

/// The hash of a password as it stands in the configuration.
pub fn password_hash(password: &str) -> Result<String> {
    office365::hash_password(password).ok_or_else(|| Failure::Message("the password is too long".into()))
}

/// 256 random bits as text, after a prefix by which people and scanners know what it is.
pub fn random_secret(prefix: &str) -> Result<String> {
    Ok(format!("{prefix}{}", random_text::<32>()?))
}

fn random_text<const BYTES: usize>() -> Result<String> {
    let mut bytes = [0; BYTES];
    rand::rngs::OsRng.try_fill_bytes(&mut bytes).map_err(|error| Failure::of("the system gave no random bytes", error))?;
    Ok(URL_SAFE_NO_PAD.encode(bytes))
}
