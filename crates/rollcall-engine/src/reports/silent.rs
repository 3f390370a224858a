//! `silent`: members of the directory without a stay in the range. `silent.sql` defines the same answer.

use super::counted::Counted;
use super::membership::{Days, members};
use super::{Answering, directory_knowing};
use rollcall_model::directory::User;
use rollcall_model::reports::{Silent, SilentMember, StayFilter};
use rollcall_model::{Answer, Calendar, Covers, OrgId, ReportError, UserKind};
use std::collections::BTreeSet;

pub(super) fn answer(answering: &Answering<'_>, org: OrgId, ask: &Silent) -> Result<Answer<SilentMember>, ReportError> {
    let directory = directory_knowing(answering, org, ask.department.as_ref().map(|department| &*department.id))?;
    let counted = Counted::new(answering, org, &StayFilter::default(), ask.range)?;
    let covers = Covers { range: ask.range, zone: ask.zone.clone(), seen: counted.seen(ask.range) };
    let Some(days) = Days::of(&Calendar::new(ask.home.clone()), ask.range) else { return Ok(Answer { covers, rows: Vec::new() }) };
    let present = counted.present(ask.range, ask.range, true)?;
    // Who is asked about, by id.
    let mut asked: BTreeSet<&str> = BTreeSet::new();
    let is_asked = |user: &User| user.kind == UserKind::Member && ask.after.as_deref().is_none_or(|after| after < user.id.as_str());
    match &ask.department {
        Some(department) => {
            for (user, _) in members(&directory, department, days) {
                if is_asked(user) {
                    asked.insert(&user.id);
                }
            }
        }
        None => {
            for (user, last) in directory.entries() {
                if days.within(user.from, last).is_some() && is_asked(user) {
                    asked.insert(&user.id);
                }
            }
        }
    }
    let names = answering.engine.facts.ledger.users.of(org)?;
    let names = names.read();
    let silent = asked.into_iter().filter(|id| names.number(id).is_none_or(|number| !present.contains(number)));
    let rows = silent.take(ask.limit).map(|id| SilentMember {
        id: id.to_owned(),
        name: directory.user(id).map_or_else(|| id.to_owned(), |user| user.name.clone()),
        departments: {
            let held = directory.entries_of(id).filter(|(user, last)| days.within(user.from, *last).is_some());
            held.last().map(|(user, _)| user.departments.clone()).unwrap_or_default()
        },
    });
    Ok(Answer { covers, rows: rows.collect() })
}
