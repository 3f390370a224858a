//! Erasures that failed: they are finished by calling again, and keep nobody from anything else.

use super::{BASE, GONE, STAYS, attendances, facts, files_with, filled, forget, open, organization, reports, verified};
use crate::EngineError;
use crate::crash;
use crate::erase::{Conditions, Proof, Selection};
use rollcall_model::calendar::DAY_MILLIS;

/// Wherever it failed, the engine goes on, and the same call finishes it.
#[test]
fn a_person_is_forgotten_by_calling_again_wherever_it_failed() {
    for point in crash::POINTS.iter().filter(|point| point.starts_with("erasure-")) {
        let home = tempfile::tempdir().unwrap();
        let (engine, org) = (filled(home.path()), organization(1).id);
        assert!(crash::tests::until(point, || engine.erase(org, &Selection::User(GONE.into()), &|_, _| {})), "{point}");
        assert_eq!(forget(&engine, org, GONE).proof, Some(Proof::default()), "{point}");
        assert_eq!(engine.facts.ledger.erasures().unwrap(), [], "{point}");
        assert_eq!(files_with(home.path(), GONE), [""; 0], "{point}");
        assert_eq!((facts(&engine, org), reports(&engine, org)), ((70, 60), (vec![STAYS.to_owned()], 70)), "{point}");
        verified(&engine);
        let unknown = engine.erase(org, &Selection::User(GONE.into()), &|_, _| {});
        assert!(matches!(unknown, Err(EngineError::UnknownUser { .. })), "{point}");
    }
}

#[test]
fn what_is_too_old_or_a_mistake_goes_by_calling_again_wherever_it_failed() {
    let mistake = Conditions { from: Some(BASE), to: Some(BASE + 30 * DAY_MILLIS), ..Conditions::default() };
    for selection in [Selection::Before(BASE + 30 * DAY_MILLIS), mistake.selection().unwrap()] {
        for point in crash::POINTS.iter().filter(|point| point.starts_with("erasure-")) {
            let home = tempfile::tempdir().unwrap();
            let (engine, org) = (filled(home.path()), organization(1).id);
            assert!(crash::tests::until(point, || engine.erase(org, &selection, &|_, _| {})), "{point}");
            assert_eq!(engine.erase(org, &selection, &|_, _| {}).unwrap().proof, Some(Proof::default()), "{point}");
            assert_eq!((facts(&engine, org), reports(&engine, org).1), ((80, 60), 80), "{point}");
            assert_eq!(engine.facts.ledger.erasures().unwrap(), [], "{point}");
            verified(&engine);
        }
    }
}

/// A data file that cannot be read stops the erasure. It stops neither the start nor ingest nor reports, and when the file is back the erasure
/// is finished without anybody who calls for it.
#[test]
fn an_erasure_that_cannot_be_finished_keeps_no_server_from_starting() {
    let home = tempfile::tempdir().unwrap();
    let (engine, organization) = (filled(home.path()), organization(1));
    let org = organization.id;
    assert!(crash::tests::until("erasure-noted", || engine.erase(org, &Selection::User(GONE.into()), &|_, _| {})));
    let file = home.path().join("lake/attendance").join(&engine.lake().attendance.of(org).next().unwrap().name);
    drop(engine);
    let whole = std::fs::read(&file).unwrap();
    std::fs::write(&file, &whole[..whole.len() / 2]).unwrap();
    let engine = open(home.path());
    let problems = engine.problems();
    assert!(matches!(&problems[..], [problem] if problem.what.contains("an erasure") && !problem.stops_ingest), "{problems:?}");
    assert_eq!(engine.ingest(&organization, attendances(&organization, &[STAYS], 100..101)).unwrap().accepted, 1);
    engine.resume_erasures();
    assert_eq!(engine.problems(), problems);
    std::fs::write(&file, &whole).unwrap();
    engine.resume_erasures();
    assert_eq!((engine.problems(), engine.facts.ledger.erasures().unwrap()), (vec![], vec![]));
    assert_eq!(files_with(home.path(), GONE), [""; 0]);
    assert_eq!(facts(&engine, org), (71, 60));
    verified(&engine);
}

/// Where a withdrawal failed when ids were gone, the same facts may have come again. The next attempt takes the old ones and leaves these
/// their ids, so that they count once whatever is sent.
#[test]
fn facts_that_came_again_after_a_failed_withdrawal_stay_and_count_once() {
    for flushed in [false, true] {
        let home = tempfile::tempdir().unwrap();
        let (engine, organization) = (open(home.path()), organization(1));
        let again = || engine.ingest(&organization, attendances(&organization, &[GONE, STAYS], 0..10)).unwrap();
        let receipts = vec![again().receipt.unwrap()];
        let mistake = Conditions { receipts, ..Conditions::default() }.selection().unwrap();
        assert!(crash::tests::until("erasure-ids-removed", || engine.erase(organization.id, &mistake, &|_, _| {})));
        assert_eq!(again().accepted, 20, "their ids are free");
        if flushed {
            engine.flush().unwrap();
        }
        let erased = engine.erase(organization.id, &mistake, &|_, _| {}).unwrap();
        assert_eq!((erased.attendances, erased.ids, erased.proof), (20, 0, Some(Proof::default())));
        assert_eq!((again().duplicate, facts(&engine, organization.id)), (20, (20, 0)));
        verified(&engine);
    }
}
