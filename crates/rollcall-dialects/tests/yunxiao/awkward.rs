//! Whatever is asked, the answer is one of the API's, and nothing panics.

use crate::naive::ORG;
use crate::stage::{Stage, TOKEN, path};
use axum::body::Body;
use http::Request;
use proptest::prelude::*;

fn value() -> impl Strategy<Value = String> {
    prop_oneof![
        Just("2024-11-13".to_owned()),
        Just("d-root".to_owned()),
        Just(String::new()),
        "[0-9]{0,25}",
        "-?[0-9]{4}-[0-9]{2}-[0-9]{2}(T[0-9:+ Z.]{0,30})?",
        "[ -~]{0,20}",
        "\\PC{0,12}",
        prop::collection::vec(any::<u8>(), 0..12).prop_map(|bytes| bytes.iter().map(|byte| format!("%{byte:02x}")).collect()),
    ]
}

fn name() -> impl Strategy<Value = String> {
    prop_oneof![
        8 => prop::sample::select(vec!["startTime", "endTime", "departmentId", "userId", "page", "perPage", "parentId"]).prop_map(String::from),
        1 => "[a-zA-Z$%]{0,8}",
    ]
}

/// Escapes what no request line can hold, and leaves the rest as it is.
fn as_query(text: &str) -> String {
    text.bytes()
        .map(|byte| if byte.is_ascii_graphic() && byte != b'#' { char::from(byte).to_string() } else { format!("%{byte:02X}") })
        .collect()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(500))]
    #[test]
    fn every_query_is_answered(
        pairs in prop::collection::vec((name(), value()), 0..8),
        good in any::<bool>(),
        rest in prop::sample::select(vec!["departmentUsage", "developerUsage"]),
        organization in prop_oneof![4 => Just(ORG.to_string()), 1 => "[ -~]{0,40}"],
        token in prop_oneof![8 => Just(TOKEN.as_bytes().to_vec()), 1 => prop::collection::vec(any::<u8>(), 0..40)],
    ) {
        let mut query: Vec<String> = pairs.iter().map(|(name, value)| format!("{}={}", as_query(name), as_query(value))).collect();
        if good {
            query.insert(0, "startTime=2024-11-13&endTime=2024-11-14".into());
        }
        let organization = as_query(&organization.replace(['/', '?'], ""));
        let uri = path(organization, &format!("{rest}?{}", query.join("&")));
        let Ok(request) = Request::get(&uri).header("x-yunxiao-token", token).body(Body::empty()) else { return Ok(()) };
        let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
        let answer = runtime.block_on(async { Stage::of_example().send(request).await });
        prop_assert!(matches!(answer.status.as_u16(), 200 | 400 | 401 | 403 | 404), "{uri}: {} {}", answer.status, answer.body);
        if answer.status == 200 {
            let [_, length, ..] = answer.paging();
            prop_assert!(answer.rows().len() <= length.parse().unwrap());
        }
    }
}
