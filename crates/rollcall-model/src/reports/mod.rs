//! Reports: questions with typed parameters and typed rows, defined once, independent of any API.

pub mod active_users;
pub mod completeness;
pub mod concurrency;
pub mod department_users;
pub mod meeting_days;
pub mod people;
pub mod sessions;
pub mod stays;
pub mod top_users;
pub mod usage;
pub mod users_by_means;
pub mod users_by_place;
pub mod week_hours;

pub use active_users::{ActiveUsers, ActiveUsersRow, Grouping};
pub use completeness::Completeness;
pub use concurrency::{Concurrency, ConcurrencyRow, Peak};
pub use department_users::{DepartmentCount, DepartmentUsers};
pub use meeting_days::{MeetingDay, MeetingDays};
pub use people::{People, PeopleOrder, PeoplePlace, Person, PersonAnswer, PersonRow, PersonWeek, RowOf, Silent, SilentMember};
pub use sessions::{Session, SessionKey, SessionRow, Sessions, StayRow};
pub use stays::{InDepartment, StayFilter};
pub use top_users::{TopUser, TopUsers, UserOrder};
pub use usage::{
    Chatting, Coding, Completion, DepartmentDay, DepartmentDays, DeveloperDay, DeveloperDays, Developers, RowKey, RowKeys, Usage, UsageSpan,
};
pub use users_by_means::{Means, MeansLevel, MeansUsers, UsersByMeans};
pub use users_by_place::{PlaceLevel, PlaceUsers, UsersByPlace};
pub use week_hours::{WeekHour, WeekHours};

use crate::calendar::{Millis, Range};
use crate::cancellation::Cancellation;
use crate::directory::Directory;
use crate::organization::OrgId;
use jiff::tz::TimeZone;
use std::sync::Arc;

/// What an answer covers, carried by every answer of the native API, command line and dashboard.
#[derive(Debug, Clone, PartialEq)]
pub struct Covers {
    /// The instants asked for.
    pub range: Range,
    /// The zone whose days were used.
    pub zone: TimeZone,
    /// The first and the last instant of the facts that the answer counts; none if there are none.
    pub seen: Option<(Millis, Millis)>,
}

/// Rows, and what they cover.
#[derive(Debug, Clone, PartialEq)]
pub struct Answer<R> {
    /// What the rows cover.
    pub covers: Covers,
    /// The rows, in the order the report defines.
    pub rows: Vec<R>,
}

