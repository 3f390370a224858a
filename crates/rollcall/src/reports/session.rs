//! `session`: a row for each stay in one session, in pages.

use super::paging::Page;
use super::{BadParameter, Cell, Common, Document, Ends, Given, Question, Report, time};
use rollcall_model::Medium;
use rollcall_model::calendar::rfc3339;
use rollcall_model::reports::{Session, SessionKey};

/// The report.
#[derive(Debug)]
pub struct SessionReport;

const COLUMNS: &[&str] = &["user", "name", "user_kind", "device", "media", "joined_at", "left_at", "time_ms", "place", "unit"];

impl Report for SessionReport {
    fn name(&self) -> &'static str {
        "session"
    }

    fn columns(&self, _: &[(String, String)]) -> &'static [&'static str] {
        COLUMNS
    }

    fn own_parameters(&self) -> &'static [&'static str] {
        &["session_id", "started_at", "app", "limit", "cursor"]
    }

    fn ends(&self) -> Ends {
        Ends::None
    }

    fn has_day_rows(&self) -> bool {
        false
    }

    fn about(&self) -> [&'static str; 2] {
        [
            "Each stay in one session, in pages: who, on what, with which media, from when to when, and from where.",
            "一次会话中的每次出席（分页）：何人、何设备、何媒体、何时加入与离开、来自何处。",
        ]
    }

    fn names_people(&self) -> bool {
        true
    }

    fn question(&self, Common { zone, .. }: Common, own: &Given<'_>) -> Result<Question, BadParameter> {
        let page = Page::of(self.name(), own)?;
        let skip: usize = page.after()?.unwrap_or(0);
        let ask = Session { key: key(own, &zone)?, zone, skip, limit: page.limit };
        Ok(Box::new(move |reports, org| {
            let answer = reports.session(org, &ask)?;
            let next = page.next(answer.rows.len(), || Some(skip + answer.rows.len()));
            let rows = answer.rows.iter().map(|row| {
                let media: Vec<_> = Medium::ALL.iter().filter(|medium| row.media.has(**medium)).map(|medium| medium.name()).collect();
                vec![
                    Cell::Text(row.user.clone()),
                    Cell::Text(row.name.clone()),
                    Cell::Text(row.user_kind.name().to_owned()),
                    Cell::Text(row.device.name().to_owned()),
                    Cell::Text(media.join("|")),
                    Cell::Text(rfc3339(row.joined_at)),
                    Cell::Text(rfc3339(row.left_at)),
                    Cell::Number(row.left_at - row.joined_at),
                    Cell::from(row.place.map(|place| place.code())),
                    Cell::from(u64::from(row.unit)),
                ]
            });
            Ok(Document::new(&answer.covers, COLUMNS, rows.collect()).with_next(next))
        }))
    }
}

/// Which session: `session_id`, `started_at`, and `app`, which may be left out where the organization has one.
pub(super) fn key(own: &Given<'_>, zone: &jiff::tz::TimeZone) -> Result<SessionKey, BadParameter> {
    let Some(session_id) = own.get("session_id") else { return Err(BadParameter::new("session_id", None, "the id of a session")) };
    let app = match own.app()? {
        Some(app) => app,
        None => match own.organization().apps.as_slice() {
            [only] => only.to_string(),
            apps => return Err(BadParameter::new("app", None, format!("the session's app: {}", apps.join(", ")))),
        },
    };
    Ok(SessionKey { started_at: time("started_at", own.get("started_at"), zone)?, app, session_id: session_id.into() })
}
