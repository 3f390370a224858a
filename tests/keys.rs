//! A key does what its scopes say, for its organization and its department, until it ends or is revoked; and the audit log says who did what.

use crate::harness::{Answer, KEY, ORG, OTHER_KEY, OTHER_ORG, Server, assistance, complaint, fact, rollcall, stdout};
use serde_json::{Value, json};
use std::collections::BTreeSet;
use std::path::Path;
use std::time::{Duration, Instant};

const RANGE: &str = "from=2025-03-01&to=2025-03-31";

/// Every route that needs a key, and the scopes of which one will do.
const ROUTES: &[(&str, &str, &[&str])] = &[
    ("POST", "/v1/attendance", &["ingest"]),
    ("POST", "/v1/assistance", &["ingest"]),
    ("GET", "/v1/attendance", &["read:people"]),
    ("GET", "/v1/assistance", &["read:people"]),
    ("GET", "/v1/directory", &["read:people"]),
    ("PUT", "/v1/directory", &["ingest"]),
    ("PATCH", "/v1/directory", &["ingest"]),
    ("PUT", "/v1/directory/users", &["ingest"]),
    ("PATCH", "/v1/directory/users", &["ingest"]),
    ("PUT", "/v1/directory/departments", &["ingest"]),
    ("PATCH", "/v1/directory/departments", &["ingest"]),
    ("GET", "/v1/directory/history", &["read"]),
    ("POST", "/v1/directory/restore", &["ingest"]),
    ("GET", "/v1/receipts", &["ingest", "read"]),
    ("POST", "/v1/withdraw", &["ingest", "admin"]),
    ("GET", "/v1/keys", &["admin"]),
    ("POST", "/v1/keys", &["admin"]),
    ("DELETE", "/v1/keys/{key}", &["admin"]),
    ("GET", "/v1/audit", &["admin"]),
    ("GET", "/v1/reports/meeting-days", &["read"]),
    ("GET", "/v1/reports/top-users", &["read:people"]),
    ("GET", "/v1/reports/active-users", &["read"]),
    ("GET", "/v1/reports/users-by-place", &["read"]),
    ("GET", "/v1/reports/department-days", &["read"]),
    ("GET", "/v1/reports/developer-days", &["read:people"]),
    ("GET", "/v1/reports/department-users", &["read"]),
    ("GET", "/v1/reports/concurrency", &["read"]),
    ("GET", "/v1/reports/sessions", &["read"]),
    ("GET", "/v1/reports/session", &["read:people"]),
    ("GET", "/v1/reports/people", &["read:people"]),
    ("GET", "/v1/reports/person", &["read:people"]),
    ("GET", "/v1/reports/silent", &["read:people"]),
];

/// Makes a key on the command line.
fn create(home: &Path, organization: &str, flags: &[&str]) -> String {
    let data = home.join("data");
    let mut command = rollcall();
    command.args(["key", "create", "--organization", organization, "--name", "of the test", "--data"]).arg(data).args(flags);
    stdout(&mut command).trim().to_owned()
}

/// Makes a key with a key.
fn make(server: &Server, admin: &str, wanted: &Value) -> Answer {
    server.send(server.request("POST", "/v1/keys").bearer_auth(admin).json(wanted)).unwrap()
}

fn secret(server: &Server, admin: &str, wanted: &Value) -> String {
    let answer = make(server, admin, wanted);
    assert_eq!(answer.status, 201, "{}", answer.text());
    answer.json()["secret"].as_str().unwrap().to_owned()
}

fn ask(server: &Server, method: &str, path: &str, key: &str) -> Answer {
    let query = match path {
        "/v1/reports/session" => "?session_id=s1&started_at=2025-03-03".to_owned(),
        "/v1/reports/people" => format!("?of=active-users&by=whole&{RANGE}"),
        "/v1/reports/person" => format!("?user=person-zero&{RANGE}"),
        path if path.starts_with("/v1/reports/") && !path.contains('?') => format!("?{RANGE}"),
        _ => String::new(),
    };
    let path = path.replace("{key}", "999");
    server.send(server.request(method, &format!("{path}{query}")).bearer_auth(key)).unwrap()
}

