//! Bodies that are wrong in every way we know of: each gets a clear 4xx, nothing of it is stored, and the server is unharmed.
//! A new way to be wrong belongs here; what single values of a fact may be belongs to the model's own tests.

use crate::harness::{Answer, KEY, Server, assistance, fact};
use std::io::{Read, Write};
use std::net::TcpStream;

const NDJSON: &str = "application/x-ndjson";

/// After all that: the server works, and has exactly the facts it gave receipts for.
fn unharmed(server: &Server, stored: u64) {
    assert_eq!(server.meetings(KEY), stored);
    let receipt = server.ingest(fact(9_999, "last")).unwrap();
    assert_eq!(receipt.accepted, 1);
    assert_eq!(server.meetings(KEY), stored + 1);
    assert!(!server.log().contains("panicked"), "{}", server.log());
}

/// The answer is a receipt that refuses everything, with this error among the first.
fn refuses(answer: &Answer, line: u64, field: &str) {
    assert_eq!(answer.status, 400, "{}", answer.text());
    let receipt = answer.receipt();
    assert_eq!((receipt.accepted, receipt.duplicate, receipt.conflicting), (0, 0, 0));
    assert!(receipt.rejected > 0);
    let error = receipt.errors.first().unwrap();
    assert_eq!((error.line, error.field.as_str()), (line, field), "{error}");
    assert!(!error.expected.is_empty());
}

#[test]
fn a_wrong_fact_is_refused_with_line_and_field_and_nothing_is_stored() {
    let server = Server::new();
    let good = fact(1, "u1");
    for (from, to, field) in [
        ("\"u1\"", "17", "user_id"),
        ("\"u1\"", "\"\"", "user_id"),
        ("\"u1\"", "null", "user_id"),
        ("\"user_id\"", "\"user\"", "user"),
        ("{", "{\"device\":\"toaster\",", "device"),
        ("{", "{\"session_kind\":\"party\",", "session_kind"),
        ("{", "{\"media\":[\"smell\"],", "media"),
        ("{", "{\"app\":\"other\",", "app"),
        ("{", "{\"unit\":9,", "unit"),
        ("{", "{\"country\":\"ZZ\",", "country"),
        ("{", "{\"ip\":\"300.1.1.1\",", "ip"),
        ("\"left_at\":", "\"left_at\":1,\"x\":", "left_at"),
    ] {
        let body = format!("{good}{}", good.replacen(from, to, 1));
        let answer = server.post("", NDJSON, body).unwrap();
        assert_eq!(answer.status, 400, "{to}: {}", answer.text());
        let receipt = answer.receipt();
        assert_eq!((receipt.accepted, receipt.rejected), (0, 1), "{to}");
        assert!(receipt.errors.iter().any(|error| (error.line, error.field.as_str()) == (2, field)), "{to}: {}", answer.text());
    }
    let start = 1_740_967_200_000_i64;
    for (left, why) in [(start - 1, "before joined_at"), (start + 7 * 86_400_000 + 1, "more than 7 days after joined_at")] {
        let body =
            format!("{{\"session_id\":\"s\",\"session_started_at\":{start},\"user_id\":\"u\",\"joined_at\":{start},\"left_at\":{left}}}");
        let answer = server.post("", NDJSON, body).unwrap();
        refuses(&answer, 1, "left_at");
        assert!(answer.receipt().errors[0].to_string().contains(why), "{}", answer.text());
    }
    unharmed(&server, 0);
}

