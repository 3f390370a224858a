//! Nothing that is sent makes the server panic, and every answer has the API's shape.

use crate::stage::{AK, SEED, Signer, Stage, TARGET};
use axum::body::Body;
use http::{HeaderValue, Request};
use proptest::prelude::*;
use rollcall_dialects::volcengine::signature::{Authorization, Credential, Query};

fn answer(request: Request<Body>) -> (u16, Option<i64>, String) {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(async { Stage::of(Vec::new()).send(request).await.outcome() })
}

/// Text made of what credentials and queries are made of, and of anything else.
fn pieces() -> impl Strategy<Value = String> {
    let known = [
        "HMAC-SHA256",
        "Credential=",
        "SignedHeaders=",
        "Signature=",
        AK,
        "20210726",
        "cn-north-1",
        "rtc",
        "request",
        "/",
        ", ",
        ",",
        ";",
        "=",
        "&",
        "host",
        "x-date",
        "X-Date=",
        "X-Signature=",
        "X-SignedQueries=",
        "X-SignedHeaders=",
        "X-Credential=",
        "X-Algorithm=",
        "Action=",
        "Version=",
        "ListOperationDistribution",
        "2020-12-01",
        "20210726T120000Z",
        "X-Expires=",
        "%",
        "%2F",
        "+",
        "%FF",
        "0".repeat(64).leak(),
    ];
    let piece = prop_oneof![4 => proptest::sample::select(known.to_vec()).prop_map(String::from).boxed(), 1 => "[ -~]{0,4}".boxed()];
    proptest::collection::vec(piece, 0..24).prop_map(|pieces| pieces.concat())
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 1000, ..ProptestConfig::default() })]

    #[test]
    fn any_authorization_is_answered(text in pieces(), date in prop_oneof![Just("20210726T120000Z".to_owned()), "[0-9TZ]{0,20}"]) {
        let request = Request::post(TARGET).header("authorization", format!("HMAC-SHA256 {text}")).header("x-date", date);
        let (status, number, _) = answer(request.body(Body::from(SEED)).unwrap());
        prop_assert!((400..=401).contains(&status) && number.is_some());
        let _ = Credential::parse(&text);
        if let Ok(read) = Authorization::parse(&text) {
            prop_assert_eq!(Authorization::parse(&read.to_string()), Ok(read));
        }
    }

    #[test]
    fn any_header_is_answered(value in proptest::collection::vec(any::<u8>(), 0..40), name in proptest::sample::select(&["x-date", "authorization", "host", "x-content-sha256", "content-type"][..])) {
        if let Ok(value) = HeaderValue::from_bytes(&value) {
            let mut request = Signer::default().sign("POST", TARGET, SEED);
            request.headers_mut().insert(name, value);
            prop_assert!(answer(request).0 >= 400);
        }
    }

    #[test]
    fn any_query_is_answered(text in pieces()) {
        if let Ok(uri) = format!("/volcengine?{}", text.replace(' ', "+")).parse::<http::Uri>() {
            let (status, number, _) = answer(Request::post(uri).body(Body::from(SEED)).unwrap());
            prop_assert!((400..=401).contains(&status) && number.is_some());
        }
        let query = Query::parse(&text);
        prop_assert_eq!(Query::parse(&query.to_string()).to_string(), query.to_string());
    }

    #[test]
    fn any_body_is_answered(body in prop_oneof![".{0,60}", "[\\[\\]{}\":,a-z0-9]{0,60}"]) {
        let (status, number, code) = answer(Signer::default().sign("POST", TARGET, &body));
        prop_assert!(status == 400 && number.is_none() && code.starts_with("InvalidParameter"), "{} {:?} {}", status, number, code);
    }

    #[test]
    fn any_field_is_answered(field in proptest::sample::select(&["AppId", "StartTime", "EndTime", "Indicator", "Dimension"][..]), value in prop_oneof![".{0,40}", "[0-9T:Z.+-]{15,30}"]) {
        let mut body: serde_json::Value = serde_json::from_str(SEED).unwrap();
        body[field] = value.into();
        let (status, number, _) = answer(Signer::default().sign("POST", TARGET, &body.to_string()));
        prop_assert!((status == 200 || status == 400) && number.is_none());
    }
}

/// A list that names one header again and again would repeat its value as often.
#[test]
fn a_list_of_names_cannot_make_the_server_work_without_end() {
    let names = ["host"; 50_000].join(";");
    let text = format!("HMAC-SHA256 Credential={AK}/20210726/cn-north-1/rtc/request, SignedHeaders={names}, Signature={}", "0".repeat(64));
    let request =
        Request::post(TARGET).header("authorization", text).header("x-date", "20210726T120000Z").header("host", "h".repeat(50_000));
    assert_eq!(answer(request.body(Body::from(SEED)).unwrap()).1, Some(100_024));
}
