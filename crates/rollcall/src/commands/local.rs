//! A data directory on this machine, opened by a command without a server.

use crate::args::{Local, Store};
use crate::config::{Config, Overrides};
use crate::failure::{Failure, Result};
use rollcall_engine::{Engine, EngineError};
use rollcall_model::{OrgId, Organization};
use std::path::Path;

/// An open data directory, and the organization to work for.
pub struct Opened {
    pub engine: Engine,
    pub organization: Organization,
    pub config: Config,
}

/// The configuration of the flags, if one is given.
pub fn configuration(flags: &Store) -> Result<Option<Config>> {
    Ok(flags.config.as_deref().map(|file| Config::load(file, &Overrides::default())).transpose()?)
}

/// Opens `data` for the organization of the flags.
pub fn open(data: &Path, flags: &Local) -> Result<Opened> {
    let overrides = Overrides { listen: None, data: Some(data.into()) };
    let config = Config::load(&flags.file.config, &overrides)?;
    // The flags require it together with --data.
    let id = flags.organization.map(OrgId).ok_or_else(|| Failure::Usage("--organization is missing".into()))?;
    let found = config.organization(id).map(|found| found.tenant.organization.clone());
    let organization = found.ok_or_else(|| Failure::Message(format!("organization {id} is not in {}", flags.file.config.display())))?;
    if !data.is_dir() {
        return Err(Failure::Message(format!("{} is no data directory", data.display())));
    }
    let engine = Engine::open(data, config.storage.clone()).map_err(|error| match error {
        EngineError::InUse(data) => Failure::Message(format!(
            "data directory {data} is in use by another rollcall process; a server answers over HTTP: give --to-url (import: --to) in place of --data"
        )),
        error => error.into(),
    })?;
    Ok(Opened { engine, organization, config })
}
