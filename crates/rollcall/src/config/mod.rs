//! `rollcall.toml`: where the server listens and stores, its limits, and its organizations with their credentials.
//!
//! # Layout
//! - [`mod@file`]: the file as it is written, key by key
//! - [`check`]: from the file to a [`Config`], with every problem found on the way
//! - [`mod@lake`]: where the lake lies
//! - [`secrets`]: secrets, which stand in the file as hashes or references only
//! - [`limits`]: what one request, and all together, may take

mod check;
mod file;
mod lake;
mod limits;
mod secrets;

pub use limits::Limits;
pub use secrets::SHORTEST_PASSWORD;

use crate::operations::erase::Retention;
use crate::sealed::BackupKey;
use ipnet::IpNet;
use rollcall_dialects::Secret;
use rollcall_dialects::Tenant;
use rollcall_dialects::sign_in::SignInLimits;
use rollcall_engine::Settings;
use rollcall_model::OrgId;
use std::fmt;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};

/// The file that is read where none is named.
pub const DEFAULT_FILE: &str = "rollcall.toml";

/// A commented configuration, for `rollcall config example`.
pub const EXAMPLE: &str = include_str!("example.toml");

/// A checked configuration: everything in it can be used as it stands.
#[derive(Debug, Clone)]
pub struct Config {
    /// Where the server listens.
    pub listen: SocketAddr,
    /// The data directory.
    pub data: PathBuf,
    /// Whether credentials may travel in plain text beyond loopback.
    pub allow_plaintext_auth: bool,
    /// Whether lines of failed sign-ins have the client's address.
    pub log_client_addresses: bool,
    /// The proxies that are believed when they say for whom they ask.
    pub trusted_proxies: Vec<IpNet>,
    /// The certificate and key of a TLS listener.
    pub tls: Option<TlsFiles>,
    /// The place databases; the first that knows an address says where it is.
    pub places: Vec<PathBuf>,
    /// What requests may take.
    pub limits: Limits,
    /// How many sign-ins may fail.
    pub sign_in: SignInLimits,
    /// Settings of the engine.
    pub storage: Settings,
    /// The key that seals the signing key in backups.
    pub backup_key: Option<BackupKey>,
    /// The organizations, each with its credentials.
    pub organizations: Vec<OrganizationConfig>,
}

/// An organization, and who may speak for it.
#[derive(Debug, Clone)]
pub struct OrganizationConfig {
    /// What the dialects know of it.
    pub tenant: Tenant,
    /// The keys of the native API.
    pub ingest_keys: Vec<IngestKey>,
    /// For how many days facts are kept; 0: for ever.
    pub retention_days: u32,
    /// Whether ingest keys may withdraw facts.
    pub allow_withdraw: bool,
}

/// A key of the native API.
#[derive(Debug, Clone)]
pub struct IngestKey {
    /// What people call it.
    pub name: String,
    /// Its secret.
    pub secret: Secret,
}

/// Where the certificate chain and the private key are, both PEM.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TlsFiles {
    /// The certificate chain, the server's own first.
    pub certificate: PathBuf,
    /// The private key.
    pub key: PathBuf,
}

/// What flags and the environment put in place of the file's values.
#[derive(Debug, Clone, Default)]
pub struct Overrides {
    /// In place of `listen`.
    pub listen: Option<SocketAddr>,
    /// In place of `data`.
    pub data: Option<PathBuf>,
}

/// Everything wrong with a configuration.
#[derive(Debug)]
pub struct ConfigError {
    file: PathBuf,
    problems: Vec<Problem>,
}

/// One thing wrong with a configuration.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Problem {
    line: Option<usize>,
    key: String,
    message: String,
}

impl fmt::Display for ConfigError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (position, problem) in self.problems.iter().enumerate() {
            if position > 0 {
                f.write_str("\n")?;
            }
            write!(f, "{}:", self.file.display())?;
            if let Some(line) = problem.line {
                write!(f, "{line}:")?;
            }
            if !problem.key.is_empty() {
                write!(f, " {}:", problem.key)?;
            }
            write!(f, " {}", problem.message)?;
        }
        Ok(())
    }
}

