//! Where the lake or a backup lies, and what its store must know.

use crate::error::EngineError;
use object_store::aws::AmazonS3ConfigKey;
use std::fmt;
use std::path::{Path, PathBuf};
use std::str::FromStr;
use url::{Host, Url};

/// What the ledger remembers of a lake that lies in the data directory, wherever that is moved.
const IN_DATA: &str = "lake";

/// Where something lies that others read too: the lake, or a backup. It holds no secret.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Location {
    /// A directory of this machine; made if it is not there.
    Directory(PathBuf),
    /// A bucket of an S3-compatible store, and what is in front of every name: `s3://bucket/prefix`, without a slash at its end.
    Bucket(Url),
}

impl Location {
    /// Reads `s3://bucket/prefix`, `file:///directory`, or a path; a relative one begins at `folder`.
    ///
    /// # Errors
    /// What was expected.
    pub fn parse(text: &str, folder: &Path) -> Result<Self, String> {
        const EXPECTED: &str = "expected s3://bucket/prefix, file:///directory, or a path";
        if !text.contains("://") {
            return if text.is_empty() { Err(EXPECTED.into()) } else { Ok(Self::Directory(folder.join(text))) };
        }
        let mut url = Url::parse(text).map_err(|error| format!("{EXPECTED}: {error}"))?;
        let plain = url.username().is_empty() && url.password().is_none() && url.query().is_none() && url.fragment().is_none();
        if !plain {
            return Err("a location has no credentials, query or fragment; options of the store stand in [lake.options]".into());
        }
        match (url.scheme(), url.host_str()) {
            ("file", None) => url.to_file_path().map(Self::Directory).map_err(|()| EXPECTED.into()),
            ("s3", Some(host)) if !host.is_empty() && !url.path().contains("//") => {
                let path = url.path().trim_end_matches('/').to_owned();
                url.set_path(&path);
                Ok(Self::Bucket(url))
            }
            _ => Err(EXPECTED.into()),
        }
    }

    /// How the ledger remembers it: a directory by its absolute path, the one in the data directory by its name alone.
    fn remembered(&self, data: &Path) -> String {
        match self {
            Self::Directory(path) if absolute(path) == absolute(data).join(IN_DATA) => IN_DATA.into(),
            Self::Directory(path) => Self::Directory(absolute(path)).to_string(),
            Self::Bucket(url) => url.to_string(),
        }
    }

    /// The location of a data directory's lake: the one that its ledger remembers, else the one that is set, else `lake` in it. Also
    /// what the ledger is to remember.
    pub(crate) fn of_lake(data: &Path, set: Option<&Self>, remembered: Option<&str>) -> Result<(Self, String), EngineError> {
        let set_as = set.map(|location| location.remembered(data));
        if let (Some(set), Some(remembered)) = (&set_as, remembered)
            && set != remembered
        {
            return Err(EngineError::Storage(format!(
                "the lake of {} lies at {remembered}, and the configuration says {set}; set [lake] url = \"{remembered}\", or move both with \
                 `rollcall backup` and `rollcall restore`",
                data.display()
            )));
        }
        let name = set_as.or_else(|| remembered.map(str::to_owned)).unwrap_or_else(|| IN_DATA.into());
        let location = if name == IN_DATA { Ok(Self::Directory(data.join(IN_DATA))) } else { Self::parse(&name, data) };
        Ok((location.map_err(|error| EngineError::Storage(format!("{name}: {error}")))?, name))
    }

    /// Whether both are the same place, or one lies in the other.
    pub(crate) fn overlaps(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::Directory(a), Self::Directory(b)) => {
                let (a, b) = (absolute(a), absolute(b));
                a.starts_with(&b) || b.starts_with(&a)
            }
            (Self::Bucket(a), Self::Bucket(b)) => {
                let (a, b) = (format!("{a}/"), format!("{b}/"));
                a.starts_with(&b) || b.starts_with(&a)
            }
            _ => false,
        }
    }

    /// As others can name it from anywhere.
    pub(crate) fn absolute(&self) -> Self {
        match self {
            Self::Directory(path) => Self::Directory(absolute(path)),
            Self::Bucket(_) => self.clone(),
        }
    }
}

impl fmt::Display for Location {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Directory(path) => match Url::from_file_path(path) {
                Ok(url) => url.fmt(f),
                Err(()) => path.display().fmt(f),
            },
            Self::Bucket(url) => url.fmt(f),
        }
    }
}

/// A path without links as far as it is there, else as it is written.
fn absolute(path: &Path) -> PathBuf {
    let written = std::path::absolute(path).unwrap_or_else(|_| path.to_owned());
    let there = written.ancestors().find_map(|part| Some((part, part.canonicalize().ok()?)));
    match there {
        Some((part, found)) => {
            written.strip_prefix(part).map_or_else(|_| written.clone(), |rest| found.components().chain(rest.components()).collect())
        }
        None => written,
    }
}

/// What an S3-compatible store must know, by the names that AWS gives its environment variables, in lower case: `aws_endpoint`,
/// `aws_region`, `aws_access_key_id`, `aws_secret_access_key` and others. What is not here is taken from the environment.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct StoreOptions {
    values: Vec<(String, String)>,
    /// Whether an endpoint beyond this machine may be spoken to without TLS.
    pub allow_plaintext: bool,
}

