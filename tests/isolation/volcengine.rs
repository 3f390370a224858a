//! Access keys of Volcengine's API.

use super::{FEISHU_DAYS, token, token_of};
use crate::harness::{
    ACCESS_KEY, ACCESS_SECRET, APP, APP_ID, APP_SECRET, KEY, ORG, OTHER_ACCESS_KEY, OTHER_ACCESS_SECRET, OTHER_APP, OTHER_KEY, PASSWORD,
    Server, USER, fact,
};
use rollcall_dialects::volcengine::client::Dimension;

/// A stay in Shanghai.
fn in_shanghai(user: &str, app: &str) -> String {
    fact(1, user).replace('{', &format!("{{\"subdivision\":\"CN-SH\",\"app\":\"{app}\","))
}

/// What the Volcengine API answers: the users in Shanghai, or the code of the refusal.
pub(super) fn volcengine(server: &Server, access_key: &str, secret: &str, app: &str) -> Result<f64, String> {
    match server.volcengine(access_key, secret, app, Dimension::Province) {
        Ok(distribution) => Ok(distribution.data.iter().map(|place| place.value).sum()),
        Err(error) => Err(error.code().unwrap_or_else(|| panic!("{error}")).to_owned()),
    }
}

#[test]
fn an_access_key_counts_the_users_of_its_own_organization_only() {
    let server = Server::new();
    for (key, users, apps) in [(KEY, &["u"][..], ["default", APP]), (OTHER_KEY, &["u", "v", "w"], ["default", OTHER_APP])] {
        let body: String = apps.iter().flat_map(|app| users.iter().map(|user| in_shanghai(user, app))).collect();
        let request = server.request("POST", "/v1/attendance").bearer_auth(key).header("content-type", "application/x-ndjson");
        assert_eq!(server.send(request.body(body)).unwrap().receipt().accepted, 2 * users.len() as u64);
    }
    let unknown = || Err("InvalidParameter.NotExistAppId".to_owned());
    for (app, expected) in [("default", Ok(1.0)), (APP, Ok(1.0)), (OTHER_APP, unknown()), ("nobodys", unknown())] {
        assert_eq!(volcengine(&server, ACCESS_KEY, ACCESS_SECRET, app), expected, "{app}");
    }
    for (app, expected) in [("default", Ok(3.0)), (OTHER_APP, Ok(3.0)), (APP, unknown())] {
        assert_eq!(volcengine(&server, OTHER_ACCESS_KEY, OTHER_ACCESS_SECRET, app), expected, "{app}");
    }
}

#[test]
fn credentials_of_other_apis_and_organizations_sign_nothing() {
    let server = Server::new();
    for (access_key, secret, code) in [
        (ACCESS_KEY, OTHER_ACCESS_SECRET, "SignatureDoesNotMatch"),
        (OTHER_ACCESS_KEY, ACCESS_SECRET, "SignatureDoesNotMatch"),
        (ACCESS_KEY, "", "SignatureDoesNotMatch"),
        (ACCESS_KEY, ACCESS_KEY, "SignatureDoesNotMatch"),
        (ACCESS_KEY, KEY, "SignatureDoesNotMatch"),
        (ACCESS_KEY, APP_SECRET, "SignatureDoesNotMatch"),
        (ACCESS_KEY, PASSWORD, "SignatureDoesNotMatch"),
        (KEY, KEY, "InvalidAccessKey"),
        (APP_ID, APP_SECRET, "InvalidAccessKey"),
        (USER, PASSWORD, "InvalidAccessKey"),
        (ORG, ACCESS_SECRET, "InvalidAccessKey"),
        ("", ACCESS_SECRET, "InvalidAccessKey"),
    ] {
        assert_eq!(volcengine(&server, access_key, secret, "default"), Err(code.to_owned()), "{access_key} {secret}");
    }
    // A bearer of anything is no signature.
    let target = "/?Action=ListOperationDistribution&Version=2020-12-01";
    for bearer in [KEY, ACCESS_SECRET, &token_of(&server, APP_ID, APP_SECRET)] {
        let answer = server.send(server.request("POST", target).bearer_auth(bearer).body("{}")).unwrap();
        assert_eq!((answer.status, answer.json()["Result"].is_null()), (400, true), "{}", answer.text());
    }
    // Neither half of an access key opens another API.
    for secret in [ACCESS_KEY, ACCESS_SECRET] {
        for (method, path) in
            [("POST", "/v1/attendance"), ("PUT", "/v1/directory"), ("GET", "/v1/reports/users-by-place?from=2025-03-01&to=2025-03-01")]
        {
            let answer = server.send(server.request(method, path).bearer_auth(secret).body("{}")).unwrap();
            assert_eq!(answer.status, 401, "{method} {path} {secret}");
        }
        assert!(server.get(FEISHU_DAYS, secret).unwrap().json()["code"] != 0);
    }
    assert!(token(&server, ACCESS_KEY, ACCESS_SECRET).json()["tenant_access_token"].is_null());
    assert_eq!(server.office365("/CsActiveUserDaily", ACCESS_KEY, ACCESS_SECRET).status, 401);
}
