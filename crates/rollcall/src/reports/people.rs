//! `people`: who is behind a row of another report, in pages.
//!
//! It takes the parameters of that report, named by `of`, and what tells the row: `date` of a period, else `row`.

use super::paging::Page;
use super::{
    BadParameter, Cell, Common, Document, Ends, Given, Question, Report, active_users, concurrency, department_days, department_users,
};
use super::{dates, developer_days, groups, meeting_days, session, time, top_users, users_by_place};
use jiff::civil::Date;
use rollcall_model::calendar::rfc3339;
use rollcall_model::reports::{Grouping, MeansLevel, People, PeopleOrder, PeoplePlace, RowKey, RowOf};
use rollcall_model::{Calendar, Period, Place, Range};

/// The report.
#[derive(Debug)]
pub struct PeopleReport;

const COLUMNS: &[&str] = &["id", "name", "kind", "departments", "first", "last", "sessions", "time_ms"];

/// What it takes besides the parameters of that report.
const OWN: [&str; 6] = ["of", "date", "row", "order", "limit", "cursor"];

/// The reports whose rows have people behind them.
const OF: &str = "active-users|users-by-place|department-users|meeting-days|top-users|concurrency|session|department-days|developer-days";

impl Report for PeopleReport {
    fn name(&self) -> &'static str {
        "people"
    }

    fn columns(&self, _: &[(String, String)]) -> &'static [&'static str] {
        COLUMNS
    }

    fn own_parameters(&self) -> &'static [&'static str] {
        &[
            "of",
            "date",
            "row",
            "order",
            "limit",
            "cursor",
            "by",
            "week_start",
            "app",
            "session_kind",
            "user_kind",
            "device",
            "medium",
            "department",
            "subtree",
            "unit",
            "country",
            "session_id",
            "started_at",
        ]
    }

    fn ends(&self) -> Ends {
        Ends::Optional
    }

    fn has_day_rows(&self) -> bool {
        false
    }

    fn about(&self) -> [&'static str; 2] {
        [
            "The users behind a row of another report, in pages: of says which report, date or row says which row. They are as many as the row says.",
            "另一报表某一行背后的用户（分页）：of 指定报表，date 或 row 指定行；人数与该行一致。",
        ]
    }

    fn names_people(&self) -> bool {
        true
    }

    fn words(&self, parameter: &str) -> Option<&'static str> {
        match parameter {
            "of" => Some(OF),
            "order" => Some("id|time|sessions"),
            "by" => Some("hour|day|week|month|quarter|year|whole|medium|device|country|subdivision|rolling-[0-9]{1,3}"),
            _ => None,
        }
    }

    fn question(&self, common: Common, own: &Given<'_>) -> Result<Question, BadParameter> {
        let page = Page::of(self.name(), own)?;
        let order = match own.get("order") {
            None | Some("id") => PeopleOrder::Id,
            Some("time") => PeopleOrder::Time,
            Some("sessions") => PeopleOrder::Sessions,
            other => return Err(BadParameter::new("order", other, "id, time or sessions")),
        };
        let after: Option<(i64, String)> = page.after()?;
        let ask = People {
            behind: behind(common, own)?,
            home: own.organization().zone.clone(),
            order,
            after: after.map(|(measure, id)| PeoplePlace { measure, id }),
            limit: page.limit,
        };
        Ok(Box::new(move |reports, org| {
            let answer = reports.people(org, &ask)?;
            let measure = |row: &rollcall_model::reports::PersonRow| match order {
                PeopleOrder::Id => 0,
                PeopleOrder::Time => row.time,
                PeopleOrder::Sessions => row.sessions.cast_signed(),
            };
            let next = page.next(answer.rows.len(), || answer.rows.last().map(|row| (measure(row), &row.id)));
            let rows = answer.rows.iter().map(|row| {
                vec![
                    Cell::Text(row.id.clone()),
                    Cell::Text(row.name.clone()),
                    Cell::from(row.kind.map(|kind| kind.name().to_owned())),
                    Cell::Text(row.departments.join("|")),
                    Cell::from(row.first.map(rfc3339)),
                    Cell::from(row.last.map(rfc3339)),
                    Cell::from(row.sessions),
                    Cell::Number(row.time),
                ]
            });
            Ok(Document::new(&answer.covers, COLUMNS, rows.collect()).with_next(next))
        }))
    }
}

/// Whether each parameter is one of the report's that is asked about, or of this one's own: what it does not take would be passed over.
fn check(of: &str, own: &Given<'_>) -> Result<(), BadParameter> {
    let Ok(report) = super::find(of) else { return Ok(()) };
    let known: Vec<_> = super::parameters_of(report).into_iter().chain(OWN).filter(|name| *name != "compare").collect();
    super::check_names(own.pairs(), &known)
}

