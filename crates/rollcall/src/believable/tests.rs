use super::*;
use jiff::civil::date;
use jiff::tz::TimeZone;
use rollcall_engine::ingest::{Compression, Context, Format, decode};
use rollcall_engine::kinds::columns::{Assistances, Attendances, Columns};
use rollcall_model::calendar::LATEST;
use rollcall_model::{Directory, OrgId, Organization};
use std::collections::{HashMap, HashSet};

fn year() -> Believable {
    Believable::new(60_000, 1_000, date(2025, 1, 1), 365, 7)
}

fn share(facts: &[Fact], of: impl Fn(&Fact) -> bool) -> f64 {
    facts.iter().filter(|fact| of(fact)).count() as f64 / facts.len() as f64
}

#[test]
fn the_same_seed_gives_the_same_facts_and_another_gives_others() {
    let lines = |of: Believable| {
        let mut lines = Vec::new();
        of.write_ndjson(&mut lines).unwrap();
        lines
    };
    let few = || Believable::new(2_000, 100, date(2025, 3, 1), 10, 7);
    assert_eq!(lines(few()), lines(few()));
    assert_ne!(lines(few()), lines(Believable { seed: 8, ..few() }));
    assert_eq!(few().chunks(300).collect::<Vec<_>>().concat(), lines(few()));
    assert_eq!(few().directory(), few().directory());
}

#[test]
fn all_facts_are_valid_distinct_and_as_many_as_asked() {
    let organization = Organization::new(OrgId(uuid::Uuid::nil()), "o", TimeZone::UTC);
    let directory = Directory::new(year().directory()).unwrap();
    let mut lines = Vec::new();
    year().write_ndjson(&mut lines).unwrap();
    let decoded =
        decode::<Attendances>(&lines, Format::Ndjson, Compression::None, &Context::new(&organization, &directory, LATEST)).unwrap();
    assert_eq!(decoded.errors, []);
    let ids: HashSet<_> = decoded.facts.ids.iter().collect();
    assert_eq!(ids.len(), 60_000);
    // What the lines say is what the facts say.
    for (row, fact) in year().iter().enumerate() {
        assert_eq!((decoded.facts.joined_at[row], decoded.facts.left_at[row]), (fact.joined_at, fact.left_at));
        assert_eq!(decoded.facts.places[row].map(|place| place.code()).unwrap_or_default(), fact.place);
    }
    for (row, user) in decoded.facts.user_ids.iter().enumerate() {
        let known = directory.user(user).map(|user| user.kind);
        let kind = decoded.facts.user_kinds[row];
        assert_eq!(known, matches!(kind, UserKind::Member | UserKind::Room).then_some(kind), "{user}");
    }
}

#[test]
fn facts_come_in_the_order_of_their_times() {
    assert!(year().iter().is_sorted_by_key(|fact| fact.joined_at));
}

#[test]
fn the_year_has_a_rhythm() {
    let facts: Vec<Fact> = year().iter().collect();
    let local = |fact: &Fact| (fact.session_started_at + AHEAD).div_euclid(3_600_000);
    // 1970-01-01 was a Thursday.
    let weekend = |fact: &Fact| matches!((local(fact) / 24 + 4) % 7, 0 | 6);
    let (off, on) = (share(&facts, weekend) / 2.0, share(&facts, |fact| !weekend(fact)) / 5.0);
    assert!(off > 0.0 && on / off > 4.0, "{on} {off}");
    let hour = |hour: i64| share(&facts, |fact| local(fact) % 24 == hour);
    assert!(hour(12) < hour(10) / 2.0 && hour(12) < hour(14) / 2.0 && hour(3) < 0.01);
}

#[test]
fn the_minorities_are_there() {
    let facts: Vec<Fact> = year().iter().collect();
    for (name, share, low, high) in [
        ("guests", share(&facts, |fact| fact.user_kind == UserKind::Guest), 0.06, 0.10),
        ("rooms", share(&facts, |fact| fact.user_kind == UserKind::Room), 0.03, 0.05),
        ("phones", share(&facts, |fact| fact.user_kind == UserKind::Phone), 0.005, 0.03),
        ("calls and rooms", share(&facts, |fact| fact.session_kind != SessionKind::Meeting), 0.10, 0.20),
        ("mobile", share(&facts, |fact| fact.device == Device::Mobile), 0.15, 0.35),
        ("abroad", share(&facts, |fact| !fact.place.is_empty() && !fact.place.starts_with("CN")), 0.02, 0.15),
        ("without place", share(&facts, |fact| fact.place.is_empty()), 0.03, 0.15),
    ] {
        assert!((low..high).contains(&share), "{name} {share}");
    }
}

#[test]
fn meetings_recur_and_a_few_users_attend_most() {
    let facts: Vec<Fact> = year().iter().filter(|fact| fact.session_kind == SessionKind::Meeting).collect();
    let mut occurrences: HashMap<u64, HashSet<Millis>> = HashMap::new();
    let mut participants: HashMap<(u64, Millis), HashSet<(u8, u32)>> = HashMap::new();
    let mut stays: HashMap<u32, usize> = HashMap::new();
    for fact in &facts {
        occurrences.entry(fact.session).or_default().insert(fact.session_started_at);
        participants.entry((fact.session, fact.session_started_at)).or_default().insert((fact.user_kind.number(), fact.user));
        if fact.user_kind == UserKind::Member {
            *stays.entry(fact.user).or_default() += 1;
        }
    }
    assert!(occurrences.values().any(|times| times.len() > 10));
    let mean = participants.values().map(HashSet::len).sum::<usize>() as f64 / participants.len() as f64;
    assert!((4.0..6.5).contains(&mean) && participants.values().all(|users| users.len() <= 15), "{mean}");
    assert!(facts.len() > participants.values().map(HashSet::len).sum(), "nobody joins again");
    let mut counts: Vec<usize> = stays.into_values().collect();
    counts.sort_unstable_by_key(|count| std::cmp::Reverse(*count));
    let top: usize = counts.iter().take(100).sum();
    assert!(top * 10 > counts.iter().sum::<usize>() * 3, "{top}");
}

#[test]
fn assistance_is_valid_and_as_much_as_asked_and_the_directory_gives_the_departments_that_facts_may_name() {
    let organization = Organization::new(OrgId(uuid::Uuid::nil()), "o", TimeZone::UTC);
    let directory = Directory::new(year().directory()).unwrap();
    let columns = |with_departments: bool| {
        let lines: Vec<u8> = year().assistance(with_departments).flatten().collect();
        let decoded =
            decode::<Assistances>(&lines, Format::Ndjson, Compression::None, &Context::new(&organization, &directory, LATEST)).unwrap();
        assert_eq!(decoded.errors, []);
        decoded.facts
    };
    let (told, found) = (columns(true), columns(false));
    assert_eq!((told.len(), found.len()), (60_000, 60_000));
    assert!(found.at.is_sorted());
    assert_eq!((&told.at, told.user_ids.iter().collect::<Vec<_>>()), (&found.at, found.user_ids.iter().collect()));
    for (told, found) in told.bookings.iter().zip(found.bookings.iter()) {
        assert!(!told.is_empty() && found.contains(told), "{told} in {found}");
    }
}
