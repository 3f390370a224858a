//! What the log says of strangers.

use super::{ACCESS_KEY, APP_ID, KEY, PASSWORD, Server, TOKEN, USER, configuration, reload, sign_in, token};
use std::io::{Read, Write};
use std::net::TcpStream;

/// The lines of failed sign-ins, from their first word on.
fn failed(server: &Server) -> Vec<String> {
    let log = server.log();
    log.lines().filter_map(|line| line.find("sign-in failed ").map(|at| line[at..].to_owned())).collect()
}

/// One wrong credential for each API.
fn guess_everywhere(server: &Server, address: &str) {
    let send = |request: reqwest::RequestBuilder| server.send(request.header("x-forwarded-for", address)).unwrap();
    assert_eq!(send(server.request("GET", "/v1/directory").bearer_auth("some wrong key")).status, 401);
    assert_eq!(token(server, APP_ID, "some wrong secret", address).json()["code"], 10_014);
    assert_eq!(sign_in(server, USER, "some wrong password", address).status, 401);
    assert_eq!(send(server.request("GET", "/oapi/v1/platform/user").header("x-yunxiao-token", "some wrong token")).status, 401);
    let date = jiff::Timestamp::now().strftime("%Y%m%dT%H%M%SZ").to_string();
    let scope = format!("{}/cn-north-1/rtc/request", &date[..8]);
    for key in [ACCESS_KEY, "AKLTunknown"] {
        let authorization = format!("HMAC-SHA256 Credential={key}/{scope}, SignedHeaders=host;x-date, Signature={}", "0".repeat(64));
        let request = server.request("POST", "/?Action=ListOperationDistribution&Version=2020-12-01");
        assert_eq!(send(request.header("authorization", authorization).header("x-date", &date)).status, 401);
    }
}

#[test]
fn each_failed_sign_in_leaves_a_line_with_the_address_unless_that_is_hidden() {
    let server = Server::with("trusted_proxies = [\"127.0.0.1\"]");
    guess_everywhere(&server, "1.2.3.4, 203.0.113.7");
    let lines = |client: &str| {
        [
            ("native", "no such key", ""),
            ("feishu", "another secret", APP_ID),
            ("office365", "no such account, or another password", &USER.to_lowercase()),
            ("yunxiao", "no such token", ""),
            ("volcengine", "another signature", ACCESS_KEY),
            ("volcengine", "no such access key", "AKLTunknown"),
        ]
        .map(|(api, reason, name)| format!("sign-in failed client={client} api={api} reason=\"{reason}\" name=\"{name}\""))
    };
    assert_eq!(failed(&server), lines("203.0.113.7"));
    assert!(server.log().lines().filter(|line| line.contains("sign-in failed")).all(|line| line.contains(" WARN ")));
    assert!(!server.log().contains("1.2.3.4") && !server.log().contains("127.0.0.1:0"), "{}", server.log());
    for wrong in ["some wrong key", "some wrong secret", "some wrong password", "some wrong token"] {
        assert!(!server.log().contains(wrong));
    }
    // Neither right credentials nor none are a failure.
    assert_eq!(sign_in(&server, USER, PASSWORD, "203.0.113.7").status, 200);
    assert_eq!((server.get("/v1/directory", KEY).unwrap().status, server.yunxiao("/platform/user", TOKEN).status), (200, 200));
    for path in ["/v1/directory", super::SERVICE, "/oapi/v1/platform/user"] {
        assert_eq!(server.send(server.request("GET", path)).unwrap().status, 401);
    }
    assert_eq!(failed(&server).len(), 6);
    reload(&server, &configuration("trusted_proxies = [\"127.0.0.1\"]\nlog_client_addresses = false"));
    guess_everywhere(&server, "198.51.100.1");
    assert_eq!(failed(&server)[6..], lines("-"));
    assert!(!server.log().contains("198.51.100.1"));
}

/// So whoever is told an id by a client finds the request, and what failed in it.
#[test]
fn a_request_is_logged_with_the_id_of_its_answer() {
    let server = Server::new();
    for (path, header) in
        [(super::SERVICE, "request-id"), ("/oapi/v1/platform/user", "x-request-id"), ("/open-apis/vc/v1/reports/get_daily", "x-tt-logid")]
    {
        let answer = server.send(server.request("GET", path)).unwrap();
        let id = answer.headers[header].to_str().unwrap();
        // The line comes before the answer does, but maybe not before the file has it.
        server.await_log(&format!("path=\"{path}\" status={} ", answer.status));
        let log = server.log();
        assert!(log.lines().any(|line| line.contains(path) && line.contains(&format!("request_id=\"{id}\""))), "{log}");
    }
}

#[test]
fn what_a_stranger_sends_is_cut_in_the_log() {
    let server = Server::new();
    let long = "x".repeat(20_000);
    let mut raw = TcpStream::connect(server.url().trim_start_matches("http://")).unwrap();
    write!(raw, "{long} /{long} HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n").unwrap();
    let mut answer = String::new();
    raw.read_to_string(&mut answer).unwrap();
    assert!(answer.starts_with("HTTP/1.1 404") && answer.len() < 1024, "{answer:.200}");
    // A name that looks like a line of its own, and one that is long.
    let forged = "x\n2026-01-01T00:00:00Z  WARN rollcall: sign-in failed client=192.0.2.9 api=native";
    assert_eq!(server.office365("", forged, "guess").status, 401);
    assert_eq!(server.office365("", &"中".repeat(200), "guess").status, 401);
    let log = server.log();
    assert!(log.contains(&format!("{}…", "x".repeat(256))) && log.contains(&format!("\"{}…\"", "中".repeat(85))), "{log}");
    assert!(log.lines().all(|line| line.len() < 1024), "{log}");
    assert!(log.contains("client=127.0.0.1 api=office365") && !log.lines().any(|line| line.starts_with("2026-01-01T00:00:00Z")), "{log}");
}
