//! What pages promise, whoever serves them.

#![allow(clippy::unwrap_used, reason = "a test that finds nothing fails")]

mod canned;
mod isolation;
mod markup;
mod numbers;

use canned::{NOW, Seat, Stage};
use rollcall_web::{Lang, Page, Role, page};
use std::sync::LazyLock;

/// Made once: it is the same for all tests.
static STAGE: LazyLock<Stage> = LazyLock::new(Stage::new);

/// Every page, with queries that show its parts.
const PAGES: [(&str, &str); 18] = [
    ("/", ""),
    ("/", "range=month&compare=previous"),
    ("/", "range=week&user_kind=member&device=desktop,web&department=d-rd"),
    ("/", "from=2027-01-01&to=2027-01-31"),
    ("/meetings", "compare=year&range=last-week"),
    ("/meetings", "from=2026-09-14T01:00:00Z&to=2026-09-14T09:30:00Z&zone=America/New_York"),
    ("/people", ""),
    ("/people", "find=u-1"),
    ("/people/silent", ""),
    ("/people/u-1x", "range=quarter"),
    ("/departments", ""),
    ("/departments/d-rd", "compare=previous"),
    ("/places", ""),
    ("/assistant", ""),
    ("/sessions", "range=7d"),
    ("/data", "range=quarter"),
    ("/access", ""),
    ("/people", "behind=instant:2026-09-15T02:00:00Z"),
];

fn administrator() -> Seat<'static> {
    Seat::new(&STAGE, Role::Administrator, true)
}

/// A session with people in it: the path of its page.
fn session() -> String {
    let stay = STAGE.stays.iter().rev().find(|stay| stay.app == "default").unwrap();
    format!("/sessions/default/{}/{}", rollcall_model::calendar::rfc3339(stay.started_at), stay.session_id)
}

/// Each page as somebody sees it.
fn every_page(seat: &Seat<'_>, lang: Lang) -> Vec<(String, Page)> {
    let session = session();
    let pages = PAGES.iter().copied().chain([(session.as_str(), "")]);
    pages.map(|(path, query)| (format!("{path}?{query}"), page(path, query, seat, lang))).collect()
}

/// What stands between each `before` and the next `after`.
fn between<'h>(html: &'h str, before: &str, after: &str) -> Vec<&'h str> {
    html.split(before).skip(1).filter_map(|rest| rest.split_once(after)).map(|(found, _)| found).collect()
}

#[test]
fn the_stage_is_set() {
    assert!(STAGE.stays.len() > 2000 && STAGE.uses.len() > 1000);
    assert!(STAGE.stays.iter().all(|stay| stay.left <= NOW));
}
