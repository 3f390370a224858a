//! The demo's directory: `rollcall.toml` with the one secret of which it cannot hold a hash beside it, the data, and `demo.env` with address and
//! credentials as shell assignments.
//!
//! `demo.env` is written last. Where it exists the demo is complete, and a second run takes everything from it. Where it does not, filling
//! was cut off, and the demo is made anew.

use super::private;
use crate::commands::key::{password_hash, yunxiao_token};
use crate::failure::{Failure, Result};
use crate::random;
use crate::server::SIGNING_KEY;
use jiff::civil::Date;
use rollcall_dialects::Secret;
use rollcall_dialects::office365::Role;
use rollcall_dialects::yunxiao::Scope;
use std::collections::HashMap;
use std::fmt::Write as _;
use std::fs::{self, File, TryLockError};
use std::io;
use std::path::{Path, PathBuf};

/// The zone of the demo's organization.
pub const ZONE: &str = "Asia/Shanghai";

/// The demo's account for the Office 365 reports.
pub const USER: &str = "admin@demo.example";

/// The app that Volcengine's reports are of.
pub const APP: &str = "default";

/// The file of the secret of the access key, which the configuration refers to.
const SECRET_FILE: &str = "volcengine.secret";

/// The configuration, which is written first, and the data.
const CONFIG_FILE: &str = "rollcall.toml";
const DATA: &str = "data";

/// Locked while a demo runs there.
const LOCK: &str = "demo.lock";

/// How the configuration begins: whatever else is in a directory that has it is a demo's.
const MARK: &str = "# Written by `rollcall demo` at every start.";

/// What a demo was filled with.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Filled {
    pub facts: u64,
    pub assistance: u64,
    pub users: u32,
    pub days: u32,
    pub last_day: Date,
}

impl Filled {
    /// Whether the same flags made both, on whatever day.
    pub fn is_like(&self, other: &Self) -> bool {
        Self { last_day: other.last_day, ..self.clone() } == *other
    }
}

/// The demo's directory and credentials.
#[derive(Debug)]
pub struct Home {
    directory: PathBuf,
    pub org: String,
    pub ingest_key: String,
    pub app_id: String,
    pub app_secret: String,
    /// Of [`USER`].
    pub password: String,
    /// Volcengine's access key, and its secret.
    pub access_key: String,
    pub access_secret: String,
    /// The personal access token for Yunxiao's reports.
    pub yunxiao_token: String,
    /// A department of the demo's organization.
    pub department: String,
    /// None before the demo is complete.
    pub filled: Option<Filled>,
    /// Locked until it is dropped.
    _lock: Option<File>,
}

impl Home {
    /// Opens the directory of an earlier demo, or makes one with fresh credentials.
    pub fn open(directory: &Path) -> Result<Self> {
        let directory = private::directory(directory)?;
        let named = |error: io::Error| Failure::of(directory.display(), error);
        let env = match fs::read_to_string(directory.join("demo.env")) {
            Ok(text) => Some(text),
            Err(error) if error.kind() == io::ErrorKind::NotFound => None,
            Err(error) => return Err(named(error)),
        };
        let is_demo = fs::read_to_string(directory.join(CONFIG_FILE)).is_ok_and(|text| text.starts_with(MARK));
        if !is_demo && !holds_nothing(&directory).map_err(named)? {
            return Err(Failure::Message(format!(
                "{} holds something else than a demo, which would be overwritten; choose an empty directory with --data",
                directory.display()
            )));
        }
        let lock = lock(&directory)?;
        let home = match env {
            Some(text) => Self::read(&directory, &text)?,
            None => {
                clear(&directory).map_err(named)?;
                Self::fresh(&directory)?
            }
        };
        private::write(&home.config_file(), &home.config()?)?;
        private::write(&home.directory.join(SECRET_FILE), &home.access_secret)?;
        Ok(Self { _lock: Some(lock), ..home })
    }

