//! Whoever asks for much holds nobody up: `/livez` is answered while the most expensive legal request of each route is computed, by a server with
//! a single thread for connections.
//!
//! Nothing here measures time. `/livez` is asked, again and again on one connection, until the other answer has come; what counts is how often it
//! was answered meanwhile. A server that computes on the thread that serves connections answers it not once.

use crate::harness::{
    ACCESS_KEY, ACCESS_SECRET, APP_ID, APP_SECRET, KEY, ORG, PASSWORD, SERVICE, Server, TOKEN, USER, configuration, password_hash,
};
use base64::Engine;
use rollcall_dialects::office365;
use rollcall_dialects::volcengine::signature::presigned::presign;
use rollcall_dialects::volcengine::signature::{Credential, Scope, SecretKey};
use serde_json::json;
use std::ffi::OsStr;
use std::fmt::Write as _;
use std::fs;
use std::io::{ErrorKind, Read, Write};
use std::net::TcpStream;
use tempfile::TempDir;

/// How often `/livez` must be answered before the other request is.
const MEANWHILE: usize = 3;
/// How often at first is not counted: the other request may not have been read yet.
const BEFORE: usize = 2;
/// How often a request may be tried, each time another one, if it was answered too soon for that.
const TRIES: usize = 20;

/// The first day of the facts, 2023-01-01T00:00:00Z, in milliseconds, and how many days have some.
const FIRST: i64 = 1_672_531_200_000;
const DAYS: i64 = 700;
const DAY: i64 = 86_400_000;

/// A request as it is sent; what is asked differs with each try.
type Asked = Box<dyn Fn(usize) -> Vec<u8>>;

fn request(method: &str, path: &str, headers: &[(&str, &str)], body: &[u8]) -> Vec<u8> {
    let mut head = format!("{method} {path} HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\ncontent-length: {}\r\n", body.len());
    headers.iter().for_each(|(name, value)| write!(head, "{name}: {value}\r\n").unwrap());
    [head.as_bytes(), b"\r\n", body].concat()
}

fn authorized(method: &str, path: &str, content_type: &str, body: &[u8]) -> Vec<u8> {
    request(method, path, &[("authorization", &format!("Bearer {KEY}")), ("content-type", content_type)], body)
}

fn get(path: String) -> Vec<u8> {
    authorized("GET", &path, "text/plain", b"")
}

fn connect(server: &Server) -> TcpStream {
    TcpStream::connect(server.url().strip_prefix("http://").unwrap()).unwrap()
}

/// Sends a request, and says how often `/livez` was answered before it was.
fn answered_meanwhile(server: &Server, name: &str, request: &[u8], status: u16) -> usize {
    let (mut other, mut livez) = (connect(server), connect(server));
    other.write_all(request).unwrap();
    let mut count = 0;
    loop {
        livez.write_all(b"GET /livez HTTP/1.1\r\nhost: localhost\r\n\r\n").unwrap();
        let mut answer = Vec::new();
        while !answer.ends_with(b"}") {
            let mut piece = [0; 1024];
            let length = livez.read(&mut piece).unwrap();
            assert!(length > 0, "{name}: /livez was cut off");
            answer.extend_from_slice(&piece[..length]);
        }
        other.set_nonblocking(true).unwrap();
        // What was written before this answer of `/livez` was sent is here by now.
        match other.peek(&mut [0]) {
            Err(error) if error.kind() == ErrorKind::WouldBlock => count += 1,
            outcome => {
                outcome.unwrap();
                break;
            }
        }
    }
    other.set_nonblocking(false).unwrap();
    let mut answer = Vec::new();
    other.read_to_end(&mut answer).unwrap();
    let beginning = String::from_utf8_lossy(&answer[..answer.len().min(2000)]);
    assert!(beginning.starts_with(&format!("HTTP/1.1 {status} ")), "{name}: {beginning}");
    count
}

fn check(server: &Server, status: u16, requests: Vec<(&str, Asked)>) {
    for (name, asked) in requests {
        let counts = (0..TRIES).map(|number| answered_meanwhile(server, name, &asked(number), status));
        let mut most = 0;
        let enough = counts.inspect(|count| most = most.max(*count)).any(|count| count >= BEFORE + MEANWHILE);
        assert!(enough, "{name}: /livez was answered {most} times at most while it was computed");
    }
}

