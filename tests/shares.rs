//! One organization never stops another: whatever it holds of memory, decoders, exports and reports, the others have their share, and each wait
//! ends, saying what was waited for.

use crate::harness::{
    ACCESS_KEY, ACCESS_SECRET, APP_ID, APP_SECRET, Answer, KEY, ORG, OTHER_ACCESS_KEY, OTHER_ACCESS_SECRET, OTHER_KEY, PASSWORD, Server,
    TOKEN, USER, fact,
};
use flate2::Compression;
use flate2::write::GzEncoder;
use rollcall_dialects::volcengine::client::Dimension;
use std::io::{ErrorKind, Read, Write};
use std::net::TcpStream;
use std::time::{Duration, Instant};

/// How long something may take that happens sooner or later.
const PATIENCE: Duration = Duration::from_secs(120);

/// How long a request is waited for that is expected to wait.
const MOMENT: Duration = Duration::from_millis(500);

fn connect(server: &Server) -> TcpStream {
    TcpStream::connect(server.url().trim_start_matches("http://")).unwrap()
}

/// A request whose head announces `length` bytes, of which only `body` follow.
fn begin(server: &Server, key: &str, encoding: &str, length: usize, body: &[u8]) -> TcpStream {
    let mut raw = connect(server);
    let head = format!("POST /v1/attendance HTTP/1.1\r\nhost: x\r\nauthorization: Bearer {key}\r\ncontent-type: application/x-ndjson\r\n");
    write!(raw, "{head}content-encoding: {encoding}\r\ncontent-length: {length}\r\n\r\n").unwrap();
    raw.write_all(body).unwrap();
    raw
}

/// Whether no answer has come yet.
fn is_waiting(raw: &TcpStream) -> bool {
    raw.set_nonblocking(true).unwrap();
    let mut answer = [0; 256];
    let read = { raw }.read(&mut answer);
    raw.set_nonblocking(false).unwrap();
    match read {
        // By which the server finds out whether its client is there.
        Ok(length) => answer[..length].starts_with(b"HTTP/1.1 100") && !answer[..length].windows(12).any(|part| part == b"HTTP/1.1 200"),
        Err(error) => error.kind() == ErrorKind::WouldBlock,
    }
}

/// Ingests a fact, within a time.
fn post(server: &Server, key: &str, time: Duration) -> Option<Answer> {
    let request = server.request("POST", "/v1/attendance").bearer_auth(key).header("content-type", "application/x-ndjson");
    server.send(request.timeout(time).body(fact(1, "u"))).ok()
}

/// Asks until the answer is as wanted.
fn until(mut wanted: impl FnMut() -> bool, what: &str) {
    let begun = Instant::now();
    while !wanted() {
        assert!(begun.elapsed() < PATIENCE, "never: {what}");
        std::thread::sleep(Duration::from_millis(5));
    }
}

fn error(answer: &Answer) -> (u16, bool, String) {
    let message = answer.json()["detail"].as_str().unwrap_or_default().to_owned();
    (answer.status, answer.headers.contains_key("retry-after"), message)
}

/// What is told once there is no room or no turn.
fn refusal(ask: impl Fn() -> Option<Answer>) -> (u16, bool, String) {
    let mut told = None;
    let is_refused = || {
        told = ask().map(|answer| error(&answer)).filter(|(status, ..)| *status == 503);
        told.is_some()
    };
    until(is_refused, "somebody is refused");
    told.unwrap()
}

fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::best());
    encoder.write_all(bytes).unwrap();
    encoder.finish().unwrap()
}

#[test]
fn a_body_that_has_not_arrived_holds_nothing() {
    let server = Server::with("[limits]\nbody_seconds = 0\nwait_seconds = 0\n");
    // Each announces as much as a body may have, and more of them than requests may wait.
    let held: Vec<_> = (0..1100).map(|_| begin(&server, KEY, "gzip", 64 << 20, b"")).collect();
    for key in [OTHER_KEY, KEY] {
        assert_eq!(post(&server, key, PATIENCE).unwrap().receipt().accepted, 1);
    }
    assert!(held.iter().all(is_waiting));
}

