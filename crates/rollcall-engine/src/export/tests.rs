//! What is exported is ingested again as the same facts.

use super::Format;
use crate::ingest::{self, Compression, Context};
use crate::kinds::block::{AssistanceBlock, AttendanceBlock};
use crate::kinds::columns::{Assistances, Attendances, Columns, Facts};
use crate::kinds::words::Worded;
use crate::{Engine, Settings};
use jiff::tz::TimeZone;
use proptest::prelude::*;
use rollcall_model::calendar::DAY_MILLIS;
use rollcall_model::directory::{Department, DirectoryDocument, User};
use rollcall_model::{OrgId, Organization, Range, Receipt, UserKind};
use serde_json::{Value, json};

const FORMATS: [(Format, ingest::Format); 3] =
    [(Format::Ndjson, ingest::Format::Ndjson), (Format::Csv, ingest::Format::Csv), (Format::Parquet, ingest::Format::Parquet)];

/// 2025-03-03T00:00:00Z.
const BASE: i64 = 1_740_960_000_000;
const ALL: Range = Range::new(BASE - 30 * DAY_MILLIS, BASE + 30 * DAY_MILLIS);

/// Two organizations of one engine, alike but for their ids and directories.
fn organization(number: u128) -> Organization {
    let mut organization = Organization::new(OrgId(uuid::Uuid::from_u128(number)), "o", TimeZone::UTC);
    organization.apps = vec!["default".into(), "西, \"区\"".into()];
    organization.units = vec![0, 1];
    organization
}

fn open(directory: &tempfile::TempDir) -> Engine {
    Engine::open(directory.path(), Settings::default()).unwrap()
}

/// `u0` and `u1` have one and two departments, `u2` none.
fn directory() -> DirectoryDocument {
    let department = |id: &str| Department { id: id.into(), parent_id: None, name: id.into(), from: None, until: None };
    let user = |id: &str, kind, departments: &[&str]| User {
        id: id.into(),
        open_id: None,
        union_id: None,
        user_id: None,
        name: id.into(),
        kind,
        departments: departments.iter().map(|id| (*id).into()).collect(),
        from: None,
        until: None,
    };
    let users = vec![user("u0", UserKind::Room, &["d0"]), user("u1", UserKind::Member, &["d1", "d0"]), user("u2", UserKind::Guest, &[])];
    DirectoryDocument { departments: vec![department("d0"), department("d1")], users }
}

fn ingest<C: Columns>(engine: &Engine, organization: &Organization, body: &[u8], format: ingest::Format) -> Receipt {
    let directory = engine.directory(organization.id);
    let context = Context::new(organization, &directory, BASE + 30 * DAY_MILLIS);
    let decoded = ingest::decode::<C>(body, format, Compression::None, &context).map_err(|error| error.0);
    let decoded = decoded.unwrap();
    assert_eq!(decoded.errors, []);
    engine.ingest(organization, Into::<Facts>::into(decoded.facts)).unwrap()
}

fn lines(facts: &[Value]) -> Vec<u8> {
    facts.iter().map(|fact| fact.to_string() + "\n").collect::<String>().into_bytes()
}

fn exported<B: Worded>(engine: &Engine, organization: &Organization, range: Range, format: Format) -> (u64, Vec<u8>) {
    let mut out = Vec::new();
    (engine.export::<B>(organization.id, range, format, &mut out).unwrap(), out)
}

/// Ingests the facts, exports them in every format, and ingests what was exported into an organization of its own: there it is exported
/// as it was. Where it came from, it counts nothing. Returns the export as NDJSON, and the receipts of the latter.
fn there_and_back<C: Columns, B: Worded>(facts: &[Value]) -> (String, Vec<Receipt>) {
    let (temporary, first) = (tempfile::tempdir().unwrap(), organization(1));
    let engine = open(&temporary);
    engine.put_directory(first.id, directory()).unwrap();
    // Two halves, so that there are several blocks of a day.
    let halves = facts.split_at(facts.len() / 2);
    let mut accepted = 0;
    for half in [halves.0, halves.1].into_iter().filter(|half| !half.is_empty()) {
        accepted += ingest::<C>(&engine, &first, &lines(half), ingest::Format::Ndjson).accepted;
    }
    let (count, original) = exported::<B>(&engine, &first, ALL, Format::Ndjson);
    assert_eq!((count, original.iter().filter(|byte| **byte == b'\n').count() as u64), (accepted, accepted));
    let mut receipts = Vec::new();
    for (number, (written, read)) in (2..).zip(FORMATS) {
        let (count, body) = exported::<B>(&engine, &first, ALL, written);
        assert_eq!(count, accepted);
        let other = organization(number);
        assert_eq!(exported::<B>(&engine, &other, ALL, Format::Ndjson), (0, vec![]));
        let receipt = ingest::<C>(&engine, &other, &body, read);
        assert_eq!((receipt.accepted, receipt.duplicate + receipt.conflicting), (accepted, 0), "{read:?}");
        // One commit instead of two orders equal times otherwise.
        let sorted = |text: &[u8]| {
            let mut lines: Vec<_> = std::str::from_utf8(text).unwrap().lines().map(str::to_owned).collect();
            lines.sort_unstable();
            lines
        };
        assert_eq!(sorted(&exported::<B>(&engine, &other, ALL, Format::Ndjson).1), sorted(&original), "{read:?}");
        let again = ingest::<C>(&engine, &other, &body, read);
        assert_eq!(
            (again.duplicate, again.accepted + again.conflicting),
            (accepted, 0),
            "what was exported whole is a duplicate, {read:?}"
        );
        receipts.push(ingest::<C>(&engine, &first, &body, read));
    }
    (String::from_utf8(original).unwrap(), receipts)
}