/// The row that is asked about.
fn behind(common: Common, own: &Given<'_>) -> Result<RowOf, BadParameter> {
    let of = own.get("of").map(|of| of.replace('_', "-"));
    check(of.as_deref().unwrap_or_default(), own)?;
    let zone = common.zone.clone();
    let week_start = groups::week_start(own.get("week_start"))?;
    let calendar = Calendar { zone: zone.clone(), week_start };
    let by = own.get("by");
    let row = |expected: &str| own.get("row").ok_or_else(|| BadParameter::new("row", None, expected));
    // What a question without `from` and `to` asks for is the row's own period.
    let whole = |period: Range| Common { range: if common.range.is_empty() { period } else { common.range }, ..common.clone() };
    Ok(match of.as_deref() {
        Some("active-users") => match by {
            Some(by @ (active_users::MEDIUM | active_users::DEVICE)) => {
                let level = if by == active_users::MEDIUM { MeansLevel::Medium } else { MeansLevel::Device };
                let name = row("the medium or device of the row")?;
                let means = level.rows().into_iter().find(|means| means.name() == name);
                let means = means.ok_or_else(|| BadParameter::new("row", Some(name), "the medium or device of the row"))?;
                RowOf::UsersByMeans(active_users::ask_means(needed(common, own)?, groups::stays(own)?, level), means)
            }
            by => {
                let period = match groups::grouping(by)? {
                    Grouping::Period(period) => of_period(&calendar, period, own)?,
                    Grouping::Hour => calendar.hour_of(time("row", own.get("row"), &zone)?).range,
                    Grouping::Rolling(days) => {
                        let last = date(own)?;
                        Range::new(
                            calendar.start_of(last.saturating_sub(jiff::Span::new().days(i64::from(days) - 1))),
                            calendar.day(last).to,
                        )
                    }
                    Grouping::Whole => needed(common.clone(), own)?.range,
                };
                RowOf::ActiveUsers(active_users::ask(whole(period), own)?, period)
            }
        },
        Some("meeting-days") => {
            let period = match groups::period(by)? {
                Grouping::Period(period) => of_period(&calendar, period, own)?,
                _ => needed(common.clone(), own)?.range,
            };
            RowOf::MeetingDays(meeting_days::ask(whole(period), own)?, period)
        }
        Some("users-by-place") => {
            let code = row("the code of the place, or unknown")?;
            let place = if code == "unknown" { None } else { Some(Place::from_code(code)) };
            let place = place
                .map(|place| place.ok_or_else(|| BadParameter::new("row", Some(code), "the code of the place, or unknown")))
                .transpose()?;
            RowOf::UsersByPlace(users_by_place::ask(needed(common, own)?, own)?, place)
        }
        Some("department-users") => {
            let id = row("the id of the department, or none")?;
            RowOf::DepartmentUsers(department_users::ask(needed(common, own)?, own)?, (id != "none").then(|| id.to_owned()))
        }
        Some("top-users") => {
            let user = row("the id of the user")?.to_owned();
            RowOf::TopUsers(top_users::unordered(needed(common, own)?, own)?, user)
        }
        Some("concurrency") => {
            let at = time("row", own.get("row"), &zone)?;
            RowOf::Concurrency(concurrency::ask(whole(calendar.day(calendar.date_of(at))), own)?, at)
        }
        Some("session") => RowOf::Session(session::key(own, &zone)?, zone),
        Some("department-days") => {
            let Some(id) = own.get("department") else { return Err(BadParameter::new("department", None, "the id of the department")) };
            let (id, date) = (id.into(), date(own)?);
            RowOf::DepartmentDays(department_days::ask(whole(calendar.day(date)), own)?, RowKey { date, id })
        }
        Some("developer-days") => {
            let (id, date) = (row("the id of the user")?.into(), date(own)?);
            RowOf::DeveloperDays(developer_days::ask(whole(calendar.day(date)), own)?, RowKey { date, id })
        }
        _ => return Err(BadParameter::new("of", own.get("of"), OF.replace('|', ", "))),
    })
}

/// The same, if it has a range.
fn needed(common: Common, own: &Given<'_>) -> Result<Common, BadParameter> {
    if common.range.is_empty() { Err(BadParameter::new("from", own.get("from"), dates::EXPECTED)) } else { Ok(common) }
}

/// The first day of `date`.
fn date(own: &Given<'_>) -> Result<Date, BadParameter> {
    let days = own.get("date").and_then(dates::days);
    days.map(|days| days.0).ok_or_else(|| BadParameter::new("date", own.get("date"), dates::EXPECTED_DAYS))
}

/// The period that `date` is in.
fn of_period(calendar: &Calendar, period: Period, own: &Given<'_>) -> Result<Range, BadParameter> {
    let first = calendar.first_of(period, date(own)?);
    Ok(Range::new(calendar.start_of(first), calendar.start_of(calendar.next_after(period, first))))
}
