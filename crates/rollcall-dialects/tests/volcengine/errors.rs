//! Every refusal, its number, its words, and which comes first (wire section 2.7).

use crate::naive::{Fault, Naive};
use crate::stage::{AK, APP, Answer, OTHER_AK, OTHER_SK, SEED, SK, Signer, Stage, TARGET, advance, now, set_clock, settings, tenant};
use axum::body::Body;
use http::Request;
use rollcall_dialects::volcengine::Settings;
use serde_json::{Value, json};

fn stage() -> Stage {
    Stage::of(Vec::new())
}

/// A well-signed request with one header replaced, or taken away.
fn with(name: &'static str, value: Option<&str>) -> Request<Body> {
    let mut request = Signer::default().sign("POST", TARGET, SEED);
    match value {
        Some(value) => request.headers_mut().insert(name, value.parse().unwrap()),
        None => request.headers_mut().remove(name),
    };
    request
}

/// Sends it, and holds the whole answer against the error.
async fn refuse(stage: &Stage, request: Request<Body>, status: u16, number: i64, code: &str, message: &str) -> Answer {
    let answer = stage.send(request).await;
    assert_eq!(answer.outcome(), (status, Some(number), code.into()), "{}", answer.body);
    assert_eq!(answer.message(), message);
    answer
}

const NO_MATCH: &str = "The request signature we calculated does not match the signature you provided. Check your Secret Access Key and signing method. Consult the service documentation for details.";
const BAD_AUTHORIZATION: &str = "Invalid 'Authorization' header, Pls check your authorization header.";
const BAD_CREDENTIAL: &str = "Invalid credential in 'Authorization', Pls check credential in authorization header.";

fn keys(answer: &Answer) -> Vec<String> {
    // The order is that of the real gateway.
    let text = answer.body.replace("{\"ResponseMetadata\":", "");
    let names = ["RequestId", "Action", "Version", "Service", "Region", "Error"];
    let mut found: Vec<_> = names.iter().filter_map(|name| Some((text.find(&format!("\"{name}\":"))?, (*name).to_owned()))).collect();
    found.sort();
    found.into_iter().map(|(_, name)| name).collect()
}

#[tokio::test]
async fn what_the_query_lacks_is_named_and_nothing_else_is_said() {
    let stage = stage();
    for (query, missing, said) in [
        ("Version=2020-12-01", "Action", &["RequestId", "Error"][..]),
        ("Action=&Version=2020-12-01", "Action", &["RequestId", "Error"]),
        ("Action=ListOperationDistribution", "Version", &["RequestId", "Action", "Error"]),
        ("Action=ListOperationDistribution&Version=", "Version", &["RequestId", "Action", "Error"]),
    ] {
        let request = Signer::default().sign("POST", &format!("/?{query}"), SEED);
        let message = format!("The request is missing {missing} parameter.");
        assert_eq!(keys(&refuse(&stage, request, 400, 100_002, "MissingParameter", &message).await), said);
    }
}

#[tokio::test]
async fn an_authorization_that_cannot_be_read_says_what_it_lacks() {
    let stage = stage();
    let request = with("authorization", None);
    let answer = refuse(&stage, request, 401, 100_003, "MissingAuthenticationToken", "Request is missing Authentication Token.").await;
    assert_eq!(keys(&answer), ["RequestId", "Action", "Version", "Error"]);
    for text in ["", "Bearer x", "Basic eDp5", "HMAC-SHA256", "HMAC-SHA256 Credential=a/b/c/rtc/request, Signature=00"] {
        let answer = refuse(&stage, with("authorization", Some(text)), 400, 100_024, "InvalidAuthorization", BAD_AUTHORIZATION).await;
        assert_eq!(keys(&answer), ["RequestId", "Action", "Version", "Error"]);
    }
    let mut twice = Signer::default().sign("POST", TARGET, SEED);
    let first = twice.headers()["authorization"].clone();
    twice.headers_mut().append("authorization", first);
    refuse(&stage, twice, 400, 100_024, "InvalidAuthorization", BAD_AUTHORIZATION).await;
    let unsigned = format!("HMAC-SHA256 Credential={AK}/20210726/cn-north-1/rtc/request, SignedHeaders=x-date");
    for text in [unsigned.clone(), format!("{unsigned}, Signature=")] {
        refuse(&stage, with("authorization", Some(&text)), 401, 100_005, "MissingSignature", "The request is missing signature.").await;
    }
}