fn some(name: &'static str, values: Vec<Value>) -> impl Strategy<Value = Option<(&'static str, Value)>> {
    prop::option::of(prop::sample::select(values).prop_map(move |value| (name, value)))
}

fn object(mut fact: Value, more: impl IntoIterator<Item = Option<(&'static str, Value)>>) -> Value {
    for (name, value) in more.into_iter().flatten() {
        fact[name] = value;
    }
    fact
}

fn attendance() -> impl Strategy<Value = Value> {
    let times = (-2 * DAY_MILLIS..2 * DAY_MILLIS, -DAY_MILLIS..DAY_MILLIS, prop_oneof![Just(0), 0..DAY_MILLIS]);
    let more = (
        some("id", vec![json!("a"), json!("=1,\"2\""), json!("|"), json!("rc-00000000000000000000000000000007")]),
        some("app", vec![json!("default"), json!("西, \"区\"")]),
        some("session_kind", vec![json!("meeting"), json!("call"), json!("room")]),
        some("user_kind", vec![json!("member"), json!("guest"), json!("phone")]),
        some("device", vec![json!("web"), json!("unknown")]),
        some("media", vec![json!([]), json!(["video"]), json!(["file", "audio"])]),
        some("country", vec![json!("CN")]),
        some("subdivision", vec![json!("CN-31"), json!("CN-HK")]),
        some("unit", vec![json!(0), json!(1)]),
    );
    let words = ("[a-c]|\\PC{1,20}", 0u8..4);
    (words, times, more).prop_map(|((session, user), (started, joined, stay), (a, b, c, d, e, f, g, h, i))| {
        let (started, joined) = (BASE + started, BASE + started + joined);
        let fact = json!({ "session_id": session, "user_id": format!("u{user}"), "session_started_at": started, "joined_at": joined,
            "left_at": joined + stay });
        object(fact, [a, b, c, d, e, f, g, h, i])
    })
}

fn assistance() -> impl Strategy<Value = Value> {
    let more = (
        some("id", vec![json!("a"), json!("b")]),
        some("department_id", vec![json!("d0"), json!("elsewhere")]),
        some("department_ids", vec![json!([]), json!(["d0"]), json!(["d0", "d7"])]),
        some("ide", vec![json!("VSCode")]),
        some("language", vec![json!("c#,\n".trim_end()), json!("go")]),
        some("accepted", vec![json!(0), json!(7)]),
        some("lines_changed", vec![json!(0), json!(u32::MAX)]),
    );
    // Few instants and users, so that facts differ in nothing but their department.
    (0u8..4, prop::sample::select(vec![0, 1, DAY_MILLIS]), prop::sample::select(vec!["chat", "completion", "edit"]), more).prop_map(
        |(user, at, kind, (id, department, departments, ide, language, accepted, lines))| {
            let departments = departments.filter(|_| department.is_none());
            let fact = json!({ "user_id": format!("u{user}"), "at": BASE + at, "kind": kind });
            let chat_type = (kind == "chat").then(|| ("chat_type", json!("我的命令 \"x\"")));
            object(fact, [id, department, departments, ide, language, accepted.filter(|_| kind != "edit"), lines, chat_type])
        },
    )
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 16, ..ProptestConfig::default() })]

    #[test]
    fn exported_attendances_are_ingested_as_the_same_facts(facts in prop::collection::vec(attendance(), 1..40)) {
        let (_, receipts) = there_and_back::<Attendances, AttendanceBlock>(&facts);
        // What depends on the directory or the configuration was filled in: then the content is not as it was given.
        prop_assert!(receipts.iter().all(|receipt| receipt.accepted == 0), "{receipts:?}");
    }

    #[test]
    fn exported_assistances_are_ingested_as_the_same_facts_and_where_they_came_from_as_duplicates(
        facts in prop::collection::vec(assistance(), 1..40),
    ) {
        let (exported, receipts) = there_and_back::<Assistances, AssistanceBlock>(&facts);
        prop_assert!(receipts.iter().all(|receipt| (receipt.accepted, receipt.conflicting) == (0, 0)), "{receipts:?} {exported}");
    }
}

