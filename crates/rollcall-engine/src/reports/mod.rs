//! Reports: one file each, and beside it the plain SQL over facts that defines the same answer.

mod active_users;
mod ahead;
mod behind;
mod completeness;
mod concurrency;
mod counted;
mod department_days;
mod department_users;
mod developer_days;
mod hours;
mod meeting_days;
mod membership;
mod people;
mod person;
mod session;
mod sessions;
mod silent;
mod top_users;
mod usage;
mod users_by_means;
mod users_by_place;
mod week_hours;

pub(crate) use ahead::Ahead;
pub(crate) use usage::{NamesOf, Selections};

use crate::cells::{Base, Slice, View};
use crate::{Engine, EngineError, Supervisor};
use rollcall_model::calendar::QUARTER_MILLIS;
use rollcall_model::reports::{
    ActiveUsers, ActiveUsersRow, Completeness, Concurrency, ConcurrencyRow, DepartmentCount, DepartmentDay, DepartmentDays,
    DepartmentUsers, DeveloperDay, DeveloperDays, MeansUsers, MeetingDay, MeetingDays, People, Person, PersonAnswer, PersonRow, PlaceUsers,
    RowKeys, Session, SessionRow, Sessions, Silent, SilentMember, StayRow, TopUser, TopUsers, UsersByMeans, UsersByPlace, WeekHour,
    WeekHours,
};
use rollcall_model::{Answer, Cancellation, Directory, Millis, OrgId, Quarter, Range, ReportError, Reports};
use std::sync::Arc;

/// The first and the last instant of the facts that an answer counts.
type Seen = Option<(Millis, Millis)>;

/// The engine, while it answers one question.
struct Answering<'e> {
    engine: &'e Engine,
    /// Whether nobody waits for the answer any more.
    cancellation: Cancellation,
}

impl<'e> Answering<'e> {
    /// One consistent state of an organization's cells, until the question is cancelled.
    fn view<B: Base>(&self, org: OrgId, range: Range) -> Result<View<'e, B>, EngineError> {
        Ok(self.engine.cells.view(org, range)?.until(&self.cancellation))
    }
}

/// A supervisor's engine, while it answers one question.
struct Supervised<'s> {
    supervisor: &'s Supervisor,
    cancellation: Cancellation,
}

/// Makes the engine, its supervisor, and each while it answers one question, answer each report: one line a report.
macro_rules! reports {
    ($($name:ident: $ask:ty => $answer:ty, $by:path;)*) => {
        impl Reports for Engine {
            fn until<'r>(&'r self, cancellation: &Cancellation) -> Option<Box<dyn Reports + 'r>> {
                Some(Box::new(Answering { engine: self, cancellation: cancellation.clone() }))
            }

            $(fn $name(&self, org: OrgId, ask: &$ask) -> Result<$answer, ReportError> {
                Answering { engine: self, cancellation: Cancellation::default() }.$name(org, ask)
            })*

            fn state(&self, org: OrgId) -> Option<u128> {
                Some(self.facts.ledger.changes.state(org))
            }

            fn completeness(&self, org: OrgId, now: Millis) -> Result<Completeness, ReportError> {
                completeness::answer(self, org, now)
            }

            fn directory(&self, org: OrgId) -> Result<Arc<Directory>, ReportError> {
                Ok(Self::directory(self, org))
            }
        }

        impl Reports for Supervisor {
            fn until<'r>(&'r self, cancellation: &Cancellation) -> Option<Box<dyn Reports + 'r>> {
                Some(Box::new(Supervised { supervisor: self, cancellation: cancellation.clone() }))
            }

            $(fn $name(&self, org: OrgId, ask: &$ask) -> Result<$answer, ReportError> {
                self.engine()?.$name(org, ask)
            })*

            fn state(&self, org: OrgId) -> Option<u128> {
                self.opened()?.state(org)
            }

            fn completeness(&self, org: OrgId, now: Millis) -> Result<Completeness, ReportError> {
                completeness::answer(&*self.engine()?, org, now)
            }

            fn directory(&self, org: OrgId) -> Result<Arc<Directory>, ReportError> {
                Ok(self.engine()?.directory(org))
            }
        }

        impl Reports for Supervised<'_> {
            $(fn $name(&self, org: OrgId, ask: &$ask) -> Result<$answer, ReportError> {
                let engine = self.supervisor.engine()?;
                Answering { engine: &engine, cancellation: self.cancellation.clone() }.$name(org, ask)
            })*

            fn completeness(&self, org: OrgId, now: Millis) -> Result<Completeness, ReportError> {
                completeness::answer(&*self.supervisor.engine()?, org, now)
            }

            fn directory(&self, org: OrgId) -> Result<Arc<Directory>, ReportError> {
                Ok(self.supervisor.engine()?.directory(org))
            }
        }

        impl Reports for Answering<'_> {
            $(fn $name(&self, org: OrgId, ask: &$ask) -> Result<$answer, ReportError> {
                $by(self, org, ask)
            })*

            fn completeness(&self, org: OrgId, now: Millis) -> Result<Completeness, ReportError> {
                completeness::answer(self.engine, org, now)
            }

            fn directory(&self, org: OrgId) -> Result<Arc<Directory>, ReportError> {
                Ok(self.engine.directory(org))
            }
        }
    };
}