impl std::error::Error for ConfigError {}

impl Config {
    /// Reads and checks a file.
    ///
    /// # Errors
    /// Everything wrong with it, each with its line and key.
    pub fn load(path: &Path, overrides: &Overrides) -> Result<Self, ConfigError> {
        let text = std::fs::read_to_string(path).map_err(|error| {
            let hint = if error.kind() == std::io::ErrorKind::NotFound {
                "; write one with `rollcall config example`, or name another with --config"
            } else {
                ""
            };
            let message = format!("cannot be read: {error}{hint}");
            ConfigError { file: path.into(), problems: vec![Problem { line: None, key: String::new(), message }] }
        })?;
        Self::parse(&text, path, overrides)
    }

    /// Checks the text of a file; relative paths in it begin at the folder of `path`.
    ///
    /// # Errors
    /// Everything wrong with it, each with its line and key.
    pub fn parse(text: &str, path: &Path, overrides: &Overrides) -> Result<Self, ConfigError> {
        let folder = path.parent().unwrap_or(Path::new(""));
        file::File::parse(text)
            .map_err(|problem| vec![problem])
            .and_then(|file| check::check(file, text, folder, overrides))
            .map_err(|problems| ConfigError { file: path.into(), problems })
    }

    /// The organization of an id.
    pub fn organization(&self, id: OrgId) -> Option<&OrganizationConfig> {
        self.organizations.iter().find(|organization| organization.tenant.organization.id == id)
    }

    /// How long organizations keep their facts, of those that do not keep them for ever.
    pub fn retentions(&self) -> Vec<Retention> {
        let of = |organization: &OrganizationConfig| Retention {
            organization: organization.tenant.organization.id,
            days: organization.retention_days,
        };
        self.organizations.iter().map(of).filter(|retention| retention.days > 0).collect()
    }

    /// Whether there is one organization only, which shares with nobody.
    pub const fn is_for_one(&self) -> bool {
        self.organizations.len() == 1
    }

    /// What the dialects know of every organization.
    pub fn tenants(&self) -> Vec<Tenant> {
        self.organizations.iter().map(|organization| organization.tenant.clone()).collect()
    }