    fn fresh(directory: &Path) -> Result<Self> {
        Ok(Self {
            directory: directory.into(),
            org: uuid::Uuid::new_v4().to_string(),
            ingest_key: random::native_key()?,
            app_id: format!("cli_{}", uuid::Uuid::new_v4().simple().to_string().get(..16).unwrap_or_default()),
            app_secret: random::secret("")?,
            password: random::secret("")?,
            access_key: random_access_key(),
            access_secret: random::secret("")?,
            yunxiao_token: yunxiao_token()?,
            department: String::new(),
            filled: None,
            _lock: None,
        })
    }

    fn read(directory: &Path, text: &str) -> Result<Self> {
        let values: HashMap<_, _> = text.lines().filter_map(|line| line.split_once('=')).collect();
        let value = |name: &str| values.get(name).map(|value| value.trim_matches('\'').to_owned());
        // A demo of an earlier version has none of these.
        let password = value("RWS_PASSWORD").map_or_else(|| random::secret(""), Ok)?;
        let access_key = value("VOLC_AK").unwrap_or_else(random_access_key);
        let access_secret = value("VOLC_SK").map_or_else(|| random::secret(""), Ok)?;
        let yunxiao_token = value("YUNXIAO_TOKEN").map_or_else(yunxiao_token, Ok)?;
        let read = || {
            Some(Self {
                directory: directory.into(),
                org: value("ORG_ID")?,
                ingest_key: value("INGEST_KEY")?,
                app_id: value("FEISHU_APP_ID")?,
                app_secret: value("FEISHU_APP_SECRET")?,
                password,
                access_key,
                access_secret,
                yunxiao_token,
                department: String::new(),
                filled: Some(Filled {
                    facts: value("DEMO_FACTS")?.parse().ok()?,
                    // A demo of an earlier version has none.
                    assistance: value("DEMO_ASSISTANCE").map_or(Some(0), |count| count.parse().ok())?,
                    users: value("DEMO_USERS")?.parse().ok()?,
                    days: value("DEMO_DAYS")?.parse().ok()?,
                    last_day: value("DEMO_LAST_DAY")?.parse().ok()?,
                }),
                _lock: None,
            })
        };
        read().ok_or_else(|| {
            Failure::Message(format!(
                "{} is damaged; remove {} to make another demo",
                directory.join("demo.env").display(),
                directory.display()
            ))
        })
    }

    pub fn config_file(&self) -> PathBuf {
        self.directory.join(CONFIG_FILE)
    }

    fn config(&self) -> Result<String> {
        Ok(format!(
            "{MARK}\ndata = \"{DATA}\"\n\n\
             # So that the lake has what comes in while you look on.\n[lake]\nflush_seconds = 5\n\n\
             [[organizations]]\nid = \"{}\"\nname = \"Demo\"\ntime_zone = \"{ZONE}\"\n\n\
             [[organizations.ingest_keys]]\nname = \"demo\"\nhash = \"{}\"\n\n\
             [[organizations.feishu.apps]]\napp_id = \"{}\"\nsecret_hash = \"{}\"\n\n\
             [[organizations.office365.users]]\nname = \"{USER}\"\nrole = \"{}\"\npassword_hash = \"{}\"\n\n\
             [[organizations.volcengine.access_keys]]\nid = \"{}\"\nsecret = \"file:{SECRET_FILE}\"\n\n\
             [[organizations.yunxiao.tokens]]\nname = \"demo\"\nhash = \"{}\"\nscopes = [{}]\n",
            self.org,
            Secret::of(&self.ingest_key),
            self.app_id,
            Secret::of(&self.app_secret),
            Role::GlobalAdministrator.name(),
            password_hash(&self.password)?,
            self.access_key,
            Secret::of(&self.yunxiao_token),
            Scope::ALL.map(|scope| format!("\"{}\"", scope.name())).join(", ")
        ))
    }

