//! The promise *exact*, held against naive loops: whatever facts of either kind came to whichever organization, in whatever batches and
//! order, with duplicates, late facts, new directories, erasures, checkpoints and restarts between them, every report gives the rows that a
//! loop over the accepted facts gives.
//!
//! # Layout
//! - `history`: what happens to a data directory, and is held against the loops after each step
//! - `attendance`, `assistance`: a kind of fact: random facts and questions, and the loop over them
//! - `directory`: random directories, and what holds on a day
//! - `damage`: cells that are not what the facts say are found and mended
//! - `many`: many organizations with little each

mod assistance;
mod attendance;
mod damage;
mod directory;
mod history;
mod many;

use crate::kinds::columns::Facts;
use crate::{Engine, Settings};
use directory::Held;
use jiff::tz::TimeZone;
use proptest::prelude::*;
use rollcall_model::calendar::DAY_MILLIS;
use rollcall_model::{Directory, Millis, OrgId, Organization, Range};

/// 2025-03-07T00:00:00Z: two days before the clocks change in New York.
const BASE: Millis = 1_741_305_600_000;

/// Zones with whole, half and quarter hours, with and without a change of clocks near [`BASE`].
const ZONES: [&str; 7] =
    ["UTC", "Asia/Shanghai", "America/New_York", "Asia/Kathmandu", "Australia/Lord_Howe", "America/Havana", "Pacific/Kiritimati"];

const APPS: [&str; 2] = ["default", "西区"];

/// Of how many organizations facts come: their facts, users and ids are alike.
const ORGANIZATIONS: usize = 2;

/// A kind of fact, of which reports are held against a naive loop.
trait Proven {
    /// A fact as a source gives it.
    type Fact: Clone + std::fmt::Debug + 'static;

    /// What every report of the kind is asked.
    type Ask: Clone + std::fmt::Debug + 'static;

    /// What the ledger should hold, in the order it came, each fact with what was fixed when it came.
    type Kept;

    fn fact() -> BoxedStrategy<Self::Fact>;

    fn ask() -> BoxedStrategy<Self::Ask>;

    /// The facts as the engine takes them.
    fn columns(facts: &[Self::Fact], organization: &Organization, directory: &Directory) -> Facts;

    /// Whether two facts have the same id.
    fn have_one_id(a: &Self::Fact, b: &Self::Fact) -> bool;

    /// The fact, and what is fixed of it when it comes; what it is booked on is noted.
    fn keep(fact: &Self::Fact, organization: &Organization, directory: &mut Held) -> Self::Kept;

    fn fact_of(kept: &Self::Kept) -> &Self::Fact;

    fn user(fact: &Self::Fact) -> u8;

    /// The time that facts are ordered by.
    fn time(fact: &Self::Fact) -> Millis;

    /// The app and the session; none: facts of the kind have none.
    fn session(_: &Self::Fact) -> Option<(usize, u8)> {
        None
    }

    /// Whether every report says of a question what a loop over the facts says.
    fn check(engine: &Engine, org: OrgId, kept: &[Self::Kept], directory: &Held, ask: &Self::Ask) -> Result<(), TestCaseError>;
}

/// Two organizations, in different zones.
fn organization(number: usize) -> Organization {
    let zone = ["UTC", "Asia/Kolkata"][number];
    let mut organization = Organization::new(OrgId(uuid::Uuid::from_u128(7 + number as u128)), "o", TimeZone::get(zone).unwrap());
    organization.apps = APPS.map(Into::into).into();
    organization.units = vec![0, 1];
    organization
}

fn name(user: u8) -> String {
    format!("用户{user}")
}

/// Nearly always nothing; else some weeks, or into the next or last year.
fn far() -> impl Strategy<Value = Millis> {
    prop_oneof![12 => Just(0), 1 => Just(40 * DAY_MILLIS), 1 => Just(-70 * DAY_MILLIS), 1 => Just(310 * DAY_MILLIS)]
}

/// Between two instants; now and then with months around them, as cells of months need, or years.
fn between(a: impl Strategy<Value = Millis>, b: impl Strategy<Value = Millis>) -> impl Strategy<Value = Range> {
    let around = prop_oneof![140 => Just(0), 8 => Just(40 * DAY_MILLIS), 1 => Just(330 * DAY_MILLIS)];
    (a, b, around).prop_map(|(a, b, around)| Range::new(a.min(b) - around, a.max(b) + around))
}

fn open(directory: &std::path::Path) -> Engine {
    // Small budgets, so that cells and ids are forgotten and read again, and days are kept in several blocks.
    let settings = Settings { cell_cache_bytes: 4096, id_cache_bytes: 1024, checkpoint_facts: 40, block_bytes: 300, ..Settings::default() };
    Engine::open(directory, settings).unwrap()
}