#[test]
fn a_wrong_assistance_is_refused_with_line_and_field_and_nothing_is_stored() {
    let server = Server::new();
    let good: String = (0..16).map(|number| assistance(number, "u1")).collect();
    for (from, to, field, why) in [
        ("\"u1\"", "17", "user_id", "user_id 17: expected a string of 1 to 256 bytes without control characters"),
        ("completion", "prayer", "kind", "kind prayer: expected chat, completion or edit"),
        ("completion", "chat", "chat_type", "chat_type is missing: expected a string of 1 to 256 bytes without control characters"),
        ("{", "{\"chat_type\":\"FREE_INPUT\",", "chat_type", "chat_type FREE_INPUT: expected none: only a chat has a type"),
        ("{", "{\"turns\":3,", "turns", "turns 3: expected 0 or none: only a chat has turns"),
        ("\"completion\"", "\"edit\"", "accepted", "accepted 1: expected 0 or none: an edit is not accepted"),
        ("{", "{\"lines_changed\":-1,", "lines_changed", "lines_changed -1: expected an integer from 0 to 4294967295"),
        ("{", "{\"device\":\"web\",", "device", "device web: expected no such field; see the fields of an assistance"),
        (
            "\"at\":",
            "\"at\":1,\"x\":",
            "at",
            "at 1: expected an RFC 3339 time with an offset, or integer Unix milliseconds, from 1972 to 2199",
        ),
    ] {
        let body = good.clone() + &assistance(16, "u1").replacen(from, to, 1);
        let answer = server.post_to("/v1/assistance", NDJSON, body).unwrap();
        refuses(&answer, 17, field);
        assert_eq!(answer.receipt().errors[0].to_string(), format!("line 17: {why}"));
    }
    // The fields of one kind of fact are not those of the other.
    refuses(&server.post_to("/v1/assistance", NDJSON, fact(1, "u")).unwrap(), 1, "session_id");
    assert_eq!(server.ingest_to("/v1/assistance", good).unwrap().accepted, 16);
    unharmed(&server, 0);
}

#[test]
fn with_skip_the_good_facts_are_stored_and_the_bad_ones_reported() {
    let server = Server::new();
    let body = format!("{}nonsense\n{}{{}}\n", fact(1, "a"), fact(2, "b"));
    let answer = server.post("?on_error=skip", NDJSON, body).unwrap();
    let receipt = answer.receipt();
    assert_eq!((answer.status, receipt.accepted, receipt.rejected), (200, 2, 2), "{}", answer.text());
    let lines: Vec<_> = receipt.errors.iter().map(|error| error.line).collect();
    assert!(lines.contains(&2) && lines.contains(&4) && lines.is_sorted(), "{lines:?}");
    unharmed(&server, 2);
}

#[test]
fn only_the_first_hundred_errors_are_listed_and_all_are_counted() {
    let server = Server::new();
    let receipt = server.post("", NDJSON, "{}\n".repeat(1_000)).unwrap().receipt();
    assert_eq!((receipt.rejected, receipt.errors.len()), (1_000, 100));
    unharmed(&server, 0);
}

#[test]
fn a_body_that_breaks_off_is_refused_whole() {
    let server = Server::new();
    let good = fact(1, "a");
    let gzip = {
        let mut gzip = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::default());
        gzip.write_all(good.repeat(100).as_bytes()).unwrap();
        gzip.finish().unwrap()
    };
    let zstd = zstd::encode_all(good.as_bytes(), 1).unwrap();
    let compressed = |encoding: &str, body: &[u8]| {
        let request = server.request("POST", "/v1/attendance?on_error=skip").bearer_auth(KEY);
        server.send(request.header("content-type", NDJSON).header("content-encoding", encoding).body(body.to_vec())).unwrap()
    };
    for (encoding, body) in [
        ("gzip", &gzip[..gzip.len() / 2]),
        ("gzip", &gzip[..gzip.len() - 1]),
        ("gzip", b"not gzip at all"),
        ("zstd", &zstd[..zstd.len() / 2]),
        ("zstd", b"not zstd at all"),
    ] {
        assert_eq!(compressed(encoding, body).status, 400, "{encoding}");
    }
    for (content_type, body) in [
        ("application/json", format!("[{}", good.trim())),
        ("application/json", format!("[{} {}]", good.trim(), good.trim())),
        ("application/json", "17".into()),
        (NDJSON, good[..good.len() / 2].into()),
        ("text/csv", "session_id,user_id\n\"m".into()),
        ("application/vnd.apache.parquet", "PAR1 but no more".into()),
        ("application/vnd.apache.arrow.stream", "no arrow".into()),
        ("application/vnd.apache.arrow.file", "ARROW1 but no more".into()),
    ] {
        let answer = server.post("", content_type, body.clone()).unwrap();
        assert_eq!(answer.status, 400, "{content_type} {body}: {}", answer.text());
        assert!(answer.receipt().rejected > 0, "{}", answer.text());
    }
    unharmed(&server, 0);
}

