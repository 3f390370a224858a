//! Every refusal, and the order in which requests are checked.

use crate::naive::{Fault, Naive, ORG};
use crate::stage::{DAY, OTHER, OTHER_TOKEN, Stage, TOKEN, advance, example, path, set_clock, tenants, token, unlimited};
use axum::body::Body;
use http::Request;
use rollcall_dialects::yunxiao::{Scope, Settings};

#[tokio::test]
async fn what_is_wrong_is_said_in_the_documented_order() {
    let scopes = vec![Scope::DeveloperUsage];
    let settings =
        Settings { tokens: vec![rollcall_dialects::yunxiao::Token { scopes, ..token("narrow") }, token(TOKEN)], ..unlimited(TOKEN) };
    let stage = Stage::new(example(), tenants(settings));
    let (here, there) = (path(ORG, "departmentUsage"), path(OTHER, "departmentUsage"));
    let bad = "startTime=x&departmentId=nowhere";
    let good = format!("{DAY}&departmentId=nowhere");
    for (token, path, query, status, code) in [
        ("", &there, bad, 401, "Unauthorized"),
        ("unknown", &there, bad, 401, "InvalidTokenError"),
        ("narrow", &there, bad, 403, "Forbidden.InvalidUser.UserNotInCurrentOrganization"),
        ("narrow", &here, bad, 403, "Forbidden"),
        (TOKEN, &here, bad, 400, "BadRequest"),
        (TOKEN, &here, good.as_str(), 404, "NotFound"),
        (TOKEN, &here, DAY, 200, ""),
    ] {
        let answer = stage.get_with(token, &format!("{path}?{query}")).await;
        if status == 200 {
            assert_eq!(answer.status, 200);
        } else {
            assert_eq!(answer.refusal(), (status, code.to_owned()), "{token} {path} {query}");
        }
    }
    let none = stage.send(Request::get(format!("{here}?{DAY}")).body(Body::empty()).unwrap()).await;
    assert_eq!(none.refusal(), (401, "Unauthorized".into()));
}

/// Behind the documented text may stand what is known besides.
#[tokio::test]
async fn texts_are_the_documented_ones() {
    set_clock("2024-11-20T04:00:00Z");
    let tokens = vec![
        rollcall_dialects::yunxiao::Token { scopes: vec![Scope::DeveloperUsage], ..token("narrow") },
        rollcall_dialects::yunxiao::Token { expires: Some(0), ..token("expired") },
        token(TOKEN),
    ];
    let limited = Settings { tokens, requests_per_minute: 1, ..unlimited(TOKEN) };
    let stage = Stage::new(example(), tenants(limited));
    let here = path(ORG, &format!("departmentUsage?{DAY}"));
    for (token, path, text) in [
        ("", &here, "Unauthorized: the header x-yunxiao-token is missing"),
        ("unknown", &here, "Token is invalid"),
        ("expired", &here, "Token has expired"),
        (TOKEN, &path(OTHER, "departmentUsage"), "The current user is not in the organization and has no right to operate."),
        ("narrow", &here, "Forbidden: the token lacks the scope department-usage"),
        (TOKEN, &path(ORG, "departmentUsage?startTime=2024-11-13"), "Bad Request: endTime is missing: expected a day such as 2025-06-10"),
        (TOKEN, &here, "Too many requests: ask again in 60 seconds"),
    ] {
        assert_eq!(stage.get_with(token, path).await.json()["errorMessage"], text);
    }
    let stage = Stage::new(Naive { fault: Fault::Storage, ..example() }, tenants(unlimited(TOKEN)));
    assert_eq!(stage.get(&here).await.json()["errorMessage"], "An internal error occurs");
}

