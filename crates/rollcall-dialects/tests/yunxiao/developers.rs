//! `developerUsage`.

use crate::naive::{Fact, Kind, Naive, ORG, department, user};
use crate::stage::{DAY, Stage, TOKEN, at, example, fact, organization, path, tenants, unlimited};
use jiff::civil::date;
use rollcall_dialects::yunxiao::Settings;

fn without_space(text: &str) -> String {
    text.chars().filter(|c| !c.is_whitespace()).collect()
}

const U1: &str = r#"{"breakdown":{
   "chatting":[{"chatTurns":2,"chatTurnsAccepted":1,"chatType":"GENERATE_TESTCASE","ide":"jetbrains"}],
   "coding":[{"language":"java","linesAccepted":14,"linesChanged":4}],
   "completion":[{"countAccepted":3,"countSuggested":5,"ide":"jetbrains","language":"java","linesAccepted":4,"linesChanged":4}]},
  "date":1731427200000,"statusActive":true,"statusActiveChat":true,"statusActiveCompletion":true,"statusActiveLastedTime":1731470400000,
  "totalChatTurns":2,"totalChatTurnsAccepted":1,"totalCountAcceptedCompletion":3,"totalCountSuggestedCompletion":5,
  "totalLinesAccepted":14,"totalLinesChanged":4,"userId":"u1"}"#;

const U2: &str = r#"{"breakdown":{"chatting":[],
   "coding":[{"language":"go","linesAccepted":0,"linesChanged":30}],
   "completion":[{"countAccepted":0,"countSuggested":2,"ide":"vscode","language":"go","linesAccepted":0,"linesChanged":0}]},
  "date":1731427200000,"statusActive":true,"statusActiveChat":false,"statusActiveCompletion":true,"statusActiveLastedTime":1731470400000,
  "totalChatTurns":0,"totalChatTurnsAccepted":0,"totalCountAcceptedCompletion":0,"totalCountSuggestedCompletion":2,
  "totalLinesAccepted":0,"totalLinesChanged":30,"userId":"u2"}"#;

#[tokio::test]
async fn the_developers_of_the_worked_example() {
    let stage = Stage::of_example();
    let both = without_space(&format!("[{U1},{U2}]"));
    let first = without_space(&format!("[{U1}]"));
    for (query, expected) in [
        ("", &both),
        ("&departmentId=d-root", &both),
        ("&departmentId=d-team", &first),
        ("&userId=u1", &first),
        // The user decides, whatever the department.
        ("&userId=u1&departmentId=d-root", &first),
        ("&userId=u1&departmentId=nowhere", &first),
        ("&userId=nobody", &"[]".to_owned()),
    ] {
        assert_eq!(&stage.developers(&format!("{DAY}{query}")).await.body, expected, "{query}");
    }
    let alone = Stage::new(example(), tenants(Settings { include_subdepartments: false, ..unlimited(TOKEN) }));
    assert_eq!(alone.developers(&format!("{DAY}&departmentId=d-root")).await.body, without_space(&format!("[{U2}]")));
}

#[tokio::test]
async fn a_day_without_use_is_zeros() {
    let answer = Stage::of_example().developers("startTime=2024-11-14&endTime=2024-11-14&userId=u1").await;
    let expected = r#"[{"breakdown":{"chatting":[],"coding":[],"completion":[]},"date":1731513600000,
        "statusActive":false,"statusActiveChat":false,"statusActiveCompletion":false,"statusActiveLastedTime":0,
        "totalChatTurns":0,"totalChatTurnsAccepted":0,"totalCountAcceptedCompletion":0,"totalCountSuggestedCompletion":0,
        "totalLinesAccepted":0,"totalLinesChanged":0,"userId":"u1"}]"#;
    assert_eq!(answer.body, without_space(expected));
}

#[tokio::test]
async fn use_stays_with_the_department_of_its_time_and_days_are_the_organizations() {
    // u moves on the 14th, in Shanghai.
    let departments = vec![department("a", None, None), department("b", None, None)];
    let naive = Naive::new(departments, vec![user("u", &["a"], None), user("u", &["b"], Some(date(2024, 11, 14)))]);
    for time in ["2024-11-13T23:59:59+08:00", "2024-11-14T00:00:00+08:00"] {
        naive.add(&organization(), Fact { at: at(time), ..fact("u", Kind::Chat, "vscode", "go", 1) });
    }
    let stage = Stage::new(naive, tenants(unlimited(TOKEN)));
    let answer = stage.departments("startTime=2024-11-13&endTime=2024-11-14").await.json();
    let told: Vec<_> = answer
        .as_array()
        .unwrap()
        .iter()
        .map(|row| (row["departmentId"].as_str().unwrap(), row["activeDeveloper"].as_u64().unwrap()))
        .collect();
    assert_eq!(told, [("a", 1), ("b", 0), ("a", 0), ("b", 1)]);
    for (department, day) in [("a", 1_731_427_200_000), ("b", 1_731_513_600_000)] {
        let query = format!("startTime=2024-11-13&endTime=2024-11-14&departmentId={department}");
        assert_eq!(stage.get(&path(ORG, &format!("developerUsage?{query}"))).await.rows(), [(day, "u".to_owned())]);
    }
}
