//! What a client does to a socket, everybody else is answered meanwhile: heads and bodies that never end, answers that nobody takes,
//! closed halves, and more sockets than there are files to open.

use crate::harness::{KEY, Server, configuration, fact, rollcall_limited};
use socket2::{Domain, Socket, Type};
use std::ffi::OsStr;
use std::fs;
use std::io::{Read, Write};
use std::net::{Shutdown, SocketAddr, TcpStream};
use std::time::Duration;
use tempfile::TempDir;

const REPORT: &str = "/v1/reports/meeting-days?from=2025-01-01&to=2025-12-31";

fn address(server: &Server) -> SocketAddr {
    server.url().trim_start_matches("http://").parse().unwrap()
}

/// A connection on which this much was sent.
fn send(server: &Server, text: &str) -> TcpStream {
    let mut stream = TcpStream::connect(address(server)).unwrap();
    // Longer than any answer takes.
    stream.set_read_timeout(Some(Duration::from_secs(60))).unwrap();
    // The server may have closed it by now, to make way.
    let _ = stream.write_all(text.as_bytes());
    stream
}

/// What arrives until the connection ends, in whatever way.
fn rest(mut stream: TcpStream) -> String {
    let mut bytes = Vec::new();
    let _ = stream.read_to_end(&mut bytes);
    String::from_utf8_lossy(&bytes).into_owned()
}

fn get(path: &str) -> String {
    format!("GET {path} HTTP/1.1\r\nhost: x\r\nauthorization: Bearer {KEY}\r\n\r\n")
}

fn ingest(body: &str) -> String {
    let length = body.len();
    format!(
        "POST /v1/attendance HTTP/1.1\r\nhost: x\r\nauthorization: Bearer {KEY}\r\ncontent-type: application/x-ndjson\r\ncontent-length: {length}\r\n\r\n{body}"
    )
}

/// Everything that others want: facts in, reports and facts out, and that the server is well.
fn others_are_served(server: &Server, meetings: u32) {
    assert_eq!(server.ingest(fact(meetings, "a")).unwrap().accepted, 1);
    assert_eq!(server.meetings(KEY), u64::from(meetings));
    let facts = server.get("/v1/attendance?from=2025-01-01&to=2025-12-31", KEY).unwrap();
    assert_eq!((facts.status, facts.text().lines().count()), (200, meetings as usize));
    for path in ["/livez", "/readyz"] {
        assert_eq!(server.get(path, "").unwrap().status, 200);
    }
}

#[test]
fn a_client_that_closes_its_half_is_answered() {
    let server = Server::new();
    let half_closing = |request: &str| {
        let stream = send(&server, request);
        stream.shutdown(Shutdown::Write).unwrap();
        rest(stream)
    };
    for number in 1..=20 {
        let answer = half_closing(&ingest(&fact(number, "a")));
        assert!(answer.contains("200 OK") && answer.contains("\"accepted\":1"), "{answer}");
        let answer = half_closing(&get(REPORT));
        assert!(answer.contains("200 OK") && answer.contains("\"meetings\""), "{answer}");
        let answer = half_closing(&get("/livez"));
        assert!(answer.contains("200 OK"), "{answer}");
    }
    assert_eq!(server.meetings(KEY), 20);
}

#[test]
fn unfinished_heads_and_bodies_keep_nobody_out() {
    let server = Server::with("[limits]\nconnections = 16\nheader_seconds = 0\nbody_seconds = 0\n");
    let whole = ingest(&fact(1, "x"));
    let mut strangers = Vec::new();
    for number in 1..=8 {
        strangers.extend((0..16).map(|_| send(&server, "GET /livez HT")));
        // With a key, so that the body is waited for.
        strangers.extend((0..16).map(|_| send(&server, &whole[..whole.len() - 10])));
        let answer = rest(send(&server, &get("/livez").replace("host: x", "connection: close")));
        assert!(answer.contains("200 OK"), "{answer}");
        let others = Server::meetings(&server, KEY);
        assert_eq!(others, number - 1);
        let answer = rest(send(&server, &ingest(&fact(u32::try_from(number).unwrap(), "a")).replace("host: x", "connection: close")));
        assert!(answer.contains("\"accepted\":1"), "{answer}");
    }
}