#[tokio::test]
async fn parameters_follow_their_rules() {
    set_clock("2024-11-20T04:00:00Z");
    let stage = Stage::of_example();
    for endpoint in ["departmentUsage", "developerUsage"] {
        for (query, said) in [
            ("", "startTime is missing: expected a day such as 2025-06-10; endTime is missing: expected a day such as 2025-06-10"),
            ("startTime=2024-11-13", "endTime is missing"),
            ("startTime=&endTime=2024-11-13", "startTime is missing"),
            ("startTime=2024-11-13&endTime=2024-11-12", "endTime 2024-11-12: expected a day not before startTime"),
            ("startTime=20241113&endTime=2024-11-13", "startTime 20241113: expected a day such as 2025-06-10"),
            ("startTime=2024-02-30&endTime=2024-11-13", "startTime 2024-02-30"),
            ("startTime=2024-11-13&endTime=1731427200000", "endTime 1731427200000"),
            ("startTime=2024-11-13&startTime=2024-11-13&endTime=2024-11-13", "startTime is given twice"),
            (&format!("{DAY}&perPage=0"), "perPage 0: expected an integer from 1 to 100"),
            (&format!("{DAY}&perPage=101"), "perPage 101"),
            (&format!("{DAY}&perPage=-1"), "perPage -1"),
            (&format!("{DAY}&perPage=%2B1"), "perPage +1"),
            (&format!("{DAY}&perPage=1.0"), "perPage 1.0"),
            (&format!("{DAY}&page=0"), "page 0: expected an integer from 1 on"),
            (&format!("{DAY}&page=99999999999999999999"), "page 99999999999999999999"),
            (&format!("{DAY}&page=two"), "page two"),
            (&format!("{DAY}&page=1&page=2"), "page is given twice"),
            (
                "startTime=a&endTime=b&page=c&perPage=d",
                "startTime a: expected a day such as 2025-06-10; endTime b: expected a day such as 2025-06-10; page c: expected an integer from 1 on; perPage d: expected an integer from 1 to 100",
            ),
        ] {
            let answer = stage.get(&path(ORG, &format!("{endpoint}?{query}"))).await;
            assert_eq!(answer.refusal(), (400, "BadRequest".into()), "{query}");
            let message = answer.json()["errorMessage"].as_str().unwrap().to_owned();
            assert!(message.strip_prefix("Bad Request: ").is_some_and(|message| message.starts_with(said)), "{query}: {message}");
        }
        for query in [
            DAY,
            "startTime=2024-11-13T23:30:00%2B08:00&endTime=2024-11-13T00:00:00Z",
            "startTime=2024-11-13T23:30:00+08:00&endTime=2024-11-13T00:00:00+08:00",
            &format!("{DAY}&page=&perPage=&departmentId=&userId=&something=else"),
            &format!("{DAY}&page=0001&perPage=100"),
        ] {
            let answer = stage.get(&path(ORG, &format!("{endpoint}?{query}"))).await;
            assert_eq!((answer.status.as_u16(), answer.rows().len()), (200, 2), "{query}: {}", answer.body);
        }
    }
}

#[tokio::test]
async fn days_to_come_have_no_rows_and_today_is_the_organizations() {
    let stage = Stage::of_example();
    let rows = async |query: &str| stage.departments(query).await.rows().len();
    // In Shanghai it is 2024-11-14 already.
    set_clock("2024-11-13T16:00:00Z");
    assert_eq!(rows("startTime=2024-11-13&endTime=2024-12-31").await, 4);
    set_clock("2024-11-13T15:59:59Z");
    assert_eq!(rows("startTime=2024-11-13&endTime=2024-12-31").await, 2);
    for query in ["startTime=2024-11-14&endTime=2024-11-30", "startTime=9999-12-30&endTime=9999-12-31"] {
        let answer = stage.departments(query).await;
        assert_eq!((answer.status.as_u16(), answer.body.as_str()), (200, "[]"));
        assert_eq!(answer.paging(), ["1", "100", "0", "0", "", ""]);
        assert_eq!(stage.departments(&format!("{query}&departmentId=nowhere")).await.refusal(), (404, "NotFound".into()));
    }
    assert!(rows("startTime=0000-01-01&endTime=1971-12-30").await == 0);
}

