//! The native API keeps what HTTP promises: problems, ids of requests, methods, tags, formats, pages, limits, and a document that says so.

use crate::harness::{Answer, KEY, OTHER_KEY, Server, configuration, fact};
use serde_json::Value;
use std::collections::BTreeSet;

const DAYS: &str = "/v1/reports/meeting-days?from=2025-03-01&to=2025-03-07";

fn ask(server: &Server, method: &str, path: &str, headers: &[(&str, &str)]) -> Answer {
    let request = headers.iter().fold(server.request(method, path), |request, (name, value)| request.header(*name, *value));
    server.send(request.bearer_auth(KEY)).unwrap()
}

fn header<'a>(answer: &'a Answer, name: &str) -> &'a str {
    answer.headers.get(name).map_or("", |value| value.to_str().unwrap())
}

#[test]
fn whatever_is_refused_is_a_problem_that_says_what_was_expected() {
    let server = Server::new();
    for (method, path, key, status, kind) in [
        ("GET", "/nothing", KEY, 404, "not-found"),
        ("GET", "/v1/reports/nothing?from=2025-03-01&to=2025-03-01", KEY, 404, "not-found"),
        ("GET", "/v1/reports/%FF", KEY, 400, "bad-request"),
        ("GET", "/v1/directory?version=9", KEY, 404, "not-found"),
        ("DELETE", "/v1/directory", KEY, 405, "method-not-allowed"),
        ("GET", DAYS, "wrong", 401, "unauthorized"),
        ("GET", "/v1/keys", KEY, 403, "missing-scope"),
        ("POST", "/v1/attendance", KEY, 415, "unsupported"),
        ("POST", "/v1/withdraw", KEY, 400, "bad-request"),
        ("GET", "/v1/receipts?limit=0", KEY, 400, "bad-parameter"),
    ] {
        let answer = server.send(server.request(method, path).bearer_auth(key).body("[]")).unwrap();
        let problem = answer.json();
        assert_eq!((answer.status, header(&answer, "content-type")), (status, "application/problem+json"), "{method} {path}");
        assert_eq!((&problem["type"], &problem["status"]), (&format!("/v1/docs#problem-{kind}").into(), &status.into()), "{problem}");
        assert_eq!(problem["instance"], path.split('?').next().unwrap(), "{problem}");
        assert_eq!(problem["request_id"], header(&answer, "x-request-id"));
        assert!(problem["title"].is_string() && problem["detail"].is_string());
    }
    let wrong = server.get("/v1/reports/active-users?from=2025-03-01&to=2025-03-01&by=fortnight", KEY).unwrap().json();
    let errors = &wrong["errors"][0];
    assert_eq!((&errors["parameter"], &errors["value"]), (&"by".into(), &"fortnight".into()), "{wrong}");
    assert!(errors["expected"].as_str().unwrap().starts_with("hour, day, week"), "{wrong}");
    let missing = server.get("/v1/reports/meeting-days?to=2025-03-01", KEY).unwrap().json();
    assert_eq!((&missing["errors"][0]["parameter"], &missing["errors"][0]["value"]), (&"from".into(), &Value::Null));
    let refused = server.post("", "application/x-ndjson", fact(1, "u") + "{}\n").unwrap();
    let (problem, receipt) = (refused.json(), refused.receipt());
    assert_eq!((refused.status, &problem["type"], receipt.rejected), (400, &"/v1/docs#problem-refused-facts".into(), 1));
    assert_eq!((receipt.accepted, receipt.errors[0].line), (0, 2));
}

#[test]
fn a_request_has_the_id_it_came_with_or_one_of_ours_in_the_answer_and_every_line() {
    let server = Server::new();
    let answer = ask(&server, "GET", DAYS, &[("x-request-id", "from-the-client.1")]);
    assert_eq!((answer.status, header(&answer, "x-request-id")), (200, "from-the-client.1"));
    server.await_log("request_id=\"from-the-client.1\"");
    let unsafe_one = ask(&server, "GET", DAYS, &[("x-request-id", "<script>")]);
    assert_eq!(header(&unsafe_one, "x-request-id").len(), 32);
    assert!(!server.log().contains("<script>"));
    // What is logged on the way has it too.
    let body = r#"{"users":[{"id":"u","name":"Ann"}]}"#;
    let request = server.request("PUT", "/v1/directory").bearer_auth(KEY).header("content-type", "application/json");
    let changed = server.send(request.header("x-request-id", "of-the-change").body(body)).unwrap();
    assert_eq!((changed.status, header(&changed, "x-request-id")), (200, "of-the-change"));
    server.await_log("request_id=\"of-the-change\"");
    assert!(server.log().lines().any(|line| line.contains("directory changed") && line.contains("id=of-the-change")), "{}", server.log());
}