#[test]
fn an_empty_body_is_refused() {
    let server = Server::new();
    for content_type in [NDJSON, "application/json", "text/csv", "application/vnd.apache.parquet", "application/vnd.apache.arrow.stream"] {
        refuses(&server.post("", content_type, "").unwrap(), 0, "");
    }
    unharmed(&server, 0);
}

#[test]
fn invalid_utf8_is_refused() {
    let server = Server::new();
    let bytes = fact(1, "u").replace("\"u\"", "\"\u{1}\"").into_bytes().into_iter().map(|byte| if byte == 1 { 0xff } else { byte });
    let answer = server.post("", NDJSON, bytes.collect::<Vec<_>>()).unwrap();
    assert_eq!(answer.status, 400, "{}", answer.text());
    assert_eq!(answer.receipt().errors[0].line, 1);
    unharmed(&server, 0);
}

#[test]
fn a_line_of_a_gibibyte_is_refused_however_it_comes() {
    let server = Server::new();
    let megabyte = vec![b'a'; 1 << 20];
    let mut zstd = zstd::Encoder::new(Vec::new(), 1).unwrap();
    for _ in 0..1024 {
        zstd.write_all(&megabyte).unwrap();
    }
    let zstd = zstd.finish().unwrap();
    let request = server.request("POST", "/v1/attendance").bearer_auth(KEY).header("content-type", NDJSON);
    let answer = server.send(request.header("content-encoding", "zstd").body(zstd)).unwrap();
    assert_eq!(answer.status, 400, "{}", answer.text());

    // Announced, it is refused before it is read; the sender still gets the answer.
    let mut raw = TcpStream::connect(server.url().trim_start_matches("http://")).unwrap();
    write!(
        raw,
        "POST /v1/attendance HTTP/1.1\r\nhost: x\r\nauthorization: Bearer {KEY}\r\ncontent-type: {NDJSON}\r\ncontent-length: {}\r\n\r\n",
        1 << 30
    )
    .unwrap();
    let mut writer = raw.try_clone().unwrap();
    let sender = std::thread::spawn(move || (0..1024).all(|_| writer.write_all(&megabyte).is_ok()));
    let mut head = [0; 12];
    raw.read_exact(&mut head).unwrap();
    assert_eq!(std::str::from_utf8(&head).unwrap(), "HTTP/1.1 413");
    assert!(sender.join().unwrap(), "the connection was cut under the sender");

    // Unannounced, it is cut at the limit.
    let mut raw = TcpStream::connect(server.url().trim_start_matches("http://")).unwrap();
    write!(raw, "POST /v1/attendance HTTP/1.1\r\nhost: x\r\nauthorization: Bearer {KEY}\r\ncontent-type: {NDJSON}\r\ntransfer-encoding: chunked\r\n\r\n").unwrap();
    let chunk = format!("100000\r\n{}\r\n", "a".repeat(1 << 20));
    for _ in 0..70 {
        raw.write_all(chunk.as_bytes()).unwrap();
    }
    raw.read_exact(&mut head).unwrap();
    assert_eq!(std::str::from_utf8(&head).unwrap(), "HTTP/1.1 413");
    drop(raw);
    unharmed(&server, 0);
}

