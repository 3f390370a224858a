//! Where the dialect answers: at `/`, what is plainly meant for it; under `/volcengine`, everything.

use crate::stage::{SEED, Signer, Stage, TARGET};
use axum::body::Body;
use http::{Method, Request};

#[tokio::test]
async fn at_the_root_only_what_is_meant_for_it_is_answered() {
    let stage = Stage::of(Vec::new());
    let send = async |method: Method, target: &str, header: Option<(&str, &str)>| {
        let mut request = Request::builder().method(method).uri(target);
        if let Some((name, value)) = header {
            request = request.header(name, value);
        }
        stage.send(request.body(Body::empty()).unwrap()).await
    };
    for method in [Method::GET, Method::POST] {
        for (target, header) in [
            ("/", None),
            ("/?", None),
            ("/?action=x", None),
            ("/?NoAction=x", None),
            ("/", Some(("authorization", "Bearer x"))),
            ("/", Some(("authorization", "HMAC"))),
            ("/", Some(("host", "rtcx.example"))),
            ("/", Some(("host", "r.example"))),
            ("/other?Action=x", None),
            ("/volcengines?Action=x", None),
        ] {
            let answer = send(method.clone(), target, header).await;
            assert_eq!((answer.status.as_u16(), answer.body.as_str()), (404, "native"), "{method} {target} {header:?}");
        }
        for (target, header, number) in [
            ("/?Action=x", None, 100_002),
            ("/?a=b&Action=", None, 100_002),
            ("/?Action=x&Version=y", None, 100_003),
            ("/", Some(("authorization", "HMAC-SHA256 ")), 100_002),
            ("/", Some(("host", "rtc.volcengineapi.com")), 100_002),
            ("/", Some(("host", "RTC.example:7070")), 100_002),
            ("/volcengine", None, 100_002),
            ("/volcengine/", None, 100_002),
            ("/volcengine/any/thing?Action=x", None, 100_002),
        ] {
            let answer = send(method.clone(), target, header).await;
            assert_eq!(answer.outcome().1, Some(number), "{method} {target} {header:?}");
        }
    }
}

#[tokio::test]
async fn under_a_prefix_the_path_is_signed_as_it_is_sent() {
    let stage = Stage::of(Vec::new());
    for path in ["/volcengine", "/volcengine/", "/volcengine/a%20b/%E4%B8%AD", "/volcengine/x;y"] {
        let target = TARGET.replacen('/', path, 1);
        assert_eq!(stage.send(Signer::default().sign("POST", &target, SEED)).await.outcome().0, 200, "{path}");
        let mut elsewhere = Signer::default().sign("POST", TARGET, SEED);
        *elsewhere.uri_mut() = target.parse().unwrap();
        assert_eq!(stage.send(elsewhere).await.outcome().1, Some(100_010), "{path}");
    }
}