#[test]
fn head_options_and_405_say_what_a_path_takes() {
    let server = Server::new();
    let (whole, head) = (ask(&server, "GET", DAYS, &[]), ask(&server, "HEAD", DAYS, &[]));
    assert_eq!((head.status, head.body.len()), (200, 0));
    assert_eq!(header(&head, "content-length"), whole.body.len().to_string());
    assert_eq!(header(&head, "etag"), header(&whole, "etag"));
    for (path, methods) in [(DAYS, "GET,HEAD,OPTIONS"), ("/v1/directory", "GET,HEAD,OPTIONS,PATCH,PUT"), ("/v1/keys/1", "DELETE,OPTIONS")] {
        let sorted = |answer: &Answer| {
            let methods: BTreeSet<_> = header(answer, "allow").split(',').map(|method| method.trim().to_owned()).collect();
            methods.into_iter().collect::<Vec<_>>().join(",")
        };
        let (options, refused) = (ask(&server, "OPTIONS", path, &[]), ask(&server, "TRACE", path, &[]));
        assert_eq!((options.status, sorted(&options)), (204, methods.to_owned()), "{path}");
        assert_eq!((refused.status, sorted(&refused)), (405, methods.to_owned()), "{path}");
    }
}

#[test]
fn pages_of_other_origins_are_let_in_only_where_they_are_listed() {
    let listed = "https://reports.example.com";
    let preflight = [("origin", listed), ("access-control-request-method", "GET"), ("access-control-request-headers", "authorization")];
    let server = Server::new();
    let closed = ask(&server, "OPTIONS", DAYS, &preflight);
    assert!(closed.status == 204 && closed.headers.keys().all(|name| !name.as_str().starts_with("access-control")));
    let server = Server::with(&format!("[cors]\norigins = [\"{listed}\"]"));
    let open = ask(&server, "OPTIONS", DAYS, &preflight);
    assert_eq!((open.status, header(&open, "access-control-allow-origin"), header(&open, "vary")), (204, listed, "origin"));
    assert!(
        header(&open, "access-control-allow-methods").contains("GET")
            && header(&open, "access-control-allow-headers").contains("authorization")
    );
    let asked = ask(&server, "GET", DAYS, &[("origin", listed)]);
    assert_eq!((asked.status, header(&asked, "access-control-allow-origin")), (200, listed));
    assert!(header(&asked, "access-control-expose-headers").contains("etag"));
    assert!(!asked.headers.contains_key("access-control-allow-credentials"));
    for other in ["https://evil.example", "http://reports.example.com", "null"] {
        let refused = ask(&server, "GET", DAYS, &[("origin", other)]);
        assert!(!refused.headers.contains_key("access-control-allow-origin"), "{other}");
    }
}

#[test]
fn an_answer_that_a_client_has_is_not_sent_again_until_it_is_another() {
    let home = tempfile::tempdir().unwrap();
    let mut server = Server::start(home.path());
    server.ingest(fact(1, "u")).unwrap();
    let put = |server: &Server, name: &str| {
        let body = serde_json::json!({ "users": [{ "id": "u", "name": name }] });
        assert_eq!(server.send(server.request("PUT", "/v1/directory").bearer_auth(KEY).json(&body)).unwrap().status, 200);
    };
    put(&server, "Ann");
    let paths = [DAYS, "/v1/directory", "/v1/directory/history", "/v1/receipts", "/v1/openapi.json", "/v1/docs"];
    let tags: Vec<String> = paths.iter().map(|path| header(&ask(&server, "GET", path, &[]), "etag").to_owned()).collect();
    let again = |server: &Server, path: &str, tag: &str| {
        let answer = ask(server, "GET", path, &[("if-none-match", tag)]);
        assert_eq!(answer.status == 304, answer.body.is_empty());
        assert!(header(&answer, "cache-control").contains("no-cache"));
        (answer.status, header(&answer, "etag").to_owned())
    };
    for (path, tag) in paths.iter().zip(&tags) {
        assert!(tag.starts_with('"') && again(&server, path, tag) == (304, tag.clone()), "{path} {tag}");
        assert_eq!(again(&server, path, "\"another\"").0, 200);
    }
    // Another question, format or organization is another answer.
    assert_eq!(again(&server, &format!("{DAYS}&zone=UTC"), &tags[0]).0, 200);
    assert_eq!(ask(&server, "GET", DAYS, &[("if-none-match", &tags[0]), ("accept", "text/csv")]).status, 200);
    let theirs = server.request("GET", DAYS).bearer_auth(OTHER_KEY).header("if-none-match", &tags[0]);
    assert_eq!(server.send(theirs).unwrap().status, 200);
    assert_eq!(server.send(server.request("GET", DAYS).header("if-none-match", &tags[0])).unwrap().status, 401);
    server.ingest(fact(2, "u")).unwrap();
    for (path, tag) in paths.iter().zip(&tags).take(4) {
        assert_eq!(again(&server, path, tag).0, 200, "{path}");
    }
    let before = header(&ask(&server, "GET", "/v1/directory", &[]), "etag").to_owned();
    put(&server, "Bob");
    assert_eq!(again(&server, "/v1/directory", &before).0, 200);
    // Another process has tags of its own.
    let last = header(&ask(&server, "GET", DAYS, &[]), "etag").to_owned();
    server.kill();
    let server = Server::start(home.path());
    assert_eq!(again(&server, DAYS, &last).0, 200);
    assert_eq!(again(&server, "/v1/openapi.json", &tags[4]).0, 304, "this does not change");
}

