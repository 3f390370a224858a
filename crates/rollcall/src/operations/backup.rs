//! `backup`: one consistent state of a data directory, elsewhere.

use super::{Context, Operation, Progress};
use crate::sealed::BackupKey;
use crate::server::SIGNING_KEY;
use crate::server::signing;
use rollcall_engine::backup::Made;
use rollcall_engine::location::{Location, StoreOptions};
use serde::{Deserialize, Serialize};
use std::path::Path;

/// The name of the signing key in a backup that has it sealed.
pub const SEALED_KEY: &str = "signing.key.sealed";

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
    /// The operator's key that seals the signing key; a secret too.
    #[serde(default)]
    pub key: Option<String>,
    /// Whether the signing key is left out.
    #[serde(default)]
    pub without_signing_key: bool,
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
        let key = asked.signing_key(context.engine.home(), &target)?;
        context.engine.backup(&target, &options, key.as_slice(), progress).map_err(|error| error.to_string())
    }
}

impl Asked {
    /// The signing key of a data directory as it goes to the target; none if there is none, or it is left out.
    fn signing_key(&self, data: &Path, target: &Location) -> Result<Option<(&'static str, Vec<u8>)>, String> {
        if self.without_signing_key {
            return Ok(None);
        }
        let path = data.join(SIGNING_KEY);
        let key = match std::fs::read(&path) {
            Ok(key) => key,
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(format!("{}: {error}", path.display())),
        };
        signing::parse(&key).map_err(|what| format!("{}: {what}", path.display()))?;
        match (&self.key, target) {
            (Some(text), _) => Ok(Some((SEALED_KEY, BackupKey::new(text)?.seal(&key)?))),
            (None, Location::Directory(_)) => Ok(Some((SIGNING_KEY, key))),
            (None, Location::Bucket(_)) => Err(format!(
                "the key that signs tokens would lie in {target} for whoever reads the bucket: give a key that seals it (--key-file, or \
                 [backup] key in the configuration), or --without-signing-key; a restore then makes a new one, which ends every token given \
                 so far"
            )),
        }
    }
}