#[tokio::test]
async fn an_unknown_department_is_named() {
    let stage = Stage::of_example();
    for endpoint in ["departmentUsage", "developerUsage"] {
        let answer = stage.get(&path(ORG, &format!("{endpoint}?{DAY}&departmentId=D-ROOT"))).await;
        assert_eq!(answer.refusal(), (404, "NotFound".into()));
        assert_eq!(answer.json()["errorMessage"], "no such department: D-ROOT");
    }
}

#[tokio::test]
async fn unknown_paths_and_methods_are_refused_in_the_same_shape() {
    let stage = Stage::of_example();
    for path in [
        "/oapi",
        "/oapi/",
        "/oapi/v1",
        "/oapi/v2/lingma/organizations/x/departmentUsage",
        "/oapi/v1/lingma/organizations/x/departmentUsage/",
        "/oapi/v1/lingma/organizations/departmentUsage",
        "/oapi/v1/platform/organizations/x/members",
    ] {
        assert_eq!(stage.get(path).await.refusal(), (404, "NotFound".into()), "{path}");
    }
    for method in ["POST", "PUT", "DELETE", "PATCH", "OPTIONS"] {
        for path in [path(ORG, "departmentUsage"), path(ORG, "developerUsage"), "/oapi/v1/platform/user".into()] {
            let request = Request::builder().method(method).uri(&path).header("x-yunxiao-token", TOKEN).body(Body::empty()).unwrap();
            let answer = stage.send(request).await;
            assert_eq!(answer.refusal(), (405, "MethodNotAllowed".into()), "{method} {path}");
            assert_eq!(answer.header("allow"), "GET");
        }
    }
}

#[tokio::test]
async fn a_failing_report_is_500_and_says_nothing_of_why() {
    for fault in [Fault::Storage, Fault::Panic] {
        let mut reports = example();
        reports.fault = fault;
        let stage = Stage::new(reports, tenants(unlimited(TOKEN)));
        let departments = format!("/oapi/v1/platform/organizations/{ORG}/departments");
        for path in [path(ORG, &format!("departmentUsage?{DAY}")), path(ORG, &format!("developerUsage?{DAY}")), departments] {
            let answer = stage.get(&path).await;
            assert_eq!(answer.refusal(), (500, "InternalServerError".into()));
            assert!(!answer.body.contains("fire") && !answer.body.contains("private") && !answer.body.contains("purpose"));
        }
    }
}

#[tokio::test]
async fn too_many_requests_of_a_token_are_refused_until_its_minute_ends() {
    set_clock("2024-11-20T04:00:00Z");
    let stage =
        Stage::new(example(), tenants(Settings { requests_per_minute: 2, tokens: vec![token(TOKEN), token("two")], ..unlimited(TOKEN) }));
    let bad = path(ORG, "departmentUsage?startTime=x");
    assert_eq!(stage.get("/oapi/v1/platform/user").await.status, 200);
    assert_eq!(stage.get(&bad).await.status, 400);
    advance(59_000);
    // Counted before the parameters are looked at, and after the scope.
    let answer = stage.get(&bad).await;
    assert_eq!((answer.refusal(), answer.header("retry-after")), ((429, "TooManyRequests".into()), "1"));
    assert_eq!(stage.get(&path(OTHER, "departmentUsage")).await.status, 403);
    assert_eq!(stage.get_with("two", &bad).await.status, 400);
    assert_eq!(stage.get_with(OTHER_TOKEN, &path(OTHER, &format!("departmentUsage?{DAY}"))).await.status, 200);
    advance(1_000);
    assert_eq!(stage.get(&bad).await.status, 400);
    stage.site.reload(tenants(unlimited(TOKEN)));
    for _ in 0..50 {
        assert_eq!(stage.get(&bad).await.status, 400);
    }
}