#[tokio::test]
async fn a_credential_is_for_this_service_and_the_day_of_the_date() {
    let stage = stage();
    for scope in [
        "20210726/cn-north-1/vod/request",
        "20210726/cn-north-1/rtc/aws4_request",
        "20210726/cn-north-1/rtc",
        "20210725/cn-north-1/rtc/request",
        "2021072/cn-north-1/rtc/request",
        "/cn-north-1/rtc/request",
        "20210726/cn/north/1/rtc/request",
    ] {
        let text = format!("HMAC-SHA256 Credential={AK}/{scope}, SignedHeaders=x-date, Signature={}", "0".repeat(64));
        refuse(&stage, with("authorization", Some(&text)), 400, 100_025, "InvalidCredential", BAD_CREDENTIAL).await;
    }
    let region = Signer { region: "ap-singapore-1".into(), ..Signer::default() };
    let answer = stage.send(region.sign("POST", TARGET, SEED)).await;
    assert_eq!((answer.outcome().0, &answer.json()["ResponseMetadata"]["Region"]), (200, &json!("ap-singapore-1")));
}

#[tokio::test]
async fn a_date_must_be_there_and_near() {
    let stage = stage();
    let expired = "The Signature of the request is expired.";
    refuse(&stage, with("x-date", None), 400, 100_004, "MissingRequestInfo", "The request is missing timestamp information.").await;
    for text in ["", "now", "2021-07-26T12:00:00Z", "20210726T120000", "20211326T120000Z", "20210726T126000Z", "+0210726T120000Z"] {
        refuse(&stage, with("x-date", Some(text)), 400, 100_006, "InvalidTimestamp", expired).await;
    }
    for (by, in_time) in [(-900_000, true), (-900_001, false), (900_000, true), (900_001, false), (86_400_000, false)] {
        set_clock("2021-07-26T12:00:00Z");
        let request = Signer::default().sign("POST", TARGET, SEED);
        advance(by);
        if in_time {
            assert_eq!(stage.send(request).await.outcome().0, 200, "{by}");
        } else {
            refuse(&stage, request, 400, 100_006, "InvalidTimestamp", expired).await;
        }
    }
    // The tolerance is a setting.
    for (clock_skew_seconds, status) in [(10, 400), (20, 200)] {
        stage.site.reload(vec![tenant(Settings { clock_skew_seconds, ..settings() })]);
        set_clock("2021-07-26T12:00:00Z");
        let request = Signer::default().sign("POST", TARGET, SEED);
        advance(20_000);
        assert_eq!(stage.send(request).await.outcome().0, status, "{clock_skew_seconds}");
    }
}

#[tokio::test]
async fn a_tolerance_of_zero_tolerates_nothing_but_the_second_itself() {
    let stage = stage();
    stage.site.reload(vec![tenant(Settings { clock_skew_seconds: 0, ..settings() })]);
    for (by, status) in [(0, 200), (999, 200), (1000, 400), (-1, 400), (-1000, 400), (3_600_000, 400), (-3_600_000, 400)] {
        set_clock("2021-07-26T12:00:00Z");
        let request = Signer::default().sign("POST", TARGET, SEED);
        advance(by);
        assert_eq!(stage.send(request).await.outcome().0, status, "{by}");
    }
}

#[tokio::test]
async fn a_head_that_is_too_long_is_refused_before_it_is_read() {
    let stage = stage();
    let padded = |length: usize| format!("{TARGET}&{}", "a".repeat(length - TARGET.len() - 1));
    assert_eq!(stage.send(Signer::default().sign("POST", &padded(8192), SEED)).await.outcome().0, 200);
    let answer = stage.send(Signer::default().sign("POST", &padded(8193), SEED)).await;
    assert_eq!(answer.outcome(), (400, None, "InvalidParameter.SizeOverLimit".into()));
    assert_eq!(answer.message(), "The path and the query are longer than 8192 bytes.");
    let names = (0..4000).map(|name| format!("h{name}")).collect::<Vec<_>>().join(";");
    let text = format!("HMAC-SHA256 Credential={AK}/20210726/cn-north-1/rtc/request, SignedHeaders={names}, Signature=00");
    refuse(&stage, with("authorization", Some(&text)), 400, 100_024, "InvalidAuthorization", BAD_AUTHORIZATION).await;
}

