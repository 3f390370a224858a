//! Reports: one file each, and beside it the plain SQL over facts that defines the same answer.

mod active_users;
mod department_days;
mod developer_days;
mod meeting_days;
mod top_users;
mod usage;
mod users_by_place;

pub(crate) use usage::{NamesOf, Selections};

use crate::cells::{Base, Slice};
use crate::{Engine, EngineError};
use rollcall_model::calendar::QUARTER_MILLIS;
use rollcall_model::reports::{
    ActiveUsers, ActiveUsersRow, DepartmentDay, DepartmentDays, DeveloperDay, DeveloperDays, MeetingDay, MeetingDays, PlaceUsers, RowKeys,
    TopUser, TopUsers, UsersByPlace,
};
use rollcall_model::{Answer, Directory, OrgId, Quarter, Range, ReportError, Reports};
use std::sync::Arc;

impl Reports for Engine {
    fn meeting_days(&self, org: OrgId, ask: &MeetingDays) -> Result<Answer<MeetingDay>, ReportError> {
        Ok(meeting_days::answer(self, org, ask)?)
    }

    fn top_users(&self, org: OrgId, ask: &TopUsers) -> Result<Answer<TopUser>, ReportError> {
        Ok(top_users::answer(self, org, ask)?)
    }

    fn active_users(&self, org: OrgId, ask: &ActiveUsers) -> Result<Answer<ActiveUsersRow>, ReportError> {
        Ok(active_users::answer(self, org, ask)?)
    }

    fn users_by_place(&self, org: OrgId, ask: &UsersByPlace) -> Result<Answer<PlaceUsers>, ReportError> {
        Ok(users_by_place::answer(self, org, ask)?)
    }

    fn department_rows(&self, org: OrgId, ask: &DepartmentDays) -> Result<RowKeys, ReportError> {
        department_days::rows(self, org, ask)
    }

    fn department_days(&self, org: OrgId, ask: &DepartmentDays) -> Result<Answer<DepartmentDay>, ReportError> {
        department_days::answer(self, org, ask)
    }

    fn developer_rows(&self, org: OrgId, ask: &DeveloperDays) -> Result<RowKeys, ReportError> {
        developer_days::rows(self, org, ask)
    }

    fn developer_days(&self, org: OrgId, ask: &DeveloperDays) -> Result<Answer<DeveloperDay>, ReportError> {
        developer_days::answer(self, org, ask)
    }

    fn directory(&self, org: OrgId) -> Result<Arc<Directory>, ReportError> {
        Ok(Self::directory(self, org))
    }
}

impl From<EngineError> for ReportError {
    fn from(error: EngineError) -> Self {
        tracing::error!(%error, "a report failed");
        Self::Storage(error.to_string())
    }
}

/// An app that a question names: `Some(None)` asks for all, `None` is an app without facts.
#[expect(clippy::option_option, reason = "an unknown app and no app are different questions")]
fn app_number(engine: &Engine, org: OrgId, app: Option<&str>) -> Option<Option<u16>> {
    let Some(app) = app else { return Some(None) };
    let number = engine.facts.ledger.apps.find(org, std::iter::once(app)).into_iter().next()??;
    Some(u16::try_from(number).ok())
}

/// The slice of a period that is asked for whole and begins and ends where base cells do: on quarter hours, as all days have since October
/// 1979, or on hours.
fn whole_slice<B: Base>(period: Range, asked: Range) -> Option<Slice> {
    let cell = i64::from(B::QUARTERS) * QUARTER_MILLIS;
    let whole = period.intersect(&asked) == period && period.from % cell == 0 && period.to % cell == 0;
    (whole && !period.is_empty()).then(|| Slice::new(Quarter::of(period.from), Quarter::of(period.to)))
}