/// A server with one thread for connections, whose first organization has these keys, each in place of others.
fn server(keys: &[(&str, &str)]) -> (TempDir, Server) {
    let home = tempfile::tempdir().unwrap();
    let text = keys.iter().fold(configuration(""), |text, (from, to)| text.replacen(from, to, 1));
    fs::write(home.path().join("rollcall.toml"), text).unwrap();
    let server = Server::start_with(home.path(), &[("TOKIO_WORKER_THREADS", OsStr::new("1"))]);
    (home, server)
}

fn instant(millis: i64) -> String {
    jiff::Timestamp::from_millisecond(millis).unwrap().to_string()
}

/// So many attendances as CSV, spread over the days and over 3,000 users; those of each number are others.
fn attendances(facts: i64, number: usize) -> String {
    let mut csv = String::from("session_id,session_kind,session_started_at,user_id,device,subdivision,joined_at,left_at\n");
    for fact in 0..facts {
        let joined = FIRST + fact % DAYS * DAY + fact * 977 % 80_000_000;
        let (user, place) = (fact * 31 % 3000, ["CN-SH", "CN-BJ", "US-CA", ""][fact as usize % 4]);
        let (joined, left) = (instant(joined), instant(joined + 3_600_000));
        writeln!(csv, "s{number}-{fact},meeting,{joined},u{user},desktop,{place},{joined},{left}").unwrap();
    }
    csv
}

/// So many assistances as NDJSON, spread likewise over 1,000 users.
fn assistances(facts: i64, number: usize) -> String {
    let mut lines = String::new();
    for fact in 0..facts {
        let at = FIRST + fact % DAYS * DAY + fact * 977 % 80_000_000;
        let (user, language) = (fact * 31 % 1000, ["rust", "go", "java"][fact as usize % 3]);
        let fact =
            json!({"user_id": format!("u{user}"), "at": at + number as i64, "kind": "completion", "language": language, "ide": "vscode"});
        writeln!(lines, "{fact}").unwrap();
    }
    lines
}

/// A directory of so many users and departments, a tree in which each department has at most ten right below it.
fn directory(users: usize, departments: usize) -> serde_json::Value {
    let department = |number: usize| match number {
        0 => json!({"id": "d0", "name": "All"}),
        _ => json!({"id": format!("d{number}"), "name": format!("Department {number}"), "parent_id": format!("d{}", (number - 1) / 10)}),
    };
    let user = |number: usize| json!({"id": format!("u{number}"), "name": format!("User {number}"), "departments": [format!("d{}", number % departments)]});
    json!({"departments": (0..departments).map(department).collect::<Vec<_>>(), "users": (0..users).map(user).collect::<Vec<_>>()})
}

fn send(server: &Server, name: &str, request: &[u8]) {
    answered_meanwhile(server, name, request, 200);
}

fn fill(server: &Server) {
    send(server, "directory", &authorized("PUT", "/v1/directory", "application/json", directory(1000, 500).to_string().as_bytes()));
    send(server, "attendances", &authorized("POST", "/v1/attendance", "text/csv", attendances(20_000, TRIES).as_bytes()));
    send(server, "assistances", &authorized("POST", "/v1/assistance", "application/x-ndjson", assistances(10_000, TRIES).as_bytes()));
}

/// A request of Yunxiao's API; `FIRST` in the path is a day that differs with each try.
fn yunxiao(path: String) -> Asked {
    Box::new(move |number| {
        let path = format!("/oapi/v1/{path}").replace("FIRST", &format!("2022-{:02}-01", number % 12 + 1));
        request("GET", &path, &[("x-yunxiao-token", TOKEN)], b"")
    })
}

fn basic(password: &str) -> String {
    format!("Basic {}", base64::engine::general_purpose::STANDARD.encode(format!("{USER}:{password}")))
}

/// Zones whose days begin at other times, so that no try finds the cells of another.
fn zone(number: usize) -> String {
    format!("Etc/GMT{}{}", if number.is_multiple_of(2) { "%2B" } else { "-" }, number / 2 + 1)
}

