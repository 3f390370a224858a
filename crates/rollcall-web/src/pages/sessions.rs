//! Which sessions there were.

use crate::calls;
use crate::parts::controls::session_word;
use crate::parts::panel::{Panel, Table};
use crate::parts::{number, time};
use crate::state::segment;
use crate::view::View;
use crate::words::Word;
use maud::{Markup, html};
use rollcall_model::calendar::rfc3339;
use rollcall_model::instant::parse_time;
use rollcall_model::reports::{SessionKey, Sessions};

/// How many sessions one page lists.
const PAGE: usize = 100;

pub(crate) fn content(view: &View<'_>) -> Markup {
    html! {
        @if view.host.viewer().sees_people {
            form class="controls" role="search" method="get" action="/sessions" {
                @for (name, value) in view.shared().parameters() { input type="hidden" name=(name) value=(value); }
                label { (view.say(Word::User)) " (" (view.say(Word::Id)) ") "
                    input type="search" name="user" value=(view.state.filters.user.as_deref().unwrap_or_default()) maxlength="256";
                }
                button { (view.say(Word::Search)) }
            }
        }
        div class="grid" { (list(view, view.state.filters.user.as_deref())) }
    }
}

/// Where a session's page is.
fn path(key: &SessionKey) -> String {
    format!("/sessions/{}/{}/{}", segment(&key.app), segment(&rfc3339(key.started_at)), segment(&key.session_id))
}

/// A place in the list, as a URL has it.
fn cursor(key: &SessionKey) -> String {
    format!("{}/{}/{}", rfc3339(key.started_at), segment(&key.app), segment(&key.session_id))
}

fn read(cursor: &str) -> Option<SessionKey> {
    let mut parts = cursor.split('/');
    let started_at = parse_time(parts.next()?)?;
    let (app, session_id) = (crate::state::decoded(parts.next()?), crate::state::decoded(parts.next()?));
    Some(SessionKey { started_at, app, session_id })
}

/// The sessions that started in the range, of a user or of all.
pub(crate) fn list(view: &View<'_>, user: Option<&str>) -> Markup {
    let filters = &view.state.filters;
    let ask = Sessions {
        range: view.span.range,
        zone: view.zone().clone(),
        app: filters.app.clone(),
        kinds: (!filters.session_kinds.is_empty()).then(|| filters.session_kinds.clone()),
        user: user.map(ToOwned::to_owned),
        department: view.department(),
        after: view.state.after.as_deref().and_then(read),
        limit: PAGE + 1,
    };
    view.panel_of("sessions", Word::Sessions, view.reports().sessions(view.org(), &ask), |answer| {
        let rows: Vec<_> = answer.rows.iter().take(PAGE).collect();
        let more = answer.rows.len() > PAGE;
        let head = [Word::Began, Word::SessionKind, Word::App, Word::FirstJoin, Word::LastLeave, Word::Attendees, Word::Stays, Word::Time];
        let table = Table::new(view, Word::Session, &head).text(&[1, 2, 3, 4, 5]).of(rows.iter().map(|row| {
            let href = view.shared().at(&path(&row.key));
            vec![
                html! { a href=(href) { bdi { (row.key.session_id) } } },
                view.instant(row.key.started_at),
                html! { (view.say(session_word(row.kind))) },
                html! { (row.key.app) },
                view.instant(row.first_join),
                view.instant(row.last_leave),
                number(row.users),
                number(row.stays),
                time(view.lang, row.time),
            ]
        }));
        let next = rows.last().filter(|_| more).map(|last| view.state.with(view.path, |state| state.after = Some(cursor(&last.key))));
        let links = Some(super::people::pages(view, next));
        let unfiltered = super::meetings::unfiltered(view, &[Word::SessionKind, Word::Department]);
        let panel = Panel { links, unfiltered, ..Panel::new("sessions", view.say(Word::SessionsStarted), table) };
        view.panel(&panel.from(&answer.covers, calls::sessions(&ask)))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_list_goes_on_where_its_cursor_says() {
        let key = SessionKey { started_at: 1_788_192_000_123, app: "a/b".into(), session_id: "x/y %中".into() };
        assert_eq!(read(&cursor(&key)), Some(key));
        assert_eq!(read("x/y"), None);
    }
}