#[test]
fn a_head_too_long_is_refused() {
    let server = Server::new();
    for (headers, status) in [("a: b\r\n".repeat(90), 200), ("a: b\r\n".repeat(101), 431), (format!("a: {}\r\n", "b".repeat(200_000)), 431)]
    {
        let answer = rest(send(&server, &format!("GET /livez HTTP/1.1\r\nconnection: close\r\n{headers}\r\n")));
        assert!(answer.starts_with(&format!("HTTP/1.1 {status} ")), "{answer}");
    }
}

#[test]
fn who_takes_nothing_of_an_answer_loses_the_connection() {
    let home = TempDir::new().unwrap();
    fs::write(home.path().join("rollcall.toml"), configuration("[limits]\nwrite_seconds = 1\n")).unwrap();
    let server = Server::start_with(home.path(), &[("ROLLCALL_LOG", OsStr::new("rollcall=debug"))]);
    let users: Vec<String> = (0..40_000).map(|number| format!(r#"{{"id":"u{number}","name":"{}"}}"#, "n".repeat(60))).collect();
    let directory = format!(r#"{{"departments":[],"users":[{}]}}"#, users.join(","));
    let request = server.request("PUT", "/v1/directory").bearer_auth(KEY).header("content-type", "application/json");
    assert_eq!(server.send(request.body(directory)).unwrap().status, 200);
    let socket = Socket::new(Domain::IPV4, Type::STREAM, None).unwrap();
    // What the client's own system takes for it is little, so that it is the client who takes nothing.
    socket.set_recv_buffer_size(4096).unwrap();
    socket.connect(&address(&server).into()).unwrap();
    let mut stream = TcpStream::from(socket);
    stream.write_all(get("/v1/directory").as_bytes()).unwrap();
    server.await_log("takes nothing (limits.write_seconds)");
    let answer = rest(stream);
    let announced = answer.lines().find_map(|line| line.strip_prefix("Content-Length: ")).unwrap().parse::<usize>().unwrap();
    assert!(answer.starts_with("HTTP/1.1 200") && answer.len() < announced, "{} of {announced}", answer.len());
    // Whoever takes it gets all of it.
    let taken = server.get("/v1/directory", KEY).unwrap();
    assert_eq!(taken.body.len(), announced);
}

#[test]
fn idle_sockets_leave_storage_the_files_it_needs() {
    let home = TempDir::new().unwrap();
    // Facts go to the lake and cells to storage all the time; nobody is let go for being late.
    let settings = "[limits]\nheader_seconds = 0\n[storage]\ncheckpoint_facts = 1\n[lake]\nflush_seconds = 1\n";
    fs::write(home.path().join("rollcall.toml"), configuration(settings)).unwrap();
    let server = Server::start_by(home.path(), rollcall_limited("-n 160"));
    server.await_log("the process may open 160 files, and 80 are kept for storage");
    assert!(server.log().contains("at most 80 connections are open at a time, not limits.connections = 4096"));
    let mut idle = Vec::new();
    for number in 1..=12 {
        idle.extend((0..30).map(|_| TcpStream::connect(address(&server)).unwrap()));
        others_are_served(&server, number);
    }
    assert!(!server.log().contains("could not be accepted"), "{}", server.log());
}

#[test]
#[cfg(target_os = "linux")]
fn the_limit_of_open_files_is_raised_as_far_as_it_may_be() {
    let home = TempDir::new().unwrap();
    let server = Server::start_by(home.path(), rollcall_limited("-S -n 100"));
    let limits = fs::read_to_string(format!("/proc/{}/limits", server.id())).unwrap();
    let line = limits.lines().find(|line| line.starts_with("Max open files")).unwrap();
    let [soft, hard] = [3, 4].map(|position| line.split_whitespace().nth(position).unwrap());
    assert_eq!(soft, hard);
}