#[test]
fn unfinished_bodies_of_one_organization_leave_room_for_another_and_give_it_back() {
    let server = Server::with("[limits]\ninflight_bytes = 1_048_576\nbody_seconds = 0\nwait_seconds = 0\n");
    // 262,144 bytes are for bodies as they arrive.
    let held: Vec<_> = (0..5).map(|_| begin(&server, KEY, "gzip", 262_144, &[b'x'; 60_000])).collect();
    until(|| post(&server, KEY, MOMENT).is_none(), "the first organization waits for room");
    assert_eq!(post(&server, OTHER_KEY, PATIENCE).unwrap().receipt().accepted, 1);
    assert!(held.iter().all(is_waiting));
    drop(held);
    until(|| post(&server, KEY, MOMENT).is_some_and(|answer| answer.status == 200), "room is given back");
}

#[test]
fn who_waits_for_room_in_vain_is_told_whose_bodies_are_in_the_way() {
    let server = Server::with("[limits]\ninflight_bytes = 1_048_576\nbody_seconds = 0\nwait_seconds = 1\n");
    let held = begin(&server, KEY, "gzip", 262_144, &[b'x'; 262_143]);
    let told = refusal(|| post(&server, KEY, PATIENCE));
    let why = " bytes of bodies of this organization are arriving or wait to be decoded, for which it has 262144 (limits.inflight_bytes), and none \
               was done within 1 s (limits.wait_seconds); try again";
    let (_, may_try_again, told) = told;
    assert!(may_try_again && told.ends_with(why), "{told}");
    drop(held);
}

#[test]
fn no_more_requests_wait_than_may() {
    let server = Server::with("[limits]\ninflight_bytes = 1_048_576\nwaiting_requests = 2\nbody_seconds = 0\nwait_seconds = 0\n");
    let mut held = vec![begin(&server, KEY, "gzip", 262_144, &[b'x'; 262_143])];
    until(|| post(&server, KEY, MOMENT).is_none(), "the first organization waits for room");
    let why = "1 requests of this organization are waiting already, its share of 2 (limits.waiting_requests); try again";
    let refused = || post(&server, KEY, MOMENT).is_some_and(|answer| answer.status == 503 && error(&answer) == (503, true, why.into()));
    until(
        || {
            held.push(begin(&server, KEY, "identity", 1000, &[b'x'; 999]));
            refused()
        },
        "one waits already",
    );
    assert_eq!(post(&server, OTHER_KEY, PATIENCE).unwrap().receipt().accepted, 1);
}

#[test]
fn a_body_for_which_there_is_never_room_is_refused_as_it_is_sent_and_as_it_is_decoded() {
    let server = Server::with("[limits]\ninflight_bytes = 1_048_576\n");
    let request = |body: Vec<u8>, encoding: &str| {
        let request = server.request("POST", "/v1/attendance").bearer_auth(KEY).header("content-type", "application/x-ndjson");
        server.send(request.header("content-encoding", encoding).body(body)).unwrap()
    };
    let facts: String = (0..10_000).map(|number| fact(number, "u")).collect();
    let (status, _, why) = error(&request(facts.clone().into_bytes(), "identity"));
    let told = "the body takes 1";
    let end = "bytes of memory or more, and one organization has room for 262144 (limits.inflight_bytes); send it in parts";
    assert!(status == 413 && why.starts_with(told) && why.ends_with(end), "{why}");
    let (status, _, why) = error(&request(gzip(facts.as_bytes()), "gzip"));
    let end = "bytes of memory or more, and one organization has room for 524288 (limits.inflight_bytes); send it in parts";
    assert!(status == 413 && why.ends_with(end), "{why}");
    assert_eq!(server.meetings(KEY), 0);
    let half: String = (0..2_000).map(|number| fact(number, "u")).collect();
    assert_eq!(request(gzip(half.as_bytes()), "gzip").receipt().accepted, 2_000);
}

