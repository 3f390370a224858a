//! An open location: a directory, or a bucket of an S3-compatible store.
//!
//! What [`Store::put`] returned from is durable. On local disk the file is fsynced before it gets its name, then the directories are;
//! `object_store` does this when asked to.

use super::failed;
use crate::error::EngineError;
use crate::location::{Location, StoreOptions};
use bytes::Bytes;
use delta_kernel_default_engine::executor::tokio::TokioMultiThreadExecutor;
use delta_kernel_default_engine::{DefaultEngine, DefaultEngineBuilder};
use futures::{StreamExt, TryStreamExt};
use object_store::aws::{AmazonS3, AmazonS3Builder, AmazonS3ConfigKey};
use object_store::local::LocalFileSystem;
use object_store::path::Path;
use object_store::{ClientConfigKey, ObjectMeta, ObjectStore, ObjectStoreExt, PutMode, PutOptions, PutPayload, RetryConfig};
use parquet::file::reader::{ChunkReader, Length};
use rollcall_model::Millis;
use std::fs::File;
use std::io::{Read, Seek, SeekFrom};
use std::path::PathBuf;
use std::str::FromStr;
use std::sync::Arc;
use std::time::{Duration, UNIX_EPOCH};
use tokio::runtime::{Handle, Runtime};
use url::Url;

/// How many files are asked for at a time.
const AT_A_TIME: usize = 16;

/// How often a request is tried again, and for how long: whoever asked then hears that it failed, and may ask later.
const RETRIES: usize = 5;
const RETRY_TIME: Duration = Duration::from_secs(60);

/// How long one request may take, unless the option `timeout` says otherwise.
const REQUEST_TIME: &str = "120 seconds";

/// An open location. Cheap to clone.
#[derive(Debug, Clone)]
pub struct Store {
    objects: Arc<dyn ObjectStore>,
    root: Url,
    /// Whether it is a directory of this machine.
    local: bool,
    kernel: Arc<DefaultEngine<TokioMultiThreadExecutor>>,
    threads: Arc<Threads>,
}

/// The threads that speak to the store.
#[derive(Debug)]
struct Threads {
    handle: Handle,
    runtime: Option<Runtime>,
}

impl Threads {
    /// Waits for what a future gives, also on a thread of another runtime that has several.
    fn run<T>(&self, future: impl Future<Output = T>) -> T {
        let run = || self.handle.block_on(future);
        if Handle::try_current().is_ok() { tokio::task::block_in_place(run) } else { run() }
    }
}

impl Drop for Threads {
    /// Whoever drops them need not be one who may wait.
    fn drop(&mut self) {
        if let Some(runtime) = self.runtime.take() {
            runtime.shutdown_background();
        }
    }
}

impl Store {
    /// Opens a location. Nothing is asked of a remote store yet.
    ///
    /// # Errors
    /// [`EngineError::Storage`] if a directory cannot be made, an option means nothing, or credentials would travel in plain text beyond
    /// this machine.
    pub fn open(location: &Location, options: &StoreOptions) -> Result<Self, EngineError> {
        let (objects, root, local): (Arc<dyn ObjectStore>, Url, bool) = match location {
            Location::Directory(path) => {
                crate::data_directory::make(path)?;
                let path = path.canonicalize().map_err(|error| EngineError::Storage(format!("{}: {error}", path.display())))?;
                let root = Url::from_directory_path(&path)
                    .map_err(|()| EngineError::Storage(format!("{}: no path for a lake", path.display())))?;
                (Arc::new(LocalFileSystem::new().with_fsync(true)), root, true)
            }
            Location::Bucket(url) => {
                let mut root = url.clone();
                root.set_path(&format!("{}/", url.path().trim_end_matches('/')));
                (Arc::new(bucket(url, options)?), root, false)
            }
        };
        Self::over(objects, root, local)
    }

