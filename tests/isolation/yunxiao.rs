//! Personal access tokens of Yunxiao's API.

use super::{FEISHU_DAYS, token_of};
use crate::harness::{APP_ID, APP_SECRET, KEY, ORG, OTHER_KEY, OTHER_ORG, OTHER_TOKEN, PASSWORD, Server, TOKEN, USER};

/// Every path of Yunxiao's API that names an organization, with what its answer is good for.
fn yunxiao_paths(organization: &str) -> Vec<String> {
    let days = "startTime=2025-03-03&endTime=2025-03-03";
    let mut paths = vec![format!("/platform/organizations/{organization}/departments")];
    for report in ["departmentUsage", "developerUsage"] {
        for of in ["", "&departmentId=d", "&departmentId=other-d", "&userId=u", "&perPage=1&page=2"] {
            paths.push(format!("/lingma/organizations/{organization}/{report}?{days}{of}"));
        }
    }
    paths
}

#[test]
fn a_token_opens_its_own_organization_only() {
    let server = Server::new();
    for (key, department, name) in [(KEY, "d", "Ann"), (OTHER_KEY, "other-d", "Bob")] {
        let body = serde_json::json!({
            "departments": [{"id": department, "name": format!("Of {name}")}],
            "users": [{"id": "u", "name": name, "departments": [department]}],
        });
        assert_eq!(server.send(server.request("PUT", "/v1/directory").bearer_auth(key).json(&body)).unwrap().status, 200);
    }
    let refusal = "Forbidden.InvalidUser.UserNotInCurrentOrganization";
    for (token, own, other, department) in [(TOKEN, ORG, OTHER_ORG, "d"), (OTHER_TOKEN, OTHER_ORG, ORG, "other-d")] {
        for path in yunxiao_paths(other) {
            let answer = server.yunxiao(&path, token);
            assert_eq!((answer.status, answer.json()["errorCode"].as_str()), (403, Some(refusal)), "{path}");
        }
        let departments = server.yunxiao(&format!("/platform/organizations/{own}/departments"), token).json();
        assert_eq!((&departments[0]["id"], &departments[1]), (&department.into(), &serde_json::Value::Null));
        let organizations = server.yunxiao("/platform/organizations", token).json();
        assert_eq!((&organizations[0]["id"], &organizations[1]), (&own.into(), &serde_json::Value::Null));
        assert_eq!(server.yunxiao("/platform/user", token).json()["lastOrganization"], own);
    }
}

#[test]
fn a_token_sees_the_use_of_its_own_organization_only() {
    let server = Server::new();
    for (key, lines) in [(KEY, 1), (OTHER_KEY, 2)] {
        let body: String = (0..lines)
            .map(|n| {
                format!("{{\"user_id\":\"u{n}\",\"department_id\":\"d{lines}\",\"at\":\"2025-03-03T02:00:00Z\",\"kind\":\"completion\"}}\n")
            })
            .collect();
        let request = server.request("POST", "/v1/assistance").bearer_auth(key).header("content-type", "application/x-ndjson");
        assert_eq!(server.send(request.body(body)).unwrap().receipt().accepted, lines);
    }
    for (token, own, department, other_department, developers) in [(TOKEN, ORG, "d1", "d2", 1), (OTHER_TOKEN, OTHER_ORG, "d2", "d1", 2)] {
        let ask = |query: &str| {
            server.yunxiao(&format!("/lingma/organizations/{own}/departmentUsage?startTime=2025-03-03&endTime=2025-03-03{query}"), token)
        };
        let rows = ask("").json();
        let row = (&rows[0]["departmentId"], &rows[0]["activeDeveloper"], &rows[1]);
        assert_eq!(row, (&department.into(), &developers.into(), &serde_json::Value::Null));
        // A department of the other organization is none.
        assert_eq!(ask(&format!("&departmentId={other_department}")).status, 404);
        let path = format!("/lingma/organizations/{own}/developerUsage?startTime=2025-03-03&endTime=2025-03-03");
        assert_eq!(server.yunxiao(&path, token).json().as_array().unwrap().len(), developers);
    }
}

#[test]
fn credentials_of_other_apis_are_no_tokens_and_a_token_opens_no_other_api() {
    let server = Server::new();
    let feishu = token_of(&server, APP_ID, APP_SECRET);
    for wrong in [KEY, OTHER_KEY, APP_SECRET, PASSWORD, &feishu, ORG, &crate::harness::hash(TOKEN), &format!("{TOKEN} ")[1..], "pt-"] {
        for path in yunxiao_paths(ORG).into_iter().chain(["/platform/user".into(), "/platform/organizations".into()]) {
            let answer = server.yunxiao(&path, wrong);
            assert_eq!((answer.status, answer.json()["errorCode"].as_str()), (401, Some("InvalidTokenError")), "{path} with {wrong}");
        }
    }
    // A token goes in its own header, and a key of the native API in its own.
    let path = format!("/oapi/v1{}", yunxiao_paths(ORG)[0]);
    for bearer in [TOKEN, KEY] {
        assert_eq!(server.get(&path, bearer).unwrap().json()["errorCode"], "Unauthorized");
    }
    for (method, path) in [
        ("GET", "/v1/reports/meeting-days?from=2025-03-01&to=2025-03-01"),
        ("GET", "/v1/directory"),
        ("PUT", "/v1/directory"),
        ("POST", "/v1/attendance"),
    ] {
        assert_eq!(server.send(server.request(method, path).bearer_auth(TOKEN).body("{}")).unwrap().status, 401, "{method} {path}");
        let header = server.request(method, path).header("x-yunxiao-token", TOKEN);
        assert_eq!(server.send(header.body("{}")).unwrap().status, 401, "{method} {path}");
    }
    assert!(server.get(FEISHU_DAYS, TOKEN).unwrap().json()["code"] != 0);
    assert_eq!(server.office365("/CsActiveUserDaily", USER, TOKEN).status, 401);
}
