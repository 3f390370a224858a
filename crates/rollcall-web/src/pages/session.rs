//! One session: who was there when.

use crate::calls;
use crate::charts::stays::{Stay, draw};
use crate::lang::length;
use crate::parts::controls::{device_word, medium_word, session_word, user_word};
use crate::parts::panel::{Panel, Table};
use crate::parts::{number, time};
use crate::trouble::Trouble;
use crate::view::View;
use crate::when;
use crate::words::Word;
use maud::{Markup, html};
use rollcall_model::instant::parse_time;
use rollcall_model::reports::{Session, SessionKey, StayRow};
use rollcall_model::{Calendar, Medium};

/// How many stays are read, and how many users have a row in the picture.
const MOST: usize = 1000;
const DRAWN: usize = 100;

pub(crate) fn content(view: &View<'_>, app: &str, started_at: &str, id: &str) -> Result<Markup, Trouble> {
    let started_at = parse_time(started_at).ok_or(Trouble::NotFound(Word::NoSession))?;
    let key = SessionKey { started_at, app: app.to_owned(), session_id: id.to_owned() };
    let ask = Session { key, zone: view.zone().clone(), skip: 0, limit: MOST };
    let answer = view.reports().session(view.org(), &ask)?;
    let all = answer.rows.len();
    let rows: Vec<_> = answer.rows.into_iter().filter(|row| seen(view, row)).collect();
    // Whoever sees none of its people does not see the session.
    let (Some(kind), Some(first), Some(last)) =
        (rows.first().map(|row| row.session_kind), rows.iter().map(|row| row.joined_at).min(), rows.iter().map(|row| row.left_at).max())
    else {
        return Err(Trouble::NotFound(Word::NoSession));
    };
    let mut users: Vec<&StayRow> = Vec::new();
    for row in &rows {
        if users.len() < DRAWN && !users.iter().any(|user| user.user == row.user) {
            users.push(row);
        }
    }
    let names: Vec<_> = users.iter().map(|row| view.person_text(&row.user, &row.name)).collect();
    let part = |at: i64| (at - first) as f64 / (last - first).max(1) as f64;
    let stays: Vec<_> = rows
        .iter()
        .filter_map(|stay| {
            let row = users.iter().position(|user| user.user == stay.user)?;
            let clock = |at| when::clock(view.zone(), at);
            let said = format!(
                "{}: {}–{} ({})",
                view.person_text(&stay.user, &stay.name),
                clock(stay.joined_at),
                clock(stay.left_at),
                length(view.lang, stay.left_at - stay.joined_at)
            );
            Some(Stay { row, from: part(stay.joined_at), to: part(stay.left_at), said })
        })
        .collect();
    let end = |at| when::instant_text(view.lang, view.zone(), at);
    let chart = draw(&names, &stays, (&end(first), &end(last)));
    let head = [Word::UserKind, Word::Joined, Word::Left, Word::Time, Word::Device, Word::Medium, Word::Place];
    let table = Table::new(view, Word::Name, &head).text(&[1, 2, 3, 5, 6, 7]).of(rows.iter().map(|row| {
        let media = Medium::ALL.iter().filter(|medium| row.media.has(**medium)).map(|medium| view.say(medium_word(*medium)));
        let place = row.place.and_then(|place| super::places::name(view, place)).unwrap_or_else(|| view.say(Word::PlaceUnknown).to_owned());
        vec![
            view.person(&row.user, &row.name),
            html! { (view.say(user_word(row.user_kind))) },
            view.instant(row.joined_at),
            view.instant(row.left_at),
            time(view.lang, row.left_at - row.joined_at),
            html! { (view.say(device_word(row.device))) },
            html! { (media.collect::<Vec<_>>().join(view.lang.comma())) },
            html! { (place) },
        ]
    }));
    let mut notes = Vec::new();
    if rows.len() < all {
        notes.push(view.fill(Word::StaysHidden, &[("count", &(all - rows.len()).to_string())]));
    }
    if all == MOST {
        notes.push(view.fill(Word::StaysMore, &[("count", &MOST.to_string())]));
    }
    let mut distinct: Vec<_> = rows.iter().map(|row| row.user.as_str()).collect();
    distinct.sort_unstable();
    distinct.dedup();
    let people = u64::try_from(distinct.len()).unwrap_or(0);
    let headline = html! {
        (number(people)) " "
        span class="unit" { (view.say(Word::Attendees)) " · " (view.say(session_word(kind))) " · " bdi { (app) } " · " }
        (view.instant(started_at))
    };
    let panel = Panel {
        headline: Some(headline),
        chart: Some(chart),
        notes,
        names_people: true,
        ..Panel::new("stays", view.say(Word::StaysOf), table)
    };
    Ok(html! { div class="grid" { (view.panel(&panel.from(&answer.covers, calls::session(&ask)))) } })
}

/// Whether the viewer may see a stay: of a user who, on its first or last day, is in the viewer's department or below it.
fn seen(view: &View<'_>, row: &StayRow) -> bool {
    if view.host.viewer().department().is_none() {
        return true;
    }
    let home = Calendar::new(view.home().clone());
    let (first, last) = (home.date_of(row.joined_at), home.date_of((row.left_at - 1).max(row.joined_at)));
    [first, last].into_iter().any(|day| view.is_below(&row.user, day) == Some(true))
}
