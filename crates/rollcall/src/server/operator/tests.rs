use super::*;
use crate::config::{Config, Overrides};
use crate::operations::Progress;
use rollcall_engine::{PlaceFiles, Settings, Supervisor};
use serde::Deserialize;
use serde_json::{Value, json};
use tempfile::TempDir;
use tokio::task::JoinHandle;

/// Does what it is asked to.
enum Probe {}

#[derive(Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
enum Asked {
    Count(u64),
    Fail,
    Panic,
    /// Waits for the file `go` in this directory, then makes `gone`.
    Wait(PathBuf),
}

impl Operation for Probe {
    const NAME: &'static str = "probe";
    const DOING: &'static str = "probing";
    type Asked = Asked;
    type Found = u64;

    fn run(_: &Context<'_>, asked: Asked, progress: &Progress<'_>) -> Result<u64, String> {
        match asked {
            Asked::Count(to) => {
                (1..=to).for_each(|done| progress(done, to));
                Ok(to)
            }
            Asked::Fail => Err("as asked".into()),
            Asked::Panic => panic!("as asked"),
            Asked::Wait(home) => {
                await_that(|| home.join("go").exists());
                fs::write(home.join("gone"), "").unwrap();
                Ok(0)
            }
        }
    }
}

fn await_that(is_so: impl Fn() -> bool) {
    while !is_so() {
        std::thread::sleep(Duration::from_millis(1));
    }
}

struct Served {
    home: TempDir,
    app: Arc<App>,
    client: reqwest::Client,
    stop: oneshot::Sender<()>,
    running: JoinHandle<bool>,
}

fn serve(time: Option<Duration>) -> Served {
    let home = tempfile::tempdir().unwrap();
    let engine = Arc::new(Supervisor::open(home.path(), Settings::default()).unwrap());
    let config = Config::parse("", Path::new("rollcall.toml"), &Overrides::default()).unwrap();
    let app = Arc::new(App::new(&config, engine, PlaceFiles::open(&[]).unwrap(), [0; 32]));
    let (stop, stopped) = oneshot::channel();
    let operator = bind(home.path()).unwrap();
    let stopped = async { stopped.await.unwrap() };
    let app_of_operator = app.clone();
    let running = tokio::spawn(async move { operator.answer(&[add::<Probe>], app_of_operator, stopped, time).await });
    let _ = rustls::crypto::ring::default_provider().install_default();
    let client = reqwest::Client::builder().unix_socket(home.path().join(NAME)).build().unwrap();
    Served { home, app, client, stop, running }
}

impl Served {
    async fn ask(&self, asked: impl Serialize) -> reqwest::Response {
        self.client.post("http://operator/probe").json(&asked).send().await.unwrap()
    }

    async fn lines(&self, asked: impl Serialize) -> Vec<Value> {
        let text = self.ask(asked).await.text().await.unwrap();
        text.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
    }

    fn wait(&self) -> Value {
        json!({ "wait": self.home.path() })
    }

    fn go(&self) {
        fs::write(self.home.path().join("go"), "").unwrap();
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_operation_says_how_far_it_is_and_then_what_it_found() {
    let served = serve(None);
    let lines = served.lines(json!({ "count": 1_000_000 })).await;
    assert_eq!(lines.first(), Some(&json!({ "progress": { "done": 1, "of": 1_000_000 } })));
    assert_eq!(lines.last(), Some(&json!({ "done": 1_000_000 })));
    assert_eq!(served.lines("fail").await, [json!({ "error": "as asked" })]);
    let refused = served.ask("dance").await;
    assert_eq!(refused.status(), StatusCode::BAD_REQUEST);
    let error = refused.json::<Value>().await.unwrap()["detail"].clone();
    assert!(error.as_str().unwrap().contains("unknown variant `dance`"), "{error}");
    let unknown = served.client.post("http://operator/dance").send().await.unwrap();
    assert_eq!(unknown.status(), StatusCode::NOT_FOUND);
    assert!(unknown.text().await.unwrap().contains("no such operation: /dance; the server is rollcall "));
}

#[tokio::test(flavor = "multi_thread")]
async fn one_operation_of_a_kind_is_under_way() {
    let served = serve(None);
    let first = served.ask(served.wait()).await;
    let second = served.ask(json!({ "count": 1 })).await;
    assert_eq!(second.status(), StatusCode::CONFLICT);
    assert_eq!(second.json::<Value>().await.unwrap()["detail"], "another probe is under way");
    served.go();
    assert_eq!(first.text().await.unwrap(), "{\"done\":0}\n");
    assert_eq!(served.lines(json!({ "count": 1 })).await.last(), Some(&json!({ "done": 1 })));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_fault_breaks_the_answer_off_and_bars_nobody() {
    let served = serve(None);
    assert!(served.ask("panic").await.bytes().await.is_err());
    assert_eq!(served.lines("fail").await, [json!({ "error": "as asked" })]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_shutdown_waits_for_an_operation_whose_client_has_gone() {
    let served = serve(None);
    drop(served.ask(served.wait()).await);
    served.app.close();
    assert_eq!(served.ask("fail").await.status(), StatusCode::SERVICE_UNAVAILABLE);
    let Served { home, client, stop, running, .. } = served;
    drop(client);
    stop.send(()).unwrap();
    await_that(|| !home.path().join(NAME).exists());
    assert!(!running.is_finished());
    fs::write(home.path().join("go"), "").unwrap();
    assert!(running.await.unwrap());
    assert!(home.path().join("gone").exists());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_shutdown_waits_no_longer_than_it_may() {
    let served = serve(Some(Duration::from_millis(1)));
    let _answer = served.ask(served.wait()).await;
    served.stop.send(()).unwrap();
    assert!(!served.running.await.unwrap());
    fs::write(served.home.path().join("go"), "").unwrap();
    await_that(|| served.home.path().join("gone").exists());
}

#[tokio::test(flavor = "multi_thread")]
async fn the_socket_is_its_owners_alone_and_replaces_that_of_a_killed_process() {
    let home = tempfile::tempdir().unwrap();
    drop(std::os::unix::net::UnixListener::bind(home.path().join(NAME)).unwrap());
    let operator = bind(home.path()).unwrap();
    assert_eq!(fs::metadata(home.path().join(NAME)).unwrap().permissions().mode() & 0o777, 0o600);
    std::os::unix::net::UnixStream::connect(home.path().join(NAME)).unwrap();
    drop(operator);
    assert!(!home.path().join(NAME).exists());
}
