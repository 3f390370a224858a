//! No credential ever reads or writes another organization's data, through any API. A new API adds its credentials here.

use crate::harness::{
    ACCESS_KEY, ACCESS_SECRET, APP_ID, APP_SECRET, Answer, KEY, ORG, OTHER_APP_ID, OTHER_APP_SECRET, OTHER_KEY, OTHER_ORG, OTHER_PASSWORD,
    OTHER_USER, PASSWORD, Server, TOKEN, USER, fact,
};

mod volcengine;
mod yunxiao;

const FEISHU_DAYS: &str = "/open-apis/vc/v1/reports/get_daily?start_time=1740960000&end_time=1741046400";

fn token(server: &Server, app_id: &str, app_secret: &str) -> Answer {
    let body = serde_json::json!({ "app_id": app_id, "app_secret": app_secret });
    server.send(server.request("POST", "/open-apis/auth/v3/tenant_access_token/internal").json(&body)).unwrap()
}

fn token_of(server: &Server, app_id: &str, app_secret: &str) -> String {
    token(server, app_id, app_secret).json()["tenant_access_token"].as_str().unwrap().to_owned()
}

fn feishu_meetings(server: &Server, token: &str) -> String {
    let answer = server.get(FEISHU_DAYS, token).unwrap();
    answer.json()["data"]["meeting_report"]["total_meeting_count"].as_str().unwrap_or_else(|| panic!("{}", answer.text())).to_owned()
}

fn put_directory(server: &Server, key: &str, name: &str) {
    let body = serde_json::json!({ "users": [{ "id": "u", "name": name }] });
    assert_eq!(server.send(server.request("PUT", "/v1/directory").bearer_auth(key).json(&body)).unwrap().status, 200);
}

fn top_names(server: &Server, key: &str) -> String {
    let answer = server.get("/v1/reports/top-users?from=2025-03-01&to=2025-03-31", key).unwrap();
    let json = answer.json();
    json["rows"].as_array().unwrap().iter().map(|row| row["name"].as_str().unwrap()).collect()
}

#[test]
fn the_same_facts_of_two_organizations_stay_apart() {
    let server = Server::new();
    let post = |key: &str, body: String| {
        let request = server.request("POST", "/v1/attendance").bearer_auth(key).header("content-type", "application/x-ndjson");
        server.send(request.body(body)).unwrap().receipt()
    };
    // One id, one session, one user: in each organization it is a fact of its own.
    assert_eq!(post(KEY, fact(1, "u")).accepted, 1);
    assert_eq!((server.meetings(KEY), server.meetings(OTHER_KEY)), (1, 0));
    assert_eq!(post(OTHER_KEY, fact(1, "u") + &fact(2, "u")).accepted, 2);
    assert_eq!((server.meetings(KEY), server.meetings(OTHER_KEY)), (1, 2));
    put_directory(&server, KEY, "Ann");
    assert_eq!((top_names(&server, KEY), top_names(&server, OTHER_KEY)), ("Ann".into(), "u".into()));
    put_directory(&server, OTHER_KEY, "Bob");
    assert_eq!((top_names(&server, KEY), top_names(&server, OTHER_KEY)), ("Ann".into(), "Bob".into()));

    let (first, other) = (token_of(&server, APP_ID, APP_SECRET), token_of(&server, OTHER_APP_ID, OTHER_APP_SECRET));
    assert_eq!((feishu_meetings(&server, &first), feishu_meetings(&server, &other)), ("1".into(), "2".into()));
}

#[test]
fn a_credential_opens_its_own_api_only() {
    let server = Server::new();
    let token = token_of(&server, APP_ID, APP_SECRET);
    for wrong in ["", "no such key", &token, APP_SECRET, ORG, OTHER_ORG, &crate::harness::hash(KEY)] {
        for (method, path) in [
            ("GET", "/v1/reports/meeting-days?from=2025-03-01&to=2025-03-01"),
            ("GET", "/v1/directory"),
            ("PUT", "/v1/directory"),
            ("PUT", "/v1/directory/users"),
            ("PUT", "/v1/directory/departments"),
            ("PATCH", "/v1/directory"),
            ("PATCH", "/v1/directory/users"),
            ("PATCH", "/v1/directory/departments"),
            ("GET", "/v1/directory?version=1"),
            ("GET", "/v1/directory/history"),
            ("POST", "/v1/directory/restore?version=1"),
            ("POST", "/v1/attendance"),
            ("GET", "/v1/attendance"),
            ("GET", "/v1/assistance"),
        ] {
            let answer = server.send(server.request(method, path).bearer_auth(wrong).body("{}")).unwrap();
            assert_eq!((answer.status, answer.json()["detail"].is_string()), (401, true), "{method} {path} with {wrong}");
        }
    }
    let basic = server.send(server.request("GET", "/v1/directory").basic_auth("x", Some(KEY))).unwrap();
    assert_eq!(basic.status, 401);
    for wrong in [KEY, OTHER_KEY, APP_SECRET, "t-forged"] {
        let answer = server.get(FEISHU_DAYS, wrong).unwrap();
        assert!(answer.json()["code"] != 0 && answer.json()["data"].is_null(), "{wrong}: {}", answer.text());
    }
}

