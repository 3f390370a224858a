//! `top-users`: a row for each user, the first ones only.

use super::{BadParameter, Cell, Common, Document, Given, Question, Report};
use rollcall_model::reports::{TopUsers, UserOrder};

/// How many rows there are where a question names no `limit`.
const DEFAULT_LIMIT: usize = 10;

/// The report.
#[derive(Debug)]
pub struct TopUsersReport;

impl Report for TopUsersReport {
    fn name(&self) -> &'static str {
        "top-users"
    }

    fn columns(&self, _: &[(String, String)]) -> &'static [&'static str] {
        &["id", "open_id", "union_id", "user_id", "name", "kind", "meetings", "duration_ms"]
    }

    fn own_parameters(&self) -> &'static [&'static str] {
        &["app", "unit", "order", "limit"]
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

    fn question(&self, Common { range, zone, .. }: Common, own: &Given<'_>) -> Result<Question, BadParameter> {
        let (order, limit) = (order(own.get("order"))?, limit(own.get("limit"))?);
        let ask = TopUsers { range, zone, order, limit, app: own.app()?, unit: own.unit()?, kinds: None };
        let columns = self.columns(own.pairs());
        Ok(Box::new(move |reports, org| {
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
            Ok(Document::new(&answer.covers, columns, rows))
        }))
    }
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