impl fmt::Debug for StoreOptions {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let names: Vec<_> = self.values.iter().map(|(name, _)| name).collect();
        f.debug_struct("StoreOptions").field("names", &names).field("allow_plaintext", &self.allow_plaintext).finish()
    }
}

impl StoreOptions {
    /// Whether the value of an option is a secret; none if there is no such option.
    pub fn is_secret(name: &str) -> Option<bool> {
        let key = AmazonS3ConfigKey::from_str(name).ok()?;
        Some(matches!(key, AmazonS3ConfigKey::SecretAccessKey | AmazonS3ConfigKey::Token) || name.contains("customer_key"))
    }

    /// Checks the value of an option, as far as that is possible without asking the store.
    ///
    /// # Errors
    /// What is wrong with an endpoint.
    pub fn check(&self, name: &str, value: &str) -> Result<(), String> {
        match AmazonS3ConfigKey::from_str(name) {
            Ok(AmazonS3ConfigKey::Endpoint | AmazonS3ConfigKey::S3Endpoint) => self.check_endpoint(value),
            _ => Ok(()),
        }
    }

    /// Whether credentials and facts may be sent to an endpoint.
    pub(super) fn check_endpoint(&self, endpoint: &str) -> Result<(), String> {
        let url = Url::parse(endpoint).ok().filter(|url| matches!(url.scheme(), "http" | "https"));
        let url = url.ok_or("is no URL that begins with https:// or http://")?;
        let is_here = match url.host() {
            Some(Host::Ipv4(address)) => address.is_loopback(),
            Some(Host::Ipv6(address)) => address.is_loopback(),
            Some(Host::Domain(name)) => name == "localhost",
            None => false,
        };
        if url.scheme() == "https" || is_here || self.allow_plaintext {
            return Ok(());
        }
        Err("would be sent credentials and facts in plain text beyond this machine; use one with https, or set allow_plaintext = true in \
             [lake]"
            .into())
    }

    /// The options in this process's environment, for another process to use.
    pub fn of_environment() -> Self {
        let text = |(name, value): (std::ffi::OsString, std::ffi::OsString)| Some((name.into_string().ok()?, value.into_string().ok()?));
        let of_store = |(name, _): &(String, String)| name.starts_with("AWS_") && Self::is_secret(&name.to_ascii_lowercase()).is_some();
        let values = std::env::vars_os().filter_map(text).filter(of_store);
        Self { values: values.map(|(name, value)| (name.to_ascii_lowercase(), value)).collect(), allow_plaintext: false }
    }

    /// Sets an option; a later one stands in for an earlier one.
    pub fn set(&mut self, name: &str, value: &str) {
        self.values.push((name.to_owned(), value.to_owned()));
    }

    /// Every option, secrets too.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &str)> {
        self.values.iter().map(|(name, value)| (name.as_str(), value.as_str()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_location_is_a_bucket_or_a_directory() {
        let parse = |text| Location::parse(text, Path::new("/etc/rollcall"));
        assert_eq!(parse("s3://b/a/lake/").unwrap().to_string(), "s3://b/a/lake");
        assert_eq!(parse("s3://b").unwrap().to_string(), "s3://b");
        assert_eq!(parse("file:///srv/a%20lake").unwrap(), Location::Directory("/srv/a lake".into()));
        assert_eq!(parse("lakes/one").unwrap(), Location::Directory("/etc/rollcall/lakes/one".into()));
        for bad in ["", "s3://", "s3:///x", "s3://b/a//b", "https://b/a", "s3://user:hunter2@b/a", "s3://b/a?x=1", "file://host/x"] {
            let error = parse(bad).unwrap_err();
            assert!(!error.contains("hunter2"), "{error}");
        }
    }

    #[test]
    fn places_within_another_overlap_it() {
        let parse = |text| Location::parse(text, Path::new("/")).unwrap();
        for (a, b, overlap) in [
            ("s3://b/lake", "s3://b/lake", true),
            ("s3://b", "s3://b/lake", true),
            ("s3://b/lake", "s3://b/lake2", false),
            ("s3://b/lake", "s3://c/lake", false),
            ("/srv/lake", "/srv/lake/x", true),
            ("/srv/lake", "/srv/lake2", false),
            ("/b/lake", "s3://b/lake", false),
        ] {
            assert_eq!((parse(a).overlaps(&parse(b)), parse(b).overlaps(&parse(a))), (overlap, overlap), "{a} {b}");
        }
    }

    #[test]
    fn what_is_shown_of_options_is_their_names() {
        let mut options = StoreOptions::default();
        options.set("aws_secret_access_key", "hunter2");
        assert!(format!("{options:?}").contains("aws_secret_access_key") && !format!("{options:?}").contains("hunter2"));
        assert_eq!(StoreOptions::is_secret("aws_secret_access_key"), Some(true));
        assert_eq!(StoreOptions::is_secret("aws_region"), Some(false));
        assert_eq!(StoreOptions::is_secret("aws_colour"), None);
    }
}
