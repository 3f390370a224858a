//! The document is what the router does.

use super::*;
use std::collections::BTreeSet;

const SNAPSHOT: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/src/server/openapi/snapshot.json");

/// Whoever changes the API sees how, and says so: `ROLLCALL_ACCEPT=1 cargo test -p rollcall openapi` writes the snapshot anew.
#[test]
fn the_document_is_the_one_that_was_agreed_on() {
    let mut document = document();
    // The version changes with every release, and the API need not.
    document["info"]["version"] = "0".into();
    let now = format!("{}\n", serde_json::to_string_pretty(&document).unwrap());
    if std::env::var_os("ROLLCALL_ACCEPT").is_some() {
        std::fs::write(SNAPSHOT, &now).unwrap();
    }
    let agreed = std::fs::read_to_string(SNAPSHOT).unwrap_or_default();
    let changed: Vec<_> = agreed.lines().zip(now.lines()).filter(|(agreed, now)| agreed != now).take(5).collect();
    assert!(agreed == now, "the API is another than {SNAPSHOT} says: {changed:#?}");
}

#[test]
fn what_is_refused_is_a_problem_and_every_reference_leads_somewhere() {
    let document = document();
    let schemas = document["components"]["schemas"].as_object().unwrap();
    let text = document.to_string();
    for reference in text.split("\"#/components/schemas/").skip(1) {
        let name = reference.split('"').next().unwrap();
        assert!(schemas.contains_key(name), "{name}");
    }
    for (path, methods) in document["paths"].as_object().unwrap() {
        for (method, operation) in methods.as_object().unwrap() {
            for (status, response) in operation["responses"].as_object().unwrap() {
                let types: Vec<_> = response["content"].as_object().into_iter().flat_map(|content| content.keys()).collect();
                let is_problem = status.parse::<u16>().unwrap() >= 400;
                assert_eq!(types == [problem::CONTENT_TYPE], is_problem, "{method} {path} {status}");
            }
        }
    }
}

#[test]
fn operations_have_names_of_their_own() {
    let ids: Vec<_> = routes().iter().map(|route| route.said.id.clone()).collect();
    let distinct: BTreeSet<_> = ids.iter().collect();
    assert_eq!(distinct.len(), ids.len());
}
