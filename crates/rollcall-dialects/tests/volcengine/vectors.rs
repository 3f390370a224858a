//! The signing vectors of the wire document (section 2.2), made and verified.

use crate::stage::{AK, SEED, SK, Signer, Stage, set_clock};
use axum::body::Body;
use http::Request;
use rollcall_dialects::volcengine::signature::{Covered, Query, Scope, SecretKey, hex, sha256};

struct Vector {
    method: &'static str,
    query: &'static str,
    headers: &'static [(&'static str, &'static str)],
    date: &'static str,
    region: &'static str,
    service: &'static str,
    body: &'static str,
    canonical: &'static str,
    signature: &'static str,
}

const HASH: &str = "89a3373d24ca71dc985ab449c61d3cd569568e5c26fe1ee3d4f1a4c0b0cd5506";
const RTC: &str = "Action=ListOperationDistribution&Version=2020-12-01";
const BILLING: &[(&str, &str)] = &[("host", "billing.volcengineapi.com"), ("x-date", "20250329T180937Z")];
const DATE: &str = "20210726T120000Z";

const V1: Vector = Vector {
    method: "GET",
    query: "Version=2018-01-01&Action=ListUsers&Limit=10&Offset=0",
    headers: &[("host", "iam.volcengineapi.com"), ("x-date", "20240619T071306Z")],
    date: "20240619T071306Z",
    region: "cn-beijing",
    service: "iam",
    body: "",
    canonical: "5ed5bca3905e1fcbf789abb56a17c2d819674a3bcfa468ae476bd1ea80d135cb",
    signature: "e31c4558bcfe08a286001f59cedbf0791ffd0b2362f10e55ee2627467bcdde93",
};
const V2: Vector = Vector {
    query: "Action=QueryBalanceAcct&Version=2022-01-01",
    headers: BILLING,
    date: "20250329T180937Z",
    service: "billing",
    canonical: "43171c1658c64b5db55c58d54988a4598d2d09a5613136beaa5eef40eae6e2c1",
    signature: "1eda9e7e6b1728151a8e8791fdaf67cfbd28bd5c80d0fce2eb208746cf483105",
    ..V1
};
const V3: Vector = Vector {
    method: "POST",
    query: "Action=ListBill&Version=2022-01-01",
    body: r#"{"Limit":10,"BillPeriod":"2023-08"}"#,
    canonical: "27383e3b56d03850f5634483527fbddcbf06cf98de1bc8a6679ef2300bff3b15",
    signature: "5e8480ceea12d0000a23c054151c50dd02c1a7dec835004057d19f13d53a7658",
    ..V2
};
const V4: Vector = Vector {
    method: "POST",
    query: RTC,
    headers: &[("content-type", "application/json"), ("host", "rtc.volcengineapi.com"), ("x-content-sha256", HASH), ("x-date", DATE)],
    date: DATE,
    region: "cn-north-1",
    service: "rtc",
    body: SEED,
    canonical: "97db01a5697c2f1791ec8cb76547a891b2768bf704e1d549d181c4c734cc6cd1",
    signature: "2ccfb35f50985f71686a9581fc6f9d1b88818898693ce204bfa393a646f21843",
};
const V5: Vector = Vector {
    headers: &[("x-content-sha256", HASH), ("x-date", DATE)],
    canonical: "fb2386b913dcabd6f3e896a90d26935f20c2291c6f96f006ef7b4e4eedc37754",
    signature: "d738c4fda3c10a9da9cc1f6d84ff6828cc643c95d7e2e193b3ebc254a573ae04",
    ..V4
};
const V6: Vector = Vector {
    headers: &[
        ("content-type", "application/json"),
        ("host", "rtc.volcengineapi.com"),
        ("x-content-sha256", HASH),
        ("x-date", DATE),
        ("x-security-token", "STS2token"),
    ],
    canonical: "df44a10d99a9c8309d8e0592981a3ff7bdab6b897991c3b4fdbf8941bde186bd",
    signature: "c1405f0c31988e2fb219142ab2a77cdc8f95c3fad7754c4d0b74b1e3bfc78aec",
    ..V4
};
const V7: Vector = Vector {
    headers: &[("content-type", "application/json"), ("host", "127.0.0.1:18431"), ("x-content-sha256", HASH), ("x-date", DATE)],
    canonical: "030a1f3b7d07ab4890b9808551472667cd937aee0added471a905685064be572",
    signature: "0bdb14f59dfd50b2e31beb9e875b46863ea37e5b59c86c39e993b4d2ae47a031",
    ..V4
};
const V8: Vector = Vector {
    method: "GET",
    query: "Action=ListUserInfo&AppId=a b%2F%E4%B8%AD&RoomId=r~1*%2B@&UserId=u2&UserId=u1&Empty&Version=2020-12-01",
    headers: &[("host", "rtc.volcengineapi.com"), ("x-date", DATE)],
    body: "",
    canonical: "dcdaf7142f47cb64f0db710faae8fa906dfd5f908c07cb36e7759fdd2237232e",
    signature: "67c08868b2a87ad6ad52a5dd54eef26842146110b3cf8169552a478899d81e78",
    ..V4
};