#[test]
fn a_key_changes_looks_back_at_and_restores_its_own_directory_only() {
    let server = Server::new();
    let ask = |key: &str, method: &str, path: &str| server.send(server.request(method, path).bearer_auth(key)).unwrap();
    put_directory(&server, KEY, "Ann");
    put_directory(&server, KEY, "Anna");
    assert_eq!(ask(OTHER_KEY, "GET", "/v1/directory/history").json(), serde_json::json!({ "versions": [] }));
    assert_eq!(ask(OTHER_KEY, "GET", "/v1/directory?version=1").status, 404);
    assert_eq!(ask(OTHER_KEY, "POST", "/v1/directory/restore?version=1").status, 404);
    let body = serde_json::json!({ "users": [{ "id": "u", "name": "Bob" }] });
    let patched = server.send(server.request("PATCH", "/v1/directory").bearer_auth(OTHER_KEY).json(&body)).unwrap();
    assert_eq!((patched.status, &patched.json()["version"]), (200, &1.into()));
    for (half, csv) in [("users", "id,name\nv,Eve\n"), ("departments", "id,name\nd,D\n")] {
        let request = server.request("PATCH", &format!("/v1/directory/{half}")).bearer_auth(OTHER_KEY).header("content-type", "text/csv");
        assert_eq!(server.send(request.body(csv)).unwrap().status, 200);
    }
    let first = ask(KEY, "GET", "/v1/directory").json();
    assert_eq!(
        (&first["users"][0]["name"], &first["users"][1], &first["departments"][0]),
        (&"Anna".into(), &serde_json::Value::Null, &serde_json::Value::Null)
    );
    assert_eq!(ask(KEY, "GET", "/v1/directory/history").json()["versions"].as_array().unwrap().len(), 2);
    assert_eq!(ask(KEY, "POST", "/v1/directory/restore?version=1").status, 200);
    assert_eq!(ask(KEY, "GET", "/v1/directory").json()["users"][0]["name"], "Ann");
    let other = ask(OTHER_KEY, "GET", "/v1/directory").json();
    assert_eq!(
        (&other["users"][0]["name"], &other["users"][1]["name"], &other["departments"][0]["id"]),
        (&"Bob".into(), &"Eve".into(), &"d".into())
    );
}

/// A stay at a computer.
fn at_computer(user: &str) -> String {
    fact(1, user).replace('{', "{\"device\":\"web\",")
}

#[test]
fn an_account_sees_its_own_organization_only() {
    let server = Server::new();
    for (key, users) in [(KEY, &["u"][..]), (OTHER_KEY, &["u", "v", "w"])] {
        let body: String = users.iter().map(|user| at_computer(user)).collect();
        let request = server.request("POST", "/v1/attendance").bearer_auth(key).header("content-type", "application/x-ndjson");
        assert_eq!(server.send(request.body(body)).unwrap().receipt().accepted, users.len() as u64);
    }
    for (user, password, own, name, other, other_name, users) in
        [(USER, PASSWORD, ORG, "First", OTHER_ORG, "Other", "1"), (OTHER_USER, OTHER_PASSWORD, OTHER_ORG, "Other", ORG, "First", "3")]
    {
        for set in ["CsActiveUserDaily", "CsActiveUserWeekly", "CsActiveUserMonthly", "CsActiveUserYearly"] {
            let answer = server.office365(&format!("/{set}?$format=Json"), user, password);
            let rows = answer.json()["d"]["results"].clone();
            let row = (&rows[0]["TenantGuid"], &rows[0]["TenantName"], &rows[0]["ActiveUsers"], &rows[1]);
            assert_eq!(row, (&own.into(), &name.into(), &users.into(), &serde_json::Value::Null), "{set}: {}", answer.text());
            for format in ["Json", "Atom"] {
                let text = server.office365(&format!("/{set}?$format={format}"), user, password).text();
                assert!(text.contains(own) && !text.contains(other) && !text.contains(other_name), "{text}");
            }
            // Nor by asking for it.
            let asked = format!("/{set}?$format=Json&$filter=TenantGuid%20eq%20guid'{other}'%20or%20TenantName%20eq%20'{other_name}'");
            let answer = server.office365(&asked, user, password);
            assert_eq!(answer.json()["d"]["results"], serde_json::json!([]), "{}", answer.text());
        }
    }
}

