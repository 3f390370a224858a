//! The worked example of the specification, byte for byte.

use crate::stage::{DAY, Stage, TOKEN, example, tenants, unlimited};
use rollcall_dialects::yunxiao::Settings;

const ROOT: &str = r#"{"activeDeveloper":2,"activeDeveloperChat":1,"activeDeveloperCompletion":2,
  "breakdown":{
   "chatting":[{"activeDeveloper":1,"chatTurns":2,"chatTurnsAccepted":1,"chatType":"GENERATE_TESTCASE","ide":"jetbrains"}],
   "coding":[{"activeDeveloper":1,"language":"go","linesAccepted":0,"linesChanged":30},
             {"activeDeveloper":1,"language":"java","linesAccepted":14,"linesChanged":4}],
   "completion":[{"activeDeveloper":1,"countAccepted":0,"countSuggested":2,"ide":"vscode","language":"go","linesAccepted":0,"linesChanged":0},
                 {"activeDeveloper":1,"countAccepted":3,"countSuggested":5,"ide":"jetbrains","language":"java","linesAccepted":4,"linesChanged":4}]},
  "date":1731427200000,"departmentId":"d-root",
  "totalChatTurns":2,"totalChatTurnsAccepted":1,"totalCountAcceptedCompletion":3,"totalCountSuggestedCompletion":7,
  "totalLinesAccepted":14,"totalLinesChanged":34}"#;

const TEAM: &str = r#"{"activeDeveloper":1,"activeDeveloperChat":1,"activeDeveloperCompletion":1,
  "breakdown":{
   "chatting":[{"activeDeveloper":1,"chatTurns":2,"chatTurnsAccepted":1,"chatType":"GENERATE_TESTCASE","ide":"jetbrains"}],
   "coding":[{"activeDeveloper":1,"language":"java","linesAccepted":14,"linesChanged":4}],
   "completion":[{"activeDeveloper":1,"countAccepted":3,"countSuggested":5,"ide":"jetbrains","language":"java","linesAccepted":4,"linesChanged":4}]},
  "date":1731427200000,"departmentId":"d-team",
  "totalChatTurns":2,"totalChatTurnsAccepted":1,"totalCountAcceptedCompletion":3,"totalCountSuggestedCompletion":5,
  "totalLinesAccepted":14,"totalLinesChanged":4}"#;

/// The root without those below it: u2's facts only.
const ROOT_ALONE: &str = r#"{"activeDeveloper":1,"activeDeveloperChat":0,"activeDeveloperCompletion":1,
  "breakdown":{"chatting":[],
   "coding":[{"activeDeveloper":1,"language":"go","linesAccepted":0,"linesChanged":30}],
   "completion":[{"activeDeveloper":1,"countAccepted":0,"countSuggested":2,"ide":"vscode","language":"go","linesAccepted":0,"linesChanged":0}]},
  "date":1731427200000,"departmentId":"d-root",
  "totalChatTurns":0,"totalChatTurnsAccepted":0,"totalCountAcceptedCompletion":0,"totalCountSuggestedCompletion":2,
  "totalLinesAccepted":0,"totalLinesChanged":30}"#;

/// A department on a day without facts.
fn zeros(id: &str) -> String {
    format!(
        r#"{{"activeDeveloper":0,"activeDeveloperChat":0,"activeDeveloperCompletion":0,
        "breakdown":{{"chatting":[],"coding":[],"completion":[]}},"date":1731513600000,"departmentId":"{id}",
        "totalChatTurns":0,"totalChatTurnsAccepted":0,"totalCountAcceptedCompletion":0,"totalCountSuggestedCompletion":0,
        "totalLinesAccepted":0,"totalLinesChanged":0}}"#
    )
}

fn body(rows: &[&str]) -> String {
    format!("[{}]", rows.join(",")).chars().filter(|c| !c.is_whitespace()).collect()
}

#[tokio::test]
async fn a_day() {
    let answer = Stage::of_example().departments(DAY).await;
    assert_eq!((answer.status.as_u16(), answer.body.clone()), (200, body(&[ROOT, TEAM])));
    assert_eq!(answer.paging(), ["1", "100", "2", "1", "", ""]);
}

#[tokio::test]
async fn a_past_day_without_facts_has_rows_of_zeros() {
    let answer = Stage::of_example().departments("startTime=2024-11-13&endTime=2024-11-14").await;
    assert_eq!(answer.body, body(&[ROOT, TEAM, &zeros("d-root"), &zeros("d-team")]));
    assert_eq!(answer.paging(), ["1", "100", "4", "1", "", ""]);
}

#[tokio::test]
async fn the_second_page_of_one_row() {
    let answer = Stage::of_example().departments(&format!("{DAY}&perPage=1&page=2")).await;
    assert_eq!(answer.body, body(&[TEAM]));
    assert_eq!(answer.paging(), ["2", "1", "2", "2", "1", ""]);
}

#[tokio::test]
async fn a_department_without_those_below_it() {
    let settings = Settings { include_subdepartments: false, ..unlimited(TOKEN) };
    let stage = Stage::new(example(), tenants(settings));
    assert_eq!(stage.departments(DAY).await.body, body(&[ROOT_ALONE, TEAM]));
    assert_eq!(stage.departments(&format!("{DAY}&departmentId=d-root")).await.body, body(&[ROOT_ALONE]));
}

#[tokio::test]
async fn one_department() {
    let stage = Stage::of_example();
    // As clients send it.
    let answer = stage.departments("departmentId=d-team&endTime=2024-11-13&page=1&perPage=100&startTime=2024-11-13").await;
    assert_eq!(answer.body, body(&[TEAM]));
    assert_eq!(answer.paging(), ["1", "100", "1", "1", "", ""]);
    assert_eq!(stage.departments(&format!("{DAY}&departmentId=d-root")).await.body, body(&[ROOT]));
}