impl Vector {
    fn scope(&self) -> Scope {
        Scope { date: self.date[..8].into(), region: self.region.into(), service: self.service.into() }
    }

    fn canonical(&self, query: &Query) -> Vec<u8> {
        let headers: Vec<_> = self.headers.iter().map(|(name, value)| (*name, value.as_bytes())).collect();
        Covered { method: self.method, path: "/", query, headers: &headers, body_hash: &sha256(self.body.as_bytes()) }.canonical()
    }

    fn request(&self) -> Request<Body> {
        let names: Vec<_> = self.headers.iter().map(|(name, _)| *name).collect();
        let authorization =
            format!("HMAC-SHA256 Credential={AK}/{}, SignedHeaders={}, Signature={}", self.scope(), names.join(";"), self.signature);
        let target = format!("/?{}", self.query.replace(' ', "%20"));
        let mut request = Request::builder().method(self.method).uri(target).header("authorization", authorization);
        for (name, value) in self.headers {
            request = request.header(*name, *value);
        }
        request.body(Body::from(self.body)).unwrap()
    }
}

#[test]
fn every_vector_is_signed_as_the_documents_and_the_official_clients_sign_it() {
    for (number, vector) in [V1, V2, V3, V4, V5, V6, V7, V8].iter().enumerate() {
        let query = Query::parse(vector.query).orders().remove(0);
        let canonical = vector.canonical(&query);
        assert_eq!(hex(&sha256(&canonical)), vector.canonical, "V{}: {}", number + 1, String::from_utf8_lossy(&canonical));
        let key = SecretKey::new(SK).in_scope(&vector.scope());
        assert_eq!(hex(&key.sign(vector.date, &vector.scope(), &canonical)), vector.signature, "V{}", number + 1);
    }
    let key = |vector: &Vector| hex(SecretKey::new(SK).in_scope(&vector.scope()).bytes());
    assert_eq!(key(&V1), "abee62e533a58934c49954459a3c3237d2fccea517c9a7c8a2651d8ea7779826");
    assert_eq!(key(&V4), "79d02803e223b90a1887a9e6994f3ebba120fa0693fb85df9c8c0600d1aedaa1");
}

#[test]
fn the_canonical_request_is_that_of_the_document_to_the_letter() {
    let query = Query::parse(RTC);
    let expected = format!(
        "POST\n/\n{RTC}\ncontent-type:application/json\nhost:rtc.volcengineapi.com\nx-content-sha256:{HASH}\nx-date:{DATE}\n\n\
         content-type;host;x-content-sha256;x-date\n{HASH}"
    );
    assert_eq!(String::from_utf8(V4.canonical(&query)).unwrap(), expected);
    let query = Query::parse(V8.query).orders().remove(0).to_string();
    let encoded = "Action=ListUserInfo&AppId=a%20b%2F%E4%B8%AD&Empty=&RoomId=r~1%2A%2B%40&UserId=u1&UserId=u2&Version=2020-12-01";
    assert_eq!(query, encoded);
}