    /// What is opened by other means.
    pub(super) fn over(objects: Arc<dyn ObjectStore>, root: Url, local: bool) -> Result<Self, EngineError> {
        let threads = tokio::runtime::Builder::new_multi_thread().worker_threads(2).thread_name("lake").enable_all().build();
        let threads = threads.map_err(|error| EngineError::Storage(format!("the threads of the lake cannot be started: {error}")))?;
        let executor = Arc::new(TokioMultiThreadExecutor::new(threads.handle().clone()));
        let kernel = Arc::new(DefaultEngineBuilder::new(objects.clone()).with_task_executor(executor).build());
        Ok(Self { objects, root, local, kernel, threads: Arc::new(Threads { handle: threads.handle().clone(), runtime: Some(threads) }) })
    }

    /// Asks the store for something small, so that it is known to answer.
    ///
    /// # Errors
    /// [`EngineError::Storage`].
    pub fn reach(&self) -> Result<(), EngineError> {
        let root = self.path("")?;
        self.threads.run(self.objects.list_with_delimiter(Some(&root))).map(|_| ()).map_err(failed)
    }

    /// What reads and writes the logs of tables here.
    pub(super) fn kernel(&self) -> &DefaultEngine<TokioMultiThreadExecutor> {
        &self.kernel
    }

    /// The URL of a name.
    pub(super) fn url(&self, name: &str) -> Result<Url, EngineError> {
        self.root.join(name).map_err(|error| EngineError::Storage(format!("{name}: {error}")))
    }

    fn path(&self, name: &str) -> Result<Path, EngineError> {
        Path::from_url_path(self.url(name)?.path()).map_err(failed)
    }

    /// Writes a file durably; with `new`, one that must not be there yet.
    ///
    /// # Errors
    /// [`EngineError::Storage`].
    pub fn put(&self, name: &str, bytes: impl Into<PutPayload>, new: bool) -> Result<(), EngineError> {
        let mode = if new { PutMode::Create } else { PutMode::Overwrite };
        let path = self.path(name)?;
        let put = self.objects.put_opts(&path, bytes.into(), PutOptions { mode, ..PutOptions::default() });
        self.threads.run(put).map_err(failed)?;
        Ok(())
    }

    /// Reads a file; none if it is not there.
    ///
    /// # Errors
    /// [`EngineError::Storage`].
    pub fn get(&self, name: &str) -> Result<Option<Bytes>, EngineError> {
        let path = self.path(name)?;
        let read = self.threads.run(async { self.objects.get(&path).await?.bytes().await });
        absent_is_none(read)
    }

    /// Reads small files, in any order; those that are not there are left out.
    ///
    /// # Errors
    /// [`EngineError::Storage`].
    pub(super) fn get_all(&self, names: impl IntoIterator<Item = String>) -> Result<Vec<(String, Bytes)>, EngineError> {
        let named = names.into_iter().map(|name| Ok((self.path(&name)?, name)));
        let named: Vec<_> = named.collect::<Result<_, EngineError>>()?;
        let read = futures::stream::iter(named).map(async |(path, name)| {
            let read = async { self.objects.get(&path).await?.bytes().await }.await;
            Ok::<_, EngineError>(absent_is_none(read)?.map(|bytes| (name, bytes)))
        });
        let found = self.threads.run(read.buffer_unordered(AT_A_TIME).try_collect::<Vec<_>>())?;
        Ok(found.into_iter().flatten().collect())
    }

    /// The size of a file in bytes; none if it is not there.
    ///
    /// # Errors
    /// [`EngineError::Storage`].
    pub fn size(&self, name: &str) -> Result<Option<u64>, EngineError> {
        if let Some(path) = self.local_path(name)? {
            return match std::fs::metadata(&path) {
                Ok(found) => Ok(Some(found.len())),
                Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(None),
                Err(error) => Err(unusable(&path, &error)),
            };
        }
        let path = self.path(name)?;
        absent_is_none(self.threads.run(self.objects.head(&path)).map(|found| found.size))
    }