    /// Writes address and credentials for scripts and tests.
    pub fn write_env(&self, url: &str, data: &Path) -> Result {
        let mut text = String::new();
        let signing_key = data.join(SIGNING_KEY).display().to_string();
        let filled = self.filled.as_ref();
        for (name, value) in [
            ("BASE_URL", url.to_owned()),
            ("ORG_ID", self.org.clone()),
            // The same, by the name that the snippets of docs/lake.md use.
            ("ORGANIZATION", self.org.clone()),
            ("INGEST_KEY", self.ingest_key.clone()),
            ("FEISHU_APP_ID", self.app_id.clone()),
            ("FEISHU_APP_SECRET", self.app_secret.clone()),
            ("RWS_USER", USER.to_owned()),
            ("RWS_PASSWORD", self.password.clone()),
            ("VOLC_AK", self.access_key.clone()),
            ("VOLC_SK", self.access_secret.clone()),
            ("VOLC_APP_ID", APP.to_owned()),
            ("YUNXIAO_TOKEN", self.yunxiao_token.clone()),
            ("DEPARTMENT_ID", self.department.clone()),
            ("SERVER_KEY_FILE", signing_key),
            ("LAKE", data.join("lake").display().to_string()),
            ("DEMO_FACTS", filled.map(|filled| filled.facts.to_string()).unwrap_or_default()),
            ("DEMO_ASSISTANCE", filled.map(|filled| filled.assistance.to_string()).unwrap_or_default()),
            ("DEMO_USERS", filled.map(|filled| filled.users.to_string()).unwrap_or_default()),
            ("DEMO_DAYS", filled.map(|filled| filled.days.to_string()).unwrap_or_default()),
            ("DEMO_LAST_DAY", filled.map(|filled| filled.last_day.to_string()).unwrap_or_default()),
        ] {
            // A path may hold anything, a quotation mark too.
            let _ = writeln!(text, "{name}='{}'", value.replace('\'', "'\\''"));
        }
        private::write(&self.directory.join("demo.env"), &text)
    }
}

fn random_access_key() -> String {
    format!("AKLT{}", uuid::Uuid::new_v4().simple())
}

/// Where a demo is kept that is not told where: in the folder of the user's own that is for what programs leave.
pub fn default_directory() -> Result<PathBuf> {
    let absolute = |name: &str| std::env::var_os(name).map(PathBuf::from).filter(|path| path.is_absolute());
    let state = absolute("XDG_STATE_HOME").or_else(|| Some(absolute("HOME")?.join(".local/state")));
    let state =
        state.ok_or_else(|| Failure::Usage("neither XDG_STATE_HOME nor HOME is set: say with --data where to keep the demo".into()))?;
    Ok(state.join("rollcall/demo"))
}

/// Whether a directory has nothing but what a demo leaves that was killed at its very beginning.
fn holds_nothing(directory: &Path) -> io::Result<bool> {
    for entry in directory.read_dir()? {
        let name = entry?.file_name();
        if name != LOCK && !private::is_aside(&name) {
            return Ok(false);
        }
    }
    Ok(true)
}

/// Makes the directory this process's own, until the file is dropped or the process ends.
fn lock(directory: &Path) -> Result<File> {
    let path = directory.join(LOCK);
    let file = File::options().create(true).append(true).open(&path).map_err(|error| Failure::of(path.display(), error))?;
    match file.try_lock() {
        Ok(()) => Ok(file),
        Err(TryLockError::WouldBlock) => Err(Failure::Message(format!(
            "a demo runs in {} already: use that one, end it, or choose another directory with --data",
            directory.display()
        ))),
        Err(TryLockError::Error(error)) => Err(Failure::of(path.display(), error)),
    }
}

