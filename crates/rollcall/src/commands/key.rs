//! `key`: random secrets, and their hashes as they stand in the configuration.

use crate::args::{Key, KeyCommand};
use crate::failure::{Failure, Result};
use crate::output;
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use rand::TryRngCore;
use rollcall_dialects::Secret;

pub fn run(flags: Key) -> Result {
    let KeyCommand::New { name } = flags.command;
    let secret = random_secret("rck_")?;
    let name = toml::Value::String(name);
    output::note("give the first line to the client, and put the others into the configuration; the secret is shown only now");
    output::line(&secret)?;
    output::line(format_args!("[[organizations.ingest_keys]]\nname = {name}\nhash = \"{}\"", Secret::of(&secret)))
}

/// 256 random bits as text, after a prefix by which people and scanners know what it is.
pub fn random_secret(prefix: &str) -> Result<String> {
    let mut bytes = [0; 32];
    rand::rngs::OsRng.try_fill_bytes(&mut bytes).map_err(|error| Failure::of("the system gave no random bytes", error))?;
    Ok(format!("{prefix}{}", URL_SAFE_NO_PAD.encode(bytes)))
}