    /// Refuses to send credentials in plain text beyond this machine.
    ///
    /// # Errors
    /// What to set instead.
    pub fn check_plaintext(&self) -> Result<(), String> {
        if self.tls.is_some() || self.allow_plaintext_auth || self.listen.ip().is_loopback() {
            return Ok(());
        }
        Err(format!(
            "listen {} would send credentials in plain text beyond this machine; set [tls] certificate and key, listen on 127.0.0.1, \
             or set allow_plaintext_auth = true if a proxy in front of it speaks TLS",
            self.listen
        ))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(text: &str) -> Result<Config, String> {
        Config::parse(text, Path::new("rollcall.toml"), &Overrides::default()).map_err(|error| error.to_string())
    }

    const ORGANIZATION: &str =
        "[[organizations]]\nid = \"6f6e0a52-7d5b-4bb6-9a55-8f7f8d3b5c11\"\nname = \"Acme\"\ntime_zone = \"Asia/Shanghai\"\n";

    fn hash(of: &str) -> String {
        Secret::of(of).to_string()
    }

    #[test]
    fn the_example_is_a_valid_configuration() {
        let config = parse(EXAMPLE).unwrap();
        assert_eq!(config.organizations.len(), 1);
        assert_eq!(config.organizations[0].ingest_keys.len(), 1);
        assert_eq!(config.limits, Limits::default(), "the example shows the defaults");
        let shown =
            parse(&EXAMPLE.replace("# date =", "date =").replace("# history_months", "history_months").replace("# page_size", "page_size"));
        let (shown, defaults) = (shown.unwrap(), rollcall_dialects::office365::Settings::default());
        assert_eq!(format!("{:?}", shown.organizations[0].tenant.office365), format!("{defaults:?}"));
        let keys = ["show_unknown", "max_age_days", "max_span_days", "requests_per_second", "clock_skew_seconds"];
        let shown = keys.iter().fold(EXAMPLE.to_owned(), |text, key| text.replacen(&format!("# {key} = "), &format!("{key} = "), 1));
        assert_eq!(keys.iter().filter(|key| shown.contains(&format!("\n{key} = "))).count(), keys.len());
        let (shown, defaults) = (parse(&shown).unwrap(), rollcall_dialects::volcengine::Settings::default());
        assert_eq!(format!("{:?}", shown.organizations[0].tenant.volcengine), format!("{defaults:?}"));
    }

    #[test]
    fn trusted_proxies_are_addresses_and_networks_and_nobody_by_default() {
        assert_eq!(parse("").unwrap().trusted_proxies, []);
        let given = parse("trusted_proxies = [\"10.0.0.0/8\", \"::1\", \"fd00::/8\"]").unwrap().trusted_proxies;
        let given: Vec<_> = given.iter().map(ToString::to_string).collect();
        assert_eq!(given, ["10.0.0.0/8", "::1/128", "fd00::/8"]);
        let error = parse("trusted_proxies = [\n\"10.0.0.0/8\",\n\"proxy.example\",\n\"0.0.0.0/0\"]").unwrap_err();
        assert!(
            error.contains(
                "rollcall.toml:3: trusted_proxies: proxy.example: expected an address or a network, such as 10.0.0.7 or 10.0.0.0/8"
            ),
            "{error}"
        );
        assert!(error.contains("rollcall.toml:4: trusted_proxies: would believe every client"), "{error}");
    }

    #[test]
    fn place_databases_are_one_or_several_beside_the_file() {
        let places = |text: &str| Config::parse(text, Path::new("etc/rollcall.toml"), &Overrides::default()).map(|config| config.places);
        assert_eq!(places("").unwrap(), Vec::<PathBuf>::new());
        assert_eq!(places("[places]\ndatabase = \"a.mmdb\"").unwrap(), [PathBuf::from("etc/a.mmdb")]);
        let both = places("places.database = [\"v4.xdb\", \"/v6.xdb\"]").unwrap();
        assert_eq!(both, [PathBuf::from("etc/v4.xdb"), PathBuf::from("/v6.xdb")]);
        let error = parse("[places]\ndatabase = 4\n").unwrap_err();
        assert_eq!(error, "rollcall.toml:2: database: expected a path, or a list of paths");
        assert!(parse("[places]\nfile = \"a\"\n").unwrap_err().starts_with("rollcall.toml:2: file: unknown field `file`"));
    }

    #[test]
    fn the_lake_is_a_directory_beside_the_file_or_a_bucket() {
        let read = |text: &str| Config::parse(text, Path::new("/etc/r/rollcall.toml"), &Overrides::default()).map(|config| config.storage);
        let defaults = Settings::default();
        assert_eq!(read("").unwrap(), defaults);
        let given = read("[lake]\nurl = \"lake\"\nflush_seconds = 5\nflush_facts = 7\n").unwrap();
        assert_eq!(given.lake.unwrap().to_string(), "file:///etc/r/lake");
        assert_eq!((given.flush_seconds, given.flush_facts), (5, 7));
        let options = "[lake.options]\naws_endpoint = \"http://[::1]:9000\"\naws_virtual_hosted_style_request = false\n";
        let given = read(&format!("allow_plaintext_auth = true\n[lake]\nurl = \"s3://b/a/\"\n{options}")).unwrap();
        assert!(!given.store.allow_plaintext, "that is about the clients of this server only");
        let given = read(&format!("[lake]\nurl = \"s3://b/a/\"\nallow_plaintext = true\n{options}")).unwrap();
        assert_eq!(given.lake.unwrap().to_string(), "s3://b/a");
        let options: Vec<_> = given.store.iter().collect();
        assert_eq!(options, [("aws_endpoint", "http://[::1]:9000"), ("aws_virtual_hosted_style_request", "false")]);
        assert!(given.store.allow_plaintext);
    }

    #[test]
    fn what_a_lake_cannot_be_is_refused_with_its_place_and_without_its_secret() {
        for (text, told) in [
            ("[lake]\nurl = \"https://b/a\"", "2: lake.url: expected s3://bucket/prefix, file:///directory, or a path"),
            ("[lake]\nurl = \"s3://user:hunter2@b/a\"", "2: lake.url: a location has no credentials"),
            ("[lake.options]\naws_colour = \"red\"", "2: lake.options.aws_colour: is no option of an S3-compatible store"),
            (
                "[lake.options]\naws_endpoint = \"http://store.example.com:9000\"",
                "2: lake.options.aws_endpoint: http://store.example.com:9000 would be sent credentials and facts in plain text",
            ),
            (
                "[lake.options]\nendpoint = \"store.example.com\"",
                "2: lake.options.endpoint: store.example.com is no URL that begins with https://",
            ),
            ("[lake.options]\naws_region = [1]", "2: lake.options.aws_region: expected a string, a number, true or false"),
            (
                "[lake.options]\naws_secret_access_key = \"hunter2\"",
                "2: lake.options.aws_secret_access_key: a secret must not stand in the file",
            ),
            ("[lake.options]\naws_session_token = \"env:ROLLCALL_NOT_SET\"", "2: lake.options.aws_session_token: the environment variable"),
            ("[lake]\ncolour = 1", "2: colour: unknown field `colour`"),
        ] {
            let error = parse(text).unwrap_err();
            assert!(error.starts_with(&format!("rollcall.toml:{told}")) && !error.contains("hunter2"), "{told}\n{error}");
        }
    }

    #[test]
    fn an_unknown_key_is_refused_with_its_place() {
        let error = parse("listen = \"127.0.0.1:1\"\nlissen = 1\n").unwrap_err();
        assert!(error.starts_with("rollcall.toml:2: lissen: unknown field `lissen`"), "{error}");
        let error = parse(&format!("{ORGANIZATION}[organizations.feishu]\nnumber = \"x\"\n")).unwrap_err();
        assert!(error.starts_with("rollcall.toml:6: number: unknown field `number`"), "{error}");
    }

    #[test]
    fn a_secret_in_the_file_is_refused_and_not_repeated() {
        let error = parse(&format!("{ORGANIZATION}[[organizations.ingest_keys]]\nname = \"a\"\nsecret = \"hunter2\"\n")).unwrap_err();
        assert!(
            error.starts_with("rollcall.toml:7: organizations[0].ingest_keys[0].secret: a secret must not stand in the file"),
            "{error}"
        );
        assert!(!error.contains("hunter2"), "{error}");
    }

    #[test]
    fn every_problem_is_reported_at_once() {
        let error = parse("listen = \"nowhere\"\n[[organizations]]\nid = \"x\"\nname = \"\"\ntime_zone = \"Mars/Olympus\"\nunits = [7]\n")
            .unwrap_err();
        for place in [
            "1: listen",
            "3: organizations[0].id",
            "4: organizations[0].name",
            "5: organizations[0].time_zone",
            "6: organizations[0].units",
        ] {
            assert!(error.contains(&format!("rollcall.toml:{place}: ")), "{place} in {error}");
        }
    }

    #[test]
    fn what_must_be_unique_is_refused_twice() {
        let error = parse(&format!("{ORGANIZATION}{ORGANIZATION}")).unwrap_err();
        assert!(error.contains("rollcall.toml:6: organizations[1].id: is already that of organizations[0]"), "{error}");
        let key = format!("[[organizations.ingest_keys]]\nname = \"a\"\nhash = \"{}\"\n", hash("k"));
        let error = parse(&format!("{ORGANIZATION}{key}{key}")).unwrap_err();
        assert!(error.contains("the same key is used at organizations[0].ingest_keys[0]"), "{error}");
        let app = format!("[[organizations.feishu.apps]]\napp_id = \"cli_a\"\nsecret_hash = \"{}\"\n", hash("k"));
        let other = ORGANIZATION.replace("5c11", "5c12");
        let error = parse(&format!("{ORGANIZATION}{app}{other}{app}")).unwrap_err();
        assert!(error.contains("organizations[1].feishu.apps[0].app_id: is already that of organizations[0].feishu.apps[0]"), "{error}");
    }

    #[test]
    fn plain_text_stays_on_this_machine_unless_allowed() {
        assert!(parse("listen = \"127.0.0.1:1\"").unwrap().check_plaintext().is_ok());
        assert!(parse("listen = \"[::1]:1\"").unwrap().check_plaintext().is_ok());
        assert!(parse("listen = \"0.0.0.0:1\"").unwrap().check_plaintext().unwrap_err().contains("allow_plaintext_auth"));
        assert!(parse("listen = \"0.0.0.0:1\"\nallow_plaintext_auth = true").unwrap().check_plaintext().is_ok());
    }

    #[test]
    fn flags_stand_in_for_the_files_values() {
        let overrides = Overrides { listen: Some("127.0.0.1:9".parse().unwrap()), data: Some("elsewhere".into()) };
        let config = Config::parse("listen = \"127.0.0.1:1\"\ndata = \"d\"", Path::new("etc/rollcall.toml"), &overrides).unwrap();
        assert_eq!((config.listen.port(), config.data), (9, PathBuf::from("elsewhere")));
        assert_eq!(
            Config::parse("data = \"d\"", Path::new("etc/rollcall.toml"), &Overrides::default()).unwrap().data,
            PathBuf::from("etc/d")
        );
    }

    /// A hash of the least parameters: these tests compare nothing with it.
    const PASSWORD_HASH: &str = "$argon2id$v=19$m=8,t=1,p=1$cm9sbGNhbGwgbm9ib2R5$Tm9ib2R5IGhhcyB0aGlzIHBhc3N3b3JkLiBOb2JvZHk";

    fn user(name: &str, role: &str, password: &str) -> String {
        format!("[[organizations.office365.users]]\nname = \"{name}\"\nrole = \"{role}\"\n{password}\n")
    }

    #[test]
    fn office365_is_read_and_its_defaults_are_those_of_the_dialect() {
        let hash = format!("password_hash = \"{PASSWORD_HASH}\"");
        let section = "[organizations.office365]\ndate = \"start\"\nhistory_months = 0\npage_size = 7\npublic_base_url = \"https://r.example:8443\"\n";
        let text = format!("{ORGANIZATION}{section}{}{}", user("a@x", "global-administrator", &hash), user("b@x", "user", &hash));
        let given = &parse(&text).unwrap().organizations[0].tenant.office365;
        assert_eq!((given.date_is_start, given.history_months, given.page_size), (true, 0, 7));
        assert_eq!(given.public_base_url.as_deref(), Some("https://r.example:8443"));
        let users: Vec<_> = given.users.iter().map(|user| (user.name.as_str(), user.role.name(), user.password.as_str())).collect();
        assert_eq!(users, [("a@x", "global-administrator", PASSWORD_HASH), ("b@x", "user", PASSWORD_HASH)]);
        let absent = parse(ORGANIZATION).unwrap();
        let (absent, defaults) = (&absent.organizations[0].tenant.office365, rollcall_dialects::office365::Settings::default());
        assert_eq!(format!("{absent:?}"), format!("{defaults:?}"));
    }

    #[test]
    fn what_office365_cannot_use_is_refused_with_its_place() {
        let good = format!("password_hash = \"{PASSWORD_HASH}\"");
        let refused = |user: String, told: &str| {
            let error = parse(&format!("{ORGANIZATION}{user}")).unwrap_err();
            let told = format!("rollcall.toml:{told}");
            assert!(error.starts_with(&told) && !error.contains("hunter2"), "{told}\n{error}");
        };
        let at = "organizations[0].office365.users[0]";
        refused(user("a", "boss", &good), &format!("7: {at}.role: expected one of billing-administrator, global-administrator, "));
        refused(user("a:b", "user", &good), &format!("6: {at}.name: expected a name without a colon"));
        refused(user("a", "user", "password_hash = \"hunter2\""), &format!("8: {at}.password_hash: expected $argon2id$"));
        refused(user("a", "user", "password = \"hunter2\""), &format!("8: {at}.password: a password must not stand in the file"));
        refused(user("a", "user", &format!("{good}\npassword = \"env:X\"")), &format!("9: {at}.password: give either password_hash or"));
        refused(user("a", "user", ""), &format!(" {at}: has no password_hash; make one with `rollcall key hash`"));
        refused(user("a", "user", &format!("{good}\nsecret = \"hunter2\"")), "9: secret: unknown field `secret`");
        refused("[organizations.office365]\ndate = \"middle\"\n".into(), "6: date: unknown variant `middle`");
        for url in ["reports.example.com", "ftp://r", "https://", "https://r/path", "https://r?q", "https://me@r", "https://r#f", "x y"] {
            let section = format!("[organizations.office365]\npublic_base_url = \"{url}\"\n");
            refused(section, "6: organizations[0].office365.public_base_url: expected scheme and authority");
        }
        let other = ORGANIZATION.replace("5c11", "5c12");
        let twice = format!("{}{other}{}", user("Ann@x", "user", &good), user("aNN@X", "user", &good));
        refused(twice, "14: organizations[1].office365.users[0].name: is already that of organizations[0].office365.users[0]");
    }

    fn access_key(id: &str, secret: &str) -> String {
        format!("[[organizations.volcengine.access_keys]]\nid = \"{id}\"\nsecret = \"{secret}\"\n")
    }

    #[test]
    fn volcengine_is_read_and_its_secret_comes_from_elsewhere() {
        let home = tempfile::tempdir().unwrap();
        std::fs::write(home.path().join("k"), "hunter2 and his friends\n").unwrap();
        let section = "[organizations.volcengine]\nshow_unknown = true\nmax_age_days = 1\nmax_span_days = 2\nrequests_per_second = 3\nclock_skew_seconds = 4\n";
        let text = format!("{ORGANIZATION}{section}{}", access_key("AKLT=a", "file:k"));
        let config = Config::parse(&text, &home.path().join("rollcall.toml"), &Overrides::default()).unwrap();
        let given = &config.organizations[0].tenant.volcengine;
        assert_eq!((given.show_unknown, given.max_age_days, given.max_span_days), (true, 1, 2));
        assert_eq!((given.requests_per_second, given.clock_skew_seconds), (3, 4));
        let expected = rollcall_dialects::volcengine::signature::SecretKey::new("hunter2 and his friends");
        assert!(given.access_keys.len() == 1 && given.access_keys[0].id == "AKLT=a" && given.access_keys[0].secret == expected);
        assert!(!format!("{config:?}").contains("hunter2"));
    }

    #[test]
    fn what_volcengine_cannot_use_is_refused_with_its_place() {
        let refused = |text: String, told: &str| {
            let error = parse(&format!("{ORGANIZATION}{text}")).unwrap_err();
            assert!(error.starts_with(&format!("rollcall.toml:{told}")) && !error.contains("hunter2"), "{told}\n{error}");
        };
        let at = "organizations[0].volcengine.access_keys[0]";
        let told =
            format!("7: {at}.secret: a secret must not stand in the file; write secret = \"env:NAME\" or \"file:path\"; signatures are");
        refused(access_key("a", "hunter2"), &told);
        refused(access_key("a", "file:nowhere"), &format!("7: {at}.secret: nowhere cannot be read: "));
        refused(access_key("a", "env:ROLLCALL_NOWHERE"), &format!("7: {at}.secret: the environment variable ROLLCALL_NOWHERE is not set"));
        for id in ["", "a/b", "a,b", "a b", "中", &"a".repeat(257)] {
            let error = parse(&format!("{ORGANIZATION}{}", access_key(id, "hunter2"))).unwrap_err();
            assert!(error.starts_with(&format!("rollcall.toml:6: {at}.id: expected 1 to 256 visible ASCII")), "{error}");
        }
        let other = ORGANIZATION.replace("5c11", "5c12");
        let twice = format!("{}{other}{}", access_key("a", "env:PATH"), access_key("a", "env:PATH"));
        refused(twice, &format!("13: organizations[1].volcengine.access_keys[0].id: is already that of {at}"));
        refused("[organizations.volcengine]\nsecret_hash = \"hunter2\"\n".into(), "6: secret_hash: unknown field `secret_hash`");
    }

    #[test]
    fn a_password_of_a_file_is_hashed_when_it_is_read() {
        let home = tempfile::tempdir().unwrap();
        std::fs::write(home.path().join("p"), "hunter2, too\n").unwrap();
        let text = format!("{ORGANIZATION}{}", user("a", "user", "password = \"file:p\""));
        let config = Config::parse(&text, &home.path().join("rollcall.toml"), &Overrides::default()).unwrap();
        let password = &config.organizations[0].tenant.office365.users[0].password;
        assert!(password.starts_with("$argon2id$v=19$m=19456,t=2,p=1$"), "{password}");
        // Read again it has the same hash, so that whoever signed in with it is known still.
        let again = Config::parse(&text, &home.path().join("rollcall.toml"), &Overrides::default()).unwrap();
        assert_eq!(&again.organizations[0].tenant.office365.users[0].password, password);
    }

    #[test]
    fn a_secret_that_could_be_guessed_is_refused_with_its_line() {
        let home = tempfile::tempdir().unwrap();
        let told = |section: &str, secret: String| {
            std::fs::write(home.path().join("s"), format!("{secret}\n")).unwrap();
            let text = format!("{ORGANIZATION}{section}");
            Config::parse(&text, &home.path().join("rollcall.toml"), &Overrides::default()).map(drop).map_err(|error| error.to_string())
        };
        let with = |table: &str, keys: &str| format!("[[organizations.{table}]]\n{keys}\n");
        for (section, line, key, shortest) in [
            (with("ingest_keys", "name = \"a\"\nsecret = \"file:s\""), 7, "ingest_keys[0].secret: the secret", 20),
            (with("feishu.apps", "app_id = \"a\"\nsecret = \"file:s\""), 7, "feishu.apps[0].secret: the secret", 20),
            (with("volcengine.access_keys", "id = \"a\"\nsecret = \"file:s\""), 7, "volcengine.access_keys[0].secret: the secret", 20),
            (
                with("yunxiao.tokens", "name = \"a\"\nscopes = [\"organization\"]\nsecret = \"file:s\""),
                8,
                "yunxiao.tokens[0].secret: the secret",
                20,
            ),
            (user("a", "user", "password = \"file:s\""), 8, "office365.users[0].password: the password", 12),
        ] {
            // Letters are counted, not bytes.
            let error = told(&section, "密".repeat(shortest - 1)).unwrap_err();
            let expected = format!(
                "rollcall.toml:{line}: organizations[0].{key} at file:s has fewer than {shortest} characters, so it could be guessed; take a longer one"
            );
            assert!(error.ends_with(&expected), "{error}");
            assert_eq!(told(&section, "密".repeat(shortest)), Ok(()), "{key}");
        }
    }

    #[test]
    fn sign_ins_are_limited_as_the_example_shows_and_their_addresses_logged() {
        let defaults = parse("").unwrap();
        assert_eq!((defaults.sign_in, defaults.log_client_addresses), (SignInLimits::default(), true));
        let (_, section) = EXAMPLE.split_once("[sign_in]\n").unwrap();
        let lines: Vec<_> = section.lines().take_while(|line| line.starts_with("# ")).collect();
        assert_eq!(lines.len(), 5);
        let shown = format!("log_client_addresses = false\n[sign_in]\n{}", lines.join("\n").replace("# ", ""));
        // What stands behind a value is a comment no more.
        let shown: String = shown.lines().map(|line| line.split("  ").next().unwrap().to_owned() + "\n").collect();
        let shown = parse(&shown).unwrap();
        assert_eq!((shown.sign_in, shown.log_client_addresses), (SignInLimits::default(), false));
        let given = parse("[sign_in]\nfailures = 1\nlongest_wait_seconds = 0\nwaiting_passwords = 7").unwrap().sign_in;
        assert_eq!(given, SignInLimits { failures: 1, longest_wait_seconds: 0, waiting_passwords: 7, ..SignInLimits::default() });
        assert!(parse("[sign_in]\ntries = 1").unwrap_err().starts_with("rollcall.toml:2: tries: unknown field `tries`"));
    }

    fn token(secret: &str, rest: &str) -> String {
        format!("[[organizations.yunxiao.tokens]]\nname = \"t\"\nhash = \"{}\"\n{rest}\n", hash(secret))
    }

    #[test]
    fn yunxiao_is_read_and_its_defaults_are_those_of_the_dialect() {
        use rollcall_dialects::yunxiao::Scope;
        let section = "[organizations.yunxiao]\norganization_id = \"67d8\"\ninclude_subdepartments = false\nrequests_per_minute = 0\n";
        let scopes = "scopes = [\"developer-usage\", \"organization\"]\nexpires = ";
        let mut text = format!("{ORGANIZATION}{section}{}", token("0", "scopes = [\"department-usage\"]"));
        for (number, expires) in
            ["2027-01-01", "\"2027-01-01\"", "2026-12-31T16:00:00Z", "\"2027-01-01T00:00:00+08:00\""].iter().enumerate()
        {
            text += &token(&format!("{}", number + 1), &format!("{scopes}{expires}"));
        }
        let given = &parse(&text).unwrap().organizations[0].tenant.yunxiao;
        assert_eq!((given.organization_id.as_deref(), given.include_subdepartments, given.requests_per_minute), (Some("67d8"), false, 0));
        assert_eq!((given.tokens[0].scopes.as_slice(), given.tokens[0].expires), (&[Scope::DepartmentUsage][..], None));
        assert!(given.tokens[0].secret.matches("0") && given.tokens[0].name == "t");
        for token in &given.tokens[1..] {
            // The first instant of the day in the organization's zone.
            assert_eq!((token.scopes.len(), token.expires), (2, Some(1_798_732_800_000)));
        }
        let absent = parse(ORGANIZATION).unwrap();
        let (absent, defaults) = (&absent.organizations[0].tenant.yunxiao, rollcall_dialects::yunxiao::Settings::default());
        assert_eq!(format!("{absent:?}"), format!("{defaults:?}"));
        let shown = EXAMPLE.replace("# include_subdepartments =", "include_subdepartments =");
        let shown = parse(&shown.replace("# requests_per_minute = 600", "requests_per_minute = 600")).unwrap();
        assert_eq!(format!("{:?}", shown.organizations[0].tenant.yunxiao), format!("{defaults:?}"));
    }

    #[test]
    fn what_yunxiao_cannot_use_is_refused_with_its_place() {
        let refused = |rest: &str, told: &str| {
            let error = parse(&format!("{ORGANIZATION}{rest}")).unwrap_err();
            let told = format!("rollcall.toml:{told}");
            assert!(error.starts_with(&told) && !error.contains("hunter2"), "{told}\n{error}");
        };
        let at = "organizations[0].yunxiao.tokens[0]";
        let all = "scopes = [\"department-usage\"]";
        refused(
            &token("a", "scopes = []"),
            &format!("8: {at}.scopes: expected one or more of department-usage, developer-usage, organization"),
        );
        refused(&token("a", "scopes = [\"department-usage\", \"all\"]"), &format!("8: {at}.scopes: expected one or more of"));
        refused(&token("a", ""), "5: [organizations.yunxiao.tokens: missing field `scopes`".replace('[', "").as_str());
        for expires in ["\"soon\"", "\"2027-02-30\"", "\"2027-01-01T00:00:00\"", "2027-01-01T00:00:00", "5", "08:00:00"] {
            refused(&token("a", &format!("{all}\nexpires = {expires}")), &format!("9: {at}.expires: expected a day such as"));
        }
        let with = |secret: &str| format!("[[organizations.yunxiao.tokens]]\nname = \"t\"\n{all}\n{secret}\n");
        refused(
            &with("hash = \"hunter2\""),
            &format!("8: {at}.hash: expected sha256: and 64 hexadecimal digits, as `rollcall key new --for yunxiao` prints"),
        );
        refused(&with("secret = \"hunter2\""), &format!("8: {at}.secret: a secret must not stand in the file"));
        refused(
            "[organizations.yunxiao]\norganization_id = \"\"\n",
            "6: organizations[0].yunxiao.organization_id: expected 1 to 256 bytes",
        );
        let other = ORGANIZATION.replace("5c11", "5c12");
        let twice = format!("{}{other}{}", token("a", all), token("a", all));
        refused(&twice, "14: organizations[1].yunxiao.tokens[0]: the same token is used at organizations[0].yunxiao.tokens[0]");
    }
}