/// Why a report has no answer.
#[derive(Debug, Clone, thiserror::Error)]
#[non_exhaustive]
pub enum ReportError {
    /// A parameter is outside what the report allows.
    #[error("{parameter} {value}: expected {expected}")]
    Parameter {
        /// The parameter's name.
        parameter: &'static str,
        /// The value given.
        value: String,
        /// What was expected.
        expected: &'static str,
    },
    /// Whoever was asked does not answer this report.
    #[error("{0} is not answered here")]
    NotAnswered(&'static str),
    /// A department that neither the directory nor any fact knows.
    #[error("no such department: {0}")]
    UnknownDepartment(String),
    /// Nobody waits for the answer any more.
    #[error("the report was cancelled")]
    Cancelled,
    /// It would take more cells than one question may.
    #[error("the report takes more than {0} cells, one for each day and department: ask for fewer days or fewer departments at a time")]
    TooMuch(u64),
    /// The storage failed; the cause is logged, not returned.
    #[error("the report could not be read: {0}")]
    Storage(String),
}

/// Answers every report. The engine implements it; dialects, the native API and the command line ask it.
///
/// Answers are exact and read one consistent state: all facts of every receipt given before the call. Calls block, for
/// microseconds where cells are in memory and for longer where they must first be made.
///
/// Each report has a default that refuses, so that whoever answers one need not speak of the others.
pub trait Reports: Send + Sync {
    /// The same reports for one question, which ends with [`ReportError::Cancelled`] soon after `cancellation` is cancelled. None: whoever
    /// is asked knows no way to end early.
    fn until<'r>(&'r self, cancellation: &Cancellation) -> Option<Box<dyn Reports + 'r>> {
        let _ = cancellation;
        None
    }

    /// Stands for all that the answers of an organization follow from now, beside the question: facts and the directory. Once anything of it
    /// changed the number never comes again, so an answer may be given again for as long as the number stands. Never waits. None: it is not known.
    fn state(&self, org: OrgId) -> Option<u128> {
        let _ = org;
        None
    }

    /// Meetings, their duration and their participants, a row for each period. See [`MeetingDays`].
    ///
    /// # Errors
    /// [`ReportError::Storage`] if the storage fails.
    fn meeting_days(&self, org: OrgId, ask: &MeetingDays) -> Result<Answer<MeetingDay>, ReportError> {
        let _ = (org, ask);
        Err(ReportError::NotAnswered("meeting_days"))
    }

    /// Users by meetings or by time attended. See [`TopUsers`].
    ///
    /// # Errors
    /// [`ReportError::Storage`] if the storage fails.
    fn top_users(&self, org: OrgId, ask: &TopUsers) -> Result<Answer<TopUser>, ReportError> {
        let _ = (org, ask);
        Err(ReportError::NotAnswered("top_users"))
    }

    /// Distinct users whose stays overlap a period, a row for each. See [`ActiveUsers`].
    ///
    /// # Errors
    /// [`ReportError::Storage`] if the storage fails.
    fn active_users(&self, org: OrgId, ask: &ActiveUsers) -> Result<Answer<ActiveUsersRow>, ReportError> {
        let _ = (org, ask);
        Err(ReportError::NotAnswered("active_users"))
    }

    /// Distinct users by place. See [`UsersByPlace`].
    ///
    /// # Errors
    /// [`ReportError::Storage`] if the storage fails.
    fn users_by_place(&self, org: OrgId, ask: &UsersByPlace) -> Result<Answer<PlaceUsers>, ReportError> {
        let _ = (org, ask);
        Err(ReportError::NotAnswered("users_by_place"))
    }

    /// Distinct users by medium or device. See [`UsersByMeans`].
    ///
    /// # Errors
    /// [`ReportError::Storage`] if the storage fails.
    fn users_by_means(&self, org: OrgId, ask: &UsersByMeans) -> Result<Answer<MeansUsers>, ReportError> {
        let _ = (org, ask);
        Err(ReportError::NotAnswered("users_by_means"))
    }

    /// Distinct users by hour of the week. See [`WeekHours`].
    ///
    /// # Errors
    /// [`ReportError::Storage`] if the storage fails.
    fn week_hours(&self, org: OrgId, ask: &WeekHours) -> Result<Answer<WeekHour>, ReportError> {
        let _ = (org, ask);
        Err(ReportError::NotAnswered("week_hours"))
    }

    /// Distinct users in attendance by department. See [`DepartmentUsers`].
    ///
    /// # Errors
    /// [`ReportError::UnknownDepartment`]; [`ReportError::Storage`] if the storage fails.
    fn department_users(&self, org: OrgId, ask: &DepartmentUsers) -> Result<Answer<DepartmentCount>, ReportError> {
        let _ = (org, ask);
        Err(ReportError::NotAnswered("department_users"))
    }

    /// The most stays and sessions at one instant. See [`Concurrency`].
    ///
    /// # Errors
    /// [`ReportError::Storage`] if the storage fails.
    fn concurrency(&self, org: OrgId, ask: &Concurrency) -> Result<Answer<ConcurrencyRow>, ReportError> {
        let _ = (org, ask);
        Err(ReportError::NotAnswered("concurrency"))
    }

    /// Which sessions there were. See [`Sessions`].
    ///
    /// # Errors
    /// [`ReportError::UnknownDepartment`]; [`ReportError::Storage`] if the storage fails.
    fn sessions(&self, org: OrgId, ask: &Sessions) -> Result<Answer<SessionRow>, ReportError> {
        let _ = (org, ask);
        Err(ReportError::NotAnswered("sessions"))
    }

    /// Each stay in one session; no rows if there is no such session. See [`Session`].
    ///
    /// # Errors
    /// [`ReportError::Storage`] if the storage fails.
    fn session(&self, org: OrgId, ask: &Session) -> Result<Answer<StayRow>, ReportError> {
        let _ = (org, ask);
        Err(ReportError::NotAnswered("session"))
    }

    /// The users behind a row of a report. See [`People`].
    ///
    /// # Errors
    /// [`ReportError::UnknownDepartment`]; [`ReportError::Storage`] if the storage fails.
    fn people(&self, org: OrgId, ask: &People) -> Result<Answer<PersonRow>, ReportError> {
        let _ = (org, ask);
        Err(ReportError::NotAnswered("people"))
    }

    /// What one user did; no row if neither a fact nor the directory knows the user. See [`Person`].
    ///
    /// # Errors
    /// [`ReportError::Storage`] if the storage fails.
    fn person(&self, org: OrgId, ask: &Person) -> Result<Answer<PersonAnswer>, ReportError> {
        let _ = (org, ask);
        Err(ReportError::NotAnswered("person"))
    }

    /// Members without a stay. See [`Silent`].
    ///
    /// # Errors
    /// [`ReportError::UnknownDepartment`]; [`ReportError::Storage`] if the storage fails.
    fn silent(&self, org: OrgId, ask: &Silent) -> Result<Answer<SilentMember>, ReportError> {
        let _ = (org, ask);
        Err(ReportError::NotAnswered("silent"))
    }

    /// Which rows [`Reports::department_days`] has.
    ///
    /// # Errors
    /// As [`Reports::department_days`].
    fn department_rows(&self, org: OrgId, ask: &DepartmentDays) -> Result<RowKeys, ReportError> {
        let _ = (org, ask);
        Err(ReportError::NotAnswered("department_rows"))
    }

    /// The use of the coding assistant by department and day. See [`DepartmentDays`].
    ///
    /// # Errors
    /// [`ReportError::UnknownDepartment`]; [`ReportError::Storage`] if the storage fails.
    fn department_days(&self, org: OrgId, ask: &DepartmentDays) -> Result<Answer<DepartmentDay>, ReportError> {
        let _ = (org, ask);
        Err(ReportError::NotAnswered("department_days"))
    }

    /// Which rows [`Reports::developer_days`] has.
    ///
    /// # Errors
    /// As [`Reports::developer_days`].
    fn developer_rows(&self, org: OrgId, ask: &DeveloperDays) -> Result<RowKeys, ReportError> {
        let _ = (org, ask);
        Err(ReportError::NotAnswered("developer_rows"))
    }

    /// The use of the coding assistant by developer and day. See [`DeveloperDays`].
    ///
    /// # Errors
    /// [`ReportError::UnknownDepartment`]; [`ReportError::Storage`] if the storage fails.
    fn developer_days(&self, org: OrgId, ask: &DeveloperDays) -> Result<Answer<DeveloperDay>, ReportError> {
        let _ = (org, ask);
        Err(ReportError::NotAnswered("developer_days"))
    }

    /// How complete the facts are. See [`Completeness`]. `now` ends the last day.
    ///
    /// # Errors
    /// [`ReportError::Storage`] if the storage fails.
    fn completeness(&self, org: OrgId, now: Millis) -> Result<Completeness, ReportError> {
        let _ = (org, now);
        Err(ReportError::NotAnswered("completeness"))
    }

    /// The directory that the reports go by, as it is now.
    ///
    /// # Errors
    /// None but that of the default.
    fn directory(&self, org: OrgId) -> Result<Arc<Directory>, ReportError> {
        let _ = org;
        Err(ReportError::NotAnswered("directory"))
    }
}
