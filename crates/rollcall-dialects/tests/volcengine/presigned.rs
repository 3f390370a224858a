//! Signatures in the query (wire section 2.3).

use crate::stage::{AK, OTHER_AK, OTHER_SK, SEED, SK, Signer, Stage, advance, set_clock, settings, tenant};
use axum::body::Body;
use http::Request;
use rollcall_dialects::volcengine::Settings;
use rollcall_dialects::volcengine::signature::presigned::presign as presign_as_ours;
use rollcall_dialects::volcengine::signature::{Covered, Credential, Query, Scope, SecretKey, hex, sha256};

const DATE: &str = "20210726T120000Z";
/// What the official clients sign, in the order of the wire document's vector.
const LISTED: &str = "Action;Version;X-Algorithm;X-Credential;X-Date;X-NotSignBody;X-SignedHeaders;X-SignedQueries";

fn signature(method: &str, service: &str, date: &str, secret: &str, query: &Query, headers: &[(&str, &[u8])]) -> ([u8; 32], String) {
    let scope = Scope { date: date[..8].into(), region: "cn-north-1".into(), service: service.into() };
    let canonical = Covered { method, path: "/", query, headers, body_hash: &sha256(b"") }.canonical();
    (sha256(&canonical), hex(&SecretKey::new(secret).in_scope(&scope).sign(date, &scope, &canonical)))
}

#[test]
fn every_vector_is_signed_as_the_official_clients_sign_it() {
    let iam = |last: &str| {
        let list = format!("Action;Limit;Version;X-Algorithm;X-Credential;X-Date;X-NotSignBody;X-SignedHeaders{last}");
        let credential = format!("{AK}/20250329/cn-north-1/iam/request");
        let mut query = vec![("Action", "ListUsers"), ("Limit", "10"), ("Version", "2018-01-01"), ("X-Algorithm", "HMAC-SHA256")];
        query.extend([
            ("X-Credential", credential.as_str()),
            ("X-Date", "20250329T180937Z"),
            ("X-NotSignBody", ""),
            ("X-SignedHeaders", ""),
        ]);
        query.push(("X-SignedQueries", &list));
        let query = Query::of(query).only(&list.split(';').collect::<Vec<_>>());
        signature("GET", "iam", "20250329T180937Z", SK, &query, &[])
    };
    for (last, canonical, expected) in [
        (
            ";X-SignedQueries",
            "c2f19da250f65886735758f901b4f30631f1deff63f669375831e4b17387b6e4",
            "6c9b9d6c195b4931de77e265a7296440225b2c56d34b1559fdba538cdd55e026",
        ),
        (
            "",
            "a6f2466b8a1dda720b9dd42170f431d75d5fcc241f32a3be13b7c3a5e1588130",
            "4bca6c919b4c88097e1fac188afc1b611ffb8a1851784d65c57cbfa64526f3b2",
        ),
    ] {
        let (hash, signature) = iam(last);
        assert_eq!((hex(&hash).as_str(), signature.as_str()), (canonical, expected));
    }
    let (hash, signature) = signature("POST", "rtc", DATE, SK, &Query::parse(&signed_query()), &[]);
    assert_eq!(hex(&hash), "d8a016e953f67912674c820f208c55dadb40c2afed2d52c163a28eefa1c1c22e");
    assert_eq!(signature, VECTOR);
}

const VECTOR: &str = "6799628874f72f9c1b09a2349be455c7c044772c5cbd94d14d05925792d6ab5a";

fn signed_query() -> String {
    format!(
        "Action=ListOperationDistribution&Version=2020-12-01&X-Algorithm=HMAC-SHA256&X-Credential={AK}%2F20210726%2Fcn-north-1%2Frtc%2Frequest\
         &X-Date={DATE}&X-NotSignBody=&X-SignedHeaders=&X-SignedQueries={}",
        LISTED.replace(';', "%3B")
    )
}

async fn post(stage: &Stage, query: &str) -> (u16, Option<i64>) {
    let answer = stage.send(Request::post(format!("/?{query}")).header("host", "r.example").body(Body::from(SEED)).unwrap()).await;
    let (status, number, _) = answer.outcome();
    (status, number)
}