/// Removes the data of a demo that was cut off while it was filled.
fn clear(directory: &Path) -> io::Result<()> {
    match fs::remove_dir_all(directory.join(DATA)) {
        Ok(()) => {
            crate::output::note("the demo that is there was not filled to its end: it is made anew");
            Ok(())
        }
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
        Err(error) => Err(error),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::fs::PermissionsExt;

    #[test]
    fn a_second_run_has_the_credentials_of_the_first() {
        let directory = tempfile::tempdir().unwrap();
        let mut first = Home::open(directory.path()).unwrap();
        first.filled = Some(Filled { facts: 10, assistance: 4, users: 2, days: 3, last_day: jiff::civil::date(2025, 3, 1) });
        first.write_env("http://127.0.0.1:1", Path::new("da'ta")).unwrap();
        let twice = Home::open(directory.path()).unwrap_err().to_string();
        assert!(twice.contains("a demo runs in"), "{twice}");
        first._lock = None;
        let mut second = Home::open(directory.path()).unwrap();
        second._lock = None;
        assert_eq!((second.ingest_key, second.app_secret, second.org), (first.ingest_key, first.app_secret, first.org));
        assert_eq!((&second.password, &second.yunxiao_token), (&first.password, &first.yunxiao_token));
        assert_eq!((second.access_key, second.access_secret), (first.access_key.clone(), first.access_secret.clone()));
        assert_eq!(second.filled, first.filled);
        // A demo of an earlier version lacks the credentials of later APIs; it is given them, and is complete.
        let env = directory.path().join("demo.env");
        let earlier: String = fs::read_to_string(&env)
            .unwrap()
            .lines()
            .filter(|line| !["RWS_", "VOLC_", "YUNXIAO_"].iter().any(|later| line.starts_with(later)))
            .fold(String::new(), |text, line| text + line + "\n");
        fs::write(&env, earlier).unwrap();
        let mut third = Home::open(directory.path()).unwrap();
        third._lock = None;
        assert!(third.password.len() > 40 && third.password != first.password && third.filled == first.filled);
        third.write_env("http://127.0.0.1:1", Path::new("data")).unwrap();
        assert!(third.yunxiao_token.starts_with("pt-") && third.yunxiao_token.len() == 64 && third.yunxiao_token != first.yunxiao_token);
        let fourth = Home::open(directory.path()).unwrap();
        assert_eq!((fourth.password, fourth.yunxiao_token), (third.password, third.yunxiao_token));
        assert_eq!(fourth.access_secret, third.access_secret);
        assert_eq!(fs::read_to_string(directory.path().join(SECRET_FILE)).unwrap(), third.access_secret);
        for file in ["demo.env", SECRET_FILE, CONFIG_FILE] {
            let permissions = fs::metadata(directory.path().join(file)).unwrap().permissions();
            assert_eq!(permissions.mode() & 0o777, 0o600, "{file}");
        }
    }

    #[test]
    fn a_directory_with_something_else_is_left_alone() {
        let directory = tempfile::tempdir().unwrap();
        let config = directory.path().join(CONFIG_FILE);
        fs::write(&config, "listen = \"127.0.0.1:7070\"\n").unwrap();
        fs::create_dir(directory.path().join(DATA)).unwrap();
        let error = Home::open(directory.path()).unwrap_err().to_string();
        assert!(error.contains("holds something else than a demo"), "{error}");
        assert!(fs::read_to_string(&config).unwrap().starts_with("listen") && directory.path().join(DATA).is_dir());
        assert_eq!(fs::read_dir(directory.path()).unwrap().count(), 2);
    }

    #[test]
    fn a_demo_that_was_not_filled_to_its_end_is_made_anew() {
        let directory = tempfile::tempdir().unwrap();
        let first = Home::open(directory.path()).unwrap();
        let data = directory.path().join(DATA);
        fs::create_dir(&data).unwrap();
        fs::write(data.join("half"), "").unwrap();
        drop(first);
        let second = Home::open(directory.path()).unwrap();
        assert!(second.filled.is_none() && !data.exists());
    }
}
