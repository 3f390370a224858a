//! `active-users`: a row for each period or hour, for each hour of the week, or for each medium or device.

use super::{BadParameter, Cell, Common, Compared, Document, Given, Question, Report, groups};
use jiff::fmt::strtime;
use rollcall_model::calendar::rfc3339;
use rollcall_model::reports::{ActiveUsers, Grouping, MeansLevel, StayFilter, UsersByMeans, WeekHours};
use rollcall_model::{Calendar, Hour};

/// The report.
#[derive(Debug)]
pub struct ActiveUsersReport;

const COLUMNS: &[&str] = &["date", "from", "to", "users"];
const HOURS: &[&str] = &["date", "hour", "offset", "from", "to", "users"];
const WEEK_HOURS: &[&str] = &["weekday", "hour", "users_mean", "users", "hours"];
const MEDIA: &[&str] = &["medium", "users", "share"];
const DEVICES: &[&str] = &["device", "users", "share"];

/// What `by` may be, besides the periods.
pub(super) const MEDIUM: &str = "medium";
pub(super) const DEVICE: &str = "device";
const WEEK_HOUR: &str = "week-hour";

impl Report for ActiveUsersReport {
    fn name(&self) -> &'static str {
        "active-users"
    }

    fn columns(&self, given: &[(String, String)]) -> &'static [&'static str] {
        match given.iter().find(|(name, _)| name == "by").map(|(_, value)| value.as_str()) {
            Some("hour") => HOURS,
            Some(WEEK_HOUR) => WEEK_HOURS,
            Some(MEDIUM) => MEDIA,
            Some(DEVICE) => DEVICES,
            _ => COLUMNS,
        }
    }

    fn own_parameters(&self) -> &'static [&'static str] {
        &["by", "week_start", "app", "session_kind", "user_kind", "device", "medium", "department", "subtree"]
    }

    fn compared(&self, given: &[(String, String)]) -> Option<Compared> {
        Some(match self.columns(given) {
            WEEK_HOURS => Compared::by(&["weekday", "hour"], &["users_mean"]),
            MEDIA => Compared::by(&["medium"], &["users"]),
            DEVICES => Compared::by(&["device"], &["users"]),
            _ => Compared::periods(&["users"]),
        })
    }

    fn has_day_rows(&self) -> bool {
        true
    }

    fn about(&self) -> [&'static str; 2] {
        [
            "Distinct users who were in a session, a row for each hour, day, week, month, quarter, year, run of days, or for the whole range; by hour of the week; or by medium or device.",
            "到过会话的去重用户数：按小时、天、周、月、季、年、滚动天数，或整个范围；按一周中的小时；或按媒体、设备。",
        ]
    }

    fn names_people(&self) -> bool {
        false
    }

    fn words(&self, parameter: &str) -> Option<&'static str> {
        match parameter {
            "by" => Some("hour|day|week|month|quarter|year|whole|week-hour|medium|device|rolling-[0-9]{1,3}"),
            _ => None,
        }
    }

    fn question(&self, common: Common, own: &Given<'_>) -> Result<Question, BadParameter> {
        let of = groups::stays(own)?;
        let by = own.get("by");
        Ok(match by {
            Some(WEEK_HOUR) => week_hours(common, of),
            Some(MEDIUM) => by_means(common, of, MeansLevel::Medium),
            Some(DEVICE) => by_means(common, of, MeansLevel::Device),
            _ => by_period(common, own)?,
        })
    }
}

/// The question with a row for each period or hour.
pub(super) fn ask(common: Common, own: &Given<'_>) -> Result<ActiveUsers, BadParameter> {
    let Common { range, zone, .. } = common;
    Ok(ActiveUsers {
        range,
        zone,
        week_start: groups::week_start(own.get("week_start"))?,
        by: groups::grouping(own.get("by"))?,
        of: groups::stays(own)?,
    })
}

fn by_period(common: Common, own: &Given<'_>) -> Result<Question, BadParameter> {
    let ask = ask(common, own)?;
    Ok(Box::new(move |reports, org| {
        let answer = reports.active_users(org, &ask)?;
        let calendar = Calendar::new(ask.zone.clone());
        let rows = answer.rows.iter().map(|row| {
            let mut cells = vec![Cell::Text(row.date.to_string())];
            if ask.by == Grouping::Hour {
                let Hour { hour, offset, .. } = calendar.hour_of(row.period.from);
                cells.extend([Cell::Number(hour.into()), Cell::Text(shown(offset))]);
            }
            cells.extend([Cell::Text(rfc3339(row.period.from)), Cell::Text(rfc3339(row.period.to)), Cell::from(row.users)]);
            cells
        });
        Ok(Document::new(&answer.covers, if ask.by == Grouping::Hour { HOURS } else { COLUMNS }, rows.collect()))
    }))
}

/// An offset from UTC, as `+08:00`.
fn shown(seconds: i32) -> String {
    let offset = jiff::tz::Offset::from_seconds(seconds).unwrap_or(jiff::tz::Offset::UTC);
    let shown = strtime::BrokenDownTime::from(&jiff::Timestamp::UNIX_EPOCH.to_zoned(offset.to_time_zone()));
    shown.to_string("%:z").unwrap_or_default()
}

fn week_hours(Common { range, zone, .. }: Common, of: StayFilter) -> Question {
    let ask = WeekHours { range, zone, of };
    Box::new(move |reports, org| {
        let answer = reports.week_hours(org, &ask)?;
        let rows = answer.rows.iter().map(|row| {
            vec![
                Cell::Text(groups::weekday(row.weekday).to_owned()),
                Cell::Number(row.hour.into()),
                Cell::Decimal(row.users as f64 / row.hours.max(1) as f64),
                Cell::from(row.users),
                Cell::from(row.hours),
            ]
        });
        Ok(Document::new(&answer.covers, WEEK_HOURS, rows.collect()))
    })
}

/// The question with a row for each medium or device.
pub(super) fn ask_means(Common { range, zone, .. }: Common, of: StayFilter, by: MeansLevel) -> UsersByMeans {
    UsersByMeans { range, zone, by, of }
}

fn by_means(common: Common, of: StayFilter, by: MeansLevel) -> Question {
    let ask = ask_means(common, of, by);
    Box::new(move |reports, org| {
        let answer = reports.users_by_means(org, &ask)?;
        let rows = answer
            .rows
            .iter()
            .map(|row| vec![Cell::Text(row.means.name().to_owned()), Cell::from(row.users), Cell::share(row.users, row.of)]);
        Ok(Document::new(&answer.covers, if by == MeansLevel::Medium { MEDIA } else { DEVICES }, rows.collect()))
    })
}
