use super::*;
use proptest::prelude::*;
use rollcall_engine::ingest::{self, Compression, Context, Format};
use rollcall_engine::kinds::columns::{Assistances, Columns};
use rollcall_model::calendar::LATEST;
use rollcall_model::{Directory, OrgId, Organization};
use serde_json::json;
use std::collections::{BTreeMap, BTreeSet};
use std::io::Cursor;

const FIXTURE: &str = include_str!("../../../../../../tests/fixtures/copilot-users-1-day.ndjson");

fn bodies_of(report: &str, size: usize, place: Place) -> Vec<Body> {
    bodies(Cursor::new(report.to_owned()), size, place, UserField::UserLogin).unwrap().map(Result::unwrap).collect()
}

fn lines(bodies: &[Body]) -> Vec<Value> {
    let text = |body: &Body| String::from_utf8(body.bytes.to_vec()).unwrap();
    bodies.iter().flat_map(|body| text(body).lines().map(|line| serde_json::from_str(line).unwrap()).collect::<Vec<_>>()).collect()
}

fn facts(row: &Value) -> Vec<Value> {
    let made = bodies_of(&format!("{row}\n"), 1 << 20, Place::default());
    assert_eq!(made.iter().map(|body| body.unmade.rejected).sum::<u64>(), 0, "{:?}", made[0].unmade);
    lines(&made)
}

fn refused(report: &str) -> Vec<String> {
    let made = bodies_of(report, 1 << 20, Place::default());
    made.iter().flat_map(|body| body.unmade.errors.iter().map(ToString::to_string)).collect()
}

/// A fact without what is the same in all facts of a row: kind, chat type, IDE, language, and the five counts.
fn short(fact: &Value) -> String {
    let text = |name: &str| fact[name].as_str().unwrap_or("-").to_owned();
    let names = ["kind", "chat_type", "ide", "language"].map(text).join(" ");
    let counts = ["turns", "suggested", "accepted", "lines_accepted", "lines_changed"].map(|name| fact[name].to_string()).join(" ");
    format!("{names} {counts}")
}

fn of_user(login: &str) -> Vec<String> {
    let facts = lines(&bodies_of(FIXTURE, 1 << 20, Place::default()));
    facts.iter().filter(|fact| fact["user_id"] == login).map(short).collect()
}

fn sum(facts: &[Value], name: &str) -> u64 {
    facts.iter().map(|fact| fact[name].as_u64().unwrap()).sum()
}

#[test]
fn features_become_chats_completions_and_edits_by_language() {
    assert_eq!(
        of_user("lin-acme"),
        [
            "edit - vscode markdown 0 0 0 0 15",
            "edit - vscode rust 0 0 0 0 470",
            "chat chat_panel_agent_mode vscode - 4 0 0 0 0",
            "chat chat_panel_agent_mode vscode - 0 0 1 5 5",
            "chat FREE_INPUT vscode - 6 0 0 0 0",
            "chat FREE_INPUT vscode rust 0 0 2 14 14",
            "completion - vscode - 0 7 1 2 2",
            "completion - vscode python 0 10 5 9 9",
            "completion - vscode rust 0 25 11 20 20",
        ]
    );
    let fact = &lines(&bodies_of(FIXTURE, 1 << 20, Place::default()))[0];
    assert_eq!((fact["at"].as_str(), fact["id"].as_str().map(str::len)), (Some("2025-10-01T12:00:00Z"), Some(51)));
}

#[test]
fn the_command_line_counts_once_and_two_ides_are_none() {
    assert_eq!(
        of_user("wu-acme"),
        [
            "chat chat_inline - - 3 0 0 0 0",
            "chat chat_inline - go 0 0 3 18 18",
            "chat chat_panel_custom_mode - - 1 0 0 0 0",
            "completion - - - 0 5 2 3 3",
            "completion - - go 0 15 6 9 9",
            "chat copilot_app copilot app - 2 0 0 0 0",
            "chat copilot_cli cli - 5 0 0 0 0",
            "chat copilot_cli cli - 0 0 0 0 150",
        ]
    );
    assert_eq!(of_user("maria"), ["completion - visualstudio java 0 3 0 0 0", "chat copilot_cli cli - 7 0 0 0 0"]);
    assert!(of_user("otto").is_empty());
}