#[test]
fn blank_lines_are_bounded_as_facts_are() {
    let server = Server::with("[limits]\nfacts = 1000\n");
    let body = |blank: usize| "\n".repeat(blank) + &fact(1, "u");
    assert_eq!(server.ingest(body(1000)).unwrap().accepted, 1);
    let refused = server.post("", "application/x-ndjson", body(1001)).unwrap();
    let expected = "at most 1000 blank lines in one request (limits.facts)";
    assert_eq!((refused.status, refused.receipt().errors[0].expected.as_ref()), (400, expected));
}

/// A body of 32 GiB of blank lines, as it is sent.
fn endless() -> Vec<u8> {
    gzip(&vec![b'\n'; 64 << 20]).repeat(512)
}

#[test]
fn a_decoding_holds_nobody_elses_decoder_and_ends_when_its_client_is_gone() {
    let server = Server::with("[limits]\ndecoders = 2\nfacts = 0\ndecoded_bytes = 0\nwait_seconds = 0\n");
    let body = endless();
    let held: Vec<_> = (0..3).map(|_| begin(&server, KEY, "gzip", body.len(), &body)).collect();
    until(|| post(&server, KEY, MOMENT).is_none(), "the first organization waits for a decoder");
    assert_eq!(post(&server, OTHER_KEY, PATIENCE).unwrap().receipt().accepted, 1);
    assert!(held.iter().all(is_waiting));
    drop(held);
    until(|| post(&server, KEY, MOMENT).is_some_and(|answer| answer.status == 200), "decoding ends without its client");
}

#[test]
fn who_waits_for_a_decoder_in_vain_is_told() {
    let server = Server::with("[limits]\ndecoders = 2\nfacts = 0\ndecoded_bytes = 0\nwait_seconds = 1\n");
    let body = endless();
    let _held = begin(&server, KEY, "gzip", body.len(), &body);
    let told = refusal(|| post(&server, KEY, PATIENCE));
    let why = "1 bodies of this organization are being decoded, its share of 2 (limits.decoders), and none was done within 1 s \
               (limits.wait_seconds); try again";
    assert_eq!(told, (503, true, why.into()));
}

#[test]
fn slow_exports_of_one_organization_leave_turns_for_another() {
    let server = Server::with("[limits]\nexports = 4\nwrite_seconds = 0\n");
    for part in 0..4 {
        let facts: String = (0..20_000).map(|number| fact(part * 20_000 + number, "u")).collect();
        assert_eq!(server.ingest(facts).unwrap().accepted, 20_000);
    }
    assert_eq!(post(&server, OTHER_KEY, PATIENCE).unwrap().receipt().accepted, 1);
    // Far more than all buffers on the way take, so that each is under way until it is read or given up.
    let mut held = Vec::new();
    for _ in 0..2 {
        let mut raw = connect(&server);
        write!(raw, "GET /v1/attendance HTTP/1.1\r\nhost: x\r\nauthorization: Bearer {KEY}\r\n\r\n").unwrap();
        raw.read_exact(&mut [0; 12]).unwrap();
        held.push(raw);
    }
    let refused = error(&server.get("/v1/assistance", KEY).unwrap());
    let why = "2 exports of this organization are under way, its share of 4 (limits.exports); try again";
    assert_eq!(refused, (503, true, why.into()));
    let exported = server.get("/v1/attendance", OTHER_KEY).unwrap();
    assert_eq!((exported.status, exported.text().lines().count()), (200, 1));
    assert_eq!(error(&server.get("/v1/assistance", KEY).unwrap()), refused);
}

/// A report that takes minutes: the sums of tens of thousands of departments over fifty years.
const LONG: &str = "/v1/reports/department-days?from=1973-01-01&to=2025-03-31&zone=UTC&by=whole";

