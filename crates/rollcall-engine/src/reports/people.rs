//! `people`: the users behind a row of a report, with what they did there. `people.sql` defines the same answer.
//!
//! Every row of attendance follows from its stays: whoever has one that counts is behind it (`behind.rs`). What is asked for page by page is
//! kept in memory as one cell, where the row is a slice on quarter hours.

use super::behind::{Did, behind};
use super::membership::Days;
use super::{Answering, department_days, developer_days};
use hashbrown::HashMap;
use rollcall_model::reports::{DeveloperDays, People, PeopleOrder, PeoplePlace, PersonRow, RowOf};
use rollcall_model::{Answer, Calendar, Covers, Directory, OrgId, Range, ReportError};
use std::cmp::Reverse;
use std::sync::Arc;

pub(super) fn answer(answering: &Answering<'_>, org: OrgId, ask: &People) -> Result<Answer<PersonRow>, ReportError> {
    let (range, zone) = asked(&ask.behind);
    let covers = |seen| Covers { range, zone, seen };
    let directory = answering.engine.directory(org);
    let last = Days::of(&Calendar::new(ask.home.clone()), range).map(|days| days.last);
    if let RowOf::DeveloperDays(days, key) = &ask.behind {
        // A member has a row without a fact too, and then no number.
        let days = DeveloperDays { only: Some(vec![key.clone()]), ..days.clone() };
        let is_after = |id: &str| ask.after.as_ref().is_none_or(|after| (0, after.id.as_bytes()) < (-after.measure, id.as_bytes()));
        let rows = developer_days::answer(answering, org, &days)?;
        let ids = rows.rows.iter().map(|row| &*row.key.id).filter(|id| is_after(id)).take(ask.limit);
        let people = ids.map(|id| row(&directory, id, &Did::default(), last)).collect();
        return Ok(Answer { covers: covers(rows.covers.seen), rows: people });
    }
    let (seen, did) = match &ask.behind {
        RowOf::DepartmentDays(days, key) => {
            let (seen, users) = department_days::people(answering, org, days, key)?;
            (seen, Arc::new(users.into_iter().map(|user| (user, Did::default())).collect::<HashMap<_, _>>()))
        }
        row => behind(answering, org, row)?,
    };
    let names = answering.engine.facts.ledger.users.of(org)?;
    let names = names.read();
    let place = |id: &str, did: &Did| (Reverse(measure(ask.order, did)), id.as_bytes().to_vec());
    let after = ask.after.as_ref().map(|PeoplePlace { measure, id }| (Reverse(*measure), id.as_bytes().to_vec()));
    let mut people: Vec<(&str, &Did)> = did.iter().filter_map(|(user, did)| Some((names.name(*user)?, did))).collect();
    let compare = |a: &(&str, &Did), b: &(&str, &Did)| {
        measure(ask.order, b.1).cmp(&measure(ask.order, a.1)).then_with(|| a.0.as_bytes().cmp(b.0.as_bytes()))
    };
    if let Some(after) = after {
        people.retain(|(id, did)| place(id, did) > after);
    }
    // The others are not ordered.
    if ask.limit > 0 && ask.limit < people.len() {
        people.select_nth_unstable_by(ask.limit - 1, compare);
    }
    people.truncate(ask.limit);
    people.sort_unstable_by(compare);
    let rows = people.into_iter().map(|(id, did)| row(&directory, id, did, last)).collect();
    Ok(Answer { covers: covers(seen), rows })
}

/// The measure that orders people, descending.
fn measure(order: PeopleOrder, did: &Did) -> i64 {
    match order {
        PeopleOrder::Id => 0,
        PeopleOrder::Time => did.time,
        PeopleOrder::Sessions => did.sessions.into(),
    }
}

/// What is known of a user, with the departments of a day.
pub(super) fn row(directory: &Directory, id: &str, did: &Did, day: Option<jiff::civil::Date>) -> PersonRow {
    let user = directory.user(id);
    PersonRow {
        id: id.to_owned(),
        name: user.map_or_else(|| id.to_owned(), |user| user.name.clone()),
        kind: user.map(|user| user.kind),
        departments: day.map(|day| directory.departments_on(id, || day).to_vec()).unwrap_or_default(),
        first: did.seen.map(|seen| seen.from),
        last: did.seen.map(|seen| seen.to),
        sessions: did.sessions.into(),
        time: did.time,
    }
}

/// The range of the question behind a row, and the zone it names.
fn asked(row: &RowOf) -> (Range, jiff::tz::TimeZone) {
    match row {
        RowOf::ActiveUsers(ask, _) => (ask.range, ask.zone.clone()),
        RowOf::UsersByMeans(ask, _) => (ask.range, ask.zone.clone()),
        RowOf::UsersByPlace(ask, _) => (ask.range, ask.zone.clone()),
        RowOf::DepartmentUsers(ask, _) => (ask.range, ask.zone.clone()),
        RowOf::MeetingDays(ask, _) => (ask.range, ask.zone.clone()),
        RowOf::TopUsers(ask, _) => (ask.range, ask.zone.clone()),
        RowOf::Concurrency(ask, _) => (ask.range, ask.zone.clone()),
        RowOf::Session(key, zone) => (Range::new(key.started_at, key.started_at + 1), zone.clone()),
        RowOf::DepartmentDays(ask, _) => (ask.range, ask.zone.clone()),
        RowOf::DeveloperDays(ask, _) => (ask.range, ask.zone.clone()),
    }
}