#[test]
fn attendances_given_whole_are_duplicates_where_they_came_from() {
    let fact = |number: i64| {
        json!({ "session_id": "s", "session_started_at": BASE, "user_id": "u0", "user_kind": "guest", "joined_at": BASE + number,
            "left_at": BASE + DAY_MILLIS, "unit": 1, "subdivision": "CN-SH" })
    };
    let (exported, receipts) = there_and_back::<Attendances, AttendanceBlock>(&[fact(0), fact(1)]);
    assert!(receipts.iter().all(|receipt| (receipt.accepted, receipt.duplicate) == (0, 2)), "{receipts:?}");
    let id = exported.split('"').nth(3).unwrap();
    assert!(id.starts_with("rc-"), "{id}");
    assert_eq!(
        exported.lines().next().unwrap().replace(id, "ID"),
        "{\"id\":\"ID\",\"app\":\"default\",\"session_id\":\"s\",\"session_kind\":\"meeting\",\"session_started_at\":\"2025-03-03T00:00:00Z\",\
         \"user_id\":\"u0\",\"user_kind\":\"guest\",\"device\":\"unknown\",\"media\":[\"audio\"],\"joined_at\":\"2025-03-03T00:00:00Z\",\
         \"left_at\":\"2025-03-04T00:00:00Z\",\"country\":\"CN\",\"subdivision\":\"CN-SH\",\"unit\":1}"
    );
}

#[test]
fn facts_that_differ_only_in_whether_their_department_was_given_keep_their_ids() {
    let plain = json!({ "user_id": "u0", "at": BASE, "kind": "edit" });
    let given = object(plain.clone(), [Some(("department_id", json!("d0")))]);
    let elsewhere = object(plain.clone(), [Some(("department_ids", json!(["d1", "d0"])))]);
    for (other, booked_on_it) in [(plain, 2), (elsewhere, 1)] {
        for facts in [[given.clone(), other.clone()], [other.clone(), given.clone()]] {
            let (exported, receipts) = there_and_back::<Assistances, AssistanceBlock>(&facts);
            assert!(receipts.iter().all(|receipt| (receipt.accepted, receipt.duplicate) == (0, 2)), "{receipts:?}");
            assert_eq!(exported.matches("\"department_ids\":[\"d0\"]").count(), booked_on_it);
            assert_eq!(exported.matches("\"department_id\":\"d0\"").count(), 1);
        }
    }
}

#[test]
fn an_export_has_the_facts_whose_times_are_in_the_range_in_the_order_of_the_ledger() {
    let (temporary, organization) = (tempfile::tempdir().unwrap(), organization(1));
    let engine = open(&temporary);
    let facts: Vec<_> = (0..20_000).map(|number| json!({ "user_id": "u", "at": BASE + number * 10, "kind": "edit" })).collect();
    ingest::<Assistances>(&engine, &organization, &lines(&facts), ingest::Format::Ndjson);
    for (from, to, expected) in [(0, 200_000, 20_000), (10, 11, 1), (11, 20, 0), (5, 100_005, 10_000), (199_990, i64::MAX - BASE, 1)] {
        for (format, _) in FORMATS {
            let (count, text) = exported::<AssistanceBlock>(&engine, &organization, Range::new(BASE + from, BASE + to), format);
            assert_eq!(count, expected, "{from} {to}");
            if format == Format::Ndjson {
                let at =
                    |line: &str| serde_json::from_str::<Value>(line).unwrap()["at"].as_str().unwrap().parse::<jiff::Timestamp>().unwrap();
                let times: Vec<_> = std::str::from_utf8(&text).unwrap().lines().map(at).collect();
                assert!(times.is_sorted() && times.len() as u64 == expected);
            }
        }
    }
}

#[test]
fn an_export_ends_with_the_first_error_of_its_output() {
    struct Full(usize);
    impl std::io::Write for Full {
        fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
            self.0 = self.0.checked_sub(bytes.len()).ok_or_else(|| std::io::Error::other("full"))?;
            Ok(bytes.len())
        }

        fn flush(&mut self) -> std::io::Result<()> {
            Ok(())
        }
    }
    let (temporary, organization) = (tempfile::tempdir().unwrap(), organization(1));
    let engine = open(&temporary);
    let facts: Vec<_> = (0..20_000).map(|number| json!({ "user_id": "u", "at": BASE + number, "kind": "edit" })).collect();
    ingest::<Assistances>(&engine, &organization, &lines(&facts), ingest::Format::Ndjson);
    for (format, _) in FORMATS {
        let error = engine.export::<AssistanceBlock>(organization.id, ALL, format, Full(5_000)).unwrap_err();
        assert!(matches!(error, super::ExportError::Output(_)), "{error}");
    }
}

#[test]
fn bookings_on_as_many_departments_as_a_user_may_have_come_back_from_every_format() {
    let departments: Vec<_> = (0..100).map(|number| format!("d{number:02}")).collect();
    let fact = |at: i64| json!({ "user_id": "u", "at": BASE + at, "kind": "edit", "department_ids": departments });
    let (exported, receipts) = there_and_back::<Assistances, AssistanceBlock>(&(0..50).map(fact).collect::<Vec<_>>());
    assert!(receipts.iter().all(|receipt| receipt.duplicate == 50), "{receipts:?}");
    assert_eq!(exported.matches("\"d99\"]").count(), 50);
}
