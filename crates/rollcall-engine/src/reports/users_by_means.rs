//! `users_by_means`: distinct users by medium or device, over the range as one. `users_by_means.sql` defines the same answer.

use super::Answering;
use super::counted::Counted;
use crate::EngineError;
use crate::cells::{Attended, AttendedWith, Presence};
use roaring::RoaringBitmap;
use rollcall_model::reports::{Means, MeansLevel, MeansUsers, UsersByMeans};
use rollcall_model::{Answer, Covers, OrgId, Range, ReportError};

pub(super) fn answer(answering: &Answering<'_>, org: OrgId, ask: &UsersByMeans) -> Result<Answer<MeansUsers>, ReportError> {
    let counted = Counted::new(answering, org, &ask.of, ask.range)?;
    let of = counted.present(ask.range, ask.range, true)?.len();
    let rows = ask.by.rows().into_iter().map(|means| Ok(MeansUsers { means, users: users(&counted, ask, means)?.len(), of }));
    let rows = rows.collect::<Result<_, EngineError>>()?;
    let covers = Covers { range: ask.range, zone: ask.zone.clone(), seen: counted.seen(ask.range) };
    Ok(Answer { covers, rows })
}

/// The users who used something.
pub(super) fn users(counted: &Counted<'_>, ask: &UsersByMeans, means: Means) -> Result<RoaringBitmap, EngineError> {
    let is_with_media = ask.by == MeansLevel::Medium || ask.of.media.is_some();
    if is_with_media { of_groups::<AttendedWith>(counted, ask.range, means) } else { of_groups::<Attended>(counted, ask.range, means) }
}

fn of_groups<P: Presence>(counted: &Counted<'_>, range: Range, means: Means) -> Result<RoaringBitmap, EngineError> {
    let mut users = RoaringBitmap::new();
    counted.each::<P>(
        range,
        range,
        true,
        |found| users |= found,
        |group| match (means, group.used()) {
            (Means::Device(device), (used, _)) => used == Some(device),
            (Means::Medium(medium), (_, used)) => used.is_some_and(|used| used.has(medium)),
        },
    )?;
    Ok(users)
}
