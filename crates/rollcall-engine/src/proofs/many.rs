//! Many organizations with little each: a start reads no name of any, few commits store them all, and every fact counts once.

use crate::cells::Scope;
use crate::kinds::columns::Attendances;
use crate::testing::attendances;
use crate::{Engine, Settings};
use jiff::tz::TimeZone;
use rollcall_model::calendar::DAY_MILLIS;
use rollcall_model::reports::MeetingDays;
use rollcall_model::{OrgId, Organization, Range, Receipt, Reports};
use std::path::Path;

const AT: i64 = 1_740_819_600_000;

/// How many there are; a machine with time may set more.
fn organizations() -> u128 {
    std::env::var("ORGANIZATIONS").ok().and_then(|count| count.parse().ok()).unwrap_or(200)
}

fn organization(number: u128) -> Organization {
    Organization::new(OrgId(uuid::Uuid::from_u128(number + 1)), "o", TimeZone::UTC)
}

fn open(home: &Path) -> Engine {
    Engine::open(home, Settings { flush_seconds: 0, ..Settings::default() }).unwrap()
}

fn fact(organization: &Organization, user: &str) -> Attendances {
    attendances(organization, [("s", user, [AT; 3])])
}

/// A fact of each organization, many at once.
fn ingest(engine: &Engine, count: u128) -> Receipt {
    const AT_ONCE: u128 = 40;
    let of_share = |share: u128| {
        let receipts = (share..count).step_by(AT_ONCE as usize).map(|number| {
            let organization = organization(number);
            engine.ingest(&organization, fact(&organization, &format!("user {number}"))).unwrap()
        });
        receipts.fold(Receipt::default(), |sum, receipt| Receipt {
            accepted: sum.accepted + receipt.accepted,
            duplicate: sum.duplicate + receipt.duplicate,
            ..sum
        })
    };
    std::thread::scope(|threads| {
        let shares: Vec<_> = (0..AT_ONCE).map(|share| threads.spawn(move || of_share(share))).collect();
        shares.into_iter().map(|share| share.join().unwrap()).fold(Receipt::default(), |sum, receipt| Receipt {
            accepted: sum.accepted + receipt.accepted,
            duplicate: sum.duplicate + receipt.duplicate,
            ..sum
        })
    })
}

#[test]
fn many_organizations_cost_a_start_nothing_and_each_has_its_facts() {
    let (home, count) = (tempfile::tempdir().unwrap(), organizations());
    let engine = open(home.path());
    assert_eq!(ingest(&engine, count).accepted, count as u64);
    drop(engine);
    let engine = open(home.path());
    assert_eq!(engine.facts.ledger.users.organizations_in_memory(), 0);
    assert_eq!(ingest(&engine, count).duplicate, count as u64);
    assert_eq!(engine.flush().unwrap(), count as u64);
    let range = Range::new(AT - DAY_MILLIS, AT + DAY_MILLIS);
    for number in [0, count / 2, count - 1] {
        let days = MeetingDays::by_day(range, TimeZone::UTC);
        let rows = engine.meeting_days(organization(number).id, &days).unwrap().rows;
        assert_eq!(rows.iter().map(|row| row.participants).sum::<u64>(), 1);
    }
    engine.checkpoint().unwrap();
    let found = engine.verify(&Scope::ALL, &|_, _| {}).unwrap();
    assert_eq!((found.organizations, found.facts, found.told), (count as u64, count as u64, vec![]));
}