#[tokio::test]
async fn keys_are_told_apart() {
    let stage = stage();
    let unknown = Signer { access_key: "AKLTnobody".into(), ..Signer::default() }.sign("POST", TARGET, SEED);
    let message = "The accesskey [AKLTnobody] included in the request is invalid.";
    refuse(&stage, unknown, 401, 100_009, "InvalidAccessKey", message).await;
    let longest = "x".repeat(5000);
    let unknown = Signer { access_key: longest.clone(), ..Signer::default() }.sign("POST", TARGET, SEED);
    assert!(stage.send(unknown).await.body.len() < 1000, "a value is not repeated without end");

    let mut token = Signer { signed: vec!["x-security-token".into()], ..Signer::default() };
    token.headers.push(("x-security-token".into(), "STS2token".into()));
    let message = format!(
        "The accesskey [{AK}] included in the request is invalid. This server issues no session tokens: use a permanent access key without X-Security-Token."
    );
    refuse(&stage, token.sign("POST", TARGET, SEED), 401, 100_009, "InvalidAccessKey", &message).await;
    token.signed.clear();
    let mut unsigned = token.sign("POST", TARGET, SEED);
    unsigned.headers_mut().insert("authorization", with("x", Some("y")).headers()["authorization"].clone());
    refuse(&stage, unsigned, 401, 100_009, "InvalidAccessKey", &message).await;

    let wrong = Signer { secret: "guessed".into(), ..Signer::default() }.sign("POST", TARGET, SEED);
    let answer = refuse(&stage, wrong, 401, 100_010, "SignatureDoesNotMatch", NO_MATCH).await;
    assert_eq!(keys(&answer), ["RequestId", "Action", "Version", "Service", "Region", "Error"]);
    let other = Signer { secret: OTHER_SK.into(), ..Signer::default() }.sign("POST", TARGET, SEED);
    refuse(&stage, other, 401, 100_010, "SignatureDoesNotMatch", NO_MATCH).await;

    // An organization may have several, and each is as good.
    let mut several = settings();
    several.access_keys.extend(crate::stage::other_tenant().volcengine.access_keys);
    stage.site.reload(vec![tenant(several)]);
    for (access_key, secret) in [(AK, SK), (OTHER_AK, OTHER_SK)] {
        let signer = Signer { access_key: access_key.into(), secret: secret.into(), ..Signer::default() };
        assert_eq!(stage.send(signer.sign("POST", TARGET, SEED)).await.outcome().0, 200);
    }
}

#[tokio::test]
async fn a_body_that_is_not_the_announced_one_is_no_match() {
    let stage = stage();
    for (signed, sent) in [("", SEED), (SEED, ""), (SEED, "{}")] {
        // Nothing announces it but the signature.
        let mut request = Signer { signed: Vec::new(), ..Signer::default() }.sign("POST", TARGET, signed);
        request.headers_mut().remove("x-content-sha256");
        *request.body_mut() = Body::from(sent);
        refuse(&stage, request, 401, 100_010, "SignatureDoesNotMatch", NO_MATCH).await;
    }
    // The header that announces it is not signed, and wrong.
    let mut request = Signer { signed: Vec::new(), ..Signer::default() }.sign("POST", TARGET, SEED);
    assert_eq!(stage.send(Signer { signed: Vec::new(), ..Signer::default() }.sign("POST", TARGET, SEED)).await.outcome().0, 200);
    request.headers_mut().insert("x-content-sha256", "00".parse().unwrap());
    refuse(&stage, request, 401, 100_010, "SignatureDoesNotMatch", NO_MATCH).await;
}

#[tokio::test]
async fn other_operations_versions_and_methods_are_refused_once_the_signature_is_good() {
    let stage = stage();
    for (action, version) in [
        ("ListOperationData", "2020-12-01"),
        ("ListOperationDistribution", "2023-07-20"),
        ("listoperationdistribution", "2020-12-01"),
        ("ListUsages", "2023-11-01"),
    ] {
        let target = format!("/?Action={action}&Version={version}");
        let message = format!("Could not find operation {action} for version {version}.");
        refuse(&stage, Signer::default().sign("POST", &target, SEED), 404, 100_008, "InvalidActionOrVersion", &message).await;
        let unsigned = Request::post(&target).body(Body::empty()).unwrap();
        assert_eq!(stage.send(unsigned).await.outcome().1, Some(100_003));
    }
    for method in ["GET", "PUT", "DELETE", "PATCH", "BREW"] {
        let request = Signer::default().sign(method, TARGET, "");
        let answer = refuse(&stage, request, 405, 100_020, "MethodNotAllowed", "HTTP Method Not Allowed.").await;
        assert_eq!(answer.headers["allow"], "POST");
    }
    for version in ["2020-12-01", "2023-11-01"] {
        let answer = stage.send(Signer::default().sign("POST", &TARGET.replace("2020-12-01", version), SEED)).await;
        assert_eq!((answer.outcome().0, &answer.json()["ResponseMetadata"]["Version"]), (200, &json!(version)));
    }
}

