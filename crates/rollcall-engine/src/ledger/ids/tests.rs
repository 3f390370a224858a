//! Ids against a map that forgets nothing, and what a flush that is cut off leaves.

use super::flush::MOST_RUNS;
use super::*;
use crate::crash;
use crate::settings::Settings;
use fjall::Readable;
use proptest::prelude::*;
use rollcall_model::calendar::DAY_MILLIS;
use std::path::Path;

const BUDGET: usize = 128 << 20;

fn org(number: u128) -> OrgId {
    OrgId(uuid::Uuid::from_u128(number))
}

/// The ids of a directory whose last commit is at a position.
fn open(directory: &Path, position: u64, budget: usize) -> Ids {
    let ledger = Arc::new(Ledger::open(directory, &Settings::default()).unwrap());
    Ids::open(ledger, position, budget).unwrap()
}

/// An id of a day; a given one for the last of four.
fn id(number: u64, days: u64) -> FactId {
    let hash = xxhash_rust::xxh3::xxh3_128(&number.to_le_bytes());
    if number % 4 == 3 { FactId::Given(hash) } else { FactId::Default(u128::from(number % days) << 96 | hash >> 32) }
}

/// Claims in a commit of their own.
fn commit(ids: &mut Ids, position: u64, org: OrgId, kind: FactKind, claimed: &[(FactId, u32)]) -> Vec<Known> {
    let (of, contents): (Vec<_>, Vec<_>) = claimed.iter().copied().unzip();
    let known = ids.claim(org, kind, &of, &contents).unwrap();
    let mut batch = ids.ledger.db().batch();
    ids.take(position).store(&ids.ledger, position, &mut batch);
    batch.commit().unwrap();
    known
}

/// How many ids storage has, in runs and claimed.
fn count(ids: &Ids) -> u64 {
    let snapshot = ids.ledger.db().snapshot();
    let counts = Counts::of(&ids.ledger, &snapshot).unwrap();
    let days = (0..400).map(|day| counts.of_day(&ids.ledger, &snapshot, org(1), FactKind::Attendance, day).unwrap());
    days.sum()
}

#[derive(Debug, Clone)]
enum Step {
    Claim { org: u8, kind: FactKind, from: u64, count: u64, content: u32 },
    Flush,
    Reopen,
    Erase { org: u8, kind: FactKind, from: u64, count: u64 },
}

fn step() -> impl Strategy<Value = Step> {
    let kind = || prop_oneof![Just(FactKind::Attendance), Just(FactKind::Assistance)];
    let claim = (0..2u8, kind(), 0..200u64, 1..150u64, 0..2u32);
    prop_oneof![
        6 => claim.prop_map(|(org, kind, from, count, content)| Step::Claim { org, kind, from, count, content }),
        2 => Just(Step::Flush),
        1 => Just(Step::Reopen),
        1 => (0..2u8, kind(), 0..200u64, 1..80u64).prop_map(|(org, kind, from, count)| Step::Erase { org, kind, from, count }),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 12, ..ProptestConfig::default() })]

    #[test]
    fn any_history_of_ids_is_that_of_a_map(
        steps in proptest::collection::vec(step(), 1..25),
        // The least of them keeps no run in memory.
        budget in prop_oneof![Just(0), Just(20_000), Just(BUDGET)],
    ) {
        let home = tempfile::tempdir().unwrap();
        let mut ids = open(home.path(), 0, budget);
        let mut model: HashMap<(u8, FactKind, FactId), u32> = HashMap::new();
        let mut position = 0;
        for step in steps {
            match step {
                Step::Claim { org: of, kind, from, count, content } => {
                    position += 1;
                    // Each twice: the second is known.
                    let numbers = (from..from + count).chain(from..from + count / 2);
                    let is_all = |id: &FactId| matches!((kind, id), (FactKind::Assistance, FactId::Default(_)));
                    let claimed: Vec<_> = numbers.map(|number| id(number, 5)).map(|id| (id, if is_all(&id) { 0 } else { content })).collect();
                    let known = commit(&mut ids, position, org(of.into()), kind, &claimed);
                    for ((id, content), known) in claimed.into_iter().zip(known) {
                        let expected = match model.get(&(of, kind, id)) {
                            None => Known::New,
                            Some(first) => Known::by(*first, content),
                        };
                        model.entry((of, kind, id)).or_insert(content);
                        prop_assert_eq!(known, expected);
                    }
                }
                Step::Flush => ids.flush().unwrap(),
                Step::Reopen => {
                    drop(ids);
                    ids = open(home.path(), position, budget);
                }
                Step::Erase { org: of, kind, from, count } => {
                    let going: Vec<FactId> = (from..from + count).map(|number| id(number, 5)).collect();
                    let expected = going.iter().filter(|id| model.remove(&(of, kind, **id)).is_some()).count() as u64;
                    prop_assert_eq!(ids.erase(org(of.into()), kind, &going).unwrap(), expected);
                }
            }
            let of_days = |(of, kind, id): &&(u8, FactKind, FactId)| (*of, *kind) == (1, FactKind::Attendance) && matches!(id, FactId::Default(_));
            prop_assert_eq!(count(&ids), model.keys().filter(of_days).count() as u64);
        }
    }
}