#[test]
fn limits_name_themselves() {
    let server = Server::with("[limits]\nfacts = 2\nbody_bytes = 2000\nline_bytes = 400\n");
    let answer = server.post("", NDJSON, fact(1, "a").repeat(20)).unwrap();
    assert_eq!(answer.status, 413);
    assert_eq!(answer.json()["detail"], "the body is larger than 2000 bytes (limits.body_bytes); send it in parts");
    let answer = server.post("", NDJSON, (0..3).map(|n| fact(n, "a")).collect::<String>()).unwrap();
    assert_eq!(answer.status, 400, "{}", answer.text());
    let answer = server.post("", NDJSON, fact(1, &"a".repeat(300))).unwrap();
    assert_eq!(answer.status, 400, "{}", answer.text());
    unharmed(&server, 0);
}

#[test]
fn what_cannot_be_read_is_named_with_what_can() {
    let server = Server::new();
    let answer = server.post("", "application/xml", fact(1, "a")).unwrap();
    assert_eq!(answer.status, 415);
    assert!(
        answer.text().contains("application/x-ndjson") && answer.text().contains("application/vnd.apache.arrow.file"),
        "{}",
        answer.text()
    );
    let request = server.request("POST", "/v1/attendance").bearer_auth(KEY).header("content-type", NDJSON);
    let answer = server.send(request.header("content-encoding", "br").body(fact(1, "a"))).unwrap();
    assert_eq!((answer.status, answer.text().contains("gzip, zstd or identity")), (415, true), "{}", answer.text());
    for query in ["?on_error=ignore", "?on_eror=skip", "?on_error=skip&x=1"] {
        let answer = server.post(query, NDJSON, fact(1, "a")).unwrap();
        assert_eq!((answer.status, answer.text().contains("expected")), (400, true), "{query}: {}", answer.text());
    }
    assert_eq!(server.send(server.request("DELETE", "/v1/attendance")).unwrap().status, 405);
    assert_eq!(server.send(server.request("PUT", "/v1/assistance")).unwrap().status, 405);
    assert_eq!(server.get("/v1/attendances", KEY).unwrap().status, 404);
    unharmed(&server, 0);
}

#[test]
fn who_asks_before_sending_is_answered_before_sending() {
    let server = Server::new();
    let mut raw = TcpStream::connect(server.url().trim_start_matches("http://")).unwrap();
    write!(raw, "POST /v1/attendance HTTP/1.1\r\nhost: x\r\nauthorization: Bearer {KEY}\r\ncontent-type: text/xml\r\nexpect: 100-continue\r\ncontent-length: 100000\r\n\r\n").unwrap();
    let mut answer = String::new();
    raw.read_to_string(&mut answer).unwrap();
    assert!(answer.starts_with("HTTP/1.1 415"), "{answer}");
    unharmed(&server, 0);
}

#[test]
fn bad_report_parameters_are_named() {
    let server = Server::new();
    let days = "from=2025-03-01&to=2025-03-01";
    for (path, wrong) in [
        ("meeting-days?to=2025-03-01", "from is missing"),
        ("meeting-days?from=x&to=2025-03-01", "from x"),
        ("meeting-days?from=2025-03-02&to=2025-03-01", "to 2025-03-01"),
        ("meeting-days?from=1973-01-01&to=2025-03-01", "to 2025-03-01: expected at most 3660 days after from"),
        (&format!("meeting-days?{days}&zone=Mars"), "zone Mars"),
        (&format!("meeting-days?{days}&unit=3"), "unit 3"),
        (&format!("top-users?{days}&order=x"), "order x"),
        (&format!("top-users?{days}&limit=-1"), "limit -1"),
        (&format!("top_users?{days}&format=xml"), "format xml"),
        (&format!("top_users?{days}&tz=UTC"), "tz UTC"),
    ] {
        let answer = server.get(&format!("/v1/reports/{path}"), KEY).unwrap();
        assert_eq!((answer.status, answer.text().contains(wrong)), (400, true), "{path}: {}", answer.text());
    }
    assert_eq!(server.get("/v1/reports/everything", KEY).unwrap().status, 404);
    unharmed(&server, 0);
}