/// A query with these parameters added, those of `more` signed, and the signature.
fn presign(access_key: &str, secret: &str, more: &[(&str, &str)], headers: &[(&str, &[u8])]) -> String {
    let credential = format!("{access_key}/20210726/cn-north-1/rtc/request");
    let names: Vec<_> = headers.iter().map(|(name, _)| *name).collect();
    let names = names.join(";");
    let mut query = vec![("Action", "ListOperationDistribution"), ("Version", "2020-12-01"), ("X-Algorithm", "HMAC-SHA256")];
    query.extend([("X-Credential", credential.as_str()), ("X-Date", DATE), ("X-NotSignBody", ""), ("X-SignedHeaders", &names)]);
    query.extend(more);
    query.sort_unstable();
    let list = query.iter().map(|(name, _)| *name).collect::<Vec<_>>().join(";");
    let query = Query::of(query);
    let (_, signature) = signature("POST", "rtc", DATE, secret, &query.orders()[0], headers);
    format!("{query}&X-SignedQueries={}&X-Signature={signature}", list.replace(';', "%3B"))
}

#[tokio::test]
async fn the_vector_is_verified_and_its_body_is_not_signed() {
    let stage = Stage::of(Vec::new());
    let query = format!("{}&X-Signature={VECTOR}", signed_query());
    assert_eq!(post(&stage, &query).await, (200, None));
    let answer = stage.send(Request::post(format!("/?{query}")).body(Body::from(SEED.replace("province", "country"))).unwrap()).await;
    assert_eq!(answer.json()["Result"]["Dimension"], "country");
    // Parameters outside of the list are ignored: anybody could have added them.
    assert_eq!(post(&stage, &format!("{query}&X-Expires=99999999&Other=1")).await, (200, None));
    // A second value of a listed one is not.
    assert_eq!(post(&stage, &format!("{query}&Action=ListUsages")).await, (401, Some(100_010)));
    assert_eq!(post(&stage, &query.replace("2020-12-01", "2023-11-01")).await, (401, Some(100_010)));
    let get = stage.send(Request::get(format!("/?{query}")).body(Body::empty()).unwrap()).await;
    assert_eq!(get.outcome().1, Some(100_010), "the method is signed");
}

#[tokio::test]
async fn node_leaves_the_list_out_of_itself_and_headers_may_be_signed() {
    let stage = Stage::of(Vec::new());
    assert_eq!(post(&stage, &presign(AK, SK, &[], &[])).await, (200, None));
    assert_eq!(post(&stage, &presign(AK, SK, &[], &[("host", b"r.example")])).await, (200, None));
    assert_eq!(post(&stage, &presign(AK, SK, &[], &[("host", b"s.example")])).await, (401, Some(100_010)));
    assert_eq!(post(&stage, &presign(AK, SK, &[], &[("x-there-is-none", b"")])).await, (401, Some(100_010)));
    assert_eq!(post(&stage, &presign(OTHER_AK, OTHER_SK, &[], &[])).await, (400, None), "the app is not of that organization");
    assert_eq!(post(&stage, &presign(AK, OTHER_SK, &[], &[])).await, (401, Some(100_010)));
}

#[tokio::test]
async fn what_is_presigned_here_is_valid_for_as_long_as_was_said() {
    let stage = Stage::of(Vec::new());
    let scope = Scope { date: "20210726".into(), region: "cn-north-1".into(), service: "rtc".into() };
    let credential = Credential { access_key: AK.into(), scope };
    let parameters = [("Action", "ListOperationDistribution"), ("Version", "2023-11-01"), ("Other", "a b/中")];
    let query = presign_as_ours("POST", &parameters, &credential, &SecretKey::new(SK), DATE, 60);
    assert_eq!(post(&stage, &query).await, (200, None));
    assert_eq!(post(&stage, &query.replace("a%20b", "a%20c")).await, (401, Some(100_010)));
    assert_eq!(post(&stage, &query.replace("X-Expires=60", "X-Expires=61")).await, (401, Some(100_010)));
    advance(60_001);
    assert_eq!(post(&stage, &query).await, (400, Some(100_006)));
}

