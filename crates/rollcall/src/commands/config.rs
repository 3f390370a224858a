//! `config`: what is wrong with a configuration, or what it amounts to; and an example.

use super::serve::Source;
use crate::args::{Config as Flags, ConfigCommand};
use crate::config::EXAMPLE;
use crate::failure::Result;
use crate::output;
use crate::server::Certificates;
use rollcall_engine::PlaceFiles;

pub fn run(flags: Flags) -> Result {
    match flags.command {
        ConfigCommand::Example => output::data(EXAMPLE.as_bytes()),
        ConfigCommand::Check(flags) => check(&Source::of(flags)),
    }
}

fn check(source: &Source) -> Result {
    let config = source.load()?;
    config.check_plaintext()?;
    PlaceFiles::open(&config.places)?;
    // Warns of a certificate that has expired.
    config.tls.as_ref().map(Certificates::open).transpose()?;
    let speaks = if config.tls.is_some() { "TLS" } else { "plain text" };
    output::line(format_args!("{} can be used", source.file.display()))?;
    output::line(format_args!("listen {} ({speaks}), data {}", config.listen, config.data.display()))?;
    if let Some(lake) = &config.storage.lake {
        output::line(format_args!("lake at {lake}"))?;
    }
    for places in &config.places {
        output::line(format_args!("places of addresses by {}", places.display()))?;
    }
    for organization in &config.organizations {
        let about = &organization.tenant.organization;
        let zone = about.zone.iana_name().unwrap_or("UTC");
        let (keys, tenant) = (organization.ingest_keys.len(), &organization.tenant);
        let (apps, users) = (tenant.feishu.apps.len(), tenant.office365.users.len());
        let (access_keys, tokens) = (tenant.volcengine.access_keys.len(), tenant.yunxiao.tokens.len());
        output::line(format_args!(
            "organization {} {}: days of {zone}, {keys} ingest keys, {apps} feishu apps, {users} office365 users, \
             {access_keys} volcengine access keys, {tokens} yunxiao tokens",
            about.id, about.name
        ))?;
        for key in &organization.ingest_keys {
            output::line(format_args!("  ingest key {}", key.name))?;
        }
    }
    if config.organizations.is_empty() {
        output::note("no organizations: the server will know nobody; add [[organizations]]");
    }
    Ok(())
}