/// A body of a well-signed request that the service refuses in words of its own.
async fn service(stage: &Stage, body: &str, code: &str, message: &str) {
    let answer = stage.ask(body).await;
    let expected = if code.is_empty() { "InvalidParameter".into() } else { format!("InvalidParameter.{code}") };
    assert_eq!(answer.outcome(), (400, None, expected), "{body} {}", answer.body);
    assert!(answer.message().starts_with(message), "{body} {}", answer.message());
    assert!(!answer.body.contains("CodeN"));
}

#[tokio::test]
async fn a_body_is_a_json_object() {
    let stage = stage();
    for body in ["", " \n"] {
        service(&stage, body, "BodyIsEmpty", "The request body is empty; a JSON object is required.").await;
    }
    for body in ["[]", "null", "\"x\"", "{", "{}x", "{\"AppId\":}", "\u{feff}{}", &"[".repeat(60_000)] {
        service(&stage, body, "Unmarshal", "The request body is not a JSON object: ").await;
    }
    let answer = stage.ask(&"x".repeat(64 * 1024 + 1)).await;
    assert_eq!(answer.outcome(), (400, None, "InvalidParameter.SizeOverLimit".into()));
    assert_eq!(answer.message(), "The request body is larger than 65536 bytes.");
    let padded = format!("{SEED}{}", " ".repeat(64 * 1024 - SEED.len()));
    assert_eq!(stage.ask(&padded).await.outcome().0, 200);
    // Fields that there are not are ignored, and so is the content type.
    let mut request = Signer { signed: Vec::new(), ..Signer::default() }.sign("POST", TARGET, &SEED.replace('}', ",\"Other\":{}}"));
    request.headers_mut().insert("content-type", "text/plain".parse().unwrap());
    assert_eq!(stage.send(request).await.outcome().0, 200);
}

#[tokio::test]
async fn a_body_that_ends_early_is_missing() {
    let mut request = Signer::default().sign("POST", TARGET, SEED);
    // Reading it fails after the first byte, as on a connection that is gone.
    *request.body_mut() = Body::new(http_body_util::Limited::new(Body::from(SEED), 1));
    refuse(&stage(), request, 400, 100_004, "MissingRequestInfo", "The request is missing body information.").await;
}

#[tokio::test]
async fn every_field_must_be_there_and_be_text() {
    let stage = stage();
    for field in ["AppId", "StartTime", "EndTime", "Indicator", "Dimension"] {
        let mut without: Value = serde_json::from_str(SEED).unwrap();
        without.as_object_mut().unwrap().remove(field);
        service(&stage, &without.to_string(), "", &format!("{field} is missing.")).await;
        for (value, code, message) in [
            (json!(""), "", format!("{field} is missing.")),
            (json!(null), "", format!("{field} is missing.")),
            (json!(5), "Unmarshal", format!("{field} must be a string.")),
            (json!(["x"]), "Unmarshal", format!("{field} must be a string.")),
        ] {
            let mut other = without.clone();
            other[field] = value;
            service(&stage, &other.to_string(), code, &message).await;
        }
    }
}

#[tokio::test]
async fn every_wrong_value_is_named_with_what_was_expected() {
    let stage = stage();
    let longest = "a".repeat(128);
    for (field, value, code, message) in [
        ("AppId", "a b", "IllegalAppId", "AppId \"a b\" is malformed: 1 to 128 characters of a-z A-Z 0-9 @ . _ - are allowed."),
        ("AppId", "中", "IllegalAppId", "AppId \"中\" is malformed: "),
        ("AppId", &"a".repeat(129), "IllegalAppId", "AppId \"aaa"),
        ("AppId", &longest, "NotExistAppId", "AppId \"aaa"),
        ("AppId", "Nobodys", "NotExistAppId", "AppId \"Nobodys\" does not exist."),
        ("AppId", "Other_AppId", "NotExistAppId", "AppId \"Other_AppId\" does not exist."),
        ("StartTime", "2021-07-24", "", "StartTime \"2021-07-24\" is not an RFC 3339 time such as 2021-07-24T00:00:00+08:00."),
        ("EndTime", "soon", "", "EndTime \"soon\" is not an RFC 3339 time such as 2021-07-24T00:00:00+08:00."),
        ("Indicator", "minutes", "", "Indicator \"minutes\" is not supported; use user_num or user_count."),
        ("Dimension", "city", "", "Dimension \"city\" is not supported; use province or country."),
    ] {
        let mut body: Value = serde_json::from_str(SEED).unwrap();
        body[field] = value.into();
        service(&stage, &body.to_string(), code, message).await;
    }
    assert_eq!(APP, "Your_AppId");
}

