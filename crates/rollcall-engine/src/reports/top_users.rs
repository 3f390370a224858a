//! `top_users`: users by distinct meetings or by time attended, of the meetings that started in a range.
//!
//! The sums of all users are added up in one array by user number, from the fewest cells that cover the range; names and kinds are
//! looked up for the rows of the answer alone. `top_users.sql` defines the same answer.

use super::{Answering, app_number};
use crate::cells::{Stays, UserSum, UserSums, UserTotals};
use crate::{Engine, EngineError};
use rollcall_model::reports::{TopUser, TopUsers, UserOrder};
use rollcall_model::{Answer, Covers, OrgId, ReportError, UserKind};
use std::cmp::Reverse;
use std::sync::Arc;

pub(super) fn answer(answering: &Answering<'_>, org: OrgId, ask: &TopUsers) -> Result<Answer<TopUser>, ReportError> {
    let covers = Covers { range: ask.range, zone: ask.zone.clone(), seen: None };
    let Some(app) = app_number(answering.engine, org, ask.app.as_deref())? else {
        return Ok(Answer { covers, rows: Vec::new() });
    };
    let view = answering.view::<Stays>(org, ask.range)?;
    let mut sums = UserSums::default();
    let mut cells: Vec<Arc<UserTotals>> = Vec::new();
    view.each(ask.range, |cell| {
        sums.add(cell, app, ask.unit);
        cells.push(cell.clone());
    })?;
    cells.sort_by_key(|cell| Reverse(cell.last()));
    let directory = answering.engine.directory(org);
    // Only users outside the directory have the kind their facts give them.
    let kind = |id: &str, number: u32| {
        let latest = || UserTotals::latest_of(cells.iter().map(AsRef::as_ref), number, app, ask.unit);
        let kind = directory.user(id).map(|user| user.kind).or_else(|| UserKind::from_number(latest()?.1));
        kind.unwrap_or(UserKind::Member)
    };
    let takes = |id: &str, number: u32| ask.kinds.as_ref().is_none_or(|kinds| kinds.contains(&kind(id, number)));
    let rows = top(answering.engine, org, &sums, ask, takes)?;
    let rows = rows.into_iter().map(|(id, number, sum)| {
        let user = directory.user(&id);
        TopUser {
            open_id: user.and_then(|user| user.open_id.clone()),
            union_id: user.and_then(|user| user.union_id.clone()),
            user_id: user.and_then(|user| user.user_id.clone()),
            name: user.map_or_else(|| id.to_string(), |user| user.name.clone()),
            kind: kind(&id, number),
            id,
            meetings: sum.meetings,
            duration: sum.stayed,
        }
    });
    Ok(Answer { covers: Covers { seen: sums.seen, ..covers }, rows: rows.collect() })
}

/// The first `limit` users that are taken: their ids, numbers and sums.
fn top(
    engine: &Engine,
    org: OrgId,
    sums: &UserSums,
    ask: &TopUsers,
    takes: impl Fn(&str, u32) -> bool,
) -> Result<Vec<(String, u32, UserSum)>, EngineError> {
    let measures = |sum: &UserSum| match ask.order {
        UserOrder::Meetings => (Reverse(sum.meetings as i64), Reverse(sum.stayed)),
        UserOrder::Duration => (Reverse(sum.stayed), Reverse(sum.meetings as i64)),
    };
    let mut users: Vec<(u32, UserSum)> = sums.iter().collect();
    if ask.limit == 0 {
        return Ok(Vec::new());
    }
    // Nobody beyond the measures of the last place can be in the answer; ids, which break ties, are needed for the others only.
    if ask.limit < users.len() && ask.kinds.is_none() {
        let (_, last, _) = users.select_nth_unstable_by_key(ask.limit - 1, |(_, sum)| measures(sum));
        let last = measures(&last.1);
        users.retain(|(_, sum)| measures(sum) <= last);
    }
    let names = engine.facts.ledger.users.of(org)?;
    let names = names.read();
    let mut named: Vec<(&str, u32, UserSum)> =
        users.into_iter().filter_map(|(number, sum)| Some((names.name(number)?, number, sum))).collect();
    named.sort_unstable_by(|(a_id, _, a), (b_id, _, b)| measures(a).cmp(&measures(b)).then_with(|| a_id.as_bytes().cmp(b_id.as_bytes())));
    let taken = named.into_iter().filter(|(id, number, _)| takes(id, *number)).take(ask.limit);
    Ok(taken.map(|(id, number, sum)| (id.to_owned(), number, sum)).collect())
}
