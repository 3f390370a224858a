//! Silent members: in the directory, and not seen in the range.

use crate::calls;
use crate::pages::people::{PAGE, departments_of, pages, tabs};
use crate::parts::panel::{Panel, Table};
use crate::view::View;
use crate::words::Word;
use maud::{Markup, html};
use rollcall_model::reports::Silent;

pub(crate) fn content(view: &View<'_>) -> Markup {
    html! { (tabs(view, "/people/silent")) div class="grid" { (list(view)) } }
}

fn list(view: &View<'_>) -> Markup {
    let sees = view.host.viewer().sees_people;
    // Whoever sees no people gets a place by number, since one by id would say it.
    let skip: usize = view.state.after.as_deref().filter(|_| !sees).and_then(|after| after.parse().ok()).unwrap_or(0).min(100_000);
    let ask = Silent {
        range: view.span.range,
        zone: view.zone().clone(),
        home: view.home().clone(),
        department: view.department(),
        after: view.state.after.clone().filter(|_| sees),
        limit: skip + PAGE + 1,
    };
    view.panel_of("silent", Word::Silent, view.reports().silent(view.org(), &ask), |answer| {
        let more = answer.rows.len() > skip + PAGE;
        let rows: Vec<_> = answer.rows.iter().skip(skip).take(PAGE).collect();
        if rows.is_empty() && skip == 0 && view.state.after.is_none() {
            return view.notice("silent", view.say(Word::Silent), view.say(Word::SilentNobody));
        }
        let table = Table::new(view, Word::Name, &[Word::Departments]).text(&[1]);
        let table = table.of(rows.iter().map(|row| vec![view.person(&row.id, &row.name), departments_of(view, &row.departments)]));
        let next = rows.last().filter(|_| more).map(|last| {
            let after = if sees { last.id.clone() } else { (skip + PAGE).to_string() };
            view.state.with(view.path, |state| state.after = Some(after))
        });
        let unfiltered = super::meetings::unfiltered(view, &[Word::Department]);
        let notes = vec![view.say(Word::SilentNote).to_owned()];
        let panel = Panel {
            links: Some(pages(view, next)),
            notes,
            unfiltered,
            names_people: true,
            ..Panel::new("silent", view.say(Word::Silent), table)
        };
        let mut panel = panel.from(&answer.covers, calls::silent(&ask));
        if !sees {
            panel.calls.clear();
        }
        view.panel(&panel)
    })
}