/// What [`LONG`] needs: departments, and the facts between which the years lie.
fn fill(server: &Server) {
    let departments: Vec<_> = (0..30_000).map(|number| serde_json::json!({ "id": format!("d{number}"), "name": "D" })).collect();
    let directory = serde_json::json!({ "departments": departments, "users": [] });
    assert_eq!(server.send(server.request("PUT", "/v1/directory").bearer_auth(KEY).json(&directory)).unwrap().status, 200);
    let used = |at: &str| format!("{{\"user_id\":\"u\",\"at\":\"{at}\",\"kind\":\"chat\",\"chat_type\":\"FREE_INPUT\"}}\n");
    server.ingest_to("/v1/assistance", used("1973-01-01T12:00:00Z") + &used("2025-03-03T12:00:00Z")).unwrap();
}

const SHORT: &str = "/v1/reports/meeting-days?from=2025-03-01&to=2025-03-04";

fn ask_long(server: &Server) -> TcpStream {
    let mut raw = connect(server);
    write!(raw, "GET {LONG} HTTP/1.1\r\nhost: x\r\nauthorization: Bearer {KEY}\r\n\r\n").unwrap();
    raw
}

fn short(server: &Server, key: &str, time: Duration) -> Option<Answer> {
    server.send(server.request("GET", SHORT).bearer_auth(key).timeout(time)).ok()
}

#[test]
fn reports_of_one_organization_leave_turns_for_another_and_end_when_their_clients_are_gone() {
    let server =
        Server::with("[limits]\nreports = 2\nreport_days = 0\nreport_rows = 0\nreport_cells = 0\nanswer_bytes = 0\nwait_seconds = 0\n");
    fill(&server);
    let held: Vec<_> = (0..5).map(|_| ask_long(&server)).collect();
    until(|| short(&server, KEY, MOMENT).is_none(), "the first organization waits for its turn");
    assert_eq!(short(&server, OTHER_KEY, PATIENCE).unwrap().status, 200);
    assert!(held.iter().all(is_waiting));
    drop(held);
    until(|| short(&server, KEY, MOMENT).is_some_and(|answer| answer.status == 200), "reports end without their clients");
}

#[test]
fn every_api_tells_who_waits_for_a_report_in_vain() {
    let server =
        Server::with("[limits]\nreports = 2\nreport_days = 0\nreport_rows = 0\nreport_cells = 0\nanswer_bytes = 0\nwait_seconds = 1\n");
    fill(&server);
    let body = serde_json::json!({ "app_id": APP_ID, "app_secret": APP_SECRET });
    let token = server.send(server.request("POST", "/open-apis/auth/v3/tenant_access_token/internal").json(&body)).unwrap();
    let token = token.json()["tenant_access_token"].as_str().unwrap().to_owned();
    let held = ask_long(&server);
    let told = refusal(|| short(&server, KEY, PATIENCE));
    let why = "1 reports of this organization are being computed, its share of 2 (limits.reports), and none was done within 1 s \
               (limits.wait_seconds); try again";
    assert_eq!(told, (503, true, why.into()));
    let feishu = server.get("/open-apis/vc/v1/reports/get_daily?start_time=1740960000&end_time=1741046400", &token).unwrap();
    assert!(feishu.json()["code"] != 0 && feishu.json()["error"]["message"] == why, "{}", feishu.text());
    let office365 = server.office365("/CsActiveUserDaily?$format=Json", USER, PASSWORD);
    assert_eq!(office365.json()["error"]["message"]["value"], why, "{}", office365.text());
    let yunxiao = server.yunxiao(&format!("/lingma/organizations/{ORG}/departmentUsage?startTime=2025-03-03&endTime=2025-03-04"), TOKEN);
    assert_eq!((&yunxiao.json()["errorCode"], &yunxiao.json()["errorMessage"]), (&"ServiceUnavailable".into(), &why.into()));
    for answer in [&feishu, &office365, &yunxiao] {
        assert_eq!((answer.status, answer.headers["retry-after"].to_str().unwrap()), (503, "1"));
    }
    let refused = server.volcengine(ACCESS_KEY, ACCESS_SECRET, "default", Dimension::Country);
    assert!(refused.as_ref().is_err_and(|error| error.to_string().contains(why)), "{refused:?}");
    assert!(server.volcengine(OTHER_ACCESS_KEY, OTHER_ACCESS_SECRET, "default", Dimension::Country).is_ok());
    assert!(is_waiting(&held));
}