/// Two people of one department below another, one of a third, each with a stay and a use of the assistant.
fn fill(server: &Server) {
    let directory = json!({
        "departments": [{"id": "top", "name": "Top"}, {"id": "below", "parent_id": "top", "name": "Below"}, {"id": "beside", "name": "Beside"}],
        "users": [
            {"id": "person-zero", "name": "Zoë Zero", "departments": ["below"]},
            {"id": "person-one", "name": "One Person", "departments": ["top"]},
            {"id": "person-two", "name": "Two Person", "departments": ["beside"]},
        ],
    });
    assert_eq!(server.send(server.request("PUT", "/v1/directory").bearer_auth(KEY).json(&directory)).unwrap().status, 200);
    let people = ["person-zero", "person-one", "person-two"];
    server.ingest(people.iter().map(|user| fact(1, user)).collect::<String>()).unwrap();
    server.ingest_to("/v1/assistance", people.iter().map(|user| assistance(1, user)).collect::<String>()).unwrap();
}

#[test]
fn every_route_takes_the_keys_that_have_one_of_its_scopes_and_no_others() {
    let server = Server::new();
    fill(&server);
    let admin = create(server.home(), ORG, &["--scope", "admin"]);
    let scopes = ["ingest", "read", "read:people", "admin"];
    let keys = scopes.map(|scope| secret(&server, &admin, &json!({"name": scope, "scopes": [scope]})));
    let document = server.send(server.request("GET", "/v1/openapi.json")).unwrap().json();
    let mut documented = BTreeSet::new();
    for (path, operations) in document["paths"].as_object().unwrap() {
        for (method, operation) in operations.as_object().unwrap() {
            let needed: BTreeSet<String> =
                operation["security"].as_array().unwrap().iter().map(|one| one["key"][0].as_str().unwrap().to_owned()).collect();
            if !needed.is_empty() {
                documented.insert((method.to_uppercase(), path.clone(), needed));
            }
        }
    }
    let of_test = ROUTES.iter().map(|(method, path, needed)| {
        ((*method).to_owned(), (*path).to_owned(), needed.iter().map(|scope| (*scope).to_owned()).collect::<BTreeSet<_>>())
    });
    // A new route belongs into this test.
    assert_eq!(documented, of_test.collect());
    for (method, path, needed) in ROUTES {
        for (scope, key) in scopes.iter().zip(&keys) {
            let answer = ask(&server, method, path, key);
            let may = needed.contains(scope) || *scope == "read:people" && needed.contains(&"read");
            assert_eq!(!matches!(answer.status, 401 | 403), may, "{method} {path} with {scope}: {}", answer.text());
            if !may {
                assert_eq!(answer.json()["type"], "/v1/docs#problem-missing-scope");
            }
        }
        for (key, expected) in [("", 401), ("wrong", 401), (&keys[0][..keys[0].len() - 1], 401)] {
            assert_eq!(ask(&server, method, path, key).status, expected, "{method} {path}");
        }
    }
}

#[test]
fn a_key_without_people_finds_nobody_in_any_answer() {
    let server = Server::new();
    fill(&server);
    let admin = create(server.home(), ORG, &["--scope", "admin"]);
    let counts = secret(&server, &admin, &json!({"name": "counts", "scopes": ["read"]}));
    let names = |answer: &Answer| ["person-", "Zoë", "One Person", "Two Person"].iter().any(|name| answer.text().contains(name));
    let mut asked: Vec<String> = ROUTES.iter().filter(|(method, ..)| *method == "GET").map(|(_, path, _)| (*path).to_owned()).collect();
    for (_, path, _) in ROUTES.iter().filter(|(_, path, _)| path.starts_with("/v1/reports/")) {
        for extra in ["format=csv", "format=xlsx", "by=whole", "breakdown=completion", "department=top", "user_kind=member", "limit=1"] {
            asked.push(format!("{path}?{RANGE}&{extra}"));
        }
        // Not even by asking for one of them.
        let one = ask(&server, "GET", &format!("{path}?{RANGE}&user=person-zero"), &counts);
        assert!(matches!(one.status, 400 | 403) && !one.text().contains("Zoë"), "{path}: {}", one.text());
    }
    for path in &asked {
        let answer = ask(&server, "GET", path, &counts);
        assert!(!names(&answer), "{path}: {}", answer.text());
    }
    // The same with people finds them.
    let people = secret(&server, &admin, &json!({"name": "people", "scopes": ["read:people"]}));
    assert!(names(&ask(&server, "GET", "/v1/reports/top-users", &people)) && names(&ask(&server, "GET", "/v1/directory", &people)));
    assert_eq!(ask(&server, "GET", &format!("/v1/reports/department-days?{RANGE}&department=top"), &counts).status, 200);
}