/// A row of one user and day with these fields.
fn row(fields: &[(&str, Value)]) -> Value {
    let mut row = json!({"user_id": 7, "user_login": "u", "day": "2025-10-01"});
    fields.iter().for_each(|(name, value)| row[*name] = value.clone());
    row
}

#[test]
fn an_unknown_feature_is_a_chat_if_it_has_turns_and_else_an_edit_if_it_has_lines() {
    let of = |entry: Value| facts(&row(&[("totals_by_feature", json!([entry]))])).iter().map(short).collect::<Vec<_>>();
    assert_eq!(
        of(json!({"feature": "telepathy", "user_initiated_interaction_count": 2, "loc_added_sum": 5, "code_acceptance_activity_count": 1})),
        ["chat telepathy - - 2 0 0 0 0", "chat telepathy - - 0 0 1 5 5"]
    );
    assert_eq!(of(json!({"feature": "telepathy", "loc_added_sum": 5, "loc_deleted_sum": 1, "new": {"a": []}})), ["edit - - - 0 0 0 0 6"]);
    assert!(of(json!({"feature": "telepathy", "code_generation_activity_count": 9})).is_empty());
    // Nothing that GitHub says so far, but turns of an edit would be lost.
    assert_eq!(of(json!({"feature": "agent_edit", "user_initiated_interaction_count": 1})), ["chat agent_edit - - 1 0 0 0 0"]);
}

#[test]
fn languages_split_what_the_features_say_and_never_add_to_it() {
    let completion = |suggested: u64| json!([{"feature": "code_completion", "code_generation_activity_count": suggested}]);
    let languages = json!([
        {"feature": "code_completion", "language": "Go", "code_generation_activity_count": 2},
        {"feature": "code_completion", "language": "go", "code_generation_activity_count": 1},
        {"feature": "others", "language": "others", "code_generation_activity_count": 9, "loc_added_sum": 9},
    ]);
    let of = |fields: &[(&str, Value)]| facts(&row(fields)).iter().map(short).collect::<Vec<_>>();
    let split = ("totals_by_language_feature", languages.clone());
    assert_eq!(of(&[("totals_by_feature", completion(5)), split.clone()]), ["completion - - - 0 2 0 0 0", "completion - - go 0 3 0 0 0"]);
    assert_eq!(of(&[("totals_by_feature", completion(2)), split.clone()]), ["completion - - - 0 2 0 0 0"]);
    let alone = ["completion - - go 0 3 0 0 0", "edit - - others 0 0 0 0 9"];
    assert_eq!(of(std::slice::from_ref(&split)), alone);
    assert_eq!(of(&[("totals_by_feature", Value::Null), split]), alone);
    assert!(of(&[]).is_empty());
}

#[test]
fn an_id_is_of_the_user_the_day_and_the_part_and_not_of_the_numbers_or_the_organization() {
    let id = |fields: &[(&str, Value)]| {
        let entry = |turns: u64| json!([{"feature": "chat_inline", "user_initiated_interaction_count": turns}]);
        facts(&row(&[&[("totals_by_feature", entry(3))], fields].concat()))[0]["id"].as_str().unwrap().to_owned()
    };
    let plain = id(&[]);
    let turns = json!([{"feature": "chat_inline", "user_initiated_interaction_count": 4}]);
    for same in
        [("organization_id", json!("9")), ("enterprise_id", json!("9")), ("user_login", json!("renamed")), ("totals_by_feature", turns)]
    {
        assert_eq!(id(std::slice::from_ref(&same)), plain, "{same:?}");
    }
    let other = json!([{"feature": "chat_panel_ask_mode", "user_initiated_interaction_count": 3}]);
    for other in [("user_id", json!(8)), ("user_id", Value::Null), ("day", json!("2025-10-02")), ("totals_by_feature", other)] {
        assert_ne!(id(std::slice::from_ref(&other)), plain, "{other:?}");
    }
}

