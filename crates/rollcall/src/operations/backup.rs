//! `backup`: one consistent state of a data directory, elsewhere.

use super::{Context, Operation, Progress};
use crate::server::SIGNING_KEY;
use rollcall_engine::backup::Made;
use rollcall_engine::lake::{Location, StoreOptions};
use serde::{Deserialize, Serialize};
use std::path::Path;

/// Backs up.
pub enum Backup {}

/// Where to, and what an S3-compatible store must know: the server's own environment says nothing of it.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Asked {
    /// A URL, or an absolute path.
    pub target: String,
    /// Options of the store, secrets too: the socket is its owner's alone, and nobody logs them.
    pub options: Vec<(String, String)>,
    /// Whether the store may be spoken to without TLS beyond this machine.
    pub allow_plaintext: bool,
}

impl Operation for Backup {
    const NAME: &'static str = "backup";
    const DOING: &'static str = "backing up";
    type Asked = Asked;
    type Found = Made;

    fn run(context: &Context<'_>, asked: Asked, progress: &Progress<'_>) -> Result<Made, String> {
        let target = Location::parse(&asked.target, Path::new("/"))?;
        let mut options = StoreOptions::default();
        options.allow_plaintext = asked.allow_plaintext;
        asked.options.iter().for_each(|(name, value)| options.set(name, value));
        context.engine.backup(&target, &options, &[SIGNING_KEY], progress).map_err(|error| error.to_string())
    }
}