#[test]
fn a_report_is_json_csv_or_xlsx_as_it_is_asked_for() {
    let server = Server::with("[limits]\nxlsx_cells = 60\n");
    server.ingest(fact(1, "u") + &fact(2, "v")).unwrap();
    let kind = |answer: &Answer| header(answer, "content-type").split(';').next().unwrap().to_owned();
    let xlsx = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet";
    for (accept, expected) in
        [("*/*", "application/json"), ("text/csv", "text/csv"), (xlsx, xlsx), ("application/json;q=0.1, text/csv;q=0.9", "text/csv")]
    {
        let answer = ask(&server, "GET", DAYS, &[("accept", accept)]);
        assert_eq!((answer.status, kind(&answer)), (200, expected.to_owned()), "{accept}");
    }
    let refused = ask(&server, "GET", DAYS, &[("accept", "text/html")]);
    assert!(refused.status == 406 && refused.json()["detail"].as_str().unwrap().contains("text/csv"), "{}", refused.text());
    // What the query says comes first.
    let csv = ask(&server, "GET", &format!("{DAYS}&format=csv&bom=1"), &[("accept", "text/html")]);
    let plain = ask(&server, "GET", &format!("{DAYS}&format=csv"), &[]);
    assert_eq!(csv.body, [b"\xEF\xBB\xBF", plain.body.as_slice()].concat());
    assert!(header(&plain, "x-rollcall-covers").contains("\"exact\":true"));
    assert_eq!(ask(&server, "GET", &format!("{DAYS}&bom=1"), &[]).status, 400);
    assert_eq!(ask(&server, "GET", &format!("{DAYS}&format=pdf"), &[]).status, 400);
    let book = ask(&server, "GET", &format!("{DAYS}&format=xlsx"), &[]);
    assert!(book.status == 200 && book.body.starts_with(b"PK\x03\x04"));
    let long = ask(&server, "GET", "/v1/reports/meeting-days?from=2025-03-01&to=2025-03-31&format=xlsx", &[]);
    assert!(long.status == 400 && long.json()["detail"].as_str().unwrap().contains("limits.xlsx_cells"), "{}", long.text());
    // Exports too: what Excel reads is read here.
    let export = ask(&server, "GET", "/v1/attendance?format=csv&bom=1", &[]);
    assert!(export.body.starts_with(b"\xEF\xBB\xBF"));
    let again = server.post("", "text/csv", export.body).unwrap();
    let again = again.receipt();
    assert_eq!((again.accepted, again.duplicate + again.conflicting, again.rejected), (0, 2, 0));
}