reports! {
    meeting_days: MeetingDays => Answer<MeetingDay>, meeting_days::answer;
    top_users: TopUsers => Answer<TopUser>, top_users::answer;
    active_users: ActiveUsers => Answer<ActiveUsersRow>, active_users::answer;
    users_by_place: UsersByPlace => Answer<PlaceUsers>, users_by_place::answer;
    users_by_means: UsersByMeans => Answer<MeansUsers>, users_by_means::answer;
    week_hours: WeekHours => Answer<WeekHour>, week_hours::answer;
    concurrency: Concurrency => Answer<ConcurrencyRow>, concurrency::answer;
    department_users: DepartmentUsers => Answer<DepartmentCount>, department_users::answer;
    people: People => Answer<PersonRow>, people::answer;
    person: Person => Answer<PersonAnswer>, person::answer;
    silent: Silent => Answer<SilentMember>, silent::answer;
    sessions: Sessions => Answer<SessionRow>, sessions::answer;
    session: Session => Answer<StayRow>, session::answer;
    department_rows: DepartmentDays => RowKeys, department_days::rows;
    department_days: DepartmentDays => Answer<DepartmentDay>, department_days::answer;
    developer_rows: DeveloperDays => RowKeys, developer_days::rows;
    developer_days: DeveloperDays => Answer<DeveloperDay>, developer_days::answer;
}

impl From<EngineError> for ReportError {
    fn from(error: EngineError) -> Self {
        match error {
            EngineError::Cancelled => return Self::Cancelled,
            EngineError::TooMuch(most) => return Self::TooMuch(most),
            _ => {}
        }
        tracing::error!(%error, "a report failed");
        Self::Storage(error.to_string())
    }
}

/// An app that a question names: `Some(None)` asks for all, `None` is an app without facts.
#[expect(clippy::option_option, reason = "an unknown app and no app are different questions")]
fn app_number(engine: &Engine, org: OrgId, app: Option<&str>) -> Result<Option<Option<u16>>, EngineError> {
    let Some(app) = app else { return Ok(Some(None)) };
    let number = engine.facts.ledger.apps.of(org)?.read().number(app);
    Ok(number.map(|number| u16::try_from(number).ok()))
}

/// An organization's directory, which knows the department that a question names, on whatever day.
fn directory_knowing(answering: &Answering<'_>, org: OrgId, department: Option<&str>) -> Result<Arc<Directory>, ReportError> {
    let directory = answering.engine.directory(org);
    match department.filter(|id| !directory.has_department(id)) {
        Some(id) => Err(ReportError::UnknownDepartment(id.to_owned())),
        None => Ok(directory),
    }
}