#[test]
fn a_flush_that_is_cut_off_is_finished_and_no_id_counts_twice() {
    let home = tempfile::tempdir().unwrap();
    let mut ids = open(home.path(), 0, BUDGET);
    let claims: Vec<_> = (0..1_000).map(|number| (id(number, 300), 7)).collect();
    commit(&mut ids, 1, org(1), FactKind::Attendance, &claims);
    assert!(crash::tests::until("ids-flushed", || ids.flush()));
    drop(ids);
    let mut ids = open(home.path(), 1, BUDGET);
    assert_eq!((count(&ids), ids.claimed, ids.pieces.len()), (750, 0, 1));
    // What comes now is flushed under a later position, and what was flushed before stays.
    let more: Vec<_> = (1_000..1_100).map(|number| (id(number, 300), 7)).collect();
    assert!(commit(&mut ids, 2, org(1), FactKind::Attendance, &more).iter().all(|known| *known == Known::New));
    drop(ids);
    let mut ids = open(home.path(), 2, BUDGET);
    assert_eq!(ids.claimed, 100);
    ids.flush().unwrap();
    assert_eq!((count(&ids), ids.ledger.claims.iter().count()), (825, 0));
    assert!(commit(&mut ids, 3, org(1), FactKind::Attendance, &claims).iter().all(|known| *known == Known::Duplicate));
}

/// Every commit touches every day: memory stays within the budget, days have few runs, and what is known stays known.
#[test]
fn a_backfill_in_random_order_keeps_few_runs_and_to_its_memory() {
    let home = tempfile::tempdir().unwrap();
    let budget = 300_000;
    let mut ids = open(home.path(), 0, budget);
    let claims = |round: u64| (round * 5_000..(round + 1) * 5_000).map(|number| (id(number, 365), 1)).collect::<Vec<_>>();
    for round in 0..40 {
        assert!(commit(&mut ids, round + 1, org(1), FactKind::Attendance, &claims(round)).iter().all(|known| *known == Known::New));
        if ids.is_due() {
            ids.flush().unwrap();
        }
        let claimed: usize = ids.parts.values().map(|part| part.claimed.allocation_size() + PART_IN_MEMORY).sum();
        assert!(ids.size <= budget.max(claimed), "{} of {budget}", ids.size);
        assert_eq!(ids.size, ids.parts.values().map(Part::measure).sum::<usize>());
    }
    for round in (0..40).step_by(13) {
        assert!(commit(&mut ids, round + 41, org(1), FactKind::Attendance, &claims(round)).iter().all(|known| *known == Known::Duplicate));
    }
    ids.flush().unwrap();
    assert_eq!(count(&ids), 150_000);
    let most = ids.parts.values().filter_map(|part| Some(part.runs.as_ref()?.len())).max();
    assert!(most.is_none_or(|most| most <= MOST_RUNS), "{most:?}");
}

#[test]
fn what_an_id_looks_like_says_nothing_of_its_day() {
    let home = tempfile::tempdir().unwrap();
    let mut ids = open(home.path(), 0, BUDGET);
    let day = 20_000 * DAY_MILLIS;
    let default = FactId::default_of("a", "s", day, "u", day);
    let given = FactId::of(Some("rc-00004e20000000000000000000000000"), default);
    let known = commit(&mut ids, 1, org(1), FactKind::Attendance, &[(default, 1), (given, 1)]);
    assert_eq!(known, [Known::New; 2]);
    ids.flush().unwrap();
    let snapshot = ids.ledger.db().snapshot();
    let counts = Counts::of(&ids.ledger, &snapshot).unwrap();
    assert_eq!(counts.of_day(&ids.ledger, &snapshot, org(1), FactKind::Attendance, 20_000).unwrap(), 1);
    assert_eq!(snapshot.iter(&ids.ledger.ids).count(), 2);
}