    /// Removes a file; one that is not there is removed.
    ///
    /// # Errors
    /// [`EngineError::Storage`].
    pub fn remove(&self, name: &str) -> Result<(), EngineError> {
        let path = self.path(name)?;
        absent_is_none(self.threads.run(self.objects.delete(&path))).map(|_| ())
    }

    /// Whether there is no file at all.
    ///
    /// # Errors
    /// [`EngineError::Storage`].
    pub(crate) fn is_empty(&self) -> Result<bool, EngineError> {
        let root = self.path("")?;
        let mut found = self.objects.list(Some(&root));
        Ok(self.threads.run(found.try_next()).map_err(failed)?.is_none())
    }

    /// Whether it is a directory of this machine.
    pub(crate) const fn is_local(&self) -> bool {
        self.local
    }

    /// The file or directory of this machine that a name stands for; none in a remote store.
    ///
    /// # Errors
    /// [`EngineError::Storage`].
    pub(crate) fn local_path(&self, name: &str) -> Result<Option<PathBuf>, EngineError> {
        let path = || self.url(name)?.to_file_path().map_err(|()| EngineError::Storage(format!("{name}: no path")));
        self.local.then(path).transpose()
    }

    /// Every file whose name begins with the directory `within`, by name, which is given from the root on.
    ///
    /// # Errors
    /// [`EngineError::Storage`].
    pub fn list(&self, within: &str) -> Result<Vec<(String, ObjectMeta)>, EngineError> {
        let (root, within) = (self.path("")?, self.path(within)?);
        let found: Vec<ObjectMeta> = self.threads.run(self.objects.list(Some(&within)).try_collect()).map_err(failed)?;
        let name = |meta: ObjectMeta| {
            let parts = meta.location.prefix_match(&root)?.map(|part| part.as_ref().to_owned());
            Some((parts.collect::<Vec<_>>().join("/"), meta))
        };
        let mut found: Vec<_> = found.into_iter().filter_map(name).collect();
        found.sort_unstable_by(|(a, _), (b, _)| a.cmp(b));
        Ok(found)
    }

    /// What puts within a directory left behind when they were cut off: files called `…#1`, which listings do not tell of. Remote stores
    /// have none.
    ///
    /// # Errors
    /// [`EngineError::Storage`].
    pub(super) fn left_behind(&self, within: &str) -> Result<Vec<Left>, EngineError> {
        let mut found = Vec::new();
        let mut directories = Vec::new();
        if self.local {
            directories.extend(self.url(within)?.to_file_path());
        }
        while let Some(directory) = directories.pop() {
            let entries = match std::fs::read_dir(&directory) {
                Err(error) if error.kind() == std::io::ErrorKind::NotFound => continue,
                entries => entries.map_err(|error| unusable(&directory, &error))?,
            };
            for entry in entries {
                let entry = entry.map_err(|error| unusable(&directory, &error))?;
                let path = entry.path();
                let about = entry.metadata().map_err(|error| unusable(&path, &error))?;
                let is_left = |name: &str| name.rsplit_once('#').is_some_and(|(_, end)| end.bytes().all(|byte| byte.is_ascii_digit()));
                if about.is_dir() {
                    directories.push(path);
                } else if entry.file_name().to_str().is_some_and(is_left) {
                    let since = about.modified().ok().and_then(|at| at.duration_since(UNIX_EPOCH).ok()).unwrap_or_default();
                    found.push(Left { path, size: about.len(), modified: Millis::try_from(since.as_millis()).unwrap_or(Millis::MAX) });
                }
            }
        }
        Ok(found)
    }

    /// Removes what was left behind.
    ///
    /// # Errors
    /// [`EngineError::Storage`].
    pub(super) fn remove_left(path: &std::path::Path) -> Result<(), EngineError> {
        std::fs::remove_file(path).map_err(|error| unusable(path, &error))
    }