#[test]
fn a_key_of_a_department_asks_for_its_own_and_what_is_below() {
    let server = Server::new();
    fill(&server);
    let admin = create(server.home(), ORG, &["--scope", "admin"]);
    let key = secret(&server, &admin, &json!({"name": "top", "scopes": ["read:people"], "department": "top"}));
    for (query, status) in [
        ("department-days?department=top", 200),
        ("department-days?department=below", 200),
        ("developer-days?department=below", 200),
        ("department-days?department=beside", 403),
        ("developer-days?department=beside", 403),
        ("department-days?department=nowhere", 403),
        ("department-days?by=day", 403),
        ("developer-days?user=person-zero", 403),
        ("meeting-days?by=x", 400),
        ("active-users?by=day", 403),
        ("active-users?department=below", 200),
        ("active-users?department=beside", 403),
        ("top-users?limit=1", 403),
        ("department-users?department=top", 200),
        ("silent?department=top", 200),
        ("sessions?department=below", 200),
        ("people?of=active-users&by=whole&department=below", 200),
        // A row beside the department has nobody behind it.
        ("people?of=department-users&row=beside&department=top", 200),
        ("people?of=department-users&row=none&department=top", 200),
        // What a report does not take would be passed over.
        ("people?of=users-by-place&row=unknown&department=top", 400),
        ("people?of=top-users&row=person-two&department=top", 400),
        ("people?of=active-users&by=whole", 403),
        ("person?user=person-two", 403),
        ("concurrency?by=day", 403),
    ] {
        let answer = ask(&server, "GET", &format!("/v1/reports/{query}&{RANGE}"), &key);
        assert_eq!(answer.status, status, "{query}: {}", answer.text());
        if status == 403 {
            let problem = answer.json();
            assert_eq!(problem["type"], "/v1/docs#problem-outside-department");
            assert!(problem["detail"].as_str().unwrap().contains("the department top"), "{problem}");
        }
        assert!(!answer.text().contains("person-two"));
    }
    for (method, path, _) in ROUTES.iter().filter(|(_, path, _)| !path.starts_with("/v1/reports/")) {
        assert_eq!(ask(&server, method, path, &key).status, 403, "{method} {path}");
    }
    // The answer of another key to the same question is not given to this one.
    let whole = secret(&server, &admin, &json!({"name": "all", "scopes": ["read"]}));
    let beside = format!("/v1/reports/department-days?department=beside&{RANGE}");
    let seen = ask(&server, "GET", &beside, &whole);
    assert_eq!(seen.status, 200);
    let tag = seen.headers["etag"].clone();
    let again = server.send(server.request("GET", &beside).bearer_auth(&key).header("if-none-match", tag)).unwrap();
    assert_eq!((again.status, ask(&server, "GET", &beside, &key).status), (403, 403));
    // What moves below it is its own from then on.
    let moved = json!({"departments": [{"id": "beside", "parent_id": "top", "name": "Beside"}]});
    assert_eq!(server.send(server.request("PATCH", "/v1/directory").bearer_auth(KEY).json(&moved)).unwrap().status, 200);
    assert_eq!(ask(&server, "GET", &beside, &key).status, 200);
}

