//! `top-users`: a row for each user, the first ones only.

use super::{BadParameter, Cell, Common, Compared, Document, Given, Question, Report, groups};
use rollcall_model::UserKind;
use rollcall_model::reports::{TopUsers, UserOrder};

/// How many rows there are where a question names no `limit`.
const DEFAULT_LIMIT: usize = 10;

const COLUMNS: &[&str] = &["id", "open_id", "union_id", "user_id", "name", "kind", "meetings", "duration_ms"];

/// The report.
#[derive(Debug)]
pub struct TopUsersReport;

impl Report for TopUsersReport {
    fn name(&self) -> &'static str {
        "top-users"
    }

    fn columns(&self, _: &[(String, String)]) -> &'static [&'static str] {
        COLUMNS
    }

    fn own_parameters(&self) -> &'static [&'static str] {
        &["app", "unit", "user_kind", "order", "limit"]
    }

    fn compared(&self, _: &[(String, String)]) -> Option<Compared> {
        Some(Compared { adds: false, ..Compared::by(&["id"], &["meetings", "duration_ms"]) })
    }

    /// Whoever is among the first now may have been far from it before.
    fn question_before(&self, common: Common, own: &Given<'_>) -> Result<Question, BadParameter> {
        Ok(answered(TopUsers { limit: usize::MAX, ..ask(common, own)? }))
    }

    fn has_day_rows(&self) -> bool {
        false
    }

    fn about(&self) -> [&'static str; 2] {
        ["Users by meetings attended or by time in them.", "按参会次数或参会时长排列的用户。"]
    }

    fn names_people(&self) -> bool {
        true
    }

    fn words(&self, parameter: &str) -> Option<&'static str> {
        match parameter {
            "order" => Some("meetings|duration"),
            _ => None,
        }
    }

    fn question(&self, common: Common, own: &Given<'_>) -> Result<Question, BadParameter> {
        Ok(answered(ask(common, own)?))
    }
}

/// The question.
fn ask(common: Common, own: &Given<'_>) -> Result<TopUsers, BadParameter> {
    Ok(TopUsers { order: order(own.get("order"))?, limit: limit(own.get("limit"))?, ..unordered(common, own)? })
}

/// The question about every user: `people` has an order and a limit of its own.
pub(super) fn unordered(Common { range, zone, .. }: Common, own: &Given<'_>) -> Result<TopUsers, BadParameter> {
    let kinds = groups::among("user_kind", own.get("user_kind"), UserKind::ALL, |kind| kind.name())?;
    Ok(TopUsers { range, zone, order: UserOrder::Meetings, limit: usize::MAX, app: own.app()?, unit: own.unit()?, kinds })
}

fn order(value: Option<&str>) -> Result<UserOrder, BadParameter> {
    match value {
        None | Some("meetings") => Ok(UserOrder::Meetings),
        Some("duration") => Ok(UserOrder::Duration),
        Some(_) => Err(BadParameter::new("order", value, "meetings or duration")),
    }
}

fn limit(value: Option<&str>) -> Result<usize, BadParameter> {
    match value {
        None => Ok(DEFAULT_LIMIT),
        Some(text) => text.parse().ok().filter(|limit| *limit > 0).ok_or_else(|| BadParameter::new("limit", value, "an integer from 1")),
    }
}

fn answered(ask: TopUsers) -> Question {
    Box::new(move |reports, org| {
        let answer = reports.top_users(org, &ask)?;
        let rows = answer.rows.into_iter().map(|row| {
            vec![
                Cell::Text(row.id),
                Cell::from(row.open_id),
                Cell::from(row.union_id),
                Cell::from(row.user_id),
                Cell::Text(row.name),
                Cell::Text(row.kind.name().to_owned()),
                Cell::from(row.meetings),
                Cell::Number(row.duration),
            ]
        });
        let rows = rows.collect();
        Ok(Document::new(&answer.covers, COLUMNS, rows))
    })
}
