//! `sessions`: the sessions that started in a range, in pages. `sessions.sql` defines the same answer.
//!
//! Cells say everything of a session but its id, of which they have a hash: the ids of a page are read from its facts.

use super::counted::Counted;
use super::membership::Membership;
use super::{Answering, directory_knowing};
use crate::EngineError;
use crate::cells::{Day, PresentFilter, Stay, session_hash};
use crate::kinds::stored::Wanted;
use hashbrown::{HashMap, HashSet};
use rollcall_model::attendance::{EARLY_JOIN, LONGEST_STAY};
use rollcall_model::reports::{SessionKey, SessionRow, Sessions, StayFilter};
use rollcall_model::{Answer, Covers, Millis, OrgId, Range, ReportError, SessionKind};

/// The columns of facts that tell a session's id.
const COLUMNS: &[&str] = &["app", "session_id", "user_id", "joined_at", "left_at"];

/// A session whose id is not known yet.
struct Found {
    started_at: Millis,
    session: u64,
    app: u16,
    kind: u8,
    first_join: Millis,
    last_leave: Millis,
    users: u64,
    stays: u64,
    time: Millis,
}

pub(super) fn answer(answering: &Answering<'_>, org: OrgId, ask: &Sessions) -> Result<Answer<SessionRow>, ReportError> {
    let of = StayFilter { app: ask.app.clone(), session_kinds: ask.kinds.clone(), ..StayFilter::default() };
    let counted = Counted::new(answering, org, &of, ask.range)?;
    let covers = Covers { range: ask.range, zone: ask.zone.clone(), seen: counted.seen(ask.range) };
    let found = match (&counted.filter, Whom::new(answering, org, ask)?) {
        (Some(filter), Some(whom)) => found(&counted, filter, &whom, ask)?,
        _ => Vec::new(),
    };
    let (Some(first), Some(last)) = (found.first(), found.last()) else { return Ok(Answer { covers, rows: Vec::new() }) };
    let ids = ids(&counted, &found, Range::new(first.started_at, last.started_at + 1))?;
    let apps = answering.engine.facts.ledger.apps.of(org)?;
    let apps = apps.read();
    let mut rows: Vec<SessionRow> = found
        .into_iter()
        .filter_map(|found| {
            let (app, id) = (apps.name(found.app.into())?, ids.get(&(found.app, found.session))?);
            Some(SessionRow {
                key: SessionKey { started_at: found.started_at, app: app.to_owned(), session_id: id.clone() },
                kind: SessionKind::from_number(found.kind)?,
                first_join: found.first_join,
                last_leave: found.last_leave,
                users: found.users,
                stays: found.stays,
                time: found.time,
            })
        })
        .filter(|row| ask.after.as_ref().is_none_or(|after| row.key > *after))
        .collect();
    rows.sort_by(|a, b| a.key.cmp(&b.key).then(a.kind.number().cmp(&b.kind.number())));
    // Sessions that differ in their kind alone are on one page, as the key of the last is where the next page begins.
    let mut end = ask.limit.min(rows.len());
    while end > 0 && rows.get(end - 1).zip(rows.get(end)).is_some_and(|(last, next)| last.key == next.key) {
        end += 1;
    }
    rows.truncate(end);
    Ok(Answer { covers, rows })
}

/// Which sessions count, by who was in them.
struct Whom {
    user: Option<u32>,
    department: Option<Membership>,
}

impl Whom {
    /// None: nobody can have been.
    fn new(answering: &Answering<'_>, org: OrgId, ask: &Sessions) -> Result<Option<Self>, ReportError> {
        let names = answering.engine.facts.ledger.users.of(org)?;
        let names = names.read();
        let user = match &ask.user {
            None => None,
            Some(user) => match names.number(user) {
                None => return Ok(None),
                number => number,
            },
        };
        let department = match &ask.department {
            None => None,
            Some(department) => {
                let directory = directory_knowing(answering, org, Some(&department.id))?;
                let reach = Range::new(ask.range.from - EARLY_JOIN, ask.range.to + 2 * LONGEST_STAY);
                Some(Membership::new(&directory, &names, department, reach))
            }
        };
        Ok(Some(Self { user, department }))
    }

    fn is_in(&self, stays: &[Stay]) -> bool {
        let of_user = |user: u32| stays.iter().any(|stay| stay.user == user);
        let of_department = |department: &Membership| {
            stays.iter().any(|stay| department.pieces(stay.lasted()).any(|(_, members)| members.contains(stay.user)))
        };
        self.user.is_none_or(of_user) && self.department.as_ref().is_none_or(of_department)
    }
}

/// The sessions of a page, and what else began in the same millisecond as its last, in the order of cells.
fn found(counted: &Counted<'_>, filter: &PresentFilter, whom: &Whom, ask: &Sessions) -> Result<Vec<Found>, EngineError> {
    let from = ask.after.as_ref().map_or(ask.range.from, |after| after.started_at.max(ask.range.from));
    let range = Range::new(from, ask.range.to);
    let (mut found, mut passed): (Vec<Found>, usize) = (Vec::new(), 0);
    let is_done = |found: &[Found], passed: usize, next: Millis| {
        found.len() >= ask.limit.saturating_add(passed) && found.last().is_some_and(|last| last.started_at < next)
    };
    for day in Day::all(counted.view.reach(range)) {
        if is_done(&found, passed, day.range().from.max(from)) {
            break;
        }
        let entries = counted.view.entries_counted(day)?;
        for stays in entries.chunk_by(|a, b| a.session() == b.session()) {
            let Some(first) = stays.first().filter(|first| first.is_of_session() && range.contains(first.started_at)) else { continue };
            if is_done(&found, passed, first.started_at) {
                break;
            }
            if filter.takes_stay(first) && whom.is_in(stays) {
                found.push(Found::of(first, stays));
                // Of those that began together with the last one before the page, some may be before it.
                passed += usize::from(ask.after.as_ref().is_some_and(|after| after.started_at == first.started_at));
            }
        }
    }
    Ok(found)
}

impl Found {
    fn of(first: &Stay, stays: &[Stay]) -> Self {
        let users: HashSet<u32> = stays.iter().map(|stay| stay.user).collect();
        Self {
            started_at: first.started_at,
            session: first.session,
            app: first.app,
            kind: first.session_kind,
            first_join: stays.iter().map(|stay| stay.joined_at).min().unwrap_or_default(),
            last_leave: stays.iter().map(|stay| stay.left_at).max().unwrap_or_default(),
            users: users.len() as u64,
            stays: stays.len() as u64,
            time: stays.iter().map(|stay| stay.left_at - stay.joined_at).sum(),
        }
    }
}

/// The ids of sessions that started in a range, by app and hash.
fn ids(counted: &Counted<'_>, found: &[Found], range: Range) -> Result<HashMap<(u16, u64), String>, EngineError> {
    let mut wanted: HashSet<(u16, u64)> = found.iter().map(|found| (found.app, found.session)).collect();
    let mut ids = HashMap::with_capacity(wanted.len());
    for block in counted.view.facts(Wanted::times(range).only(COLUMNS)) {
        for row in block?.rows() {
            let key = (row.app, session_hash(row.app, row.session_id));
            if wanted.remove(&key) {
                ids.insert(key, row.session_id.to_owned());
            }
        }
        if wanted.is_empty() {
            break;
        }
    }
    Ok(ids)
}
