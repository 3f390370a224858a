//! Whom a question on attendance counts: its filter in numbers, and the members of a department, day by day.

use super::membership::Membership;
use super::{Answering, app_number, directory_knowing, whole_slice};
use crate::EngineError;
use crate::cells::{Attended, AttendedWith, Merged, Presence, PresentFilter, Stay, Stays, UserSets, View};
use roaring::RoaringBitmap;
use rollcall_model::reports::StayFilter;
use rollcall_model::{Media, OrgId, Range, ReportError};
use std::sync::Arc;

/// One state of the cells, and what of it a question counts.
pub(super) struct Counted<'e> {
    pub(super) view: View<'e, Stays>,
    /// None: the question names an app without facts, so nothing counts.
    pub(super) filter: Option<PresentFilter>,
    /// Who is in the department that the question names.
    department: Option<Membership>,
}

impl<'e> Counted<'e> {
    /// What of a range a filter counts.
    pub(super) fn new(answering: &Answering<'e>, org: OrgId, of: &StayFilter, range: Range) -> Result<Self, ReportError> {
        let app = app_number(answering.engine, org, of.app.as_deref())?;
        let view = answering.view::<Stays>(org, range)?;
        let filter = app.map(|app| PresentFilter {
            app,
            session_kinds: of.session_kinds.clone(),
            user_kinds: of.user_kinds.clone(),
            devices: of.devices.clone(),
            media: of.media.as_ref().map(|media| media.iter().fold(Media::NONE, |all, medium| all.with(*medium))),
        });
        let department = match &of.department {
            None => None,
            Some(department) => {
                let directory = directory_knowing(answering, org, Some(&department.id))?;
                let names = answering.engine.facts.ledger.users.of(org)?;
                Some(Membership::new(&directory, &names.read(), department, range))
            }
        };
        Ok(Self { view, filter, department })
    }

    /// The instants of the facts seen that lie in a range.
    pub(super) fn seen(&self, range: Range) -> Option<(i64, i64)> {
        let seen = self.view.seen().map(|seen| seen.intersect(&range)).filter(|seen| !seen.is_empty());
        seen.map(|seen| (seen.from, seen.to))
    }

    /// The users who are there in what of a period lies within a range; the period may be a range that was asked for as one.
    pub(super) fn present(&self, period: Range, within: Range, as_one: bool) -> Result<RoaringBitmap, EngineError> {
        let mut users = RoaringBitmap::new();
        match &self.filter {
            None => {}
            Some(PresentFilter { media: None, .. }) => self.each::<Attended>(period, within, as_one, |found| users |= found, |_| true)?,
            Some(_) => self.each::<AttendedWith>(period, within, as_one, |found| users |= found, |_| true)?,
        }
        Ok(users)
    }

    /// Gives `add` the users of some groups who count, in what of a period lies within a range, a piece of it at a time.
    pub(super) fn each<P: Presence>(
        &self,
        period: Range,
        within: Range,
        as_one: bool,
        mut add: impl FnMut(RoaringBitmap),
        takes: impl Fn(P) -> bool,
    ) -> Result<(), EngineError> {
        let Some(filter) = &self.filter else { return Ok(()) };
        let takes = |group: P| group.is_taken(filter) && takes(group);
        let asked = period.intersect(&within);
        let Some(department) = &self.department else {
            let cells = cells::<UserSets<P>>(&self.view, period, within, as_one)?;
            add(UserSets::union(cells.iter().map(AsRef::as_ref), takes));
            return Ok(());
        };
        for (piece, members) in department.pieces(asked) {
            let cells = if piece == period { cells(&self.view, period, within, as_one)? } else { cells(&self.view, piece, piece, true)? };
            add(UserSets::union(cells.iter().map(AsRef::as_ref), takes) & members);
        }
        Ok(())
    }

    /// Gives `add` each stay that counts and overlaps a range, once, with the parts of it that count.
    pub(super) fn each_stay(&self, range: Range, mut add: impl FnMut(&Stay, &[Range])) -> Result<(), EngineError> {
        let Some(filter) = &self.filter else { return Ok(()) };
        let pieces: Option<Vec<_>> = self.department.as_ref().map(|department| department.pieces(range).collect());
        let mut parts = Vec::new();
        self.view.each_stay(range, |stay| {
            if !filter.takes_stay(stay) {
                return;
            }
            parts.clear();
            let lasted = stay.lasted();
            match &pieces {
                None => parts.push(lasted.intersect(&range)),
                Some(pieces) => {
                    let from = pieces.partition_point(|(piece, _)| piece.to <= lasted.from);
                    let met = pieces.iter().skip(from).take_while(|(piece, _)| piece.from < lasted.to);
                    parts.extend(met.filter(|(_, members)| members.contains(stay.user)).map(|(piece, _)| piece.intersect(&lasted)));
                }
            }
            if !parts.is_empty() {
                add(stay, &parts);
            }
        })
    }
}

/// The merged cells that together hold what of a period lies within a range.
fn cells<M: Merged<Base = Stays>>(view: &View<'_, Stays>, period: Range, within: Range, as_one: bool) -> Result<Vec<Arc<M>>, EngineError> {
    let mut cells = Vec::new();
    match whole_slice(period, within) {
        Some(slice) if as_one => cells.push(view.range_cell(slice)?),
        Some(slice) => cells.push(view.cell(slice)?),
        None => view.each(period.intersect(&within), |cell: &Arc<M>| cells.push(cell.clone()))?,
    }
    Ok(cells)
}
