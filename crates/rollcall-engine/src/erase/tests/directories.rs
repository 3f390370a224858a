//! Users of directories, whether there are facts of them or not.

use super::*;

/// A member of whom there is no fact.
#[test]
fn a_user_of_the_directory_alone_is_forgotten() {
    let home = tempfile::tempdir().unwrap();
    let (engine, org) = (open(home.path()), organization(1).id);
    engine.put_directory(org, directory(&[GONE, STAYS])).unwrap();
    let erased = forget(&engine, org, GONE);
    assert_eq!((erased.facts(), erased.directory_entries, erased.proof), (0, 1, Some(Proof::default())));
    assert_eq!(engine.directory(org).document(), directory(&[STAYS]));
    assert_eq!(files_with(home.path(), GONE), [""; 0]);
}

/// A member whom only directories of before have, of whom there is no fact.
#[test]
fn a_user_of_kept_directories_alone_is_forgotten_in_all_of_them() {
    let home = tempfile::tempdir().unwrap();
    let (engine, org) = (open(home.path()), organization(1).id);
    for users in [&[GONE, STAYS][..], &[STAYS], &[GONE], &[STAYS, "other"]] {
        engine.put_directory(org, directory(users)).unwrap();
        into_tables(&engine);
    }
    assert_eq!(engine.would_erase(org, &Selection::User(GONE.into())).unwrap().directory_entries, 2);
    let before = engine.directory_history(org).unwrap();
    let erased = forget(&engine, org, GONE);
    assert_eq!((erased.directory_entries, erased.proof), (2, Some(Proof::default())));
    for text in [GONE, GONE_NAME] {
        assert_eq!(files_with(home.path(), text), [""; 0]);
    }
    drop(engine);
    let engine = open(home.path());
    let kept = [1, 2, 3].map(|version| engine.kept_directory(org, version).unwrap().unwrap());
    assert_eq!(kept, [directory(&[STAYS]), directory(&[STAYS]), directory(&[])]);
    let counts: Vec<_> = engine.directory_history(org).unwrap().iter().map(|version| (version.version, version.users)).collect();
    assert_eq!((counts, before.len()), (vec![(4, 2), (3, 0), (2, 1), (1, 1)], 4));
    assert!(matches!(engine.would_erase(org, &Selection::User(GONE.into())), Err(EngineError::UnknownUser { .. })));
}

/// The proof looks at what is stored, and says what is left.
#[test]
fn the_proof_counts_what_a_kept_directory_still_has() {
    let home = tempfile::tempdir().unwrap();
    let (engine, org) = (open(home.path()), organization(1).id);
    engine.put_directory(org, directory(&[GONE, STAYS])).unwrap();
    engine.put_directory(org, directory(&[STAYS])).unwrap();
    let selection = Selection::User(GONE.into());
    let key = crate::ledger::Ledger::erasure_key(org);
    let proof = engine.prove_erased(org, Some(&selection), &key, &crate::erase::named::Days::default(), Proof::default()).unwrap();
    assert_eq!(proof, Proof { directory_entries: 1, ..Proof::default() });
}
