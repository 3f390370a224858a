//! Starts the real executable on a temporary data directory and a free port, speaks HTTP to it, kills and restarts it.

use argon2::{Algorithm, Argon2, Params, PasswordHasher, Version};
use rollcall_dialects::volcengine::client::{Client, Dimension, Distribution, Error};
use rollcall_model::Receipt;
use std::ffi::OsStr;
use std::fs::{self, File};
use std::io;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Output, Stdio};
use std::sync::LazyLock;
use std::thread::sleep;
use std::time::{Duration, Instant};
use tempfile::TempDir;
use tokio::runtime::Runtime;

/// The two organizations of every test server, and their credentials.
pub const ORG: &str = "6f6e0a52-7d5b-4bb6-9a55-8f7f8d3b5c11";
pub const KEY: &str = "key-of-the-first-organization";
pub const OTHER_ORG: &str = "0b8f2f43-25d8-4c0f-8a3e-3d7f6b1c9e02";
pub const OTHER_KEY: &str = "key-of-the-other-organization";
pub const APP_ID: &str = "cli_0000000000000001";
pub const APP_SECRET: &str = "secret-of-the-first-app";
pub const OTHER_APP_ID: &str = "cli_0000000000000002";
pub const OTHER_APP_SECRET: &str = "secret-of-the-other-app";
pub const USER: &str = "Admin@First.example";
pub const PASSWORD: &str = "password: of the first account";
pub const OTHER_USER: &str = "admin@other.example";
pub const OTHER_PASSWORD: &str = "password of the other account";
pub const TOKEN: &str = "pt-token-of-the-first-organization";
pub const OTHER_TOKEN: &str = "pt-token-of-the-other-organization";

pub const ACCESS_KEY: &str = "AKLTfirst";
pub const ACCESS_SECRET: &str = "secret-of-the-first-access-key";
pub const OTHER_ACCESS_KEY: &str = "AKLTother";
pub const OTHER_ACCESS_SECRET: &str = "secret-of-the-other-access-key";
/// The root of the Office 365 reporting web service.
pub const SERVICE: &str = "/ecp/reportingwebservice/reporting.svc";

/// An app that only one of the organizations has; both have `default`.
pub const APP: &str = "first-app";
pub const OTHER_APP: &str = "other-app";

/// How long a server may take to start or to end.
const PATIENCE: Duration = Duration::from_secs(60);

/// Drives every request, from whatever thread.
static RUNTIME: LazyLock<Runtime> =
    LazyLock::new(|| tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap());

/// A running server.
#[derive(Debug)]
pub struct Server {
    process: Child,
    url: String,
    client: reqwest::Client,
    home: PathBuf,
    /// Removed with the server, where the test gave no directory.
    _temporary: Option<TempDir>,
}

/// An answer, read to its end.
#[derive(Debug)]
pub struct Answer {
    pub status: u16,
    pub headers: http::HeaderMap,
    pub body: Vec<u8>,
}

impl Answer {
    pub fn json(&self) -> serde_json::Value {
        serde_json::from_slice(&self.body).unwrap_or_else(|error| panic!("{error}: {}", self.text()))
    }

    pub fn text(&self) -> String {
        String::from_utf8_lossy(&self.body).into_owned()
    }

    pub fn receipt(&self) -> Receipt {
        serde_json::from_slice(&self.body).unwrap_or_else(|error| panic!("{error}: {}", self.text()))
    }
}

