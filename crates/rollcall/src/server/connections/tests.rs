use super::*;
use crate::config::Overrides;
use axum::body::{Body, Bytes};
use axum::routing::{any, get, post};
use http_body_util::BodyExt;
use std::path::Path;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::sync::{Semaphore, mpsc, oneshot};
use tokio::task::JoinHandle;
use tokio::time::timeout;

/// Long enough for whatever must happen, and never waited for in vain.
const SOON: Duration = Duration::from_secs(30);

const FIXTURES: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../../tests/fixtures");

/// A server on a socket of its own, whose requests the test can hold.
struct Served {
    address: SocketAddr,
    /// A request to `/held` is answered for each permit.
    release: Arc<Semaphore>,
    /// Told when a request to `/held` or `/endless` begins (true), and when nobody works on it any more (false).
    work: mpsc::UnboundedReceiver<bool>,
    stop: oneshot::Sender<()>,
    running: JoinHandle<bool>,
}

/// Tells when work on a request ends, in whatever way.
struct Work(mpsc::UnboundedSender<bool>);

impl Work {
    fn begin(told: &mpsc::UnboundedSender<bool>) -> Self {
        told.send(true).unwrap();
        Self(told.clone())
    }
}

impl Drop for Work {
    fn drop(&mut self) {
        let _ = self.0.send(false);
    }
}

async fn serve(configuration: &str, connections: usize) -> Served {
    let (release, (told, work)) = (Arc::new(Semaphore::new(0)), mpsc::unbounded_channel());
    let held = {
        let (release, told) = (release.clone(), told.clone());
        move || async move {
            let _work = Work::begin(&told);
            release.acquire().await.unwrap().forget();
            "released"
        }
    };
    let endless = move || async move {
        let work = Work::begin(&told);
        Body::new(Zeros(work))
    };
    let router = Router::new()
        .route("/", any(|| async { "here" }))
        .route("/held", get(held.clone()).post(|_: Bytes| held()))
        .route("/endless", get(endless))
        .route("/length", post(|body: Body| async { body.collect().await.unwrap().to_bytes().len().to_string() }));
    let configuration = format!("listen = \"127.0.0.1:0\"\n{configuration}");
    let config = Config::parse(&configuration, Path::new("rollcall.toml"), &Overrides::default()).unwrap();
    let certificates = config.tls.as_ref().map(Certificates::open).transpose().unwrap();
    let server = bind(&config, certificates.as_ref(), connections).await.unwrap();
    let (address, (stop, stopped)) = (server.address().unwrap(), oneshot::channel());
    let running = tokio::spawn(server.run(router, async {
        let _ = stopped.await;
    }));
    Served { address, release, work, stop, running }
}