#[test]
fn what_makes_no_sense_is_no_key() {
    let server = Server::with("[storage]\nkeys_per_organization = 3\n");
    fill(&server);
    let admin = create(server.home(), ORG, &["--scope", "admin"]);
    for (wanted, field) in [
        (json!({"name": "", "scopes": ["read"]}), "name"),
        (json!({"name": "a\nb", "scopes": ["read"]}), "name"),
        (json!({"name": "a", "scopes": []}), "scopes"),
        (json!({"name": "a", "scopes": ["write"]}), "scopes"),
        (json!({"name": "a", "scopes": ["read"], "expires": "2020-01-01"}), "expires"),
        (json!({"name": "a", "scopes": ["read"], "expires": "soon"}), "expires"),
        (json!({"name": "a", "scopes": ["read"], "department": "nowhere"}), "department"),
        (json!({"name": "a", "scopes": ["ingest"], "department": "top"}), "scopes"),
        (json!({"name": "a", "scopes": ["admin", "read"], "department": "top"}), "scopes"),
        (json!({"name": "a", "scopes": ["read"], "colour": 1}), "colour"),
        (json!([{"name": "a", "scopes": ["read"]}]), "the key"),
    ] {
        let answer = make(&server, &admin, &wanted);
        assert!(answer.status == 400 && (answer.text().contains(field) || field == "scopes"), "{wanted}: {}", answer.text());
    }
    secret(&server, &admin, &json!({"name": "second", "scopes": ["read"]}));
    let third = make(&server, &admin, &json!({"name": "third", "scopes": ["read"]})).json()["key"].as_u64().unwrap();
    let over = make(&server, &admin, &json!({"name": "fourth", "scopes": ["read"]}));
    assert!(over.status == 507 && over.text().contains("storage.keys_per_organization"), "{}", over.text());
    assert_eq!(ask(&server, "DELETE", &format!("/v1/keys/{third}"), &admin).status, 204);
    secret(&server, &admin, &json!({"name": "fourth", "scopes": ["read"]}));
}

#[test]
fn a_key_is_durable_ends_and_is_revoked_at_once_and_all_of_it_is_in_the_audit_log() {
    let home = tempfile::tempdir().unwrap();
    let mut server = Server::start(home.path());
    let admin = create(home.path(), ORG, &["--scope", "admin"]);
    let made = make(&server, &admin, &json!({"name": "ci", "scopes": ["read", "ingest", "read"]})).json();
    let (number, key) = (made["key"].as_u64().unwrap(), made["secret"].as_str().unwrap().to_owned());
    assert!(key.starts_with("rck_") && made["scopes"] == json!(["ingest", "read"]), "{made}");
    assert_eq!(ask(&server, "GET", "/v1/reports/meeting-days", &key).status, 200);
    let listed = ask(&server, "GET", "/v1/keys", &admin);
    assert!(listed.json()["keys"].as_array().unwrap().iter().all(|key| key["last_used"].is_string()), "{}", listed.text());
    assert!(!listed.text().contains(&key) && !listed.text().contains(&crate::harness::hash(&key)[7..]));
    // Another organization does not know it, nor can revoke it.
    let stranger = create(home.path(), OTHER_ORG, &["--scope", "admin"]);
    assert_eq!(ask(&server, "DELETE", &format!("/v1/keys/{number}"), &stranger).status, 404);
    assert_eq!(ask(&server, "GET", "/v1/keys", &stranger).json()["keys"].as_array().unwrap().len(), 1);
    server.kill();
    let server = Server::start(home.path());
    assert_eq!(ask(&server, "GET", "/v1/reports/meeting-days", &key).status, 200);
    // Its first use is written soon.
    let actions = |key: &str| -> Vec<String> {
        let events = ask(&server, "GET", "/v1/audit", key).json();
        events["events"]
            .as_array()
            .unwrap()
            .iter()
            .map(|event| format!("{} {}", event["actor"]["kind"].as_str().unwrap(), event["action"].as_str().unwrap()))
            .collect()
    };
    let begun = Instant::now();
    while actions(&admin).iter().filter(|action| *action == "key key-first-used").count() < 2 {
        assert!(begun.elapsed() < Duration::from_secs(60), "{:?}", actions(&admin));
    }
    assert_eq!(ask(&server, "DELETE", &format!("/v1/keys/{number}"), &admin).status, 204);
    assert_eq!(ask(&server, "GET", "/v1/reports/meeting-days", &key).status, 401);
    assert_eq!(ask(&server, "DELETE", &format!("/v1/keys/{number}"), &admin).status, 404);
    fill(&server);
    let receipt = ask(&server, "GET", "/v1/receipts", KEY).json()["receipts"][0]["receipt"].clone();
    let withdrawal = json!({"receipts": [receipt], "facts": 3});
    assert_eq!(server.send(server.request("POST", "/v1/withdraw").bearer_auth(KEY).json(&withdrawal)).unwrap().status, 403);
    assert_eq!(server.send(server.request("POST", "/v1/withdraw").bearer_auth(&admin).json(&withdrawal)).unwrap().status, 200);
    let found = actions(&admin);
    assert_eq!(found[..3], ["key facts-withdrawn", "configured-key directory-changed", "key key-revoked"]);
    assert!(found.contains(&"operator key-made".to_owned()) && found.contains(&"key key-made".to_owned()), "{found:?}");
    assert_eq!(actions(&stranger).last().map(String::as_str), Some("operator key-made"));
    // Page by page they are the same.
    let (mut paged, mut path) = (Vec::new(), "/v1/audit?limit=2".to_owned());
    loop {
        let page = ask(&server, "GET", &path, &admin).json();
        paged.extend(page["events"].as_array().unwrap().iter().map(|event| event["number"].as_u64().unwrap()));
        let Some(next) = page["next"].as_str() else { break };
        path = format!("/v1/audit?limit=2&cursor={next}");
    }
    assert!(paged.len() >= found.len() && paged.windows(2).all(|pair| pair[0] == pair[1] + 1), "{paged:?}");
    let text = ask(&server, "GET", "/v1/audit", &admin).text();
    assert!(!text.contains("person-") && !text.contains("Zoë"), "{text}");
}