#[test]
fn what_is_wrong_is_told_with_its_line_and_field() {
    let good = row(&[]);
    let cases = [
        ("day", json!("20251001"), "day 20251001: expected a day such as 2025-10-01"),
        ("day", json!("2025-02-29"), "day 2025-02-29: expected a day such as 2025-10-01"),
        ("day", Value::Null, "day is missing: expected a day such as 2025-10-01"),
        ("user_login", json!(""), "user_login is missing: expected the user of a users-1-day or users-28-day report"),
        ("user_id", json!(-1), "user_id -1: expected a string"),
        ("totals_by_feature", json!({}), "totals_by_feature {}: expected a JSON array of objects"),
        ("totals_by_feature", json!([3]), "totals_by_feature[0] 3: expected a JSON object"),
        ("totals_by_ide", json!([{"ide": "vim"}, {}]), "totals_by_ide[1].ide is missing: expected a string"),
        ("totals_by_cli", json!({"prompt_count": "2"}), "totals_by_cli.prompt_count 2: expected an integer from 0 to 4294967295"),
        (
            "totals_by_feature",
            json!([{"feature": "x"}, {"feature": "x", "loc_added_sum": -1}]),
            "totals_by_feature[1].loc_added_sum -1: expected an integer from 0 to 4294967295",
        ),
        (
            "totals_by_language_feature",
            json!([{"feature": "x", "code_generation_activity_count": 1.5}]),
            "totals_by_language_feature[0].code_generation_activity_count 1.5: expected an integer from 0 to 4294967295",
        ),
    ];
    for (field, value, expected) in cases {
        let report = format!("{good}\n\n{}\n{good}\n", row(&[(field, value.clone())]));
        assert_eq!(refused(&report), [format!("line 3: {expected}")], "{field} {value}");
        let array = format!("[{good},{}]", row(&[(field, value)]));
        assert_eq!(refused(&array), [format!("line 2: {expected}")]);
    }
    assert!(refused("{\"day\"\n")[0].starts_with("line 1: {\"day\": expected a JSON object: EOF"), "{:?}", refused("{\"day\"\n"));
    assert_eq!(refused("7\n"), ["line 1: 7: expected a JSON object"]);
    let by_id = bodies(Cursor::new("{\"user_login\":\"u\",\"day\":\"2025-10-01\"}"), 99, Place::default(), UserField::UserId);
    let errors = &by_id.unwrap().next().unwrap().unwrap().unmade.errors;
    assert_eq!(errors[0].to_string(), "line 1: user_id is missing: expected the user of a users-1-day or users-28-day report");
}

#[test]
fn an_array_holds_the_same_facts_and_goes_on_after_any_row() {
    let array = format!("\n [{}]\n", FIXTURE.trim_end().replace('\n', ",\n"));
    let all = lines(&bodies_of(FIXTURE, 1 << 20, Place::default()));
    for size in [1, 700, 1 << 20] {
        let made = bodies_of(&array, size, Place::default());
        assert_eq!(lines(&made), all);
        for (position, body) in made.iter().enumerate() {
            assert_eq!(lines(&bodies_of(&array, size, body.end)), lines(&made[position + 1..]), "{size} {position}");
        }
        let made = bodies_of(FIXTURE, size, Place::default());
        assert_eq!(lines(&made), all);
        for (position, body) in made.iter().enumerate() {
            assert_eq!(lines(&bodies_of(FIXTURE, size, body.end)), lines(&made[position + 1..]), "{size} {position}");
        }
    }
    for broken in ["[{}", "[{}] x", "[{},]", "[3"] {
        assert!(bodies(Cursor::new(broken), 99, Place::default(), UserField::UserLogin).is_err(), "{broken}");
    }
}

#[test]
fn errors_in_facts_are_told_with_the_lines_of_their_rows() {
    let made = bodies_of(FIXTURE, 1 << 20, Place::default());
    let line = |line| made[0].told(Receipt { errors: vec![FactError::new("at", None, "x").at(line)], ..Receipt::default() }).errors[0].line;
    assert_eq!([1, 9, 10, 17, 18, 19, 20].map(line), [1, 1, 2, 2, 3, 3, 0]);
}

/// Counts of an entry: turns, generated, accepted, added, deleted.
type Counts = [u32; 5];

const COUNTS: [&str; 5] = [
    "user_initiated_interaction_count",
    "code_generation_activity_count",
    "code_acceptance_activity_count",
    "loc_added_sum",
    "loc_deleted_sum",
];

const FEATURES: [&str; 8] = [
    "code_completion",
    "chat_panel_ask_mode",
    "chat_panel_agent_mode",
    "chat_inline",
    "agent_edit",
    "copilot_cli",
    "others",
    "something_new",
];