    /// Opens a file of so many bytes to read parts of it.
    ///
    /// # Errors
    /// [`EngineError::Storage`].
    pub(super) fn open_file(&self, name: &str, size: u64) -> Result<Source, EngineError> {
        if let Some(path) = self.local_path(name)? {
            let file = File::open(&path).map_err(|error| unusable(&path, &error))?;
            return Ok(Source::File(Arc::new(file), size));
        }
        Ok(Source::Object { store: self.clone(), path: self.path(name)?, size })
    }
}

fn unusable(path: &std::path::Path, error: &std::io::Error) -> EngineError {
    EngineError::Storage(format!("{}: {error}", path.display()))
}

/// A file that a put left behind.
pub(super) struct Left {
    pub(super) path: PathBuf,
    pub(super) size: u64,
    /// In milliseconds since 1970.
    pub(super) modified: Millis,
}

/// A bucket as the options and the environment describe it.
fn bucket(url: &Url, options: &StoreOptions) -> Result<AmazonS3, EngineError> {
    let retries = RetryConfig { max_retries: RETRIES, retry_timeout: RETRY_TIME, ..RetryConfig::default() };
    let mut builder = AmazonS3Builder::new().with_url(url.as_str()).with_retry(retries);
    builder = builder.with_config(AmazonS3ConfigKey::Client(ClientConfigKey::Timeout), REQUEST_TIME);
    for (name, value) in StoreOptions::of_environment().iter().chain(options.iter()) {
        let key = AmazonS3ConfigKey::from_str(name)
            .map_err(|_| EngineError::Storage(format!("{name} is no option of an S3-compatible store")))?;
        builder = builder.with_config(key, value);
    }
    let value = |key| builder.get_config_value(&key);
    let endpoint = value(AmazonS3ConfigKey::S3Endpoint).or_else(|| value(AmazonS3ConfigKey::Endpoint));
    if let Some(endpoint) = endpoint {
        options.check_endpoint(&endpoint).map_err(|why| EngineError::Storage(format!("the endpoint {endpoint} {why}")))?;
        builder = builder.with_allow_http(endpoint.starts_with("http:"));
    }
    builder.build().map_err(failed)
}

fn absent_is_none<T>(found: object_store::Result<T>) -> Result<Option<T>, EngineError> {
    match found {
        Ok(found) => Ok(Some(found)),
        Err(object_store::Error::NotFound { .. }) => Ok(None),
        Err(error) => Err(failed(error)),
    }
}

/// A file of which parts are read.
#[derive(Debug, Clone)]
pub(super) enum Source {
    File(Arc<File>, u64),
    Object { store: Store, path: Path, size: u64 },
}

impl Length for Source {
    fn len(&self) -> u64 {
        match self {
            Self::File(_, size) | Self::Object { size, .. } => *size,
        }
    }
}

impl ChunkReader for Source {
    type T = Box<dyn Read + Send>;

    fn get_read(&self, start: u64) -> parquet::errors::Result<Self::T> {
        match self {
            Self::File(file, _) => {
                let mut file = file.try_clone()?;
                file.seek(SeekFrom::Start(start))?;
                Ok(Box::new(std::io::BufReader::new(file)))
            }
            Self::Object { size, .. } => {
                let rest =
                    usize::try_from(size.saturating_sub(start)).map_err(|error| parquet::errors::ParquetError::External(error.into()))?;
                let bytes = self.get_bytes(start, rest)?;
                Ok(Box::new(std::io::Cursor::new(bytes)))
            }
        }
    }

    fn get_bytes(&self, start: u64, length: usize) -> parquet::errors::Result<Bytes> {
        match self {
            Self::File(file, _) => {
                let mut bytes = vec![0; length];
                std::os::unix::fs::FileExt::read_exact_at(&**file, &mut bytes, start)?;
                Ok(bytes.into())
            }
            Self::Object { store, path, .. } => {
                let read = store.objects.get_range(path, start..start + length as u64);
                store.threads.run(read).map_err(|error| parquet::errors::ParquetError::External(Box::new(error)))
            }
        }
    }
}