#[test]
fn the_command_line_makes_lists_and_revokes_keys_with_a_server_or_without() {
    let home = tempfile::tempdir().unwrap();
    let server = Server::start(home.path());
    let soon = jiff::Timestamp::now().as_millisecond() + 2_000;
    let ends = create(home.path(), ORG, &["--scope", "read,read:people", "--expires", &soon.to_string()]);
    // It is good until then, and no longer.
    let begun = Instant::now();
    let ended = loop {
        let answer = ask(&server, "GET", "/v1/reports/meeting-days", &ends);
        if answer.status != 200 {
            break answer;
        }
        assert!(begun.elapsed() < Duration::from_secs(60));
    };
    assert!(ended.status == 401 && ended.text().contains("the key ended at"), "{}", ended.text());
    server.await_log("reason=\"the key has ended\"");
    let at = |command: &[&str], rest: &[&str]| {
        let mut all = rollcall();
        all.args(command).args(["--organization", ORG, "--data"]).arg(home.path().join("data")).args(rest);
        all
    };
    let listed: Value = serde_json::from_str(&stdout(&mut at(&["key", "list"], &["--format", "json"]))).unwrap();
    assert_eq!((&listed[0]["scopes"], &listed[0]["name"]), (&json!(["read", "read:people"]), &json!("of the test")));
    let number = listed[0]["key"].to_string();
    drop(server);
    let _ = stdout(&mut at(&["key", "revoke"], &["--key", &number]));
    assert!(complaint(&mut at(&["key", "revoke"], &["--key", &number]), 1).contains(&format!("has no key {number}")));
    let day = complaint(&mut at(&["key", "create"], &["--name", "n", "--scope", "read", "--expires", "2099-01-01"]), 2);
    assert!(day.contains("say --config"), "{day}");
    let audit = stdout(&mut at(&["audit"], &[]));
    assert!(audit.contains("key-revoked") && audit.contains("operator") && audit.contains("of the test"), "{audit}");
    assert!(complaint(&mut at(&["key", "create"], &["--name", "n", "--scope", "write"]), 2).contains("read:people"));
    // Made while no server runs, it opens the next.
    let key = create(home.path(), ORG, &["--scope", "read"]);
    let server = Server::start(home.path());
    assert_eq!(ask(&server, "GET", "/v1/reports/meeting-days", &key).status, 200);
    assert_eq!(ask(&server, "GET", "/v1/reports/meeting-days", OTHER_KEY).status, 200);
}
