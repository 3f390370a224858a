//! A request in which anything signed was changed is refused, whatever was changed.

use crate::stage::{SEED, Signer, Stage, TARGET};
use axum::body::Body;
use http::request::Parts;
use http::{HeaderValue, Method, Request};
use http_body_util::BodyExt;
use proptest::prelude::*;
use rollcall_dialects::volcengine::signature::Query;

#[derive(Debug, Clone, Copy)]
enum Part {
    Method,
    Path,
    Query,
    Header(&'static str),
    Body,
}

const PARTS: &[Part] = &[
    Part::Method,
    Part::Path,
    Part::Query,
    Part::Header("content-type"),
    Part::Header("host"),
    Part::Header("x-content-sha256"),
    Part::Header("x-date"),
    Part::Header("authorization"),
    Part::Body,
];

/// Replaces one byte; none where the result is no request, or says the same.
fn change(request: (Parts, Vec<u8>), part: Part, at: usize, to: u8) -> Option<Request<Body>> {
    let (mut head, mut body) = request;
    let changed = |text: &[u8]| {
        let mut text = text.to_vec();
        let at = at % text.len();
        (text[at] != to).then(|| {
            text[at] = to;
            text
        })
    };
    match part {
        Part::Method => head.method = Method::from_bytes(&changed(head.method.as_str().as_bytes())?).ok()?,
        Part::Path | Part::Query => {
            let (path, query) = (head.uri.path(), head.uri.query()?);
            let target = match part {
                Part::Path => [&changed(path.as_bytes())?, query.as_bytes()].join(&b'?'),
                _ => [path.as_bytes(), &changed(query.as_bytes())?].join(&b'?'),
            };
            let uri: http::Uri = target.try_into().ok()?;
            // Two texts may mean the same, as `+` and a blank do.
            let meant = |uri: &http::Uri| (uri.path().to_owned(), Query::parse(uri.query().unwrap_or_default()).orders());
            if meant(&uri) == meant(&head.uri) {
                return None;
            }
            head.uri = uri;
        }
        Part::Header(name) => {
            let value = HeaderValue::from_bytes(&changed(head.headers[name].as_bytes())?).ok()?;
            let same = if name == "authorization" || name == "x-content-sha256" {
                // Hexadecimal digits and names of headers have no case, and the list of names no order.
                value.to_str().is_ok_and(|text| text.eq_ignore_ascii_case(head.headers[name].to_str().unwrap()))
            } else {
                value.as_bytes().trim_ascii() == head.headers[name].as_bytes().trim_ascii()
            };
            if same {
                return None;
            }
            head.headers.insert(name, value);
        }
        Part::Body => body = changed(&body)?,
    }
    Some(Request::from_parts(head, body.into()))
}

async fn parts_of(request: Request<Body>) -> (Parts, Vec<u8>) {
    let (head, body) = request.into_parts();
    let body = body.collect().await.unwrap().to_bytes().to_vec();
    (head, body)
}

/// Under the prefix, so that it is the dialect that answers, whatever was changed.
fn signed(presigned_like: bool) -> Request<Body> {
    let more = if presigned_like { "&AppId=a%20b%2F&UserId=u2&UserId=u1" } else { "" };
    Signer::default().sign("POST", &format!("/volcengine{TARGET}{more}"), SEED)
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 1500, ..ProptestConfig::default() })]

    #[test]
    fn a_changed_request_is_refused(part in proptest::sample::select(PARTS), more in any::<bool>(), at in any::<usize>(), to in prop_oneof![any::<u8>(), b' '..b'\x7f']) {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(async {
            let stage = Stage::of(Vec::new());
            prop_assert_eq!(stage.send(signed(more)).await.outcome().0, 200);
            if let Some(request) = change(parts_of(signed(more)).await, part, at, to) {
                let path = request.uri().path().to_owned();
                let answer = stage.send(request).await;
                // What is sent to another path may not be for the dialect; everything else it refuses itself.
                if answer.body == "native" {
                    prop_assert!(!path.starts_with("/volcengine/"), "{}", path);
                } else {
                    let (status, number, code) = answer.outcome();
                    prop_assert!((400..=401).contains(&status) && number.is_some(), "{} {} {:?}", status, code, path);
                }
            }
            Ok(())
        })?;
    }
}

/// Not only single bytes: whole values of another request that was well signed.
#[tokio::test]
async fn a_signature_does_not_carry_over_to_another_request() {
    let stage = Stage::of(Vec::new());
    let one = Signer::default().sign("POST", TARGET, SEED);
    for (method, target, body) in [
        ("POST", TARGET, SEED.replace("province", "country")),
        ("POST", "/?Action=ListOperationDistribution&Version=2023-11-01", SEED.into()),
        ("POST", "/volcengine?Action=ListOperationDistribution&Version=2020-12-01", SEED.into()),
        ("PUT", TARGET, SEED.into()),
    ] {
        let mut other = Signer::default().sign(method, target, &body);
        other.headers_mut().insert("authorization", one.headers()["authorization"].clone());
        assert_eq!(stage.send(other).await.outcome().1, Some(100_010), "{method} {target}");
    }
}