/// The configuration of the two organizations, after other keys of the file.
pub fn configuration(before: &str) -> String {
    let organization =
        |id, name, zone, app, key: &str, app_id, app_secret: &str, user, password: &str, access_key, access_secret, token: &str| {
            let (key, secret, password, token) = (hash(key), hash(app_secret), password_hash(password), hash(token));
            format!(
                "[[organizations]]\nid = \"{id}\"\nname = \"{name}\"\ntime_zone = \"{zone}\"\napps = [\"default\", \"{app}\"]\n\
             [[organizations.ingest_keys]]\nname = \"test\"\nhash = \"{key}\"\n\
             [organizations.feishu]\nhistory_days = 0\nrequests_per_minute = 0\n\
             [[organizations.feishu.apps]]\napp_id = \"{app_id}\"\nsecret_hash = \"{secret}\"\n\
             [organizations.office365]\nhistory_months = 0\n\
             [[organizations.office365.users]]\nname = \"{user}\"\nrole = \"view-only-recipients\"\npassword_hash = \"{password}\"\n\
             [organizations.volcengine]\nmax_age_days = 0\nmax_span_days = 0\nrequests_per_second = 0\n\
             [[organizations.volcengine.access_keys]]\nid = \"{access_key}\"\nsecret = \"env:{access_secret}\"\n\
             [organizations.yunxiao]\nrequests_per_minute = 0\n\
             [[organizations.yunxiao.tokens]]\nname = \"test\"\nhash = \"{token}\"\n\
             scopes = [\"department-usage\", \"developer-usage\", \"organization\"]\n"
            )
        };
    let first = organization(ORG, "First", "Asia/Shanghai", APP, KEY, APP_ID, APP_SECRET, USER, PASSWORD, ACCESS_KEY, SECRETS[0].0, TOKEN);
    let (key, secret) = (OTHER_ACCESS_KEY, SECRETS[1].0);
    let other = organization(
        OTHER_ORG,
        "Other",
        "UTC",
        OTHER_APP,
        OTHER_KEY,
        OTHER_APP_ID,
        OTHER_APP_SECRET,
        OTHER_USER,
        OTHER_PASSWORD,
        key,
        secret,
        OTHER_TOKEN,
    );
    format!("{before}\n{first}{other}")
}

/// The variables that the configuration refers to, and their values.
const SECRETS: [(&str, &str); 2] = [("FIRST_ACCESS_SECRET", ACCESS_SECRET), ("OTHER_ACCESS_SECRET", OTHER_ACCESS_SECRET)];

/// A secret as it stands in the configuration.
pub fn hash(secret: &str) -> String {
    rollcall_dialects::Secret::of(secret).to_string()
}

/// A password as it stands in the configuration: the same each time, and with the least work that argon2id can be.
pub fn password_hash(password: &str) -> String {
    let least = Params::new(Params::MIN_M_COST, 1, 1, None).unwrap();
    let hasher = Argon2::new(Algorithm::Argon2id, Version::V0x13, least);
    hasher.hash_password_with_salt(password.as_bytes(), b"salt of the tests").unwrap().to_string()
}

/// The executable, without the settings of whoever runs the tests.
pub fn rollcall() -> Command {
    without_settings(Command::new(env!("CARGO_BIN_EXE_rollcall")))
}

/// The same, where `limits`, such as `-n 256`, were given to the shell's `ulimit`.
pub fn rollcall_limited(limits: &str) -> Command {
    let mut command = without_settings(Command::new("sh"));
    command.arg("-c").arg(format!("ulimit {limits} && exec \"$0\" \"$@\"")).arg(env!("CARGO_BIN_EXE_rollcall"));
    command
}

/// A command that starts the executable in its own way, without the settings of whoever runs the tests.
pub fn without_settings(mut command: Command) -> Command {
    for name in ["ROLLCALL_CONFIG", "ROLLCALL_LISTEN", "ROLLCALL_DATA", "ROLLCALL_LOG", "ROLLCALL_KEY"] {
        command.env_remove(name);
    }
    command.envs(SECRETS);
    command
}

/// Runs a command to its end.
pub fn run(command: &mut Command) -> Output {
    command.stdin(Stdio::null()).output().unwrap()
}

/// What a command printed, when it succeeded.
pub fn stdout(command: &mut Command) -> String {
    let output = run(command);
    assert!(output.status.success(), "{:?}: {}", output.status, String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).unwrap()
}

/// What a command complained about, when it failed with `code`.
pub fn complaint(command: &mut Command, code: i32) -> String {
    let output = run(command);
    let text = String::from_utf8_lossy(&output.stderr).into_owned();
    assert_eq!(output.status.code(), Some(code), "{text}");
    text
}

impl Server {
    /// A server of its own, gone with the test.
    pub fn new() -> Self {
        Self::with("")
    }

    /// A server of its own with other keys of the configuration in front of the organizations.
    pub fn with(before: &str) -> Self {
        let home = TempDir::new().unwrap();
        fs::write(home.path().join("rollcall.toml"), configuration(before)).unwrap();
        let mut server = Self::start(home.path());
        server._temporary = Some(home);
        server
    }

    /// A server on `home`, which holds `rollcall.toml`, the data directory, and the log of all servers started there. Where
    /// `home` has no configuration, the one of the two organizations is written. Start there again after a kill.
    pub fn start(home: &Path) -> Self {
        Self::start_with(home, &[])
    }