/// An answer without end, made of zeros.
struct Zeros(#[expect(dead_code, reason = "it is dropped with the answer")] Work);

impl axum::body::HttpBody for Zeros {
    type Data = Bytes;
    type Error = std::convert::Infallible;

    fn poll_frame(
        self: std::pin::Pin<&mut Self>,
        _: &mut std::task::Context<'_>,
    ) -> std::task::Poll<Option<Result<hyper::body::Frame<Bytes>, Self::Error>>> {
        std::task::Poll::Ready(Some(Ok(hyper::body::Frame::data(Bytes::from_static(&[0; 65_536])))))
    }
}

impl Served {
    async fn connect(&self) -> TcpStream {
        TcpStream::connect(self.address).await.unwrap()
    }

    /// A connection on which this much was sent.
    async fn send(&self, text: &str) -> TcpStream {
        let mut stream = self.connect().await;
        stream.write_all(text.as_bytes()).await.unwrap();
        stream
    }

    /// Whether somebody who comes now is answered.
    async fn answers(&self) {
        let mut stream = self.send("GET / HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n").await;
        let answer = rest(&mut stream).await;
        assert!(answer.starts_with("HTTP/1.1 200") && answer.ends_with("here"), "{answer}");
    }

    async fn works(&mut self, on: bool) {
        assert_eq!(timeout(SOON, self.work.recv()).await.unwrap(), Some(on));
    }
}

/// What arrives until the connection ends, in whatever way.
async fn rest(stream: &mut (impl AsyncRead + Unpin)) -> String {
    let mut bytes = Vec::new();
    let _ = timeout(SOON, stream.read_to_end(&mut bytes)).await.expect("the connection does not end");
    String::from_utf8_lossy(&bytes).into_owned()
}

async fn read(stream: &mut TcpStream, expected: &str) {
    let mut bytes = vec![0; expected.len()];
    timeout(SOON, stream.read_exact(&mut bytes)).await.unwrap().unwrap();
    assert_eq!(String::from_utf8_lossy(&bytes), expected);
}

#[tokio::test]
async fn a_head_too_long_is_refused_and_its_sender_reads_the_refusal() {
    let served = serve("", 8).await;
    let head = |bytes: usize| {
        let (before, after) = ("GET / HTTP/1.1\r\nhost: x\r\nconnection: close\r\nlong: ", "\r\n\r\n");
        format!("{before}{}{after}", "a".repeat(bytes - before.len() - after.len()))
    };
    let headers = |count: usize| format!("GET / HTTP/1.1\r\nconnection: close\r\n{}\r\n", "a: b\r\n".repeat(count - 1));
    for (head, status) in [(head(65_536), 200), (head(65_537), 431), (head(4 << 20), 431), (headers(100), 200), (headers(101), 431)] {
        let mut stream = served.connect().await;
        // All of it is taken, so that its sender comes to read the answer.
        timeout(SOON, stream.write_all(head.as_bytes())).await.unwrap().unwrap();
        let answer = rest(&mut stream).await;
        assert!(answer.starts_with(&format!("HTTP/1.1 {status} ")), "{}: {answer}", head.len());
    }
    // A body may be longer than a head.
    let body = "b".repeat(1 << 20);
    let mut stream = served.send(&format!("POST /length HTTP/1.1\r\nconnection: close\r\ncontent-length: {}\r\n\r\n", body.len())).await;
    stream.write_all(body.as_bytes()).await.unwrap();
    assert!(rest(&mut stream).await.ends_with("1048576"));
}

#[tokio::test]
async fn a_small_limit_of_heads_is_exact_too() {
    let served = serve("[limits]\nhead_bytes = 100\n", 8).await;
    for (bytes, status) in [(100, 200), (101, 431)] {
        let (before, after) = ("GET / HTTP/1.1\r\nconnection: close\r\nlong: ", "\r\n\r\n");
        let mut stream = served.send(&format!("{before}{}{after}", "a".repeat(bytes - before.len() - after.len()))).await;
        assert!(rest(&mut stream).await.starts_with(&format!("HTTP/1.1 {status} ")), "{bytes}");
    }
}

#[tokio::test]
async fn a_client_that_takes_nothing_loses_its_connection() {
    let mut served = serve("[limits]\nwrite_seconds = 1\n", 8).await;
    let _stream = served.send("GET /endless HTTP/1.1\r\nhost: x\r\n\r\n").await;
    served.works(true).await;
    served.works(false).await;
}

#[tokio::test]
async fn a_client_that_only_closes_its_half_is_answered() {
    let mut served = serve("", 8).await;
    for (version, request) in [("1.1", "GET /held"), ("1.1", "POST /held"), ("1.0", "GET /held"), ("1.0", "POST /held")] {
        let body = if request.starts_with("POST") { "content-length: 4\r\n\r\nbody" } else { "\r\n" };
        let mut stream = served.send(&format!("{request} HTTP/{version}\r\nhost: x\r\n{body}")).await;
        stream.shutdown().await.unwrap();
        served.works(true).await;
        if version == "1.1" {
            // Asked whether it is still there, so the server has seen by now that it sends no more.
            read(&mut stream, "HTTP/1.1 100 Continue\r\n\r\n").await;
        }
        served.release.add_permits(1);
        let answer = rest(&mut stream).await;
        assert!(answer.starts_with(&format!("HTTP/{version} 200")) && answer.ends_with("released"), "{answer}");
        served.works(false).await;
    }
    // And without anybody waiting.
    let mut stream = served.send("GET / HTTP/1.1\r\nhost: x\r\n\r\nGET / HTTP/1.1\r\nhost: x\r\n\r\n").await;
    stream.shutdown().await.unwrap();
    assert_eq!(rest(&mut stream).await.matches("200 OK").count(), 2);
}

#[tokio::test]
async fn the_work_for_a_client_that_is_gone_ends() {
    let mut served = serve("", 8).await;
    for request in ["GET /held HTTP/1.1\r\nhost: x\r\n\r\n", "POST /held HTTP/1.1\r\nhost: x\r\ncontent-length: 4\r\n\r\nbody"] {
        let stream = served.send(request).await;
        served.works(true).await;
        drop(stream);
        served.works(false).await;
        // One that is reset ends it at once, in HTTP/1.0 too.
        let stream = served.send(&request.replace("HTTP/1.1", "HTTP/1.0")).await;
        served.works(true).await;
        socket2::SockRef::from(&stream).set_linger(Some(Duration::ZERO)).unwrap();
        drop(stream);
        served.works(false).await;
    }
}

#[tokio::test]
async fn the_work_for_a_client_that_is_gone_ends_over_tls_too() {
    let tls = format!("[tls]\ncertificate = \"{FIXTURES}/tls.certificate.pem\"\nkey = \"{FIXTURES}/tls.key.pem\"\n");
    let mut served = serve(&tls, 8).await;
    let _ = rustls::crypto::ring::default_provider().install_default();
    let client = reqwest::Client::builder().danger_accept_invalid_certs(true).no_proxy().build().unwrap();
    let url = format!("https://{}", served.address);
    let held = tokio::spawn(client.get(format!("{url}/held")).send());
    served.works(true).await;
    held.abort();
    served.works(false).await;
    assert_eq!(client.get(url).send().await.unwrap().text().await.unwrap(), "here");
}

#[tokio::test]
async fn unfinished_heads_keep_nobody_out() {
    let served = serve("[limits]\nheader_seconds = 0\n", 8).await;
    let mut strangers = Vec::new();
    for part in ["", "GET", "GET / HTTP/1.1\r\nhost: x\r\n"].iter().cycle().take(48) {
        strangers.push(served.send(part).await);
        if strangers.len() % 4 == 0 {
            served.answers().await;
        }
    }
}

#[tokio::test]
async fn unfinished_heads_after_an_answer_and_unfinished_bodies_keep_nobody_out() {
    let served = serve("[limits]\nheader_seconds = 0\nidle_seconds = 0\n", 8).await;
    let head = "POST /length HTTP/1.1\r\nhost: x\r\ncontent-length: 9\r\n\r\n";
    let mut strangers = Vec::new();
    for part in
        [head.to_owned(), format!("{head}some"), format!("{head}some more{head}"), format!("{head}some moreGET")].iter().cycle().take(48)
    {
        let mut stranger = served.send(part).await;
        if part.contains("more") {
            let mut answered = [0; 12];
            timeout(SOON, stranger.read_exact(&mut answered)).await.unwrap().unwrap();
        }
        strangers.push(stranger);
        served.answers().await;
    }
}

#[tokio::test]
async fn a_request_under_way_is_not_cut_off_for_another() {
    let mut served = serve("", 2).await;
    let mut held = Vec::new();
    for _ in 0..2 {
        held.push(served.send("GET /held HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n").await);
        served.works(true).await;
    }
    let mut waiting = served.send("GET / HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n").await;
    // Whoever is still there afterwards was not cut off meanwhile.
    assert!(timeout(Duration::from_millis(100), waiting.read_u8()).await.is_err());
    served.release.add_permits(2);
    for stream in &mut held {
        assert!(rest(stream).await.ends_with("released"));
    }
    assert!(rest(&mut waiting).await.ends_with("here"));
}

#[tokio::test]
async fn a_late_head_ends_its_connection_however_it_arrives() {
    let served = serve("[limits]\nheader_seconds = 3\n", 8).await;
    let silent = async {
        assert_eq!(rest(&mut served.connect().await).await, "");
    };
    let dripping = async {
        let mut stream = served.send("GET / HTTP/1.1\r\n").await;
        while stream.write_all(b"a: b\r\n").await.is_ok() {
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    };
    // The same for the head after an answer, though such a connection may be idle for longer.
    let again = async {
        let mut stream = served.send("GET / HTTP/1.1\r\nhost: x\r\n\r\n").await;
        read(&mut stream, "HTTP/1.1 200 OK\r\n").await;
        stream.write_all(b"GET / HTTP").await.unwrap();
        assert!(rest(&mut stream).await.ends_with("here"));
    };
    timeout(SOON, async { tokio::join!(silent, dripping, again) }).await.unwrap();
}

#[tokio::test]
async fn an_idle_connection_ends() {
    let served = serve("[limits]\nidle_seconds = 1\n", 8).await;
    let mut idle = served.send("GET / HTTP/1.1\r\nhost: x\r\n\r\n").await;
    assert!(rest(&mut idle).await.ends_with("here"));
}

#[tokio::test]
async fn handshakes_and_heads_under_way_delay_the_end_no_longer_than_a_head_may_take() {
    let tls = format!("[tls]\ncertificate = \"{FIXTURES}/tls.certificate.pem\"\nkey = \"{FIXTURES}/tls.key.pem\"\n");
    for tls in ["", &tls] {
        let served = serve(&format!("[limits]\nheader_seconds = 1\nshutdown_seconds = 0\n{}", tls), 8).await;
        let _strangers = [served.connect().await, served.send("GET").await];
        served.stop.send(()).unwrap();
        assert!(timeout(SOON, served.running).await.unwrap().unwrap());
    }
}
