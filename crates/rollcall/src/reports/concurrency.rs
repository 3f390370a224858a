//! `concurrency`: a row for each period.

use super::{BadParameter, Cell, Common, Compared, Document, Given, Question, Report, groups};
use rollcall_model::calendar::rfc3339;
use rollcall_model::reports::{Concurrency, Peak};

/// The report.
#[derive(Debug)]
pub struct ConcurrencyReport;

const COLUMNS: &[&str] = &["date", "from", "to", "stays", "stays_at", "sessions", "sessions_at"];

impl Report for ConcurrencyReport {
    fn name(&self) -> &'static str {
        "concurrency"
    }

    fn columns(&self, _: &[(String, String)]) -> &'static [&'static str] {
        COLUMNS
    }

    fn own_parameters(&self) -> &'static [&'static str] {
        &["by", "week_start", "app", "session_kind", "user_kind", "device"]
    }

    fn compared(&self, _: &[(String, String)]) -> Option<Compared> {
        Some(Compared::periods(&["stays", "sessions"]))
    }

    fn has_day_rows(&self) -> bool {
        true
    }

    fn about(&self) -> [&'static str; 2] {
        [
            "The most stays, and the most sessions with somebody in them, at one instant, with the first such instant; a row for each hour, day, week, month, quarter or year, or for the whole range.",
            "同一时刻的最多在会人次与最多有人的会话数，及首次达到的时刻：按小时、天、周、月、季、年，或整个范围。",
        ]
    }

    fn names_people(&self) -> bool {
        false
    }

    fn words(&self, parameter: &str) -> Option<&'static str> {
        (parameter == "by").then_some("hour|day|week|month|quarter|year|whole")
    }

    fn question(&self, common: Common, own: &Given<'_>) -> Result<Question, BadParameter> {
        let ask = ask(common, own)?;
        Ok(Box::new(move |reports, org| {
            let answer = reports.concurrency(org, &ask)?;
            let peak = |peak: Option<Peak>| {
                [peak.map_or(Cell::Absent, |peak| Cell::from(peak.most)), Cell::from(peak.map(|peak| rfc3339(peak.at)))]
            };
            let rows = answer.rows.iter().map(|row| {
                let period = [Cell::Text(row.date.to_string()), Cell::Text(rfc3339(row.period.from)), Cell::Text(rfc3339(row.period.to))];
                period.into_iter().chain(peak(row.stays)).chain(peak(row.sessions)).collect()
            });
            Ok(Document::new(&answer.covers, COLUMNS, rows.collect()))
        }))
    }
}

/// The question.
pub(super) fn ask(Common { range, zone, .. }: Common, own: &Given<'_>) -> Result<Concurrency, BadParameter> {
    Ok(Concurrency {
        range,
        zone,
        week_start: groups::week_start(own.get("week_start"))?,
        by: groups::period_or_hour(own.get("by"))?,
        of: groups::stays(own)?,
    })
}
