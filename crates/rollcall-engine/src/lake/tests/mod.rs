//! What housekeeping promises.

mod compact;
mod damage;
mod flush;
mod vacuum;

use crate::kinds::block::AttendanceBlock;
use crate::kinds::block::Block;
use crate::kinds::columns::Attendances;
use crate::{Engine, Settings};
use rollcall_model::calendar::DAY_MILLIS;
use rollcall_model::{Directory, Millis, OrgId, Organization, Range, Value};
use std::path::Path;

/// 2025-03-01T09:00:00Z.
const BASE: Millis = 1_740_819_600_000;

const ALWAYS: Range = Range::new(BASE - 400 * DAY_MILLIS, BASE + 400 * DAY_MILLIS);

/// A fact: when its session began, its session, its user, and after how long the user joined.
type Fact = (Millis, u8, u16, Millis);

fn organization() -> Organization {
    crate::testing::organization(1)
}

/// An engine that flushes, compacts and vacuums only when it is told to.
fn open(directory: &Path) -> Engine {
    open_with(directory, 7)
}

fn open_with(directory: &Path, vacuum_days: u32) -> Engine {
    Engine::open(directory, Settings { flush_seconds: 0, vacuum_days, ..Settings::default() }).unwrap()
}

fn batch(organization: &Organization, facts: &[Fact]) -> Attendances {
    let fact = |(started, session, user, after): &Fact| {
        let joined = started + after;
        (format!("会议{session}"), format!("u{user}"), [*started, joined, joined + 60_000])
    };
    crate::testing::attendances(organization, facts.iter().map(fact))
}

fn ingest(engine: &Engine, facts: &[Fact]) -> u64 {
    engine.ingest(&organization(), batch(&organization(), facts)).unwrap().accepted
}

/// Flushes one file of one fact for each user.
fn flush_each(engine: &Engine, users: std::ops::Range<u16>) {
    for user in users {
        assert_eq!(ingest(engine, &[(BASE + i64::from(user) * 1000, 1, user, 0)]), 1);
        assert_eq!(engine.flush().unwrap(), 1);
    }
}

/// Every fact, sorted.
fn facts_in(engine: &Engine) -> Vec<Fact> {
    facts_of(engine, engine.scan::<AttendanceBlock>(organization().id, ALWAYS))
}

fn facts_of(engine: &Engine, blocks: impl Iterator<Item = Result<AttendanceBlock, crate::EngineError>>) -> Vec<Fact> {
    let mut found = Vec::new();
    for block in blocks {
        let block = block.unwrap();
        let number = |text: &str| -> u16 { text.trim_start_matches(|c: char| !c.is_ascii_digit()).parse().unwrap() };
        let names = engine.facts.ledger.users.of(organization().id).unwrap();
        let names = names.read();
        for row in block.each_row() {
            let (session, user) = (u8::try_from(number(row.session_id)).unwrap(), number(names.name(row.user).unwrap()));
            found.push((row.session_started_at, session, user, row.joined_at - row.session_started_at));
        }
    }
    found.sort_unstable();
    found
}