    /// The same, with variables of the environment.
    pub fn start_with(home: &Path, environment: &[(&str, &OsStr)]) -> Self {
        let mut command = rollcall();
        command.envs(environment.iter().copied());
        Self::start_by(home, command)
    }

    /// The same, by a command that becomes the executable.
    pub fn start_by(home: &Path, command: Command) -> Self {
        Self::launch(home, command, "/readyz")
    }

    /// The same, once it answers 200 to `probe`.
    pub fn launch(home: &Path, mut command: Command, probe: &str) -> Self {
        let (config, address, log) = (home.join("rollcall.toml"), home.join("address"), home.join("log"));
        if !config.exists() {
            fs::write(&config, configuration("")).unwrap();
        }
        let _ = fs::remove_file(&address);
        let log = File::options().append(true).create(true).open(log).unwrap();
        command.args(["serve", "--listen", "127.0.0.1:0"]).arg("--config").arg(config).arg("--address-file").arg(&address);
        let process = command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(log).spawn().unwrap();
        // The client finds the cryptography of TLS here; a second installation changes nothing.
        let _ = rustls::crypto::ring::default_provider().install_default();
        let client = reqwest::Client::builder().danger_accept_invalid_certs(true).no_proxy().build().unwrap();
        let mut server = Self { process, url: String::new(), client, home: home.into(), _temporary: None };
        server.await_address(&address, probe);
        server
    }

    fn await_address(&mut self, address: &Path, probe: &str) {
        let begun = Instant::now();
        while begun.elapsed() < PATIENCE {
            if let Some(status) = self.process.try_wait().unwrap() {
                panic!("the server ended with {status}: {}", self.log());
            }
            if let Ok(text) = fs::read_to_string(address)
                && let Some(url) = text.strip_suffix('\n')
            {
                self.url = url.to_owned();
                if self.get(probe, "").is_ok_and(|answer| answer.status == 200) {
                    return;
                }
            }
            sleep(Duration::from_millis(5));
        }
        panic!("the server is not ready: {}", self.log());
    }

    /// Where it listens, such as `http://127.0.0.1:40123`.
    pub fn url(&self) -> &str {
        &self.url
    }

    /// Where its configuration, data and log are.
    pub fn home(&self) -> &Path {
        &self.home
    }

    /// Everything it logged.
    pub fn log(&self) -> String {
        fs::read_to_string(self.home.join("log")).unwrap_or_default()
    }

    /// Ends it at once, as a crash would.
    pub fn kill(&mut self) {
        self.process.kill().unwrap();
        self.process.wait().unwrap();
    }

    /// Sends it a signal: `TERM`, `HUP` …
    pub fn signal(&self, name: &str) {
        let status = Command::new("kill").arg(format!("-{name}")).arg(self.process.id().to_string()).status().unwrap();
        assert!(status.success());
    }

    /// Its process.
    pub fn id(&self) -> u32 {
        self.process.id()
    }

    /// Whether it has ended by itself.
    pub fn has_ended(&mut self) -> bool {
        self.process.try_wait().unwrap().is_some()
    }

    /// Waits until it has ended.
    pub fn wait(&mut self) -> ExitStatus {
        let begun = Instant::now();
        loop {
            if let Some(status) = self.process.try_wait().unwrap() {
                return status;
            }
            assert!(begun.elapsed() < PATIENCE, "the server does not end: {}", self.log());
            sleep(Duration::from_millis(5));
        }
    }

    /// Waits until it has logged `text`.
    pub fn await_log(&self, text: &str) {
        self.await_count(text, 1);
    }

    /// Waits until it has logged `text` this many times.
    pub fn await_count(&self, text: &str, times: usize) {
        let begun = Instant::now();
        while self.log().matches(text).count() < times {
            assert!(begun.elapsed() < PATIENCE, "never logged {text}: {}", self.log());
            sleep(Duration::from_millis(5));
        }
    }

    /// A request to one of its paths, to be completed and passed to [`Server::send`].
    pub fn request(&self, method: &str, path: &str) -> reqwest::RequestBuilder {
        self.client.request(method.parse().unwrap(), format!("{}{path}", self.url))
    }