#[test]
fn credentials_of_other_apis_and_organizations_open_no_account() {
    let server = Server::new();
    let token = token_of(&server, APP_ID, APP_SECRET);
    let hash = crate::harness::password_hash(PASSWORD);
    for (user, password) in [
        (USER, OTHER_PASSWORD),
        (OTHER_USER, PASSWORD),
        (USER, KEY),
        (USER, APP_SECRET),
        (USER, &token),
        (USER, &hash),
        (USER, ""),
        ("", PASSWORD),
        ("nobody@first.example", PASSWORD),
        (ORG, KEY),
        (APP_ID, APP_SECRET),
    ] {
        for path in ["", "/", "/$metadata", "/CsActiveUserDaily", "/CsActiveUserDaily/$count"] {
            let answer = server.office365(path, user, password);
            assert_eq!(answer.status, 401, "{user} {password} {path}: {}", answer.text());
            assert!(answer.headers["www-authenticate"].to_str().unwrap().starts_with("Basic realm="));
            assert!(!answer.text().contains("CsActiveUser"), "{}", answer.text());
        }
    }
    for bearer in [KEY, &token, PASSWORD] {
        assert_eq!(server.get("/ecp/reportingwebservice/reporting.svc/CsActiveUserDaily", bearer).unwrap().status, 401, "{bearer}");
    }
    // Whatever was refused before, the account itself is let in, and its name has no case.
    for user in [USER, "admin@first.example"] {
        assert_eq!(server.office365("/CsActiveUserDaily", user, PASSWORD).status, 200);
    }
    // An account opens no other API.
    let basic = |method: &str, path: &str| server.send(server.request(method, path).basic_auth(USER, Some(PASSWORD)).body("{}")).unwrap();
    for (method, path) in
        [("POST", "/v1/attendance"), ("PUT", "/v1/directory"), ("GET", "/v1/reports/active-users?from=2025-03-01&to=2025-03-01")]
    {
        assert_eq!(basic(method, path).status, 401, "{method} {path}");
        let bearer = server.send(server.request(method, path).bearer_auth(PASSWORD).body("{}")).unwrap();
        assert_eq!(bearer.status, 401, "{method} {path}");
    }
    for answer in [basic("GET", FEISHU_DAYS), server.get(FEISHU_DAYS, PASSWORD).unwrap()] {
        assert!(answer.json()["code"] != 0 && answer.json()["data"].is_null(), "{}", answer.text());
    }
    let answer = self::token(&server, USER, PASSWORD).json();
    assert!(answer["code"] != 0 && answer["tenant_access_token"].is_null(), "{answer}");
}

#[test]
fn the_secret_of_one_app_is_not_that_of_another() {
    let server = Server::new();
    for (app_id, app_secret) in [(APP_ID, OTHER_APP_SECRET), (OTHER_APP_ID, APP_SECRET), (APP_ID, ""), ("cli_0000000000000003", APP_SECRET)]
    {
        let answer = token(&server, app_id, app_secret).json();
        assert!(answer["code"] != 0 && answer["tenant_access_token"].is_null(), "{app_id}: {answer}");
    }
}

#[test]
fn no_secret_is_logged() {
    let server = Server::with("# nothing");
    let _ = server.ingest(fact(1, "u").replace('{', "{\"ip\":\"203.0.113.77\","));
    let token = token_of(&server, APP_ID, APP_SECRET);
    let _ = feishu_meetings(&server, &token);
    let _ = server.get("/v1/directory", "some wrong key");
    let _ = server.office365("/CsActiveUserDaily?$filter=TenantName%20eq%20'a-name-asked-for'", USER, PASSWORD);
    let _ = server.office365("/CsActiveUserDaily", USER, "some wrong password");
    let _ = server.yunxiao("/platform/user", TOKEN);
    let _ = server.yunxiao("/platform/user?startTime=a-name-asked-for", "some wrong key");
    let _ = volcengine::volcengine(&server, ACCESS_KEY, ACCESS_SECRET, "default");
    let _ = volcengine::volcengine(&server, "AKLTunknown", "some wrong secret", "default");
    let _ = server.send(server.request("POST", "/?Action=x&X-Signature=some-signature").body("some body"));
    // The name that was tried stands in the line of a failed sign-in, and nowhere else.
    let log = server.log();
    for name in [&USER.to_lowercase(), "AKLTunknown"] {
        assert_eq!(log.matches(name).count(), 1, "{name} in {log}");
        assert!(log.lines().any(|line| line.contains(" sign-in failed client=127.0.0.1 ") && line.contains(name)), "{name} in {log}");
    }
    assert!(log.contains("/v1/attendance") && log.contains("/oapi/v1/platform/user") && log.contains("/CsActiveUserDaily"), "{log}");
    for secret in [
        KEY,
        APP_SECRET,
        PASSWORD,
        USER,
        TOKEN,
        "some wrong password",
        "a-name-asked-for",
        &token,
        "some wrong key",
        ACCESS_KEY,
        ACCESS_SECRET,
        "some wrong secret",
        "some-signature",
        "some body",
        "203.0.113.77",
        "127.0.0.1:0",
    ] {
        assert!(!log.contains(secret), "{secret} in {log}");
    }
}
