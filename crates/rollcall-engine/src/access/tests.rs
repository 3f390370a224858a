use super::*;
use crate::Settings;
use std::path::Path;

const ORG: OrgId = OrgId(uuid::Uuid::from_u128(1));
const OTHER: OrgId = OrgId(uuid::Uuid::from_u128(2));
const NOW: Millis = 1_740_819_600_000;

fn open(home: &Path, settings: Settings) -> Engine {
    Engine::open(home, settings).unwrap()
}

fn key(number: u8) -> NewKey {
    let scopes = [Scope::ReadPeople, Scope::Ingest, Scope::Ingest].into_iter().collect();
    NewKey { name: format!("key {number}"), hash: [number; 32], scopes, department: Some("d".into()), expires: Some(NOW + 9) }
}

fn numbers(engine: &Engine, org: OrgId) -> Vec<u64> {
    engine.keys(org).iter().map(|key| key.number).collect()
}

fn lines(engine: &Engine, org: OrgId) -> Vec<(u64, Happening)> {
    engine.audit(org, None, 1_000).unwrap().events.into_iter().map(|event| (event.number, event.what)).collect()
}

#[test]
fn keys_and_the_audit_log_are_there_after_a_restart_and_of_one_organization() {
    let home = tempfile::tempdir().unwrap();
    let engine = open(home.path(), Settings::default());
    let first = engine.make_key(ORG, key(1), Actor::Operator, NOW).unwrap();
    let second = engine.make_key(ORG, key(2), Actor::Operator, NOW).unwrap();
    let theirs = engine.make_key(OTHER, key(3), Actor::Operator, NOW).unwrap();
    assert_eq!((first.number, second.number, theirs.number), (1, 2, 1));
    assert!(engine.make_key(OTHER, key(1), Actor::Operator, NOW).is_err(), "a secret opens one organization");
    assert_eq!(engine.revoke_key(OTHER, 2, Actor::Operator, NOW).unwrap(), None);
    let revoked = engine.revoke_key(ORG, 1, Actor::Key { number: 2, name: "key 2".into() }, NOW + 1).unwrap();
    assert_eq!(revoked, Some(first));
    // A number is given once, also when the newest key has gone.
    engine.revoke_key(ORG, 2, Actor::Operator, NOW + 2).unwrap();
    let third = engine.make_key(ORG, key(2), Actor::Server, NOW + 3).unwrap();
    let looked_at = |engine: &Engine| {
        assert_eq!((numbers(engine, ORG), numbers(engine, OTHER)), (vec![5], vec![1]));
        assert_eq!(engine.keys(ORG), std::slice::from_ref(&third));
        assert_eq!(engine.key_of(&[2; 32]).unwrap().key(), &third);
        assert!(engine.key_of(&[1; 32]).is_none());
        let found = lines(engine, ORG);
        assert_eq!(found.iter().map(|(number, _)| *number).collect::<Vec<_>>(), [5, 4, 3, 2, 1]);
        assert_eq!(found[2].1, Happening::KeyRevoked { key: 1, name: "key 1".into() });
        assert_eq!(lines(engine, OTHER).len(), 1);
    };
    looked_at(&engine);
    drop(engine);
    looked_at(&open(home.path(), Settings::default()));
}

#[test]
fn the_first_use_is_a_line_of_the_audit_log_and_the_last_is_known_after_a_restart() {
    let home = tempfile::tempdir().unwrap();
    let engine = open(home.path(), Settings::default());
    engine.make_key(ORG, key(1), Actor::Operator, NOW).unwrap();
    let held = engine.key_of(&[1; 32]).unwrap();
    assert_eq!(held.now().last_used, None);
    engine.use_key(&held, NOW + 5);
    // An earlier one comes late.
    engine.use_key(&held, NOW + 4);
    assert_eq!(engine.keys(ORG)[0].last_used, Some(NOW + 5));
    // Written when the engine closes, if not before.
    drop((held, engine));
    let engine = open(home.path(), Settings::default());
    assert_eq!(engine.keys(ORG)[0].last_used, Some(NOW + 5));
    let first = lines(&engine, ORG);
    assert_eq!(first[0].1, Happening::KeyFirstUsed { key: 1, name: "key 1".into() });
    let held = engine.key_of(&[1; 32]).unwrap();
    engine.use_key(&held, NOW + 100_000);
    engine.access.write_uses(&engine.facts.ledger, NOW + 100_000, false).unwrap();
    engine.use_key(&held, NOW + 100_001);
    // Within a minute nothing more is written, and a key that was used is not used first again.
    engine.access.write_uses(&engine.facts.ledger, NOW + 100_001, false).unwrap();
    let stored = engine.facts.ledger.keys().unwrap();
    assert_eq!((stored[0].1.last_used, lines(&engine, ORG)), (Some(NOW + 100_000), first));
}

#[test]
fn a_use_that_is_written_late_brings_no_revoked_key_back() {
    let home = tempfile::tempdir().unwrap();
    let engine = open(home.path(), Settings::default());
    engine.make_key(ORG, key(1), Actor::Operator, NOW).unwrap();
    let held = engine.key_of(&[1; 32]).unwrap();
    engine.use_key(&held, NOW);
    engine.revoke_key(ORG, 1, Actor::Operator, NOW).unwrap();
    engine.use_key(&held, NOW + 200_000);
    engine.access.write_uses(&engine.facts.ledger, NOW + 200_000, true).unwrap();
    assert_eq!(engine.facts.ledger.keys().unwrap(), []);
    drop((held, engine));
    assert_eq!(numbers(&open(home.path(), Settings::default()), ORG), [0; 0]);
}

#[test]
fn keys_and_lines_are_bounded_by_their_settings() {
    let home = tempfile::tempdir().unwrap();
    let engine = open(home.path(), Settings { keys_per_organization: 2, audit_per_organization: 4, ..Settings::default() });
    for number in 1..=2 {
        engine.make_key(ORG, key(number), Actor::Operator, NOW).unwrap();
    }
    let error = engine.make_key(ORG, key(3), Actor::Operator, NOW).unwrap_err();
    assert!(matches!(error, EngineError::Limit(_)) && error.to_string().contains("storage.keys_per_organization"), "{error}");
    engine.make_key(OTHER, key(4), Actor::Operator, NOW).unwrap();
    for version in 1..=7 {
        engine.note(ORG, Actor::Server, Happening::DirectoryChanged { version, departments: 0, users: 0 }, NOW).unwrap();
    }
    let page = |before, most| {
        let page = engine.audit(ORG, before, most).unwrap();
        (page.events.iter().map(|event| event.number).collect::<Vec<_>>(), page.next)
    };
    assert_eq!(page(None, 10), (vec![9, 8, 7, 6], None));
    assert_eq!((page(None, 2), page(Some(8), 2), page(Some(6), 2)), ((vec![9, 8], Some(8)), (vec![7, 6], None), (vec![], None)));
    drop(engine);
    // Fewer are kept from the next on.
    let engine = open(home.path(), Settings { audit_per_organization: 1, ..Settings::default() });
    assert_eq!(engine.note(ORG, Actor::Server, Happening::FactsWithdrawn { facts: 1 }, NOW).unwrap(), 10);
    assert_eq!(lines(&engine, ORG), [(10, Happening::FactsWithdrawn { facts: 1 })]);
}
