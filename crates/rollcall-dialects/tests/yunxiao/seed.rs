//! The seed: every key of its sample is there, with its type; every header it names is there.

use crate::stage::{DAY, Stage};
use serde_json::Value;

const SAMPLE: &str = r#"[{"activeDeveloper":0,"activeDeveloperChat":0,"activeDeveloperCompletion":0,
  "breakdown":{"chatting":[{"activeDeveloper":0,"chatTurns":0,"chatTurnsAccepted":0,"chatType":"","ide":""}],
    "coding":[{"activeDeveloper":0,"language":"","linesAccepted":0,"linesChanged":0}],
    "completion":[{"activeDeveloper":0,"countAccepted":0,"countSuggested":0,"ide":"","language":"","linesAccepted":0,"linesChanged":0}]},
  "date":0,"departmentId":"","totalChatTurns":0,"totalLinesAccepted":0,"totalLinesChanged":0}]"#;

/// Asserts that whatever the sample has the answer has, of the same type.
fn assert_like(sample: &Value, answer: &Value, at: &str) {
    match (sample, answer) {
        (Value::Array(sample), Value::Array(answer)) => {
            assert!(!answer.is_empty(), "{at}");
            answer.iter().for_each(|element| assert_like(&sample[0], element, at));
        }
        (Value::Object(sample), Value::Object(answer)) => {
            for (key, value) in sample {
                assert_like(value, answer.get(key).unwrap_or_else(|| panic!("no {at}.{key}")), &format!("{at}.{key}"));
            }
        }
        (Value::Number(_), Value::Number(number)) => assert!(number.is_i64() || number.is_u64(), "{at}"),
        (Value::String(_), Value::String(_)) => {}
        _ => panic!("{at}: {sample} and {answer}"),
    }
}

#[tokio::test]
async fn every_key_and_header_of_the_seed_is_there() {
    // As the seed's curl line has it.
    let stage = Stage::of_example();
    let answer = stage.departments(&format!("departmentId=d-team&{DAY}&page=1&perPage=100")).await;
    assert_like(&serde_json::from_str(SAMPLE).unwrap(), &answer.json(), "row");
    for header in ["x-next-page", "x-page", "x-per-page", "x-prev-page", "x-total", "x-total-pages", "x-request-id"] {
        assert!(answer.headers.contains_key(header), "{header}");
    }
    // The sample itself is what our client reads.
    let rows: Vec<rollcall_dialects::yunxiao::client::DepartmentUsage> = serde_json::from_str(SAMPLE).unwrap();
    assert_eq!((rows[0].totals.total_chat_turns_accepted, rows[0].breakdown.coding.len()), (None, 1));
}
