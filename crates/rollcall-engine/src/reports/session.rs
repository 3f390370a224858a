//! `session`: each stay in one session. `session.sql` defines the same answer.

use super::counted::Counted;
use super::{Answering, app_number};
use crate::EngineError;
use crate::cells::{Stay, session_hash};
use rollcall_model::reports::{Session, SessionKey, StayFilter, StayRow};
use rollcall_model::{Answer, Covers, Device, Media, OrgId, Place, Range, ReportError, SessionKind, UserKind};

pub(super) fn answer(answering: &Answering<'_>, org: OrgId, ask: &Session) -> Result<Answer<StayRow>, ReportError> {
    let range = Range::new(ask.key.started_at, ask.key.started_at + 1);
    let of = StayFilter { app: Some(ask.key.app.clone()), ..StayFilter::default() };
    let counted = Counted::new(answering, org, &of, range)?;
    let mut stays = Vec::new();
    each_stay(answering, org, &counted, &ask.key, |stay| stays.push(*stay))?;
    let seen = stays.iter().map(|stay| (stay.joined_at, stay.left_at)).reduce(|a, b| (a.0.min(b.0), a.1.max(b.1)));
    let directory = answering.engine.directory(org);
    let names = answering.engine.facts.ledger.users.of(org)?;
    let names = names.read();
    let mut stays: Vec<(&str, Stay)> = stays.into_iter().filter_map(|stay| Some((names.name(stay.user)?, stay))).collect();
    stays.sort_by(|(a_user, a), (b_user, b)| {
        (a.joined_at, a.left_at)
            .cmp(&(b.joined_at, b.left_at))
            .then_with(|| a_user.as_bytes().cmp(b_user.as_bytes()))
            .then_with(|| a.cmp(b))
    });
    let rows = stays.into_iter().skip(ask.skip).take(ask.limit).map(|(user, stay)| StayRow {
        user: user.to_owned(),
        name: directory.user(user).map_or_else(|| user.to_owned(), |user| user.name.clone()),
        user_kind: UserKind::from_number(stay.user_kind).unwrap_or(UserKind::Member),
        session_kind: SessionKind::from_number(stay.session_kind).unwrap_or(SessionKind::Meeting),
        device: Device::from_number(stay.device).unwrap_or(Device::Unknown),
        media: Media::from_bits(stay.media),
        joined_at: stay.joined_at,
        left_at: stay.left_at,
        place: Place::from_number(stay.place),
        unit: stay.unit,
    });
    Ok(Answer { covers: Covers { range, zone: ask.zone.clone(), seen }, rows: rows.collect() })
}

/// Gives `add` each stay in a session, in order of the users' numbers.
pub(super) fn each_stay(
    answering: &Answering<'_>,
    org: OrgId,
    counted: &Counted<'_>,
    key: &SessionKey,
    mut add: impl FnMut(&Stay),
) -> Result<(), EngineError> {
    let Some(Some(app)) = app_number(answering.engine, org, Some(&key.app))? else { return Ok(()) };
    let session = session_hash(app, &key.session_id);
    let is_it = |stay: &&Stay| stay.is_of_session() && (stay.started_at, stay.app, stay.session) == (key.started_at, app, session);
    counted.view.each_day(Range::new(key.started_at, key.started_at + 1), |stays| stays.iter().filter(is_it).for_each(&mut add))
}