fn entry(names: &[(&str, &str)], counts: Counts) -> Value {
    let counts = COUNTS.iter().zip(counts).map(|(name, count)| ((*name).to_owned(), json!(count)));
    names.iter().map(|(name, text)| ((*name).to_owned(), json!(text))).chain(counts).collect::<serde_json::Map<_, _>>().into()
}

prop_compose! {
    /// Entries of features, and entries of languages that may or may not agree with them.
    fn reports()(
        features in proptest::collection::btree_map(0..FEATURES.len(), any::<[u16; 5]>().prop_map(|counts| counts.map(|count| u32::from(count % 40))), 0..6),
        split in proptest::collection::vec((0..FEATURES.len(), "(unknown|[Gg]o|rust|c\\+\\+)", any::<[u16; 5]>()), 0..12),
        prompts in proptest::option::of(0..9_u32),
        shuffled in any::<bool>(),
    ) -> (BTreeMap<usize, Counts>, Value, Option<u32>) {
        let mut whole: Vec<_> = features.iter().map(|(feature, counts)| entry(&[("feature", FEATURES[*feature])], *counts)).collect();
        let mut parts: Vec<_> = split.iter().map(|(feature, language, counts)| {
            entry(&[("feature", FEATURES[*feature]), ("language", language)], counts.map(|count| u32::from(count % 20)))
        }).collect();
        if shuffled {
            whole.reverse();
            parts.reverse();
        }
        let mut made = row(&[("totals_by_feature", whole.into()), ("totals_by_language_feature", parts.into())]);
        if let Some(prompts) = prompts {
            made["totals_by_cli"] = json!({"prompt_count": prompts});
        }
        (features, made, prompts)
    }
}

proptest! {
    #[test]
    fn facts_sum_to_what_the_features_say_and_all_are_taken((features, row, prompts) in reports()) {
        let facts = facts(&row);
        let ids: BTreeSet<_> = facts.iter().map(|fact| fact["id"].to_string()).collect();
        prop_assert_eq!(ids.len(), facts.len());
        if !features.is_empty() {
            let of = |which: usize| features.values().map(|counts| u64::from(counts[which])).sum::<u64>();
            let is_feature = features.keys().any(|feature| FEATURES[*feature] == "copilot_cli");
            prop_assert_eq!(sum(&facts, "turns"), of(0) + u64::from(prompts.filter(|_| !is_feature).unwrap_or(0)));
            prop_assert_eq!(sum(&facts, "lines_changed"), of(3) + of(4));
            let completions: Vec<_> = facts.iter().filter(|fact| fact["kind"] == "completion").cloned().collect();
            let [_, suggested, accepted, added, _] = features.get(&0).copied().unwrap_or_default().map(u64::from);
            prop_assert_eq!(
                [sum(&facts, "suggested"), sum(&completions, "accepted"), sum(&completions, "lines_accepted")],
                [suggested, accepted, added]
            );
        }
        if !facts.is_empty() {
            let text: String = facts.iter().map(|fact| format!("{fact}\n")).collect();
            let organization = Organization::new(OrgId(uuid::Uuid::nil()), "o", jiff::tz::TimeZone::UTC);
            let directory = Directory::default();
            let decoded =
                ingest::decode::<Assistances>(text.as_bytes(), Format::Ndjson, Compression::None, &Context::new(&organization, &directory, LATEST));
            let decoded = decoded.unwrap();
            prop_assert_eq!((decoded.facts.len(), decoded.errors), (facts.len(), Vec::new()));
        }
    }

    #[test]
    fn the_order_of_entries_changes_nothing((_, mut row, _) in reports()) {
        let before = facts(&row);
        for list in ["totals_by_feature", "totals_by_language_feature"] {
            row[list].as_array_mut().unwrap().reverse();
        }
        prop_assert_eq!(facts(&row), before);
    }

    #[test]
    fn no_report_makes_it_panic(report in "([\\[{]?[\"a-z:,0-9\\[\\]{} \n]{0,40}){0,4}", size in 1..99_usize) {
        if let Ok(bodies) = bodies(Cursor::new(report), size, Place::default(), UserField::UserId) {
            bodies.for_each(drop);
        }
    }
}