/// What each vector becomes once its signature is believed. The services of V1 to V3 are not this one.
#[tokio::test]
async fn every_vector_is_verified() {
    let stage = Stage::of(Vec::new());
    for (number, vector, expected) in [
        (1, &V1, (400, Some(100_025), "InvalidCredential")),
        (2, &V2, (400, Some(100_025), "InvalidCredential")),
        (3, &V3, (400, Some(100_025), "InvalidCredential")),
        (4, &V4, (200, None, "")),
        (5, &V5, (200, None, "")),
        (6, &V6, (401, Some(100_009), "InvalidAccessKey")),
        (7, &V7, (200, None, "")),
        (8, &V8, (404, Some(100_008), "InvalidActionOrVersion")),
    ] {
        let date = vector.date;
        set_clock(&format!("{}-{}-{}T{}:{}:{}Z", &date[..4], &date[4..6], &date[6..8], &date[9..11], &date[11..13], &date[13..15]));
        let answer = stage.send(vector.request()).await;
        let (status, number_of, code) = answer.outcome();
        assert_eq!((status, number_of, code.as_str()), expected, "V{number}: {}", answer.body);
        // The same request with another signature is another matter, wherever the signature is looked at.
        let other = Vector { signature: "0".repeat(64).leak(), ..*vector };
        let refused = stage.send(other.request()).await.outcome();
        let expected = if [1, 2, 3, 6].contains(&number) { expected.1 } else { Some(100_010) };
        assert_eq!(refused.1, expected, "V{number}");
    }
}

/// Values of a name that is there more than once: some clients sort them, others sign them as they stand.
#[tokio::test]
async fn repeated_parameters_may_be_signed_in_either_order() {
    let stage = Stage::of(Vec::new());
    let query = Query::parse(V8.query);
    let scope = V8.scope();
    for (order, signed) in query.orders().iter().enumerate() {
        let signature = hex(&SecretKey::new(SK).in_scope(&scope).sign(V8.date, &scope, &V8.canonical(signed)));
        let answer = stage.send(Vector { signature: signature.leak(), ..V8 }.request()).await;
        assert_eq!(answer.outcome().1, Some(100_008), "order {order}: {}", answer.body);
    }
    assert_eq!(query.orders().len(), 2);
}

/// The official clients cut the port of the scheme before they sign; what is sent has it.
#[tokio::test]
async fn a_host_may_be_signed_without_the_port_of_its_scheme() {
    let stage = Stage::of(Vec::new());
    for (sent, signed, status) in [
        ("r.example:80", "r.example", 200),
        ("r.example:443", "r.example", 200),
        ("r.example:443", "r.example:443", 200),
        ("r.example:8080", "r.example", 401),
        ("r.example", "r.example:80", 401),
        ("r.example:80", "s.example", 401),
    ] {
        let headers = vec![("host".into(), signed.into())];
        let mut request = Signer { headers, signed: vec!["host".into()], ..Signer::default() }.sign("POST", crate::stage::TARGET, SEED);
        request.headers_mut().insert("host", sent.parse().unwrap());
        assert_eq!(stage.send(request).await.outcome().0, status, "{sent} {signed}");
    }
}

#[tokio::test]
async fn what_is_signed_is_up_to_the_client_but_for_the_date() {
    let stage = Stage::of(Vec::new());
    for signed in [&["x-content-sha256"][..], &["host"], &[], &["content-type", "host", "x-sdk-invocation-id", "x-sdk-request"]] {
        let mut signer = Signer { signed: signed.iter().map(|name| (*name).into()).collect(), ..Signer::default() };
        signer.headers.extend([("x-sdk-invocation-id".into(), "1".into()), ("x-sdk-request".into(), "attempt=1; max=1".into())]);
        assert_eq!(stage.send(signer.sign("POST", crate::stage::TARGET, SEED)).await.outcome(), (200, None, String::new()), "{signed:?}");
    }
    // A header that is listed must be there.
    let mut request = Signer::default().sign("POST", crate::stage::TARGET, SEED);
    request.headers_mut().remove("content-type");
    assert_eq!(stage.send(request).await.outcome().1, Some(100_010));
    // The date may stand in the query; hexadecimal digits may be capitals.
    let date = format!("{}&X-Date={}", crate::stage::TARGET, crate::stage::now());
    let mut request = Signer { signed: Vec::new(), ..Signer::default() }.sign("POST", &date, SEED);
    let authorization = request.headers()["authorization"].to_str().unwrap().to_owned();
    let (head, signature) = authorization.split_once("Signature=").unwrap();
    request.headers_mut().insert("authorization", format!("{head}Signature={}", signature.to_uppercase()).parse().unwrap());
    assert_eq!(stage.send(request).await.outcome().0, 200);
}