fn report(query: &'static str) -> Asked {
    Box::new(move |number| get(format!("/v1/reports/{query}&zone={}", zone(number))))
}

#[test]
fn native_reports_hold_nobody_up() {
    let (_home, server) = server(&[]);
    fill(&server);
    let all = [
        ("meeting-days", report("meeting-days?from=2020-01-01&to=2029-12-30")),
        ("top-users", report("top-users?from=2023-01-01&to=2024-12-31&limit=3000&order=duration")),
        ("active-users", report("active-users?from=2022-01-01&to=2026-12-30&by=rolling-28&device=computer")),
        ("users-by-place", report("users-by-place?from=2023-01-01&to=2024-12-31&by=subdivision")),
        ("department-days", report("department-days?from=2023-01-01&to=2023-02-28")),
        ("department-days of breakdowns", report("department-days?from=2023-01-01&to=2023-06-29&breakdown=completion&format=csv")),
        ("developer-days", report("developer-days?from=2023-01-01&to=2023-01-31&format=csv")),
    ];
    check(&server, 200, all.into());
}

#[test]
fn facts_and_directories_in_and_out_hold_nobody_up() {
    let (_home, server) = server(&[]);
    fill(&server);
    let users = || {
        let rows = (0..30_000).map(|number| format!("u{number},User {number}\n"));
        format!("id,name\n{}", rows.collect::<String>())
    };
    let departments = || {
        let rows = (0..30_000).map(|number| format!("d{number},Department {number}\n"));
        format!("id,name\n{}", rows.collect::<String>())
    };
    let send = |method: &'static str, path: &'static str, content_type: &'static str, body: String| -> Asked {
        Box::new(move |_| authorized(method, path, content_type, body.as_bytes()))
    };
    let all = [
        (
            "attendances",
            Box::new(|number| authorized("POST", "/v1/attendance", "text/csv", attendances(30_000, number).as_bytes())) as Asked,
        ),
        (
            "assistances",
            Box::new(|number| authorized("POST", "/v1/assistance", "application/x-ndjson", assistances(30_000, number).as_bytes())),
        ),
        ("a whole directory", send("PUT", "/v1/directory", "application/json", directory(30_000, 5000).to_string())),
        ("users", send("PUT", "/v1/directory/users", "text/csv", users())),
        ("departments", send("PUT", "/v1/directory/departments", "text/csv", departments())),
        ("changed users", send("PATCH", "/v1/directory/users", "text/csv", users())),
        ("changed departments", send("PATCH", "/v1/directory/departments", "text/csv", departments())),
        ("a changed directory", send("PATCH", "/v1/directory", "application/json", directory(30_000, 5000).to_string())),
        ("a restored directory", Box::new(|_| authorized("POST", "/v1/directory/restore?version=2&force=true", "text/plain", b""))),
        ("a directory of before", Box::new(|_| get("/v1/directory?version=2".into()))),
        ("departments by Yunxiao's API", yunxiao(format!("platform/organizations/{ORG}/departments"))),
        ("the directory", Box::new(|_| get("/v1/directory".into()))),
    ];
    check(&server, 200, all.into());
}

/// Their answers begin at once and are read while they are made, so it counts until their end.
#[test]
fn exports_hold_nobody_up() {
    let (_home, server) = server(&[]);
    fill(&server);
    for path in ["/v1/attendance?format=parquet", "/v1/attendance?format=csv", "/v1/assistance?format=ndjson"] {
        let enough = (0..TRIES).any(|_| {
            let mut export = connect(&server);
            export.write_all(&get(path.into())).unwrap();
            let reading = std::thread::spawn(move || {
                let mut answer = Vec::new();
                export.read_to_end(&mut answer).unwrap();
                answer
            });
            let mut count = 0;
            while !reading.is_finished() {
                assert_eq!(server.get("/livez", "").unwrap().status, 200);
                count += 1;
            }
            let answer = reading.join().unwrap();
            assert!(answer.starts_with(b"HTTP/1.1 200 ") && answer.len() > 100_000, "{path}");
            count >= BEFORE + MEANWHILE
        });
        assert!(enough, "{path}");
    }
}