#[test]
fn a_key_that_asks_too_often_is_told_when_to_come_again() {
    let server = Server::with("[limits]\nrequests_per_minute = 3\nfact_requests_per_minute = 1\n");
    let policies: Vec<_> = (0..4).map(|_| ask(&server, "GET", DAYS, &[])).collect();
    let statuses: Vec<_> = policies.iter().map(|answer| answer.status).collect();
    assert_eq!(statuses, [200, 200, 200, 429]);
    assert_eq!(header(&policies[0], "ratelimit-policy"), "\"requests\";q=3;w=60");
    assert!(header(&policies[0], "ratelimit").starts_with("\"requests\";r=2;t="), "{:?}", policies[0].headers);
    assert!(header(&policies[3], "ratelimit").starts_with("\"requests\";r=0;t="));
    let wait: u64 = header(&policies[3], "retry-after").parse().unwrap();
    assert!((1..=60).contains(&wait) && policies[3].json()["detail"].as_str().unwrap().contains("limits.requests_per_minute"));
    // Facts are counted apart, and so is each key.
    assert_eq!(server.post("", "application/x-ndjson", fact(1, "u")).unwrap().status, 200);
    assert_eq!(server.post("", "application/x-ndjson", fact(2, "u")).unwrap().status, 429);
    assert_eq!(server.get(DAYS, OTHER_KEY).unwrap().status, 200);
    // Nobody counts what is refused for want of a key.
    assert!((0..5).all(|_| server.get(DAYS, "wrong").unwrap().status == 401));
    std::fs::write(server.home().join("rollcall.toml"), configuration("[limits]\nrequests_per_minute = 0\n")).unwrap();
    server.signal("HUP");
    server.await_log("configuration reloaded");
    let open = ask(&server, "GET", DAYS, &[]);
    assert!(open.status == 200 && !open.headers.contains_key("ratelimit"));
}

#[test]
fn pages_neither_repeat_nor_drop_a_receipt_and_a_cursor_is_of_its_list() {
    let server = Server::new();
    let mut given: Vec<u64> = (0..5).map(|number| server.ingest(fact(number, "u")).unwrap().receipt.unwrap()).collect();
    given.reverse();
    let (mut found, mut path, mut number) = (Vec::new(), "/v1/receipts?limit=2".to_owned(), 100);
    let mut cursor = String::new();
    loop {
        let answer = ask(&server, "GET", &path, &[]);
        let page = answer.json();
        found.extend(page["receipts"].as_array().unwrap().iter().map(|kept| kept["receipt"].as_u64().unwrap()));
        number += 1;
        server.ingest(fact(number, "u")).unwrap();
        let Some(next) = page["next"].as_str() else {
            assert!(!answer.headers.contains_key("link"));
            break;
        };
        next.clone_into(&mut cursor);
        path = format!("/v1/receipts?limit=2&cursor={next}");
        assert_eq!(header(&answer, "link"), format!("<{path}>; rel=\"next\""));
    }
    assert_eq!(found, given);
    // Of another organization, another list, or made up.
    assert_eq!(server.get(&format!("/v1/receipts?cursor={cursor}"), OTHER_KEY).unwrap().status, 400);
    for wrong in ["1", "AAAA", &cursor[1..], &"A".repeat(5000)] {
        assert_eq!(ask(&server, "GET", &format!("/v1/receipts?cursor={wrong}"), &[]).status, 400, "{wrong}");
    }
}

/// The document and the router are made of one table; this asks the running server.
#[test]
fn the_document_has_the_paths_and_methods_that_the_server_answers() {
    let server = Server::new();
    let answer = server.send(server.request("GET", "/v1/openapi.json")).unwrap();
    let document = answer.json();
    assert_eq!((answer.status, &document["openapi"]), (200, &"3.1.0".into()));
    for (path, operations) in document["paths"].as_object().unwrap() {
        let mut documented: BTreeSet<String> = operations.as_object().unwrap().keys().map(|method| method.to_uppercase()).collect();
        if documented.contains("GET") {
            documented.insert("HEAD".into());
        }
        documented.insert("OPTIONS".into());
        let options = ask(&server, "OPTIONS", &path.replace("{key}", "1"), &[]);
        let allowed: BTreeSet<String> = header(&options, "allow").split(',').map(|method| method.trim().to_owned()).collect();
        assert_eq!((options.status, allowed), (204, documented), "{path}");
    }
    let reports = document["paths"].as_object().unwrap().keys().filter(|path| path.starts_with("/v1/reports/")).count();
    assert!(reports >= 6);
    let page = server.send(server.request("GET", "/v1/docs").header("accept-language", "zh-CN,en;q=0.5")).unwrap();
    assert!(page.status == 200 && page.text().contains("lang=\"zh-CN\""));
    assert!(header(&page, "content-security-policy").starts_with("default-src 'none'; style-src 'sha256-"));
    assert_eq!(server.send(server.request("GET", "/v1/docs?lang=fr")).unwrap().status, 400);
}