/// What is wrong first is told: each body is wrong in everything that the next one has right.
#[tokio::test]
async fn fields_are_checked_in_the_documented_order() {
    let stage = stage();
    let mut body = json!({"AppId": "a b", "StartTime": "x", "EndTime": "y", "Indicator": "i", "Dimension": "d"});
    for (field, right, message) in [
        ("AppId", "Nobodys", "AppId \"a b\" is malformed"),
        ("StartTime", "1999-07-24T00:00:00Z", "StartTime \"x\""),
        ("EndTime", "1998-07-24T00:00:00Z", "EndTime \"y\""),
        ("Indicator", "user_num", "Indicator \"i\""),
        ("Dimension", "country", "Dimension \"d\""),
        ("AppId", APP, "AppId \"Nobodys\" does not exist."),
        ("EndTime", "1999-08-24T00:00:00Z", "EndTime 1998-07-24T00:00:00Z is not later than StartTime 1999-07-24T00:00:00Z."),
        ("StartTime", "2021-07-20T00:00:00Z", "StartTime 1999-07-24T00:00:00Z is more than 30 days ago"),
    ] {
        let answer = stage.ask(&body.to_string()).await;
        assert!(answer.message().starts_with(message), "{}", answer.message());
        body[field] = right.into();
    }
}

#[tokio::test]
async fn checks_are_in_the_documented_order() {
    let stage = stage();
    set_clock("2021-07-26T12:00:00Z");
    let far = Signer { date: Some("20210726T130000Z".into()), access_key: "AKLTnobody".into(), ..Signer::default() };
    assert_eq!(stage.send(far.sign("POST", TARGET, SEED)).await.outcome().1, Some(100_006), "the date before the key");
    let mut nobody = Signer { access_key: "AKLTnobody".into(), ..Signer::default() };
    nobody.headers.push(("x-security-token".into(), "t".into()));
    assert!(!stage.send(nobody.sign("POST", TARGET, SEED)).await.message().contains("session tokens"), "the key before the token");
    let mut token = Signer { secret: "guessed".into(), ..Signer::default() };
    token.headers.push(("x-security-token".into(), "t".into()));
    assert!(stage.send(token.sign("POST", TARGET, SEED)).await.message().contains("session tokens"), "the token before the signature");
    let wrong = Signer { secret: "guessed".into(), ..Signer::default() };
    assert_eq!(
        stage.send(wrong.sign("GET", "/?Action=No&Version=No", "x")).await.outcome().1,
        Some(100_010),
        "the signature before the operation"
    );
    assert_eq!(
        stage.send(Signer::default().sign("GET", "/?Action=No&Version=No", "x")).await.outcome().1,
        Some(100_008),
        "the operation before the method"
    );
}

#[tokio::test]
async fn a_failure_of_the_report_is_told_without_its_cause() {
    for fault in [Fault::Storage, Fault::Panic] {
        let stage = Stage::new(Naive { fault, ..Naive::default() }, vec![tenant(settings())]);
        let request = Signer::default().sign("POST", TARGET, SEED);
        let message = "Service has some internal Error. Pls Contact With Admin.";
        let answer = refuse(&stage, request, 500, 100_014, "InternalError", message).await;
        assert!(!answer.body.contains("private"), "{}", answer.body);
    }
}

#[tokio::test]
async fn no_two_requests_have_the_same_id() {
    let stage = stage();
    let id = |answer: &Answer| answer.json()["ResponseMetadata"]["RequestId"].as_str().unwrap().to_owned();
    let (one, other) = (id(&stage.ask(SEED).await), id(&stage.ask("").await));
    assert!(one != other && one.len() == 34 && other.len() == 34 && now().len() == 16);
}
