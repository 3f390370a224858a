//! `[lake]`: where the lake lies, what its store must know, and when facts go there.

use super::check::Checks;
use super::{file, secrets};
use rollcall_engine::Settings;
use rollcall_engine::location::{Location, StoreOptions};
use std::path::Path;

/// Puts what the file says of the lake into the settings.
pub(super) fn read(checks: &mut Checks<'_>, given: &file::Lake, settings: &mut Settings, folder: &Path) {
    settings.flush_seconds = given.flush_seconds.unwrap_or(settings.flush_seconds);
    settings.flush_facts = given.flush_facts.unwrap_or(settings.flush_facts);
    settings.vacuum_days = given.vacuum_days.unwrap_or(settings.vacuum_days);
    settings.store.allow_plaintext = given.allow_plaintext;
    if let Some(url) = &given.url {
        match Location::parse(url.get_ref(), folder) {
            Ok(location) => settings.lake = Some(location),
            Err(message) => checks.refuse(url, "lake.url", &message),
        }
    }
    for (name, value) in &given.options {
        let key = format!("lake.options.{}", name.get_ref());
        let text = match (StoreOptions::is_secret(name.get_ref()), value.get_ref()) {
            (None, _) => {
                checks.refuse(name, &key, "is no option of an S3-compatible store");
                continue;
            }
            (Some(true), _) => secrets::read_option(checks, &key, value, folder),
            (Some(false), toml::Value::String(text)) => Some(text.clone()),
            (Some(false), value @ (toml::Value::Integer(_) | toml::Value::Boolean(_))) => Some(value.to_string()),
            (Some(false), _) => {
                checks.refuse(value, &key, "expected a string, a number, true or false");
                None
            }
        };
        if let Some(text) = text {
            if let Err(why) = settings.store.check(name.get_ref(), &text) {
                checks.refuse(value, &key, &format!("{text} {why}"));
            }
            settings.store.set(name.get_ref(), &text);
        }
    }
}
