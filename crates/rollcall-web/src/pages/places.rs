//! Where people attended from: provinces as equal squares, countries as bars.

use crate::calls;
use crate::charts::tiles::{PLACES, Tile, draw};
use crate::lang::{Lang, count};
use crate::parts::number_to;
use crate::parts::panel::{Panel, Table};
use crate::parts::ranking::Ranked;
use crate::state::Behind;
use crate::view::View;
use crate::words::Word;
use maud::{Markup, html};
use rollcall_model::Place;
use rollcall_model::reports::{PlaceLevel, PlaceUsers, UsersByPlace};

pub(crate) fn content(view: &View<'_>) -> Markup {
    if view.host.viewer().department().is_some() {
        return html! { div class="grid" { (view.notice("provinces", view.say(Word::Provinces), view.say(Word::OrganizationOnly))) } };
    }
    html! { div class="grid" { (provinces(view)) (countries(view)) } }
}

/// The name of a place.
pub(crate) fn name(view: &View<'_>, place: Place) -> Option<String> {
    let name = match view.lang {
        Lang::En => place.english_name(),
        Lang::Zh => place.chinese_name(),
    };
    Some(name.map_or_else(|| place.code(), ToOwned::to_owned))
}

/// A share in hundredths of a percent.
fn share(row: &PlaceUsers, rows: &[PlaceUsers]) -> String {
    let share = row.share(rows);
    format!("{}.{:02}%", share / 100, share % 100)
}

fn ask(view: &View<'_>, by: PlaceLevel) -> UsersByPlace {
    let country = Place::country_only("CN").filter(|_| by == PlaceLevel::Subdivision);
    UsersByPlace { range: view.span.range, zone: view.zone().clone(), by, country, app: view.state.filters.app.clone() }
}

fn people_of(view: &View<'_>, place: Option<Place>) -> String {
    view.people_of(view.state.asked, |state| state.behind = Behind::Place(place))
}

fn named(view: &View<'_>, row: &PlaceUsers) -> String {
    row.place.and_then(|place| name(view, place)).unwrap_or_else(|| view.say(Word::PlaceUnknown).to_owned())
}

fn provinces(view: &View<'_>) -> Markup {
    let ask = ask(view, PlaceLevel::Subdivision);
    view.panel_of("provinces", Word::Provinces, view.reports().users_by_place(view.org(), &ask), |answer| {
        let rows = &answer.rows;
        let tiles: Vec<_> = PLACES
            .iter()
            .filter_map(|(code, ..)| {
                let place = Place::from_code(&format!("CN-{code}"))?;
                let row = rows.iter().find(|row| row.place == Some(place));
                let value = row.map_or(0, |row| row.users);
                let name = name(view, place)?;
                // In English, squares have room for the letters of the code alone.
                let short = if view.lang == Lang::Zh { name.clone() } else { (*code).to_owned() };
                let said = format!("{name}: {}", count(value));
                let href = (value > 0).then(|| people_of(view, Some(place)));
                Some(Tile { code, name: short, value, shown: count(value), said, href })
            })
            .collect();
        let table = Table::new(view, Word::Place, &[Word::Participants, Word::Share]);
        let table = table.of(rows.iter().map(|row| {
            vec![html! { (named(view, row)) }, number_to(row.users, &people_of(view, row.place)), html! { (share(row, rows)) }]
        }));
        let notes = vec![view.say(Word::ProvincesNote).to_owned(), view.say(Word::PlacesOverlap).to_owned()];
        let unfiltered = super::meetings::unfiltered(view, &[]);
        let panel = Panel {
            chart: Some(draw(&tiles)),
            notes,
            unfiltered,
            size: "half",
            ..Panel::new("provinces", view.say(Word::Provinces), table)
        };
        view.panel(&panel.from(&answer.covers, calls::users_by_place(&ask, &view.host.organization().apps)))
    })
}

fn countries(view: &View<'_>) -> Markup {
    let ask = ask(view, PlaceLevel::Country);
    view.panel_of("countries", Word::Countries, view.reports().users_by_place(view.org(), &ask), |answer| {
        let rows = &answer.rows;
        let total: u64 = rows.iter().map(|row| row.users).sum();
        let ranked: Vec<_> = rows
            .iter()
            .map(|row| {
                let name = named(view, row);
                let href = row.place.map(|place| people_of(view, Some(place)));
                Ranked { name: html! { (name) }, text: name.clone(), value: row.users, of: Some(total), href }
            })
            .collect();
        let mut panel = view.ranking("countries", Word::Countries, (Word::Place, Word::Participants), &ranked);
        panel.notes.push(view.say(Word::PlacesOverlap).to_owned());
        panel.unfiltered = super::meetings::unfiltered(view, &[]);
        view.panel(&panel.from(&answer.covers, calls::users_by_place(&ask, &view.host.organization().apps)))
    })
}