#[tokio::test]
async fn it_is_valid_from_its_date_for_as_long_as_it_says() {
    let stage = Stage::of(Vec::new());
    for (expires, now, valid) in [
        (None, "2021-07-26T11:44:59.999Z", false),
        (None, "2021-07-26T11:45:00Z", true),
        (None, "2021-07-26T12:15:00Z", true),
        (None, "2021-07-26T12:15:00.001Z", false),
        (Some("60"), "2021-07-26T12:01:00Z", true),
        (Some("60"), "2021-07-26T12:01:00.001Z", false),
        (Some("0"), "2021-07-26T12:00:00Z", true),
        (Some("86400"), "2021-07-27T12:00:00Z", true),
        (Some("86400"), "2021-07-27T12:00:01Z", false),
        (Some("9223372036854775807"), "2021-08-20T12:00:00Z", true),
        (Some("9223372036854775808"), "2021-07-26T12:00:00Z", false),
        (Some("-1"), "2021-07-26T12:00:00Z", false),
        (Some("soon"), "2021-07-26T12:00:00Z", false),
        (Some(""), "2021-07-26T12:00:00Z", false),
    ] {
        set_clock(now);
        let more: Vec<_> = expires.map(|expires| ("X-Expires", expires)).into_iter().collect();
        let expected = if valid { (200, None) } else { (400, Some(100_006)) };
        assert_eq!(post(&stage, &presign(AK, SK, &more, &[])).await, expected, "{expires:?} {now}");
    }
    set_clock("2021-07-26T12:00:00Z");
    let query = presign(AK, SK, &[], &[]);
    assert_eq!(post(&stage, &query).await, (200, None));
    advance(900_000);
    assert_eq!(post(&stage, &query).await, (200, None), "it can be used again while it is valid");
    advance(1);
    assert_eq!(post(&stage, &query).await, (400, Some(100_006)));
    // Without any tolerance it is valid from its date on, and not a second earlier.
    stage.site.reload(vec![tenant(Settings { clock_skew_seconds: 0, ..settings() })]);
    for (now, expected) in [("2021-07-26T11:59:59.999Z", (400, Some(100_006))), ("2021-07-26T12:00:00Z", (200, None))] {
        set_clock(now);
        assert_eq!(post(&stage, &query).await, expected, "{now}");
    }
}

/// `X-Date` has whole seconds: a client that asks the same twice in one, or asks again for a lost answer, sends the same signature.
#[tokio::test]
async fn the_same_signature_is_taken_again_while_its_date_is_near() {
    let stage = Stage::of(Vec::new());
    for _ in 0..3 {
        assert_eq!(
            stage.send(Signer::default().sign("POST", "/?Action=ListOperationDistribution&Version=2020-12-01", SEED)).await.outcome().0,
            200
        );
        advance(300);
    }
}

#[tokio::test]
async fn what_is_not_signed_is_as_if_it_were_not_there() {
    let stage = Stage::of(Vec::new());
    let query = presign(AK, SK, &[], &[]);
    for (name, expected) in [
        ("Action", (400, Some(100_002))),
        ("Version", (400, Some(100_002))),
        ("X-Algorithm", (400, Some(100_024))),
        ("X-Credential", (400, Some(100_024))),
        ("X-Date", (400, Some(100_004))),
    ] {
        let (head, list) = query.split_once("&X-SignedQueries=").unwrap();
        let unlisted = format!("{head}&X-SignedQueries={}", list.replacen(&format!("{name}%3B"), "", 1));
        assert_eq!(post(&stage, &unlisted).await, expected, "{name} {unlisted}");
    }
    assert_eq!(post(&stage, &query.replace("HMAC-SHA256", "HMAC-SHA1")).await, (400, Some(100_024)));
    let (unsigned, _) = query.split_once("&X-Signature=").unwrap();
    assert_eq!(post(&stage, &format!("{unsigned}&X-Signature=")).await, (401, Some(100_005)));
    assert_eq!(post(&stage, unsigned).await, (401, Some(100_003)));
    assert_eq!(post(&stage, &presign(AK, SK, &[("X-Security-Token", "t")], &[])).await, (401, Some(100_009)));
    assert_eq!(post(&stage, &format!("{query}&X-Security-Token=t")).await, (401, Some(100_009)));
}