/// The slice of a period that is asked for whole and begins and ends on quarter hours, as all days have since October 1979.
fn whole_slice(period: Range, asked: Range) -> Option<Slice> {
    let whole = period.intersect(&asked) == period && period.from % QUARTER_MILLIS == 0 && period.to % QUARTER_MILLIS == 0;
    (whole && !period.is_empty()).then(|| Slice::new(Quarter::of(period.from), Quarter::of(period.to)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Settings;
    use crate::cells::{PresentUsers, Stays};
    use crate::ingest::{Compression, Context, Format, decode};
    use crate::kinds::columns::Attendances;
    use jiff::tz::TimeZone;
    use rollcall_model::reports::{Grouping, StayFilter};
    use rollcall_model::{Organization, Period};
    use uuid::Uuid;

    const DAY: i64 = 86_400_000;

    /// An engine with a fact at noon of each of the first days of 2025.
    pub(super) fn engine(days: i64) -> (tempfile::TempDir, Engine, OrgId) {
        let home = tempfile::tempdir().unwrap();
        let engine = Engine::open(home.path(), Settings::default()).unwrap();
        let organization = Organization::new(OrgId(Uuid::nil()), "o", TimeZone::UTC);
        let fact = |day: i64| {
            let at = 1_735_689_600_000 + day * DAY + DAY / 2;
            format!("{{\"session_id\":\"s\",\"session_started_at\":{at},\"user_id\":\"u\",\"joined_at\":{at},\"left_at\":{at}}}\n")
        };
        let (body, directory) = ((0..days).map(fact).collect::<String>(), engine.directory(organization.id));
        let context = Context::new(&organization, &directory, range(days).to);
        let decoded = decode::<Attendances>(body.as_bytes(), Format::Ndjson, Compression::None, &context).unwrap();
        engine.ingest(&organization, decoded.facts).unwrap();
        (home, engine, organization.id)
    }

    /// Takes in a stay of a user on one of these days.
    pub(super) fn ingest(engine: &Engine, org: OrgId, day: i64, user: &str) {
        let at = range(day).to;
        let fact =
            format!("{{\"session_id\":\"t\",\"session_started_at\":{at},\"user_id\":\"{user}\",\"joined_at\":{at},\"left_at\":{at}}}");
        let (organization, directory) = (Organization::new(org, "o", TimeZone::UTC), engine.directory(org));
        let decoded =
            decode::<Attendances>(fact.as_bytes(), Format::Ndjson, Compression::None, &Context::new(&organization, &directory, at));
        engine.ingest(&organization, decoded.unwrap().facts).unwrap();
    }

    pub(super) fn range(days: i64) -> Range {
        Range::new(1_735_689_600_000, 1_735_689_600_000 + days * DAY)
    }

    #[test]
    fn a_cancelled_question_gets_no_further_cell() {
        let (_home, engine, org) = engine(5);
        let cells_until = |last: usize| {
            let cancellation = Cancellation::default();
            let view = engine.cells.view::<Stays>(org, range(5)).unwrap().until(&cancellation);
            let mut cells = 0;
            let given = view.each(range(5), |_: &Arc<PresentUsers>| {
                cells += 1;
                if cells == last {
                    cancellation.cancel();
                }
            });
            (cells, given.is_ok())
        };
        let (all, whole) = cells_until(usize::MAX);
        assert!(all > 2 && whole);
        for last in [1, 2] {
            assert_eq!(cells_until(last), (last, false));
        }
    }

    #[test]
    fn a_question_takes_no_more_cells_than_it_may() {
        let (_home, engine, org) = engine(5);
        let days = MeetingDays::by_day(range(5), TimeZone::UTC);
        let of = |most| engine.until(&Cancellation::of_budget(most)).unwrap().meeting_days(org, &days);
        assert!(matches!(of(4), Err(ReportError::TooMuch(4))));
        assert_eq!(of(1000).unwrap().rows.len(), 5);
        assert_eq!(of(0).unwrap().rows.len(), 5);
    }

    #[test]
    fn an_organization_has_another_state_once_its_facts_or_its_directory_changed() {
        let (_home, engine, org) = engine(2);
        let (other, mut seen) = (OrgId(Uuid::max()), vec![engine.state(org).unwrap()]);
        let others = engine.state(other);
        assert_eq!(engine.state(org), Some(seen[0]));
        ingest(&engine, org, 1, "u");
        seen.push(engine.state(org).unwrap());
        engine.put_directory(org, serde_json::from_str(r#"{"users":[{"id":"u","name":"U"}]}"#).unwrap()).unwrap();
        seen.push(engine.state(org).unwrap());
        assert_eq!(engine.state(other), others);
        // A checkpoint changes no answer.
        engine.checkpoint().unwrap();
        assert_eq!(engine.state(org), seen.last().copied());
        engine.facts.wait_for_readers();
        seen.push(engine.state(org).unwrap());
        assert_ne!(engine.state(other), others);
        assert!(seen.is_sorted_by(|before, after| before < after), "{seen:?}");
    }

    #[test]
    fn a_cancelled_question_has_no_answer_and_the_next_one_is_whole() {
        let (_home, engine, org) = engine(5);
        let ask = ActiveUsers {
            range: range(5),
            zone: TimeZone::UTC,
            week_start: jiff::civil::Weekday::Monday,
            by: Grouping::Period(Period::Day),
            of: StayFilter::default(),
        };
        let cancellation = Cancellation::default();
        let asked = engine.until(&cancellation).unwrap();
        drop(cancellation.when_dropped());
        assert!(matches!(asked.active_users(org, &ask), Err(ReportError::Cancelled)));
        let days = MeetingDays::by_day(ask.range, TimeZone::UTC);
        assert!(matches!(asked.meeting_days(org, &days), Err(ReportError::Cancelled)));
        let rows = engine.active_users(org, &ask).unwrap().rows;
        assert_eq!(rows.iter().map(|row| row.users).collect::<Vec<_>>(), [1; 5]);
    }
}
