//! `key`: keys made at run time; random secrets, and the hashes of secrets and passwords as they stand in the configuration.

use super::forget;
use super::operate::operate;
use crate::args::{CreateKey, Key, KeyCommand, KeyFor, ListKeys, RevokeKey};
use crate::config::SHORTEST_PASSWORD;
use crate::failure::{Failure, Result};
use crate::operations::keys::{self, AskedOfCreateKey, AskedOfListKeys, AskedOfRevokeKey, ShownKey};
use crate::output;
use crate::random;
use crate::reports;
use jiff::tz::TimeZone;
use rollcall_dialects::{Secret, office365, yunxiao};
use rollcall_engine::access::Scope;
use rollcall_model::OrgId;
use std::io::IsTerminal;

pub fn run(flags: Key) -> Result {
    match flags.command {
        KeyCommand::New { name, of } => new(name, of),
        KeyCommand::Hash => hash(),
        KeyCommand::Create(flags) => create(flags),
        KeyCommand::List(flags) => list(&flags),
        KeyCommand::Revoke(flags) => revoke(&flags),
    }
}

/// Makes a key in a data directory. Its secret is made here, and only its hash goes there.
fn create(flags: CreateKey) -> Result {
    let config = flags.at.config()?;
    let organization = OrgId(flags.at.organization);
    let zone = config.as_ref().and_then(|config| Some(config.organization(organization)?.tenant.organization.zone.clone()));
    let expires = flags.expires.as_deref().map(|text| {
        if reports::is_days(text) && zone.is_none() {
            let missing = "a day is one of the organization's time zone: say --config, or an instant such as 2027-01-01T00:00:00Z";
            return Err(Failure::Usage(format!("--expires {text}: {missing}")));
        }
        let parsed = reports::end_time("expires", Some(text), zone.as_ref().unwrap_or(&TimeZone::UTC));
        parsed.map_err(|bad| Failure::Usage(format!("--{bad}")))
    });
    let secret = random::native_key()?;
    let asked = AskedOfCreateKey {
        organization,
        name: flags.name,
        hash: *Secret::of(&secret).hash(),
        scopes: flags.scope.into_iter().map(Scope::from).collect(),
        department: flags.department,
        expires: expires.transpose()?,
    };
    let made = operate::<keys::CreateKey>(&flags.at.data, config.as_ref(), asked)?;
    output::note("the secret is shown only now");
    output::line(&secret)?;
    output::note(format_args!("key {} of organization {organization}; revoke it with `rollcall key revoke --key {}`", made.key, made.key));
    Ok(())
}

fn list(flags: &ListKeys) -> Result {
    let asked = AskedOfListKeys { organization: OrgId(flags.at.organization) };
    let listed = operate::<keys::ListKeys>(&flags.at.data, flags.at.config()?.as_ref(), asked)?;
    let row = |key: &ShownKey| {
        let scopes: Vec<_> = key.scopes.iter().map(Scope::name).collect();
        let texts = [key.name.clone(), scopes.join(" "), key.department.clone().unwrap_or_default(), key.made.clone()];
        let ends = [key.expires.clone().unwrap_or_default(), key.last_used.clone().unwrap_or_default()];
        std::iter::once((key.key.to_string(), true)).chain(texts.into_iter().chain(ends).map(|text| (text, false))).collect()
    };
    let head = ["key", "name", "scopes", "department", "made", "expires", "last used"];
    forget::print(flags.format, &listed, || {
        if listed.is_empty() { String::new() } else { output::table(head.map(str::to_owned), listed.iter().map(row)) }
    })
}

fn revoke(flags: &RevokeKey) -> Result {
    let asked = AskedOfRevokeKey { organization: OrgId(flags.at.organization), key: flags.key };
    let revoked = operate::<keys::RevokeKey>(&flags.at.data, flags.at.config()?.as_ref(), asked)?;
    output::note(format_args!("key {} ({}) is revoked", revoked.key, revoked.name));
    Ok(())
}

fn new(name: String, of: KeyFor) -> Result {
    let secret = match of {
        KeyFor::Native => random::native_key()?,
        KeyFor::Yunxiao => yunxiao_token()?,
    };
    let (name, hash) = (toml::Value::String(name), Secret::of(&secret));
    output::note("give the first line to the client, and put the others into the configuration; the secret is shown only now");
    output::line(&secret)?;
    match of {
        KeyFor::Native => output::line(format_args!("[[organizations.ingest_keys]]\nname = {name}\nhash = \"{hash}\"")),
        KeyFor::Yunxiao => output::line(format_args!(
            "[[organizations.yunxiao.tokens]]\nname = {name}\nhash = \"{hash}\"\nscopes = [{}]",
            yunxiao::Scope::ALL.map(|scope| format!("\"{}\"", scope.name())).join(", ")
        )),
    }
}

/// A personal access token in the vendor's look: 144 random bits as 24 characters, and a random UUID.
pub fn yunxiao_token() -> Result<String> {
    Ok(format!("pt-{}_{}", random::text::<18>()?, uuid::Uuid::new_v4()))
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