    /// Sends a request and reads the answer.
    pub fn send(&self, request: reqwest::RequestBuilder) -> io::Result<Answer> {
        RUNTIME.block_on(async {
            let response = request.send().await.map_err(io::Error::other)?;
            let (status, headers) = (response.status().as_u16(), response.headers().clone());
            let body = response.bytes().await.map_err(io::Error::other)?.to_vec();
            Ok(Answer { status, headers, body })
        })
    }

    /// `GET`, with a key.
    pub fn get(&self, path: &str, key: &str) -> io::Result<Answer> {
        self.send(self.request("GET", path).bearer_auth(key))
    }

    /// `GET` of the Office 365 reporting web service, with an account.
    pub fn office365(&self, path: &str, user: &str, password: &str) -> Answer {
        let request = self.request("GET", &format!("{SERVICE}{path}"));
        self.send(request.basic_auth(user, Some(password))).unwrap()
    }

    /// `GET` of a path of Yunxiao's API, with a token.
    pub fn yunxiao(&self, path: &str, token: &str) -> Answer {
        self.send(self.request("GET", &format!("/oapi/v1{path}")).header("x-yunxiao-token", token)).unwrap()
    }

    /// Users by place of an app over a day that has the facts of [`fact`], as Volcengine's API answers whoever signs with this key.
    pub fn volcengine(&self, access_key: &str, secret: &str, app: &str, dimension: Dimension) -> Result<Distribution, Error> {
        let client = Client::new(&self.url, access_key, secret)?;
        let [from, to] = [1_740_960_000, 1_741_046_400].map(|second| jiff::Timestamp::from_second(second).unwrap());
        RUNTIME.block_on(client.list_operation_distribution(app, from, to, dimension))
    }

    /// Posts a body of facts, whatever comes of it.
    pub fn post(&self, query: &str, content_type: &str, body: impl Into<reqwest::Body>) -> io::Result<Answer> {
        self.post_to(&format!("/v1/attendance{query}"), content_type, body)
    }

    /// Posts a body to a path, whatever comes of it.
    pub fn post_to(&self, path: &str, content_type: &str, body: impl Into<reqwest::Body>) -> io::Result<Answer> {
        self.send(self.request("POST", path).bearer_auth(KEY).header("content-type", content_type).body(body))
    }

    /// Ingests NDJSON into the first organization. Any answer but a receipt of 200 is an error.
    pub fn ingest(&self, ndjson: impl Into<reqwest::Body>) -> io::Result<Receipt> {
        self.ingest_to("/v1/attendance", ndjson)
    }

    /// Ingests NDJSON by a path. Any answer but a receipt of 200 is an error.
    pub fn ingest_to(&self, path: &str, ndjson: impl Into<reqwest::Body>) -> io::Result<Receipt> {
        let answer = self.post_to(path, "application/x-ndjson", ndjson)?;
        if answer.status == 200 { Ok(answer.receipt()) } else { Err(io::Error::other(format!("{}: {}", answer.status, answer.text()))) }
    }

    /// The meetings of the first organization from 2025-01-01 to 2026-01-01, by the native report.
    pub fn meetings(&self, key: &str) -> u64 {
        let answer = self.get("/v1/reports/meeting-days?from=2025-01-01&to=2025-12-31", key).unwrap();
        assert_eq!(answer.status, 200, "{}", answer.text());
        answer.json()["rows"].as_array().unwrap().iter().map(|row| row["meetings"].as_u64().unwrap()).sum()
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
        if std::thread::panicking() {
            eprintln!("log of the server:\n{}", self.log());
        }
    }
}

/// One fact as a line of NDJSON: `user` in meeting number `meeting`, each a minute after the last, from 2025-03-03T02:00:00Z on.
pub fn fact(meeting: u32, user: &str) -> String {
    let start = 1_740_967_200_000 + i64::from(meeting) * 60_000;
    let end = start + 1_800_000;
    format!(
        "{{\"session_id\":\"m{meeting}\",\"session_started_at\":{start},\"user_id\":\"{user}\",\"joined_at\":{start},\"left_at\":{end}}}\n"
    )
}

/// One assistance as a line of NDJSON: the completion of `user` with this number, each a minute after the last, from
/// 2025-03-03T02:00:00Z on.
pub fn assistance(number: u32, user: &str) -> String {
    let at = 1_740_967_200_000 + i64::from(number) * 60_000;
    format!("{{\"user_id\":\"{user}\",\"at\":{at},\"kind\":\"completion\",\"language\":\"rust\",\"ide\":\"VSCode\",\"accepted\":1}}\n")
}