#[test]
fn dialects_hold_nobody_up() {
    let (_home, server) = server(&[
        ("history_days = 0\n", "history_days = 0\nspan_days = 0\ntop_limit = 0\n"),
        ("history_months = 0\n", "history_months = 0\npage_size = 0\n"),
    ]);
    fill(&server);
    let token = json!({"app_id": APP_ID, "app_secret": APP_SECRET});
    let token = server.send(server.request("POST", "/open-apis/auth/v3/tenant_access_token/internal").json(&token)).unwrap().json();
    let bearer = format!("Bearer {}", token["tenant_access_token"].as_str().unwrap());
    let feishu = |path: &'static str| -> Asked {
        let bearer = bearer.clone();
        Box::new(move |number| {
            // Each try begins a second later, within a quarter hour of its own.
            let (start, end) = (FIRST / 1000 + 1 + number as i64 * 901, FIRST / 1000 + DAYS * 86_400);
            let path = format!("/open-apis/vc/v1/reports/{path}start_time={start}&end_time={end}");
            request("GET", &path, &[("authorization", &bearer)], b"")
        })
    };
    let basic = basic(PASSWORD);
    let text = format!("replace('{}','e','eeee')", "e".repeat(500));
    let nested = (0..12).fold(text, |inner, call| format!("replace({inner},{})", if call % 2 == 0 { "'e','f'" } else { "'f','e'" }));
    let office365 = |path: String| -> Asked {
        let basic = basic.clone();
        Box::new(move |number| {
            let path = format!("{SERVICE}/{path}").replace(' ', "%20");
            let offset =
                format!("{}{:02}:{}", if number.is_multiple_of(2) { '+' } else { '-' }, number / 2, ["00", "15", "30", "45"][number % 4]);
            request("GET", &path, &[("authorization", &basic), ("x-timezone", &offset)], b"")
        })
    };
    let now = jiff::Timestamp::now().strftime("%Y%m%dT%H%M%SZ").to_string();
    let scope = Scope { date: now[..8].into(), region: "cn-north-1".into(), service: "rtc".into() };
    let credential = Credential { access_key: ACCESS_KEY.into(), scope };
    let parameters = [("Action", "ListOperationDistribution"), ("Version", "2020-12-01")];
    let query = presign("POST", &parameters, &credential, &SecretKey::new(ACCESS_SECRET), &now, 86_400);
    let volcengine: Asked = Box::new(move |number| {
        let (start, end) = (instant(FIRST + 1000 + number as i64 * 901_000), instant(FIRST + DAYS * DAY));
        let body = json!({"AppId": "default", "StartTime": start, "EndTime": end, "Indicator": "user_num", "Dimension": "country"});
        request("POST", &format!("/?{query}"), &[], body.to_string().as_bytes())
    });
    let usage = |report: &str| yunxiao(format!("lingma/organizations/{ORG}/{report}?startTime=FIRST&endTime=2024-12-31&page=100"));
    let all = [
        ("get_daily", feishu("get_daily?")),
        ("get_top_user", feishu("get_top_user?order_by=2&limit=3000&")),
        ("rows in an order", office365(format!("CsActiveUserDaily?$format=Json&$orderby=length({nested})"))),
        ("rows of a filter", office365(format!("CsActiveUserDaily?$filter=length({nested}) gt 1"))),
        ("a count", office365(format!("CsActiveUserDaily/$count?$filter=length({nested}) gt 1"))),
        ("rows as Atom", office365("CsActiveUserDaily".into())),
        ("a distribution", volcengine),
        ("departmentUsage", usage("departmentUsage")),
        ("developerUsage", usage("developerUsage")),
    ];
    check(&server, 200, all.into());
}

/// The accounts of other tests have hashes that cost next to nothing; this one has what `rollcall key hash` makes.
#[test]
fn passwords_hold_nobody_up() {
    // Every guess is looked at.
    let unlimited = ("[[organizations]]", "[sign_in]\nlongest_wait_seconds = 0\n[[organizations]]");
    let (_home, server) = server(&[unlimited, (&password_hash(PASSWORD), &office365::hash_password(PASSWORD).unwrap())]);
    let guess = |number: usize| request("GET", SERVICE, &[("authorization", &basic(&format!("guess {number}")))], b"");
    check(&server, 401, vec![("a wrong password", Box::new(guess))]);
}
