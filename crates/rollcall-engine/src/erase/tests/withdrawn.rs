//! What was imported by mistake is taken back, no more and no less than is named.

use super::{BASE, GONE, STAYS, assistances, attendances, facts, filled, open, organization, reports, verified};
use crate::erase::{Conditions, Erased, Proof, Selection};
use crate::kinds::block::AttendanceBlock;
use crate::kinds::columns::Attendances;
use crate::{Engine, export::Format};
use rollcall_model::calendar::DAY_MILLIS;
use rollcall_model::{AttendanceDraft, Directory, FactKind, OrgId, Organization, Range, Value};

/// Withdraws what is named, after a dry run that has to say the same.
fn withdraw(engine: &Engine, org: OrgId, conditions: Conditions) -> Erased {
    let selection = conditions.selection().unwrap();
    let told = engine.would_erase(org, &selection).unwrap();
    let erased = engine.erase(org, &selection, &|_, _| {}).unwrap();
    assert_eq!((told.attendances, told.assistances, told.times), (erased.attendances, erased.assistances, erased.times));
    assert_eq!((erased.ids, erased.proof), (erased.facts(), (erased.facts() > 0).then(Proof::default)));
    assert_eq!(engine.would_erase(org, &selection).unwrap(), Erased::default());
    verified(engine);
    erased
}

fn named(day: i64, number: usize) -> String {
    format!("{day}-{number}")
}

/// The ids of attendances as an export writes them, in the order of time.
fn exported_ids(engine: &Engine, org: OrgId) -> Vec<String> {
    let mut text = Vec::new();
    engine.export::<AttendanceBlock>(org, Range::new(0, i64::MAX), Format::Ndjson, &mut text).unwrap();
    let id = |line: &str| serde_json::from_str::<serde_json::Value>(line).unwrap()["id"].as_str().unwrap().to_owned();
    String::from_utf8(text).unwrap().lines().map(id).collect()
}

#[test]
fn facts_of_a_session_go_and_those_of_others_stay() {
    let home = tempfile::tempdir().unwrap();
    let (engine, org) = (filled(home.path()), organization(1).id);
    let session = |day: i64| Conditions { session_id: Some(format!("session {day}")), ..Conditions::default() };
    let erased = withdraw(&engine, org, session(7));
    assert_eq!((erased.attendances, erased.assistances, erased.ids), (2, 0, 2));
    assert_eq!(erased.times, Some(Range::new(BASE + 7 * DAY_MILLIS, BASE + 7 * DAY_MILLIS + 1)));
    // One that is not in the lake yet, one of another app, one that nobody knows.
    assert_eq!(withdraw(&engine, org, session(65)).attendances, 2);
    assert_eq!(withdraw(&engine, org, Conditions { app: Some("east".into()), ..session(8) }).facts(), 0);
    assert_eq!(withdraw(&engine, org, session(700)).facts(), 0);
    assert_eq!(facts(&engine, org), (136, 120));
    assert_eq!(reports(&engine, org).1, 136);
}

#[test]
fn facts_go_by_given_ids_and_by_those_that_an_export_writes() {
    let home = tempfile::tempdir().unwrap();
    let (engine, org) = (filled(home.path()), organization(1).id);
    let exported = exported_ids(&engine, org);
    // Those of odd days were given; `3-0` is also no id of any assistance.
    let ids = vec![exported[0].clone(), exported[4].clone(), named(3, 0), named(61, 1), "unknown".into(), format!("rc-{:032x}", 5)];
    assert!(ids[0].starts_with("rc-") && exported.contains(&named(3, 0)));
    let of = |fact| Conditions { fact: Some(fact), ids: ids.clone(), ..Conditions::default() };
    assert_eq!(withdraw(&engine, org, of(FactKind::Assistance)).facts(), 0);
    assert_eq!(withdraw(&engine, org, of(FactKind::Attendance)).attendances, 4);
    let left = exported_ids(&engine, org);
    let stay: Vec<String> = exported.into_iter().filter(|id| !ids.contains(id)).collect();
    assert_eq!(left, stay);
}

/// An id that is written like the default of another fact is a given id, and names the fact that came with it.
#[test]
fn an_id_written_like_a_default_names_the_fact_that_has_it() {
    let home = tempfile::tempdir().unwrap();
    let (engine, organization) = (open(home.path()), organization(1));
    engine.ingest(&organization, attendances(&organization, &[STAYS], 0..1)).unwrap();
    let [default] = &exported_ids(&engine, organization.id)[..] else { panic!() };
    let mut other = Attendances::default();
    let mut draft = AttendanceDraft::new();
    for (field, text) in [("session_id", "other"), ("user_id", "other"), ("id", default)] {
        draft.set(field, Value::Str(text.into()));
    }
    for field in ["session_started_at", "joined_at", "left_at"] {
        draft.set(field, Value::Int(BASE));
    }
    other.push(&draft.finish(&organization, &Directory::default(), None).unwrap());
    engine.ingest(&organization, other).unwrap();
    let ids = Conditions { fact: Some(FactKind::Attendance), ids: vec![default.clone()], ..Conditions::default() };
    // Both have it, as exports write them.
    assert_eq!(withdraw(&engine, organization.id, ids).attendances, 2);
}

