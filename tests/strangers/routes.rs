//! Where nobody has an API configured, there is no such API.

use super::{SERVICE, Server, TOKENS, USER, configuration, reload};

/// A path of each dialect, by its section of the configuration.
const PATHS: &[(&str, &str, &str)] = &[
    ("feishu", "POST", TOKENS),
    ("feishu", "GET", "/open-apis/vc/v1/reports/get_daily?start_time=1&end_time=2"),
    ("feishu", "GET", "/open-apis/nothing"),
    ("office365", "GET", SERVICE),
    ("office365", "GET", "/EcP/nothing"),
    ("volcengine", "POST", "/volcengine"),
    ("volcengine", "GET", "/volcengine/any/thing"),
    ("volcengine", "POST", "/?Action=ListOperationDistribution&Version=2020-12-01"),
    ("yunxiao", "GET", "/oapi/v1/platform/user"),
    ("yunxiao", "DELETE", "/oapi"),
];

fn is_unknown(server: &Server, method: &str, path: &str) -> bool {
    let answer = server.send(server.request(method, path).basic_auth(USER, Some("guess"))).unwrap();
    let bare = path.split('?').next().unwrap();
    if answer.status != 404 {
        return false;
    }
    let names: Vec<_> = answer.headers.keys().map(|name| name.as_str().to_owned()).collect();
    let id = answer.headers.get("x-request-id").and_then(|id| id.to_str().ok()).unwrap_or_default();
    let unknown = serde_json::json!({
        "type": "/v1/docs#problem-not-found",
        "title": "there is no such thing",
        "status": 404,
        "detail": format!("no such path: {bare}"),
        "instance": bare,
        "request_id": id,
    });
    // Nor does a header say that there could be more.
    let told: serde_json::Value = serde_json::from_slice(&answer.body).unwrap_or_default();
    (told, names) == (unknown, ["content-type", "x-request-id", "content-length", "date"].map(String::from).to_vec())
}

/// The configuration of the two organizations without these sections.
fn without(sections: &[&str]) -> String {
    let whole = configuration("");
    let belongs = |table: &&str| !sections.iter().any(|section| table.contains(&format!("organizations.{section}")));
    whole.split("\n[").filter(belongs).collect::<Vec<_>>().join("\n[")
}

#[test]
fn an_api_that_nobody_has_configured_is_not_there_until_somebody_has() {
    let home = tempfile::tempdir().unwrap();
    let all = ["feishu", "office365", "volcengine", "yunxiao"];
    std::fs::write(home.path().join("rollcall.toml"), without(&all)).unwrap();
    let server = Server::start(home.path());
    for (_, method, path) in PATHS {
        assert!(is_unknown(&server, method, path), "{method} {path}");
    }
    assert!(is_unknown(&server, "GET", "/nothing"));
    // Each comes with its section, and goes with it.
    for section in all {
        reload(&server, &without(&[section]));
        for (of, method, path) in PATHS {
            assert_eq!(is_unknown(&server, method, path), *of == section, "{method} {path} without {section}");
        }
    }
}