#[test]
fn a_directory_with_an_error_is_refused_and_the_old_one_stays() {
    let server = Server::new();
    let put = |path: &str, content_type: &str, body: &str| {
        server.send(server.request("PUT", path).bearer_auth(KEY).header("content-type", content_type).body(body.to_owned())).unwrap()
    };
    let json = |body: &str| put("/v1/directory", "application/json", body);
    assert_eq!(json(r#"{"departments":[{"id":"d","name":"D"}],"users":[{"id":"u","name":"U","departments":["d"]}]}"#).status, 200);
    let before = server.get("/v1/directory", KEY).unwrap().text();
    for (body, wrong) in [
        ("", "directory"),
        ("{", "line 1"),
        (r#"{"users":[{"id":"u","name":"U","colour":"red"}]}"#, "colour"),
        (r#"{"users":[{"id":"u","name":"U","departments":["x"]}]}"#, "unknown department x"),
        (r#"{"departments":[{"id":"a","parent_id":"a","name":"A"}]}"#, "below itself"),
    ] {
        let answer = json(body);
        assert_eq!((answer.status, answer.text().contains(wrong)), (400, true), "{body}: {}", answer.text());
    }
    assert_eq!(put("/v1/directory", "text/csv", "id,name\n").status, 415);
    let answer = put("/v1/directory/departments", "text/csv", "id,name\ne,E\n");
    assert_eq!((answer.status, answer.text().contains("unknown department d")), (400, true), "{}", answer.text());
    assert_eq!(server.get("/v1/directory", KEY).unwrap().text(), before);
    assert_eq!(put("/v1/directory/users", "text/csv", "id,name,kind,departments\nu,U,member,d\nr,Room,room,\n").status, 200);
    assert_eq!(server.get("/v1/directory", KEY).unwrap().json()["users"][0]["kind"], "room");
    unharmed(&server, 0);
}

#[test]
fn a_slow_or_silent_client_is_let_go() {
    let server = Server::with("[limits]\nbody_seconds = 1\nheader_seconds = 1\n");
    let connect = || TcpStream::connect(server.url().trim_start_matches("http://")).unwrap();
    let mut slow = connect();
    write!(
        slow,
        "POST /v1/attendance HTTP/1.1\r\nhost: x\r\nauthorization: Bearer {KEY}\r\ncontent-type: {NDJSON}\r\ncontent-length: 1000\r\n\r\n{{"
    )
    .unwrap();
    let mut head = [0; 12];
    slow.read_exact(&mut head).unwrap();
    assert_eq!(std::str::from_utf8(&head).unwrap(), "HTTP/1.1 408");
    let mut silent = connect();
    silent.write_all(b"POST /v1/att").unwrap();
    let mut end = Vec::new();
    // The end of the connection, with or without a word.
    let _ = silent.read_to_end(&mut end);
    assert!(end.is_empty() || end.starts_with(b"HTTP/1.1 4"), "{}", String::from_utf8_lossy(&end));
    let mut gone = connect();
    write!(gone, "POST /v1/attendance HTTP/1.1\r\nhost: x\r\nauthorization: Bearer {KEY}\r\ncontent-type: {NDJSON}\r\ncontent-length: 1000\r\n\r\n{}", fact(5, "x")).unwrap();
    drop(gone);
    unharmed(&server, 0);
}

#[test]
fn what_is_no_http_harms_nobody() {
    let server = Server::new();
    for garbage in [
        &b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc"[..],
        b"\0\0\0\0\0\0\0\0\r\n\r\n",
        b"GET / HTTP/9.9\r\n\r\n",
        b"POST /v1/attendance HTTP/1.1\r\ncontent-length: -1\r\n\r\n",
    ] {
        let mut raw = TcpStream::connect(server.url().trim_start_matches("http://")).unwrap();
        raw.write_all(garbage).unwrap();
        let _ = raw.shutdown(std::net::Shutdown::Write);
        let _ = raw.read_to_end(&mut Vec::new());
    }
    unharmed(&server, 0);
}