#[test]
fn facts_of_a_range_go_by_kind_and_app_to_the_millisecond() {
    let home = tempfile::tempdir().unwrap();
    let (engine, org) = (filled(home.path()), organization(1).id);
    let from = BASE + 10 * DAY_MILLIS;
    let range = |from, to| Conditions { from: Some(from), to: Some(to), ..Conditions::default() };
    let of_app = |app: &str| Conditions { app: Some(app.into()), ..range(from, from + 1) };
    assert_eq!(withdraw(&engine, org, of_app("east")).facts(), 0);
    assert_eq!(withdraw(&engine, org, range(from + 1, from + DAY_MILLIS)).facts(), 0);
    let told = engine.would_erase(org, &range(from, from + 1).selection().unwrap()).unwrap();
    assert_eq!((told.attendances, told.assistances), (2, 2));
    assert_eq!(withdraw(&engine, org, of_app("default")).attendances, 2);
    let assistances = Conditions { fact: Some(FactKind::Assistance), ..range(from, from + 2 * DAY_MILLIS) };
    let erased = withdraw(&engine, org, assistances);
    assert_eq!((erased.attendances, erased.assistances), (0, 4));
    assert_eq!(facts(&engine, org), (138, 116));
}

#[test]
fn a_withdrawn_fact_may_come_again_with_other_content() {
    let home = tempfile::tempdir().unwrap();
    let (engine, organization) = (filled(home.path()), organization(1));
    let fact = |left_at| {
        let mut draft = AttendanceDraft::new();
        for (field, text) in [("session_id", "s"), ("user_id", GONE), ("id", "wrong")] {
            draft.set(field, Value::Str(text.into()));
        }
        for (field, at) in [("session_started_at", BASE), ("joined_at", BASE), ("left_at", left_at)] {
            draft.set(field, Value::Int(at));
        }
        let mut facts = Attendances::default();
        facts.push(&draft.finish(&organization, &Directory::default(), None).unwrap());
        facts
    };
    assert_eq!(engine.ingest(&organization, fact(BASE + 1)).unwrap().accepted, 1);
    assert_eq!(engine.ingest(&organization, fact(BASE + 2)).unwrap().conflicting, 1);
    let ids = || Conditions { fact: Some(FactKind::Attendance), ids: vec!["wrong".into()], ..Conditions::default() };
    assert_eq!(withdraw(&engine, organization.id, ids()).attendances, 1);
    assert_eq!(engine.ingest(&organization, fact(BASE + 2)).unwrap().accepted, 1);
    assert_eq!(engine.ingest(&organization, fact(BASE + 1)).unwrap().conflicting, 1);
    drop(engine);
    let engine = open(home.path());
    assert_eq!(engine.ingest(&organization, fact(BASE + 2)).unwrap().duplicate, 1);
    assert_eq!(withdraw(&engine, organization.id, ids()).attendances, 1);
}

/// A whole month goes as whole files; of others only what was named is missing.
#[test]
fn a_file_of_which_nothing_stays_is_not_written_anew() {
    let home = tempfile::tempdir().unwrap();
    let (engine, org) = (filled(home.path()), organization(1).id);
    engine.flush().unwrap();
    // March is 31 days from the 1st at nine.
    let march = Conditions { from: Some(BASE), to: Some(BASE + 30 * DAY_MILLIS + DAY_MILLIS / 2), ..Conditions::default() };
    let erased = withdraw(&engine, org, march);
    assert_eq!((erased.attendances, erased.assistances, erased.files_rewritten), (62, 62, 0));
    assert!(engine.lake().attendance.of(org).all(|file| file.month != "2025-03"));
}

/// Another organization has the same facts, and files that its versions of the last days need.
#[test]
fn nothing_of_another_organization_goes_nor_what_its_older_versions_need() {
    let home = tempfile::tempdir().unwrap();
    let (engine, org, other) = (filled(home.path()), organization(1).id, organization(2));
    for days in [0..20, 20..40] {
        engine.ingest(&other, attendances(&other, &[GONE, STAYS], days.clone())).unwrap();
        engine.ingest(&other, assistances(&other, &[GONE, STAYS], days)).unwrap();
        engine.flush().unwrap();
    }
    let merged = engine.compact().unwrap();
    assert!(merged.files_after < merged.files_before);
    let of = |organization: &Organization| {
        let kinds = ["attendance", "assistance"].map(|kind| home.path().join(format!("lake/{kind}/organization={}", organization.id)));
        let months = kinds.iter().flat_map(|kind| std::fs::read_dir(kind).unwrap()).map(|month| month.unwrap().path());
        months
            .flat_map(|month| std::fs::read_dir(month).unwrap())
            .map(|file| file.unwrap().path())
            .collect::<std::collections::BTreeSet<_>>()
    };
    let log = |kind: &str| std::fs::read_dir(home.path().join(format!("lake/{kind}/_delta_log"))).unwrap().count();
    let (before, mine, logs) = (of(&other), of(&organization(1)), ["attendance", "assistance"].map(log));
    let session = Conditions { session_id: Some("session 3".into()), ..Conditions::default() };
    withdraw(&engine, org, session.clone());
    let gone: Vec<_> = mine.difference(&of(&organization(1))).cloned().collect();
    assert!(!gone.is_empty() && gone.iter().all(|file| file.to_str().unwrap().contains("month=2025-03")), "{gone:?}");
    engine.erase(org, &Selection::Before(BASE + 15 * DAY_MILLIS), &|_, _| {}).unwrap();
    assert_eq!(of(&other), before);
    assert!(["attendance", "assistance"].map(log).iter().zip(logs).all(|(now, before)| *now > before), "versions can still be read");
    assert_eq!((facts(&engine, other.id), reports(&engine, other.id).1), ((80, 80), 80));
    assert_eq!(engine.ingest(&other, attendances(&other, &[GONE, STAYS], 0..40)).unwrap().duplicate, 80);
    verified(&engine);
}
